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
)

// producer is the connect.Producer.
type producer struct {
	handle  *handle
	buffer  int64
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
	pending int // batches that are not acked in full
	closed  bool
	idle    chan struct{} // closed when pending falls to zero after Close; nil before

	txn transaction
}

func newProducer(h *handle, s *producerSettings) *producer {
	p := &producer{handle: h, buffer: s.buffer, block: s.block, txnID: s.txnID, largest: s.maxRequest, noAck: s.acks == "0" && !s.idempotence}
	if s.delivery < unending {
		p.deliver = max(s.delivery, time.Millisecond)
	}
	p.life, p.giveUp = context.WithCancelCause(context.Background())
	p.promise = p.acked
	p.batches.New = func() any { return new(batch) }
	return p
}

// A batch is what one Send put under way. It is used again after its last ack,
// so that a Send allocates nothing.
type batch struct {
	p       *producer
	acks    connect.Acks
	slots   []slot
	headers []kgo.RecordHeader
	left    atomic.Int64       // acks to come, and one for Send itself
	stop    context.CancelFunc // of the limit set by delivery.timeout.ms; nil: none
}

// A slot holds one record of a batch. It is the record's context, too: by way of
// it, one function serves as the callback of all records. The client may look at
// the context after the callback, so that what makes it one never changes.
type slot struct {
	context.Context //nolint:containedctx // it is one
	batch           *batch
	index           int

	size   int64
	record kgo.Record
}

// recordOverhead is what a record costs beside its bytes while it is under way:
// the slot and the message. buffer.memory is about memory, as in Java, so it
// counts; otherwise a buffer full of small records would be many times its size.
const recordOverhead = int64(unsafe.Sizeof(slot{}) + unsafe.Sizeof(connect.Message{}))

// takes is the room in the buffer that a record of so many bytes takes: never more
// than there is, unless its bytes alone are.
func (p *producer) takes(size int64) int64 {
	if size > p.buffer {
		return size
	}
	return min(size+recordOverhead, p.buffer)
}

// maxKeptSlots bounds the batches that are kept for use again.
const maxKeptSlots = 16 << 10

// Send hands a batch over. See connect.Producer.
func (p *producer) Send(ctx context.Context, msgs []connect.Message, acks connect.Acks) error {
	if len(msgs) == 0 {
		return nil
	}
	b := p.fill(msgs, acks)
	if !p.begin() {
		return b.abandon(0, ErrClosed)
	}
	client, err := p.handle.get()
	if err != nil {
		return b.abandon(0, err)
	}
	limit := p.life
	if p.deliver > 0 {
		limit, b.stop = context.WithTimeout(p.life, p.deliver)
	}
	size := b.size()
	whole := size <= p.buffer
	if whole {
		if err := p.admit(ctx, size); err != nil {
			return b.abandon(0, err)
		}
	}
	for i := range b.slots {
		s := &b.slots[i]
		if !whole {
			err = p.admit(ctx, s.size)
		}
		switch {
		case errors.Is(err, kerr.MessageTooLarge):
			b.ack(s, -1, err)
			b.finish(1)
			continue
		case err != nil:
			return b.abandon(i, err)
		}
		client.Produce(limit, &s.record, p.promise)
	}
	b.finish(1)
	return nil
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

// fill makes a batch of the messages.
func (p *producer) fill(msgs []connect.Message, acks connect.Acks) *batch {
	b := p.batches.Get().(*batch)
	b.p, b.acks = p, acks
	if cap(b.slots) < len(msgs) {
		b.slots = make([]slot, len(msgs))
		for i := range b.slots {
			b.slots[i] = slot{Context: context.Background(), batch: b, index: i}
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
	now := time.Now()
	for i := range msgs {
		b.slot(i, &msgs[i], now)
	}
	return b
}

// slot fills one slot.
func (b *batch) slot(i int, m *connect.Message, now time.Time) {
	s := &b.slots[i]
	size := len(m.Key) + len(m.Value)
	first := len(b.headers)
	for _, h := range m.Headers {
		b.headers = append(b.headers, kgo.RecordHeader(h))
		size += len(h.Key) + len(h.Value)
	}
	s.size = b.p.takes(int64(size))
	s.record = kgo.Record{
		Context: s, Topic: m.Topic, Partition: max(m.Partition, anyPartition),
		Key: m.Key, Value: m.Value, Timestamp: m.Time,
	}
	if len(m.Headers) > 0 {
		s.record.Headers = b.headers[first:len(b.headers):len(b.headers)]
	}
	if m.Time.IsZero() {
		s.record.Timestamp = now
	}
}

func (b *batch) size() int64 {
	var n int64
	for i := range b.slots {
		n += b.slots[i].size
	}
	return n
}

// admit waits for room in the buffer: for a batch as a whole, record by record for
// one that is larger than the buffer.
func (p *producer) admit(ctx context.Context, size int64) error {
	room := p.handle.room
	if size > p.buffer {
		return fmt.Errorf("%w: a record that takes %d bytes is more than buffer.memory (%d)", kerr.MessageTooLarge, size, p.buffer)
	}
	if room.TryAcquire(size) {
		return nil
	}
	full := fmt.Errorf("buffer.memory (%d bytes) was full for max.block.ms (%v)", p.buffer, p.block)
	wait, cancel := context.WithTimeoutCause(ctx, p.block, full)
	defer cancel()
	stop := context.AfterFunc(p.life, cancel)
	defer stop()
	if room.Acquire(wait, size) == nil {
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

// acked is the callback of all records.
func (p *producer) acked(r *kgo.Record, err error) {
	s, ok := r.Context.(*slot)
	if !ok {
		return // not one of ours; there are none
	}
	p.handle.room.Release(s.size)
	b := s.batch
	if errors.Is(err, kerr.MessageTooLarge) {
		err = fmt.Errorf("%w; max.request.size is %d here, and the topic has a limit of its own, max.message.bytes", err, p.largest)
	}
	b.ack(s, r.Partition, err)
	b.finish(1)
}

// ack tells what became of one message.
func (b *batch) ack(s *slot, partition int32, err error) {
	at := connect.TopicPartition{Topic: s.record.Topic, Partition: partition}
	if err == nil {
		offset := s.record.Offset
		if b.p.noAck {
			offset = -1
		}
		b.acks.Acked(s.index, at, offset, nil)
		return
	}
	err = b.p.why(err)
	b.p.txn.note(err)
	b.acks.Acked(s.index, at, -1, fmt.Errorf("send to topic %q: %w", at.Topic, err))
}

// why says what the end of a record's context means, and other words of the
// client that need to be explained.
func (p *producer) why(err error) error {
	err = p.handle.why(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && p.deliver > 0:
		return connect.Retriable(fmt.Errorf("not delivered within delivery.timeout.ms (%v): %w", p.deliver, err), 0)
	case errors.Is(err, context.Canceled) && p.life.Err() != nil:
		return both{ErrClosed, err}
	}
	return mapError(err)
}

// abandon acks all messages from the given one on with an error, and returns it.
func (b *batch) abandon(from int, err error) error {
	err = mapError(err)
	n := len(b.slots) - from
	for i := from; i < len(b.slots); i++ {
		b.ack(&b.slots[i], anyPartition, err)
	}
	b.finish(n + 1)
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
	if len(b.slots) <= maxKeptSlots && cap(b.headers) <= maxKeptSlots {
		for i := range b.slots {
			b.slots[i].record = kgo.Record{}
		}
		clear(b.headers)
		b.p, b.acks, b.slots, b.headers = nil, nil, b.slots[:0], b.headers[:0]
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
	alone := p.handle.last()
	p.handle.release()
	if alone {
		<-idle // the client is closed: it has failed what was left
	}
	return err
}
