package cqlmap_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/cqlmap"
	"github.com/streamlane/connect/data"
)

// nested returns a struct {id INT32 default 7, "a.b" STRING, a {b INT64, c {d STRING}}}.
func nested(t testing.TB) *data.Struct {
	c, err := data.StructBuilder().Field("d", data.StringSchema).Build()
	require.NoError(t, err)
	a, err := data.StructBuilder().Field("b", data.Int64Schema).Field("c", c).Optional().Build()
	require.NoError(t, err)
	id, err := data.NewBuilder(data.KindInt32).Optional().Default(data.Int32(7)).Build()
	require.NoError(t, err)
	s, err := data.StructBuilder().Field("id", id).Field("a.b", data.StringSchema).Field("a", a).Build()
	require.NoError(t, err)
	row, err := data.NewStruct(s)
	require.NoError(t, err)
	inner, err := data.NewStruct(a)
	require.NoError(t, err)
	innermost, err := data.NewStruct(c)
	require.NoError(t, err)
	innermost.Set(0, data.String("deep"))
	inner.Set(0, data.Int64(5))
	inner.Set(1, data.StructOf(innermost))
	row.Set(1, data.String("dotted"))
	row.Set(2, data.StructOf(inner))
	return row
}

type found struct {
	value  data.Value
	schema string // the kind of the schema, "" for none
}

func checkLookups(t *testing.T, r *connect.Record, want map[string]*found) {
	t.Helper()
	view := cqlmap.NewView(r)
	for text, want := range want {
		m, err := cqlmap.Parse("c=" + text)
		require.NoError(t, err, text)
		source := m.Assignments[0].Source
		value, schema, ok := view.Lookup(source)
		require.Equal(t, want != nil, ok, text)
		if !ok {
			require.ErrorContains(t, view.Missing(source), source.Field, text)
			continue
		}
		require.True(t, data.Equal(want.value, value), "%s: %s", text, value)
		kind := ""
		if schema != nil {
			kind = schema.Kind().String()
		}
		require.Equal(t, want.schema, kind, text)
	}
}

func TestLookupStruct(t *testing.T) {
	row := nested(t)
	r := &connect.Record{Key: connect.Datum{Schema: data.Int32Schema, Value: data.Int32(1)},
		Value: connect.Datum{Schema: row.Schema(), Value: data.StructOf(row)},
		Headers: []connect.Header{
			{Key: "h", Datum: connect.Datum{Schema: row.Schema(), Value: data.StructOf(row)}},
			{Key: "h", Datum: connect.Datum{Value: data.String("second")}},
			{Key: "h.id", Datum: connect.Datum{Schema: data.StringSchema, Value: data.String("whole name")}},
			{Key: "n"},
		}}
	checkLookups(t, r, map[string]*found{
		"key":              {data.Int32(1), "INT32"},
		"key.x":            nil,
		"value":            {data.StructOf(row), "STRUCT"},
		"value.id":         {data.Int32(7), "INT32"}, // the default
		"value.a.b":        {data.String("dotted"), "STRING"},
		"value.a.c.d":      {data.String("deep"), "STRING"},
		"value.a.c.e":      nil,
		"value.A":          nil,
		`"value.a."`:       nil,
		"header.h.id":      {data.String("whole name"), "STRING"},
		"header.h.a.c.d":   {data.String("deep"), "STRING"},
		`"header.h."`:      nil,
		"header.H":         nil,
		"header.n":         {data.Value{}, ""},
		"header.n.any.way": {data.Value{}, ""},
	})
	view := cqlmap.NewView(r)
	_, _, ok := view.Lookup(cqlmap.Now())
	require.False(t, ok)
	require.EqualError(t, view.Missing(cqlmap.Source{Part: cqlmap.Value, Field: "x"}),
		"the record has no field value.x, which the mapping asks for; its value has id, a.b, a")
	require.EqualError(t, view.Missing(cqlmap.Source{Part: cqlmap.Key, Field: "x"}),
		"the mapping asks for key.x, but the record's key has no fields: it is a INT32")
	require.EqualError(t, view.Missing(cqlmap.Source{Part: cqlmap.Header, Field: "x"}),
		`the record has no header "x", which the mapping asks for; it has h, h, h.id, n`)
	require.Error(t, view.Missing(cqlmap.Now()))
}

func TestLookupTombstone(t *testing.T) {
	checkLookups(t, &connect.Record{}, map[string]*found{
		"key": {data.Value{}, ""}, "value": {data.Value{}, ""}, "value.x": {data.Value{}, ""}, "key.x.y": {data.Value{}, ""}, "header.x": nil,
	})
}

func TestLookupMap(t *testing.T) {
	s, err := data.MapBuilder(data.StringSchema, data.Int64Schema).Build()
	require.NoError(t, err)
	m := data.MapOf(data.Pair{Key: data.Int32(1), Value: data.Int64(0)}, data.Pair{Key: data.String("x"), Value: data.Int64(3)})
	checkLookups(t, &connect.Record{Key: connect.Datum{Schema: s, Value: m}, Value: connect.Datum{Value: m}}, map[string]*found{
		"key.x": {data.Int64(3), "INT64"}, "value.x": {data.Int64(3), ""}, "value.1": nil, "value.x.y": nil,
	})
}

func TestLookupJSON(t *testing.T) {
	text := `{"i":1,"big":123456789012345678901,"f":0.10,"s":"a\nb","t":true,"n":null,"o":{"x":{"y":[1,"2",{}]}},"i":2,"o.x":9} trailing`
	decimal := func(s string) data.Value {
		d, err := data.ParseDecimal(s)
		require.NoError(t, err)
		return data.DecimalOf(d)
	}
	checkLookups(t, &connect.Record{Key: connect.Datum{Value: data.String("no JSON")},
		Value: connect.Datum{Schema: data.StringSchema, Value: data.String(text)}}, map[string]*found{
		"value":       {data.String(text), "STRING"},
		"value.i":     {data.Int64(2), ""}, // of doubled members the last
		"value.big":   {decimal("123456789012345678901"), ""},
		"value.f":     {decimal("0.10"), ""},
		"value.s":     {data.String("a\nb"), ""},
		"value.t":     {data.Boolean(true), ""},
		"value.n":     {data.Value{}, ""},
		"value.n.x":   {data.Value{}, ""},
		"value.o.x":   {data.Int64(9), ""},
		"value.o.x.y": {data.ArrayOf(data.Int64(1), data.String("2"), data.MapOf()), ""},
		"value.z":     nil,
		"key":         {data.String("no JSON"), ""},
		"key.x":       nil,
	})
	for _, text := range []string{"", "[1]", `"x"`, `{"x":1`, `{x:1}`, "7", "null", `{"x":` + strings.Repeat("[", 2000) + `}`} {
		view := cqlmap.NewView(&connect.Record{Value: connect.Datum{Value: data.String(text)}})
		source := cqlmap.Source{Part: cqlmap.Value, Field: "x"}
		_, _, ok := view.Lookup(source)
		require.False(t, ok, text)
		require.EqualError(t, view.Missing(source),
			"the mapping asks for value.x, but the record's value has no fields: it is a STRING that holds no JSON object")
	}
}

// No text of a record makes a lookup panic, whatever its depth or numbers.
func FuzzLookupJSON(f *testing.F) {
	f.Add(`{"a":{"b":[1,2.5e-3,"x",null,true]}}`, "a.b")
	f.Add(`{"a":1e999999999}`, "a")
	f.Add(`{"a":`, ".")
	f.Fuzz(func(t *testing.T, text, name string) {
		view := cqlmap.NewView(&connect.Record{Value: connect.Datum{Value: data.String(text)}})
		source := cqlmap.Source{Part: cqlmap.Value, Field: name}
		if _, _, ok := view.Lookup(source); !ok {
			require.Error(t, view.Missing(source))
		}
	})
}

// The fields of structs are found without allocating.
func TestLookupAllocates(t *testing.T) {
	row := nested(t)
	r := &connect.Record{Value: connect.Datum{Schema: row.Schema(), Value: data.StructOf(row)}}
	source := cqlmap.Source{Part: cqlmap.Value, Field: "a.c.d"}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		view := cqlmap.NewView(r)
		if _, _, ok := view.Lookup(source); !ok {
			t.Error("not found")
		}
	}))
}
