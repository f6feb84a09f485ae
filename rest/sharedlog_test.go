package rest

import (
	"context"
	"iter"
	"sync"

	"github.com/streamlane/connect"
)

// A sharedLog is a topic in memory that several workers read, each through a
// logView of its own.
type sharedLog struct {
	mu      sync.Mutex
	entries []connect.KV
	changed chan struct{} // closed and replaced at each change
}

func newSharedLog() *sharedLog { return &sharedLog{changed: make(chan struct{})} }

func (l *sharedLog) update(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns when ready, which is called under the lock, is true, or ctx ends.
func (l *sharedLog) wait(ctx context.Context, ready func() bool) error {
	for {
		l.mu.Lock()
		done, changed := ready(), l.changed
		l.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// A logView is the log as one worker has it: a connect.ConfigStore.
type logView struct {
	*sharedLog
	read int // entries that went through Follow's body
}

func (v *logView) Append(_ context.Context, pairs ...connect.KV) error {
	v.update(func() { v.entries = append(v.entries, pairs...) })
	return nil
}

func (v *logView) Follow(ctx context.Context) iter.Seq2[connect.Entry, error] {
	return func(yield func(connect.Entry, error) bool) {
		v.mu.Lock()
		end := len(v.entries)
		v.mu.Unlock()
		for i := 0; ; i++ {
			if i == end && !yield(connect.Entry{}, nil) {
				return
			}
			if v.wait(ctx, func() bool { return i < len(v.entries) }) != nil {
				return
			}
			v.mu.Lock()
			kv := v.entries[i]
			v.mu.Unlock()
			if !yield(connect.Entry{KV: kv, Offset: int64(i), Live: i >= end}, nil) {
				return
			}
			v.update(func() { v.read = i + 1 })
		}
	}
}

func (v *logView) Sync(ctx context.Context) error {
	v.mu.Lock()
	end := len(v.entries)
	v.mu.Unlock()
	return v.wait(ctx, func() bool { return v.read >= end })
}

func (v *logView) Lead(context.Context) (connect.Leadership, error) { return leadsView{v}, nil }

type leadsView struct{ *logView }

func (leadsView) Close() error { return nil }
