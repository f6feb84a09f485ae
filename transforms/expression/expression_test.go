package expression

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

func plugin(t testing.TB, class string) connect.Plugin {
	for _, p := range All() {
		if p.Info().Class == class {
			return p
		}
	}
	require.Fail(t, "no plugin "+class)
	return connect.Plugin{}
}

// record has fields of every sort.
func record(t testing.TB) connect.Record {
	inner := data.StructBuilder().Field("city", data.StringSchema).MustBuild()
	s := data.StructBuilder().Name("com.example.Order").Field("id", data.Int32Schema).Field("amount", data.Float64Schema).Field("price", data.DecimalSchema(2)).
		Field("paid", data.BooleanSchema).Field("note", data.OptionalStringSchema).Field("at", data.TimestampSchema).Field("raw", data.BytesSchema).
		Field("tags", data.ArrayBuilder(data.StringSchema).MustBuild()).Field("counts", data.MapBuilder(data.StringSchema, data.Int64Schema).MustBuild()).
		Field("address", inner).MustBuild()
	address, err := data.NewStruct(inner)
	require.NoError(t, err)
	address.Set(0, data.String("Bern"))
	row, err := data.NewStruct(s)
	require.NoError(t, err)
	for i, v := range []data.Value{data.Int32(7), data.Float64(2.5), data.DecimalOf(data.DecimalFromInt64(1999, 2)), data.Boolean(true), {},
		data.DateMillis(1_700_000_000_000), data.Bytes([]byte("ab")), data.ArrayOf(data.String("a"), data.String("b")),
		data.MapOf(data.Pair{Key: data.String("x"), Value: data.Int64(3)}), data.StructOf(address)} {
		row.Set(i, v)
	}
	return connect.Record{Topic: "orders", Partition: connect.On(3), Offset: 42, Timestamp: time.UnixMilli(1_700_000_000_000),
		Key: connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("k"), Value: data.Int64(1)}, data.Pair{Key: data.Int64(5), Value: data.Value{}})}, Value: connect.Datum{Schema: s, Value: data.StructOf(row)},
		Headers: []connect.Header{{Key: "h", Datum: connect.Datum{Value: data.String("first")}}, {Key: "h", Datum: connect.Datum{Value: data.String("last")}}}}
}

func TestConditions(t *testing.T) {
	r := record(t)
	for expr, want := range map[string]bool{
		`true`:             true,
		`value.amount > 2`: true, // int and double compare
		`value.id == 7`:    true,
		`value.price > 19.98 && value.price < 20.0`:                              true,
		`value.paid && value.address.city == "Bern"`:                             true,
		`value.note == null`:                                                     true,
		`has(value.note)`:                                                        true,
		`has(value.missing)`:                                                     false,
		`"id" in value && !("x" in value)`:                                       true,
		`value["id"] == 7`:                                                       true,
		`value.tags.exists(t, t == "b") && value.tags[0] == "a"`:                 true,
		`value.tags == ["a", "b"]`:                                               true,
		`size(value.tags) == 2 && size(value.counts) == 1`:                       true,
		`value.counts == {"x": 3}`:                                               true,
		`{"x": 3} == value.counts`:                                               true,
		`value.counts == {"x": 4}`:                                               false,
		`value.address == {"city": "Bern"}`:                                      true,
		`value.address == value.address`:                                         true,
		`value.exists(name, name == "paid")`:                                     true,
		`value.counts.all(k, value.counts[k] > 2)`:                               true,
		`type(value) == map && map == type(value.address)`:                       true,
		`value.at == timestamp("2023-11-14T22:13:20Z")`:                          true,
		`value.at.getFullYear() == 2023 && value.at - duration("1h") < value.at`: true,
		`value.raw == b"ab"`:                                                     true,
		`topic.startsWith("ord") && topic.matches("^o.*s$")`:                     true,
		`partition == 3 && offset == 42 && timestamp == value.at`:                true,
		`headers.h == "last" && !("x" in headers) && size(headers) == 1`:         true,
		`headers == {"h": "last"}`:                                               true,
		`valueSchema == "com.example.Order" && keySchema == ""`:                  true,
		`key.k == 1 && key[5] == null && !(6 in key)`:                            true,
		`key.exists(k, k == 5)`:                                                  true,
		`topic.upperAscii() == "ORDERS" && "ÄB".lowerAscii() == "Äb"`:            true,
		`" a ".trim() == "a" && "a-b".split("-") == ["a", "b"]`:                  true,
		`"abc".replace("b", "xx") == "axxc"`:                                     true,
		`"äbc".indexOf("c") == 2 && "äbc".indexOf("x") == -1`:                    true,
		`"äbc".substring(1) == "bc" && "äbc".substring(0, 2) == "äb"`:            true,
	} {
		x, err := plugin(t, "ExpressionMatches").NewPredicate(config.Props{"condition": expr})
		require.NoError(t, err, expr)
		got, err := x.Test(t.Context(), &r)
		require.NoError(t, err, expr)
		assert.Equal(t, want, got, expr)
		f, err := plugin(t, "ExpressionFilter").NewTransform(config.Props{"condition": expr})
		require.NoError(t, err)
		keep, err := f.Apply(t.Context(), &r)
		require.NoError(t, err)
		assert.Equal(t, want, keep, expr)
	}
}

func TestConditionsThatFail(t *testing.T) {
	r := record(t)
	for expr, want := range map[string]string{
		`value.missing == 1`:          "no such key: missing",
		`value.id`:                    "it gave int, want bool",
		`value.note > 3`:              "no such overload",
		`value.tags[7] == ""`:         "index out of bounds",
		`key[6] == null`:              "no such key: 6",
		`value.id / 0 == 1`:           "division by zero",
		`"abc".substring(2, 1) == ""`: "substring(2, 1)",
		`string(value) == ""`:         "no such overload: string(map)",
		`headers["x"] == ""`:          "no such key: x",
		strings.Repeat("value.id == 8 || ", 20) + "value.x": "...",
	} {
		x, err := plugin(t, "ExpressionMatches").NewPredicate(config.Props{"condition": expr})
		require.NoError(t, err, expr)
		_, err = x.Test(t.Context(), &r)
		assert.ErrorContains(t, err, want, expr)
	}
}

func TestLimits(t *testing.T) {
	r := record(t)
	elems := make([]data.Value, 3000)
	for i := range elems {
		elems[i] = data.Int64(int64(i))
	}
	r.Value = connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("list"), Value: data.ArrayOf(elems...)},
		data.Pair{Key: data.String("text"), Value: data.String(strings.Repeat("a", 2000))})}
	square := `value.list.all(a, value.list.all(b, a + b >= 0))`
	for name, c := range map[string]struct {
		props config.Props
		want  string
	}{
		"cost":       {config.Props{"condition": square, "timeout.ms": "60000"}, "cost limit"},
		"small cost": {config.Props{"condition": `value.list.all(a, a >= 0)`, "cost.limit": "100"}, "cost limit"},
		"time":       {config.Props{"condition": square, "cost.limit": "1000000000000", "timeout.ms": "20"}, "deadline"},
		"replace":    {config.Props{"condition": `value.text.replace("a", value.text) == ""`}, "more than 1048576 bytes"},
	} {
		x, err := plugin(t, "ExpressionMatches").NewPredicate(c.props)
		require.NoError(t, err)
		start := time.Now()
		_, err = x.Test(t.Context(), &r)
		assert.ErrorContains(t, err, c.want, name)
		assert.Less(t, time.Since(start), 5*time.Second)
	}
	r.Value.Value = data.MapOf(data.Pair{Key: data.String("text"), Value: data.String(strings.Repeat("a", 100_000))})
	x, err := plugin(t, "ExpressionMatches").NewPredicate(config.Props{"condition": `value.text.split("") == []`})
	require.NoError(t, err)
	_, err = x.Test(t.Context(), &r)
	assert.ErrorContains(t, err, "more than 65536 texts")
}

func TestRouter(t *testing.T) {
	for expr, want := range map[string]string{
		`topic + "-" + value.address.city.lowerAscii()`: "orders-bern",
		`value.amount > 100 ? "large" : topic`:          "orders",
		`value.note`:                                    "orders",
	} {
		x, err := plugin(t, "ExpressionRouter").NewTransform(config.Props{"topic.expression": expr})
		require.NoError(t, err, expr)
		r := record(t)
		keep, err := x.Apply(t.Context(), &r)
		require.NoError(t, err)
		assert.True(t, keep)
		assert.Equal(t, want, r.Topic)
	}
	for _, expr := range []string{`value.id`, `""`} {
		x, err := plugin(t, "ExpressionRouter").NewTransform(config.Props{"topic.expression": expr})
		require.NoError(t, err, expr)
		r := record(t)
		_, err = x.Apply(t.Context(), &r)
		assert.ErrorContains(t, err, "want the name of a topic")
	}
}

func TestSet(t *testing.T) {
	props := config.Props{
		"fields": "total,id,text,day,flag,none,big,raw,f", "field.total": "value.amount * double(value.id)", "type.total": "FLOAT64",
		"field.id": "size(value.tags)", "field.text": "topic + '/' + value.address.city", "type.text": "string",
		"field.day": "timestamp", "type.day": "timestamp", "field.flag": "value.paid && true", "field.none": "null", "type.none": "int16",
		"field.big": "offset", "type.big": "int8", "field.raw": "b''", "field.f": "1.5", "type.f": "float32",
	}
	x, err := plugin(t, "Expression$Value").NewTransform(props)
	require.NoError(t, err)
	r := record(t)
	old := r.Value.Schema
	for range 2 {
		work := r
		keep, err := x.Apply(t.Context(), &work)
		require.NoError(t, err)
		assert.True(t, keep)
		require.NoError(t, data.Validate(work.Value.Schema, work.Value.Value, ""))
		row, _ := work.Value.Value.Struct()
		assert.Equal(t, `Struct{id=2,amount=2.5,price=19.99,paid=true,at=Tue Nov 14 22:13:20 UTC 2023,raw=,tags=[a, b],counts={x=3},address=Struct{city=Bern},`+
			`total=17.5,text=orders/Bern,day=Tue Nov 14 22:13:20 UTC 2023,flag=true,big=42,f=1.5}`, row.String())
		assert.Equal(t, old.Name(), work.Value.Schema.Name())
		f, _ := work.Value.Schema.Field("id")
		assert.Same(t, data.OptionalInt64Schema, f.Schema)
		assert.Equal(t, old, r.Value.Schema)
	}

	x, err = plugin(t, "Expression$Key").NewTransform(config.Props{"fields": "k,n", "field.k": "'x'", "field.n": "key.k + 1", "type.n": "int64"})
	require.NoError(t, err)
	_, err = x.Apply(t.Context(), &r)
	require.NoError(t, err)
	assert.Equal(t, "{k=x, 5=null, n=2}", r.Key.Value.String())

	x, err = plugin(t, "Expression$Value").NewTransform(config.Props{"fields": "n", "field.n": "offset * 10", "type.n": "int8"})
	require.NoError(t, err)
	_, err = x.Apply(t.Context(), &r)
	assert.ErrorContains(t, err, `field "n": expression offset * 10: 420 is out of the range of int8`)
}

func TestBadConfig(t *testing.T) {
	for name, c := range map[string]struct {
		class string
		props config.Props
		want  []string
	}{
		"syntax":         {"ExpressionFilter", config.Props{"condition": "value.x >"}, []string{"condition", "Syntax error", "1:10"}},
		"variable":       {"ExpressionFilter", config.Props{"condition": "recrod.x"}, []string{"undeclared reference to 'recrod'"}},
		"type":           {"ExpressionFilter", config.Props{"condition": "topic"}, []string{"gives string, want bool"}},
		"types":          {"ExpressionFilter", config.Props{"condition": "topic > 1"}, []string{"no matching overload"}},
		"limits":         {"ExpressionMatches", config.Props{"condition": "true", "cost.limit": "0", "timeout.ms": "0"}, []string{"cost.limit", "timeout.ms"}},
		"topic":          {"ExpressionRouter", config.Props{"topic.expression": "1 + 1"}, []string{"gives int, want string"}},
		"no expression":  {"Expression$Value", config.Props{"fields": "a,b"}, []string{"field.a", "field.b"}},
		"unknown type":   {"Expression$Value", config.Props{"fields": "a", "field.a": "value.x"}, []string{"type.a", "has to be configured"}},
		"no such type":   {"Expression$Value", config.Props{"fields": "a", "field.a": "value.x", "type.a": "map"}, []string{"type.a"}},
		"another type":   {"Expression$Value", config.Props{"fields": "a", "field.a": "topic", "type.a": "int8"}, []string{"gives string, that is no int8"}},
		"field's syntax": {"Expression$Value", config.Props{"fields": "a", "field.a": "("}, []string{"field.a", "Syntax error"}},
		"regex":          {"ExpressionFilter", config.Props{"condition": "topic.matches('a{1000}{1000}')"}, []string{"condition"}},
		"deep":           {"ExpressionFilter", config.Props{"condition": strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500)}, []string{"recursion"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := plugin(t, c.class)
			res := config.Validate(t.Context(), c.props, p.Config())
			assert.Positive(t, res.ErrorCount)
			text := ""
			for _, v := range res.Configs {
				text += v.Value.Name + strings.Join(v.Value.Errors, " ") + "\n"
			}
			for _, want := range c.want {
				assert.Contains(t, text, want)
			}
			var err error
			if p.Kind() == connect.PredicatePlugin {
				_, err = p.NewPredicate(c.props)
			} else {
				_, err = p.NewTransform(c.props)
			}
			assert.Error(t, err)
		})
	}
}

func TestConformance(t *testing.T) {
	r := record(t)
	r.Key = r.Value
	for _, p := range All() {
		t.Run(p.Info().Class, func(t *testing.T) {
			switch p.Info().Class {
			case "Expression$Key", "Expression$Value":
				props := config.Props{"fields": "n,text", "field.n": "size(topic)", "field.text": "topic"}
				connecttest.TestPlugin(t, p, props)
				connecttest.TestTransform(t, p, props, r)
			case "ExpressionRouter":
				props := config.Props{"topic.expression": "topic + '-x'"}
				connecttest.TestPlugin(t, p, props)
				connecttest.TestTransform(t, p, props, r)
			case "ExpressionFilter":
				props := config.Props{"condition": "has(value.id) && value.id == 7"}
				connecttest.TestPlugin(t, p, props)
				connecttest.TestTransform(t, p, props, r)
			default:
				connecttest.TestPlugin(t, p, config.Props{"condition": "true"})
			}
		})
	}
}

// Whatever the expression and the data, evaluation ends, without a panic, and leaves the record as it was.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{`value.tags.exists(t, t == "b")`, `value.counts == {"x": 3}`, `headers.map(k, headers[k])`, `string(value.at) + topic`, `[value, key].map(m, m.size())`} {
		f.Add(s)
	}
	r := record(f)
	before := r.Value.Value.String()
	f.Fuzz(func(t *testing.T, text string) {
		x, err := newCondition(ConditionConfig{Condition: text, limits: limits{cost: 10_000, timeout: time.Second}})
		if err != nil {
			return
		}
		if _, err := x.program.boolean(t.Context(), &r); err != nil && strings.Contains(err.Error(), "internal error") {
			t.Fatal(err)
		}
		if r.Value.Value.String() != before {
			t.Fatal("the record is not what it was")
		}
	})
}

func BenchmarkExpressions(b *testing.B) {
	for _, c := range []struct {
		name, class string
		props       config.Props
	}{
		{"filter", "ExpressionFilter", config.Props{"condition": `value.amount > 2 && value.address.city == "Bern" && topic.startsWith("or")`}},
		{"filter with a loop", "ExpressionFilter", config.Props{"condition": `value.tags.exists(t, t == "b")`}},
		{"router", "ExpressionRouter", config.Props{"topic.expression": `topic + "-" + value.address.city`}},
		{"set one field", "Expression$Value", config.Props{"fields": "total", "field.total": "value.amount * 2.0", "type.total": "float64"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			x, err := plugin(b, c.class).NewTransform(c.props)
			require.NoError(b, err)
			r := record(b)
			b.ReportAllocs()
			for b.Loop() {
				work := r
				if _, err := x.Apply(b.Context(), &work); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
