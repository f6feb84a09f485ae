package objectstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/data"
)

// place puts a record into its file.
func (t *Task) place(ctx context.Context, p *partition, r *connect.SinkRecord, now time.Time) error {
	null := r.Value.Value.IsNull() && !t.o.ShapeNulls
	if null && t.o.Config.NullValues != WriteNull {
		return t.refuseNull(ctx, r)
	}
	at, encoded, err := t.encode(r, null, now)
	if err != nil {
		return t.report(ctx, r, err)
	}
	dir, err := t.layout.dir(r, encoded, at)
	if err != nil {
		return t.report(ctx, r, err)
	}
	offset := r.Origin.Offset
	if e, ok := p.skip[dir]; ok && offset <= e {
		t.stats.skipped.Add(1)
		return nil // stored already
	}
	if e, ok := p.forced[dir]; ok && offset > e && p.files[dir] != nil && p.files[dir].end <= e {
		t.seal(p, dir)
	}
	value := r.Value
	if t.o.Shape != nil && !null {
		if value, err = t.o.Shape(r); err != nil {
			return t.report(ctx, r, err)
		}
	}
	if err := t.rotateBefore(p, value.Schema, dir, at); err != nil {
		return err
	}
	f := p.files[dir]
	if f != nil && f.value != nil {
		if value, err = t.o.Config.Compatibility.project(value, f.schema); err != nil {
			return t.report(ctx, r, err)
		}
	}
	if f == nil {
		f = t.begin(p, r, value.Schema, dir, null)
	}
	if err := f.write(r, value); err != nil {
		return t.writeFailed(ctx, p, f, r, err)
	}
	if f.count == 1 {
		t.enter(p, f)
	}
	t.noteWritten(p, dir, at, now)
	p.round.full = cmp.Or(p.round.full, t.fills(f))
	return t.account(f)
}

// encode returns the record's time and encoded partition.
func (t *Task) encode(r *connect.SinkRecord, null bool, now time.Time) (at time.Time, encoded string, err error) {
	c := &t.o.Config
	if null {
		return time.Time{}, c.TombstonePartition, nil
	}
	if t.timed || c.RotateInterval > 0 || c.Partitioner == TemplatePartitioner || t.layout.template != nil && t.layout.template.has("timestamp") {
		if at, err = c.Extractor.timeOf(r, c.TimestampField, now); err != nil {
			return at, "", err
		}
	}
	if t.layout.template != nil {
		return at, "", nil
	}
	encoded, err = t.folders(r, at)
	return at, encoded, err
}

var errNullValue = errors.New("the record has no value, which behavior.on.null.values=fail does not allow")

func (t *Task) refuseNull(ctx context.Context, r *connect.SinkRecord) error {
	if t.o.Config.NullValues == FailOnNull {
		return t.report(ctx, r, errNullValue)
	}
	if t.o.Config.ReportNulls {
		_ = t.ctx.Report(ctx, r, errors.New("the record has no value")) // with errors.tolerance=none it is passed over all the same
	}
	return nil
}

// report hands a record over that can not be written. The error fails the task.
func (t *Task) report(ctx context.Context, r *connect.SinkRecord, cause error) error {
	if err := t.ctx.Report(ctx, r, cause); err != nil {
		return fmt.Errorf("%s-%d, offset %d: %w", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, err)
	}
	t.stats.refused.Add(1)
	return nil
}

// writeFailed deals with a record that a format refuses. Parts of it may be in other objects of the file already: then all is
// given up and read again without that record.
func (t *Task) writeFailed(ctx context.Context, p *partition, f *file, r *connect.SinkRecord, err error) error {
	if _, ok := errors.AsType[*format.DataError](err); !ok {
		return fmt.Errorf("write to file %s: %w", f.outputs[len(f.outputs)-1].key, err)
	}
	if err := t.report(ctx, r, err); err != nil {
		return err
	}
	if f.count == 0 {
		t.discard(f)
		return nil
	}
	if len(f.outputs) > 1 {
		p.refused[r.Origin.Offset] = true
		t.stepBack(p)
	}
	return nil
}

// begin makes a file for a record, which is not a part of it yet.
func (t *Task) begin(p *partition, r *connect.SinkRecord, schema *data.Schema, dir string, null bool) *file {
	f := &file{part: p, dir: dir, topic: r.Topic, start: r.Origin.Offset, schema: schema, probed: make(chan struct{}), done: make(chan struct{})}
	key := t.layout.key(dir, r.Topic, p.tp.Partition, f.start)
	add := func(x format.Format, infix string) *output {
		o := &output{key: key + infix + x.Extension(), format: x, spool: newSpool(t.spill)}
		f.outputs = append(f.outputs, o)
		return o
	}
	if t.o.Config.StoreKeys && !null {
		f.keys = add(t.o.Keys, ".keys")
	}
	if t.o.Config.StoreHeaders {
		f.headers = add(t.o.Headers, ".headers")
	}
	if null {
		f.keys = add(t.o.Keys, ".keys")
		return f
	}
	f.value = add(t.o.Value, "")
	return f
}

// enter makes a file that has its first record one of the open ones.
func (t *Task) enter(p *partition, f *file) {
	p.prune()
	f.previous = p.last[f.dir]
	p.last[f.dir] = f
	p.files[f.dir] = f
	if f.previous != nil {
		f.clear = true
		close(f.probed)
		return
	}
	forced, ok := p.forced[f.dir]
	if !ok {
		forced = -1
	}
	t.launch(p, func(ctx context.Context) result {
		defer close(f.probed)
		return t.probe(ctx, f, forced)
	})
}

// seal ends the file of a folder before its round.
func (t *Task) seal(p *partition, dir string) {
	if f := p.files[dir]; f != nil {
		delete(p.files, dir)
		p.sealed = append(p.sealed, f)
	}
}

func (t *Task) noteWritten(p *partition, dir string, at, now time.Time) {
	s := &p.round
	if s.count == 0 {
		s.began, s.scheduled = now, nextSchedule(now, t.o.Config.ScheduleInterval, t.zone)
	}
	if s.firstTime.IsZero() {
		s.firstTime = at
	}
	s.count++
	s.wrote, s.folder = now, dir
}
