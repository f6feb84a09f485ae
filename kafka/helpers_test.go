package kafka

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// fakeCluster starts a broker in this process. Topics are created when asked for.
func fakeCluster(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// brokerOf returns a Broker for the cluster, with worker keys.
func brokerOf(t testing.TB, c *kfake.Cluster, worker config.Props) *Broker {
	t.Helper()
	return newBroker(t, strings.Join(c.ListenAddrs(), ","), worker)
}

// newBroker returns a Broker for the brokers at addresses.
func newBroker(t testing.TB, addresses string, worker config.Props) *Broker {
	t.Helper()
	b, err := New(Options{
		Worker: config.Props{"bootstrap.servers": addresses, "offset.storage.replication.factor": "1",
			"config.storage.replication.factor": "1", "status.storage.replication.factor": "1"}.Merge(worker),
		Logger: testLogger(t),
	})
	require.NoError(t, err)
	return b
}

// testLogger keeps the library quiet, for a broker's log is of no use in most
// failures.
func testLogger(testing.TB) *slog.Logger { return slog.New(slog.DiscardHandler) }

// patience bounds what should come at once: a failing test ends.
const patience = 30 * time.Second

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// closeLater closes a client with the test.
func closeLater(t testing.TB, c interface{ Close(context.Context) error }) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func producerOf(t testing.TB, b *Broker, props config.Props) *producer {
	t.Helper()
	p, err := b.producer(connect.ClientConfig{ClientID: "test", Props: props})
	require.NoError(t, err)
	closeLater(t, p)
	return p
}

func adminOf(t testing.TB, b *Broker) *admin {
	t.Helper()
	a, err := b.admin(connect.ClientConfig{ClientID: "test"})
	require.NoError(t, err)
	closeLater(t, a)
	return a
}

// readerOf opens a consumer of all partitions of a topic, from the start.
func readerOf(t testing.TB, b *Broker, topic string, partitions int, props config.Props) *consumer {
	t.Helper()
	assign := connect.Offsets{}
	for p := range partitions {
		assign[at(topic, p)] = -1
	}
	c, err := b.consumer(connect.ConsumerConfig{ClientConfig: connect.ClientConfig{ClientID: "test", Props: props}, Assign: assign})
	require.NoError(t, err)
	closeLater(t, c)
	return c
}

func at(topic string, partition int) connect.TopicPartition {
	return connect.TopicPartition{Topic: topic, Partition: int32(partition)}
}

func makeTopic(t testing.TB, b *Broker, name string, partitions int, settings map[string]string) {
	t.Helper()
	_, err := adminOf(t, b).CreateTopics(bounded(t), connect.TopicSpec{Name: name, Partitions: partitions, ReplicationFactor: 1, Config: settings})
	require.NoError(t, err)
}

// pollN polls until there are n messages.
func pollN(t testing.TB, c connect.Consumer, n int) []connect.Message {
	t.Helper()
	ctx := bounded(t)
	var all []connect.Message
	into := make([]connect.Message, 500)
	for len(all) < n {
		got, err := c.Poll(ctx, into, connect.Rebalance{})
		require.NoError(t, err)
		require.NoError(t, ctx.Err(), "found %d messages, want %d", len(all), n)
		all = append(all, into[:got]...)
	}
	return all
}
