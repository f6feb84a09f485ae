package connecttest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is a testing.TB that keeps failures to itself, to show that a suite
// catches a broken implementation.
type recorder struct {
	testing.TB
	ctx      context.Context
	cancel   context.CancelFunc
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

// failuresOf runs a suite and returns what it finds.
func failuresOf(t *testing.T, suite func(t testing.TB)) []string {
	t.Helper()
	r := &recorder{TB: t}
	// Broken implementations let cases wait in vain: half a second is enough.
	r.ctx, r.cancel = context.WithTimeout(t.Context(), time.Second/2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.runCleanups()
		suite(r)
	}()
	<-done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failures
}

// catches fails unless the suite finds something in the broken implementation.
func catches(t *testing.T, mutant string, suite func(t testing.TB)) {
	t.Helper()
	t.Run(mutant, func(t *testing.T) {
		t.Parallel()
		found := failuresOf(t, suite)
		if len(found) == 0 {
			t.Errorf("the suite does not notice: %s", mutant)
		} else {
			t.Logf("found: %s", strings.Join(strings.Fields(found[0]), " "))
		}
	})
}

func (r *recorder) runCleanups() {
	r.cancel()
	r.mu.Lock()
	fs := r.cleanups
	r.cleanups = nil
	r.mu.Unlock()
	for _, f := range slices.Backward(fs) {
		f()
	}
}

func (r *recorder) record(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, text)
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Log(...any)               {}
func (r *recorder) Logf(string, ...any)      {}
func (r *recorder) Error(args ...any)        { r.record(fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, args ...any) {
	r.record(fmt.Sprintf(f, args...))
}
func (r *recorder) Fail() { r.record("Fail") }
func (r *recorder) FailNow() {
	r.record("FailNow")
	runtime.Goexit()
}
func (r *recorder) Fatal(args ...any) { r.record(fmt.Sprint(args...)); runtime.Goexit() }
func (r *recorder) Fatalf(f string, args ...any) {
	r.record(fmt.Sprintf(f, args...))
	runtime.Goexit()
}
func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failures) > 0
}
func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}
