//go:build integration

package integration

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// A topic that the broker has really compacted has holes: in batches, at the end
// of batches, and batches without a record. A sink passes them all.
func TestCompactedTopic(t *testing.T) {
	kafka := testenv.KafkaWith(t, testenv.KafkaOptions{Properties: []string{"log.cleaner.backoff.ms=200"}})
	bootstrap, topic := kafka.Bootstrap(), unique("compacted")
	makeTopic(t, bootstrap, topic, 1, "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.0",
		"segment.bytes", "1048576", "delete.retention.ms", "0", "min.compaction.lag.ms", "0", "max.compaction.lag.ms", "1")

	// Each writer is a producer of its own, for the broker keeps a producer's last
	// batch, emptied if need be.
	write := func(keys ...string) {
		writer := bare(t, bootstrap, kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0))
		batch := make([]*kgo.Record, len(keys))
		for i, key := range keys {
			batch[i] = &kgo.Record{Key: []byte(key), Value: []byte("value of " + key)}
		}
		require.NoError(t, writer.ProduceSync(within(t), batch...).FirstErr())
	}
	write("a", "b", "c", "d", "e", "f") // b and d are overwritten: holes within
	write("g", "h", "i", "j")           // i and j: the tail is gone
	write("k", "l")                     // both: an empty batch
	write("m")
	write("k", "l", "b", "d", "i", "j")
	fill := bare(t, bootstrap, kgo.DefaultProduceTopic(topic))
	for i := range 30 { // roll the segment: the active one is never compacted
		require.NoError(t, fill.ProduceSync(within(t), &kgo.Record{Key: fmt.Appendf(nil, "fill-%d", i), Value: make([]byte, 60_000)}).FirstErr())
	}

	want := []int64{0, 2, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18}
	eventually(t, func() bool {
		offsets := offsetsOf(t, bootstrap, topic, 19+30)
		return slices.Equal(want, offsets[:min(len(want), len(offsets))])
	}, "the broker to compact the topic")

	basket := newBasket()
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{basket.plugin()}})
	w.put("out", config.Props{"connector.class": "Basket", "topics": topic})
	got := basket.await(t, len(want)+30)
	require.Len(t, got, len(want)+30)
	for i, offset := range want {
		assert.Equal(t, offset, got[i].Origin.Offset)
		assert.Equal(t, "value of "+string(bytesOf(t, got[i].Key)), string(bytesOf(t, got[i].Value)))
	}
	awaitCommitted(t, bootstrap, "connect-out", topic, 0, 19+30)
}

// offsetsOf returns the offsets of all records below an offset.
func offsetsOf(t testing.TB, bootstrap, topic string, end int64) []int64 {
	t.Helper()
	client := bare(t, bootstrap, kgo.ConsumeTopics(topic))
	var offsets []int64
	for len(offsets) == 0 || offsets[len(offsets)-1] < end-1 {
		fetches := client.PollFetches(within(t))
		require.NoError(t, fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) { offsets = append(offsets, r.Offset) })
	}
	return offsets
}
