package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect/cluster"
)

// leadPause is how long to wait after a failed claim of the leadership.
const leadPause = time.Second

// joining is what a worker does that has no assignment.
const joining = "joining the other workers of its cluster"

// carryOut brings what runs here in line with an assignment. It returns when
// what was revoked has stopped, or was abandoned.
func (rt *Runtime) carryOut(ctx context.Context, a Assignment) {
	if a.Behind {
		_, _ = member{rt}.View(ctx, a.Position)
		rt.opts.Coordinator.Rejoin("caught up with the config log")
		return
	}
	rt.activity.Enter("carrying out the assignment of generation %d", a.Generation)
	rt.takeLead(ctx, a)
	var stopped []<-chan struct{}
	rt.post(func() {
		rt.loop.generation = a.Generation
		due := append(rt.loop.release(a.Position), keysOf(a.Revoked)...)
		stopped = rt.revoke(a)
		for _, key := range keysOf(a.Added) {
			rt.loop.assigned[key] = true
			due = append(due, key)
		}
		rt.reconcile(due...)
		for key := range rt.loop.items {
			if a.Leader != "" && rt.status.state(key) != nil {
				rt.affirm(key)
			}
		}
	})
	for _, gone := range stopped {
		<-gone
	}
	if a.IsLeader() && ctx.Err() == nil {
		rt.post(func() { rt.status.forgetStale(rt.loop.seen()) })
	}
	rt.activity.Complete()
	if a.Leader == "" {
		rt.activity.Enter(joining)
		return
	}
	rt.joined.Store(true)
}

// revoke stops what an assignment takes away. On the loop.
func (rt *Runtime) revoke(a Assignment) (stopped []<-chan struct{}) {
	cause := errStopRequested
	if a.Lost {
		cause = ErrRevoked
	}
	deadline := time.Now().Add(rt.worker.grace)
	for _, key := range keysOf(a.Revoked) {
		delete(rt.loop.assigned, key)
		if it := rt.loop.items[key]; it != nil && it.phase != phaseEnded {
			stopped = append(stopped, it.run.gone)
			rt.stopRun(key, cause, deadline)
		}
	}
	return stopped
}

// takeLead claims or gives up the right to write a leader's records. A claim
// that fails leaves the worker without it, until the next assignment.
func (rt *Runtime) takeLead(ctx context.Context, a Assignment) {
	switch {
	case a.Leader == "" && !a.Lost:
		// Between two rounds of an eager group. Nobody else leads meanwhile, and
		// the next may leave all as it was.
	case !a.IsLeader():
		rt.giveUpLead()
		rt.lead.Set(leadership{known: a.Leader != "", url: a.LeaderURL, protocol: a.Protocol})
	case rt.lead.Get().Leadership != nil:
		rt.lead.Update(func(l leadership) leadership {
			return leadership{Leadership: l.Leadership, known: true, url: a.LeaderURL, protocol: a.Protocol, owners: ownersOf(a)}
		})
	case ctx.Err() == nil:
		rt.claimLead(ctx, a)
	}
	signal(rt.keyDue)
}

func (rt *Runtime) claimLead(ctx context.Context, a Assignment) {
	l, err := rt.opts.Configs.Lead(ctx)
	if err != nil {
		rt.log.ErrorContext(ctx, "claiming the leadership failed, trying again", "err", err)
		rt.lead.Set(leadership{protocol: a.Protocol})
		time.AfterFunc(leadPause, func() { rt.opts.Coordinator.Rejoin("claiming the leadership failed") })
		return
	}
	rt.lead.Set(leadership{Leadership: &claim{l, rt}, known: true, url: a.LeaderURL, protocol: a.Protocol, owners: ownersOf(a)})
}

// A claim is a leadership that ends with a write that fails: it was shut out, or
// its transaction may be open still. Who leads, claims it anew.
type claim struct {
	Leadership
	rt *Runtime
}

// Append writes entries.
func (c *claim) Append(ctx context.Context, pairs ...KV) error {
	err := c.Leadership.Append(ctx, pairs...)
	if err != nil {
		c.rt.lead.Update(func(l leadership) leadership {
			if l.Leadership == c {
				return leadership{protocol: l.protocol}
			}
			return l
		})
		err = errors.Join(err, c.Close())
		c.rt.opts.Coordinator.Rejoin("a write as leader failed")
	}
	return err
}

// ownersOf returns who runs what, by what.
func ownersOf(a Assignment) map[workKey]string {
	owners := make(map[workKey]string)
	for url, work := range a.Owners {
		for _, key := range keysOf(work) {
			owners[key] = url
		}
	}
	return owners
}

// elsewhere says who may do what only the worker that has the key may, where this
// one has not: the leader to any other worker, the owner to the leader.
func (rt *Runtime) elsewhere(ctx context.Context, key workKey) error {
	if _, err := rt.leader(ctx); err != nil {
		return err
	}
	return &NotAssignedError{Run: runName(key), URL: rt.lead.Get().owners[key]}
}

// isAlone tells that there are no other workers.
func (rt *Runtime) isAlone() bool {
	_, alone := rt.opts.Coordinator.(*alone)
	return alone
}

func (rt *Runtime) giveUpLead() {
	if l := rt.lead.Get(); l.Leadership != nil {
		rt.lead.Set(leadership{})
		if err := l.Close(); err != nil {
			rt.log.Warn("giving up the leadership", "err", err)
		}
	}
}

// keysOf lists the keys of work, connectors first.
func keysOf(w cluster.Work) []workKey {
	keys := make([]workKey, 0, w.Size())
	for _, c := range w.Connectors {
		keys = append(keys, workKey{Connector: c, Task: instanceOf})
	}
	return append(keys, w.Tasks...)
}

// member is the Runtime as its Coordinator sees it.
type member struct{ rt *Runtime }

func (m member) URL() string { return m.rt.opts.URL }

func (m member) Position() int64 {
	position := int64(-1)
	m.rt.post(func() { position = m.rt.loop.fold.Position() })
	return position
}

func (m member) Owned() cluster.Work {
	var w cluster.Work
	m.rt.post(func() {
		for key := range m.rt.loop.assigned {
			if key.Task == instanceOf {
				w.Connectors = append(w.Connectors, key.Connector)
			} else {
				w.Tasks = append(w.Tasks, key)
			}
		}
	})
	return w.Sorted()
}

func (m member) CatchUp(ctx context.Context) error { return m.rt.opts.Configs.Sync(ctx) }

func (m member) Settle(ctx context.Context) {
	var stopping []<-chan struct{}
	m.rt.post(func() {
		for _, it := range m.rt.loop.items {
			if it.phase == phaseStopping {
				stopping = append(stopping, it.run.gone)
			}
		}
	})
	for _, gone := range stopping {
		if !closedBefore(ctx, gone) {
			return
		}
	}
}

func (m member) View(ctx context.Context, atLeast int64) (cluster.View, error) {
	for {
		var view cluster.View
		var moved <-chan struct{}
		err := m.rt.do(ctx, func() { view, moved = m.rt.loop.seen(), m.rt.loop.position })
		if err != nil {
			return view, err
		}
		if view.Position >= atLeast || atLeast <= 0 {
			return view, nil
		}
		if !closedBefore(ctx, moved) {
			return view, fmt.Errorf("config log is at %d, not at %d yet: %w", view.Position, atLeast, context.Cause(ctx))
		}
	}
}
