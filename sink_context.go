package connect

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/metric"
)

// sinkContext is the runtime as a sink task sees it. It is where other
// goroutines meet the loop: what they ask for lies here until the loop takes
// it. Its lock is never held during a call to anything else.
type sinkContext struct {
	env *taskEnv

	mu   sync.Mutex
	wake func() // ends the consumer's poll
	// armed means that the loop is in Poll, or about to be: a request must wake
	// it. At other times it is seen before the next poll anyway, and a task that
	// asks for something in each Put must not turn the loop into a hot one.
	armed bool
	asked requests
	owned map[TopicPartition]*ownedPartition
}

// requests are what a task has asked for since the loop last looked.
type requests struct {
	next   Offsets // rewinds
	commit bool
	pauses bool // which partitions are paused has changed
}

func (r *requests) any() bool { return len(r.next) > 0 || r.commit || r.pauses }

// An ownedPartition is what other goroutines may know of an assigned partition.
type ownedPartition struct {
	paused  bool          // by the task
	reports []*sinkReport // without a good outcome so far
}

func newSinkContext(env *taskEnv) *sinkContext {
	return &sinkContext{env: env, owned: make(map[TopicPartition]*ownedPartition)}
}

func (c *sinkContext) setWake(wake func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake = wake
}

// Logger implements SinkContext.
func (c *sinkContext) Logger() *slog.Logger { return c.env.log }
func (c *sinkContext) Task() cluster.TaskID { return c.env.id }
func (c *sinkContext) Metrics() *metric.Set { return &c.env.metrics }

// Assignment implements SinkContext; the result is sorted.
func (c *sinkContext) Assignment() []TopicPartition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Keys(c.owned), compareTopicPartitions)
}

func compareTopicPartitions(a, b TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// Rewind implements SinkContext.
func (c *sinkContext) Rewind(next Offsets) {
	if len(next) == 0 {
		return
	}
	c.ask(func(r *requests) {
		if r.next == nil {
			r.next = make(Offsets, len(next))
		}
		maps.Copy(r.next, next)
	})
}

// RequestCommit implements SinkContext.
func (c *sinkContext) RequestCommit() { c.ask(func(r *requests) { r.commit = true }) }

// Pause implements SinkContext.
func (c *sinkContext) Pause(tps ...TopicPartition) { c.hold(tps, true) }

// Resume implements SinkContext.
func (c *sinkContext) Resume(tps ...TopicPartition) { c.hold(tps, false) }

func (c *sinkContext) hold(tps []TopicPartition, paused bool) {
	c.ask(func(r *requests) {
		for _, tp := range tps {
			if o := c.owned[tp]; o != nil && o.paused != paused {
				o.paused, r.pauses = paused, true
			}
		}
	})
}

// ask changes the requests under the lock, then wakes the loop if that waits.
func (c *sinkContext) ask(change func(*requests)) {
	c.mu.Lock()
	change(&c.asked)
	wake := c.wake
	if !c.armed || !c.asked.any() {
		wake = nil
	}
	c.mu.Unlock()
	if wake != nil {
		wake()
	}
}

// take returns what was asked for. If that is nothing, requests wake the loop
// from now on.
func (c *sinkContext) take() requests {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = requests{}
	c.armed = !asked.any()
	return asked
}

// arm lets requests wake the loop from now on, and returns what was asked for
// before; a commit is put off to the next turn.
func (c *sinkContext) arm() requests {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = requests{commit: asked.commit}
	c.armed = true
	return asked
}

// takeRewinds returns the rewinds asked for and leaves the rest.
func (c *sinkContext) takeRewinds() Offsets {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.asked.next
	c.asked.next = nil
	return next
}

func (c *sinkContext) disarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
}

// own adds partitions to the assignment.
func (c *sinkContext) own(tps []TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range tps {
		c.owned[tp] = &ownedPartition{}
	}
}

// disown takes partitions out of the assignment, with what the task asked for
// them; reports of them are refused from now on, outstanding ones forgotten.
func (c *sinkContext) disown(tps []TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range tps {
		delete(c.owned, tp)
		delete(c.asked.next, tp)
	}
}

// held adds the partitions that the task has paused to set.
func (c *sinkContext) held(set map[TopicPartition]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for tp, o := range c.owned {
		if o.paused {
			set[tp] = true
		}
	}
}

// Report implements SinkContext. A record is known by where it was consumed,
// which copies of it keep; one that the task made by hand cannot be reported.
func (c *sinkContext) Report(ctx context.Context, r *SinkRecord, cause error) error {
	if r == nil || cause == nil {
		return fmt.Errorf("report: %w: a record and a cause are needed", ErrBadRequest)
	}
	f := failure{stage: StageTaskPut, plugin: c.env.plugin.info.Class, origin: &r.Origin, err: cause}
	if !r.Origin.consumed {
		return fmt.Errorf("report of %s: %w: the record was not given to Put", f.at(), ErrBadRequest)
	}
	report := c.begin(&r.Origin)
	if report == nil {
		return fmt.Errorf("report of %s: %w", f.at(), ErrRevoked)
	}
	defer close(report.told)
	var err error
	report.outcomes, err = c.env.errs.fail(ctx, f)
	return err
}
