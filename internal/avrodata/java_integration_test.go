//go:build integration

package avrodata

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
	"github.com/streamlane/connect/internal/testenv"
)

// question is one line for Witness.java, and its answer.
type question struct {
	Config   map[string]string `json:"config"`
	Envelope string            `json:"envelope,omitempty"`
	Schema   string            `json:"schema,omitempty"`
	Data     []byte            `json:"data,omitempty"`
	Error    string            `json:"error,omitempty"`
}

// asked is a datum that both sides write and read.
type asked struct {
	datum connect.Datum
	keys  []string
	text  string // our schema
	bytes []byte // our payload
	back  connect.Datum
}

// TestJava: AvroData and Apache Avro write the schemas and bytes that we write, and
// read ours as we do.
func TestJava(t *testing.T) {
	carrier, err := converters.NewJSON(converters.DefaultJSONConfig())
	require.NoError(t, err)
	var all []asked
	for seed := range uint64(300) {
		r := schematest.NewRandom(seed)
		s := r.Struct(3)
		all = append(all, asked{datum: connect.Datum{Schema: s, Value: r.Value(s)}})
	}
	for _, c := range []struct {
		schema, payload string
		keys            []string
	}{
		{`{"type":"int8","optional":true,"name":"Level","version":2,"doc":"How \"high\".","parameters":{"b":"1","a":"2"},"default":3}`, `5`, nil},
		{`{"type":"string","optional":true}`, `"x"`, nil},
		{`{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":true},"optional":false}`, `[[1,"x"]]`, nil},
		{`{"type":"struct","fields":[{"type":"int32","optional":false,"default":5,"field":"i"},{"type":"float","optional":false,"default":0.1,"field":"f"},{"type":"bytes","optional":true,"default":"AP8=","field":"b"},` +
			`{"type":"string","optional":true,"default":"d\"","field":"s"},{"type":"array","items":{"type":"int64","optional":false},"optional":false,"default":[1,2],"field":"l"}],"optional":false,"name":"x.Defaults"}`, `{"i":1,"f":2.5,"b":"AQ==","s":null,"l":[3]}`, nil},
		{`{"type":"string","optional":false,"name":"c.Color","parameters":{"io.confluent.connect.avro.Enum":"c.Color","io.confluent.connect.avro.Enum.RED":"RED","io.confluent.connect.avro.Enum.BLUE":"BLUE"}}`, `"BLUE"`, []string{enhanced}},
		{`{"type":"bytes","optional":false,"name":"h.Md5","parameters":{"connect.fixed.size":"2"}}`, `"AP8="`, nil},
		{`{"type":"struct","fields":[{"type":"int32","optional":true,"field":"int"},{"type":"string","optional":true,"field":"string"}],"optional":true,"name":"io.confluent.connect.avro.Union"}`, `{"int":null,"string":"x"}`, nil},
		{`{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":true,"name":"P","field":"one"},{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false,"name":"P","field":"two"}],"optional":false}`, `{"one":null,"two":{"a":1}}`, nil},
		{`{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}`, `7`, []string{noMetaData}},
	} {
		all = append(all, asked{datum: schematest.Datum(t, c.schema, c.payload), keys: c.keys})
	}
	var lines bytes.Buffer
	write := json.NewEncoder(&lines)
	for i := range all {
		a := &all[i]
		a.ours(t)
		props := map[string]string{}
		for _, k := range a.keys {
			props[k] = "true"
			if k[0] == '-' {
				delete(props, k)
				props[k[1:]] = "false"
			}
		}
		envelope, _, err := carrier.AppendEncode(t.Context(), nil, nil, a.datum)
		require.NoError(t, err)
		require.NoError(t, write.Encode(question{Config: props, Envelope: string(envelope)}))
		require.NoError(t, write.Encode(question{Config: props, Schema: a.text, Data: a.bytes}))
	}
	answers := json.NewDecoder(bytes.NewReader(testenv.JavaProgram(t, "testdata/java/Witness.java", lines.Bytes())))
	for i := range all {
		a := &all[i]
		var wrote, read question
		require.NoError(t, answers.Decode(&wrote))
		require.NoError(t, answers.Decode(&read))
		if !assert.Empty(t, wrote.Error, a.text) || !assert.Empty(t, read.Error, a.text) {
			continue
		}
		assert.Equal(t, wrote.Schema, a.text, "%d: Java's schema and ours", i)
		assert.Equal(t, wrote.Data, a.bytes, "%d: Java's bytes and ours of %v under %s", i, a.datum.Value, a.text)
		theirs, err := carrier.Decode(t.Context(), nil, []byte(read.Envelope))
		require.NoError(t, err)
		assert.True(t, a.back.Schema.Equal(theirs.Schema), "%d: %s\n%s", i, schematest.Text(t, a.back.Schema), schematest.Text(t, theirs.Schema))
		assert.True(t, data.Equal(a.back.Value, theirs.Value), "%d: %v and %v", i, a.back.Value, theirs.Value)
	}
}

// ours writes and reads the datum.
func (a *asked) ours(t *testing.T) {
	t.Helper()
	o := optionsOf(t, a.keys...)
	s, err := o.avroSchema(a.datum.Schema)
	require.NoError(t, err)
	a.text, err = s.text()
	require.NoError(t, err)
	e, err := o.newEncoder(a.datum.Schema, s, true)
	require.NoError(t, err)
	a.bytes, err = e.appendRoot(nil, a.datum.Value)
	require.NoError(t, err)
	back, err := o.connectSchema(s, 0)
	require.NoError(t, err)
	d, err := o.newDecoder(s, s, back)
	require.NoError(t, err)
	v, err := d.decodeRoot(a.bytes, true)
	require.NoError(t, err)
	a.back = connect.Datum{Schema: back, Value: v}
}
