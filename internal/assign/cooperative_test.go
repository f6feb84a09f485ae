package assign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/assign"
)

// The scenarios of Java's IncrementalCooperativeAssignorTest, in our words. The
// numbers are connectors/tasks.

func TestWorkerJoins(t *testing.T) {
	g := newGroup(t, 2, 4, "w1")
	g.expect("+2/8 -0/0", 0, "one worker gets all")
	g.join("w2")
	g.expect("+0/0 -1/4", 0, "half is revoked for the second")
	g.expect("+1/4 -0/0", 0, "and given to it")
	g.expect("+0/0 -0/0", 0, "nothing more to do")
	g.assertEven()
}

// A leader that revoked in the round before waits a moment, so that workers
// which start one by one do not cause a revocation each.
func TestWorkersJoinWhileRevocationsGoOn(t *testing.T) {
	g := newGroup(t, 2, 4, "w1")
	g.expect("+2/8 -0/0", 0, "one worker gets all")
	g.join("w2")
	g.expect("+0/0 -1/4", 0, "half is revoked for the second")
	g.join("w3")
	g.expect("+1/4 -0/0", 40*time.Millisecond, "what was revoked is given, but no more revoked")
	assert.Equal(t, 2, len(g.owned["w2"].Tasks))
	assert.Equal(t, 2, len(g.owned["w3"].Tasks))
	g.wait(40 * time.Millisecond)
	g.expect("+0/0 -0/1", 0, "now the first gives up one more")
	g.expect("+0/1 -0/0", 0, "")
	g.assertEven()
}

func TestRevocationsInARowWithoutDelay(t *testing.T) {
	g := newGroup(t, 2, 4, "w1")
	g.leader.MaxDelay = 0
	g.expect("+2/8 -0/0", 0, "one worker gets all")
	g.join("w2")
	g.expect("+0/0 -1/4", 0, "half is revoked for the second")
	g.join("w3")
	g.expect("+1/4 -0/1", 0, "given and revoked at once")
	g.join("w4")
	g.expect("+0/1 -0/1", 0, "once more")
	g.expect("+0/1 -0/0", 0, "")
	g.expect("+0/0 -0/0", 0, "")
	g.assertEven()
}

func TestDelayBetweenRevocationsGrows(t *testing.T) {
	g := newGroup(t, 0, 0, "w0")
	g.configure(1, 1000)
	g.expect("+1/1000 -0/0", 0, "")
	g.join("w1")
	g.round()
	for i, delay := range []time.Duration{40 * time.Millisecond, 1600 * time.Millisecond, 64 * time.Second, maxDelay, maxDelay} {
		g.join("a" + string(rune('0'+i)))
		g.round()
		assert.Equal(t, delay, g.result.Delay, "the next worker, right after a revocation")
		g.wait(delay)
		g.join("b" + string(rune('0'+i)))
		g.round()
		assert.Zero(t, g.result.Delay, "the time is over: revoked once more")
	}
	g.round()
	g.round()
	assert.Zero(t, g.result.Delay)
	g.assertEven()
	g.join("c")
	g.round()
	g.join("d")
	g.round()
	assert.Equal(t, 40*time.Millisecond, g.result.Delay, "an even load begins it anew")
}

// A delay that waits for revocations ends early when a round comes before it is
// over: the leader has not revoked in the round before that.
func TestRoundWithinTheDelayBetweenRevocations(t *testing.T) {
	g := newGroup(t, 2, 4, "w1")
	g.round()
	g.join("w2")
	g.round()
	g.join("w3")
	g.expect("+1/4 -0/0", 40*time.Millisecond, "")
	g.wait(10 * time.Millisecond)
	g.expect("+0/0 -0/0", 30*time.Millisecond, "the rest of the delay")
	g.wait(10 * time.Millisecond)
	g.expect("+0/0 -0/1", 0, "")
	g.expect("+0/1 -0/0", 0, "")
	g.assertEven()
}

func TestWorkerJoinsWithinTheDelay(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.expect("+2/8 -0/0", 0, "")
	g.leave("w2")
	g.expect("+0/0 -0/0", maxDelay, "the work of w2 is missing")
	g.wait(maxDelay / 2)
	g.join("w3")
	g.expect("+0/0 -0/0", maxDelay/2, "a new worker, but no revocation while the delay is running")
	g.wait(maxDelay / 2)
	g.expect("+1/4 -0/0", 0, "it gets what was lost")
	assert.Equal(t, 5, g.owned["w3"].Size())
	g.expect("+0/0 -0/0", 0, "")
	g.assertEven()
}

func TestWorkerLeavesForGood(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.expect("+2/8 -0/0", 0, "")
	g.leave("w2")
	g.expect("+0/0 -0/0", maxDelay, "its work waits")
	g.wait(maxDelay / 2)
	g.expect("+0/0 -0/0", maxDelay/2, "a round in between")
	g.wait(maxDelay/2 + time.Millisecond)
	g.expect("+1/4 -0/0", 0, "the time is over")
	g.assertEven()
}

func TestWorkerBounces(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.expect("+2/8 -0/0", 0, "")
	had := g.owned["w2"].Sorted()
	g.leave("w2")
	g.expect("+0/0 -0/0", maxDelay, "its work waits")
	g.wait(maxDelay / 2)
	g.expect("+0/0 -0/0", maxDelay/2, "")
	g.wait(maxDelay / 4)
	g.join("w2'")
	g.expect("+0/0 -0/0", maxDelay/4, "it is back under another id, too early")
	g.wait(maxDelay / 4)
	g.expect("+1/4 -0/0", 0, "")
	assert.Equal(t, had, g.owned["w2'"].Sorted(), "it gets back what it had")
}

func TestLeaderLeaves(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2", "w3")
	g.expect("+2/8 -0/0", 0, "")
	g.leave("w1")
	g.newLeader()
	g.expect("+1/3 -0/0", 0, "the new leader knows of no loss, so nothing waits")
	g.expect("+0/0 -0/0", 0, "")
	g.assertEven()
}

func TestLeaderBounces(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2", "w3")
	g.expect("+2/8 -0/0", 0, "")
	g.leave("w1")
	g.newLeader()
	g.expect("+1/3 -0/0", 0, "the new leader knows of no loss")
	g.join("w1'")
	g.expect("+0/0 -0/2", 0, "the old one is a new worker")
	g.expect("+0/2 -0/0", 0, "")
	g.assertEven()
}

func TestFirstAnswerGetsLost(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.compute()
	g.assertAnswer("+2/8 -0/0", 0, "")
	g.completed = g.generation // the leader has its own share, but reports nothing running
	g.expect("+2/8 -0/0", 0, "nobody left, so the same is given again without a delay")
	g.assertEven()
}

func TestLaterAnswerGetsLost(t *testing.T) {
	for _, c := range []struct {
		name      string
		completed int32 // generations after the first that the leader takes for done
	}{{"within the assignor", 1}, {"outside the assignor", 0}} {
		t.Run(c.name, func(t *testing.T) {
			g := newGroup(t, 2, 4, "w1", "w2")
			g.expect("+2/8 -0/0", 0, "")
			g.join("w3")
			g.compute()
			g.assertAnswer("+0/0 -0/2", 0, "a third worker needs some")
			g.completed += c.completed
			// The answer that got lost was a revocation too, so this one waits.
			g.expect("+0/0 -0/0", 40*time.Millisecond, "the workers report what they had")
			g.wait(40 * time.Millisecond)
			g.expect("+0/0 -0/2", 0, "the revocation is repeated")
			g.expect("+0/2 -0/0", 0, "")
			g.assertEven()
		})
	}
}

// Another worker has led in between: what this one remembers is of no use, and
// what nobody runs is new to it.
func TestLeaderForgetsWhatAnotherMayHaveChanged(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.expect("+2/8 -0/0", 0, "")
	g.leave("w2")
	g.generation, g.completed = 8, 7
	g.expect("+1/4 -0/0", 0, "no delay")
	g.assertEven()
}

// Workers that still report what was revoked from them show that the memory of
// the leader is wrong. It begins anew with what they report, so that work which
// it knew as lost is new.
func TestRevocationGetsLostWhileWorkIsMissing(t *testing.T) {
	g := newGroup(t, 3, 2, "w1", "w2", "w3")
	g.expect("+3/6 -0/0", 0, "")
	g.leave("w3")
	g.expect("+0/0 -0/0", maxDelay, "c2, a task of it and one of c1 are missing")
	g.configure(2, 2)
	g.compute()
	g.assertAnswer("+0/0 -0/1", maxDelay, "c2 is deleted, a task of it revoked")
	g.completed = g.generation
	g.expect("+0/1 -0/1", 0, "revoked again")
	g.expect("+0/0 -0/0", 0, "")
	g.assertEven()
}

func TestConnectorsAreDeleted(t *testing.T) {
	g := newGroup(t, 3, 4, "w1", "w2")
	g.expect("+3/12 -0/0", 0, "")
	g.configure(2, 4)
	g.expect("+0/0 -1/4", 0, "all of one connector")
	g.expect("+0/0 -0/0", 0, "the rest is even")
	g.assertEven()
}

func TestTasksBecomeFewer(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.expect("+2/8 -0/0", 0, "")
	g.configure(2, 3)
	g.expect("+0/0 -0/3", 0, "both are of w2, so w1 has to give up one")
	g.expect("+0/1 -0/0", 0, "")
	g.assertEven()
}

// Work that was lost and is deleted while it waits, ends the delay: nothing is
// missing any more.
func TestLostConnectorIsDeleted(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.expect("+2/8 -0/0", 0, "")
	lost := g.owned["w2"]
	g.leave("w2")
	g.expect("+0/0 -0/0", maxDelay, "")
	g.configured = g.configured.Minus(lost)
	g.expect("+0/0 -0/0", 0, "")
	assert.Equal(t, g.configured, g.owned["w1"].Sorted())
}

func TestNewLeaderRevokesWhatNobodyConfigured(t *testing.T) {
	g := newGroup(t, 3, 4, "w1", "w2")
	g.expect("+3/12 -0/0", 0, "")
	g.configure(2, 4)
	g.newLeader()
	g.expect("+0/0 -1/4", 0, "although this leader has never seen the third connector")
	g.assertEven()
}

// work makes some of the connectors k00 to k99 with as many tasks of one connector.
func work(from, n int) cluster.Work {
	var w cluster.Work
	for i := from; i < from+n; i++ {
		w.Connectors = append(w.Connectors, "k"+string(rune('0'+i/10))+string(rune('0'+i%10)))
		w.Tasks = append(w.Tasks, cluster.TaskID{Connector: "t", Task: i})
	}
	return w
}

func TestNewWorkIsDealtEvenly(t *testing.T) {
	g := newGroup(t, 0, 0)
	for i, w := range []string{"w0", "w1", "w2"} {
		g.owned[w] = work(2*i, 2)
	}
	g.configured = work(0, 11)
	g.round()
	for w, want := range map[string]cluster.Work{
		"w0": work(6, 1).Plus(work(9, 1)),
		"w1": work(7, 1).Plus(work(10, 1)),
		"w2": work(8, 1),
	} {
		assert.Equal(t, want, g.result.Shares[w].Assigned, w)
	}
}

func TestNewWorkEvensTheLoad(t *testing.T) {
	g := newGroup(t, 0, 0)
	g.owned = map[string]cluster.Work{"w0": work(0, 2), "w1": work(2, 3), "w2": work(5, 4), "w3": {}}
	g.configured = work(0, 24)
	g.round()
	for id, w := range g.owned {
		assert.Len(t, w.Connectors, 6, id)
		assert.Len(t, w.Tasks, 6, id)
	}
}

func TestSeveralCandidatesShareWhatWasLost(t *testing.T) {
	g := newGroup(t, 6, 2, "w0", "w1", "w2")
	g.expect("+6/12 -0/0", 0, "")
	lost := g.owned["w1"]
	g.leave("w1")
	g.expect("+0/0 -0/0", maxDelay, "")
	g.wait(maxDelay / 2)
	g.join("w1'")
	g.expect("+0/0 -0/0", maxDelay/2, "")
	g.wait(maxDelay / 4)
	g.join("w3")
	g.expect("+0/0 -0/0", maxDelay/4, "it counts as much as who has waited longer")
	g.wait(maxDelay / 4)
	g.expect("+2/4 -0/2", 0, "the two get what was lost, and the others give up what makes twelve tasks even")
	assert.Equal(t, lost.Sorted(), g.result.Shares["w1'"].Assigned.Plus(g.result.Shares["w3"].Assigned))
	assert.Len(t, g.result.Shares["w1'"].Assigned.Connectors, 1)
	assert.Len(t, g.result.Shares["w3"].Assigned.Tasks, 2)
}

// Nobody is given more than has to be taken from it in the next round.
func TestCandidatesGetNoMoreThanTheirShare(t *testing.T) {
	g := newGroup(t, 6, 0, "w1", "w2")
	g.expect("+6/0 -0/0", 0, "")
	g.leave("w2")
	g.expect("+0/0 -0/0", maxDelay, "")
	g.join("w2'")
	g.expect("+0/0 -0/0", maxDelay, "")
	g.wait(maxDelay)
	g.join("w3")
	g.expect("+3/0 -1/0", 0, "two of three for the candidate, one for the worker that came last")
	assert.Len(t, g.owned["w2'"].Connectors, 2)
	g.expect("+1/0 -0/0", 0, "")
	g.assertEven()
}

func TestWorkerComesBackAndLeavesForGood(t *testing.T) {
	g := newGroup(t, 6, 2, "w0", "w1", "w2")
	g.round()
	g.leave("w1")
	g.expect("+0/0 -0/0", maxDelay, "")
	g.wait(maxDelay / 2)
	g.join("w1'")
	g.expect("+0/0 -0/0", maxDelay/2, "a candidate")
	g.wait(maxDelay / 4)
	g.leave("w1'")
	g.expect("+0/0 -0/0", maxDelay/4, "is gone again")
	g.wait(maxDelay / 4)
	g.expect("+2/4 -0/0", 0, "so what was lost goes to all")
	g.assertEven()
}

func TestLostWorkWithoutDelay(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.leader.MaxDelay = 0
	g.expect("+2/8 -0/0", 0, "")
	g.leave("w2")
	g.expect("+1/4 -0/0", 0, "at once")
	g.assertEven()
}

func TestWorkThatRunsTwice(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.round()
	g.owned["w1"] = g.owned["w1"].Plus(connector("c1", 1))
	g.owned["w2"] = g.owned["w2"].Plus(connector("c1", 1))
	g.expect("+0/0 -1/1", 0, "both stop it")
	assert.Equal(t, connector("c1", 1), g.result.Shares["w1"].Revoked)
	assert.Equal(t, connector("c1", 1), g.result.Shares["w2"].Revoked)
	g.expect("+1/1 -0/0", 0, "one starts it")
	g.expect("+0/0 -0/0", 0, "")
	g.assertEven()
}

func TestWorkThatRunsTwiceAndIsDeleted(t *testing.T) {
	g := newGroup(t, 3, 4, "w1", "w2")
	g.round()
	third := connector("c2", 4)
	g.owned["w1"], g.owned["w2"] = g.owned["w1"].Plus(third), g.owned["w2"].Plus(third)
	g.configure(2, 4)
	g.round()
	assert.Equal(t, third, g.result.Shares["w1"].Revoked)
	assert.Equal(t, third, g.result.Shares["w2"].Revoked)
	g.round()
	g.assertEven()
}

// A member names the same task twice: it runs once.
func TestDoubledReport(t *testing.T) {
	g := newGroup(t, 1, 2)
	all := connector("c0", 2)
	result := g.leader.Assign(assign.Round{Now: g.now, LastCompleted: -1, Configured: all, Members: []assign.Member{
		{ID: "w1", Owned: cluster.Work{Connectors: []string{"c0", "c0"}, Tasks: append(all.Tasks, all.Tasks...)}},
	}})
	assert.Equal(t, map[string]assign.Share{"w1": {Owned: all}}, result.Shares)
}

func TestNobodyThere(t *testing.T) {
	g := newGroup(t, 1, 1)
	assert.Zero(t, g.leader.Assign(assign.Round{Configured: g.configured}))
}

// What has to be given up is the first that the worker has named.
func TestRevokedFromTheFront(t *testing.T) {
	g := newGroup(t, 0, 0, "w2")
	g.owned["w1"] = cluster.Work{Connectors: []string{"b", "a"}}
	g.configured = g.owned["w1"].Sorted()
	g.round()
	assert.Equal(t, []string{"b"}, g.result.Shares["w1"].Revoked.Connectors)
}

// The rest of a delay that ends between two milliseconds is rounded up.
func TestDelayIsInWholeMilliseconds(t *testing.T) {
	g := newGroup(t, 2, 4, "w1", "w2")
	g.round()
	g.leave("w2")
	g.round()
	g.wait(maxDelay - 1500*time.Microsecond)
	g.expect("+0/0 -0/0", 2*time.Millisecond, "")
	g.wait(1500*time.Microsecond - 1)
	g.expect("+0/0 -0/0", time.Millisecond, "")
	g.wait(1)
	g.expect("+1/4 -0/0", 0, "")
}
