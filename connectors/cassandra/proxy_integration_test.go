//go:build integration

package cassandra

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy stands before a node and speaks version 4 of the protocol. A share of the writes it answers itself: that there is too much to do, or that time is
// up, which may be true or not.
type proxy struct {
	port int
	to   string
	l    net.Listener
	jobs sync.WaitGroup

	// Out of 100 writes.
	overload, timeout, applied atomic.Int32

	plain atomic.Bool // it looks into no frames: they may be of any version, and compressed

	mu    sync.Mutex
	conns []net.Conn
	faked int
	rng   *rand.Rand
}

func newProxy(t testing.TB, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return proxyOn(t, l, l.Addr().(*net.TCPAddr).Port, to)
}

// newTLSProxy is one that clients speak TLS to, and only pass through.
func newTLSProxy(t testing.TB, to string, conf *tls.Config) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := proxyOn(t, tls.NewListener(l, conf), l.Addr().(*net.TCPAddr).Port, to)
	p.plain.Store(true)
	return p
}

func proxyOn(t testing.TB, l net.Listener, port int, to string) *proxy {
	p := &proxy{port: port, to: to, l: l, rng: rand.New(rand.NewPCG(7, 7))}
	p.jobs.Go(p.serve)
	t.Cleanup(func() { _ = l.Close(); p.cut(); p.jobs.Wait() })
	return p
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) serve() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		node, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, node)
		p.mu.Unlock()
		x := &proxied{p: p, client: client, node: node, fates: map[uint16][]byte{}}
		p.jobs.Go(x.up)
		p.jobs.Go(x.down)
	}
}

// proxied is one connection.
type proxied struct {
	p            *proxy
	client, node net.Conn
	mu           sync.Mutex        // of writes to the client
	fates        map[uint16][]byte // answers by stream that stand in for the node's
}

// The opcodes that matter.
const (
	opError   = 0x00
	opExecute = 0x0a
	opBatch   = 0x0d
)

// readFrame returns the header of nine bytes with the body.
func readFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, 9)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(frame[5:]))
	_, err := io.ReadFull(r, body)
	return append(frame, body...), err
}

func (x *proxied) close() { _ = x.client.Close(); _ = x.node.Close() }

func (x *proxied) up() {
	defer x.close()
	if x.p.plain.Load() {
		_, _ = io.Copy(x.node, x.client)
		return
	}
	for {
		frame, err := readFrame(x.client)
		if err != nil {
			return
		}
		if op := frame[4]; op == opExecute || op == opBatch {
			answer, forward := x.p.fate(frame)
			if answer != nil && forward {
				x.mu.Lock()
				x.fates[binary.BigEndian.Uint16(frame[2:])] = answer
				x.mu.Unlock()
			} else if answer != nil {
				if x.tell(answer) != nil {
					return
				}
				continue
			}
		}
		if _, err := x.node.Write(frame); err != nil {
			return
		}
	}
}

func (x *proxied) down() {
	defer x.close()
	if x.p.plain.Load() {
		_, _ = io.Copy(x.client, x.node)
		return
	}
	for {
		frame, err := readFrame(x.node)
		if err != nil {
			return
		}
		stream := binary.BigEndian.Uint16(frame[2:])
		x.mu.Lock()
		if answer, ok := x.fates[stream]; ok {
			delete(x.fates, stream)
			frame = answer
		}
		x.mu.Unlock()
		if x.tell(frame) != nil {
			return
		}
	}
}

func (x *proxied) tell(frame []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.client.Write(frame)
	return err
}

// fate decides over a write: the answer that stands in for the node's, and whether the node gets it.
func (p *proxy) fate(frame []byte) (answer []byte, forward bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.rng.Int32N(100)
	switch {
	case n < p.overload.Load():
		p.faked++
		return failure(frame, 0x1001, "too much to do", nil), false
	case n < p.overload.Load()+p.timeout.Load():
		p.faked++
		tail := binary.BigEndian.AppendUint16(nil, 1) // ONE
		tail = binary.BigEndian.AppendUint32(tail, 0)
		tail = binary.BigEndian.AppendUint32(tail, 1)
		tail = append(binary.BigEndian.AppendUint16(tail, 6), "SIMPLE"...)
		return failure(frame, 0x1100, "time is up", tail), p.rng.Int32N(100) < p.applied.Load()
	}
	return nil, true
}

// failure makes the frame of an error that answers a request.
func failure(request []byte, code uint32, text string, tail []byte) []byte {
	body := binary.BigEndian.AppendUint32(nil, code)
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(text))), text...)
	body = append(body, tail...)
	frame := []byte{request[0] | 0x80, 0, request[2], request[3], opError}
	return append(binary.BigEndian.AppendUint32(frame, uint32(len(body))), body...)
}
