//go:build synctests

package kafka_test

import (
	"slices"

	"github.com/streamlane/connect/cluster"
)

// A register is what a part of the configuration must be, by what users were
// told: what was acknowledged last, or what was asked for since without an answer
// that says what became of it.
type register[T comparable] struct {
	sure  T
	maybe []T
}

// acked notes a change that was acknowledged. Changes without an answer are out of
// the question then, if late ones of earlier leaders are refused.
func (r *register[T]) acked(v T, fenced bool) {
	r.sure = v
	if fenced {
		r.maybe = nil
	}
}

// unsure notes a change without an answer.
func (r *register[T]) unsure(v T) { r.maybe = append(r.maybe, v) }

// allows tells whether the part may be as it was found.
func (r *register[T]) allows(found T) bool { return found == r.sure || slices.Contains(r.maybe, found) }

// settle takes what was found for sure from now on.
func (r *register[T]) settle(found T) { r.sure, r.maybe = found, nil }

// A stored configuration is a revision of it and its number of tasks; the zero
// value is none.
type stored struct {
	revision string
	tasks    int
}

// A wanted connector is what users were told about one.
type wanted struct {
	most   int // tasks that its class makes
	config register[stored]
	target register[cluster.TargetState]
	// broken: a task was made to fail since the last acknowledged change that
	// starts tasks anew.
	broken bool
}

// A change is what a request asks for.
type change struct {
	config *stored
	target cluster.TargetState // "": as it is
	anew   bool                // tasks start anew
}

// result notes what became of a request. Fenced: leaders shut out earlier ones.
func (w *wanted) result(c change, acked, fenced bool) {
	if c.config != nil {
		if acked {
			w.config.acked(*c.config, fenced)
		} else {
			w.config.unsure(*c.config)
		}
	}
	if c.target != "" {
		if acked {
			w.target.acked(c.target, false) // any worker writes target states
		} else {
			w.target.unsure(c.target)
		}
	}
	// The tasks of a connector that is paused stay as they are when its
	// configuration changes.
	runs := w.target.sure == cluster.TargetStarted && len(w.target.maybe) == 0
	if acked && c.anew && (runs || c.config == nil || *c.config == stored{}) {
		w.broken = false
	}
}
