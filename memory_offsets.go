package connect

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// MemoryOffsets is an OffsetStore in memory: what a nil Options.Offsets means.
// What it holds lasts as long as the value itself, so a Runtime that is given
// the MemoryOffsets of an earlier one goes on where that one stopped.
//
// It is safe for concurrent use. It copies what it is given and what it yields.
// Its methods fail with their context's error only.
type MemoryOffsets struct {
	mu    sync.Mutex
	pairs map[string][]byte
}

// NewMemoryOffsets returns an empty store.
func NewMemoryOffsets() *MemoryOffsets { return &MemoryOffsets{pairs: make(map[string][]byte)} }

// Scan yields the pairs whose key has the prefix, in the order of their keys,
// as they were at the call of the iterator.
func (s *MemoryOffsets) Scan(ctx context.Context, prefix []byte) iter.Seq2[KV, error] {
	return func(yield func(KV, error) bool) {
		if ctx.Err() != nil {
			yield(KV{}, context.Cause(ctx))
			return
		}
		// The snapshot is taken under the lock and yielded without it, so that
		// the loop's body may use the store.
		s.mu.Lock()
		pairs := maps.Clone(s.pairs)
		s.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(pairs)) {
			if !strings.HasPrefix(key, string(prefix)) {
				continue
			}
			if !yield(KV{Key: []byte(key), Value: bytes.Clone(pairs[key])}, nil) {
				return
			}
		}
	}
}

// Set stores the pairs, all at once; of pairs with equal keys the last counts.
// It never stores a part.
func (s *MemoryOffsets) Set(ctx context.Context, pairs []KV) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kv := range pairs {
		if kv.Value == nil {
			delete(s.pairs, string(kv.Key))
			continue
		}
		s.pairs[string(kv.Key)] = bytes.Clone(kv.Value)
	}
	return nil
}
