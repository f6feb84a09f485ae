package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// openClients counts the clients of producers that are open.
func openClients(b *Broker) (n int) {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	for key, all := range b.pool.handles {
		if strings.HasPrefix(key, ProducerClient.String()) {
			n += len(all)
		}
	}
	return n
}

// producersOf opens n equal producers. Who opens them closes them.
func producersOf(t testing.TB, b *Broker, n int, props config.Props) []*producer {
	t.Helper()
	all := make([]*producer, n)
	for i := range all {
		p, err := b.producer(connect.ClientConfig{ClientID: "same", Props: props})
		require.NoError(t, err)
		all[i] = p
	}
	return all
}

func TestEqualProducersShareAClient(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, nil)
	for _, topic := range []string{"t0", "t1", "t2", "t5", "t9"} {
		makeTopic(t, b, topic, 1, nil)
	}
	same := producersOf(t, b, 3, nil)
	other, err := b.producer(connect.ClientConfig{ClientID: "other"})
	require.NoError(t, err)
	assert.Zero(t, openClients(b), "none before the first record")
	for i, p := range same {
		require.NoError(t, sendOne(t, p, message(fmt.Sprint("t", i), "v")).err)
	}
	assert.Equal(t, 1, openClients(b))
	require.NoError(t, sendOne(t, other, message("t9", "v")).err)
	assert.Equal(t, 2, openClients(b), "of another configuration")
	require.NoError(t, sendOne(t, same[1], message("t0", "v")).err)
	assert.Equal(t, 3, openClients(b), "for a topic that another one writes to")
	require.NoError(t, sendOne(t, same[2], message("t0", "v")).err)
	assert.Equal(t, 4, openClients(b))
	require.NoError(t, same[0].Close(bounded(t)))
	require.NoError(t, sendOne(t, same[1], message("t1", "v")).err, "the others go on")
	require.NoError(t, sendOne(t, same[1], message("t5", "v")).err)
	assert.Equal(t, 4, openClients(b), "the one that is shared is still in use")
	for _, p := range append(same[1:], other) {
		require.NoError(t, p.Close(bounded(t)))
	}
	assert.Zero(t, openClients(b))
}

// A producer that gives up takes nothing from those it shares a client with, nor
// from one that writes to its topic after it.
func TestGivingUpLeavesOthersAlone(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, nil)
	makeTopic(t, b, "stuck", 1, nil)
	makeTopic(t, b, "fine", 1, nil)
	p := producersOf(t, b, 3, config.Props{"linger.ms": "0", "retry.backoff.ms": "1", "delivery.timeout.ms": "2147483647"})
	require.NoError(t, sendOne(t, p[1], message("fine", "before")).err)
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "stuck", Err: kerr.NotLeaderForPartition, Count: -1})
	left := newAckBook(10)
	require.NoError(t, p[0].Send(bounded(t), make10("stuck"), left))
	require.Equal(t, 1, openClients(b))

	// Another one writes to the topic at the same time, and waits with it.
	beside := newAckBook(10)
	require.NoError(t, p[2].Send(bounded(t), make10("stuck"), beside))
	require.Equal(t, 2, openClients(b))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p[0].Close(ctx), context.Canceled)
	require.NoError(t, sendOne(t, p[1], message("fine", "after")).err)

	// The topic has a new writer.
	next := producersOf(t, b, 1, config.Props{"linger.ms": "0", "retry.backoff.ms": "1", "delivery.timeout.ms": "2147483647"})[0]
	after := newAckBook(10)
	require.NoError(t, next.Send(bounded(t), make10("stuck"), after))
	assert.NotSame(t, p[1].lanes["fine"], next.lanes["stuck"], "what was given up may still be in the way")
	left.once(t)
	for _, a := range left.last {
		assert.ErrorIs(t, a.err, ErrClosed)
	}
	fault.Remove()
	for _, book := range []*ackBook{beside, after} {
		book.once(t)
		for _, a := range book.last {
			assert.NoError(t, a.err)
		}
	}
	for _, p := range append(p[1:], next) {
		require.NoError(t, p.Close(bounded(t)))
	}
	assert.Zero(t, openClients(b))
}

// What one producer has under way takes no room from another.
func TestBufferMemoryIsNotShared(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, nil)
	makeTopic(t, b, "stuck", 1, nil)
	makeTopic(t, b, "fine", 1, nil)
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "stuck", Err: kerr.NotLeaderForPartition, Count: -1})
	p := producersOf(t, b, 2, config.Props{"linger.ms": "0", "retry.backoff.ms": "1", "buffer.memory": fmt.Sprint(10 * (recordOverhead + 1)), "max.block.ms": "1"})
	book := newAckBook(10)
	require.NoError(t, p[0].Send(bounded(t), make10("stuck"), book))
	assert.ErrorContains(t, sendOne(t, p[0], message("stuck", "x")).err, "max.block.ms")
	assert.NoError(t, sendOne(t, p[1], message("fine", "x")).err)
	assert.Equal(t, 1, openClients(b))
	fault.Remove()
	book.once(t)
	for _, p := range p {
		require.NoError(t, p.Close(bounded(t)))
	}
}

// A Send that has begun before Close takes no client after it, and gives its room
// back.
func TestSendBesideClose(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	p := producersOf(t, b, 1, nil)[0]
	p.leave(t.Context(), false)
	book := newAckBook(10)
	require.ErrorIs(t, p.Send(bounded(t), make10("t"), book), ErrClosed)
	book.once(t)
	assert.True(t, p.room.TryAcquire(p.buffer))
	assert.Zero(t, openClients(b))
	require.NoError(t, p.Close(bounded(t)))
}
