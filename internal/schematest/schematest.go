package schematest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

// Schema reads a schema in the form that JsonConverter writes.
func Schema(t testing.TB, text string) *data.Schema {
	t.Helper()
	return Datum(t, text, "null").Schema
}

// Datum reads a schema and a payload. A payload of null is null, whatever the
// schema.
func Datum(t testing.TB, schema, payload string) connect.Datum {
	t.Helper()
	c := converters.DefaultJSONConfig()
	c.ReplaceNullWithDefault = false
	j, err := converters.NewJSON(c)
	require.NoError(t, err)
	if payload == "null" && schema != "null" {
		// Required schemas have no null: read the schema of an empty array of it.
		d, err := j.Decode(t.Context(), nil, []byte(`{"schema":{"type":"array","items":`+schema+`},"payload":[]}`))
		require.NoError(t, err, schema)
		return connect.Datum{Schema: d.Schema.ElemSchema()}
	}
	d, err := j.Decode(t.Context(), nil, []byte(`{"schema":`+schema+`,"payload":`+payload+`}`))
	require.NoError(t, err, "%s: %s", schema, payload)
	return d
}

// Text writes a schema in the form that JsonConverter writes.
func Text(t testing.TB, s *data.Schema) string {
	t.Helper()
	j, err := converters.NewJSON(converters.DefaultJSONConfig())
	require.NoError(t, err)
	outer := data.ArrayBuilder(s).MustBuild()
	b, _, err := j.AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: outer, Value: data.ArrayOf()})
	require.NoError(t, err)
	const before, behind = `{"schema":{"type":"array","items":`, `,"optional":false},"payload":[]}`
	return string(b[len(before) : len(b)-len(behind)])
}

// Row makes a struct of a schema, with values for its first fields.
func Row(t testing.TB, s *data.Schema, values ...data.Value) data.Value {
	t.Helper()
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	for i, v := range values {
		x.Set(i, v)
	}
	return data.StructOf(x)
}
