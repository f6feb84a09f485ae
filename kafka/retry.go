package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/streamlane/connect"
)

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take takes a turn, a channel of capacity one, or says why ctx ended. A turn that
// is free is taken even then: who closes must close.
func take(ctx context.Context, turn chan<- struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// retry calls f until it succeeds, fails for good, or ctx ends. Pauses double
// from 100 ms to a second.
func retry(ctx context.Context, also []error, f func() error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := f()
		if err == nil {
			return nil
		}
		if _, again := connect.RetryAfter(err); !again && !is(err, also) {
			return err
		}
		if stopped := sleep(ctx, pause); stopped != nil {
			return errors.Join(stopped, err)
		}
	}
}
