package mqtt

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// broker is an MQTT server in the process.
type broker struct {
	*mochi.Server
	t    testing.TB
	addr string
}

// newBroker starts a server that lets everybody in, or those that rules name.
func newBroker(t testing.TB, rules *auth.Ledger) *broker {
	t.Helper()
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	s.Options.Capabilities.MaximumInflight = 1 << 15
	s.Options.Capabilities.MaximumClientWritesPending = 1 << 17
	if rules == nil {
		require.NoError(t, s.AddHook(new(auth.AllowHook), nil))
	} else {
		require.NoError(t, s.AddHook(new(auth.Hook), &auth.Options{Ledger: rules}))
	}
	require.NoError(t, s.AddHook(new(noQuota), nil))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, s.AddListener(listeners.NewNet("tcp", l)))
	require.NoError(t, s.Serve())
	t.Cleanup(func() { _ = s.Close() })
	return &broker{Server: s, t: t, addr: l.Addr().String()}
}

// noQuota has the server ignore receive maximums: with them its Inflight.NextImmediate locks for reading twice, which never ends when a publisher
// wants the lock between (mochi 2.7.9). The receive maximum is tried against other servers.
type noQuota struct{ mochi.HookBase }

func (*noQuota) ID() string { return "no-quota" }

func (*noQuota) Provides(b byte) bool { return b == mochi.OnSessionEstablished }

func (*noQuota) OnSessionEstablished(c *mochi.Client, _ packets.Packet) {
	c.State.Inflight.ResetSendQuota(0)
}

func (b *broker) uri() string { return "mqtt://" + b.addr }

// props are the least that a connector needs.
func (b *broker) props(more ...config.Props) config.Props {
	p := config.Props{"uris": b.uri(), "topics": "t/#", "kafka.topic": "k"}
	for _, m := range more {
		p = p.Merge(m)
	}
	return p
}

// send publishes messages of QoS 2.
func (b *broker) send(topic string, payloads ...string) {
	b.t.Helper()
	for _, p := range payloads {
		require.NoError(b.t, b.Publish(topic, []byte(p), false, 2))
	}
}

// inflight is the number of messages that the server keeps for a client: sent and not acknowledged, or not sent yet.
func (b *broker) inflight(client string) int {
	c, ok := b.Clients.Get(client)
	if !ok {
		return 0
	}
	return c.State.Inflight.Len()
}

// texts are n different payloads.
func texts(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("message %06d", i)
	}
	return all
}
