package testenv

import (
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echo starts a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				io.Copy(c, c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

func dialProxy(t *testing.T, p *TCPProxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// assertEchoes sends a word and reads it back.
func assertEchoes(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := io.WriteString(c, "word")
	require.NoError(t, err)
	got := make([]byte, 4)
	_, err = io.ReadFull(c, got)
	require.NoError(t, err)
	assert.Equal(t, "word", string(got))
}

// assertCut reads until the connection ends.
func assertCut(t *testing.T, c net.Conn) {
	t.Helper()
	b, _ := io.ReadAll(c)
	assert.Empty(t, b)
}

func TestProxyBreakAndRestore(t *testing.T) {
	p := Proxy(t, echo(t))
	c := dialProxy(t, p)
	assertEchoes(t, c)
	p.Break()
	assertCut(t, c)
	_, err := net.Dial("tcp", p.Addr())
	require.Error(t, err, "new connections are refused")
	p.Break()
	require.NoError(t, p.Restore())
	require.NoError(t, p.Restore())
	assertEchoes(t, dialProxy(t, p))
}

func TestProxyCloseAllSparesNewConnections(t *testing.T) {
	p := Proxy(t, echo(t))
	first, second := dialProxy(t, p), dialProxy(t, p)
	assertEchoes(t, first)
	assertEchoes(t, second)
	p.CloseAll()
	assertCut(t, first)
	assertCut(t, second)
	assertEchoes(t, dialProxy(t, p))
}

func TestProxyPassesHalfCloseOn(t *testing.T) {
	p := Proxy(t, echo(t))
	c := dialProxy(t, p)
	_, err := io.WriteString(c, "all of it")
	require.NoError(t, err)
	require.NoError(t, c.(*net.TCPConn).CloseWrite())
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	assert.Equal(t, "all of it", string(got))
}

func TestProxyStallHoldsBytesBack(t *testing.T) {
	p := Proxy(t, echo(t))
	c := dialProxy(t, p)
	assertEchoes(t, c)
	p.Stall()
	_, err := io.WriteString(c, "late")
	require.NoError(t, err)
	// Nothing can be seen not to come; a deadline that is over at once finds no
	// bytes here, and those that a broken Stall lets by fail the last assertion.
	require.NoError(t, c.SetReadDeadline(time.Now()))
	_, err = c.Read(make([]byte, 4))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.SetReadDeadline(time.Time{}))
	require.NoError(t, p.Restore())
	got := make([]byte, 4)
	_, err = io.ReadFull(c, got)
	require.NoError(t, err)
	assert.Equal(t, "late", string(got))
}

// Bytes under a delay of an hour do not arrive before the connection is cut, which
// ends the wait.
func TestProxyDelay(t *testing.T) {
	p := Proxy(t, echo(t))
	c := dialProxy(t, p)
	p.Delay(time.Millisecond)
	assertEchoes(t, c)
	p.Delay(0)
	assertEchoes(t, c)
	p.Delay(time.Hour)
	_, err := io.WriteString(c, "lost")
	require.NoError(t, err)
	p.CloseAll()
	assertCut(t, c)
}

func TestProxyWithoutTarget(t *testing.T) {
	p := Proxy(t, reserveFor(t).addr())
	assertCut(t, dialProxy(t, p))
}
