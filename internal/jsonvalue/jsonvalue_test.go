package jsonvalue_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsonvalue"
)

func read(text string) (data.Value, error) {
	r := javajson.NewReader([]byte(text))
	return jsonvalue.Read(&r, jsonvalue.Number)
}

func TestRead(t *testing.T) {
	large, err := data.ParseDecimal("12345678901234567890")
	require.NoError(t, err)
	pair := func(k string, v data.Value) data.Pair { return data.Pair{Key: data.String(k), Value: v} }
	for text, want := range map[string]data.Value{
		"null": {}, "true": data.Boolean(true), `"x"`: data.String("x"), "7": data.Int64(7), "-0.5e1": data.Float64(-5),
		"12345678901234567890": data.DecimalOf(large), "[]": data.ArrayOf(), "{}": data.MapOf(), "[1,[2]]": data.ArrayOf(data.Int64(1), data.ArrayOf(data.Int64(2))),
		`{"b":1,"a":2,"b":3}`: data.MapOf(pair("b", data.Int64(3)), pair("a", data.Int64(2))),
	} {
		v, err := read(text)
		require.NoError(t, err, text)
		assert.True(t, data.Equal(want, v), "%s: found %s, want %s", text, v, want)
	}
	for _, text := range []string{"", "[1", `{"a"}`, `{"a":1,}`, "[1 2]", "nul", strings.Repeat("[", 2000)} {
		_, err := read(text)
		assert.Error(t, err, text)
	}
}

// Of doubled members the last counts, at the place of the first, in objects of any size.
func TestDoubledMembers(t *testing.T) {
	for _, n := range []int{1, 31, 32, 33, 100} {
		var b strings.Builder
		for round := range 2 {
			for i := range n {
				_, _ = fmt.Fprintf(&b, ",\"m%d\":%d", i, round)
			}
		}
		v, err := read("{" + b.String()[1:] + "}")
		require.NoError(t, err)
		pairs, _ := v.Map()
		require.Len(t, pairs, n)
		for i, p := range pairs {
			assert.True(t, data.Equal(data.String(fmt.Sprint("m", i)), p.Key) && data.Equal(data.Int64(1), p.Value), "%d of %d: %s=%s", i, n, p.Key, p.Value)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5,"x",null,true]}`, `{"a":1,"a":{}}`, "1e999", "[[[["} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) { _, _ = read(text) })
}
