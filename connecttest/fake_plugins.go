package connecttest

import (
	"context"

	"github.com/streamlane/connect"
)

// Connector is a connect.Connector of functions, with T configuring a task.
type Connector[T any] struct {
	StartFunc func(ctx context.Context, c connect.ConnectorContext) error
	// TaskConfigsFunc nil makes no tasks.
	TaskConfigsFunc func(ctx context.Context, max int) ([]T, error)
	StopFunc        func(ctx context.Context) error
}

// Start calls StartFunc.
func (f Connector[T]) Start(ctx context.Context, c connect.ConnectorContext) error {
	if f.StartFunc == nil {
		return nil
	}
	return f.StartFunc(ctx, c)
}

// TaskConfigs calls TaskConfigsFunc.
func (f Connector[T]) TaskConfigs(ctx context.Context, max int) ([]T, error) {
	if f.TaskConfigsFunc == nil {
		return nil, nil
	}
	return f.TaskConfigsFunc(ctx, max)
}

// Stop calls StopFunc.
func (f Connector[T]) Stop(ctx context.Context) error {
	if f.StopFunc == nil {
		return nil
	}
	return f.StopFunc(ctx)
}

// Transform is a connect.Transform of functions, and an io.Closer.
type Transform struct {
	// ApplyFunc nil keeps every record as it is.
	ApplyFunc func(ctx context.Context, r *connect.Record) (keep bool, err error)
	CloseFunc func() error
}

// Apply calls ApplyFunc.
func (f Transform) Apply(ctx context.Context, r *connect.Record) (keep bool, err error) {
	if f.ApplyFunc == nil {
		return true, nil
	}
	return f.ApplyFunc(ctx, r)
}

// Close calls CloseFunc.
func (f Transform) Close() error {
	if f.CloseFunc == nil {
		return nil
	}
	return f.CloseFunc()
}

// Predicate is a connect.Predicate of a function. Nil holds for every record.
type Predicate func(ctx context.Context, r *connect.Record) (bool, error)

// Test calls f.
func (f Predicate) Test(ctx context.Context, r *connect.Record) (bool, error) {
	if f == nil {
		return true, nil
	}
	return f(ctx, r)
}

// Converter is a connect.Converter of functions. Nil functions make null of
// everything.
type Converter struct {
	AppendEncodeFunc func(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) (out []byte, null bool, err error)
	DecodeFunc       func(ctx context.Context, w *connect.Wire, b []byte) (connect.Datum, error)
}

// AppendEncode calls AppendEncodeFunc.
func (f Converter) AppendEncode(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) (out []byte, null bool, err error) {
	if f.AppendEncodeFunc == nil {
		return dst, true, nil
	}
	return f.AppendEncodeFunc(ctx, dst, w, d)
}

// Decode calls DecodeFunc.
func (f Converter) Decode(ctx context.Context, w *connect.Wire, b []byte) (connect.Datum, error) {
	if f.DecodeFunc == nil {
		return connect.Datum{}, nil
	}
	return f.DecodeFunc(ctx, w, b)
}

// HeaderConverter is a connect.HeaderConverter of functions. Nil functions make
// null of everything.
type HeaderConverter struct {
	AppendEncodeHeaderFunc func(dst []byte, topic, key string, d connect.Datum) (out []byte, null bool, err error)
	DecodeHeaderFunc       func(topic, key string, b []byte) (connect.Datum, error)
}

// AppendEncodeHeader calls AppendEncodeHeaderFunc.
func (f HeaderConverter) AppendEncodeHeader(dst []byte, topic, key string, d connect.Datum) (out []byte, null bool, err error) {
	if f.AppendEncodeHeaderFunc == nil {
		return dst, true, nil
	}
	return f.AppendEncodeHeaderFunc(dst, topic, key, d)
}

// DecodeHeader calls DecodeHeaderFunc.
func (f HeaderConverter) DecodeHeader(topic, key string, b []byte) (connect.Datum, error) {
	if f.DecodeHeaderFunc == nil {
		return connect.Datum{}, nil
	}
	return f.DecodeHeaderFunc(topic, key, b)
}
