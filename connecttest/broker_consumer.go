package connecttest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/streamlane/connect"
)

// consumer is a connect.Consumer of a Broker. Its fields are guarded by
// Broker.mu.
type consumer struct {
	b             *Broker
	group         string // empty: assigned by hand
	member        *member
	positions     connect.Offsets // of what it is assigned; -1: not known yet
	paused        map[connect.TopicPartition]bool
	order         []connect.TopicPartition // in which partitions are served
	reset         string
	committedOnly bool
	woken, closed bool
}

func newConsumer(b *Broker, c connect.ConsumerConfig) (*consumer, error) {
	k := &consumer{b: b, group: c.Group, positions: make(connect.Offsets), paused: make(map[connect.TopicPartition]bool), reset: "earliest"}
	if reset, ok := c.Props.Get("auto.offset.reset"); ok {
		k.reset = reset
	}
	if !slices.Contains([]string{"earliest", "latest", "none"}, k.reset) {
		return nil, fmt.Errorf("auto.offset.reset: found %q, want earliest, latest or none: %w", k.reset, connect.ErrBadRequest)
	}
	level, _ := c.Props.Get("isolation.level")
	k.committedOnly = level == "read_committed"
	if c.Group != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.members++
		k.member = &member{id: fmt.Sprintf("member-%04d", b.members), topics: slices.Clone(c.Topics), match: c.Match}
		return k, nil
	}
	for tp, offset := range c.Assign {
		k.assign(tp, max(offset, -1))
	}
	slices.SortFunc(k.order, compareTPs)
	if len(k.order) == 0 {
		return nil, fmt.Errorf("consumer: %w: neither a group nor partitions", connect.ErrBadRequest)
	}
	return k, nil
}

// assign is called under mu, or by the constructor.
func (k *consumer) assign(tp connect.TopicPartition, offset int64) {
	k.positions[tp] = offset
	k.order = append(k.order, tp)
}

// unassign is called under mu.
func (k *consumer) unassign(tps []connect.TopicPartition) {
	for _, tp := range tps {
		delete(k.positions, tp)
		delete(k.paused, tp)
	}
	k.order = slices.DeleteFunc(k.order, func(tp connect.TopicPartition) bool { return slices.Contains(tps, tp) })
}

// Poll serves the rebalance first, then messages, then waits.
func (k *consumer) Poll(ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error) {
	for {
		if ctx.Err() != nil {
			return 0, nil
		}
		if err := k.rebalance(ctx, r); err != nil {
			return 0, err
		}
		n, changed, err := k.fetch(into)
		if n > 0 || err != nil || changed == nil {
			return n, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// rebalance brings the consumer nearer to what its group wants of it, calling
// the functions without the lock.
func (k *consumer) rebalance(ctx context.Context, r connect.Rebalance) error {
	if k.group == "" {
		return nil
	}
	k.b.mu.Lock()
	if k.closed || k.b.down {
		k.b.mu.Unlock()
		return nil
	}
	g := k.b.group(k.group)
	if g.members[k.member.id] == nil {
		g.join(k.member)
		g.reassign(k.b.topics)
		k.b.change()
	}
	lost := k.member.lost
	k.member.lost = nil
	k.unassign(lost)
	revoked := g.revoked(k.member)
	k.b.mu.Unlock()

	if err := call(ctx, r.Lost, lost); err != nil {
		return err
	}
	err := call(ctx, r.Revoked, revoked) // they are still ours, to be committed
	k.release(g, revoked)
	if err != nil {
		return err
	}
	return call(ctx, r.Assigned, k.claim(g))
}

func (k *consumer) release(g *group, revoked []connect.TopicPartition) {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	g.release(k.member, revoked)
	k.unassign(revoked)
	if len(revoked) > 0 {
		k.b.change()
	}
}

// claim takes the partitions that are free.
func (k *consumer) claim(g *group) (added []connect.TopicPartition) {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	if g.members[k.member.id] == nil {
		return nil // expelled meanwhile
	}
	added = g.claim(k.member)
	for _, tp := range added {
		offset, committed := g.committed[tp]
		if !committed {
			offset = -1
		}
		k.assign(tp, offset)
	}
	return added
}

func call(ctx context.Context, f func(context.Context, []connect.TopicPartition) error, tps []connect.TopicPartition) error {
	if f == nil || len(tps) == 0 {
		return nil
	}
	return f(ctx, slices.Clone(tps))
}

// fetch copies what there is. Without messages it returns what to wait on, or
// nil if Poll shall return.
func (k *consumer) fetch(into []connect.Message) (n int, changed <-chan struct{}, err error) {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	if k.closed {
		return 0, nil, fmt.Errorf("consumer: %w", connect.ErrStopped)
	}
	if !k.b.down {
		for _, tp := range slices.Clone(k.order) {
			if k.paused[tp] || n == len(into) {
				continue
			}
			got, err := k.fetchFrom(tp, into[n:])
			if err != nil {
				return 0, nil, err
			}
			n += got
		}
		if len(k.order) > 1 { // a full Poll serves another partition first next time
			k.order = append(k.order[1:], k.order[0])
		}
	}
	if n > 0 || k.woken {
		k.woken = false
		return n, nil, nil
	}
	return 0, k.b.waiter(), nil
}

// fetchFrom is called under mu.
func (k *consumer) fetchFrom(tp connect.TopicPartition, into []connect.Message) (n int, err error) {
	log, err := k.b.log(tp)
	if err != nil {
		return 0, nil //nolint:nilerr // the topic may come yet
	}
	at, err := k.start(tp, log)
	if err != nil {
		return 0, err
	}
	end := log.end()
	if k.committedOnly {
		end = log.stable()
	}
	for ; at < end && n < len(into); at++ {
		if r := &log.records[at]; r.visible(k.committedOnly) {
			into[n] = r.Message
			n++
		}
	}
	k.positions[tp] = at
	return n, nil
}

// start returns the next offset to read, by auto.offset.reset if there is none
// or it is not in the log. It is called under mu.
func (k *consumer) start(tp connect.TopicPartition, log *partitionLog) (int64, error) {
	at := k.positions[tp]
	switch {
	case at >= 0 && at <= log.end():
		return at, nil
	case at < 0 && k.group == "":
		return 0, nil
	case k.reset == "earliest":
		return 0, nil
	case k.reset == "latest":
		return log.end(), nil
	}
	return 0, fmt.Errorf("topic %q partition %d: %w: found offset %d, the log has 0 to %d", tp.Topic, tp.Partition, connect.ErrOutOfRange, at, log.end())
}

// Seek sets the next offsets.
func (k *consumer) Seek(next connect.Offsets) error {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	for tp := range next {
		if _, mine := k.positions[tp]; !mine {
			return fmt.Errorf("seek: topic %q partition %d is not assigned: %w", tp.Topic, tp.Partition, connect.ErrRevoked)
		}
	}
	maps.Copy(k.positions, next)
	return nil
}

// Pause stops delivery of partitions that are assigned.
func (k *consumer) Pause(tps ...connect.TopicPartition) {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	for _, tp := range tps {
		if _, mine := k.positions[tp]; mine {
			k.paused[tp] = true
		}
	}
}

// Resume undoes Pause.
func (k *consumer) Resume(tps ...connect.TopicPartition) {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	for _, tp := range tps {
		delete(k.paused, tp)
	}
	k.b.change()
}

// Position returns the next offsets of partitions that are assigned.
func (k *consumer) Position(ctx context.Context, tps ...connect.TopicPartition) (connect.Offsets, error) {
	if err := k.b.reach(ctx); err != nil {
		return nil, err
	}
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	next := make(connect.Offsets, len(tps))
	for _, tp := range tps {
		if _, mine := k.positions[tp]; !mine {
			return nil, fmt.Errorf("position: topic %q partition %d is not assigned: %w", tp.Topic, tp.Partition, connect.ErrRevoked)
		}
		log, err := k.b.log(tp)
		if err != nil {
			return nil, err
		}
		if next[tp], err = k.start(tp, log); err != nil {
			return nil, err
		}
		k.positions[tp] = next[tp]
	}
	return next, nil
}

// Commit stores offsets of partitions that the consumer owns.
func (k *consumer) Commit(ctx context.Context, o connect.Offsets) error {
	if k.group == "" {
		return fmt.Errorf("commit: %w: the consumer has no group", connect.ErrBadRequest)
	}
	if err := k.b.reach(ctx); err != nil {
		return err
	}
	k.b.mu.Lock()
	hook := k.b.failCommit
	k.b.mu.Unlock()
	if hook != nil {
		if err := hook(k.group, o.Clone()); err != nil {
			return err
		}
	}
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	g := k.b.group(k.group)
	for tp := range o {
		if g.owners[tp] != k.member {
			return fmt.Errorf("commit to group %q: topic %q partition %d: %w", k.group, tp.Topic, tp.Partition, connect.ErrRevoked)
		}
	}
	maps.Copy(g.committed, o)
	k.b.change()
	return nil
}

// Token is the proof of membership; without a group the zero token.
func (k *consumer) Token() connect.GroupToken {
	if k.group == "" {
		return connect.GroupToken{}
	}
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	return connect.GroupToken{Group: k.group, Generation: k.b.group(k.group).generation, MemberID: k.member.id}
}

// Wake ends a running Poll, or the next one.
func (k *consumer) Wake() {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	k.woken = true
	k.b.change()
}

// Close leaves the group.
func (k *consumer) Close(context.Context) error {
	k.b.mu.Lock()
	defer k.b.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	if k.group != "" {
		g := k.b.group(k.group)
		if g.members[k.member.id] != nil {
			g.leave(k.member)
			g.reassign(k.b.topics)
		}
	}
	k.b.change()
	return nil
}
