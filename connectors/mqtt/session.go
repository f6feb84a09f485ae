package mqtt

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect/connectors/internal/acksource"
	"github.com/streamlane/connect/metric"
)

// ack is how a message is acknowledged.
type ack struct {
	id  uint16
	qos byte
}

type (
	ledger = acksource.Ledger[*message, ack]
	entry  = acksource.Entry[*message, ack]
)

// session is one client: its subscriptions, and what it has received and not acknowledged. It outlives connections.
type session struct {
	s       *settings
	client  string
	filters []string // of this session
	foreign []string // to unsubscribe from: of other sessions, or of an earlier configuration
	known   bool     // there was a session before, as offsets tell
	link    *link
	log     *slog.Logger
	ledger  *ledger
	meters  meters
	seed    maphash.Seed

	stopping context.Context // ends when the task stops, by halt
	halt     context.CancelFunc
	patience context.Context // ends when a stop has to be at once, by giveUp
	giveUp   context.CancelFunc

	connected atomic.Bool

	mu          sync.Mutex
	unacked     map[uint16]held // by packet id: received, no acknowledgement sent
	released    map[uint16]held // QoS 2: PUBREC sent, PUBREL not received
	settled     bool            // a message has come over this connection that is not sent again
	connections int64           // so far
	requests    uint16          // for SUBSCRIBE so far
	granted     bool            // this process has subscribed, in the session that the server has
}

// held is what a message that is not acknowledged is known by.
type held struct {
	entry      *entry
	print      uint64
	connection int64 // the last that it came over
}

func newSession(s *settings, a *assignment, filters, foreign []string, log *slog.Logger, set *metric.Set) (*session, error) {
	l, err := newLink(s, a.Client)
	if err != nil {
		return nil, err
	}
	stopping, halt := context.WithCancel(context.Background())
	patience, giveUp := context.WithCancel(context.Background())
	x := &session{
		stopping: stopping, halt: halt, patience: patience, giveUp: giveUp,
		s: s, client: a.Client, filters: filters, foreign: foreign, link: l, log: log.With("client", a.Client),
		ledger: acksource.New[*message, ack](acksource.Options{Order: acksource.InOrder, MaxMessages: s.maxInFlight, MaxBytes: s.maxBytes}),
		seed:   maphash.MakeSeed(), unacked: map[uint16]held{}, released: map[uint16]held{}, meters: newMeters(set),
	}
	x.gauges(set)
	return x, nil
}

// run keeps the session connected until the task stops (nil) or cannot go on.
func (s *session) run(ctx context.Context) error {
	delay := s.s.conn.Backoff
	for {
		began := time.Now()
		err := s.once(ctx)
		switch {
		case errors.Is(err, errStopping) || ctx.Err() != nil:
			return nil
		case final(err), permanently(err) && !s.everConnected():
			return err
		}
		if time.Since(began) > 2*delay {
			delay = s.s.conn.Backoff
		}
		wait := jitter(delay)
		s.log.Warn("not connected", "err", err, "again in", wait, "counts", s.meters.String())
		if !s.pause(ctx, wait) {
			return nil
		}
		delay = min(2*delay, max(s.s.conn.Max, s.s.conn.Backoff))
	}
}

// jitter leaves out up to half of a pause, so that clients do not come back all at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// pause waits, and tells whether to go on.
func (s *session) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stopping.Done():
	case <-ctx.Done():
	}
	return false
}

func (s *session) everConnected() bool { return s.meters.connections.Value() > 0 }

// once is the life of one connection.
func (s *session) once(ctx context.Context) error {
	dialing, end := context.WithCancelCause(ctx) // an attempt to connect ends with the task
	undo := context.AfterFunc(s.stopping, func() { end(errStopping) })
	c, err := s.link.dial(dialing)
	undo()
	if stopped := context.Cause(dialing); stopped != nil {
		err = errors.Join(stopped, err)
	}
	end(nil)
	if err != nil {
		if c != nil {
			c.Close()
		}
		return err
	}
	s.resume(c)
	defer s.ledger.Forget()
	p := &pump{session: s, c: c, out: make(chan [4]byte, 64)}
	err = p.run(ctx)
	s.connected.Store(false)
	if !errors.Is(err, errStopping) {
		s.meters.lost.Add(1)
	}
	return err
}

// resume compares the server's idea of the session with ours.
func (s *session) resume(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	expected := !s.s.clean && (s.known || s.connections > 0)
	if s.connections++; s.connections > 1 {
		s.meters.reconnections.Add(1)
	}
	s.meters.connections.Add(1)
	s.connected.Store(true)
	s.settled = false
	if c.present {
		s.log.Info("connected", "uri", c.uri, "protocol", c.d.String(), "session", "resumed")
		return
	}
	clear(s.unacked)
	clear(s.released)
	s.granted = false
	if !expected {
		s.log.Info("connected", "uri", c.uri, "protocol", c.d.String(), "session", "new")
		return
	}
	s.meters.sessionsLost.Add(1)
	s.log.Warn("connected, but the server has lost the session: messages that it had for it may be lost", "uri", c.uri,
		"protocol", c.d.String(), "sessions lost", s.meters.sessionsLost.Value())
}

// received enters a message for which room was reserved.
func (s *session) received(m *message, size int64) {
	s.meters.received.Add(1)
	if m.qos == 0 {
		s.ledger.Enter(m, ack{}, size, false)
		return
	}
	print := s.print(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.dup {
		s.meters.redelivered.Add(1)
		if h, ok := s.before(m); ok && h.print == print {
			s.meters.recognised.Add(1)
			h.connection = s.connections
			s.unacked[m.id] = h
			delete(s.released, m.id)
			s.ledger.Owe(h.entry, ack{m.id, m.qos}, size)
			return
		}
		s.meters.repeated.Add(1)
	} else {
		s.settle()
	}
	delete(s.released, m.id)
	s.unacked[m.id] = held{s.ledger.Enter(m, ack{m.id, m.qos}, size, true), print, s.connections}
}

// before looks for an earlier receipt of a message that is marked as a duplicate: not acknowledged, or (QoS 2) acknowledged, but not released. It
// is called under mu.
func (s *session) before(m *message) (h held, ok bool) {
	if h, ok = s.unacked[m.id]; !ok && m.qos == 2 {
		h, ok = s.released[m.id]
	}
	return h, ok
}

// settle is called for a message that comes for the first time: what the server sends again it sends before. Whatever it has not sent again it has
// given up (an expiry, a loss of its own), and another message with the same id and text is another message. It is called under mu.
func (s *session) settle() {
	if s.settled {
		return
	}
	s.settled = true
	stale := func(_ uint16, h held) bool { return h.connection != s.connections }
	maps.DeleteFunc(s.unacked, stale)
	maps.DeleteFunc(s.released, stale)
}

// print tells messages apart that have the same packet id.
func (s *session) print(m *message) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_ = h.WriteByte(m.qos)
	_, _ = h.WriteString(m.topic)
	_ = h.WriteByte(0)
	_, _ = h.Write(m.payload)
	return h.Sum64()
}

// acknowledge notes that acknowledgements are about to be sent. Should they get lost, a message of QoS 1 that comes again is a new one: the
// server may have used its id for another.
func (s *session) acknowledge(acks []ack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range acks {
		if a.qos == 2 {
			s.released[a.id] = s.unacked[a.id]
		}
		delete(s.unacked, a.id)
	}
}

// release notes a PUBREL.
func (s *session) release(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.released, id)
}

// others returns the filters of all that are not in own.
func others(all, own []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(f string) bool { return slices.Contains(own, f) })
}
