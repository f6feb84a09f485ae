package connect

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// sinkPipeline moves the records of one sink task:
//
//	consumer poll → header, key and value converters → transforms → Put →
//	PreCommit or Flush → consumer commit
//
// One goroutine does all of it, the rebalance functions that the consumer calls
// inside Poll included, so nothing here needs a lock. What the task asks for
// from other goroutines waits in sinkContext until the loop heeds it.
type sinkPipeline struct {
	env      *taskEnv
	task     SinkTask
	set      sinkSettings
	context  *sinkContext
	consumer Consumer

	rebalance Rebalance
	// rebalanceErr is what went wrong in a rebalance function. It fails the
	// task, whatever the consumer makes of it.
	rebalanceErr error

	parts map[TopicPartition]*sinkPartition

	// batch holds what was polled and converted, and not yet taken by Put. The
	// slice is reused: the records in it are the task's to copy, not to keep.
	batch []SinkRecord
	fetch []Message // for the next poll; see messages
	// usedBatch and usedFetch say up to where both hold something, be it done
	// with: it is overwritten by the next poll, or let go.
	usedBatch, usedFetch int

	pollMax int  // records of one poll
	keepRaw bool // a reporter wants messages as they were consumed
	wire    Wire // for converters, which would otherwise cost an allocation each

	attempts   int       // failed puts of the batch; above zero: it is to be offered again
	offerAt    time.Time // when
	paused     bool      // the target state that was heeded last
	repause    bool      // which partitions are to be paused may have changed
	nextCommit time.Time

	woken atomic.Bool // since heed began; the only field that other goroutines touch
	stats batchStats
	event BatchEvent // of the batch, gathered until Put takes it
}

// sinkSettings are what a sink pipeline is told beside its environment.
type sinkSettings struct {
	// consumer has the group, the topics or the match, and the client's keys
	// with their layers merged. Its max.poll.records (default 500) bounds one
	// poll.
	consumer ConsumerConfig
}

const (
	// defaultPollRecords is Kafka's default of max.poll.records.
	defaultPollRecords = 500
	// firstPollRecords is the room of a poll after a time without records. It
	// grows when it is full: many sinks do nothing but wait.
	firstPollRecords = 8
	// letGoAfter is how long a pipeline that waits for records holds the last ones.
	letGoAfter = 100 * time.Millisecond
)

// pollRecords is the most records of one poll.
func (s *sinkSettings) pollRecords() (int, error) {
	const key = "max.poll.records"
	text, ok := s.consumer.Props.Get(key)
	if !ok {
		return defaultPollRecords, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("consumer key %s is %q: want an integer of at least 1", key, text)
	}
	return int(n), nil
}

// A sinkPartition follows the offsets of one assigned partition, always those
// of the records as consumed. Its records in [put, read) are in the batch, or
// were dropped.
type sinkPartition struct {
	read      int64 // after the last record polled
	put       int64 // after the last record that Put took: the current offset
	committed int64 // last committed, or where a rewind or the assignment began
	paused    bool  // at the consumer
	known     bool  // whether paused is what the consumer thinks, too
}

// newSinkPipeline makes the pipeline of one run of a sink task.
func newSinkPipeline(env *taskEnv, task SinkTask, s sinkSettings) pipeline {
	p := &sinkPipeline{
		env: env, task: task, set: s,
		context: newSinkContext(env),
		parts:   make(map[TopicPartition]*sinkPartition),
	}
	// What converters and transforms report is awaited before commits as well.
	env.errs.reporters = p.context.track(env.errs.reporters)
	p.keepRaw = slices.ContainsFunc(env.errs.reporters, reporter.wantsRaw)
	p.stats.timed = len(env.hooks.batch) > 0
	return p
}

// run is the whole life of a sink task. The consumer opens before Start, so
// that the task's requests have something to wake; nothing connects before the
// first poll.
func (p *sinkPipeline) run(c taskContexts) error {
	if c.poll.Err() != nil {
		return nil
	}
	n, err := p.set.pollRecords()
	if err != nil {
		return p.env.stageError(StageKafkaConsume, err)
	}
	p.pollMax, p.fetch = n, make([]Message, min(n, firstPollRecords))
	if p.consumer, err = p.env.broker.Consumer(c.poll, p.set.consumer); err != nil {
		return p.env.stageError(StageKafkaConsume, fmt.Errorf("open the consumer of group %q: %w", p.set.consumer.Group, err))
	}
	p.context.setWake(p.wake)
	p.rebalance = p.rebalances(c)
	panicked := true
	defer func() { p.end(c.grace, panicked) }()
	err = p.work(c)
	panicked = false
	return err
}

// work starts the task and runs the loop; then it gives every partition back,
// after an error too: what Put took before is committed.
func (p *sinkPipeline) work(c taskContexts) error {
	if err := p.task.Start(c.life, p.context); err != nil {
		return p.env.stageError(StageTaskPut, fmt.Errorf("start: %w", err))
	}
	p.env.running(c.poll)
	p.env.gate.onChange(p.wake)
	defer p.env.gate.onChange(nil)
	err := p.loop(c)
	p.leave(c)
	return err
}

// end stops the task, then leaves the group. After a panic it is the other way
// round: Stop of a task that broke may hang, and a member that does not poll
// would keep its partitions from the others until it times out.
func (p *sinkPipeline) end(ctx context.Context, panicked bool) {
	stop := func() {
		if err := p.task.Stop(ctx); err != nil {
			p.env.log.WarnContext(ctx, "stopping the task", "err", err)
		}
	}
	leave := func() {
		if err := p.consumer.Close(ctx); err != nil {
			p.env.log.WarnContext(ctx, "closing the consumer", "err", err)
		}
	}
	if panicked {
		stop, leave = leave, stop
	}
	defer leave()
	stop()
}

// loop turns until c.poll ends. What was polled and not put by then is left to
// whoever gets the partitions next.
func (p *sinkPipeline) loop(c taskContexts) error {
	p.nextCommit = time.Now().Add(p.env.timing.flushInterval)
	for c.poll.Err() == nil {
		if err := p.heed(c); err != nil {
			return err
		}
		n, err := p.poll(c)
		if err != nil {
			return err
		}
		err = p.convert(c.poll, n)
		// Converters and transforms may have failed on the end of their context,
		// and errors.tolerance may have let such a record go: not to be counted.
		if c.poll.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.deliver(c.grace); err != nil {
			return err
		}
	}
	return nil
}

// heed brings about, before a poll, what the target state, the task and the
// clock ask for.
func (p *sinkPipeline) heed(c taskContexts) error {
	p.woken.Store(false) // whoever woke before this is heeded here
	p.heedGate(c.poll)
	// What is asked for during a commit counts before this poll as well, but not
	// for ever: a Flush that asks for a commit must not keep the loop from
	// polling.
	for range 2 {
		asked := p.context.take()
		due := !time.Now().Before(p.nextCommit)
		if !asked.any() && !due {
			break
		}
		if err := p.grant(c.grace, asked); err != nil {
			return err
		}
		if !asked.commit && !due {
			continue
		}
		if err := p.commit(c.grace, p.assignment(), false); err != nil {
			return err
		}
		p.nextCommit = time.Now().Add(p.env.timing.flushInterval)
	}
	err := p.grant(c.grace, p.context.arm())
	p.applyPauses()
	return err
}

// grant does what the task asked for, a commit aside.
func (p *sinkPipeline) grant(ctx context.Context, asked requests) error {
	p.repause = p.repause || asked.pauses
	return p.rewind(ctx, asked.next)
}

// heedGate takes note of a change of the target state. A paused task goes on
// polling, for the sake of its membership, and its Put is called with nothing.
func (p *sinkPipeline) heedGate(ctx context.Context) {
	paused, _ := p.env.gate.state()
	if paused == p.paused {
		return
	}
	p.paused, p.repause = paused, true
	p.applyPauses()
	if !paused {
		p.env.running(ctx)
		return
	}
	p.env.paused(ctx)
	p.nextCommit = time.Now() // what is in the target now need not wait
}

// poll fills p.fetch. It waits for records until the next commit or the next
// offer of the batch is due, or until it is woken. After a short wait it lets go
// of the records before.
func (p *sinkPipeline) poll(c taskContexts) (int, error) {
	start, until := time.Now(), p.nextCommit
	if p.attempts > 0 && p.offerAt.Before(until) {
		until = p.offerAt
	}
	soon := start.Add(letGoAfter)
	holds := p.usedFetch+p.usedBatch > len(p.batch) && soon.Before(until)
	if !holds {
		soon = until
	}
	n, err := p.pollUntil(c, soon)
	if n == 0 && err == nil {
		p.letGo()
		if holds && !p.woken.Load() && p.rebalanceErr == nil && c.poll.Err() == nil {
			n, err = p.pollUntil(c, until)
		}
	}
	p.context.disarm()
	p.stats.begin(start, n)
	switch {
	case p.rebalanceErr != nil:
		return 0, p.rebalanceErr
	case c.poll.Err() != nil:
		return 0, nil // an error of Poll then is about the end of its context
	case err != nil:
		return n, p.pollFailed(c.poll, err)
	}
	p.stats.pollRetries = 0
	return n, nil
}

func (p *sinkPipeline) pollUntil(c taskContexts, until time.Time) (int, error) {
	ctx, cancel := context.WithDeadline(c.poll, until)
	defer cancel()
	return p.consumer.Poll(ctx, p.fetch, p.rebalance)
}

// wake ends a poll that waits, or the next one.
func (p *sinkPipeline) wake() {
	p.woken.Store(true)
	p.consumer.Wake()
}

// pollFailed waits after a retriable error, of which the log hears once; others
// fail the task.
func (p *sinkPipeline) pollFailed(ctx context.Context, err error) error {
	after, retriable := RetryAfter(err)
	if !retriable {
		return p.env.stageError(StageKafkaConsume, err)
	}
	pause := retryPause(p.stats.pollRetries, after)
	p.env.hooks.onError(&ErrorEvent{Task: p.env.id, Stage: StageKafkaConsume, Err: err, Retry: true})
	if p.stats.pollRetries == 0 {
		p.env.log.WarnContext(ctx, "poll failed, trying again until it succeeds", "err", err)
	}
	p.stats.pollRetries++
	_ = sleep(ctx, pause)
	return nil
}

// convert takes the n messages of a poll through converters and transforms and
// adds them to the batch. Offsets advance over dropped records, too.
func (p *sinkPipeline) convert(ctx context.Context, n int) error {
	msgs := p.messages(n)
	p.batch = slices.Grow(p.batch, n)
	p.usedBatch = max(p.usedBatch, len(p.batch)+n)
	var headers headerSlab
	for rest := msgs; len(rest) > 0; {
		run := leadingRun(rest)
		rest = rest[len(run):]
		if err := p.convertRun(ctx, run, &headers); err != nil {
			return err
		}
	}
	p.converted(msgs)
	p.cutBatch()
	return nil
}

// convertRun converts messages of one partition.
func (p *sinkPipeline) convertRun(ctx context.Context, msgs []Message, headers *headerSlab) error {
	first := &msgs[0]
	part := p.parts[first.TopicPartition]
	if part == nil {
		p.event.Dropped += len(msgs)
		p.env.log.WarnContext(ctx, "the consumer returned records of a partition that is not assigned; leaving them to its owner",
			"topic", first.Topic, "partition", first.Partition, "offset", first.Offset, "records", len(msgs))
		return nil
	}
	for i := range msgs {
		keep, err := p.one(ctx, msgs[i:], headers)
		if err != nil {
			return err
		}
		if !keep {
			p.event.Dropped++
		}
	}
	part.read = msgs[len(msgs)-1].Offset + 1
	p.env.topics.use(first.Topic)
	return nil
}

// one adds the record made of the first message to the batch. keep is false if a
// transform drops it or errors.tolerance lets it go.
func (p *sinkPipeline) one(ctx context.Context, msgs []Message, headers *headerSlab) (keep bool, err error) {
	m, n := &msgs[0], len(p.batch)
	p.batch = p.batch[:n+1]
	rec := &p.batch[n]
	rec.from(m)
	if p.keepRaw {
		rec.Origin.raw = m
	}
	if len(m.Headers) > 0 {
		rec.Headers = headers.take(msgs)
	}
	timer := p.stats.sample()
	keep, err = p.decode(ctx, m, rec)
	timer = p.stats.decoded(timer)
	if keep && len(p.env.chain.stages) > 0 {
		keep, err = p.env.chain.apply(ctx, &rec.Record, failure{origin: &rec.Origin})
		p.stats.transformed(timer)
	}
	if !keep {
		p.batch = p.batch[:n]
	}
	return keep, err
}

// deliver offers the batch to the task. It does so with nothing in it as well,
// after each poll: at least every flush interval.
func (p *sinkPipeline) deliver(ctx context.Context) error {
	start := time.Now()
	if p.attempts > 0 && start.Before(p.offerAt) {
		return nil
	}
	if err := p.task.Put(ctx, slices.Clip(p.batch)); err != nil {
		return p.putFailed(ctx, err)
	}
	p.delivered(time.Since(start))
	for _, part := range p.parts {
		part.put = part.read
	}
	p.batch = p.batch[:0]
	p.redelivered()
	return nil
}

// putFailed keeps the batch after a retriable error, and has nothing more
// polled until the task has taken it. errors.retry.timeout has no say in this:
// the wait is what the error asks for or a back-off, which is kinder than
// Java's wait for the next flush. Any other error fails the task.
func (p *sinkPipeline) putFailed(ctx context.Context, err error) error {
	after, retriable := RetryAfter(err)
	if !retriable {
		f := failure{stage: StageTaskPut, plugin: p.env.plugin.info.Class, err: err}
		if len(p.batch) > 0 {
			f.origin = &p.batch[0].Origin
			f.err = fmt.Errorf("put of %d records, from this one on: %w", len(p.batch), err)
		}
		return p.env.errs.stageError(f)
	}
	pause := retryPause(p.attempts, after)
	p.attempts++
	p.offerAt, p.repause = time.Now().Add(pause), true
	p.env.hooks.onError(&ErrorEvent{Task: p.env.id, Stage: StageTaskPut, Err: err, Retry: true})
	p.env.log.WarnContext(ctx, "put failed, offering the same records again", "err", err, "records", len(p.batch), "attempt", p.attempts, "pause", pause)
	return nil
}

// redelivered ends the pause that redelivery needed, if there was one.
func (p *sinkPipeline) redelivered() {
	if p.attempts > 0 {
		p.attempts, p.repause = 0, true
	}
}
