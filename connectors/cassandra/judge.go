package cassandra

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What is done after a request.
const (
	settle  = iota // its writes are over
	again          // it is sent again, after a pause
	split          // it is sent in parts, at once
	fail           // the task fails
	abandon        // the task ends
)

// A verdict says what is done after a request, and why the task fails.
type verdict struct {
	then int
	err  error
}

// judge decides by the class of an error. It may wait for reports and for the database.
func (d *dispatcher) judge(r *request, c class, err error) verdict {
	switch c {
	case written:
		return verdict{then: settle}
	case stopped:
		return verdict{then: abandon}
	case untouched, overloaded:
		return d.retry(r, err)
	case unknown, slow:
		if w := r.writes[0]; !w.stmt.repeatable { // it is alone
			return d.tell(d.o.refuse, w, fmt.Errorf("it is not known whether the write took place, and to repeat it may change the result: %w", err))
		}
		return d.retry(r, err)
	case tooLarge, refused:
		if len(r.writes) > 1 {
			return verdict{then: split}
		}
		return d.tell(d.o.refuse, r.writes[0], err)
	case changed:
		return d.replan(r, err)
	}
	t := r.writes[0].target
	return verdict{fail, fmt.Errorf("write to %s (%s): %w", t.name(), t.cfg.prefix+"*", err)}
}

// retry puts a request off, if it has not failed for too long.
func (d *dispatcher) retry(r *request, err error) verdict {
	for _, w := range r.writes {
		if w.since.IsZero() && d.o.retry.Timeout > 0 || !w.since.IsZero() && time.Since(w.since) < d.o.retry.Timeout {
			continue
		}
		if len(r.writes) > 1 {
			return verdict{then: split}
		}
		return d.tell(d.o.giveUp, w, fmt.Errorf("write to %s failed for retry.timeout.ms: %w", w.target.name(), err))
	}
	return verdict{then: again}
}

// tell passes a write on that is not written.
func (d *dispatcher) tell(whom func(context.Context, *write, error) error, w *write, cause error) verdict {
	if err := whom(d.life, w, cause); err != nil {
		if d.life.Err() != nil {
			return verdict{then: abandon}
		}
		return verdict{fail, err}
	}
	return verdict{then: settle}
}

// replan reads the table again, and has the writes follow. A table that is not there may be about to come; it is waited for.
func (d *dispatcher) replan(r *request, cause error) verdict {
	first := r.writes[0]
	p, err := first.target.refresh(d.life, d.o.db, first.plan)
	if err != nil {
		if d.life.Err() != nil {
			return verdict{then: abandon}
		}
		if !first.since.IsZero() && time.Since(first.since) >= d.o.agreement {
			return verdict{fail, fmt.Errorf("%w (after: %w)", err, cause)}
		}
		return verdict{then: again}
	}
	for _, w := range r.writes {
		err := w.carry(p)
		if errors.Is(err, errColumnGone) && len(r.writes) > 1 {
			return verdict{then: split}
		}
		if errors.Is(err, errTypeChanged) {
			return verdict{fail, err}
		}
		if err != nil {
			return d.tell(d.o.refuse, w, err)
		}
	}
	return d.retry(r, cause) // a node may not know of the change yet
}
