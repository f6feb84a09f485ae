package connect

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/latest"
)

// abandonAfter is how long a run may take to unwind once its grace is over. A
// plugin that ignores its contexts longer than that is left to itself.
const abandonAfter = time.Second

// A run is one life of a connector instance or a task: from start to end, on a
// goroutine of its own. The Runtime's loop starts, retargets and stops it.
type run struct {
	rt  *Runtime
	key workKey
	want

	taskContexts
	endPoll, endGrace, endLife context.CancelCauseFunc

	gate    *pauseGate                        // tasks: paused or not
	targets latest.Value[cluster.TargetState] // connectors: what is wanted
	// reconfigure asks a connector for its task configurations again.
	reconfigure chan struct{}
	gone        chan struct{}                   // closed when the run is over, or abandoned
	began       bool                            // it was RUNNING; owned by the loop
	said        cluster.Status                  // what was published last; owned by the loop
	deleted     int32                           // generation in which that was found deleted; owned by the loop
	version     string                          // of the plugin, as far as it is known; owned by the loop
	timers      []*time.Timer                   // of a stop; owned by the loop
	work        func(ctx context.Context) error // set by newTaskRun, newConnectorRun
}

var (
	errStopRequested = fmt.Errorf("%w: a stop was asked for", ErrStopped)
	errGraceOver     = fmt.Errorf("%w: task.shutdown.graceful.timeout.ms has run out", ErrStopped)
)

// newRun prepares a run. Its contexts hang on none that a caller passes: a run
// ends when the loop says so.
func newRun(rt *Runtime, key workKey, w want) *run {
	r := &run{rt: rt, key: key, want: w, gone: make(chan struct{})}
	r.targets = latest.Of(w.target)
	r.gate = newPauseGate(w.target == cluster.TargetPaused)
	r.life, r.endLife = context.WithCancelCause(context.Background())
	r.grace, r.endGrace = context.WithCancelCause(r.life)
	r.poll, r.endPoll = context.WithCancelCause(r.grace)
	return r
}

// main is the run's goroutine. Its outcome goes to the loop.
func (r *run) main() {
	err := errors.New("the plugin ended its goroutine") // unless work returns
	defer func() {
		r.endLife(errStopRequested)
		r.rt.post(func() { r.rt.runEnded(r, err) })
	}()
	err = guard(func() error { return r.work(r.poll) })
}

// guard turns a panic of f into a PanicError.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// retarget tells the run that another target state is wanted. Called by the
// loop.
func (r *run) retarget(t cluster.TargetState) {
	r.target = t
	if r.began && r.key.Task != instanceOf && t != cluster.TargetStopped {
		// A source may be in Poll for long; what it returns is held back meanwhile.
		r.rt.putStatus(r, cluster.Status{State: taskState(t), Version: r.version})
	}
	r.gate.set(t == cluster.TargetPaused)
	r.targets.Set(t)
}

// stop asks the run to end: its polling at once, the rest by the deadline. A
// run that is not over a moment after that is abandoned. Called by the loop.
func (r *run) stop(cause error, deadline time.Time) {
	r.endPoll(cause)
	grace := time.Until(deadline)
	r.timers = append(r.timers,
		time.AfterFunc(grace, func() { r.endGrace(errGraceOver) }),
		time.AfterFunc(grace+abandonAfter, func() { r.rt.post(func() { r.rt.runAbandoned(r) }) }))
}

func (r *run) stopTimers() {
	for _, t := range r.timers {
		t.Stop()
	}
}

// newTaskRun makes the run of a task.
func newTaskRun(rt *Runtime, key workKey, w want, c *cluster.Connector) *run {
	r := newRun(rt, key, w)
	r.work = func(ctx context.Context) error { return r.task(ctx, c) }
	return r
}

// task is the life of a task: wait while paused, build, run the pipeline.
func (r *run) task(ctx context.Context, c *cluster.Connector) error {
	if paused, _ := r.gate.state(); paused {
		r.rt.publish(r, cluster.Status{State: cluster.Paused})
		if r.gate.wait(ctx) != nil {
			return nil
		}
	}
	env, p, err := r.rt.buildTask(ctx, r, c)
	if err != nil {
		return fmt.Errorf("connector %q task %d: %w", r.key.Connector, r.key.Task, err)
	}
	metrics := MetricsEvent{Task: env.id, Class: env.plugin.info.Class, Set: &env.metrics}
	r.rt.hooks.onMetrics(&metrics)
	err = guard(func() error { return env.run(r.taskContexts, p) })
	metrics.Ended = true
	r.rt.hooks.onMetrics(&metrics)
	if closeErr := env.close(ctx); closeErr != nil {
		env.log.WarnContext(ctx, "closing the task's plugins", "err", closeErr)
	}
	return err
}

// stageError names connector and task; see errorHandler.
func (e *taskEnv) stageError(stage Stage, err error) error {
	return e.errs.stageError(failure{stage: stage, plugin: e.plugin.info.Class, err: err})
}
