package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/outcome"
)

// firstRetryPause doubles with each retry up to errors.retry.delay.max.ms.
const firstRetryPause = 300 * time.Millisecond

// errorSettings are the errors.* keys of a connector.
type errorSettings struct {
	// retryTimeout bounds the retries of one operation; zero: none, negative:
	// for ever.
	retryTimeout time.Duration
	// retryDelayMax caps one pause.
	retryDelayMax time.Duration
	// tolerateAll skips bad records instead of failing the task.
	tolerateAll bool
	logEnabled  bool
	// logRecords adds the record's coordinates to the log.
	logRecords bool
}

// A failure is one operation on one record that went wrong.
type failure struct {
	stage  Stage
	plugin string
	// record is the source record, origin the sink record's coordinates; one of
	// them is set.
	record *SourceRecord
	origin *Origin
	// message is what Kafka refused, of a source record that was converted.
	message *Message
	err     error
}

// at describes the record's coordinates for error messages.
func (f *failure) at() string {
	switch {
	case f.origin != nil:
		return fmt.Sprintf("%s-%d@%d", f.origin.Topic, f.origin.Partition, f.origin.Offset)
	case f.record != nil && !f.record.SourcePartition.IsZero():
		return fmt.Sprintf("topic %q, source partition %v, source offset %v", f.record.Topic, f.record.SourcePartition, f.record.SourceOffset)
	case f.record != nil:
		return fmt.Sprintf("topic %q", f.record.Topic)
	}
	return ""
}

// A reporter passes a failure on: to the log, to a dead letter topic. The
// failure and what it refers to are valid during the call; the outcome may come
// later. A nil outcome is success at once.
type reporter interface {
	report(ctx context.Context, f *failure) *outcome.Outcome
	// wantsRaw: failures of a sink refer to the messages as they were consumed
	// (Origin.raw). That costs memory for each record.
	wantsRaw() bool
}

// errorHandler carries out errors.*: retry, tolerate, report. It is Java's
// RetryWithToleranceOperator. It is safe for concurrent use.
type errorHandler struct {
	task      cluster.TaskID
	set       errorSettings
	reporters []reporter
	hooks     *hookSet
}

// settle deals with the error of one operation on one record. It tries again
// while the error is retriable and errors.retry.timeout lasts. It returns
// skip=true if the record is to be let go, and an error if the task must fail;
// neither, if a retry succeeded.
//
// It is called after the first attempt failed, so that the good path costs
// nothing.
func (h *errorHandler) settle(ctx context.Context, f failure, again func() error) (skip bool, err error) {
	start := time.Now()
	for attempt := 1; ; attempt++ {
		after, retriable := RetryAfter(f.err)
		if !retriable || again == nil {
			break
		}
		pause, ok := h.pause(attempt, time.Since(start))
		if !ok {
			break
		}
		h.hooks.onError(&ErrorEvent{Task: h.task, Stage: f.stage, Plugin: f.plugin, Err: f.err, Retry: true, failure: &f})
		if err := sleep(ctx, max(pause, after)); err != nil {
			return false, err
		}
		if f.err = again(); f.err == nil {
			return false, nil
		}
	}
	_, err = h.fail(ctx, f)
	return err == nil, err
}

// fail reports a final error and applies errors.tolerance: a nil error lets
// the record go. The outcomes are those of the reporters.
func (h *errorHandler) fail(ctx context.Context, f failure) ([]*outcome.Outcome, error) {
	var outcomes []*outcome.Outcome
	e := ErrorEvent{
		Task: h.task, Stage: f.stage, Plugin: f.plugin, Err: f.err, Skipped: h.set.tolerateAll, Reported: len(h.reporters),
		Logged: h.set.logEnabled, failure: &f,
	}
	for _, r := range h.reporters {
		o := r.report(ctx, &f)
		outcomes = append(outcomes, o)
		e.DeadLettered = e.DeadLettered || o != nil
	}
	h.hooks.onError(&e)
	if h.set.tolerateAll {
		return outcomes, nil
	}
	return outcomes, h.stageError(f)
}

// stageError names connector, task, stage and record.
func (h *errorHandler) stageError(f failure) error {
	if _, ok := errors.AsType[*StageError](f.err); ok {
		return f.err
	}
	return &StageError{
		Connector: h.task.Connector, Task: h.task.Task,
		Stage: f.stage, Plugin: f.plugin, At: f.at(), Err: f.err,
	}
}

// pause returns how long to wait before a retry, and whether there is time for
// one. Beyond the cap it is a random part of it, so that tasks spread out.
func (h *errorHandler) pause(attempt int, spent time.Duration) (time.Duration, bool) {
	if h.set.retryTimeout >= 0 && spent >= h.set.retryTimeout {
		return 0, false
	}
	pause := firstRetryPause << min(attempt-1, 30)
	if pause > h.set.retryDelayMax {
		pause = time.Duration(rand.Int64N(max(int64(h.set.retryDelayMax), 1)))
	}
	if h.set.retryTimeout >= 0 {
		pause = min(pause, h.set.retryTimeout-spent)
	}
	return pause, true
}

// sleep waits; its error is why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// retryPause is how long to wait after a number of failed attempts.
func retryPause(attempts int, after time.Duration) time.Duration {
	return max(after, min(pollBackoff<<min(attempts, 16), maxPollBackoff))
}

// logReporter writes failures to the log (errors.log.enable).
type logReporter struct {
	log     *slog.Logger
	records bool // errors.log.include.messages
}

func (logReporter) wantsRaw() bool { return false }

func (l logReporter) report(ctx context.Context, f *failure) *outcome.Outcome {
	attrs := []any{"stage", string(f.stage), "plugin", f.plugin, "err", f.err}
	if l.records {
		attrs = append(attrs, "record", f.at())
		if r := f.record; r != nil && f.message == nil { // one of a source can be looked up nowhere
			attrs = append(attrs, "key", r.Key.Value, "value", r.Value.Value, "timestamp", r.Timestamp)
		}
	}
	l.log.ErrorContext(ctx, "error on a record", attrs...)
	return nil
}
