//go:build synctests

package kafka_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// A line is a worker's way to the brokers. It can be cut, so that connections
// break and none can be made, and frozen, so that nothing passes and nothing
// breaks: what is on its way arrives when the line thaws, as it does for a
// process that was stopped for a while.
type line struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	cut    bool
	frozen chan struct{} // not nil: frozen, until it is closed
	conns  map[*lineConn]bool
}

var (
	errCut   = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	errReset = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
)

func newLine(dial func(ctx context.Context, network, address string) (net.Conn, error)) *line {
	return &line{dial: dial, conns: make(map[*lineConn]bool)}
}

// Dial opens a connection.
func (l *line) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := l.pass(ctx); err != nil {
		return nil, err
	}
	if l.isCut() {
		return nil, errCut
	}
	conn, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &lineConn{Conn: conn, line: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		_ = conn.Close()
		return nil, errCut
	}
	l.conns[c] = true
	return c, nil
}

func (l *line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// setCut cuts the line, or mends it.
func (l *line) setCut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		l.breakAll()
	}
}

// drop breaks the connections that there are.
func (l *line) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breakAll()
}

func (l *line) breakAll() {
	for c := range l.conns {
		_ = c.Conn.Close()
	}
	clear(l.conns)
}

// freeze stops what passes; thaw lets it go on.
func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen == nil {
		l.frozen = make(chan struct{})
	}
}

func (l *line) isFrozen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frozen != nil
}

func (l *line) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
}

// pass waits while the line is frozen.
func (l *line) pass(ctx context.Context) error {
	l.mu.Lock()
	frozen := l.frozen
	l.mu.Unlock()
	if frozen == nil {
		return nil
	}
	select {
	case <-frozen:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A lineConn is a connection on a line.
type lineConn struct {
	net.Conn
	line *line
}

// Read hands on what has arrived once the line is not frozen.
func (c *lineConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	_ = c.line.pass(context.Background())
	return n, c.real(err)
}

// Write sends once the line is not frozen.
func (c *lineConn) Write(b []byte) (int, error) {
	_ = c.line.pass(context.Background())
	n, err := c.Conn.Write(b)
	return n, c.real(err)
}

// real returns the error of a connection over a network: one in memory knows no
// resets.
func (c *lineConn) real(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return errReset
	}
	return err
}

// Close closes the connection.
func (c *lineConn) Close() error {
	c.line.mu.Lock()
	delete(c.line.conns, c)
	c.line.mu.Unlock()
	return c.Conn.Close()
}
