package data_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// TestConvert has what the vectors leave out.
func TestConvert(t *testing.T) {
	dec := func(text string) data.Value { return data.DecimalOf(mustDecimal(t, text)) }
	for name, c := range map[string]struct {
		source *data.Schema
		v      data.Value
		target *data.Schema
		want   data.Value
	}{
		"no target":                {nil, data.Int8(1), nil, data.Int8(1)},
		"float above the longs":    {nil, data.Float64(1e300), data.Int64Schema, data.Int64(math.MaxInt64)},
		"float below the longs":    {nil, data.Float64(math.Inf(-1)), data.Int64Schema, data.Int64(math.MinInt64)},
		"float cut off":            {nil, data.Float32(-2.7), data.Int32Schema, data.Int32(-2)},
		"double to float":          {nil, data.Float64(0.1), data.Float32Schema, data.Float32(0.1)},
		"text to double":           {nil, data.String("1e-2"), data.Float64Schema, data.Float64(0.01)},
		"date to double":           {data.DateSchema, data.DateMillis(2 * day), data.Float64Schema, data.Float64(2)},
		"true text":                {nil, data.String(" true "), data.BooleanSchema, data.Boolean(true)},
		"zero text":                {nil, data.String("0.5"), data.BooleanSchema, data.Boolean(false)},
		"text of bytes":            {nil, data.Bytes([]byte("ab")), data.StringSchema, data.String("YWI=")},
		"bytes":                    {nil, data.Bytes([]byte("ab")), data.BytesSchema, data.Bytes([]byte("ab"))},
		"float to decimal":         {nil, data.Float32(0.5), data.DecimalSchema(2), dec("0.5")},
		"bytes to decimal":         {nil, data.Bytes([]byte{1, 0}), data.DecimalSchema(2), dec("2.56")},
		"decimal of another scale": {nil, dec("1.5"), data.DecimalSchema(2), dec("1.5")},
		"text to array":            {nil, data.String("[1,2]"), data.ArrayBuilder(data.StringSchema).MustBuild(), data.ArrayOf(data.Int8(1), data.Int8(2))},
		"text to map":              {nil, data.String("{1:2}"), data.NewBuilder(data.KindMap).MustBuild(), data.MapOf(data.Pair{Key: data.Int8(1), Value: data.Int8(2)})},
		"timestamp to its day":     {data.TimestampSchema, data.DateMillis(day + 5), data.DateSchema, data.DateMillis(day)},
		"timestamp to its time":    {data.TimestampSchema, data.DateMillis(-1), data.TimeSchema, data.DateMillis(day - 1)},
		"date to timestamp":        {data.DateSchema, data.DateMillis(day), data.TimestampSchema, data.DateMillis(day)},
		"time to timestamp":        {data.TimeSchema, data.DateMillis(5), data.TimestampSchema, data.DateMillis(5)},
		"time to date, by number":  {data.TimeSchema, data.DateMillis(5), data.DateSchema, data.DateMillis(5 * day)},
		"date without schema":      {nil, data.DateMillis(5), data.DateSchema, data.DateMillis(5)},
		"text to date":             {nil, data.String("2024-02-29"), data.DateSchema, data.DateMillis(19782 * day)},
		"number to timestamp":      {data.Int64Schema, data.Int64(-7), data.TimestampSchema, data.DateMillis(-7)},
		"null to optional":         {nil, data.Value{}, data.OptionalDateSchema, data.Value{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := data.Convert(c.source, c.v, c.target)
			require.NoError(t, err)
			assertSame(t, c.want, got)
		})
	}
}

func TestConvertRefuses(t *testing.T) {
	str, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		source *data.Schema
		v      data.Value
		target *data.Schema
		gist   string
	}{
		"null":               {nil, data.Value{}, data.Int8Schema, "a null value to a schema that requires a value"},
		"text to number":     {nil, data.String("x"), data.Int8Schema, "Unable to convert x (STRING) to a number"},
		"null text to date":  {nil, data.String("null"), data.DateSchema, "Unable to convert null"},
		"odd date to number": {data.DateSchema, data.DateMillis(5), data.Int32Schema, "should not have any time fields"},
		"odd date":           {data.DateSchema, data.DateMillis(5), data.TimestampSchema, "should not have any time fields"},
		"date, no schema":    {nil, data.DateMillis(5), data.Int64Schema, "to a number"},
		"NaN to decimal":     {nil, data.Float64(math.NaN()), data.DecimalSchema(2), "Unable to convert NaN (FLOAT64)"},
		"text to decimal":    {nil, data.String("x"), data.DecimalSchema(2), "Unable to convert x (STRING)"},
		"no bytes":           {nil, data.Bytes([]byte{}), data.DecimalSchema(2), "at least one byte"},
		"date to decimal":    {nil, data.DateMillis(5), data.DecimalSchema(2), "(DATE)"},
		"decimal to bytes":   {nil, data.DecimalOf(mustDecimal(t, "1")), data.BytesSchema, "the schema does not match"},
		"text to bytes":      {nil, data.String("x"), data.BytesSchema, "(STRING) to Schema{BYTES}"},
		"text to struct":     {nil, data.String("{}"), rowSchema, "Unable to convert {} (STRING)"},
		"struct to map":      {nil, data.StructOf(str), data.NewBuilder(data.KindMap).MustBuild(), "Unable to convert Struct{} (STRUCT)"},
		"time out of range":  {nil, data.Int32(-1), data.TimeSchema, "Time values must"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := data.Convert(c.source, c.v, c.target)
			require.ErrorContains(t, err, c.gist)
			var e *data.Error
			require.ErrorAs(t, err, &e)
		})
	}
}

func TestInferSchema(t *testing.T) {
	x, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		v    data.Value
		want *data.Schema
	}{
		"null":             {data.Value{}, nil},
		"decimal":          {data.DecimalOf(mustDecimal(t, "1")), nil},
		"date":             {data.DateMillis(5), nil},
		"int16":            {data.Int16(1), data.Int16Schema},
		"float64":          {data.Float64(1), data.Float64Schema},
		"struct":           {data.StructOf(x), rowSchema},
		"empty array":      {data.ArrayOf(), nil},
		"array of nulls":   {data.ArrayOf(data.Value{}), nil},
		"array with nulls": {data.ArrayOf(data.Int8(1), data.Value{}), data.ArrayBuilder(data.OptionalInt8Schema).MustBuild()},
		"mixed array":      {data.ArrayOf(data.Int8(1), data.Int16(1)), nil},
		"array of dates":   {data.ArrayOf(data.DateMillis(5)), nil},
		"array of arrays":  {data.ArrayOf(data.ArrayOf(data.Int8(1))), data.ArrayBuilder(data.NewBuilder(data.KindArray).MustBuild()).MustBuild()},
		"empty map":        {data.MapOf(), nil},
		"mixed map":        {data.MapOf(data.Pair{Key: data.Int8(1), Value: data.Int8(1)}, data.Pair{Key: data.Int16(2), Value: data.Int8(1)}), nil},
		"map":              {data.MapOf(data.Pair{Key: data.Int8(1), Value: data.Boolean(true)}), data.MapBuilder(data.Int8Schema, data.BooleanSchema).MustBuild()},
	} {
		t.Run(name, func(t *testing.T) {
			got := data.InferSchema(c.v)
			assert.True(t, c.want.Equal(got), "want %s, got %s", c.want, got)
		})
	}
}

// TestProject has what the vectors leave out.
func TestProject(t *testing.T) {
	anything := data.NewBuilder(data.KindArray).MustBuild()
	v, err := data.Project(anything, data.ArrayOf(data.Int8(1)), anything)
	require.NoError(t, err)
	assertSame(t, data.ArrayOf(data.Int8(1)), v)

	_, err = data.Project(anything, data.ArrayOf(data.Int8(1)), data.ArrayBuilder(data.Int8Schema).MustBuild())
	require.ErrorContains(t, err, "source type: NULL and target type: INT8")

	for _, schema := range []*data.Schema{rowSchema, anything, data.NewBuilder(data.KindMap).MustBuild()} {
		_, err = data.Project(schema, data.Int8(1), schema)
		require.ErrorContains(t, err, "is no value of its source schema")
		var e *data.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, data.ReasonProjection, e.Reason)
	}
	wide := data.MapBuilder(data.Int64Schema, data.Float64Schema).MustBuild()
	narrow := data.MapBuilder(data.Int8Schema, data.Float32Schema).MustBuild()
	v, err = data.Project(narrow, data.MapOf(data.Pair{Key: data.Int8(1), Value: data.Float32(1.5)}), wide)
	require.NoError(t, err)
	assertSame(t, data.MapOf(data.Pair{Key: data.Int64(1), Value: data.Float64(1.5)}), v)
	_, err = data.Project(wide, v, narrow)
	require.Error(t, err)
}
