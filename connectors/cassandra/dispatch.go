package cassandra

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/streamlane/connect"
)

// A dispatcher sends writes: those of one lane one after the other, those of different lanes side by side.
type dispatcher struct {
	o    dispatchOptions
	life context.Context
	end  context.CancelFunc
	jobs sync.WaitGroup

	mu      sync.Mutex
	lanes   map[string]*lane
	ready   []*lane // have writes, and neither a request nor a pause; in order of arrival
	ledgers map[connect.TopicPartition]*ledger
	limit   float64 // of requests at the same time
	lowered time.Time
	flying  int
	asleep  map[*lane]*time.Timer
	waiting int   // writes
	bytes   int64 // that they cost
	err     error // that fails the task
	ended   bool

	changed chan struct{} // something is over
	gate    gate
}

// dispatchOptions are what a dispatcher is told.
type dispatchOptions struct {
	db         session
	requests   int // most at the same time
	batchCount int
	batchBytes int
	maxWaiting int
	maxBytes   int64
	retry      RetryConfig
	agreement  time.Duration // how long a table may be missing
	// refuse is told of a write that the database does not take, or whose outcome is not known; its error fails the task.
	refuse func(ctx context.Context, w *write, cause error) error
	// giveUp is told of a write whose retries have run out.
	giveUp func(ctx context.Context, w *write, cause error) error
	// failed is told that the task must fail, once.
	failed func()
	// pause and resume stop and start the flow of records. They must not wait.
	pause, resume func()
	stats         *stats
}

// A lane has the writes of one partition of a table, in order.
type lane struct {
	key    string
	writes []*write
	flying int // how many of them, from the first on, are under way
	busy   bool
	cap    int // most in one batch; 0: as the options say
	alone  int // that many go one by one
}

func newDispatcher(life context.Context, o dispatchOptions) *dispatcher {
	d := &dispatcher{
		o: o, lanes: map[string]*lane{}, ledgers: map[connect.TopicPartition]*ledger{}, asleep: map[*lane]*time.Timer{},
		limit: float64(o.requests), changed: make(chan struct{}, 1),
	}
	d.life, d.end = context.WithCancel(life)
	d.gate = gate{pause: o.pause, resume: o.resume}
	return d
}

// enqueue takes the writes of one record; lanes[i] is the key of the lane of writes[i] and may be changed later. Nothing is sent before pump.
func (d *dispatcher) enqueue(tp connect.TopicPartition, offset int64, writes []*write, lanes []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.ledgers[tp]
	if l == nil || offset <= l.last { // the consumer went back: what is read again counts, not what is outstanding
		l = newLedger()
		d.ledgers[tp] = l
	}
	ref := l.enter(offset, len(writes))
	for i, w := range writes {
		w.slot = ref
		d.waiting++
		w.charge = w.cost() // values may be others when it is over
		d.bytes += w.charge
		x := d.lanes[lanes[i]]
		if x == nil {
			x = &lane{key: lanes[i]}
			d.lanes[x.key] = x
		}
		x.writes = append(x.writes, w)
		if !x.busy {
			x.busy = true
			d.ready = append(d.ready, x)
		}
	}
}

// pump starts requests as far as there is room, and stops the flow if too much waits.
func (d *dispatcher) pump() {
	d.mu.Lock()
	d.start()
	over := d.over()
	d.mu.Unlock()
	if over {
		d.gate.set(d.wanted)
	}
}

// start begins requests. The lock is held.
func (d *dispatcher) start() {
	for !d.ended && d.flying < d.room() && len(d.ready) > 0 {
		l, r := d.next()
		d.jobs.Go(func() { d.work(l, r) })
	}
}

func (d *dispatcher) room() int { return max(1, int(d.limit)) }

// next takes a lane that is ready, and what of it goes next. The lock is held.
func (d *dispatcher) next() (*lane, *request) {
	l := d.ready[0]
	d.ready[0] = nil
	d.ready = d.ready[1:]
	d.flying++
	l.flying = d.take(l)
	now := time.Now()
	for _, w := range l.writes[:l.flying] {
		w.begun = now
	}
	t := l.writes[0].target
	return l, &request{level: t.level, serial: t.serial, writes: l.writes[:l.flying:l.flying]}
}

// take says how many writes of a lane go together.
func (d *dispatcher) take(l *lane) int {
	most := d.o.batchCount
	if l.cap > 0 {
		most = min(most, l.cap)
	}
	first := l.writes[0]
	if l.alone > 0 || first.stmt.alone {
		l.alone = max(0, l.alone-1)
		return 1
	}
	n, bytes := 1, first.bytes
	for n < len(l.writes) && n < most {
		w := l.writes[n]
		if w.stmt.alone || bytes+w.bytes > d.o.batchBytes {
			break
		}
		bytes += w.bytes
		n++
	}
	return n
}

// work sends requests, one after the other, as long as there are some.
func (d *dispatcher) work(l *lane, r *request) {
	for l != nil {
		err := d.o.db.execute(d.life, r)
		l, r = d.done(l, r, err)
	}
}

// done deals with the end of a request and returns the next one, or nil.
func (d *dispatcher) done(l *lane, r *request, err error) (*lane, *request) {
	c := classify(err)
	if d.life.Err() != nil && c != written {
		c = stopped
	}
	v := d.judge(r, c, err) // may wait: for reports, or for the table
	d.mu.Lock()
	d.flying--
	d.adapt(c)
	d.o.stats.request(c, r, err)
	first := v.then == fail && d.err == nil
	switch v.then {
	case settle:
		d.finish(l, r)
	case again:
		d.sleep(l, r)
	case split:
		d.split(l, r, c)
	case fail:
		d.fail(v.err)
	}
	l.flying = 0
	var next *lane
	var req *request
	if !d.ended && d.flying < d.room() && len(d.ready) > 0 {
		next, req = d.next()
	}
	d.start()
	under := d.under()
	d.mu.Unlock()
	if first {
		d.o.failed()
	}
	if under {
		d.gate.set(d.wanted)
	}
	d.signal()
	return next, req
}

// finish takes the writes of a request out of their lane. The lock is held.
func (d *dispatcher) finish(l *lane, r *request) {
	n := len(r.writes)
	for _, w := range r.writes {
		w.slot.settle()
		d.waiting--
		d.bytes -= w.charge
	}
	clear(l.writes[:n])
	l.writes = l.writes[n:]
	if l.cap > 0 && n > 1 {
		l.cap = min(2*l.cap, d.o.batchCount)
	}
	if len(l.writes) == 0 {
		l.busy = false
		delete(d.lanes, l.key)
		return
	}
	d.ready = append(d.ready, l)
}

// split has the writes of a batch that is refused tried in parts: in halves if it was too large, else one by one to find the one that is. The lock is held.
func (d *dispatcher) split(l *lane, r *request, c class) {
	if c == tooLarge {
		l.cap = max(1, len(r.writes)/2)
	} else {
		l.alone = len(r.writes)
	}
	d.ready = append(d.ready, l)
}

// sleep puts a lane off. The lock is held.
func (d *dispatcher) sleep(l *lane, r *request) {
	tries := 0
	now := time.Now()
	for _, w := range r.writes {
		w.tries++
		tries = max(tries, w.tries)
		if w.since.IsZero() {
			w.since = now
		}
	}
	d.asleep[l] = time.AfterFunc(d.backoff(tries), func() { d.rouse(l) })
}

// backoff is a random pause that grows with each try.
func (d *dispatcher) backoff(tries int) time.Duration {
	most := min(d.o.retry.Backoff<<min(tries-1, 20), d.o.retry.MaxBackoff)
	if most <= 0 {
		most = d.o.retry.MaxBackoff
	}
	return most/2 + rand.N(most/2+1)
}

// rouse makes a lane ready whose pause is over.
func (d *dispatcher) rouse(l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.asleep[l]; !ok || d.ended {
		return
	}
	delete(d.asleep, l)
	d.ready = append(d.ready, l)
	d.start()
}

// adapt lowers the number of requests if the nodes have too much to do, and raises it slowly otherwise. The lock is held.
func (d *dispatcher) adapt(c class) {
	switch c {
	case overloaded, slow:
		if now := time.Now(); now.Sub(d.lowered) >= d.o.retry.Backoff { // all that were on their way hear the same
			d.limit, d.lowered = max(1, d.limit/2), now
		}
	case written:
		d.limit = min(float64(d.o.requests), d.limit+1/max(1, d.limit))
	}
}

func (d *dispatcher) over() bool { return d.waiting >= d.o.maxWaiting || d.bytes >= d.o.maxBytes }

func (d *dispatcher) under() bool {
	return d.ended || d.waiting <= d.o.maxWaiting/2 && d.bytes <= d.o.maxBytes/2
}

// wanted says what the gate should be now: shut at the high mark, open at the low one, else as it was.
func (d *dispatcher) wanted(shut bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if shut {
		return !d.under()
	}
	return d.over() && !d.ended
}

// fail ends everything; the first error counts. The lock is held.
func (d *dispatcher) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.stop()
}

// stop begins the end. The lock is held.
func (d *dispatcher) stop() {
	d.ended = true
	d.end()
	for l, t := range d.asleep {
		t.Stop()
		delete(d.asleep, l)
	}
}

// failure is what fails the task, or nil.
func (d *dispatcher) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

func (d *dispatcher) signal() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// drain waits until nothing is outstanding, or something does not go on.
func (d *dispatcher) drain(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		d.mu.Lock()
		over := d.waiting == 0 || d.ended || len(d.asleep) > 0
		d.mu.Unlock()
		if over {
			return
		}
		select {
		case <-d.changed:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// close ends all requests and waits for them.
func (d *dispatcher) close() {
	d.mu.Lock()
	d.stop()
	d.mu.Unlock()
	d.jobs.Wait()
}
