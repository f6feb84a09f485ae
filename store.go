package connect

import (
	"context"
	"iter"
	"time"
)

// A KV is a key with its value. A nil Value deletes the key.
type KV struct{ Key, Value []byte }

// An OffsetStore keeps source offsets. A store is a driver over bytes: what the
// bytes mean, and how they are laid out for Java, is the engine's business. It
// is safe for concurrent use, and passes connecttest.TestOffsetStore.
type OffsetStore interface {
	// Scan yields the pairs whose key has the prefix, each key once, with every
	// write that was durable at the call.
	Scan(ctx context.Context, prefix []byte) iter.Seq2[KV, error]
	// Set makes the pairs durable. Each pair is written whole or not at all;
	// after an error any subset may have been. Repeating a Set is safe.
	Set(ctx context.Context, pairs []KV) error
}

// Messenger is an optional ability of an OffsetStore whose writes may ride in
// the producer's transaction: it turns pairs into messages for its topic.
type Messenger interface {
	Messages(pairs []KV) []Message
}

// An Opener of a store prepares it: it locks files, creates topics. Run calls
// OpenStore once for every store that has it, before the first use, and
// CloseStore after the last.
type StoreOpener interface {
	OpenStore(ctx context.Context) error
	CloseStore(ctx context.Context) error
}

// An Entry is one record of a Log.
type Entry struct {
	KV
	// Offset of the entry, increasing by at least one.
	Offset int64
	// Time at which it was written; zero if the log does not tell.
	Time time.Time
	// Live entries were written after the first catch-up. Commands, such as
	// restart requests, count only when live.
	Live bool
}

// A Log is an ordered log of keyed entries, compacted by key: a reader sees at
// least the newest entry of each key, in order. It is safe for concurrent use.
type Log interface {
	// Append writes entries in order. They are durable on return.
	Append(ctx context.Context, pairs ...KV) error
	// Follow yields all entries, then waits for more until ctx ends. An Entry
	// without a key says that the reader has caught up for the first time. A
	// Log has one follower at a time.
	Follow(ctx context.Context) iter.Seq2[Entry, error]
	// Sync returns when all that was durable at the call has been through the
	// loop body of Follow.
	Sync(ctx context.Context) error
}

// A ConfigStore holds connector configurations, task configurations and target
// states, in the records of Java's config topic.
type ConfigStore interface {
	Log
	// Lead makes the caller the only writer of what only leaders write, and
	// shuts out earlier leaders.
	Lead(ctx context.Context) (Leadership, error)
}

// A Leadership is the right to write a leader's records.
type Leadership interface {
	// Append writes entries in one transaction, where the store has them. An
	// error that wraps ErrFenced says that another leads.
	Append(ctx context.Context, pairs ...KV) error
	// Close gives the right up.
	Close() error
}

// A StatusStore holds the states of connectors and tasks, in the records of
// Java's status topic.
type StatusStore interface{ Log }
