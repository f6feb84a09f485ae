package converters_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

// generator makes schemas and values under them at random, repeatably.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func (g generator) text() string {
	alphabet := []string{"a", "Z", "0", " ", "\"", "\\", "/", "\n", "\x00", "\x1f", "\x7f", "ü", "漢", "\u2028", "😀", "\uFFFD"}
	var b strings.Builder
	for range g.IntN(6) {
		b.WriteString(alphabet[g.IntN(len(alphabet))])
	}
	return b.String()
}

func (g generator) schema(t testing.TB, depth int) *data.Schema {
	kinds := data.KindBytes
	if depth > 0 {
		kinds = data.KindStruct
	}
	var b *data.Builder
	switch kind := data.KindInt8 + data.Kind(g.IntN(int(kinds))); kind {
	case data.KindArray:
		b = data.ArrayBuilder(g.schema(t, depth-1))
	case data.KindMap:
		b = data.MapBuilder(g.schema(t, depth-1), g.schema(t, depth-1))
	case data.KindStruct:
		b = data.StructBuilder()
		for i := range g.IntN(5) {
			b.Field(fmt.Sprint(i, g.text()), g.schema(t, depth-1))
		}
	default:
		b = data.NewBuilder(kind)
		if builders := []func() *data.Builder{
			func() *data.Builder { return data.DecimalBuilder(g.IntN(9) - 4) }, data.DateBuilder, data.TimeBuilder, data.TimestampBuilder,
		}; g.IntN(3) == 0 {
			b = builders[g.IntN(len(builders))]()
		}
	}
	if g.IntN(2) == 0 {
		b.Optional()
	}
	s := b.MustBuild()
	if s.Name() == "" {
		b.Name(g.text()).Doc(g.text())
		if g.IntN(2) == 0 {
			b.Version(g.IntN(5) - 2)
		}
		for range g.IntN(3) {
			b.Parameter(g.text(), g.text())
		}
	}
	if s = b.MustBuild(); g.IntN(4) == 0 && s.Kind() != data.KindStruct { // see "Mismatching schema" in Java
		if v := g.value(t, s); !holdsStruct(v) {
			b.Default(v)
		}
	}
	return b.MustBuild()
}

// holdsStruct reports whether there is a struct in a value.
func holdsStruct(v data.Value) bool { return strings.Contains(v.String(), "Struct{") }

func (g generator) value(t testing.TB, s *data.Schema) data.Value {
	if s.Optional() && g.IntN(4) == 0 {
		return data.Value{}
	}
	switch s.Name() {
	case data.LogicalDecimal:
		scale, err := data.DecimalScaleOf(s)
		require.NoError(t, err)
		n := new(big.Int).Lsh(big.NewInt(g.Int64()-math.MaxInt64/2), uint(g.IntN(80)))
		return data.DecimalOf(data.NewDecimal(n, scale))
	case data.LogicalDate:
		return data.DateMillis(int64(g.IntN(40000)-20000) * 86_400_000)
	case data.LogicalTime:
		return data.DateMillis(int64(g.IntN(86_400_000)))
	case data.LogicalTimestamp:
		return data.DateMillis(g.Int64() >> g.IntN(64))
	}
	n := g.Uint64() >> g.IntN(64)
	switch s.Kind() {
	case data.KindInt8:
		return data.Int8(int8(n))
	case data.KindInt16:
		return data.Int16(int16(n))
	case data.KindInt32:
		return data.Int32(int32(n))
	case data.KindInt64:
		return data.Int64(int64(n))
	case data.KindFloat32:
		return data.Float32(finite(math.Float32frombits(uint32(n))))
	case data.KindFloat64:
		return data.Float64(finite(math.Float64frombits(n)))
	case data.KindBoolean:
		return data.Boolean(n%2 == 0)
	case data.KindString:
		return data.String(g.text())
	case data.KindBytes:
		return data.Bytes([]byte(g.text()))
	}
	return g.container(t, s)
}

// finite replaces what Java reads back as zero: NaN, the infinities and the
// negative zero.
func finite[F float32 | float64](f F) F {
	if f-f != 0 {
		return 0
	}
	return f + 0
}

func (g generator) container(t testing.TB, s *data.Schema) data.Value {
	if s.Kind() == data.KindStruct {
		x, err := data.NewStruct(s)
		require.NoError(t, err)
		for _, f := range s.Fields() {
			x.Set(f.Index, g.value(t, f.Schema))
		}
		return data.StructOf(x)
	}
	var elems []data.Value
	var pairs []data.Pair
	for i := range g.IntN(25) {
		if s.Kind() == data.KindArray {
			elems = append(elems, g.value(t, s.ElemSchema()))
			continue
		}
		k := g.value(t, s.KeySchema())
		if k.IsNull() && s.KeySchema().Kind() == data.KindString {
			k = data.String(fmt.Sprint("key ", i)) // JSON has no null keys
		}
		p := data.Pair{Key: k, Value: g.value(t, s.ElemSchema())}
		for _, other := range pairs {
			if data.Equal(other.Key, k) {
				k = data.Value{}
			}
		}
		if !k.IsNull() {
			pairs = append(pairs, p)
		}
	}
	if s.Kind() == data.KindArray {
		return data.ArrayOf(elems...)
	}
	return data.MapOf(pairs...)
}

// TestJSONRoundTrip: any data comes back as the same data under an equal schema,
// and is then written as the same bytes, in both formats of decimals.
func TestJSONRoundTrip(t *testing.T) {
	for _, format := range []converters.DecimalFormat{converters.DecimalBase64, converters.DecimalNumeric} {
		j := newJSON(t, func(c *converters.JSONConfig) {
			c.DecimalFormat, c.ReplaceNullWithDefault, c.SchemasCacheSize = format, false, 10
		})
		for seed := range uint64(1000) {
			g := newGenerator(seed)
			s := g.schema(t, 3)
			for range 2 {
				v := g.value(t, s)
				require.NoError(t, data.Validate(s, v, ""), "seed %d", seed)
				text := encodeText(t, j, s, v)
				d := decodeText(t, j, text)
				require.True(t, s.Equal(d.Schema), "seed %d: %s", seed, text)
				require.True(t, data.Equal(v, d.Value), "seed %d: %s became %s", seed, text, d.Value)
				require.NoError(t, data.Validate(d.Schema, d.Value, ""), "seed %d", seed)
				require.Equal(t, text, encodeText(t, j, d.Schema, d.Value), "seed %d", seed)
			}
		}
	}
}

// TestJSONReplacesNull: with replacement on, what was null under a default comes
// back as the default, and is valid.
func TestJSONReplacesNull(t *testing.T) {
	j := newJSON(t)
	replaced := 0
	for seed := range uint64(1000) {
		g := newGenerator(seed)
		s := g.schema(t, 2)
		v := g.value(t, s)
		d := decodeText(t, j, encodeText(t, j, s, v))
		require.NoError(t, data.Validate(s, d.Value, ""), "seed %d", seed)
		if v.IsNull() && !s.Default().IsNull() {
			replaced++
			require.True(t, data.Equal(s.Default(), d.Value), "seed %d", seed)
		}
	}
	assert.Positive(t, replaced)
}

// FuzzJSONDecode: no bytes make it panic; what it reads under a schema is data
// of that schema, and what can be written again reads as the same.
func FuzzJSONDecode(f *testing.F) {
	for seed := range uint64(20) {
		g := newGenerator(seed)
		s := g.schema(f, 2)
		f.Add([]byte(encodeText(f, newJSON(f), s, g.value(f, s))), seed%2 == 0)
	}
	f.Add([]byte(`{"payload":[[1,2.5e3]],"schema":null,"payload":"\ud83d\ude00"}`), true)
	f.Add([]byte(`{"a":[1,{"b":null}],"a":-9223372036854775809}`), false)
	f.Fuzz(func(t *testing.T, b []byte, enabled bool) {
		j := newJSON(t, func(c *converters.JSONConfig) { c.SchemasEnable = enabled })
		kept := bytes.Clone(b)
		d, err := j.Decode(t.Context(), nil, b)
		if !bytes.Equal(kept, b) {
			t.Fatalf("%q: Decode changed its input", kept)
		}
		if err != nil {
			return
		}
		out, null, err := j.AppendEncode(t.Context(), nil, nil, d)
		if err != nil || null || bytes.Contains(out, []byte(`"Infinity"`)) || bytes.Contains(out, []byte(`"-Infinity"`)) {
			return // what Java reads but does not write, or not back
		}
		again, err := j.Decode(t.Context(), nil, out)
		if err != nil {
			t.Fatalf("%q became %q: %v", b, out, err)
		}
		if !again.Schema.Equal(d.Schema) || !data.Equal(again.Value, d.Value) {
			t.Fatalf("%q became %q: %v, not %v", b, out, again.Value, d.Value)
		}
	})
}

// FuzzSchemaContent: no text makes it panic, and one that passes is a schema that
// can be worked with.
func FuzzSchemaContent(f *testing.F) {
	f.Add(`{"type":"struct","fields":[{"field":"a","type":"int32","default":3}]}`, []byte(`{"a":null}`))
	f.Add(`{"type":"map","keys":{"type":"int8"},"values":{"type":"bytes"}}`, []byte(`[[1,"YQ=="]]`))
	f.Add(`null`, []byte(`1`))
	f.Fuzz(func(t *testing.T, schema string, b []byte) {
		c := converters.DefaultJSONConfig()
		c.SchemaContent = schema
		j, err := converters.NewJSON(c)
		if err != nil {
			return
		}
		d, err := j.Decode(t.Context(), nil, b)
		if err != nil {
			return
		}
		_, _, _ = j.AppendEncode(t.Context(), nil, nil, connect.Datum{Schema: d.Schema, Value: d.Value})
	})
}
