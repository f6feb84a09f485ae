package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
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

// probeTime bounds what validation waits for one endpoint.
const probeTime = 10 * time.Second

// Probe asks each endpoint for its first page, once.
func (c *Config) Probe(ctx context.Context) error {
	if !c.ProbeRequests {
		return nil
	}
	client, err := httpkit.New(c.Client, httpkit.Options{})
	if err != nil {
		return config.Errorf("http.url", "%w", err)
	}
	defer client.Close()
	base, err := url.Parse(c.URL)
	if err != nil {
		return config.Errorf("http.url", "%w", err)
	}
	var errs []error
	for _, e := range c.endpoints() {
		errs = append(errs, c.probe(ctx, client, base, e))
	}
	return errors.Join(errs...)
}

func (c *Config) probe(ctx context.Context, client *httpkit.Client, base *url.URL, e *Endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	prefix := ""
	if len(c.Endpoints) > 0 {
		prefix = "endpoint." + e.name + "."
	}
	r, err := newReader(e, base, client)
	if err == nil {
		err = r.restore(nil)
	}
	if err != nil {
		return config.Errorf(prefix+"path", "%w", err)
	}
	r.pos.until = time.Now().UnixNano()
	_, b, err := r.ask(ctx)
	failed, _ := errors.AsType[*httpkit.Error](err)
	switch {
	case err == nil && b != nil:
		for _, x := range b.records {
			if _, err := r.timestamp(x.value); err != nil && x.err == nil {
				return config.Errorf(prefix+"record.timestamp.path", "%w", err)
			}
			if err := r.keys.learn(x.value); err != nil && x.err == nil {
				return config.Errorf(prefix+"record.key.path", "%w", err)
			}
		}
		return nil
	case err == nil, failed != nil && failed.Class == httpkit.Skip, failed != nil && failed.Status == 429:
		return nil
	case failed != nil && failed.Class == httpkit.Auth:
		return config.Errorf("auth.type", "%w", err)
	case errors.Is(err, errMalformed):
		key := "response.format"
		if b == nil && e.RecordsPath != "" {
			key = "records.path"
		}
		return config.Errorf(prefix+key, "%w", err)
	case failed != nil && failed.Status == 0:
		return config.Errorf("http.url", "%w", err)
	}
	return config.Errorf(prefix+"path", "%w", err)
}
