package connecttest

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// Name is the name of the connector that a harness runs.
const Name = "harness"

// runner keeps one connector running on a real Runtime, over stores that
// outlive the Runtime.
type runner struct {
	*watch
	t     testing.TB
	opts  connect.Options
	props config.Props

	rt     *connect.Runtime
	cancel context.CancelFunc
	ran    chan error

	// guarded by watch
	failed map[int]string // trace by task; -1: the connector
	polled int            // records that sink tasks polled in batches that Put took
	lives  int            // counts Runtimes

	ending func(bool) // told before and after the end; nil: nobody cares
}

// newRunner fills in what the harnesses have in common and starts the connector.
func newRunner(t testing.TB, plugin connect.Plugin, props config.Props, o connect.Options) *runner {
	t.Helper()
	r := &runner{watch: newWatch(), t: t, opts: o}
	r.props = config.Props{"connector.class": plugin.Info().Class, "tasks.max": "1"}.Merge(props)
	r.opts.Plugins = append([]connect.Plugin{plugin}, o.Plugins...)
	r.opts.Configs, r.opts.Status = connect.NewMemoryLog(), connect.NewMemoryLog()
	r.opts.Hooks = []connect.Hook{r}
	r.opts.Worker = config.Props{"offset.flush.interval.ms": "20"}.Merge(o.Worker)
	return r
}

// begin runs the Runtime and, for the first time, creates the connector.
func (r *runner) begin() {
	r.t.Helper()
	rt, err := connect.New(r.opts)
	require.NoError(r.t, err, "New")
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	r.rt, r.cancel, r.ran = rt, cancel, make(chan error, 1)
	first := false
	r.update(func() {
		r.lives++
		first = r.lives == 1
		r.failed = make(map[int]string)
	})
	ran := r.ran
	go func() { ran <- rt.Run(ctx) }()
	if first {
		r.t.Cleanup(r.end)
		_, err := rt.PutConnector(bounded(r.t), Name, r.props)
		require.NoError(r.t, err, "PutConnector")
	}
}

// end stops the Runtime gracefully and waits for it.
func (r *runner) end() {
	if r.cancel == nil {
		return
	}
	r.cancel()
	if r.ending != nil {
		r.ending(true)
		defer r.ending(false)
	}
	if err := <-r.ran; err != nil {
		r.t.Errorf("Run: %v", err)
	}
	r.cancel = nil
}

// OnState notes failures and recoveries.
func (r *runner) OnState(e *connect.StateEvent) {
	r.update(func() {
		if e.Status.State == cluster.Failed {
			r.failed[e.Task] = e.Status.Trace
		} else {
			delete(r.failed, e.Task)
		}
	})
}

// OnBatch counts what sinks took.
func (r *runner) OnBatch(e *connect.BatchEvent) {
	if e.Sink {
		r.update(func() { r.polled += e.Polled })
	}
}

// OnCommit wakes those who wait for a commit.
func (r *runner) OnCommit(*connect.CommitEvent) { r.update(func() {}) }

// failure returns the trace of what has failed. It is called under the watch.
func (r *runner) failure() (trace string, ok bool) {
	for task, trace := range r.failed {
		if task < 0 {
			return "the connector has failed: " + trace, true
		}
		return fmt.Sprintf("task %d has failed: %s", task, trace), true
	}
	return "", false
}

// awaitOrFail waits for the condition; a failed task fails the test at once.
func (r *runner) awaitOrFail(what string, condition func() bool) {
	r.t.Helper()
	trace, failed := "", false
	held := r.wait(bounded(r.t), func() bool {
		if condition() {
			failed = false
			return true
		}
		trace, failed = r.failure()
		return failed
	})
	switch {
	case failed:
		require.Fail(r.t, "waited for "+what+" in vain", trace)
	case !held:
		require.Fail(r.t, "waited for "+what+" in vain")
	}
}

// awaitFailure waits until something has failed and returns its trace.
func (r *runner) awaitFailure() (trace string) {
	r.t.Helper()
	r.await(r.t, "a failure", func() bool {
		var failed bool
		trace, failed = r.failure()
		return failed
	})
	return trace
}

// status returns the published state.
func (r *runner) status() connect.ConnectorStatus {
	r.t.Helper()
	s, err := r.rt.Status(bounded(r.t), Name)
	require.NoError(r.t, err, "Status")
	s.Tasks = maps.Clone(s.Tasks)
	return s
}
