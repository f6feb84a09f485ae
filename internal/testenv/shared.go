package testenv

import (
	"context"
	"sync"
	"testing"
)

// shared is a server that the first test to ask for it starts and that lives
// until the tests of the binary are done. The zero value is ready.
type shared[T any] struct {
	once   sync.Once
	server T
	err    error
}

// get returns the server, started by the first call. A start that failed fails
// every test that asks.
func (s *shared[T]) get(t testing.TB, start func(ctx context.Context) (T, func() error, error)) T {
	t.Helper()
	s.once.Do(func() {
		var end func() error
		// The server outlives the test that happens to ask first, so not t.Context().
		s.server, end, s.err = start(context.Background())
		if s.err == nil {
			binary.atEnd(end)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.server
}

// showLog appends the end of a server's log to the output of a test that fails,
// from the given place in the log on.
func showLog(t testing.TB, name, dir string, from int64) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of %s:\n%s", name, tail(readLog(dir, from)))
		}
	})
}
