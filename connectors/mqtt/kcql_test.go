package mqtt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

func TestParseKCQL(t *testing.T) {
	got, err := parseKCQL("INSERT INTO k SELECT * FROM `/a/+` WITHKEY(id, x.y) KEYDELIMITER='-'; insert into $ select * from $share/g/b/#;")
	require.NoError(t, err)
	assert.Equal(t, []statement{
		{target: "k", source: "/a/+", keys: [][]string{{"id"}, {"x", "y"}}, delimiter: "-"},
		{target: "$", source: "$share/g/b/#", delimiter: "."},
	}, got)
	for _, bad := range []string{"", "INSERT", "INSERT INTO k SELECT a FROM b", "INSERT INTO k SELECT * FROM a LIMIT 3", "INSERT INTO k SELECT * FROM `a", "INSERT INTO k SELECT * FROM a WITHKEY(a..b)"} {
		_, err := parseKCQL(bad)
		assert.Error(t, err, bad)
	}
}

func FuzzKCQL(f *testing.F) {
	f.Add("INSERT INTO k SELECT * FROM a/+ WITHKEY(id) KEYDELIMITER='-'")
	f.Fuzz(func(t *testing.T, text string) { _, _ = kcqlRules(text) })
}

func FuzzPublish(f *testing.F) {
	f.Add(byte(0x32), []byte("\x00\x01t\x00\x07\x00payload"))
	f.Fuzz(func(t *testing.T, header byte, body []byte) {
		for _, d := range []dialect{dialect5{}, dialect3{}} {
			_, _ = d.publish(header, body)
			_, _ = d.connack(body)
			_, _, _ = d.suback(body)
			_ = d.disconnect(body)
		}
	})
}

func TestPlugins(t *testing.T) {
	p := Plugins()
	connecttest.TestPlugin(t, p[0], config.Props{"uris": "mqtt://h", "topics": "a/#", "kafka.topic": "k"})
	connecttest.TestPlugin(t, p[1], config.Props{"mqtt.server.uri": "tcp://h", "mqtt.topics": "a/#"})
	connecttest.TestPlugin(t, p[2], config.Props{"connect.mqtt.hosts": "tcp://h", "connect.mqtt.service.quality": "1", "connect.mqtt.kcql": "INSERT INTO k SELECT * FROM a"})
}
