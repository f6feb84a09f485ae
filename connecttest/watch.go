package connecttest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// watch wakes those who wait for a condition on what several goroutines do.
type watch struct {
	mu      sync.Mutex
	changed chan struct{}
}

func newWatch() *watch { return &watch{changed: make(chan struct{})} }

func (w *watch) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

// wait reports whether the condition held before ctx ended.
func (w *watch) wait(ctx context.Context, condition func() bool) bool {
	for {
		w.mu.Lock()
		holds, changed := condition(), w.changed
		w.mu.Unlock()
		if holds {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (w *watch) await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	if !w.wait(bounded(t), condition) {
		require.Fail(t, "waited for "+what+" in vain")
	}
}
