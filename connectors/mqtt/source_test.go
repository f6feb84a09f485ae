package mqtt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// await subscribes the connector: until then the server has nothing for it.
func (b *broker) await(client string, filters int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		c, ok := b.Clients.Get(client)
		return ok && c.State.Subscriptions.Len() == filters
	}, patience, tick)
}

func TestDelivers(t *testing.T) {
	for _, version := range []string{"5", "3.1.1", "auto"} {
		for _, qos := range []string{"0", "1", "2"} {
			t.Run(version+" QoS "+qos, func(t *testing.T) {
				b := newBroker(t, nil)
				h := connecttest.Source(t, Plugins()[0], b.props(config.Props{"protocol": version, "qos": qos}))
				b.await(harnessClient, 1)
				want := texts(300)
				b.send("t/a", want...)
				for i, r := range h.Next(300) {
					assert.Equal(t, want[i], payload(r))
					assert.Equal(t, "k", r.Topic)
					assert.Equal(t, "t/a", r.Key.Value.String())
				}
				require.Eventually(t, func() bool { return b.inflight(harnessClient) == 0 }, patience, tick, "all are acknowledged")
			})
		}
	}
}

func payload(r connect.SourceRecord) string {
	b, _ := r.Value.Value.Bytes()
	return string(b)
}
