package memlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"
)

// Errors of a Log.
var (
	// ErrFollowed refuses a second follower.
	ErrFollowed = errors.New("it has a follower")
	// ErrFenced refuses a leader that another has followed.
	ErrFenced = errors.New("another leads")
	// ErrGivenUp refuses a leader that has given up.
	ErrGivenUp = errors.New("leadership was given up")
)

// A Pair is what is appended. A nil Value deletes the key.
type Pair struct{ Key, Value []byte }

// An Entry is a Pair in the log.
type Entry struct {
	Pair
	Offset int64
	Time   time.Time
	// Live entries were appended after the follower's first catch-up.
	Live bool
}

// Slack is how many entries a Log may have, beyond twice those that it needs,
// before it looks for old ones.
const Slack = 256

// A Log is empty at first. It is safe for concurrent use, and copies what it is
// given and what it yields.
type Log struct {
	mu      sync.Mutex
	entries []Entry          // increasing offsets
	next    int64            // the offset of the next entry
	newest  map[string]int64 // offset of the newest entry of each key
	old     int              // number of entries at which to look for old ones
	epoch   int64            // counts leaders

	following bool
	through   int64         // entries below have been through Follow's body; 0 without a follower
	changed   chan struct{} // closed at the next change; nil while nobody waits
}

// New returns an empty log.
func New() *Log { return &Log{newest: make(map[string]int64), old: Slack} }

// Append writes the pairs in order, all or, on an error, none. Pairs without a key
// are refused.
func (l *Log) Append(pairs []Pair) error { return l.append(nil, pairs) }

// append writes the pairs unless the leader, if one is given, has lost its right.
func (l *Log) append(by *Leader, pairs []Pair) error {
	if i := slices.IndexFunc(pairs, func(p Pair) bool { return len(p.Key) == 0 }); i >= 0 {
		return fmt.Errorf("entry %d of %d has no key", i, len(pairs))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if by != nil {
		if err := by.check(); err != nil {
			return err
		}
	}
	now := time.Now()
	for _, p := range pairs {
		l.entries = append(l.entries, Entry{Pair: p.clone(), Offset: l.next, Time: now})
		l.newest[string(p.Key)] = l.next
		l.next++
	}
	l.compact()
	l.change()
	return nil
}

func (p Pair) clone() Pair { return Pair{bytes.Clone(p.Key), bytes.Clone(p.Value)} }

// Follow yields all entries that the log has when the loop starts, then an Entry
// without a key, then those appended since. A second loop beside a running one
// gets ErrFollowed. When ctx ends the loop ends, without an error.
//
// Each loop starts from the beginning. No lock is held while its body runs.
func (l *Log) Follow(ctx context.Context) iter.Seq2[Entry, error] {
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
			case !caughtUp && (!ok || e.Offset >= end):
				caughtUp = true
				l.passed(end - 1) // what was there below end may have been compacted away
				if !yield(Entry{}, nil) {
					return
				}
			case ok:
				e.Pair, e.Live = e.clone(), caughtUp
				goOn := yield(e, nil)
				l.passed(e.Offset)
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
func (l *Log) Sync(ctx context.Context) error {
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

func (l *Log) startFollowing() (end int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.following {
		return 0, ErrFollowed
	}
	l.following, l.through = true, 0
	return l.next, nil
}

func (l *Log) stopFollowing() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.following, l.through = false, 0
}

// read returns the follower's next entry, if there is one yet, and what to wait
// on otherwise.
func (l *Log) read() (e Entry, ok bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.entries, l.through, func(e Entry, at int64) int { return int(e.Offset - at) })
	if i == len(l.entries) {
		return Entry{}, false, l.waiter()
	}
	return l.entries[i], true, nil
}

// passed notes that the entry at offset has been through the follower's body.
func (l *Log) passed(offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.through = offset + 1
	l.change()
}

// compact drops entries that a newer one of their key supersedes, and
// tombstones that are the newest, so that a log that lives for years keeps little.
// Entries that a follower has yet to see stay: a live follower sees every one. It
// is called under mu.
func (l *Log) compact() {
	if len(l.entries) < l.old {
		return
	}
	seen := l.next
	if l.following {
		seen = l.through
	}
	l.entries = slices.DeleteFunc(l.entries, func(e Entry) bool {
		if e.Offset >= seen || (l.newest[string(e.Key)] == e.Offset && e.Value != nil) {
			return false
		}
		if l.newest[string(e.Key)] == e.Offset {
			delete(l.newest, string(e.Key))
		}
		return true
	})
	l.old = 2*len(l.entries) + Slack
}

// waiter returns the channel that the next change closes. It is made by who
// waits, so that a log made outside of a synctest bubble works inside of one.
// It is called under mu.
func (l *Log) waiter() <-chan struct{} {
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

// change wakes who waits. It is called under mu.
func (l *Log) change() {
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
