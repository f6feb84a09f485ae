package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// commit makes the offsets of the partitions durable: as far as Put has taken
// their records, the task agrees, and reports of them have an outcome.
//
// A failure to store them is logged and made up for by the next commit. A task
// that cannot commit (its Flush or PreCommit fails) is taken back to the last
// committed offsets, unless closing: then the next owner starts there. The
// error, never one when closing, is final.
func (p *sinkPipeline) commit(ctx context.Context, tps []TopicPartition, closing bool) error {
	if len(tps) == 0 {
		return nil
	}
	start := time.Now()
	changed, err := p.committable(ctx, tps)
	if err != nil {
		p.committed(start, 0, err)
		p.env.log.ErrorContext(ctx, "the task cannot commit", "err", err, "closing", closing)
		if closing {
			return nil
		}
		return p.rewind(ctx, p.lastCommitted(tps))
	}
	lost := p.holdBack(ctx, changed)
	err = p.store(ctx, changed)
	p.committed(start, len(changed), err)
	if err != nil {
		p.env.log.ErrorContext(ctx, "committing offsets failed, they go with the next commit", "err", err)
	}
	if lost != nil && closing {
		p.env.log.ErrorContext(ctx, "offsets were not committed", "err", lost)
		return nil
	}
	return lost
}

// committable asks the task which offsets may be committed, and returns those
// that are not committed yet.
func (p *sinkPipeline) committable(ctx context.Context, tps []TopicPartition) (Offsets, error) {
	current := make(Offsets, len(tps))
	for _, tp := range tps {
		current[tp] = p.parts[tp].put
	}
	wanted := current
	switch task := p.task.(type) {
	case PreCommitter:
		var err error
		if wanted, err = task.PreCommit(ctx, current.Clone()); err != nil {
			return nil, fmt.Errorf("PreCommit: %w", err)
		}
	case Flusher:
		if err := task.Flush(ctx, current.Clone()); err != nil {
			return nil, fmt.Errorf("Flush: %w", err)
		}
	}
	changed := make(Offsets, len(wanted))
	for tp, offset := range wanted {
		if p.acceptable(ctx, tp, offset, current) && offset != p.parts[tp].committed {
			changed[tp] = offset
		}
	}
	return changed, nil
}

// acceptable refuses offsets that a task must not commit.
func (p *sinkPipeline) acceptable(ctx context.Context, tp TopicPartition, offset int64, current Offsets) bool {
	put, asked := current[tp]
	why := ""
	switch {
	case p.parts[tp] == nil:
		why = "the partition is not assigned"
	case !asked:
		return false // assigned, but not what this commit is about
	case offset > put:
		why = "records before it were not put yet"
	case offset < 0:
		why = "it is negative"
	}
	if why != "" {
		p.env.log.WarnContext(ctx, "ignoring an offset that the task wants to commit: "+why,
			"topic", tp.Topic, "partition", tp.Partition, "offset", offset, "current", put)
	}
	return why == ""
}

// holdBack removes partitions from o whose reports are outstanding after the
// flush timeout, or were lost; of the latter the error tells.
func (p *sinkPipeline) holdBack(ctx context.Context, o Offsets) error {
	ctx, cancel := p.flushTimeout(ctx)
	defer cancel()
	var lost []error
	for _, tp := range slices.SortedFunc(maps.Keys(o), compareTopicPartitions) {
		err := p.context.awaitReports(ctx, tp, o[tp])
		if err == nil {
			continue
		}
		delete(o, tp)
		if errors.Is(err, errReportsPending) {
			p.env.log.WarnContext(ctx, "not committing a partition this time", "err", err)
			continue
		}
		if letter, ok := errors.AsType[*StageError](err); ok {
			err = letter // it says all there is to say
		}
		lost = append(lost, p.env.stageError(StageTaskPut, err))
	}
	return errors.Join(lost...)
}

// store sends the offsets to the group. Nothing is sent for nothing, nor once
// the grace period is over: the partitions may be another's by then.
func (p *sinkPipeline) store(ctx context.Context, o Offsets) error {
	if len(o) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := p.flushTimeout(ctx)
	defer cancel()
	if err := p.consumer.Commit(ctx, o); err != nil {
		return err
	}
	for tp, offset := range o {
		p.parts[tp].committed = offset
	}
	return nil
}

// flushTimeout bounds one wait of a commit.
func (p *sinkPipeline) flushTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	most := p.env.timing.flushTimeout
	return context.WithTimeoutCause(ctx, most, fmt.Errorf("offset.flush.timeout.ms of %v has run out", most))
}

// committed tells the hooks of a commit.
func (p *sinkPipeline) committed(start time.Time, partitions int, err error) {
	p.env.hooks.onCommit(&CommitEvent{Task: p.env.id, Sink: true, Partitions: partitions, Took: time.Since(start), Err: err})
}

// lastCommitted returns where the partitions go on if nothing of late counts.
func (p *sinkPipeline) lastCommitted(tps []TopicPartition) Offsets {
	next := make(Offsets, len(tps))
	for _, tp := range tps {
		next[tp] = p.parts[tp].committed
	}
	return next
}

// rewind goes on from other offsets. Records of the partitions that wait for
// redelivery are dropped: they come again, or were passed over.
func (p *sinkPipeline) rewind(ctx context.Context, next Offsets) error {
	valid := make(Offsets, len(next))
	for tp, offset := range next {
		if offset < 0 || p.parts[tp] == nil {
			p.env.log.WarnContext(ctx, "ignoring a rewind: the offset is negative, or the partition not assigned",
				"topic", tp.Topic, "partition", tp.Partition, "offset", offset)
			continue
		}
		valid[tp] = offset
	}
	if len(valid) == 0 {
		return nil
	}
	if err := p.consumer.Seek(valid); err != nil {
		return p.env.stageError(StageKafkaConsume, fmt.Errorf("seek to %v: %w", valid, err))
	}
	for tp, offset := range valid {
		part := p.parts[tp]
		part.read, part.put, part.committed = offset, offset, offset
	}
	p.dropPending(func(tp TopicPartition) bool { _, ok := valid[tp]; return ok })
	return nil
}
