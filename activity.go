package connect

import (
	"context"
	"fmt"
	"time"
)

// An Activity is what a worker is doing as a worker, beside running connectors: for
// who has to wait for it (KIP-1017).
type Activity struct {
	// Description completes "The worker is ...".
	Description string
	Began       time.Time
	// Ended is zero while it goes on.
	Ended time.Time
}

// String says it all, in the words of Java's workers; "" for the zero Activity.
func (a Activity) String() string {
	switch {
	case a.Description == "":
		return ""
	case a.Ended.IsZero():
		return fmt.Sprintf("The worker is currently %s, which began at %s", a.Description, instant(a.Began))
	}
	return fmt.Sprintf("The last operation the worker completed was %s, which began at %s and completed at %s",
		a.Description, instant(a.Began), instant(a.Ended))
}

// instant is a time as Java's Instant prints it, in milliseconds.
func instant(t time.Time) string {
	t = t.Truncate(time.Millisecond).UTC()
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// Activity returns what the worker is doing, or did last.
func (rt *Runtime) Activity() Activity { return rt.activity.get() }

// enter begins an activity.
func (rt *Runtime) enter(format string, args ...any) {
	rt.activity.set(Activity{Description: fmt.Sprintf(format, args...), Began: time.Now()})
}

// complete ends the present activity.
func (rt *Runtime) complete() {
	a := rt.activity.get()
	a.Ended = time.Now()
	rt.activity.set(a)
}

// Ready returns when the worker answers: it has read its stores, and has its place
// among the workers of its cluster. The error says why ctx ended, or ErrStopped.
func (rt *Runtime) Ready(ctx context.Context) error {
	if _, err := rt.view(ctx); err != nil {
		return err
	}
	for {
		now, moved := rt.lead.watch()
		if now.known {
			return rt.do(ctx, func() {})
		}
		select {
		case <-moved:
		case <-rt.ended:
			return ErrStopped
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Started reports whether the worker was ever ready, see Ready.
func (rt *Runtime) Started() bool { return rt.joined.Load() }
