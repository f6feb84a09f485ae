package registry

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

const someGUID = "00112233-4455-6677-8899-aabbccddeeff"

var guidBytes = "\x01\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"

// TestReadFrame has records taken apart; "!" for an error.
func TestReadFrame(t *testing.T) {
	header := func(value string) []connect.RawHeader {
		return []connect.RawHeader{{Key: "__value_schema_id", Value: []byte("\x00\x00\x00\x00\x09")}, {Key: "__value_schema_id", Value: []byte(value)}, {Key: "__key_schema_id", Value: []byte("x")}}
	}
	config1 := config.Props{"value.schema.id.deserializer": "io.confluent.kafka.serializers.schema.id.ConfigSchemaIdDeserializer"}
	for _, c := range []struct {
		name    string
		record  string
		headers []connect.RawHeader
		indexed bool
		props   config.Props
		schema  string
		indexes string
		payload string
	}{
		{name: "id", record: "\x00\x00\x00\x00\x07x", schema: "schema 7", payload: "x"},
		{name: "no payload", record: "\x00\x00\x00\x00\x07", schema: "schema 7"},
		{name: "GUID", record: guidBytes + "x", schema: "schema " + someGUID, payload: "x"},
		{name: "header", record: "x", headers: header(guidBytes), schema: "schema " + someGUID, payload: "x"},
		{name: "header with an id", record: "x", headers: header("\x00\x00\x00\x00\x08"), schema: "schema 8", payload: "x"},
		{name: "header of keys", record: "\x00\x00\x00\x00\x07x", headers: header(guidBytes)[2:], schema: "schema 7", payload: "x"},
		{name: "header not looked for", record: "\x00\x00\x00\x00\x07x", headers: header(guidBytes), props: config.Props{"value.schema.id.deserializer": "PrefixSchemaIdDeserializer"}, schema: "schema 7", payload: "x"},
		{name: "header cut off", record: "x", headers: header("\x01\x00"), schema: "!cut off: found 2 bytes, want a magic byte and a schema GUID"},
		{name: "configured id", record: "x", props: config1.Merge(config.Props{"use.schema.id": "3"}), schema: "schema 3", payload: "x"},
		{name: "configured GUID", record: "x", props: config1.Merge(config.Props{"use.schema.guid": someGUID}), schema: "schema " + someGUID, payload: "x"},
		{name: "first message", record: "\x00\x00\x00\x00\x07\x00x", indexed: true, schema: "schema 7", indexes: "\x00", payload: "x"},
		{name: "nested message", record: "\x00\x00\x00\x00\x07\x04\x02\x04x", indexed: true, schema: "schema 7", indexes: "\x04\x02\x04", payload: "x"},
		{name: "nested message in a header", record: "x", headers: header(guidBytes + "\x02\x02"), indexed: true, schema: "schema " + someGUID, indexes: "\x02\x02", payload: "x"},
		{name: "empty", record: "", schema: "!no bytes"},
		{name: "cut off", record: "\x00\x00\x00", schema: "!cut off"},
		{name: "JSON", record: `{"a":1}`, schema: "!Unknown magic byte! Found 7b"},
		{name: "negative id", record: "\x00\xff\xff\xff\xff", schema: "!negative"},
		{name: "no GUID", record: "\x01" + strings.Repeat("\x00", 16), schema: "!all zeros"},
		{name: "indexes cut off", record: "\x00\x00\x00\x00\x07\x04\x02", indexed: true, schema: "!cut off"},
		{name: "no indexes", record: "\x00\x00\x00\x00\x07", indexed: true, schema: "!indexes"},
		{name: "many indexes", record: "\x00\x00\x00\x00\x07\xff\xff\xff\xff\x0f", indexed: true, schema: "!allowed are 0 to 100"},
		{name: "negative index", record: "\x00\x00\x00\x00\x07\x02\x01", indexed: true, schema: "!negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := configOf(t, c.props).readFrame(&connect.Wire{Headers: c.headers}, []byte(c.record), c.indexed)
			if c.schema[0] == '!' {
				require.ErrorContains(t, err, c.schema[1:])
				assert.ErrorAs(t, err, new(*data.Error))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.schema, f.schema.String())
			assert.Equal(t, c.indexes, f.indexes)
			assert.Equal(t, c.payload, string(f.payload))
		})
	}
}

// FuzzReadFrame: any bytes are a frame or an error; indexes come back as they were.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x07\x04\x02\x04x"), true)
	f.Add([]byte(guidBytes), false)
	c := configOf(f, nil)
	f.Fuzz(func(t *testing.T, b []byte, indexed bool) {
		fr, err := c.readFrame(nil, b, indexed)
		if err != nil {
			return
		}
		assert.LessOrEqual(t, len(fr.payload), len(b))
		if indexed {
			path := Indexes(fr.indexes)
			again := string(AppendIndexes(nil, path))
			assert.Equal(t, path, Indexes(again))
		}
	})
}

// TestSubjects has the names of subjects.
func TestSubjects(t *testing.T) {
	const pkg = "io.confluent.kafka.serializers.subject."
	for _, c := range []struct{ use, strategy, record, want string }{
		{"value", "", "a.B", "t-value"},
		{"key", "", "", "t-key"},
		{"value", pkg + "TopicNameStrategy", "a.B", "t-value"},
		{"value", pkg + "RecordNameStrategy", "a.B", "a.B"},
		{"value", "TopicRecordNameStrategy", "a.B", "t-a.B"},
		{"key", "RecordNameStrategy", "a.B", "a.B"},
		{"value", "RecordNameStrategy", "", "!RecordNameStrategy wants a record with a name"},
	} {
		props := config.Props{"converter.type": c.use}
		if c.strategy != "" {
			props[c.use+".subject.name.strategy"] = c.strategy
		}
		got, err := configOf(t, props).subject("t", c.record)
		if c.want[0] == '!' {
			assert.ErrorContains(t, err, c.want[1:])
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
}

// TestConfigRefused has what the keys do not allow, each by its name.
func TestConfigRefused(t *testing.T) {
	for _, c := range []struct {
		props config.Props
		want  string
	}{
		{config.Props{"schema.registry.url": ""}, "schema.registry.url"},
		{config.Props{"schema.registry.url": "mock://x"}, "mock:// is for tests inside one JVM"},
		{config.Props{"schema.registry.url": "ftp://x"}, `scheme "ftp" is not supported`},
		{config.Props{"schema.registry.url": "http://u:secret@x?y=1"}, "a query or fragment has no meaning here"},
		{config.Props{"schema.registry.url": "http://u:secret@x:port"}, "invalid port"},
		{config.Props{"converter.type": "header"}, "converter.type"},
		{config.Props{"basic.auth.credentials.source": "SASL_INHERIT"}, "basic.auth.credentials.source"},
		{config.Props{"basic.auth.credentials.source": "USER_INFO"}, "basic.auth.user.info"},
		{config.Props{"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "u:p", "bearer.auth.token": "t"}, "both basic and bearer"},
		{config.Props{"bearer.auth.credentials.source": "CUSTOM"}, "bearer.auth.credentials.source"},
		{config.Props{"bearer.auth.credentials.source": "SASL_OAUTHBEARER_INHERIT"}, "use OAUTHBEARER"},
		{config.Props{"bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.client.id": "x"}, "bearer.auth.issuer.endpoint.url"},
		{config.Props{"bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.issuer.endpoint.url": "http://x"}, "bearer.auth.client.id"},
		{config.Props{"proxy.host": "p"}, "proxy.port"},
		{config.Props{"use.schema.id": "1", "use.schema.guid": someGUID}, "use.schema.guid"},
		{config.Props{"use.schema.guid": "x"}, "32 hexadecimal digits"},
		{config.Props{"value.schema.id.deserializer": "ConfigSchemaIdDeserializer"}, "use.schema.id"},
		{config.Props{"value.subject.name.strategy": "com.example.Own"}, "Java classes cannot be loaded"},
		{config.Props{"value.subject.name.strategy": "com.example.TopicNameStrategy"}, "Java classes cannot be loaded"},
		{config.Props{"context.name.strategy": "com.example.Own"}, "context.name.strategy"},
		{config.Props{"use.latest.with.metadata": "a=b"}, "use.latest.with.metadata"},
		{config.Props{"rule.executors": "x"}, "rule.executors"},
		{config.Props{"specific.avro.reader": "true"}, "specific.avro.reader"},
		{config.Props{"schemas.infer.name": "a b"}, "schemas.infer.name"},
		{config.Props{"schema.registry.ssl.truststore.type": "WINDOWS"}, "schema.registry.ssl.truststore.type"},
	} {
		var got Config
		err := config.Decode(config.Props{"converter.type": "value", "schema.registry.url": "http://a"}.Merge(c.props), &got)
		assert.ErrorContains(t, err, c.want, "%v", c.props)
		if err != nil {
			assert.NotContains(t, err.Error(), "secret")
		}
	}
	for _, props := range []config.Props{
		{"validation.rules.execution": "DISABLED"}, {"context.name.strategy": "io.confluent.kafka.serializers.context.NullContextNameStrategy"},
		{"rule.executors": ""}, {"specific.avro.reader": "false"}, {"propagate.schema.tags": "false"}, {"use.apache.http.client": "true"},
	} {
		configOf(t, props)
	}
}
