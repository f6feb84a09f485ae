package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
)

// absences is how often a worker of a cooperative group stays away with its work
// before it gives that up (BACKOFF_RETRIES of Java's DistributedHerder).
const absences = 5

// absence is what a membership remembers of staying away.
type absence struct {
	times int       // since the worker was last up to date
	since time.Time // the first of these times
}

// readTo returns the configuration once the worker has read the config log up to
// a position, for at most worker.sync.timeout.ms.
func (s *membership) readTo(ctx context.Context, position int64) (cluster.View, error) {
	if s.member.Position() >= position {
		return s.member.View(ctx, position)
	}
	ctx, cancel := context.WithTimeout(ctx, s.g.set.sync)
	defer cancel()
	if err := s.member.CatchUp(ctx); err != nil {
		return cluster.View{}, fmt.Errorf("worker.sync.timeout.ms (%v): %w", s.g.set.sync, err)
	}
	view, err := s.member.View(ctx, position)
	if err != nil {
		err = fmt.Errorf("the config log has been read to its end, which is at %d, and another worker has read up to %d: "+
			"do all workers of the group have the same config.storage.topic, on the same brokers? (%w)", s.member.Position(), position, err)
	}
	return view, err
}

// caughtUp makes sure that the worker has read what the leader assigned by: what
// it starts must be what the others know of.
func (s *membership) caughtUp(ctx context.Context, position int64) error {
	_, err := s.readTo(ctx, position)
	if err == nil {
		s.away = absence{}
	}
	return err
}

// stayAway leaves the group, with nothing lost but the lead, until the config log
// can be read: the worker could not be told what to run. Others go on without it, and find it with its work when it
// is back. A worker that is away for too long gives its work up, for the group
// gives it to others then.
func (s *membership) stayAway(ctx context.Context, yield func(connect.Assignment, error) bool, why error) bool {
	s.leave(ctx)
	s.id = ""
	if !yield(connect.Assignment{Generation: s.generation, Protocol: connect.Protocol(s.version), Lost: true}, nil) {
		return false
	}
	for ctx.Err() == nil {
		pause, keep := s.absent(time.Now())
		s.g.log.WarnContext(ctx, "the config log could not be read in time; staying away from the group", "err", why, "pause", pause, "keeping_work", keep)
		if !keep && !s.revokeAll(yield, false) {
			return false
		}
		if sleep(ctx, pause) != nil {
			break // the caller sees that this was the end
		}
		if why = s.readable(ctx); why == nil {
			break
		}
	}
	return true
}

// readable tells why the config log cannot be read to its end now.
func (s *membership) readable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.g.set.sync)
	defer cancel()
	return s.member.CatchUp(ctx)
}

// absent counts an absence, and says how long it is and whether the worker keeps
// its work meanwhile. The pauses are Java's, and when they are used up that of
// the protocol eager, which has nothing to keep.
func (s *membership) absent(now time.Time) (pause time.Duration, keep bool) {
	if s.away.times++; s.away.times == 1 {
		s.away.since = now
	}
	left := absences + 1 - s.away.times
	if s.eager() || left < 1 {
		return s.g.set.unsync, s.eager()
	}
	pause = s.g.set.maxDelay / 10 / time.Duration(left)
	return pause, now.Add(pause + s.g.set.sync).Before(s.away.since.Add(s.g.set.maxDelay))
}
