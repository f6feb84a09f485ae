package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/wire"
	"github.com/twmb/franz-go/pkg/kgo"
)

// groupSettings are the worker's keys that its group goes by.
type groupSettings struct {
	session, heartbeat, rebalance time.Duration
	protocol                      string
	maxDelay                      time.Duration
	sync, unsync                  time.Duration
}

// Describe binds the keys.
func (s *groupSettings) Describe(d *config.Def) {
	config.MillisInt(d, &s.session, "session.timeout.ms").Default(10 * time.Second).
		Doc("How long a worker may be silent before the group goes on without it.")
	config.MillisInt(d, &s.heartbeat, "heartbeat.interval.ms").Default(3 * time.Second).
		Doc("Pause between heartbeats.")
	config.MillisInt(d, &s.rebalance, "rebalance.timeout.ms").Default(time.Minute).
		Doc("How long a worker may take to join when the group rebalances.")
	config.EnumFold(d, &s.protocol, "connect.protocol", "eager", "compatible", "sessioned").Default("sessioned").
		Doc("Newest version of the group protocol to offer.")
	config.MillisInt(d, &s.maxDelay, "scheduled.rebalance.max.delay.ms").Default(5 * time.Minute).
		Doc("How long work that was lost waits for its worker to come back.")
	config.MillisInt(d, &s.sync, "worker.sync.timeout.ms").Default(3 * time.Second).
		Doc("How long a worker may take to catch up with the config log.")
	config.MillisInt(d, &s.unsync, "worker.unsync.backoff.ms").Default(5 * time.Minute).
		Doc("How long a worker stays away that could not, under the protocol eager.")
}

// best is the newest version to offer.
func (s *groupSettings) best() wire.Version {
	switch s.protocol {
	case "eager":
		return wire.Eager
	case "compatible":
		return wire.Compatible
	}
	return wire.Sessioned
}

// Group returns the Coordinator of a group of workers, which may be of Java: a
// Kafka group of type connect. An empty id is the worker's group.id. It serves
// one Runtime.
func (b *Broker) Group(id string) (connect.Coordinator, error) {
	if id == "" {
		id = b.stores.group
	}
	if id == "" {
		return nil, errors.New("kafka: group of workers: missing required configuration \"group.id\" which has no default value")
	}
	g := &workerGroup{id: id, broker: b, log: b.log.With("group", id), rejoin: make(chan string, 1)}
	if err := config.Decode(b.worker, &g.set); err != nil {
		return nil, fmt.Errorf("kafka: group of workers %q: %w", id, err)
	}
	return g, nil
}

// workerGroup is the Coordinator of a group.
type workerGroup struct {
	id     string
	broker *Broker
	set    groupSettings
	log    *slog.Logger
	rejoin chan string // capacity one
}

// Rejoin asks for a new assignment. It does not wait.
func (g *workerGroup) Rejoin(reason string) {
	select {
	case g.rejoin <- reason:
	default: // one is on its way
	}
}

// Assignments joins the group and yields what its leader assigns. See
// connect.Coordinator.
func (g *workerGroup) Assignments(ctx context.Context, m connect.Member) iter.Seq2[connect.Assignment, error] {
	return func(yield func(connect.Assignment, error) bool) {
		s, err := g.open(m)
		if err != nil {
			yield(connect.Assignment{}, err)
			return
		}
		defer s.close(ctx)
		if err := s.follow(ctx, yield); err != nil {
			yield(connect.Assignment{}, err)
		}
	}
}

// open makes the client of a membership. It connects with the first request.
func (g *workerGroup) open(m connect.Member) (*membership, error) {
	r, err := g.broker.resolve(AdminClient, connect.ClientConfig{ClientID: g.broker.stores.clientName("group")})
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(r.opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka: group of workers %q: %w", g.id, err)
	}
	return &membership{g: g, member: m, client: client, version: g.set.best(), lead: leaderState{completed: -1}}, nil
}

// follow is the life of a membership: join, hand the assignment over, wait until
// something asks for another round.
func (s *membership) follow(ctx context.Context, yield func(connect.Assignment, error) bool) error {
	for ctx.Err() == nil {
		if s.eager() && !s.revokeAll(yield, false) {
			return nil
		}
		a, err := s.join(ctx)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		s.g.log.DebugContext(ctx, "joined", "generation", a.Generation, "leads", a.IsLeader(), "protocol", s.version, "config", a.Position,
			"behind", a.Behind, "added", a.Added.Size(), "revoked", a.Revoked.Size(), "delay", a.delay)
		beat := s.startHeartbeats(ctx)
		behind := s.caughtUp(ctx, a.Position)
		goOn := true
		if behind == nil && !a.Behind {
			goOn = s.carryOut(ctx, yield, a, beat)
		}
		lost := beat.stop()
		switch {
		case !goOn:
			return nil
		case ctx.Err() != nil:
		case lost != nil:
			s.g.log.WarnContext(ctx, "lost the membership; giving up all work", "err", lost)
			s.forget()
			goOn = s.revokeAll(yield, true)
		case behind != nil:
			goOn = s.stayAway(ctx, yield, behind)
		}
		if !goOn {
			return nil
		}
	}
	s.revokeAll(yield, false)
	return nil
}

// carryOut hands an assignment over, and waits until another round is due.
func (s *membership) carryOut(ctx context.Context, yield func(connect.Assignment, error) bool, a assigned, beat *heartbeats) bool {
	if !yield(a.Assignment, nil) {
		return false
	}
	if s.eager() || a.Revoked.IsEmpty() {
		s.await(ctx, beat, a.delay)
	}
	s.member.Settle(ctx)
	return true
}

// eager tells whether the group's present protocol revokes all before each join.
func (s *membership) eager() bool { return s.version == wire.Eager }

// revokeAll yields an item that takes everything away.
func (s *membership) revokeAll(yield func(connect.Assignment, error) bool, lost bool) bool {
	owned := s.member.Owned()
	if owned.IsEmpty() && !lost {
		return true
	}
	return yield(connect.Assignment{
		Generation: s.generation, MemberID: s.id, Protocol: connect.Protocol(s.version), Revoked: owned, Lost: lost,
	}, nil)
}

// await returns when another round is due.
func (s *membership) await(ctx context.Context, beat *heartbeats, delay time.Duration) {
	var due <-chan time.Time
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case reason := <-s.g.rejoin:
		s.g.log.DebugContext(ctx, "joining again", "why", reason)
		s.gather(ctx, beat)
	case <-beat.over:
	case <-due:
	}
}

const (
	gatherEach = 30 * time.Microsecond
	mostGather = time.Second
)

// gather lets more changes come before a round that one of them asks for. What a
// round costs grows with the work that there is to divide, and so does the pause:
// many changes in a row would cost the square of it otherwise.
func (s *membership) gather(ctx context.Context, beat *heartbeats) {
	timer := time.NewTimer(min(time.Duration(s.share)*gatherEach, mostGather))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-beat.over:
	case <-timer.C:
	}
}

// An assigned is an Assignment with what the coordinator itself needs of it.
type assigned struct {
	connect.Assignment
	delay time.Duration
}

// translate makes the Runtime's form of what the leader sent. Eager leaders send
// the whole set.
func (s *membership) translate(a wire.Assignment) assigned {
	out := assigned{Assignment: connect.Assignment{
		Generation: s.generation, MemberID: s.id, Leader: a.Leader, LeaderURL: a.LeaderURL,
		Protocol: connect.Protocol(s.version), Position: a.ConfigOffset, Behind: a.Error == wire.ConfigMismatch,
	}, delay: a.Delay}
	if out.Behind {
		return out
	}
	if out.IsLeader() {
		out.Owners = s.lead.owners
	}
	owned := s.member.Owned()
	s.share = owned.Size() + a.Assigned.Size()
	out.Added, out.Revoked = a.Assigned.Minus(owned), a.Revoked
	if s.eager() {
		out.Revoked = owned.Minus(a.Assigned)
	}
	return out
}

// allocation is what the member says it runs.
func (s *membership) allocation(v wire.Version, owned cluster.Work) *wire.Assignment {
	if owned.IsEmpty() && s.last == nil {
		return nil
	}
	a := wire.Assignment{Version: v, ConfigOffset: -1, Assigned: owned, Revoked: cluster.Work{}}
	if s.last != nil {
		a.Leader, a.LeaderURL, a.ConfigOffset = s.last.Leader, s.last.LeaderURL, s.last.ConfigOffset
		a.Delay = s.last.Delay
	}
	return &a
}
