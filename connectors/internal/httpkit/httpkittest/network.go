package httpkittest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// A Network is a server in memory, reached under any host name. It works in bubbles.
type Network struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	mu    sync.Mutex
	dials []string
}

// Serve serves a handler until the test ends, or Close.
func Serve(t testing.TB, h http.Handler) *Network {
	t.Helper()
	n := &Network{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h} //nolint:gosec // its only clients are tests
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(n) }() // it ends with an error always
	t.Cleanup(func() { _ = server.Close(); _ = n.Close(); <-ended })
	return n
}

// Dial connects, whatever the address.
func (n *Network) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, address)
	n.mu.Unlock()
	ours, theirs := net.Pipe()
	select {
	case n.conns <- theirs:
		return ours, nil
	case <-n.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Dials returns the addresses that were dialled.
func (n *Network) Dials() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.dials...)
}

// Accept is net.Listener's.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Dial.
func (n *Network) Close() error { n.once.Do(func() { close(n.done) }); return nil }

// Addr is net.Listener's.
func (n *Network) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "memory"} }
