package avrodata

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

// optionsOf returns the options that keys set to true, or with a minus sign to false, stand for.
func optionsOf(t testing.TB, keys ...string) *Options {
	t.Helper()
	o := &Options{MetaData: true, Flatten: true}
	flags := map[string]*bool{
		enhanced: &o.Enhanced, generalized: &o.Generalized, discard: &o.Discard, scrub: &o.Scrub, optionalKey: &o.OptionalKeys,
		"connect.meta.data": &o.MetaData, "ignore.default.for.nullables": &o.IgnoreDefaults, "flatten.singleton.unions": &o.Flatten,
	}
	for _, k := range keys {
		name := strings.TrimPrefix(k, "-")
		require.Contains(t, flags, name)
		*flags[name] = k == name
	}
	return o
}

const (
	enhanced    = "enhanced.avro.schema.support"
	generalized = "generalized.sum.type.support"
	noMetaData  = "-connect.meta.data"
	discard     = "discard.type.doc.default"
	scrub       = "scrub.invalid.names"
	optionalKey = "allow.optional.map.keys"
)

// TestToAvro has the Avro schemas that AvroData makes of Connect schemas. Those
// with back come back as they were; the others as back says, "!" for an error.
func TestToAvro(t *testing.T) {
	for _, c := range []struct {
		connect, avro string
		keys          []string
		back          string
	}{
		{connect: `{"type":"int8","optional":false}`, avro: `{"type":"int","connect.type":"int8"}`},
		{connect: `{"type":"int16","optional":true}`, avro: `["null",{"type":"int","connect.type":"int16"}]`},
		{connect: `{"type":"int32","optional":false}`, avro: `"int"`},
		{connect: `{"type":"int64","optional":true}`, avro: `["null","long"]`},
		{connect: `{"type":"float","optional":false}`, avro: `"float"`},
		{connect: `{"type":"double","optional":false}`, avro: `"double"`},
		{connect: `{"type":"boolean","optional":false}`, avro: `"boolean"`},
		{connect: `{"type":"bytes","optional":false}`, avro: `"bytes"`},
		{connect: `{"type":"string","optional":false}`, avro: `"string"`},
		{
			connect: `{"type":"int8","optional":true,"name":"Level","version":2,"doc":"How \"high\".","parameters":{"b":"1","a":"2"},"default":3}`,
			avro: `[{"type":"int","connect.doc":"How \"high\".","connect.version":2,"connect.parameters":{"b":"1","a":"2"},` +
				`"connect.default":3,"connect.name":"Level","connect.type":"int8"},"null"]`,
		},
		{
			connect: `{"type":"int8","optional":true,"name":"Level","default":3}`, keys: []string{noMetaData},
			avro: `["int","null"]`, back: `{"type":"int32","optional":true}`,
		},
		{connect: `{"type":"float","optional":false,"default":0.1}`, avro: `{"type":"float","connect.default":0.1}`},
		{connect: `{"type":"double","optional":false,"default":1.0E10}`, avro: `{"type":"double","connect.default":1.0E10}`},
		{connect: `{"type":"bytes","optional":false,"default":"AP8="}`, avro: `{"type":"bytes","connect.default":"\u0000` + "\u00ff" + `"}`},
		{
			connect: `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}`,
			avro: `{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},` +
				`"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`,
		},
		{
			connect: `{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"default":"AJw="}`,
			avro: `[{"type":"bytes","scale":2,"precision":10,"connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"10"},` +
				`"connect.default":"\u0000` + "\u009c" + `","connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"},"null"]`,
		},
		{
			connect: `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"-3"}}`,
			avro: `{"type":"bytes","scale":-3,"precision":64,"connect.version":1,"connect.parameters":{"scale":"-3"},` +
				`"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`,
		},
		{
			connect: `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}`,
			avro:    `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}`,
		},
		{
			connect: `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1,"default":1000}`,
			avro:    `{"type":"int","connect.version":1,"connect.default":1000,"connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}`,
		},
		{
			connect: `{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1}`,
			avro:    `["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}]`,
		},
		{
			connect: `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}`, keys: []string{noMetaData},
			avro: `{"type":"int","logicalType":"date"}`, back: `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}`,
		},
		{connect: `{"type":"array","items":{"type":"int32","optional":true},"optional":false}`, avro: `{"type":"array","items":["null","int"]}`},
		{
			connect: `{"type":"array","items":{"type":"int8","optional":false},"optional":true,"name":"L","default":[1,2]}`,
			avro:    `[{"type":"array","items":{"type":"int","connect.type":"int8"},"connect.default":[1,2],"connect.name":"L"},"null"]`,
		},
		{connect: `{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"boolean","optional":false},"optional":false}`, avro: `{"type":"map","values":"boolean"}`},
		{
			connect: `{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":true},"optional":false}`,
			avro: `{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro",` +
				`"fields":[{"name":"key","type":"int"},{"name":"value","type":["null","string"],"default":null}]}}`,
		},
		{
			connect: `{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int32","optional":false},"optional":true,"name":"a.b.M"}`,
			avro: `["null",{"type":"array","items":{"type":"record","name":"M","namespace":"a.b","fields":[{"name":"key","type":["null","string"],"default":null},` +
				`{"name":"value","type":"int"}],"connect.internal.type":"MapEntry"},"connect.name":"a.b.M"}]`,
		},
		{
			connect: `{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int32","optional":false},"optional":false}`, keys: []string{optionalKey},
			avro: `{"type":"map","values":"int"}`, back: `{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false},"optional":false}`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"note"},` +
				`{"type":"float","optional":false,"default":0.1,"field":"f"},{"type":"int64","optional":true,"default":7,"field":"n"}],"optional":false,"name":"shop.Row"}`,
			avro: `{"type":"record","name":"Row","namespace":"shop","fields":[{"name":"id","type":"int"},{"name":"note","type":["null","string"],"default":null},` +
				`{"name":"f","type":{"type":"float","connect.default":0.1},"default":0.1},` +
				`{"name":"n","type":[{"type":"long","connect.default":7},"null"],"default":7}],"connect.name":"shop.Row"}`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false,"field":"one"},` +
				`{"type":"struct","fields":[{"type":"int32","optional":false,"field":"b"}],"optional":true,"field":"two"}],"optional":false}`,
			avro: `{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"one","type":{"type":"record","name":"ConnectDefault2",` +
				`"fields":[{"name":"a","type":"int"}]}},{"name":"two","type":["null",{"type":"record","name":"ConnectDefault3","fields":[{"name":"b","type":"int"}]}],"default":null}]}`,
		},
		{ // one struct in two places, optional in one of them
			connect: `{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":true,"name":"x.P","field":"before"},` +
				`{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false,"name":"x.P","field":"after"},` +
				`{"type":"array","items":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false,"name":"x.P"},"optional":false,"field":"all"}],"optional":false,"name":"y.E"}`,
			avro: `{"type":"record","name":"E","namespace":"y","fields":[{"name":"before","type":["null",{"type":"record","name":"P","namespace":"x",` +
				`"fields":[{"name":"a","type":"int"}],"connect.name":"x.P"}],"default":null},{"name":"after","type":"x.P"},{"name":"all","type":{"type":"array","items":"x.P"}}],"connect.name":"y.E"}`,
		},
		{ // two structs with one name
			connect: `{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false,"name":"P","field":"before"},` +
				`{"type":"struct","fields":[{"type":"int64","optional":false,"field":"a"}],"optional":false,"name":"P","field":"after"}],"optional":false,"name":"E"}`,
			avro: "!Can't redefine: P",
		},
		{
			connect: `{"type":"string","optional":false,"name":"c.Color","parameters":{"io.confluent.connect.avro.Enum":"c.Color","io.confluent.connect.avro.Enum.RED":"RED","io.confluent.connect.avro.Enum.BLUE":"BLUE"}}`,
			keys:    []string{enhanced},
			avro: `{"type":"enum","name":"Color","namespace":"c","symbols":["RED","BLUE"],"connect.parameters":{"io.confluent.connect.avro.Enum":"c.Color",` +
				`"io.confluent.connect.avro.Enum.RED":"RED","io.confluent.connect.avro.Enum.BLUE":"BLUE"},"connect.name":"c.Color"}`,
		},
		{ // without enhanced support an enum is a string, and comes back as one with its parameters
			connect: `{"type":"string","optional":false,"name":"c.Color","parameters":{"io.confluent.connect.avro.Enum":"c.Color","io.confluent.connect.avro.Enum.RED":"RED"}}`,
			avro:    `{"type":"string","connect.parameters":{"io.confluent.connect.avro.Enum":"c.Color","io.confluent.connect.avro.Enum.RED":"RED"},"connect.name":"c.Color"}`,
		},
		{
			connect: `{"type":"bytes","optional":false,"name":"h.Md5","parameters":{"connect.fixed.size":"16"}}`,
			avro:    `{"type":"fixed","name":"Md5","namespace":"h","size":16,"connect.parameters":{"connect.fixed.size":"16"},"connect.name":"h.Md5"}`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"int32","optional":true,"field":"int"},{"type":"string","optional":true,"field":"string"}],"optional":true,"name":"io.confluent.connect.avro.Union"}`,
			avro:    `["null","int","string"]`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"int8","optional":true,"field":"int"},{"type":"int32","optional":true,"field":"i"}],"optional":false,"name":"io.confluent.connect.avro.Union"}`,
			avro:    "!Duplicate in union: int",
		},
		{
			connect: `{"type":"struct","fields":[{"type":"string","optional":false,"field":"na-me"},{"type":"string","optional":false,"field":"1st é"}],"optional":false,"name":"my-space.R w"}`,
			keys:    []string{scrub},
			avro:    `{"type":"record","name":"R_w","namespace":"my_space","fields":[{"name":"na_me","type":"string"},{"name":"x1st__C3_A9","type":"string"}],"connect.name":"my-space.R w"}`,
			back:    `{"type":"struct","fields":[{"type":"string","optional":false,"field":"na_me"},{"type":"string","optional":false,"field":"x1st__C3_A9"}],"optional":false,"name":"my-space.R w"}`,
		},
		{ // documentation of records and fields is kept in parameters
			connect: `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false,"name":"D","parameters":{"io.confluent.connect.avro.record.doc":"A record.","io.confluent.connect.avro.field.doc.a":"A field."}}`,
			avro: `{"type":"record","name":"D","doc":"A record.","fields":[{"name":"a","type":"int","doc":"A field."}],` +
				`"connect.parameters":{"io.confluent.connect.avro.record.doc":"A record.","io.confluent.connect.avro.field.doc.a":"A field."},"connect.name":"D"}`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"int32","optional":false,"doc":"A field.","field":"a"}],"optional":false,"name":"D","parameters":{"connect.record.doc":"A record."}}`,
			keys:    []string{discard},
			avro: `{"type":"record","name":"D","doc":"A record.","fields":[{"name":"a","type":{"type":"int","connect.doc":"A field."},"doc":"A field."}],` +
				`"connect.parameters":{"connect.record.doc":"A record."},"connect.name":"D"}`,
			back: `{"type":"struct","fields":[{"type":"int32","optional":false,"doc":"A field.","field":"a"}],"optional":false,"name":"D","doc":"A record.","parameters":{"connect.record.doc":"A record."}}`,
		},
		{
			connect: `{"type":"string","optional":false,"parameters":{"avro.java.string":"String"}}`,
			avro:    `{"type":"string","connect.parameters":{"avro.java.string":"String"},"avro.java.string":"String"}`,
		},
	} {
		t.Run(c.connect, func(t *testing.T) {
			o := optionsOf(t, c.keys...)
			s := schematest.Schema(t, c.connect)
			a, err := o.avroSchema(s)
			var got string
			if err == nil {
				got, err = a.text()
			}
			if c.avro[0] == '!' {
				assert.ErrorContains(t, err, c.avro[1:])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.avro, got)
			again, err := newParser().parse(got)
			require.NoError(t, err, "our own parser")
			text, err := again.text()
			require.NoError(t, err)
			assert.Equal(t, got, text, "parsed and printed")
			connect, err := o.connectSchema(again, 0)
			require.NoError(t, err)
			want := c.back
			if want == "" {
				want = c.connect
			}
			assert.Equal(t, want, schematest.Text(t, connect))
			assert.True(t, schematest.Schema(t, want).Equal(connect), "equal")
		})
	}
}

// TestToConnect has the Connect schemas that AvroData makes of Avro schemas.
func TestToConnect(t *testing.T) {
	for _, c := range []struct {
		avro, connect string
		keys          []string
	}{
		{`"int"`, `{"type":"int32","optional":false}`, nil},
		{`int`, `{"type":"int32","optional":false}`, nil},
		{`{"type":{"type":"string"}}`, `{"type":"string","optional":false}`, nil},
		{`{"type":"long","logicalType":"timestamp-micros"}`, `{"type":"int64","optional":false}`, nil},
		{`{"type":"int","logicalType":"duration","connect.type":"int8"}`, `{"type":"int32","optional":false}`, nil},
		{`{"type":"int","connect.type":"int9"}`, "!allowed are int8 and int16", nil},
		{`"null"`, "!Standalone null", nil},
		{`["null"]`, "!Standalone null", nil},
		{`["int"]`, `{"type":"int32","optional":false}`, nil},
		{`["int"]`, `{"type":"struct","fields":[{"type":"int32","optional":true,"field":"int"}],"optional":false,"name":"io.confluent.connect.avro.Union"}`, []string{"-flatten.singleton.unions"}},
		{`["string","null"]`, `{"type":"string","optional":true}`, nil},
		{`{"type":"fixed","name":"a.F","size":4}`, `{"type":"bytes","optional":false,"name":"a.F","parameters":{"connect.fixed.size":"4"}}`, nil},
		{
			`{"type":"fixed","name":"a.F","size":4,"logicalType":"decimal","precision":9,"scale":2}`,
			`{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"9","connect.fixed.size":"4"}}`, nil,
		},
		{`{"type":"bytes","logicalType":"decimal","precision":4}`, `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"0","connect.decimal.precision":"4"}}`, nil},
		{`{"type":"bytes","logicalType":"decimal","precision":"4"}`, "!want a JSON integer", nil},
		{
			`{"type":"enum","name":"Suit","namespace":"c","doc":"Cards.","symbols":["S","H"],"default":"H"}`,
			`{"type":"string","optional":false,"name":"c.Suit","parameters":{"io.confluent.connect.avro.enum.doc.Suit":"Cards.","io.confluent.connect.avro.enum.default.Suit":"H",` +
				`"io.confluent.connect.avro.Enum":"c.Suit","io.confluent.connect.avro.Enum.S":"S","io.confluent.connect.avro.Enum.H":"H"}}`, nil,
		},
		{
			`{"type":"enum","name":"Suit","symbols":["S","H"]}`,
			`{"type":"string","optional":false,"name":"Suit","parameters":{"org.apache.kafka.connect.data.Enum":"Suit","org.apache.kafka.connect.data.Enum.S":"0","org.apache.kafka.connect.data.Enum.H":"1"}}`,
			[]string{generalized},
		},
		{
			`["null","string",{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int"}]}]`,
			`{"type":"struct","fields":[{"type":"string","optional":true,"field":"string"},{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":true,"name":"n.R","field":"R"}],` +
				`"optional":true,"name":"io.confluent.connect.avro.Union"}`, nil,
		},
		{
			`["string",{"type":"record","name":"R","namespace":"n","fields":[]}]`,
			`{"type":"struct","fields":[{"type":"string","optional":true,"field":"string"},{"type":"struct","fields":[],"optional":true,"name":"n.R","field":"n.R"}],"optional":false,"name":"io.confluent.connect.avro.Union"}`,
			[]string{enhanced},
		},
		{
			`["string","int"]`,
			`{"type":"struct","fields":[{"type":"string","optional":true,"field":"connect_union_field_0"},{"type":"int32","optional":true,"field":"connect_union_field_1"}],"optional":false,` +
				`"name":"connect_union_0","parameters":{"org.apache.kafka.connect.data.Union":"connect_union_0"}}`,
			[]string{generalized},
		},
		{`[{"type":"record","name":"a.R","fields":[]},{"type":"record","name":"b.R","fields":[]}]`, "!Multiple union schemas", nil},
		{ // the default of a field is the schema's, and it is noted where it came from
			`{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":5},{"name":"b","type":["null","int"],"default":null},{"name":"c","type":["int","null"],"default":5},` +
				`{"name":"d","type":{"type":"array","items":"string"},"default":["x"]},{"name":"e","type":"string","default":7}]}`,
			`{"type":"struct","fields":[{"type":"int32","optional":false,"parameters":{"io.confluent.connect.avro.field.default":"true"},"default":5,"field":"a"},` +
				`{"type":"int32","optional":true,"field":"b"},{"type":"int32","optional":true,"field":"c"},` +
				`{"type":"array","items":{"type":"string","optional":false},"optional":false,"parameters":{"io.confluent.connect.avro.field.default":"true"},"default":["x"],"field":"d"},` +
				`{"type":"string","optional":false,"parameters":{"io.confluent.connect.avro.field.default":"true"},"field":"e"}],"optional":false,"name":"R"}`, nil,
		},
		{`{"type":"int","connect.name":"org.apache.kafka.connect.data.Time","logicalType":"date"}`, "!Mismatched names", nil},
		{`{"type":"int","connect.parameters":{"a":1}}`, "!Expected schema parameter values to be strings", nil},
		{`{"type":"int","connect.version":"x"}`, "!Invalid Connect version", nil},
		{`{"type":"record","name":"R","fields":[{"name":"a","type":"Other"}]}`, `!"Other" is not defined`, nil},
		{`{"type":"record","name":"R"}`, "!no array of fields", nil},
		{`{"type":"enum","name":"E","symbols":"x"}`, "!no array of symbols", nil},
		{`{"type":"fixed","name":"F","size":-1}`, "!allowed are 0", nil},
		{`["int",["null"]]`, "!a union directly inside", nil},
		{`["int","int"]`, "!Duplicate in union", nil},
		{`{"type":"array"}`, "!without items", nil},
		{`{`, "!no JSON", nil},
		{`7`, "!want a name", nil},
	} {
		t.Run(c.avro, func(t *testing.T) {
			o := optionsOf(t, c.keys...)
			a, err := newParser().parse(c.avro)
			var s *data.Schema
			if err == nil {
				s, err = o.connectSchema(a, 0)
			}
			if c.connect[0] == '!' {
				assert.ErrorContains(t, err, c.connect[1:])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.connect, schematest.Text(t, s))
		})
	}
}

// TestDefaultOfRecord: members that the default leaves out have their fields'
// defaults.
func TestDefaultOfRecord(t *testing.T) {
	a, err := newParser().parse(`{"type":"record","name":"R","fields":[{"name":"p","type":{"type":"record","name":"P","fields":[` +
		`{"name":"x","type":"int","default":1},{"name":"y","type":"int"},{"name":"z","type":["null","string"],"default":null}]},"default":{"y":2}}]}`)
	require.NoError(t, err)
	s, err := optionsOf(t).connectSchema(a, 0)
	require.NoError(t, err)
	assert.Equal(t, "Struct{x=1,y=2}", s.Fields()[0].Schema.Default().String())
}

// TestRecursive: a record that holds itself is a late-bound schema, and the other
// way round.
func TestRecursive(t *testing.T) {
	const text = `{"type":"record","name":"Node","namespace":"a","fields":[{"name":"value","type":"int"},{"name":"next","type":["null","Node"],"default":null},` +
		`{"name":"more","type":{"type":"array","items":"Node"}}],"connect.name":"a.Node"}`
	o := optionsOf(t)
	a, err := newParser().parse(text)
	require.NoError(t, err)
	s, err := o.connectSchema(a, 0)
	require.NoError(t, err)
	next := s.Fields()[1].Schema
	assert.True(t, next.Optional())
	assert.Equal(t, "a.Node", next.Name())
	assert.Len(t, next.Fields(), 3)
	back, err := o.avroSchema(s)
	require.NoError(t, err)
	got, err := back.text()
	require.NoError(t, err)
	assert.Equal(t, text, got)

	e, err := o.newEncoder(s, back, false)
	require.NoError(t, err)
	d, err := o.newDecoder(a, a, s)
	require.NoError(t, err)
	inner := schematest.Row(t, next, data.Int32(2), data.Value{}, data.ArrayOf())
	v := schematest.Row(t, s, data.Int32(1), inner, data.ArrayOf(schematest.Row(t, s.Fields()[2].Schema.ElemSchema(), data.Int32(3), data.Value{}, data.ArrayOf())))
	b, err := e.appendRoot(nil, v)
	require.NoError(t, err)
	again, err := d.decodeRoot(b, true)
	require.NoError(t, err)
	assert.True(t, data.Equal(v, again), "%v, %v", v, again)
}
