package connecttest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

func consumeCases() []brokerCase {
	return []brokerCase{
		{"reads from an offset", consumeFrom},
		{"keeps messages valid", consumeKeeps},
		{"seeks", consumeSeek},
		{"pauses and resumes", consumePause},
		{"ends a poll with its context, without an error", consumeContext},
		{"wakes a poll", consumeWake},
		{"says that an offset is out of range", consumeOutOfRange},
	}
}

func consumeFrom(t testing.TB, k *testCluster) {
	topic := k.topic(2)
	k.fill(topic, 0, numbered("a", 5)...)
	k.fill(topic, 1, numbered("b", 5)...)
	c := k.consumer(connect.ConsumerConfig{Assign: connect.Offsets{tp(topic, 0): 3, tp(topic, 1): -1}})
	byPartition := make(map[int32][]string)
	for _, m := range read(t, c, 7, 10) {
		byPartition[m.Partition] = append(byPartition[m.Partition], string(m.Value))
	}
	assert.Equal(t, map[int32][]string{0: {"a3", "a4"}, 1: {"b0", "b1", "b2", "b3", "b4"}}, byPartition)
	next, err := c.Position(bounded(t), tp(topic, 0), tp(topic, 1))
	require.NoError(t, err, "Position")
	assert.Equal(t, connect.Offsets{tp(topic, 0): 5, tp(topic, 1): 5}, next)
	k.fill(topic, 0, "late")
	assert.Equal(t, []string{"late"}, values(read(t, c, 1, 10)), "messages that come while it polls")
}

func consumeKeeps(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	want := numbered("v", 100)
	k.fill(topic, 0, want...)
	c := k.reader(topic, 1)
	kept := read(t, c, 1, 1)
	for range len(want) - 1 {
		kept = append(kept, read(t, c, 1, 1)...)
	}
	assert.Equal(t, want, values(kept))
}

func consumeSeek(t testing.TB, k *testCluster) {
	topic := k.topic(2)
	k.fill(topic, 0, numbered("a", 10)...)
	c := k.consumer(connect.ConsumerConfig{Assign: connect.Offsets{tp(topic, 0): 0}})
	assert.Equal(t, []string{"a0"}, values(read(t, c, 1, 1)))
	for _, to := range []int64{7, 2, 0, 9} {
		require.NoError(t, c.Seek(connect.Offsets{tp(topic, 0): to}), "Seek")
		next, err := c.Position(bounded(t), tp(topic, 0))
		require.NoError(t, err, "Position")
		assert.Equal(t, connect.Offsets{tp(topic, 0): to}, next, "Position after Seek")
		assert.Equal(t, []string{numbered("a", 10)[to]}, values(read(t, c, 1, 1)), "the first message after Seek to %d", to)
		next, err = c.Position(bounded(t), tp(topic, 0))
		require.NoError(t, err, "Position")
		assert.Equal(t, connect.Offsets{tp(topic, 0): to + 1}, next, "Position after one message")
	}
	assert.Error(t, c.Seek(connect.Offsets{tp(topic, 1): 0}), "Seek of a partition that is not assigned")
}

// consumePause pauses a partition with messages that the client may have
// fetched already, and one that it has not.
func consumePause(t testing.TB, k *testCluster) {
	topic := k.topic(2)
	k.fill(topic, 0, numbered("a", 10)...)
	c := k.consumer(connect.ConsumerConfig{Assign: connect.Offsets{tp(topic, 0): 0, tp(topic, 1): 0}})
	assert.Equal(t, []string{"a0"}, values(read(t, c, 1, 1)))
	c.Pause(tp(topic, 0), tp("not assigned", 0))
	k.fill(topic, 1, numbered("b", 5)...)
	assert.Equal(t, numbered("b", 5), values(read(t, c, 5, 3)), "while the other partition is paused")
	c.Pause(tp(topic, 1))
	k.fill(topic, 1, "b5")
	c.Resume(tp(topic, 0))
	assert.Equal(t, numbered("a", 10)[1:], values(read(t, c, 9, 4)), "what was held back comes, nothing is lost")
	c.Resume(tp(topic, 1))
	assert.Equal(t, []string{"b5"}, values(read(t, c, 1, 4)))
}

func consumeContext(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	c := k.reader(topic, 1)
	for range 2 {
		ctx, cancel := context.WithCancel(bounded(t))
		ended := make(chan error, 1)
		go func() {
			n, err := c.Poll(ctx, make([]connect.Message, 10), connect.Rebalance{})
			assert.Zero(t, n)
			ended <- err
		}()
		cancel()
		assert.NoError(t, receive(t, ended, "the end of Poll"), "Poll with an ended context")
	}
	k.fill(topic, 0, "a")
	assert.Equal(t, []string{"a"}, values(read(t, c, 1, 1)), "the consumer goes on")
}

func consumeWake(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	c := k.reader(topic, 1)
	for range 3 {
		ended := make(chan error, 1)
		go func() {
			_, err := c.Poll(bounded(t), make([]connect.Message, 10), connect.Rebalance{})
			ended <- err
		}()
		c.Wake()
		assert.NoError(t, receive(t, ended, "the end of Poll"), "a woken Poll")
	}
	c.Wake() // before the next one
	_, err := c.Poll(bounded(t), make([]connect.Message, 10), connect.Rebalance{})
	assert.NoError(t, err)
	k.fill(topic, 0, "a")
	assert.Equal(t, []string{"a"}, values(read(t, c, 1, 1)), "the consumer goes on")
}

func consumeOutOfRange(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	k.fill(topic, 0, numbered("a", 3)...)
	none := connect.ClientConfig{Props: config.Props{"auto.offset.reset": "none"}}
	c := k.consumer(connect.ConsumerConfig{ClientConfig: none, Assign: connect.Offsets{tp(topic, 0): 1_000}})
	ctx := bounded(t)
	for ctx.Err() == nil {
		n, err := c.Poll(ctx, make([]connect.Message, 10), connect.Rebalance{})
		assert.Zero(t, n)
		if err != nil {
			assert.ErrorIs(t, err, connect.ErrOutOfRange)
			return
		}
	}
	assert.Fail(t, "Poll does not say that offset 1000 of 3 is out of range, with auto.offset.reset=none")
}
