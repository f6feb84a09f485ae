package connect

import (
	"context"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// loopState is what the Runtime's loop owns: nobody else reads or changes it.
// What reaches the loop are closures that touch memory only; I/O is done by
// those who send them.
type loopState struct {
	fold     cluster.Fold
	history  *cluster.History
	position chan struct{} // closed and replaced when the position moves
	// view is of the last state that somebody asked for; see seen.
	view    cluster.View
	changed bool // since view
	// tasks counts the tasks that each connector had when it was last reconciled.
	tasks map[string]int

	generation int32
	assigned   map[workKey]bool
	// held has the connectors whose task set has changed since the last
	// assignment, by the position of the change: their tasks wait until all
	// workers have read of it, and stopped what was before.
	held     map[string]int64
	restarts map[workKey]int
	items    map[workKey]*item
	// resolved has the configuration that each connector last ran with.
	resolved map[string]resolvedProps
}

// resolvedProps is a configuration without placeholders, and its revision.
type resolvedProps struct {
	revision int64
	props    config.Props
}

// An item is a run that the loop knows of.
type item struct {
	have
	run *run
}

func newLoopState(history *cluster.History) loopState {
	return loopState{
		history: history, position: make(chan struct{}), changed: true, tasks: make(map[string]int),
		assigned: make(map[workKey]bool), held: make(map[string]int64), restarts: make(map[workKey]int),
		items:    make(map[workKey]*item),
		resolved: make(map[string]resolvedProps),
	}
}

// runLoop executes what is sent to the loop until ctx ends.
func (rt *Runtime) runLoop(ctx context.Context) {
	for {
		select {
		case f := <-rt.calls:
			f()
		case <-ctx.Done():
			return
		}
	}
}

// do executes f on the loop and returns when that is done. Its error is that
// the Runtime has ended, or why ctx did.
func (rt *Runtime) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case rt.calls <- func() { f(); close(done) }:
		<-done
		return nil
	case <-rt.ended:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// post executes f on the loop; not, if the Runtime has ended.
func (rt *Runtime) post(f func()) { _ = rt.do(context.Background(), f) }

// applyConfig reads one record of the config store. What it means counts from the
// end of the log on: before, later records may have undone it. On the loop.
func (rt *Runtime) applyConfig(r cluster.Record, offset int64, live bool) {
	ev, err := rt.loop.fold.Apply(r, offset)
	if err != nil {
		rt.log.Warn("ignoring a config record", "err", err)
	}
	if ev.Kind == cluster.SessionKeyStored {
		rt.readSessionKey(r.Value)
	}
	if live {
		rt.loop.moved(ev.Kind != cluster.NoEvent)
		rt.heed(ev)
	}
}

// moved takes note of a record that has been read. On the loop.
func (l *loopState) moved(changed bool) {
	l.changed = l.changed || changed
	close(l.position)
	l.position = make(chan struct{})
}

// seen returns the configuration as it has been read. On the loop.
func (l *loopState) seen() cluster.View {
	if l.changed {
		l.view, l.changed = l.fold.View(), false
	}
	l.view.Position = l.fold.Position()
	return l.view
}

// heed acts on an event. On the loop.
func (rt *Runtime) heed(ev cluster.Event) {
	switch ev.Kind {
	case cluster.TasksCommitted:
		rt.loop.held[ev.Connector] = rt.loop.fold.Position()
		rt.mendTasks(ev.Connector)
		rt.opts.Coordinator.Rejoin("the tasks of connector " + ev.Connector + " changed")
	case cluster.ConnectorPut:
		rt.opts.Coordinator.Rejoin("configuration of connector " + ev.Connector + " changed")
	case cluster.ConnectorRemoved:
		delete(rt.loop.resolved, ev.Connector)
		rt.tail.forget(ev.Connector)
		rt.opts.Coordinator.Rejoin("connector " + ev.Connector + " was removed")
	case cluster.RestartRequested:
		rt.planRestart(ev.Restart)
	case cluster.LoggerSet:
		rt.log.Info("a log level is set on all workers", "namespace", ev.Connector, "level", ev.Level)
		rt.hooks.onLevel(&LevelEvent{Namespace: ev.Connector, Level: ev.Level})
		return
	case cluster.TargetChanged:
	default:
		return
	}
	rt.reconcile(rt.loop.keys(ev.Connector)...)
}

// mendTasks has a connector that runs here make its task set again, if that was
// committed without being whole: two leaders have written at once. (In Java the
// connector is without tasks until it is configured anew.) On the loop.
func (rt *Runtime) mendTasks(name string) {
	c, it := rt.loop.fold.Connector(name), rt.loop.items[workKey{Connector: name, Task: instanceOf}]
	if c != nil && c.Inconsistent && it != nil {
		signal(it.run.reconfigure)
	}
}

// keys lists a connector's instance and all of its tasks, those that it had until
// now too. On the loop.
func (l *loopState) keys(name string) []workKey {
	n := 0
	if c := l.fold.Connector(name); c != nil {
		n = len(c.Tasks)
	}
	keys := make([]workKey, 0, 1+max(n, l.tasks[name]))
	for task := range cap(keys) {
		keys = append(keys, workKey{Connector: name, Task: task + instanceOf})
	}
	l.tasks[name] = n
	if n == 0 {
		delete(l.tasks, name)
	}
	return keys
}

// configured tells whether there is such a connector, or task.
func (l *loopState) configured(key workKey) bool {
	c := l.fold.Connector(key.Connector)
	return c != nil && key.Task < len(c.Tasks)
}

// release lets tasks start whose set all workers have read, and returns their
// keys. On the loop.
func (l *loopState) release(position int64) (released []workKey) {
	for name, at := range l.held {
		if at <= position || position == 0 {
			delete(l.held, name)
			released = append(released, l.keys(name)...)
		}
	}
	return released
}

// desired is what should run here under a key, by what is assigned and configured.
func (l *loopState) desired(key workKey) (w want, ok bool) {
	c := l.fold.Connector(key.Connector)
	if c == nil || !l.assigned[key] {
		return w, false
	}
	w = want{revision: c.Revision, restart: l.restarts[key], target: c.Target}
	if key.Task != instanceOf {
		_, held := l.held[key.Connector]
		if held || key.Task >= len(c.Tasks) || c.Target == cluster.TargetStopped {
			return w, false
		}
		w.revision = int64(c.Generation)
	}
	return w, true
}

// reconcile carries out the plan for some keys. On the loop.
func (rt *Runtime) reconcile(keys ...workKey) {
	l := &rt.loop
	desired, running := make(map[workKey]want, len(keys)), make(map[workKey]have, len(keys))
	for _, key := range keys {
		if w, ok := l.desired(key); ok {
			desired[key] = w
		}
		if it := l.items[key]; it != nil {
			running[key] = it.have
		}
	}
	deadline := time.Now().Add(rt.worker.grace)
	for _, a := range plan(desired, running) {
		switch a.kind {
		case startRun:
			rt.startRun(a.key, a.want)
		case stopRun:
			rt.stopRun(a.key, errStopRequested, deadline)
		case retargetRun:
			it := l.items[a.key]
			it.target = a.want.target
			it.run.retarget(a.want.target)
		case forgetRun:
			delete(l.items, a.key)
		}
	}
}

// startRun starts a run. On the loop.
func (rt *Runtime) startRun(key workKey, w want) {
	c := rt.loop.fold.Connector(key.Connector)
	make := newConnectorRun
	if key.Task != instanceOf {
		make = newTaskRun
	}
	r := make(rt, key, w, c)
	if p, err := rt.connectorPlugin(c.Props); err == nil {
		r.version = p.info.Version
	}
	rt.loop.items[key] = &item{have: have{want: w, phase: phaseRunning}, run: r}
	rt.runs.Add(1)
	go r.main()
}

// stopRun asks a run to end. On the loop.
func (rt *Runtime) stopRun(key workKey, cause error, deadline time.Time) {
	it := rt.loop.items[key]
	if it == nil || it.phase != phaseRunning {
		return
	}
	it.phase = phaseStopping
	it.run.stop(cause, deadline)
}

// runEnded hears of the end of a run. On the loop.
func (rt *Runtime) runEnded(r *run, err error) {
	it := rt.loop.items[r.key]
	if it == nil || it.run != r {
		return // it was abandoned
	}
	r.stopTimers()
	defer rt.runs.Done()
	defer close(r.gone)
	if rt.loop.fold.Connector(r.key.Connector) == nil {
		defer rt.tail.forget(r.key.Connector) // what its end had to say
	}
	if it.phase == phaseStopping {
		delete(rt.loop.items, r.key)
		rt.ranToStop(r, err)
		rt.reconcile(r.key)
		return
	}
	it.phase = phaseEnded
	rt.ranToFailure(r, err)
	rt.reconcile(r.key)
}

// runAbandoned gives up a run that does not end. On the loop.
func (rt *Runtime) runAbandoned(r *run) {
	it := rt.loop.items[r.key]
	if it == nil || it.run != r {
		return
	}
	delete(rt.loop.items, r.key)
	rt.log.Error("a plugin does not stop and is left to itself; its goroutine stays", "run", runName(r.key))
	r.endLife(errGraceOver)
	rt.unassigned(r)
	close(r.gone)
	rt.runs.Done()
	rt.reconcile(r.key)
}
