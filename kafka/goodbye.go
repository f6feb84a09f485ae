package kafka

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// goodbyeLimit is how long a member tries to tell its group that it leaves.
	goodbyeLimit = 5 * time.Second
	// joinEcho is how long an answer to a request to join may take from the
	// connection to the client's state.
	joinEcho = 100 * time.Millisecond
)

// goodbye tells the group that its member leaves. A member that cannot is missed
// after its session; static ones are meant to be.
func (s *session) goodbye(ctx context.Context, group string) {
	left := ""
	for {
		id := s.memberID(ctx)
		if id == "" || id == left { // it may have got another one meanwhile
			return
		}
		left = id
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID, member.Reason = id, kmsg.StringPtr("the consumer is closed, or its poll overdue")
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group, req.MemberID, req.Members = group, id, []kmsg.LeaveGroupRequestMember{member}
		if _, err := req.RequestWith(ctx, s.client); err != nil {
			return
		}
	}
}

// memberID returns the id of the client's member; empty if it has none. While the
// client waits for one, it waits too: the broker would take a member whose id
// nobody knows for one that is about to join, and hold up the others for the time
// of a session.
func (s *session) memberID(ctx context.Context) string {
	for pause := time.Millisecond; ; pause *= 2 {
		id, _ := s.client.GroupMetadata()
		if id != "" || !s.joins.pending() || sleep(ctx, pause) != nil {
			return id
		}
	}
}

// joinWatch is a hook of a client that tells whether the client may hear of a new
// member id.
type joinWatch struct {
	waiting  atomic.Int32 // requests without an answer
	answered atomic.Int64 // when the last answer came, in nanoseconds
}

var (
	_ kgo.HookBrokerWrite = (*joinWatch)(nil)
	_ kgo.HookBrokerE2E   = (*joinWatch)(nil)
)

// OnBrokerWrite hears of requests.
func (j *joinWatch) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.JoinGroup) && err == nil {
		j.waiting.Add(1)
	}
}

// OnBrokerE2E hears of answers, and of requests that could not be written.
func (j *joinWatch) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if key == int16(kmsg.JoinGroup) && e2e.WriteErr == nil {
		j.answered.Store(time.Now().UnixNano())
		j.waiting.Add(-1)
	}
}

func (j *joinWatch) pending() bool {
	return j.waiting.Load() > 0 || time.Since(time.Unix(0, j.answered.Load())) < joinEcho
}
