package connect

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/metric"
)

func (c *sourceContext) Logger() *slog.Logger     { return c.env.log }
func (c *sourceContext) Task() cluster.TaskID     { return c.env.id }
func (c *sourceContext) Metrics() *metric.Set     { return &c.env.metrics }
func (c *sourceContext) Transaction() Transaction { return nil }

func (c *sourceContext) Offsets(ctx context.Context, p ...SourcePartition) ([]SourceOffset, error) {
	return c.env.offsets.read(ctx, p)
}

// commitLoop commits offsets every flush interval, tells the task of deliveries
// as they come, and sends the dead letters of refused records, until done is closed. It is the task's commit
// goroutine.
func (p *sourcePipeline) commitLoop(ctx context.Context, done <-chan struct{}) {
	tick := time.NewTimer(p.env.timing.flushInterval)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-p.track.delivered:
			p.deliver(ctx)
		case <-p.env.sourceLetters.ready():
			p.env.sourceLetters.flush(ctx)
		case <-tick.C:
			p.commit(ctx)
			tick.Reset(p.env.timing.flushInterval)
		}
	}
}

// deliver hands acknowledged records to a task that wants to hear of them.
func (p *sourcePipeline) deliver(ctx context.Context) {
	committer, ok := p.task.(DeliveryCommitter)
	if !ok {
		return
	}
	done := p.track.takeDeliveries()
	if len(done) == 0 {
		return
	}
	if err := committer.CommitRecords(ctx, done); err != nil {
		p.env.log.WarnContext(ctx, "telling the task of deliveries", "err", err)
	}
}

// commit makes the acknowledged prefix of each source partition durable, then
// tells the task. A failed write is logged and repeated with the next commit;
// it never fails the task. An offset that cannot be stored does: it would fail
// for ever.
func (p *sourcePipeline) commit(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.env.timing.flushTimeout,
		fmt.Errorf("offset.flush.timeout.ms of %v has run out", p.env.timing.flushTimeout))
	defer cancel()
	start := time.Now()
	offsets := p.track.committable()
	pairs, err := p.env.offsets.encode(offsets)
	if err != nil {
		p.fail(p.env.stageError(StageTaskPoll, err))
		return
	}
	if len(pairs) > 0 {
		err = p.env.offsets.write(ctx, pairs)
	}
	p.env.hooks.onCommit(&CommitEvent{Task: p.env.id, Partitions: len(pairs), Took: time.Since(start), Err: err})
	if err != nil {
		p.track.putBack(offsets)
		p.env.log.ErrorContext(ctx, "committing offsets failed, they go with the next commit", "err", err)
		return
	}
	if committer, ok := p.task.(Committer); ok {
		if err := committer.Commit(ctx); err != nil {
			p.env.log.WarnContext(ctx, "telling the task of a commit", "err", err)
		}
	}
}

// committable takes the newest offset that may be committed of each partition:
// the last of the unbroken acknowledged prefix.
func (t *tracker) committable() map[SourcePartition]SourceOffset {
	t.mu.Lock()
	defer t.mu.Unlock()
	offsets := make(map[SourcePartition]SourceOffset, len(t.queues))
	for p, q := range t.queues {
		q.pop()
		if q.ready != nil {
			offsets[p] = q.ready
			q.ready = nil
		}
		if q.head == nil {
			delete(t.queues, p)
		}
	}
	return offsets
}

// putBack returns offsets whose write failed. Newer ones win.
func (t *tracker) putBack(offsets map[SourcePartition]SourceOffset) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p, offset := range offsets {
		if q := t.queue(p); q.ready == nil {
			q.ready = offset
		}
	}
}
