package mqtt

import (
	"strconv"
	"strings"
	"testing"
	"time"

	v5 "github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// mappingOf returns what MqttSource makes of messages with these keys.
func mappingOf(t testing.TB, props config.Props) *mapping {
	t.Helper()
	var c Config
	require.NoError(t, config.Decode(least["MqttSource"].Merge(props), &c))
	s, err := c.settings()
	require.NoError(t, err)
	return &s.mapping
}

func make1(t testing.TB, m *mapping, msg *message) connect.SourceRecord {
	t.Helper()
	rec, ok, err := m.record(msg, time.Unix(1, 0))
	require.NoError(t, err)
	require.True(t, ok)
	return rec
}

func TestMapping(t *testing.T) {
	user := &v5.Properties{User: []v5.User{{Key: "site", Value: "n/1"}, {Key: "site", Value: "second"}}}
	rules := config.Props{
		"rules": "alarm,plant", "kafka.topic": "rest", "record.key": "",
		"rule.alarm.regex": ".*/alarm", "rule.alarm.kafka.topic": "alarms",
		"rule.plant.regex": "plant/(?<line>[^/]+)/(.*)", "rule.plant.kafka.topic": "plant.${line}", "rule.plant.record.key": "${2}",
	}
	for name, c := range map[string]struct {
		props      config.Props
		topic      string
		wantTopic  string
		wantKey    string
		wantNoKey  bool
		properties *v5.Properties
	}{
		"fixed":                {config.Props{"kafka.topic": "k"}, "a/b", "k", "a/b", false, nil},
		"the topic":            {config.Props{"kafka.topic": "${topic}"}, "a/b c/ü", "a.b.c..", "a/b c/ü", false, nil},
		"replacement":          {config.Props{"kafka.topic": "mqtt-${topic}", "kafka.topic.replacement": "_"}, "/a//b", "mqtt-_a__b", "/a//b", false, nil},
		"levels":               {config.Props{"kafka.topic": "${level.2}", "record.key": "${level.1}-${level.3}-${level.9}"}, "a/b/c", "b", "a-c-", false, nil},
		"empty levels":         {config.Props{"kafka.topic": "x${level.1}y", "record.key": "${level.2}"}, "/a", "xy", "a", false, nil},
		"groups":               {config.Props{"topic.regex": "(.*)/(?<id>[^/]+)", "kafka.topic": "t.${1}", "record.key": "${id}:${0}"}, "a/b/7", "t.a.b", "7:a/b/7", false, nil},
		"a group of nothing":   {config.Props{"topic.regex": "a(/b)?", "kafka.topic": "t${1}"}, "a", "t", "a", false, nil},
		"no match, no groups":  {config.Props{"topic.regex": "(x)", "kafka.topic": "t${1}"}, "a/x", "t", "a/x", false, nil},
		"a user property":      {config.Props{"kafka.topic": "s-${user.site}", "record.key": "${user.none}${user.site}"}, "a", "s-n.1", "n/1", false, user},
		"dollars":              {config.Props{"record.key": "$$${topic}$$"}, "a", "k", "$a$", false, nil},
		"no key":               {config.Props{"record.key": ""}, "a", "k", "", true, nil},
		"first rule":           {rules, "plant/7/alarm", "alarms", "plant/7/alarm", false, nil},
		"second rule":          {rules, "plant/7/x/y", "plant.7", "x/y", false, nil},
		"no rule":              {rules, "other", "rest", "", true, nil},
		"a rule matches whole": {rules, "plant/7", "rest", "", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rec := make1(t, mappingOf(t, c.props), &message{topic: c.topic, payload: []byte("x"), props: c.properties})
			require.NoError(t, rec.Err)
			assert.Equal(t, c.wantTopic, rec.Topic)
			assert.Equal(t, time.Unix(1, 0), rec.Timestamp)
			if c.wantNoKey {
				assert.Equal(t, connect.Datum{}, rec.Key)
				return
			}
			assert.Equal(t, stringDatum(c.wantKey), rec.Key)
		})
	}
}

// Of rules, the first that matches decides, whatever their names and however many there are.
func TestOrderOfRulesDecides(t *testing.T) {
	expressions := []string{"a/.*", ".*/b", "a/b", "[^/]+/[^/]+", "c", "(a|c)(/.*)?", "x"}
	topics := []string{"a/b", "a/c", "c", "c/b", "d/e", "x", "q"}
	direct := map[string]func(string) bool{
		"a/.*": func(s string) bool { return strings.HasPrefix(s, "a/") }, ".*/b": func(s string) bool { return strings.HasSuffix(s, "/b") },
		"a/b": func(s string) bool { return s == "a/b" }, "c": func(s string) bool { return s == "c" }, "x": func(s string) bool { return s == "x" },
		"[^/]+/[^/]+": func(s string) bool { return strings.Count(s, "/") == 1 },
		"(a|c)(/.*)?": func(s string) bool {
			return s == "a" || s == "c" || strings.HasPrefix(s, "a/") || strings.HasPrefix(s, "c/")
		},
	}
	for turn := range expressions {
		order := append(append([]string{}, expressions[turn:]...), expressions[:turn]...)
		if turn%2 == 1 { // backwards
			for i, j := 0, len(order)-1; i < j; i, j = i+1, j-1 {
				order[i], order[j] = order[j], order[i]
			}
		}
		props := config.Props{"kafka.topic": "rest"}
		var names []string
		for i, e := range order {
			name := strconv.Itoa(len(order) - i)
			names = append(names, name)
			props["rule."+name+".regex"], props["rule."+name+".kafka.topic"] = e, "rule"+strconv.Itoa(i)
		}
		props["rules"] = strings.Join(names, ",")
		m := mappingOf(t, props)
		for _, topic := range topics {
			want := "rest"
			for i, e := range order {
				if direct[e](topic) {
					want = "rule" + strconv.Itoa(i)
					break
				}
			}
			assert.Equal(t, want, make1(t, m, &message{topic: topic}).Topic, "%s with %v", topic, order)
		}
	}
}

// A message whose mapping gives no topic is an error of its own, or goes where such messages go.
func TestTopicsThatKafkaRefuses(t *testing.T) {
	for topic, props := range map[string]config.Props{
		"a":                                 {"topic.regex": "(b)", "kafka.topic": "${1}"},
		".":                                 {"kafka.topic": "${topic}"},
		"..":                                {"kafka.topic": "${topic}"},
		strings.Repeat("x", 250):            {"kafka.topic": "${topic}"},
		strings.Repeat("x", 240) + "/0/1/2": {"kafka.topic": "long-${topic}"},
	} {
		rec := make1(t, mappingOf(t, props), &message{topic: topic, payload: []byte("p")})
		require.ErrorContains(t, rec.Err, "want a name of 1 to 249 letters", topic)
		assert.ErrorContains(t, rec.Err, topic)
		assert.Equal(t, stringDatum(topic), rec.Key)
		assert.Equal(t, "cA==", rec.Value.Value.String(), "a dead letter has the payload")

		rec = make1(t, mappingOf(t, props.Merge(config.Props{"invalid.topic": "bad"})), &message{topic: topic, payload: []byte("p")})
		require.NoError(t, rec.Err)
		assert.Equal(t, "bad", rec.Topic)
		reason, ok := headerOf(rec, "mqtt.invalid")
		require.True(t, ok)
		assert.Contains(t, reason.Value.String(), "want a name of 1 to 249 letters")
	}
}

func pointer[T any](v T) *T { return &v }

// The names of headers are documented; this is what they are.
func TestHeaders(t *testing.T) {
	basic := func(id, qos int32, retained, dup bool) []connect.Header {
		return []connect.Header{
			{Key: "mqtt.topic", Datum: stringDatum("a/b")},
			{Key: "mqtt.message.id", Datum: connect.Datum{Schema: data.Int32Schema, Value: data.Int32(id)}},
			{Key: "mqtt.qos", Datum: connect.Datum{Schema: data.Int32Schema, Value: data.Int32(qos)}},
			{Key: "mqtt.retained", Datum: connect.Datum{Schema: data.BooleanSchema, Value: data.Boolean(retained)}},
			{Key: "mqtt.duplicate", Datum: connect.Datum{Schema: data.BooleanSchema, Value: data.Boolean(dup)}},
		}
	}
	full := &v5.Properties{
		ContentType: "text/plain", ResponseTopic: "r/t", CorrelationData: []byte{1, 2}, MessageExpiry: pointer(uint32(4294967295)),
		PayloadFormat: pointer(byte(1)), User: []v5.User{{Key: "k", Value: "v"}, {Key: "k", Value: ""}},
	}
	extra := []connect.Header{
		{Key: "mqtt.content.type", Datum: stringDatum("text/plain")},
		{Key: "mqtt.response.topic", Datum: stringDatum("r/t")},
		{Key: "mqtt.correlation.data", Datum: connect.Datum{Schema: data.BytesSchema, Value: data.Bytes([]byte{1, 2})}},
		{Key: "mqtt.expiry.seconds", Datum: connect.Datum{Schema: data.Int64Schema, Value: data.Int64(4294967295)}},
		{Key: "mqtt.payload.utf8", Datum: connect.Datum{Schema: data.BooleanSchema, Value: data.Boolean(true)}},
		{Key: "mqtt.user.k", Datum: stringDatum("v")},
		{Key: "mqtt.user.k", Datum: stringDatum("")},
	}
	for name, c := range map[string]struct {
		props config.Props
		m     message
		want  []connect.Header
	}{
		"QoS 0":                {nil, message{}, basic(0, 0, false, false)},
		"QoS 2, flags":         {nil, message{id: 65535, qos: 2, retained: true, dup: true}, basic(65535, 2, true, true)},
		"MQTT 5":               {nil, message{id: 1, qos: 1, props: full}, append(basic(1, 1, false, false), extra...)},
		"bytes in the payload": {nil, message{props: &v5.Properties{PayloadFormat: pointer(byte(0))}}, append(basic(0, 0, false, false), connect.Header{Key: "mqtt.payload.utf8", Datum: connect.Datum{Schema: data.BooleanSchema, Value: data.Boolean(false)}})},
		"a prefix": {
			config.Props{"headers.user.prefix": ""}, message{props: &v5.Properties{User: []v5.User{{Key: "k", Value: "v"}}}},
			append(basic(0, 0, false, false), connect.Header{Key: "k", Datum: stringDatum("v")}),
		},
		"none": {config.Props{"headers": "false"}, message{props: full}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.m.topic = "a/b"
			assert.Equal(t, c.want, make1(t, mappingOf(t, c.props), &c.m).Headers)
		})
	}
}

func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"${topic}", "a${level.2}b$$", "${1}${b}${user.x y}", "${", "$", "${level.99999999999999999999}", "${0}"} {
		f.Add(text, "a/b/c", "(a)/(?<b>.*)")
	}
	f.Fuzz(func(t *testing.T, text, topic, regex string) {
		r, err := newRule("", "topic.regex", RuleConfig{regex, text, text}, decodeBytes)
		if err != nil {
			return
		}
		m := &mapping{rules: []*rule{r}, clean: replacing(".")}
		rec, ok, err := m.record(&message{topic: topic, props: &v5.Properties{User: []v5.User{{Key: "x y", Value: topic}}}}, time.Unix(1, 0))
		if err != nil || !ok {
			t.Fatalf("%q of %q: %v", text, topic, err)
		}
		if rec.Err == nil && legalTopic(rec.Topic) != nil {
			t.Fatalf("%q of %q makes the topic %q", text, topic, rec.Topic)
		}
	})
}
