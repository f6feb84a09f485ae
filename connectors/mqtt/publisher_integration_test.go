//go:build integration

package mqtt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// publisher publishes numbered messages to topics t/0, t/1 and so on, and sends them again until it knows that the broker has them on disk.
type publisher struct {
	addr      string
	qos       byte
	topics    int
	user      string
	password  string
	batch     int // messages per topic in one go
	confirmed atomic.Int64
	resent    atomic.Int64 // messages sent more than once
}

// run publishes messages from from to n-1 to each topic.
func (p *publisher) run(ctx context.Context, from, n int) error {
	for first := from; first < n; first += p.batch {
		for try := 0; ; try++ {
			if try > 0 {
				p.resent.Add(int64(p.batch * p.topics))
			}
			err := p.once(ctx, first, min(n, first+p.batch))
			if err == nil {
				break
			}
			select {
			case <-time.After(20 * time.Millisecond): // the broker is down
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", context.Cause(ctx), err)
			}
		}
		p.confirmed.Add(int64(p.batch * p.topics))
	}
	return nil
}

// once publishes some messages over a connection of its own, and waits until each is acknowledged; then for the answer to a ping, for the broker
// saves what it has between the two.
func (p *publisher) once(ctx context.Context, from, to int) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	r := bufio.NewReader(c)
	hello := &packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "publisher", CleanStart: true, Properties: &packets.Properties{}}
	if p.user != "" {
		hello.UsernameFlag, hello.Username, hello.PasswordFlag, hello.Password = true, p.user, true, []byte(p.password)
	}
	if _, err := hello.WriteTo(c); err != nil {
		return err
	}
	if _, err := packets.ReadPacket(r); err != nil {
		return err
	}
	id := uint16(0)
	for i := from; i < to; i++ {
		for topic := range p.topics {
			id++
			m := &packets.Publish{Topic: fmt.Sprintf("t/%d", topic), PacketID: id, QoS: p.qos, Payload: fmt.Appendf(nil, "%d", i), Properties: &packets.Properties{}}
			if _, err := m.WriteTo(c); err != nil {
				return err
			}
		}
	}
	for left := int(id); left > 0; {
		done, err := p.answer(c, r)
		if err != nil {
			return err
		}
		left -= done
	}
	if _, err := c.Write([]byte{packets.PINGREQ << 4, 0}); err != nil {
		return err
	}
	pong, err := packets.ReadPacket(r)
	if err == nil && pong.Type != packets.PINGRESP {
		err = fmt.Errorf("found a packet of type %d, want PINGRESP", pong.Type)
	}
	return err
}

// answer handles one packet of the broker and tells how many messages it completes.
func (p *publisher) answer(c net.Conn, r *bufio.Reader) (done int, err error) {
	packet, err := packets.ReadPacket(r)
	if err != nil {
		return 0, err
	}
	switch x := packet.Content.(type) {
	case *packets.Puback:
		return 1, reasonCode(x.ReasonCode)
	case *packets.Pubrec:
		if err := reasonCode(x.ReasonCode); err != nil {
			return 0, err
		}
		_, err := (&packets.Pubrel{PacketID: x.PacketID, Properties: &packets.Properties{}}).WriteTo(c)
		return 0, err
	case *packets.Pubcomp:
		return 1, reasonCode(x.ReasonCode)
	}
	return 0, errors.New("an unexpected packet")
}

func reasonCode(code byte) error {
	if code >= 0x80 {
		return fmt.Errorf("refused: %#x", code)
	}
	return nil
}
