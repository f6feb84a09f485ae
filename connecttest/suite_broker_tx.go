package connecttest

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

func transactionCases() []brokerCase {
	return []brokerCase{
		{"shows what was committed", txVisible},
		{"refuses transactions out of turn", txOrder},
		{"fences an earlier producer of the id", txFences},
		{"fences ids on request", txFenceProducers},
		{"commits offsets with the records", txOffsets},
	}
}

// in sends one message of a transaction.
func in(t testing.TB, p connect.Producer, topic, value string) {
	t.Helper()
	for _, a := range send(t, p, []connect.Message{text(topic, 0, value)}) {
		require.NoError(t, a.err, "ack of %q", value)
	}
}

func (k *testCluster) transactional(id string) connect.Producer {
	k.t.Helper()
	return k.producer(connect.ClientConfig{TransactionalID: id})
}

func (k *testCluster) committedReader(topic string) connect.Consumer {
	k.t.Helper()
	committed := connect.ClientConfig{Props: config.Props{"isolation.level": "read_committed"}}
	return k.consumer(connect.ConsumerConfig{ClientConfig: committed, Assign: connect.Offsets{tp(topic, 0): 0}})
}

func txVisible(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	p := k.transactional(unique("tx"))
	for _, x := range []struct {
		values []string
		commit bool
	}{{[]string{"a", "b"}, true}, {[]string{"aborted"}, false}, {nil, true}, {[]string{"c"}, true}} {
		require.NoError(t, p.Begin(bounded(t)), "Begin")
		for _, v := range x.values {
			in(t, p, topic, v)
		}
		require.NoError(t, p.End(bounded(t), x.commit), "End")
	}
	committed := k.committedReader(topic)
	assert.Equal(t, []string{"a", "b", "c"}, values(read(t, committed, 3, 10)), "with isolation.level=read_committed")
	assert.Equal(t, []string{"a", "b", "aborted", "c"}, values(read(t, k.reader(topic, 1), 4, 10)), "with read_uncommitted")

	require.NoError(t, p.Begin(bounded(t)), "Begin")
	in(t, p, topic, "open")
	k.fill(topic, 0, "behind") // not of a transaction, but after an open one
	require.NoError(t, p.End(bounded(t), false), "End")
	assert.Equal(t, []string{"behind"}, values(read(t, committed, 1, 10)), "what was read while a transaction was open")
}

func txOrder(t testing.TB, k *testCluster) {
	plain := k.producer(connect.ClientConfig{})
	assert.Error(t, plain.Begin(bounded(t)), "Begin without a transactional id")
	p := k.transactional(unique("tx"))
	require.NoError(t, p.Begin(bounded(t)), "Begin")
	assert.Error(t, p.Begin(bounded(t)), "Begin within a transaction")
	require.NoError(t, p.End(bounded(t), true), "End")
}

func txFences(t testing.TB, k *testCluster) {
	topic, id := k.topic(1), unique("tx")
	first, second := k.transactional(id), k.transactional(id)
	require.NoError(t, first.Begin(bounded(t)), "Begin")
	in(t, first, topic, "of the zombie")
	require.NoError(t, second.Begin(bounded(t)), "Begin of the successor")
	in(t, second, topic, "of the successor")
	assert.ErrorIs(t, first.End(bounded(t), true), connect.ErrFenced, "End of a fenced producer")
	require.NoError(t, second.End(bounded(t), true), "End of the successor")
	assert.Equal(t, []string{"of the successor"}, values(read(t, k.committedReader(topic), 1, 10)))
}

func txFenceProducers(t testing.TB, k *testCluster) {
	topic, id := k.topic(1), unique("tx")
	p := k.transactional(id)
	require.NoError(t, p.Begin(bounded(t)), "Begin")
	in(t, p, topic, "of the zombie")
	require.NoError(t, k.admin().FenceProducers(bounded(t), id, unique("unknown")), "FenceProducers")
	assert.ErrorIs(t, p.End(bounded(t), true), connect.ErrFenced, "End of a fenced producer")
	k.fill(topic, 0, "plain")
	assert.Equal(t, []string{"plain"}, values(read(t, k.committedReader(topic), 1, 10)))
}

func txOffsets(t testing.TB, k *testCluster) {
	topic, group := k.topic(1), unique("group")
	w := newWatch()
	c := k.poller(w, connect.ConsumerConfig{Group: group, Topics: []string{topic}})
	w.await(t, "the assignment", func() bool { return len(c.owned) == 1 })
	p, a := k.transactional(unique("tx")), k.admin()
	for _, x := range []struct {
		offset int64
		commit bool
		want   connect.Offsets
	}{
		{5, false, connect.Offsets{}},
		{7, true, connect.Offsets{tp(topic, 0): 7}},
		{9, false, connect.Offsets{tp(topic, 0): 7}},
	} {
		require.NoError(t, p.Begin(bounded(t)), "Begin")
		require.NoError(t, p.AddOffsets(bounded(t), connect.Offsets{tp(topic, 0): x.offset}, c.Token()), "AddOffsets")
		require.NoError(t, p.End(bounded(t), x.commit), "End")
		assert.Equal(t, x.want, settledOffsets(t, a, group, x.want), "offset %d, committed: %t", x.offset, x.commit)
	}
}

// settledOffsets returns the offsets of a group as soon as they are as wanted, or
// what they are at last. Kafka ends a transaction before its offsets show, and of
// a group without others it does not say that some are pending.
func settledOffsets(t testing.TB, a connect.Admin, group string, want connect.Offsets) connect.Offsets {
	t.Helper()
	ctx := bounded(t)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		found, err := a.GroupOffsets(ctx, group)
		require.NoError(t, err, "GroupOffsets")
		if maps.Equal(found, want) {
			return found
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return found
		}
	}
}
