package mqtt

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// least are the keys that each class needs.
var least = map[string]config.Props{
	"MqttSource":          {"uris": "mqtt://h", "topics": "a/#", "kafka.topic": "k"},
	"ConfluentMqttSource": {"mqtt.server.uri": "tcp://h", "mqtt.topics": "a/#"},
	"LensesMqttSource":    {"connect.mqtt.hosts": "tcp://h", "connect.mqtt.service.quality": "1", "connect.mqtt.kcql": "INSERT INTO k SELECT * FROM a"},
}

func TestPlugins(t *testing.T) {
	for _, p := range Plugins() {
		t.Run(p.Info().Class, func(t *testing.T) { connecttest.TestPlugin(t, p, least[p.Info().Class]) })
	}
	connecttest.TestPlugin(t, Plugins()[0], config.Props{
		"uris": "mqtts://h, ws://h/mqtt", "topics": "a/+, $share/g/b", "kafka.topic": "${1}", "topic.regex": "a/(.*)", "rules": "x",
		"rule.x.regex": "(?<n>b)", "rule.x.kafka.topic": "${n}", "payload": "struct", "payload.schema": `{"type":"struct","fields":[{"field":"a","type":"int32"}]}`,
	})
}

// pluginOf returns the plugin of a class.
func pluginOf(t *testing.T, class string) connect.Plugin {
	t.Helper()
	for _, p := range Plugins() {
		if p.Info().Class == class {
			return p
		}
	}
	require.Fail(t, "no such class", class)
	return connect.Plugin{}
}

// refused is a configuration that is refused: for which key, and what the error has to say.
type refused struct {
	props     config.Props
	key, text string
}

// checkRefused adds what is wrong to the least configuration of a class.
func checkRefused(t *testing.T, class string, cases []refused) {
	t.Helper()
	for _, c := range cases {
		keys, rest := config.KeyErrors(config.Decode(least[class].Merge(c.props), pluginOf(t, class).Config()))
		assert.Empty(t, rest, "%v", c.props)
		if assert.Len(t, keys, 1, "%v", c.props) {
			assert.Equal(t, c.key, keys[0].Key, "%v", c.props)
			assert.Contains(t, keys[0].Error(), c.text, "%v", c.props)
		}
	}
}

func checkAccepted(t *testing.T, class string, cases []config.Props) {
	t.Helper()
	for _, props := range cases {
		p := pluginOf(t, class)
		all := least[class].Merge(props)
		assert.NoError(t, config.Decode(all, p.Config()), "%v", props)
		assert.Empty(t, config.Unknown(all, p.Config()), "%v", props)
	}
}

func TestAcceptedKeys(t *testing.T) {
	checkAccepted(t, "MqttSource", []config.Props{
		{"uris": "mqtt://a:1,tcp://b,mqtts://c,ssl://d:8883,tls://e,ws://f/x,wss://[::1]:443/mqtt"},
		{"topics": "#"}, {"topics": "+/a/#,b"}, {"topics": "$SYS/#,#"}, {"topics": "/,//+"}, {"topics": "$share/g/#,$share/h/#,#"},
		{"qos": "0"}, {"qos": "2"}, {"protocol": "auto"}, {"protocol": "5"}, {"protocol": "3.1.1"},
		{"username": "u", "password": "p"}, {"password": "p", "protocol": "5"}, {"username": "u"},
		{"keep.alive.seconds": "1"}, {"keep.alive.seconds": "65535"}, {"connect.timeout.ms": "1"},
		{"reconnect.backoff.ms": "1", "reconnect.backoff.max.ms": "1"}, {"validate.connection": "false"},
		{"session.persistent": "false", "session.expiry.seconds": "0"}, {"session.expiry.seconds": "4294967295"},
		{"client.id": "c", "sessions": "7", "shared.group": "g"}, {"retained": "ignore"}, {"retained": "all"},
		{"record.key": ""}, {"record.key": "$$ ${topic}: ${level.2}${user.a b}"}, {"kafka.topic": "a.${topic}_${level.32768}"},
		{"topic.regex": "(a)/(?<b>.*)", "kafka.topic": "${1}", "record.key": "${b}${0}"}, {"kafka.topic.replacement": "_"},
		{"rules": "r1,r2", "rule.r1.regex": "a/(.*)", "rule.r1.kafka.topic": "x.${1}", "rule.r1.record.key": "", "rule.r2.regex": "b", "rule.r2.kafka.topic": "y"},
		{"payload": "string"}, {"payload": "json", "invalid.topic": "bad"}, {"payload": "struct", "payload.schema": `{"type":"int64"}`},
		{"headers": "false", "headers.user.prefix": ""}, {"max.poll.records": "1"}, {"max.in.flight.messages": "10000000", "max.in.flight.bytes": "1", "max.message.bytes": "0"},
		{"ssl.truststore.location": "/x.jks", "ssl.truststore.password": "p", "ssl.keystore.type": "PEM"},
	})
}

func TestRefusedKeys(t *testing.T) {
	checkRefused(t, "MqttSource", []refused{
		{config.Props{"uris": ""}, "uris", "empty"},
		{config.Props{"uris": "http://h"}, "uris", "want the scheme mqtt, tcp, mqtts, ssl, tls, ws or wss"},
		{config.Props{"uris": "mqtt://"}, "uris", "want a host"},
		{config.Props{"uris": "mqtt://u:p@h"}, "uris", "want no user"},
		{config.Props{"uris": "mqtt://h/x"}, "uris", "want no path"},
		{config.Props{"uris": "h:1883"}, "uris", "want"},
		{config.Props{"uris": "mqtt://a b"}, "uris", "want a URI"},
		{config.Props{"topics": ""}, "topics", "empty"},
		{config.Props{"topics": "a/#/b"}, "topics", "want # alone in the last level"},
		{config.Props{"topics": "a#"}, "topics", "want # alone"},
		{config.Props{"topics": "a+/b"}, "topics", "want + alone in a level"},
		{config.Props{"topics": "$share/g"}, "topics", "want a topic filter"},
		{config.Props{"topics": "$share/+/x"}, "topics", "a group without wildcards"},
		{config.Props{"topics": "a\x00b"}, "topics", "NUL"},
		{config.Props{"topics": strings.Repeat("x", 65536)}, "topics", "65535"},
		{config.Props{"topics": "a/+,a/b"}, "topics", "overlap"},
		{config.Props{"topics": "a,a"}, "topics", "overlap"},
		{config.Props{"topics": "a/#,a"}, "topics", "overlap"},
		{config.Props{"topics": "$share/g/a/#,$share/g/a/b"}, "topics", "overlap"},
		{config.Props{"topics": "$share/g/a", "shared.group": "h"}, "topics", "want plain filters"},
		{config.Props{"qos": "3"}, "qos", ""},
		{config.Props{"qos": "-1"}, "qos", ""},
		{config.Props{"protocol": "4"}, "protocol", ""},
		{config.Props{"password": "p"}, "password", "without a user name"},
		{config.Props{"username": strings.Repeat("u", 65536)}, "username", "65519"},
		{config.Props{"keep.alive.seconds": "0"}, "keep.alive.seconds", ""},
		{config.Props{"keep.alive.seconds": "65536"}, "keep.alive.seconds", ""},
		{config.Props{"connect.timeout.ms": "0"}, "connect.timeout.ms", ""},
		{config.Props{"reconnect.backoff.ms": "0"}, "reconnect.backoff.ms", ""},
		{config.Props{"reconnect.backoff.max.ms": "0"}, "reconnect.backoff.max.ms", ""},
		{config.Props{"validate.connection": "maybe"}, "validate.connection", ""},
		{config.Props{"session.persistent": "false", "session.expiry.seconds": "5"}, "session.expiry.seconds", "keeps no session"},
		{config.Props{"session.expiry.seconds": "-2"}, "session.expiry.seconds", ""},
		{config.Props{"session.expiry.seconds": "4294967296"}, "session.expiry.seconds", ""},
		{config.Props{"client.id": "a\x00b"}, "client.id", "NUL"},
		{config.Props{"sessions": "-1"}, "sessions", ""},
		{config.Props{"shared.group": "a/b"}, "shared.group", "without /"},
		{config.Props{"retained": "some"}, "retained", ""},
		{config.Props{"kafka.topic": ""}, "kafka.topic", ""},
		{config.Props{"kafka.topic": "a b"}, "kafka.topic", "249 letters"},
		{config.Props{"kafka.topic": ".."}, "kafka.topic", "249 letters"},
		{config.Props{"kafka.topic": "a/${topic}"}, "kafka.topic", `found "/"`},
		{config.Props{"kafka.topic": strings.Repeat("x", 250)}, "kafka.topic", "249"},
		{config.Props{"kafka.topic": "${nothing}"}, "kafka.topic", "no regular expression"},
		{config.Props{"kafka.topic": "${topic"}, "kafka.topic", "is not closed"},
		{config.Props{"kafka.topic": "$topic"}, "kafka.topic", "$$ is a dollar"},
		{config.Props{"kafka.topic": "${level.0}"}, "kafka.topic", "want a level from 1 on"},
		{config.Props{"record.key": "${2}", "topic.regex": "(a)"}, "record.key", "has 1 groups"},
		{config.Props{"record.key": "${b}", "topic.regex": "(a)"}, "record.key", "no such group"},
		{config.Props{"topic.regex": "("}, "topic.regex", ""},
		{config.Props{"kafka.topic.replacement": "/"}, "kafka.topic.replacement", ""},
		{config.Props{"kafka.topic.replacement": "ab"}, "kafka.topic.replacement", ""},
		{config.Props{"rules": "r", "rule.r.regex": "a", "rule.r.kafka.topic": "${1}"}, "rule.r.kafka.topic", "has 0 groups"},
		{config.Props{"rules": "r", "rule.r.regex": "a", "rule.r.kafka.topic": "k", "rule.r.record.key": "${x}"}, "rule.r.record.key", "no such group"},
		{config.Props{"rules": "r", "rule.r.regex": "[", "rule.r.kafka.topic": "k"}, "rule.r.regex", ""},
		{config.Props{"rules": "r", "rule.r.regex": "a"}, "rule.r.kafka.topic", "Missing"},
		{config.Props{"rules": "r", "rule.r.kafka.topic": "a"}, "rule.r.regex", "Missing"},
		{config.Props{"rules": "r,r", "rule.r.regex": "a", "rule.r.kafka.topic": "a"}, "rules", ""},
		{config.Props{"payload": "xml"}, "payload", ""},
		{config.Props{"payload": "struct", "payload.schema": `{"type":"number"}`}, "payload.schema", "JsonConverter"},
		{config.Props{"payload": "struct", "payload.schema": `{`}, "payload.schema", "JsonConverter"},
		{config.Props{"payload.schema": `{"type":"int64"}`}, "payload.schema", "want payload=struct"},
		{config.Props{"invalid.topic": "a b"}, "invalid.topic", "249 letters"},
		{config.Props{"headers": "1"}, "headers", ""},
		{config.Props{"max.poll.records": "0"}, "max.poll.records", ""},
		{config.Props{"max.in.flight.messages": "0"}, "max.in.flight.messages", ""},
		{config.Props{"max.in.flight.messages": "10000001"}, "max.in.flight.messages", ""},
		{config.Props{"max.in.flight.bytes": "0"}, "max.in.flight.bytes", ""},
		{config.Props{"max.message.bytes": "-1"}, "max.message.bytes", ""},
		{config.Props{"max.message.bytes": "268435461"}, "max.message.bytes", ""},
		{config.Props{"uris": "mqtts://h", "ssl.keystore.key": "x", "ssl.keystore.certificate.chain": "x"}, "ssl.keystore.type", "PEM"},
	})
}

// A required key that is absent is named.
func TestMissingKeys(t *testing.T) {
	for class, want := range map[string][]string{
		"MqttSource":          {"kafka.topic", "topics", "uris"},
		"ConfluentMqttSource": {"mqtt.server.uri", "mqtt.topics"},
		"LensesMqttSource":    {"connect.mqtt.hosts", "connect.mqtt.kcql", "connect.mqtt.service.quality"},
	} {
		keys, rest := config.KeyErrors(config.Decode(config.Props{}, pluginOf(t, class).Config()))
		assert.Empty(t, rest)
		var found []string
		for _, k := range keys {
			if errors.Is(k, config.ErrMissing) { // as in Java, checks see null, too
				found = append(found, k.Key)
			}
		}
		assert.ElementsMatch(t, want, found, class)
	}
}

func TestUnknownKeysAreToldApart(t *testing.T) {
	for class, keys := range map[string][]string{
		"MqttSource":          {"topic", "rule.r.regex", "mqtt.qos", "task.client.id"},
		"ConfluentMqttSource": {"mqtt.client.id", "qos", "topics"},
		"LensesMqttSource":    {"connect.mqtt.host", "connect.mqtt.ssl.ca", "topics"},
	} {
		for _, key := range keys {
			unknown := config.Unknown(least[class].Merge(config.Props{key: "x"}), pluginOf(t, class).Config())
			if assert.Len(t, unknown, 1, key) {
				assert.Equal(t, key, unknown[0].Key)
			}
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	for class, keys := range map[string][]string{
		"MqttSource": {"password", "ssl.truststore.password", "ssl.keystore.password", "ssl.key.password", "ssl.keystore.key"},
		"ConfluentMqttSource": {
			"mqtt.password", "mqtt.ssl.trust.store.password", "mqtt.ssl.key.store.password", "mqtt.ssl.key.password",
			"confluent.license", "confluent.topic.sasl.jaas.config", "confluent.topic.ssl.key.password",
		},
		"LensesMqttSource": {"connect.mqtt.password"},
	} {
		for _, key := range keys {
			masked := least[class].Merge(config.Props{key: "hunter2"}).Masked(pluginOf(t, class).Config())
			assert.Equal(t, config.Hidden, masked[key], key)
			assert.Equal(t, "hunter2", least[class].Merge(config.Props{key: "hunter2"})[key])
		}
	}
}

// What only matters beside another key is shown with it only.
func TestVisibility(t *testing.T) {
	for _, c := range []struct {
		props   config.Props
		key     string
		visible bool
	}{
		{nil, "session.expiry.seconds", true},
		{config.Props{"session.persistent": "false"}, "session.expiry.seconds", false},
		{nil, "payload.schema", false},
		{config.Props{"payload": "struct"}, "payload.schema", true},
		{nil, "headers.user.prefix", true},
		{config.Props{"headers": "false"}, "headers.user.prefix", false},
	} {
		props := least["MqttSource"].Merge(config.Props{"validate.connection": "false"}, c.props)
		seen := false
		for _, v := range config.Validate(t.Context(), props, new(Config)).Configs {
			if v.Value.Name == c.key {
				seen = true
				assert.Equal(t, c.visible, v.Value.Visible, "%s with %v", c.key, c.props)
			}
		}
		assert.True(t, seen, c.key)
	}
}

func TestDivide(t *testing.T) {
	for name, c := range map[string]struct {
		s    settings
		max  int
		want int
		err  string
	}{
		"one filter, one session":        {settings{filters: []string{"a"}}, 4, 1, ""},
		"as many as filters":             {settings{filters: []string{"a", "b", "c"}}, 8, 3, ""},
		"as many as tasks":               {settings{filters: []string{"a", "b", "c"}}, 2, 2, ""},
		"shared filters go to all":       {settings{filters: []string{"$share/g/a", "b"}}, 4, 4, ""},
		"a group shares all":             {settings{filters: []string{"a"}, sharedGroup: "g"}, 3, 3, ""},
		"a number of sessions":           {settings{filters: []string{"a"}, sessions: 3}, 4, 3, ""},
		"more sessions than tasks":       {settings{filters: []string{"a"}, sessions: 3}, 2, 0, "want a tasks.max of at least as many"},
		"as many sessions as tasks have": {settings{filters: []string{"a", "b"}, sessions: 2}, 2, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parts, err := c.s.divide(c.max)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Len(t, parts, c.want)
			times := map[string]int{}
			for _, p := range parts {
				for _, f := range p {
					times[f]++
				}
			}
			shared, plain := c.s.sharedFilters()
			for _, f := range plain {
				assert.Equal(t, 1, times[f], f)
			}
			for _, f := range shared {
				assert.Equal(t, len(parts), times[f], f)
			}
		})
	}
}

// New filters move none of the others, and one session more moves about as few as it can.
func TestFiltersStayWhereTheyAre(t *testing.T) {
	moved := 0
	for i := range 1000 {
		f := strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("/", i%11)
		if before, now := home(f, 4), home(f, 5); before != now {
			moved++
			assert.Equal(t, 4, now, "what moves goes to the new session")
		}
	}
	assert.Less(t, moved, 400)
	assert.Positive(t, moved)
}
