//go:build synctests

package kafka_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// classes are the connectors of a round, by name, and how many tasks they make at
// most.
var classes = map[string]struct {
	class string
	most  int
}{
	"idle-a": {"Idle", 99}, "idle-b": {"Idle", 99}, "numbers": {"Numbers", sourceParts}, "ledger": {"Ledger", 99},
}

// event does one thing that may happen to a cluster, in the bubble.
func (c *chaos) event() {
	type event struct {
		weight int
		do     func()
	}
	events := []event{
		{14, c.userAsks}, {2, c.breakTask}, {3, c.killOne}, {2, c.stopOne}, {3, c.startOne}, {1, c.roll},
		{2, c.cutOne}, {2, c.mendOne}, {2, c.freezeOne}, {2, c.thawOne}, {2, c.evictOne}, {1, c.outage},
	}
	total := 0
	for _, e := range events {
		total += e.weight
	}
	n := c.rnd.IntN(total)
	for _, e := range events {
		if n -= e.weight; n < 0 {
			e.do()
			break
		}
	}
	pauses := []time.Duration{time.Second, 8 * time.Second, 30 * time.Second}
	time.Sleep(time.Duration(c.rnd.Int64N(int64(pauses[c.rnd.IntN(len(pauses))]))))
}

// any returns a worker that lives.
func (c *chaos) any() *process {
	alive := c.living()
	return alive[c.rnd.IntN(len(alive))]
}

// workersAtMost bounds the cluster.
const workersAtMost = 4

func (c *chaos) startOne() {
	if alive := c.living(); len(alive) < workersAtMost {
		var free []string
		for _, name := range []string{"w1", "w2", "w3", "w4", "w5"} {
			if !slices.ContainsFunc(alive, func(p *process) bool { return p.name == name }) {
				free = append(free, name)
			}
		}
		c.start(free[c.rnd.IntN(len(free))])
	}
}

func (c *chaos) killOne() {
	if len(c.living()) > 1 {
		c.any().kill()
	}
}

func (c *chaos) stopOne() {
	if len(c.living()) > 1 {
		c.any().stop()
	}
}

// roll restarts all workers in the bubble, one after the other.
func (c *chaos) roll() {
	for _, p := range c.living() {
		p.stop()
		c.start(p.name)
		time.Sleep(time.Duration(c.rnd.Int64N(int64(5 * time.Second))))
	}
}

func (c *chaos) cutOne() {
	p := c.any()
	c.note("cut %s", p.name)
	p.line.setCut(true)
}

func (c *chaos) mendOne() {
	for _, p := range c.living() {
		if p.line.isCut() {
			c.note("mend %s", p.name)
			p.line.setCut(false)
			return
		}
	}
}

func (c *chaos) freezeOne() {
	p := c.any()
	c.note("freeze %s", p.name)
	p.line.freeze()
}

func (c *chaos) thawOne() {
	for _, p := range c.living() {
		if p.line.isFrozen() {
			c.note("thaw %s", p.name)
			p.line.thaw()
			return
		}
	}
}

// evictOne has the group forget a member, as it does a process that was stopped
// for longer than its session: the member has not noticed yet, and goes on.
func (c *chaos) evictOne() {
	info := c.fake.GroupInfo(groupOfWorkers)
	if info == nil || len(info.Members) == 0 {
		return
	}
	id := info.Members[c.rnd.IntN(len(info.Members))].MemberID
	c.note("evict member %s", id)
	c.evict(groupOfWorkers, id)
}

func (c *chaos) evict(group, id string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.Dialer(c.dial), kgo.DisableClientMetrics())
	require.NoError(c.t, err)
	defer client.Close()
	member := kmsg.NewLeaveGroupRequestMember()
	member.MemberID = id
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.Members = group, []kmsg.LeaveGroupRequestMember{member}
	_, err = req.RequestWith(c.t.Context(), client)
	require.NoError(c.t, err)
}

// endSessions has groups forget the members of processes that went long enough ago, without a word.
// A real broker does so by itself; the one in this process has members without a
// clock, if they could not be told that they have joined.
func (c *chaos) endSessions() {
	for _, group := range []string{groupOfWorkers, groupOfLedger} {
		info := c.fake.GroupInfo(group)
		for _, p := range c.silent {
			for i := 0; info != nil && i < len(info.Members) && time.Since(p.diedAt) > session; i++ {
				if m := info.Members[i]; strings.Contains(m.ClientID, p.tag) {
					c.evict(group, m.MemberID)
				}
			}
		}
	}
}

// outage takes the broker in the bubble away for a while; it comes back with what it had on
// disk, if it has any.
func (c *chaos) outage() {
	c.note("broker down")
	c.setDown(true)
	if c.disk != "" {
		c.fake.Close()
	}
	for _, p := range c.living() {
		p.line.drop()
	}
	time.Sleep(time.Duration(c.rnd.Int64N(int64(30 * time.Second))))
	if c.disk != "" {
		c.openBroker()
	}
	c.setDown(false)
	c.note("broker up")
}

// breakTask makes a task fail.
func (c *chaos) breakTask() {
	c.awaitUser()
	var tasks []*instance
	for _, i := range c.ledger.instances() {
		if i.task >= 0 && !i.isBroken() {
			tasks = append(tasks, i)
		}
	}
	if len(tasks) == 0 {
		return
	}
	slices.SortFunc(tasks, func(a, b *instance) int {
		return strings.Compare(a.connector+strconv.Itoa(a.task)+a.p.name, b.connector+strconv.Itoa(b.task)+b.p.name)
	})
	i := tasks[c.rnd.IntN(len(tasks))]
	c.note("break task %d of %s on %s", i.task, i.connector, i.p.name)
	c.wanted[i.connector].broken = true
	close(i.broken)
}

// userAsks sends a request to some worker. Other things happen meanwhile; the
// next request comes after the answer.
func (c *chaos) userAsks() {
	c.awaitUser()
	names := slices.Sorted(maps.Keys(classes))
	name := names[c.rnd.IntN(len(names))]
	r := c.request(name)
	p := c.any()
	c.asking = make(chan struct{})
	go func() {
		defer close(c.asking)
		c.ask(p, name, r)
	}()
}

// A request is a change in the form of HTTP.
type request struct {
	change
	method, path, body string
}

// ask sends a request and notes what became of it.
func (c *chaos) ask(p *process, name string, r request) (acked bool) {
	status, text := c.call(p, r.method, r.path, r.body)
	acked = status >= 200 && status < 300
	c.note("%s /%s %s on %s: %d %s", r.method, r.path, r.body, p.name, status, text)
	conflict := status == http.StatusConflict && !strings.Contains(text, "already exists")
	if acked || status == 0 || conflict || status >= http.StatusInternalServerError {
		c.wanted[name].result(r.change, acked, c.fenced())
	}
	return acked
}

// insist sends a request, in the bubble, again and again until it is acknowledged.
func (c *chaos) insist(p *process, name string, r request) {
	c.t.Helper()
	limit := time.Now().Add(insistLimit)
	for !c.ask(p, name, r) {
		require.True(c.t, time.Now().Before(limit), "worker %s does not do what it is asked for", p.name)
		time.Sleep(time.Second)
	}
}

// insistLimit is how long a cluster that is well may be at work on a rebalance.
const insistLimit = 30 * time.Second

func (c *chaos) request(name string) request {
	path := "connectors/" + name
	target := func(verb string, t cluster.TargetState) request {
		return request{method: http.MethodPut, path: path + "/" + verb, change: change{target: t}}
	}
	switch n := c.rnd.IntN(20); {
	case n < 6:
		return c.putRequest(name)
	case n < 8:
		return c.createRequest(name)
	case n < 10:
		return target("pause", cluster.TargetPaused)
	case n < 13:
		return target("resume", cluster.TargetStarted)
	case n < 14:
		return target("stop", cluster.TargetStopped)
	case n < 16:
		return request{method: http.MethodDelete, path: path, change: change{config: &stored{}, target: cluster.TargetStarted, anew: true}}
	case n < 17:
		return request{method: http.MethodPost, path: path + "/tasks/0/restart"}
	case n < 18:
		return request{method: http.MethodPost, path: path + "/restart"}
	}
	onlyFailed := c.rnd.IntN(2) == 0
	return request{method: http.MethodPost, path: fmt.Sprintf("%s/restart?includeTasks=true&onlyFailed=%v", path, onlyFailed), change: change{anew: true}}
}

// putRequest asks for a new revision of a configuration.
func (c *chaos) putRequest(name string) request {
	s, props := c.newRevision(name)
	return request{method: http.MethodPut, path: "connectors/" + name + "/config", body: asked(props), change: change{config: &s, anew: true}}
}

// createRequest asks for a connector that is not there yet, in some state.
func (c *chaos) createRequest(name string) request {
	s, props := c.newRevision(name)
	targets := []cluster.TargetState{cluster.TargetPaused, cluster.TargetStopped}
	r := request{method: http.MethodPost, path: "connectors", change: change{config: &s, anew: true}}
	r.target = targets[c.rnd.IntN(len(targets))]
	r.body = fmt.Sprintf(`{"name":%q,"config":%s,"initial_state":%q}`, name, asked(props), r.target)
	return r
}

func (c *chaos) newRevision(name string) (stored, config.Props) {
	c.revision++
	s := stored{revision: strconv.Itoa(c.revision), tasks: 1 + c.rnd.IntN(5)}
	props := config.Props{"connector.class": classes[name].class, "tasks.max": strconv.Itoa(s.tasks), "revision": s.revision}
	if classes[name].class == "Ledger" {
		props["topics"] = numbersTopic
	}
	return s, props
}
