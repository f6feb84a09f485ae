package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

func TestSinkWholeLife(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b := tpOf("t", 0), tpOf("t", 1)
		r.consumer.assign(a, b)
		r.consumer.produce(a, 3)
		task := r.preCommitSink()
		r.start(task)
		r.consumer.produce(b, 2)
		r.sleep(time.Second)
		require.NoError(t, r.stop())
		assert.Equal(t, []string{
			"start", "RUNNING",
			"open t-0 t-1", "resume t-0 t-1",
			"put t-0@0..2",
			"put t-1@0..1",
			"precommit t-0=3 t-1=2", "commit t-0=3 t-1=2", "close t-0 t-1",
			"stop", "consumer closed",
		}, r.journal.take())
		assert.Equal(t, r.settings.consumer.Group, r.broker.config.Group)
		assert.Error(t, task.life.Err(), "the life of the task ends after Stop")
		assert.Empty(t, task.context.Assignment())
	})
}

func TestSinkRecordAsConsumed(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		at, when := tpOf("t", 7), time.UnixMilli(1234)
		r.consumer.assign(at)
		r.tolerant(&sinkLetters{})
		r.consumer.appendMessage(Message{
			TopicPartition: at, Offset: 40, Key: []byte("k"), Value: []byte{}, Time: when, TimeType: LogAppendTime,
			Headers: []RawHeader{{Key: "h", Value: []byte("1")}, {Key: "h"}},
		})
		r.consumer.appendMessage(Message{TopicPartition: at, Value: []byte("v"), TimeType: NoTimestamp})
		r.consumer.appendMessage(Message{TopicPartition: at, Headers: []RawHeader{{Key: "other"}}})
		task := r.openSink()
		r.start(task)
		require.NoError(t, r.stop())

		require.Len(t, task.got, 3)
		first := task.got[0]
		assert.Equal(t, 2, cap(first.Headers), "appending must not reach the next record's")
		assert.Equal(t, "t", first.Topic)
		assert.Equal(t, On(7), first.Partition)
		assert.Equal(t, int64(40), first.Offset)
		assert.Equal(t, when, first.Timestamp)
		assert.Equal(t, at, first.Origin.TopicPartition)
		assert.Equal(t, int64(40), first.Origin.Offset)
		assert.Equal(t, LogAppendTime, first.Origin.TimestampType)
		value, isBytes := first.Value.Value.Bytes()
		assert.True(t, isBytes && len(value) == 0, "an empty value is no tombstone")
		require.Len(t, first.Headers, 2)
		header, _ := first.Headers[0].Datum.Value.Bytes()
		assert.Equal(t, "1", string(header))
		assert.Equal(t, "h", first.Headers[1].Key)
		assert.True(t, first.Headers[1].Datum.IsNull())
		assert.Equal(t, "k", string(first.Origin.raw.Key), "reports need the consumed bytes")

		second := task.got[1]
		assert.True(t, second.Key.IsNull())
		assert.Empty(t, second.Headers)
		assert.Equal(t, NoTimestamp, second.Origin.TimestampType)
	})
}

func TestSinkKeptRecordsStayWhole(t *testing.T) {
	for name, reporters := range map[string][]reporter{"without raw": nil, "raw": {&sinkLetters{}}} {
		t.Run(name, func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				r.env.errs.reporters = reporters
				testKeptRecords(t, r, reporters != nil)
			})
		})
	}
}

func testKeptRecords(t *testing.T, r *sinkRig, raw bool) {
	at := tpOf("t", 0)
	r.settings.consumer.Props["max.poll.records"] = "40"
	r.consumer.assign(at)
	task := r.openSink()
	r.start(task)
	polls := []int{1, 8, 32, 5, 40, 30, 1, 90, 7}
	for _, n := range polls { // small, full and more than one poll
		before := len(task.got)
		r.consumer.do(func() {
			for i := range n {
				r.consumer.appendMessage(keptMessage(at, i))
			}
		})
		r.sleep(time.Millisecond)
		require.Equal(t, before+n, len(task.got), "records")
		for i := range task.got[before:] {
			requireKept(t, &task.got[before+i], i, raw)
		}
		if n == 40 { // it lets go of what it does not need in between
			r.sleep(time.Second)
		}
	}
	kept := task.got
	for _, n := range polls {
		for i := range n {
			requireKept(t, &kept[i], i, raw)
		}
		kept = kept[n:]
	}
	require.NoError(t, r.stop())
}

func keptMessage(at TopicPartition, i int) Message {
	return Message{
		TopicPartition: at, Key: fmt.Append(nil, "k", i), Value: fmt.Append(nil, "v", i),
		Headers: []RawHeader{{Key: "h", Value: fmt.Append(nil, "h", i)}}[:i%2], Time: time.UnixMilli(int64(1 + i/3)),
	}
}

func requireKept(t *testing.T, rec *SinkRecord, i int, raw bool) {
	t.Helper()
	key, _ := rec.Key.Value.Bytes()
	value, _ := rec.Value.Value.Bytes()
	require.Equal(t, fmt.Sprint("k", i), string(key))
	require.Equal(t, fmt.Sprint("v", i), string(value))
	require.Equal(t, time.UnixMilli(int64(1+i/3)), rec.Timestamp)
	require.Len(t, rec.Headers, i%2)
	if i%2 == 1 {
		header, _ := rec.Headers[0].Datum.Value.Bytes()
		require.Equal(t, fmt.Sprint("h", i), string(header))
	}
	if !raw {
		require.Nil(t, rec.Origin.raw)
		return
	}
	require.Equal(t, value, rec.Origin.raw.Value)
	require.Equal(t, key, rec.Origin.raw.Key)
	require.Len(t, rec.Origin.raw.Headers, i%2)
	require.Equal(t, rec.Offset, rec.Origin.raw.Offset)
}

// Records take the place of those of the batch before, and nothing of them.
func TestSinkRecordsInheritNothing(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		at := tpOf("t", 0)
		r.consumer.assign(at)
		var change bool
		r.env.chain.stages = []transformStage{{transform: sinkTransform(func(_ context.Context, rec *Record) (bool, error) {
			if change {
				*rec = Record{
					Topic: "u", Partition: On(9), Offset: 99, Timestamp: time.UnixMilli(9), Headers: []Header{{Key: "added"}},
					Key:   Datum{data.StringSchema, data.String("key")},
					Value: Datum{data.StringSchema, data.String("value")},
				}
			}
			return true, nil
		})}}
		task := r.openSink()
		r.start(task)
		var batches [][]SinkRecord
		for _, change = range []bool{true, false} {
			r.consumer.do(func() {
				r.consumer.appendMessage(Message{TopicPartition: at, Key: []byte("k"), Value: []byte("v"), Time: time.UnixMilli(9)})
				r.consumer.appendMessage(Message{TopicPartition: at, Value: []byte("w"), Time: time.UnixMilli(1)})
			})
			r.sleep(time.Millisecond)
			batches, task.got = append(batches, task.got), nil
		}
		require.NoError(t, r.stop())
		require.Equal(t, "u", batches[0][1].Topic)
		for i := range batches[1] {
			rec := &batches[1][i]
			rec.Offset, rec.Origin.Offset = rec.Offset-2, rec.Origin.Offset-2
		}
		origin := func(n int64) Origin { return Origin{TopicPartition: at, Offset: n, consumed: true} }
		require.Equal(t, []SinkRecord{
			{Origin: origin(0), Record: Record{Topic: "t", Partition: On(0), Key: Datum{Value: data.Bytes([]byte("k"))}, Value: Datum{Value: data.Bytes([]byte("v"))}, Timestamp: time.UnixMilli(9)}},
			{Origin: origin(1), Record: Record{Topic: "t", Partition: On(0), Value: Datum{Value: data.Bytes([]byte("w"))}, Timestamp: time.UnixMilli(1), Offset: 1}},
		}, batches[1])
	})
}

// A pipeline that waits for records holds none.
func TestSinkLetsGoOfRecords(t *testing.T) {
	for name, reporters := range map[string][]reporter{"without raw": nil, "raw": {&sinkLetters{}}} {
		t.Run(name, func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				r.env.errs.reporters = reporters
				at := tpOf("t", 0)
				r.consumer.assign(at)
				r.start(&nullSink{plainSink: plainSink{journal: r.journal}})
				for _, n := range []int{300, 2} {
					r.consumer.produce(at, n)
					r.sleep(time.Millisecond)
				}
				p := r.pipeline
				for i := range p.batch[:cap(p.batch)] {
					require.Equal(t, i < 2, p.batch[:cap(p.batch)][i].Topic != "", "record %d: all but the last batch are gone", i)
				}
				for i := range p.fetch {
					require.Equal(t, i < 2 && reporters == nil, p.fetch[i].Topic != "", "message %d", i)
				}
				r.consumer.do(func() {}) // the pipeline looks up, and finds nothing
				r.sleep(letGoAfter)
				require.Zero(t, cap(p.batch))
				require.Equal(t, make([]Message, firstPollRecords), p.fetch)
				require.Zero(t, p.wire)
				r.consumer.do(func() {})
				require.NoError(t, r.stop())
			})
		})
	}
}

func TestSinkPollRecords(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.settings.consumer.Props["max.poll.records"] = "2"
		r.consumer.assign(tpOf("t", 0))
		r.consumer.produce(tpOf("t", 0), 5)
		r.start(r.openSink())
		require.NoError(t, r.stop())
		assert.Equal(t, []string{"put t-0@0..1", "put t-0@2..3", "put t-0@4"}, r.journal.only("put"))
	})
	for _, text := range []string{"0", "-1", "many", "3000000000", ""} {
		s := sinkSettings{consumer: ConsumerConfig{ClientConfig: ClientConfig{Props: config.Props{"max.poll.records": text}}}}
		_, err := s.pollRecords()
		assert.ErrorContains(t, err, "max.poll.records", text)
		assert.ErrorContains(t, err, "at least 1", text)
	}
	n, err := (&sinkSettings{}).pollRecords()
	require.NoError(t, err)
	assert.Equal(t, 500, n)
}

func TestSinkDoesNotStart(t *testing.T) {
	boom := errors.New("boom")
	t.Run("stopped before", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.endPoll(ErrStopped)
			r.start(r.openSink())
			require.NoError(t, r.wait())
			assert.Empty(t, r.journal.take())
		})
	})
	t.Run("Start fails", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := r.openSink()
			task.start = func(SinkContext) error { return boom }
			r.start(task)
			assert.ErrorIs(t, r.failed(StageTaskPut), boom)
			assert.Equal(t, []string{"start", "stop", "consumer closed"}, r.journal.take())
		})
	})
	t.Run("no consumer", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.broker.err = boom
			r.start(r.openSink())
			err := r.wait()
			assert.ErrorIs(t, err, boom)
			assert.ErrorContains(t, err, `"connect-sink"`)
			assert.Empty(t, r.journal.take())
		})
	})
	t.Run("bad settings", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.settings.consumer.Props["max.poll.records"] = "x"
			r.start(r.openSink())
			assert.ErrorContains(t, r.wait(), `max.poll.records is "x"`)
		})
	})
}

func TestSinkPutsNothingEveryFlushInterval(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.consumer.assign(tpOf("t", 0))
		r.start(r.openSink())
		r.journal.take()
		r.sleep(3*sinkFlushInterval + time.Second)
		assert.Equal(t, []string{"put ", "put ", "put "}, r.journal.only("put"))
		require.NoError(t, r.stop())
	})
}

func TestSinkPutFails(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		boom := errors.New("boom")
		r.consumer.assign(tpOf("t", 0))
		r.consumer.produce(tpOf("t", 0), 2)
		task := r.openSink()
		r.start(task)
		task.set(func() { task.put = func(context.Context, []SinkRecord) error { return boom } })
		r.journal.take()
		r.consumer.produce(tpOf("t", 0), 3)
		err := r.failed(StageTaskPut)
		assert.ErrorIs(t, err, boom)
		assert.Equal(t, "t-0@2", err.At)
		assert.Equal(t, "TestSink", err.Plugin)
		assert.Equal(t, []string{
			"put t-0@2..4",
			"flush t-0=2", "commit t-0=2", "close t-0", "stop", "consumer closed",
		}, r.journal.take(), "what was put before is committed")
	})
}

func TestSinkPanicLeavesNoMember(t *testing.T) {
	for _, where := range []string{"put", "open", "stop", "start", "flush"} {
		t.Run(where, func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				r.consumer.assign(tpOf("t", 0))
				r.consumer.produce(tpOf("t", 0), 2)
				task := r.openSink()
				boom := func(at string) {
					if at == where {
						panic("boom")
					}
				}
				task.start = func(SinkContext) error { boom("start"); return nil }
				task.put = func(context.Context, []SinkRecord) error { boom("put"); return nil }
				task.open = func([]TopicPartition) error { boom("open"); return nil }
				task.flush = func(Offsets) error { boom("flush"); return nil }
				task.stop = func() error { boom("stop"); return nil }
				r.start(task)
				r.endPoll(ErrStopped)
				_, panicked := errors.AsType[*PanicError](r.wait())
				assert.True(t, panicked)
				assert.True(t, r.consumer.closed)
				lines := r.journal.take()
				assert.Contains(t, lines, "stop", "what the task holds is released")
				if where != "stop" {
					assert.Equal(t, []string{"consumer closed", "stop"}, lines[len(lines)-2:], "the group is left first")
					assert.NotContains(t, lines, "commit t-0=2")
				}
			})
		})
	}
}

func TestSinkStopDuringPut(t *testing.T) {
	t.Run("put ends in time", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(tpOf("t", 0))
			r.consumer.produce(tpOf("t", 0), 2)
			task := r.openSink()
			task.put = func(ctx context.Context, recs []SinkRecord) error {
				if len(recs) > 0 {
					time.Sleep(3 * time.Second)
				}
				return ctx.Err()
			}
			r.start(task)
			require.NoError(t, r.stop())
			assert.Equal(t, int64(2), r.consumer.committed[tpOf("t", 0)])
		})
	})
	t.Run("the grace period ends it", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(tpOf("t", 0))
			r.consumer.produce(tpOf("t", 0), 2)
			task := r.openSink()
			task.put = func(ctx context.Context, recs []SinkRecord) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}
			r.start(task)
			r.endPoll(ErrStopped)
			r.sleep(4 * time.Second)
			r.endGrace(context.DeadlineExceeded)
			assert.ErrorIs(t, r.failed(StageTaskPut), context.DeadlineExceeded)
			assert.NotContains(t, strings.Join(r.journal.take(), "\n"), "commit", "no request after the grace period")
		})
	})
	t.Run("before redelivery", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(tpOf("t", 0))
			r.consumer.produce(tpOf("t", 0), 2)
			task := r.openSink()
			task.put = func(context.Context, []SinkRecord) error { return Retriable(errors.New("later"), time.Hour) }
			r.start(task)
			require.NoError(t, r.stop())
			assert.Equal(t, []string{"put t-0@0..1", "close t-0"}, r.journal.only("put", "commit", "close"))
		})
	})
}

func TestSinkPollErrors(t *testing.T) {
	t.Run("final", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(tpOf("t", 0))
			r.start(r.openSink())
			r.consumer.do(func() { r.consumer.pollErrs = []error{ErrAuth} })
			assert.ErrorIs(t, r.failed(StageKafkaConsume), ErrAuth)
			assert.Equal(t, []string{"close t-0", "stop"}, r.journal.only("close", "stop"))
		})
	})
	t.Run("retriable", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			down := Retriable(errors.New("broker down"), 0)
			r.consumer.assign(tpOf("t", 0))
			r.consumer.pollErrs = []error{down, down, down, Retriable(errors.New("broker down"), 3*time.Second)}
			r.consumer.produce(tpOf("t", 0), 1)
			task := r.openSink()
			r.start(task)
			r.sleep(100*time.Millisecond + 200*time.Millisecond + 400*time.Millisecond + 3*time.Second - time.Millisecond)
			assert.Empty(t, task.taken())
			r.sleep(time.Millisecond)
			assert.Equal(t, "t-0@0", task.taken())
			assert.Equal(t, 1, strings.Count(r.log.String(), "broker down"), "the log hears of it once")
			assert.Len(t, r.hooks.errs, 4)
			require.NoError(t, r.stop())
		})
	})
}

func TestSinkDroppedRecordsAdvanceOffsets(t *testing.T) {
	odd := sinkTransform(func(_ context.Context, r *Record) (bool, error) { return r.Offset%2 == 1, nil })
	bad := func(b []byte) error {
		if strings.HasSuffix(string(b), "@3") {
			return errors.New("not a value")
		}
		return nil
	}
	t.Run("by a transform", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.env.chain.stages = []transformStage{{class: "Odd", transform: odd}}
			r.consumer.assign(tpOf("t", 0))
			r.consumer.produce(tpOf("t", 0), 5)
			task := r.openSink()
			r.start(task)
			require.NoError(t, r.stop())
			assert.Equal(t, "t-0@1 t-0@3", task.taken())
			assert.Equal(t, int64(5), r.consumer.committed[tpOf("t", 0)])
			assert.Equal(t, 3, r.hooks.batches[0].Dropped)
			assert.Equal(t, 2, r.hooks.batches[0].Sent)
			assert.Equal(t, 5, r.hooks.batches[0].Polled)
		})
	})
	t.Run("all of them", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.env.chain.stages = []transformStage{{class: "None", transform: sinkTransform(func(context.Context, *Record) (bool, error) { return false, nil })}}
			r.consumer.assign(tpOf("t", 0))
			r.consumer.produce(tpOf("t", 0), 5)
			r.start(r.openSink())
			require.NoError(t, r.stop())
			assert.Equal(t, []string{"put ", "commit t-0=5"}, r.journal.only("put", "commit"))
		})
	})
	t.Run("tolerated", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.env.errs.set.tolerateAll = true
			r.env.value = sinkBytes{fail: bad}
			r.consumer.assign(tpOf("t", 0))
			r.consumer.produce(tpOf("t", 0), 5)
			task := r.openSink()
			r.start(task)
			require.NoError(t, r.stop())
			assert.Equal(t, "t-0@0..2 t-0@4", task.taken())
			assert.Equal(t, int64(5), r.consumer.committed[tpOf("t", 0)])
		})
	})
	t.Run("not tolerated", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.env.value = sinkBytes{fail: bad}
			r.consumer.assign(tpOf("t", 0))
			r.consumer.produce(tpOf("t", 0), 5)
			task := r.openSink()
			r.start(task)
			err := r.failed(StageValueConverter)
			assert.Equal(t, "t-0@3", err.At)
			assert.Equal(t, "ValueConv", err.Plugin)
			assert.Empty(t, task.taken())
			assert.Empty(t, r.consumer.committed, "Put has seen nothing of the batch")
		})
	})
}

func TestSinkConversionStages(t *testing.T) {
	boom := sinkBytes{fail: func(b []byte) error {
		if string(b) == "bad" {
			return errors.New("boom")
		}
		return nil
	}}
	cases := map[Stage]struct {
		class string
		m     Message
	}{
		StageKeyConverter:    {"KeyConv", Message{Key: []byte("bad")}},
		StageValueConverter:  {"ValueConv", Message{Value: []byte("bad")}},
		StageHeaderConverter: {"HeaderConv", Message{Headers: []RawHeader{{Key: "h", Value: []byte("bad")}}}},
	}
	for stage, c := range cases {
		t.Run(string(stage), func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				r.env.key, r.env.value, r.env.header = boom, boom, boom
				c.m.TopicPartition = tpOf("t", 0)
				r.consumer.assign(tpOf("t", 0))
				r.consumer.appendMessage(c.m)
				r.start(r.openSink())
				assert.Equal(t, c.class, r.failed(stage).Plugin)
			})
		})
	}
}

func TestSinkConversionRetries(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		failures := 2
		r.env.errs.set.retryTimeout, r.env.errs.set.retryDelayMax = time.Minute, time.Minute
		flaky := sinkBytes{fail: func([]byte) error {
			if failures > 0 {
				failures--
				return Retriable(errors.New("registry away"), 0)
			}
			return nil
		}}
		r.env.value, r.env.key, r.env.header = flaky, flaky, flaky
		r.consumer.assign(tpOf("t", 0))
		r.consumer.appendMessage(Message{TopicPartition: tpOf("t", 0), Headers: []RawHeader{{Key: "h", Value: []byte("x")}}})
		task := r.openSink()
		r.start(task)
		r.sleep(300*time.Millisecond + 600*time.Millisecond)
		require.Equal(t, "t-0@0", task.taken())
		header, _ := task.got[0].Headers[0].Datum.Value.Bytes()
		assert.Equal(t, "x", string(header))
		require.NoError(t, r.stop())
	})
}

// A transform that fails because the task stops must not make its record one
// that errors.tolerance lets go.
func TestSinkStopDuringConversionLosesNothing(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		letters := &sinkLetters{}
		r.env.errs.set.tolerateAll = true
		r.env.errs.reporters = []reporter{letters}
		r.env.chain.stages = []transformStage{{class: "Lookup", transform: sinkTransform(func(ctx context.Context, _ *Record) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		})}}
		r.consumer.assign(tpOf("t", 0))
		r.consumer.produce(tpOf("t", 0), 3)
		task := r.openSink()
		r.start(task)
		require.NoError(t, r.stop())
		assert.Empty(t, task.taken())
		assert.Empty(t, r.consumer.committed)
		assert.Empty(t, letters.all())
	})
}

func TestSinkTopicsChangedByTransforms(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.env.chain.stages = []transformStage{{class: "Route", transform: sinkTransform(func(_ context.Context, rec *Record) (bool, error) {
			rec.Topic, rec.Partition = "elsewhere", On(99)
			return true, nil
		})}}
		a, b := tpOf("t", 0), tpOf("t", 1)
		r.consumer.assign(a, b)
		task := r.openSink()
		task.put = func(_ context.Context, recs []SinkRecord) error {
			for _, rec := range recs {
				assert.Equal(t, "elsewhere", rec.Topic)
			}
			if len(recs) == 5 {
				return Retriable(errors.New("later"), time.Second)
			}
			return nil
		}
		r.consumer.produce(a, 2)
		r.consumer.produce(b, 3)
		r.start(task)
		r.consumer.revoke(a) // with its records pending under another topic
		r.sleep(time.Second)
		assert.Equal(t, "t-1@0..2", task.taken())
		require.NoError(t, r.stop())
		assert.Equal(t, Offsets{b: 3}, r.consumer.committed)
	})
}

func TestSinkRedelivery(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b := tpOf("t", 0), tpOf("t", 1)
		r.consumer.assign(a, b)
		r.consumer.produce(a, 1)
		task := r.openSink()
		r.start(task)
		r.journal.take()

		failures, offers := 4, []time.Duration{}
		begin := time.Now()
		flaky := func(context.Context, []SinkRecord) error {
			offers = append(offers, time.Since(begin))
			if failures--; failures >= 0 {
				return Retriable(errors.New("target away"), 0)
			}
			return nil
		}
		task.set(func() { task.put = flaky })
		r.consumer.produce(a, 2)
		r.sleep(0)
		r.consumer.produce(b, 3) // must wait
		assert.Equal(t, []TopicPartition{a, b}, r.consumer.pausedNow())
		r.sleep(700*time.Millisecond - 1)
		r.sleep(time.Second)
		assert.Equal(t, []string{
			"put t-0@1..2", "pause t-0 t-1",
			"put t-0@1..2", "put t-0@1..2", "put t-0@1..2",
			"put t-0@1..2", "resume t-0 t-1",
			"put t-1@0..2",
		}, r.journal.take())
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 1500 * ms}, offers)
		assert.Len(t, r.hooks.errs, 4)
		assert.True(t, r.hooks.errs[0].Retry)
		assert.Equal(t, StageTaskPut, r.hooks.errs[0].Stage)
		last := r.hooks.batches[len(r.hooks.batches)-2]
		assert.Equal(t, 2, last.Polled, "polled once, whatever the number of offers")
		assert.Equal(t, 2, last.Sent)
		require.NoError(t, r.stop())
		assert.Equal(t, "t-0@0..2 t-1@0..2", task.taken())
	})
}

func TestSinkRedeliveryKeepsTheSessionAlive(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.consumer.assign(tpOf("t", 0))
		r.consumer.produce(tpOf("t", 0), 1)
		task := r.openSink()
		var healed atomic.Bool
		task.put = func(context.Context, []SinkRecord) error {
			if !healed.Load() {
				return Retriable(errors.New("target away"), 90*time.Second) // beyond the flush interval
			}
			return nil
		}
		r.start(task)
		before := r.consumer.counted(&r.consumer.polls)
		r.sleep(sinkFlushInterval)
		assert.Greater(t, r.consumer.counted(&r.consumer.polls), before)
		task.context.RequestCommit() // wakes the poll, does not hasten the offer
		r.sleep(time.Second)
		assert.Equal(t, []string{"put t-0@0", "flush t-0=0", "flush t-0=0"}, r.journal.only("put", "flush", "commit"))
		healed.Store(true)
		r.sleep(30 * time.Second)
		assert.Equal(t, "t-0@0", task.taken())
		require.NoError(t, r.stop())
	})
}

func TestSinkRedeliveryBackoffIsCapped(t *testing.T) {
	assert.Equal(t, 100*time.Millisecond, retryPause(0, 0))
	assert.Equal(t, 6400*time.Millisecond, retryPause(6, 0))
	assert.Equal(t, 10*time.Second, retryPause(7, 0))
	assert.Equal(t, 10*time.Second, retryPause(1<<40, 0))
	assert.Equal(t, time.Minute, retryPause(3, time.Minute), "at least what the error asks for")
	assert.Equal(t, 800*time.Millisecond, retryPause(3, time.Millisecond))
}

func TestSinkBatchEvents(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.consumer.assign(tpOf("t", 0))
		r.consumer.appendMessage(Message{TopicPartition: tpOf("t", 0), Key: []byte("12"), Value: []byte("345")})
		r.env.chain.stages = []transformStage{{class: "Slow", transform: sinkTransform(func(context.Context, *Record) (bool, error) {
			time.Sleep(time.Second)
			return true, nil
		})}}
		r.env.value = sinkBytes{fail: func([]byte) error { time.Sleep(2 * time.Second); return nil }}
		task := r.openSink()
		task.put = func(_ context.Context, recs []SinkRecord) error {
			time.Sleep(time.Duration(len(recs)) * 4 * time.Second)
			return nil
		}
		r.start(task)
		r.sleep(10 * time.Second)
		require.NoError(t, r.stop())
		require.Len(t, r.hooks.batches, 1)
		assert.Equal(t, BatchEvent{
			Task: r.env.id, Sink: true, Polled: 1, Sent: 1, Bytes: 5,
			Transform: time.Second, Convert: 2 * time.Second, Deliver: 4 * time.Second,
		}, r.hooks.batches[0])
	})
}

// A task that appends to what it is given must not reach the engine's memory.
func TestSinkTaskMayAppend(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 1)
		task := r.openSink()
		task.put = func(_ context.Context, recs []SinkRecord) error {
			dirty := SinkRecord{Record: Record{Headers: []Header{{Key: "dirt"}}}}
			_ = append(recs, dirty, dirty)
			return nil
		}
		r.start(task)
		r.consumer.produce(a, 2)
		r.sleep(time.Second)
		require.NoError(t, r.stop())
		require.Equal(t, "t-0@0..2", task.taken())
		for _, rec := range task.got {
			assert.Empty(t, rec.Headers)
		}
	})
}

func TestSinkHeadersAreEachRecordsOwn(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.env.chain.stages = []transformStage{{class: "Odd", transform: sinkTransform(func(_ context.Context, r *Record) (bool, error) { return r.Offset != 1, nil })}}
		r.consumer.assign(a)
		for _, name := range []string{"x", "dropped", "", "y"} {
			m := Message{TopicPartition: a}
			if name != "" {
				m.Headers = []RawHeader{{Key: name}, {Key: name + name}}
			}
			r.consumer.appendMessage(m)
		}
		task := r.openSink()
		r.start(task)
		require.NoError(t, r.stop())
		var got []string
		for _, rec := range task.got {
			got = append(got, "|")
			for _, h := range rec.Headers {
				got = append(got, h.Key)
			}
			assert.Equal(t, len(rec.Headers), cap(rec.Headers), "appending must not reach the next record's")
		}
		assert.Equal(t, []string{"|", "x", "xx", "|", "|", "y", "yy"}, got)
	})
}

func TestSinkEveryOutageIsLogged(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		down := Retriable(errors.New("broker down"), 0)
		r.consumer.assign(tpOf("t", 0))
		task := r.openSink()
		r.start(task)
		for i := range 3 {
			r.consumer.do(func() { r.consumer.pollErrs = []error{down, down} })
			r.consumer.produce(tpOf("t", 0), 1)
			r.sleep(300 * time.Millisecond) // the back-off begins anew
			assert.Len(t, task.got, i+1)
		}
		assert.Equal(t, 3, strings.Count(r.log.String(), "broker down"))
		require.NoError(t, r.stop())
	})
}

func TestSinkNoCommitAfterTheGracePeriod(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.consumer.assign(tpOf("t", 0))
		r.consumer.produce(tpOf("t", 0), 2)
		task := r.openSink()
		task.put = func(ctx context.Context, _ []SinkRecord) error {
			<-ctx.Done()
			return nil // took them all the same, too late
		}
		r.start(task)
		r.endPoll(ErrStopped)
		r.sleep(time.Second)
		r.endGrace(context.DeadlineExceeded)
		require.NoError(t, r.wait())
		assert.Equal(t, []string{"flush t-0=2", "close t-0"}, r.journal.only("flush", "commit", "close"))
		assert.ErrorIs(t, r.hooks.lastCommit().Err, context.DeadlineExceeded)
	})
}
