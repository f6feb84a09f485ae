package assign

import (
	"math"
	"slices"
	"time"

	"github.com/streamlane/connect/cluster"
)

// schedule is the delay that is running, if one is.
type schedule struct {
	due   time.Time // zero: none
	delay time.Duration
	// candidates had nothing to do when work was missing: it is probably theirs,
	// from before they were restarted. In the order in which they came.
	candidates []string
}

// start lets a delay begin now.
func (s *schedule) start(now time.Time, delay time.Duration) {
	s.delay = delay
	s.due = now.Add(delay)
}

func (s *schedule) running() bool { return !s.due.IsZero() }

// recover decides what becomes of lost work: it is given to the candidates, or
// returned to be spread over all, or it has to wait.
func (c *Cooperative) recover(now time.Time, lost, configured cluster.Work, workers []*worker) (found cluster.Work) {
	s := &c.schedule
	switch {
	case lost.IsEmpty() && !c.pace.revoked:
		*s = schedule{}
		return cluster.Work{}
	case !s.running() && !c.departed(workers):
		return lost // nobody left, so the assignment did not arrive
	case c.MaxDelay == 0:
		return lost
	case !s.running():
		s.start(now, c.MaxDelay)
	case now.Before(s.due):
		s.delay = wholeMillis(s.due.Sub(now))
	default:
		found = s.handBack(lost, configured, workers)
		*s = schedule{}
		c.pace.revoked = false // the group had its time to settle
		return found
	}
	s.addCandidates(workers)
	return cluster.Work{}
}

// addCandidates remembers the workers that have nothing to do.
func (s *schedule) addCandidates(workers []*worker) {
	for _, w := range workers {
		if w.next.IsEmpty() && !slices.Contains(s.candidates, w.id) {
			s.candidates = append(s.candidates, w.id)
		}
	}
}

// handBack deals lost work in turn to the candidates that are still there, and
// returns the rest: all if there is none of them, and what would be more than
// their even share. (Java gives them all and revokes the surplus at once, so that
// it waits for one more round.)
func (s *schedule) handBack(lost, configured cluster.Work, workers []*worker) (rest cluster.Work) {
	var present []*worker
	for _, id := range s.candidates {
		if w := find(workers, id); w != nil {
			present = append(present, w)
		}
	}
	if len(present) == 0 {
		return lost
	}
	for i, connector := range lost.Connectors {
		present[i%len(present)].addConnector(connector)
	}
	for i, task := range lost.Tasks {
		present[i%len(present)].addTask(task)
	}
	for w, excess := range surplus(workers, configured) {
		rest = rest.Plus(w.takeBack(len(excess.Connectors), len(excess.Tasks)))
	}
	return rest
}

// pace slows down a leader that would revoke in round after round, as while many
// workers start one by one. The zero value has revoked nothing.
type pace struct {
	revoked bool // the round before revoked for balance
	skipped int  // revocations skipped since the load was even
}

// next tells how long a revocation has to wait; zero: it may be done now. The
// delays grow from 40 milliseconds by a factor of 40, up to most.
func (p *pace) next(most time.Duration) time.Duration {
	if !p.revoked {
		p.revoked = true
		return 0
	}
	p.skipped++
	grown := math.Pow(40, float64(p.skipped)) * float64(time.Millisecond)
	return time.Duration(min(grown, float64(most)))
}

// wholeMillis rounds up, for the wire has whole milliseconds and who comes too
// early is sent away again.
func wholeMillis(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}
