package goldentest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// TestSchemaThereAndBack reads each kind of schema and writes it again.
func TestSchemaThereAndBack(t *testing.T) {
	for _, text := range []string{
		`null`,
		`{"type":"INT8"}`,
		`{"type":"FLOAT64","optional":true,"name":"n","version":0,"doc":"d","default":{"float64":"NaN"}}`,
		`{"type":"BYTES","name":"org.apache.kafka.connect.data.Decimal","version":1,"default":{"decimal":"1.50"},"parameters":{"scale":"2"}}`,
		`{"type":"ARRAY"}`,
		`{"type":"ARRAY","default":{"array":[{"int8":1}]},"valueSchema":{"type":"INT8"}}`,
		`{"type":"MAP","keySchema":{"type":"STRING"},"valueSchema":{"type":"INT64","default":{"int64":"5"}}}`,
		`{"type":"STRUCT","default":{"struct":{"a":{"int16":1}}},"fields":[{"name":"a","schema":{"type":"INT16"}}]}`,
		`{"type":"STRING","parameters":{"z":"1","a":"2"}}`,
	} {
		t.Run(text, func(t *testing.T) {
			s, err := ParseSchema(json.RawMessage(text))
			require.NoError(t, err)
			assert.Equal(t, text, string(MarshalSchema(s)))
			again, err := ParseSchema(MarshalSchema(s))
			require.NoError(t, err)
			assert.True(t, s.Equal(again))
		})
	}
}

func TestValueThereAndBack(t *testing.T) {
	for _, text := range []string{
		`null`, `{"int8":-1}`, `{"int16":300}`, `{"int32":70000}`, `{"int64":"9007199254740993"}`, `{"float32":"1.5"}`, `{"float64":"-Infinity"}`,
		`{"boolean":false}`, `{"string":""}`, `{"bytes":""}`, `{"bytes":"AP/+"}`, `{"decimal":"5E+2"}`, `{"date":-1}`, `{"array":[]}`, `{"map":[]}`,
		`{"array":[null,{"map":[[{"int8":1},null]]}]}`,
	} {
		t.Run(text, func(t *testing.T) {
			v, err := ParseValue(nil, json.RawMessage(text))
			require.NoError(t, err)
			assert.Equal(t, text, string(MarshalValue(v)))
		})
	}
	v, err := ParseValue(nil, json.RawMessage(`{"bigInteger":"7"}`))
	require.NoError(t, err)
	assert.Equal(t, data.KindDecimal, v.Kind())
}

func TestDatum(t *testing.T) {
	schema, v, err := ParseDatum(json.RawMessage(
		`{"schema":{"type":"ARRAY","valueSchema":{"type":"STRUCT","fields":[{"name":"x","schema":{"type":"INT8"}}]}},` +
			`"value":{"array":[{"struct":{"x":{"int8":1}}}]}}`))
	require.NoError(t, err)
	require.NoError(t, data.Validate(schema, v, ""))
	assert.Equal(t, "[Struct{x=1}]", v.String())

	_, v, err = ParseDatum(json.RawMessage(
		`{"schema":null,"value":{"struct":{"x":null},"structSchema":{"type":"STRUCT","fields":[{"name":"x","schema":{"type":"INT8"}}]}}}`))
	require.NoError(t, err)
	assert.Equal(t, "Struct{}", v.String())
}

// TestRefuses: a vector that can not be read fails its test instead of passing for null.
func TestRefuses(t *testing.T) {
	for _, text := range []string{`1`, `{"type":"INT9"}`, `{"type":"INT8","default":{"int16":1}}`, `{"type":"ARRAY","valueSchema":{"type":"X"}}`, `{"type":"STRING","parameters":{"a":1}}`} {
		_, err := ParseSchema(json.RawMessage(text))
		require.Error(t, err, text)
	}
	for _, text := range []string{`1`, `{}`, `{"int7":1}`, `{"float64":"x"}`, `{"decimal":"x"}`, `{"bytes":"?"}`, `{"struct":{}}`, `{"array":[{}]}`, `{"map":[[{},null]]}`} {
		_, err := ParseValue(nil, json.RawMessage(text))
		require.Error(t, err, text)
	}
	_, _, err := ParseDatum(json.RawMessage(`[]`))
	require.Error(t, err)
}

func TestEach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{\"n\":1}\n{\"n\":2,\"error\":{\"class\":\"a.b.C\",\"message\":null}}\n"), 0o600))
	var seen []int
	n := Each(t, path, func(t *testing.T, c struct {
		N     int
		Error *Failure
	}) {
		seen = append(seen, c.N)
		assert.Equal(t, c.N == 2, c.Error != nil && c.Error.SimpleClass() == "C")
	})
	assert.Equal(t, 2, n)
	assert.Equal(t, []int{1, 2}, seen)
}
