package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// rebalances returns the functions that the consumer calls inside Poll. They
// run on the pipeline's goroutine. The context they are given ends with that
// one poll; plugins get the ones of the task instead.
func (p *sinkPipeline) rebalances(c taskContexts) Rebalance {
	on := func(change func(taskContexts, []TopicPartition) error) func(context.Context, []TopicPartition) error {
		return func(_ context.Context, tps []TopicPartition) error {
			if len(tps) == 0 {
				return nil
			}
			err := change(c, tps)
			p.rebalanceErr = errors.Join(p.rebalanceErr, err)
			return err
		}
	}
	return Rebalance{Assigned: on(p.assigned), Revoked: on(p.revoked), Lost: on(p.lost)}
}

// assigned takes partitions over: from the committed offsets, or from where the
// target says its data ends, or from where the task rewinds to when it hears of
// them. A cooperative group passes only what is new.
func (p *sinkPipeline) assigned(c taskContexts, tps []TopicPartition) error {
	next, err := p.position(c.poll, tps)
	if err != nil || next == nil {
		return err
	}
	for _, tp := range tps {
		p.parts[tp] = &sinkPartition{read: next[tp], put: next[tp], committed: next[tp]}
	}
	p.repause = true
	p.context.own(tps)
	if task, ok := p.task.(DurableOffsets); ok {
		claimed, err := task.Claim(c.grace, slices.Clone(tps))
		if err == nil {
			err = p.rewind(c.grace, claimed)
		}
		if err != nil {
			return p.env.stageError(StageTaskPut, fmt.Errorf("claim of %v: %w", tps, err))
		}
	}
	if task, ok := p.task.(Opener); ok {
		if err := task.Open(c.grace, slices.Clone(tps)); err != nil {
			return p.env.stageError(StageTaskPut, fmt.Errorf("open of %v: %w", tps, err))
		}
	}
	err = p.rewind(c.grace, p.context.takeRewinds())
	p.applyPauses()
	return err
}

// position asks where newly assigned partitions start; nil if the task ends
// before that is known.
func (p *sinkPipeline) position(ctx context.Context, tps []TopicPartition) (Offsets, error) {
	for attempt := 0; ; attempt++ {
		next, err := p.consumer.Position(ctx, tps...)
		after, retriable := RetryAfter(err)
		switch {
		case err == nil:
			for _, tp := range tps {
				if _, ok := next[tp]; !ok {
					return nil, p.env.stageError(StageKafkaConsume, fmt.Errorf("the consumer has no position in %s-%d", tp.Topic, tp.Partition))
				}
			}
			return next, nil
		case ctx.Err() != nil:
			return nil, nil
		case !retriable:
			return nil, p.env.stageError(StageKafkaConsume, fmt.Errorf("positions of %v: %w", tps, err))
		}
		p.env.log.WarnContext(ctx, "cannot learn where new partitions start, trying again", "err", err)
		_ = sleep(ctx, retryPause(attempt, after))
	}
}

// revoked gives partitions back: commits what the task has, closes them, and
// forgets what waits for redelivery.
func (p *sinkPipeline) revoked(c taskContexts, tps []TopicPartition) error {
	tps = p.ours(tps)
	err := p.commit(c.grace, tps, true)
	err = errors.Join(err, p.closePartitions(c.grace, tps))
	p.forget(tps)
	return err
}

// lost does without the commit, for the partitions may be another's already,
// and their records are put again there. So reports of them are neither taken
// nor awaited any more.
func (p *sinkPipeline) lost(c taskContexts, tps []TopicPartition) error {
	tps = p.ours(tps)
	p.context.disown(tps)
	err := p.closePartitions(c.grace, tps)
	p.forget(tps)
	return err
}

// leave gives back everything at the end of the task. If the worker has lost
// the task nothing is committed.
func (p *sinkPipeline) leave(c taskContexts) {
	release := p.revoked
	if errors.Is(context.Cause(c.poll), ErrRevoked) {
		release = p.lost
	}
	if err := release(c, p.assignment()); err != nil {
		p.env.log.WarnContext(c.grace, "closing partitions", "err", err)
	}
}

// closePartitions tells the task.
func (p *sinkPipeline) closePartitions(ctx context.Context, tps []TopicPartition) error {
	task, ok := p.task.(Closer)
	if !ok || len(tps) == 0 {
		return nil
	}
	if err := task.Close(ctx, slices.Clone(tps)); err != nil {
		return p.env.stageError(StageTaskPut, fmt.Errorf("close of %v: %w", tps, err))
	}
	return nil
}

// forget drops all that is known of the partitions.
func (p *sinkPipeline) forget(tps []TopicPartition) {
	for _, tp := range tps {
		delete(p.parts, tp)
	}
	p.context.disown(tps)
	p.dropPending(func(tp TopicPartition) bool { return slices.Contains(tps, tp) })
}

// dropPending takes records out of the batch by where they were consumed,
// whatever transforms made of their topics. Nothing is left to redeliver in an
// empty batch.
func (p *sinkPipeline) dropPending(gone func(TopicPartition) bool) {
	if len(p.batch) == 0 {
		return
	}
	p.batch = slices.DeleteFunc(p.batch, func(r SinkRecord) bool { return gone(r.Origin.TopicPartition) })
	if len(p.batch) == 0 {
		p.redelivered()
	}
}

// ours leaves out partitions that were never taken over.
func (p *sinkPipeline) ours(tps []TopicPartition) []TopicPartition {
	return slices.DeleteFunc(slices.Clone(tps), func(tp TopicPartition) bool { return p.parts[tp] == nil })
}

// assignment returns all partitions, sorted.
func (p *sinkPipeline) assignment() []TopicPartition {
	return slices.SortedFunc(maps.Keys(p.parts), compareTopicPartitions)
}

// applyPauses brings the consumer's pauses in line with what is wanted: all
// partitions while the task is paused or has a batch to be offered again, and
// those that the task paused itself. Of a new partition the consumer is told
// either way, for it may remember a pause from an earlier assignment.
func (p *sinkPipeline) applyPauses() {
	if !p.repause {
		return
	}
	p.repause = false
	held := make(map[TopicPartition]bool)
	p.context.held(held)
	all := p.paused || p.attempts > 0
	var pause, resume []TopicPartition
	for _, tp := range p.assignment() {
		part, want := p.parts[tp], all || held[tp]
		switch {
		case part.known && part.paused == want:
			continue
		case want:
			pause = append(pause, tp)
		default:
			resume = append(resume, tp)
		}
		part.paused, part.known = want, true
	}
	if len(pause) > 0 {
		p.consumer.Pause(pause...)
	}
	if len(resume) > 0 {
		p.consumer.Resume(resume...)
	}
}
