package mqtt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

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

// requestIDs returns packet ids for requests of ours. They are high ones, and others each time: there are servers that take requests and their own
// messages for one space of ids, and refuse a request whose id a message has.
func (s *session) requestIDs() (subscribe, unsubscribe uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = (s.requests + 1) % 1024
	return 65535 - 2*s.requests, 65534 - 2*s.requests
}

// hello asks for the subscriptions, where the server does not have them already.
func (p *pump) hello() error {
	p.mu.Lock()
	granted := p.granted
	p.mu.Unlock()
	if granted {
		return nil
	}
	subscribe, unsubscribe := p.requestIDs()
	if p.c.present && len(p.foreign) > 0 {
		b, err := p.c.d.unsubscribe(unsubscribe, p.foreign)
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
	b, err := p.c.d.subscribe(subscribe, p.filters, p.s.qos, p.s.retained, p.c.present && p.s.retained != RetainedAll)
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
	p.received(m, size)
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
			return &notGranted{p.filters[i], code}
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
