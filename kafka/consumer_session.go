package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A session is one client of a consumer. A consumer has one after another, for a
// member that left its group because its Poll was overdue joins with a new one.
type session struct {
	client *kgo.Client
	joins  joinWatch
	cancel context.CancelFunc
	// gone is closed when the session is given up.
	gone chan struct{}
	// shut is closed when the client is closed.
	shut    chan struct{}
	closing atomic.Bool    // somebody closes it
	work    sync.WaitGroup // topic discovery
	kick    chan struct{}  // makes discovery look again at once
	dead    []string       // topics that discovery is to forget; guarded by the consumer's mu
}

func (s *session) expired() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// close leaves the group, for at most the life of ctx, and closes the client. It
// may be called more than once; all calls return when the client is closed.
//
// The client's own way to leave would wait for callbacks, and once these return it
// may join again first. So the member leaves behind the client's back, and the
// end of the client's context releases the callbacks.
func (s *session) close(ctx context.Context, group, instance string) {
	if !s.closing.CompareAndSwap(false, true) {
		select {
		case <-s.shut:
		case <-ctx.Done():
			s.cancel() // who closes it has had time enough to leave
			<-s.shut
		}
		return
	}
	defer close(s.shut)
	if group != "" && instance == "" {
		s.goodbye(ctx, group)
	}
	s.cancel()
	s.client.Close()
	s.work.Wait()
}

// open makes a client. That connects to brokers.
func (c *consumer) open() (*session, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{cancel: cancel, gone: make(chan struct{}), shut: make(chan struct{}), kick: make(chan struct{}, 1)}
	opts := append([]kgo.Opt{kgo.WithContext(ctx), kgo.WithHooks(&s.joins)}, c.opts...)
	if c.group != "" {
		opts = append(opts,
			kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, tps map[string][]int32) {
				c.onRevoked(ctx, s, tps, eventRevoked)
			}),
			kgo.OnPartitionsLost(func(ctx context.Context, _ *kgo.Client, tps map[string][]int32) { c.onRevoked(ctx, s, tps, eventLost) }),
			kgo.AdjustFetchOffsetsFn(func(ctx context.Context, o map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
				return c.onAssigned(ctx, s, o)
			}))
	}
	// The client goes on trying when a broker refuses our credentials, for they may
	// change. Java's consumer gives up at once, and so does this one.
	opts = append(opts, kgo.WithLogger(logger{l: c.log, refused: c.fail}))
	c.mu.Lock()
	defer c.mu.Unlock()
	client, err := kgo.NewClient(opts...)
	if err != nil {
		cancel()
		return nil, err
	}
	s.client = client
	for tp, paused := range c.owned {
		if paused {
			client.PauseFetchPartitions(byTopic(tp))
		}
	}
	if c.match != nil {
		s.work.Go(func() { c.discover(ctx, s) })
	}
	c.sess = s
	return s, nil
}

// expire is called when a Poll is overdue (max.poll.interval.ms): like Java's
// consumer, this one leaves its group by itself, so that others can take over.
func (c *consumer) expire() {
	c.mu.Lock()
	s := c.sess
	if c.polling || c.closed || s == nil || s.expired() {
		c.mu.Unlock()
		return
	}
	close(s.gone)
	c.events = nil
	c.mu.Unlock()
	c.log.Warn("no poll within max.poll.interval.ms; leaving the group", "group", c.group, "interval", c.consumer.pollInterval)
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeLimit)
	defer cancel()
	s.close(ctx, c.group, c.consumer.instance)
}

// forfeit tells the user what a session that expired has cost.
func (c *consumer) forfeit(ctx context.Context, s *session, r connect.Rebalance) error {
	select {
	case <-s.shut:
	case <-ctx.Done():
		return nil
	}
	c.mu.Lock()
	c.sess, c.events = nil, nil
	lost := sortedPartitions(c.owned)
	clear(c.owned)
	c.mu.Unlock()
	clear(c.position)
	clear(c.seeks)
	if len(lost) == 0 || r.Lost == nil {
		return nil
	}
	return r.Lost(ctx, lost)
}

// Close leaves the group and closes the client.
func (c *consumer) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	if c.overdue != nil {
		c.overdue.Stop()
	}
	s := c.sess
	c.sess, c.events = nil, nil
	if s != nil && !s.expired() {
		close(s.gone)
	}
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	limit, cancel := context.WithTimeout(ctx, goodbyeLimit)
	defer cancel()
	s.close(limit, c.group, c.consumer.instance)
	return nil
}

// topicGone lets go of a topic that was deleted. The client would ask for it for
// ever. If it comes back, it is a new topic. A consumer that was given partitions
// of the topic has nothing to read any more.
func (c *consumer) topicGone(topic string, err error) {
	if c.group == "" {
		c.fail(fmt.Errorf("topic %q: %w", topic, both{errNoTopic, err}))
		return
	}
	c.mu.Lock()
	s := c.sess
	c.mu.Unlock()
	if s == nil {
		return
	}
	c.log.Warn("topic was deleted", "topic", topic, "group", c.group)
	s.client.PurgeTopicsFromConsuming(topic)
	if c.match == nil {
		s.client.AddConsumeTopics(topic)
		return
	}
	c.mu.Lock()
	s.dead = append(s.dead, topic)
	c.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// discover subscribes to the topics that match, and to those that come later, for
// as long as ctx lives.
func (c *consumer) discover(ctx context.Context, s *session) {
	known := map[string]int{} // topics, with the rounds that they were missing from
	pause := c.conn.backoff
	for {
		if err := c.discoverOnce(ctx, s.client, known); err == nil {
			pause = c.recheck
		} else if mapped := mapError(err); ctx.Err() == nil {
			c.log.Debug("listing topics failed, trying again", "error", err)
			if _, again := connect.RetryAfter(mapped); !again {
				c.fail(fmt.Errorf("list topics: %w", mapped))
			}
			pause = min(max(2*pause, time.Millisecond), c.conn.backoffMax)
		}
		t := time.NewTimer(max(pause, time.Millisecond))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-s.kick:
			t.Stop()
		case <-t.C:
		}
		c.mu.Lock()
		for _, topic := range s.dead {
			delete(known, topic)
		}
		s.dead = nil
		c.mu.Unlock()
	}
}

// missingRounds is how often a topic must be missing before it counts as deleted:
// a broker that has just started does not know all of them.
const missingRounds = 2

func (c *consumer) discoverOnce(ctx context.Context, client *kgo.Client, known map[string]int) error {
	all, err := kadm.NewClient(client).ListTopicsWithInternal(ctx)
	if err != nil {
		return err
	}
	var added, removed []string
	for topic, detail := range all {
		if detail.Err != nil || detail.IsInternal && c.consumer.skipInternal || !c.match(topic) {
			continue
		}
		if _, have := known[topic]; !have {
			added = append(added, topic)
		}
		known[topic] = 0
	}
	for topic := range known {
		if all.Has(topic) {
			continue
		}
		if known[topic]++; known[topic] >= missingRounds {
			removed = append(removed, topic)
			delete(known, topic)
		}
	}
	if len(removed) > 0 {
		client.PurgeTopicsFromConsuming(removed...)
	}
	slices.Sort(added)
	client.AddConsumeTopics(added...)
	return nil
}
