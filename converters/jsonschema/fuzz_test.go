package jsonschema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

// TestRoundTrip: random schemas and data come back, are JSON, and are valid by
// their JSON Schema.
func TestRoundTrip(t *testing.T) {
	o := optionsOf(t)
	for seed := range uint64(300) {
		r := schematest.NewRandom(seed)
		s := r.Struct(3)
		n, err := o.jsonSchema(s)
		require.NoError(t, err)
		resolved := registry.Resolved{Registered: registry.Registered{Schema: registry.Schema{Type: registry.JSON, Text: n.String()}}}
		valid, err := newValidator(resolved)
		require.NoError(t, err, n.String())
		require.NoError(t, o.canRead(resolved, s), n.String())
		doc, err := newDocument(resolved)
		require.NoError(t, err)
		back, err := o.connectSchema(doc, 0)
		require.NoError(t, err)
		require.True(t, s.Equal(back), "%s\n%s\n%s", n, schematest.Text(t, s), schematest.Text(t, back))
		e, d := o.newEncoder(s, map[*data.Schema]*encoder{}), newDecoder(back, map[*data.Schema]*decoder{})
		for range 3 {
			v := r.Value(s)
			b, err := e.append(nil, v, 0)
			require.NoError(t, err)
			require.True(t, json.Valid(b), "%s", b)
			require.NoError(t, valid.check(b))
			again, err := d.decodeRoot(b)
			require.NoError(t, err)
			assert.True(t, data.Equal(v, again), "seed %d: %v came back as %v", seed, v, again)
		}
	}
}

var fuzzed = []string{
	`{"type":"object","properties":{"a":{"type":"integer","connect.type":"int8"},"b":{"type":["string","null"],"default":"x"},"c":{"type":"array","items":{"type":"number"}},` +
		`"d":{"type":"object","connect.type":"map","additionalProperties":{"type":"boolean"}},"e":{"type":"string","connect.type":"bytes"},` +
		`"f":{"oneOf":[{"type":"integer"},{"type":"object","properties":{"x":{"type":"integer"}}},{"type":"string"},{"type":"null"}]}}}`,
	`{"type":"object","properties":{"next":{"oneOf":[{"type":"null"},{"$ref":"#"}]},"all":{"type":"array","items":{"$ref":"#"}}}}`,
	`{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"string"}}}}`,
	`{"type":"string","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.parameters":{"scale":"2"}}`,
	`{"type":"integer","title":"org.apache.kafka.connect.data.Time","connect.type":"int32"}`,
}

// FuzzDecode: any text is a value or an error, and a value written again is the
// same.
func FuzzDecode(f *testing.F) {
	for i := range fuzzed {
		for _, text := range []string{
			"", "{", "null", `{"a":1,"b":"x","c":[1.5],"d":{"k":true},"e":"YQ==","f":{"x":1}}`, `{"next":{"next":null},"all":[{},{}]}`, `[{"key":1,"value":"x"}]`,
			`"AJw="`, "1.25", strings.Repeat(`{"next":`, 2000), strings.Repeat(`{"all":[`, 2000), "\"\xff\"", `{"f":1e999999999}`,
		} {
			f.Add(byte(i), text)
		}
	}
	o := optionsOf(f)
	f.Fuzz(func(t *testing.T, which byte, text string) {
		s, err := o.connectSchema(documentOf(t, fuzzed[int(which)%len(fuzzed)]), 0)
		require.NoError(t, err)
		d := newDecoder(s, map[*data.Schema]*decoder{})
		v, err := d.decodeRoot([]byte(text))
		if err != nil {
			return
		}
		out, err := o.newEncoder(s, map[*data.Schema]*encoder{}).append(nil, v, 0)
		if err != nil {
			return // a decimal of another scale than its schema's has no way back
		}
		require.True(t, json.Valid(out), "%s", out)
		again, err := d.decodeRoot(out)
		if err != nil {
			// A required field that the text left out is written as null inside of arrays.
			return
		}
		out2, err := o.newEncoder(s, map[*data.Schema]*encoder{}).append(nil, again, 0)
		require.NoError(t, err)
		assert.Equal(t, string(out), string(out2))
	})
}

// FuzzSchema: any text is a schema or an error.
func FuzzSchema(f *testing.F) {
	for _, text := range fuzzed {
		f.Add(text)
	}
	f.Add(`{"allOf":[{"$ref":"#"},{"properties":{"a":{"$ref":"#/allOf/1"}}}]}`)
	f.Add(`{"$ref":"#"}`)
	f.Add(`{"$id":"http://x/y","$ref":"z#/a~1b/0","$anchor":"q","z":[{}]}`)
	f.Add(strings.Repeat(`{"items":`, 990) + `{"type":"string"}` + strings.Repeat("}", 990))
	o := optionsOf(f)
	f.Fuzz(func(t *testing.T, text string) {
		s := registry.Resolved{Registered: registry.Registered{Schema: registry.Schema{Type: registry.JSON, Text: text}}}
		doc, err := newDocument(s)
		if err != nil {
			return
		}
		connect, err := o.connectSchema(doc, 0)
		if err != nil {
			return
		}
		_, _ = newDecoder(connect, map[*data.Schema]*decoder{}).decodeRoot([]byte(`{"a":[1]}`))
		_ = o.canRead(s, connect)
		n, err := o.jsonSchema(connect)
		if err != nil {
			return
		}
		_, err = o.connectSchema(documentOf(t, n.String()), 0)
		require.NoError(t, err, n.String())
	})
}
