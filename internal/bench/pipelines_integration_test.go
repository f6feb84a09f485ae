//go:build integration

package bench

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect/config"
)

// BenchmarkSource compares GeneratorSource with a producer.
func BenchmarkSource(b *testing.B) {
	topic, rt := makeTopic(b), startRuntime(b)
	pipeline := func() {
		name := unique("make")
		_, err := rt.PutConnector(within(b), name, config.Props{
			"connector.class": "GeneratorSource", "topic": topic, "mode": "bytes", "size": strconv.Itoa(size),
			"batch": strconv.Itoa(batch), "records": strconv.Itoa(records),
		})
		require.NoError(b, err)
		await(b, "the offset of the last record", func(ctx context.Context) bool {
			offsets, err := rt.Offsets(ctx, name)
			require.NoError(b, err)
			for _, o := range offsets {
				n, _ := o.Int("n")
				return n == records
			}
			return false
		})
		remove(b, rt, name)
	}
	compare(b, pipeline, func() { produce(b, topic) })
}

// produce is what the pipeline is measured by: batches of records from a reused
// slice, with the settings of the pipeline's producer.
func produce(b *testing.B, topic string) {
	b.Helper()
	client := bare(b,
		kgo.DefaultProduceTopic(topic),
		kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(1<<20),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(16384, true, true, nil)),
		kgo.MaxBufferedBytes(32<<20),
		kgo.MaxBufferedRecords(1<<30),
	)
	defer client.Close()
	values := make([]byte, batch*size)
	for i := range values {
		values[i] = byte(i * 7)
	}
	failed := make(chan error, 1)
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	}
	ctx := within(b)
	for range records / batch {
		slab := make([]kgo.Record, batch)
		for i := range slab {
			slab[i].Value = values[i*size : (i+1)*size : (i+1)*size]
			client.Produce(ctx, &slab[i], promise)
		}
	}
	require.NoError(b, client.Flush(ctx))
	require.Empty(b, failed)
}

// BenchmarkSink compares NullSink with a consumer.
func BenchmarkSink(b *testing.B) {
	topic, rt := makeTopic(b), startRuntime(b)
	produce(b, topic)
	pipeline := func() {
		name, done := unique("drop"), filepath.Join(b.TempDir(), "done.json")
		_, err := rt.PutConnector(within(b), name, config.Props{
			"connector.class": "NullSink", "topics": topic, "records": strconv.Itoa(records), "done.file": done,
		})
		require.NoError(b, err)
		await(b, "the last record", func(context.Context) bool {
			_, err := os.Stat(done)
			return err == nil
		})
		remove(b, rt, name)
	}
	compare(b, pipeline, func() { consume(b, topic) })
}

// consume is what the pipeline is measured by: a member of a group that polls
// with the settings of the pipeline's consumer.
func consume(b *testing.B, topic string) {
	b.Helper()
	client := bare(b,
		kgo.ConsumeTopics(topic), kgo.ConsumerGroup(unique("bare")), kgo.DisableAutoCommit(),
		kgo.Balancers(kgo.RangeBalancer(), kgo.CooperativeStickyBalancer()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(50<<20), kgo.FetchMaxPartitionBytes(1<<20), kgo.FetchMinBytes(1),
	)
	ctx := within(b)
	seen, total := 0, 0
	for seen < records {
		fetches := client.PollRecords(ctx, batch)
		require.NoError(b, fetches.Err0())
		for it := fetches.RecordIter(); !it.Done(); seen++ {
			total += len(it.Next().Value)
		}
	}
	client.Close()
	require.Equal(b, records*size, total)
}
