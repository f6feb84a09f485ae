package kafka

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
)

// The benchmarks set the adapter against the bare client, in one run, on a broker
// in this process that stores nothing, or on BENCH_KAFKA=host:port. One operation
// is one record of 100 bytes; batches are of 500.
const benchBatch = 500

func benchBroker(b *testing.B, opts ...kfake.Opt) *Broker {
	b.Helper()
	if address := os.Getenv("BENCH_KAFKA"); address != "" {
		return newBroker(b, address, nil)
	}
	return brokerOf(b, fakeCluster(b, opts...), nil)
}

func benchMessages(topic string) []connect.Message {
	msgs := make([]connect.Message, benchBatch)
	for i := range msgs {
		msgs[i] = connect.Message{TopicPartition: at(topic, i%6), Value: []byte(strings.Repeat("x", 100))}
	}
	return msgs
}

// countAcks counts acks of many batches.
type countAcks struct{ wg sync.WaitGroup }

func (c *countAcks) Acked(_ int, _ connect.TopicPartition, _ int64, err error) {
	if err != nil {
		panic(err)
	}
	c.wg.Done()
}

func BenchmarkSend(b *testing.B) {
	br := benchBroker(b, kfake.BlackholeProduce())
	makeTopic(b, br, "bench-send", 6, nil)
	b.Run("adapter", func(b *testing.B) { benchSend(b, br) })
	b.Run("bare", func(b *testing.B) {
		r, err := br.resolve(ProducerClient, connect.ClientConfig{ClientID: "test"})
		require.NoError(b, err)
		opts := append(r.opts, r.producer.options(&r.settings)...)
		client, err := kgo.NewClient(append(opts, kgo.MaxBufferedRecords(50_000), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
		require.NoError(b, err)
		defer client.Close()
		value := []byte(strings.Repeat("x", 100))
		var wg sync.WaitGroup
		promise := func(_ *kgo.Record, err error) {
			if err != nil {
				panic(err)
			}
			wg.Done()
		}
		b.ReportAllocs()
		b.ResetTimer()
		wg.Add(b.N)
		for i := range b.N {
			client.Produce(context.Background(), &kgo.Record{Topic: "bench-send", Partition: int32(i % 6), Value: value}, promise)
		}
		wg.Wait()
	})
}

func BenchmarkPoll(b *testing.B) {
	br := benchBroker(b, kfake.SyntheticFetch(kfake.SyntheticBatch{}))
	makeTopic(b, br, "bench-poll", 6, nil)
	b.Run("adapter", func(b *testing.B) { benchPoll(b, br) })
	b.Run("bare", func(b *testing.B) {
		c := readerOf(b, br, "bench-poll", 6, nil)
		client, err := kgo.NewClient(c.opts...)
		require.NoError(b, err)
		defer client.Close()
		client.PollRecords(b.Context(), 1)
		b.ReportAllocs()
		b.ResetTimer()
		var bytes int
		for done := 0; done < b.N; {
			for r := range client.PollRecords(b.Context(), benchBatch).RecordsAll() {
				bytes += len(r.Key) + len(r.Value) + len(r.Headers) // whoever polls looks at the records
				done++
			}
		}
		require.NotZero(b, bytes)
	})
}

func benchSend(b *testing.B, br *Broker) {
	p := producerOf(b, br, nil)
	msgs := benchMessages("bench-send")
	var acks countAcks
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += benchBatch {
		n := min(benchBatch, b.N-done)
		acks.wg.Add(n)
		require.NoError(b, p.Send(context.Background(), msgs[:n], &acks))
	}
	acks.wg.Wait()
}

func benchPoll(b *testing.B, br *Broker) {
	c := readerOf(b, br, "bench-poll", 6, nil)
	into := make([]connect.Message, benchBatch)
	pollN(b, c, 1)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		n, err := c.Poll(context.Background(), into, connect.Rebalance{})
		require.NoError(b, err)
		done += n
	}
}
