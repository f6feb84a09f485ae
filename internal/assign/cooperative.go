package assign

import (
	"slices"
	"time"

	"github.com/streamlane/connect/cluster"
)

// Cooperative is the assignor of versions 1 and 2 of the group protocol: work
// stays where it is, and only what has to move is revoked, in one round, and
// given to somebody else in the next (Java's IncrementalCooperativeAssignor).
//
// Work of a worker that went away is kept back for up to MaxDelay, for restarts
// are more frequent than losses. When the time is over it goes to the workers
// that came meanwhile, and if there are none it is spread over all.
//
// It remembers what it did from one round to the next, so each leader keeps its
// own. The zero value has no delay and has done nothing. It is used by one
// goroutine.
type Cooperative struct {
	// MaxDelay is scheduled.rebalance.max.delay.ms: how long lost work waits
	// for its worker. Zero: not at all. It does not change between rounds.
	MaxDelay time.Duration

	last     memory
	schedule schedule
	pace     pace
}

// memory is what the last round came to.
type memory struct {
	generation int32
	members    []string
	running    cluster.Work // what runs if all has reached its worker, and what is lost
	revoked    cluster.Work
}

// Member is one worker that takes part in a round.
type Member struct {
	ID string
	// Owned is what it runs, as it said on joining. When it has to give up some
	// of it, it is the first of these.
	Owned cluster.Work
}

// Round is the question put to Assign.
type Round struct {
	Now time.Time
	// Generation of the group that the answer is for.
	Generation int32
	// LastCompleted is the generation of the last assignment that the leader
	// itself received; -1: none. If that is not the last round of this assignor,
	// the answer of that round may not have arrived anywhere, or another worker
	// has led since: what was running then is forgotten.
	LastCompleted int32
	Members       []Member
	// Configured is all there is to run.
	Configured cluster.Work
}

// Result is the answer.
type Result struct {
	// Shares has an entry for each member, by id.
	Shares map[string]Share
	// Delay after which all shall join again, in whole milliseconds; zero: not
	// by themselves. A member with something in Revoked joins again at once.
	Delay time.Duration
}

// Share is what a round means to one worker. Owned is what it runs afterwards,
// which is what it had without Revoked and with Assigned.
type Share struct {
	Assigned, Revoked, Owned cluster.Work
}

// Assign divides the work. It works with a leader's view of what is configured
// that is as new as any member's.
//
// In one thing it differs from Java: what a worker runs but nobody has configured
// is revoked by a new leader too, which cannot know that it was there before.
// With Java such work runs on until its worker stops.
func (c *Cooperative) Assign(r Round) Result {
	workers := newWorkers(r.Members)
	if len(workers) == 0 {
		return Result{}
	}
	active := union(workers, (*worker).owns)
	if c.last.generation != r.LastCompleted {
		c.last.running = cluster.Work{}
	}
	if overlap(c.last.revoked, active) { // the last answer did not arrive
		c.last.running = active
	}
	known := c.last.running.Plus(active)
	created := r.Configured.Minus(known)
	deleted := known.Minus(r.Configured)
	lost := c.last.running.Minus(active).Minus(deleted)

	// What runs twice is stopped everywhere. It counts as created in the next round.
	doubled := doubles(workers, (*worker).owns)
	for _, w := range workers {
		w.revoke(deleted)
		w.revoke(doubled)
	}
	found := c.recover(r.Now, lost, r.Configured, workers)
	c.balance(r.Now, workers, r.Configured)
	deal(workers, created.Plus(found))

	c.remember(r.Generation, workers, lost)
	return Result{Shares: shares(workers), Delay: c.schedule.delay}
}

// balance revokes what keeps the load from being even, unless a delay is running:
// who comes back within it would have to give and take twice.
func (c *Cooperative) balance(now time.Time, workers []*worker, configured cluster.Work) {
	if c.schedule.delay != 0 {
		c.pace.revoked = false
		return
	}
	excess := surplus(workers, configured)
	if len(excess) == 0 {
		c.pace = pace{}
		return
	}
	if delay := c.pace.next(c.MaxDelay); delay > 0 {
		c.schedule.start(now, delay)
		return
	}
	for w, work := range excess {
		w.revoke(work)
	}
}

func (c *Cooperative) remember(generation int32, workers []*worker, lost cluster.Work) {
	c.last = memory{
		generation: generation,
		running:    union(workers, (*worker).owns).Plus(lost),
		revoked:    union(workers, func(w *worker) cluster.Work { return w.revoked }),
	}
	for _, w := range workers {
		c.last.members = append(c.last.members, w.id)
	}
}

func shares(workers []*worker) map[string]Share {
	result := make(map[string]Share, len(workers))
	for _, w := range workers {
		result[w.id] = Share{Assigned: w.added, Revoked: w.revoked, Owned: w.next}
	}
	return result
}

// departed tells whether a worker of the last round is missing.
func (c *Cooperative) departed(workers []*worker) bool {
	return slices.ContainsFunc(c.last.members, func(id string) bool { return find(workers, id) == nil })
}
