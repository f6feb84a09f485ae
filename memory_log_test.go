package connect

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	for e := range l.Follow(t.Context()) {
		assert.Nil(t, e.Key, "all or none")
		break
	}
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
