package mqtt

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// checkIgnored looks for the warning that each key has.
func checkIgnored(t *testing.T, class string, keys map[string]string) {
	t.Helper()
	for key, value := range keys {
		props := least[class].Merge(config.Props{key: value})
		assert.NoError(t, config.Decode(props, pluginOf(t, class).Config()), key)
		ignored := config.Ignored(props, pluginOf(t, class).Config())
		if assert.Len(t, ignored, 1, key) {
			assert.Equal(t, key, ignored[0].Key)
			assert.NotEmpty(t, ignored[0].Reason, key)
		}
	}
}

func TestConfluentKeys(t *testing.T) {
	checkAccepted(t, "ConfluentMqttSource", []config.Props{
		{"mqtt.server.uri": "tcp://a:1883,ssl://b:8883", "mqtt.topics": "a/+, b/#", "mqtt.qos": "2", "mqtt.clean.session.enabled": "false"},
		{"kafka.topic": "a.b_c-D1"}, {"mqtt.username": "u", "mqtt.password": "p"}, {"mqtt.connect.timeout.seconds": "1", "mqtt.keepalive.interval.seconds": "65535"},
		{"mqtt.ssl.trust.store.path": "/t.jks", "mqtt.ssl.trust.store.password": "p", "mqtt.ssl.key.store.path": "/k.p12", "mqtt.ssl.key.store.password": "p", "mqtt.ssl.key.password": "p"},
		{"records.buffer.queue.size": "1024", "records.buffer.queue.max.batch.size": "4096", "validate.connection": "false"},
	})
	checkRefused(t, "ConfluentMqttSource", []refused{
		{config.Props{"mqtt.server.uri": "http://h"}, "mqtt.server.uri", "want the scheme"},
		{config.Props{"mqtt.topics": "a/#/b"}, "mqtt.topics", "want # alone"},
		{config.Props{"mqtt.topics": "a/#,a/b"}, "mqtt.topics", "overlap"},
		{config.Props{"mqtt.qos": "3"}, "mqtt.qos", ""},
		{config.Props{"mqtt.clean.session.enabled": "x"}, "mqtt.clean.session.enabled", ""},
		{config.Props{"kafka.topic": "a/b"}, "kafka.topic", "249 letters"},
		{config.Props{"kafka.topic": "${topic}"}, "kafka.topic", "249 letters"},
		{config.Props{"mqtt.password": "p"}, "mqtt.password", "without a user name"},
		{config.Props{"mqtt.keepalive.interval.seconds": "0"}, "mqtt.keepalive.interval.seconds", ""},
		{config.Props{"mqtt.connect.timeout.seconds": "0"}, "mqtt.connect.timeout.seconds", ""},
		{config.Props{"records.buffer.queue.size": "0"}, "records.buffer.queue.size", ""},
		{config.Props{"records.buffer.queue.max.batch.size": "0"}, "records.buffer.queue.max.batch.size", ""},
	})
	checkIgnored(t, "ConfluentMqttSource", map[string]string{
		"max.retry.time.ms": "1000", "records.buffer.queue.empty.timeout": "10", "confluent.license": "x", "confluent.topic": "x",
		"confluent.topic.bootstrap.servers": "b:9092", "confluent.topic.replication.factor": "1", "confluent.topic.security.protocol": "SASL_SSL",
		"confluent.topic.sasl.mechanism": "PLAIN", "confluent.topic.sasl.jaas.config": "x", "confluent.topic.ssl.truststore.location": "x",
		"confluent.topic.ssl.keystore.location": "x", "confluent.topic.ssl.truststore.password": "x", "confluent.topic.ssl.keystore.password": "x",
		"confluent.topic.ssl.key.password": "x",
	})
}

func TestConfluentSettings(t *testing.T) {
	var c ConfluentConfig
	require.NoError(t, config.Decode(least["ConfluentMqttSource"], &c))
	s, err := c.settings()
	require.NoError(t, err)
	assert.True(t, s.clean, "Java's default")
	assert.Zero(t, s.qos)
	assert.Equal(t, RetainedAll, s.retained)
	rec, ok, err := s.mapping.record(&message{topic: "a/b", payload: []byte("x"), qos: 1, id: 7, retained: true}, time.Unix(1, 0))
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, "mqtt", rec.Topic)
	assert.Equal(t, stringDatum("a/b"), rec.Key)
	assert.Equal(t, connect.Datum{Schema: data.BytesSchema, Value: data.Bytes([]byte("x"))}, rec.Value)
	for name, want := range map[string]data.Value{
		"mqtt.message.id": data.Int32(7), "mqtt.qos": data.Int32(1), "mqtt.retained": data.Boolean(true), "mqtt.duplicate": data.Boolean(false),
	} {
		got, ok := headerOf(rec, name)
		require.True(t, ok, name)
		assert.True(t, data.Equal(want, got.Value), name)
	}
}

// headerOf returns a header of a record.
func headerOf(rec connect.SourceRecord, name string) (connect.Datum, bool) {
	for _, h := range rec.Headers {
		if h.Key == name {
			return h.Datum, true
		}
	}
	return connect.Datum{}, false
}

const simpleConverter = " WITHCONVERTER=`io.lenses.streamreactor.connect.converters.source.JsonSimpleConverter`"

func kcql(text string) config.Props { return config.Props{"connect.mqtt.kcql": text} }

func TestLensesKeys(t *testing.T) {
	checkAccepted(t, "LensesMqttSource", []config.Props{
		{"connect.mqtt.hosts": "tcp://a:1883, ssl://b:8883", "connect.mqtt.service.quality": "2", "connect.mqtt.clean": "false"},
		{"connect.mqtt.username": "u", "connect.mqtt.password": "p", "connect.mqtt.client.id": "dm_source_id"},
		{"connect.mqtt.timeout": "1000", "connect.mqtt.keep.alive": "60"}, {"connect.mqtt.keep.alive": "65535000"},
		{"connect.mqtt.ssl.ca.cert": "/ca", "connect.mqtt.ssl.cert": "/c", "connect.mqtt.ssl.key": "/k"}, {"connect.mqtt.ssl.ca.cert": "/ca"},
		{"connect.mqtt.converter.throw.on.error": "true", "validate.connection": "false"}, {"connect.converter.avro.schemas": ""},
		kcql("insert into k select * from /a/+/b/# withkey(a, b.c) keydelimiter='-' WITHCONVERTER=`com.datamountaineer.streamreactor.connect.converters.source.JsonSimpleConverter`"),
		kcql("INSERT INTO `$` SELECT * FROM `$share/g/a/#` WITHREGEX=`a/.*`"),
		kcql("INSERT INTO a SELECT * FROM a; INSERT INTO b SELECT * FROM b;"), kcql("INSERT INTO a SELECT * FROM `a/+` WITHKEY(b, c)"),
	})
	checkRefused(t, "LensesMqttSource", []refused{
		{config.Props{"connect.mqtt.hosts": "a:1883"}, "connect.mqtt.hosts", "want"},
		{config.Props{"connect.mqtt.service.quality": "3"}, "connect.mqtt.service.quality", ""},
		{config.Props{"connect.mqtt.password": "p"}, "connect.mqtt.password", "without a user name"},
		{config.Props{"connect.mqtt.timeout": "0"}, "connect.mqtt.timeout", ""},
		{config.Props{"connect.mqtt.keep.alive": "65535001"}, "connect.mqtt.keep.alive", ""},
		{config.Props{"connect.mqtt.ssl.cert": "/c"}, "connect.mqtt.ssl.cert", "or neither"},
		{config.Props{"connect.converter.avro.schemas": "a=/b.avsc"}, "connect.converter.avro.schemas", "AvroConverter is not supported"},
		{kcql("SELECT * FROM a"), "connect.mqtt.kcql", "want INSERT"},
		{kcql("UPSERT INTO a SELECT * FROM a"), "connect.mqtt.kcql", "want INSERT"},
		{kcql("INSERT INTO a SELECT b FROM a"), "connect.mqtt.kcql", "selection of fields"},
		{kcql("INSERT INTO a SELECT * FROM a/#/b"), "connect.mqtt.kcql", "want # alone"},
		{kcql("INSERT INTO a/b SELECT * FROM a"), "connect.mqtt.kcql", "INTO a/b"},
		{kcql("INSERT INTO a SELECT * FROM a LIMIT 3"), "connect.mqtt.kcql", "other clauses"},
		{kcql("INSERT INTO a SELECT * FROM a WITHTARGET = b"), "connect.mqtt.kcql", `"WITHTARGET"`},
		{kcql("INSERT INTO a SELECT * FROM a BATCH = 3"), "connect.mqtt.kcql", `"BATCH"`},
		{kcql("INSERT INTO a SELECT * FROM a; INSERT INTO b SELECT * FROM +"), "connect.mqtt.kcql", "overlap"},
		{kcql("INSERT INTO a SELECT * FROM a WITHREGEX='('"), "connect.mqtt.kcql", "WITHREGEX"},
		{kcql("INSERT INTO a SELECT * FROM a WITHKEY()" + simpleConverter), "connect.mqtt.kcql", "want a field"},
		{kcql("INSERT INTO a SELECT * FROM a WITHCONVERTER=`io.lenses.streamreactor.connect.converters.source.AvroConverter`"), "connect.mqtt.kcql", "AvroConverter"},
		{kcql("INSERT INTO a SELECT * FROM a WITHCONVERTER=`org.example.BytesConverter`"), "connect.mqtt.kcql", "org.example.BytesConverter"},
	})
	checkIgnored(t, "LensesMqttSource", map[string]string{
		"connect.mqtt.polling.timeout": "100", "connect.mqtt.retry.interval": "1", "connect.mqtt.max.retries": "1", "connect.mqtt.retained.messages": "true",
		"connect.mqtt.error.policy": "NOOP", "connect.mqtt.share.replicate": "true", "connect.mqtt.process.duplicates": "true",
		"connect.mqtt.log.message": "true", "connect.progress.enabled": "true",
	})
}

func TestLensesTimes(t *testing.T) {
	for n, want := range map[int]time.Duration{
		1: time.Second, 60: time.Minute, 999: 999 * time.Second, 1000: time.Second, 3000: 3 * time.Second, 5000: 5 * time.Second,
	} {
		assert.Equal(t, want, lensesTime(n), n)
	}
}

// lensesRecord makes a record as the class with these statements does; ok is false for a message that is dropped.
func lensesRecord(t *testing.T, statements, throw string, m *message) (connect.SourceRecord, bool) {
	t.Helper()
	var c LensesConfig
	require.NoError(t, config.Decode(least["LensesMqttSource"].Merge(kcql(statements), config.Props{"connect.mqtt.converter.throw.on.error": throw}), &c))
	s, err := c.settings()
	require.NoError(t, err)
	rec, ok, err := s.mapping.record(m, time.Unix(1, 0))
	require.NoError(t, err)
	return rec, ok
}

func TestLensesTopics(t *testing.T) {
	for topic, want := range map[string]string{
		"/mqttSourceTopic/A/test": "mqttSourceTopic_A_test", // of Lenses' own tests
		"a":                       "a",
		"a/b":                     "ab",
		"a/b/c":                   "ab_c",
		"//a//b":                  "_a_b",
		"a/b/ü c":                 "ab___c",
	} {
		rec, ok := lensesRecord(t, "INSERT INTO `$` SELECT * FROM #", "true", &message{topic: topic})
		assert.True(t, ok)
		assert.NoError(t, rec.Err)
		assert.Equal(t, want, rec.Topic)
	}
	rec, _ := lensesRecord(t, "INSERT INTO a SELECT * FROM x/+; INSERT INTO b SELECT * FROM `$share/g/y/#`", "true", &message{topic: "y"})
	assert.Equal(t, "b", rec.Topic)
	rec, _ = lensesRecord(t, "INSERT INTO a SELECT * FROM x/# WITHREGEX='x/[0-9]+'; INSERT INTO b SELECT * FROM y/#", "true", &message{topic: "x/12"})
	assert.Equal(t, "a", rec.Topic)
	rec, _ = lensesRecord(t, "INSERT INTO a SELECT * FROM x/# WITHREGEX='x/[0-9]+'", "false", &message{topic: "x/b"})
	assert.ErrorContains(t, rec.Err, "no mapping is for it", "what fits no statement is not dropped")
}

// Keys and values are those of Lenses' converters.
func TestLensesRecords(t *testing.T) {
	const pass = " WITHCONVERTER=`io.lenses.streamreactor.connect.converters.source.JsonPassThroughConverter`"
	const all = "INSERT INTO k SELECT * FROM #"
	id := "Struct{topic=/a/b,id=7}"
	for name, c := range map[string]struct {
		statement, payload string
		key, value         string
		keySchema, schema  string // names of schemas; - for none
	}{
		"bytes":                  {all, "abc", id, "YWJj", lensesKey.Name(), ""},
		"bytes, key":             {all + " WITHKEY(n)", `{"n":1}`, id, "eyJuIjoxfQ==", lensesKey.Name(), ""},
		"JSON":                   {all + simpleConverter, `{"n":1,"x":1.5,"s":"t"}`, id, "Struct{n=1,x=1.5,s=t}", lensesKey.Name(), "_a_b"},
		"JSON, key":              {all + " WITHKEY(n, o.p) KEYDELIMITER='|'" + simpleConverter, `{"n":1,"o":{"p":"q"}}`, "1|q", "Struct{n=1,o=Struct{p=q}}", "", "_a_b"},
		"JSON, key of doubles":   {all + " WITHKEY(x)" + simpleConverter, `{"x":1e10}`, "1.0E10", "Struct{x=1.0E10}", "", "_a_b"},
		"JSON, no object":        {all + " WITHKEY(n)" + simpleConverter, `5`, id, "5", lensesKey.Name(), ""},
		"JSON, nothing":          {all + simpleConverter, ``, id, "null", lensesKey.Name(), ""},
		"pass through":           {all + pass, `{"n": 1}`, "/a/b.7", `{"n": 1}`, "-", "-"},
		"pass through, key":      {all + " WITHKEY(n)" + pass, `{"n": 1}`, "1", `{"n": 1}`, "-", "-"},
		"pass through, null key": {all + " WITHKEY(n)" + pass, `{"n": null}`, "/a/b.7", `{"n": null}`, "-", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			rec, ok := lensesRecord(t, c.statement, "true", &message{topic: "/a/b", payload: []byte(c.payload), id: 7, qos: 1})
			require.True(t, ok)
			require.NoError(t, rec.Err)
			assert.Equal(t, c.key, rec.Key.Value.String())
			assert.Equal(t, c.value, rec.Value.Value.String())
			for _, x := range []struct {
				s    *data.Schema
				want string
			}{{rec.Key.Schema, c.keySchema}, {rec.Value.Schema, c.schema}} {
				if x.want == "-" {
					assert.Nil(t, x.s)
				} else if assert.NotNil(t, x.s) {
					assert.Equal(t, x.want, x.s.Name())
				}
			}
		})
	}
}

// What has no effect in Java either is said in the log.
func TestLensesNotes(t *testing.T) {
	for text, want := range map[string]int{
		"INSERT INTO k SELECT * FROM a WITHKEY(n); INSERT INTO k SELECT * FROM b":                                                   1,
		"INSERT INTO k SELECT * FROM a WITHKEY(n)" + simpleConverter:                                                                0,
		"INSERT INTO k SELECT * FROM a":                                                                                             0,
		"INSERT INTO k SELECT * FROM a WITHKEY(n) WITHCONVERTER=`io.lenses.streamreactor.connect.converters.source.BytesConverter`": 1,
	} {
		var c LensesConfig
		require.NoError(t, config.Decode(least["LensesMqttSource"].Merge(kcql(text)), &c))
		s, err := c.settings()
		require.NoError(t, err)
		assert.Len(t, s.notes, want, text)
		var log bytes.Buffer
		x, err := newConnector[LensesTaskConfig](s, nil)
		require.NoError(t, err)
		require.NoError(t, x.Start(t.Context(), &connecttest.ConnectorContext{Log: slog.New(slog.NewTextHandler(&log, nil))}))
		assert.Equal(t, want, strings.Count(log.String(), "WITHKEY has no effect"), text)
	}
}

func TestLensesSchema(t *testing.T) {
	rec, _ := lensesRecord(t, "INSERT INTO k SELECT * FROM #"+simpleConverter, "true",
		&message{topic: "/a/b", payload: []byte(`{"n":1,"o":{"p":null},"l":[true]}`)})
	s := rec.Value.Schema
	require.NotNil(t, s)
	assert.False(t, s.Optional())
	for name, want := range map[string]string{"n": "optional INT64", "o": "STRUCT o", "l": "optional ARRAY"} {
		f, ok := s.Field(name)
		require.True(t, ok, name)
		text := f.Schema.Kind().String()
		if f.Schema.Optional() {
			text = "optional " + text
		}
		if n := f.Schema.Name(); n != "" {
			text += " " + n
		}
		assert.Equal(t, want, text)
	}
}

// What a converter cannot read is dropped, or is an error of that record.
func TestLensesInvalidPayloads(t *testing.T) {
	const key = "INSERT INTO k SELECT * FROM # WITHKEY(n)" + simpleConverter
	for payload, text := range map[string]string{
		`{`: "found no JSON", `{"n":{}}`: "found STRUCT", `{"n":[1]}`: "found ARRAY", `{"m":1}`: "no such field", `{"n":null}`: "found null",
	} {
		_, ok := lensesRecord(t, key, "false", &message{topic: "a", payload: []byte(payload)})
		assert.False(t, ok, payload)
		rec, ok := lensesRecord(t, key, "true", &message{topic: "a", payload: []byte(payload)})
		assert.True(t, ok)
		assert.ErrorContains(t, rec.Err, text, payload)
	}
}
