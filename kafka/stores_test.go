package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// opened opens a store, and closes it with the test.
func opened[S any](t testing.TB, store S) S {
	t.Helper()
	o := any(store).(connect.StoreOpener)
	require.NoError(t, o.OpenStore(bounded(t)))
	t.Cleanup(func() { assert.NoError(t, o.CloseStore(bounded(t))) })
	return store
}

func scan(t testing.TB, s connect.OffsetStore) map[string]string {
	t.Helper()
	found := map[string]string{}
	for kv, err := range s.Scan(bounded(t), nil) {
		require.NoError(t, err)
		found[string(kv.Key)] = string(kv.Value)
	}
	return found
}

func TestOffsetTopicIsMadeAsInJava(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), config.Props{
		"offset.storage.segment.bytes": "1048576", "offset.storage.cleanup.policy": "delete", "offset.storage.topic": "offsets",
	})
	opened(t, b.Offsets("offsets"))
	topics, err := adminOf(t, b).Topics(bounded(t), "offsets")
	require.NoError(t, err)
	info := topics["offsets"]
	assert.Equal(t, 25, info.Partitions)
	assert.Equal(t, 1, info.ReplicationFactor)
	assert.Equal(t, "compact", info.Config["cleanup.policy"], "the worker's setting is dropped")
	assert.Equal(t, "1048576", info.Config["segment.bytes"])
}

// A worker that has used up its time closes its stores all the same.
func TestStoresCloseWithoutTime(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for i, store := range []any{b.Offsets("offsets"), b.Configs("configs"), b.Status("status")} {
		for range 10 { // a select that may go either way would show
			o := store.(connect.StoreOpener)
			require.NoError(t, o.OpenStore(bounded(t)))
			require.NoError(t, o.CloseStore(ended), "store %d", i)
			require.Empty(t, b.pool.handles, "clients of store %d", i)
		}
	}
}

func TestTopicsThatWillNotDo(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	for _, policy := range []string{"delete", "compact,delete"} {
		topic := "offsets-" + policy[:3]
		makeTopic(t, b, topic, 25, map[string]string{"cleanup.policy": policy})
		err := b.Offsets(topic).(connect.StoreOpener).OpenStore(bounded(t))
		assert.ErrorContains(t, err, "cleanup.policy")
		assert.ErrorContains(t, err, fmt.Sprintf("%q", policy))
	}
	makeTopic(t, b, "configs", 2, map[string]string{"cleanup.policy": "compact"})
	err := b.Configs("configs").(connect.StoreOpener).OpenStore(bounded(t))
	assert.ErrorContains(t, err, "2 partitions")
}

// What Java's worker wrote is read, and what is written lands where Java's worker
// would have written it.
func TestOffsetsOfJava(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	makeTopic(t, b, "offsets", 25, map[string]string{"cleanup.policy": "compact"})
	p := producerOf(t, b, nil)
	want := map[string]string{}
	dump := readDump(t, "java-offsets.jsonl")
	for _, d := range dump {
		m := connect.Message{TopicPartition: at("offsets", int(d.Partition)), Key: d.Key, Value: d.Value}
		require.NoError(t, sendOne(t, p, m).err)
		want[string(d.Key)] = string(d.Value)
		if d.Value == nil {
			delete(want, string(d.Key))
		}
	}
	s := opened(t, b.Offsets("offsets"))
	assert.Equal(t, want, scan(t, s))
	require.NoError(t, s.Set(bounded(t), []connect.KV{{Key: dump[0].Key, Value: []byte("new")}}))
	ends, err := adminOf(t, b).EndOffsets(bounded(t), "offsets")
	require.NoError(t, err)
	before := 0
	for _, d := range dump {
		if d.Partition == dump[0].Partition {
			before++
		}
	}
	assert.EqualValues(t, before+1, ends[at("offsets", int(dump[0].Partition))])
	assert.Equal(t, "new", scan(t, s)[string(dump[0].Key)])
}

// Transactions leave markers, and aborted records, that a reader must get past.
func TestOffsetsBehindTransactions(t *testing.T) {
	for _, eos := range []string{"disabled", "enabled"} {
		t.Run(eos, func(t *testing.T) {
			b := brokerOf(t, fakeCluster(t), config.Props{"exactly.once.source.support": eos, "offset.storage.partitions": "1"})
			s := opened(t, b.Offsets("offsets"))
			p, err := b.producer(connect.ClientConfig{TransactionalID: "tx"})
			require.NoError(t, err)
			closeLater(t, p)
			for i, commit := range []bool{true, false} {
				require.NoError(t, p.Begin(bounded(t)))
				book := newAckBook(1)
				kv := connect.KV{Key: fmt.Append(nil, "k", i), Value: []byte("v")}
				require.NoError(t, p.Send(bounded(t), s.(connect.Messenger).Messages([]connect.KV{kv}), book))
				book.once(t)
				require.NoError(t, p.End(bounded(t), commit))
			}
			want := map[string]string{"k0": "v"}
			if eos == "disabled" {
				want["k1"] = "v" // as Java's worker, which reads uncommitted then
			}
			assert.Equal(t, want, scan(t, s))
		})
	}
}

// A log that was emptied to its end is read, too.
func TestOffsetsOfAnEmptiedTopic(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, config.Props{"offset.storage.partitions": "1"})
	s := opened(t, b.Offsets("offsets"))
	require.NoError(t, s.Set(bounded(t), []connect.KV{{Key: []byte("k"), Value: []byte("v")}}))
	require.NoError(t, c.DeleteRecords("offsets", 0, 1))
	again := opened(t, b.Offsets("offsets"))
	assert.Empty(t, scan(t, again))
	require.NoError(t, again.Set(bounded(t), []connect.KV{{Key: []byte("k"), Value: []byte("w")}}))
	assert.Equal(t, map[string]string{"k": "w"}, scan(t, again))
}

// Compaction may take the last records of a log: its end is then beyond all that
// a consumer delivers. The reader asks, and goes on.
func TestGapAtTheEnd(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, config.Props{"offset.storage.partitions": "1"})
	s := opened(t, b.Offsets("offsets"))
	require.NoError(t, s.Set(bounded(t), []connect.KV{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("b"), Value: []byte("2")}}))
	assert.Len(t, scan(t, s), 2)
	const end = 10 // the end that the broker claims, with nothing before it
	claim := func(key kmsg.Key) {
		c.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			resp := r.ResponseKind()
			switch r := r.(type) {
			case *kmsg.ListOffsetsRequest:
				resp := resp.(*kmsg.ListOffsetsResponse)
				resp.Topics = []kmsg.ListOffsetsResponseTopic{{Topic: r.Topics[0].Topic, Partitions: []kmsg.ListOffsetsResponseTopicPartition{
					{Partition: 0, Timestamp: -1, Offset: end, LeaderEpoch: -1},
				}}}
			case *kmsg.FetchRequest:
				if len(r.Topics) == 0 || r.Topics[0].Partitions[0].FetchOffset != 2 || r.SessionEpoch != -1 {
					return nil, nil, false
				}
				resp := resp.(*kmsg.FetchResponse)
				part := kmsg.NewFetchResponseTopicPartition()
				part.HighWatermark, part.LastStableOffset = end, end
				resp.Topics = []kmsg.FetchResponseTopic{{Topic: r.Topics[0].Topic, TopicID: r.Topics[0].TopicID, Partitions: []kmsg.FetchResponseTopicPartition{part}}}
			}
			return resp, nil, true
		})
	}
	claim(kmsg.ListOffsets)
	claim(kmsg.Fetch)
	assert.Equal(t, map[string]string{"a": "1", "b": "2"}, scan(t, s))
	assert.EqualValues(t, end, s.(*offsetStore).reader.c.position[at("offsets", 0)])
}

func TestAfterEmptyBatches(t *testing.T) {
	batch := func(first int64, lastDelta, count uint32) []byte {
		raw := make([]byte, batchHeaderSize)
		binary.BigEndian.PutUint64(raw, uint64(first))
		binary.BigEndian.PutUint32(raw[batchLength:], batchHeaderSize-12)
		raw[batchMagic] = 2
		binary.BigEndian.PutUint32(raw[batchLastDelta:], lastDelta)
		binary.BigEndian.PutUint32(raw[batchCount:], count)
		return raw
	}
	join := func(batches ...[]byte) (all []byte) {
		for _, b := range batches {
			all = append(all, b...)
		}
		return all
	}
	for name, c := range map[string]struct {
		part      kmsg.FetchResponseTopicPartition
		committed bool
		want      int64
	}{
		"nothing":                 {kmsg.FetchResponseTopicPartition{HighWatermark: 9, LastStableOffset: 7}, false, 9},
		"nothing, committed":      {kmsg.FetchResponseTopicPartition{HighWatermark: 9, LastStableOffset: 7}, true, 7},
		"an empty batch":          {kmsg.FetchResponseTopicPartition{RecordBatches: batch(5, 3, 0)}, false, 9},
		"two empty batches":       {kmsg.FetchResponseTopicPartition{RecordBatches: join(batch(5, 0, 0), batch(8, 1, 0))}, false, 10},
		"records":                 {kmsg.FetchResponseTopicPartition{RecordBatches: batch(5, 3, 4)}, false, 5},
		"empty, then records":     {kmsg.FetchResponseTopicPartition{RecordBatches: join(batch(5, 0, 0), batch(6, 0, 1))}, false, 5},
		"a batch that is cut off": {kmsg.FetchResponseTopicPartition{RecordBatches: batch(5, 3, 0)[:60]}, false, 5},
	} {
		got, err := afterEmpty(&c.part, 5, c.committed)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
	_, err := afterEmpty(&kmsg.FetchResponseTopicPartition{ErrorCode: kerr.NotLeaderForPartition.Code}, 5, false)
	assert.ErrorIs(t, err, kerr.NotLeaderForPartition)
}

func FuzzAfterEmpty(f *testing.F) {
	f.Add(make([]byte, 200), int64(7))
	f.Fuzz(func(t *testing.T, raw []byte, at int64) {
		next, err := afterEmpty(&kmsg.FetchResponseTopicPartition{RecordBatches: raw, HighWatermark: at}, at, false)
		if err == nil && next < at {
			t.Errorf("back from %d to %d", at, next)
		}
	})
}

// With several partitions the order is that of each key.
func TestStatusOverPartitions(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	s := opened(t, b.Status("status"))
	const keys, rounds = 20, 5
	for round := range rounds {
		var pairs []connect.KV
		for k := range keys {
			pairs = append(pairs, connect.KV{Key: fmt.Append(nil, "status-task-c-", k), Value: fmt.Append(nil, round)})
		}
		require.NoError(t, s.Append(bounded(t), pairs...))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen, count, offset := map[string]int{}, 0, int64(-1)
	for e, err := range s.Follow(ctx) {
		require.NoError(t, err)
		if e.Key == nil {
			break
		}
		assert.Greater(t, e.Offset, offset)
		offset = e.Offset
		assert.Equal(t, fmt.Sprint(seen[string(e.Key)]), string(e.Value), "the values of one key come in order")
		seen[string(e.Key)]++
		count++
	}
	assert.Equal(t, keys*rounds, count)
}

// The leader's producer has Java's transactional id, and a second leader shuts
// the first one out.
func TestLeaderIsFenced(t *testing.T) {
	c := fakeCluster(t)
	b := brokerOf(t, c, config.Props{"group.id": "workers", "exactly.once.source.support": "preparing"})
	ids := make(chan string, 10)
	c.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if id := r.(*kmsg.InitProducerIDRequest).TransactionalID; id != nil {
			ids <- *id
		}
		return nil, nil, false
	})
	store := opened(t, b.Configs("configs"))
	first, err := store.Lead(bounded(t))
	require.NoError(t, err)
	assert.Equal(t, "connect-cluster-workers", <-ids)
	require.NoError(t, first.Append(bounded(t), connect.KV{Key: []byte("a"), Value: []byte("1")}))
	second, err := store.Lead(bounded(t))
	require.NoError(t, err)
	assert.ErrorIs(t, first.Append(bounded(t), connect.KV{Key: []byte("a"), Value: []byte("2")}), connect.ErrFenced)
	assert.ErrorIs(t, first.Append(bounded(t), connect.KV{Key: []byte("a"), Value: []byte("3")}), connect.ErrFenced, "for good")
	require.NoError(t, second.Append(bounded(t), connect.KV{Key: []byte("a"), Value: []byte("4")}))
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
}

// Two stores of equal topics, one cluster: a connector's own topic.
func TestOwnOffsetTopic(t *testing.T) {
	c := fakeCluster(t, kfake.NumBrokers(2))
	b := brokerOf(t, c, nil)
	s, err := b.OffsetTopic(t.Context(), "own", connect.ClientConfig{ClientID: "connector-consumer-c-0"})
	require.NoError(t, err)
	require.NoError(t, s.Set(bounded(t), []connect.KV{{Key: []byte("k"), Value: []byte("v")}}), "opens with its first use")
	assert.Equal(t, map[string]string{"k": "v"}, scan(t, s))
	require.NoError(t, s.(connect.StoreOpener).CloseStore(bounded(t)))
	assert.ErrorIs(t, s.Set(bounded(t), nil), ErrClosed)
	_, err = b.OffsetTopic(t.Context(), "own", connect.ClientConfig{Props: config.Props{"acks": "1", "isolation.level": "x"}})
	assert.Error(t, err)
}
