package testenv

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// TCPProxy stands between a client and a server on loopback and lets a test
// break the way between them. Its methods are safe for concurrent use.
//
// A Kafka client follows the addresses that brokers advertise; put a proxy in
// front of a broker with [KafkaOptions].Proxied, so that its own is advertised.
type TCPProxy struct {
	at     *port
	target string

	mu       sync.Mutex
	listener net.Listener // nil: broken
	delay    time.Duration
	stalled  chan struct{} // closed to let traffic go on; nil: it flows
	links    map[*link]struct{}
	closed   bool

	wg sync.WaitGroup
}

// link is one connection and its other half.
type link struct {
	client, server net.Conn
	cut            chan struct{} // closed when the link is cut
	once           sync.Once
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.cut)
		l.client.Close()
		l.server.Close()
	})
}

// Proxy starts a proxy to target (host:port), which need not listen yet. It ends
// with the test.
func Proxy(t testing.TB, target string) *TCPProxy {
	t.Helper()
	p, err := newProxy(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func newProxy(target string) (*TCPProxy, error) {
	at, err := reserve()
	if err != nil {
		return nil, err
	}
	p := &TCPProxy{at: at, target: target, links: map[*link]struct{}{}}
	if err := p.Restore(); err != nil {
		return nil, errors.Join(err, at.release())
	}
	return p, nil
}

// Addr returns the proxy's own address, host:port. It never changes.
func (p *TCPProxy) Addr() string { return p.at.addr() }

// Break cuts all connections and refuses new ones, as a server that is down.
func (p *TCPProxy) Break() {
	p.mu.Lock()
	l := p.listener
	p.listener = nil
	p.mu.Unlock()
	if l != nil {
		l.Close()
	}
	p.CloseAll()
}

// Stall holds back all bytes, on connections that stay open: a network that
// drops packets. New connections are accepted and silent.
func (p *TCPProxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

// Restore undoes Break and Stall: connections are accepted again, and bytes that
// were held back are delivered. The delay stays. The error says that the proxy's
// port cannot be listened on again.
func (p *TCPProxy) Restore() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
	if p.listener != nil || p.closed {
		return nil
	}
	l, err := net.Listen("tcp", p.at.addr())
	if err != nil {
		return fmt.Errorf("testenv: proxy to %s: %w", p.target, err)
	}
	p.listener = l
	p.wg.Go(func() { p.accept(l) })
	return nil
}

// Delay holds every chunk of bytes back for d, in both directions; 0 ends that.
func (p *TCPProxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// CloseAll cuts the connections that are open now. New ones are not affected.
func (p *TCPProxy) CloseAll() {
	p.mu.Lock()
	var open []*link
	for l := range p.links {
		open = append(open, l)
	}
	p.mu.Unlock()
	for _, l := range open {
		l.close()
	}
}

// close ends the proxy, waits for its goroutines and gives its port back.
func (p *TCPProxy) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Break()
	p.wg.Wait()
	return p.at.release()
}

func (p *TCPProxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // closed by Break
		}
		p.wg.Go(func() { p.serve(client) })
	}
}

// serve joins a connection to the target until either side closes it.
func (p *TCPProxy) serve(client net.Conn) {
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		client.Close() // what a client sees of a server that is down behind a balancer
		return
	}
	l := &link{client: client, server: server, cut: make(chan struct{})}
	defer l.close()
	p.mu.Lock()
	if p.listener == nil { // broken between accept and here
		p.mu.Unlock()
		return
	}
	p.links[l] = struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
	}()
	var halves sync.WaitGroup
	halves.Go(func() { p.copy(l, server, client) })
	halves.Go(func() { p.copy(l, client, server) })
	halves.Wait()
}

// copy moves bytes one way, held back as the test wishes. An end of the stream
// is passed on as such, so that half-closed connections work.
func (p *TCPProxy) copy(l *link, dst, src net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if !p.hold(l) {
			return
		}
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				l.close()
				return
			}
		}
		if errors.Is(err, io.EOF) {
			if half, ok := dst.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
				l.close()
			}
			return
		}
		if err != nil {
			l.close()
			return
		}
	}
}

// hold waits for as long as traffic is delayed or stalled, and says whether the
// link is still there afterwards.
func (p *TCPProxy) hold(l *link) bool {
	p.mu.Lock()
	delay, stalled := p.delay, p.stalled
	p.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.cut:
			return false
		}
	}
	if stalled != nil {
		select {
		case <-stalled:
		case <-l.cut:
			return false
		}
	}
	select {
	case <-l.cut:
		return false
	default:
		return true
	}
}
