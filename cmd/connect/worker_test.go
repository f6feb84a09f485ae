package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

type noConfig struct{}

func (*noConfig) Describe(*config.Def) {}

// broken is a source connector that does not start, with tasks that never run.
type broken struct{ err error }

func (b broken) Start(context.Context, connect.ConnectorContext) error { return b.err }
func (broken) TaskConfigs(context.Context, int) ([]noConfig, error)    { return nil, nil }
func (broken) Stop(context.Context) error                              { return nil }
func (idle) Start(context.Context, connect.SourceContext) error        { return nil }
func (idle) Poll(context.Context) ([]connect.SourceRecord, error)      { return nil, connect.ErrDone }
func (idle) Stop(context.Context) error                                { return nil }
func newIdle(noConfig) (idle, error)                                   { return idle{}, nil }
func connectorThatSays(err error) func(noConfig) (broken, error) {
	return func(noConfig) (broken, error) { return broken{err}, nil }
}

type idle struct{}

func brokenWorker(err error) *worker {
	return &worker{
		log:        slog.New(slog.DiscardHandler),
		connectors: []connectorFile{{path: "b.json", name: "b", props: config.Props{"name": "b", "connector.class": "Broken"}}},
		options: connect.Options{Plugins: []connect.Plugin{
			connect.Source(connect.Info{Class: "Broken", Version: "1"}, connectorThatSays(err), newIdle),
		}},
	}
}

func TestConnectorThatDoesNotStart(t *testing.T) {
	err := brokenWorker(errors.New("no such wheel")).run(t.Context())
	require.ErrorContains(t, err, `b.json: connector "b" did not start: `)
	require.ErrorContains(t, err, "no such wheel")
	e, ok := errors.AsType[*exitError](err)
	require.True(t, ok)
	assert.Equal(t, 3, e.code)
}

// An end that comes while connectors are being started is a clean one.
func TestEndWhileStarting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, brokenWorker(nil).run(ctx))
}

func TestWorkerThatCannotBeBuilt(t *testing.T) {
	w := brokenWorker(nil)
	w.options.Plugins = append(w.options.Plugins, w.options.Plugins[0])
	err := w.run(t.Context())
	require.ErrorContains(t, err, `plugin "Broken" version "1" is listed twice`)
	e, ok := errors.AsType[*exitError](err)
	require.True(t, ok)
	assert.Equal(t, 2, e.code)
}
