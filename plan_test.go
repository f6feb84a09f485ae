package connect

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
)

func TestPlan(t *testing.T) {
	conn := workKey{Connector: "c", Task: instanceOf}
	task := workKey{Connector: "c", Task: 0}
	started := want{revision: 1, target: cluster.TargetStarted}
	paused := want{revision: 1, target: cluster.TargetPaused}
	stopped := want{revision: 1, target: cluster.TargetStopped}
	newer := want{revision: 2, target: cluster.TargetStarted}
	again := want{revision: 1, restart: 1, target: cluster.TargetStarted}

	tests := []struct {
		name    string
		desired map[workKey]want
		running map[workKey]have
		want    []action
	}{
		{name: "nothing"},
		{"new", map[workKey]want{task: started, conn: started}, nil, []action{{startRun, conn, started}, {startRun, task, started}}},
		{"as wanted", map[workKey]want{task: started}, map[workKey]have{task: {started, phaseRunning}}, nil},
		{"not wanted", nil, map[workKey]have{task: {started, phaseRunning}}, []action{{stopRun, task, want{}}}},
		{"not wanted, stopping", nil, map[workKey]have{task: {started, phaseStopping}}, nil},
		{"not wanted, failed", nil, map[workKey]have{task: {started, phaseEnded}}, []action{{forgetRun, task, want{}}}},
		{"newer", map[workKey]want{task: newer}, map[workKey]have{task: {started, phaseRunning}}, []action{{stopRun, task, newer}}},
		{"newer, stopping", map[workKey]want{task: newer}, map[workKey]have{task: {started, phaseStopping}}, nil},
		{"newer, failed", map[workKey]want{task: newer}, map[workKey]have{task: {started, phaseEnded}}, []action{{startRun, task, newer}}},
		{"restart", map[workKey]want{task: again}, map[workKey]have{task: {started, phaseRunning}}, []action{{stopRun, task, again}}},
		{"restart, failed", map[workKey]want{task: again}, map[workKey]have{task: {started, phaseEnded}}, []action{{startRun, task, again}}},
		{"failed stays", map[workKey]want{task: started}, map[workKey]have{task: {started, phaseEnded}}, nil},
		{"failed task stays when paused", map[workKey]want{task: paused}, map[workKey]have{task: {started, phaseEnded}}, nil},
		{"failed connector can be stopped", map[workKey]want{conn: stopped}, map[workKey]have{conn: {started, phaseEnded}}, []action{{startRun, conn, stopped}}},
		{"pause", map[workKey]want{task: paused}, map[workKey]have{task: {started, phaseRunning}}, []action{{retargetRun, task, paused}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, plan(tt.desired, tt.running))
		})
	}
}

// TestPlanConverges lets random wishes change while a model carries out plans
// in any order: what runs must become what is wanted, with no action for a key
// that has one open, and never a second run of a key.
func TestPlanConverges(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		desired := map[workKey]want{}
		running := map[workKey]have{}
		carryOut := func() (acted bool) {
			seen := map[workKey]bool{}
			for _, a := range plan(desired, running) {
				require.False(t, seen[a.key], "two actions for %v", a.key)
				seen[a.key], acted = true, true
				h, exists := running[a.key]
				require.NotEqual(t, phaseStopping, h.phase, "an action for what is stopping")
				switch a.kind {
				case startRun:
					require.True(t, !exists || h.phase == phaseEnded, "second run of %v", a.key)
					running[a.key] = have{a.want, phaseRunning}
				case stopRun:
					h.phase = phaseStopping
					running[a.key] = h
				case retargetRun:
					h.target = a.want.target
					running[a.key] = h
				case forgetRun:
					delete(running, a.key)
				}
			}
			return acted
		}
		settle := func() {
			for key, h := range maps.Clone(running) {
				switch {
				case h.phase == phaseStopping && rnd.IntN(2) == 0:
					delete(running, key)
				case h.phase == phaseRunning && rnd.IntN(20) == 0:
					h.phase = phaseEnded
					running[key] = h
				}
			}
		}
		for range 60 {
			key := workKey{Connector: string(rune('a' + rnd.IntN(3))), Task: rnd.IntN(3) - 1}
			if rnd.IntN(3) == 0 {
				delete(desired, key)
			} else {
				targets := []cluster.TargetState{cluster.TargetStarted, cluster.TargetPaused}
				desired[key] = want{rnd.Int64N(3), rnd.IntN(2), targets[rnd.IntN(2)]}
			}
			carryOut()
			settle()
		}
		for range 100 { // now nothing fails and every stop comes to an end
			for key, h := range maps.Clone(running) {
				if h.phase == phaseStopping {
					delete(running, key)
				}
			}
			if !carryOut() {
				break
			}
		}
		for key, h := range running {
			if h.phase == phaseRunning {
				require.Equal(t, desired[key], h.want)
			}
		}
		for _, key := range slices.Collect(maps.Keys(desired)) {
			require.Contains(t, running, key)
		}
	}
}
