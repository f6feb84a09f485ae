package connecttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// SourceOptions tell TestSourceTask of the source system.
type SourceOptions struct {
	// Props configure one task, as the connector's task configurations do.
	Props config.Props
	// Records is how many records the task finds: at least 2. Each case reads
	// them anew.
	Records int
	// Prepare, if set, brings the source system into its first state, before
	// each run of a task that starts without offsets. It returns what is to be
	// added to Props, such as the name of a file; nil: nothing.
	Prepare func(t testing.TB) config.Props
	// Same tells whether a record that was read again is the same; nil: topic,
	// key, value, source partition and source offset are.
	Same func(first, again *connect.SourceRecord) bool
	// Acknowledged is for a source system that keeps the position itself, as a
	// queue does: what the task heard of in CommitRecords is gone, all else comes
	// again. The task has to be a connect.DeliveryCommitter, and Prepare gives each
	// case a source system of its own.
	Acknowledged bool
}

// TestSourceTask shows whether a source task keeps its contract: its records
// are well made, it goes on where it stopped, it ends with its contexts, it can
// be stopped after a failed start, and it leaves no goroutine behind.
func TestSourceTask(t testing.TB, plugin connect.Plugin, o SourceOptions) {
	cases := []sourceCase{
		{"reads all records", sourceReads},
		{"ends a poll with its context", sourceCancels},
		{"ends a poll with a context that has ended", sourceCancelled},
		{"stops right after its start", sourceStops},
		{"stops after a failed start", sourceFailsToStart},
	}
	if o.Acknowledged {
		cases = append(cases, acknowledgedCases(o.Records)...)
	} else {
		cases = append(cases, sourceCase{"goes on where it stopped", sourceResumes})
	}
	for _, c := range cases {
		run(t, c.name, func(t testing.TB) {
			require.GreaterOrEqual(t, o.Records, 2, "SourceOptions.Records")
			s := &sourceSuite{t: t, plugin: plugin, o: o}
			s.props = o.Props.Clone()
			if o.Prepare != nil {
				s.props = s.props.Merge(o.Prepare(t))
			}
			assertNoneLeft(t, labelled(func() { c.f(t, s) }))
		})
	}
}

type sourceCase struct {
	name string
	f    func(t testing.TB, s *sourceSuite)
}

// sourceSuite is one case.
type sourceSuite struct {
	t      testing.TB
	plugin connect.Plugin
	o      SourceOptions
	props  config.Props
}

// sourceRun is one life of a task.
type sourceRun struct {
	t    testing.TB
	task connect.SourceTask
	end  context.CancelFunc
}

// build makes a task.
func (s *sourceSuite) build() *sourceRun {
	s.t.Helper()
	task, err := s.plugin.NewSourceTask(s.props)
	require.NoError(s.t, err, "NewSourceTask")
	return &sourceRun{t: s.t, task: task, end: func() {}}
}

// start makes a task and starts it, with a context that ends after Stop.
func (s *sourceSuite) start(stored map[connect.SourcePartition]connect.SourceOffset) *sourceRun {
	s.t.Helper()
	r := s.build()
	life, end := context.WithCancel(bounded(s.t))
	r.end = end
	require.NoError(s.t, r.task.Start(life, &SourceContext{Stored: stored}), "Start")
	return r
}

func (r *sourceRun) stop() {
	r.t.Helper()
	assert.NoError(r.t, r.task.Stop(bounded(r.t)), "Stop")
	r.end()
}

// read polls until there are n records, and copies them.
func (r *sourceRun) read(n int) []connect.SourceRecord {
	r.t.Helper()
	ctx := bounded(r.t)
	var all []connect.SourceRecord
	for len(all) < n && ctx.Err() == nil {
		records, err := r.task.Poll(ctx)
		for i := range records {
			c := records[i]
			if c.OffsetOnly {
				continue
			}
			c.Record = cloneRecord(&c.Record)
			all = append(all, c)
		}
		if _, retriable := connect.RetryAfter(err); err != nil && !retriable {
			if errors.Is(err, connect.ErrDone) || ctx.Err() != nil {
				break
			}
			require.NoError(r.t, err, "Poll")
		}
	}
	require.GreaterOrEqual(r.t, len(all), n, "too few records")
	return all
}

func sourceReads(t testing.TB, s *sourceSuite) {
	r := s.start(nil)
	defer r.stop()
	records := r.read(s.o.Records)
	assert.Len(t, records, s.o.Records, "SourceOptions.Records")
	for i := range records {
		rec := &records[i]
		assert.NotEmpty(t, rec.Topic, "topic of record %d", i)
		assert.NoError(t, fits(&rec.Record), "record %d does not fit its schema", i)
		assert.NoError(t, rec.SourcePartition.Err(), "source partition of record %d", i)
		assert.False(t, strings.HasPrefix(rec.SourceOffset.String(), "!("), "source offset of record %d: %v", i, rec.SourceOffset)
		if !rec.SourcePartition.IsZero() {
			assert.NotNil(t, rec.SourceOffset, "record %d has a source partition, but no source offset", i)
		}
	}
}

// sourceResumes stops after each of some records and goes on from the offsets
// that an engine would have stored by then.
func sourceResumes(t testing.TB, s *sourceSuite) {
	r := s.start(nil)
	all := r.read(s.o.Records)
	r.stop()
	for _, k := range slices.Compact([]int{1, len(all) / 3, len(all) / 2, len(all) - 1}) {
		if k < 1 || k >= len(all) {
			continue
		}
		s.goesOn(all, k)
	}
}

// goesOn starts again as if Kafka had the first k records.
func (s *sourceSuite) goesOn(all []connect.SourceRecord, k int) {
	s.t.Helper()
	stored := make(map[connect.SourcePartition]connect.SourceOffset)
	for _, rec := range all[:k] {
		if !rec.SourcePartition.IsZero() {
			stored[rec.SourcePartition] = rec.SourceOffset
		}
	}
	again := s.start(stored)
	got := again.read(len(all) - k)
	again.stop()
	assert.Len(s.t, got, len(all)-k, "records after the first %d", k)
	s.sameByPartition(all[k:], got, k)
}

// acknowledgedCases tell the task of none and of some of its records that they
// are delivered, and look for all others after a restart.
func acknowledgedCases(n int) []sourceCase {
	var cases []sourceCase
	for _, k := range slices.Compact([]int{0, 1, n / 2, n - 1}) {
		cases = append(cases, sourceCase{fmt.Sprintf("goes on after %d delivered records", k), func(_ testing.TB, s *sourceSuite) {
			r := s.start(nil)
			all := r.read(n)
			r.commit(all[:k])
			r.stop()
			s.goesOn(all, k)
		}})
	}
	return cases
}

// commit tells the task that Kafka has the records.
func (r *sourceRun) commit(records []connect.SourceRecord) {
	r.t.Helper()
	c, ok := r.task.(connect.DeliveryCommitter)
	require.True(r.t, ok, "want a connect.DeliveryCommitter: without CommitRecords nothing can be acknowledged")
	done := make([]connect.Delivery, len(records))
	for i := range records {
		rec := &records[i]
		done[i] = connect.Delivery{
			Token: rec.Token, SourcePartition: rec.SourcePartition, SourceOffset: rec.SourceOffset,
			To: connect.TopicPartition{Topic: rec.Topic}, Offset: int64(i),
		}
	}
	require.NoError(r.t, c.CommitRecords(bounded(r.t), done), "CommitRecords")
}

// sameByPartition compares; order counts within a source partition only.
func (s *sourceSuite) sameByPartition(want, got []connect.SourceRecord, k int) {
	s.t.Helper()
	same := s.o.Same
	if same == nil {
		same = sameSourceRecord
	}
	byPartition := make(map[connect.SourcePartition][]connect.SourceRecord)
	for _, r := range got {
		byPartition[r.SourcePartition] = append(byPartition[r.SourcePartition], r)
	}
	for i := range want {
		left := byPartition[want[i].SourcePartition]
		if len(left) == 0 {
			assert.Fail(s.t, "a record is lost", "going on after %d records: %v at %v of %v", k, want[i].Value.Value, want[i].SourceOffset, want[i].SourcePartition)
			continue
		}
		if !same(&want[i], &left[0]) {
			assert.Fail(s.t, "another record", "going on after %d records: found %v at %v, want %v at %v",
				k, left[0].Value.Value, left[0].SourceOffset, want[i].Value.Value, want[i].SourceOffset)
		}
		byPartition[want[i].SourcePartition] = left[1:]
	}
}

func sameSourceRecord(x, y *connect.SourceRecord) bool {
	return x.Topic == y.Topic && sameDatum(x.Key, y.Key) && sameDatum(x.Value, y.Value) &&
		x.SourcePartition == y.SourcePartition && x.SourceOffset.String() == y.SourceOffset.String()
}

func sameDatum(x, y connect.Datum) bool {
	return x.Schema.Equal(y.Schema) && data.Equal(x.Value, y.Value)
}

// sourceCancels polls a source that has no more records.
func sourceCancels(t testing.TB, s *sourceSuite) {
	r := s.start(nil)
	r.read(s.o.Records)
	ctx, cancel := context.WithCancel(bounded(t))
	ended := make(chan error, 1)
	polling := make(chan struct{})
	go func() {
		close(polling)
		for ctx.Err() == nil {
			if _, err := r.task.Poll(ctx); errors.Is(err, connect.ErrDone) {
				break
			}
		}
		ended <- nil
	}()
	<-polling
	cancel()
	receive(t, ended, "the end of Poll after that of its context")
	r.stop()
}

func sourceCancelled(t testing.TB, s *sourceSuite) {
	r := s.start(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = r.task.Poll(ctx) // records or an error: both will do
	}()
	receive(t, ended, "the end of Poll")
	r.stop()
}

func sourceStops(_ testing.TB, s *sourceSuite) { s.start(nil).stop() }

// sourceFailsToStart starts with offsets that cannot be read, and with a context
// that has ended. Start may succeed all the same; Stop has to.
func sourceFailsToStart(t testing.TB, s *sourceSuite) {
	for name, c := range map[string]*SourceContext{
		"offsets cannot be read": {OffsetsErr: fmt.Errorf("offsets: %w", connect.ErrStopped)},
		"the context has ended":  {},
	} {
		r := s.build()
		life, end := context.WithCancel(bounded(t))
		if c.OffsetsErr == nil {
			end()
		}
		_ = r.task.Start(life, c)
		assert.NoError(t, r.task.Stop(bounded(t)), "Stop after a Start for which %s", name)
		end()
	}
}
