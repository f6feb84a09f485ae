package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// PutConnector creates the connector, or replaces its configuration, and
// returns when the configuration is stored: it runs soon after. It reports
// whether the connector is new. The name in props may be left out; any other
// than name is refused. A wrong configuration is an *InvalidConfigError.
func (rt *Runtime) PutConnector(ctx context.Context, name string, props config.Props) (created bool, err error) {
	return rt.putConnector(ctx, name, props, "", false)
}

// CreateConnector creates the connector in a target state, TargetStarted if it
// is empty. It fails with ErrExists if there is one of the name.
func (rt *Runtime) CreateConnector(ctx context.Context, name string, props config.Props, target cluster.TargetState) error {
	_, err := rt.putConnector(ctx, name, props, target, true)
	return err
}

func (rt *Runtime) putConnector(ctx context.Context, name string, props config.Props, target cluster.TargetState, create bool) (created bool, err error) {
	if target != "" {
		if _, err := cluster.ParseTargetState(string(target)); err != nil {
			return false, fmt.Errorf("connector %q: %w: %w", name, ErrBadRequest, err)
		}
	}
	if props, err = withName(name, props); err != nil {
		return false, err
	}
	if err := rt.check(ctx, name, props); err != nil {
		return false, err
	}
	err = rt.change(ctx, func(l Leadership, view cluster.View) error {
		known := view.Connector(name)
		if known != nil && create {
			return fmt.Errorf("connector %q: %w", name, ErrExists)
		}
		created = known == nil
		var records []cluster.Record
		if target != "" {
			records = append(records, cluster.TargetStateRecord(name, target))
		}
		return appendRecords(ctx, l, append(records, cluster.ConnectorRecord(name, props)))
	})
	return created, err
}

// PatchConnector changes some keys of a connector's configuration (KIP-477):
// config.Null removes a key, other values are set. What comes of it must be
// right as a whole, as for PutConnector.
func (rt *Runtime) PatchConnector(ctx context.Context, name string, patch config.Props) error {
	if _, err := rt.view(ctx); err != nil {
		return err
	}
	if _, err := rt.leader(ctx); err != nil {
		return err
	}
	c, err := rt.known(ctx, name)
	if err != nil {
		return err
	}
	props := c.Props.Merge(patch)
	maps.DeleteFunc(props, func(_, value string) bool { return value == config.Null })
	_, err = rt.PutConnector(ctx, name, props)
	return err
}

// withName returns props with the connector's name in them.
func withName(name string, props config.Props) (config.Props, error) {
	if name == "" {
		return nil, fmt.Errorf("%w: the connector has no name", ErrBadRequest)
	}
	if other, ok := props.Get("name"); ok && other != name {
		return nil, fmt.Errorf("%w: connector %q: its configuration has the name %q", ErrBadRequest, name, other)
	}
	props = props.Clone()
	if props == nil {
		props = config.Props{}
	}
	props["name"] = name
	return props, nil
}

// DeleteConnector deletes the connector and its task set; offsets stay.
func (rt *Runtime) DeleteConnector(ctx context.Context, name string) error {
	return rt.changeKnown(ctx, name, func(l Leadership, _ *cluster.Connector) error {
		return appendRecords(ctx, l, cluster.RemoveConnector(name))
	})
}

// Pause suspends the connector and its tasks, which keep what they hold.
func (rt *Runtime) Pause(ctx context.Context, name string) error {
	return rt.retarget(ctx, name, cluster.TargetPaused)
}

// Resume undoes Pause and Stop.
func (rt *Runtime) Resume(ctx context.Context, name string) error {
	return rt.retarget(ctx, name, cluster.TargetStarted)
}

// Stop ends the connector and its tasks; configuration and offsets stay.
func (rt *Runtime) Stop(ctx context.Context, name string) error {
	return rt.changeKnown(ctx, name, func(l Leadership, _ *cluster.Connector) error {
		return appendRecords(ctx, l, []cluster.Record{
			cluster.CommitRecord(name, 0), cluster.TargetStateRecord(name, cluster.TargetStopped),
		})
	})
}

// retarget writes a target state, which any worker may.
func (rt *Runtime) retarget(ctx context.Context, name string, t cluster.TargetState) error {
	if _, err := rt.known(ctx, name); err != nil {
		return err
	}
	r := cluster.TargetStateRecord(name, t)
	if err := rt.opts.Configs.Append(ctx, KV{[]byte(r.Key), r.Value}); err != nil {
		return fmt.Errorf("connector %q: storing the target state: %w", name, err)
	}
	return rt.sync(ctx)
}

// RestartOptions say what to restart.
type RestartOptions struct {
	// Tasks are restarted too, not only the connector instance.
	Tasks bool
	// OnlyFailed leaves alone what is not FAILED.
	OnlyFailed bool
}

// Restart restarts the connector instance, and its tasks if asked for, on all
// workers (KIP-745). It is the leader's. The instance alone, which the zero options
// ask for, is restarted by the worker that has it: on another one it fails with a
// *NotLeaderError, or, on the leader, with a *NotAssignedError.
func (rt *Runtime) Restart(ctx context.Context, name string, o RestartOptions) error {
	if o == (RestartOptions{}) {
		if _, err := rt.known(ctx, name); err != nil {
			return err
		}
		return rt.restartOwned(ctx, workKey{Connector: name, Task: instanceOf})
	}
	return rt.changeKnown(ctx, name, func(l Leadership, _ *cluster.Connector) error {
		return appendRecords(ctx, l, []cluster.Record{cluster.RestartRecord(cluster.RestartRequest{
			Connector: name, IncludeTasks: o.Tasks, OnlyFailed: o.OnlyFailed,
		})})
	})
}

// RestartTask restarts one task. On a worker that has not got it it fails with a
// *NotLeaderError, or, on the leader, with a *NotAssignedError.
func (rt *Runtime) RestartTask(ctx context.Context, id cluster.TaskID) error {
	c, err := rt.known(ctx, id.Connector)
	if err != nil {
		return err
	}
	if id.Task < 0 || id.Task >= len(c.Tasks) {
		return fmt.Errorf("task %v: %w", id, ErrNotFound)
	}
	return rt.restartOwned(ctx, id)
}

// restartOwned restarts a connector instance or a task that is assigned to this
// worker.
func (rt *Runtime) restartOwned(ctx context.Context, key workKey) error {
	here := false
	err := rt.do(ctx, func() {
		if here = rt.loop.assigned[key]; here {
			rt.restart(key)
			rt.reconcile(key)
		}
	})
	if here || err != nil {
		return err
	}
	return rt.elsewhere(ctx, key)
}

// planRestart carries out a restart request for what runs here. On the loop.
func (rt *Runtime) planRestart(r cluster.RestartRequest) {
	for _, key := range rt.loop.keys(r.Connector) {
		it := rt.loop.items[key]
		if it == nil || key.Task != instanceOf && !r.IncludeTasks {
			continue
		}
		if !r.OnlyFailed || it.phase == phaseEnded {
			rt.restart(key)
		}
	}
}

// restart makes the next plan replace the run. On the loop.
func (rt *Runtime) restart(key workKey) {
	rt.loop.restarts[key]++
	if it := rt.loop.items[key]; it != nil {
		rt.putStatus(it.run, cluster.Status{State: cluster.Restarting})
	}
}

// SetClusterLevel hands the level of a logging namespace to every worker that
// runs (KIP-976), this one included: their LevelHooks hear of it. Any worker may.
// Workers that start later do not hear of it.
func (rt *Runtime) SetClusterLevel(ctx context.Context, namespace, level string) error {
	if _, err := rt.view(ctx); err != nil {
		return err
	}
	r := cluster.LoggerRecord(namespace, level)
	if err := rt.opts.Configs.Append(ctx, KV{[]byte(r.Key), r.Value}); err != nil {
		return fmt.Errorf("log level of %q: storing it: %w", namespace, err)
	}
	return rt.sync(ctx)
}

// Connectors returns the names of all connectors, sorted.
func (rt *Runtime) Connectors(ctx context.Context) ([]string, error) {
	view, err := rt.view(ctx)
	return view.Names(), err
}

// Connector returns what is configured under the name; see cluster.Connector.
func (rt *Runtime) Connector(ctx context.Context, name string) (*cluster.Connector, error) {
	return rt.known(ctx, name)
}

// A ConnectorStatus is the published state of a connector and its tasks.
type ConnectorStatus struct {
	Name string
	// Kind is SourcePlugin or SinkPlugin; zero if the class is not known here.
	Kind      PluginKind
	Connector cluster.Status
	// Tasks by number.
	Tasks map[int]cluster.Status
}

// Status returns the published state of the connector. A connector that was
// just created has none for a moment: ErrNotFound.
func (rt *Runtime) Status(ctx context.Context, name string) (ConnectorStatus, error) {
	s := ConnectorStatus{Name: name}
	c, err := rt.known(ctx, name)
	if err != nil {
		return s, err
	}
	if p, err := rt.connectorPlugin(c.Props); err == nil {
		s.Kind = p.kind
	}
	instance, tasks := rt.status.get(name)
	if instance == nil {
		return s, fmt.Errorf("connector %q: its status: %w", name, ErrNotFound)
	}
	s.Connector, s.Tasks = *instance, tasks
	return s, nil
}

// Plugins returns what the Runtime was given.
func (rt *Runtime) Plugins() []Plugin { return slices.Clone(rt.registry.plugins) }

// view waits for the stores to be read, then returns the configuration.
func (rt *Runtime) view(ctx context.Context) (cluster.View, error) {
	select {
	case <-rt.ready:
	case <-rt.ended:
		return cluster.NewView(-1), ErrStopped
	case <-ctx.Done():
		return cluster.NewView(-1), context.Cause(ctx)
	}
	return member{rt}.View(ctx, 0)
}

func (rt *Runtime) known(ctx context.Context, name string) (*cluster.Connector, error) {
	view, err := rt.view(ctx)
	if err != nil {
		return nil, err
	}
	c := view.Connector(name)
	if c == nil {
		return nil, fmt.Errorf("connector %q: %w", name, ErrNotFound)
	}
	return c, nil
}

// change runs f with the leadership and the newest configuration, one change at
// a time, and returns when the change has been read back.
func (rt *Runtime) change(ctx context.Context, f func(Leadership, cluster.View) error) error {
	if _, err := rt.view(ctx); err != nil {
		return err
	}
	select {
	case rt.write <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-rt.write }()
	l, err := rt.leader(ctx)
	if err != nil {
		return err
	}
	if err := rt.sync(ctx); err != nil { // any worker may have written a target state
		return err
	}
	view, err := rt.view(ctx)
	if err != nil {
		return err
	}
	if err := f(l, view); err != nil {
		return err
	}
	return rt.sync(ctx)
}

// leader returns the right to write; while none has been assigned yet it waits.
func (rt *Runtime) leader(ctx context.Context) (Leadership, error) {
	now, err := rt.place(ctx)
	if err == nil && now.Leadership == nil {
		err = &NotLeaderError{URL: now.url}
	}
	return now.Leadership, err
}

func (rt *Runtime) changeKnown(ctx context.Context, name string, f func(Leadership, *cluster.Connector) error) error {
	return rt.change(ctx, func(l Leadership, view cluster.View) error {
		c := view.Connector(name)
		if c == nil {
			return fmt.Errorf("connector %q: %w", name, ErrNotFound)
		}
		return f(l, c)
	})
}

// sync waits until this worker has read what was written.
func (rt *Runtime) sync(ctx context.Context) error {
	if err := rt.opts.Configs.Sync(ctx); err != nil {
		return fmt.Errorf("reading the configuration back: %w", err)
	}
	return nil
}

func appendRecords(ctx context.Context, l Leadership, records []cluster.Record) error {
	pairs := make([]KV, len(records))
	for i, r := range records {
		pairs[i] = KV{[]byte(r.Key), r.Value}
	}
	if err := l.Append(ctx, pairs...); err != nil {
		return fmt.Errorf("storing the configuration: %w", err)
	}
	return nil
}

// storeTasks stores a task set for the connector's configuration of the given
// revision, if it differs from the stored one, or if it must start again all
// the same. A worker that does not lead hands it to the leader.
func (rt *Runtime) storeTasks(ctx context.Context, name string, revision int64, tasks []config.Props, again bool) error {
	due := func(c *cluster.Connector) bool {
		if c.Revision != revision || c.Target != cluster.TargetStarted {
			return false // overtaken: another run of the connector will see to it
		}
		return again || c.Inconsistent || !maps.Equal(c.Applied, c.Props) ||
			!slices.EqualFunc(c.Tasks, tasks, maps.Equal[config.Props, config.Props])
	}
	c, err := rt.known(ctx, name)
	if errors.Is(err, ErrNotFound) || err == nil && !due(c) {
		return nil
	}
	if err == nil {
		err = rt.putTaskConfigs(ctx, name, tasks, due)
	}
	if leader, ok := errors.AsType[*NotLeaderError](err); ok && leader.URL != "" && rt.opts.Peers != nil {
		return rt.opts.Peers.PutTaskConfigs(ctx, leader.URL, name, tasks, rt.SignInternal)
	}
	return err
}

// PutTaskConfigs stores the task set of a connector, as the worker that runs
// the connector instance wants it. It is for requests between workers
// (Options.Peers); tasks start once all workers have read it.
func (rt *Runtime) PutTaskConfigs(ctx context.Context, name string, tasks []config.Props) error {
	return rt.putTaskConfigs(ctx, name, tasks, func(*cluster.Connector) bool { return true })
}

// putTaskConfigs writes a task set if it is due by the newest configuration.
func (rt *Runtime) putTaskConfigs(ctx context.Context, name string, tasks []config.Props, due func(*cluster.Connector) bool) error {
	return rt.changeKnown(ctx, name, func(l Leadership, c *cluster.Connector) error {
		if !due(c) {
			return nil
		}
		if c.Target == cluster.TargetStopped && len(tasks) > 0 {
			return fmt.Errorf("connector %q: %w: it is STOPPED and has no tasks", name, ErrBadRequest)
		}
		if err := appendRecords(ctx, l, cluster.TaskRecords(name, tasks)); err != nil {
			return err
		}
		return appendRecords(ctx, l, []cluster.Record{cluster.CommitRecord(name, len(tasks))})
	})
}

var errNoClass = errors.New(`missing required configuration "connector.class"`)

// connectorPlugin finds the plugin that a configuration names.
func (rt *Runtime) connectorPlugin(props config.Props) (Plugin, error) {
	class, ok := props.Get("connector.class")
	if !ok || class == "" {
		return Plugin{}, errNoClass
	}
	versions, _ := props.Get("connector.plugin.version")
	return rt.registry.find(framework.Connector, class, versions)
}
