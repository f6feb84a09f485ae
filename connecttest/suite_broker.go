package connecttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// TestBroker shows whether a Broker and its clients keep their contracts. open
// returns a Broker for a cluster that can be shared: topics, groups and ids have
// names of their own.
func TestBroker(t testing.TB, open func(t testing.TB) connect.Broker) {
	cases := slices.Concat(produceCases(), consumeCases(), groupCases(), adminCases())
	runBroker(t, open, cases)
}

// TestTransactions shows whether transactional producers keep their contract:
// atomic, invisible until committed, fenced by their successors.
func TestTransactions(t testing.TB, open func(t testing.TB) connect.Broker) {
	runBroker(t, open, transactionCases())
}

type brokerCase struct {
	name string
	f    func(t testing.TB, k *testCluster)
}

func runBroker(t testing.TB, open func(t testing.TB) connect.Broker, cases []brokerCase) {
	for _, c := range cases {
		run(t, c.name, func(t testing.TB) { c.f(t, &testCluster{t: t, Broker: open(t)}) })
	}
}

// testCluster is the Broker of one case, with helpers that fail the case.
type testCluster struct {
	connect.Broker
	t testing.TB
}

// closeLater closes a client with the case.
func closeLater(t testing.TB, c interface {
	Close(ctx context.Context) error
}) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		assert.NoError(t, c.Close(ctx), "Close")
	})
}

func (k *testCluster) admin() connect.Admin {
	k.t.Helper()
	a, err := k.Admin(bounded(k.t), connect.ClientConfig{ClientID: "suite"})
	require.NoError(k.t, err, "Admin")
	closeLater(k.t, a)
	return a
}

// topic creates a topic.
func (k *testCluster) topic(partitions int) string {
	k.t.Helper()
	name := unique("suite")
	created, err := k.admin().CreateTopics(bounded(k.t), connect.TopicSpec{Name: name, Partitions: partitions, ReplicationFactor: -1})
	require.NoError(k.t, err, "CreateTopics")
	require.Equal(k.t, []string{name}, created, "CreateTopics")
	return name
}

func (k *testCluster) producer(c connect.ClientConfig) connect.Producer {
	k.t.Helper()
	p, err := k.Producer(bounded(k.t), c)
	require.NoError(k.t, err, "Producer")
	closeLater(k.t, p)
	return p
}

func (k *testCluster) consumer(c connect.ConsumerConfig) connect.Consumer {
	k.t.Helper()
	c.Props = config.Props{"auto.offset.reset": "earliest"}.Merge(c.Props)
	x, err := k.Consumer(bounded(k.t), c)
	require.NoError(k.t, err, "Consumer")
	closeLater(k.t, x)
	return x
}

// reader opens a consumer that reads the topic's partitions from the start.
func (k *testCluster) reader(topic string, partitions int) connect.Consumer {
	k.t.Helper()
	assign := make(connect.Offsets)
	for p := range partitions {
		assign[tp(topic, p)] = -1
	}
	return k.consumer(connect.ConsumerConfig{Assign: assign})
}

func tp(topic string, partition int) connect.TopicPartition {
	return connect.TopicPartition{Topic: topic, Partition: int32(partition)}
}

// text makes a message without a key.
func text(topic string, partition int, value string) connect.Message {
	return connect.Message{TopicPartition: tp(topic, partition), Value: []byte(value)}
}

// fill sends values to a partition and waits for their acks.
func (k *testCluster) fill(topic string, partition int, values ...string) {
	k.t.Helper()
	batch := make([]connect.Message, len(values))
	for i, v := range values {
		batch[i] = text(topic, partition, v)
	}
	p := k.producer(connect.ClientConfig{ClientID: "suite"})
	for i, a := range send(k.t, p, batch) {
		require.NoError(k.t, a.err, "ack of %q", values[i])
	}
}

// numbered returns n values with a prefix.
func numbered(prefix string, n int) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprint(prefix, i)
	}
	return values
}

// ack is what Acks heard of one message.
type ack struct {
	at     connect.TopicPartition
	offset int64
	err    error
}

// ackLog is an Acks that waits for all messages of one Send.
type ackLog struct {
	mu    sync.Mutex
	acks  []ack
	times []int
	left  int
	all   chan struct{}
}

func newAckLog(n int) *ackLog {
	l := &ackLog{acks: make([]ack, n), times: make([]int, n), left: n, all: make(chan struct{})}
	if n == 0 {
		close(l.all)
	}
	return l
}

func (l *ackLog) Acked(i int, at connect.TopicPartition, offset int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks[i] = ack{at, offset, err}
	if l.times[i]++; l.times[i] == 1 {
		if l.left--; l.left == 0 {
			close(l.all)
		}
	}
}

// wait returns the acks when there is one for each message.
func (l *ackLog) wait(t testing.TB) []ack {
	t.Helper()
	receive(t, l.all, "an ack of every message")
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.acks)
}

// checkOnce fails if a message was acked more than once so far.
func (l *ackLog) checkOnce(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, n := range l.times {
		assert.Equal(t, 1, n, "acks of message %d", i)
	}
}

func send(t testing.TB, p connect.Producer, batch []connect.Message) []ack {
	t.Helper()
	l := newAckLog(len(batch))
	require.NoError(t, p.Send(bounded(t), batch, l), "Send")
	return l.wait(t)
}

// read polls until there are n messages. It takes at most size at once.
func read(t testing.TB, c connect.Consumer, n, size int) []connect.Message {
	t.Helper()
	ctx := bounded(t)
	into := make([]connect.Message, size)
	var all []connect.Message
	for len(all) < n {
		got, err := c.Poll(ctx, into[:min(size, n-len(all))], connect.Rebalance{})
		require.NoError(t, err, "Poll")
		all = append(all, into[:got]...)
		if ctx.Err() != nil {
			require.Fail(t, "too few messages", "found %d (%q), want %d", len(all), values(all), n)
		}
	}
	return all
}

func values(messages []connect.Message) []string {
	v := make([]string, len(messages))
	for i := range messages {
		v[i] = string(messages[i].Value)
	}
	return v
}
