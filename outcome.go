package connect

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/streamlane/connect/cluster"
)

// publish publishes the state of a run that is still known to the loop: a run
// that was abandoned, or lost, has nothing to say any more. It does not wait.
func (rt *Runtime) publish(r *run, s cluster.Status) {
	rt.post(func() {
		if it := rt.loop.items[r.key]; it != nil && it.run == r && it.phase == phaseRunning {
			r.began = r.began || s.State == cluster.Running
			s.Version = r.version
			if r.began && r.key.Task != instanceOf {
				s.State = taskState(r.target) // news of a pause or its end may have been overtaken
			}
			rt.putStatus(r, s)
		}
	})
}

// taskState is what a task that has started is, by what is wanted of it.
func taskState(t cluster.TargetState) cluster.State {
	if t == cluster.TargetPaused {
		return cluster.Paused
	}
	return cluster.Running
}

// putStatus publishes a state in the present generation. What is configured no
// more has none: the leader deletes it. On the loop.
func (rt *Runtime) putStatus(r *run, s cluster.Status) {
	if !rt.loop.configured(r.key) {
		return
	}
	s.Generation = rt.loop.generation
	r.said = s
	rt.status.put(r.key, s, r.began)
}

// affirm publishes a run's state again where another worker's hides it: one that
// had the task before and was late to say so, or one that had it in between, while
// this worker did not know. On the loop.
func (rt *Runtime) affirm(key workKey) {
	it := rt.loop.items[key]
	if it == nil || it.phase == phaseStopping || it.run.said.State == "" {
		return
	}
	s := rt.status.state(key)
	hidden := s != nil && s.WorkerID != rt.worker.workerID && s.Generation < rt.loop.generation
	if s == nil && it.run.deleted < rt.loop.generation {
		// A leader of old has deleted it. The present one may do so again, if this
		// worker is behind with the config log: it is not contradicted twice.
		hidden, it.run.deleted = true, rt.loop.generation
	}
	if hidden {
		rt.putStatus(it.run, it.run.said)
	}
}

// ranToStop is the outcome of a run that was asked to stop. On the loop.
func (rt *Runtime) ranToStop(r *run, err error) {
	if err != nil && !errors.Is(err, ErrStopped) {
		rt.log.Warn("error while stopping", "run", runName(r.key), "err", rt.tail.Redact(r.key, err.Error()))
	}
	rt.unassigned(r)
}

// unassigned publishes that a run is over. A run that was lost has nothing to say,
// for another worker may have begun one. On the loop.
func (rt *Runtime) unassigned(r *run) {
	if !errors.Is(context.Cause(r.poll), ErrRevoked) {
		rt.putStatus(r, cluster.Status{State: cluster.Unassigned})
	}
}

// overheard answers to a state that another worker has published, or deleted. On
// the loop.
func (rt *Runtime) overheard(key workKey) {
	s := rt.status.state(key)
	switch {
	case rt.loop.items[key] != nil:
		rt.affirm(key)
	case s != nil && s.Generation <= rt.loop.generation && rt.lead.Get().Leadership != nil && !rt.loop.configured(key):
		rt.status.put(key, cluster.Status{State: cluster.Destroyed}, true) // it came after forgetStale
	}
}

// ranToFailure is the outcome of a run that ended by itself. On the loop.
func (rt *Runtime) ranToFailure(r *run, err error) {
	if err == nil {
		err = errors.New("the run ended by itself")
	}
	trace := rt.tail.Redact(r.key, err.Error())
	rt.log.Error("failed", "run", runName(r.key), "err", trace)
	rt.tail.failed(r.key, err)
	rt.putStatus(r, cluster.Status{State: cluster.Failed, Trace: trace, Version: r.version})
}

// runName names a run for people.
func runName(key workKey) string {
	if key.Task == instanceOf {
		return fmt.Sprintf("connector %q", key.Connector)
	}
	return fmt.Sprintf("connector %q task %s", key.Connector, strconv.Itoa(key.Task))
}
