package connecttest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/streamlane/connect"
)

// brokenBroker changes what good clients do.
type brokenBroker struct {
	*Broker
	producer func(connect.Producer) connect.Producer
	consumer func(connect.Consumer) connect.Consumer
	admin    func(connect.Admin) connect.Admin
	config   func(*connect.ConsumerConfig)
}

func (b *brokenBroker) Producer(ctx context.Context, c connect.ClientConfig) (connect.Producer, error) {
	p, err := b.Broker.Producer(ctx, c)
	if b.producer != nil && err == nil {
		p = b.producer(p)
	}
	return p, err
}

func (b *brokenBroker) Consumer(ctx context.Context, c connect.ConsumerConfig) (connect.Consumer, error) {
	if b.config != nil {
		b.config(&c)
	}
	k, err := b.Broker.Consumer(ctx, c)
	if b.consumer != nil && err == nil {
		k = b.consumer(k)
	}
	return k, err
}

func (b *brokenBroker) Admin(ctx context.Context, c connect.ClientConfig) (connect.Admin, error) {
	a, err := b.Broker.Admin(ctx, c)
	if b.admin != nil && err == nil {
		a = b.admin(a)
	}
	return a, err
}

// badProducer changes batches before and acks after.
type badProducer struct {
	connect.Producer
	send func(p connect.Producer, ctx context.Context, batch []connect.Message, acks connect.Acks) error
	end  func(p connect.Producer, ctx context.Context, commit bool) error
}

func (b *badProducer) Send(ctx context.Context, batch []connect.Message, acks connect.Acks) error {
	if b.send == nil {
		return b.Producer.Send(ctx, batch, acks)
	}
	return b.send(b.Producer, ctx, batch, acks)
}

func (b *badProducer) End(ctx context.Context, commit bool) error {
	if b.end == nil {
		return b.Producer.End(ctx, commit)
	}
	return b.end(b.Producer, ctx, commit)
}

type acksFunc func(i int, at connect.TopicPartition, offset int64, err error)

func (f acksFunc) Acked(i int, at connect.TopicPartition, offset int64, err error) {
	f(i, at, offset, err)
}

// sends makes a producer whose messages are changed.
func sends(f func(m *connect.Message)) func(connect.Producer) connect.Producer {
	return func(p connect.Producer) connect.Producer {
		return &badProducer{Producer: p, send: func(p connect.Producer, ctx context.Context, batch []connect.Message, acks connect.Acks) error {
			batch = slices.Clone(batch)
			for i := range batch {
				batch[i].Headers = slices.Clone(batch[i].Headers)
				f(&batch[i])
			}
			return p.Send(ctx, batch, acks)
		}}
	}
}

// acks makes a producer whose acks are changed.
func acks(f func(to connect.Acks, i int, at connect.TopicPartition, offset int64, err error)) func(connect.Producer) connect.Producer {
	return func(p connect.Producer) connect.Producer {
		return &badProducer{Producer: p, send: func(p connect.Producer, ctx context.Context, batch []connect.Message, to connect.Acks) error {
			return p.Send(ctx, batch, acksFunc(func(i int, at connect.TopicPartition, offset int64, err error) { f(to, i, at, offset, err) }))
		}}
	}
}

// badConsumer changes single methods; nil keeps them.
type badConsumer struct {
	connect.Consumer
	poll     func(c connect.Consumer, ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error)
	seek     func(connect.Offsets) error
	pause    func(tps ...connect.TopicPartition)
	wake     func()
	commit   func(c connect.Consumer, ctx context.Context, o connect.Offsets) error
	position func(o connect.Offsets) connect.Offsets
	close    func() error
}

func (b *badConsumer) Poll(ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error) {
	if b.poll == nil {
		return b.Consumer.Poll(ctx, into, r)
	}
	return b.poll(b.Consumer, ctx, into, r)
}

func (b *badConsumer) Seek(o connect.Offsets) error {
	if b.seek == nil {
		return b.Consumer.Seek(o)
	}
	return b.seek(o)
}

func (b *badConsumer) Pause(tps ...connect.TopicPartition) {
	if b.pause == nil {
		b.Consumer.Pause(tps...)
		return
	}
	b.pause(tps...)
}

func (b *badConsumer) Wake() {
	if b.wake == nil {
		b.Consumer.Wake()
		return
	}
	b.wake()
}

func (b *badConsumer) Commit(ctx context.Context, o connect.Offsets) error {
	if b.commit == nil {
		return b.Consumer.Commit(ctx, o)
	}
	return b.commit(b.Consumer, ctx, o)
}

func (b *badConsumer) Position(ctx context.Context, tps ...connect.TopicPartition) (connect.Offsets, error) {
	o, err := b.Consumer.Position(ctx, tps...)
	if b.position != nil {
		o = b.position(o)
	}
	return o, err
}

func (b *badConsumer) Close(ctx context.Context) error {
	if b.close == nil {
		return b.Consumer.Close(ctx)
	}
	return b.close()
}

func consumers(b badConsumer) func(connect.Consumer) connect.Consumer {
	return func(c connect.Consumer) connect.Consumer {
		mine := b
		mine.Consumer = c
		return &mine
	}
}

// polls makes a consumer whose messages are changed.
func polls(f func(m *connect.Message)) func(connect.Consumer) connect.Consumer {
	return consumers(badConsumer{poll: func(c connect.Consumer, ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error) {
		n, err := c.Poll(ctx, into, r)
		for i := range into[:n] {
			f(&into[i])
		}
		return n, err
	}})
}

// rebalances makes a consumer whose rebalance functions are changed.
func rebalances(f func(connect.Rebalance) connect.Rebalance) func(connect.Consumer) connect.Consumer {
	return consumers(badConsumer{poll: func(c connect.Consumer, ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error) {
		return c.Poll(ctx, into, f(r))
	}})
}

type badAdmin struct {
	connect.Admin
	create func(a connect.Admin, ctx context.Context, specs []connect.TopicSpec) ([]string, error)
	ends   func(connect.Offsets) connect.Offsets
	alter  func(a connect.Admin, ctx context.Context, group string, change map[connect.TopicPartition]*int64) error
	delete func() error
	fence  func() error
}

func (b *badAdmin) CreateTopics(ctx context.Context, specs ...connect.TopicSpec) ([]string, error) {
	if b.create == nil {
		return b.Admin.CreateTopics(ctx, specs...)
	}
	return b.create(b.Admin, ctx, specs)
}

func (b *badAdmin) EndOffsets(ctx context.Context, topics ...string) (connect.Offsets, error) {
	o, err := b.Admin.EndOffsets(ctx, topics...)
	if b.ends != nil {
		o = b.ends(o)
	}
	return o, err
}

func (b *badAdmin) AlterGroupOffsets(ctx context.Context, group string, change map[connect.TopicPartition]*int64) error {
	if b.alter == nil {
		return b.Admin.AlterGroupOffsets(ctx, group, change)
	}
	return b.alter(b.Admin, ctx, group, change)
}

func (b *badAdmin) DeleteGroup(ctx context.Context, group string) error {
	if b.delete == nil {
		return b.Admin.DeleteGroup(ctx, group)
	}
	return b.delete()
}

func (b *badAdmin) FenceProducers(ctx context.Context, ids ...string) error {
	if b.fence == nil {
		return b.Admin.FenceProducers(ctx, ids...)
	}
	return b.fence()
}

func admins(b badAdmin) func(connect.Admin) connect.Admin {
	return func(a connect.Admin) connect.Admin {
		mine := b
		mine.Admin = a
		return &mine
	}
}

func nothing[T any](T) error { return nil }

func TestBrokerSuiteCatches(t *testing.T) {
	for _, mutants := range []map[string]brokenBroker{producerMutants(), consumerMutants(), groupMutants(), adminMutants()} {
		for name, b := range mutants {
			catches(t, name, func(t testing.TB) {
				open := func(testing.TB) connect.Broker {
					broken := b
					broken.Broker = NewBroker()
					return &broken
				}
				TestBroker(t, open)
				TestTransactions(t, open)
			})
		}
	}
}

func producerMutants() map[string]brokenBroker {
	var reused []byte
	return map[string]brokenBroker{
		"an empty value becomes null": {producer: sends(func(m *connect.Message) {
			if len(m.Value) == 0 {
				m.Value = nil
			}
		})},
		"a null key becomes empty": {producer: sends(func(m *connect.Message) { m.Key = append([]byte{}, m.Key...) })},
		"headers are lost":         {producer: sends(func(m *connect.Message) { m.Headers = nil })},
		"a null header becomes empty": {producer: sends(func(m *connect.Message) {
			for i := range m.Headers {
				m.Headers[i].Value = append([]byte{}, m.Headers[i].Value...)
			}
		})},
		"partitions are ignored": {producer: sends(func(m *connect.Message) { m.Partition = 0 })},
		"keys are not hashed":    {producer: sends(func(m *connect.Message) { m.Partition = max(m.Partition, 0) })},
		"the time is lost":       {producer: sends(func(m *connect.Message) { m.Time = m.Time.AddDate(1, 0, 0) })},
		"acks come twice": {producer: acks(func(to connect.Acks, i int, at connect.TopicPartition, o int64, err error) {
			to.Acked(i, at, o, err)
			to.Acked(i, at, o, err)
		})},
		"the first message is not acked": {producer: acks(func(to connect.Acks, i int, at connect.TopicPartition, o int64, err error) {
			if i > 0 {
				to.Acked(i, at, o, err)
			}
		})},
		"failed messages are not acked": {producer: acks(func(to connect.Acks, i int, at connect.TopicPartition, o int64, err error) {
			if err == nil {
				to.Acked(i, at, o, err)
			}
		})},
		"acks have no offset": {producer: acks(func(to connect.Acks, i int, at connect.TopicPartition, _ int64, err error) { to.Acked(i, at, 0, err) })},
		"a batch is reversed": {producer: func(p connect.Producer) connect.Producer {
			return &badProducer{Producer: p, send: func(p connect.Producer, ctx context.Context, batch []connect.Message, acks connect.Acks) error {
				batch = slices.Clone(batch)
				slices.Reverse(batch)
				return p.Send(ctx, batch, acksFunc(func(i int, at connect.TopicPartition, o int64, err error) { acks.Acked(len(batch)-1-i, at, o, err) }))
			}}
		}},
		"values are read after their ack": {producer: sends(func(m *connect.Message) {
			if len(m.Value) == 5 { // those of the case about buffers
				reused = append(reused[:0], m.Value...)
				m.Value = []byte("!!!!!")
			}
		})},
		"End does nothing": {producer: func(p connect.Producer) connect.Producer {
			return &badProducer{Producer: p, end: func(connect.Producer, context.Context, bool) error { return nil }}
		}},
		"End always commits": {producer: func(p connect.Producer) connect.Producer {
			return &badProducer{Producer: p, end: func(p connect.Producer, ctx context.Context, _ bool) error { return p.End(ctx, true) }}
		}},
		"fencing is not said": {producer: func(p connect.Producer) connect.Producer {
			return &badProducer{Producer: p, end: func(p connect.Producer, ctx context.Context, commit bool) error {
				if err := p.End(ctx, commit); err != nil {
					return errors.New("it did not work")
				}
				return nil
			}}
		}},
	}
}

func consumerMutants() map[string]brokenBroker {
	return map[string]brokenBroker{
		"a null value comes back empty": {consumer: polls(func(m *connect.Message) { m.Value = append([]byte{}, m.Value...) })},
		"offsets are wrong":             {consumer: polls(func(m *connect.Message) { m.Offset++ })},
		"the type of times is wrong":    {consumer: polls(func(m *connect.Message) { m.TimeType = connect.LogAppendTime })},
		"Seek does nothing":             {consumer: consumers(badConsumer{seek: nothing[connect.Offsets]})},
		"Pause does nothing":            {consumer: consumers(badConsumer{pause: func(...connect.TopicPartition) {}})},
		"Wake does nothing":             {consumer: consumers(badConsumer{wake: func() {}})},
		"Position says zero":            {consumer: consumers(badConsumer{position: func(o connect.Offsets) connect.Offsets { clear(o); return o }})},
		"the end of the context is an error": {consumer: consumers(badConsumer{poll: func(c connect.Consumer, ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error) {
			n, err := c.Poll(ctx, into, r)
			return n, errors.Join(err, ctx.Err())
		}})},
		"Poll ignores its context": {consumer: consumers(badConsumer{poll: func(c connect.Consumer, ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error) {
			return c.Poll(context.WithoutCancel(ctx), into, r)
		}, close: func() error { return nil }, wake: func() {}})},
		"messages share one buffer": {consumer: func(c connect.Consumer) connect.Consumer {
			if c.Token().Group != "" {
				return c // a case reads these on another goroutine, which would be a race as well
			}
			var shared []byte
			return polls(func(m *connect.Message) {
				shared = append(shared[:0], m.Value...)
				m.Value = shared
			})(c)
		}},
		"every reader starts at the beginning": {config: func(c *connect.ConsumerConfig) {
			for tp := range c.Assign {
				c.Assign[tp] = 0
			}
		}},
		"auto.offset.reset is ignored": {config: func(c *connect.ConsumerConfig) { delete(c.Props, "auto.offset.reset") }},
		"isolation.level is ignored":   {config: func(c *connect.ConsumerConfig) { delete(c.Props, "isolation.level") }},
		"the last message is lost": {consumer: polls(func(m *connect.Message) {
			if string(m.Value) == "late" {
				m.Value = nil
			}
		})},
	}
}

func groupMutants() map[string]brokenBroker {
	return map[string]brokenBroker{
		"rebalance functions run elsewhere": {consumer: rebalances(func(r connect.Rebalance) connect.Rebalance {
			assigned := r.Assigned
			if assigned == nil {
				return r
			}
			r.Assigned = func(ctx context.Context, tps []connect.TopicPartition) error {
				ended := make(chan error)
				go func() { ended <- assigned(ctx, tps) }()
				return <-ended
			}
			return r
		})},
		"Revoked is not called":  {consumer: rebalances(func(r connect.Rebalance) connect.Rebalance { r.Revoked = nil; return r })},
		"Assigned is not called": {consumer: rebalances(func(r connect.Rebalance) connect.Rebalance { r.Assigned = nil; return r })},
		"errors of Assigned are lost": {consumer: rebalances(func(r connect.Rebalance) connect.Rebalance {
			assigned := r.Assigned
			r.Assigned = func(ctx context.Context, tps []connect.TopicPartition) error {
				if assigned != nil {
					_ = assigned(ctx, tps)
				}
				return nil
			}
			return r
		})},
		"Commit does nothing": {consumer: consumers(badConsumer{commit: func(connect.Consumer, context.Context, connect.Offsets) error { return nil }})},
		"Commit is off by one": {consumer: consumers(badConsumer{commit: func(c connect.Consumer, ctx context.Context, o connect.Offsets) error {
			next := o.Clone()
			for tp := range next {
				next[tp]++
			}
			return c.Commit(ctx, next)
		}})},
		"Close stays in the group": {consumer: consumers(badConsumer{close: func() error { return nil }})},
		"every member owns all": {config: func(c *connect.ConsumerConfig) {
			if c.Group != "" {
				c.Group = unique("apart")
			}
		}},
		"Match is ignored": {config: func(c *connect.ConsumerConfig) {
			if c.Match != nil {
				c.Match = func(string) bool { return true }
			}
		}},
	}
}

func adminMutants() map[string]brokenBroker {
	return map[string]brokenBroker{
		"a topic that exists is an error": {admin: admins(badAdmin{create: func(a connect.Admin, ctx context.Context, specs []connect.TopicSpec) ([]string, error) {
			created, err := a.CreateTopics(ctx, specs...)
			if len(created) < len(specs) {
				err = errors.Join(err, connect.ErrExists)
			}
			return created, err
		}})},
		"topics have no settings": {admin: admins(badAdmin{create: func(a connect.Admin, ctx context.Context, specs []connect.TopicSpec) ([]string, error) {
			for i := range specs {
				specs[i].Config = nil
			}
			return a.CreateTopics(ctx, specs...)
		}})},
		"ends are those of the last record": {admin: admins(badAdmin{ends: func(o connect.Offsets) connect.Offsets {
			for tp := range o {
				o[tp] = max(o[tp]-1, 0)
			}
			return o
		}})},
		"AlterGroupOffsets does not delete": {admin: admins(badAdmin{alter: func(a connect.Admin, ctx context.Context, group string, change map[connect.TopicPartition]*int64) error {
			for tp, o := range change {
				if o == nil {
					delete(change, tp)
				}
			}
			return a.AlterGroupOffsets(ctx, group, change)
		}})},
		"AlterGroupOffsets takes any partition": {admin: admins(badAdmin{alter: func(a connect.Admin, ctx context.Context, group string, change map[connect.TopicPartition]*int64) error {
			if err := a.AlterGroupOffsets(ctx, group, change); !errors.Is(err, connect.ErrNotFound) {
				return err
			}
			return nil
		}})},
		"groups with members are altered": {admin: admins(badAdmin{alter: func(a connect.Admin, ctx context.Context, group string, change map[connect.TopicPartition]*int64) error {
			if err := a.AlterGroupOffsets(ctx, group, change); err != nil && !errors.Is(err, connect.ErrConflict) {
				return err
			}
			return nil
		}})},
		"DeleteGroup does nothing":    {admin: admins(badAdmin{delete: func() error { return nil }})},
		"FenceProducers does nothing": {admin: admins(badAdmin{fence: func() error { return nil }})},
	}
}
