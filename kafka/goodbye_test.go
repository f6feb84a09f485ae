//go:build synctests

package kafka

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A consumer that is closed while it joins leaves as well: the broker would wait for
// a member that never comes, for the time of a session, and the others with it.
func TestCloseWhileJoiningInBubble(t *testing.T) {
	for name, at := range map[string]time.Duration{
		"before the group has an id for it": 500 * time.Millisecond,
		"while it joins with its id":        1500 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
				makeTopic(t, b, "t", 4, nil)
				first := join(t, b, group("t"))
				first.start()
				time.Sleep(10 * time.Second)
				require.Equal(t, []string{"assigned t-0 t-1 t-2 t-3"}, first.take())

				left := slowJoins(c)
				second := join(t, b, group("t"))
				second.pollFor(at)
				began := time.Now()
				require.NoError(t, second.Close(t.Context()))
				assert.LessOrEqual(t, time.Since(began), time.Second, "no longer than it takes to join")
				time.Sleep(5 * time.Second)
				synctest.Wait()
				assert.Len(t, left(), 1, "the member has left")
			})
		})
	}
}

// slowJoins makes the cluster, in a bubble, take a second to answer each request to join a group.
// It returns a function that says who has left.
func slowJoins(c *kfake.Cluster) (left func() []string) {
	c.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { time.Sleep(time.Second) })
		return nil, nil, false
	})
	var mu sync.Mutex
	var ids []string
	c.ControlKey(int16(kmsg.LeaveGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		for _, m := range req.(*kmsg.LeaveGroupRequest).Members {
			ids = append(ids, m.MemberID)
		}
		return nil, nil, false
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return ids
	}
}
