package converters_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

func newJSON(t testing.TB, change ...func(*converters.JSONConfig)) *converters.JSONConverter {
	t.Helper()
	c := converters.DefaultJSONConfig()
	for _, f := range change {
		f(&c)
	}
	j, err := converters.NewJSON(c)
	require.NoError(t, err)
	return j
}

func schemaless(c *converters.JSONConfig) { c.SchemasEnable = false }

func encodeText(t testing.TB, c connect.Converter, s *data.Schema, v data.Value) string {
	t.Helper()
	out, null, err := c.AppendEncode(t.Context(), nil, &connect.Wire{}, connect.Datum{Schema: s, Value: v})
	require.NoError(t, err)
	require.False(t, null)
	return string(out)
}

func decodeText(t testing.TB, c connect.Converter, text string) connect.Datum {
	t.Helper()
	d, err := c.Decode(t.Context(), &connect.Wire{}, []byte(text))
	require.NoError(t, err, text)
	return d
}

func failText(t testing.TB, c connect.Converter, text string) error {
	t.Helper()
	_, err := c.Decode(t.Context(), &connect.Wire{}, []byte(text))
	return err
}

// TestEnvelopeOrder: members may stand in any order, doubled ones count last, and
// others are not allowed.
func TestEnvelopeOrder(t *testing.T) {
	j := newJSON(t)
	for text, want := range map[string]string{
		`{"schema":{"type":"int32"},"payload":1}`:                                       "1",
		`{"payload":2,"schema":{"type":"int32"}}`:                                       "2",
		` { "schema" : {"type":"int32"} , "payload" : 3 } trailing`:                     "3",
		`{"schema":{"type":"int32"},"payload":1,"payload":4}`:                           "4",
		`{"schema":{"type":"string"},"payload":5,"schema":{"type":"int32"}}`:            "5",
		`{"schema":{"type":"int32"},"schema":{"type":"int32"},"payload":6}`:             "6",
		`{"payload":"x","schema":{"type":"int32"},"payload":7}`:                         "7",
		`{"\u0073chema":{"type":"int32"},"payl\u006fad":8}`:                             "8",
		`{"schema":null,"payload":9}`:                                                   "9",
		`{"payload":10,"schema":null}`:                                                  "10",
		"\ufeff" + `{"schema":{"type":"int32"},"payload":11}`:                           "11",
		`{"schema":{"type":"int32"},"payload":12}{"schema":{"type":"string"}}`:          "12",
		`{"schema":{"type":"int32","unknown":{"a":[1]},"optional":false},"payload":13}`: "13",
	} {
		assert.Equal(t, want, decodeText(t, j, text).Value.String(), text)
	}
	for _, bad := range []string{
		`{"schema":{"type":"int32"}}`, `{"payload":1}`, `{"schema":{"type":"int32"},"payload":1,"x":1}`, `{"x":1,"schema":{"type":"int32"},"payload":1}`,
		`{"schema":{"type":"int32"},"schema":{"type":"int32"}}`, `{}`, `[]`, "1", "",
	} {
		assert.Error(t, failText(t, j, bad), bad)
	}
	assert.ErrorContains(t, failText(t, j, `{"a":1}`), `requires "schema" and "payload" fields`)
}

// TestSchemaPointer: equal bytes of a schema are one *data.Schema, also when
// others come between, and different bytes of the same meaning equal each other.
func TestSchemaPointer(t *testing.T) {
	j := newJSON(t)
	text := func(doc string, n int) string {
		return fmt.Sprintf(`{"schema":{"type":"int32","doc":%q},"payload":%d}`, doc, n)
	}
	first := decodeText(t, j, text("a", 1))
	assert.Same(t, first.Schema, decodeText(t, j, text("a", 2)).Schema)
	other := decodeText(t, j, text("b", 1))
	assert.NotSame(t, first.Schema, other.Schema)
	assert.Same(t, first.Schema, decodeText(t, j, text("a", 3)).Schema)
	assert.Same(t, first.Schema, decodeText(t, j, `{"payload":4,"schema":{"type":"int32","doc":"a"}}`).Schema)
	assert.True(t, first.Schema.Equal(decodeText(t, j, `{"payload":4,"schema":{"doc":"a","type":"int32"}}`).Schema))
}

// TestSchemaKeepsNoRecord: a schema outlives the buffer that it came in, so it
// must not alias it.
func TestSchemaKeepsNoRecord(t *testing.T) {
	j := newJSON(t)
	text := []byte(`{"schema":{"type":"struct","name":"Row","doc":"about","parameters":{"k":"v"},"fields":[` +
		`{"type":"string","default":"dflt","field":"name"},{"type":"bytes","default":"YWJj","field":"raw"}]},"payload":{}}`)
	d, err := j.Decode(t.Context(), nil, text)
	require.NoError(t, err)
	for i := range text {
		text[i] = '#'
	}
	s := d.Schema
	v, _ := s.Parameter("k")
	assert.Equal(t, []string{"Row", "about", "v", "name", "dflt"},
		[]string{s.Name(), s.Doc(), v, s.Fields()[0].Name, s.Fields()[0].Schema.Default().String()})
	assert.True(t, data.Equal(data.Bytes([]byte("abc")), s.Fields()[1].Schema.Default()))
}

// TestCacheIsBounded: a converter whose cache holds two schemas works with any
// number of them, both ways.
func TestCacheIsBounded(t *testing.T) {
	for _, size := range []int{-1, 0, 1, 2, 7} {
		j := newJSON(t, func(c *converters.JSONConfig) { c.SchemasCacheSize = size })
		for round := range 3 {
			for i := range 20 {
				s := data.NewBuilder(data.KindInt32).Doc(fmt.Sprint("schema ", i)).MustBuild()
				v := data.Int32(int32(round))
				text := encodeText(t, j, s, v)
				assert.Equal(t, fmt.Sprintf(`{"schema":{"type":"int32","optional":false,"doc":"schema %d"},"payload":%d}`, i, round), text)
				got := decodeText(t, j, text)
				assert.True(t, s.Equal(got.Schema))
				assert.True(t, data.Equal(v, got.Value))
			}
		}
	}
}

// TestCacheLetsGo: schemas that fell out of the cache are collected.
func TestCacheLetsGo(t *testing.T) {
	j := newJSON(t, func(c *converters.JSONConfig) { c.SchemasCacheSize = 2 })
	const n = 50
	collected := make(chan struct{}, n)
	for i := range n {
		s := data.NewBuilder(data.KindInt32).Doc(fmt.Sprint(i)).MustBuild()
		runtime.AddCleanup(s, func(c chan struct{}) { c <- struct{}{} }, collected)
		encodeText(t, j, s, data.Int32(1))
	}
	const kept = 4 // two by pointer, two by hash
	for left, tries := n-kept, 0; left > 0; tries++ {
		require.Less(t, tries, 10_000, "%d schemas more than the caches hold are kept", left)
		runtime.GC()
		select {
		case <-collected:
			left--
		default:
			runtime.Gosched()
		}
	}
	runtime.KeepAlive(j)
}

// TestEqualSchemas: a struct of an equal schema of another pointer is written,
// one of another schema is not.
func TestEqualSchemas(t *testing.T) {
	build := func(name string) *data.Schema {
		inner := data.StructBuilder().Field(name, data.Int32Schema).MustBuild()
		return data.StructBuilder().Field("inner", inner).MustBuild()
	}
	row := func(s *data.Schema) data.Value {
		in, err := data.NewStruct(s.Fields()[0].Schema)
		require.NoError(t, err)
		in.Set(0, data.Int32(7))
		out, err := data.NewStruct(s)
		require.NoError(t, err)
		out.Set(0, data.StructOf(in))
		return data.StructOf(out)
	}
	j := newJSON(t, schemaless)
	a, b := build("x"), build("x")
	for range 3 {
		assert.Equal(t, `{"inner":{"x":7}}`, encodeText(t, j, a, row(a)))
		assert.Equal(t, `{"inner":{"x":7}}`, encodeText(t, j, a, row(b)))
		assert.Equal(t, `{"inner":{"x":7}}`, encodeText(t, j, b, row(a)))
	}
	_, _, err := j.AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: a, Value: row(build("y"))})
	assert.ErrorContains(t, err, "Mismatching schema")
	mixed, err := data.NewStruct(a)
	require.NoError(t, err)
	other, _ := row(build("y")).Struct()
	mixed.Set(0, other.Raw(0))
	_, _, err = j.AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: a, Value: data.StructOf(mixed)})
	assert.ErrorContains(t, err, `field "inner": Mismatching schema`)
}

// TestRecursion: recursive schemas have no JSON form, their values do, as far
// as the limit of depth.
func TestRecursion(t *testing.T) {
	ref := data.NewReference()
	node := data.StructBuilder().Name("Node").Field("n", data.Int32Schema).Field("next", ref.Optional()).MustBuild()
	require.NoError(t, ref.Bind(node))
	list := func(n int) data.Value {
		var v data.Value
		for i := range n {
			s := ref.Optional() // what field next takes, optional and all
			if i == n-1 {
				s = node
			}
			x, err := data.NewStruct(s)
			require.NoError(t, err)
			x.Set(0, data.Int32(int32(i)))
			x.Set(1, v)
			v = data.StructOf(x)
		}
		return v
	}
	plain := newJSON(t, schemaless)
	assert.Equal(t, `{"n":2,"next":{"n":1,"next":{"n":0,"next":null}}}`, encodeText(t, plain, node, list(3)))
	encodeText(t, plain, node, list(1000))
	_, _, err := plain.AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: node, Value: list(1001)})
	assert.ErrorContains(t, err, "deeper than 1000")
	for range 2 {
		_, _, err = newJSON(t).AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: node, Value: list(1)})
		assert.ErrorContains(t, err, "recursive schema")
	}
}

// TestDepth: deep texts, schemas and values are errors, whatever their depth.
func TestDepth(t *testing.T) {
	with, without := newJSON(t), newJSON(t, schemaless)
	const deep = 1_000_000
	for _, text := range []string{
		strings.Repeat("[", deep), strings.Repeat(`{"a":`, deep),
		`{"schema":` + strings.Repeat(`{"type":"array","items":`, deep),
		`{"payload":1,"schema":` + strings.Repeat(`{"type":"array","items":`, deep),
		`{"schema":null,"payload":` + strings.Repeat("[", deep),
		`{"schema":{"type":"int32"},"payload":` + strings.Repeat("[", deep),
	} {
		if text[0] == '{' { // an array is no envelope, however deep
			assert.ErrorContains(t, failText(t, with, text), "deeper than 1000")
		}
		assert.ErrorContains(t, failText(t, without, text), "deeper than 1000")
	}
	v := data.Int8(1)
	for range 1001 {
		v = data.ArrayOf(v)
	}
	for _, j := range []*converters.JSONConverter{with, without} {
		_, _, err := j.AppendEncode(t.Context(), nil, nil, connect.Datum{Value: v})
		assert.ErrorContains(t, err, "deeper than 1000")
	}
	s := data.Int8Schema
	for range 1001 {
		s = data.ArrayBuilder(s).MustBuild()
	}
	_, _, err := with.AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: s, Value: data.ArrayOf()})
	assert.ErrorContains(t, err, "deeper than 1000")
}

// TestRowFieldsAreBounded: a short text can not ask for memory without end.
func TestRowFieldsAreBounded(t *testing.T) {
	var fields []string
	for i := range 5000 {
		fields = append(fields, fmt.Sprintf(`{"type":"int8","optional":true,"field":"f%d"}`, i))
	}
	schema := `{"type":"array","items":{"type":"struct","fields":[` + strings.Join(fields, ",") + `]}}`
	rows := func(n int) string {
		return `{"schema":` + schema + `,"payload":[{}` + strings.Repeat(",{}", n-1) + `]}`
	}
	j := newJSON(t)
	decodeText(t, j, rows(10))
	assert.ErrorContains(t, failText(t, j, rows(4000)), "fields")
}

// TestWideStruct has more fields than fit the set on the stack, in another order
// than the schema's.
func TestWideStruct(t *testing.T) {
	b := data.StructBuilder()
	const width = 700
	for i := range width {
		b.Field(fmt.Sprint("f", i), data.NewBuilder(data.KindInt32).Default(data.Int32(-1)).MustBuild())
	}
	s := b.MustBuild()
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	var members []string
	for i := width - 1; i >= 0; i -= 2 {
		x.Set(i, data.Int32(int32(i)))
		members = append(members, fmt.Sprintf(`"f%d":%d`, i, i))
	}
	for i := 0; i < width; i += 2 {
		x.Set(i, data.Int32(-1))
	}
	j := newJSON(t)
	envelope := encodeText(t, j, s, data.StructOf(x))
	schema, _, _ := strings.Cut(envelope, `,"payload":`)
	got := decodeText(t, j, schema+`,"payload":{`+strings.Join(members, ",")+`,"f1":1}}`)
	assert.True(t, data.Equal(data.StructOf(x), got.Value))
}

// TestDefaultOfStruct: the default of a struct, whose schema has no default,
// comes under the schema of its place, so that the row around it is valid.
func TestDefaultOfStruct(t *testing.T) {
	text := `{"schema":{"type":"struct","fields":[{"field":"s","type":"struct","fields":[{"field":"q","type":"int8"}],"default":{"q":3}}]},"payload":{"s":null}}`
	d := decodeText(t, newJSON(t), text)
	x, ok := d.Value.Struct()
	require.True(t, ok)
	assert.NoError(t, x.Validate())
	assert.Equal(t, "Struct{s=Struct{q=3}}", x.String())
}

// TestLenientPayloads has what the vectors leave open.
func TestLenientPayloads(t *testing.T) {
	j := newJSON(t)
	for text, want := range map[string]string{
		`{"schema":{"type":"array","items":{"type":"string"}},"payload":["a",1,null]}`:                                             "!",
		`{"schema":{"type":"array","items":{"type":"string"}},"payload":["a",1]}`:                                                  "[a, null]",
		`{"schema":{"type":"struct","fields":[{"field":"a","type":"array","items":{"type":"string"}}]},"payload":{"a":["x",1]}}`:   "!",
		`{"schema":{"type":"struct","fields":[{"field":"a","type":"string","optional":true}]},"payload":{"a":1}}`:                  "Struct{}",
		`{"schema":{"type":"struct","fields":[{"field":"a","type":"string","optional":true,"default":"d"}]},"payload":{"a":1}}`:    "Struct{}",
		`{"schema":{"type":"struct","fields":[{"field":"a","type":"string","optional":true,"default":"d"}]},"payload":{"a":null}}`: "Struct{a=d}",
		`{"schema":{"type":"struct","fields":[{"field":"a","type":"bytes"}]},"payload":{"a":[]}}`:                                  "!",
		`{"schema":{"type":"struct","fields":[{"field":"a","type":"int8"}]},"payload":{"a":1,"a":2,"b":[{}]}}`:                     "Struct{a=2}",
		`{"schema":{"type":"array","items":{"type":"int8"}},"payload":{"a":1}}`:                                                    "!",
		`{"schema":{"type":"array","items":{"type":"int8"}},"payload":5}`:                                                          "!",
		`{"schema":{"type":"array","items":null},"payload":[]}`:                                                                    "!",
		`{"schema":{"type":"array"},"payload":[]}`:                                                                                 "!",
		`{"schema":{"type":"map","keys":null,"values":{"type":"int8"}},"payload":{}}`:                                              "!",
		`{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}},"payload":[[1,2],[3,4],[1,5]]}`:                  "{1=5, 3=4}",
		`{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}},"payload":[[1]]}`:                                "!",
		`{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}},"payload":[[1,2,3]]}`:                            "!",
		`{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}},"payload":[[]]}`:                                 "!",
		`{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}},"payload":[1]}`:                                  "!",
		`{"schema":{"type":"map","keys":{"type":"int8","optional":true},"values":{"type":"int8"}},"payload":[[null,1]]}`:           "{null=1}",
		`{"schema":{"type":"int8","default":null},"payload":1}`:                                                                    "1",
		`{"schema":{"type":"int8","parameters":[]},"payload":1}`:                                                                   "1",
		`{"schema":{"type":"int8","parameters":{"a":1}},"payload":1}`:                                                              "!",
		`{"schema":{"type":"int8","version":2.0},"payload":1}`:                                                                     "1",
		`{"schema":{"type":"string","default":5},"payload":"x"}`:                                                                   "!",
		`{"schema":{"type":"string","default":5,"optional":true},"payload":"x"}`:                                                   "x",
		`{"schema":{"type":"array","items":{"type":"int8"},"default":5},"payload":[]}`:                                             "!",
		`{"schema":{"type":"struct","fields":[{"type":"int8"}]},"payload":{}}`:                                                     "!",
		`{"schema":{"type":"struct","fields":[{"type":"int8","field":""}]},"payload":{"":1}}`:                                      "!",
		`{"schema":{"type":"struct","fields":["a"]},"payload":{}}`:                                                                 "!",
		`{"schema":"int8","payload":1}`: "!",
		`{"schema":7,"payload":1}`:      "!",
		`{"schema":[],"payload":1}`:     "!",
		`{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},"payload":1e2147483647}`: "1E+2147483647",
		`{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},"payload":""}`:           "!",
		`{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},"payload":"*"}`:          "!",
		`{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},"payload":true}`:         "!",
		`{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date"},"payload":2147483648}`:                                 "!",
		`{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date"},"payload":1.0}`:                                        "!",
	} {
		d, err := j.Decode(t.Context(), nil, []byte(text))
		if want == "!" {
			var de *data.Error
			assert.ErrorAs(t, err, &de, text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, d.Value.String(), text)
	}
}

// TestManyDoubledKeys crosses the size from which keys are hashed.
func TestManyDoubledKeys(t *testing.T) {
	j := newJSON(t, schemaless)
	for _, n := range []int{1, 15, 16, 17, 40, 1000} {
		var members []string
		for i := range 2 * n {
			members = append(members, fmt.Sprintf(`"k%d":%d`, i%n, i))
		}
		pairs, ok := decodeText(t, j, "{"+strings.Join(members, ",")+"}").Value.Map()
		require.True(t, ok)
		require.Len(t, pairs, n)
		for i, p := range pairs {
			assert.Equal(t, fmt.Sprint("k", i), p.Key.String(), "a key stays in its place")
			assert.Equal(t, fmt.Sprint(n+i), p.Value.String(), "the last value counts")
		}
	}
	with := newJSON(t)
	for _, key := range []string{
		`{"type":"array","items":{"type":"string"}}`, `{"type":"struct","fields":[{"field":"a","type":"float","optional":true}]}`,
		`{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}}`, `{"type":"bytes"}`, `{"type":"boolean"}`,
	} {
		keys := map[byte]string{'a': `["x","y"]`, 's': `{"a":1.5}`, 'm': `{"x":1,"y":2}`, 'b': `"YWI="`}[key[9]]
		if strings.Contains(key, "boolean") {
			keys = "true"
		}
		entries := strings.TrimSuffix(strings.Repeat("["+keys+",1],", 30), ",")
		text := `{"schema":{"type":"map","keys":` + key + `,"values":{"type":"int8"}},"payload":[` + entries + `]}`
		pairs, _ := decodeText(t, with, text).Value.Map()
		assert.Len(t, pairs, 1, text)
	}
}

// TestEncodeErrorsSayWhere names the path to what does not fit.
func TestEncodeErrorsSayWhere(t *testing.T) {
	s := data.StructBuilder().Field("list", data.ArrayBuilder(data.MapBuilder(data.StringSchema, data.Int32Schema).MustBuild()).MustBuild()).MustBuild()
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	x.Set(0, data.ArrayOf(data.MapOf(), data.MapOf(data.Pair{Key: data.String("k"), Value: data.String("x")})))
	_, _, err = newJSON(t).AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: s, Value: data.StructOf(x)})
	assert.EqualError(t, err, `field "list": element 1: map key "k": Invalid type for INT32: found STRING`)
	err = failText(t, newJSON(t), `{"schema":{"type":"struct","fields":[{"field":"a","type":"array","items":{"type":"int8"}}]},"payload":{"a":[1,null]}}`)
	assert.EqualError(t, err, `field "a": element 1: Invalid null value for required INT8 field`)
	err = failText(t, newJSON(t, schemaless), `{"a":nope}`)
	assert.ErrorContains(t, err, "Converting byte[] to Kafka Connect data failed due to serialization error: ")
	assert.ErrorContains(t, err, "byte 5")
}

// TestMessagesOfDeadLetters: what is wrong with the records of recorded dead
// letters is said in Java's words, to the last blank.
func TestMessagesOfDeadLetters(t *testing.T) {
	type letter struct {
		Value   []byte
		Headers []struct {
			Key   string
			Value []byte
		}
	}
	j := newJSON(t)
	n := goldentest.Each(t, "../testdata/dlq.jsonl", func(t *testing.T, l letter) {
		_, err := j.Decode(t.Context(), nil, l.Value)
		e, ok := err.(*data.Error)
		require.True(t, ok, "%v", err)
		for _, h := range l.Headers {
			if h.Key == "__connect.errors.exception.message" {
				assert.Equal(t, string(h.Value), e.Message)
			}
		}
	})
	assert.Equal(t, 96, n)
	assert.EqualError(t, failText(t, j, "alpha"), "Converting byte[] to Kafka Connect data failed due to serialization error: found 'a' where a value should be at byte 0")
	assert.ErrorContains(t, failText(t, j, " \n"), "JsonConverter with schemas.enable requires")
	assert.Equal(t, connect.Datum{}, decodeText(t, newJSON(t, schemaless), " \n"), "no text is null, where no envelope is wanted")
}

// TestNullAndEmpty: null without a schema is a tombstone, under one it is text.
func TestNullAndEmpty(t *testing.T) {
	for _, j := range []*converters.JSONConverter{newJSON(t), newJSON(t, schemaless)} {
		out, null, err := j.AppendEncode(t.Context(), []byte("x"), nil, connect.Datum{})
		assert.NoError(t, err)
		assert.True(t, null)
		assert.Equal(t, "x", string(out))
		d, err := j.Decode(t.Context(), nil, nil)
		assert.NoError(t, err)
		assert.Equal(t, connect.Datum{}, d)
	}
	assert.Error(t, failText(t, newJSON(t), ""), "no bytes are no envelope")
	assert.Equal(t, "null", encodeText(t, newJSON(t, schemaless), data.OptionalStringSchema, data.Value{}))
}

// TestMapKeys: what stands for keys that are null or have a default.
func TestMapKeys(t *testing.T) {
	one := func(k data.Value) data.Value { return data.MapOf(data.Pair{Key: k, Value: data.Int8(1)}) }
	j := newJSON(t, schemaless)
	withDefault := data.NewBuilder(data.KindString).Optional().Default(data.String("d")).MustBuild()
	assert.Equal(t, `{"null":1}`, encodeText(t, j, data.MapBuilder(data.OptionalStringSchema, data.Int8Schema).MustBuild(), one(data.Value{})))
	assert.Equal(t, `{"d":1}`, encodeText(t, j, data.MapBuilder(withDefault, data.Int8Schema).MustBuild(), one(data.Value{})))
	assert.Equal(t, `[[null,1]]`, encodeText(t, j, nil, one(data.Value{})))
	_, _, err := j.AppendEncode(t.Context(), nil, nil, connect.Datum{
		Schema: data.MapBuilder(data.StringSchema, data.Int8Schema).MustBuild(), Value: one(data.Value{}),
	})
	assert.ErrorContains(t, err, "null value for field that is required")
}

func TestJSONConfig(t *testing.T) {
	var c converters.JSONConfig
	require.NoError(t, config.Decode(config.Props{"converter.type": "key"}, &c))
	want := converters.DefaultJSONConfig()
	want.Use = converters.ForKey
	assert.Equal(t, want, c)

	_, err := converters.NewJSON(converters.JSONConfig{SchemasEnable: true, SchemaContent: `{"type":"nope"}`})
	var key *config.KeyError
	require.ErrorAs(t, err, &key)
	assert.Equal(t, "schema.content", key.Key)
	assert.ErrorContains(t, err, "Unknown schema type: nope")

	_, err = converters.JSON.NewConverter(config.Props{"converter.type": "value", "decimal.format": "HEX"})
	require.ErrorAs(t, err, &key)
	assert.Equal(t, "decimal.format", key.Key)

	var names []string
	for _, k := range config.Keys(converters.JSON.Config()) {
		names = append(names, k.Name)
		assert.NotEmpty(t, k.Doc, k.Name)
	}
	assert.Equal(t, []string{"converter.type", "schemas.enable", "schemas.cache.size", "schema.content", "decimal.format", "replace.null.with.default"}, names)
}

// TestSchemaContent: a fixed schema is read without envelope, and survives any
// number of others in the cache.
func TestSchemaContent(t *testing.T) {
	j := newJSON(t, func(c *converters.JSONConfig) {
		c.SchemaContent, c.SchemasCacheSize = ` {"type":"struct","fields":[{"field":"a","type":"int32"}]} `, 1
	})
	first := decodeText(t, j, `{"a":1}`)
	assert.Same(t, first.Schema, decodeText(t, j, `{"a":2}`).Schema)
	assert.Equal(t, `{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false},"payload":{"a":1}}`,
		encodeText(t, j, first.Schema, first.Value))
}

// TestStdlibAgrees: whatever is written is JSON.
func TestStdlibAgrees(t *testing.T) {
	s, v := eightFields(t)
	text := encodeText(t, newJSON(t), s, v)
	assert.True(t, json.Valid([]byte(text)), text)
}
