package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/internal/wire"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// membership is a worker's place in its group. One goroutine uses it; heartbeats
// have their own.
type membership struct {
	g      *workerGroup
	member connect.Member
	client *kgo.Client

	id         string // "": the broker is to give one
	generation int32
	version    wire.Version
	last       *wire.Assignment
	lead       leaderState
	away       absence
	share      int // how much work the member has, about
}

// forget drops the membership after the group has gone on without it.
func (s *membership) forget() {
	s.id, s.generation, s.last, s.lead = "", 0, nil, leaderState{completed: -1}
}

const (
	joinPause    = 100 * time.Millisecond
	maxJoinPause = 5 * time.Second
)

// join takes part in one round of the group. Errors that may pass are tried
// again until ctx ends; then neither result means anything.
func (s *membership) join(ctx context.Context) (assigned, error) {
	for attempt := 0; ; attempt++ {
		select { // what was asked for by now is answered by this round
		case <-s.g.rejoin:
		default:
		}
		a, err := s.joinOnce(ctx)
		if err == nil || ctx.Err() != nil {
			return a, nil
		}
		switch {
		case errors.Is(err, kerr.MemberIDRequired):
			continue
		case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.RebalanceInProgress):
			if errors.Is(err, kerr.UnknownMemberID) {
				s.id = ""
			}
		case is(err, authErrors), errors.Is(err, kerr.InconsistentGroupProtocol), errors.Is(err, kerr.InvalidSessionTimeout):
			return assigned{}, fmt.Errorf("kafka: group of workers %q: %w", s.g.id, mapError(err))
		}
		if attempt == 0 {
			s.g.log.WarnContext(ctx, "joining the group failed, trying again", "err", err)
		}
		_ = sleep(ctx, min(joinPause<<min(attempt, 10), maxJoinPause))
	}
}

func (s *membership) joinOnce(ctx context.Context) (assigned, error) {
	req, err := s.joinRequest()
	if err != nil {
		return assigned{}, err
	}
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return assigned{}, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		if errors.Is(err, kerr.MemberIDRequired) {
			s.id = resp.MemberID
		}
		return assigned{}, err
	}
	s.id, s.generation = resp.MemberID, resp.Generation
	if resp.Protocol == nil {
		return assigned{}, errors.New("the coordinator chose no protocol")
	}
	if s.version, err = wire.ParseVersion(*resp.Protocol); err != nil {
		return assigned{}, err
	}
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation = s.g.id, s.id, s.generation
	groupType := wire.GroupType
	sync.ProtocolType, sync.Protocol = &groupType, resp.Protocol
	if resp.LeaderID == s.id {
		if sync.GroupAssignment, err = s.assign(ctx, resp.Members); err != nil {
			return assigned{}, err
		}
	}
	return s.sync(ctx, sync)
}

// joinRequest offers all versions of the protocol that the worker may speak.
func (s *membership) joinRequest() (*kmsg.JoinGroupRequest, error) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.ProtocolType = s.g.id, s.id, wire.GroupType
	req.SessionTimeoutMillis = int32(s.g.set.session.Milliseconds())
	req.RebalanceTimeoutMillis = int32(s.g.set.rebalance.Milliseconds())
	owned := s.member.Owned()
	for _, v := range wire.Offers(s.g.set.best()) {
		m := wire.Metadata{Version: v, URL: s.member.URL(), ConfigOffset: s.member.Position()}
		if v != wire.Eager {
			m.Allocation = s.allocation(v, owned)
		}
		metadata, err := m.AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = v.String(), metadata
		req.Protocols = append(req.Protocols, p)
	}
	return req, nil
}

func (s *membership) sync(ctx context.Context, req *kmsg.SyncGroupRequest) (assigned, error) {
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return assigned{}, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return assigned{}, err
	}
	a, err := wire.ParseAssignment(resp.MemberAssignment)
	if err != nil {
		return assigned{}, err
	}
	s.last, s.lead.completed = &a, s.generation
	return s.translate(a), nil
}

// close ends the membership.
func (s *membership) close(ctx context.Context) {
	defer s.client.Close()
	s.leave(ctx)
}

// leave leaves the group, so that the others need not wait for the session to
// end.
func (s *membership) leave(ctx context.Context) {
	if s.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.g.set.heartbeat)
	defer cancel()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = s.g.id, s.id
	leaving := kmsg.NewLeaveGroupRequestMember()
	leaving.MemberID = s.id
	req.Members = append(req.Members, leaving)
	if _, err := req.RequestWith(ctx, s.client); err != nil {
		s.g.log.DebugContext(ctx, "leaving the group", "err", err)
	}
}

// heartbeats keep a membership alive from one round to the next.
type heartbeats struct {
	over   chan struct{} // closed when another round is due, or the membership lost
	cancel context.CancelFunc
	work   sync.WaitGroup
	lost   error // why the membership is lost; to be read after work
}

// startHeartbeats begins to beat. The caller stops it before the next join.
func (s *membership) startHeartbeats(ctx context.Context) *heartbeats {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b := &heartbeats{over: make(chan struct{}), cancel: cancel}
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = s.g.id, s.id, s.generation
	b.work.Go(func() { b.lost = s.beat(ctx, req, b.over) })
	return b
}

// stop ends the heartbeats and says why the membership was lost, if it was.
func (b *heartbeats) stop() error {
	b.cancel()
	b.work.Wait()
	return b.lost
}

// beat sends heartbeats until ctx ends or the membership is lost. A coordinator
// that cannot be reached for the session's time-out has let the member go.
func (s *membership) beat(ctx context.Context, req *kmsg.HeartbeatRequest, over chan struct{}) error {
	heard := time.Now()
	due := sync.OnceFunc(func() { close(over) })
	for {
		if sleep(ctx, s.g.set.heartbeat) != nil {
			return nil
		}
		err := s.beatOnce(ctx, req, s.g.set.session-time.Since(heard))
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			heard = time.Now()
		case errors.Is(err, kerr.RebalanceInProgress):
			heard = time.Now()
			due()
		case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.FencedInstanceID):
			due()
			return err
		case time.Since(heard) >= s.g.set.session:
			due()
			return fmt.Errorf("no heartbeat was answered within session.timeout.ms (%v): %w", s.g.set.session, err)
		}
	}
}

func (s *membership) beatOnce(ctx context.Context, req *kmsg.HeartbeatRequest, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, max(most, time.Millisecond))
	defer cancel()
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}
