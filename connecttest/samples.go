package connecttest

import (
	"math"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// Sample is one datum of the suites' own, with a name for messages.
type Sample struct {
	Name  string
	Datum connect.Datum
}

// Samples returns data of every kind of schema, and without a schema: nulls,
// empty texts, extremes, logical types, nested containers. Each call builds them
// anew.
func Samples() []Sample {
	s := []Sample{{"null without schema", connect.Datum{}}}
	add := func(name string, schema *data.Schema, v data.Value) {
		s = append(s, Sample{name, connect.Datum{Schema: schema, Value: v}})
	}
	for _, p := range primitives() {
		add(p.name, p.schema, p.value)
	}
	for _, p := range optionals() {
		add("optional "+p.Kind().String()+", null", p, data.Value{})
	}
	add("optional STRING, given", data.OptionalStringSchema, data.String("given"))
	add("named STRING", data.NewBuilder(data.KindString).Name("com.example.Name").Version(3).Doc("A name.").Parameter("p", "v").MustBuild(), data.String("n"))
	add("Decimal", data.DecimalSchema(2), data.DecimalOf(data.DecimalFromInt64(-12345, 2)))
	add("Date", data.DateSchema, data.DateMillis(20_000*86_400_000))
	add("Time", data.TimeSchema, data.DateMillis(45_296_789))
	add("Timestamp", data.TimestampSchema, data.DateOf(time.UnixMilli(1_700_000_000_123)))
	for _, c := range containers() {
		add(c.name, c.schema, c.value)
	}
	for _, p := range schemaless() {
		add(p.name, nil, p.value)
	}
	return s
}

type sample struct {
	name   string
	schema *data.Schema
	value  data.Value
}

func primitives() []sample {
	return []sample{
		{"INT8", data.Int8Schema, data.Int8(math.MinInt8)},
		{"INT16", data.Int16Schema, data.Int16(math.MaxInt16)},
		{"INT32", data.Int32Schema, data.Int32(math.MinInt32)},
		{"INT64", data.Int64Schema, data.Int64(math.MaxInt64)},
		{"INT64, least", data.Int64Schema, data.Int64(math.MinInt64)},
		{"FLOAT32", data.Float32Schema, data.Float32(0.1)},
		{"FLOAT64", data.Float64Schema, data.Float64(1e-300)},
		{"FLOAT64, negative zero", data.Float64Schema, data.Float64(math.Copysign(0, -1))},
		{"BOOLEAN, true", data.BooleanSchema, data.Boolean(true)},
		{"BOOLEAN, false", data.BooleanSchema, data.Boolean(false)},
		{"STRING", data.StringSchema, data.String("text ü \U0001F600 \"quoted\"\n\t\x00\\")},
		{"STRING, empty", data.StringSchema, data.String("")},
		{"BYTES", data.BytesSchema, data.Bytes([]byte{0, 1, 0xfe, 0xff})},
		{"BYTES, empty", data.BytesSchema, data.Bytes([]byte{})},
	}
}

func optionals() []*data.Schema {
	return []*data.Schema{
		data.OptionalInt8Schema, data.OptionalInt16Schema, data.OptionalInt32Schema, data.OptionalInt64Schema,
		data.OptionalFloat32Schema, data.OptionalFloat64Schema, data.OptionalBooleanSchema, data.OptionalStringSchema,
		data.OptionalBytesSchema,
	}
}

func containers() []sample {
	inner := data.StructBuilder().Name("com.example.Inner").Field("n", data.Int32Schema).Field("t", data.OptionalStringSchema).MustBuild()
	outer := data.StructBuilder().Name("com.example.Outer").Version(2).
		Field("id", data.Int64Schema).
		Field("name", data.OptionalStringSchema).
		Field("blob", data.OptionalBytesSchema).
		Field("price", data.OptionalDecimalSchema(3)).
		Field("at", data.OptionalTimestampSchema).
		Field("list", data.ArrayBuilder(inner).Optional().MustBuild()).
		Field("map", data.MapBuilder(data.StringSchema, data.Float64Schema).Optional().MustBuild()).
		MustBuild()
	in := func(n int32, t data.Value) data.Value { return data.StructOf(structOf(inner, data.Int32(n), t)) }
	full := structOf(outer, data.Int64(7), data.String("x"), data.Bytes([]byte("b")), data.DecimalOf(data.DecimalFromInt64(1500, 3)),
		data.DateMillis(1), data.ArrayOf(in(1, data.String("")), in(2, data.Value{})),
		data.MapOf(data.Pair{Key: data.String("b"), Value: data.Float64(2)}, data.Pair{Key: data.String("a"), Value: data.Float64(-1.5)}))
	return []sample{
		{"ARRAY", data.ArrayBuilder(data.Int32Schema).MustBuild(), data.ArrayOf(data.Int32(1), data.Int32(2))},
		{"ARRAY, empty", data.ArrayBuilder(data.StringSchema).MustBuild(), data.ArrayOf()},
		{"MAP", data.MapBuilder(data.StringSchema, data.Int64Schema).MustBuild(), data.MapOf(data.Pair{Key: data.String("k"), Value: data.Int64(1)})},
		{"MAP, empty", data.MapBuilder(data.StringSchema, data.BooleanSchema).MustBuild(), data.MapOf()},
		{"MAP with INT32 keys", data.MapBuilder(data.Int32Schema, data.StringSchema).MustBuild(), data.MapOf(data.Pair{Key: data.Int32(1), Value: data.String("one")})},
		{"STRUCT", inner, in(5, data.String("t"))},
		{"STRUCT, nested", outer, data.StructOf(full)},
		{"STRUCT, nested, nulls", outer, data.StructOf(structOf(outer, data.Int64(8)))},
	}
}

// structOf sets the first fields; the others stay null.
func structOf(s *data.Schema, values ...data.Value) *data.Struct {
	rows := data.NewStructs(s, 1)
	for i, v := range values {
		rows[0].Set(i, v)
	}
	return &rows[0]
}

func schemaless() []sample {
	return []sample{
		{"schemaless string", nil, data.String("text")},
		{"schemaless integer", nil, data.Int64(42)},
		{"schemaless float", nil, data.Float64(2.5)},
		{"schemaless boolean", nil, data.Boolean(true)},
		{"schemaless array", nil, data.ArrayOf(data.Int64(1), data.String("two"), data.Value{})},
		{"schemaless map", nil, data.MapOf(
			data.Pair{Key: data.String("s"), Value: data.String("x")},
			data.Pair{Key: data.String("null"), Value: data.Value{}},
			data.Pair{Key: data.String("m"), Value: data.MapOf(data.Pair{Key: data.String("n"), Value: data.Int64(1)})})},
	}
}
