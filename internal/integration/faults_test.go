//go:build integration

package integration

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// flow is a source and a sink on one topic, in one Runtime, while servers fail.
// Records are numbered, and each number belongs to the partition n % partitions.
type flow struct {
	t          testing.TB
	worker     *worker
	feed       *feed
	basket     *basket
	bootstrap  string
	topic      string
	partitions int
	mu         sync.Mutex
	given      int
	stopped    chan struct{}
	end        context.CancelFunc
}

func newFlow(t testing.TB, bootstrap string, partitions int) *flow {
	t.Helper()
	return &flow{
		t: t, feed: newFeed(), basket: newBasket(), bootstrap: bootstrap, topic: unique("flow"), partitions: partitions,
	}
}

// start starts the Runtime with both connectors.
func (f *flow) start() {
	f.t.Helper()
	f.worker = startWorker(f.t, f.bootstrap, workerOptions{
		plugins: []connect.Plugin{f.feed.plugin(), f.basket.plugin()},
		props: config.Props{
			"producer.request.timeout.ms": "3000", "consumer.request.timeout.ms": "3000",
			"task.shutdown.graceful.timeout.ms": "4000",
		},
	})
	f.worker.putOnly("in", config.Props{"connector.class": "Feed"})
	f.worker.putOnly("out", config.Props{"connector.class": "Basket", "topics": f.topic})
}

// give hands n more records to the source.
func (f *flow) give(n int) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	records := make([]connect.Record, n)
	for i := range records {
		number := f.given + i
		records[i] = connect.Record{
			Topic: f.topic, Partition: connect.On(int32(number % f.partitions)), Value: bytesDatum(strconv.AppendInt(nil, int64(number), 10)),
		}
	}
	f.given += n
	f.feed.add(records...)
}

// pour gives records steadily until drain is called.
func (f *flow) pour() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	f.end, f.stopped = cancel, make(chan struct{})
	f.t.Cleanup(cancel)
	go func() {
		defer close(f.stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			f.give(50)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
}

func (f *flow) drain() {
	f.end()
	<-f.stopped
}

// arrived waits until the sink has every record given so far.
func (f *flow) arrived() {
	f.t.Helper()
	f.basket.await(f.t, f.total())
}

// total is the number of records given so far.
func (f *flow) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.given
}

// progress waits until the sink has n records more than now.
func (f *flow) progress(n int) {
	f.t.Helper()
	f.basket.await(f.t, len(f.basket.got())+n)
}

// check holds the topic, as the foreign client sees it, against what was given:
// all of it, once, in order. The sink has the same, except that with redelivery
// it may have been sent back to what was committed.
func (f *flow) check(redelivery bool) {
	f.t.Helper()
	f.arrived()
	found := newWitness(f.t, f.bootstrap).read(f.topic, f.partitions, f.given)
	require.Len(f.t, found, f.given, "records in the topic: none lost, none twice")
	next := make([]int, f.partitions)
	for p := range next {
		next[p] = p
	}
	for _, s := range found {
		require.Equal(f.t, strconv.Itoa(next[s.Partition]), string(s.Value), "order in partition %d", s.Partition)
		next[s.Partition] += f.partitions
	}
	offsets := make([]int64, f.partitions)
	eventually(f.t, func() bool {
		clear(offsets)
		total := int64(0)
		for _, r := range f.basket.got() {
			p, at := r.Origin.Partition, r.Origin.Offset
			if redelivery {
				require.LessOrEqual(f.t, at, offsets[p], "the sink left records of partition %d out", p)
			} else {
				require.Equal(f.t, offsets[p], at, "the sink's order in partition %d", p)
			}
			offsets[p] = at + 1
		}
		for _, n := range offsets {
			total += n
		}
		return total == int64(f.given)
	}, "the sink to be at the end of the topic")
}

// assertNoneFailed wants everything to be up.
func (f *flow) assertNoneFailed() {
	f.t.Helper()
	for _, name := range []string{"in", "out"} {
		s, err := f.worker.Status(within(f.t), name)
		require.NoError(f.t, err)
		assert.Equal(f.t, cluster.Running, s.Connector.State, "%s: %s", name, s.Connector.Trace)
		for id, task := range s.Tasks {
			assert.Equal(f.t, cluster.Running, task.State, "task %d of %s: %s", id, name, task.Trace)
		}
	}
}

// Leaders die and come back in mid-flow: nothing is lost, doubled or out of order.
func TestLeadersChangeInMidFlow(t *testing.T) {
	nodes := testenv.KafkaNodes(t, 3)
	f := newFlow(t, nodes.Bootstrap(), 3)
	makeTopic(t, nodes.Bootstrap(), f.topic, 3, "min.insync.replicas", "2")
	f.start()
	f.worker.awaitRunning("in")
	f.worker.awaitRunning("out")
	f.pour()
	f.progress(500)
	for round, end := range []func(*testenv.Node){(*testenv.Node).Kill, (*testenv.Node).Stop} {
		node := nodes.Node(leaderOf(t, f.bootstrap, f.topic, round))
		end(node)
		f.progress(1000)
		node.Start()
		f.progress(500)
	}
	f.drain()
	f.check(false)
	f.assertNoneFailed()
}

func leaderOf(t testing.TB, bootstrap, topic string, partition int) int {
	t.Helper()
	topics, err := kadm.NewClient(bare(t, bootstrap)).ListTopics(within(t), topic)
	require.NoError(t, err)
	return int(topics[topic].Partitions[int32(partition)].Leader)
}

// A broker that is not there when the Runtime starts, goes away in mid-flow and
// when the Runtime ends: the Runtime stays up, goes on by itself, and ends in
// its grace.
func TestBrokerComesAndGoes(t *testing.T) {
	kafka := testenv.KafkaWith(t, testenv.KafkaOptions{Proxied: true})
	proxy := kafka.Node(0).Proxy()
	f := newFlow(t, kafka.Bootstrap(), 1)
	makeTopic(t, kafka.Bootstrap(), f.topic, 1)

	proxy.Break()
	f.start()
	f.give(100)
	f.worker.awaitRunning("in")
	f.worker.awaitRunning("out")
	assert.Empty(t, f.basket.got())
	require.NoError(t, proxy.Restore())
	f.arrived()

	t.Log("in mid-flow: connections cut, refused, silent")
	f.pour()
	for _, fault := range []func(){proxy.CloseAll, proxy.Break, proxy.Stall} {
		f.progress(200)
		fault()
		f.give(500)
		require.NoError(t, proxy.Restore())
		f.progress(500)
	}
	f.drain()
	f.check(false)
	f.assertNoneFailed()

	t.Log("at the end")
	f.give(1)
	f.arrived()
	proxy.Break()
	f.give(100)
	took := f.worker.stop()
	assert.Less(t, took, 15*time.Second, "shutdown of 4 s of grace")
	t.Logf("shutdown without a broker took %v", took.Round(time.Millisecond))
}

// A broker that restarts on its data, all there is of the cluster. The sink's
// client gives its membership up while it finds no coordinator, so records come
// again that were not committed; none is left out.
func TestBrokerRestarts(t *testing.T) {
	kafka := testenv.KafkaNodes(t, 1)
	f := newFlow(t, kafka.Bootstrap(), 2)
	makeTopic(t, kafka.Bootstrap(), f.topic, 2)
	f.start()
	f.pour()
	for _, end := range []func(){kafka.Node(0).Stop, kafka.Node(0).Kill} {
		f.progress(500)
		end()
		f.assertNoneFailed()
		kafka.Node(0).Start()
	}
	f.progress(500)
	f.drain()
	f.check(true)
	f.assertNoneFailed()
}
