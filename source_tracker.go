package connect

import (
	"context"
	"math/bits"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect/internal/outcome"
)

// maxArena is the largest buffer that is kept for another batch.
const maxArena = 1 << 20

// A tracker knows which records of a task are in flight. Per source partition
// it keeps them in the order of submission; only the unbroken acknowledged
// prefix counts as done. (SubmittedRecords in Java.)
//
// Batches are filled by the pump; acks come from any goroutine.
type tracker struct {
	failed func(error) // ends the pipeline
	// tolerate decides on a record that Kafka refused: a nil error lets it go, when
	// its dead letter, if it has one, is written. There is a message if the
	// batch keeps them.
	tolerate func(*SourceRecord, *Message, error) (letter *outcome.Outcome, _ error)

	topics *topicNotes // nil: not noted

	wantDeliveries bool
	delivered      chan struct{} // told when there are deliveries
	idle           chan struct{} // told when no batch is open

	mu         sync.Mutex
	queues     map[SourcePartition]*stretchQueue
	open       map[*sourceBatch]bool // sealed, with records in flight
	deliveries []Delivery

	buffers sync.Pool // *batchBuffers
}

func newTracker(wantDeliveries bool) *tracker {
	return &tracker{
		wantDeliveries: wantDeliveries,
		idle:           make(chan struct{}, 1),
		delivered:      make(chan struct{}, 1),
		queues:         make(map[SourcePartition]*stretchQueue),
		open:           make(map[*sourceBatch]bool),
	}
}

// A stretchQueue is the records in flight of one source partition, oldest first,
// and what may be committed of those before. It is guarded by the tracker's
// mutex.
type stretchQueue struct {
	head, tail *stretch
	ready      SourceOffset // nil: nothing new
}

// A stretch is records of one batch that follow each other and have the same
// source partition.
type stretch struct {
	batch     *sourceBatch
	partition SourcePartition // zero: nothing is stored for them
	from, to  int             // indexes of records
	next      *stretch
}

// queue returns the queue of a partition, made if there is none. It is called
// under mu.
func (t *tracker) queue(p SourcePartition) *stretchQueue {
	q := t.queues[p]
	if q == nil {
		q = &stretchQueue{}
		t.queues[p] = q
	}
	return q
}

// push puts a stretch at the end.
func (q *stretchQueue) push(s *stretch) {
	if q.tail == nil {
		q.head = s
	} else {
		q.tail.next = s
	}
	q.tail = s
}

// pop removes the acknowledged prefix and makes its last offset ready.
func (q *stretchQueue) pop() {
	for q.head != nil {
		s := q.head
		done := s.batch.acknowledged(s.from, s.to)
		for i := done - 1; i >= s.from; i-- {
			if offset := s.batch.offsets[i]; offset != nil {
				q.ready = offset
				break
			}
		}
		if s.from = done; s.from < s.to {
			return
		}
		q.head = s.next
	}
	q.tail = nil
}

// batchBuffers are used again once all records of a batch are acknowledged.
type batchBuffers struct {
	arena    []byte
	headers  []RawHeader
	recordOf []int32 // of each that is sent
}

// A sourceBatch is one poll's records on their way. The pump fills it, record by
// record, then seals it; from there on acks may arrive from any goroutine.
type sourceBatch struct {
	t         *tracker
	offsets   []SourceOffset // of the records submitted
	tokens    []any          // likewise, if the task wants to hear of deliveries
	acked     []atomic.Uint64
	stretches []stretch
	firsts    [1]stretch // of most batches all there are
	*batchBuffers
	dropped int
	bytes   int64
	letters []heldRecord // of the records dropped
	sent    int          // records, once sealed
	kept    []Message    // what is sent, if refused messages have dead letters

	gaps atomic.Bool  // some record will never be acknowledged
	left atomic.Int32 // without an ack that will come, once sealed
}

// A heldRecord is not acknowledged before its dead letter is written.
type heldRecord struct {
	record int
	letter *outcome.Outcome
}

func (t *tracker) newBatch(n int) *sourceBatch {
	buffers, _ := t.buffers.Get().(*batchBuffers)
	if buffers == nil {
		buffers = &batchBuffers{recordOf: make([]int32, 0, n)}
	}
	b := &sourceBatch{t: t, offsets: make([]SourceOffset, 0, n), acked: make([]atomic.Uint64, (n+63)/64), batchBuffers: buffers}
	b.stretches = b.firsts[:0]
	if t.wantDeliveries {
		b.tokens = make([]any, 0, n)
	}
	return b
}

// submit puts the next record of the batch behind the others of its partition.
func (b *sourceBatch) submit(rec *SourceRecord) error {
	i := len(b.offsets)
	if last := len(b.stretches) - 1; last >= 0 && b.stretches[last].partition == rec.SourcePartition {
		b.stretches[last].to++
	} else {
		if err := rec.SourcePartition.Err(); err != nil {
			return err
		}
		b.stretches = append(b.stretches, stretch{batch: b, partition: rec.SourcePartition, from: i, to: i + 1})
	}
	b.offsets = append(b.offsets, rec.SourceOffset)
	if b.t.wantDeliveries {
		b.tokens = append(b.tokens, rec.Token)
	}
	return nil
}

// send says that the record submitted last is going to be sent. The acks of the
// batch know it by the number of those before it.
func (b *sourceBatch) send() { b.recordOf = append(b.recordOf, int32(len(b.offsets)-1)) }

// drop acknowledges the record submitted last without sending it, when its dead
// letter is written; nil is none.
func (b *sourceBatch) drop(letter *outcome.Outcome) {
	b.dropped++
	i := len(b.offsets) - 1
	if letter != nil {
		b.letters = append(b.letters, heldRecord{i, letter})
		return
	}
	b.ack(i, TopicPartition{Partition: -1}, -1)
}

// seal ends the filling. A record that was submitted, and neither dropped nor is
// sent, stays unacknowledged, so the offset of its partition stays before it;
// nothing waits for it. If nothing is sent, nor held, the batch is over.
func (b *sourceBatch) seal() {
	b.sent = len(b.recordOf)
	b.left.Store(int32(b.sent + len(b.letters)))
	b.gaps.Store(b.dropped+b.sent < len(b.offsets))
	t := b.t
	t.mu.Lock()
	t.open[b] = true
	for i := range b.stretches {
		if s := &b.stretches[i]; !s.partition.IsZero() {
			t.queue(s.partition).push(s)
		}
	}
	t.mu.Unlock()
	if b.sent+len(b.letters) == 0 {
		b.end()
	}
	for _, h := range b.letters {
		b.hold(h.record, "", h.letter)
	}
}

// hold acknowledges a record that its topic does not get, once its letter is
// written. One that cannot be written fails the task.
func (b *sourceBatch) hold(i int, topic string, letter *outcome.Outcome) {
	letter.Then(func(err error) {
		if err != nil {
			b.gaps.Store(true)
			b.t.failed(err)
		} else {
			b.ack(i, TopicPartition{Topic: topic, Partition: -1}, -1)
		}
		b.done(1)
	})
}

// done counts records that need not be waited for any more.
func (b *sourceBatch) done(n int) {
	if b.left.Add(-int32(n)) == 0 {
		b.end()
	}
}

// abandon gives up a sealed batch that was not sent: its records stay
// unacknowledged, so the offsets of their partitions stay where they are.
// Nothing waits for them.
func (b *sourceBatch) abandon() {
	if b.sent > 0 {
		b.gaps.Store(true)
		b.done(b.sent)
	}
}

// end takes a batch out of flight.
func (b *sourceBatch) end() {
	t := b.t
	t.mu.Lock()
	for i := range b.stretches {
		if q := t.queues[b.stretches[i].partition]; q != nil {
			q.pop()
		}
	}
	delete(t.open, b)
	idle := len(t.open) == 0
	t.mu.Unlock()
	buffers := b.batchBuffers
	b.batchBuffers = nil
	buffers.release(t)
	if idle {
		signal(t.idle)
	}
}

// release returns the buffers for another batch.
func (buffers *batchBuffers) release(t *tracker) {
	clear(buffers.headers)
	buffers.arena, buffers.headers, buffers.recordOf = buffers.arena[:0], buffers.headers[:0], buffers.recordOf[:0]
	if cap(buffers.arena) > maxArena {
		buffers.arena = nil
	}
	t.buffers.Put(buffers)
}

// Acked implements Acks.
func (b *sourceBatch) Acked(i int, at TopicPartition, offset int64, err error) {
	if err != nil {
		b.refused(i, at.Topic, err)
		return
	}
	b.ack(int(b.recordOf[i]), at, offset)
	b.t.topics.use(at.Topic)
	b.done(1)
}

// refused deals with a message that Kafka did not take.
func (b *sourceBatch) refused(sent int, topic string, err error) {
	i := int(b.recordOf[sent])
	rec := SourceRecord{Record: Record{Topic: topic}, SourcePartition: b.partition(i), SourceOffset: b.offsets[i]}
	var m *Message
	if b.kept != nil {
		m = &b.kept[sent]
	}
	letter, err := b.t.tolerate(&rec, m, err)
	switch {
	case err != nil:
		b.gaps.Store(true)
		b.t.failed(err)
	case letter != nil:
		b.hold(i, topic, letter)
		return
	default:
		b.ack(i, TopicPartition{Topic: topic, Partition: -1}, -1)
	}
	b.done(1)
}

// partition returns the source partition of a record.
func (b *sourceBatch) partition(i int) SourcePartition {
	return b.stretches[sort.Search(len(b.stretches), func(s int) bool { return i < b.stretches[s].to })].partition
}

// ack marks a record as done.
func (b *sourceBatch) ack(i int, at TopicPartition, offset int64) {
	if b.t.wantDeliveries {
		b.t.deliver(Delivery{Token: b.tokens[i], SourcePartition: b.partition(i), SourceOffset: b.offsets[i], To: at, Offset: offset})
	}
	b.acked[i/64].Or(1 << (i % 64))
}

// acknowledged returns the index of the first record from from on that is not
// acknowledged, to if there is none before it.
func (b *sourceBatch) acknowledged(from, to int) int {
	if b.left.Load() == 0 && !b.gaps.Load() {
		return to
	}
	for from < to {
		n := bits.TrailingZeros64(^b.acked[from/64].Load() >> (from % 64))
		if n == 0 {
			break
		}
		from += min(n, 64-from%64)
	}
	return min(from, to)
}

func (t *tracker) deliver(d Delivery) {
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
func (t *tracker) inFlight() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for b := range t.open {
		n += int(b.left.Load())
	}
	return n
}

// await waits until nothing is in flight, at most for the time given.
func (t *tracker) await(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for t.inFlight() > 0 {
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
