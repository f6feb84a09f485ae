package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"
)

// producer is the connect.Producer.
type producer struct {
	handle  *handle // of its own; nil: see lanes
	share   func(topic string) *handle
	buffer  int64
	room    *semaphore.Weighted // buffer.memory
	block   time.Duration
	deliver time.Duration // 0: without end
	noAck   bool          // acks=0: there are no offsets
	txnID   string        // "": not transactional
	largest int           // max.request.size
	batches sync.Pool
	promise func(*kgo.Record, error) // (*producer).acked, bound once

	// life is the context of all records, or the parent of it. It ends when Close
	// gives up on them.
	life   context.Context //nolint:containedctx // the life of the producer, not of a call
	giveUp context.CancelCauseFunc

	mu      sync.Mutex
	lanes   map[string]*handle // by topic, of a producer that shares clients
	left    bool               // no more lanes are taken
	pending int                // batches that are not acked in full
	closed  bool
	idle    chan struct{} // closed when pending falls to zero after Close; nil before

	txn transaction
}

// newProducer makes a producer on a client of its own, or on those that share
// gives it.
func newProducer(own *handle, share func(topic string) *handle, s *producerSettings) *producer {
	p := &producer{
		handle: own, share: share, lanes: map[string]*handle{}, buffer: s.buffer, room: semaphore.NewWeighted(s.buffer), block: s.block,
		txnID: s.txnID, largest: s.maxRequest, noAck: s.acks == "0" && !s.idempotence,
	}
	if s.delivery < unending {
		p.deliver = max(s.delivery, time.Millisecond)
	}
	p.life, p.giveUp = context.WithCancelCause(context.Background())
	p.promise = p.acked
	p.batches.New = func() any { return new(batch) }
	return p
}

// A batch is what one Send put under way. It is used again after its last ack,
// so that a Send allocates nothing. The client calls back for one record at a
// time, so what only these calls touch needs no lock.
type batch struct {
	p       *producer
	acks    connect.Acks
	slots   []slot
	headers []kgo.RecordHeader
	now     time.Time
	left    atomic.Int64       // acks to come, and one for Send itself
	stop    context.CancelFunc // of the limit set by delivery.timeout.ms; nil: none
	// freed is room in the buffer that is not given back yet, keep how much that
	// may be.
	freed, keep int64
}

// A slot holds one record of a batch. It is the record's context, too: by way of
// it, one function serves as the callback of all records. The client may look at
// the context after the callback, so that what makes it one never changes.
type slot struct {
	record kgo.Record

	context.Context //nolint:containedctx // it is one
	batch           *batch
	index           int
	size            int64
}

// recordOverhead is what a record costs beside its bytes while it is under way:
// the slot, and what client and sender remember of it. buffer.memory is about
// memory, as in Java, so it counts; otherwise a buffer full of small records would
// be many times its size.
const recordOverhead = int64(unsafe.Sizeof(slot{})) + 96

const (
	// maxKeptSlots bounds the batches that are kept for use again.
	maxKeptSlots = 16 << 10
	// freeAtOnce is how much room is given back at once: to do so for each record
	// costs more than the rest of its ack.
	freeAtOnce = 64 << 10
)

// Send hands a batch over. See connect.Producer.
func (p *producer) Send(ctx context.Context, msgs []connect.Message, acks connect.Acks) error {
	if len(msgs) == 0 {
		return nil
	}
	b, size := p.newBatch(msgs, acks)
	if !p.begin() {
		return b.abandon(msgs, 0, ErrClosed)
	}
	limit := p.life
	if p.deliver > 0 {
		limit, b.stop = context.WithTimeout(p.life, p.deliver)
	}
	whole := size <= p.buffer
	if whole {
		b.keep = freeAtOnce
		if err := p.admit(ctx, size); err != nil {
			return b.abandon(msgs, 0, err)
		}
	}
	var topic string
	var client *kgo.Client
	for i := range msgs {
		s := b.fill(i, &msgs[i])
		var err error
		if client == nil || topic != s.record.Topic {
			topic = s.record.Topic
			if client, err = p.client(topic); err != nil {
				if whole {
					p.room.Release(p.takeAll(msgs[i:]))
				}
				return b.abandon(msgs, i, err)
			}
		}
		if !whole {
			err = p.admit(ctx, s.size)
		}
		switch {
		case errors.Is(err, kerr.MessageTooLarge):
			b.fail(i, connect.TopicPartition{Topic: msgs[i].Topic, Partition: anyPartition}, err)
			b.finish(1)
			continue
		case err != nil:
			return b.abandon(msgs, i, err)
		}
		client.Produce(limit, &s.record, p.promise)
	}
	b.finish(1)
	return nil
}

// client returns the client for a topic, opened if need be.
func (p *producer) client(topic string) (*kgo.Client, error) {
	h, err := p.lane(topic)
	if err != nil {
		return nil, err
	}
	return h.get()
}

func (p *producer) lane(topic string) (*handle, error) {
	if p.handle != nil {
		return p.handle, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.lanes[topic]
	if h == nil {
		if p.left {
			return nil, ErrClosed
		}
		h = p.share(topic)
		p.lanes[topic] = h
	}
	return h, nil
}

// begin enters a batch into the account, unless the producer is closed.
func (p *producer) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending++ // abandon and the last ack take it off again
	return !p.closed
}

// end takes a batch off the account.
func (p *producer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending--
	if p.pending == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

// newBatch makes a batch with room for the messages, and says what they take.
func (p *producer) newBatch(msgs []connect.Message, acks connect.Acks) (b *batch, size int64) {
	b = p.batches.Get().(*batch)
	b.p, b.acks, b.keep = p, acks, 0
	if cap(b.slots) < len(msgs) {
		b.slots = make([]slot, len(msgs))
		for i := range b.slots {
			s := &b.slots[i]
			s.Context, s.batch, s.index, s.record.Context = context.Background(), b, i, s
		}
	}
	b.slots = b.slots[:len(msgs)]
	headers := 0
	for i := range msgs {
		headers += len(msgs[i].Headers)
	}
	if cap(b.headers) < headers {
		b.headers = make([]kgo.RecordHeader, 0, headers)
	}
	b.left.Store(int64(len(msgs)) + 1)
	b.now = time.Now()
	return b, p.takeAll(msgs)
}

func (p *producer) takeAll(msgs []connect.Message) (size int64) {
	for i := range msgs {
		size += p.takes(&msgs[i])
	}
	return size
}

// takes is the room in the buffer that a message takes: never more than there is,
// unless its bytes alone are.
func (p *producer) takes(m *connect.Message) int64 {
	size := int64(len(m.Key) + len(m.Value))
	for i := range m.Headers {
		size += int64(len(m.Headers[i].Key) + len(m.Headers[i].Value))
	}
	if size > p.buffer {
		return size
	}
	return min(size+recordOverhead, p.buffer)
}

// fill makes the record of a message. What the slot holds of the record before it
// is left alone where it is the same: while the garbage collector marks, storing
// a pointer costs many times what comparing it does.
func (b *batch) fill(i int, m *connect.Message) *slot {
	s := &b.slots[i]
	r := &s.record
	s.size = b.p.takes(m)
	if r.Topic != m.Topic {
		r.Topic = m.Topic
	}
	if r.Key != nil || m.Key != nil {
		r.Key = m.Key
	}
	if r.Headers != nil {
		r.Headers = nil
	}
	if len(m.Headers) > 0 {
		first := len(b.headers)
		for _, h := range m.Headers {
			b.headers = append(b.headers, kgo.RecordHeader(h))
		}
		r.Headers = b.headers[first:len(b.headers):len(b.headers)]
	}
	r.Value, r.Timestamp, r.Partition = m.Value, m.Time, max(m.Partition, anyPartition)
	if m.Time.IsZero() {
		r.Timestamp = b.now
	}
	r.Attrs, r.ProducerEpoch, r.ProducerID, r.LeaderEpoch, r.Offset = kgo.RecordAttrs{}, 0, 0, 0, 0
	return s
}

// admit waits for room in the buffer: for a batch as a whole, record by record for
// one that is larger than the buffer.
func (p *producer) admit(ctx context.Context, size int64) error {
	if size > p.buffer {
		return fmt.Errorf("%w: a record that takes %d bytes is more than buffer.memory (%d)", kerr.MessageTooLarge, size, p.buffer)
	}
	if p.room.TryAcquire(size) {
		return nil
	}
	full := fmt.Errorf("buffer.memory (%d bytes) was full for max.block.ms (%v)", p.buffer, p.block)
	wait, cancel := context.WithTimeoutCause(ctx, p.block, full)
	defer cancel()
	stop := context.AfterFunc(p.life, cancel)
	defer stop()
	if p.room.Acquire(wait, size) == nil {
		return nil
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case p.life.Err() != nil:
		return ErrClosed
	}
	return connect.Retriable(full, 0)
}

// acked is the callback of all records. The client calls it for one after the
// other.
func (p *producer) acked(r *kgo.Record, err error) {
	s, ok := r.Context.(*slot)
	if !ok {
		return // not one of ours; there are none
	}
	b := s.batch
	if b.freed += s.size; b.freed > b.keep {
		p.room.Release(b.freed)
		b.freed = 0
	}
	at := connect.TopicPartition{Topic: r.Topic, Partition: r.Partition}
	switch {
	case errors.Is(err, kerr.MessageTooLarge):
		b.fail(s.index, at, fmt.Errorf("%w; it is this message, or one in a batch with it: max.request.size is %d here, and the topic has a limit of its own, max.message.bytes", err, p.largest))
	case err != nil:
		b.fail(s.index, at, err)
	case p.noAck:
		b.acks.Acked(s.index, at, -1, nil)
	default:
		b.acks.Acked(s.index, at, r.Offset, nil)
	}
	b.finish(1)
}

// fail acks a message with an error.
func (b *batch) fail(i int, at connect.TopicPartition, err error) {
	err = b.p.why(at.Topic, err)
	b.p.txn.note(err)
	b.acks.Acked(i, at, -1, fmt.Errorf("send to topic %q: %w", at.Topic, err))
}

// why says what the end of a record's context means, and other words of the
// client that need to be explained.
func (p *producer) why(topic string, err error) error {
	if errors.Is(err, kgo.ErrAborting) {
		if h, gone := p.lane(topic); gone == nil {
			err = h.why(err)
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) && p.deliver > 0:
		return connect.Retriable(fmt.Errorf("not delivered within delivery.timeout.ms (%v): %w", p.deliver, err), 0)
	case errors.Is(err, context.Canceled) && p.life.Err() != nil:
		return both{ErrClosed, err}
	}
	return mapError(err)
}

// abandon acks all messages from the given one on with an error, and returns it.
func (b *batch) abandon(msgs []connect.Message, from int, err error) error {
	err = mapError(err)
	for i := from; i < len(msgs); i++ {
		b.fail(i, connect.TopicPartition{Topic: msgs[i].Topic, Partition: anyPartition}, err)
	}
	b.finish(len(msgs) - from + 1)
	return err
}

// finish counts acks. After the last the batch goes back.
func (b *batch) finish(n int) {
	if b.left.Add(-int64(n)) > 0 {
		return
	}
	p := b.p
	if b.stop != nil {
		b.stop()
		b.stop = nil
	}
	if b.freed > 0 {
		p.room.Release(b.freed)
		b.freed = 0
	}
	if len(b.slots) <= maxKeptSlots && cap(b.headers) <= maxKeptSlots {
		clear(b.headers)
		b.p, b.acks, b.headers = nil, nil, b.headers[:0]
		p.batches.Put(b)
	}
	p.end()
}

// Close waits for what was sent until ctx ends, then gives up on what is left:
// it is acked with an error. Only messages that a broker may have stored already,
// of a producer that shares its client, may be acked after Close.
func (p *producer) Close(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	idle := make(chan struct{})
	waits := p.pending > 0
	if waits {
		p.idle = idle
	} else {
		close(idle)
	}
	p.mu.Unlock()

	var err error
	if waits {
		select {
		case <-idle:
		case <-ctx.Done():
			err = fmt.Errorf("close producer: messages were left: %w", context.Cause(ctx))
		}
	}
	p.giveUp(ErrClosed)
	if p.leave(ctx, err != nil) {
		<-idle // the clients are closed: they have failed what was left
	}
	return err
}

// leave lets go of the clients, and tells whether all of them are closed.
func (p *producer) leave(ctx context.Context, left bool) (closed bool) {
	if p.handle != nil {
		p.handle.release(ctx)
		return true
	}
	p.mu.Lock()
	topics := map[*handle][]string{}
	for topic, h := range p.lanes {
		topics[h] = append(topics[h], topic)
	}
	p.left = true
	p.mu.Unlock()
	closed = true
	for h, of := range topics {
		closed = h.leave(ctx, of, left) && closed
	}
	return closed
}
