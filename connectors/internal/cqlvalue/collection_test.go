package cqlvalue_test

import (
	"fmt"
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

func TestLists(t *testing.T) {
	arrays, err := data.ArrayBuilder(data.DateSchema).Build()
	require.NoError(t, err)
	const allowed = "where an array, or a text of a JSON array is allowed"
	for _, name := range []string{"list<int>", "set<int>"} {
		run(t, typeOf(name), cqlvalue.Options{}, []valueCase{
			{v: list(data.Int8(1), str("2")), want: "00000002" + "0000000400000001" + "0000000400000002"},
			{v: list(), want: "00000000"},
			{v: str("[1, 2]"), want: "00000002" + "0000000400000001" + "0000000400000002"},
			{v: str(" 1,'2' "), want: "00000002" + "0000000400000001" + "0000000400000002"}, // brackets may lack
			{v: str("[]"), want: "00000000"},
			{v: str(" "), want: "null"},
			{v: str("[1"), want: `the text "[[1]" was found, which is no JSON: at character 5: a comma or a closing bracket is expected`},
			{v: str(`{"a":1}`), want: "element 0: a value of kind MAP was found"},
			{v: list(data.Value{}), want: "element 0: null was found, which collections do not hold"},
			{v: list(data.Int8(1), str("")), want: "element 1: null was found, which collections do not hold"},
			{v: list(data.Int8(1), str("x")), want: `element 1: "x" was found, ` + noNumber},
			{v: data.Int8(1), want: "INT8 1 was found, " + allowed},
			{v: pairs(), want: allowed},
		})
	}
	run(t, typeOf("list<date>"), cqlvalue.Options{}, []valueCase{{v: list(data.DateMillis(0)), s: arrays, want: "00000001" + "0000000480000000"}})
	run(t, typeOf("list<frozen<list<text>>>"), cqlvalue.Options{}, []valueCase{
		{v: str(`[["a"],[]]`), want: "00000002" + "00000009" + "00000001" + "0000000161" + "00000004" + "00000000"},
		{v: list(list(str("")), str("'b'")), want: "00000002" + "00000008" + "00000001" + "00000000" + "00000009" + "00000001" + "0000000162"},
		{v: list(list(data.Value{})), want: "no list<list<text>>: element 0: element 0: null was found"},
	})
}

func TestMaps(t *testing.T) {
	run(t, typeOf("map<int, text>"), cqlvalue.Options{}, []valueCase{
		{v: pairs(data.Int8(1), str("a")), want: "00000001" + "0000000400000001" + "0000000161"},
		{v: str(`{"1": "a"}`), want: "00000001" + "0000000400000001" + "0000000161"},
		{v: str(`1: 'a'`), want: "00000001" + "0000000400000001" + "0000000161"}, // braces and quotes may lack
		{v: pairs(), want: "00000000"},
		{v: str(""), want: "null"},
		{v: pairs(data.Value{}, str("a")), want: "key null: null was found, which collections do not hold"},
		{v: pairs(data.Int8(1), data.Value{}), want: "value of key INT8 1: null was found"},
		{v: pairs(str("x"), data.Value{}), want: `key the text "x": "x" was found`},
		{v: list(), want: "a value of kind ARRAY was found, where a map, or a text of a JSON object is allowed"},
		{v: str(`[1]`), want: "which is no JSON"},
	})
	s := mustMap(t, data.DateSchema, data.TimeSchema)
	run(t, typeOf("map<date, time>"), cqlvalue.Options{}, []valueCase{
		{v: pairs(data.DateMillis(0), data.DateMillis(1)), s: s, want: "00000001" + "0000000480000000" + "0000000800000000000f4240"},
	})
}

// address is the type {street text, zip int, tags set<text>}.
var address = gocql.UDTTypeInfo{Keyspace: "ks", Name: "address", Elements: []gocql.UDTField{
	{Name: "street", Type: typeOf("text")}, {Name: "zip", Type: typeOf("int")}, {Name: "tags", Type: typeOf("set<text>")},
}}

const addressBytes = "00000001" + "61" + "00000004" + "00000007" + "ffffffff"

func structOf(t *testing.T, names []string, values ...data.Value) data.Value {
	b := data.StructBuilder()
	for i, name := range names {
		kind := values[i].Kind()
		if kind == data.KindNull {
			kind = data.KindString
		}
		b.Field(name, data.NewBuilder(kind).Optional().MustBuild())
	}
	s, err := b.Build()
	require.NoError(t, err)
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	for i, v := range values {
		x.Set(i, v)
	}
	return data.StructOf(x)
}

func TestUDT(t *testing.T) {
	all := []string{"zip", "street", "tags"}
	cases := []valueCase{
		{v: structOf(t, all, data.Int64(7), str("a"), data.Value{}), want: addressBytes},
		{v: pairs(str("street"), str("a"), str("tags"), data.Value{}, str("zip"), str("7")), want: addressBytes},
		{v: list(str("a"), data.Int8(7), data.Value{}), want: addressBytes},
		{v: str(`{"street":"a", zip:7, 'tags':null}`), want: addressBytes},
		{v: str(`["a", 7, null]`), want: addressBytes},
		{v: str(`["a", 7,]`), want: addressBytes}, // what is left out is null
		{v: str(""), want: "null"},
		{v: structOf(t, all, str("x"), str("a"), data.Value{}), want: `no address: field zip: "x" was found`},
		{v: str("a"), want: "which is no JSON"},
		{v: str("7"), want: "INT64 7 was found, where a struct, a map, an array, or a text of a JSON object or array is allowed"},
	}
	missing := []data.Value{pairs(str("street"), str("a"), str("zip"), data.Int8(7)), list(str("a"), data.Int8(7)), structOf(t, all[:2], data.Int8(7), str("a"))}
	extra := []data.Value{
		pairs(str("street"), str("a"), str("zip"), data.Int8(7), str("tags"), data.Value{}, str("more"), str("x")),
		list(str("a"), data.Int8(7), data.Value{}, str("x")),
		structOf(t, append(all, "more"), data.Int8(7), str("a"), data.Value{}, str("x")),
	}
	wrongMissing := []string{"field tags is missing, which type address has", "2 elements were found, where 3 are allowed", "field tags is missing"}
	wrongExtra := []string{"field more was found, which type address has not", "4 elements were found, where 3 are allowed", "field more was found"}
	for i := range missing {
		cases = append(cases, valueCase{v: missing[i], want: wrongMissing[i]}, valueCase{v: extra[i], want: wrongExtra[i]})
	}
	run(t, address, cqlvalue.Options{}, cases)
	for i := range missing {
		run(t, address, cqlvalue.Options{AllowMissingFields: true}, []valueCase{{v: missing[i], want: addressBytes}, {v: extra[i], want: wrongExtra[i]}})
		run(t, address, cqlvalue.Options{AllowExtraFields: true}, []valueCase{{v: missing[i], want: wrongMissing[i]}, {v: extra[i], want: addressBytes}})
	}
	run(t, address, cqlvalue.Options{}, []valueCase{
		{v: pairs(data.Int8(1), str("x"), str("street"), str("a"), str("zip"), str("7"), str("tags"), data.Value{}), want: "field 1 was found"},
	})
	require.Equal(t, `"My type"`, encoder(t, gocql.UDTTypeInfo{Name: "My type"}, cqlvalue.Options{}).Type())
}

func TestTuples(t *testing.T) {
	const want = "00000004" + "00000001" + "ffffffff"
	run(t, typeOf("tuple<int, text>"), cqlvalue.Options{}, []valueCase{
		{v: list(data.Int8(1), data.Value{}), want: want},
		{v: structOf(t, []string{"any", "name"}, data.Int8(1), data.Value{}), want: want},
		{v: str("[1, null]"), want: want},
		{v: str(""), want: "null"},
		{v: list(data.Int8(1)), want: "1 elements were found, where 2 are allowed"},
		{v: list(data.Int8(1), str("a"), str("b")), want: "3 elements were found, where 2 are allowed"},
		{v: list(str("x"), str("a")), want: `no tuple<int, text>: element 0: "x" was found`},
		{v: pairs(), want: "a value of kind MAP was found, where an array or struct, or a text of a JSON array is allowed"},
	})
	run(t, typeOf("tuple<int, text>"), cqlvalue.Options{AllowMissingFields: true, AllowExtraFields: true}, []valueCase{
		{v: list(data.Int8(1)), want: want}, {v: list(data.Int8(1), data.Value{}, str("x")), want: want},
	})
}

func TestVectors(t *testing.T) {
	floats := gocql.VectorType{SubType: typeOf("float"), Dimensions: 2}
	run(t, floats, cqlvalue.Options{}, []valueCase{
		{v: list(data.Float32(1), data.Float64(0.5)), want: "3f8000003f000000"},
		{v: str("[1, 0.5]"), want: "3f8000003f000000"},
		{v: str(""), want: "null"},
		{v: list(data.Float32(1)), want: "no vector<float, 2>: 1 elements were found, where the vector has 2 dimensions"},
		{v: list(data.Float32(1), data.Value{}), want: "element 1: null was found, which vectors do not hold"},
		{v: list(data.Float32(1), str("x")), want: `element 1: "x" was found`},
		{v: data.Bytes([]byte{1}), want: "a value of kind BYTES was found, where an array, or a text of a JSON array is allowed"},
	})
	run(t, gocql.VectorType{SubType: typeOf("text"), Dimensions: 2}, cqlvalue.Options{}, []valueCase{{v: list(str("ab"), str("")), want: "02616200"}})
	run(t, gocql.VectorType{SubType: typeOf("smallint"), Dimensions: 1}, cqlvalue.Options{}, []valueCase{{v: list(data.Int8(1)), want: "020001"}})
	run(t, gocql.VectorType{SubType: floats, Dimensions: 1}, cqlvalue.Options{}, []valueCase{{v: list(list(data.Int8(1), data.Int8(0))), want: "3f80000000000000"}})
}

func TestTypeNames(t *testing.T) {
	for _, name := range []string{"map<int, list<text>>", "set<timeuuid>", "tuple<int, map<text, blob>>", "inet", "counter"} {
		require.Equal(t, name, encoder(t, typeOf(name), cqlvalue.Options{}).Type())
	}
	require.Equal(t, "list<address>", encoder(t, wrap(t, address), cqlvalue.Options{}).Type())
}

// wrap returns a list of a type.
func wrap(t *testing.T, elem gocql.TypeInfo) gocql.TypeInfo {
	l, ok := typeOf("list<int>").(gocql.CollectionType)
	require.True(t, ok)
	l.Elem = elem
	return l
}

func TestJSON(t *testing.T) {
	e := encoder(t, typeOf("list<text>"), cqlvalue.Options{})
	for text, want := range map[string][]string{
		`["\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t"]`:    {"é😀\n\"\\/\b\f\r\t"},
		`['it\'s', "it's"]`:                         {"it's", "it's"},
		`[1.50, -3, 12345678901234567890]`:          {"1.50", "-3", "12345678901234567890"},
		`[NaN, Infinity, -Infinity, +INF]`:          {"NaN", "Infinity", "-Infinity", "Infinity"},
		`[true, {"a":{b:1,"b":[2]}, c:, 'd':null}]`: {"true", `{"a":{"b":[2]},"c":null,"d":null}`},
	} {
		wanted := fmt.Sprintf("%08x", len(want))
		for _, w := range want {
			wanted += fmt.Sprintf("%08x%x", len(w), w)
		}
		require.Equal(t, wanted, encode(e, str(text), nil), text)
	}
	for text, want := range map[string]string{
		`["a" "b"]`:       "at character 6: a comma or a closing bracket is expected",
		`[a]`:             `at character 2: "a" was found, where texts are in quotes`,
		`["a]`:            "a text is not closed",
		`["\x"]`:          `"\\x" is no escape`,
		`["\u12"]`:        `four hexadecimal digits follow \u`,
		"[\"a\nb\"]":      "the control character '\\n' stands in a text",
		`[{"a"}]`:         "a colon is expected",
		`[{:1}]`:          "the name of a member is expected",
		`[{"a":1 "b":2}]`: "a comma or a closing brace is expected",
		`[1.]`:            `"1." is no number`,
		`[.5]`:            `".5" is no number`,
		`[+5]`:            `"+5" is no number`,
		`[1-2]`:           `"1-2" is no number`,
		`[1] []`:          "text goes on behind the value, at character 5",
		`[?]`:             `'?' was found where a value is expected`,
	} {
		require.Contains(t, encode(e, str(text), nil), want, text)
	}
}

func TestTypeOf(t *testing.T) {
	array := func(s *data.Schema) *data.Schema { return data.ArrayBuilder(s).MustBuild() }
	row := data.StructBuilder().Field("a", data.Int8Schema).MustBuild()
	node := data.NewReference()
	list := data.StructBuilder().Field("next", node.Optional()).MustBuild()
	require.NoError(t, node.Bind(list))
	for want, s := range map[string]*data.Schema{
		"tinyint": data.Int8Schema, "smallint": data.Int16Schema, "int": data.OptionalInt32Schema, "bigint": data.Int64Schema, "float": data.Float32Schema,
		"double": data.Float64Schema, "boolean": data.BooleanSchema, "text": data.StringSchema, "blob": data.BytesSchema, "decimal": data.DecimalSchema(3),
		"date": data.DateSchema, "time": data.TimeSchema, "timestamp": data.OptionalTimestampSchema, "list<int>": array(data.Int32Schema),
		"list<frozen<list<timestamp>>>":        array(array(data.TimestampSchema)),
		"map<text, frozen<map<int, decimal>>>": mustMap(t, data.StringSchema, mustMap(t, data.Int32Schema, data.DecimalSchema(1))),
	} {
		got, err := cqlvalue.TypeOf(s)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for want, s := range map[string]*data.Schema{
		"schemaless data has no CQL type":                    nil,
		"a struct has no CQL type":                           row,
		"elements of an array: a struct has no CQL type":     array(row),
		"values of a map: a struct has no CQL type":          mustMap(t, data.StringSchema, row),
		"keys of a map: a struct has no CQL type of itself;": mustMap(t, row, data.StringSchema),
		"elements of an array: schemaless data":              data.NewBuilder(data.KindArray).MustBuild(),
	} {
		got, err := cqlvalue.TypeOf(s)
		require.ErrorContains(t, err, want)
		require.Empty(t, got)
	}
	deep := data.Int8Schema
	for range 200 {
		deep = array(deep)
	}
	_, err := cqlvalue.TypeOf(deep)
	require.ErrorContains(t, err, "nested deeper than 100 levels")
}
