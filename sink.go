package connect

import (
	"context"
	"log/slog"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/metric"
)

// SinkOffsetAlterer is an optional ability of sink connectors: it is asked
// before the offsets of the connector's group are changed over the API. It is
// called on a connector that was built but not started. An error vetoes the
// change; a nil offset resets a partition.
type SinkOffsetAlterer interface {
	AlterOffsets(ctx context.Context, change map[TopicPartition]*int64) (handled bool, err error)
}

// A SinkTask writes to a target system. One goroutine calls all of its methods,
// the optional ones included.
type SinkTask interface {
	// Start prepares the task. Its context ends when Stop has returned.
	Start(ctx context.Context, c SinkContext) error
	// Put takes records in order of their partitions. The slice is valid until
	// Put returns, and not the task's to change: after a retriable error it is
	// offered again. Records may be kept (see SinkRecord).
	//
	// It is called with an empty slice at least once per flush interval, for
	// work by the clock. An error that wraps Retriable makes the engine pause
	// and offer the same batch again; any other fails the task.
	Put(ctx context.Context, records []SinkRecord) error
	// Stop releases what Start took.
	Stop(ctx context.Context) error
}

// Opener is an optional ability of sink tasks: it hears of newly assigned
// partitions before their records. Records of these partitions follow from the
// committed offsets, or from where Rewind says.
type Opener interface {
	Open(ctx context.Context, tps []TopicPartition) error
}

// Closer is an optional ability of sink tasks: it hears of partitions that go
// away, after their last commit. After a lost session it is called without one.
type Closer interface {
	Close(ctx context.Context, tps []TopicPartition) error
}

// Flusher is an optional ability of sink tasks: Flush makes durable what was
// put so far. The offsets given are then committed. A task with PreCommitter
// has no use for it.
type Flusher interface {
	Flush(ctx context.Context, offsets Offsets) error
}

// PreCommitter is an optional ability of sink tasks: it says which offsets may
// be committed, at most those given. An error makes the engine go back to the
// last committed offsets (SinkTask.preCommit in Java).
type PreCommitter interface {
	PreCommit(ctx context.Context, current Offsets) (Offsets, error)
}

// DurableOffsets is an optional ability of sink tasks that keep offsets with
// their data: Claim takes ownership of the partitions in the target, shutting
// out earlier owners, and says where each goes on. Partitions absent from the
// answer start from the group's committed offset.
type DurableOffsets interface {
	Claim(ctx context.Context, tps []TopicPartition) (next Offsets, err error)
}

// A SinkContext is the runtime as a sink task sees it. Its methods are safe for
// concurrent use until the task has stopped; Rewind, Pause, Resume and
// RequestCommit take effect before the next poll and wake it.
type SinkContext interface {
	// Logger has connector and task attached.
	Logger() *slog.Logger
	// Task is who the task is.
	Task() cluster.TaskID
	// Assignment is the set of partitions that the task owns now.
	Assignment() []TopicPartition
	// Rewind sets the next offset of each partition given. From another goroutine
	// it meets records that were fetched before: a task rewinds in its own methods.
	Rewind(next Offsets)
	// Pause stops delivery of the partitions; unassigned ones are ignored.
	Pause(tps ...TopicPartition)
	// Resume undoes Pause.
	Resume(tps ...TopicPartition)
	// RequestCommit asks for a commit soon, and so for Put, if with no records: it
	// is how another goroutine of the task wakes it.
	RequestCommit()
	// Report hands over a record that the target refuses (KIP-610): it is
	// logged and dead-lettered as errors.* say, and its offset is committed only
	// after that. Under errors.tolerance=none the cause comes back at once and the
	// task should return it. After ErrRevoked the record is another's to deal with.
	Report(ctx context.Context, r *SinkRecord, cause error) error
	// Metrics takes what the task counts; see MetricsHook.
	Metrics() *metric.Set
}
