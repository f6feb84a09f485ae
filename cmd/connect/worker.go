package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/rest"
)

// A worker runs the connectors of a command line.
type worker struct {
	log        *slog.Logger
	options    connect.Options
	connectors []connectorFile
	// about says where the worker is at work, as pairs for the log.
	about []any
	// server answers by rest, once the Runtime is made; nil: there is none.
	server *rest.Server
	rest   *rest.Options
	levels *rest.Loggers
}

// run runs the connectors until ctx ends, stops them gracefully and returns nil.
// It returns sooner if the worker fails, or if one of the connectors does not
// start: then none is left running.
func (w *worker) run(ctx context.Context) error {
	moved := newProgress(w.log)
	begun := newFirstStates()
	w.options.Hooks = append(w.options.Hooks, moved, begun, stateLog{w.log})
	rt, err := connect.New(w.options)
	if err != nil {
		return exitWith(exitWorker, err)
	}
	w.attach(rt)
	if err := w.validate(ctx, rt); err != nil {
		return exitWith(exitConnector, err)
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var owned sync.WaitGroup
	var failed error
	owned.Go(func() {
		defer stop()
		failed = rt.Run(running)
	})
	owned.Go(func() { moved.run(running, reportEvery) })
	err = w.create(running, rt, begun)
	if err == nil && running.Err() == nil {
		w.log.Info("connect is running", append([]any{"connectors", len(w.connectors)}, w.about...)...)
		<-running.Done()
	}
	switch {
	case ctx.Err() != nil:
		w.log.Info("stopping and committing offsets", "why", context.Cause(ctx))
		err = nil // what was cut short by the end is no failure
	case running.Err() != nil:
		err = nil // what was cut short by the worker's failure is told by that
	}
	stop()
	owned.Wait()
	moved.sum()
	if failed != nil {
		err = failed
	}
	if err == nil {
		w.log.Info("stopped")
	}
	return exitWith(exitConnector, err)
}

// attach has the REST server answer for the Runtime.
func (w *worker) attach(rt *connect.Runtime) {
	if w.server == nil {
		return
	}
	w.rest.Version = version()
	w.rest.Loggers = w.levels
	if w.options.Coordinator != nil {
		w.rest.Internal = rest.NewInternal(rt)
		w.rest.SetClusterLevel = rt.SetClusterLevel
	}
	w.server.Attach(rt, w.rest)
}

// validate finds what is wrong with any of the connectors before one starts.
func (w *worker) validate(ctx context.Context, rt *connect.Runtime) error {
	var wrong problems
	for _, c := range w.connectors {
		// What their systems say is for the tasks to find out, and to wait for: a worker starts without them.
		result, err := rt.Validate(config.Probing(ctx, false), c.props)
		if err != nil {
			wrong.add(fmt.Errorf("%s: connector %q: %w", c.path, c.name, err))
			continue
		}
		for _, v := range result.Configs {
			for _, text := range v.Value.Errors {
				wrong.add(fmt.Errorf("%s: connector %q: %s: %s", c.path, c.name, v.Value.Name, text))
			}
		}
	}
	return wrong.orNil()
}

// create creates the connectors, one after the other, and waits for each to
// start. Like Java's worker it goes no further than the first that does not.
func (w *worker) create(ctx context.Context, rt *connect.Runtime, begun *firstStates) error {
	for _, c := range w.connectors {
		state := begun.expect(c.name)
		if err := rt.CreateConnector(config.Probing(ctx, false), c.name, c.props, c.target); err != nil {
			return fmt.Errorf("%s: %w", c.path, err)
		}
		select {
		case s := <-state:
			if s.State == cluster.Failed {
				return fmt.Errorf("%s: connector %q did not start: %s", c.path, c.name, s.Trace)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// firstStates is a hook that tells which state connectors begin in.
type firstStates struct {
	mu      sync.Mutex
	waiting map[string]chan<- cluster.Status
}

func newFirstStates() *firstStates {
	return &firstStates{waiting: make(map[string]chan<- cluster.Status)}
}

// expect returns a channel that gets the first state of a connector instance.
func (f *firstStates) expect(connector string) <-chan cluster.Status {
	c := make(chan cluster.Status, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting[connector] = c
	return c
}

// OnState takes note of the state.
func (f *firstStates) OnState(e *connect.StateEvent) {
	switch e.Status.State {
	case cluster.Running, cluster.Paused, cluster.Stopped, cluster.Failed:
	default:
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.waiting[e.Connector]; c != nil && e.Task < 0 {
		c <- e.Status
		delete(f.waiting, e.Connector)
	}
}
