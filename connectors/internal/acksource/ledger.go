package acksource

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// An Order says in which order messages have to be acknowledged.
type Order uint8

const (
	// InOrder acknowledges a message after all that were received before it (MQTT, cumulative acknowledgements).
	InOrder Order = iota
	// AnyOrder acknowledges each message as soon as Kafka has it (SQS, AMQP).
	AnyOrder
)

// Options configure a Ledger.
type Options struct {
	Order Order
	// MaxMessages and MaxBytes bound what is in the ledger; 0: no bound. A message that is larger than MaxBytes is let in when no other is.
	MaxMessages int
	MaxBytes    int64
}

// A Ledger knows every message between its receipt and its acknowledgement. M is what records are made of, H is
// the handle that acknowledges a message. All methods are safe for concurrent use.
type Ledger[M, H any] struct {
	o     Options
	ready chan struct{} // told when something can be acknowledged
	room  chan struct{} // told when room was made
	news  chan struct{} // told when something waits for Poll

	mu       sync.Mutex
	waiting  fifo[*Entry[M, H]] // entered, not polled
	owed     fifo[*Entry[M, H]] // to be acknowledged, in the order of receipt
	due      fifo[*Entry[M, H]] // AnyOrder: can be acknowledged
	inFlight map[*Entry[M, H]]struct{}
	bytes    int64
	reserved int // messages
	stats    Stats
}

// Stats count what a ledger has seen.
type Stats struct {
	// InFlight messages are entered and not acknowledged; Bytes of them are held. MaxInFlight and MaxBytes are the most there ever were.
	InFlight, MaxInFlight int
	Bytes, MaxBytes       int64
	// Entered messages, those that Kafka has (Delivered), acknowledgements handed out, those dropped with a connection (Forgotten), and messages
	// that came again and were recognised (Recognised).
	Entered, Delivered, Acknowledged, Forgotten, Recognised int64
}

// An Entry is one message in a ledger.
type Entry[M, H any] struct {
	// Message is as given to Enter. It belongs to whoever polled it: setting it to the zero value once records are made lets go of its memory.
	Message M

	handle H // guarded by the ledger's mutex
	size   int64
	left   int // records that Kafka does not have yet
	done   bool
	owed   bool // is in the queue of what is to be acknowledged
	lease  time.Time
	since  int64 // nanoseconds: when it was entered
}

// New returns an empty ledger.
func New[M, H any](o Options) *Ledger[M, H] {
	return &Ledger[M, H]{
		o: o, ready: make(chan struct{}, 1), room: make(chan struct{}, 1), news: make(chan struct{}, 1),
		inFlight: map[*Entry[M, H]]struct{}{},
	}
}

// Reserve waits until there is room for one message more, of size bytes, and takes it. Enter or Cancel follows.
func (l *Ledger[M, H]) Reserve(ctx context.Context, size int64) error {
	for {
		if l.reserve(size) {
			return nil
		}
		select {
		case <-l.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (l *Ledger[M, H]) reserve(size int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.inFlight) + l.reserved
	if l.o.MaxMessages > 0 && n >= l.o.MaxMessages || l.o.MaxBytes > 0 && l.bytes > 0 && l.bytes+size > l.o.MaxBytes {
		return false
	}
	l.reserved++
	l.grow(size)
	tell(l.room) // there may be more
	return true
}

// grow adds to the bytes held; it is called under mu.
func (l *Ledger[M, H]) grow(size int64) {
	l.bytes += size
	l.stats.MaxBytes = max(l.stats.MaxBytes, l.bytes)
}

// Cancel gives back what Reserve took.
func (l *Ledger[M, H]) Cancel(size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved--
	l.bytes -= size
	tell(l.room)
}

// Enter puts a message, for which there was a Reserve of the same size, at the end of what Poll returns. owed: it has to be acknowledged;
// otherwise (MQTT's QoS 0) it leaves the ledger as soon as Kafka has it.
func (l *Ledger[M, H]) Enter(m M, h H, size int64, owed bool) *Entry[M, H] {
	e := &Entry[M, H]{Message: m, handle: h, size: size, left: 1, since: time.Now().UnixNano()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved--
	l.inFlight[e] = struct{}{}
	l.stats.Entered++
	l.stats.MaxInFlight = max(l.stats.MaxInFlight, len(l.inFlight))
	l.waiting.push(e)
	if owed {
		l.owe(e)
	}
	tell(l.news)
	return e
}

// owe is called under mu.
func (l *Ledger[M, H]) owe(e *Entry[M, H]) {
	e.owed = true
	switch {
	case l.o.Order == InOrder:
		l.owed.push(e)
		if e.done && l.owed.len() == 1 {
			tell(l.ready)
		}
	case e.done:
		l.due.push(e)
		tell(l.ready)
	}
}

// Poll waits for messages and returns at most n, in the order of their receipt, appended to into.
func (l *Ledger[M, H]) Poll(ctx context.Context, into []*Entry[M, H], n int) ([]*Entry[M, H], error) {
	for {
		l.mu.Lock()
		for n > 0 && l.waiting.len() > 0 {
			into = append(into, l.waiting.pop())
			n--
		}
		if l.waiting.len() > 0 {
			tell(l.news)
		}
		l.mu.Unlock()
		if len(into) > 0 {
			return into, nil
		}
		select {
		case <-l.news:
		case <-ctx.Done():
			return into, context.Cause(ctx)
		}
	}
}

// Split says that a message that Poll returned becomes n records, each with the entry as Token. Otherwise it is one. With 0 it is done.
func (l *Ledger[M, H]) Split(e *Entry[M, H], n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.left = n
	if n == 0 {
		l.finish(e)
	}
}

// Done says that Kafka has one more record of the message, or that it was dropped as configured. Its bytes no longer count; when all records
// are done it may be acknowledged.
func (l *Ledger[M, H]) Done(entries ...*Entry[M, H]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		if e.left--; e.left == 0 {
			l.finish(e)
		}
	}
}

// finish is called under mu.
func (l *Ledger[M, H]) finish(e *Entry[M, H]) {
	if e.done {
		return
	}
	e.done = true
	l.stats.Delivered++
	l.bytes -= e.size
	switch {
	case !e.owed:
		delete(l.inFlight, e)
	case l.o.Order == AnyOrder:
		l.due.push(e)
		tell(l.ready)
	case l.owed.peek() == e:
		tell(l.ready)
	}
	tell(l.room)
}

// Ready is told when Due has something new to return.
func (l *Ledger[M, H]) Ready() <-chan struct{} { return l.ready }

// Due takes at most n messages that may be acknowledged now, in the order in which they have to be, appended to into. They are no longer in
// the ledger, and whoever takes them acknowledges them.
func (l *Ledger[M, H]) Due(into []H, n int) []H {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := &l.due
	if l.o.Order == InOrder {
		queue = &l.owed
	}
	for ; n > 0 && queue.len() > 0 && queue.peek().done; n-- {
		e := queue.pop()
		e.owed = false
		delete(l.inFlight, e)
		l.stats.Acknowledged++
		into = append(into, e.handle)
	}
	if queue.len() > 0 && queue.peek().done {
		tell(l.ready)
	}
	tell(l.room)
	return into
}

// Forget drops all that is owed: the connection over which it could be acknowledged is gone, and what was not acknowledged will come again.
// Messages not polled yet stay, so that their order stays. Entries return by Owe if they come again.
func (l *Ledger[M, H]) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.inFlight {
		if !e.owed {
			continue
		}
		e.owed = false
		l.stats.Forgotten++
		if e.done {
			delete(l.inFlight, e)
		}
	}
	l.owed, l.due = fifo[*Entry[M, H]]{}, fifo[*Entry[M, H]]{}
	tell(l.room)
}

// Owe says that the message of e was received again, to be acknowledged by h: it is the same message, so no second record is made, and it is acknowledged in the
// place of its new receipt. It may be done already. The room that was reserved for it is given back.
func (l *Ledger[M, H]) Owe(e *Entry[M, H], h H, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved--
	l.bytes -= size
	tell(l.room)
	if e.owed {
		return
	}
	e.handle = h
	l.inFlight[e] = struct{}{}
	l.stats.Recognised++
	l.owe(e)
}

// Lease notes until when a message is ours; see Leased.
func (l *Ledger[M, H]) Lease(e *Entry[M, H], until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.lease = until
}

// Leased returns the handles of the messages in flight whose lease ends before the given time, and notes that each is ours until then; the
// caller has them renewed.
func (l *Ledger[M, H]) Leased(before, until time.Time) []H {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ending []H
	for e := range l.inFlight {
		if !e.lease.IsZero() && e.lease.Before(before) {
			e.lease = until
			ending = append(ending, e.handle)
		}
	}
	return ending
}

// Abandon empties the ledger and returns what was received but is not known to be in Kafka, for it to be given back: first what is owed, in
// the order of receipt. What can be acknowledged is to be taken by Due before.
func (l *Ledger[M, H]) Abandon() []H {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []H
	for l.owed.len() > 0 {
		if e := l.owed.pop(); !e.done {
			left = append(left, e.handle)
			delete(l.inFlight, e)
		}
	}
	for e := range l.inFlight {
		if !e.done && e.owed {
			left = append(left, e.handle)
		}
	}
	clear(l.inFlight)
	l.waiting, l.due, l.bytes = fifo[*Entry[M, H]]{}, fifo[*Entry[M, H]]{}, 0
	return left
}

// Oldest returns when the oldest of the messages in flight was entered, if there are any. It looks at all of them: it is for metrics.
func (l *Ledger[M, H]) Oldest() (since time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first *Entry[M, H]
	for e := range l.inFlight {
		if first == nil || e.since < first.since {
			first = e
		}
	}
	if first == nil {
		return time.Time{}, false
	}
	return time.Unix(0, first.since), true
}

// Stats returns the counts so far.
func (l *Ledger[M, H]) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.InFlight, s.Bytes = len(l.inFlight), l.bytes
	return s
}

// String is for logs.
func (s Stats) String() string {
	return fmt.Sprintf("in flight %d (%d bytes), entered %d, delivered %d, acknowledged %d, forgotten %d, recognised %d",
		s.InFlight, s.Bytes, s.Entered, s.Delivered, s.Acknowledged, s.Forgotten, s.Recognised)
}

// tell leaves a note that something has changed.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// fifo is a queue whose memory follows its length.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(x T) { q.items = append(q.items, x) }

// peek returns the first item, or the zero value.
func (q *fifo[T]) peek() (first T) {
	if q.len() > 0 {
		first = q.items[q.head]
	}
	return first
}

func (q *fifo[T]) pop() T {
	var none T
	x := q.items[q.head]
	q.items[q.head] = none
	q.head++
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > 1024 {
			q.items = nil
		}
	case q.head >= 1024 && q.head*2 >= len(q.items):
		q.items, q.head = append([]T(nil), q.items[q.head:]...), 0
	}
	return x
}
