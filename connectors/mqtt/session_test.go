package mqtt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// Cut connections lose nothing. The order is not looked at: the server of these tests sends again in any order.
func TestCutConnections(t *testing.T) {
	for _, qos := range []string{"1", "2"} {
		t.Run("QoS "+qos, func(t *testing.T) {
			b := newBroker(t, nil)
			h := connecttest.Source(t, Plugins()[0], b.props(config.Props{
				"qos": qos, "reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "50",
			}))
			b.await("connect-harness", 1)
			want := texts(400)
			seen := map[string]bool{}
			for part := range 4 {
				b.send("t/a", want[part*100:part*100+100]...)
				if c, ok := b.Clients.Get("connect-harness"); ok {
					c.Stop(assert.AnError)
				}
				for len(seen) < part*100+100 {
					seen[payload(h.Next(1)[0])] = true
				}
			}
		})
	}
}

// What Kafka does not have is not acknowledged, and comes again after a restart.
func TestRestartBringsWhatKafkaDoesNotHave(t *testing.T) {
	b := newBroker(t, nil)
	h := connecttest.Source(t, Plugins()[0], b.props())
	b.await("connect-harness", 1)
	want := texts(20)
	b.send("t/a", want...)
	require.Equal(t, want[0], payload(h.Next(1)[0]))
	h.Restart()
	var again []string
	for _, r := range h.Next(len(want)) {
		again = append(again, payload(r))
	}
	assert.ElementsMatch(t, want, again, "none was acknowledged: their batch was not taken")
	require.Eventually(t, func() bool { return b.inflight("connect-harness") == 0 }, patience, tick)
}
