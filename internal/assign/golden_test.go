package assign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/assign"
)

// recordedDelay is scheduled.rebalance.max.delay.ms of the recorded workers.
const recordedDelay = 20 * time.Second

// lag is how much later than it happened a round can stand in a recording: the
// broker was asked every 100 ms, and an answer takes its time.
const lag = 200 * time.Millisecond

// TestJavaCooperative puts the questions of recorded groups to our assignor and
// expects the answers of Java's leaders, item by item, while workers joined, were
// killed, came back within the delay and after it, and connectors were created,
// stopped and deleted. Nothing in the recordings is left to the order of Java's
// hash tables.
func TestJavaCooperative(t *testing.T) {
	for name, rounds := range map[string]int{"compatible-1": 9, "compatible-3": 31, "sessioned-1": 10, "sessioned-3": 29} {
		t.Run(name, func(t *testing.T) {
			r := record(t, name)
			require.Equal(t, rounds, len(r.rounds))
			var c *assign.Cooperative
			clock := leaderClock{t: t}
			leader := ""
			for generation, round := range r.rounds {
				if round.leader != leader {
					c, leader = &assign.Cooperative{MaxDelay: recordedDelay}, round.leader
				}
				question := assign.Round{
					Now:           clock.at(round),
					Generation:    int32(generation + 1),
					LastCompleted: int32(generation),
					Configured:    r.configured(round.position),
				}
				for _, m := range round.members {
					question.Members = append(question.Members, assign.Member{ID: m.id, Owned: m.owned})
				}
				got := c.Assign(question)
				assert.Equal(t, round.delay, got.Delay, "round %d", generation)
				for _, m := range round.members {
					assert.Equal(t, m.assigned.Sorted(), got.Shares[m.id].Assigned.Sorted(), "round %d: new to %s", generation, m.id)
					assert.Equal(t, m.revoked.Sorted(), got.Shares[m.id].Revoked, "round %d: revoked from %s", generation, m.id)
				}
			}
		})
	}
}

// leaderClock tells what a recorded leader read on its clock. While a delay is
// running its rest tells exactly; the time of the recording may be late by lag.
type leaderClock struct {
	t   *testing.T
	due time.Time
}

func (c *leaderClock) at(round recordedRound) time.Time {
	now := round.at
	switch {
	case c.due.IsZero() && round.delay > 0:
		c.due = now.Add(round.delay)
	case c.due.IsZero():
	case round.delay > 0:
		now = c.due.Add(-round.delay)
		assert.WithinDuration(c.t, round.at, now, lag)
	default: // the leader found the delay over
		if now.Before(c.due) {
			now = c.due
		}
		assert.Less(c.t, c.due.Sub(round.at), lag)
		c.due = time.Time{}
	}
	return now
}

// TestJavaEager is the same for groups of version 0, where a round depends on
// nothing but its members.
func TestJavaEager(t *testing.T) {
	for name, rounds := range map[string]int{"eager-1": 8, "eager-3": 20} {
		t.Run(name, func(t *testing.T) {
			r := record(t, name)
			require.Equal(t, rounds, len(r.rounds))
			for i, round := range r.rounds {
				var ids []string
				for _, m := range round.members {
					ids = append(ids, m.id)
				}
				got := assign.Eager(ids, r.configured(round.position))
				for _, m := range round.members {
					assert.Equal(t, m.assigned.Sorted(), got[m.id].Sorted(), "round %d: %s", i, m.id)
				}
			}
		})
	}
}
