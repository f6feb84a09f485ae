package jsonschema

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

// optionsOf decodes options from keys.
func optionsOf(t testing.TB, keys ...string) *options {
	t.Helper()
	props := config.Props{"converter.type": "value", "schema.registry.url": "http://localhost"}
	for _, k := range keys {
		switch {
		case k[0] == '-':
			props[k[1:]] = "false"
		case k == "decimal.format":
			props[k] = "numeric"
		default:
			props[k] = "true"
		}
	}
	var c Config
	require.NoError(t, config.Decode(props, &c))
	return &c.options
}

func documentOf(t testing.TB, text string, parts ...string) *document {
	t.Helper()
	s := registry.Resolved{Registered: registry.Registered{Schema: registry.Schema{Type: registry.JSON, Text: text}}}
	for i := 0; i < len(parts); i += 2 {
		s.Parts = append(s.Parts, registry.Part{Name: parts[i], Schema: registry.Schema{Type: registry.JSON, Text: parts[i+1]}})
	}
	d, err := newDocument(s)
	require.NoError(t, err)
	return d
}

const generalized = "generalized.sum.type.support"

// TestToJSONSchema has the JSON Schemas that JsonSchemaData makes of Connect
// schemas. They come back as they were, or as back says.
func TestToJSONSchema(t *testing.T) {
	for _, c := range []struct {
		connect, json string
		keys          []string
		back          string
	}{
		{connect: `{"type":"int8","optional":false}`, json: `{"type":"integer","connect.type":"int8"}`},
		{connect: `{"type":"int16","optional":true}`, json: `{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int16"}]}`},
		{connect: `{"type":"int32","optional":false}`, json: `{"type":"integer","connect.type":"int32"}`},
		{connect: `{"type":"int64","optional":false}`, json: `{"type":"integer","connect.type":"int64"}`},
		{connect: `{"type":"float","optional":false}`, json: `{"type":"number","connect.type":"float32"}`},
		{connect: `{"type":"double","optional":false}`, json: `{"type":"number","connect.type":"float64"}`},
		{connect: `{"type":"boolean","optional":false}`, json: `{"type":"boolean"}`},
		{connect: `{"type":"string","optional":false}`, json: `{"type":"string"}`},
		{connect: `{"type":"bytes","optional":false}`, json: `{"type":"string","connect.type":"bytes"}`},
		{
			connect: `{"type":"int8","optional":true,"name":"Level","version":2,"doc":"How.","parameters":{"b":"1"},"default":3}`,
			json: `{"oneOf":[{"type":"null"},{"type":"integer","title":"Level","description":"How.","default":3,"connect.version":2,` +
				`"connect.type":"int8","connect.parameters":{"b":"1"}}]}`,
		},
		{
			connect: `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}`,
			json:    `{"type":"string","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.type":"bytes","connect.parameters":{"scale":"2"}}`,
		},
		{
			connect: `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}`, keys: []string{"decimal.format"},
			json: `{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.type":"bytes","connect.parameters":{"scale":"2"}}`,
		},
		{
			connect: `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}`,
			json:    `{"type":"integer","title":"org.apache.kafka.connect.data.Date","connect.version":1,"connect.type":"int32"}`,
		},
		{
			connect: `{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"default":7}`,
			json:    `{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","default":7,"connect.version":1,"connect.type":"int64"}`,
		},
		{connect: `{"type":"array","items":{"type":"int32","optional":true},"optional":false}`, json: `{"type":"array","items":{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int32"}]}}`},
		{
			connect: `{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"boolean","optional":false},"optional":false}`,
			json:    `{"type":"object","connect.type":"map","additionalProperties":{"type":"boolean"}}`,
		},
		{
			connect: `{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":true},"optional":false}`,
			json: `{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer","connect.index":0,"connect.type":"int32"},` +
				`"value":{"connect.index":1,"oneOf":[{"type":"null"},{"type":"string"}]}}}}`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"note"},` +
				`{"type":"struct","fields":[{"type":"boolean","optional":false,"field":"x"}],"optional":true,"name":"In","field":"in"}],"optional":false,"name":"shop.Row"}`,
			json: `{"type":"object","title":"shop.Row","properties":{"id":{"type":"integer","connect.index":0,"connect.type":"int32"},` +
				`"note":{"connect.index":1,"oneOf":[{"type":"null"},{"type":"string"}]},` +
				`"in":{"connect.index":2,"oneOf":[{"type":"null"},{"type":"object","title":"In","properties":{"x":{"type":"boolean","connect.index":0}}}]}}}`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false}`, keys: []string{"-object.additional.properties"},
			json: `{"type":"object","additionalProperties":false,"properties":{"id":{"type":"integer","connect.index":0,"connect.type":"int32"}}}`,
		},
		{
			connect: `{"type":"string","optional":false,"parameters":{"io.confluent.connect.json.Enum":"","io.confluent.connect.json.Enum.RED":"RED","io.confluent.connect.json.Enum.<NULL>":"<NULL>"}}`,
			json:    `{"enum":["RED",null]}`,
		},
		{
			connect: `{"type":"string","optional":true,"name":"C","parameters":{"org.apache.kafka.connect.data.Enum":"","org.apache.kafka.connect.data.Enum.RED":"0"}}`, keys: []string{generalized},
			json: `{"oneOf":[{"type":"null"},{"title":"C","connect.parameters":{"org.apache.kafka.connect.data.Enum":"","org.apache.kafka.connect.data.Enum.RED":"0"},"enum":["RED"]}]}`,
		},
		{
			connect: `{"type":"struct","fields":[{"type":"int32","optional":true,"field":"io.confluent.connect.json.OneOf.field.0"},{"type":"string","optional":true,"field":"io.confluent.connect.json.OneOf.field.1"}],"optional":true,"name":"io.confluent.connect.json.OneOf"}`,
			json:    `{"oneOf":[{"type":"null"},{"type":"integer","connect.index":0,"connect.type":"int32"},{"type":"string","connect.index":1}]}`,
		},
	} {
		t.Run(c.connect, func(t *testing.T) {
			o := optionsOf(t, c.keys...)
			n, err := o.jsonSchema(schematest.Schema(t, c.connect))
			require.NoError(t, err)
			assert.Equal(t, c.json, n.String())
			back, err := o.connectSchema(documentOf(t, n.String()), 0)
			require.NoError(t, err)
			want := c.back
			if want == "" {
				want = c.connect
			}
			assert.True(t, schematest.Schema(t, want).Equal(back), "came back as %s", schematest.Text(t, back))
		})
	}
}

// TestFromJSONSchema has the Connect schemas that JsonSchemaData makes of JSON
// Schemas.
func TestFromJSONSchema(t *testing.T) {
	for _, c := range []struct {
		json, connect string
		keys          []string
	}{
		{`{"type":"integer"}`, `{"type":"int64","optional":false}`, nil},
		{`{"type":"number"}`, `{"type":"double","optional":false}`, nil},
		{`{"type":["string","null"]}`, `{"type":"string","optional":true}`, nil},
		{`{"anyOf":[{"type":"null"},{"type":"boolean"}]}`, `{"type":"boolean","optional":true}`, nil},
		{`{"oneOf":[{"type":"integer"}]}`, `{"type":"int64","optional":false}`, nil},
		{`{"const":"a"}`, `{"type":"string","optional":false,"parameters":{"io.confluent.connect.json.Enum":"","io.confluent.connect.json.Enum.a":"a"}}`, nil},
		{`{"type":"string","enum":["a","b"]}`, `{"type":"string","optional":false,"parameters":{"io.confluent.connect.json.Enum":"","io.confluent.connect.json.Enum.a":"a","io.confluent.connect.json.Enum.b":"b"}}`, nil},
		{`{"type":"integer","enum":[1,2]}`, `{"type":"int64","optional":false}`, nil},
		{`{"type":"string","const":"a"}`, `{"type":"string","optional":false}`, nil},
		{`{"type":"string","format":"date-time"}`, `{"type":"string","optional":false}`, nil},
		{
			`{"oneOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}`,
			`{"type":"struct","fields":[{"type":"int64","optional":true,"field":"io.confluent.connect.json.OneOf.field.0"},{"type":"string","optional":true,"field":"io.confluent.connect.json.OneOf.field.1"}],"optional":true,"name":"io.confluent.connect.json.OneOf"}`, nil,
		},
		{
			`{"oneOf":[{"type":"integer"},{"type":"string"}]}`,
			`{"type":"struct","fields":[{"type":"int64","optional":true,"field":"connect_union_field_0"},{"type":"string","optional":true,"field":"connect_union_field_1"}],"optional":false,"name":"connect_union_0","parameters":{"org.apache.kafka.connect.data.Union":"connect_union_0"}}`,
			[]string{generalized},
		},
		{
			`{"type":"object","title":"P","description":"D.","properties":{"b":{"type":"string"},"a":{"type":"integer","connect.type":"int8"}},"required":["a"]}`,
			`{"type":"struct","fields":[{"type":"string","optional":false,"field":"b"},{"type":"int8","optional":false,"field":"a"}],"optional":false,"name":"P","doc":"D."}`, nil,
		},
		{
			`{"properties":{"b":{"type":"string"},"a":{"type":"integer"}},"required":["a"]}`,
			`{"type":"struct","fields":[{"type":"string","optional":true,"field":"b"},{"type":"int64","optional":false,"field":"a"}],"optional":false}`, []string{"use.optional.for.nonrequired"},
		},
		{
			`{"type":"object","properties":{"z":{"type":"string","connect.index":1},"y":{"type":"string","connect.index":0}}}`,
			`{"type":"struct","fields":[{"type":"string","optional":false,"field":"y"},{"type":"string","optional":false,"field":"z"}],"optional":false}`, nil,
		},
		{
			`{"allOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"$ref":"#/definitions/more"}],"definitions":{"more":{"type":"object","properties":{"b":{"type":"integer"}}}}}`,
			`{"type":"struct","fields":[{"type":"string","optional":false,"field":"a"},{"type":"int64","optional":false,"field":"b"}],"optional":false}`, nil,
		},
		{
			`{"type":"object","properties":{"a":{"$ref":"other.json"},"b":{"$ref":"other.json#/$defs/n"}}}`,
			`{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int64","optional":false,"field":"x"}],"optional":false,"name":"Other","field":"a"},{"type":"double","optional":false,"field":"b"}],"optional":false}`, nil,
		},
		{`{"type":"array"}`, "!items", nil},
		{`{}`, "!says nothing", nil},
		{`{"not":{"type":"string"}}`, "!no Connect schema", nil},
		{`{"type":"object","properties":{"a":{"$ref":"missing.json"}}}`, `!"missing.json" is not found`, nil},
		{`{"$ref":"#/definitions/no"}`, "!is not found", nil},
		{`{"type":"integer","connect.type":"int9"}`, "!allowed are int8", nil},
		{`{"type":"string","default":[]}`, "!default", nil},
	} {
		t.Run(c.json, func(t *testing.T) {
			d := documentOf(t, c.json, "other.json", `{"title":"Other","type":"object","properties":{"x":{"$ref":"#/$defs/i"}},"$defs":{"i":{"type":"integer"},"n":{"type":"number"}}}`)
			s, err := optionsOf(t, c.keys...).connectSchema(d, 0)
			if c.connect[0] == '!' {
				assert.ErrorContains(t, err, c.connect[1:])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.connect, schematest.Text(t, s))
		})
	}
}

// TestRecursive: an object that holds itself is a late-bound schema, and the other
// way round.
func TestRecursive(t *testing.T) {
	o := optionsOf(t)
	s, err := o.connectSchema(documentOf(t, `{"type":"object","title":"Node","properties":{"value":{"type":"integer","connect.type":"int32"},`+
		`"next":{"oneOf":[{"type":"null"},{"$ref":"#"}]},"more":{"type":"array","items":{"$ref":"#"}}}}`), 0)
	require.NoError(t, err)
	id, _ := s.Parameter(idParam)
	assert.Equal(t, "#id2", id)
	n, err := o.jsonSchema(s)
	require.NoError(t, err)
	assert.Equal(t, `{"type":"object","title":"Node","$id":"#id2","properties":{"value":{"type":"integer","connect.index":0,"connect.type":"int32"},`+
		`"next":{"connect.index":1,"oneOf":[{"type":"null"},{"$ref":"#id2"}]},"more":{"type":"array","connect.index":2,"items":{"$ref":"#id2"}}}}`, n.String())

	next := s.Fields()[1].Schema
	v := schematest.Row(t, s, data.Int32(1), schematest.Row(t, next, data.Int32(2), data.Value{}, data.ArrayOf()),
		data.ArrayOf(schematest.Row(t, s.Fields()[2].Schema.ElemSchema(), data.Int32(3), data.Value{}, data.ArrayOf())))
	b, err := o.newEncoder(s, map[*data.Schema]*encoder{}).append(nil, v, 0)
	require.NoError(t, err)
	assert.Equal(t, `{"value":1,"next":{"value":2,"next":null,"more":[]},"more":[{"value":3,"next":null,"more":[]}]}`, string(b))
	again, err := newDecoder(s, map[*data.Schema]*decoder{}).decodeRoot(b)
	require.NoError(t, err)
	assert.True(t, data.Equal(v, again))

	// A schema from elsewhere, which has no id yet.
	ref := data.NewReference()
	other := data.StructBuilder().Name("O").Field("next", ref.Optional()).MustBuild()
	require.NoError(t, ref.Bind(other))
	n, err = o.jsonSchema(other)
	require.NoError(t, err)
	assert.Equal(t, `{"type":"object","title":"O","$id":"#id1","properties":{"next":{"connect.index":0,"oneOf":[{"type":"null"},{"$ref":"#id1"}]}}}`, n.String())
	_, err = o.connectSchema(documentOf(t, n.String()), 0)
	require.NoError(t, err)
}

// TestPayloads has what JSON becomes under a schema, Java's leniencies included.
func TestPayloads(t *testing.T) {
	union := `{"oneOf":[{"type":"integer"},{"type":"object","title":"A","properties":{"x":{"type":"integer"},"y":{"type":"integer"}}},` +
		`{"type":"object","title":"B","properties":{"x":{"type":"integer"},"z":{"type":"object","properties":{"q":{"type":"integer"}}}}},{"type":"string","connect.type":"bytes"}]}`
	for _, c := range []struct{ schema, payload, want string }{
		{`{"type":"integer"}`, `7`, "7"},
		{`{"type":"integer"}`, `"7"`, "0"},
		{`{"type":"integer","connect.type":"int8"}`, `300`, "44"},
		{`{"type":"number","connect.type":"float32"}`, `0.1`, "0.1"},
		{`{"type":"boolean"}`, `1`, "false"},
		{`{"type":"string"}`, `1`, "!required STRING"},
		{`{"type":["string","null"]}`, `1`, "null"},
		{`{"type":"string"}`, `null`, "!Invalid null value"},
		{`{"type":"string","default":"d"}`, `null`, "d"},
		{`{"type":"string","connect.type":"bytes"}`, `"*"`, "!no Base64"},
		{`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer","default":5}}}`, `{"c":[{}],"a":1}`, "Struct{a=1,b=5}"},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `[]`, "!Structs should be"},
		{`{"type":"object","connect.type":"map","additionalProperties":{"type":"integer"}}`, `{"a":1,"a":2}`, "{a=2}"},
		{`{"type":"object","connect.type":"map","additionalProperties":{"type":"integer"}}`, `[]`, "!Maps with string"},
		{`{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"string"}}}}`, `[{"value":"x","key":1}]`, "{1=x}"},
		{`{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"string"}}}}`, `[{"key":1}]`, "!expected length 2"},
		{`{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"string"}}}}`, `[[1,2]]`, "!instead of object"},
		{`{"type":"array","items":{"type":"integer"}}`, `{}`, "!Arrays should be"},
		{union, `5`, "Struct{io.confluent.connect.json.OneOf.field.0=5}"},
		{union, `{"x":1}`, "Struct{io.confluent.connect.json.OneOf.field.1=Struct{x=1}}"},
		{union, `{"x":1,"y":2}`, "Struct{io.confluent.connect.json.OneOf.field.1=Struct{x=1,y=2}}"},
		{union, `{"x":1,"z":{"q":3}}`, "Struct{io.confluent.connect.json.OneOf.field.2=Struct{x=1,z=Struct{q=3}}}"},
		{union, `"YQ=="`, "Struct{io.confluent.connect.json.OneOf.field.3=YQ==}"},
		{union, `{"n":1}`, "!matching oneof"},
		{union, `true`, "!matching oneof"},
		{`{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.parameters":{"scale":"2"}}`, `1.50`, "1.50"},
		{`{"type":"string","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.parameters":{"scale":"2"}}`, `"AJw="`, "1.56"},
		{`{"type":"integer","title":"org.apache.kafka.connect.data.Date","connect.type":"int32"}`, `1.5`, "!should be integral"},
	} {
		t.Run(c.schema+" "+c.payload, func(t *testing.T) {
			s, err := optionsOf(t).connectSchema(documentOf(t, c.schema), 0)
			require.NoError(t, err)
			v, err := newDecoder(s, map[*data.Schema]*decoder{}).decodeRoot([]byte(c.payload))
			if c.want[0] == '!' {
				assert.ErrorContains(t, err, c.want[1:])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, v.String())
		})
	}
}

// TestCanRead: which schemas of the registry may be written with.
func TestCanRead(t *testing.T) {
	const ours = `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"},{"type":"string","optional":true,"field":"b"},` +
		`{"type":"array","items":{"type":"double","optional":false},"optional":false,"field":"c"}],"optional":false}`
	for target, fails := range map[string]string{
		`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":["string","null"]},"c":{"type":"array","items":{"type":"number"}}},"required":["a"]}`: "",
		`{"type":"object"}`: "",
		`{}`:                "",
		`{"type":"object","additionalProperties":false}`:                                                                        "allows no others",
		`{"type":"object","additionalProperties":{"type":"integer"}}`:                                                           "field b",
		`{"type":"object","properties":{"a":{"type":"string"}}}`:                                                                "field a",
		`{"type":"object","properties":{"b":{"type":"string"}}}`:                                                                "allows no null",
		`{"type":"object","properties":{"c":{"type":"array","items":{"type":"integer"}}}}`:                                      "items",
		`{"type":"object","required":["z"]}`:                                                                                    `requires the property "z"`,
		`{"type":"array","items":{}}`:                                                                                           "is not valid",
		`{"oneOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"number"}}}]}`:                                  "",
		`{"allOf":[{"$ref":"#/definitions/x"}],"definitions":{"x":{"type":"object","properties":{"a":{"type":"boolean"}}}}}`:    "field a",
		`{"type":"object","properties":{"b":{"oneOf":[{"type":"null"},{"type":"string"}]},"a":{"type":"integer","default":1}}}`: "",
	} {
		s := registry.Resolved{Registered: registry.Registered{Schema: registry.Schema{Type: registry.JSON, Text: target}}}
		err := optionsOf(t).canRead(s, schematest.Schema(t, ours))
		if fails == "" {
			assert.NoError(t, err, target)
			continue
		}
		assert.ErrorContains(t, err, fails, target)
	}
}
