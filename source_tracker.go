package connect

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// maxArena is the largest buffer that is kept for another batch.
const maxArena = 1 << 20

// A tracker knows which records of a task are in flight. Per source partition
// it keeps them in the order of submission; only the unbroken acknowledged
// prefix counts as done. (SubmittedRecords in Java.)
//
// Batches are submitted by the pump; acks come from any goroutine.
type tracker struct {
	failed func(error) // ends the pipeline
	// tolerate decides on a record that Kafka refused: nil lets it go.
	tolerate func(b *sourceBatch, i int, err error) error

	topics *topicNotes // nil: not noted

	pending atomic.Int64  // submitted, not acknowledged
	idle    chan struct{} // told when pending reaches zero

	wantDeliveries bool
	delivered      chan struct{} // told when there are deliveries

	mu         sync.Mutex
	queues     map[SourcePartition]*slotQueue
	last       *slotQueue // the queue used last, by the pump
	ready      map[SourcePartition]SourceOffset
	deliveries []Delivery

	buffers sync.Pool // *batchBuffers
}

func newTracker(wantDeliveries bool) *tracker {
	return &tracker{
		wantDeliveries: wantDeliveries,
		idle:           make(chan struct{}, 1),
		delivered:      make(chan struct{}, 1),
		queues:         make(map[SourcePartition]*slotQueue),
		ready:          make(map[SourcePartition]SourceOffset),
	}
}

// A slotQueue is the records in flight of one source partition, oldest first.
// It is guarded by the tracker's mutex, the acked flags aside.
type slotQueue struct {
	partition  SourcePartition
	head, tail *slot
}

// A slot follows one record from Poll to its ack. Slots of a batch share a
// slab.
type slot struct {
	queue  *slotQueue // nil: nothing is stored for the record
	next   *slot
	offset SourceOffset
	token  any
	acked  atomic.Bool
}

// pop removes the acknowledged prefix and returns its last offset.
func (q *slotQueue) pop() (offset SourceOffset) {
	for q.head != nil && q.head.acked.Load() {
		if q.head.offset != nil {
			offset = q.head.offset
		}
		q.head = q.head.next
	}
	if q.head == nil {
		q.tail = nil
	}
	return offset
}

// batchBuffers are reused once all records of a batch are acknowledged.
type batchBuffers struct {
	messages []Message
	slotOf   []int32 // message to slot
	arena    []byte
	headers  []RawHeader
	records  []SourceRecord // for a Receiver
}

// A sourceBatch is one poll's records on their way. It is filled by the pump;
// after send, acks may arrive from any goroutine.
type sourceBatch struct {
	t     *tracker
	slots []slot
	n     int // slots submitted
	*batchBuffers
	dropped int
	bytes   int64
	pending atomic.Int32 // messages without an ack, once sealed
}

func (t *tracker) newBatch(n int) *sourceBatch {
	buffers, _ := t.buffers.Get().(*batchBuffers)
	if buffers == nil {
		buffers = &batchBuffers{messages: make([]Message, 0, n), slotOf: make([]int32, 0, n)}
	}
	return &sourceBatch{t: t, slots: make([]slot, n), batchBuffers: buffers}
}

// submit puts the next record of the batch behind the others of its partition.
func (b *sourceBatch) submit(rec *SourceRecord) error {
	s := &b.slots[b.n]
	b.n++
	s.offset, s.token = rec.SourceOffset, rec.Token
	b.t.pending.Add(1)
	if rec.SourcePartition.IsZero() {
		return nil
	}
	return b.t.enqueue(s, rec.SourcePartition)
}

func (t *tracker) enqueue(s *slot, p SourcePartition) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.last
	if q == nil || q.partition != p {
		if q = t.queues[p]; q == nil {
			if err := p.Err(); err != nil {
				return err
			}
			q = &slotQueue{partition: p}
			t.queues[p] = q
		}
		t.last = q
	}
	s.queue = q
	if q.tail == nil {
		q.head = s
	} else {
		q.tail.next = s
	}
	q.tail = s
	return nil
}

// drop acknowledges the record submitted last without sending it.
func (b *sourceBatch) drop() {
	b.dropped++
	b.ack(b.n-1, TopicPartition{Partition: -1}, -1)
}

// giveUpLast gives up the record submitted last: it stays unacknowledged, so the
// offset of its partition stays before it. Nothing waits for it, and it is no part
// of the batch any more.
func (b *sourceBatch) giveUpLast() {
	b.n--
	if !b.slots[b.n].acked.Load() {
		b.t.done()
	}
}

// abandon gives up the batch: its records stay unacknowledged, so the offsets
// of their partitions stay where they are. Nothing waits for them.
func (b *sourceBatch) abandon() {
	for i := range b.n {
		if !b.slots[i].acked.Load() {
			b.t.done()
		}
	}
}

// seal closes the batch for sending. Every message added must be acked from
// here on.
func (b *sourceBatch) seal() { b.pending.Store(int32(len(b.messages))) }

// Acked implements Acks.
func (b *sourceBatch) Acked(i int, at TopicPartition, offset int64, err error) {
	slot := int(b.slotOf[i])
	if err != nil {
		err = b.t.tolerate(b, i, err)
		at, offset = TopicPartition{Topic: at.Topic, Partition: -1}, -1
	}
	if err != nil {
		b.t.failed(err)
		b.t.done()
	} else {
		b.ack(slot, at, offset)
		b.t.topics.use(at.Topic)
	}
	if b.pending.Add(-1) == 0 {
		b.release()
	}
}

// ack marks a record as done.
func (b *sourceBatch) ack(i int, at TopicPartition, offset int64) {
	s := &b.slots[i]
	if b.t.wantDeliveries {
		b.t.deliver(s, at, offset)
	}
	s.acked.Store(true)
	b.t.done()
}

// release returns the buffers for another batch.
func (b *sourceBatch) release() {
	buffers := b.batchBuffers
	clear(buffers.messages)
	clear(buffers.records)
	buffers.messages, buffers.slotOf = buffers.messages[:0], buffers.slotOf[:0]
	clear(buffers.headers)
	buffers.arena, buffers.headers, buffers.records = buffers.arena[:0], buffers.headers[:0], buffers.records[:0]
	if cap(buffers.arena) > maxArena {
		buffers.arena = nil
	}
	b.t.buffers.Put(buffers)
}

// done counts one record less in flight.
func (t *tracker) done() {
	if t.pending.Add(-1) == 0 {
		signal(t.idle)
	}
}

func (t *tracker) deliver(s *slot, at TopicPartition, offset int64) {
	d := Delivery{Token: s.token, SourceOffset: s.offset, To: at, Offset: offset}
	if s.queue != nil {
		d.SourcePartition = s.queue.partition
	}
	t.mu.Lock()
	t.deliveries = append(t.deliveries, d)
	t.mu.Unlock()
	signal(t.delivered)
}

func (t *tracker) takeDeliveries() []Delivery {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.deliveries
	t.deliveries = nil
	return d
}

// inFlight is the number of records without an ack.
func (t *tracker) inFlight() int { return int(t.pending.Load()) }

// await waits until nothing is in flight, at most for the time given.
func (t *tracker) await(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for t.pending.Load() > 0 {
		select {
		case <-t.idle:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// signal wakes whoever waits on c, a channel of capacity one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
