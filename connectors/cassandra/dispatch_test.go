package cassandra

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/metric"
)

// fakeDB is a database of these tests.
type fakeDB struct {
	session
	exec    func(ctx context.Context, r *request) error
	columns func(keyspace, table string) (*tableSchema, error)
}

func (f *fakeDB) execute(ctx context.Context, r *request) error { return f.exec(ctx, r) }
func (f *fakeDB) table(_ context.Context, keyspace, name string) (*tableSchema, error) {
	return f.columns(keyspace, name)
}
func (f *fakeDB) close() {}

// An answer is an error that a node sends.
type answer struct {
	code int
	text string
}

func (a answer) Code() int       { return a.code }
func (a answer) Message() string { return a.text }
func (a answer) Error() string   { return a.text }

// options are those of a dispatcher that fails the test when it gives a write up.
func testOptions(t *testing.T, exec func(ctx context.Context, r *request) error) dispatchOptions {
	wrong := func(_ context.Context, w *write, cause error) error {
		t.Errorf("offset %d is given up: %v", w.record.Origin.Offset, cause)
		return cause
	}
	return dispatchOptions{
		db: &fakeDB{exec: exec}, requests: 8, batchCount: 5, batchBytes: 1000, maxWaiting: 100, maxBytes: 1 << 20,
		retry: RetryConfig{Backoff: 100 * time.Millisecond, MaxBackoff: time.Second, Timeout: time.Hour}, agreement: time.Minute,
		refuse: wrong, giveUp: wrong, failed: func() {}, pause: func() {}, resume: func() {}, stats: newStats(new(metric.Set), nil),
	}
}

var testTable = &target{id: 1, cfg: &tableConfig{topic: "t", keyspace: "ks", table: "tbl", prefix: "topic.t.ks.tbl."}}

func testWrite(lane string, offset int64, bytes int) *write {
	w := &write{target: testTable, plan: &plan{}, stmt: &statement{cql: lane, repeatable: true}, bytes: bytes}
	w.record.Origin.Offset = offset
	return w
}

var tp0 = connect.TopicPartition{Topic: "t", Partition: 0}

func (d *dispatcher) add(writes ...*write) {
	for _, w := range writes {
		d.enqueue(tp0, w.record.Origin.Offset, []*write{w}, []string{w.stmt.cql})
	}
}

// model is what the database of the property test has, and what it was asked wrongly.
type model struct {
	mu     sync.Mutex
	rng    *rand.Rand
	order  map[string][]int64 // offsets by lane, in the order in which they were enqueued
	next   map[string]int     // how many of these are applied
	flying map[string]bool
	in     int
	wrong  []string
}

func (m *model) fail(format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
}

// execute runs in a bubble.
func (m *model) execute(ctx context.Context, r *request) error {
	lane := r.writes[0].stmt.cql
	m.mu.Lock()
	if m.flying[lane] {
		m.fail("lane %s has two requests", lane)
	}
	m.flying[lane] = true
	if m.in++; m.in > 8 {
		m.fail("%d requests at the same time", m.in)
	}
	pause := time.Duration(m.rng.IntN(50)) * time.Millisecond
	fate := m.rng.IntN(10)
	applied := fate < 6 || fate == 6 && m.rng.IntN(2) == 0
	m.mu.Unlock()
	time.Sleep(pause)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.in--
	m.flying[lane] = false
	bytes := 0
	for _, w := range r.writes {
		bytes += w.bytes
		if w.stmt.cql != lane {
			m.fail("a batch has the lanes %s and %s", lane, w.stmt.cql)
		}
		if applied {
			m.apply(lane, w.record.Origin.Offset)
		}
	}
	if len(r.writes) > 5 || len(r.writes) > 1 && bytes > 1000 {
		m.fail("a batch has %d writes of %d bytes", len(r.writes), bytes)
	}
	return []error{6: answer{gocql.ErrCodeWriteTimeout, "timeout"}, 7: answer{gocql.ErrCodeOverloaded, "too much"}, 8: gocql.ErrNoConnections,
		9: answer{gocql.ErrCodeInvalid, "Batch too large"}}[fate]
}

// apply takes a write: one that was applied before, or the next one.
func (m *model) apply(lane string, offset int64) {
	order := m.order[lane]
	for i, o := range order {
		if o != offset {
			continue
		}
		if i > m.next[lane] {
			m.fail("lane %s: offset %d overtakes %d", lane, offset, order[m.next[lane]])
		}
		m.next[lane] = max(m.next[lane], i+1)
	}
}

func (m *model) done(lane string, offset int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.order[lane][:m.next[lane]] {
		if o == offset {
			return true
		}
	}
	return false
}

// Whatever the database does, writes of a lane keep their order, offsets are never ahead of what is written, and what waits is bounded.
func TestDispatchKeepsOrderAndOffsets(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { dispatchRound(t, seed) })
		})
	}
}

// dispatchRound runs in a bubble.
func dispatchRound(t *testing.T, seed uint64) {
	m := &model{rng: rand.New(rand.NewPCG(seed, 1)), order: map[string][]int64{}, next: map[string]int{}, flying: map[string]bool{}}
	rng := rand.New(rand.NewPCG(seed, 2))
	o := testOptions(t, m.execute)
	o.refuse = func(_ context.Context, w *write, cause error) error { // a single write is called too large
		m.mu.Lock()
		defer m.mu.Unlock()
		m.apply(w.stmt.cql, w.record.Origin.Offset)
		return nil
	}
	paused := false
	var mu sync.Mutex
	set := func(to bool) func() { return func() { mu.Lock(); paused = to; mu.Unlock() } }
	o.pause, o.resume = set(true), set(false)
	d := newDispatcher(t.Context(), o)
	defer d.close()
	d.open(tp0)
	var lanes []string // by offset
	for len(lanes) < 600 {
		mu.Lock()
		wait := paused
		mu.Unlock()
		if !wait {
			for range 1 + rng.IntN(20) {
				lane, offset := strconv.Itoa(rng.IntN(1+int(seed))), int64(len(lanes))
				lanes = append(lanes, lane)
				m.mu.Lock()
				m.order[lane] = append(m.order[lane], offset)
				m.mu.Unlock()
				d.add(testWrite(lane, offset, rng.IntN(600)))
			}
			d.pump()
		}
		d.mu.Lock()
		assert.LessOrEqual(t, d.waiting, 120)
		d.mu.Unlock()
		checkSafe(t, d, m, lanes)
		time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
	}
	all := int64(len(lanes))
	for d.safeOffsets(connect.Offsets{tp0: all})[tp0] < all && d.failure() == nil {
		checkSafe(t, d, m, lanes)
		time.Sleep(100 * time.Millisecond)
	}
	synctest.Wait()
	require.NoError(t, d.failure())
	assert.Empty(t, m.wrong)
	for lane, order := range m.order {
		assert.Equal(t, len(order), m.next[lane], "lane %s", lane)
	}
	assert.Zero(t, d.waiting)
	assert.Zero(t, d.bytes)
	assert.Empty(t, d.lanes)
	assert.False(t, paused, "the flow goes on when all is written")
}

func checkSafe(t *testing.T, d *dispatcher, m *model, lanes []string) {
	t.Helper()
	safe := d.safeOffsets(connect.Offsets{tp0: int64(len(lanes))})[tp0]
	for offset, lane := range lanes[:safe] {
		if !m.done(lane, int64(offset)) {
			t.Fatalf("offset %d is safe, and %d is not written", safe, offset)
		}
	}
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		o := testOptions(t, func(context.Context, *request) error {
			at = append(at, time.Now())
			return answer{gocql.ErrCodeUnavailable, "no nodes"}
		})
		o.retry = RetryConfig{Backoff: time.Second, MaxBackoff: 8 * time.Second, Timeout: time.Minute}
		gone := make(chan error, 1)
		o.giveUp = func(_ context.Context, _ *write, cause error) error { gone <- cause; return cause }
		d := newDispatcher(t.Context(), o)
		defer d.close()
		begun := time.Now()
		d.add(testWrite("a", 0, 10))
		d.pump()
		err := <-gone
		synctest.Wait()
		assert.ErrorContains(t, err, "retry.timeout.ms")
		assert.ErrorContains(t, err, "no nodes")
		synctest.Wait()
		assert.Equal(t, err, d.failure())
		assert.InDelta(t, 64, time.Since(begun).Seconds(), 4)
		for i := 1; i < len(at); i++ {
			most := min(time.Second<<(i-1), 8*time.Second)
			pause := at[i].Sub(at[i-1])
			assert.LessOrEqual(t, pause, most)
			assert.GreaterOrEqual(t, pause, most/2)
		}
	})
}

func TestFlowPausesAtTheHighMarkAndResumesAtTheLowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		o := testOptions(t, func(ctx context.Context, _ *request) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		o.maxWaiting, o.batchCount = 10, 1
		var log []string
		o.pause, o.resume = func() { log = append(log, "pause") }, func() { log = append(log, "resume") }
		d := newDispatcher(t.Context(), o)
		defer d.close()
		for i := range int64(9) {
			d.add(testWrite(strconv.FormatInt(i, 10), i, 1))
		}
		d.pump()
		synctest.Wait()
		assert.Empty(t, log)
		d.add(testWrite("9", 9, 1))
		d.pump()
		d.gate.again()
		synctest.Wait()
		assert.Equal(t, []string{"pause", "pause"}, log, "partitions that come while it is shut are paused, too")
		for range 4 {
			release <- struct{}{}
			synctest.Wait()
		}
		assert.Len(t, log, 2)
		release <- struct{}{}
		synctest.Wait()
		assert.Equal(t, []string{"pause", "pause", "resume"}, log)
	})
}

func TestBytesPauseTheFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions(t, func(ctx context.Context, _ *request) error { <-ctx.Done(); return ctx.Err() })
		o.maxBytes = 10_000
		paused := false
		o.pause = func() { paused = true }
		d := newDispatcher(t.Context(), o)
		defer d.close()
		d.add(testWrite("a", 0, 9000))
		d.pump()
		assert.False(t, paused)
		d.add(testWrite("b", 1, 900))
		d.pump()
		assert.True(t, paused)
	})
}

func TestOverloadLowersTheNumberOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, in, most := true, 0, 0
		var mu sync.Mutex
		o := testOptions(t, func(context.Context, *request) error {
			mu.Lock()
			in++
			most = max(most, in)
			fail := busy
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			in--
			mu.Unlock()
			if fail {
				return answer{gocql.ErrCodeOverloaded, "too much"}
			}
			return nil
		})
		o.requests, o.batchCount, o.maxWaiting = 64, 1, 100_000
		d := newDispatcher(t.Context(), o)
		defer d.close()
		for i := range int64(3000) {
			d.add(testWrite(strconv.FormatInt(i, 10), i, 1))
		}
		d.pump()
		time.Sleep(2 * time.Second)
		mu.Lock()
		assert.Equal(t, 64, most)
		busy, most = false, 0
		mu.Unlock()
		d.mu.Lock()
		assert.Equal(t, 1.0, d.limit)
		d.mu.Unlock()
		time.Sleep(20 * time.Second)
		d.mu.Lock()
		defer d.mu.Unlock()
		assert.Zero(t, d.waiting)
		assert.Greater(t, d.limit, 16.0, "it comes back")
	})
}

// A batch with one bad record is taken apart; the bad one alone is reported, and the others are written in order.
func TestABadRecordIsFoundInItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []int64
		o := testOptions(t, func(_ context.Context, r *request) error {
			for _, w := range r.writes {
				if w.record.Origin.Offset == 2 {
					return answer{gocql.ErrCodeInvalid, "Invalid data"}
				}
			}
			for _, w := range r.writes {
				sent = append(sent, w.record.Origin.Offset)
			}
			return nil
		})
		var refused []int64
		o.refuse = func(_ context.Context, w *write, cause error) error {
			assert.EqualError(t, cause, "Invalid data")
			refused = append(refused, w.record.Origin.Offset)
			return nil
		}
		d := newDispatcher(t.Context(), o)
		defer d.close()
		for i := range int64(8) {
			d.add(testWrite("a", i, 1))
		}
		d.pump()
		d.drain(t.Context(), time.Minute)
		synctest.Wait()
		assert.Equal(t, []int64{0, 1, 3, 4, 5, 6, 7}, sent)
		assert.Equal(t, []int64{2}, refused)
	})
}

// Writes that are not repeatable are sent alone and, if they may have taken place, not again.
func TestWhatIsNotRepeatableIsNotRepeated(t *testing.T) {
	for _, c := range []struct {
		err   error
		again bool
	}{
		{answer{gocql.ErrCodeWriteTimeout, ""}, false}, {gocql.ErrConnectionClosed, false}, {gocql.ErrTimeoutNoResponse, false},
		{answer{gocql.ErrCodeServer, ""}, false}, {errors.New("read: connection reset by peer"), false},
		{answer{gocql.ErrCodeUnavailable, ""}, true}, {answer{gocql.ErrCodeOverloaded, ""}, true}, {gocql.ErrNoConnections, true},
		{answer{gocql.ErrCodeBootstrapping, ""}, true}, {gocql.ErrNoStreams, true},
	} {
		t.Run(fmt.Sprintf("%T %v", c.err, c.err), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent []int64
				o := testOptions(t, func(_ context.Context, r *request) error {
					assert.Len(t, r.writes, 1)
					sent = append(sent, r.writes[0].record.Origin.Offset)
					if len(sent) == 1 {
						return c.err
					}
					return nil
				})
				var refused []int64
				o.refuse = func(_ context.Context, w *write, cause error) error {
					assert.ErrorIs(t, cause, c.err)
					refused = append(refused, w.record.Origin.Offset)
					return nil
				}
				d := newDispatcher(t.Context(), o)
				defer d.close()
				for i := range int64(3) {
					w := testWrite("a", i, 1)
					w.stmt.alone, w.stmt.repeatable = true, false
					d.add(w)
				}
				d.pump()
				time.Sleep(time.Minute)
				synctest.Wait()
				if c.again {
					assert.Equal(t, []int64{0, 0, 1, 2}, sent)
					assert.Empty(t, refused)
				} else {
					assert.Equal(t, []int64{0, 1, 2}, sent)
					assert.Equal(t, []int64{0}, refused)
				}
			})
		})
	}
}

func TestAFatalErrorFailsTheTaskAndNamesTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions(t, func(context.Context, *request) error { return answer{gocql.ErrCodeUnauthorized, "no MODIFY"} })
		told := 0
		o.failed = func() { told++ }
		d := newDispatcher(t.Context(), o)
		defer d.close()
		d.add(testWrite("a", 0, 1), testWrite("a", 1, 1))
		d.pump()
		synctest.Wait()
		assert.ErrorContains(t, d.failure(), "write to ks.tbl (topic.t.ks.tbl.*): no MODIFY")
		assert.Equal(t, 1, told)
		assert.Equal(t, connect.Offsets{tp0: 0}, d.safeOffsets(connect.Offsets{tp0: 2}))
	})
}

// What is read again after the consumer went back counts, not what was outstanding then.
func TestAConsumerThatGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		o := testOptions(t, func(context.Context, *request) error { <-release; return nil })
		d := newDispatcher(t.Context(), o)
		defer d.close()
		d.open(tp0)
		d.add(testWrite("a", 5, 1), testWrite("a", 6, 1))
		d.pump()
		synctest.Wait()
		d.add(testWrite("a", 5, 1), testWrite("a", 6, 1))
		d.pump()
		release <- struct{}{}
		synctest.Wait()
		assert.Equal(t, int64(5), d.safeOffsets(connect.Offsets{tp0: 7})[tp0], "the second time is not written")
		release <- struct{}{}
		synctest.Wait()
		assert.Equal(t, int64(7), d.safeOffsets(connect.Offsets{tp0: 7})[tp0])
	})
}
