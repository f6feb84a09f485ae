package objectstore

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A Connector has as many equal tasks as are allowed, with the connector's own configuration.
type Connector[T any] struct {
	task func(name string) T
	ctx  connect.ConnectorContext
}

// NewConnector returns a Connector whose tasks have what task returns for the connector's name.
func NewConnector[T any](task func(name string) T) *Connector[T] { return &Connector[T]{task: task} }

// Start implements connect.Connector.
func (s *Connector[T]) Start(_ context.Context, c connect.ConnectorContext) error {
	s.ctx = c
	return nil
}

// TaskConfigs implements connect.Connector.
func (s *Connector[T]) TaskConfigs(_ context.Context, max int) ([]T, error) {
	tasks := make([]T, max)
	for i := range tasks {
		tasks[i] = s.task(s.ctx.Props()["name"])
	}
	return tasks, nil
}

// RawTaskConfigs implements connect.RawTaskConfigs.
func (s *Connector[T]) RawTaskConfigs(_ context.Context, max int) ([]config.Props, error) {
	tasks := make([]config.Props, max)
	for i := range tasks {
		tasks[i] = s.ctx.Props().Clone() // each is the caller's to add to
	}
	return tasks, nil
}

// Stop implements connect.Connector.
func (s *Connector[T]) Stop(context.Context) error { return nil }
