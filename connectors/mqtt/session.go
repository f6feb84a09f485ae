package mqtt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/streamlane/connect/connectors/internal/acksource"
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
	seed    maphash.Seed

	stopping context.Context // ends when the task stops, by halt
	halt     context.CancelFunc
	patience context.Context // ends when a stop has to be at once, by giveUp
	giveUp   context.CancelFunc

	mu       sync.Mutex
	unacked  map[uint16]held   // by packet id: received, no acknowledgement sent
	released map[uint16]uint64 // QoS 2: PUBREC sent, PUBREL not received; prints
	counts   counts
	granted  bool // this process has subscribed, in the session that the server has
}

// held is what a message that is not acknowledged is known by.
type held struct {
	entry *entry
	print uint64
}

// counts are what a session has seen.
type counts struct {
	// Connections made and lost; Sessions that were not there though they should have been.
	Connections, Lost, SessionsLost int64
	// Received messages; of those with the flag DUP: recognised, so no second record, and delivered, perhaps for the second time.
	Received, Recognised, Repeated int64
}

func newSession(s *settings, a *assignment, filters, foreign []string, log *slog.Logger) (*session, error) {
	l, err := newLink(s, a.Client)
	if err != nil {
		return nil, err
	}
	stopping, halt := context.WithCancel(context.Background())
	patience, giveUp := context.WithCancel(context.Background())
	return &session{
		stopping: stopping, halt: halt, patience: patience, giveUp: giveUp,
		s: s, client: a.Client, filters: filters, foreign: foreign, link: l, log: log.With("client", a.Client),
		ledger: acksource.New[*message, ack](acksource.Options{Order: acksource.InOrder, MaxMessages: s.maxInFlight, MaxBytes: s.maxBytes}),
		seed:   maphash.MakeSeed(), unacked: map[uint16]held{}, released: map[uint16]uint64{},
	}, nil
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
		case errors.Is(err, errFinal), permanently(err) && !s.everConnected():
			return err
		}
		if time.Since(began) > 2*delay {
			delay = s.s.conn.Backoff
		}
		wait := jitter(delay)
		s.log.Warn("not connected", "err", err, "again in", wait, "counts", s.stats().String())
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

func (s *session) everConnected() bool { return s.stats().Connections > 0 }

func (s *session) stats() counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// String is for logs.
func (c counts) String() string {
	return fmt.Sprintf("connections %d, lost %d, sessions lost %d, received %d, repeated and recognised %d, repeated and delivered %d",
		c.Connections, c.Lost, c.SessionsLost, c.Received, c.Recognised, c.Repeated)
}

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
	if !errors.Is(err, errStopping) {
		s.mu.Lock()
		s.counts.Lost++
		s.mu.Unlock()
	}
	return err
}

// resume compares the server's idea of the session with ours.
func (s *session) resume(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	expected := !s.s.clean && (s.known || s.counts.Connections > 0)
	s.counts.Connections++
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
	s.counts.SessionsLost++
	s.log.Error("connected, but the server has lost the session: messages that it had for it may be lost", "uri", c.uri,
		"protocol", c.d.String(), "sessions lost", s.counts.SessionsLost)
}

// received enters a message for which room was reserved. answer is sent at once if it is not nil.
func (s *session) received(m *message, size int64) (answer *[4]byte) {
	if m.qos == 0 {
		s.count(func(c *counts) { c.Received++ })
		s.ledger.Enter(m, ack{}, size, false)
		return nil
	}
	print := s.print(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Received++
	if m.dup {
		if h, ok := s.unacked[m.id]; ok && h.print == print {
			s.counts.Recognised++
			s.ledger.Owe(h.entry, ack{m.id, m.qos}, size)
			return nil
		}
		if seen, ok := s.released[m.id]; ok && m.qos == 2 && seen == print {
			s.counts.Recognised++
			s.ledger.Cancel(size)
			a := pubrec(m.id)
			return &a
		}
		s.counts.Repeated++
	}
	delete(s.released, m.id)
	s.unacked[m.id] = held{s.ledger.Enter(m, ack{m.id, m.qos}, size, true), print}
	return nil
}

func (s *session) count(f func(*counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.counts)
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
			s.released[a.id] = s.unacked[a.id].print
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

// pump moves packets over one connection. It has one goroutine that reads and one that writes.
type pump struct {
	*session
	c   *conn
	out chan [4]byte // answers of the reader
}

// run serves until the connection or the task ends, and says why.
func (p *pump) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	closing := context.AfterFunc(ctx, func() { p.c.Close() })
	defer closing()
	hurrying := context.AfterFunc(p.patience, func() { p.c.Close() })
	defer hurrying()
	if err := p.hello(); err != nil {
		p.c.Close()
		return err
	}
	reading, leave := context.WithCancelCause(ctx)
	var writer sync.WaitGroup
	writer.Go(func() {
		leave(p.write(ctx))
		_ = p.c.SetReadDeadline(time.Now()) // wakes the reader; it fails on a connection that is closed
	})
	err := p.read(reading)
	if reading.Err() != nil {
		err = context.Cause(reading)
	}
	if errors.Is(err, errStopping) {
		p.linger()
	}
	cancel(err)
	writer.Wait()
	p.c.Close()
	return err
}

// lingerTime is how long a server has to take the last acknowledgements and to close the connection.
const lingerTime = time.Second

// linger reads what is still coming: to close a connection with unread data could reset it before the server has read the acknowledgements.
func (p *pump) linger() {
	if p.c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.Copy(io.Discard, p.c)
	}
}

// The packet ids of our own requests.
const (
	subscribeID   = 1
	unsubscribeID = 2
)

// hello asks for the subscriptions, where the server does not have them already.
func (p *pump) hello() error {
	p.mu.Lock()
	granted := p.granted
	p.mu.Unlock()
	if granted {
		return nil
	}
	if p.c.present && len(p.foreign) > 0 {
		b, err := p.c.d.unsubscribe(unsubscribeID, p.foreign)
		if err != nil {
			return err
		}
		if _, err := p.c.Write(b); err != nil {
			return err
		}
	}
	if len(p.filters) == 0 {
		return nil
	}
	b, err := p.c.d.subscribe(subscribeID, p.filters, p.s.qos, p.s.retained, p.c.present && p.s.retained != RetainedAll)
	if err != nil {
		return err
	}
	_, err = p.c.Write(b)
	return err
}

// read takes packets until the connection ends.
func (p *pump) read(ctx context.Context) error {
	for {
		// The server answers pings, so silence means that the connection is lost.
		if err := p.c.SetReadDeadline(time.Now().Add(p.c.keepAlive + p.c.keepAlive/2)); err != nil {
			return err
		}
		if ctx.Err() != nil { // the writer has ended before the deadline was set
			return context.Cause(ctx)
		}
		first, length, err := readHeader(p.c.r)
		if err != nil {
			return err
		}
		if first>>4 == typePublish {
			err = p.publish(ctx, first, length)
		} else {
			err = p.control(ctx, first>>4, length)
		}
		if err != nil {
			return err
		}
	}
}

// publish reads a message, when there is room for it.
func (p *pump) publish(ctx context.Context, first byte, length int) error {
	if limit := p.s.maxMessage; limit > 0 && int64(length) > limit {
		return fmt.Errorf("%w: found a message of %d bytes, allowed are %d (max.message.bytes)", errFinal, length, limit)
	}
	size := int64(length) + messageOverhead
	if err := p.ledger.Reserve(ctx, size); err != nil {
		return err
	}
	m, err := p.message(first, length)
	if err != nil {
		p.ledger.Cancel(size)
		return err
	}
	if answer := p.received(m, size); answer != nil {
		return p.send(ctx, *answer)
	}
	return nil
}

// messageOverhead is about what a message takes beside its bytes.
const messageOverhead = 256

func (p *pump) message(first byte, length int) (*message, error) {
	if err := p.c.SetReadDeadline(time.Now().Add(p.c.keepAlive + p.c.keepAlive/2)); err != nil {
		return nil, err
	}
	if p.stopping.Err() != nil {
		return nil, errStopping
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(p.c.r, body); err != nil {
		return nil, noEOF(err)
	}
	return p.c.d.publish(first, body)
}

// control handles what is no message.
func (p *pump) control(ctx context.Context, kind byte, length int) error {
	if length > 1<<20 {
		return fmt.Errorf("malformed packet: type %d with %d bytes", kind, length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(p.c.r, body); err != nil {
		return noEOF(err)
	}
	switch kind {
	case typePubrel:
		if length < 2 {
			return errors.New("malformed PUBREL")
		}
		id := uint16(body[0])<<8 | uint16(body[1])
		p.release(id)
		return p.send(ctx, pubcomp(id))
	case typeSuback:
		return p.suback(body)
	case typeDisconnect:
		return p.c.d.disconnect(body)
	case typePingresp, typeUnsuback:
		return nil
	}
	return fmt.Errorf("found a packet of type %d, which servers do not send to subscribers", kind)
}

// send hands a packet to the writer.
func (p *pump) send(ctx context.Context, b [4]byte) error {
	select {
	case p.out <- b:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// suback looks whether all subscriptions were granted.
func (p *pump) suback(body []byte) error {
	_, codes, err := p.c.d.suback(body)
	if err != nil {
		return err
	}
	if len(codes) != len(p.filters) {
		return fmt.Errorf("malformed SUBACK: %d answers to %d filters", len(codes), len(p.filters))
	}
	for i, code := range codes {
		if code >= 0x80 {
			return fmt.Errorf("%w: %w", errFinal, &notGranted{p.filters[i], code})
		}
		if code < p.s.qos {
			p.log.Warn("the server grants a lower quality of service than asked for", "filter", p.filters[i], "asked", p.s.qos, "granted", code)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.granted = true
	return nil
}

var (
	pingPacket       = [2]byte{0xc0, 0}
	disconnectPacket = [2]byte{0xe0, 0}
)

// write sends acknowledgements, answers and pings, until the connection ends or the task stops.
func (p *pump) write(ctx context.Context) error {
	w := bufio.NewWriterSize(deadlineWriter{p.c}, 16<<10)
	ping := time.NewTicker(max(p.c.keepAlive/2, time.Millisecond))
	defer ping.Stop()
	for {
		var err error
		select {
		case <-p.ledger.Ready():
			err = p.acks(w)
		case b := <-p.out:
			_, err = w.Write(b[:])
			for n := len(p.out); n > 0 && err == nil; n-- {
				b = <-p.out
				_, err = w.Write(b[:])
			}
		case <-ping.C:
			_, err = w.Write(pingPacket[:])
		case <-p.stopping.Done():
			return p.farewell(w)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err = errors.Join(err, w.Flush()); err != nil {
			return err
		}
	}
}

// acks sends all acknowledgements that are due, in the order of receipt.
func (p *pump) acks(w *bufio.Writer) error {
	var buf [256]ack
	for {
		due := p.ledger.Due(buf[:0], len(buf))
		if len(due) == 0 {
			return nil
		}
		p.acknowledge(due)
		for _, a := range due {
			b := puback(a.id)
			if a.qos == 2 {
				b = pubrec(a.id)
			}
			if _, err := w.Write(b[:]); err != nil {
				return err
			}
		}
	}
}

// farewell acknowledges what Kafka has and ends the connection; the session stays.
func (p *pump) farewell(w *bufio.Writer) error {
	err := p.acks(w)
	if err == nil {
		_, err = w.Write(disconnectPacket[:])
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		p.log.Warn("stopping: acknowledgements may be lost, messages may come again", "err", err)
	}
	return errStopping
}

// deadlineWriter gives each write a time.
type deadlineWriter struct{ c *conn }

func (d deadlineWriter) Write(b []byte) (int, error) {
	if err := d.c.SetWriteDeadline(time.Now().Add(d.c.keepAlive)); err != nil {
		return 0, err
	}
	return d.c.Write(b)
}

// others returns the filters of all that are not in own.
func others(all, own []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(f string) bool { return slices.Contains(own, f) })
}
