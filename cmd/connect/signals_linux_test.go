package main

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A second signal ends the process although its graceful end is under way: here
// it waits for a sink whose output nobody reads.
func TestSecondSignal(t *testing.T) {
	dir := t.TempDir()
	unread, stdout, err := os.Pipe()
	require.NoError(t, err)
	defer func() { assert.NoError(t, errors.Join(unread.Close(), stdout.Close())) }()
	files := javaFiles(t, dir, startKafka(t))
	write(t, dir, "test.txt", strings.Repeat("0123456789\n", 100_000)) // more than a pipe holds
	write(t, dir, "sink.json", `{"name": "sink", "connector.class": "FileStreamSink", "topics": "from-file-lines"}`)

	c := subprocess(t.Context(), append([]string{"standalone"}, files...)...)
	c.Env = append(c.Env, "WORKER_GRACE=600000")
	c.Stdout = stdout
	c.start(t)
	eventually(t, "the pipe is full", func() bool { return isFull(t, stdout) })
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	eventually(t, "the end begins", func() bool { return strings.Contains(c.stderr.String(), "stopping and committing") })
	// Not SIGINT: a shell's background job ignores that by default, and so would the process.
	assert.Equal(t, -1, c.end(t, syscall.SIGTERM), "want death by the signal")
}

// isFull tells whether a pipe takes no more. How many bytes that are depends on the
// sizes in which they were written.
func isFull(t *testing.T, pipe *os.File) bool {
	t.Helper()
	const pollOut = 4
	conn, err := pipe.SyscallConn()
	require.NoError(t, err)
	var ready uintptr
	var errno syscall.Errno
	require.NoError(t, conn.Control(func(fd uintptr) {
		p := struct {
			fd              int32
			events, revents int16
		}{fd: int32(fd), events: pollOut}
		var now syscall.Timespec
		ready, _, errno = syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	}))
	require.Zero(t, errno)
	return ready == 0
}
