package connecttest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/metric"
)

// SourceContext is a connect.SourceContext for tasks that are driven by hand.
// Its fields are set before use.
type SourceContext struct {
	// Log nil discards.
	Log *slog.Logger
	// ID is what Task returns.
	ID cluster.TaskID
	// Stored has the committed offsets.
	Stored map[connect.SourcePartition]connect.SourceOffset
	// OffsetsErr, if set, is what Offsets fails with.
	OffsetsErr error
	// Tx nil: the task does not set transaction boundaries.
	Tx connect.Transaction

	metrics metric.Set
}

// Metrics returns a set of its own.
func (c *SourceContext) Metrics() *metric.Set { return &c.metrics }

// Logger returns Log.
func (c *SourceContext) Logger() *slog.Logger { return orDiscard(c.Log) }

// Task returns ID.
func (c *SourceContext) Task() cluster.TaskID { return c.ID }

// Offsets returns what Stored has of the partitions.
func (c *SourceContext) Offsets(ctx context.Context, p ...connect.SourcePartition) ([]connect.SourceOffset, error) {
	return lookUp(ctx, c.Stored, c.OffsetsErr, p)
}

// Transaction returns Tx.
func (c *SourceContext) Transaction() connect.Transaction { return c.Tx }

// Transaction is a connect.Transaction that counts what it is asked for. It is
// safe for concurrent use.
type Transaction struct {
	mu               sync.Mutex
	commits, aborted int
}

// Commit counts.
func (x *Transaction) Commit() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.commits++
}

// Abort counts.
func (x *Transaction) Abort() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.aborted++
}

// Counts returns how often each was called.
func (x *Transaction) Counts() (commits, aborts int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.commits, x.aborted
}

// ConnectorContext is a connect.ConnectorContext for connectors that are driven
// by hand. Its fields are set before use; it is safe for concurrent use then.
type ConnectorContext struct {
	// Log nil discards.
	Log *slog.Logger
	// Config is what Props returns.
	Config config.Props
	// Stored has the committed offsets.
	Stored map[connect.SourcePartition]connect.SourceOffset
	// OffsetsErr, if set, is what Offsets fails with.
	OffsetsErr error

	mu            sync.Mutex
	reconfigured  int
	failures      []error
	onReconfigure chan struct{}
}

// Logger returns Log.
func (c *ConnectorContext) Logger() *slog.Logger { return orDiscard(c.Log) }

// Props returns a copy of Config.
func (c *ConnectorContext) Props() config.Props { return c.Config.Clone() }

// Reconfigure counts.
func (c *ConnectorContext) Reconfigure() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reconfigured++
	if c.onReconfigure != nil {
		close(c.onReconfigure)
		c.onReconfigure = nil
	}
}

// Reconfigured returns how often Reconfigure was called.
func (c *ConnectorContext) Reconfigured() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reconfigured
}

// AwaitReconfigure waits until Reconfigure has been called more than n times.
func (c *ConnectorContext) AwaitReconfigure(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		if c.reconfigured > n {
			c.mu.Unlock()
			return nil
		}
		if c.onReconfigure == nil {
			c.onReconfigure = make(chan struct{})
		}
		called := c.onReconfigure
		c.mu.Unlock()
		select {
		case <-called:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Fail records the error.
func (c *ConnectorContext) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, err)
}

// Failures returns the errors that Fail was called with.
func (c *ConnectorContext) Failures() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.failures)
}

// Offsets returns what Stored has of the partitions.
func (c *ConnectorContext) Offsets(ctx context.Context, p ...connect.SourcePartition) ([]connect.SourceOffset, error) {
	return lookUp(ctx, c.Stored, c.OffsetsErr, p)
}

// SinkContext is a connect.SinkContext for tasks that are driven by hand. It
// records what it is asked for. Its fields are set before use; it is safe for
// concurrent use then.
type SinkContext struct {
	// Log nil discards.
	Log *slog.Logger
	// ID is what Task returns.
	ID cluster.TaskID
	// Assigned is what Assignment returns.
	Assigned []connect.TopicPartition
	// ReportFunc decides over reported records, after they were recorded; nil
	// accepts them.
	ReportFunc func(ctx context.Context, r *connect.SinkRecord, cause error) error

	mu      sync.Mutex
	rewound connect.Offsets
	paused  map[connect.TopicPartition]bool
	commits int
	reports []Report
	metrics metric.Set
}

// Metrics returns a set of its own.
func (c *SinkContext) Metrics() *metric.Set { return &c.metrics }

// A Report is one call of SinkContext.Report.
type Report struct {
	Record connect.SinkRecord
	Cause  error
}

// Logger returns Log.
func (c *SinkContext) Logger() *slog.Logger { return orDiscard(c.Log) }

// Task returns ID.
func (c *SinkContext) Task() cluster.TaskID { return c.ID }

// Assignment returns a copy of Assigned.
func (c *SinkContext) Assignment() []connect.TopicPartition { return slices.Clone(c.Assigned) }

// Rewind records the offsets.
func (c *SinkContext) Rewind(next connect.Offsets) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rewound == nil {
		c.rewound = make(connect.Offsets)
	}
	maps.Copy(c.rewound, next)
}

// TakeRewinds returns the offsets that Rewind was given since the last call,
// the newest of each partition.
func (c *SinkContext) TakeRewinds() connect.Offsets {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.rewound
	c.rewound = nil
	return taken
}

// Pause records the partitions that are assigned.
func (c *SinkContext) Pause(tps ...connect.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused == nil {
		c.paused = make(map[connect.TopicPartition]bool)
	}
	for _, tp := range tps {
		if slices.Contains(c.Assigned, tp) {
			c.paused[tp] = true
		}
	}
}

// Resume undoes Pause.
func (c *SinkContext) Resume(tps ...connect.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range tps {
		delete(c.paused, tp)
	}
}

// Paused reports whether a partition is paused.
func (c *SinkContext) Paused(tp connect.TopicPartition) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused[tp]
}

// RequestCommit counts.
func (c *SinkContext) RequestCommit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
}

// CommitsRequested returns how often RequestCommit was called.
func (c *SinkContext) CommitsRequested() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commits
}

// Report records a copy of the record, then asks ReportFunc.
func (c *SinkContext) Report(ctx context.Context, r *connect.SinkRecord, cause error) error {
	c.mu.Lock()
	c.reports = append(c.reports, Report{Record: r.Clone(), Cause: cause})
	c.mu.Unlock()
	if c.ReportFunc == nil {
		return nil
	}
	return c.ReportFunc(ctx, r, cause)
}

// Reports returns what was reported.
func (c *SinkContext) Reports() []Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.reports)
}

func lookUp(ctx context.Context, stored map[connect.SourcePartition]connect.SourceOffset, err error, p []connect.SourcePartition) ([]connect.SourceOffset, error) {
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	offsets := make([]connect.SourceOffset, len(p))
	for i := range p {
		offsets[i] = slices.Clone(stored[p[i]])
	}
	return offsets, nil
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
