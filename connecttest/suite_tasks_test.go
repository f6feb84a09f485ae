package connecttest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// counter is a source of ten numbers, with a switch for each mistake.
type counter struct {
	restart, skip, repeat, noOffset, badPartition, badValue bool // in what it returns
	blindPoll, leak, badStop, done                          bool // in how it lives

	n        int64
	started  bool
	released chan struct{}
}

const counted = 10

func (c *counter) partition() connect.SourcePartition {
	return connect.PartitionOf(data.E("counter", data.String("a")))
}

func (c *counter) Start(ctx context.Context, s connect.SourceContext) error {
	stored, err := s.Offsets(ctx, c.partition())
	if err != nil {
		return err
	}
	c.started = true
	if n, ok := stored[0].Int("n"); ok && !c.restart {
		c.n = n
		if c.skip {
			c.n++
		}
		if c.repeat {
			c.n--
		}
	}
	c.released = make(chan struct{})
	if c.leak {
		go func() { <-c.released }()
	}
	return nil
}

func (c *counter) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if c.n >= counted {
		if c.done {
			return nil, connect.ErrDone
		}
		if c.blindPoll {
			select {}
		}
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	c.n++
	r := connect.SourceRecord{SourcePartition: c.partition(), SourceOffset: connect.SourceOffset{data.E("n", data.Int64(c.n))}}
	r.Topic, r.Value = "numbers", connect.Datum{Schema: data.Int64Schema, Value: data.Int64(c.n)}
	if c.noOffset {
		r.SourceOffset = nil
	}
	if c.badPartition {
		r.SourcePartition = connect.PartitionOf(data.E("x", data.ArrayOf()))
	}
	if c.badValue {
		r.Value.Value = data.String("one")
	}
	return []connect.SourceRecord{r}, nil
}

func (c *counter) Stop(context.Context) error {
	if c.badStop && !c.started {
		return errors.New("not started")
	}
	return nil
}

func testCounter(t testing.TB, c counter) {
	TestSourceTask(t, SourcePlugin("Counter", func(config.Props) *counter { mine := c; return &mine }), SourceOptions{Records: counted})
}

func TestSourceTaskSuite(t *testing.T) {
	testCounter(t, counter{})
	testCounter(t, counter{done: true})
}

func TestSourceTaskSuiteCatches(t *testing.T) {
	for name, c := range map[string]counter{
		"offsets are ignored":             {restart: true},
		"a record is lost on restart":     {skip: true},
		"a record comes twice":            {repeat: true},
		"records have no offset":          {noOffset: true},
		"the partition cannot be stored":  {badPartition: true},
		"values do not fit":               {badValue: true},
		"Poll ignores its context":        {blindPoll: true},
		"a goroutine is left":             {leak: true},
		"Stop fails after a failed Start": {badStop: true},
	} {
		catches(t, name, func(t testing.TB) { testCounter(t, c) })
	}
	catches(t, "there are fewer records", func(t testing.TB) {
		TestSourceTask(t, SourcePlugin("Counter", func(config.Props) *counter { return &counter{} }), SourceOptions{Records: counted + 1})
	})
}

// drawer is a source of ten slips that are taken out when they are delivered,
// with a switch for each mistake.
type drawer struct {
	slips                     *[]int64 // what is left, over restarts
	early, late, again, shift bool

	given int
	taken map[int64]bool
}

func (d *drawer) Start(ctx context.Context, c connect.SourceContext) error {
	_, err := c.Offsets(ctx)
	d.taken = map[int64]bool{}
	return err
}

func (d *drawer) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if d.given >= len(*d.slips) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	n := (*d.slips)[d.given]
	d.given++
	r := connect.SourceRecord{Token: n}
	r.Topic, r.Value = "numbers", connect.Datum{Schema: data.Int64Schema, Value: data.Int64(n)}
	if d.early {
		d.taken[n] = true
	}
	return []connect.SourceRecord{r}, nil
}

func (d *drawer) CommitRecords(_ context.Context, done []connect.Delivery) error {
	for _, x := range done {
		n, ok := x.Token.(int64)
		if !ok {
			return errors.New("not of this task")
		}
		if d.shift {
			n++
		}
		d.taken[n] = !d.late
	}
	return nil
}

func (d *drawer) Stop(context.Context) error {
	left := slices.DeleteFunc(slices.Clone(*d.slips), func(n int64) bool { return d.taken[n] })
	if d.again {
		left = append([]int64{0}, left...)
	}
	*d.slips = left
	return nil
}

func testDrawer(t testing.TB, d drawer) {
	TestSourceTask(t, SourcePlugin("Drawer", func(config.Props) *drawer { mine := d; return &mine }), SourceOptions{
		Records: counted, Acknowledged: true, Prepare: func(testing.TB) config.Props {
			slips := []int64{}
			for n := range int64(counted) {
				slips = append(slips, n)
			}
			*d.slips = slips
			return nil
		},
	})
}

func TestSourceTaskSuiteOfAcknowledgements(t *testing.T) {
	testDrawer(t, drawer{slips: new([]int64)})
	for name, d := range map[string]drawer{
		"records are acknowledged when they are read":  {early: true},
		"delivered records come again":                 {late: true},
		"another record is acknowledged than it heard": {shift: true},
		"a record comes twice":                         {again: true},
	} {
		d.slips = new([]int64)
		catches(t, name, func(t testing.TB) { testDrawer(t, d) })
	}
	catches(t, "the task does not listen", func(t testing.TB) {
		TestSourceTask(t, SourcePlugin("Counter", func(config.Props) *counter { return &counter{} }), SourceOptions{Records: counted, Acknowledged: true})
	})
}

// shelf is a target that a sink writes to.
type shelf struct {
	mu   sync.Mutex
	rows []string
}

func (s *shelf) add(rows []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, rows...)
}

// stacker is a sink that puts values on a shelf when it is flushed, with a
// switch for each mistake.
type stacker struct {
	shelf                                                         *shelf
	noFlush, changes, overCommits, foreign, keepsSlice, dropsLast bool
	blindPut, leak, badStop, emptyFails                           bool

	pending []string
	kept    []connect.SinkRecord
	started bool
}

func (s *stacker) Start(ctx context.Context, _ connect.SinkContext) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.started = true
	if s.leak {
		go func() { select {} }()
	}
	return nil
}

func (s *stacker) Put(ctx context.Context, records []connect.SinkRecord) error {
	if s.blindPut && ctx.Err() != nil {
		select {}
	}
	if s.emptyFails && len(records) == 0 {
		return errors.New("no records")
	}
	if s.keepsSlice {
		s.kept = records
		return nil
	}
	for i := range records {
		text, _ := records[i].Value.Value.Str()
		s.pending = append(s.pending, text)
		if s.changes {
			records[i].Topic = "changed"
		}
	}
	return nil
}

func (s *stacker) PreCommit(_ context.Context, current connect.Offsets) (connect.Offsets, error) {
	for i := range s.kept {
		text, _ := s.kept[i].Value.Value.Str()
		s.pending = append(s.pending, text)
	}
	if s.dropsLast && len(s.pending) > 0 {
		s.pending = s.pending[:len(s.pending)-1]
	}
	if !s.noFlush {
		s.shelf.add(s.pending)
		s.pending = nil
	}
	next := current.Clone()
	for tp := range next {
		if s.overCommits {
			next[tp]++
		}
	}
	if s.foreign {
		next[tp("foreign", 0)] = 1
	}
	return next, nil
}

func (s *stacker) Stop(context.Context) error {
	if s.badStop && !s.started {
		return errors.New("not started")
	}
	return nil
}

func testStacker(t testing.TB, s stacker) {
	var target *shelf
	plugin := SinkPlugin("Stacker", func(config.Props) *stacker {
		mine := s
		mine.shelf = target
		return &mine
	})
	TestSinkTask(t, plugin, SinkOptions{
		Prepare: func(testing.TB) config.Props { target = &shelf{}; return nil },
		Written: func(t testing.TB, _ config.Props, records []connect.SinkRecord) {
			var want []string
			for i := range records {
				text, _ := records[i].Value.Value.Str()
				want = append(want, text)
			}
			target.mu.Lock()
			defer target.mu.Unlock()
			assert.Equal(t, want, target.rows)
		},
	})
}

func TestSinkTaskSuite(t *testing.T) { testStacker(t, stacker{}) }

func TestSinkTaskSuiteCatches(t *testing.T) {
	for name, s := range map[string]stacker{
		"nothing is flushed":               {noFlush: true},
		"records are changed":              {changes: true},
		"more is committed than given":     {overCommits: true},
		"a foreign partition is committed": {foreign: true},
		"the slice is kept":                {keepsSlice: true},
		"the last record is dropped":       {dropsLast: true},
		"Put ignores its context":          {blindPut: true},
		"a goroutine is left":              {leak: true},
		"Stop fails after a failed Start":  {badStop: true},
		"an empty batch is an error":       {emptyFails: true},
	} {
		catches(t, name, func(t testing.TB) { testStacker(t, s) })
	}
	catches(t, "Put is retriable for ever", func(t testing.TB) {
		TestSinkTask(t, SinkPlugin("Fake", func(config.Props) SinkTask {
			return SinkTask{PutFunc: func(context.Context, []connect.SinkRecord) error { return connect.Retriable(errors.New("never"), 0) }}
		}), SinkOptions{})
	})
}

// TestFakesHaveNoAbilities keeps the plain fakes plain.
func TestFakesHaveNoAbilities(t *testing.T) {
	var source, sink any = SourceTask{}, SinkTask{}
	_, committer := source.(connect.Committer)
	_, delivery := source.(connect.DeliveryCommitter)
	_, opener := sink.(connect.Opener)
	_, closer := sink.(connect.Closer)
	_, flusher := sink.(connect.Flusher)
	_, pre := sink.(connect.PreCommitter)
	_, durable := sink.(connect.DurableOffsets)
	assert.False(t, committer || delivery || opener || closer || flusher || pre || durable)

	type able struct {
		SinkTask
		Opener
		Closer
		Flusher
		PreCommitter
		DurableOffsets
	}
	assert.NoError(t, SinkPlugin("Able", func(config.Props) able { return able{} }).Err())
	var all any = able{}
	_, opener = all.(connect.Opener)
	_, closer = all.(connect.Closer)
	_, flusher = all.(connect.Flusher)
	_, pre = all.(connect.PreCommitter)
	_, durable = all.(connect.DurableOffsets)
	assert.True(t, opener && closer && flusher && pre && durable)
}
