package acktest

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/acksource"
	"github.com/streamlane/connect/data"
)

// queue is a server that the tests call, and faults are what its source does wrong.
type queue struct {
	faults faults
	order  acksource.Order
	max    int

	mu      sync.Mutex
	waiting []int
	flying  []int
	acked   []int
	task    *reader
}

type faults struct{ early, reversed, doubles, loses, unbounded, forgetful bool }

func (q *queue) Send(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, n)
	q.more()
}

// more hands messages to the reader. It is called under mu.
func (q *queue) more() {
	for q.task != nil && len(q.waiting) > 0 && (len(q.flying) < q.max || q.faults.unbounded) {
		n := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.flying = append(q.flying, n)
		q.task.receive(n)
	}
}

// Break has all that is in flight come again.
func (q *queue) Break() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.task != nil {
		q.task.ledger.Forget()
	}
	if !q.faults.loses {
		q.waiting = append(q.flying, q.waiting...)
	}
	q.flying = nil
	q.more()
}

func (q *queue) Acked() []int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]int(nil), q.acked...)
}

func (q *queue) InFlight() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.flying)
}

// acknowledge is called under mu.
func (q *queue) acknowledge(n int) {
	for i, x := range q.flying {
		if x == n {
			q.flying = append(q.flying[:i:i], q.flying[i+1:]...)
			q.acked = append(q.acked, n)
			break
		}
	}
	q.more()
}

type entry = acksource.Entry[int, int]

// reader is a source of a queue.
type reader struct {
	q      *queue
	ledger *acksource.Ledger[int, int]
}

func (q *queue) start(context.Context) (connect.SourceTask, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.task = &reader{q: q, ledger: acksource.New[int, int](acksource.Options{Order: q.order})}
	q.waiting, q.flying = append(q.flying, q.waiting...), nil
	q.more()
	return q.task, nil
}

func (r *reader) Start(context.Context, connect.SourceContext) error { return nil }

// receive is called under mu.
func (r *reader) receive(n int) {
	times := 1
	if r.q.faults.doubles && n%7 == 3 {
		times = 2
	}
	for range times {
		_ = r.ledger.Reserve(context.Background(), 1)
		r.ledger.Enter(n, n, 1, true)
	}
	if r.q.faults.early {
		r.q.acked = append(r.q.acked, n)
		r.q.flying = r.q.flying[:len(r.q.flying)-1]
	}
}

func (r *reader) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	entries, err := r.ledger.Poll(ctx, nil, 5)
	var records []connect.SourceRecord
	for _, e := range entries {
		if r.q.faults.forgetful && e.Message%11 == 5 {
			r.ledger.Done(e)
			continue
		}
		records = append(records, connect.SourceRecord{Record: connect.Record{Value: connect.Datum{Value: data.String(strconv.Itoa(e.Message))}}, Token: e})
	}
	return records, err
}

func (r *reader) CommitRecords(_ context.Context, done []connect.Delivery) error {
	for _, d := range done {
		r.ledger.Done(d.Token.(*entry))
	}
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	due := r.ledger.Due(nil, 1000)
	for i := range due {
		if r.q.faults.reversed {
			i = len(due) - 1 - i
		}
		r.q.acknowledge(due[i])
	}
	return nil
}

func (r *reader) Stop(context.Context) error {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	r.q.task = nil
	return nil
}

func (q *queue) source() *Source {
	return &Source{Peer: q, Start: q.start, Order: q.order, MaxInFlight: q.max, Number: func(r connect.SourceRecord) (int, error) {
		return strconv.Atoi(r.Value.Value.String())
	}}
}

func TestLedgerKeepsTheContract(t *testing.T) {
	for _, order := range []acksource.Order{acksource.InOrder, acksource.AnyOrder} {
		Test(t, 100, func(*testing.T) *Source { return (&queue{order: order, max: 10}).source() })
	}
}

// Each fault is found.
func TestFaultsAreFound(t *testing.T) {
	for name, f := range map[string]faults{
		"acknowledges what Kafka does not have": {early: true}, "acknowledges out of order": {reversed: true}, "delivers twice": {doubles: true},
		"loses what was in flight": {loses: true}, "has too much in flight": {unbounded: true}, "drops a message": {forgetful: true},
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for seed := range uint64(20) {
				synctest.Test(t, func(t *testing.T) {
					if _, err := Run(t.Context(), (&queue{order: acksource.InOrder, max: 10, faults: f}).source(), seed); err != nil {
						found++
					}
				})
			}
			assert.Greater(t, found, 10, "of 20 schedules")
		})
	}
}
