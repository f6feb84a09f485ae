package connect

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMemoryLogStaysSmall appends without end, without a follower, with one that
// keeps up, and with one that lags.
func TestMemoryLogStaysSmall(t *testing.T) {
	l := NewMemoryLog()
	fill := func(n int) {
		for i := range n {
			require.NoError(t, l.Append(t.Context(),
				KV{Key: fmt.Append(nil, "key-", i%10), Value: fmt.Append(nil, i)},
				KV{Key: fmt.Append(nil, "once-", i), Value: []byte{}},
				KV{Key: fmt.Append(nil, "once-", i)}))
		}
	}
	fill(5_000)
	assert.Less(t, len(l.entries), 3*logSlack)
	assert.Less(t, len(l.newest), 3*logSlack)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next, stop := pull(l, ctx)
	defer stop()
	for e := next(); e.Key != nil; e = next() {
		assert.False(t, e.Live)
	}
	fill(1_000)
	seen := map[string]int{}
	for range 3 * 1_000 {
		seen[string(next().Key)]++
	}
	assert.Len(t, seen, 10+1_000, "a follower that lags sees every live entry")
	for range 100 {
		fill(100)
		for range 3 * 100 {
			next()
		}
	}
	assert.Less(t, len(l.entries), 6*logSlack, "what a follower has seen is compacted again")
}

// pull hands out the entries of Follow one by one; stop ends the loop.
func pull(l *MemoryLog, ctx context.Context) (next func() Entry, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	entries, ended := make(chan Entry), make(chan struct{})
	go func() {
		defer close(ended)
		for e := range l.Follow(ctx) {
			select {
			case entries <- e:
			case <-ctx.Done():
			}
		}
	}()
	return func() Entry { return <-entries }, func() { cancel(); <-ended }
}

func TestMemoryLogHasOneFollower(t *testing.T) {
	l := NewMemoryLog()
	for range l.Follow(t.Context()) {
		for _, err := range l.Follow(t.Context()) {
			assert.ErrorIs(t, err, ErrConflict)
		}
		break
	}
	for _, err := range l.Follow(t.Context()) {
		assert.NoError(t, err, "the first loop has ended")
		break
	}
}

func TestMemoryLogRefusesEntriesWithoutKey(t *testing.T) {
	l := NewMemoryLog()
	for _, key := range [][]byte{nil, {}} {
		err := l.Append(t.Context(), KV{Key: []byte("a")}, KV{Key: key, Value: []byte("1")})
		assert.EqualError(t, err, "append to the log: entry 1 of 2 has no key")
	}
	assert.Empty(t, l.entries, "all or none")
}

// TestMemoryLogInBubble has a log of the world outside serve a bubble: its waits
// are durable there.
func TestMemoryLogInBubble(t *testing.T) {
	l := NewMemoryLog()
	require.NoError(t, l.Append(t.Context(), KV{Key: []byte("a")}))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range l.Follow(ctx) {
				seen++
			}
		}()
		synctest.Wait()
		assert.Equal(t, 2, seen, "the entry and the mark")
		require.NoError(t, l.Append(ctx, KV{Key: []byte("b")}))
		require.NoError(t, l.Sync(ctx))
		assert.Equal(t, 3, seen)
		cancel()
		<-done
	})
}

// Entries know when they were written.
func TestMemoryLogTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := NewMemoryLog(), time.Now()
		require.NoError(t, l.Append(t.Context(), KV{Key: []byte("a")}))
		time.Sleep(time.Minute)
		require.NoError(t, l.Append(t.Context(), KV{Key: []byte("b")}))
		next, stop := pull(l, t.Context())
		defer stop()
		assert.Equal(t, began, next().Time)
		assert.Equal(t, began.Add(time.Minute), next().Time)
	})
}
