package connect

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/streamlane/connect/internal/connectjson"
)

// offsetAccess reads and writes the source offsets of one connector in a store
// of bytes. It is safe for concurrent use.
//
// Keys of foreign writers may have other bytes for the same partition: blanks,
// or another order of members. They are found by their canonical form, and
// written back with the bytes found, so that a Java worker goes on finding
// them and compaction removes them.
type offsetAccess struct {
	connector string
	store     OffsetStore
	log       *slog.Logger

	mu   sync.Mutex
	keys map[SourcePartition][]byte // foreign spellings seen
}

func newOffsetAccess(connector string, store OffsetStore, log *slog.Logger) *offsetAccess {
	return &offsetAccess{connector: connector, store: store, log: log, keys: make(map[SourcePartition][]byte)}
}

// close closes what is the connector's own.
func (a *offsetAccess) close(ctx context.Context) error {
	if own, is := a.store.(*layeredOffsets); is {
		return own.CloseStore(context.WithoutCancel(ctx))
	}
	return nil
}

// read returns the offset of each partition, nil where there is none.
func (a *offsetAccess) read(ctx context.Context, partitions []SourcePartition) ([]SourceOffset, error) {
	for _, p := range partitions {
		if _, err := offsetKey(a.connector, p); err != nil {
			return nil, fmt.Errorf("connector %q: %w", a.connector, err)
		}
	}
	all, err := a.all(ctx)
	if err != nil {
		return nil, err
	}
	offsets := make([]SourceOffset, len(partitions))
	for i, p := range partitions {
		offsets[i] = all[p]
	}
	return offsets, nil
}

// all returns every stored offset of the connector.
func (a *offsetAccess) all(ctx context.Context) (map[SourcePartition]SourceOffset, error) {
	offsets := make(map[SourcePartition]SourceOffset)
	quoted := connectjson.AppendString(nil, a.connector)
	for kv, err := range a.store.Scan(ctx, []byte{'['}) {
		if err != nil {
			return nil, fmt.Errorf("connector %q: reading offsets: %w", a.connector, err)
		}
		if kv.Value == nil || !bytes.Contains(kv.Key, quoted) {
			continue
		}
		connector, entries, isNull, err := connectjson.ParseOffsetKey(kv.Key)
		if err != nil || connector != a.connector || isNull {
			continue // another connector's, or no offset at all
		}
		p := PartitionOf(entries...)
		own, err := offsetKey(a.connector, p)
		if err != nil {
			continue
		}
		if !bytes.Equal(own, kv.Key) {
			if _, ours := offsets[p]; ours {
				continue // our own spelling wins
			}
			a.remember(p, kv.Key)
		} else {
			a.forget(p)
		}
		offset, err := decodeOffset(kv.Value)
		if err != nil {
			a.log.WarnContext(ctx, "ignoring a stored offset", "partition", p.String(), "err", err)
			continue
		}
		offsets[p] = offset
	}
	return offsets, nil
}

func (a *offsetAccess) remember(p SourcePartition, key []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[p] = slices.Clone(key)
}

func (a *offsetAccess) forget(p SourcePartition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.keys, p)
}

func (a *offsetAccess) key(p SourcePartition) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.keys[p]; k != nil {
		return k, nil
	}
	return offsetKey(a.connector, p)
}

// encode returns the pairs to store, sorted by key so that writes are
// repeatable. A nil offset deletes.
func (a *offsetAccess) encode(offsets map[SourcePartition]SourceOffset) ([]KV, error) {
	pairs := make([]KV, 0, len(offsets))
	for p, o := range offsets {
		key, err := a.key(p)
		if err != nil {
			return nil, err
		}
		value, err := encodeOffset(o)
		if err != nil {
			return nil, fmt.Errorf("source partition %v: %w", p, err)
		}
		pairs = append(pairs, KV{key, value})
	}
	slices.SortFunc(pairs, func(x, y KV) int { return bytes.Compare(x.Key, y.Key) })
	return pairs, nil
}

func (a *offsetAccess) write(ctx context.Context, pairs []KV) error {
	if err := a.store.Set(ctx, pairs); err != nil {
		return fmt.Errorf("connector %q: writing offsets: %w", a.connector, err)
	}
	return nil
}

// alter stores offsets as they are given; nil resets a partition.
func (a *offsetAccess) alter(ctx context.Context, change map[SourcePartition]SourceOffset) error {
	if _, err := a.all(ctx); err != nil { // learns the spellings
		return err
	}
	pairs, err := a.encode(maps.Clone(change))
	if err != nil {
		return fmt.Errorf("connector %q: %w", a.connector, err)
	}
	return a.write(ctx, pairs)
}
