package connecttest

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// The optional abilities of tasks and connectors, to be embedded beside a fake.
// A nil function does nothing.
type (
	// DeliveryCommitter gives a source task connect.DeliveryCommitter.
	DeliveryCommitter func(ctx context.Context, done []connect.Delivery) error
	// Committer gives a source task connect.Committer.
	Committer func(ctx context.Context) error
	// Opener gives a sink task connect.Opener.
	Opener func(ctx context.Context, tps []connect.TopicPartition) error
	// Closer gives a sink task connect.Closer.
	Closer func(ctx context.Context, tps []connect.TopicPartition) error
	// Flusher gives a sink task connect.Flusher.
	Flusher func(ctx context.Context, offsets connect.Offsets) error
	// PreCommitter gives a sink task connect.PreCommitter. Nil agrees to the
	// offsets that it is given.
	PreCommitter func(ctx context.Context, current connect.Offsets) (connect.Offsets, error)
	// DurableOffsets gives a sink task connect.DurableOffsets. Nil knows no
	// offsets.
	DurableOffsets func(ctx context.Context, tps []connect.TopicPartition) (connect.Offsets, error)
	// RawTaskConfigs gives a connector connect.RawTaskConfigs. Nil makes no
	// tasks.
	RawTaskConfigs func(ctx context.Context, max int) ([]config.Props, error)
	// SourceOffsetAlterer gives a connector connect.SourceOffsetAlterer. Nil
	// leaves the change to the engine.
	SourceOffsetAlterer func(ctx context.Context, change map[connect.SourcePartition]connect.SourceOffset) (bool, error)
	// SinkOffsetAlterer gives a connector connect.SinkOffsetAlterer. Nil leaves
	// the change to the engine.
	SinkOffsetAlterer func(ctx context.Context, change map[connect.TopicPartition]*int64) (bool, error)
)

// ExactlyOnce gives a source connector connect.ExactlyOnce with fixed answers.
type ExactlyOnce struct{ Supported, Boundaries bool }

// CommitRecords calls f.
func (f DeliveryCommitter) CommitRecords(ctx context.Context, done []connect.Delivery) error {
	if f == nil {
		return nil
	}
	return f(ctx, done)
}

// Commit calls f.
func (f Committer) Commit(ctx context.Context) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

// Open calls f.
func (f Opener) Open(ctx context.Context, tps []connect.TopicPartition) error {
	if f == nil {
		return nil
	}
	return f(ctx, tps)
}

// Close calls f.
func (f Closer) Close(ctx context.Context, tps []connect.TopicPartition) error {
	if f == nil {
		return nil
	}
	return f(ctx, tps)
}

// Flush calls f.
func (f Flusher) Flush(ctx context.Context, offsets connect.Offsets) error {
	if f == nil {
		return nil
	}
	return f(ctx, offsets)
}

// PreCommit calls f.
func (f PreCommitter) PreCommit(ctx context.Context, current connect.Offsets) (connect.Offsets, error) {
	if f == nil {
		return current, nil
	}
	return f(ctx, current)
}

// Claim calls f.
func (f DurableOffsets) Claim(ctx context.Context, tps []connect.TopicPartition) (connect.Offsets, error) {
	if f == nil {
		return nil, nil
	}
	return f(ctx, tps)
}

// RawTaskConfigs calls f.
func (f RawTaskConfigs) RawTaskConfigs(ctx context.Context, max int) ([]config.Props, error) {
	if f == nil {
		return nil, nil
	}
	return f(ctx, max)
}

// AlterOffsets calls f.
func (f SourceOffsetAlterer) AlterOffsets(ctx context.Context, change map[connect.SourcePartition]connect.SourceOffset) (handled bool, err error) {
	if f == nil {
		return false, nil
	}
	return f(ctx, change)
}

// AlterOffsets calls f.
func (f SinkOffsetAlterer) AlterOffsets(ctx context.Context, change map[connect.TopicPartition]*int64) (handled bool, err error) {
	if f == nil {
		return false, nil
	}
	return f(ctx, change)
}

// ExactlyOnce returns the fixed answers.
func (e ExactlyOnce) ExactlyOnce() (supported, boundaries bool) { return e.Supported, e.Boundaries }
