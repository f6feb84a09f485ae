package connecttest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// SinkTopic is the topic that a sink harness reads unless its props name
// others. It has one partition.
const SinkTopic = "topic"

// SinkHarness runs a sink connector on a real Runtime over a Broker in memory.
// Data reach the task as the test made them: the converters of the harness pass
// them by reference. Its methods are for the test's goroutine.
type SinkHarness struct {
	*runner
	// Broker is the cluster: for faults, for more topics, and to look at groups
	// and dead letters.
	Broker *Broker

	faults   *faults
	data     *table
	topics   map[string]bool // that have records
	produced int             // records, in this life of the Runtime
	seen     int             // polled before this life
}

// Sink runs the connector, under Name, until the test ends. props need no
// connector.class; tasks.max is 1 and topics is SinkTopic unless they say
// otherwise. More plugins are those that props name, such as transforms or
// converters. Offsets are committed at short intervals.
func Sink(t testing.TB, plugin connect.Plugin, props config.Props, more ...connect.Plugin) *SinkHarness {
	t.Helper()
	h := &SinkHarness{Broker: NewBroker(), faults: newFaults(), data: &table{}, topics: make(map[string]bool)}
	h.Broker.CreateTopic(SinkTopic, 1)
	props = config.Props{
		"key.converter": passing, "value.converter": passing, "header.converter": passing + "Header",
	}.Merge(props)
	_, byName := props.Get("topics")
	_, byRegex := props.Get("topics.regex")
	if !byName && !byRegex {
		props["topics"] = SinkTopic
	}
	h.runner = newRunner(t, plugin, withFault(props), connect.Options{
		Plugins: slices.Concat(more, h.data.plugins(), []connect.Plugin{h.faults.transform()}), Broker: h.Broker,
		Worker: config.Props{"key.converter": passing, "value.converter": passing},
	})
	h.begin()
	return h
}

// sinkGroup is the connector's consumer group.
const sinkGroup = "connect-" + Name

// Produce appends records to Kafka and returns at once. A record without a
// topic goes to SinkTopic; its partition is the hint, or the partitioner's
// choice.
func (h *SinkHarness) Produce(records ...connect.Record) {
	h.t.Helper()
	for i := range records {
		r := records[i]
		if r.Topic == "" {
			r.Topic = SinkTopic
		}
		require.NoError(h.t, h.Broker.Produce(h.data.message(&r)), "Produce")
		h.topics[r.Topic] = true
	}
	h.produced += len(records)
}

// Put appends records to Kafka (see Produce) and waits until the task's Put has
// taken as many, so that those which transforms drop count too. A task that
// fails meanwhile fails the test. Batches that are offered again may let Put
// return early; Flush waits for the commit.
func (h *SinkHarness) Put(records ...connect.Record) {
	h.t.Helper()
	h.Produce(records...)
	h.awaitOrFail(fmt.Sprintf("%d records to be put", h.produced), func() bool { return h.polled-h.seen >= h.produced })
}

// Flush waits until everything that was produced is committed. A task that
// fails meanwhile fails the test.
func (h *SinkHarness) Flush() {
	h.t.Helper()
	ends, err := (&admin{b: h.Broker}).EndOffsets(bounded(h.t), slices.Collect(maps.Keys(h.topics))...)
	require.NoError(h.t, err, "EndOffsets")
	maps.DeleteFunc(ends, func(_ connect.TopicPartition, end int64) bool { return end == 0 })
	h.awaitOrFail("commits", func() bool {
		committed := h.Broker.Committed(sinkGroup)
		for tp, end := range ends {
			if committed[tp] < end {
				return false
			}
		}
		return true
	})
}

// Committed returns the committed offsets of the connector's group.
func (h *SinkHarness) Committed() connect.Offsets { return h.Broker.Committed(sinkGroup) }

// Restart stops the Runtime as an operator would, and starts another, which
// goes on from the committed offsets.
func (h *SinkHarness) Restart() {
	h.t.Helper()
	h.end()
	h.update(func() { h.seen, h.produced = h.polled, 0 })
	h.begin()
}

// Expel ends the group's sessions: the task loses its partitions without a
// commit, and gets them again.
func (h *SinkHarness) Expel() { h.Broker.Expel(sinkGroup) }

// FailAt makes the n-th record from now fail once with err in the stage
// TRANSFORMATION. Other stages are the plugin's own and fail the test.
func (h *SinkHarness) FailAt(stage connect.Stage, n int, err error) {
	h.t.Helper()
	require.Equal(h.t, connect.StageTransformation, stage, "FailAt: the only stage that a sink harness can make fail")
	h.faults.at(stage, n, err)
}

// FailCommit makes the n-th commit from now fail once with err.
func (h *SinkHarness) FailCommit(n int, err error) {
	h.faults.at(stageCommit, n, err)
	h.Broker.FailCommit(func(string, connect.Offsets) error { return h.faults.pass(stageCommit) })
}

// AwaitFailure waits until the connector or a task is FAILED and returns the
// trace.
func (h *SinkHarness) AwaitFailure() (trace string) { h.t.Helper(); return h.awaitFailure() }

// Status returns the published state of the connector and its tasks.
func (h *SinkHarness) Status() connect.ConnectorStatus { h.t.Helper(); return h.status() }

// Runtime returns the running Runtime. After Restart it is another.
func (h *SinkHarness) Runtime() *connect.Runtime { return h.rt }
