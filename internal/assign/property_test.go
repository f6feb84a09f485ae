package assign_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/assign"
)

// histories is how many random histories of a group each property is tried on.
const histories = 300

// disturb does something that happens to groups.
func disturb(g *group, r *rand.Rand) string {
	ids := slices.Sorted(maps.Keys(g.owned))
	some := ids[r.IntN(len(ids))]
	switch r.IntN(8) {
	case 0, 1:
		id := fmt.Sprintf("w%d", r.IntN(1000))
		if _, ok := g.owned[id]; !ok {
			g.join(id)
		}
		return id + " joins"
	case 2:
		if len(ids) > 1 {
			g.leave(some)
		}
		return some + " leaves"
	case 3:
		connectors, tasks := r.IntN(5), r.IntN(6)
		g.configure(connectors, tasks)
		return fmt.Sprintf("%d connectors with %d tasks", connectors, tasks)
	case 4:
		g.newLeader()
		return "a new leader"
	case 5:
		g.compute()
		if r.IntN(2) == 0 {
			g.completed = g.generation
		}
		return "an answer gets lost"
	case 6: // a worker that was taken for dead was not
		g.owned[some] = g.owned[some].Plus(g.owned[ids[r.IntN(len(ids))]])
		return some + " runs another's work"
	default:
		d := time.Duration(r.IntN(400)) * time.Second
		g.wait(d)
		return "wait " + d.String()
	}
}

// settle plays on until there is nothing to do: workers join again at once after
// a revocation and otherwise when the delay is over. It returns how many rounds
// moved something since the last delay.
func (g *group) settle() (rounds int) {
	g.t.Helper()
	for range 20 {
		g.round()
		moved := false
		for _, share := range g.result.Shares {
			moved = moved || !share.Assigned.IsEmpty() || !share.Revoked.IsEmpty()
		}
		switch {
		case g.result.Delay > 0:
			g.wait(g.result.Delay)
			rounds = 0
		case moved:
			rounds++
		default:
			return rounds
		}
	}
	require.Fail(g.t, "the group does not settle")
	return 0
}

// TestGroupsSettle: whatever has happened (every round of it is checked by
// group.check), a group comes to rest with all its work running once and evenly
// spread, two rounds after the last change or the end of the last delay.
func TestGroupsSettle(t *testing.T) {
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			g := newGroup(t, 3, 4, "w1")
			if r.IntN(4) == 0 {
				g.leader.MaxDelay = 0
			}
			for range 2 + r.IntN(30) {
				t.Log(disturb(g, r))
				if r.IntN(3) > 0 {
					g.round()
				}
			}
			rounds := g.settle()
			assert.LessOrEqual(t, rounds, 2)
			g.assertEven()
			g.expect("+0/0 -0/0", 0, "at rest")
		})
	}
}

// TestMinimalMovement: when a worker joins an even group, exactly as much moves
// as it takes; nothing moves between the others.
func TestMinimalMovement(t *testing.T) {
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			g := newGroup(t, 1+r.IntN(9), r.IntN(9))
			workers := 1 + r.IntN(6)
			for i := range workers {
				g.join(fmt.Sprintf("w%d", i))
			}
			g.settle()
			before := maps.Clone(g.owned)
			g.join("new")
			var revoked, assigned cluster.Work
			for range 2 {
				g.round()
				for _, share := range g.result.Shares {
					revoked, assigned = revoked.Plus(share.Revoked), assigned.Plus(share.Assigned)
				}
			}
			assert.Len(t, revoked.Connectors, len(g.configured.Connectors)/(workers+1), "the share of one worker, rounded down")
			assert.Len(t, revoked.Tasks, len(g.configured.Tasks)/(workers+1))
			assert.Equal(t, revoked, assigned)
			assert.Equal(t, assigned, g.owned["new"].Sorted(), "all that moved went to the new worker")
			for id, had := range before {
				assert.Empty(t, g.owned[id].Minus(had), "%s got nothing", id)
			}
			g.assertEven()
		})
	}
}

// TestBounceMovesNothing: a worker that is back within the delay gets what it had,
// and nobody else notices. (Were another idle, they would share.)
func TestBounceMovesNothing(t *testing.T) {
	for seed := range uint64(histories) {
		r := rand.New(rand.NewPCG(seed, 3))
		g := newGroup(t, 3+r.IntN(9), r.IntN(9), "w1", "w2", "w3")
		g.settle()
		before := maps.Clone(g.owned)
		bounced := fmt.Sprintf("w%d", 1+r.IntN(3))
		g.leave(bounced)
		g.round()
		g.wait(time.Duration(r.Int64N(int64(maxDelay))).Truncate(time.Millisecond))
		g.join(bounced)
		g.settle()
		for id, had := range before {
			assert.Equal(t, had.Sorted(), g.owned[id].Sorted(), "seed %d: %s", seed, id)
		}
	}
}

// TestOrderOfMembersDoesNotMatter: the same members in another order are the same
// question.
func TestOrderOfMembersDoesNotMatter(t *testing.T) {
	for seed := range uint64(histories) {
		r := rand.New(rand.NewPCG(seed, 4))
		question := assign.Round{LastCompleted: -1, Configured: work(0, r.IntN(30))}
		for i := range 1 + r.IntN(5) {
			question.Members = append(question.Members, assign.Member{ID: fmt.Sprintf("w%d", i), Owned: work(r.IntN(30), r.IntN(9))})
		}
		var one, other assign.Cooperative
		want := one.Assign(question)
		question.Members = slices.Clone(question.Members)
		r.Shuffle(len(question.Members), func(i, j int) {
			question.Members[i], question.Members[j] = question.Members[j], question.Members[i]
		})
		r.Shuffle(len(question.Configured.Tasks), func(i, j int) {
			question.Configured.Tasks[i], question.Configured.Tasks[j] = question.Configured.Tasks[j], question.Configured.Tasks[i]
		})
		assert.Equal(t, want, other.Assign(question), "seed %d", seed)
	}
}
