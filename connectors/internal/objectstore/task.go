package objectstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

const (
	// maxRounds is the number of rounds of one Kafka partition on their way to the store at which its consumption pauses.
	maxRounds = 2
	// commitWait is how long a commit waits for files that are on their way.
	commitWait = 5 * time.Second
)

// Options make a Task.
type Options struct {
	Config Config
	// Connector is the connector's name; it is in the metadata of objects.
	Connector string
	// Open opens the store. It is called by Start.
	Open func(ctx context.Context, log *slog.Logger) (Backend, error)
	// Value is the format of files of values; Keys and Headers are needed if they are stored.
	Value, Keys, Headers format.Format
	// Shape, if not nil, makes what is stored of a record, in place of its value. It is called from the task's goroutine alone; what it
	// returned is written before it is called again. Its error reports the record.
	Shape func(r *connect.SinkRecord) (connect.Datum, error)
	// ShapeNulls gives Shape the records without a value, too, which are then as others.
	ShapeNulls bool
}

// A Task is a sink task that writes files. It is made by NewTask.
type Task struct {
	o       Options
	folders partitioner
	layout  layout
	timed   bool // the partitioner goes by time
	zone    *time.Location

	ctx   connect.SinkContext
	life  context.Context
	end   context.CancelFunc
	back  Backend
	caps  Capabilities
	spill *spillArea

	stats                  *Stats
	shownFiles, shownBytes int64 // of the gauges

	parts map[connect.TopicPartition]*partition
	open  int64 // bytes of memory of files that are open
	// crowded: they take too much, although all that can be is on disk.
	crowded bool
	// flying is the memory of files that are on their way to the store.
	flying atomic.Int64

	jobs    sync.WaitGroup
	slots   chan struct{}
	mu      sync.Mutex
	results []result
	changed chan struct{} // a result is there
	failed  error

	timer *time.Timer
	woken atomic.Bool // the next commit was asked for by the task itself
	// urgent: the task waits for the end of jobs.
	urgent atomic.Bool
}

// NewTask makes a task of a configuration that was checked.
func NewTask(o Options) (*Task, error) {
	folders, err := newPartitioner(&o.Config)
	if err != nil {
		return nil, err
	}
	l, err := newLayout(&o.Config)
	if err != nil {
		return nil, err
	}
	zone, err := location(o.Config.Timezone)
	if err != nil {
		return nil, err
	}
	if o.Config.Uploads < 1 {
		o.Config.Uploads = 1
	}
	return &Task{
		o: o, folders: folders, layout: l, timed: byTime(o.Config.Partitioner), zone: zone,
		parts: map[connect.TopicPartition]*partition{}, slots: make(chan struct{}, o.Config.Uploads), changed: make(chan struct{}, 1),
	}, nil
}

func byTime(p Partitioner) bool {
	return p == TimeBasedPartitioner || p == DailyPartitioner || p == HourlyPartitioner
}

// Start opens the store and learns what it can do.
func (t *Task) Start(ctx context.Context, c connect.SinkContext) error {
	t.ctx = c
	if t.stats == nil {
		t.stats = NewStats(c.Metrics())
	}
	t.life, t.end = context.WithCancel(ctx)
	t.spill = newSpillArea(t.o.Config.TempDir)
	back, err := t.o.Open(ctx, c.Logger())
	if err != nil {
		return err
	}
	t.back = back
	if t.caps, err = back.Capabilities(ctx); err != nil {
		return err
	}
	if !t.caps.ConditionalCreate {
		c.Logger().WarnContext(ctx, "the store cannot create objects conditionally, or is not asked to: files have the same names when they are written again, "+
			"and are replaced; two tasks that write at the same time may lose or repeat records")
	}
	if (t.timed || t.layout.template != nil && t.layout.template.has("timestamp")) && t.o.Config.Extractor == Wallclock {
		c.Logger().InfoContext(ctx, "timestamp.extractor=Wallclock gives a record another folder when it is read again: after a crash records may be there twice")
	}
	return nil
}

// Open takes partitions over.
func (t *Task) Open(_ context.Context, tps []connect.TopicPartition) error {
	for _, tp := range tps {
		t.drop(tp)
		t.parts[tp] = newPartition(t.life, tp)
	}
	return nil
}

// Close gives partitions up. What is not stored is left to their next owner.
func (t *Task) Close(_ context.Context, tps []connect.TopicPartition) error {
	for _, tp := range tps {
		t.drop(tp)
	}
	return nil
}

func (t *Task) drop(tp connect.TopicPartition) {
	if p := t.parts[tp]; p != nil {
		t.abandon(p)
		delete(t.parts, tp)
	}
}

// abandon ends a partition's jobs and gives the memory of its open files up. Jobs release theirs.
func (t *Task) abandon(p *partition) {
	p.end()
	for _, f := range p.files {
		t.discard(f)
	}
	for _, f := range p.sealed {
		t.discard(f)
	}
	p.files, p.sealed = map[string]*file{}, nil
}

func (t *Task) discard(f *file) {
	t.open -= f.footprint
	f.footprint = 0
	f.release()
}

// Put takes records.
func (t *Task) Put(ctx context.Context, records []connect.SinkRecord) error {
	if err := t.settle(); err != nil {
		return err
	}
	t.stepBacks()
	now := time.Now()
	for _, p := range t.parts {
		if err := t.tick(p, now); err != nil {
			return err
		}
	}
	for i := range records {
		if err := t.take(ctx, &records[i], now); err != nil {
			return err
		}
	}
	for _, p := range t.parts {
		p.ignore = false
	}
	t.schedule(now)
	t.gauge()
	return t.settle()
}

// take handles one record.
func (t *Task) take(ctx context.Context, r *connect.SinkRecord, now time.Time) error {
	p := t.parts[r.Origin.TopicPartition]
	if p == nil {
		p = newPartition(t.life, r.Origin.TopicPartition)
		t.parts[r.Origin.TopicPartition] = p
	}
	if p.conflict || p.ignore {
		return nil // comes again
	}
	offset := r.Origin.Offset
	switch {
	case p.safe < 0:
		p.safe, p.next = offset, offset
	case offset < p.next:
		p = t.wentBack(p, offset)
		if p.ignore {
			return nil
		}
	}
	p.stepping = false
	if !p.refused[offset] {
		if err := t.place(ctx, p, r, now); err != nil {
			return err
		}
	}
	if p.ignore || p.conflict { // it stepped back meanwhile
		return nil
	}
	p.next = offset + 1
	if err := t.rotateIfFull(p); err != nil {
		return err
	}
	return t.relieve()
}

// wentBack follows a consumer that was set back by somebody else: what is open is given up, and read again.
func (t *Task) wentBack(p *partition, offset int64) *partition {
	if offset > p.safe {
		t.stepBack(p)
		return t.parts[p.tp]
	}
	t.abandon(p)
	q := p.again(t.life, offset)
	t.parts[p.tp] = q
	return q
}

// stepBack gives up what is not stored and reads it again.
func (t *Task) stepBack(p *partition) {
	t.abandon(p)
	q := p.again(t.life, p.safe)
	q.ignore, q.stepping = true, true
	t.parts[p.tp] = q
	t.ctx.Rewind(connect.Offsets{p.tp: p.safe})
	t.unpause(q)
}

func (t *Task) unpause(p *partition) {
	if p.paused && len(p.rounds) < maxRounds {
		p.paused = false
		t.ctx.Resume(p.tp)
	}
}

// PreCommit returns the offsets up to which everything is stored. It waits a little for files on their way.
func (t *Task) PreCommit(ctx context.Context, current connect.Offsets) (connect.Offsets, error) {
	if !t.woken.Swap(false) {
		t.await(ctx, current)
	}
	if err := t.settle(); err != nil {
		t.failed = err // Put says it
	}
	agreed := make(connect.Offsets, len(current))
	for tp, offset := range current {
		p := t.parts[tp]
		if p == nil {
			continue
		}
		if p.idle() && p.hold < offset && (p.safe < 0 || offset > p.safe) {
			p.safe, p.next = offset, max(offset, p.next)
		}
		if p.safe >= 0 && p.safe <= offset {
			agreed[tp] = p.safe
		}
	}
	return agreed, nil
}

// await waits until no file of the partitions is on its way, or time is up.
func (t *Task) await(ctx context.Context, tps connect.Offsets) {
	timer := time.NewTimer(commitWait)
	defer timer.Stop()
	for {
		if t.settle() != nil {
			return
		}
		waiting := false
		for tp := range tps {
			p := t.parts[tp]
			// After a conflict nothing more is stored before Put has gone back.
			waiting = waiting || p != nil && len(p.rounds) > 0 && !p.conflict
		}
		if !waiting {
			return
		}
		select {
		case <-t.changed:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Stop gives everything up.
func (t *Task) Stop(context.Context) error {
	if t.end == nil {
		return nil
	}
	t.end()
	if t.timer != nil {
		t.timer.Stop()
	}
	for tp := range t.parts {
		t.drop(tp)
	}
	t.gauge()
	t.jobs.Wait()
	err := t.spill.close()
	if t.back != nil {
		err = errors.Join(err, t.back.Close())
	}
	if err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}
