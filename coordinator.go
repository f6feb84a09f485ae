package connect

import (
	"context"
	"iter"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// A Protocol is a version of Connect's group protocol.
type Protocol int8

// The protocols of Kafka Connect's worker groups.
const (
	// ProtocolEager revokes everything before each join ("default").
	ProtocolEager Protocol = iota
	// ProtocolCompatible is incremental and cooperative (KIP-415).
	ProtocolCompatible
	// ProtocolSessioned also signs requests between workers (KIP-507).
	ProtocolSessioned
)

// A Coordinator divides the work among the workers of a cluster. Alone is the
// one for a single worker; package kafka has the one for a group.
type Coordinator interface {
	// Assignments yields what the worker shall run. When the loop asks for the
	// next item, its body has stopped what was revoked: finishing the body is
	// the acknowledgement of a cooperative revocation.
	//
	// Heartbeats never run in the body. Eager revocation is an item of its own
	// before the join; a lost session is an item with Lost. When ctx ends one
	// last item revokes everything, and the group is left after its body
	// returned. Transient errors are retried inside; a yielded error is final.
	Assignments(ctx context.Context, m Member) iter.Seq2[Assignment, error]
	// Rejoin asks for a new assignment, because the configuration changed or
	// for the reason given.
	Rejoin(reason string)
}

// A Member is the Runtime as its Coordinator sees it. Its methods are safe for
// concurrent use.
type Member interface {
	// URL of the worker's REST interface; empty without one.
	URL() string
	// Position is the offset after the last config record that could be read, see
	// cluster.Fold; -1: none.
	Position() int64
	// Owned is what the worker runs.
	Owned() cluster.Work
	// View returns the cluster's configuration once Position has reached
	// atLeast, for the leader's assignor, and for workers that have been assigned
	// by more than they have read.
	View(ctx context.Context, atLeast int64) (cluster.View, error)
	// CatchUp returns when the worker has read all that is in the config log now.
	CatchUp(ctx context.Context) error
	// Settle returns when what is being stopped has stopped, or was abandoned.
	// Tasks whose set has changed stop at once, and their successors wait for
	// an assignment of all workers: a worker that calls Settle before it joins,
	// heartbeats running, keeps the two apart.
	Settle(ctx context.Context)
}

// An Assignment is what a Coordinator wants of its worker.
type Assignment struct {
	Generation int32
	// MemberID is the worker's own, Leader the leader's.
	MemberID, Leader, LeaderURL string
	Protocol                    Protocol
	// Position of the config log that the leader assigned by. A Coordinator with
	// other workers yields an assignment when this one has read as much. Zero: it
	// is not known, and all workers are taken to have read everything.
	Position int64
	// Behind says that the leader lags: catch up with Position, ask again.
	Behind bool
	// Revoked is to be stopped, Added to be started.
	Revoked, Added cluster.Work
	// Owners says, to the leader alone, what each worker runs, by the URL of its
	// REST interface.
	Owners map[string]cluster.Work
	// Lost says that the place in the group is lost, and the lead with it, and
	// that Revoked was taken without consent: stop, commit nothing, write no
	// status.
	Lost bool
}

// IsLeader reports whether the worker leads its group.
func (a Assignment) IsLeader() bool { return a.MemberID != "" && a.MemberID == a.Leader }

// Peers reaches the other workers of a cluster, for what only the leader may do
// and no user has asked for. Package rest has the one over HTTP. It is safe for
// concurrent use.
type Peers interface {
	// PutTaskConfigs has the leader call Runtime.PutTaskConfigs. The body of the
	// request is to be signed.
	PutTaskConfigs(ctx context.Context, leaderURL, connector string, tasks []config.Props, sign Signer) error
}

// A Signer signs the body of a request between workers; see
// Runtime.SignInternal.
type Signer func(body []byte) (authorization, algorithm string, err error)

// Alone returns the Coordinator of a single worker, which leads itself and runs
// all there is. It is what a nil Options.Coordinator means. It serves one
// Runtime.
func Alone() Coordinator { return &alone{rejoin: make(chan struct{}, 1)} }

type alone struct{ rejoin chan struct{} }

func (a *alone) Rejoin(string) {
	select {
	case a.rejoin <- struct{}{}:
	default:
	}
}

func (a *alone) Assignments(ctx context.Context, m Member) iter.Seq2[Assignment, error] {
	base := Assignment{MemberID: "alone", Leader: "alone", LeaderURL: m.URL(), Protocol: ProtocolSessioned}
	return func(yield func(Assignment, error) bool) {
		for ctx.Err() == nil {
			view, err := m.View(ctx, 0)
			if err != nil {
				break // View fails with its context only
			}
			all, owned := view.Work(), m.Owned()
			next := base
			next.Position = view.Position
			next.Revoked, next.Added = owned.Minus(all), all.Minus(owned)
			if !yield(next, nil) {
				return
			}
			select {
			case <-ctx.Done():
			case <-a.rejoin:
			}
		}
		last := base
		last.Revoked = m.Owned()
		yield(last, nil)
	}
}
