//go:build synctests

package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// inBubble runs f with a broker in a bubble, where time costs nothing. Goroutines
// that are left fail it.
func inBubble(t *testing.T, f func(t *testing.T, b *Broker, c *kfake.Cluster)) {
	synctest.Test(t, func(t *testing.T) {
		var network kfake.VirtualNetwork
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen), kfake.DefaultNumPartitions(1))
		require.NoError(t, err)
		t.Cleanup(c.Close)
		b, err := New(Options{
			Worker: config.Props{"bootstrap.servers": "localhost:9092"}, Logger: testLogger(t), Dial: network.DialContext,
		})
		require.NoError(t, err)
		f(t, b, c)
	})
}

// A member polls, in the goroutine of the test or its own, and writes down what
// its rebalance functions hear.
type member struct {
	*consumer
	t testing.TB

	mu     sync.Mutex
	heard  []string
	values []string
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

func join(t testing.TB, b *Broker, c connect.ConsumerConfig) *member {
	t.Helper()
	con, err := b.consumer(c)
	require.NoError(t, err)
	m := &member{consumer: con, t: t}
	closeLater(t, con)
	return m
}

func (m *member) note(what string) func(context.Context, []connect.TopicPartition) error {
	return func(_ context.Context, tps []connect.TopicPartition) error {
		var parts []string
		for _, tp := range tps {
			parts = append(parts, fmt.Sprintf("%s-%d", tp.Topic, tp.Partition))
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.heard = append(m.heard, what+" "+strings.Join(parts, " "))
		return nil
	}
}

// pollFor polls for a time.
func (m *member) pollFor(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	m.poll(ctx)
}

func (m *member) poll(ctx context.Context) {
	into := make([]connect.Message, 100)
	for ctx.Err() == nil {
		n, err := m.Poll(ctx, into, connect.Rebalance{Assigned: m.note("assigned"), Revoked: m.note("revoked"), Lost: m.note("lost")})
		assert.NoError(m.t, err)
		m.mu.Lock()
		for _, msg := range into[:n] {
			m.values = append(m.values, string(msg.Value))
		}
		m.mu.Unlock()
	}
}

// start polls in the background until pause.
func (m *member) start() {
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	m.ended.Go(func() { m.poll(ctx) })
	m.t.Cleanup(m.halt)
}

func (m *member) halt() {
	m.stop()
	m.ended.Wait()
}

// take returns what was heard since the last take.
func (m *member) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	heard := m.heard
	m.heard = nil
	return heard
}

func (m *member) got() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.values)
}

func group(topics ...string) connect.ConsumerConfig {
	return connect.ConsumerConfig{Group: "group", Topics: topics}
}

// With Java's default, [range, cooperative-sticky], rebalances are eager: all is
// revoked, then all is assigned.
func TestRebalanceEagerInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		makeTopic(t, b, "t", 4, nil)
		first := join(t, b, group("t"))
		first.start()
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"assigned t-0 t-1 t-2 t-3"}, first.take())
		second := join(t, b, group("t"))
		second.start()
		time.Sleep(20 * time.Second)
		heard, joined := first.take(), second.take()
		require.Len(t, heard, 2)
		assert.Equal(t, "revoked t-0 t-1 t-2 t-3", heard[0])
		assert.ElementsMatch(t, []string{"assigned t-0 t-1", "assigned t-2 t-3"}, []string{heard[1], strings.Join(joined, "")})
		second.halt()
		require.NoError(t, second.Close(bounded(t)))
		time.Sleep(20 * time.Second)
		assert.Equal(t, "assigned t-0 t-1 t-2 t-3", first.take()[1], "after the other one has left")
		assert.Empty(t, second.take(), "Close calls no functions")
	})
}

// Cooperative rebalances pass only what changes.
func TestRebalanceCooperativeInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		makeTopic(t, b, "t", 4, nil)
		c := group("t")
		c.Props = config.Props{"partition.assignment.strategy": assignorPackage + "CooperativeStickyAssignor"}
		first := join(t, b, c)
		first.start()
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"assigned t-0 t-1 t-2 t-3"}, first.take())
		second := join(t, b, c)
		second.start()
		time.Sleep(30 * time.Second)
		heard := first.take()
		require.Len(t, heard, 1, "%q", heard)
		moved := strings.TrimPrefix(heard[0], "revoked ")
		assert.Len(t, strings.Fields(moved), 2)
		assert.Equal(t, []string{"assigned " + moved}, second.take())
		p := producerOf(t, b, nil)
		for i := range 4 {
			require.NoError(t, sendOne(t, p, connect.Message{TopicPartition: at("t", i), Value: fmt.Append(nil, i)}).err)
		}
		time.Sleep(5 * time.Second)
		assert.Len(t, first.got(), 2)
		assert.Len(t, second.got(), 2)
	})
}

// A member whose poll is overdue leaves the group by itself; with its next poll
// it hears what it has lost, and joins again.
func TestPollOverdueInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		makeTopic(t, b, "t", 2, nil)
		slow := join(t, b, group("t"))
		slow.pollFor(10 * time.Second)
		assert.Equal(t, []string{"assigned t-0 t-1"}, slow.take())
		other := join(t, b, group("t"))
		other.start()
		time.Sleep(4 * time.Minute) // the slow one is asked to rebalance, and does not poll
		assert.Empty(t, other.take())
		time.Sleep(2 * time.Minute) // max.poll.interval.ms is 5 minutes
		assert.Equal(t, []string{"assigned t-0 t-1"}, other.take())
		err := slow.Commit(bounded(t), connect.Offsets{at("t", 0): 1})
		assert.ErrorIs(t, err, connect.ErrRevoked)
		slow.pollFor(time.Minute)
		heard := slow.take()
		require.Len(t, heard, 2, "%q", heard)
		assert.Equal(t, "lost t-0 t-1", heard[0])
		assert.Regexp(t, "^assigned t-.$", heard[1])
	})
}

// A consumer that leaves because its poll is overdue may be closed meanwhile, in
// the time that Close has.
func TestCloseWhileOverdueInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
		makeTopic(t, b, "t", 1, nil)
		m := join(t, b, group("t"))
		m.pollFor(10 * time.Second)
		c.ControlKey(int16(kmsg.LeaveGroup), func(kmsg.Request) (kmsg.Response, error, bool) { return nil, nil, true })
		time.Sleep(5*time.Minute + time.Second) // max.poll.interval.ms, and some: no answer yet
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, m.Close(ctx))
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// A producer that has used up its time closes at once, though brokers do not answer.
func TestProducerClosesInTimeInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
		makeTopic(t, b, "t", 1, nil)
		p, err := b.producer(connect.ClientConfig{ClientID: "test"})
		require.NoError(t, err)
		book := newAckBook(1)
		msg := []connect.Message{{TopicPartition: at("t", 0), Value: []byte("v")}}
		require.NoError(t, p.Send(t.Context(), msg, book))
		time.Sleep(10 * time.Minute) // metrics are pushed now and then
		c.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			return nil, nil, true // no answer
		})
		require.NoError(t, p.Send(t.Context(), msg, newAckBook(1)))
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// Between polls nothing is done but heartbeats, for as long as the next poll is
// not overdue.
// A group that has gone on without its member is joined again: what the member had
// is lost, and it goes on.
func TestGroupGoesOnWithoutMemberInBubble(t *testing.T) {
	for _, refusal := range []*kerr.Error{kerr.UnknownMemberID, kerr.IllegalGeneration} {
		inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
			makeTopic(t, b, "t", 1, nil)
			m := join(t, b, group("t"))
			m.pollFor(10 * time.Second)
			require.Equal(t, []string{"assigned t-0"}, m.take())
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: refusal})
			m.pollFor(time.Minute)
			require.Equal(t, []string{"lost t-0", "assigned t-0"}, m.take(), refusal.Message)
		})
	}
}

// A member that may not join fails at once.
func TestGroupRefusesMemberInBubble(t *testing.T) {
	for _, refusal := range []*kerr.Error{kerr.GroupAuthorizationFailed, kerr.GroupMaxSizeReached, kerr.InconsistentGroupProtocol} {
		inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
			makeTopic(t, b, "t", 1, nil)
			m := join(t, b, group("t"))
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: refusal})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := m.Poll(ctx, make([]connect.Message, 1), connect.Rebalance{})
			require.ErrorIs(t, err, refusal)
		})
	}
}

func TestRebalanceWaitsForPollInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		makeTopic(t, b, "t", 2, nil)
		first := join(t, b, group("t"))
		first.pollFor(10 * time.Second)
		first.take()
		second := join(t, b, group("t"))
		second.start()
		time.Sleep(time.Minute)
		assert.Empty(t, first.take())
		require.NoError(t, first.Commit(bounded(t), connect.Offsets{at("t", 0): 1}), "the member still owns its partitions")
		first.pollFor(time.Minute)
		assert.Equal(t, "revoked t-0 t-1", first.take()[0])
		assert.Len(t, second.take(), 1)
	})
}

// A consumer closes at once, though a callback waits for a poll that does not
// come.
func TestCloseDuringRebalanceInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		makeTopic(t, b, "t", 2, nil)
		first := join(t, b, group("t"))
		first.pollFor(10 * time.Second)
		second := join(t, b, group("t"))
		second.start()
		time.Sleep(30 * time.Second)
		before := time.Now()
		require.NoError(t, first.Close(bounded(t)))
		assert.Less(t, time.Since(before), 2*time.Second)
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"assigned t-0 t-1"}, second.take())
		_, err := first.Poll(t.Context(), make([]connect.Message, 1), connect.Rebalance{})
		assert.ErrorIs(t, err, ErrClosed)
	})
}

func TestMatchFollowsTopicsInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
		makeTopic(t, b, "in-1", 1, nil)
		makeTopic(t, b, "out", 1, nil)
		conf := connect.ConsumerConfig{Group: "group", Match: func(topic string) bool { return strings.HasPrefix(topic, "in-") }}
		conf.Props = config.Props{"metadata.max.age.ms": "5000"}
		m := join(t, b, conf)
		m.start()
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"assigned in-1-0"}, m.take())
		makeTopic(t, b, "in-2", 2, nil)
		time.Sleep(15 * time.Second)
		heard := m.take()
		assert.Equal(t, []string{"revoked in-1-0", "assigned in-1-0 in-2-0 in-2-1"}, heard, "within metadata.max.age.ms")
		require.NoError(t, c.DeleteTopic("in-1"))
		time.Sleep(30 * time.Second)
		heard = m.take()
		require.NotEmpty(t, heard)
		assert.Equal(t, "assigned in-2-0 in-2-1", heard[len(heard)-1])
	})
}

// A topic that is deleted is given up, and read anew if it comes back.
func TestTopicRecreatedInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
		makeTopic(t, b, "kept", 1, nil)
		makeTopic(t, b, "t", 1, nil)
		fetches := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Observe: true, Count: -1, TopLevel: true})
		m := join(t, b, group("kept", "t"))
		m.start()
		p := producerOf(t, b, nil)
		require.NoError(t, sendOne(t, p, message("t", "old")).err)
		time.Sleep(10 * time.Second)
		require.NoError(t, c.DeleteTopic("t"))
		before := fetches.Hits()
		time.Sleep(time.Minute)
		assert.Less(t, fetches.Hits()-before, 500, "fetches in a minute: no hot loop")
		require.NoError(t, c.CreateTopic("t", 1, nil))
		require.NoError(t, sendOne(t, producerOf(t, b, config.Props{"client.id": "other"}), message("t", "new")).err)
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"old", "new"}, m.got())
	})
}

// No topic matches at first: the consumer waits, and does not fail.
func TestMatchNothingYetInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		m := join(t, b, connect.ConsumerConfig{Group: "group", Match: func(topic string) bool { return topic == "late" }})
		m.start()
		time.Sleep(time.Minute)
		makeTopic(t, b, "late", 1, nil)
		time.Sleep(6 * time.Minute) // metadata.max.age.ms is 5 minutes
		assert.Equal(t, []string{"assigned late-0"}, m.take())
	})
}

// A seek right after the poll that assigned the partitions takes effect, although
// the client has not begun to read them.
func TestSeekAfterAssignmentInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		makeTopic(t, b, "t", 1, nil)
		book := newAckBook(10)
		require.NoError(t, producerOf(t, b, nil).Send(bounded(t), make10("t"), book))
		book.once(t)
		c, err := b.consumer(group("t"))
		require.NoError(t, err)
		closeLater(t, c)
		into := make([]connect.Message, 10)
		assigned := errors.New("assigned")
		_, err = c.Poll(bounded(t), into, connect.Rebalance{Assigned: func(context.Context, []connect.TopicPartition) error { return assigned }})
		require.ErrorIs(t, err, assigned)
		require.NoError(t, c.Seek(connect.Offsets{at("t", 0): 6}))
		next, err := c.Position(bounded(t), at("t", 0))
		require.NoError(t, err)
		assert.Equal(t, connect.Offsets{at("t", 0): 6}, next)
		got := pollN(t, c, 4)
		assert.Equal(t, "6", string(got[0].Value))
		assert.Len(t, got, 4)
	})
}

// A partition that comes back is not paused.
func TestPauseEndsWithAssignmentInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
		makeTopic(t, b, "t", 2, nil)
		first := join(t, b, group("t"))
		first.pollFor(5 * time.Second)
		first.Pause(at("t", 0), at("t", 1))
		second := join(t, b, group("t"))
		second.start()
		first.pollFor(20 * time.Second)
		second.halt()
		require.NoError(t, second.Close(bounded(t)))
		first.pollFor(20 * time.Second)
		p := producerOf(t, b, nil)
		for i := range 2 {
			require.NoError(t, sendOne(t, p, connect.Message{TopicPartition: at("t", i), Value: []byte("v")}).err)
		}
		first.pollFor(5 * time.Second)
		assert.Len(t, first.got(), 2)
	})
}

func TestResetInGroupInBubble(t *testing.T) {
	for reset, want := range map[string]string{"earliest": "old new", "latest": "new", "by_duration:PT1H": "old new", "by_duration:PT1M": "new"} {
		t.Run(reset, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
				makeTopic(t, b, "t", 1, nil)
				p := producerOf(t, b, nil)
				require.NoError(t, sendOne(t, p, message("t", "old")).err)
				time.Sleep(10 * time.Minute)
				c := group("t")
				c.Props = config.Props{"auto.offset.reset": reset}
				m := join(t, b, c)
				m.pollFor(10 * time.Second)
				require.NoError(t, sendOne(t, p, message("t", "new")).err)
				m.pollFor(10 * time.Second)
				assert.Equal(t, want, strings.Join(m.got(), " "))
			})
		})
	}
	t.Run("none", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *Broker, _ *kfake.Cluster) {
			makeTopic(t, b, "t", 1, nil)
			c := group("t")
			c.Props = config.Props{"auto.offset.reset": "none"}
			m := join(t, b, c)
			_, err := m.Poll(bounded(t), make([]connect.Message, 1), connect.Rebalance{})
			assert.ErrorIs(t, err, connect.ErrOutOfRange)
		})
	})
}

// The broker is down when the consumer starts, and comes up later.
func TestBrokerDownAtStartInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network kfake.VirtualNetwork
		dial := func(ctx context.Context, proto, host string) (net.Conn, error) {
			conn, err := network.DialContext(ctx, proto, host)
			if err != nil {
				err = &net.OpError{Op: "dial", Net: proto, Err: err} // as a network that is not virtual does
			}
			return conn, err
		}
		b, err := New(Options{Worker: config.Props{"bootstrap.servers": "localhost:9092"}, Logger: testLogger(t), Dial: dial})
		require.NoError(t, err)
		m := join(t, b, group("t"))
		m.start()
		p := producerOf(t, b, config.Props{"delivery.timeout.ms": "2147483647", "max.block.ms": "9223372036854775807"})
		book := newAckBook(1)
		require.NoError(t, p.Send(bounded(t), []connect.Message{message("t", "early")}, book))
		time.Sleep(time.Hour)
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen), kfake.SeedTopics(1, "t"))
		require.NoError(t, err)
		t.Cleanup(c.Close)
		time.Sleep(5 * time.Minute)
		book.once(t)
		assert.NoError(t, book.last[0].err)
		assert.Equal(t, []string{"early"}, m.got())
	})
}

// An idle consumer or producer costs nothing before its first use.
func TestUnusedClientsCostNothingInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := New(Options{Dial: (&kfake.VirtualNetwork{}).DialContext, Logger: testLogger(t)})
		require.NoError(t, err)
		_, err = b.Producer(t.Context(), connect.ClientConfig{})
		require.NoError(t, err)
		_, err = b.Consumer(t.Context(), group("t"))
		require.NoError(t, err)
		_, err = b.Admin(t.Context(), connect.ClientConfig{})
		require.NoError(t, err)
	}) // a goroutine of one of them would fail the bubble
}
