package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var errNoAnswer = errors.New("the broker did not answer for it")

// Seek sets the next offsets of assigned partitions.
func (c *consumer) Seek(next connect.Offsets) error {
	c.mu.Lock()
	for tp, offset := range next {
		if _, have := c.owned[tp]; !have {
			c.mu.Unlock()
			return fmt.Errorf("seek topic %q partition %d: %w: it is not assigned", tp.Topic, tp.Partition, connect.ErrRevoked)
		}
		if offset < 0 {
			c.mu.Unlock()
			return fmt.Errorf("seek topic %q partition %d: offset %d is negative", tp.Topic, tp.Partition, offset)
		}
	}
	running, s := c.running, c.sess
	c.mu.Unlock()
	for tp, offset := range next {
		c.position[tp] = offset
		if running != nil && running.kind == eventAssigned {
			if _, starts := running.start[tp]; starts {
				running.start[tp] = offset
				continue
			}
		}
		c.seeks[tp] = offset
	}
	if s != nil {
		c.seekAgain(s)
	}
	return nil
}

// seekAgain passes seeks to the client. A group's member does not take one for a
// partition whose assignment is still on its way, and does not say so: such a
// seek is tried again by the next Poll, and records of the partition do not count
// until it is taken.
func (c *consumer) seekAgain(s *session) {
	if len(c.seeks) == 0 {
		return
	}
	if c.group == "" {
		again := map[string]map[int32]kgo.Offset{}
		for tp, offset := range c.seeks {
			if again[tp.Topic] == nil {
				again[tp.Topic] = map[int32]kgo.Offset{}
			}
			again[tp.Topic][tp.Partition] = kgo.NewOffset().At(offset)
		}
		s.client.RemoveConsumePartitions(byTopic(sortedPartitions(c.seeks)...))
		s.client.AddConsumePartitions(again)
		clear(c.seeks)
		return
	}
	s.client.SetOffsets(epochOffsets(c.seeks))
	set := s.client.CommittedOffsets() // what the client holds, which SetOffsets changes as well
	for tp, offset := range c.seeks {
		if o, ok := set[tp.Topic][tp.Partition]; ok && o.Offset == offset {
			delete(c.seeks, tp)
		}
	}
}

func epochOffsets(o connect.Offsets) map[string]map[int32]kgo.EpochOffset {
	m := map[string]map[int32]kgo.EpochOffset{}
	for tp, offset := range o {
		if m[tp.Topic] == nil {
			m[tp.Topic] = map[int32]kgo.EpochOffset{}
		}
		m[tp.Topic][tp.Partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	return m
}

// Pause stops delivery of those of the partitions that are assigned.
func (c *consumer) Pause(tps ...connect.TopicPartition) { c.setPaused(tps, true) }

// Resume continues delivery.
func (c *consumer) Resume(tps ...connect.TopicPartition) { c.setPaused(tps, false) }

func (c *consumer) setPaused(tps []connect.TopicPartition, paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var changed []connect.TopicPartition
	for _, tp := range tps {
		if was, have := c.owned[tp]; have && was != paused {
			c.owned[tp] = paused
			changed = append(changed, tp)
		}
	}
	if len(changed) == 0 || c.sess == nil {
		return
	}
	if paused {
		c.sess.client.PauseFetchPartitions(byTopic(changed...))
		return
	}
	c.sess.client.ResumeFetchPartitions(byTopic(changed...))
}

// Position returns the next offsets to be delivered.
func (c *consumer) Position(ctx context.Context, tps ...connect.TopicPartition) (connect.Offsets, error) {
	out := connect.Offsets{}
	unknown := map[string][]int32{}
	for _, tp := range tps {
		c.mu.Lock()
		_, have := c.owned[tp]
		c.mu.Unlock()
		if !have {
			return nil, fmt.Errorf("position of topic %q partition %d: %w: it is not assigned", tp.Topic, tp.Partition, connect.ErrRevoked)
		}
		if at, ok := c.position[tp]; ok {
			out[tp] = at
			continue
		}
		unknown[tp.Topic] = append(unknown[tp.Topic], tp.Partition)
	}
	if len(unknown) == 0 {
		return out, nil
	}
	// Only partitions that were assigned by hand, from their earliest offset.
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	limit, cancel := context.WithTimeout(ctx, c.apiLimit)
	defer cancel()
	for topic, parts := range unknown {
		listed, err := kadm.NewClient(s.client).ListStartOffsets(limit, topic)
		if err != nil {
			return nil, fmt.Errorf("position of topic %q: %w", topic, mapError(err))
		}
		for _, p := range parts {
			o, ok := listed.Lookup(topic, p)
			if !ok || o.Err != nil {
				return nil, fmt.Errorf("position of topic %q partition %d: %w", topic, p, mapError(cmp.Or(o.Err, errNoAnswer)))
			}
			tp := connect.TopicPartition{Topic: topic, Partition: p}
			out[tp], c.position[tp] = o.Offset, o.Offset
		}
	}
	return out, nil
}

// session returns the present session, opened if need be.
func (c *consumer) session() (*session, error) {
	c.mu.Lock()
	s, closed := c.sess, c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case s != nil:
		return s, nil
	}
	return c.open()
}

// Commit stores offsets in the group. It fails with ErrRevoked if this consumer
// is no member (any more).
func (c *consumer) Commit(ctx context.Context, o connect.Offsets) error {
	if len(o) == 0 {
		return nil
	}
	if c.group == "" {
		return errors.New("commit offsets: the consumer has no group")
	}
	c.mu.Lock()
	s := c.sess
	c.mu.Unlock()
	if s == nil || s.expired() {
		return fmt.Errorf("commit offsets of group %q: %w: not a member", c.group, connect.ErrRevoked)
	}
	limit, cancel := context.WithTimeout(ctx, c.apiLimit)
	defer cancel()
	var result error
	s.client.CommitOffsetsSync(limit, epochOffsets(o), func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		result = commitError(resp, err)
	})
	if result == nil {
		return nil
	}
	if ctx.Err() != nil {
		result = context.Cause(ctx)
	}
	return fmt.Errorf("commit offsets of group %q: %w", c.group, mapError(result))
}

// commitError is the first error of a commit.
func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil || resp == nil {
		return err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("topic %q partition %d: %w", t.Topic, p.Partition, err)
			}
		}
	}
	return nil
}

// Token is the proof of membership. Its member is empty outside a group.
func (c *consumer) Token() connect.GroupToken {
	t := connect.GroupToken{Group: c.group, Generation: -1, InstanceID: c.consumer.instance}
	c.mu.Lock()
	s := c.sess
	c.mu.Unlock()
	if s != nil {
		t.MemberID, t.Generation = s.client.GroupMetadata()
	}
	return t
}

// Wake ends a running Poll, or the next one.
func (c *consumer) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = true
	c.nudge()
}
