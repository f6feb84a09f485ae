package connect

import (
	"slices"

	"github.com/streamlane/connect/cluster"
)

// instanceOf marks a workKey as a connector instance rather than a task.
const instanceOf = -1

// A workKey names what a worker runs: a task, or with Task instanceOf the
// connector instance itself.
type workKey = cluster.TaskID

// A want is what should run under a key. Another revision or restart count is
// another run.
type want struct {
	// revision of the connector's configuration, or generation of the task set.
	revision int64
	// restart counts the restarts that were asked for.
	restart int
	target  cluster.TargetState
}

func (w want) sameRun(o want) bool { return w.revision == o.revision && w.restart == o.restart }

// phase says where a run is in its life.
type phase uint8

const (
	phaseRunning phase = iota
	phaseStopping
	// phaseEnded runs are over by themselves: they failed.
	phaseEnded
)

// A have is what does run under a key.
type have struct {
	want
	phase phase
}

// actionKind says what to do about a key.
type actionKind uint8

const (
	startRun actionKind = iota
	stopRun
	retargetRun
	forgetRun
)

type action struct {
	kind actionKind
	key  workKey
	want want
}

// plan compares what should run with what does, and says what to do next. It
// leaves alone what is stopping: when that is over there is another plan. There
// is at most one action for a key; connectors come before tasks.
func plan(desired map[workKey]want, running map[workKey]have) []action {
	var actions []action
	for key, h := range running {
		if a, ok := planRunning(key, h, desired); ok {
			actions = append(actions, a)
		}
	}
	for key, w := range desired {
		if _, ok := running[key]; !ok {
			actions = append(actions, action{startRun, key, w})
		}
	}
	slices.SortFunc(actions, func(a, b action) int {
		if (a.key.Task == instanceOf) != (b.key.Task == instanceOf) {
			if a.key.Task == instanceOf {
				return -1
			}
			return 1
		}
		return cluster.CompareTaskIDs(a.key, b.key)
	})
	return actions
}

func planRunning(key workKey, h have, desired map[workKey]want) (action, bool) {
	w, wanted := desired[key]
	switch {
	case h.phase == phaseStopping:
		return action{}, false
	case !wanted && h.phase == phaseEnded:
		return action{forgetRun, key, w}, true
	case !wanted:
		return action{stopRun, key, w}, true
	case h.phase == phaseEnded:
		// A failed connector may still be stopped; anything else takes a restart.
		stopped := key.Task == instanceOf && w.target == cluster.TargetStopped && h.target != w.target
		return action{startRun, key, w}, !w.sameRun(h.want) || stopped
	case !w.sameRun(h.want):
		return action{stopRun, key, w}, true
	}
	return action{retargetRun, key, w}, w.target != h.target
}
