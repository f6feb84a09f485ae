package connecttest

import (
	"context"

	"github.com/streamlane/connect"
)

// SourceTask is a connect.SourceTask of functions. It has no optional
// abilities; embed it beside DeliveryCommitter or Committer for these.
type SourceTask struct {
	StartFunc func(ctx context.Context, c connect.SourceContext) error
	// PollFunc nil: Poll waits for the end of its context.
	PollFunc func(ctx context.Context) ([]connect.SourceRecord, error)
	StopFunc func(ctx context.Context) error
}

// Start calls StartFunc.
func (f SourceTask) Start(ctx context.Context, c connect.SourceContext) error {
	if f.StartFunc == nil {
		return nil
	}
	return f.StartFunc(ctx, c)
}

// Poll calls PollFunc.
func (f SourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if f.PollFunc == nil {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return f.PollFunc(ctx)
}

// Stop calls StopFunc.
func (f SourceTask) Stop(ctx context.Context) error {
	if f.StopFunc == nil {
		return nil
	}
	return f.StopFunc(ctx)
}

// SinkTask is a connect.SinkTask of functions. It has no optional abilities;
// embed it beside Opener, Closer, Flusher, PreCommitter or DurableOffsets for
// these.
type SinkTask struct {
	StartFunc func(ctx context.Context, c connect.SinkContext) error
	PutFunc   func(ctx context.Context, records []connect.SinkRecord) error
	StopFunc  func(ctx context.Context) error
}

// Start calls StartFunc.
func (f SinkTask) Start(ctx context.Context, c connect.SinkContext) error {
	if f.StartFunc == nil {
		return nil
	}
	return f.StartFunc(ctx, c)
}

// Put calls PutFunc.
func (f SinkTask) Put(ctx context.Context, records []connect.SinkRecord) error {
	if f.PutFunc == nil {
		return nil
	}
	return f.PutFunc(ctx, records)
}

// Stop calls StopFunc.
func (f SinkTask) Stop(ctx context.Context) error {
	if f.StopFunc == nil {
		return nil
	}
	return f.StopFunc(ctx)
}
