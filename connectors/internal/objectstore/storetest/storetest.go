// Package storetest shows whether a Backend keeps the contract that the engine stands on.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

// Options tell TestBackend of a store.
type Options struct {
	// Open opens an empty store.
	Open func(t *testing.T) objectstore.Backend
	// Read returns what is in an object.
	Read func(t *testing.T, key string) []byte
	// Large is the size of an object that the store gets in parts; 0: it gets all in one piece.
	Large int
	// Imitation is a store whose conditions do not hold against writers at the same time; that is left out.
	Imitation bool
}

// bytesContent is Content in memory.
type bytesContent struct{ *bytes.Reader }

// Content returns bytes as Content.
func Content(b []byte) objectstore.Content { return bytesContent{bytes.NewReader(b)} }

// TestBackend runs the suite: objects come whole or not at all, conditions hold against any number of writers, metadata come back, lists are in order.
func TestBackend(t *testing.T, o Options) {
	b := o.Open(t)
	can, err := b.Capabilities(t.Context())
	require.NoError(t, err)
	assert.Equal(t, objectstore.Capabilities{ConditionalCreate: true, Metadata: true}, can)
	found, err := b.List(t.Context(), "", "", 100)
	require.NoError(t, err)
	assert.Empty(t, found, "to learn what it can, a store leaves nothing behind")

	t.Run("put, stat, delete", func(t *testing.T) { putStatDelete(t, b, o) })
	if !o.Imitation {
		t.Run("one writer wins", func(t *testing.T) { oneWriterWins(t, b, o) })
	}
	t.Run("list", func(t *testing.T) { list(t, b) })
	t.Run("a context that has ended", func(t *testing.T) { ended(t, b) })
	require.NoError(t, b.Close())
}

func sizes(o Options) []int {
	s := []int{0, 1, 100_000}
	if o.Large > 0 {
		s = append(s, o.Large)
	}
	return s
}

func putStatDelete(t *testing.T, b objectstore.Backend, o Options) {
	for _, size := range sizes(o) {
		key := fmt.Sprintf("put/t=a b+ü/%d+file", size)
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		meta := map[string]string{"connect-end-offset": "17", "connect-name": "a%20b"}
		_, err := b.Stat(t.Context(), key)
		require.ErrorIs(t, err, objectstore.ErrNotFound)
		require.NoError(t, b.Put(t.Context(), key, Content(body), objectstore.PutOptions{ContentType: "text/plain", Metadata: meta, IfAbsent: true}))
		got, err := b.Stat(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, objectstore.Object{Key: key, Size: int64(size), Metadata: meta}, got)
		assert.True(t, bytes.Equal(body, o.Read(t, key)))

		err = b.Put(t.Context(), key, Content([]byte("other")), objectstore.PutOptions{IfAbsent: true})
		require.ErrorIs(t, err, objectstore.ErrExists)
		assert.True(t, bytes.Equal(body, o.Read(t, key)), "the object is as it was")

		require.NoError(t, b.Put(t.Context(), key, Content([]byte("other")), objectstore.PutOptions{Metadata: map[string]string{"a": "b"}}))
		assert.Equal(t, "other", string(o.Read(t, key)), "without the condition it is replaced")
		got, err = b.Stat(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"a": "b"}, got.Metadata)

		require.NoError(t, b.Delete(t.Context(), key))
		require.NoError(t, b.Delete(t.Context(), key), "there is nothing to delete, and that is no error")
		_, err = b.Stat(t.Context(), key)
		require.ErrorIs(t, err, objectstore.ErrNotFound)
		require.NoError(t, b.Put(t.Context(), key, Content(body), objectstore.PutOptions{IfAbsent: true}), "it may be created again")
		require.NoError(t, b.Delete(t.Context(), key))
	}
}

func oneWriterWins(t *testing.T, b objectstore.Backend, o Options) {
	for _, size := range sizes(o)[1:] {
		key := fmt.Sprintf("race/%d", size)
		var group sync.WaitGroup
		var won atomic.Int64
		winner := make(chan byte, 6)
		for i := range 6 {
			group.Go(func() {
				err := b.Put(t.Context(), key, Content(bytes.Repeat([]byte{byte('a' + i)}, size)), objectstore.PutOptions{IfAbsent: true})
				if err == nil {
					won.Add(1)
					winner <- byte('a' + i)
					return
				}
				assert.True(t, lost(err), "%v", err)
			})
		}
		group.Wait()
		require.Equal(t, int64(1), won.Load())
		assert.True(t, bytes.Equal(bytes.Repeat([]byte{<-winner}, size), o.Read(t, key)))
		require.NoError(t, b.Delete(t.Context(), key))
	}
}

// lost tells whether a Put was refused, or may be tried again: a store may say so of two that meet.
func lost(err error) bool {
	_, retriable := connect.RetryAfter(err)
	return errors.Is(err, objectstore.ErrExists) || retriable
}

func list(t *testing.T, b objectstore.Backend) {
	var want []string
	for i := range 7 {
		key := fmt.Sprintf("list/t/%02d", i)
		want = append(want, key)
		require.NoError(t, b.Put(t.Context(), key, Content([]byte("x")), objectstore.PutOptions{IfAbsent: true}))
	}
	require.NoError(t, b.Put(t.Context(), "lost", Content(nil), objectstore.PutOptions{IfAbsent: true}))
	keys := func(prefix, after string, limit int) []string {
		found, err := b.List(t.Context(), prefix, after, limit)
		require.NoError(t, err)
		names := make([]string, len(found))
		for i, f := range found {
			names[i] = f.Key
		}
		return names
	}
	assert.Equal(t, want, keys("list/", "", 100))
	assert.Equal(t, want[:3], keys("list/", "", 3))
	assert.Equal(t, want[4:6], keys("list/t/0", want[3], 2))
	assert.Empty(t, keys("list/", want[6], 2))
	for _, k := range append(want, "lost") {
		require.NoError(t, b.Delete(t.Context(), k))
	}
}

func ended(t *testing.T, b objectstore.Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, b.Put(ctx, "ended", Content([]byte("x")), objectstore.PutOptions{IfAbsent: true}))
	_, err := b.Stat(t.Context(), "ended")
	require.ErrorIs(t, err, objectstore.ErrNotFound)
}
