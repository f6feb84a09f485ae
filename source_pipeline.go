package connect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// emptyPolls in a row, each returning at once, are a hot loop.
	emptyPolls = 100
	hotPause   = 100 * time.Millisecond
	// pollBackoff doubles with each retriable error of Poll, up to the maximum.
	pollBackoff    = 100 * time.Millisecond
	maxPollBackoff = 10 * time.Second
)

// sourcePipeline moves the records of one source task:
//
//	Poll → transforms → converters → send → track → commit
//
// pump is the task's own goroutine; commitLoop is the one beside it.
type sourcePipeline struct {
	env   *taskEnv
	task  SourceTask
	out   sourceOutput
	trans transactor
	track *tracker

	// fail ends the pump with an error that came from elsewhere: an ack, or the
	// commit goroutine.
	fail context.CancelCauseFunc

	empty   int  // polls in a row that returned nothing at once
	warned  bool // about a hot loop
	current SourceRecord
	stats   batchStats
}

// A sourceOutput is where the records of a pipeline go: Kafka or a Receiver.
type sourceOutput interface {
	// add encodes one record into the batch, or drops it.
	add(ctx context.Context, b *sourceBatch, rec *SourceRecord) error
	// send hands the batch over. Its outcome arrives through the batch's slots.
	send(ctx context.Context, b *sourceBatch) error
	// rest lets go of clients, until there is a batch to send again. It waits for
	// what is in flight until ctx ends.
	rest(ctx context.Context) error
}

// run is the whole life of a source task: preamble, Start, pump and commitLoop
// side by side, then the end under the grace period.
func (p *sourcePipeline) run(c taskContexts) error {
	p.stats.timed = len(p.env.hooks.batch) > 0
	if err := p.trans.preamble(c.poll); err != nil {
		return err
	}
	err := guard(func() error { return p.task.Start(c.life, &sourceContext{env: p.env}) })
	if err == nil {
		err = p.work(c)
	} else {
		err = p.env.stageError(StageTaskPoll, fmt.Errorf("start: %w", err))
	}
	return errors.Join(err, p.stop(c.grace))
}

// work runs pump and commitLoop, then commits what is left.
func (p *sourcePipeline) work(c taskContexts) error {
	p.env.running(c.poll)
	ctx, fail := context.WithCancelCause(c.poll)
	defer fail(nil)
	p.fail = fail

	done := make(chan struct{})
	var commits sync.WaitGroup
	commits.Go(func() {
		err := guard(func() error { p.commitLoop(c.grace, done); return nil })
		if err != nil {
			fail(p.env.stageError(StageTaskPoll, err))
		}
	})
	err := guard(func() error { return p.pump(ctx, c.grace) })
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		err = p.env.stageError(StageTaskPoll, err)
	}
	if c.poll.Err() == nil && err == nil {
		err = context.Cause(ctx) // what fail was called with
	}
	p.track.await(c.grace, p.env.timing.flushTimeout)
	close(done)
	commits.Wait()
	if errors.Is(context.Cause(c.poll), ErrRevoked) {
		return err
	}
	// A panic in here must not keep the task from its Stop.
	return errors.Join(err, guard(func() error {
		p.deliver(c.grace)
		p.commit(c.grace)
		return nil
	}))
}

// stop calls the task's Stop; an error of it is worth a line, no more.
func (p *sourcePipeline) stop(ctx context.Context) error {
	if err := guard(func() error { return p.task.Stop(ctx) }); err != nil {
		p.env.log.WarnContext(ctx, "stopping the task", "err", err)
	}
	return p.out.rest(ctx)
}

// pump polls until ctx ends. What was polled is sent under the grace period, so
// that a stop does not cut a batch in half; while the task is paused it is held
// back, so that PAUSED means what it says.
func (p *sourcePipeline) pump(ctx, grace context.Context) error {
	for ctx.Err() == nil {
		if err := p.pauseIfAsked(ctx, grace); err != nil {
			return nil
		}
		polled := time.Now()
		recs, pollErr := p.task.Poll(ctx)
		p.stats.begin(polled, len(recs))
		if len(recs) > 0 {
			if p.pauseIfAsked(ctx, grace) != nil {
				return nil // stopped while paused: the records come again
			}
			if err := p.move(grace, recs); err != nil {
				return err
			}
		}
		if err := p.afterPoll(ctx, grace, len(recs), pollErr); err != nil {
			return err
		}
	}
	return nil
}

// move takes one poll's records from transforms to the output.
func (p *sourcePipeline) move(ctx context.Context, recs []SourceRecord) error {
	b := p.track.newBatch(len(recs))
	var failed error
	for i := range recs {
		if failed = p.one(ctx, b, &recs[i]); failed != nil {
			break // what came before it is sent all the same
		}
	}
	p.stats.filled(b)
	b.seal()
	if err := p.trans.begin(ctx); err != nil {
		b.abandon()
		return errors.Join(failed, err)
	}
	sent := time.Now()
	if err := errors.Join(failed, p.out.send(ctx, b)); err != nil {
		return err
	}
	p.stats.sent(p, time.Since(sent))
	return p.trans.afterBatch(ctx, recs)
}

// one submits a record to the tracker, then transforms and encodes it. A record
// that is dropped, by a transform or by errors.tolerance, counts as acknowledged;
// one with a dead letter, once that is written.
func (p *sourcePipeline) one(ctx context.Context, b *sourceBatch, rec *SourceRecord) error {
	if err := b.submit(rec); err != nil {
		return p.env.stageError(StageTaskPoll, err)
	}
	p.env.sourceLetters.working(rec)
	if rec.OffsetOnly || rec.Err != nil {
		return p.unmade(ctx, b, rec)
	}
	timer := p.stats.sample()
	out, err := p.transform(ctx, rec)
	timer = p.stats.transformed(timer)
	switch {
	case err != nil:
		return err
	case out == nil:
		b.drop(p.env.sourceLetters.letter())
	case out.Topic == "":
		return p.env.stageError(StageKafkaProduce, fmt.Errorf("record of %v has no topic", rec.SourcePartition))
	default:
		err = p.out.add(ctx, b, out)
	}
	p.stats.converted(timer)
	return err
}

// unmade drops a record that the task could not make, or that has an offset only.
func (p *sourcePipeline) unmade(ctx context.Context, b *sourceBatch, rec *SourceRecord) error {
	if rec.Err != nil {
		f := failure{stage: StageTaskPoll, plugin: p.env.plugin.info.Class, record: rec, err: rec.Err}
		if _, err := p.env.errs.fail(ctx, f); err != nil {
			return err
		}
	}
	b.drop(p.env.sourceLetters.letter())
	return nil
}

// transform returns the record as the chain leaves it, nil if it is dropped. An
// empty chain leaves it where it is: copying it would be the dearest step of
// all.
func (p *sourcePipeline) transform(ctx context.Context, rec *SourceRecord) (*SourceRecord, error) {
	if len(p.env.chain.stages) == 0 {
		return rec, nil
	}
	p.current = *rec
	p.current.Offset = -1
	keep, err := p.env.chain.apply(ctx, &p.current.Record, failure{record: rec})
	if !keep || err != nil {
		return nil, err
	}
	return &p.current, nil
}

// afterPoll deals with Poll's error, and with polls that return nothing.
func (p *sourcePipeline) afterPoll(ctx, grace context.Context, n int, err error) error {
	switch {
	case ctx.Err() != nil:
		return nil // why is known by the canceller
	case errors.Is(err, ErrDone):
		p.env.log.InfoContext(ctx, "source is done")
		p.rest(ctx, grace, nil)
		<-ctx.Done()
		return nil
	case err != nil:
		return p.pollFailed(ctx, err)
	}
	p.stats.pollRetries = 0
	if n > 0 || time.Since(p.stats.polled) > time.Millisecond {
		p.empty = 0
		return nil
	}
	if p.empty++; p.empty < emptyPolls {
		return nil
	}
	if !p.warned {
		p.warned = true
		p.env.log.WarnContext(ctx, "Poll returns nothing, at once, over and over; slowing it down: it should block until there are records")
	}
	_ = sleep(ctx, hotPause)
	return nil
}

// pollFailed waits after a retriable error; others fail the task.
func (p *sourcePipeline) pollFailed(ctx context.Context, err error) error {
	after, retriable := RetryAfter(err)
	if !retriable {
		return p.env.stageError(StageTaskPoll, err)
	}
	pause := retryPause(p.stats.pollRetries, after)
	p.stats.pollRetries++
	p.env.hooks.onError(&ErrorEvent{Task: p.env.id, Stage: StageTaskPoll, Err: err, Retry: true})
	p.env.log.WarnContext(ctx, "poll failed, trying again", "err", err, "pause", pause)
	_ = sleep(ctx, pause)
	return nil
}

// pauseIfAsked blocks while the task is paused.
func (p *sourcePipeline) pauseIfAsked(ctx, grace context.Context) error {
	paused, changed := p.env.gate.state()
	if !paused {
		return nil
	}
	p.env.paused(ctx)
	for ; paused; paused, changed = p.env.gate.state() {
		p.rest(ctx, grace, changed)
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	p.env.running(ctx)
	return nil
}

// rest lets go of clients once nothing is in flight, unless there is something to
// do before.
func (p *sourcePipeline) rest(ctx, grace context.Context, todo <-chan struct{}) {
	for p.track.inFlight() > 0 {
		select {
		case <-p.track.idle:
		case <-todo:
			return
		case <-ctx.Done():
			return
		}
	}
	if err := p.out.rest(grace); err != nil {
		p.env.log.WarnContext(ctx, "closing the clients of a task that rests", "err", err)
	}
}

// sourceContext is the runtime as the task sees it.
type sourceContext struct{ env *taskEnv }
