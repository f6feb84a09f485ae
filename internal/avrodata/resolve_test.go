package avrodata

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

// TestResolution has Avro's rules: what a writer's bytes are for a reader.
func TestResolution(t *testing.T) {
	rec := func(fields string) string { return `{"type":"record","name":"R","fields":[` + fields + `]}` }
	for _, c := range []struct {
		name, writer, reader string
		wire                 []byte
		want                 string // text of the value; "!" for an error when laid out, "?" when read
	}{
		{"int as long", `"int"`, `"long"`, []byte{14}, "7"},
		{"int as double", `"int"`, `"double"`, []byte{14}, "7.0"},
		{"long as float", `"long"`, `"float"`, []byte{14}, "7.0"},
		{"float as double", `"float"`, `"double"`, []byte{0, 0, 0x80, 0x3f}, "1.0"},
		{"long as int", `"long"`, `"int"`, nil, "!cannot be read as int"},
		{"string as bytes", `"string"`, `"bytes"`, []byte{2, 'a'}, "YQ=="},
		{"bytes as string", `"bytes"`, `"string"`, []byte{'a'}, "a"},
		{"boolean as int", `"boolean"`, `"int"`, nil, "!cannot be read"},
		{"fields by name", rec(`{"name":"a","type":"int"},{"name":"b","type":"string"}`), rec(`{"name":"b","type":"string"},{"name":"a","type":"long"}`), []byte{2, 2, 'x'}, "Struct{b=x,a=1}"},
		{"field left out", rec(`{"name":"a","type":{"type":"array","items":"int"}},{"name":"b","type":"string"}`), rec(`{"name":"b","type":"string"}`), []byte{4, 2, 4, 0, 2, 'x'}, "Struct{b=x}"},
		{"block with its length", rec(`{"name":"a","type":{"type":"map","values":"int"}},{"name":"b","type":"string"}`), rec(`{"name":"b","type":"string"}`), []byte{1, 6, 2, 'k', 4, 0, 2, 'x'}, "Struct{b=x}"},
		{"missing with default", rec(`{"name":"a","type":"int"}`), rec(`{"name":"a","type":"int"},{"name":"b","type":["null","int"],"default":null},{"name":"c","type":"string","default":"d"},{"name":"e","type":{"type":"array","items":"int"},"default":[1,2]}`), []byte{2}, "Struct{a=1,c=d,e=[1, 2]}"},
		{"missing without default", rec(`{"name":"a","type":"int"}`), rec(`{"name":"b","type":"int"}`), nil, "!has no default"},
		{"alias of a field", rec(`{"name":"old","type":"int"}`), rec(`{"name":"new","type":"int","aliases":["old"]}`), []byte{2}, "Struct{new=1}"},
		{"required to optional", rec(`{"name":"a","type":"int"}`), rec(`{"name":"a","type":["null","long"]}`), []byte{2}, "Struct{a=1}"},
		{"optional to required", rec(`{"name":"a","type":["null","int"]}`), rec(`{"name":"a","type":"int"}`), []byte{2, 2}, "Struct{a=1}"},
		{"null for a required", rec(`{"name":"a","type":["null","int"]}`), rec(`{"name":"a","type":"int"}`), []byte{0}, "?cannot be read as int"},
		{"other order of a union", `["int","null","string"]`, `["string","null","int"]`, []byte{0, 8}, "Struct{int=4}"},
		{"promotion into a union", `"int"`, `["string","double"]`, []byte{8}, "Struct{double=4.0}"},
		{"no branch", `"boolean"`, `["string","int"]`, nil, "!no place"},
		{"enum", `{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B","C"]}`, []byte{2}, "B"},
		{"enum without the symbol", `{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B","C"]}`, []byte{0}, "?not known to the reader"},
		{"enum with default", `{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B","C"],"default":"C"}`, []byte{0}, "C"},
		{"fixed", `{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"F","size":2}`, []byte{1, 2}, "AQI="},
		{"fixed of another size", `{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"F","size":3}`, nil, "!has 2 bytes"},
		{"array", `{"type":"array","items":"int"}`, `{"type":"array","items":"long"}`, []byte{4, 2, 4, 0}, "[1, 2]"},
		{"array as map", `{"type":"array","items":"int"}`, `{"type":"map","values":"int"}`, nil, "!cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := optionsOf(t)
			w, err := newParser().parse(c.writer)
			require.NoError(t, err)
			r, err := newParser().parse(c.reader)
			require.NoError(t, err)
			s, err := o.connectSchema(r, 0)
			require.NoError(t, err)
			d, err := o.newDecoder(w, r, s)
			if c.want[0] == '!' {
				assert.ErrorContains(t, err, c.want[1:])
				return
			}
			require.NoError(t, err)
			v, err := d.decodeRoot(c.wire, true)
			if c.want[0] == '?' {
				assert.ErrorContains(t, err, c.want[1:])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, v.String())
			assert.NoError(t, data.Validate(s, v, ""))
		})
	}
}

// TestWriteWithAnother: what data become under a schema of the registry.
func TestWriteWithAnother(t *testing.T) {
	const ours = `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"},{"type":"string","optional":true,"field":"b"},{"type":"int64","optional":false,"field":"c"}],"optional":false,"name":"R"}`
	for _, c := range []struct {
		name, target string
		strict       bool
		payload      string
		want         []byte
		fails        string
	}{
		{"by name", `{"type":"record","name":"R","fields":[{"name":"c","type":"long"},{"name":"a","type":"int"}]}`, true, `{"a":1,"b":"x","c":2}`, []byte{4, 2}, ""},
		{"further field", `{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"z","type":["null","int"],"default":null},{"name":"y","type":"string","default":"d"}]}`, true, `{"a":1,"c":2}`, []byte{2, 0, 2, 'd'}, ""},
		{"further field without default", `{"type":"record","name":"R","fields":[{"name":"z","type":"int"}]}`, false, `{"a":1,"c":2}`, nil, `field "z": data have no such field`},
		{"optional for required, strict", `{"type":"record","name":"R","fields":[{"name":"b","type":"string"}]}`, true, `{"a":1,"b":"x","c":2}`, nil, "is optional, and string is not"},
		{"optional for required", `{"type":"record","name":"R","fields":[{"name":"b","type":"string"}]}`, false, `{"a":1,"b":"x","c":2}`, []byte{2, 'x'}, ""},
		{"null for required", `{"type":"record","name":"R","fields":[{"name":"b","type":"string"}]}`, false, `{"a":1,"b":null,"c":2}`, nil, `field "b": Found null`},
		{"narrower, strict", `{"type":"record","name":"R","fields":[{"name":"c","type":"int"}]}`, true, `{"a":1,"c":2}`, nil, "does not fit the Avro type int"},
		{"narrower", `{"type":"record","name":"R","fields":[{"name":"c","type":"int"}]}`, false, `{"a":1,"c":2}`, []byte{4}, ""},
		{"too long", `{"type":"record","name":"R","fields":[{"name":"c","type":"int"}]}`, false, `{"a":1,"c":4294967296}`, nil, "more than the 32 bits"},
		{"enum", `{"type":"record","name":"R","fields":[{"name":"b","type":["null",{"type":"enum","name":"E","symbols":["x","y"]}]}]}`, false, `{"a":1,"b":"y","c":2}`, []byte{2, 2}, ""},
		{"no symbol", `{"type":"record","name":"R","fields":[{"name":"b","type":["null",{"type":"enum","name":"E","symbols":["x","y"]}]}]}`, false, `{"a":1,"b":"z","c":2}`, nil, "no symbol of the enum"},
		{"other type", `{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}`, false, `{"a":1,"c":2}`, nil, "does not fit the Avro type string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := schematest.Datum(t, ours, c.payload)
			a, err := newParser().parse(c.target)
			require.NoError(t, err)
			e, err := optionsOf(t).newEncoder(d.Schema, a, c.strict)
			var got []byte
			if err == nil {
				got, err = e.appendRoot(nil, d.Value)
			}
			if c.fails != "" {
				assert.ErrorContains(t, err, c.fails)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}
