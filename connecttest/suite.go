package connecttest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"
)

// run runs one case of a suite: as a subtest where t has these.
func run(t testing.TB, name string, f func(t testing.TB)) {
	t.Helper()
	if r, ok := t.(interface {
		Run(name string, f func(*testing.T)) bool
	}); ok {
		r.Run(name, func(t *testing.T) { f(t) })
		return
	}
	f(t)
}

// patience bounds a wait for a condition that should come at once: it is there
// so that a broken implementation fails instead of hanging.
const patience = time.Minute

// bounded returns a context for one step of a case.
func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errPatience{})
	t.Cleanup(cancel)
	return ctx
}

// errPatience is why a case that waits for too long ends.
type errPatience struct{}

func (errPatience) Error() string { return "what the test waits for has not come about" }

// unique returns a name that no other test run has, for servers that outlive
// the run.
func unique(prefix string) string { return prefix + "-" + rand.Text()[:12] }

// opener is a store that is opened and closed by its Runtime.
type opener interface {
	OpenStore(ctx context.Context) error
	CloseStore(ctx context.Context) error
}

// openStore opens a store that has to be, and closes it with the test.
func openStore(t testing.TB, store any) {
	t.Helper()
	o, ok := store.(opener)
	if !ok {
		return
	}
	if err := o.OpenStore(bounded(t)); err != nil {
		t.Fatalf("OpenStore: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := o.CloseStore(ctx); err != nil {
			t.Errorf("CloseStore: %v", err)
		}
	})
}

// receive waits for a value.
func receive[T any](t testing.TB, ch <-chan T, what string) (v T) {
	t.Helper()
	ctx := bounded(t)
	select {
	case v = <-ch:
	case <-ctx.Done():
		t.Fatalf("waited for %s: %v", what, context.Cause(ctx))
	}
	return v
}
