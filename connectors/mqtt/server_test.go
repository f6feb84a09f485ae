package mqtt

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	v3 "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	v5 "github.com/eclipse/paho.golang/packets"
)

// server is an MQTT server in the process: it keeps sessions and sends again as the standard has it, in order, notes what clients do against
// it, and fails as tests ask. It works over TCP and, for bubbles, over net.Pipe.
type server struct {
	t  testing.TB
	wg sync.WaitGroup

	mu       sync.Mutex
	sessions map[string]*serverSession
	open     map[io.Closer]struct{}
	closed   bool
	wrong    []string     // what clients did against the standard
	refuse   byte         // code that connections are refused with; 0: none is
	grant    byte         // code that subscriptions are refused with; 0: none is
	life     func() int64 // how many bytes a connection lives in each direction; nil: for ever
	attempts int          // connections
	at       []time.Time  // when they came
	last     connectOptions
	requests []uint16 // ids of SUBSCRIBE packets
}

// serverSession is what a server keeps for a client.
type serverSession struct {
	filters  map[string]byte
	queue    []*serverMessage
	inflight []*serverMessage // in the order of sending
	used     map[uint16]bool
	id       uint16
	max      int
	acked    []string // payloads, in the order of acknowledgement
	again    int      // messages sent more than once
	most     int      // in flight
	peer     *peer
}

// serverMessage is a message on its way to one client.
type serverMessage struct {
	topic, payload string
	id             uint16
	qos            byte
	sent, recd     bool
	here           bool // sent over the connection that there is
}

func newServer(t testing.TB) *server {
	s := &server{t: t, sessions: map[string]*serverSession{}, open: map[io.Closer]struct{}{}}
	t.Cleanup(func() {
		s.stop()
		assert.Empty(t, s.wrong, "what clients did against the standard")
	})
	return s
}

// listen serves a port.
func (s *server) listen() (uri string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.keep(l)
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(c) })
		}
	})
	return "mqtt://" + l.Addr().String()
}

// dial is for a link: it connects without a network.
func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	s.wg.Go(func() { s.serve(far) })
	return near, nil
}

func (s *server) keep(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = struct{}{}
	if s.closed {
		c.Close()
	}
}

func (s *server) stop() {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// do has f look at the server or change it.
func (s *server) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// cut ends the connection of a client.
func (s *server) cut(client string) {
	s.do(func() {
		if x := s.sessions[client]; x != nil && x.peer != nil {
			x.peer.Close()
		}
	})
}

// of returns the session of a client, made if there is none.
func (s *server) of(client string) *serverSession {
	x := s.sessions[client]
	if x == nil {
		x = &serverSession{filters: map[string]byte{}, used: map[uint16]bool{}}
		s.sessions[client] = x
	}
	return x
}

// send publishes messages of QoS 2.
func (s *server) send(topic string, payloads ...string) {
	s.do(func() {
		for _, p := range payloads {
			for _, x := range s.sessions {
				for f, qos := range x.filters {
					if _, plain := sharedGroup(f); matches(plain, topic) {
						x.queue = append(x.queue, &serverMessage{topic: topic, payload: p, qos: qos})
					}
				}
				x.more()
			}
		}
	})
}

// left is how many messages wait for a client or for its acknowledgement.
func (s *server) left(client string) (n int) {
	s.do(func() { n = len(s.of(client).queue) + len(s.of(client).inflight) })
	return n
}

// await waits until a client has subscribed.
func (s *server) await(client string, filters int) {
	s.t.Helper()
	require.Eventually(s.t, func() (ok bool) {
		s.do(func() { ok = len(s.of(client).filters) == filters })
		return ok
	}, patience, tick)
}

// more sends what waits, as far as the client's receive maximum allows.
func (x *serverSession) more() {
	if x.peer == nil {
		return
	}
	for len(x.queue) > 0 && (x.queue[0].qos == 0 || len(x.inflight) < x.max) {
		m := x.queue[0]
		x.queue = x.queue[1:]
		if m.qos > 0 {
			for x.id++; x.id == 0 || x.used[x.id]; x.id++ {
			}
			m.id, x.used[x.id] = x.id, true
			x.inflight = append(x.inflight, m)
			x.most = max(x.most, len(x.inflight))
		}
		x.peer.publish(m)
	}
}

// peer is a connection of a client.
type peer struct {
	net.Conn
	s       *server
	session *serverSession
	version byte
	out     []byte
	wake    chan struct{}
}

// mortal is a connection that ends in the midst of its bytes.
type mortal struct {
	net.Conn
	in, out int64
}

func (m *mortal) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p[:min(int64(len(p)), max(m.in, 1))])
	if m.in -= int64(n); m.in <= 0 {
		m.Close()
	}
	return n, err
}

func (m *mortal) Write(p []byte) (int, error) {
	if int64(len(p)) > m.out {
		n, _ := m.Conn.Write(p[:m.out])
		m.Close()
		return n, io.ErrClosedPipe
	}
	m.out -= int64(len(p))
	return m.Conn.Write(p)
}

// whole reads a packet.
func whole(r *bufio.Reader) (first byte, body, raw []byte, err error) {
	first, length, err := readHeader(r)
	if err != nil {
		return 0, nil, nil, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(r, body)
	return first, body, packet(first, body...), err
}

// packet makes one.
func packet(first byte, body ...byte) []byte {
	b := []byte{first}
	n := len(body)
	for {
		digit := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			b = append(b, digit|0x80)
			continue
		}
		return append(append(b, digit), body...)
	}
}

func (s *server) serve(raw net.Conn) {
	defer raw.Close()
	c := &peer{Conn: raw, s: s, wake: make(chan struct{}, 1)}
	s.do(func() {
		s.at = append(s.at, time.Now())
		if s.attempts++; s.life != nil {
			c.Conn = &mortal{raw, s.life(), s.life()}
		}
	})
	s.keep(c)
	defer s.do(func() {
		delete(s.open, c)
		if c.session != nil && c.session.peer == c {
			c.session.peer = nil
		}
		c.tell()
	})
	r := bufio.NewReader(c)
	first, body, hello, err := whole(r)
	if err != nil || first>>4 != v3.Connect || len(body) < 7 || !c.connect(body[6], hello) {
		return
	}
	s.wg.Go(c.write)
	for {
		first, body, raw, err := whole(r)
		if err != nil || first>>4 == typeDisconnect {
			return
		}
		s.do(func() { c.handle(first>>4, body, raw) })
	}
}

// connect answers a CONNECT and begins to send.
func (c *peer) connect(version byte, raw []byte) bool {
	o, err := parseConnect(version, raw)
	answer := []byte{0, 0}
	s := c.s
	c.version = version
	s.do(func() {
		s.last = o
		if err != nil {
			s.wrong = append(s.wrong, err.Error())
			answer[1] = 0x81
		}
		if s.refuse != 0 {
			answer[1] = s.refuse
		}
		if answer[1] != 0 {
			return
		}
		if x := s.sessions[o.clientID]; x != nil {
			answer[0] = 1
			if o.clean {
				delete(s.sessions, o.clientID)
				answer[0] = 0
			}
			if x.peer != nil {
				x.peer.Close()
			}
		}
		c.session = s.of(o.clientID)
		c.session.peer, c.session.max = c, int(o.receiveMaximum)
	})
	if version == 5 {
		answer = append(answer, 0)
	}
	if _, err := c.Write(packet(typeConnack<<4, answer...)); err != nil || answer[1] != 0 {
		return false
	}
	s.do(func() { c.resend() })
	return true
}

func parseConnect(version byte, raw []byte) (o connectOptions, err error) {
	if version == 5 {
		p, err := v5.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			return o, err
		}
		x := p.Content.(*v5.Connect)
		o = connectOptions{clientID: x.ClientID, username: x.Username, password: x.Password, clean: x.CleanStart, keepAlive: x.KeepAlive, receiveMaximum: 65535}
		if m := x.Properties.ReceiveMaximum; m != nil {
			o.receiveMaximum = *m
		}
		return o, nil
	}
	p, err := v3.ReadPacket(bytes.NewReader(raw))
	if err != nil {
		return o, err
	}
	x := p.(*v3.ConnectPacket)
	return connectOptions{clientID: x.ClientIdentifier, username: x.Username, password: x.Password, clean: x.CleanSession, keepAlive: x.Keepalive, receiveMaximum: 65535}, nil
}

// resend sends again what the client has not acknowledged, in order.
func (c *peer) resend() {
	for _, m := range c.session.inflight {
		m.here = false
	}
	for _, m := range c.session.inflight {
		if m.recd {
			c.put(packet(typePubrel<<4|2, byte(m.id>>8), byte(m.id)))
			continue
		}
		c.session.again++
		c.publish(m)
	}
	c.session.more()
}

func (c *peer) publish(m *serverMessage) {
	first := byte(typePublish<<4) | m.qos<<1
	if m.sent {
		first |= 8
	}
	m.sent, m.here = true, true
	body := append([]byte{byte(len(m.topic) >> 8), byte(len(m.topic))}, m.topic...)
	if m.qos > 0 {
		body = append(body, byte(m.id>>8), byte(m.id))
	}
	if c.version == 5 {
		body = append(body, 0)
	}
	c.put(packet(first, append(body, m.payload...)...))
}

// put has bytes written. It is called under mu.
func (c *peer) put(b []byte) {
	c.out = append(c.out, b...)
	c.tell()
}

func (c *peer) tell() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *peer) write() {
	for range c.wake {
		var b []byte
		gone := false
		c.s.do(func() {
			b, c.out = c.out, nil
			_, there := c.s.open[c]
			gone = !there
		})
		if _, err := c.Write(b); err != nil || gone {
			c.Close()
			return
		}
	}
}

// handle is called under mu.
func (c *peer) handle(kind byte, body, raw []byte) {
	id := func() uint16 { return uint16(body[0])<<8 | uint16(body[1]) }
	switch kind {
	case v3.Pingreq:
		c.put(packet(typePingresp << 4))
	case v3.Subscribe:
		c.subscribe(raw)
	case v3.Unsubscribe:
		c.unsubscribe(raw)
	case v3.Puback:
		c.settle(id(), 1)
	case v3.Pubrec:
		c.settle(id(), 2)
	case v3.Pubcomp:
		c.complete(id())
	default:
		c.wrong("a packet of type %d", kind)
	}
}

func (c *peer) wrong(format string, args ...any) {
	c.s.wrong = append(c.s.wrong, fmt.Sprintf(format, args...))
}

// settle takes an acknowledgement: it has to be for the first message of this connection that has none.
func (c *peer) settle(id uint16, qos byte) {
	x := c.session
	for i, m := range x.inflight {
		if m.recd || !m.here {
			continue
		}
		if m.id != id || m.qos != qos {
			c.wrong("an acknowledgement of QoS %d for %d, due is one of QoS %d for %d", qos, id, m.qos, m.id)
			return
		}
		x.acked = append(x.acked, m.payload)
		if qos == 2 {
			m.recd = true
			c.put(packet(typePubrel<<4|2, byte(id>>8), byte(id)))
			return
		}
		x.remove(i)
		x.more()
		return
	}
	c.wrong("an acknowledgement of QoS %d for %d, and none is due", qos, id)
}

func (c *peer) complete(id uint16) {
	for i, m := range c.session.inflight {
		if m.id == id && m.recd {
			c.session.remove(i)
			c.session.more()
			return
		}
	}
	c.wrong("a PUBCOMP for %d, and none is due", id)
}

func (x *serverSession) remove(i int) {
	delete(x.used, x.inflight[i].id)
	if i == 0 {
		x.inflight = x.inflight[1:]
		return
	}
	x.inflight = append(x.inflight[:i], x.inflight[i+1:]...)
}

func (c *peer) subscribe(raw []byte) {
	var id uint16
	filters := map[string]byte{}
	var order []string
	if c.version == 5 {
		p, err := v5.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			c.wrong("SUBSCRIBE: %v", err)
			return
		}
		x := p.Content.(*v5.Subscribe)
		id = x.PacketID
		for _, o := range x.Subscriptions {
			filters[o.Topic], order = o.QoS, append(order, o.Topic)
		}
	} else {
		p, err := v3.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			c.wrong("SUBSCRIBE: %v", err)
			return
		}
		x := p.(*v3.SubscribePacket)
		id, order = x.MessageID, x.Topics
		for i, f := range x.Topics {
			filters[f] = x.Qoss[i]
		}
	}
	c.s.requests = append(c.s.requests, id)
	answer := []byte{byte(id >> 8), byte(id)}
	if c.version == 5 {
		answer = append(answer, 0)
	}
	for _, f := range order {
		if c.s.grant != 0 {
			answer = append(answer, c.s.grant)
			continue
		}
		c.session.filters[f] = filters[f]
		answer = append(answer, filters[f])
	}
	c.put(packet(typeSuback<<4, answer...))
}

func (c *peer) unsubscribe(raw []byte) {
	var id uint16
	var filters []string
	if c.version == 5 {
		p, err := v5.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			c.wrong("UNSUBSCRIBE: %v", err)
			return
		}
		x := p.Content.(*v5.Unsubscribe)
		id, filters = x.PacketID, x.Topics
	} else {
		p, err := v3.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			c.wrong("UNSUBSCRIBE: %v", err)
			return
		}
		x := p.(*v3.UnsubscribePacket)
		id, filters = x.MessageID, x.Topics
	}
	for _, f := range filters {
		delete(c.session.filters, f)
	}
	c.put(packet(typeUnsuback<<4, byte(id>>8), byte(id)))
}
