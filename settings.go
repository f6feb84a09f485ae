package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// workerSettings are the worker's keys as the engine needs them.
type workerSettings struct {
	props    config.Props
	redact   *config.Redactor // of the worker's own secrets
	workerID string
	// grace is task.shutdown.graceful.timeout.ms.
	grace  time.Duration
	timing taskTiming
	// createTopics is topic.creation.enable.
	createTopics bool
	// trackTopics is topic.tracking.enable, resetTopics topic.tracking.allow.reset.
	trackTopics, resetTopics bool
	policy                   framework.OverridePolicy
	resolver                 *config.Resolver
	signing                  signing // zero for a worker that is alone
	// group is group.id of a worker that has others beside it; "": it is alone.
	group string
	// key, value and header are the worker's converters; a zero Class: none.
	key, value, header framework.PluginRef
}

// newWorkerSettings decodes Options.Worker. Keys that only a worker on Kafka
// needs may be left out here: a Runtime without a Broker has no use for them,
// and a connector that misses a converter says so.
func newWorkerSettings(o *Options) (*workerSettings, error) {
	resolver, err := newResolver(o)
	if err != nil {
		return nil, err
	}
	resolved, err := resolver.Resolve(context.Background(), o.Worker)
	if err != nil {
		return nil, err
	}
	var c framework.WorkerConfig
	if err := withoutMissing(config.DecodeResolved(resolved.Props, o.Worker, &c), o.Worker); err != nil {
		return nil, err
	}
	policy, err := c.OverridePolicy()
	if err != nil {
		return nil, err
	}
	var d framework.DistributedConfig
	var sign signing
	if o.Coordinator != nil {
		if err := withoutMissing(config.DecodeResolved(resolved.Props, o.Worker, &d), o.Worker); err != nil {
			return nil, err
		}
		if sign, err = newSigning(d.SessionKey); err != nil {
			return nil, err
		}
	}
	if d.ExactlyOnce == framework.SupportEnabled {
		o.Logger.Warn("source tasks are not exactly once yet; the worker does as if it were preparing", "key", "exactly.once.source.support", "found", d.ExactlyOnce)
	}
	for _, k := range config.Ignored(o.Worker, new(framework.WorkerConfig)) {
		o.Logger.Info("a worker key has no effect", "key", k.Key, "why", k.Reason)
	}
	return &workerSettings{
		workerID: workerID(o.URL), grace: c.TaskShutdownTimeout, createTopics: c.TopicCreationEnable,
		trackTopics: c.TopicTrackingEnable, resetTopics: c.TopicTrackingReset,
		timing: taskTiming{c.OffsetFlushInterval, c.OffsetFlushTimeout}, resolver: resolver, policy: policy, signing: sign, group: d.GroupID,
		props: resolved.Props, redact: config.NewRedactor(resolved, new(framework.WorkerConfig)), key: c.KeyConverter, value: c.ValueConverter, header: c.HeaderConverter,
	}, nil
}

// newResolver knows the providers that the worker's keys declare, and those
// given as values, which win.
func newResolver(o *Options) (*config.Resolver, error) {
	var c framework.WorkerConfig
	_ = config.Decode(o.Worker, &c) // what is wrong with it is found after resolving
	providers := make(map[string]config.Provider)
	for _, p := range c.ConfigProviders {
		if o.Providers[p.Alias] != nil {
			continue
		}
		provider, err := p.Provider(nil)
		if err != nil {
			return nil, err
		}
		providers[p.Alias] = provider
	}
	maps.Copy(providers, o.Providers)
	return config.NewResolver(providers), nil
}

// withoutMissing drops errors about required keys that are not there.
func withoutMissing(err error, props config.Props) error {
	keys, rest := config.KeyErrors(err)
	for _, k := range keys {
		if _, given := props.Get(k.Key); given {
			rest = append(rest, k)
		}
	}
	return errors.Join(rest...)
}

// workerID is host:port of the REST interface, which is how states name their
// worker; without one it is the word for a worker that is embedded.
func workerID(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil && u.Host != "" {
		return u.Host
	}
	return "embedded"
}

// resolve replaces placeholders. One whose provider or key is not known stays,
// as in Java; the log says so.
func (rt *Runtime) resolve(ctx context.Context, raw config.Props) (config.Props, error) {
	r, err := rt.resolveAll(ctx, raw)
	return r.Props, err
}

func (rt *Runtime) resolveAll(ctx context.Context, raw config.Props) (config.Resolved, error) {
	r, err := rt.worker.resolver.Resolve(ctx, raw)
	if err != nil {
		return config.Resolved{}, err
	}
	for _, u := range r.Unresolved {
		rt.log.WarnContext(ctx, "a placeholder stays as it is: its provider or key is not known", "key", u.Key, "placeholder", u.Placeholder)
	}
	return r, nil
}

// taskLimit is tasks.max and what happens beyond it.
type taskLimit struct {
	max     int
	enforce bool
}

func (rt *Runtime) taskLimits(ctx context.Context, raw config.Props) (taskLimit, error) {
	props, err := rt.resolve(ctx, raw)
	if err != nil {
		return taskLimit{}, err
	}
	c := framework.ConnectorConfig{Plugins: rt.registry.infos}
	err = config.DecodeResolved(props, raw, &c)
	return taskLimit{c.TasksMax, c.TasksMaxEnforce}, err
}

// connectorSettings are a connector's own framework keys, decoded.
type connectorSettings struct {
	*framework.ConnectorConfig
	source *framework.SourceConnectorConfig // of a source
	sink   *framework.SinkConnectorConfig   // of a sink
}

func (rt *Runtime) connectorSettings(kind PluginKind, resolved, raw config.Props) (connectorSettings, error) {
	if kind == SinkPlugin {
		c := &framework.SinkConnectorConfig{ConnectorConfig: framework.ConnectorConfig{Plugins: rt.registry.infos}}
		err := config.DecodeResolved(resolved, raw, c)
		return connectorSettings{&c.ConnectorConfig, nil, c}, err
	}
	c := &framework.SourceConnectorConfig{ConnectorConfig: framework.ConnectorConfig{Plugins: rt.registry.infos}}
	err := config.DecodeResolved(resolved, raw, c)
	return connectorSettings{&c.ConnectorConfig, c, nil}, err
}

func (c *connectorSettings) describer() config.Describer {
	if c.sink != nil {
		return c.sink
	}
	return c.source
}

func (c *connectorSettings) errors() errorSettings {
	return errorSettings{
		retryTimeout: c.ErrorsRetryTimeout, retryDelayMax: c.ErrorsRetryDelayMax,
		tolerateAll: c.ErrorsTolerance == framework.TolerateAll,
		logEnabled:  c.ErrorsLogEnable, logRecords: c.ErrorsLogIncludeMessages,
	}
}

// offsetAccess opens the source offsets of a connector; the caller closes them.
func (rt *Runtime) offsetAccess(ctx context.Context, c *cluster.Connector) (*offsetAccess, error) {
	log := rt.log.With("connector", c.Name)
	store, err := rt.sourceOffsets(ctx, c, log)
	if err != nil {
		return nil, fmt.Errorf("connector %q: opening its offsets: %w", c.Name, err)
	}
	return newOffsetAccess(c.Name, store, log), nil
}

// taskProps returns the configuration of a task, resolved and raw.
func (rt *Runtime) taskProps(ctx context.Context, key workKey, c *cluster.Connector) (resolved, raw config.Props, err error) {
	if key.Task >= len(c.Tasks) {
		return nil, nil, fmt.Errorf("task %v: %w", key, ErrNotFound)
	}
	raw = maps.Clone(c.Tasks[key.Task])
	resolved, err = rt.resolve(ctx, raw)
	return resolved, raw, err
}
