package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/metric"
)

// piped is a session whose connections are pipes to a server.
type piped struct {
	*session
	metrics *metric.Set
	ran     sync.WaitGroup
	err     error
}

// pipe makes one; the server is one of the bubble. Run begins it.
func (s *server) pipe(set func(*settings)) *piped {
	x := &settings{
		uris: []string{"mqtt://one"}, qos: 1, protocol: Protocol5, expiry: 1000, maxInFlight: 100,
		conn: Connection{KeepAlive: time.Minute, ConnectTimeout: 10 * time.Second, Backoff: time.Second, Max: 10 * time.Second},
	}
	if set != nil {
		set(x)
	}
	p := &piped{metrics: &metric.Set{}}
	var err error
	p.session, err = newSession(x, &assignment{Client: "c"}, []string{"t/#"}, nil, slog.New(slog.DiscardHandler), p.metrics)
	require.NoError(s.t, err)
	p.link.dialer = s.dial
	return p
}

func (p *piped) begin(ctx context.Context) {
	p.ran.Go(func() { p.err = p.run(ctx) })
	synctest.Wait()
}

func (p *piped) end() error {
	p.halt()
	p.ran.Wait()
	return p.err
}

// value reads a metric.
func (p *piped) value(t *testing.T, name string) float64 {
	t.Helper()
	for _, m := range p.metrics.All() {
		if m.Name == name {
			return m.Value
		}
	}
	require.Fail(t, "no metric", name)
	return 0
}

// pass lets time pass in a bubble, and everything come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// gaps are the pauses between attempts.
func (s *server) gaps() (gaps []time.Duration) {
	s.do(func() {
		for i := range s.at[1:] {
			gaps = append(gaps, s.at[i+1].Sub(s.at[i]))
		}
	})
	return gaps
}

// Pauses double up to the longest, half of each at random, and are short again after a connection that lasted.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.refuse = 0x88 // unavailable
		p := s.pipe(nil)
		p.link.last = dialect5{}
		p.begin(t.Context())
		pass(time.Minute)
		want := time.Second
		for i, gap := range s.gaps() {
			assert.LessOrEqual(t, gap, want, "pause %d", i)
			assert.GreaterOrEqual(t, gap, want/2, "pause %d", i)
			want = min(2*want, 10*time.Second)
		}
		assert.Greater(t, len(s.gaps()), 6)
		assert.Zero(t, p.value(t, "connected"))

		s.do(func() { s.refuse = 0 })
		pass(time.Minute)
		assert.EqualValues(t, 1, p.value(t, "connected"))
		s.do(func() { s.at = nil })
		s.cut("c")
		cut := time.Now()
		pass(time.Second)
		s.do(func() {
			require.Len(t, s.at, 1)
			assert.LessOrEqual(t, s.at[0].Sub(cut), time.Second)
		})
		assert.EqualValues(t, 1, p.value(t, "reconnections"))
		assert.EqualValues(t, 1, p.value(t, "connections-lost"))
		assert.NoError(t, p.end())
	})
}

// What waiting cannot mend ends the task, if the server never took the connection; later it may be an operator who changes users.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.refuse = 0x86
		p := s.pipe(nil)
		p.begin(t.Context())
		p.ran.Wait()
		assert.ErrorContains(t, p.err, "bad user name or password")

		s.do(func() { s.refuse = 0 })
		p = s.pipe(nil)
		p.begin(t.Context())
		s.do(func() { s.refuse = 0x86 })
		s.cut("c")
		pass(time.Minute)
		s.do(func() { s.refuse = 0 })
		pass(10 * time.Second)
		assert.EqualValues(t, 1, p.value(t, "connected"))
		assert.NoError(t, p.end())
	})
}

// Servers are tried in turn, from the one that worked last.
func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var dialed []string
		down := map[string]bool{"one:1883": true}
		p := s.pipe(func(x *settings) { x.uris = []string{"mqtt://one", "mqtt://two", "mqtt://three"} })
		p.link.dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed = append(dialed, addr)
			if down[addr] {
				return nil, errors.New("connection refused")
			}
			return s.dial(ctx, network, addr)
		}
		p.begin(t.Context())
		assert.Equal(t, []string{"one:1883", "two:1883"}, dialed)
		down["two:1883"] = true
		s.cut("c")
		pass(2 * time.Second)
		assert.Equal(t, []string{"one:1883", "two:1883", "two:1883", "three:1883"}, dialed)
		assert.NoError(t, p.end())
	})
}

// A server that has lost the session is told of by a metric and a warning.
func TestSessionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var log strings.Builder
		p := s.pipe(nil)
		p.session.log = slog.New(slog.NewTextHandler(&log, nil))
		p.begin(t.Context())
		assert.NotContains(t, log.String(), "lost")
		s.cut("c")
		pass(2 * time.Second)
		assert.Zero(t, p.value(t, "sessions-lost"), "the session was there")
		s.cut("c")
		s.do(func() { s.sessions = map[string]*serverSession{} })
		pass(2 * time.Second)
		assert.EqualValues(t, 1, p.value(t, "sessions-lost"))
		s.do(func() { assert.Len(t, s.of("c").filters, 1, "subscribed again") })
		assert.NoError(t, p.end())
		assert.Contains(t, log.String(), "level=WARN msg=\"connected, but the server has lost the session")

		s.do(func() { s.sessions = map[string]*serverSession{} })
		p = s.pipe(nil)
		p.known = true // by offsets of an earlier process
		p.begin(t.Context())
		assert.EqualValues(t, 1, p.value(t, "sessions-lost"))
		assert.NoError(t, p.end())
	})
}

// A server that is silent is taken for lost: the connection is made again, and pings keep one that is idle.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		p := s.pipe(func(x *settings) { x.conn.ConnectTimeout = 5 * time.Second })
		var silent atomic.Bool
		silent.Store(true)
		p.link.dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !silent.Load() {
				return s.dial(ctx, network, addr)
			}
			near, far := net.Pipe()
			s.keep(far)
			s.wg.Go(func() { _, _ = far.Read(make([]byte, 1000)) })
			return near, nil
		}
		start := time.Now()
		p.begin(t.Context())
		pass(4 * time.Second)
		silent.Store(false)
		pass(10 * time.Second)
		assert.EqualValues(t, 1, p.value(t, "connected"), "after %v", time.Since(start))
		pass(time.Hour)
		assert.EqualValues(t, 1, p.value(t, "connections"), "an idle connection stays")
		assert.NoError(t, p.end())
	})
}

// The receive maximum is what the ledger holds, so a server never has to wait with its packets.
func TestReceiveMaximum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, qos := range []byte{1, 2} {
			s := newServer(t)
			p := s.pipe(func(x *settings) { x.maxInFlight, x.qos = 7, qos })
			p.begin(t.Context())
			s.send("t/a", texts(50)...)
			synctest.Wait()
			s.do(func() { assert.EqualValues(t, 7, s.last.receiveMaximum) })
			for done := 0; done < 50; {
				assert.EqualValues(t, min(7, 50-done), p.value(t, "messages-in-flight"))
				s.do(func() { assert.Len(t, s.of("c").acked, done) })
				pass(time.Second)
				assert.Positive(t, p.value(t, "unacknowledged-age-ms"))
				entries, err := p.ledger.Poll(t.Context(), nil, 3)
				require.NoError(t, err)
				p.ledger.Done(entries...)
				done += len(entries)
				synctest.Wait()
			}
			assert.Zero(t, p.value(t, "unacknowledged-age-ms"))
			s.do(func() { assert.Equal(t, 7, s.of("c").most) })
			assert.NoError(t, p.end())
		}
	})
}

// A hundred thousand messages in flight, in two sessions for the packet ids of one do not suffice, take a bounded memory beside their own bytes.
func TestMemoryOfMessagesInFlight(t *testing.T) {
	const sessions, each, size = 2, 50_000, 100
	s := newServer(t)
	connecttest.Source(t, Plugins()[0], serverProps(s.listen(), config.Props{
		"tasks.max": "2", "sessions": "2", "topics": "t/0,t/1", "max.in.flight.messages": "50000", "max.in.flight.bytes": "1000000000", "max.poll.records": "1",
	}))
	clients := []string{harnessClient, harnessClient + "-1"}
	topics := map[string]string{}
	for _, c := range clients {
		require.Eventually(t, func() (ok bool) {
			s.do(func() {
				for f := range s.of(c).filters {
					topics[c] = f
					ok = true
				}
			})
			return ok
		}, patience, tick)
	}
	before := heapInUse()
	payloads := make([]string, 1000)
	for i := range payloads {
		payloads[i] = strings.Repeat("x", size)
	}
	for range each / len(payloads) {
		for _, c := range clients {
			s.send(topics[c], payloads...)
		}
	}
	for _, c := range clients {
		require.Eventually(t, func() (all bool) {
			s.do(func() { x := s.of(c); all = x.most == each && x.peer != nil && len(x.peer.out) == 0 })
			return all
		}, patience, tick)
	}
	held := heapInUse() - before
	mine := 0
	s.do(func() { mine = len(s.of(clients[0]).inflight) + len(s.of(clients[1]).inflight) })
	require.Equal(t, sessions*each, mine)
	t.Logf("%d messages in flight: %d bytes for each of %d, the test's server included", mine, held/int64(mine), size)
	assert.Less(t, held/int64(mine), int64(1000))
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
