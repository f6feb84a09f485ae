package connect

import (
	"context"
	"fmt"
	"sync"
)

// sinkLetters is a reporter whose outcomes come when the test says so.
type sinkLetters struct {
	mu      sync.Mutex
	letters []string
	pending []*reportOutcome
	hold    bool // outcomes are pending until settle
}

func (l *sinkLetters) report(_ context.Context, f *failure) *reportOutcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters = append(l.letters, fmt.Sprintf("%s %s %v", f.stage, f.at(), f.err))
	if !l.hold {
		return nil
	}
	o := &reportOutcome{done: make(chan struct{})}
	l.pending = append(l.pending, o)
	return o
}

func (l *sinkLetters) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.letters
}

// settle gives all pending letters their outcome.
func (l *sinkLetters) settle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.pending {
		o.err = err
		close(o.done)
	}
	l.pending, l.hold = nil, false
}
