package connecttest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// TestMurmur2 holds values that Java's Utils.murmur2 gives.
func TestMurmur2(t *testing.T) {
	assert.Equal(t, int32(-973932308), int32(murmur2([]byte("21"))))
	for _, c := range []struct {
		key        string
		partitions int
		want       int32
	}{
		{`["c",{"filename":"/in/a.txt"}]`, 25, 10},
		{"status-connector-c", 5, 0},
		{"status-task-c-0", 5, 1},
	} {
		assert.Equal(t, c.want, partitionFor([]byte(c.key), c.partitions, 0), c.key)
	}
}

func clients(t *testing.T, b *Broker, group string) (connect.Producer, connect.Consumer, connect.Admin) {
	t.Helper()
	p, err := b.Producer(t.Context(), connect.ClientConfig{})
	require.NoError(t, err)
	c, err := b.Consumer(t.Context(), connect.ConsumerConfig{Group: group, Topics: []string{"t"}})
	require.NoError(t, err)
	a, err := b.Admin(t.Context(), connect.ClientConfig{})
	require.NoError(t, err)
	return p, c, a
}

// TestBrokerDown lets sends wait, in order, and everything else block.
func TestBrokerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBroker()
		b.CreateTopic("t", 1)
		p, c, a := clients(t, b, "g")
		require.NoError(t, b.Produce(text("t", 0, "before")))
		assert.Equal(t, []string{"before"}, values(read(t, c, 1, 1)))
		b.Down()
		first, second := newAckLog(1), newAckLog(1)
		batch := []connect.Message{text("t", 0, "1")}
		require.NoError(t, p.Send(t.Context(), batch, first))
		batch[0] = text("t", 0, "2")
		require.NoError(t, p.Send(t.Context(), batch, second))
		clear(batch)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 3)
		go func() { ended <- c.Commit(ctx, connect.Offsets{tp("t", 0): 1}) }()
		go func() { _, err := a.Topics(ctx); ended <- err }()
		polled := make(chan int, 1)
		go func() {
			n, err := c.Poll(t.Context(), make([]connect.Message, 10), connect.Rebalance{})
			assert.NoError(t, err)
			polled <- n
		}()
		synctest.Wait()
		assert.Len(t, b.Messages("t"), 1)
		assert.Equal(t, []int{0, 0}, append(first.times, second.times...), "no ack while the cluster is down")
		cancel()
		assert.ErrorIs(t, <-ended, context.Canceled)
		assert.ErrorIs(t, <-ended, context.Canceled)
		b.Up()
		assert.Equal(t, 2, <-polled)
		first.wait(t)
		second.wait(t)
		assert.Equal(t, []string{"before", "1", "2"}, values(b.Messages("t")))
	})
}

// TestBrokerDownForGood closes a producer that cannot send.
func TestBrokerDownForGood(t *testing.T) {
	b := NewBroker()
	p, _, _ := clients(t, b, "g")
	b.Down()
	l := newAckLog(2)
	require.NoError(t, p.Send(t.Context(), []connect.Message{text("t", 0, "1"), text("t", 0, "2")}, l))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, p.Close(ctx), connect.ErrStopped)
	for _, a := range l.wait(t) {
		assert.ErrorIs(t, a.err, connect.ErrStopped)
	}
	b.Up()
	assert.Empty(t, b.Messages("t"))
	l.checkOnce(t)
}

func TestBrokerFaults(t *testing.T) {
	b := NewBroker()
	b.CreateTopic("t", 1)
	p, c, _ := clients(t, b, "g")
	bad := errors.New("too large")
	b.FailProduce(func(m connect.Message) error {
		if string(m.Value) == "bad" {
			return bad
		}
		return nil
	})
	acks := send(t, p, []connect.Message{text("t", 0, "a"), text("t", 0, "bad"), text("t", 0, "b")})
	assert.Equal(t, []ack{{tp("t", 0), 0, nil}, {tp("t", 0), -1, bad}, {tp("t", 0), 1, nil}}, acks)
	assert.Equal(t, []string{"a", "b"}, values(read(t, c, 2, 10)))
	b.FailCommit(func(group string, o connect.Offsets) error {
		assert.Equal(t, "g", group)
		assert.Equal(t, connect.Offsets{tp("t", 0): 2}, o)
		return bad
	})
	assert.ErrorIs(t, c.Commit(t.Context(), connect.Offsets{tp("t", 0): 2}), bad)
	assert.Empty(t, b.Committed("g"))
	b.FailCommit(nil)
	require.NoError(t, c.Commit(t.Context(), connect.Offsets{tp("t", 0): 2}))
	assert.Equal(t, connect.Offsets{tp("t", 0): 2}, b.Committed("g"))
}

// TestBrokerExpel ends a session: what was the member's is lost, and comes back
// from what was committed.
func TestBrokerExpel(t *testing.T) {
	b := NewBroker()
	b.CreateTopic("t", 1)
	_, c, _ := clients(t, b, "g")
	require.NoError(t, b.Produce(text("t", 0, "a"), text("t", 0, "b")))
	assert.Len(t, read(t, c, 2, 2), 2)
	require.NoError(t, c.Commit(t.Context(), connect.Offsets{tp("t", 0): 1}))
	b.Expel("g")
	assert.Zero(t, b.Members("g"))
	assert.ErrorIs(t, c.Commit(t.Context(), connect.Offsets{tp("t", 0): 2}), connect.ErrRevoked)
	var calls []string
	note := func(what string) func(context.Context, []connect.TopicPartition) error {
		return func(context.Context, []connect.TopicPartition) error { calls = append(calls, what); return nil }
	}
	into := make([]connect.Message, 2)
	n, err := c.Poll(bounded(t), into, connect.Rebalance{Assigned: note("assigned"), Revoked: note("revoked"), Lost: note("lost")})
	require.NoError(t, err)
	assert.Equal(t, []string{"lost", "assigned"}, calls)
	assert.Equal(t, []string{"b"}, values(into[:n]))
	assert.Equal(t, 1, b.Members("g"))
}

func TestBrokerTopics(t *testing.T) {
	b := NewBroker()
	require.NoError(t, b.Produce(text("auto", 0, "a")))
	assert.ErrorIs(t, b.Produce(text("auto", 1, "a")), connect.ErrNotFound, "there is no such partition")
	b.CreateTopic("auto", 2)
	require.NoError(t, b.Produce(text("auto", 1, "b")))
	assert.Equal(t, []string{"a", "b"}, values(b.Messages("auto")))
	b.DisableAutoCreate()
	assert.ErrorIs(t, b.Produce(text("other", 0, "a")), connect.ErrNotFound)
	assert.ErrorIs(t, b.Produce(text("no topic!", 0, "a")), connect.ErrNotFound)
	assert.Empty(t, b.Messages("other"))
	_, err := b.Consumer(t.Context(), connect.ConsumerConfig{})
	assert.ErrorIs(t, err, connect.ErrBadRequest)
	_, err = b.Consumer(t.Context(), connect.ConsumerConfig{Group: "g", ClientConfig: connect.ClientConfig{Props: config.Props{"auto.offset.reset": "newest"}}})
	assert.ErrorIs(t, err, connect.ErrBadRequest)
}

// TestBrokerAwait waits for a record of another goroutine.
func TestBrokerAwait(t *testing.T) {
	b := NewBroker()
	go func() { assert.NoError(t, b.Produce(text("t", 0, "a"))) }()
	require.NoError(t, b.Await(bounded(t), func() bool { return len(b.Messages("t")) == 1 }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, b.Await(ctx, func() bool { return false }), context.Canceled)
}
