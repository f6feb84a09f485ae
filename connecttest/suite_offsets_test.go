package connecttest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/offsets"
)

func TestOffsetStoreSuiteOnMemory(t *testing.T) {
	TestOffsetStore(t, func(testing.TB) connect.OffsetStore { return offsets.Memory() })
}

func TestOffsetStoreSuiteOnFile(t *testing.T) {
	TestOffsetStore(t, func(t testing.TB) connect.OffsetStore {
		return offsets.File(filepath.Join(t.TempDir(), "connect.offsets"))
	})
}

// brokenOffsets changes what a good store does.
type brokenOffsets struct {
	connect.OffsetStore
	set  func(s connect.OffsetStore, ctx context.Context, pairs []connect.KV) error
	scan func(s connect.OffsetStore, ctx context.Context, prefix []byte) iter.Seq2[connect.KV, error]
}

func (b *brokenOffsets) Set(ctx context.Context, pairs []connect.KV) error {
	if b.set == nil {
		return b.OffsetStore.Set(ctx, pairs)
	}
	return b.set(b.OffsetStore, ctx, pairs)
}

func (b *brokenOffsets) Scan(ctx context.Context, prefix []byte) iter.Seq2[connect.KV, error] {
	if b.scan == nil {
		return b.OffsetStore.Scan(ctx, prefix)
	}
	return b.scan(b.OffsetStore, ctx, prefix)
}

// forgetful is a store that opens empty.
type forgetful struct{ connect.OffsetStore }

func (f *forgetful) OpenStore(context.Context) error {
	f.OffsetStore = offsets.Memory()
	return nil
}
func (f *forgetful) CloseStore(context.Context) error { f.OffsetStore = closedStore{}; return nil }

type closedStore struct{}

func (closedStore) Set(context.Context, []connect.KV) error { return connect.ErrStopped }
func (closedStore) Scan(context.Context, []byte) iter.Seq2[connect.KV, error] {
	return func(yield func(connect.KV, error) bool) { yield(connect.KV{}, connect.ErrStopped) }
}

func mapPairs(f func(connect.KV) (connect.KV, bool)) func(connect.OffsetStore, context.Context, []connect.KV) error {
	return func(s connect.OffsetStore, ctx context.Context, pairs []connect.KV) error {
		var out []connect.KV
		for _, kv := range pairs {
			if kv, keep := f(kv); keep {
				out = append(out, kv)
			}
		}
		return s.Set(ctx, out)
	}
}

func TestOffsetStoreSuiteCatches(t *testing.T) {
	for name, b := range map[string]brokenOffsets{
		"deletions are ignored": {set: mapPairs(func(kv connect.KV) (connect.KV, bool) { return kv, kv.Value != nil })},
		"an empty value deletes": {set: mapPairs(func(kv connect.KV) (connect.KV, bool) {
			if len(kv.Value) == 0 {
				kv.Value = nil
			}
			return kv, true
		})},
		"nil is stored as empty": {set: mapPairs(func(kv connect.KV) (connect.KV, bool) { kv.Value = append([]byte{}, kv.Value...); return kv, true })},
		"bytes become UTF-8":     {set: mapPairs(func(kv connect.KV) (connect.KV, bool) { kv.Value = toUTF8(kv.Value); return kv, true })},
		"big values are cut": {set: mapPairs(func(kv connect.KV) (connect.KV, bool) {
			kv.Value = kv.Value[:min(len(kv.Value), 4096)]
			return kv, true
		})},
		"a trailing line break is trimmed": {set: mapPairs(func(kv connect.KV) (connect.KV, bool) {
			kv.Key = bytes.TrimRight(kv.Key, "\n")
			return kv, true
		})},
		"the first of equal keys wins": {set: func(s connect.OffsetStore, ctx context.Context, pairs []connect.KV) error {
			for i := len(pairs) - 1; i >= 0; i-- {
				if err := s.Set(ctx, pairs[i:i+1]); err != nil {
					return err
				}
			}
			return ctx.Err()
		}},
		"the context is ignored": {set: func(s connect.OffsetStore, ctx context.Context, pairs []connect.KV) error {
			return s.Set(context.WithoutCancel(ctx), pairs)
		}},
		"Set fails": {set: func(connect.OffsetStore, context.Context, []connect.KV) error { return errors.New("no") }},
		"the prefix is ignored": {scan: func(s connect.OffsetStore, ctx context.Context, _ []byte) iter.Seq2[connect.KV, error] {
			return s.Scan(ctx, nil)
		}},
		"Scan ignores its context": {scan: func(s connect.OffsetStore, ctx context.Context, p []byte) iter.Seq2[connect.KV, error] {
			return s.Scan(context.WithoutCancel(ctx), p)
		}},
		"Scan yields keys twice": {scan: func(s connect.OffsetStore, ctx context.Context, p []byte) iter.Seq2[connect.KV, error] {
			return func(yield func(connect.KV, error) bool) {
				for kv, err := range s.Scan(ctx, p) {
					for range 2 {
						if !yield(kv, err) {
							return
						}
					}
				}
			}
		}},
	} {
		catches(t, name, func(t testing.TB) {
			TestOffsetStore(t, func(testing.TB) connect.OffsetStore {
				broken := b
				broken.OffsetStore = offsets.Memory()
				return &broken
			})
		})
	}
	catches(t, "offsets are lost when the store is closed", func(t testing.TB) {
		TestOffsetStore(t, func(testing.TB) connect.OffsetStore { return &forgetful{} })
	})
	catches(t, "memory is shared with the caller", func(t testing.TB) {
		TestOffsetStore(t, func(testing.TB) connect.OffsetStore { return &sharing{pairs: map[string]*connect.KV{}} })
	})
	catches(t, "writes come late", func(t testing.TB) {
		TestOffsetStore(t, func(testing.TB) connect.OffsetStore { return &late{OffsetStore: offsets.Memory()} })
	})
}

func toUTF8(b []byte) []byte {
	if b == nil {
		return nil
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}

// sharing keeps the caller's slices.
type sharing struct {
	mu    sync.Mutex
	pairs map[string]*connect.KV
}

func (s *sharing) Set(ctx context.Context, pairs []connect.KV) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kv := range pairs {
		delete(s.pairs, string(kv.Key))
		if kv.Value != nil {
			s.pairs[string(kv.Key)] = &kv
		}
	}
	return ctx.Err()
}

func (s *sharing) Scan(ctx context.Context, prefix []byte) iter.Seq2[connect.KV, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := maps.Clone(s.pairs)
	maps.DeleteFunc(found, func(k string, _ *connect.KV) bool { return !strings.HasPrefix(k, string(prefix)) })
	return func(yield func(connect.KV, error) bool) {
		if ctx.Err() != nil {
			yield(connect.KV{}, ctx.Err())
			return
		}
		for _, kv := range found {
			if !yield(*kv, nil) {
				return
			}
		}
	}
}

// late makes each Set durable with the next one.
type late struct {
	connect.OffsetStore
	mu      sync.Mutex
	pending []connect.KV
}

func (l *late) Set(ctx context.Context, pairs []connect.KV) error {
	l.mu.Lock()
	last := l.pending
	l.pending = pairs
	l.mu.Unlock()
	return l.OffsetStore.Set(ctx, last)
}
