package assign_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/assign"
)

const maxDelay = 5 * time.Minute

// group plays a group of workers that do what they are told: a model of the
// protocol around an assignor. Each round is checked for what must hold in any.
type group struct {
	t          testing.TB
	leader     *assign.Cooperative
	now        time.Time
	owned      map[string]cluster.Work
	configured cluster.Work
	generation int32
	completed  int32
	result     assign.Result
}

// newGroup has workers without work, and connectors named c0, c1, ... of equal
// numbers of tasks.
func newGroup(t testing.TB, connectors, tasks int, workers ...string) *group {
	g := &group{
		t: t, now: time.Unix(1_700_000_000, 0), owned: map[string]cluster.Work{},
		leader: &assign.Cooperative{MaxDelay: maxDelay}, completed: -1,
	}
	g.configure(connectors, tasks)
	g.join(workers...)
	return g
}

func (g *group) configure(connectors, tasks int) {
	g.configured = cluster.Work{}
	for c := range connectors {
		g.configured = g.configured.Plus(connector(fmt.Sprintf("c%d", c), tasks))
	}
}

// connector returns a connector with tasks 0 to n-1.
func connector(name string, n int) cluster.Work {
	work := cluster.Work{Connectors: []string{name}}
	for i := range n {
		work.Tasks = append(work.Tasks, cluster.TaskID{Connector: name, Task: i})
	}
	return work
}

func (g *group) join(workers ...string) {
	for _, w := range workers {
		g.owned[w] = cluster.Work{}
	}
}

func (g *group) leave(worker string) { delete(g.owned, worker) }

// newLeader replaces the assignor by one that knows nothing.
func (g *group) newLeader() { g.leader, g.completed = &assign.Cooperative{MaxDelay: maxDelay}, -1 }

func (g *group) wait(d time.Duration) { g.now = g.now.Add(d) }

// compute asks for an answer that does not reach the workers.
func (g *group) compute() {
	g.t.Helper()
	g.generation++
	question := assign.Round{Now: g.now, Generation: g.generation, LastCompleted: g.completed, Configured: g.configured}
	for _, id := range slices.Sorted(maps.Keys(g.owned)) {
		question.Members = append(question.Members, assign.Member{ID: id, Owned: g.owned[id]})
	}
	g.result = g.leader.Assign(question)
	g.check()
}

// round asks for an answer and lets all workers follow it.
func (g *group) round() {
	g.t.Helper()
	g.compute()
	g.completed = g.generation
	for id, share := range g.result.Shares {
		g.owned[id] = share.Owned
	}
}

// check holds an answer to what no answer may break.
func (g *group) check() {
	g.t.Helper()
	require.ElementsMatch(g.t, slices.Collect(maps.Keys(g.owned)), slices.Collect(maps.Keys(g.result.Shares)), "a share for each member")
	var running, given cluster.Work
	for _, work := range g.owned {
		running = running.Plus(work)
	}
	for id, share := range g.result.Shares {
		owned := g.owned[id]
		require.Equal(g.t, owned.Minus(share.Revoked).Plus(share.Assigned), share.Owned.Sorted(), "%s: what it had, without and with", id)
		require.Empty(g.t, share.Revoked.Minus(owned), "%s: revoked, but not owned", id)
		require.Empty(g.t, share.Owned.Minus(g.configured), "%s: not configured", id)
		require.Equal(g.t, share.Assigned.Size(), share.Assigned.Minus(running).Size(), "%s: given while it runs somewhere", id)
		require.Equal(g.t, share.Owned.Size(), share.Owned.Minus(given).Size(), "%s: given twice", id)
		given = given.Plus(share.Owned)
	}
	require.Zero(g.t, g.result.Delay%time.Millisecond)
	require.GreaterOrEqual(g.t, g.result.Delay, time.Duration(0))
	require.LessOrEqual(g.t, g.result.Delay, g.leader.MaxDelay)
}

// expect plays a round and compares how many connectors and tasks were assigned
// and revoked, like "+2/8 -0/0".
func (g *group) expect(want string, delay time.Duration, why string) {
	g.t.Helper()
	g.round()
	g.assertAnswer(want, delay, why)
}

func (g *group) assertAnswer(want string, delay time.Duration, why string) {
	g.t.Helper()
	var assigned, revoked cluster.Work
	for _, share := range g.result.Shares {
		assigned, revoked = assigned.Plus(share.Assigned), revoked.Plus(share.Revoked)
	}
	got := fmt.Sprintf("+%d/%d -%d/%d", len(assigned.Connectors), len(assigned.Tasks), len(revoked.Connectors), len(revoked.Tasks))
	assert.Equal(g.t, want, got, why)
	assert.Equal(g.t, delay, g.result.Delay, why)
}

// assertEven holds the group to a stable state: all runs, and no worker has two
// connectors or two tasks more than another.
func (g *group) assertEven() {
	g.t.Helper()
	var all cluster.Work
	var connectors, tasks []int
	for _, work := range g.owned {
		all = all.Plus(work)
		connectors, tasks = append(connectors, len(work.Connectors)), append(tasks, len(work.Tasks))
	}
	assert.Equal(g.t, g.configured.Sorted(), all)
	assert.LessOrEqual(g.t, slices.Max(connectors)-slices.Min(connectors), 1, "connectors per worker: %v", connectors)
	assert.LessOrEqual(g.t, slices.Max(tasks)-slices.Min(tasks), 1, "tasks per worker: %v", tasks)
}
