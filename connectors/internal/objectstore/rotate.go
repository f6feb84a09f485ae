package objectstore

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamlane/connect/data"
)

// rotateBefore ends the round if the record must not be a part of it.
func (t *Task) rotateBefore(p *partition, schema *data.Schema, dir string, at time.Time) error {
	if !p.dirty() {
		return nil
	}
	c := &t.o.Config
	f := p.files[dir]
	if f != nil && f.value != nil {
		changed, err := c.Compatibility.changes(schema, f.schema)
		if err != nil {
			return nil //nolint:nilerr // project says it of the record
		}
		if changed {
			if p.mayEnd() {
				return t.rotate(p, bySchema)
			}
			t.seal(p, dir)
		}
	}
	s := &p.round
	var why trigger
	switch timed := c.RotateInterval > 0 && !at.IsZero() && !s.firstTime.IsZero(); {
	case timed && at.Sub(s.firstTime) >= c.RotateInterval:
		why = byRecordTime
	case timed && t.timed && c.RotateOnPartitionChange && dir != s.folder:
		why = byFolder
	case c.MaxOpenFiles > 0 && f == nil && len(p.files) >= c.MaxOpenFiles:
		why = byOpenFiles
	}
	if why != "" && p.mayEnd() {
		return t.rotate(p, why)
	}
	return nil
}

// rotateIfFull ends the round if it has enough.
func (t *Task) rotateIfFull(p *partition) error {
	c := &t.o.Config
	switch {
	case !p.dirty() || !p.mayEnd():
		return nil
	case c.FlushSize > 0 && p.round.count >= c.FlushSize:
		return t.rotate(p, byRecords)
	case p.round.full != "":
		return t.rotate(p, p.round.full)
	}
	return nil
}

// fills tells whether a file has as much as one may have, and of what.
func (t *Task) fills(f *file) trigger {
	c := &t.o.Config
	switch {
	case c.FileRecords > 0 && f.count >= int64(c.FileRecords):
		return byRecords
	case c.FlushBytes > 0 && f.size() >= c.FlushBytes:
		return byBytes
	}
	return ""
}

// size is about how many bytes the file will have.
func (f *file) size() int64 {
	o := f.outputs[len(f.outputs)-1]
	n := o.spool.size
	if o.writer != nil {
		n += o.writer.Buffered()
	}
	return n
}

// tick ends the round if the wall clock says so.
func (t *Task) tick(p *partition, now time.Time) error {
	at, why := t.due(p)
	if why == "" || now.Before(at) || !p.mayEnd() || p.conflict || p.ignore {
		return nil
	}
	return t.rotate(p, why)
}

// due returns when the wall clock ends the round, and why; "" is never.
func (t *Task) due(p *partition) (first time.Time, why trigger) {
	if !p.dirty() {
		return first, ""
	}
	c, s := &t.o.Config, &p.round
	add := func(interval time.Duration, at time.Time, by trigger) {
		if interval > 0 && (why == "" || at.Before(first)) {
			first, why = at, by
		}
	}
	add(c.ScheduleInterval, s.scheduled, bySchedule)
	add(c.OpenInterval, s.began.Add(c.OpenInterval), byOpenTime)
	add(c.IdleInterval, s.wrote.Add(c.IdleInterval), byIdleTime)
	if c.Extractor == Wallclock && !s.firstTime.IsZero() {
		add(c.RotateInterval, s.firstTime.Add(c.RotateInterval), byRecordTime)
	}
	return first, why
}

// schedule wakes the task when the next round is due.
func (t *Task) schedule(now time.Time) {
	var first time.Time
	for _, p := range t.parts {
		if at, why := t.due(p); why != "" && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	if !first.IsZero() {
		// Not at once, even if a round that is due may not end yet.
		t.timer = time.AfterFunc(max(first.Sub(now), 100*time.Millisecond), t.wake)
	}
}

// wake has Put called soon.
func (t *Task) wake() {
	t.woken.Store(true)
	t.ctx.RequestCommit()
}

// nextSchedule returns the next whole number of intervals after midnight, or the next midnight if that is before.
func nextSchedule(now time.Time, interval time.Duration, loc *time.Location) time.Time {
	if interval <= 0 {
		return time.Time{}
	}
	now = now.In(loc)
	midnight, tomorrow := startOfDay(now, 0), startOfDay(now, 1)
	next := midnight.Add((now.Sub(midnight)/interval + 1) * interval)
	if tomorrow.Before(next) {
		return tomorrow
	}
	return next
}

// rotate ends the round and sends its files on their way.
func (t *Task) rotate(p *partition, why trigger) error {
	t.stats.rotations[why].Add(1)
	files := slices.Clone(p.sealed)
	for _, f := range p.files {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *file) int { return cmp.Compare(a.start, b.start) })
	p.sealed, p.files, p.round = nil, map[string]*file{}, roundState{}
	p.rounds = append(p.rounds, &round{files: files, next: p.next})
	for i, f := range files {
		if err := f.finish(); err != nil {
			for _, g := range files[i:] {
				t.discard(g)
			}
			return err
		}
		if err := t.send(p, f); err != nil {
			return err
		}
	}
	if len(p.rounds) >= maxRounds && !p.paused {
		p.paused = true
		t.ctx.Pause(p.tp)
	}
	return nil
}

// account brings the books in line after a write, and spills files if memory is short: the largest first, until a quarter
// of the budget is free, so that it is not a few bytes each time.
func (t *Task) account(f *file) error {
	n := f.measure()
	t.open += n - f.footprint
	f.footprint = n
	budget := t.o.Config.Memory - t.flying.Load()
	if t.open <= budget {
		return nil
	}
	var all []*file
	for _, p := range t.parts {
		all = append(all, p.sealed...)
		for _, f := range p.files {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *file) int { return cmp.Compare(b.footprint, a.footprint) })
	for _, f := range all {
		if t.open <= budget*3/4 {
			return nil
		}
		if err := f.spill(); err != nil {
			return err
		}
		n := f.measure()
		t.open += n - f.footprint
		f.footprint = n
	}
	t.crowded = t.open > budget
	return nil
}

// relieve ends the round of the partition whose files take most, if memory is short although all are spilled.
func (t *Task) relieve() error {
	if !t.crowded {
		return nil
	}
	t.crowded = false
	var most *partition
	taken := int64(0)
	for _, p := range t.parts {
		if !p.mayEnd() || p.conflict || p.ignore || len(p.rounds) >= maxRounds {
			continue
		}
		n := int64(0)
		for _, f := range p.files {
			n += f.footprint
		}
		if n > taken {
			most, taken = p, n
		}
	}
	if most == nil {
		return nil
	}
	return t.rotate(most, byMemory)
}
