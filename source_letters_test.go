package connect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/deadletter"
)

// feed is a source that returns the given records, in one poll.
func feed(records ...connect.SourceRecord) connect.Plugin {
	return connecttest.SourcePlugin("Feed", func(config.Props) connecttest.SourceTask {
		first := true
		return connecttest.SourceTask{PollFunc: func(context.Context) ([]connect.SourceRecord, error) {
			if first {
				first = false
				return records, nil
			}
			return nil, connect.ErrDone
		}}
	})
}

func sourceProps(more config.Props) config.Props {
	return config.Props{
		"connector.class": "Feed", "errors.tolerance": "all",
		"streamlane.errors.deadletterqueue.topic.name": "dlq", "streamlane.errors.deadletterqueue.topic.replication.factor": "1",
	}.Merge(more)
}

func numbered(n int64, r connect.Record) connect.SourceRecord {
	return connect.SourceRecord{
		Record: r, SourcePartition: connect.PartitionOf(data.E("file", data.String("x"))), SourceOffset: connect.SourceOffset{data.E("n", data.Int64(n))},
	}
}

func text(s string) connect.Datum {
	return connect.Datum{Schema: data.StringSchema, Value: data.String(s)}
}

// breaking is a transform that makes another record of each, and fails on one.
func breaking() connect.Plugin {
	return connecttest.TransformPlugin("Breaking", func(config.Props) connecttest.Transform {
		return connecttest.Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) {
			s, _ := r.Value.Value.Str()
			r.Topic, r.Key = "elsewhere", connect.Datum{}
			if s == "bad transform" {
				return false, &data.Error{Message: "boom"}
			}
			return true, nil
		}}
	})
}

// Records of a source that fail in any stage have letters: as Poll returned them,
// in JSON that Java's JsonConverter reads, or as the bytes that Kafka refused.
func TestSourceDeadLettersOfEveryStage(t *testing.T) {
	misfit, err := data.NewStruct(data.StructBuilder().Field("a", data.Int32Schema).MustBuild())
	require.NoError(t, err)
	misfit.Set(0, data.String("no number"))
	at := time.UnixMilli(1_700_000_000_456)
	records := []connect.SourceRecord{
		numbered(1, connect.Record{Topic: "t", Key: text("k"), Value: text("bad transform"), Timestamp: at, Partition: connect.On(0), Headers: []connect.Header{
			{Key: "h", Datum: connect.Datum{Schema: data.Int32Schema, Value: data.Int32(7)}}, {Key: "null"},
		}}),
		numbered(2, connect.Record{Topic: "t", Key: text("k"), Value: connect.Datum{Schema: misfit.Schema(), Value: data.StructOf(misfit)}}),
		numbered(3, connect.Record{Topic: "t", Key: text("k"), Value: text("refused")}),
		numbered(4, connect.Record{Topic: "t", Value: text("good")}),
		{Record: connect.Record{Topic: "t", Value: text("bad transform")}}, // of no source partition
	}
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, feed(records...), breaking())
		defer w.stop()
		w.broker.FailProduce(func(m connect.Message) error {
			if m.Topic == "elsewhere" && strings.Contains(string(m.Value), "refused") {
				return errTooLarge
			}
			return nil
		})
		w.put(t, "c", sourceProps(config.Props{"value.converter": "JsonConverter", "transforms": "b", "transforms.b.type": "Breaking", "errors.log.enable": "true", "errors.log.include.messages": "true"}))
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Len(t, w.broker.Messages("elsewhere"), 1)
		letters := make(map[string]connect.Message)
		for _, m := range w.broker.Messages("dlq") {
			c := contextOf(t, m)
			letters[c.Stage+" "+c.Source.Offset] = m
			assert.Equal(t, []any{"c", 0, (*int64)(nil)}, []any{c.Connector, c.Task, c.Offset})
		}
		require.Len(t, letters, 4)

		m := letters[`TRANSFORMATION {"n":1}`]
		c := contextOf(t, m)
		assert.Equal(t, `{"schema":{"type":"string","optional":false},"payload":"k"}`, string(m.Key))
		assert.Equal(t, `{"schema":{"type":"string","optional":false},"payload":"bad transform"}`, string(m.Value))
		assert.Equal(t, at.UnixMilli(), m.Time.UnixMilli())
		assert.Equal(t, []string{`h={"schema":{"type":"int32","optional":false},"payload":7}`, "null=<null>"}, headerTexts(m.Headers)[:2])
		assert.Equal(t, []any{"t", int32(0), "Breaking", "org.apache.kafka.connect.errors.DataException", "boom"}, []any{*c.Topic, *c.Partition, c.Class, c.Exception, *c.Message})
		assert.Equal(t, &deadletter.Source{Partition: `{"file":"x"}`, Offset: `{"n":1}`}, c.Source)

		m = letters[`VALUE_CONVERTER {"n":2}`]
		c = contextOf(t, m)
		assert.Equal(t, `{"schema":{"type":"string","optional":false},"payload":"Struct{a=no number}"}`, string(m.Value), "the text of what has no JSON")
		assert.Equal(t, "value", c.Source.Text)
		assert.Equal(t, "t", *c.Topic, "the record is the one before its transforms")
		assert.Equal(t, `{"schema":{"type":"string","optional":false},"payload":"k"}`, string(m.Key))
		assert.Equal(t, "org.apache.kafka.connect.json.JsonConverter", c.Class)

		m = letters[`KAFKA_PRODUCE {"n":3}`]
		c = contextOf(t, m)
		assert.Equal(t, `{"schema":{"type":"string","optional":false},"payload":"refused"}`, string(m.Value), "as it was sent")
		assert.Nil(t, m.Key)
		assert.Equal(t, []string{"elsewhere", "org.apache.kafka.connect.runtime.WorkerSourceTask", errTooLarge.Error()}, []string{*c.Topic, c.Class, *c.Message})

		assert.Equal(t, "null", contextOf(t, letters["TRANSFORMATION null"]).Source.Partition)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		offsets, err := w.Offsets(t.Context(), "c")
		require.NoError(t, err)
		assert.Equal(t, map[connect.SourcePartition]connect.SourceOffset{records[0].SourcePartition: records[3].SourceOffset}, offsets)
		assert.Equal(t, connect.ErrorCounts{Failures: 4, Errors: 3, Skipped: 3, Logged: 4, Letters: 4}, w.events.counts)
		assert.Contains(t, w.log.String(), `value="bad transform"`)
		assert.Equal(t, "7", w.broker.client(t, "connector-dlq-producer-c-0").Props["linger.ms"])
	})
}

// A record that the task could not make has a letter too, in its place among the
// others; an offset without a record is committed behind what came before it.
func TestSourceRecordsThatWereNotMade(t *testing.T) {
	records := []connect.SourceRecord{
		numbered(1, connect.Record{Topic: "t", Value: text("good")}),
		numbered(2, connect.Record{Topic: "t", Key: text("k"), Value: text("<half a record")}),
		numbered(3, connect.Record{Topic: "t", Value: text("good")}),
		numbered(4, connect.Record{}),
	}
	records[1].Err = &data.Error{Message: "no end of record"}
	records[3].OffsetOnly = true
	for tolerance, want := range map[string]struct {
		sent, letters int
		offset        connect.SourceOffset
		state         cluster.State
	}{"all": {2, 1, records[3].SourceOffset, cluster.Running}, "none": {1, 1, records[0].SourceOffset, cluster.Failed}} {
		t.Run(tolerance, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newLettersWorld(t, feed(records...))
				defer w.stop()
				w.put(t, "c", sourceProps(config.Props{"errors.tolerance": tolerance}))
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				assert.Len(t, w.broker.Messages("t"), want.sent)
				letters := w.broker.Messages("dlq")
				require.Len(t, letters, want.letters)
				c := contextOf(t, letters[0])
				assert.Equal(t, `{"schema":{"type":"string","optional":false},"payload":"<half a record"}`, string(letters[0].Value))
				assert.Equal(t, []string{"TASK_POLL", "Feed", "no end of record", `{"n":2}`}, []string{c.Stage, c.Class, *c.Message, c.Source.Offset})
				offsets, err := w.Offsets(t.Context(), "c")
				require.NoError(t, err)
				assert.Equal(t, map[connect.SourcePartition]connect.SourceOffset{records[0].SourcePartition: want.offset}, offsets)
				status, err := w.Status(t.Context(), "c")
				require.NoError(t, err)
				assert.Equal(t, want.state, status.Tasks[0].State)
			})
		})
	}
}

// A source that has nothing but offsets to tell commits them.
func TestSourceOffsetsWithoutRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := numbered(1, connect.Record{})
		first.OffsetOnly = true
		w := newLettersWorld(t, feed(first))
		defer w.stop()
		w.put(t, "c", sourceProps(nil))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		offsets, err := w.Offsets(t.Context(), "c")
		require.NoError(t, err)
		assert.Equal(t, map[connect.SourcePartition]connect.SourceOffset{first.SourcePartition: first.SourceOffset}, offsets)
		assert.Empty(t, w.broker.Messages("dlq"))
	})
}

func TestSourceDeadLettersWithoutHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, feed(numbered(1, connect.Record{Topic: "t", Value: text("bad transform")})), breaking())
		defer w.stop()
		w.put(t, "c", sourceProps(config.Props{"transforms": "b", "transforms.b.type": "Breaking", "streamlane.errors.deadletterqueue.context.headers.enable": "false"}))
		time.Sleep(time.Second)
		synctest.Wait()
		letters := w.broker.Messages("dlq")
		require.Len(t, letters, 1)
		assert.Empty(t, letters[0].Headers)
	})
}

// Java's own keys mean nothing for a source, and nothing is written without ours.
func TestSourceDeadLettersAreOffByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, feed(numbered(1, connect.Record{Topic: "t", Value: text("bad transform")})), breaking())
		defer w.stop()
		w.put(t, "c", config.Props{
			"connector.class": "Feed", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq",
			"transforms": "b", "transforms.b.type": "Breaking",
		})
		time.Sleep(15 * time.Second)
		synctest.Wait()
		assert.Empty(t, w.broker.Messages("dlq"))
		offsets, err := w.Offsets(t.Context(), "c")
		require.NoError(t, err)
		assert.Len(t, offsets, 1)
	})
}

// What dead letters of sources need and do not find is said before anything runs.
func TestSourceDeadLettersAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		options connect.Options
		want    string
	}{
		"no broker":    {connect.Options{Plugins: append(converters.All(), feed()), Receiver: connect.ReceiverFunc(func(context.Context, []connect.SourceRecord) error { return nil })}, "no Broker"},
		"no converter": {connect.Options{Plugins: []connect.Plugin{feed()}, Broker: connecttest.NewBroker()}, "JsonConverter"},
	} {
		t.Run(name, func(t *testing.T) {
			rt, err := connect.New(tt.options)
			require.NoError(t, err)
			res, err := rt.Validate(t.Context(), sourceProps(config.Props{"name": "c"}))
			require.NoError(t, err)
			require.Equal(t, 1, res.ErrorCount)
			assert.Contains(t, res.Find("streamlane.errors.deadletterqueue.topic.name").Value.Errors[0], tt.want)
		})
	}
}

// A letter that is refused fails the task; the offset stays before its record.
func TestSourceDeadLetterThatIsRefused(t *testing.T) {
	for name, value := range map[string]string{"of a transform": "bad transform", "of what Kafka refused": "refused"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newLettersWorld(t, feed(
					numbered(1, connect.Record{Topic: "t", Value: text("good")}), numbered(2, connect.Record{Topic: "t", Value: text(value)}),
					numbered(3, connect.Record{Topic: "t", Value: text("good")}),
				), breaking())
				defer w.stop()
				w.broker.FailProduce(func(m connect.Message) error {
					if m.Topic == "dlq" || strings.Contains(string(m.Value), "refused") {
						return errTooLarge
					}
					return nil
				})
				w.put(t, "c", sourceProps(config.Props{"transforms": "b", "transforms.b.type": "Breaking"}))
				time.Sleep(15 * time.Second)
				s := w.status(t, "c").Tasks[0]
				require.Equal(t, cluster.Failed, s.State)
				assert.Contains(t, s.Trace, `to topic "dlq": MESSAGE_TOO_LARGE`)
				offsets, err := w.Offsets(t.Context(), "c")
				require.NoError(t, err)
				for _, o := range offsets {
					n, _ := o.Int("n")
					assert.EqualValues(t, 1, n)
				}
			})
		})
	}
}

// slowLetters is a cluster whose producers of dead letters are late, and lose a
// letter now and then.
type slowLetters struct {
	*connecttest.Broker
	mu      sync.Mutex
	rand    *rand.Rand
	calm    bool
	written map[int64]bool // by n of the source offset
	t       *testing.T
}

func (b *slowLetters) Producer(ctx context.Context, c connect.ClientConfig) (connect.Producer, error) {
	p, err := b.Broker.Producer(ctx, c)
	if strings.HasPrefix(c.ClientID, "connector-dlq-producer-") {
		return &lateProducer{p, b}, err
	}
	return p, err
}

type lateProducer struct {
	connect.Producer
	b *slowLetters
}

func (p *lateProducer) Send(ctx context.Context, batch []connect.Message, acks connect.Acks) error {
	p.b.mu.Lock()
	delay := time.Duration(p.b.rand.IntN(4000)) * time.Millisecond
	lost := !p.b.calm && p.b.rand.IntN(60) == 0
	p.b.mu.Unlock()
	batch = slices.Clone(batch)
	time.AfterFunc(delay, func() {
		if lost {
			acks.Acked(0, connect.TopicPartition{}, -1, errors.New("lost"))
			return
		}
		c := contextOf(p.b.t, batch[0])
		n := sourceNumber(p.b.t, []byte(c.Source.Offset))
		if c.Stage == "KAFKA_PRODUCE" {
			assert.Equal(p.b.t, strconv.FormatInt(n, 10), string(batch[0].Value), "the letter has bytes of its own")
		}
		p.b.mu.Lock()
		p.b.written[n] = true
		p.b.mu.Unlock()
		_ = p.Producer.Send(ctx, batch, acks)
	})
	return nil
}

func sourceNumber(t *testing.T, offset []byte) int64 {
	var o struct{ N int64 }
	assert.NoError(t, json.Unmarshal(offset, &o), "%s", offset)
	return o.N
}

// checkedOffsets refuses offsets behind a letter that is not written.
type checkedOffsets struct {
	*connect.MemoryOffsets
	b *slowLetters
}

// badNumber says which records fail: in the transform, in the converter, or at
// the broker.
func badNumber(n int64) bool { return n%5 == 1 || n%5 == 2 || n%5 == 3 }

func (s checkedOffsets) Set(ctx context.Context, pairs []connect.KV) error {
	s.b.mu.Lock()
	for _, kv := range pairs {
		last := sourceNumber(s.b.t, kv.Value)
		for n := last - (last-1)%100; n <= last; n++ { // of the same source partition
			if badNumber(n) && !s.b.written[n] {
				s.b.t.Errorf("commit of %d: the letter of %d is not written", last, n)
			}
		}
	}
	s.b.mu.Unlock()
	return s.MemoryOffsets.Set(ctx, pairs)
}

// No source offset is committed while the letter of a record before it is
// outstanding or lost.
func TestSourceCommitsBehindItsLetters(t *testing.T) {
	for seed := range uint64(30) {
		ok := t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { sourceLettersInterleaving(t, rand.New(rand.NewPCG(seed, 3))) })
		})
		if !ok {
			return
		}
	}
}

// bursts is a source of three partitions with a hundred records each, which come
// in batches of random size, mixed.
func bursts(random *rand.Rand) connect.Plugin {
	var mu sync.Mutex
	return connecttest.SourcePlugin("Feed", func(config.Props) connecttest.SourceTask {
		var next [3]int64
		part := func(p int) connect.SourcePartition { return connect.PartitionOf(data.E("p", data.Int64(int64(p)))) }
		return connecttest.SourceTask{
			StartFunc: func(ctx context.Context, c connect.SourceContext) error {
				offsets, err := c.Offsets(ctx, part(0), part(1), part(2))
				for p := range next {
					next[p] = int64(100*p) + 1
					if err == nil && offsets[p] != nil {
						next[p], _ = offsets[p].Int("n")
						next[p]++
					}
				}
				return err
			},
			PollFunc: func(ctx context.Context) (batch []connect.SourceRecord, _ error) {
				mu.Lock()
				pause, size := time.Duration(random.IntN(800))*time.Millisecond, 1+random.IntN(20)
				mu.Unlock()
				select {
				case <-time.After(pause):
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				for i := range size {
					p := i % 3
					if next[p] > int64(100*p)+100 {
						continue
					}
					r := numbered(next[p], connect.Record{Topic: "t", Value: text(fmt.Sprint(next[p]))})
					r.SourcePartition = part(p)
					batch = append(batch, r)
					next[p]++
				}
				return batch, nil
			},
		}
	})
}

// sourceLettersInterleaving runs in a bubble.
func sourceLettersInterleaving(t *testing.T, random *rand.Rand) {
	number := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n % 5 }
	fails := connecttest.TransformPlugin("Fails", func(config.Props) connecttest.Transform {
		return connecttest.Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) {
			if s, _ := r.Value.Value.Str(); number(s) == 1 {
				return false, errors.New("transform")
			}
			return true, nil
		}}
	})
	converter := connecttest.ConverterPlugin("Picky", func(config.Props) connecttest.Converter {
		return connecttest.Converter{AppendEncodeFunc: func(_ context.Context, dst []byte, _ *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			s, _ := d.Value.Str()
			if number(s) == 2 {
				return dst, false, errors.New("converter")
			}
			return append(dst, s...), false, nil
		}}
	})
	b := &slowLetters{Broker: connecttest.NewBroker(), rand: rand.New(rand.NewPCG(random.Uint64(), 1)), written: make(map[int64]bool), t: t}
	b.FailProduce(func(m connect.Message) error {
		if m.Topic == "t" && number(string(m.Value)) == 3 {
			return errTooLarge
		}
		return nil
	})
	store := checkedOffsets{connect.NewMemoryOffsets(), b}
	rt, err := connect.New(connect.Options{
		Plugins: append(converters.All(), bursts(random), fails, converter), Broker: b, Offsets: store, Logger: slog.New(slog.DiscardHandler),
		Worker: config.Props{"key.converter": "StringConverter", "value.converter": "Picky", "offset.flush.interval.ms": "500"},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- rt.Run(ctx) }()
	_, err = rt.PutConnector(t.Context(), "c", sourceProps(config.Props{"transforms": "f", "transforms.f.type": "Fails"}))
	require.NoError(t, err)
	for second := range 120 {
		time.Sleep(time.Second)
		synctest.Wait()
		if second == 60 {
			b.mu.Lock()
			b.calm = true
			b.mu.Unlock()
		}
		if s, err := rt.Status(t.Context(), "c"); err == nil && s.Tasks[0].State == cluster.Failed {
			require.Contains(t, s.Tasks[0].Trace, "lost")
			require.NoError(t, rt.RestartTask(t.Context(), cluster.TaskID{Connector: "c"}))
		}
	}
	cancel()
	require.NoError(t, <-ran)
	b.mu.Lock()
	defer b.mu.Unlock()
	for n := int64(1); n <= 300; n++ {
		require.Equal(t, badNumber(n), b.written[n], "letter of %d", n)
	}
	pairs := 0
	for kv, err := range store.Scan(t.Context(), nil) {
		require.NoError(t, err)
		assert.Zero(t, sourceNumber(t, kv.Value)%100, "the end of each source partition is committed: %s", kv.Value)
		pairs++
	}
	assert.Equal(t, 3, pairs)
}
