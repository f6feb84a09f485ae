package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/internal/latest"
)

const (
	// A connector's task configurations are asked for again after a failure,
	// with a pause that doubles up to the maximum, for ever.
	taskConfigsPause    = 250 * time.Millisecond
	maxTaskConfigsPause = time.Minute
	// minReload keeps a provider whose values expire at once from restarting
	// its connectors in a hot loop.
	minReload = time.Second
)

// connectorRun is the life of a connector instance: it follows the target
// state, and keeps the task set as the connector wants it.
type connectorRun struct {
	*run
	conf *cluster.Connector
	log  *slog.Logger

	plugin  Plugin
	started bool
	current connectorInstance
	// endInstance ends the context that Start of the current instance got.
	endInstance context.CancelCauseFunc

	failed latest.Value[error]
	// expired fires when a value that a config provider gave is due to be asked
	// for again.
	expired <-chan time.Time
	// renewed says that such a value has changed since an earlier run: the tasks
	// must start again, even if their raw text is as it was.
	renewed bool
}

func newConnectorRun(rt *Runtime, key workKey, w want, c *cluster.Connector) *run {
	r := &connectorRun{
		run: newRun(rt, key, w), conf: c, log: rt.logOf(key).With("connector", c.Name),
		failed: latest.Of[error](nil),
	}
	r.run.reconfigure = make(chan struct{}, 1)
	r.run.work = r.loop
	return r.run
}

// loop follows the target state until ctx ends or the connector fails.
func (r *connectorRun) loop(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, r.leave(r.grace, err == nil)) }()
	var retry <-chan time.Time
	pause := taskConfigsPause
	for {
		if err := r.follow(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.targets.Changed():
			continue
		case <-r.failed.Changed():
			return r.failed.Get()
		case <-r.expired:
			r.log.InfoContext(ctx, "restarting: a value of a config provider has expired")
			r.rt.post(func() { r.rt.restart(r.key); r.rt.reconcile(r.key) })
			continue
		case <-r.reconfigure:
		case <-retry:
		}
		retry = nil
		if !r.started {
			continue
		}
		switch err := r.publishTasks(ctx); {
		case err == nil:
			pause = taskConfigsPause
		case isFinal(err):
			return err
		case ctx.Err() == nil:
			r.log.WarnContext(ctx, "task configurations failed, trying again", "err", err, "pause", pause)
			r.rt.tail.retried(r.key, err)
			retry = time.After(pause)
			pause = min(pause*2, maxTaskConfigsPause)
		}
	}
}

// follow brings the instance to the target state.
func (r *connectorRun) follow(ctx context.Context) error {
	switch target := r.targets.Get(); {
	case target == cluster.TargetStarted && !r.started:
		if err := r.enter(ctx); err != nil {
			return fmt.Errorf("connector %q: start: %w", r.key.Connector, err)
		}
		r.rt.publish(r.run, cluster.Status{State: cluster.Running, Version: r.plugin.info.Version})
		signal(r.reconfigure)
	case target != cluster.TargetStarted:
		if err := r.leave(ctx, true); err != nil && target == cluster.TargetPaused {
			return fmt.Errorf("connector %q: pause: %w", r.key.Connector, err)
		}
		state := cluster.Paused
		if target == cluster.TargetStopped {
			state = cluster.Stopped
		}
		r.rt.publish(r.run, cluster.Status{State: state, Version: r.version()})
	}
	return nil
}

func (r *connectorRun) version() string {
	p, err := r.rt.connectorPlugin(r.conf.Props)
	if err != nil {
		return ""
	}
	return p.info.Version
}

// enter builds an instance and starts it.
func (r *connectorRun) enter(ctx context.Context) (err error) {
	if r.plugin, err = r.rt.connectorPlugin(r.conf.Props); err != nil {
		return err
	}
	resolved, err := r.rt.resolveAll(ctx, r.conf.Props)
	if err != nil {
		return err
	}
	r.rt.tail.Protect(r.key, r.rt.redactor(resolved))
	if err := r.watchValues(resolved); err != nil {
		return err
	}
	return guard(func() error {
		if r.current, err = r.plugin.connector(resolved.Props, r.conf.Props); err != nil {
			return err
		}
		life, end := context.WithCancelCause(r.life)
		r.started, r.endInstance = true, end
		return r.current.start(life, &connectorContext{run: r})
	})
}

// watchValues takes note of values that config providers gave: whether they
// have changed since an earlier run, and when to ask again
// (config.action.reload).
func (r *connectorRun) watchValues(resolved config.Resolved) error {
	set, err := r.rt.connectorSettings(r.plugin.kind, resolved.Props, resolved.Raw)
	if err != nil {
		return err
	}
	r.rt.post(func() {
		before, known := r.rt.loop.resolved[r.key.Connector]
		r.renewed = known && before.revision == r.revision && !before.props.Equal(resolved.Props)
		r.rt.loop.resolved[r.key.Connector] = resolvedProps{r.revision, resolved.Props}
	})
	if ttl, ok := resolved.TTL(); ok && set.ReloadAction == framework.ReloadRestart {
		r.expired = time.After(max(ttl, minReload))
	}
	return nil
}

// leave stops the instance if there is one. Its goroutines end with their
// context.
func (r *connectorRun) leave(ctx context.Context, clean bool) error {
	if !r.started {
		return nil
	}
	r.started = false
	defer r.endInstance(errStopRequested)
	err := guard(func() error { return r.current.stop(ctx) })
	if err != nil && !clean {
		r.log.WarnContext(ctx, "stopping the connector", "err", err)
		return nil
	}
	return err
}

// finalError is one that asking again will not mend.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

func isFinal(err error) bool {
	_, final := errors.AsType[finalError](err)
	return final
}

// publishTasks asks the connector for its task configurations and stores them
// if they are not those that are stored, or if the connector's configuration
// has changed since.
func (r *connectorRun) publishTasks(ctx context.Context) error {
	limits, err := r.rt.taskLimits(ctx, r.conf.Props)
	if err != nil {
		return finalError{err}
	}
	var tasks []config.Props
	err = guard(func() (err error) { tasks, err = r.current.configs(ctx, limits.max); return err })
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		return finalError{err}
	}
	if err != nil {
		return err
	}
	if len(tasks) > limits.max {
		err := fmt.Errorf("the connector made %d task configurations; tasks.max is %d", len(tasks), limits.max)
		if limits.enforce {
			return finalError{err}
		}
		r.log.WarnContext(ctx, "too many tasks, accepted because tasks.max.enforce is false", "err", err)
	}
	tasks, err = r.complete(tasks)
	if err != nil {
		return finalError{err}
	}
	if err := r.rt.storeTasks(ctx, r.key.Connector, r.revision, tasks, r.renewed); err != nil {
		return err
	}
	r.renewed = false
	return nil
}

// complete adds to task configurations what the framework keeps in them, and
// puts placeholders back where the connector's own configuration has them.
func (r *connectorRun) complete(tasks []config.Props) ([]config.Props, error) {
	class, _ := r.conf.Props.Get("connector.class")
	out := make([]config.Props, len(tasks))
	for i, t := range tasks {
		if t == nil {
			return nil, fmt.Errorf("task configuration %d of %d is nil", i, len(tasks))
		}
		t = maps.Clone(t)
		t["task.class"] = r.plugin.taskClass(class)
		if r.plugin.kind == SinkPlugin {
			for _, key := range []string{"topics", "topics.regex"} {
				if v, ok := r.conf.Props[key]; ok {
					t[key] = v
				}
			}
		}
		out[i] = config.RestorePlaceholders(t, r.conf.Props)
	}
	return out, nil
}

// taskClass is what a task set names: the Java class that a Java worker could
// run, where there is one, else the plugin's own.
func (p Plugin) taskClass(connectorClass string) string {
	task := ""
	for _, j := range p.info.StandsFor {
		if j.Task != "" && (task == "" || j.Class == connectorClass) {
			task = j.Task
		}
	}
	if task == "" {
		return p.info.Class
	}
	return task
}

// connectorContext is the runtime as a connector sees it.
type connectorContext struct{ run *connectorRun }

func (c *connectorContext) Logger() *slog.Logger { return c.run.log }
func (c *connectorContext) Props() config.Props  { return c.run.conf.Props.Clone() }
func (c *connectorContext) Reconfigure()         { signal(c.run.reconfigure) }

func (c *connectorContext) Fail(err error) {
	if err == nil {
		err = errors.New("the connector failed without saying why")
	}
	c.run.failed.Set(fmt.Errorf("connector %q: %w", c.run.key.Connector, err))
}

func (c *connectorContext) Offsets(ctx context.Context, p ...SourcePartition) (offsets []SourceOffset, err error) {
	a, err := c.run.rt.offsetAccess(ctx, c.run.conf)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	return a.read(ctx, p)
}
