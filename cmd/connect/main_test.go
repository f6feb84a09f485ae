package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand in the environment makes the test binary the command itself, so that
// tests can send it signals.
const asCommand = "CONNECT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(runProcess(process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ, listen: listenFree}))
	}
	os.Exit(m.Run())
}

// listenFree listens to a free port of the loopback interface, whatever it is
// asked for: tests run beside others.
func listenFree(ctx context.Context, network, _ string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, network, "127.0.0.1:0")
}

// patience bounds waiting for what takes milliseconds on an idle machine.
const patience = 30 * time.Second

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	require.Eventually(t, happened, patience, 5*time.Millisecond, what)
}

// buffer is a bytes.Buffer for a writer and readers at the same time.
type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// session is a command at work in this process.
type session struct {
	t              *testing.T
	cancel         context.CancelFunc
	stdout, stderr buffer
	code           int
	done           chan struct{}
}

// begin runs a command line in this process until stop.
func begin(t *testing.T, stdin string, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{t: t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.code = run(ctx, args, process{stdin: strings.NewReader(stdin), stdout: &s.stdout, stderr: &s.stderr, environ: environ, listen: listenFree})
	}()
	t.Cleanup(func() {
		s.wait(true)
		if t.Failed() {
			t.Logf("connect %s: exit code %d\n%s", strings.Join(args, " "), s.code, s.stderr.String())
		}
	})
	return s
}

func environ() []string { return []string{"PART=lines", "WORKER_GRACE=4000"} }

// wait returns the exit code, after asking for the end if so wished.
func (s *session) wait(end bool) int {
	if end {
		s.cancel()
	}
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("the command does not end")
	}
	return s.code
}

// eventually waits for what the command is to bring about.
func (s *session) eventually(what string, happened func() bool) {
	s.t.Helper()
	ended := false
	eventually(s.t, what, func() bool {
		if happened() {
			return true
		}
		select {
		case <-s.done:
			ended = true
		default:
		}
		return ended
	})
	require.False(s.t, ended, "%s: the command ended first", what)
}

// runToEnd runs a command line that ends by itself.
func runToEnd(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	s := begin(t, "", args...)
	code = s.wait(false)
	return code, s.stdout.String(), s.stderr.String()
}

// child is a command in a process of its own.
type child struct {
	*exec.Cmd
	stderr buffer
}

// subprocess prepares a command in a process of its own; when ctx ends it is
// killed.
func subprocess(ctx context.Context, args ...string) *child {
	c := &child{Cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	c.Env = append(append(os.Environ(), asCommand+"=1"), environ()...)
	c.Stderr = &c.stderr
	return c
}

func (c *child) start(t *testing.T) {
	t.Helper()
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", c, c.stderr.String())
		}
	})
}

// end sends a signal and returns the exit code, -1 for a death by signal.
func (c *child) end(t *testing.T, s syscall.Signal) int {
	t.Helper()
	require.NoError(t, c.Process.Signal(s))
	_ = c.Wait()
	return c.ProcessState.ExitCode()
}

// write writes a file of the test's folder and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func appendTo(t *testing.T, path, content string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(content)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// content returns a file's content; "" if there is none.
func content(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}
