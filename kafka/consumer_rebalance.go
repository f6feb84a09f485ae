package kafka

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// eventKind says which rebalance function an event calls.
type eventKind uint8

const (
	eventAssigned eventKind = iota
	eventRevoked
	eventLost
)

// An event carries a callback from the client's goroutine, which waits, to the
// next Poll, on whose goroutine the user's function runs.
type event struct {
	kind eventKind
	tps  []connect.TopicPartition
	// start holds the offsets from which assigned partitions go on. Seek changes
	// them while the function runs.
	start connect.Offsets
	taken bool          // a Poll is at it; guarded by the consumer's mu
	done  chan struct{} // closed when the function has returned
}

// hand gives an event to the next Poll and waits for it. It reports false if the
// event was withdrawn: ctx, which ends with the session, ended before a Poll took
// it.
func (c *consumer) hand(ctx context.Context, s *session, e *event) bool {
	c.mu.Lock()
	if !c.closed && !s.expired() {
		c.events = append(c.events, e)
		c.nudge()
	}
	c.mu.Unlock()
	select {
	case <-e.done:
		return true
	case <-ctx.Done():
	}
	c.mu.Lock()
	taken := e.taken
	if !taken {
		c.events = slices.DeleteFunc(c.events, func(other *event) bool { return other == e })
	}
	c.mu.Unlock()
	if taken {
		<-e.done // the function is at work, and its say counts
	}
	return taken
}

// rebalance runs the functions of all events that wait.
func (c *consumer) rebalance(ctx context.Context, r connect.Rebalance) error {
	for {
		c.mu.Lock()
		if len(c.events) == 0 {
			c.mu.Unlock()
			return nil
		}
		e := c.events[0]
		c.events = c.events[1:]
		e.taken = true
		c.running = e
		c.mu.Unlock()
		err := c.run(ctx, r, e)
		c.mu.Lock()
		c.running = nil
		c.mu.Unlock()
		close(e.done)
		if err != nil {
			return err
		}
	}
}

// run does the work of one event.
func (c *consumer) run(ctx context.Context, r connect.Rebalance, e *event) error {
	call := r.Assigned
	switch e.kind {
	case eventAssigned:
		e.tps = c.take(e.tps, e.start)
	case eventRevoked:
		e.tps, call = c.held(e.tps), r.Revoked
	case eventLost:
		e.tps, call = c.held(e.tps), r.Lost
	}
	var err error
	if call != nil && len(e.tps) > 0 {
		err = call(ctx, e.tps)
	}
	if e.kind != eventAssigned {
		c.drop(e.tps)
	}
	return err
}

// take enters partitions as ours and returns those that were not.
func (c *consumer) take(tps []connect.TopicPartition, start connect.Offsets) []connect.TopicPartition {
	c.mu.Lock()
	defer c.mu.Unlock()
	var added []connect.TopicPartition
	for _, tp := range tps {
		if _, have := c.owned[tp]; have {
			start[tp] = c.position[tp] // the assignment was interrupted on the client's side
			continue
		}
		c.owned[tp] = false
		c.position[tp] = start[tp]
		added = append(added, tp)
	}
	return added
}

// held returns those of the partitions that the user was told of.
func (c *consumer) held(tps []connect.TopicPartition) []connect.TopicPartition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(tps, func(tp connect.TopicPartition) bool {
		_, have := c.owned[tp]
		return !have
	})
}

// drop forgets partitions. One that comes back comes back unpaused, as in Java.
func (c *consumer) drop(tps []connect.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range tps {
		if c.owned[tp] && c.sess != nil {
			c.sess.client.ResumeFetchPartitions(byTopic(tp))
		}
		delete(c.owned, tp)
		delete(c.position, tp)
		delete(c.seeks, tp)
	}
}

// onRevoked is the client's callback for partitions that go away.
func (c *consumer) onRevoked(ctx context.Context, s *session, parts map[string][]int32, kind eventKind) {
	if tps := partitionsOf(parts); len(tps) > 0 {
		c.hand(ctx, s, &event{kind: kind, tps: tps, done: make(chan struct{})})
	}
}

// onAssigned is the client's callback between the fetch of committed offsets and
// the first fetch of records, so that the user's function can ask for positions
// and seek. All offsets are made definite here: the client can seek only what has
// one.
func (c *consumer) onAssigned(ctx context.Context, s *session, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	c.mu.Lock() // held while the session opens, which may take longer than to be assigned
	client := s.client
	c.mu.Unlock()
	start, err := c.starts(ctx, client, offsets)
	if err != nil {
		return nil, err
	}
	e := &event{kind: eventAssigned, tps: sortedPartitions(start), start: start, done: make(chan struct{})}
	if len(e.tps) > 0 && !c.hand(ctx, s, e) {
		return nil, errWithdrawn(ctx)
	}
	out := map[string]map[int32]kgo.Offset{}
	for tp, offset := range e.start {
		if out[tp.Topic] == nil {
			out[tp.Topic] = map[int32]kgo.Offset{}
		}
		at := kgo.NewOffset().At(offset)
		if was := offsets[tp.Topic][tp.Partition].EpochOffset(); was.Offset == offset {
			at = at.WithEpoch(was.Epoch) // lets the client notice a log that was cut
		}
		out[tp.Topic][tp.Partition] = at
	}
	return out, nil
}

func errWithdrawn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Canceled
}

// starts gives every partition an offset: the committed one, or that of
// auto.offset.reset.
func (c *consumer) starts(ctx context.Context, client *kgo.Client, offsets map[string]map[int32]kgo.Offset) (connect.Offsets, error) {
	start := connect.Offsets{}
	without := map[string][]int32{}
	for topic, parts := range offsets {
		for p, o := range parts {
			if at := o.EpochOffset().Offset; at >= 0 {
				start[connect.TopicPartition{Topic: topic, Partition: p}] = at
				continue
			}
			without[topic] = append(without[topic], p)
		}
	}
	if len(without) == 0 {
		return start, nil
	}
	policy, err := parseReset(c.consumer.reset)
	if err != nil {
		return nil, err
	}
	if policy.kind == resetNone {
		c.fail(fmt.Errorf("%w: group %q has no offset for %v and auto.offset.reset is none",
			connect.ErrOutOfRange, c.group, partitionsOf(without)))
		return start, nil
	}
	listed, err := c.list(ctx, client, policy, slices.Collect(maps.Keys(without)))
	if err != nil {
		return nil, err
	}
	for topic, parts := range without {
		for _, p := range parts {
			o, ok := listed.Lookup(topic, p)
			if !ok || o.Err != nil {
				return nil, fmt.Errorf("offsets of topic %q partition %d: %w", topic, p, cmp.Or(o.Err, errNoAnswer))
			}
			start[connect.TopicPartition{Topic: topic, Partition: p}] = o.Offset
		}
	}
	return start, nil
}

// list asks for the offsets of a reset policy.
func (c *consumer) list(ctx context.Context, client *kgo.Client, policy reset, topics []string) (kadm.ListedOffsets, error) {
	adm := kadm.NewClient(client)
	switch {
	case policy.kind == resetAgo:
		return adm.ListOffsetsAfterMilli(ctx, time.Now().Add(-policy.ago).UnixMilli(), topics...)
	case policy.kind == resetLatest && c.consumer.isolation == "read_committed":
		return adm.ListCommittedOffsets(ctx, topics...)
	case policy.kind == resetLatest:
		return adm.ListEndOffsets(ctx, topics...)
	}
	return adm.ListStartOffsets(ctx, topics...)
}

// byTopic is tps in the form that the client takes.
func byTopic(tps ...connect.TopicPartition) map[string][]int32 {
	m := map[string][]int32{}
	for _, tp := range tps {
		m[tp.Topic] = append(m[tp.Topic], tp.Partition)
	}
	return m
}

// partitionsOf is the reverse of byTopic, sorted.
func partitionsOf(m map[string][]int32) []connect.TopicPartition {
	var tps []connect.TopicPartition
	for topic, parts := range m {
		for _, p := range parts {
			tps = append(tps, connect.TopicPartition{Topic: topic, Partition: p})
		}
	}
	slices.SortFunc(tps, comparePartitions)
	return tps
}

func sortedPartitions[V any](m map[connect.TopicPartition]V) []connect.TopicPartition {
	return slices.SortedFunc(maps.Keys(m), comparePartitions)
}

func comparePartitions(a, b connect.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
