//go:build synctests

package kafka_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// quietBubble is a cluster of three workers in a bubble, with an idle connector of
// six tasks, to which happens what a test does. The first worker leads.
func quietBubble(t *testing.T, all, first config.Props, f func(c *chaos)) {
	disk := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newChaos(t, 0, disk)
		c.disk, c.settings = "", c.settings.Merge(config.Props{
			"connect.protocol": "sessioned", "scheduled.rebalance.max.delay.ms": "0", "exactly.once.source.support": "preparing",
		}, all)
		defer c.end(0)
		c.openBroker()
		others := c.settings
		c.settings = others.Merge(first)
		c.start("w1")
		time.Sleep(15 * time.Second)
		c.settings = others
		c.start("w2")
		c.start("w3")
		time.Sleep(15 * time.Second)
		s := stored{revision: "1", tasks: 6}
		c.insist(c.living()[0], "idle-a", request{method: "PUT", path: "connectors/idle-a/config", body: asked(config.Props{
			"connector.class": "Idle", "tasks.max": "6", "revision": "1",
		}), change: change{config: &s}})
		c.eventually("all tasks to run", c.problem)
		f(c)
	})
}

// tasksOn is how many tasks run on a process.
func (c *chaos) tasksOn(p *process) (n int) {
	for _, i := range c.ledger.instances() {
		if i.p == p && i.task != instanceNumber {
			n++
		}
	}
	return n
}

// memberOf returns the member id of a process in the group of workers.
func (c *chaos) memberOf(p *process) (id string) {
	c.t.Helper()
	for _, m := range c.fake.GroupInfo(groupOfWorkers).Members {
		if strings.Contains(m.ClientID, p.tag) {
			id = m.MemberID
		}
	}
	require.NotEmpty(c.t, id)
	return id
}

// The tasks of a worker that is killed run elsewhere after at most its session, the
// heartbeat by which the others hear of it, and a moment.
func TestFailoverTakesASessionAndAHeartbeat(t *testing.T) {
	const heartbeat, moment = 3 * time.Second, time.Second
	quietBubble(t, config.Props{"heartbeat.interval.ms": strconv.Itoa(int(heartbeat.Milliseconds()))}, nil, func(c *chaos) {
		for phase := range 7 { // of the heartbeats
			time.Sleep(time.Duration(phase) * heartbeat / 7)
			victim := c.living()[0]
			require.Equal(c.t, 2, c.tasksOn(victim))
			victim.kill()
			began := time.Now()
			for len(c.ledger.instances()) < 7 { // six tasks and their connector
				require.LessOrEqual(c.t, time.Since(began), session+heartbeat+moment, "the tasks run elsewhere")
				time.Sleep(10 * time.Millisecond)
			}
			c.t.Logf("phase %d: %v", phase, time.Since(began))
			c.start(victim.name)
			c.eventually("all to be well", func() string {
				if p := c.living()[2]; c.tasksOn(p) != 2 {
					return p.name + " has no tasks yet"
				}
				return c.problem()
			})
		}
	})
}

// A leader that does not know yet that its group has gone on without it writes
// nothing any more.
func TestAZombieLeaderIsRefused(t *testing.T) {
	for _, support := range []string{"preparing", "enabled"} {
		t.Run(support, func(t *testing.T) {
			all := config.Props{"exactly.once.source.support": support, "heartbeat.interval.ms": "500"}
			quietBubble(t, all, config.Props{"heartbeat.interval.ms": "9000"}, func(c *chaos) {
				restart := func(p *process) error { return p.rt.Restart(c.t.Context(), "idle-a", connect.RestartOptions{}) }
				zombie, others := c.living()[0], c.living()[1:]
				require.NoError(c.t, restart(zombie), "it leads")
				id := c.memberOf(zombie)
				beat := make(chan struct{}, 1)
				c.fake.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
					if r.(*kmsg.HeartbeatRequest).MemberID == id && len(beat) == 0 {
						beat <- struct{}{}
					}
					return nil, nil, false
				})
				<-beat // the next is far
				c.evict(groupOfWorkers, id)
				time.Sleep(2 * time.Second) // the others hear of it
				require.NotZero(c.t, c.tasksOn(zombie), "it does not know")
				require.True(c.t, restart(others[0]) == nil || restart(others[1]) == nil, "another leads")
				late := config.Props{"connector.class": "Idle", "tasks.max": "1"}
				_, err := zombie.rt.PutConnector(c.t.Context(), "late", late)
				require.ErrorIs(c.t, err, connect.ErrFenced)
				c.eventually("all to be well", c.problem)
				for _, p := range c.living() {
					_, err := p.rt.Connector(c.t.Context(), "late")
					require.ErrorIs(c.t, err, connect.ErrNotFound, p.name)
				}
			})
		})
	}
}
