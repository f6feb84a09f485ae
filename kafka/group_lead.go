package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/assign"
	"github.com/streamlane/connect/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// leaderState is what a leader keeps from one round to the next.
type leaderState struct {
	cooperative *assign.Cooperative
	// owners is what each worker runs by the last round, by its URL.
	owners map[string]cluster.Work
	// completed is the generation of the last assignment that reached this
	// worker.
	completed int32
}

// assign divides the work among the members, as the leader that the coordinator
// has made of this worker.
func (s *membership) assign(ctx context.Context, members []kmsg.JoinGroupResponseMember) ([]kmsg.SyncGroupRequestGroupAssignment, error) {
	said := make(map[string]wire.Metadata, len(members))
	newest := s.member.Position()
	for _, m := range members {
		metadata, err := wire.ParseMetadata(m.ProtocolMetadata)
		if err != nil {
			return nil, fmt.Errorf("metadata of member %q: %w", m.MemberID, err)
		}
		said[m.MemberID] = metadata
		newest = max(newest, metadata.ConfigOffset)
	}
	view, err := s.readTo(ctx, newest)
	if err != nil {
		s.g.log.WarnContext(ctx, "a member has read more of the config log than this leader; all catch up and join again", "err", err)
		return s.answer(said, func(string) wire.Assignment {
			return wire.Assignment{Error: wire.ConfigMismatch, ConfigOffset: newest}
		})
	}
	shares, delay := s.shares(said, view.Work())
	s.lead.owners = make(map[string]cluster.Work, len(said))
	for id, m := range said {
		s.lead.owners[m.URL] = shares[id].Owned
	}
	return s.answer(said, func(id string) wire.Assignment {
		share := shares[id]
		return wire.Assignment{ConfigOffset: view.Position, Assigned: share.Assigned, Revoked: share.Revoked, Delay: delay}
	})
}

// shares asks the assignor of the group's protocol.
func (s *membership) shares(said map[string]wire.Metadata, configured cluster.Work) (map[string]assign.Share, time.Duration) {
	if s.eager() {
		ids := make([]string, 0, len(said))
		for id := range said {
			ids = append(ids, id)
		}
		shares := make(map[string]assign.Share, len(ids))
		for id, work := range assign.Eager(ids, configured) {
			shares[id] = assign.Share{Assigned: work, Owned: work}
		}
		return shares, 0
	}
	if s.lead.cooperative == nil {
		s.lead.cooperative = &assign.Cooperative{MaxDelay: s.g.set.maxDelay}
	}
	round := assign.Round{Now: time.Now(), Generation: s.generation, LastCompleted: s.lead.completed, Configured: configured}
	for id, m := range said {
		member := assign.Member{ID: id}
		if m.Allocation != nil {
			member.Owned = m.Allocation.Assigned
		}
		round.Members = append(round.Members, member)
	}
	result := s.lead.cooperative.Assign(round)
	return result.Shares, result.Delay
}

// answer makes one assignment for each member.
func (s *membership) answer(said map[string]wire.Metadata, share func(id string) wire.Assignment) ([]kmsg.SyncGroupRequestGroupAssignment, error) {
	var all []kmsg.SyncGroupRequestGroupAssignment
	for id := range said {
		a := share(id)
		a.Version, a.Leader, a.LeaderURL = s.version, s.id, s.member.URL()
		bytes, err := a.AppendBinary(nil)
		if err != nil {
			return nil, fmt.Errorf("assignment of member %q: %w", id, err)
		}
		one := kmsg.NewSyncGroupRequestGroupAssignment()
		one.MemberID, one.MemberAssignment = id, bytes
		all = append(all, one)
	}
	return all, nil
}
