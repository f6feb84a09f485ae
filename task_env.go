package connect

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/metric"
)

// A taskEnv is all that a pipeline needs to run one task. It is built by the
// Runtime for one run, and closed after it.
type taskEnv struct {
	id    cluster.TaskID
	log   *slog.Logger
	hooks *hookSet

	plugin Plugin
	// props configure the task, connector the connector; placeholders are
	// resolved in both.
	props, connector config.Props

	key, value Converter
	header     HeaderConverter
	// names of the converter classes, for errors
	keyClass, valueClass, headerClass string
	chain                             *chain
	errs                              *errorHandler
	letters                           *letterBox            // nil: there are no dead letters
	sourceLetters                     *sourceLetterReporter // the same box, of a source

	broker  Broker
	offsets *offsetAccess // source tasks
	timing  taskTiming
	gate    *pauseGate
	// running is called once Start succeeded; paused and resumed when the
	// pipeline has taken note of the gate. They publish the state.
	running, paused func(context.Context)
	// topics notes the topics in use; nil: nobody wants to know.
	topics  *topicNotes
	metrics metric.Set // the task's own
}

// taskTiming holds the worker's settings for tasks.
type taskTiming struct {
	// flushInterval is offset.flush.interval.ms, flushTimeout
	// offset.flush.timeout.ms.
	flushInterval, flushTimeout time.Duration
}

// A pipeline runs one task from Start to Stop.
type pipeline interface {
	// run returns nil after a clean end, which c.poll ending brings about.
	run(c taskContexts) error
}

// taskContexts are the three lives of a task (architecture: ownership).
type taskContexts struct {
	// poll ends at once on stop, with the reason as its cause.
	poll context.Context
	// grace ends when the graceful time-out after a stop has run out.
	grace context.Context
	// life is what Start gets. The pipeline's caller ends it after Stop.
	life context.Context
}

// close releases the plugins of the environment, and a store of its own.
func (e *taskEnv) close(ctx context.Context) error {
	err := errors.Join(e.chain.close(), closePlugin(e.key), closePlugin(e.value), closePlugin(e.header))
	if e.offsets != nil {
		err = errors.Join(err, e.offsets.close(ctx))
	}
	return err
}

// A pauseGate tells a pipeline whether it is paused. It is safe for concurrent
// use.
type pauseGate struct {
	mu      sync.Mutex
	closed  bool
	changed chan struct{} // closed and replaced at each change
	notify  func()        // called after each change
}

func newPauseGate(paused bool) *pauseGate {
	return &pauseGate{closed: paused, changed: make(chan struct{})}
}

// set pauses or resumes.
func (g *pauseGate) set(paused bool) {
	if notify := g.turn(paused); notify != nil {
		notify()
	}
}

// turn returns whom to tell of a change; nil: nobody, or there was none.
func (g *pauseGate) turn(paused bool) (notify func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == paused {
		return nil
	}
	g.closed = paused
	close(g.changed)
	g.changed = make(chan struct{})
	return g.notify
}

// onChange has f called after each change from now on, until another one takes its
// place; nil: none. f must not block. It may still be called when another one has
// taken its place.
func (g *pauseGate) onChange(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notify = f
}

// state returns whether the task is paused now, and a channel that is closed at
// the next change.
func (g *pauseGate) state() (paused bool, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed, g.changed
}

// wait returns when the task is not paused; its error is why ctx ended.
func (g *pauseGate) wait(ctx context.Context) error {
	for {
		paused, changed := g.state()
		if !paused {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
