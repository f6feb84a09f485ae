package connect

import (
	"context"
	"log/slog"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/metric"
)

// A Connector divides the work of a connector configuration among tasks. T
// configures one task. Connectors do no data work themselves.
//
// Its methods are called one at a time, by one goroutine.
type Connector[T any] interface {
	// Start begins watching whatever the division of work depends on. Its
	// context ends when Stop has returned, so goroutines may hang on it.
	Start(ctx context.Context, c ConnectorContext) error
	// TaskConfigs returns at most max task configurations.
	TaskConfigs(ctx context.Context, max int) ([]T, error)
	// Stop ends what Start began. Its context ends with the graceful time-out.
	Stop(ctx context.Context) error
}

// A ConnectorContext is the runtime as a connector sees it. Its methods are
// safe for concurrent use until the connector has stopped.
type ConnectorContext interface {
	// Logger has the connector's name attached.
	Logger() *slog.Logger
	// Props is the configuration as stored: raw text, placeholders unresolved.
	Props() config.Props
	// Reconfigure asks for TaskConfigs to be called again.
	Reconfigure()
	// Fail makes the connector FAILED. Its tasks run on.
	Fail(err error)
	// Offsets returns the committed source offset of each partition, nil where
	// there is none.
	Offsets(ctx context.Context, p ...SourcePartition) ([]SourceOffset, error)
}

// RawTaskConfigs is an optional ability of connectors that have a twin in
// Java: task configurations as text, exactly as Java's connector would write
// them, so that a connector that moves between a Java and a Go worker leaves
// its task set as it is. It is used in place of TaskConfigs.
type RawTaskConfigs interface {
	RawTaskConfigs(ctx context.Context, max int) ([]config.Props, error)
}

// ExactlyOnce is an optional ability of source connectors: it says whether the
// connector, in its present configuration, resumes exactly where it was told
// to, and whether it can set transaction boundaries (KIP-618).
type ExactlyOnce interface {
	ExactlyOnce() (supported, boundaries bool)
}

// SourceOffsetAlterer is an optional ability of source connectors: it is asked
// before offsets are changed over the API. It is called on a connector that was
// built but not started. An error vetoes the change; a nil offset resets a
// partition.
type SourceOffsetAlterer interface {
	AlterOffsets(ctx context.Context, change map[SourcePartition]SourceOffset) (handled bool, err error)
}

// OneTask is the connector of work that does not split: it makes one task with
// the connector's own configuration, whose raw text passes through unchanged.
// It is passed to Source or Sink where a connector's constructor is wanted.
func OneTask[C any](cfg C) (Connector[C], error) { return &oneTask[C]{cfg: cfg}, nil }

type oneTask[C any] struct {
	cfg C
	ctx ConnectorContext
}

func (o *oneTask[C]) Start(_ context.Context, c ConnectorContext) error { o.ctx = c; return nil }
func (o *oneTask[C]) TaskConfigs(context.Context, int) ([]C, error)     { return []C{o.cfg}, nil }
func (o *oneTask[C]) Stop(context.Context) error                        { return nil }

func (o *oneTask[C]) RawTaskConfigs(context.Context, int) ([]config.Props, error) {
	return []config.Props{o.ctx.Props()}, nil
}

// A SourceTask reads from a source system.
//
// Start, Poll and Stop are called one at a time by one goroutine: a task needs
// no locks, save against its own commit callbacks (DeliveryCommitter,
// Committer), which run beside Poll.
type SourceTask interface {
	// Start prepares the task. Its context ends when Stop has returned.
	Start(ctx context.Context, c SourceContext) error
	// Poll returns the next records. It blocks until it has some; its context
	// ends at once on stop, but not on pause. Returning none and no error is
	// allowed and slowed down if it happens in a hot loop.
	//
	// Records returned beside an error are sent before the error counts. An
	// error that wraps Retriable makes the engine wait and poll again,
	// ErrDone ends a bounded source, any other fails the task.
	//
	// The slice is the task's again at the next Poll; nothing of it is kept,
	// save SourceOffset and Token.
	Poll(ctx context.Context) ([]SourceRecord, error)
	// Stop releases what Start took. It is called once for each Start that was
	// called, whether or not Start succeeded.
	Stop(ctx context.Context) error
}

// DeliveryCommitter is an optional ability of source tasks: it hears of every
// record that Kafka has, or that was dropped, in batches and in the order of
// acknowledgement. It runs on the task's commit goroutine, beside Poll. An
// error is logged. (SourceTask.commitRecord in Java.)
type DeliveryCommitter interface {
	CommitRecords(ctx context.Context, done []Delivery) error
}

// Committer is an optional ability of source tasks: it is told each time the
// offsets are durable. It runs on the task's commit goroutine, beside Poll. An
// error is logged. (SourceTask.commit in Java.)
type Committer interface {
	Commit(ctx context.Context) error
}

// A SourceContext is the runtime as a source task sees it. Its methods are safe
// for concurrent use until the task has stopped.
type SourceContext interface {
	// Logger has connector and task attached.
	Logger() *slog.Logger
	// Task is who the task is.
	Task() cluster.TaskID
	// Offsets returns the committed source offset of each partition, nil where
	// there is none.
	Offsets(ctx context.Context, p ...SourcePartition) ([]SourceOffset, error)
	// Transaction is nil unless transaction.boundary=connector.
	Transaction() Transaction
	// Metrics takes what the task counts; see MetricsHook.
	Metrics() *metric.Set
}

// A Transaction lets a source task end the current transaction with the batch
// that it is about to return (KIP-618, TransactionContext in Java). Boundaries
// at single records are set by SourceRecord.End.
type Transaction interface {
	// Commit asks for a commit after the next batch.
	Commit()
	// Abort asks for an abort after the next batch.
	Abort()
}
