package connecttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

func produceCases() []brokerCase {
	return []brokerCase{
		{"carries messages as they are", brokerFidelity},
		{"stamps messages without a time", brokerTime},
		{"keeps order and acks every message once", brokerOrder},
		{"partitions keys as Java does", brokerPartitions},
		{"acks what an ended context leaves behind", brokerSendCancelled},
		{"acks what a closed producer is sent", brokerSendClosed},
		{"is done with a batch at its last ack", brokerReleasesBatch},
	}
}

// brokerFidelity tells null from empty in every place.
func brokerFidelity(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	at := time.UnixMilli(1_700_000_000_123)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	sent := []connect.Message{
		{Key: nil, Value: nil},
		{Key: []byte{}, Value: []byte{}},
		{Key: all, Value: all},
		{Key: []byte("k"), Value: nil, Headers: []connect.RawHeader{
			{Key: "null", Value: nil}, {Key: "empty", Value: []byte{}}, {Key: "twice", Value: []byte("1")},
			{Key: "bytes", Value: all}, {Key: "twice", Value: []byte("2")}, {Key: "", Value: []byte("no key")},
		}},
	}
	for i := range sent {
		sent[i].TopicPartition, sent[i].Time = tp(topic, 0), at
	}
	for i, a := range send(t, k.producer(connect.ClientConfig{}), sent) {
		require.NoError(t, a.err)
		assert.Equal(t, ack{tp(topic, 0), int64(i), nil}, a, "ack of message %d", i)
	}
	for i, m := range read(t, k.reader(topic, 1), len(sent), 2) {
		want := sent[i]
		assert.Equal(t, want.TopicPartition, m.TopicPartition)
		assert.Equal(t, int64(i), m.Offset)
		assertBytes(t, want.Key, m.Key, "key of message %d", i)
		assertBytes(t, want.Value, m.Value, "value of message %d", i)
		assert.True(t, m.Time.Equal(at), "time of message %d: found %v, want %v", i, m.Time, at)
		assert.Equal(t, connect.CreateTime, m.TimeType)
		if assert.Len(t, m.Headers, len(want.Headers), "headers of message %d", i) {
			for j, h := range m.Headers {
				assert.Equal(t, want.Headers[j].Key, h.Key, "header %d of message %d", j, i)
				assertBytes(t, want.Headers[j].Value, h.Value, "header %d (%s) of message %d", j, h.Key, i)
			}
		}
	}
}

// assertBytes tells nil from empty.
func assertBytes(t testing.TB, want, got []byte, format string, args ...any) {
	t.Helper()
	what := fmt.Sprintf(format, args...)
	assert.Equal(t, want == nil, got == nil, "%s: found nil: %t, want nil: %t", what, got == nil, want == nil)
	assert.Equal(t, string(want), string(got), what)
}

func brokerTime(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	before := time.Now().Add(-time.Hour) // clocks of other machines differ
	k.fill(topic, 0, "now")
	m := read(t, k.reader(topic, 1), 1, 1)[0]
	assert.True(t, m.Time.After(before), "found %v, want the present", m.Time)
}

func brokerOrder(t testing.TB, k *testCluster) {
	const partitions, batches, size = 3, 10, 50
	topic := k.topic(partitions)
	p := k.producer(connect.ClientConfig{})
	logs := make([]*ackLog, batches)
	for b := range logs {
		batch := make([]connect.Message, size)
		for i := range batch {
			n := b*size + i
			batch[i] = text(topic, n%partitions, fmt.Sprint(n))
		}
		logs[b] = newAckLog(size)
		require.NoError(t, p.Send(bounded(t), batch, logs[b]), "Send")
	}
	want := make(map[connect.TopicPartition]map[int64]string)
	for b, l := range logs {
		for i, a := range l.wait(t) {
			require.NoError(t, a.err, "ack")
			n := b*size + i
			assert.Equal(t, tp(topic, n%partitions), a.at)
			if want[a.at] == nil {
				want[a.at] = make(map[int64]string)
			}
			want[a.at][a.offset] = fmt.Sprint(n)
		}
	}
	next := make(map[connect.TopicPartition]int64)
	for _, m := range read(t, k.reader(topic, partitions), batches*size, 64) {
		assert.Equal(t, next[m.TopicPartition], m.Offset, "offsets of a partition follow each other")
		next[m.TopicPartition] = m.Offset + 1
		assert.Equal(t, want[m.TopicPartition][m.Offset], string(m.Value), "the ack's offset is the message's")
		assert.Equal(t, fmt.Sprint(m.Offset*partitions+int64(m.Partition)), string(m.Value), "order of partition %d", m.Partition)
	}
	for _, l := range logs {
		l.checkOnce(t)
	}
}

// brokerPartitions uses keys whose partitions were recorded from Java.
func brokerPartitions(t testing.TB, k *testCluster) {
	const partitions = 25
	topic := k.topic(partitions)
	want := map[string]int32{}
	var batch []connect.Message
	for _, key := range []string{"", "a", "ab", "abc", "abcd", "abcde", "\xff\x80", `["local-file-source",{"filename":"/tmp/test.txt"}]`} {
		want[key] = partitionFor([]byte(key), partitions, 0)
		batch = append(batch, connect.Message{TopicPartition: tp(topic, -1), Key: []byte(key)})
	}
	for i := range 10 {
		batch = append(batch, connect.Message{TopicPartition: tp(topic, -1), Value: fmt.Append(nil, i)})
	}
	for i, a := range send(t, k.producer(connect.ClientConfig{}), batch) {
		require.NoError(t, a.err)
		if key := batch[i].Key; key != nil {
			assert.Equal(t, want[string(key)], a.at.Partition, "partition of key %q", key)
		} else {
			assert.True(t, a.at.Partition >= 0 && a.at.Partition < partitions, "partition of a message without a key: %d", a.at.Partition)
		}
	}
}

func brokerSendCancelled(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch := make([]connect.Message, 20)
	for i := range batch {
		batch[i] = text(topic, 0, fmt.Sprint(i))
	}
	p := k.producer(connect.ClientConfig{})
	l := newAckLog(len(batch))
	err := p.Send(ctx, batch, l)
	for i, a := range l.wait(t) {
		assert.True(t, a.err == nil || err != nil, "message %d failed (%v), but Send did not", i, a.err)
	}
	l.checkOnce(t)
	for _, a := range send(t, p, batch[:1]) {
		assert.NoError(t, a.err, "the producer goes on")
	}
}

func brokerSendClosed(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	p, err := k.Producer(bounded(t), connect.ClientConfig{})
	require.NoError(t, err)
	send(t, p, []connect.Message{text(topic, 0, "before")})
	require.NoError(t, p.Close(bounded(t)), "Close")
	l := newAckLog(3)
	assert.Error(t, p.Send(bounded(t), []connect.Message{text(topic, 0, "a"), text(topic, 0, "b"), text(topic, 0, "c")}, l), "Send of a closed producer")
	for _, a := range l.wait(t) {
		assert.Error(t, a.err, "ack of a message to a closed producer")
	}
	l.checkOnce(t)
	assert.Equal(t, []string{"before"}, values(read(t, k.reader(topic, 1), 1, 1)))
}

// brokerReleasesBatch overwrites the slice as soon as Send has returned, and what
// its messages refer to as soon as they are acked.
func brokerReleasesBatch(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	p := k.producer(connect.ClientConfig{})
	batch, buffer := make([]connect.Message, 10), make([]byte, 0, 100)
	const rounds = 20
	for r := range rounds {
		buffer = buffer[:0]
		for i := range batch {
			start := len(buffer)
			buffer = fmt.Appendf(buffer, "%02d-%02d", r, i)
			batch[i] = connect.Message{TopicPartition: tp(topic, 0), Value: buffer[start:len(buffer):len(buffer)]}
		}
		l := newAckLog(len(batch))
		require.NoError(t, p.Send(bounded(t), batch, l), "Send")
		for i := range batch {
			batch[i] = text("no such topic", 0, "!")
		}
		for i, a := range l.wait(t) {
			require.NoError(t, a.err)
			require.Equal(t, tp(topic, 0), a.at, "ack of message %d", i)
		}
		for i := range buffer {
			buffer[i] = '!'
		}
	}
	for n, v := range values(read(t, k.reader(topic, 1), rounds*len(batch), 64)) {
		assert.Equal(t, fmt.Sprintf("%02d-%02d", n/len(batch), n%len(batch)), v)
	}
}
