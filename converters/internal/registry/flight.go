package registry

import (
	"context"
	"errors"
	"sync"
)

// flights lets callers that ask the same question at the same time share one
// request. The zero value is ready.
type flights struct {
	mu     sync.Mutex
	flying map[any]*flight
}

// A flight is a request under way. Its context ends when the last of those who
// wait for it has gone.
type flight struct {
	done    chan struct{}
	waiting int
	cancel  context.CancelCauseFunc
	answer  any
	err     error
}

// errNobodyWaits is why a request ends that nobody wants any more.
var errNobodyWaits = errors.New("nobody waits for the answer any more")

// fly asks, or joins those who ask already, and returns the answer; or why ctx
// ended.
func fly[T any](ctx context.Context, f *flights, question any, ask func(context.Context) (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	fl := f.join(ctx, question, func(ctx context.Context) (any, error) { return ask(ctx) })
	select {
	case <-fl.done:
		if fl.err != nil {
			return none, fl.err
		}
		return fl.answer.(T), nil
	case <-ctx.Done():
		f.leave(question, fl)
		return none, context.Cause(ctx)
	}
}

func (f *flights) join(ctx context.Context, question any, ask func(context.Context) (any, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl, ok := f.flying[question]; ok {
		fl.waiting++
		return fl
	}
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	fl := &flight{done: make(chan struct{}), waiting: 1, cancel: cancel}
	if f.flying == nil {
		f.flying = make(map[any]*flight)
	}
	f.flying[question] = fl
	go func() { // ends with its request, whose context leave cancels
		fl.answer, fl.err = ask(own)
		f.mu.Lock()
		if f.flying[question] == fl {
			delete(f.flying, question)
		}
		f.mu.Unlock()
		cancel(nil)
		close(fl.done)
	}()
	return fl
}

// leave gives a flight up; the last one takes it down, and out of the way of who
// asks next.
func (f *flights) leave(question any, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 {
		if f.flying[question] == fl {
			delete(f.flying, question)
		}
		fl.cancel(errNobodyWaits)
	}
}
