package data_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// TestParse has what the vectors leave out.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, schema, value string // schema and text of the value
	}{
		{"9223372036854775807", "Schema{INT64}", "9223372036854775807"},
		{"9223372036854775808", "Schema{org.apache.kafka.connect.data.Decimal:BYTES}", "9223372036854775808"},
		{"-1e400", "Schema{org.apache.kafka.connect.data.Decimal:BYTES}", "-1E+400"},
		{"1e-46", "Schema{FLOAT32}", "0.0"},
		{"3.5e38", "Schema{FLOAT64}", "3.5E38"},
		{"1e2147483647", "Schema{org.apache.kafka.connect.data.Decimal:BYTES}", "1E+2147483647"},
		{"1e2147483649", "Schema{STRING}", "1e2147483649"},
		{"true}", "Schema{STRING}", "true}"},
		{"true ", "Schema{BOOLEAN}", "true"},
		{" [1 , 2.5] ", "Schema{ARRAY}", "[1.0, 2.5]"},
		{"  [1", "Schema{STRING}", "  [1"},
		{"[1] and more", "Schema{ARRAY}", "[1]"},
		{`["open`, "Schema{STRING}", `["open`},
		{`["a, [b]"]`, "Schema{ARRAY}", "[a,[b]]"},
		{`{"a":1 , "b":70000}`, "Schema{MAP}", "{a=1, b=70000}"},
		{`{1:1, 1.0:2}`, "Schema{MAP}", "{1=2}"},
		{`{1.5:1, 3:2}`, "Schema{MAP}", "{1.5=1, 3.0=2}"},
		{"[70000, 2024-02-29]", "Schema{ARRAY}", "[Thu Aug 27 00:00:00 UTC 2161, Thu Feb 29 00:00:00 UTC 2024]"},
		{"[2024-02-29, 70000]", "Schema{STRING}", "[2024-02-29, 70000]"},
		{"0001-01-01", "Schema{org.apache.kafka.connect.data.Date:INT32}", "Sat Jan 01 00:00:00 UTC 1"},
		{"1582-10-14", "Schema{org.apache.kafka.connect.data.Date:INT32}", "Sun Oct 24 00:00:00 UTC 1582"},
		{"2023-02-29", "Schema{org.apache.kafka.connect.data.Date:INT32}", "Wed Mar 01 00:00:00 UTC 2023"},
		{"2024--1-01", "Schema{org.apache.kafka.connect.data.Date:INT32}", "Wed Nov 01 00:00:00 UTC 2023"},
		{"999999-1-1", "Schema{org.apache.kafka.connect.data.Date:INT32}", "Fri Jan 01 00:00:00 UTC 999999"},
		{"99:99:99.9Zxx", "Schema{org.apache.kafka.connect.data.Time:INT32}", "Mon Jan 05 04:40:39 UTC 1970"},
		{"99999999999-01-01T:::.Zxx", "Schema{STRING}", "99999999999-01-01T:::.Zxx"},
	} {
		t.Run(c.text, func(t *testing.T) {
			schema, v := data.Parse(c.text)
			assert.Equal(t, c.schema, schema.String())
			assert.Equal(t, c.value, v.String())
		})
	}
	_, v := data.Parse("0001-01-01")
	ms, _ := v.Millis()
	assert.EqualValues(t, -62135769600000, ms, "a date of the Julian calendar, as Java reads it")
}

// TestParseNesting: depth comes from outside, so it has a bound, and what goes beyond is text.
func TestParseNesting(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	schema, _ := data.Parse(nested(1000))
	assert.Equal(t, data.KindArray, schema.Kind())
	for _, text := range []string{nested(1001), nested(1_000_000), strings.Repeat("[", 1_000_000), strings.Repeat(`{1:`, 1_000_000)} {
		schema, v := data.Parse(text)
		assert.Same(t, data.StringSchema, schema)
		s, _ := v.Str()
		assert.Equal(t, len(text), len(s))
	}
}

// TestFormatParse: text in Connect's notation says the same after each round.
func TestFormatParse(t *testing.T) {
	g := newGenerator(2)
	containers := 0
	for range 5_000 {
		// Parse leaves nothing but its own kinds; from then on, text and value say the same.
		_, v := data.Parse(data.Format(g.value(3)))
		_, v = data.Parse(data.Format(v))
		text := data.Format(v)
		_, again := data.Parse(text)
		require.Equal(t, text, data.Format(again))
		if v.Kind() == data.KindArray || v.Kind() == data.KindMap {
			containers++
		}
	}
	assert.Greater(t, containers, 500)
}

func TestFormat(t *testing.T) {
	x, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	for want, v := range map[string]data.Value{
		"null":                      {},
		`a"\b`:                      data.String(`a"\b`),
		`["a\"\\b"]`:                data.ArrayOf(data.String(`a"\b`)),
		"AP8=":                      data.Bytes([]byte{0, 0xff}),
		`["AP8=",null]`:             data.ArrayOf(data.Bytes([]byte{0, 0xff}), data.Value{}),
		`{"id":null,"name":"none"}`: data.StructOf(x),
		`{1:"x","k":1.0E10}`:        data.MapOf(data.Pair{Key: data.Int8(1), Value: data.String("x")}, data.Pair{Key: data.String("k"), Value: data.Float64(1e10)}),
		"23:59:59.999Z":             data.DateMillis(-1),
		"1970-01-02":                data.DateMillis(day),
		"1970-01-02T00:00:00.001Z":  data.DateMillis(day + 1),
		"10000-01-01":               data.DateMillis(253402300800000),
		"5E+2":                      data.DecimalOf(mustDecimal(t, "5E+2")),
	} {
		t.Run(want, func(t *testing.T) {
			assert.Equal(t, want, data.Format(v))
			assert.Equal(t, "> "+want, string(data.AppendFormat([]byte("> "), v)))
		})
	}
}

// TestParseWidensInAnyOrder: the schema that numbers have in common does not depend on their order.
func TestParseWidensInAnyOrder(t *testing.T) {
	g := newGenerator(4)
	numbers := []string{"1", "-128", "300", "70000", "-9223372036854775808", "1.5", "1e39"}
	kinds := map[data.Kind]bool{}
	for range 1_000 {
		list := make([]string, 1+g.IntN(5))
		for i := range list {
			list[i] = numbers[g.IntN(len(numbers))]
		}
		first, _ := data.Parse("[" + strings.Join(list, ",") + "]")
		g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		again, _ := data.Parse("[" + strings.Join(list, ",") + "]")
		require.True(t, first.Equal(again), "%v: %s and %s", list, first.ElemSchema(), again.ElemSchema())
		kinds[first.ElemSchema().Kind()] = true
	}
	assert.Len(t, kinds, 6)
}

// FuzzParse: any text is read without panic, as a value of the schema beside it, and can be written again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "null", "[1, 2.5]", `{"a":[true,null],"b":{}}`, "2024-02-29T13:45:01.250Z", `12\:34\:56.789Z`, "1e400", "-", `["a\"b"]`, "１２", "[[[",
		"{1:1,2024-01-01:2}", "0000-00-00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		schema, v := data.Parse(text)
		if schema == nil {
			if !v.IsNull() {
				t.Fatalf("%q: %s without a schema", text, v)
			}
			return
		}
		if s, ok := v.Str(); ok && s != text {
			t.Fatalf("%q became %q", text, s)
		}
		if err := fits(schema, v); err != nil {
			t.Fatalf("%q: %s is no value of %s: %v", text, v, schema, err)
		}
		if utf8.ValidString(text) && !utf8.ValidString(data.Format(v)) {
			t.Fatalf("%q: damaged text", text)
		}
		if !data.Equal(v, data.Clone(v)) {
			t.Fatalf("%q: the clone of %s differs", text, v)
		}
	})
}

// fits validates a parsed value. Elements without a schema may be anything, and containers inside of an array are converted to the
// kind of its element schema only.
func fits(schema *data.Schema, v data.Value) error {
	if schema.Kind() != data.KindArray && schema.Kind() != data.KindMap {
		return data.Validate(schema, v, "")
	}
	if v.Kind() != schema.Kind() {
		return fmt.Errorf("found %s", v.Kind())
	}
	elems, _ := v.Array()
	pairs, _ := v.Map()
	for _, p := range pairs {
		elems = append(elems, p.Value)
		if key := schema.KeySchema(); key != nil && key.Kind().IsPrimitive() {
			if err := data.Validate(key, p.Key, "key"); err != nil {
				return err
			}
		}
	}
	elem := schema.ElemSchema()
	if elem == nil || !elem.Kind().IsPrimitive() {
		return nil
	}
	for _, e := range elems {
		if err := data.Validate(elem, e, "element"); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"some text", "12345", "2024-02-29T13:45:01.250Z", `{"a":1,"b":[1,2,3]}`} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, sink.v = data.Parse(text)
			}
		})
	}
}
