//go:build integration

package integration

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	foreign "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/testenv"
)

// bytesDatum is a datum of the ByteArrayConverter; nil is null.
func bytesDatum(b []byte) connect.Datum {
	if b == nil {
		return connect.Datum{Schema: data.OptionalBytesSchema}
	}
	return connect.Datum{Schema: data.OptionalBytesSchema, Value: data.Bytes(b)}
}

func bytesOf(t testing.TB, d connect.Datum) []byte {
	t.Helper()
	if d.Value.IsNull() {
		return nil
	}
	b, ok := d.Value.Bytes()
	require.True(t, ok, "%v", d.Value)
	if b == nil {
		b = []byte{}
	}
	return b
}

// letter is a record as both sides must agree on it. Nil is null.
type letter struct {
	key, value []byte
	headers    []foreign.Header
	time       time.Time
}

// letters are records of every shape that Kafka has.
func letters() []letter {
	at := func(ms int64) time.Time { return time.UnixMilli(1_700_000_000_000 + ms) }
	return []letter{
		{key: []byte("k"), value: []byte("v"), time: at(0)},
		{key: []byte("tombstone"), value: nil, time: at(1)},
		{key: []byte("empty value"), value: []byte{}, time: at(1_000)},
		{key: []byte{}, value: []byte("empty key"), time: at(2_000)},
		{key: nil, value: []byte("no key"), time: at(3_000)},
		{key: nil, value: nil, time: at(4_000)},
		{key: []byte{}, value: []byte{}, time: at(5_000)},
		{key: []byte{0, 0xff, 0xfe}, value: []byte{0xc3, 0x28, 0}, time: at(6_000)},
		{key: []byte("headers"), value: []byte("v"), time: at(7_000), headers: []foreign.Header{
			{Key: "a", Value: []byte("1")}, {Key: "null", Value: nil}, {Key: "empty", Value: []byte{}}, {Key: "a", Value: []byte("again")}, {Key: "", Value: []byte("no name")},
		}},
	}
}

func (l *letter) record(topic string) connect.Record {
	r := connect.Record{Topic: topic, Partition: connect.On(0), Key: bytesDatum(l.key), Value: bytesDatum(l.value), Timestamp: l.time}
	for _, h := range l.headers {
		r.Headers = append(r.Headers, connect.Header{Key: h.Key, Datum: bytesDatum(h.Value)})
	}
	return r
}

func (l *letter) foreign() foreign.Record {
	r := foreign.Record{Time: l.time, Headers: l.headers}
	if l.key != nil {
		r.Key = foreign.NewBytes(l.key)
	}
	if l.value != nil {
		r.Value = foreign.NewBytes(l.value)
	}
	return r
}

// assertHeaders compares headers; assert tells nil from empty within slices.
func assertHeaders(t testing.TB, want, got []foreign.Header) {
	t.Helper()
	if assert.Len(t, got, len(want)) {
		for i := range want {
			assert.Equal(t, want[i].Key, got[i].Key)
			assert.Equal(t, want[i].Value, got[i].Value, "header %d (%q), null apart from empty", i, want[i].Key)
		}
	}
}

// What our source writes, the foreign client reads: nulls apart from empty,
// timestamps, headers, order.
func TestForeignClientReadsOurSource(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	topic, feed := unique("ours"), newFeed()
	makeTopic(t, bootstrap, topic, 1)
	all := letters()
	for i := range all {
		feed.add(all[i].record(topic))
	}
	startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}}).
		put("ours", config.Props{"connector.class": "Feed"})
	found := newWitness(t, bootstrap).read(topic, 1, len(all))
	require.Len(t, found, len(all))
	for i, want := range all {
		assert.Equal(t, want.key, found[i].Key, "key of %d", i)
		assert.Equal(t, want.value, found[i].Value, "value of %d", i)
		assert.Equal(t, want.time.UnixMilli(), found[i].Time.UnixMilli(), "time of %d", i)
		assertHeaders(t, want.headers, found[i].Headers)
		assert.EqualValues(t, i, found[i].Offset)
	}
}

// What the foreign client writes, our sink is given.
func TestOurSinkReadsForeignClient(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	topic, basket := unique("theirs"), newBasket()
	makeTopic(t, bootstrap, topic, 1)
	all := letters()
	var records []foreign.Record
	for i := range all {
		records = append(records, all[i].foreign())
	}
	newWitness(t, bootstrap).write(topic, 0, 0, records...)
	startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{basket.plugin()}}).
		put("theirs", config.Props{"connector.class": "Basket", "topics": topic})
	found := basket.await(t, len(all))
	require.Len(t, found, len(all))
	for i, want := range all {
		got := &found[i]
		assert.Equal(t, want.key, bytesOf(t, got.Key), "key of %d", i)
		assert.Equal(t, want.value, bytesOf(t, got.Value), "value of %d", i)
		assert.Equal(t, want.time.UnixMilli(), got.Timestamp.UnixMilli(), "time of %d", i)
		assert.Equal(t, connect.CreateTime, got.Origin.TimestampType)
		assert.Equal(t, connect.TopicPartition{Topic: topic}, got.Origin.TopicPartition)
		assert.EqualValues(t, i, got.Origin.Offset)
		var headers []foreign.Header
		for _, h := range got.Headers {
			headers = append(headers, foreign.Header{Key: h.Key, Value: bytesOf(t, h.Datum)})
		}
		assertHeaders(t, want.headers, headers)
	}
}

// A broker that stamps records itself: the sink has its time and knows whose it is.
func TestLogAppendTime(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	topic, feed, basket := unique("stamped"), newFeed(), newBasket()
	makeTopic(t, bootstrap, topic, 1, "message.timestamp.type", "LogAppendTime")
	begin := time.Now()
	feed.add(connect.Record{Topic: topic, Value: bytesDatum([]byte("v")), Timestamp: time.UnixMilli(1_000)})
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin(), basket.plugin()}})
	w.put("in", config.Props{"connector.class": "Feed"})
	w.put("out", config.Props{"connector.class": "Basket", "topics": topic})
	got := basket.await(t, 1)[0]
	assert.Equal(t, connect.LogAppendTime, got.Origin.TimestampType)
	assert.GreaterOrEqual(t, got.Timestamp.UnixMilli(), begin.UnixMilli())
}

// Keys go where Java's partitioner puts them, and keep their order there.
func TestKeysGoToJavasPartitions(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	topic, feed := unique("keys"), newFeed()
	const partitions, keys, rounds = 7, 200, 3
	makeTopic(t, bootstrap, topic, partitions)
	key := func(i int) []byte { return fmt.Appendf(nil, "key-%d-%s", i, bytes.Repeat([]byte("é"), i%5)) }
	for n := range keys * rounds {
		feed.add(connect.Record{Topic: topic, Key: bytesDatum(key(n % keys)), Value: bytesDatum(strconv.AppendInt(nil, int64(n), 10))})
	}
	startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}}).
		put("keys", config.Props{"connector.class": "Feed"})
	found := newWitness(t, bootstrap).read(topic, partitions, keys*rounds)
	require.Len(t, found, keys*rounds)
	java := foreign.Murmur2Balancer{Consistent: true}
	ids := []int{0, 1, 2, 3, 4, 5, 6}
	last := map[int]int{}
	for _, s := range found {
		assert.Equal(t, java.Balance(foreign.Message{Key: s.Key}, ids...), s.Partition, "partition of key %q", s.Key)
		n, err := strconv.Atoi(string(s.Value))
		require.NoError(t, err)
		assert.Greater(t, n+1, last[s.Partition], "order in partition %d", s.Partition)
		last[s.Partition] = n + 1
	}
	assert.Len(t, last, partitions, "every partition has records")
}

// compressions are those of Kafka, by the name of the producer's key.
var compressions = []struct {
	name    string
	foreign foreign.Compression
	attr    uint8
}{{"gzip", foreign.Gzip, 1}, {"snappy", foreign.Snappy, 2}, {"lz4", foreign.Lz4, 3}, {"zstd", foreign.Zstd, 4}}

// Batches are compressed as asked for, and understood on the other side, both ways.
func TestCompression(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	const n = 300
	value := func(i int) []byte { return fmt.Appendf(bytes.Repeat([]byte("much of the same "), 20), "%d", i) }
	for _, c := range compressions {
		t.Run(c.name, func(t *testing.T) {
			w := newWitness(t, bootstrap)
			ours, theirs := unique("ours-"+c.name), unique("theirs-"+c.name)
			makeTopic(t, bootstrap, ours, 1)
			makeTopic(t, bootstrap, theirs, 1)
			feed, basket := newFeed(), newBasket()
			var records []foreign.Record
			var mine []connect.Record
			for i := range n {
				mine = append(mine, connect.Record{Topic: ours, Value: bytesDatum(value(i))})
				records = append(records, foreign.Record{Value: foreign.NewBytes(value(i))})
			}
			feed.add(mine...)
			w.write(theirs, 0, c.foreign, records...)
			rt := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin(), basket.plugin()}})
			rt.put("source", config.Props{"connector.class": "Feed", "producer.override.compression.type": c.name})
			rt.put("sink", config.Props{"connector.class": "Basket", "topics": theirs})
			for i, s := range w.read(ours, 1, n) {
				require.Equal(t, value(i), s.Value)
			}
			for i, r := range basket.await(t, n) {
				require.Equal(t, value(i), bytesOf(t, r.Value))
			}
			assert.Equal(t, []uint8{c.attr}, compressionOf(t, bootstrap, ours, n), "what our batches are")
			assert.Equal(t, []uint8{c.attr}, compressionOf(t, bootstrap, theirs, n), "what their batches are")
		})
	}
}

// compressionOf returns how the batches of the first n records are compressed.
func compressionOf(t testing.TB, bootstrap, topic string, n int) []uint8 {
	t.Helper()
	client := bare(t, bootstrap, kgo.ConsumeTopics(topic))
	var kinds []uint8
	for n > 0 {
		fetches := client.PollFetches(within(t))
		require.NoError(t, fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			n--
			if k := r.Attrs.CompressionType(); !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		})
	}
	return kinds
}

// A record of a megabyte passes where client and topic allow it; one that is too
// large fails the task with the key to turn.
func TestLargeRecords(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	topic, feed, basket := unique("large"), newFeed(), newBasket()
	makeTopic(t, bootstrap, topic, 1, "max.message.bytes", "2097152")
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin(), basket.plugin()}})
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	feed.add(connect.Record{Topic: topic, Value: bytesDatum(large)})
	w.put("in", config.Props{"connector.class": "Feed", "producer.override.max.request.size": "2097152"})
	w.put("out", config.Props{"connector.class": "Basket", "topics": topic})
	got := basket.await(t, 1)
	require.True(t, bytes.Equal(large, bytesOf(t, got[0].Value)), "the megabyte is whole")
	found := newWitness(t, bootstrap).read(topic, 1, 1)
	require.True(t, bytes.Equal(large, found[0].Value), "for the foreign client, too")

	t.Run("client's limit", func(t *testing.T) {
		feed := newFeed()
		feed.add(connect.Record{Topic: topic, Value: bytesDatum(large)})
		w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}})
		w.putOnly("in", config.Props{"connector.class": "Feed"})
		trace := w.awaitFailed("in")
		assert.Contains(t, trace, "max.request.size")
		assert.Contains(t, trace, topic)
	})
	t.Run("topic's limit", func(t *testing.T) {
		small, feed := unique("small"), newFeed()
		makeTopic(t, bootstrap, small, 1, "max.message.bytes", "1000")
		feed.add(connect.Record{Topic: small, Value: bytesDatum(large[:5000])})
		w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}})
		w.putOnly("in", config.Props{"connector.class": "Feed"})
		trace := w.awaitFailed("in")
		assert.Contains(t, trace, "MESSAGE_TOO_LARGE")
		assert.Contains(t, trace, small)
	})
	t.Run("tolerated", func(t *testing.T) {
		feed := newFeed()
		feed.add(connect.Record{Topic: topic, Value: bytesDatum(large)}, connect.Record{Topic: topic, Value: bytesDatum([]byte("after it"))})
		w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}})
		w.put("in", config.Props{"connector.class": "Feed", "errors.tolerance": "all"})
		found := newWitness(t, bootstrap).read(topic, 1, 2)
		assert.Equal(t, "after it", string(found[1].Value))
		s, err := w.Status(within(t), "in")
		require.NoError(t, err)
		assert.Equal(t, cluster.Running, s.Tasks[0].State)
	})
}

// Records of aborted transactions are for those who ask for them: the default of
// sinks, as in Java, is to read everything.
func TestAbortedTransactions(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	topic := unique("aborted")
	makeTopic(t, bootstrap, topic, 1)
	writer := bare(t, bootstrap, kgo.TransactionalID(unique("writer")), kgo.DefaultProduceTopic(topic))
	for i := range 6 {
		require.NoError(t, writer.BeginTransaction())
		for j := range 3 {
			require.NoError(t, writer.ProduceSync(within(t), kgo.StringRecord(fmt.Sprintf("%d.%d", i, j))).FirstErr())
		}
		require.NoError(t, writer.EndTransaction(within(t), kgo.TransactionEndTry(i%2 == 0)))
	}
	for _, c := range []struct {
		isolation string
		committed int64 // after the last record that is seen; a marker ends each transaction
		want      []string
	}{
		{"read_committed", 19, []string{"0.0", "0.1", "0.2", "2.0", "2.1", "2.2", "4.0", "4.1", "4.2"}},
		{"", 23, []string{"0.0", "0.1", "0.2", "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "5.0", "5.1", "5.2"}},
	} {
		t.Run("isolation "+c.isolation, func(t *testing.T) {
			basket, props := newBasket(), config.Props{"connector.class": "Basket", "topics": topic}
			if c.isolation != "" {
				props["consumer.override.isolation.level"] = c.isolation
			}
			w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{basket.plugin()}})
			name := unique("reader")
			w.put(name, props)
			var got []string
			for _, r := range basket.await(t, len(c.want)) {
				got = append(got, string(bytesOf(t, r.Value)))
			}
			assert.Equal(t, c.want, got)
			awaitCommitted(t, bootstrap, "connect-"+name, topic, 0, c.committed)
		})
	}
}
