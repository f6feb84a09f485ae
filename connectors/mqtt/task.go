package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// task is one session as a source of records.
type task struct {
	s        *settings
	a        assignment
	filters  []string
	session  *session
	dialer   func(ctx context.Context, network, addr string) (net.Conn, error) // nil: a network's
	running  sync.WaitGroup
	failed   context.Context // ends with the error that ends the task
	fail     context.CancelCauseFunc
	entries  []*entry
	records  []connect.SourceRecord
	place    connect.SourcePartition
	position connect.SourceOffset
}

func newTask(s *settings, a assignment) (*task, error) {
	t := &task{s: s, a: a, place: placeOf(a.Client)}
	if err := json.Unmarshal([]byte(a.Filters), &t.filters); err != nil {
		return nil, fmt.Errorf("configuration %s: found %q, want a JSON array of filters: %w", filtersKey, a.Filters, err)
	}
	t.position = positionOf(a)
	return t, t.place.Err()
}

// The entries of source partitions and offsets. Nothing is resumed from them, for that is the server's part: they tell whether there was a session
// before, and what it had subscribed to.
const (
	clientField   = "client"
	filtersField  = "filters"
	sessionsField = "sessions"
)

func placeOf(client string) connect.SourcePartition {
	return connect.PartitionOf(data.E(clientField, data.String(client)))
}

func positionOf(a assignment) connect.SourceOffset {
	return connect.SourceOffset{data.E(filtersField, data.String(a.Filters)), data.E(sessionsField, data.Int64(int64(a.Of)))}
}

// earlier reads an offset: the filters of the session when it was stored, and the number of all sessions; nothing if there is none.
func earlier(o connect.SourceOffset) (filters []string, sessions int) {
	if v, ok := o.Get(filtersField); ok {
		text, _ := v.Str()
		_ = json.Unmarshal([]byte(text), &filters) // of another program: as if there were none
	}
	n, _ := o.Int(sessionsField)
	return filters, int(n)
}

// Start begins to connect, and does not wait for it.
func (t *task) Start(ctx context.Context, c connect.SourceContext) error {
	t.failed, t.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	offsets, err := c.Offsets(ctx, t.place)
	if err != nil {
		return fmt.Errorf("MQTT source: offset of %s: %w", t.place, err)
	}
	var before []string
	known := false
	for _, o := range offsets {
		if o != nil {
			known = true
			before, _ = earlier(o)
		}
	}
	s, err := newSession(t.s, &t.a, t.filters, others(append(t.s.subscriptions(), before...), t.filters), c.Logger(), c.Metrics())
	if err != nil {
		return fmt.Errorf("MQTT source: %w", err)
	}
	if t.dialer != nil {
		s.link.dialer = t.dialer
	}
	s.known = known
	t.session = s
	t.running.Go(func() {
		if err := s.run(ctx); err != nil {
			t.fail(err)
		}
	})
	return nil
}

// Poll returns records as soon as there are messages.
func (t *task) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	for {
		waiting, end := context.WithCancelCause(ctx)
		undo := context.AfterFunc(t.failed, func() { end(context.Cause(t.failed)) })
		var err error
		t.entries, err = t.session.ledger.Poll(waiting, t.entries[:0], t.s.maxPoll)
		undo()
		end(nil)
		if err != nil {
			return nil, err
		}
		if err = t.convert(); err != nil || len(t.records) > 0 {
			return t.records, err
		}
	}
}

// convert makes records of what was polled. Those before one that fails are returned.
func (t *task) convert() error {
	t.records = t.records[:0]
	now := time.Now()
	for i, e := range t.entries {
		m := e.Message
		t.entries[i] = nil
		if t.leftOut(m) {
			t.session.ledger.Split(e, 0)
			continue
		}
		r, ok, err := t.s.mapping.record(m, now)
		if err != nil {
			clear(t.entries)
			return err
		}
		e.Message = nil // its payload is the record's now
		if !ok {
			t.session.log.Warn("a message is left out: its payload is not valid", "topic", m.topic)
			t.session.ledger.Split(e, 0)
			continue
		}
		r.SourcePartition, r.SourceOffset, r.Token = t.place, t.position, e
		t.records = append(t.records, r)
	}
	return nil
}

// leftOut tells whether a message is not wanted.
func (t *task) leftOut(m *message) bool { return m.retained && t.s.retained == RetainedIgnore }

// CommitRecords has messages acknowledged whose records Kafka has.
func (t *task) CommitRecords(_ context.Context, done []connect.Delivery) error {
	for i := range done {
		e, ok := done[i].Token.(*entry)
		if !ok {
			return errors.New("MQTT source: found a delivery that is not of this task")
		}
		t.session.ledger.Done(e)
	}
	return nil
}

// Stop sends the acknowledgements that are due and disconnects. The session stays on the server.
func (t *task) Stop(ctx context.Context) error {
	if t.session == nil {
		return nil
	}
	t.session.halt()
	undo := context.AfterFunc(ctx, func() { t.session.giveUp() })
	defer undo()
	t.running.Wait()
	t.fail(nil)
	t.session.log.Info("disconnected", "counts", t.session.meters.String(), "ledger", t.session.ledger.Stats().String())
	return nil
}
