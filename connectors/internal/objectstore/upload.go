package objectstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect"
)

// A result is what became of a job.
type result struct {
	part *partition
	file *file
	// skip or forced, if found is set: what was learnt of the file's folder.
	found  bool
	forced bool
	end    int64
	err    error // final
}

// launch runs a job of a partition in the background.
func (t *Task) launch(p *partition, job func(ctx context.Context) result) {
	p.jobs++
	t.jobs.Go(func() {
		r := job(p.ctx)
		r.part = p
		t.mu.Lock()
		t.results = append(t.results, r)
		t.mu.Unlock()
		select {
		case t.changed <- struct{}{}:
		default:
		}
		if r.found || r.err != nil || t.urgent.Load() {
			t.wake()
		}
	})
}

// send stores a file in the background. Only half of the memory is for files on their way; what is more goes to disk.
func (t *Task) send(p *partition, f *file) error {
	t.open -= f.footprint
	f.footprint = f.measure()
	if t.flying.Load()+f.footprint > t.o.Config.Memory/2 {
		if err := f.spill(); err != nil {
			return err
		}
		f.footprint = f.measure()
	}
	t.flying.Add(f.footprint)
	t.launch(p, func(ctx context.Context) result {
		r := t.store(ctx, f)
		t.flying.Add(-f.footprint)
		<-f.probed // it looks at the file
		f.shed()
		close(f.done)
		return r
	})
	return nil
}

// store stores a file after those before it.
func (t *Task) store(ctx context.Context, f *file) result {
	r := result{file: f}
	select {
	case <-f.probed:
	case <-ctx.Done():
		return r
	}
	if !f.clear || f.previous != nil && !f.previous.awaitStored(ctx) {
		return r
	}
	if !t.enterSlot(ctx) {
		return r
	}
	t.stats.uploading.Add(1)
	defer func() {
		t.stats.uploading.Add(-1)
		t.leaveSlot()
	}()
	for i, o := range f.outputs {
		marker := i == len(f.outputs)-1
		began := time.Now()
		found, err := t.put(ctx, f, o)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				r.err = err
			}
			return r
		case found != nil:
			r.found, r.forced, r.end = true, !marker, found.end
			return r
		}
		t.stats.stored(o.spool.Size(), time.Since(began))
	}
	t.stats.records.Add(f.count)
	f.stored = true
	return r
}

// enterSlot waits until there are few enough requests under way. It returns false if the context ends before.
func (t *Task) enterSlot(ctx context.Context) bool {
	select {
	case t.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *Task) leaveSlot() { <-t.slots }

// awaitStored waits for the file and tells whether it is stored.
func (f *file) awaitStored(ctx context.Context) bool {
	select {
	case <-f.done:
		return f.stored
	case <-ctx.Done():
		return false
	}
}

// put stores one object, however often that has to be tried. It returns the claim of somebody else's that is there.
func (t *Task) put(ctx context.Context, f *file, o *output) (*claim, error) {
	opts := PutOptions{ContentType: o.format.ContentType(), Metadata: f.metadata(t.o.Connector), IfAbsent: t.caps.ConditionalCreate}
	var found *claim
	err := t.insist(ctx, "store "+o.key, func() error {
		err := t.back.Put(ctx, o.key, o.spool, opts)
		if !errors.Is(err, ErrExists) {
			return err
		}
		c, replace, err := t.inspect(ctx, f, o)
		switch {
		case err != nil:
			return err
		case replace:
			opts.IfAbsent = false
			return t.back.Put(ctx, o.key, o.spool, opts)
		case c == nil: // removed meanwhile
			return connect.Retriable(fmt.Errorf("object %s was there and is not any more", o.key), 0)
		case c.start == f.start && c.end == f.end && c.count == f.count:
			return nil // ours, or the same
		}
		found = c
		return nil
	})
	return found, err
}

// inspect looks at an object that is in the way. It returns nil if there is none, and whether it may be replaced.
func (t *Task) inspect(ctx context.Context, f *file, o *output) (c *claim, replace bool, err error) {
	obj, err := t.back.Stat(ctx, o.key)
	if errors.Is(err, ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	got, reason := claimOf(obj, f)
	if reason == "" && got.connector != t.o.Connector && t.o.Config.Foreign != AdoptForeign {
		reason = fmt.Sprintf("it was written by the connector %q", got.connector)
	}
	switch {
	case reason == "":
		return &got, false, nil
	case t.o.Config.Foreign == ReplaceForeign:
		t.ctx.Logger().WarnContext(ctx, "replacing an object that this connector did not write", "key", o.key, "because", reason)
		return nil, true, nil
	}
	return nil, false, fmt.Errorf("object %s is in the way: %s. Move it away, choose another topics.dir, or set foreign.objects (see the documentation of migrations)", o.key, reason)
}

// probe looks whether the first file of a folder is stored already. forced is the offset at which a file has to end of which
// a part is there, -1 if none is known.
func (t *Task) probe(ctx context.Context, f *file, forced int64) result {
	r := result{file: f}
	if !t.caps.Metadata {
		f.clear = true
		return r
	}
	if !t.enterSlot(ctx) {
		return r
	}
	defer t.leaveSlot()
	look := func(o *output) (c *claim) {
		err := t.insist(ctx, "look for "+o.key, func() (err error) {
			c, _, err = t.inspect(ctx, f, o)
			return err
		})
		if err != nil && ctx.Err() == nil {
			r.err = err
		}
		return c
	}
	last := len(f.outputs) - 1
	if c := look(f.outputs[last]); c != nil {
		r.found, r.end = true, c.end
		return r
	}
	if last > 0 && r.err == nil {
		if c := look(f.outputs[0]); c != nil && c.end != forced {
			r.found, r.forced, r.end = true, true, c.end
			return r
		}
	}
	f.clear = r.err == nil && ctx.Err() == nil
	return r
}

// insist tries again while the error may pass.
func (t *Task) insist(ctx context.Context, what string, try func() error) error {
	pause := t.o.Config.RetryBackoff
	for attempt := 1; ; attempt++ {
		err := try()
		after, retriable := connect.RetryAfter(err)
		if err == nil || !retriable || ctx.Err() != nil {
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			return nil
		}
		t.stats.retries.Add(1)
		t.ctx.Logger().WarnContext(ctx, "the store has failed, trying again", "what", what, "err", err, "attempt", attempt, "pause", max(pause, after))
		timer := time.NewTimer(max(pause, after))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause = min(max(2*pause, 10*time.Millisecond), time.Minute)
	}
}

// settle heeds the results of jobs. Its error fails the task.
func (t *Task) settle() error {
	for {
		t.mu.Lock()
		results := t.results
		t.results = nil
		t.mu.Unlock()
		for _, r := range results {
			t.heed(r)
		}
		urgent := false
		for _, p := range t.parts {
			t.advance(p)
			urgent = urgent || p.conflict || p.paused
		}
		// What ends from now on wakes the task; what ended meanwhile is heeded here.
		t.urgent.Store(urgent)
		t.mu.Lock()
		more := len(t.results) > 0
		t.mu.Unlock()
		if !more {
			return t.failed
		}
	}
}

func (t *Task) heed(r result) {
	p := r.part
	p.jobs--
	if t.parts[p.tp] != p {
		return // of an earlier life
	}
	if r.err != nil && t.failed == nil {
		t.failed = r.err
	}
	if r.found {
		t.learn(p, r)
	}
}

// stepBacks takes partitions back whose jobs have met what others stored. That is done in Put alone: only there it is known
// which records are from before.
func (t *Task) stepBacks() {
	for _, p := range t.parts {
		if p.conflict && p.jobs == 0 {
			t.stepBack(p)
		}
	}
}

// learn notes what others stored.
func (t *Task) learn(p *partition, r result) {
	if !p.conflict {
		t.ctx.Logger().InfoContext(t.life, "records are stored already; reading again from the last boundary without them",
			"topic", p.tp.Topic, "partition", p.tp.Partition, "folder", described(r.file.dir), "from", r.file.start, "to", r.end, "boundary", p.safe)
	}
	t.stats.conflicts.Add(1)
	p.conflict = true
	if r.forced {
		p.forced[r.file.dir] = r.end
	} else {
		p.skip[r.file.dir] = r.end
		delete(p.forced, r.file.dir)
	}
	p.hold = max(p.hold, r.end)
}

// advance moves the safe offset over rounds that are stored.
func (t *Task) advance(p *partition) {
	for len(p.rounds) > 0 && p.rounds[0].stored() {
		p.safe = p.rounds[0].next
		p.rounds = p.rounds[1:]
		p.forget(p.safe)
	}
	t.unpause(p)
}

func (r *round) stored() bool {
	for _, f := range r.files {
		select {
		case <-f.done:
			if !f.stored {
				return false
			}
		default:
			return false
		}
	}
	return true
}
