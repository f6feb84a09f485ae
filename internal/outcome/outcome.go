// Package outcome has a result that is known later: of a report, of a message
// under way.
package outcome

import (
	"context"
	"sync"
)

// An Outcome becomes known once. A nil Outcome is success at once. It is safe for
// concurrent use.
type Outcome struct {
	done chan struct{}
	err  error // read after done

	mu    sync.Mutex
	after func(error)
}

// New returns an outcome that is not known yet.
func New() *Outcome { return &Outcome{done: make(chan struct{})} }

// Settle makes the outcome known: nil is success. It is called once.
func (o *Outcome) Settle(err error) {
	o.mu.Lock()
	o.err = err
	close(o.done)
	after := o.after
	o.mu.Unlock()
	if after != nil {
		after(err)
	}
}

// Then calls f with the outcome: now, or on the goroutine that settles it. It is
// called once, and not on nil.
func (o *Outcome) Then(f func(error)) {
	o.mu.Lock()
	if !o.Known() {
		o.after = f
		f = nil
	}
	o.mu.Unlock()
	if f != nil {
		f(o.err)
	}
}

// Known reports whether the outcome is there.
func (o *Outcome) Known() bool {
	if o == nil {
		return true
	}
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// Err returns the outcome if it is known; nil otherwise.
func (o *Outcome) Err() error {
	if o == nil || !o.Known() {
		return nil
	}
	return o.err
}

// Wait returns the outcome, or why ctx ended. An outcome that is known wins.
func (o *Outcome) Wait(ctx context.Context) error {
	if o.Known() {
		return o.Err()
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
