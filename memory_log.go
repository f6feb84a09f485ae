package connect

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"
)

// MemoryLog is a ConfigStore, and so a StatusStore, in memory: what a nil
// Options.Configs or Options.Status means. What it holds lasts as long as the
// value itself, for one Runtime after the other.
//
// It is safe for concurrent use and copies what it is given. Entries without a
// key are refused, for an Entry without one marks the end of the catch-up.
type MemoryLog struct {
	mu      sync.Mutex
	entries []memoryEntry    // increasing offsets
	next    int64            // the offset of the next entry
	newest  map[string]int64 // offset of the newest entry of each key
	old     int              // number of entries at which to look for old ones
	epoch   int64            // counts leaders

	following bool
	through   int64         // entries below have been through Follow's body; 0 without a follower
	changed   chan struct{} // closed at the next change; nil while nobody waits
}

type memoryEntry struct {
	KV
	offset int64
	time   time.Time
}

// logSlack is how many entries a MemoryLog may have, beyond twice those that it
// needs, before it looks for old ones.
const logSlack = 256

// NewMemoryLog returns an empty log.
func NewMemoryLog() *MemoryLog {
	return &MemoryLog{newest: make(map[string]int64), old: logSlack}
}

// Append writes the entries in order, all or, on an error, none.
func (l *MemoryLog) Append(ctx context.Context, pairs ...KV) error {
	return l.append(ctx, nil, pairs)
}

// append writes the entries unless the leadership, if one is given, is over.
func (l *MemoryLog) append(ctx context.Context, by *memoryLeadership, pairs []KV) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if i := slices.IndexFunc(pairs, func(kv KV) bool { return len(kv.Key) == 0 }); i >= 0 {
		return fmt.Errorf("append to the log: entry %d of %d has no key", i, len(pairs))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if by != nil {
		if err := by.check(); err != nil {
			return err
		}
	}
	now := time.Now()
	for _, kv := range pairs {
		kv = KV{Key: bytes.Clone(kv.Key), Value: bytes.Clone(kv.Value)}
		l.entries = append(l.entries, memoryEntry{KV: kv, offset: l.next, time: now})
		l.newest[string(kv.Key)] = l.next
		l.next++
	}
	l.compact()
	l.change()
	return nil
}

// Follow yields all entries that the log has when the loop starts, then an
// Entry without a key, then those appended since, which are live. A second
// loop beside a running one gets an error that wraps ErrConflict. When ctx ends
// the loop ends, without an error.
//
// Each loop starts from the beginning. No lock is held while its body runs.
func (l *MemoryLog) Follow(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		end, err := l.startFollowing()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer l.stopFollowing()
		caughtUp := false
		for ctx.Err() == nil {
			e, ok, changed := l.read()
			switch {
			case !caughtUp && (!ok || e.offset >= end):
				caughtUp = true
				l.passed(end - 1) // what was there below end may have been compacted away
				if !yield(Entry{}, nil) {
					return
				}
			case ok:
				kv := KV{Key: bytes.Clone(e.Key), Value: bytes.Clone(e.Value)}
				goOn := yield(Entry{KV: kv, Offset: e.offset, Time: e.time, Live: caughtUp}, nil)
				l.passed(e.offset)
				if !goOn {
					return
				}
			default:
				closedBefore(ctx, changed)
			}
		}
	}
}

// Sync returns when all that was appended before the call has been through the
// body of the running Follow. While there is no follower it waits for one, or
// for ctx.
func (l *MemoryLog) Sync(ctx context.Context) error {
	l.mu.Lock()
	end := l.next
	l.mu.Unlock()
	for {
		l.mu.Lock()
		done, changed := l.through >= end, l.waiter()
		l.mu.Unlock()
		if done {
			return nil
		}
		if !closedBefore(ctx, changed) {
			return context.Cause(ctx)
		}
	}
}

// Lead makes the caller the leader. Appends of earlier leaderships fail from
// now on.
func (l *MemoryLog) Lead(ctx context.Context) (Leadership, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	return &memoryLeadership{log: l, epoch: l.epoch}, nil
}

// memoryLeadership is the right to append as the leader of one epoch.
type memoryLeadership struct {
	log    *MemoryLog
	epoch  int64
	closed bool // guarded by log.mu
}

// Append writes the entries, all or none.
func (m *memoryLeadership) Append(ctx context.Context, pairs ...KV) error {
	return m.log.append(ctx, m, pairs)
}

// Close gives the leadership up. Appends fail afterwards.
func (m *memoryLeadership) Close() error {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	m.closed = true
	return nil
}

// check is called under log.mu.
func (m *memoryLeadership) check() error {
	switch {
	case m.epoch != m.log.epoch:
		return fmt.Errorf("append as leader: another leads: %w", ErrFenced)
	case m.closed:
		return fmt.Errorf("append as leader: leadership was given up: %w", ErrStopped)
	}
	return nil
}

func (l *MemoryLog) startFollowing() (end int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.following {
		return 0, fmt.Errorf("follow the log: %w: it has a follower", ErrConflict)
	}
	l.following, l.through = true, 0
	return l.next, nil
}

func (l *MemoryLog) stopFollowing() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.following, l.through = false, 0
}

// read returns the follower's next entry, if there is one yet, and what to wait
// on otherwise.
func (l *MemoryLog) read() (e memoryEntry, ok bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.entries, l.through, func(e memoryEntry, at int64) int { return int(e.offset - at) })
	if i == len(l.entries) {
		return memoryEntry{}, false, l.waiter()
	}
	return l.entries[i], true, nil
}

// passed notes that the entry at offset has been through the follower's body.
func (l *MemoryLog) passed(offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.through = offset + 1
	l.change()
}

// compact drops entries that a newer one of their key supersedes, and
// tombstones that are the newest, so that a Runtime that lives for years keeps
// little. Entries that a follower has yet to see stay: a live follower sees
// every one. It is called under mu.
func (l *MemoryLog) compact() {
	if len(l.entries) < l.old {
		return
	}
	seen := l.next
	if l.following {
		seen = l.through
	}
	l.entries = slices.DeleteFunc(l.entries, func(e memoryEntry) bool {
		if e.offset >= seen || (l.newest[string(e.Key)] == e.offset && e.Value != nil) {
			return false
		}
		if l.newest[string(e.Key)] == e.offset {
			delete(l.newest, string(e.Key))
		}
		return true
	})
	l.old = 2*len(l.entries) + logSlack
}

// waiter returns the channel that the next change closes. It is made by who
// waits, so that a log made outside of a synctest bubble works inside of one.
// It is called under mu.
func (l *MemoryLog) waiter() <-chan struct{} {
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

// change wakes who waits. It is called under mu.
func (l *MemoryLog) change() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
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
