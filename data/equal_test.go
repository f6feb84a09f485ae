package data_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

func TestEqual(t *testing.T) {
	dec := func(text string) data.Value {
		d, err := data.ParseDecimal(text)
		require.NoError(t, err)
		return data.DecimalOf(d)
	}
	pair := func(k string, n int32) data.Pair { return data.Pair{Key: data.String(k), Value: data.Int32(n)} }
	row := func(id int32) data.Value {
		x, err := data.NewStruct(rowSchema)
		require.NoError(t, err)
		x.Set(0, data.Int32(id))
		return data.StructOf(x)
	}
	for name, c := range map[string]struct {
		a, b data.Value
		want bool
	}{
		"null and null":                 {data.Value{}, data.Bytes(nil), true},
		"null and empty bytes":          {data.Value{}, data.Bytes([]byte{}), false},
		"null and empty text":           {data.Value{}, data.String(""), false},
		"kinds of one number":           {data.Int32(1), data.Int64(1), false},
		"float and double":              {data.Float32(1), data.Float64(1), false},
		"zeros of either sign":          {data.Float64(0), data.Float64(math.Copysign(0, -1)), false},
		"two NaNs":                      {data.Float64(math.NaN()), data.Float64(math.Float64frombits(0x7ff8000000000001 + 1)), true},
		"two float NaNs":                {data.Float32(float32(math.NaN())), data.Float32(math.Float32frombits(0x7fc00002)), true},
		"scales of one decimal":         {dec("1.0"), dec("1.00"), false},
		"decimals":                      {dec("1.50"), dec("1.50"), true},
		"text and bytes":                {data.String("a"), data.Bytes([]byte("a")), false},
		"bytes":                         {data.Bytes([]byte("ab")), data.Bytes([]byte("ab")), true},
		"date and number":               {data.DateMillis(5), data.Int64(5), false},
		"empty array and empty map":     {data.ArrayOf(), data.MapOf(), false},
		"arrays in another order":       {data.ArrayOf(data.Int8(1), data.Int8(2)), data.ArrayOf(data.Int8(2), data.Int8(1)), false},
		"arrays of other length":        {data.ArrayOf(data.Int8(1)), data.ArrayOf(data.Int8(1), data.Int8(1)), false},
		"maps in another order":         {data.MapOf(pair("a", 1), pair("b", 2)), data.MapOf(pair("b", 2), pair("a", 1)), true},
		"maps with another value":       {data.MapOf(pair("a", 1), pair("b", 2)), data.MapOf(pair("b", 1), pair("a", 2)), false},
		"maps with another key":         {data.MapOf(pair("a", 1), pair("b", 2)), data.MapOf(pair("c", 2), pair("a", 1)), false},
		"maps of doubled keys":          {data.MapOf(pair("a", 1), pair("a", 1)), data.MapOf(pair("b", 2), pair("a", 1)), false},
		"structs":                       {row(1), row(1), true},
		"structs with another value":    {row(1), row(2), false},
		"map and struct of same fields": {row(1), data.MapOf(pair("id", 1)), false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, data.Equal(c.a, c.b))
			assert.Equal(t, c.want, data.Equal(c.b, c.a))
			if c.want {
				assert.Equal(t, data.HashValue(c.a), data.HashValue(c.b))
			}
		})
	}
}

// TestEqualProperties: a value equals itself and its clone, a map equals itself in any order, and equal values have equal hashes.
func TestEqualProperties(t *testing.T) {
	g := newGenerator(1)
	equals := 0
	for range 20_000 {
		a, b := g.value(3), g.value(3)
		require.True(t, data.Equal(a, a), "%s", a)
		require.Equal(t, data.Equal(a, b), data.Equal(b, a), "%s and %s", a, b)
		if data.Equal(a, b) {
			equals++
			require.Equal(t, data.HashValue(a), data.HashValue(b))
		}
		clone := data.Clone(a)
		require.True(t, data.Equal(a, clone), "%s and %s", a, clone)
		require.Equal(t, a.String(), clone.String())
		if pairs, ok := a.Map(); ok {
			shuffled := append([]data.Pair(nil), pairs...)
			g.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			require.True(t, data.Equal(a, data.MapOf(shuffled...)), "%s", a)
			require.Equal(t, data.HashValue(a), data.HashValue(data.MapOf(shuffled...)))
		}
	}
	assert.Positive(t, equals, "no two equal values among the random ones")
}

// TestCloneAliasesNothing changes everything that can be changed in the original.
func TestCloneAliasesNothing(t *testing.T) {
	b := []byte("bytes")
	elems := []data.Value{data.Bytes(b), data.Int8(1)}
	x, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	x.Set(0, data.Int32(1))
	pairs := []data.Pair{{Key: data.ArrayOf(elems...), Value: data.StructOf(x)}}
	clone := data.Clone(data.MapOf(pairs...))
	want := clone.String()

	b[0] = 'B'
	elems[1] = data.Int8(2)
	x.Set(0, data.Int32(2))
	pairs[0].Value = data.Value{}

	assert.Equal(t, want, clone.String())
	assert.Equal(t, "{[Ynl0ZXM=, 1]=Struct{id=1}}", want)
}

func TestCloneKeepsEmptyApartFromNull(t *testing.T) {
	assert.True(t, data.Clone(data.Value{}).IsNull())
	assert.Equal(t, data.KindBytes, data.Clone(data.Bytes([]byte{})).Kind())
	assert.Equal(t, data.KindArray, data.Clone(data.ArrayOf()).Kind())
	assert.Equal(t, data.KindMap, data.Clone(data.MapOf()).Kind())
	assert.Equal(t, data.KindString, data.Clone(data.String("")).Kind())
}
