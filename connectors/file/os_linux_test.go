package file

import (
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// asNobody runs f as a user without rights to any file of the tests. Rights to files are a thread's own on Linux, so the rest of the
// process does not notice.
func asNobody(t *testing.T, f func()) {
	if os.Geteuid() != 0 {
		f() // the caller takes the rights away from the owner, too
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	require.NoError(t, syscall.Setfsuid(nobody))
	defer func() { require.NoError(t, syscall.Setfsuid(0)) }()
	f()
}

func TestPermissionDenied(t *testing.T) {
	path := tempFile(t, "secret\n")
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o755))
	require.NoError(t, os.Chmod(path, 0))
	source := startAt(t, path, -1, 1)
	sink, err := newSinkTask(SinkConfig{File: path}, nil)
	require.NoError(t, err)
	asNobody(t, func() {
		_, err := source.Poll(t.Context())
		assert.ErrorIs(t, err, fs.ErrPermission)
		assert.ErrorContains(t, err, path)
		err = sink.Start(t.Context(), nil)
		assert.ErrorIs(t, err, fs.ErrPermission)
		assert.ErrorContains(t, err, "configuration file: open "+path)
	})
}

func TestNamedPipeIsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err := startAt(t, path, -1, 1).Poll(t.Context())
	assert.ErrorContains(t, err, "is a named pipe, want a regular file")
	_, err = startAt(t, "/dev/null", -1, 1).Poll(t.Context())
	assert.ErrorContains(t, err, "is a device, want a regular file")
}

// A device that has no room for a byte.
func TestDiskFull(t *testing.T) {
	task := startSink(t, "/dev/full")
	failed := task.Put(t.Context(), sinkRecords(data.String("one"), data.String("two")))
	require.ErrorIs(t, failed, syscall.ENOSPC)
	assert.ErrorContains(t, failed, "wrote 0 of 8 bytes of 2 records: write /dev/full: no space left on device")
	assert.Equal(t, failed, task.Flush(t.Context(), nil), "nothing of it is committed")
}

// The file may grow no further in the middle of a line. Once there is room again, the next task writes the batch again, for it was not
// committed, and the piece stands on a line of its own.
func TestDiskFullWithinALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	task := startSink(t, path)
	put(t, task, "zero")
	require.NoError(t, task.Flush(t.Context(), nil))
	var failed error
	withFileSize(t, 11, func() { failed = task.Put(t.Context(), sinkRecords(data.String("one"), data.String("two"))) })
	require.ErrorIs(t, failed, syscall.EFBIG)
	assert.ErrorContains(t, failed, "wrote 6 of 8 bytes of 2 records")
	assert.Equal(t, failed, task.Flush(t.Context(), nil))
	require.NoError(t, task.Stop(t.Context()))

	task = startSink(t, path)
	put(t, task, "one", "two")
	require.NoError(t, task.Flush(t.Context(), nil))
	assert.Equal(t, "zero\none\ntw\none\ntwo\n", content(t, path))
}

// withFileSize runs f while this process may write no file larger than limit.
func withFileSize(t *testing.T, limit uint64, f func()) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: old.Max}))
	defer func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)) }()
	f()
}
