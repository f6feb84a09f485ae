package mqtt

import (
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// harnessClient is the client id of the connector under test.
const harnessClient = "connect-" + connecttest.Name

// serverProps are the least that a connector needs.
func serverProps(uri string, more ...config.Props) config.Props {
	p := config.Props{"uris": uri, "topics": "t/#", "kafka.topic": "k", "reconnect.backoff.ms": "5", "reconnect.backoff.max.ms": "20"}
	for _, m := range more {
		p = p.Merge(m)
	}
	return p
}

// Connections that are cut anywhere, in the midst of packets, lose nothing and keep the order of first deliveries.
func TestCutConnections(t *testing.T) {
	lives := map[string]int64{"5": 3000, "3.1.1": 9000} // without a receive maximum all comes at once
	for _, qos := range []string{"1", "2"} {
		for _, version := range []string{"5", "3.1.1"} {
			t.Run("QoS "+qos+" MQTT "+version, func(t *testing.T) {
				s := newServer(t)
				h := connecttest.Source(t, Plugins()[0], serverProps(s.listen(), config.Props{"qos": qos, "protocol": version, "max.in.flight.messages": "50"}))
				s.await(harnessClient, 1)
				s.do(func() { s.life = func() int64 { return 30 + rand.Int64N(lives[version]) } })
				s.cut(harnessClient)
				want := texts(300)
				s.send("t/a", want...)
				var first []string
				seen, twice := map[string]bool{}, 0
				for len(seen) < len(want) {
					p := payload(h.Next(1)[0])
					if seen[p] {
						twice++
						continue
					}
					seen[p] = true
					first = append(first, p)
				}
				require.Equal(t, want, first)
				s.do(func() { s.life = nil })
				s.renew(harnessClient)
				twice += awaitLeft(t, s, h, harnessClient)
				if qos == "2" {
					assert.Zero(t, twice, "a message that is sent again before its PUBREL is the same")
				}
				s.do(func() {
					x := s.of(harnessClient)
					if version == "5" {
						assert.LessOrEqual(t, x.most, 50, "in flight")
					}
					t.Logf("%d connections, %d messages sent again", s.attempts, x.again)
					assert.GreaterOrEqual(t, s.attempts, 3)
				})
			})
		}
	}
}

// renew gives a client a new connection.
func (s *server) renew(client string) {
	s.t.Helper()
	s.cut(client)
	before := 0
	s.do(func() { before = s.attempts })
	require.Eventually(s.t, func() (ok bool) {
		s.do(func() { ok = s.attempts > before && s.of(client).peer != nil })
		return ok
	}, patience, tick)
}

// awaitLeft takes what still comes, until the server has nothing left for a client, and returns how much it was.
func awaitLeft(t *testing.T, s *server, h *connecttest.SourceHarness, client string) (came int) {
	t.Helper()
	s.send("t/end", "end")
	for ; payload(h.Next(1)[0]) != "end"; came++ {
	}
	require.Eventually(t, func() bool { return s.left(client) == 0 }, patience, tick)
	return came
}

// What Kafka does not have is not acknowledged, and comes again after a restart.
func TestRestartBringsWhatKafkaDoesNotHave(t *testing.T) {
	s := newServer(t)
	h := connecttest.Source(t, Plugins()[0], serverProps(s.listen()))
	s.await(harnessClient, 1)
	want := texts(20)
	s.send("t/a", want...)
	require.Equal(t, want[0], payload(h.Next(1)[0]))
	acked := 0 // the first batch may have been one record
	h.Restart()
	s.do(func() { acked = len(s.of(harnessClient).acked) })
	require.LessOrEqual(t, acked, 1)
	for _, r := range h.Next(len(want) - acked) {
		require.Equal(t, want[acked], payload(r))
		acked++
	}
	awaitLeft(t, s, h, harnessClient)
}

// There are servers that take the packet ids of requests and of their own messages for one, and refuse a request whose id a message has: the
// next connection asks with another id. A subscription that is not allowed ends the task.
func TestSubscriptionRefused(t *testing.T) {
	s := newServer(t)
	s.grant = 0x91
	h := connecttest.Source(t, Plugins()[0], serverProps(s.listen()).Merge(config.Props{"validate.connection": "false"}))
	require.Eventually(t, func() (again bool) {
		s.do(func() { again = s.attempts > 2 })
		return again
	}, patience, tick)
	ids := map[uint16]bool{}
	s.do(func() {
		for _, id := range s.requests {
			ids[id] = true
		}
		assert.Len(t, ids, len(s.requests), "ids of requests")
		s.grant = 0
	})
	s.await(harnessClient, 1)
	s.send("t/a", "x")
	require.Equal(t, "x", payload(h.Next(1)[0]))

	s.do(func() { s.grant = 0x87; s.sessions = map[string]*serverSession{} })
	h.Restart()
	assert.Contains(t, h.AwaitFailure(), "not authorized")
}

// bareSession is one that is connected to nothing.
func bareSession(t *testing.T) *session {
	s, err := newSession(&settings{uris: []string{"mqtt://x"}, maxInFlight: 100}, &assignment{Client: "c"}, []string{"t/#"}, nil, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	return s
}

// arrive has a message received over the present connection.
func (s *session) arrive(t *testing.T, id uint16, qos byte, dup bool, payload string) {
	t.Helper()
	require.NoError(t, s.ledger.Reserve(t.Context(), 1))
	s.received(&message{topic: "t", payload: []byte(payload), id: id, qos: qos, dup: dup}, 1)
}

// reconnect has the connection lost and made again, with the session present.
func (s *session) reconnect() {
	s.ledger.Forget()
	s.resume(&conn{present: true, d: dialect5{}})
}

// finish says that Kafka has all that was received, and acknowledges.
func (s *session) finish(t *testing.T) (acks []ack) {
	t.Helper()
	entries, err := s.ledger.Poll(t.Context(), nil, 100)
	require.NoError(t, err)
	s.ledger.Done(entries...)
	acks = s.ledger.Due(nil, 100)
	s.acknowledge(acks)
	return acks
}

// A message that comes again is recognised as long as the server cannot have used its packet id for another.
func TestRecognises(t *testing.T) {
	for _, c := range []struct {
		name       string
		act        func(s *session)
		recognised int64
	}{
		{"not acknowledged", func(s *session) { s.reconnect(); s.arrive(t, 1, 1, true, "on") }, 1},
		{"another text", func(s *session) { s.reconnect(); s.arrive(t, 1, 1, true, "off") }, 0},
		{"no duplicate", func(s *session) { s.reconnect(); s.arrive(t, 1, 1, false, "on") }, 0},
		{"acknowledged", func(s *session) { s.finish(t); s.reconnect(); s.arrive(t, 1, 1, true, "on") }, 0},
		{"given up by the server", func(s *session) { s.reconnect(); s.arrive(t, 2, 1, false, "on"); s.arrive(t, 1, 1, true, "on") }, 0},
		{"twice", func(s *session) {
			for range 2 {
				s.reconnect()
				s.arrive(t, 1, 1, true, "on")
				s.arrive(t, 2, 1, false, "on")
			}
		}, 2},
		{"session lost", func(s *session) {
			s.ledger.Forget()
			s.resume(&conn{d: dialect5{}})
			s.arrive(t, 1, 1, true, "on")
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := bareSession(t)
			s.reconnect()
			s.arrive(t, 1, 1, false, "on")
			c.act(s)
			assert.Equal(t, c.recognised, s.meters.recognised.Value())
			assert.Equal(t, s.meters.received.Value(), s.meters.recognised.Value()+s.ledger.Stats().Entered)
		})
	}
}

// A message of QoS 2 makes one record until the server has released it, and its acknowledgement is sent again in the place of its new receipt.
func TestQoS2UntilReleased(t *testing.T) {
	s := bareSession(t)
	s.reconnect()
	s.arrive(t, 1, 2, false, "a")
	require.Equal(t, []ack{{1, 2}}, s.finish(t))
	s.arrive(t, 2, 2, false, "b")
	s.reconnect()
	s.arrive(t, 1, 2, true, "a")
	s.arrive(t, 2, 2, true, "b")
	require.Equal(t, []ack{{1, 2}, {2, 2}}, s.finish(t))
	require.Equal(t, int64(2), s.ledger.Stats().Entered)
	s.reconnect()
	s.arrive(t, 2, 2, true, "b")
	s.release(2)
	require.Equal(t, []ack{{2, 2}}, s.ledger.Due(nil, 9))
	s.arrive(t, 2, 2, false, "b")
	assert.Equal(t, int64(3), s.ledger.Stats().Entered, "released: another message with the same text")
}
