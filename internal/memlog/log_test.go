package memlog

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLogStaysSmall appends without end, without a follower, with one that
// keeps up, and with one that lags.
func TestLogStaysSmall(t *testing.T) {
	l := New()
	fill := func(n int) {
		for i := range n {
			require.NoError(t, l.Append([]Pair{
				{Key: fmt.Append(nil, "key-", i%10), Value: fmt.Append(nil, i)},
				{Key: fmt.Append(nil, "once-", i), Value: []byte{}},
				{Key: fmt.Append(nil, "once-", i)},
			}))
		}
	}
	fill(5_000)
	assert.Less(t, len(l.entries), 3*Slack)
	assert.Less(t, len(l.newest), 3*Slack)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next, stop := iter.Pull2(l.Follow(ctx))
	defer stop()
	for e, _, _ := next(); e.Key != nil; e, _, _ = next() {
		assert.False(t, e.Live)
	}
	fill(1_000)
	seen := map[string]int{}
	for range 3 * 1_000 {
		e, _, _ := next()
		seen[string(e.Key)]++
	}
	assert.Len(t, seen, 10+1_000, "a follower that lags sees every live entry")
	for range 100 {
		fill(100)
		for range 3 * 100 {
			next()
		}
	}
	assert.Less(t, len(l.entries), 6*Slack, "what a follower has seen is compacted again")
}

func TestLeaders(t *testing.T) {
	l := New()
	first := l.Lead()
	require.NoError(t, first.Append([]Pair{{Key: []byte("a")}}))
	second := l.Lead()
	require.ErrorIs(t, first.Append([]Pair{{Key: []byte("a")}}), ErrFenced)
	second.GiveUp()
	require.ErrorIs(t, second.Append([]Pair{{Key: []byte("a")}}), ErrGivenUp)
	require.NoError(t, l.Append([]Pair{{Key: []byte("b")}}), "anybody may")
}
