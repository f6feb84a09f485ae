package lru

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLRU holds the cache against a list that is kept in order.
func TestCache(t *testing.T) {
	for _, size := range []int{-3, 0, 1, 2, 3, 10} {
		rnd := rand.New(rand.NewPCG(uint64(size+5), 7))
		c := New[int, int](size)
		var model []int // keys, the one used last in front
		for step := range 2000 {
			key := rnd.IntN(2*max(size, 1) + 1)
			at := slices.Index(model, key)
			value, ok := c.Get(key)
			require.Equal(t, at >= 0, ok, "size %d, step %d", size, step)
			if ok {
				require.Equal(t, -key, value)
				model = slices.Delete(model, at, at+1)
			} else {
				c.Put(key, -key)
			}
			model = slices.Insert(model, 0, key)
			model = model[:min(len(model), max(size, 1))]
			require.Len(t, c.items, len(model))
			latest, value, ok := c.Latest()
			require.True(t, ok)
			require.Equal(t, key, latest)
			require.Equal(t, -key, value)
		}
	}
	_, _, ok := New[int, int](1).Latest()
	require.False(t, ok)
}
