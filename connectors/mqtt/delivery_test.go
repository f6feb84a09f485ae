package mqtt

import (
	"sync/atomic"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// What a publisher says beside the payload comes as headers, over MQTT 5; over 3.1.1 there is less of it.
func TestPropertiesAsHeaders(t *testing.T) {
	for protocol, want := range map[string]map[string]string{
		"5": {
			"mqtt.topic": "t/a", "mqtt.qos": "1", "mqtt.retained": "false", "mqtt.duplicate": "false", "mqtt.content.type": "text/plain",
			"mqtt.response.topic": "answers/a", "mqtt.correlation.data": "AQI=", "mqtt.expiry.seconds": "600", "mqtt.payload.utf8": "true",
			"mqtt.user.site": "north",
		},
		"3.1.1": {"mqtt.topic": "t/a", "mqtt.qos": "1", "mqtt.retained": "false", "mqtt.duplicate": "false"},
	} {
		t.Run(protocol, func(t *testing.T) {
			b := newBroker(t, nil)
			h := connecttest.Source(t, Plugins()[0], b.props(config.Props{"protocol": protocol, "record.key": "${user.site}"}))
			b.await("connect-harness", 1)
			require.NoError(t, b.InjectPacket(b.NewClient(nil, "local", "publisher", true), packets.Packet{
				ProtocolVersion: 5, FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, PacketID: 1, TopicName: "t/a", Payload: []byte("x"),
				Properties: packets.Properties{
					ContentType: "text/plain", ResponseTopic: "answers/a", CorrelationData: []byte{1, 2}, MessageExpiryInterval: 600,
					PayloadFormat: 1, PayloadFormatFlag: true, User: []packets.UserProperty{{Key: "site", Val: "north"}},
				},
			}))
			rec := h.Next(1)[0]
			found := map[string]string{}
			for _, x := range rec.Headers {
				if x.Key != "mqtt.message.id" {
					found[x.Key] = x.Datum.Value.String()
				}
			}
			assert.Equal(t, want, found)
			assert.Equal(t, stringDatum(want["mqtt.user.site"]), rec.Key)
		})
	}
}

// subscribing counts how often the server was asked for subscriptions, and has sent what it had retained for them.
type subscribing struct {
	mochi.HookBase
	times atomic.Int64
}

func (*subscribing) ID() string           { return "subscribing" }
func (*subscribing) Provides(b byte) bool { return b == mochi.OnPacketProcessed }

func (s *subscribing) OnPacketProcessed(_ *mochi.Client, p packets.Packet, _ error) {
	if p.FixedHeader.Type == packets.Subscribe {
		s.times.Add(1)
	}
}

// Retained messages come as such, and at each start, at the first one, or never.
func TestRetained(t *testing.T) {
	for retained, want := range map[Retained][]string{
		RetainedAll:    {"kept", "new", "kept", "newer"},
		RetainedNew:    {"kept", "new", "newer"},
		RetainedIgnore: {"new", "newer"},
	} {
		t.Run(string(retained), func(t *testing.T) {
			b := newBroker(t, nil)
			subscribed := new(subscribing)
			require.NoError(t, b.AddHook(subscribed, nil))
			require.NoError(t, b.Publish("t/a", []byte("kept"), true, 1))
			h := connecttest.Source(t, Plugins()[0], b.props(config.Props{"protocol": "5", "retained": string(retained), "validate.connection": "false"}))
			var got []string
			times := int64(0)
			until := func(last string) {
				times++
				require.Eventually(t, func() bool { return subscribed.times.Load() == times }, patience, tick)
				b.send("t/b", last)
				for len(got) == 0 || got[len(got)-1] != last {
					rec := h.Next(1)[0]
					got = append(got, payload(rec))
					flag, _ := headerOf(rec, "mqtt.retained")
					assert.True(t, data.Equal(data.Boolean(payload(rec) == "kept"), flag.Value), payload(rec))
				}
			}
			until("new")
			h.Restart()
			until("newer")
			assert.Equal(t, want, got)
		})
	}
}

// A payload that is not valid is a record that fails: it ends the task, or is let go, and then acknowledged.
func TestInvalidPayloadsInAPipeline(t *testing.T) {
	t.Run("errors.tolerance=all", func(t *testing.T) {
		b := newBroker(t, nil)
		h := connecttest.Source(t, Plugins()[0], b.props(config.Props{"payload": "json", "errors.tolerance": "all"}))
		b.await("connect-harness", 1)
		b.send("t/a", "{", `{"n":1}`)
		assert.Equal(t, "{n=1}", h.Next(1)[0].Value.Value.String())
		require.Eventually(t, func() bool { return b.inflight("connect-harness") == 0 }, patience, tick)
	})
	t.Run("errors.tolerance=none", func(t *testing.T) {
		b := newBroker(t, nil)
		h := connecttest.Source(t, Plugins()[0], b.props(config.Props{"payload": "json"}))
		b.await("connect-harness", 1)
		b.send("t/a", "{")
		trace := h.AwaitFailure()
		assert.Contains(t, trace, `MQTT topic "t/a": invalid payload: found no JSON`)
		assert.Equal(t, 1, b.inflight("connect-harness"), "it is not acknowledged")
	})
	t.Run("a topic for them", func(t *testing.T) {
		b := newBroker(t, nil)
		h := connecttest.Source(t, Plugins()[0], b.props(config.Props{"payload": "json", "invalid.topic": "bad"}))
		b.await("connect-harness", 1)
		b.send("t/a", "{")
		rec := h.Next(1)[0]
		assert.Equal(t, "bad", rec.Topic)
		assert.Equal(t, "{", payload(rec))
	})
}

// Configurations of the Java connectors run as they are, under their classes.
func TestJavaClassesRun(t *testing.T) {
	for class, c := range map[string]struct {
		props func(b *broker) config.Props
		key   string
	}{
		"io.confluent.connect.mqtt.MqttSourceConnector": {func(b *broker) config.Props {
			return config.Props{
				"mqtt.server.uri": "tcp://" + b.addr, "mqtt.topics": "t/#", "mqtt.qos": "1", "mqtt.clean.session.enabled": "false", "kafka.topic": "k",
				"confluent.topic.bootstrap.servers": "broker:9092",
			}
		}, "t/a"},
		"io.lenses.streamreactor.connect.mqtt.source.MqttSourceConnector":           {lensesProps, "Struct{topic=t/a,id=1}"},
		"com.datamountaineer.streamreactor.connect.mqtt.source.MqttSourceConnector": {lensesProps, "Struct{topic=t/a,id=1}"},
	} {
		t.Run(class, func(t *testing.T) {
			b := newBroker(t, nil)
			h := connecttest.Source(t, javaPlugin(t, class), c.props(b).Merge(config.Props{"connector.class": class}))
			b.await("connect-harness", 1)
			b.send("t/a", "x")
			rec := h.Next(1)[0]
			assert.Equal(t, "k", rec.Topic)
			assert.Equal(t, "x", payload(rec))
			assert.Equal(t, c.key, rec.Key.Value.String())
			require.Eventually(t, func() bool { return b.inflight("connect-harness") == 0 }, patience, tick)
		})
	}
}

func lensesProps(b *broker) config.Props {
	return config.Props{
		"connect.mqtt.hosts": "tcp://" + b.addr, "connect.mqtt.service.quality": "1", "connect.mqtt.clean": "false",
		"connect.mqtt.kcql": "INSERT INTO k SELECT * FROM t/#",
	}
}

func javaPlugin(t *testing.T, class string) connect.Plugin {
	t.Helper()
	for _, p := range Plugins() {
		for _, j := range p.Info().StandsFor {
			if j.Class == class {
				return p
			}
		}
	}
	require.Fail(t, "no plugin", class)
	return connect.Plugin{}
}
