package mqtt

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	v3 "github.com/eclipse/paho.mqtt.golang/packets"

	v5 "github.com/eclipse/paho.golang/packets"
)

// A dialect encodes and decodes the packets of one version of MQTT that the versions have different forms of. It is the seam to the two paho
// libraries. Acknowledgements, pings and the end of a connection are the same in both and written by hand.
type dialect interface {
	String() string
	connect(o connectOptions) ([]byte, error)
	subscribe(id uint16, filters []string, qos byte, retained Retained, again bool) ([]byte, error)
	unsubscribe(id uint16, filters []string) ([]byte, error)
	connack(body []byte) (connack, error)
	publish(header byte, body []byte) (*message, error)
	// suback returns the packet id and a code for each filter.
	suback(body []byte) (uint16, []byte, error)
	// disconnect returns what a server says at the end.
	disconnect(body []byte) error
}

// connectOptions are what a CONNECT says.
type connectOptions struct {
	clientID, username string
	password           []byte
	clean              bool
	expiry             uint32 // seconds
	receiveMaximum     uint16
	maxPacket          uint32 // 0: any
	keepAlive          uint16 // seconds
}

// connack is the answer to a CONNECT.
type connack struct {
	present   bool
	code      byte
	reason    string
	keepAlive uint16 // 0: as asked for
	assigned  string
}

// message is a PUBLISH.
type message struct {
	topic         string
	payload       []byte
	id            uint16
	qos           byte
	dup, retained bool
	props         *v5.Properties // nil: none
}

// The types of packets as they are in the first byte.
const (
	typeConnack    = v3.Connack
	typePublish    = v3.Publish
	typePubrel     = v3.Pubrel
	typeSuback     = v3.Suback
	typeUnsuback   = v3.Unsuback
	typePingresp   = v3.Pingresp
	typeDisconnect = v3.Disconnect
)

// short makes an acknowledgement: a packet with an id and no more.
func short(first byte, id uint16) [4]byte { return [4]byte{first, 2, byte(id >> 8), byte(id)} }

func puback(id uint16) [4]byte  { return short(v3.Puback<<4, id) }
func pubrec(id uint16) [4]byte  { return short(v3.Pubrec<<4, id) }
func pubcomp(id uint16) [4]byte { return short(v3.Pubcomp<<4, id) }

// readHeader reads the first byte of a packet and the length of what follows.
func readHeader(r *bufio.Reader) (first byte, length int, err error) {
	if first, err = r.ReadByte(); err != nil {
		return 0, 0, err
	}
	for shift := 0; shift < 28; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, 0, noEOF(err)
		}
		length |= int(b&0x7f) << shift
		if b < 0x80 {
			return first, length, nil
		}
	}
	return 0, 0, errors.New("malformed packet: its length takes more than four bytes")
}

// noEOF is for an end in the middle of a packet.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// safely keeps a decoder of others from ending the process.
func safely[T any](decode func() (T, error)) (x T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed packet: %v", p)
		}
	}()
	return decode()
}

// split reads what the PUBLISH packets of both versions begin with.
func split(header byte, body []byte) (*message, []byte, error) {
	m := &message{qos: header >> 1 & 3, dup: header&8 != 0, retained: header&1 != 0}
	if m.qos > 2 {
		return nil, nil, errors.New("malformed PUBLISH: QoS 3")
	}
	if len(body) < 2 || len(body) < 2+int(binary.BigEndian.Uint16(body)) {
		return nil, nil, errors.New("malformed PUBLISH: it ends within its topic")
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	m.topic, body = string(body[2:end]), body[end:]
	if m.qos > 0 {
		if len(body) < 2 {
			return nil, nil, errors.New("malformed PUBLISH: it ends within its packet id")
		}
		if m.id, body = binary.BigEndian.Uint16(body), body[2:]; m.id == 0 {
			return nil, nil, errors.New("malformed PUBLISH: packet id 0")
		}
	}
	return m, body, nil
}

// dialect5 is MQTT 5.
type dialect5 struct{}

func (dialect5) String() string { return "5" }

func (dialect5) connect(o connectOptions) ([]byte, error) {
	p := &v5.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: o.clientID, CleanStart: o.clean, KeepAlive: o.keepAlive,
		UsernameFlag: o.username != "", Username: o.username, PasswordFlag: len(o.password) > 0, Password: o.password,
		Properties: &v5.Properties{SessionExpiryInterval: &o.expiry, ReceiveMaximum: &o.receiveMaximum},
	}
	if o.maxPacket > 0 {
		p.Properties.MaximumPacketSize = &o.maxPacket
	}
	return written(p)
}

func written(p io.WriterTo) ([]byte, error) {
	var b bytes.Buffer
	_, err := p.WriteTo(&b)
	return b.Bytes(), err
}

func (dialect5) subscribe(id uint16, filters []string, qos byte, retained Retained, again bool) ([]byte, error) {
	p := &v5.Subscribe{PacketID: id, Properties: &v5.Properties{}}
	var handling byte = v5.RetainSendOnSubscribe
	switch {
	case retained == RetainedIgnore:
		handling = v5.RetainDoNotSend
	case retained == RetainedNew || again:
		handling = v5.RetainSendOnSubscribeIfNew
	}
	for _, f := range filters {
		o := v5.SubOptions{Topic: f, QoS: qos, RetainAsPublished: true, RetainHandling: handling}
		if group, _ := sharedGroup(f); group != "" {
			o.RetainHandling = v5.RetainSendOnSubscribe // servers send none for shared subscriptions
		}
		p.Subscriptions = append(p.Subscriptions, o)
	}
	return written(p)
}

func (dialect5) unsubscribe(id uint16, filters []string) ([]byte, error) {
	return written(&v5.Unsubscribe{PacketID: id, Topics: filters, Properties: &v5.Properties{}})
}

func (dialect5) connack(body []byte) (connack, error) {
	return safely(func() (connack, error) {
		if len(body) < 2 {
			return connack{}, errors.New("malformed CONNACK")
		}
		a := connack{present: body[0]&1 != 0, code: body[1]}
		if len(body) == 2 {
			return a, nil // as servers of MQTT 3.1.1 refuse
		}
		var props v5.Properties
		if err := props.Unpack(bytes.NewBuffer(body[2:]), v5.CONNACK); err != nil {
			return a, fmt.Errorf("malformed CONNACK: %w", err)
		}
		a.reason, a.assigned = props.ReasonString, props.AssignedClientID
		if props.ServerKeepAlive != nil {
			a.keepAlive = *props.ServerKeepAlive
		}
		return a, nil
	})
}

func (dialect5) publish(header byte, body []byte) (*message, error) {
	return safely(func() (*message, error) {
		m, rest, err := split(header, body)
		if err != nil {
			return nil, err
		}
		if len(rest) > 0 && rest[0] == 0 {
			m.payload = rest[1:]
			return m, nil
		}
		m.props = &v5.Properties{}
		buf := bytes.NewBuffer(rest)
		if err := m.props.Unpack(buf, v5.PUBLISH); err != nil {
			return nil, fmt.Errorf("malformed PUBLISH: %w", noEOF(err))
		}
		m.payload = buf.Bytes()
		return m, nil
	})
}

func (dialect5) suback(body []byte) (uint16, []byte, error) {
	p, err := safely(func() (v5.Suback, error) {
		p := v5.Suback{Properties: &v5.Properties{}}
		return p, p.Unpack(bytes.NewBuffer(body))
	})
	if err != nil {
		return 0, nil, fmt.Errorf("malformed SUBACK: %w", err)
	}
	return p.PacketID, p.Reasons, nil
}

func (dialect5) disconnect(body []byte) error {
	d, err := safely(func() (v5.Disconnect, error) {
		d := v5.Disconnect{Properties: &v5.Properties{}}
		if len(body) == 0 {
			return d, nil
		}
		d.ReasonCode = body[0]
		if len(body) == 1 {
			return d, nil
		}
		return d, d.Properties.Unpack(bytes.NewBuffer(body[1:]), v5.DISCONNECT)
	})
	if err != nil {
		return fmt.Errorf("malformed DISCONNECT: %w", err)
	}
	if text := d.Properties.ReasonString; text != "" {
		return fmt.Errorf("the server ends the connection: %s (%#x: %s)", reasonText(d.ReasonCode), d.ReasonCode, text)
	}
	return fmt.Errorf("the server ends the connection: %s (%#x)", reasonText(d.ReasonCode), d.ReasonCode)
}

// dialect3 is MQTT 3.1.1.
type dialect3 struct{}

func (dialect3) String() string { return "3.1.1" }

// packed writes a packet of the library for MQTT 3.1.1.
func packed(p v3.ControlPacket) ([]byte, error) {
	var b bytes.Buffer
	err := p.Write(&b)
	return b.Bytes(), err
}

func (dialect3) connect(o connectOptions) ([]byte, error) {
	p := v3.NewControlPacket(v3.Connect).(*v3.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.ClientIdentifier, p.CleanSession, p.Keepalive = "MQTT", 4, o.clientID, o.clean, o.keepAlive
	p.UsernameFlag, p.Username = o.username != "", o.username
	p.PasswordFlag, p.Password = len(o.password) > 0, o.password
	return packed(p)
}

func (dialect3) subscribe(id uint16, filters []string, qos byte, _ Retained, _ bool) ([]byte, error) {
	p := v3.NewControlPacket(v3.Subscribe).(*v3.SubscribePacket)
	p.MessageID, p.Topics, p.Qoss = id, filters, bytes.Repeat([]byte{qos}, len(filters))
	return packed(p)
}

func (dialect3) unsubscribe(id uint16, filters []string) ([]byte, error) {
	p := v3.NewControlPacket(v3.Unsubscribe).(*v3.UnsubscribePacket)
	p.MessageID, p.Topics = id, filters
	return packed(p)
}

func (dialect3) connack(body []byte) (connack, error) {
	if len(body) != 2 {
		return connack{}, errors.New("malformed CONNACK")
	}
	return connack{present: body[0]&1 != 0, code: body[1]}, nil
}

func (dialect3) publish(header byte, body []byte) (*message, error) {
	m, rest, err := split(header, body)
	if err != nil {
		return nil, err
	}
	m.payload = rest
	return m, nil
}

func (dialect3) suback(body []byte) (uint16, []byte, error) {
	if len(body) < 2 {
		return 0, nil, errors.New("malformed SUBACK")
	}
	return binary.BigEndian.Uint16(body), body[2:], nil
}

func (dialect3) disconnect([]byte) error {
	return errors.New("the server sent a DISCONNECT, which MQTT 3.1.1 does not have")
}
