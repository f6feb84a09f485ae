package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/streamlane/connect"
)

// Plugin returns the source connector HttpSource.
func Plugin() connect.Plugin {
	return plugin(nil)
}

// dialer opens connections in tests.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func plugin(dial dialer) connect.Plugin {
	return connect.Source(connect.Info{
		Class:   "HttpSource",
		Version: "1.0.0",
		Doc:     "Reads records from REST and GraphQL interfaces over HTTP, page by page.",
	}, newConnector, func(c Config) (*task, error) { return newTask(c, dial) })
}

// connector spreads endpoints over tasks.
type connector struct{ cfg Config }

func newConnector(c Config) (*connector, error) { return &connector{cfg: c}, nil }

func (c *connector) Start(context.Context, connect.ConnectorContext) error { return nil }
func (c *connector) Stop(context.Context) error                            { return nil }

// TaskConfigs deals the endpoints out, one by one.
func (c *connector) TaskConfigs(_ context.Context, max int) ([]Config, error) {
	if len(c.cfg.Endpoints) == 0 {
		return []Config{c.cfg}, nil
	}
	tasks := make([]Config, min(max, len(c.cfg.Endpoints)))
	for i := range tasks {
		tasks[i] = c.cfg
		tasks[i].Endpoints = nil
	}
	for i, name := range c.cfg.Endpoints {
		t := &tasks[i%len(tasks)]
		t.Endpoints = append(t.Endpoints, name)
	}
	return tasks, nil
}

// ExactlyOnce is supported: the offset of a record says where exactly to go on.
func (c *connector) ExactlyOnce() (supported, boundaries bool) { return true, false }

// AlterOffsets refuses offsets that no task could go on from.
func (c *connector) AlterOffsets(_ context.Context, change map[connect.SourcePartition]connect.SourceOffset) (bool, error) {
	var errs []error
	for p, o := range change {
		v, ok := p.Get(endpointField)
		name, isText := v.Str()
		if !ok || !isText || len(p.Entries()) != 1 {
			errs = append(errs, fmt.Errorf("source partition %s: want the entry %q alone", p, endpointField))
		} else if known := c.cfg.endpoints(); !slices.ContainsFunc(known, func(e *Endpoint) bool { return e.name == name }) && o != nil {
			errs = append(errs, fmt.Errorf("source partition %s: there is no such endpoint", p))
		}
		if _, err := parsePosition(o); err != nil {
			errs = append(errs, err)
		}
	}
	return true, errors.Join(errs...)
}
