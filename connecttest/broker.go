package connecttest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/streamlane/connect"
)

// Broker is a Kafka cluster in memory: a connect.Broker for tests without a
// network. It starts no goroutine and works inside of synctest bubbles. It is
// safe for concurrent use.
//
// It keeps Kafka's rules as far as connectors can see them: murmur2
// partitioning, null apart from empty, topics that are created when a record is
// sent to them, consumer groups with the range assignor whose partitions move
// cooperatively (a partition has a new owner only after its old one let go of
// it, inside Poll), transactions with fencing and read_committed consumers. It
// has no retention, no compaction, no sessions (see Expel) and no rights. Of
// client configurations it knows auto.offset.reset (earliest if absent) and
// isolation.level.
type Broker struct {
	mu      sync.Mutex
	changed chan struct{} // closed at the next change; nil while nobody waits
	down    bool
	noAuto  bool
	topics  map[string]*topic
	groups  map[string]*group
	writers map[string]*writer // by transactional id
	pending []*sendOp          // sent while down, in order
	members int                // counts member ids

	failProduce func(connect.Message) error
	failCommit  func(group string, o connect.Offsets) error
}

var _ connect.Broker = (*Broker)(nil)

// NewBroker returns a cluster without topics.
func NewBroker() *Broker {
	return &Broker{
		topics:  make(map[string]*topic),
		groups:  make(map[string]*group),
		writers: make(map[string]*writer),
	}
}

// Producer opens a producer.
func (b *Broker) Producer(ctx context.Context, c connect.ClientConfig) (connect.Producer, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return &producer{b: b, id: c.TransactionalID}, nil
}

// Consumer opens a consumer. It joins its group with the first Poll.
func (b *Broker) Consumer(ctx context.Context, c connect.ConsumerConfig) (connect.Consumer, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return newConsumer(b, c)
}

// Admin opens an administrative client.
func (b *Broker) Admin(ctx context.Context, _ connect.ClientConfig) (connect.Admin, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return &admin{b: b}, nil
}

// CreateTopic creates a topic, or adds partitions to one that has fewer.
func (b *Broker) CreateTopic(name string, partitions int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.topics[name]
	if t == nil {
		t = newTopic(connect.TopicSpec{Name: name, Partitions: partitions})
		b.topics[name] = t
	}
	for len(t.partitions) < partitions {
		t.partitions = append(t.partitions, &partitionLog{})
	}
	b.reassign()
	b.change()
}

// DisableAutoCreate makes records to topics that are not there fail.
func (b *Broker) DisableAutoCreate() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noAuto = true
}

// Produce appends messages as an outside producer would, hooks aside, and
// returns the first error. Messages with Partition -1 go where the partitioner
// says; note that the zero Partition is partition 0.
func (b *Broker) Produce(messages ...connect.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.change()
	for i := range messages {
		if _, _, err := b.append(&messages[i], 0, nil); err != nil {
			return err
		}
	}
	return nil
}

// Messages returns the records of a topic, partition by partition, each in
// order. Of transactions it returns the committed ones.
func (b *Broker) Messages(name string) []connect.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []connect.Message
	if t := b.topics[name]; t != nil {
		for _, p := range t.partitions {
			for _, r := range p.records {
				if r.visible(true) {
					all = append(all, r.Message)
				}
			}
		}
	}
	return all
}

// Await waits until a condition holds that tests look up on the Broker, such as
// a number of Messages. It looks after every change.
func (b *Broker) Await(ctx context.Context, condition func() bool) error {
	for {
		b.mu.Lock()
		changed := b.waiter()
		b.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Committed returns the committed offsets of a group.
func (b *Broker) Committed(name string) connect.Offsets {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.groups[name]; g != nil {
		return g.committed.Clone()
	}
	return nil
}

// Members returns the number of members of a group.
func (b *Broker) Members(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.groups[name]; g != nil {
		return len(g.members)
	}
	return 0
}

// Expel ends the sessions of all members of a group, as if their heartbeats had
// been missing: their partitions are Lost at their next Poll, with which they
// join again.
func (b *Broker) Expel(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.groups[name]
	if g == nil {
		return
	}
	for _, m := range slices.Collect(maps.Values(g.members)) {
		m.lost = append(m.lost, m.assignment...)
		g.leave(m)
	}
	g.reassign(b.topics)
	b.change()
}

// Down makes the cluster unreachable. Sends are accepted and wait, in order;
// all else that needs the cluster blocks until Up or the end of its context.
func (b *Broker) Down() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = true
}

// Up ends Down: what waits goes on.
func (b *Broker) Up() {
	b.mu.Lock()
	b.down = false
	pending := b.pending
	b.pending = nil
	for _, op := range pending {
		op.append()
	}
	b.change()
	b.mu.Unlock()
	for _, op := range pending {
		op.ack()
	}
}

// FailProduce sets a hook that sees each message that is sent: its error is the
// message's. Nil removes it. It may be called by many goroutines.
func (b *Broker) FailProduce(f func(m connect.Message) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failProduce = f
}

// FailCommit sets a hook that sees each commit of a consumer: its error is the
// commit's. Nil removes it. It may be called by many goroutines.
func (b *Broker) FailCommit(f func(group string, o connect.Offsets) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failCommit = f
}

// reach waits while the cluster is down. It is called without the lock.
func (b *Broker) reach(ctx context.Context) error {
	for {
		b.mu.Lock()
		down, changed := b.down, b.waiter()
		b.mu.Unlock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !down {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// waiter returns the channel that the next change closes. It is called under mu.
func (b *Broker) waiter() <-chan struct{} {
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

// change wakes all that wait. It is called under mu.
func (b *Broker) change() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// reassign computes the assignments of all groups. It is called under mu.
func (b *Broker) reassign() {
	for _, g := range b.groups {
		g.reassign(b.topics)
	}
}

// group returns a group, made if there is none. It is called under mu.
func (b *Broker) group(name string) *group {
	g := b.groups[name]
	if g == nil {
		g = &group{name: name, committed: make(connect.Offsets), members: make(map[string]*member), owners: make(map[connect.TopicPartition]*member)}
		b.groups[name] = g
	}
	return g
}

// log returns the log of a partition. It is called under mu.
func (b *Broker) log(tp connect.TopicPartition) (*partitionLog, error) {
	t := b.topics[tp.Topic]
	if t == nil || tp.Partition < 0 || int(tp.Partition) >= len(t.partitions) {
		return nil, fmt.Errorf("topic %q partition %d: %w", tp.Topic, tp.Partition, connect.ErrNotFound)
	}
	return t.partitions[tp.Partition], nil
}
