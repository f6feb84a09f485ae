package connect

import (
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/metric"
)

// A Hook is any value that implements one or more of the hook interfaces of
// this package: BatchHook, CommitHook, ErrorHook, DeadLetterHook, StateHook,
// LevelHook, MetricsHook. A Runtime calls what it implements. Hooks are called on hot paths and by many goroutines:
// they must be quick, safe for concurrent use, and must not keep the events.
//
// Packages under observe turn them into metrics and traces.
type Hook any

// A BatchHook hears of each batch that a task has moved.
type BatchHook interface{ OnBatch(*BatchEvent) }

// A CommitHook hears of each commit of offsets, failed ones included.
type CommitHook interface{ OnCommit(*CommitEvent) }

// An ErrorHook hears of each error that a pipeline dealt with.
type ErrorHook interface{ OnError(*ErrorEvent) }

// A DeadLetterHook hears of the outcome of each dead letter.
type DeadLetterHook interface{ OnDeadLetter(*DeadLetterEvent) }

// A StateHook hears of each change of a connector's or task's state.
type StateHook interface{ OnState(*StateEvent) }

// A LevelHook hears of log levels that are set on all workers of the cluster
// (KIP-976); see Runtime.SetClusterLevel. It is called on the Runtime's loop and
// must not wait for the Runtime.
type LevelHook interface{ OnLevel(*LevelEvent) }

// A MetricsHook hears of what tasks count of their own: of each set before the task
// starts, and when it has ended. In between the set is the hook's to read.
type MetricsHook interface{ OnMetrics(*MetricsEvent) }

// A BatchEvent describes one batch: a poll of a source task with what was sent
// of it, or a put of a sink task.
type BatchEvent struct {
	Task cluster.TaskID
	Sink bool
	// Polled records came in, Dropped ones were left out by transforms or by
	// errors.tolerance, Sent went on: to the producer, or to Put.
	Polled, Dropped, Sent int
	// Bytes of keys and values sent to Kafka, or consumed.
	Bytes int64
	// InFlight is the number of source records without an ack, after the send.
	InFlight int
	// Time spent in each stage. Poll includes waiting for records.
	Poll, Transform, Convert, Deliver time.Duration
}

// A CommitEvent describes one commit of offsets.
type CommitEvent struct {
	Task       cluster.TaskID
	Sink       bool
	Partitions int
	Took       time.Duration
	// Err is nil on success.
	Err error
	// Skipped: the outcome of an outdated sink commit, which nobody waits for.
	Skipped bool
}

// An ErrorEvent describes what error handling did (see errors.* in Kafka
// Connect). Counts tells what Java's task-error-metrics make of it.
type ErrorEvent struct {
	Task  cluster.TaskID
	Stage Stage
	// Plugin is the class that was at work; empty where the stage says it.
	Plugin string
	Err    error
	// Retry: another attempt follows. Skipped: the record was let go by
	// errors.tolerance. Neither: the task fails.
	Retry, Skipped bool
	// Reported counts the reporters (log, dead letters) that were told.
	Reported int
	// Logged: the log has it (errors.log.enable). DeadLettered: a dead letter is
	// under way, of whose outcome a DeadLetterEvent tells.
	Logged, DeadLettered bool

	failure *failure // nil: the error is not about one record
}

// At returns the coordinates of the record as text, as StageError.At has them;
// empty for an error that is not about one record.
func (e *ErrorEvent) At() string {
	if e.failure == nil {
		return ""
	}
	return e.failure.at()
}

// ErrorCounts are what an ErrorEvent adds to Java's task-error-metrics.
type ErrorCounts struct {
	Failures int // total-record-failures: attempts, and one for giving up a retriable error
	Errors   int // total-record-errors: records that failed for good
	Skipped  int // total-records-skipped
	Retries  int // total-retries
	Logged   int // total-errors-logged
	Letters  int // deadletterqueue-produce-requests
}

// Counts returns what Java counts. Its error handling has converters, transforms,
// and what a sink's task reports or Kafka refuses of a tolerant source: other
// events count for nothing.
func (e *ErrorEvent) Counts() (c ErrorCounts) {
	c.Logged, c.Letters = oneIf(e.Logged), oneIf(e.DeadLettered)
	switch e.Stage {
	case StageHeaderConverter, StageKeyConverter, StageValueConverter, StageTransformation:
		c.Failures = 1
		if e.Retry {
			c.Retries = 1
			return c
		}
		if _, retriable := RetryAfter(e.Err); retriable {
			c.Failures = 2
		}
		c.Errors, c.Skipped = 1, oneIf(e.Skipped)
	case StageTaskPut, StageKafkaProduce:
		if e.Retry || e.Stage == StageKafkaProduce && !e.Skipped {
			return c
		}
		c.Failures, c.Errors = 1, oneIf(!e.Skipped)
	}
	return c
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A DeadLetterEvent describes what became of one dead letter.
type DeadLetterEvent struct {
	Task  cluster.TaskID
	Topic string
	// Stage is where the record failed.
	Stage Stage
	Took  time.Duration
	// Err is nil if the letter was written. Otherwise it counts for Java's
	// deadletterqueue-produce-failures.
	Err error
}

// A StateEvent describes a change of state.
type StateEvent struct {
	Connector string
	// Task is -1 for the connector instance.
	Task   int
	Status cluster.Status
}

// A LevelEvent describes a log level that was set on all workers.
type LevelEvent struct {
	// Namespace of loggers, with all below it; root: all.
	Namespace string
	// Level by Java's name, such as DEBUG. Foreign workers may write others.
	Level string
}

// A MetricsEvent describes the metrics of one run of a task.
type MetricsEvent struct {
	Task  cluster.TaskID
	Class string // of the connector
	Set   *metric.Set
	Ended bool
}

// hookSet holds the hooks sorted by what they implement.
type hookSet struct {
	batch   []BatchHook
	commit  []CommitHook
	errs    []ErrorHook
	letters []DeadLetterHook
	state   []StateHook
	level   []LevelHook
	metrics []MetricsHook
}

func newHookSet(hooks []Hook) *hookSet {
	s := &hookSet{}
	for _, h := range hooks {
		sortIn(h, &s.batch)
		sortIn(h, &s.commit)
		sortIn(h, &s.errs)
		sortIn(h, &s.letters)
		sortIn(h, &s.state)
		sortIn(h, &s.level)
		sortIn(h, &s.metrics)
	}
	return s
}

// sortIn adds a hook to those of a kind if it is one.
func sortIn[T any](h Hook, kind *[]T) {
	if h, ok := h.(T); ok {
		*kind = append(*kind, h)
	}
}

func (s *hookSet) onBatch(e *BatchEvent) {
	for _, h := range s.batch {
		h.OnBatch(e)
	}
}

func (s *hookSet) onCommit(e *CommitEvent) {
	for _, h := range s.commit {
		h.OnCommit(e)
	}
}

func (s *hookSet) onError(e *ErrorEvent) {
	for _, h := range s.errs {
		h.OnError(e)
	}
}

func (s *hookSet) onDeadLetter(e *DeadLetterEvent) {
	for _, h := range s.letters {
		h.OnDeadLetter(e)
	}
}

func (s *hookSet) onState(e *StateEvent) {
	for _, h := range s.state {
		h.OnState(e)
	}
}

func (s *hookSet) onLevel(e *LevelEvent) {
	for _, h := range s.level {
		h.OnLevel(e)
	}
}

func (s *hookSet) onMetrics(e *MetricsEvent) {
	for _, h := range s.metrics {
		h.OnMetrics(e)
	}
}
