//go:build linux || darwin

package offsets

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// inSubprocess runs one of this package's tests in a process of its own, which
// sees role and dir in its environment.
func inSubprocess(t *testing.T, name, role, dir string, attr *syscall.SysProcAttr) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+name+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), "OFFSETS_ROLE="+role, "OFFSETS_DIR="+dir)
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestFileSizeLimit has the system refuse to let the file grow (RLIMIT_FSIZE),
// as it refuses on a full disk.
func TestFileSizeLimit(t *testing.T) {
	if os.Getenv("OFFSETS_ROLE") == "limited" {
		writeLimited(t, os.Getenv("OFFSETS_DIR"))
		return
	}
	dir := t.TempDir()
	out, err := inSubprocess(t, "TestFileSizeLimit", "limited", dir, nil)
	require.NoError(t, err, out)
	s := opened(t, filepath.Join(dir, "o"))
	assert.Equal(t, map[string]string{"a": "1"}, contents(t, s), "the old file is whole")
}

func writeLimited(t *testing.T, dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	path := filepath.Join(dir, "o")
	s := opened(t, path)
	put(t, s, "a", "1")
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	full := limit
	full.Cur = 4096
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
	err := s.Set(t.Context(), []connect.KV{{Key: []byte("big"), Value: []byte(strings.Repeat("x", 10_000))}})
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)) // this test's own output needs it
	require.ErrorIs(t, err, syscall.EFBIG)
	assert.ErrorContains(t, err, path)
	assert.NoFileExists(t, path+".tmp")
	assert.Equal(t, map[string]string{"a": "1"}, contents(t, s))
}

// TestKilledProcess kills a process that writes without end: its lock is gone
// with it, and its file is whole.
func TestKilledProcess(t *testing.T) {
	if os.Getenv("OFFSETS_ROLE") == "writer" {
		writeForEver(t, os.Getenv("OFFSETS_DIR"))
		return
	}
	for range 5 {
		dir := t.TempDir()
		out, err := inSubprocess(t, "TestKilledProcess", "writer", dir, nil)
		exit, ok := errors.AsType[*exec.ExitError](err)
		require.True(t, ok, "%v: %s", err, out)
		require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), out)
		found := contents(t, opened(t, filepath.Join(dir, "o")))
		require.Contains(t, found, "n")
		assert.Equal(t, found["n"], found["also n"], "pairs of one Set are there together")
	}
}

// writeForEver writes until it is killed, by itself, from another goroutine and
// so in the midst of a write.
func writeForEver(t *testing.T, dir string) {
	s := opened(t, filepath.Join(dir, "o"))
	begun := make(chan struct{})
	go func() {
		<-begun
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}()
	for i := 0; ; i++ {
		if i == 50 {
			close(begun)
		}
		n := []byte(fmt.Sprint(i))
		require.NoError(t, s.Set(t.Context(), []connect.KV{{Key: []byte("n"), Value: n}, {Key: []byte("also n"), Value: n}}))
	}
}

// runAsNobody runs TestMissingRights without root's rights, where the system
// lets it.
func runAsNobody(t *testing.T) {
	dir, err := os.MkdirTemp("", "offsets")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const nobody = 65534
	require.NoError(t, os.Chown(dir, nobody, nobody))
	bin := filepath.Join(dir, "test")
	self, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(bin, self, 0o755))
	work := filepath.Join(dir, "work")
	require.NoError(t, os.Mkdir(work, 0o700))
	require.NoError(t, os.Chown(work, nobody, nobody))
	cmd := exec.CommandContext(t.Context(), bin, "-test.run=^TestMissingRights$", "-test.count=1")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "TMPDIR="+work, "HOME="+work)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}
