package mapkeys_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/mapkeys"
)

// TestUnique: the last entry of a key counts, few entries or many, at the place of
// the first or the last.
func TestUnique(t *testing.T) {
	for _, n := range []int{1, 3, 200} {
		var pairs []data.Pair
		for round := range 2 {
			for i := range n {
				pairs = append(pairs, data.Pair{Key: data.String(strconv.Itoa(i)), Value: data.Int32(int32(round))})
			}
		}
		pairs = append(pairs, data.Pair{Key: data.Int64(0), Value: data.Int32(2)}, data.Pair{Key: data.Value{}, Value: data.Int32(3)})
		got := mapkeys.Unique(pairs)
		assert.Len(t, got, n+2, "a number is no text")
		for _, p := range got[:n] {
			v, _ := p.Value.Int()
			assert.EqualValues(t, 1, v)
		}
	}
	assert.Empty(t, mapkeys.Unique(nil))
}
