package testenv

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serveSpec runs this test binary as a server on addr.
func serveSpec(dir, addr string) spec {
	return spec{
		name:  "server",
		dir:   dir,
		argv:  []string{os.Args[0], "part", "serve", addr},
		ready: portOpen(addr),
	}
}

func reserveFor(t *testing.T) *port {
	t.Helper()
	p, err := reserve()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.release()) })
	return p
}

func answers(t *testing.T, addr string) bool {
	t.Helper()
	return portOpen(addr)(t.Context(), nil) == nil
}

func TestServerStartsAndEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*process) error
	}{
		{"stopped", (*process).stop},
		{"killed", (*process).kill},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := reserveFor(t).addr()
			dir := t.TempDir()
			for run := range 2 {
				p, err := start(t.Context(), serveSpec(dir, addr))
				require.NoError(t, err)
				assert.True(t, p.running())
				assert.True(t, answers(t, addr))
				assert.Equal(t, "serving\n", p.tail(), "the log of this run alone")
				assert.Equal(t, run+1, strings.Count(readLog(dir, 0), "serving"), "the file holds the log of all runs")
				require.NoError(t, c.end(p))
				assert.False(t, p.running())
				assert.False(t, answers(t, addr))
				assert.NoError(t, p.kill(), "a second end does nothing")
			}
		})
	}
}

func TestServerThatFailsShowsItsLog(t *testing.T) {
	s := serveSpec(t.TempDir(), reserveFor(t).addr())
	s.argv[2] = "fail"
	_, err := start(t.Context(), s)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "exit status 3")
	assert.Contains(t, err.Error(), "no such thing")
}

func TestServerThatIsNeverReadyIsEnded(t *testing.T) {
	addr := reserveFor(t).addr()
	notYet := errors.New("not yet")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := serveSpec(t.TempDir(), addr)
	up := portOpen(addr)
	s.ready = func(ctx context.Context, p *process) error {
		if up(ctx, p) == nil {
			cancel() // the server runs, but it is never ready
		}
		return notYet
	}
	_, err := start(ctx, s)
	require.ErrorIs(t, err, notYet)
	assert.False(t, answers(t, addr))
}

func TestServerThatCannotBeStarted(t *testing.T) {
	s := serveSpec(t.TempDir(), reserveFor(t).addr())
	s.argv[0] = filepath.Join(s.dir, "no such command")
	_, err := start(t.Context(), s)
	require.ErrorIs(t, err, os.ErrNotExist)
	s.dir = filepath.Join(s.dir, "no such folder")
	_, err = start(t.Context(), s)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A test binary that dies takes its servers along, and the next one removes what
// it left. The kernel's part is Linux's alone.
func TestCrashLeavesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the parent-death signal of Linux")
	}
	addr := reserveFor(t).addr()
	out, err := exec.CommandContext(t.Context(), os.Args[0], "part", "panic", addr).Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Contains(t, string(exit.Stderr), "the end")
	dir := strings.TrimSpace(string(out))
	require.DirExists(t, dir)
	assert.Eventually(t, func() bool { return !answers(t, addr) }, time.Minute, pollEvery)

	sweep(filepath.Dir(filepath.Dir(dir)))
	assert.NoDirExists(t, filepath.Dir(dir))
}

func TestLiveSessionIsNotSwept(t *testing.T) {
	var s session
	dir, err := s.folder("server")
	require.NoError(t, err)
	sweep(filepath.Dir(s.dir))
	assert.DirExists(t, dir)
	ended := ""
	s.atEnd(func() error { ended += "first"; return nil })
	s.atEnd(func() error { ended += "second, "; return nil })
	require.NoError(t, s.close())
	assert.Equal(t, "second, first", ended)
	assert.NoDirExists(t, filepath.Dir(dir))
}

func TestReservedPortIsNotGivenTwice(t *testing.T) {
	given := map[int]bool{}
	for range 50 {
		p := reserveFor(t)
		assert.False(t, given[p.number])
		given[p.number] = true
		l, err := net.Listen("tcp", p.addr())
		require.NoError(t, err, "a reserved port is free")
		require.NoError(t, l.Close())
	}
}

func TestTail(t *testing.T) {
	assert.Equal(t, "short\n", tail("short\n"))
	line := strings.Repeat("x", 99) + "\n"
	got := tail(strings.Repeat(line, 1000))
	assert.LessOrEqual(t, len(got), tailBytes+4)
	assert.True(t, strings.HasPrefix(got, "...\n"+line), "it begins with a whole line")
}
