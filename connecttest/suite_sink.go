package connecttest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// SinkOptions tell TestSinkTask of the target system.
type SinkOptions struct {
	// Props configure one task, as the connector's task configurations do.
	Props config.Props
	// Records to put. Those without an Origin get one: topic "topic", partition
	// 0, increasing offsets. Nil: ten optional strings.
	Records []connect.SinkRecord
	// Prepare, if set, brings the target into its first state, before each
	// case. It returns what is to be added to Props; nil: nothing.
	Prepare func(t testing.TB) config.Props
	// Written, if set, looks whether the target has the records that were put,
	// in their order by partition. It is called when they should be durable.
	Written func(t testing.TB, props config.Props, records []connect.SinkRecord)
}

// TestSinkTask shows whether a sink task keeps its contract: it takes batches,
// empty ones too, changes no record, commits nothing that it was not given, is
// durable after a flush, opens and closes partitions, takes records again,
// returns when its context ends, can be stopped after a failed start, and leaves
// no goroutine behind.
func TestSinkTask(t testing.TB, plugin connect.Plugin, o SinkOptions) {
	if o.Records == nil {
		o.Records = defaultSinkRecords()
	}
	for _, c := range []struct {
		name string
		f    func(t testing.TB, s *sinkSuite)
	}{
		{"writes what it is given", sinkWrites},
		{"goes on after a restart", sinkRestarts},
		{"closes and opens partitions", sinkReopens},
		{"returns when its context ends", sinkCancelled},
		{"stops right after its start", sinkStops},
		{"stops after a failed start", sinkFailsToStart},
	} {
		run(t, c.name, func(t testing.TB) {
			s := &sinkSuite{t: t, plugin: plugin, o: o, records: withOrigins(o.Records)}
			s.props = o.Props.Clone()
			if o.Prepare != nil {
				s.props = s.props.Merge(o.Prepare(t))
			}
			assertNoneLeft(t, labelled(func() { c.f(t, s) }))
		})
	}
}

func defaultSinkRecords() []connect.SinkRecord {
	records := make([]connect.SinkRecord, 10)
	for i := range records {
		records[i].Topic = "topic"
		records[i].Value = connect.Datum{Schema: data.OptionalStringSchema, Value: data.String(fmt.Sprint("value ", i))}
	}
	return records
}

func withOrigins(records []connect.SinkRecord) []connect.SinkRecord {
	records = slices.Clone(records)
	for i := range records {
		r := &records[i]
		if r.Origin.Topic == "" {
			r.Origin = connect.Origin{TopicPartition: tp("topic", 0), Offset: int64(i), TimestampType: connect.CreateTime}
		}
		if r.Topic == "" {
			r.Topic = r.Origin.Topic
		}
		r.Partition, r.Offset = connect.On(r.Origin.Partition), r.Origin.Offset
	}
	return records
}

// sinkSuite is one case.
type sinkSuite struct {
	t       testing.TB
	plugin  connect.Plugin
	o       SinkOptions
	props   config.Props
	records []connect.SinkRecord
}

// sinkRun is one life of a task.
type sinkRun struct {
	s    *sinkSuite
	t    testing.TB
	task connect.SinkTask
	c    *SinkContext
	end  context.CancelFunc
	next connect.Offsets // after the records that were put
}

func (s *sinkSuite) partitions() []connect.TopicPartition {
	all := make(map[connect.TopicPartition]bool)
	for _, r := range s.records {
		all[r.Origin.TopicPartition] = true
	}
	return slices.SortedFunc(maps.Keys(all), compareTPs)
}

func (s *sinkSuite) build() *sinkRun {
	s.t.Helper()
	task, err := s.plugin.NewSinkTask(s.props)
	require.NoError(s.t, err, "NewSinkTask")
	return &sinkRun{s: s, t: s.t, task: task, c: &SinkContext{Assigned: s.partitions()}, next: make(connect.Offsets)}
}

// start makes a task, starts it and opens its partitions.
func (s *sinkSuite) start() *sinkRun {
	s.t.Helper()
	r := s.build()
	life, end := context.WithCancel(bounded(s.t))
	r.end = end
	require.NoError(s.t, r.task.Start(life, r.c), "Start")
	r.open()
	return r
}

func (r *sinkRun) open() {
	r.t.Helper()
	if d, ok := r.task.(connect.DurableOffsets); ok {
		next, err := d.Claim(bounded(r.t), r.s.partitions())
		require.NoError(r.t, err, "Claim")
		for tp := range next {
			assert.Contains(r.t, r.s.partitions(), tp, "Claim names a partition that it was not asked for")
		}
	}
	if o, ok := r.task.(connect.Opener); ok {
		require.NoError(r.t, o.Open(bounded(r.t), r.s.partitions()), "Open")
	}
}

// put hands over records in batches of three, with an empty one in between.
func (r *sinkRun) put(records []connect.SinkRecord) {
	r.t.Helper()
	require.NoError(r.t, r.task.Put(bounded(r.t), nil), "Put of no records")
	for batch := range slices.Chunk(records, 3) {
		batch = slices.Clone(batch)
		before := make([]connect.SinkRecord, len(batch))
		for i := range batch {
			before[i] = batch[i].Clone()
		}
		r.putUntilTaken(batch)
		for i := range batch {
			assertUnchanged(r.t, &before[i].Record, &batch[i].Record)
			r.next[batch[i].Origin.TopicPartition] = batch[i].Origin.Offset + 1
		}
		clear(batch) // the slice is the engine's again
	}
	require.NoError(r.t, r.task.Put(bounded(r.t), []connect.SinkRecord{}), "Put of no records")
}

// putUntilTaken offers a batch again while the error is retriable.
func (r *sinkRun) putUntilTaken(batch []connect.SinkRecord) {
	r.t.Helper()
	ctx := bounded(r.t)
	for {
		err := r.task.Put(ctx, batch)
		if _, retriable := connect.RetryAfter(err); retriable && ctx.Err() == nil {
			continue
		}
		require.NoError(r.t, err, "Put")
		return
	}
}

// flush makes durable what was put, as a commit does, and returns what would be
// committed.
func (r *sinkRun) flush() connect.Offsets {
	r.t.Helper()
	given := r.next.Clone()
	agreed := given
	if p, ok := r.task.(connect.PreCommitter); ok {
		var err error
		agreed, err = p.PreCommit(bounded(r.t), given)
		require.NoError(r.t, err, "PreCommit")
	} else if f, ok := r.task.(connect.Flusher); ok {
		require.NoError(r.t, f.Flush(bounded(r.t), given), "Flush")
	}
	for tp, offset := range agreed {
		assert.Contains(r.t, r.next, tp, "PreCommit agrees to a partition that it was not given")
		assert.LessOrEqual(r.t, offset, r.next[tp], "PreCommit agrees to more than it was given, of %v", tp)
	}
	return agreed
}

func (r *sinkRun) closePartitions() {
	r.t.Helper()
	if c, ok := r.task.(connect.Closer); ok {
		require.NoError(r.t, c.Close(bounded(r.t), r.s.partitions()), "Close")
	}
}

func (r *sinkRun) stop() {
	r.t.Helper()
	assert.NoError(r.t, r.task.Stop(bounded(r.t)), "Stop")
	r.end()
}

func (s *sinkSuite) written(records []connect.SinkRecord) {
	s.t.Helper()
	if s.o.Written != nil {
		s.o.Written(s.t, s.props, records)
	}
}

func sinkWrites(_ testing.TB, s *sinkSuite) {
	r := s.start()
	r.put(s.records)
	r.flush()
	r.closePartitions()
	r.stop()
	s.written(s.records)
}

// sinkRestarts has a second task go on where the first one committed.
func sinkRestarts(_ testing.TB, s *sinkSuite) {
	half := len(s.records) / 2
	first := s.start()
	first.put(s.records[:half])
	first.flush()
	first.closePartitions()
	first.stop()
	second := s.start()
	second.put(s.records[half:])
	second.flush()
	second.closePartitions()
	second.stop()
	s.written(s.records)
}

// sinkReopens revokes and assigns the partitions within one life.
func sinkReopens(_ testing.TB, s *sinkSuite) {
	half := len(s.records) / 2
	r := s.start()
	r.put(s.records[:half])
	r.flush()
	r.closePartitions()
	r.open()
	r.put(s.records[half:])
	r.flush()
	r.closePartitions()
	r.stop()
	s.written(s.records)
}

// sinkCancelled puts with a context that has ended: Put may take the records or
// fail, but returns.
func sinkCancelled(t testing.TB, s *sinkSuite) {
	r := s.start()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.task.Put(ctx, slices.Clone(s.records))
		_ = r.task.Put(ctx, nil)
	}()
	receive(t, ended, "the end of Put")
	r.stop()
}

func sinkStops(_ testing.TB, s *sinkSuite) {
	r := s.start()
	r.closePartitions()
	r.stop()
}

// sinkFailsToStart starts with a context that has ended. Start may succeed all
// the same; Stop has to.
func sinkFailsToStart(t testing.TB, s *sinkSuite) {
	r := s.build()
	life, end := context.WithCancel(t.Context())
	end()
	_ = r.task.Start(life, r.c)
	assert.NoError(t, r.task.Stop(bounded(t)), "Stop after a Start whose context had ended")
}
