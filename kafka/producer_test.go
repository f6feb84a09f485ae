package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

type ack struct {
	at     connect.TopicPartition
	offset int64
	err    error
}

// ackBook counts the acks of each message of one Send.
type ackBook struct {
	mu    sync.Mutex
	count []int
	last  []ack
	left  int
	all   chan struct{}
}

func newAckBook(n int) *ackBook {
	return &ackBook{count: make([]int, n), last: make([]ack, n), left: n, all: make(chan struct{})}
}

func (b *ackBook) Acked(i int, at connect.TopicPartition, offset int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count[i]++
	b.last[i] = ack{at, offset, err}
	if b.left--; b.left == 0 {
		close(b.all)
	}
}

// wait waits for as many acks as there are messages.
func (b *ackBook) wait(t testing.TB) {
	t.Helper()
	select {
	case <-b.all:
	case <-bounded(t).Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Fail(t, "acks are missing", "%d of %d", b.left, len(b.count))
	}
}

// once checks that there was one ack for each message.
func (b *ackBook) once(t testing.TB) {
	t.Helper()
	b.wait(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, n := range b.count {
		require.Equal(t, 1, n, "acks of message %d", i)
	}
}

func sendOne(t testing.TB, p connect.Producer, m connect.Message) ack {
	t.Helper()
	b := newAckBook(1)
	_ = p.Send(bounded(t), []connect.Message{m}, b)
	b.once(t)
	return b.last[0]
}

func message(topic string, value string) connect.Message {
	return connect.Message{TopicPartition: connect.TopicPartition{Topic: topic, Partition: -1}, Value: []byte(value)}
}

// Buffers may be used again after the last ack: what was sent is what arrives,
// however often the leader changes, requests fail and answers get lost.
func TestBuffersCanBeReused(t *testing.T) {
	c := fakeCluster(t, kfake.NumBrokers(3))
	b := brokerOf(t, c, nil)
	makeTopic(t, b, "topic", 3, nil)
	lossy(t, c)
	p := producerOf(t, b, config.Props{"linger.ms": "1", "retry.backoff.ms": "1", "retry.backoff.max.ms": "10"})
	const batches, size = 60, 100
	free := make(chan []byte, 4)
	for range cap(free) {
		free <- make([]byte, 0, size*40)
	}
	var wg sync.WaitGroup
	for n := range batches {
		arena := <-free
		msgs := make([]connect.Message, size)
		for i := range msgs {
			start := len(arena)
			arena = fmt.Appendf(arena, "value %d of batch %d", i, n)
			msgs[i] = connect.Message{TopicPartition: at("topic", i%3), Value: arena[start:len(arena):len(arena)]}
		}
		book := newAckBook(size)
		require.NoError(t, p.Send(bounded(t), msgs, book))
		wg.Go(func() {
			book.wait(t)
			for i := range arena {
				arena[i] = '!'
			}
			free <- arena[:0]
		})
	}
	wg.Wait()
	seen := map[string]int{}
	for _, m := range pollN(t, readerOf(t, b, "topic", 3, nil), batches*size) {
		seen[string(m.Value)]++
	}
	for n := range batches {
		for i := range size {
			assert.Equal(t, 1, seen[fmt.Sprintf("value %d of batch %d", i, n)], "value %d of batch %d", i, n)
		}
	}
}

// lossy makes a cluster lose acks, refuse requests and move leaders.
func lossy(t testing.TB, c *kfake.Cluster) {
	var n atomic.Int64
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		switch n.Add(1) % 7 {
		case 3:
			return nil, errors.New("connection is cut"), true
		case 5:
			c.ShufflePartitionLeaders()
		}
		return nil, nil, false
	})
	h := c.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 5},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 5},
	)
	t.Cleanup(h.Remove)
}

func TestEveryMessageIsAckedOnce(t *testing.T) {
	for _, idempotent := range []string{"true", "false"} {
		t.Run("idempotence "+idempotent, func(t *testing.T) {
			c := fakeCluster(t, kfake.NumBrokers(3))
			b := brokerOf(t, c, nil)
			makeTopic(t, b, "topic", 3, nil)
			lossy(t, c)
			p := producerOf(t, b, config.Props{"enable.idempotence": idempotent, "retry.backoff.ms": "1", "retry.backoff.max.ms": "10"})
			var books []*ackBook
			for range 40 {
				msgs := make([]connect.Message, 50)
				for i := range msgs {
					msgs[i] = message("topic", "v")
				}
				msgs[9].Partition = 99 // fails by itself
				book := newAckBook(len(msgs))
				books = append(books, book)
				require.NoError(t, p.Send(bounded(t), msgs, book))
			}
			for _, book := range books {
				book.once(t)
				for i, a := range book.last {
					if i == 9 {
						assert.Error(t, a.err)
						assert.EqualValues(t, -1, a.offset)
						continue
					}
					assert.NoError(t, a.err)
					assert.GreaterOrEqual(t, a.offset, int64(0))
				}
			}
		})
	}
}

// unreachable is an address at which nobody listens.
const unreachable = "127.0.0.1:1"

func TestCloseFailsWhatIsLeft(t *testing.T) {
	b := newBroker(t, unreachable, nil)
	p, err := b.producer(connect.ClientConfig{})
	require.NoError(t, err)
	book := newAckBook(10)
	require.NoError(t, p.Send(bounded(t), make10("topic"), book))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, p.Close(ctx), context.Canceled)
	book.once(t)
	for _, a := range book.last {
		assert.ErrorIs(t, a.err, ErrClosed)
	}
	late := newAckBook(10)
	assert.ErrorIs(t, p.Send(bounded(t), make10("topic"), late), ErrClosed)
	late.once(t)
	assert.NoError(t, p.Close(ctx), "twice")
}

func make10(topic string) []connect.Message {
	msgs := make([]connect.Message, 10)
	for i := range msgs {
		msgs[i] = message(topic, fmt.Sprint(i))
	}
	return msgs
}

func TestSendWaitsForRoom(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, nil)
	makeTopic(t, b, "topic", 1, nil)
	hold := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-hold })
		return nil, nil, false
	})
	const buffer = 3*recordOverhead + 10
	p := producerOf(t, b, config.Props{"buffer.memory": strconv.FormatInt(buffer, 10), "max.block.ms": "9223372036854775807", "linger.ms": "0"})
	first := newAckBook(1)
	require.NoError(t, p.Send(bounded(t), []connect.Message{message("topic", "12345678")}, first))

	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	second := newAckBook(3)
	err := p.Send(ctx, []connect.Message{message("topic", "12"), message("topic", "123"), message("topic", "4")}, second)
	assert.ErrorIs(t, err, stopped, "there is no room for all of them")

	third := newAckBook(2)
	sent := make(chan error, 1)
	go func() {
		sent <- p.Send(bounded(t), []connect.Message{message("topic", "123456789"), message("topic", strings.Repeat("x", int(buffer)+1))}, third)
	}()
	close(hold)
	require.NoError(t, <-sent)
	first.once(t)
	second.once(t)
	third.once(t)
	assert.NoError(t, errors.Join(first.last[0].err, third.last[0].err))
	for i := range second.last {
		assert.ErrorIs(t, second.last[i].err, stopped)
	}
	assert.ErrorIs(t, third.last[1].err, kerr.MessageTooLarge, "more than buffer.memory")

	// A buffer smaller than what a record costs takes one at a time.
	blocked := producerOf(t, b, config.Props{"buffer.memory": "10", "max.block.ms": "1"})
	full := newAckBook(1)
	require.NoError(t, blocked.room.Acquire(t.Context(), 10))
	err = blocked.Send(bounded(t), []connect.Message{message("topic", "1")}, full)
	assert.ErrorContains(t, err, "max.block.ms")
	_, again := connect.RetryAfter(err)
	assert.True(t, again, "as Java's BufferExhaustedException is retriable")
	full.once(t)
	blocked.room.Release(10)
}

// An old timestamp does not make a message late.
func TestDeliveryTimeoutIsFromSend(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, nil)
	makeTopic(t, b, "topic", 1, nil)
	p := producerOf(t, b, config.Props{"delivery.timeout.ms": "10000"})
	old := message("topic", "old")
	old.Time = time.UnixMilli(1)
	assert.NoError(t, sendOne(t, p, old).err)

	down := producerOf(t, newBroker(t, unreachable, nil), config.Props{"delivery.timeout.ms": "50"})
	err := sendOne(t, down, message("topic", "late")).err
	assert.ErrorContains(t, err, "delivery.timeout.ms")
	_, again := connect.RetryAfter(err)
	assert.True(t, again, "as Java's TimeoutException is retriable")
}

func TestMessageLargerThanMaxRequestSize(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	makeTopic(t, b, "topic", 1, nil)
	p := producerOf(t, b, config.Props{"max.request.size": "1000"})
	book := newAckBook(2)
	big := message("topic", string(bytes.Repeat([]byte("x"), 2000)))
	require.NoError(t, p.Send(bounded(t), []connect.Message{big, message("topic", "small")}, book))
	book.once(t)
	assert.ErrorIs(t, book.last[0].err, kerr.MessageTooLarge)
	assert.NoError(t, book.last[1].err)
}

func TestAcksAsInJava(t *testing.T) {
	for acks, want := range map[string]struct {
		offset     int64
		acks       int16
		idempotent bool
	}{
		"all": {0, -1, true}, "-1": {0, -1, true}, "1": {0, 1, false}, "0": {-1, 0, false},
	} {
		t.Run("acks="+acks, func(t *testing.T) {
			c := fakeCluster(t)
			b := brokerOf(t, c, nil)
			makeTopic(t, b, "topic", 1, nil)
			seen := make(chan *kmsg.ProduceRequest, 10)
			c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				seen <- r.(*kmsg.ProduceRequest)
				return nil, nil, false
			})
			a := sendOne(t, producerOf(t, b, config.Props{"acks": acks}), message("topic", "v"))
			require.NoError(t, a.err)
			assert.Equal(t, want.offset, a.offset)
			req := <-seen
			assert.Equal(t, want.acks, req.Acks)
			var batch kmsg.RecordBatch
			require.NoError(t, batch.ReadFrom(req.Topics[0].Partitions[0].Records))
			assert.Equal(t, want.idempotent, batch.ProducerID >= 0, "producer id %d", batch.ProducerID)
			assert.Zero(t, batch.Attributes&7, "no compression unless asked for")
		})
	}
}

func TestCompressions(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	value := string(bytes.Repeat([]byte("compress me "), 500))
	for _, props := range []config.Props{
		{"compression.type": "none"},
		{"compression.type": "gzip"}, {"compression.type": "gzip", "compression.gzip.level": "9"},
		{"compression.type": "snappy"},
		{"compression.type": "lz4"}, {"compression.type": "lz4", "compression.lz4.level": "17"},
		{"compression.type": "zstd"}, {"compression.type": "zstd", "compression.zstd.level": "-5"}, {"compression.type": "zstd", "compression.zstd.level": "22"},
	} {
		topic := fmt.Sprintf("topic-%d", len(props.String()))
		makeTopic(t, b, topic, 1, nil)
		require.NoError(t, sendOne(t, producerOf(t, b, props), message(topic, value)).err, "%v", props)
		assert.Equal(t, value, string(pollN(t, readerOf(t, b, topic, 1, nil), 1)[0].Value), "%v", props)
	}
}
