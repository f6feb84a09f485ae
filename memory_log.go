package connect

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/streamlane/connect/internal/memlog"
)

// MemoryLog is a ConfigStore, and so a StatusStore, in memory: what a nil
// Options.Configs or Options.Status means. What it holds lasts as long as the
// value itself, for one Runtime after the other.
//
// It is safe for concurrent use and copies what it is given. Entries without a
// key are refused, for an Entry without one marks the end of the catch-up.
type MemoryLog struct{ log *memlog.Log }

// NewMemoryLog returns an empty log.
func NewMemoryLog() *MemoryLog { return &MemoryLog{memlog.New()} }

// Append writes the entries in order, all or, on an error, none.
func (l *MemoryLog) Append(ctx context.Context, pairs ...KV) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return memoryLogError("append to the log", l.log.Append(memoryPairs(pairs)))
}

// Follow yields all entries that the log has when the loop starts, then an
// Entry without a key, then those appended since, which are live. A second
// loop beside a running one gets an error that wraps ErrConflict. When ctx ends
// the loop ends, without an error.
//
// Each loop starts from the beginning. No lock is held while its body runs.
func (l *MemoryLog) Follow(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range l.log.Follow(ctx) {
			entry := Entry{KV: KV(e.Pair), Offset: e.Offset, Time: e.Time, Live: e.Live}
			if !yield(entry, memoryLogError("follow the log", err)) {
				return
			}
		}
	}
}

// Sync returns when all that was appended before the call has been through the
// body of the running Follow. While there is no follower it waits for one, or
// for ctx.
func (l *MemoryLog) Sync(ctx context.Context) error { return l.log.Sync(ctx) }

// Lead makes the caller the leader. Appends of earlier leaderships fail from
// now on.
func (l *MemoryLog) Lead(ctx context.Context) (Leadership, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return memoryLeadership{l.log.Lead()}, nil
}

// memoryLeadership is the right to append as the leader.
type memoryLeadership struct{ leader *memlog.Leader }

// Append writes the entries, all or none.
func (m memoryLeadership) Append(ctx context.Context, pairs ...KV) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return memoryLogError("append as leader", m.leader.Append(memoryPairs(pairs)))
}

// Close gives the leadership up. Appends fail afterwards.
func (m memoryLeadership) Close() error {
	m.leader.GiveUp()
	return nil
}

func memoryPairs(pairs []KV) []memlog.Pair {
	p := make([]memlog.Pair, len(pairs))
	for i, kv := range pairs {
		p[i] = memlog.Pair(kv)
	}
	return p
}

// memoryLogError says what failed, by the errors of this package.
func memoryLogError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, memlog.ErrFollowed):
		return fmt.Errorf("%s: %w: %w", what, ErrConflict, err)
	case errors.Is(err, memlog.ErrFenced):
		return fmt.Errorf("%s: %w: %w", what, err, ErrFenced)
	case errors.Is(err, memlog.ErrGivenUp):
		return fmt.Errorf("%s: %w: %w", what, err, ErrStopped)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// closedBefore waits for ch and reports whether it was closed before ctx ended.
func closedBefore(ctx context.Context, ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	case <-ctx.Done():
		return false
	}
}
