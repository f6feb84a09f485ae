package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/streamlane/connect/internal/outcome"
)

// errReportsPending: the outcome of reports is not known in time.
var errReportsPending = errors.New("reports are outstanding")

// A sinkReport is one record that was reported, by the task or by a stage of
// the pipeline, on its way to the reporters.
type sinkReport struct {
	offset   int64
	told     chan struct{} // closed when the reporters were called
	outcomes []*outcome.Outcome
}

// wait returns the outcome, or errReportsPending if ctx ends before.
func (r *sinkReport) wait(ctx context.Context) error {
	select {
	case <-r.told:
	default:
		select {
		case <-r.told:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errReportsPending, context.Cause(ctx))
		}
	}
	var errs []error
	for _, o := range r.outcomes {
		err := o.Wait(ctx)
		if !o.Known() {
			return fmt.Errorf("%w: %w", errReportsPending, err)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("offset %d: the report was lost: %w", r.offset, err)
	}
	return nil
}

// over reports whether nothing is left to wait for, or to remember.
func (r *sinkReport) over() bool {
	select {
	case <-r.told:
	default:
		return false
	}
	return !slices.ContainsFunc(r.outcomes, func(o *outcome.Outcome) bool {
		return !o.Known() || o.Err() != nil
	})
}

// begin enters a report by the task; nil if the partition is not ours. The
// caller sets its outcomes and closes told.
func (c *sinkContext) begin(at *Origin) *sinkReport {
	r := &sinkReport{offset: at.Offset, told: make(chan struct{})}
	if !c.enter(at.TopicPartition, r) {
		return nil
	}
	return r
}

// enter remembers a report until its partition's offsets may be committed.
func (c *sinkContext) enter(tp TopicPartition, r *sinkReport) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.owned[tp]
	if o == nil {
		return false
	}
	if len(o.reports) == cap(o.reports) { // before it grows
		o.reports = slices.DeleteFunc(o.reports, (*sinkReport).over)
	}
	o.reports = append(o.reports, r)
	return true
}

// awaitReports returns when every report of tp that began before the call, of a
// record before the given offset, has an outcome. Its error is that of the first
// that failed, or wraps errReportsPending if ctx ended.
func (c *sinkContext) awaitReports(ctx context.Context, tp TopicPartition, before int64) error {
	for _, r := range c.reports(tp) {
		if r.offset >= before {
			continue
		}
		if err := r.wait(ctx); err != nil {
			return fmt.Errorf("%s-%d: %w", tp.Topic, tp.Partition, err)
		}
	}
	return nil
}

// reports returns those that are not over.
func (c *sinkContext) reports(tp TopicPartition) []*sinkReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.owned[tp]
	if o == nil {
		return nil
	}
	o.reports = slices.DeleteFunc(o.reports, (*sinkReport).over)
	return slices.Clone(o.reports)
}

// track wraps the reporters so that reports by converters and transforms are
// awaited, too.
func (c *sinkContext) track(reporters []reporter) []reporter {
	tracked := make([]reporter, len(reporters))
	for i, r := range reporters {
		tracked[i] = &trackedReporter{inner: r, context: c}
	}
	return tracked
}

// A trackedReporter enters the reports of the pipeline's own stages into the
// books of their partition.
type trackedReporter struct {
	inner   reporter
	context *sinkContext
}

func (t *trackedReporter) wantsRaw() bool { return t.inner.wantsRaw() }

func (t *trackedReporter) report(ctx context.Context, f *failure) *outcome.Outcome {
	if f.stage == StageTaskPut { // Report keeps its own books
		return t.inner.report(ctx, f)
	}
	if ctx.Err() != nil {
		return nil // the stage failed because the task ends: the record will come again
	}
	o := t.inner.report(ctx, f)
	if o != nil && f.origin != nil {
		told := make(chan struct{})
		close(told)
		t.context.enter(f.origin.TopicPartition, &sinkReport{offset: f.origin.Offset, told: told, outcomes: []*outcome.Outcome{o}})
	}
	return o
}
