package connectjson_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/connectjson"
)

// TestAppendString has texts and bytes that Java's JsonConverter wrote.
func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"":                 `""`,
		"lines-source":     `"lines-source"`,
		"größe":            `"größe"`,
		"漢字":               `"漢字"`,
		"a/b":              `"a/b"`,
		`a"b\c`:            `"a\"b\\c"`,
		"\b\t\n\f\r":       `"\b\t\n\f\r"`,
		"\x00\x1f":         `"\u0000\u001F"`,
		"<>& \u2028":       "\"<>& \u2028\"",
		"\x7f":             "\"\x7f\"",
		"ü😀\u0001":         `"ü\uD83D\uDE00\u0001"`,
		"broken \xff":      "\"broken \uFFFD\"",
		"\U0010FFFF\uFFFD": "\"\\uDBFF\\uDFFF\uFFFD\"",
	} {
		assert.Equal(t, want, string(connectjson.AppendString(nil, in)), "%q", in)
	}
}

func TestHashOrdered(t *testing.T) {
	same := func(s string) string { return s }
	// MirrorMaker's keys lie in buckets 1, 3 and 9 of 16.
	assert.Equal(t, []string{"cluster", "partition", "topic"},
		connectjson.HashOrdered([]string{"topic", "partition", "cluster"}, same))
	for key, bucket := range map[string]uint32{"cluster": 1, "partition": 3, "topic": 9} {
		h := connectjson.HashCode(key)
		assert.Equal(t, bucket, (h^h>>16)&15, key)
	}
	// Aa and BB have one hash: their order must not depend on that of the input.
	assert.Equal(t, connectjson.HashOrdered([]string{"Aa", "BB"}, same), connectjson.HashOrdered([]string{"BB", "Aa"}, same))
}

// TestHashOrderedGrows has a map of 13 entries, which Java keeps in 32 buckets.
func TestHashOrderedGrows(t *testing.T) {
	var keys []string
	for c := 'a'; c <= 'm'; c++ {
		keys = append(keys, string(c))
	}
	got := connectjson.HashOrdered(keys, func(s string) string { return s })
	assert.Equal(t, keys, got, "hashes 97 to 109 are buckets 1 to 13 of 32")
	assert.Equal(t, []string{"p", "a", "o"}, connectjson.HashOrdered([]string{"a", "o", "p"}, func(s string) string { return s }),
		"hashes 112, 97 and 111 are buckets 0, 1 and 15 of 16")
}

func TestHashCode(t *testing.T) {
	for in, want := range map[string]int32{"": 0, "a": 97, "Aa": 2112, "BB": 2112, "hello": 99162322, "😀": 1772899, "polygenelubricants": math.MinInt32} {
		assert.Equal(t, want, int32(connectjson.HashCode(in)), "%q", in)
	}
}

func TestAppendObject(t *testing.T) {
	for want, entries := range map[string][]data.Entry{
		`{}`: {},
		`{"cluster":"A","partition":3,"topic":"t"}`: {
			data.E("topic", data.String("t")), data.E("partition", data.Int64(3)), data.E("cluster", data.String("A")),
		},
		`{"a":null,"b":true,"c":1.0E10,"d":"NaN","e":"AP8="}`: {
			data.E("e", data.Bytes([]byte{0, 255})), data.E("d", data.Float64(math.NaN())), data.E("c", data.Float64(1e10)),
			data.E("b", data.Boolean(true)), data.E("a", data.Value{}),
		},
	} {
		got, err := connectjson.AppendObject([]byte("x"), entries)
		require.NoError(t, err)
		assert.Equal(t, "x"+want, string(got))
	}
	_, err := connectjson.AppendObject(nil, []data.Entry{data.E("k", data.ArrayOf())})
	assert.ErrorContains(t, err, `entry "k"`)
	assert.ErrorContains(t, err, "ARRAY")
}

func TestAppendStrings(t *testing.T) {
	x := "x"
	assert.Equal(t, `{"a":"x","b":null}`, string(connectjson.AppendStrings(nil, map[string]*string{"b": nil, "a": &x})))
}

func TestParseObject(t *testing.T) {
	got, err := connectjson.ParseObject([]byte(` {"b":1,"a":-2.5,"s":"\ud83d\ude00","t":true,"n":null} `))
	require.NoError(t, err)
	want := []data.Entry{
		data.E("b", data.Int64(1)), data.E("a", data.Float64(-2.5)), data.E("s", data.String("😀")),
		data.E("t", data.Boolean(true)), data.E("n", data.Value{}),
	}
	require.Len(t, got, len(want))
	for i := range want {
		assert.Equal(t, want[i].Key, got[i].Key)
		assert.True(t, data.Equal(want[i].Value, got[i].Value), want[i].Key)
	}
	got, err = connectjson.ParseObject([]byte("null"))
	assert.NoError(t, err)
	assert.Nil(t, got)
	for _, bad := range []string{"", "[]", "1", `{"a":[]}`, `{"a":{}}`, `{"a":1`, `{"a":1} x`, `{"a":1}{}`, `{"a":1e999}`, `{a:1}`} {
		_, err := connectjson.ParseObject([]byte(bad))
		assert.Error(t, err, bad)
	}
}

func TestParseOffsetKey(t *testing.T) {
	for in, want := range map[string]struct {
		connector string
		entries   int
		isNull    bool
	}{
		`["lines-source",{"filename":"in.txt"}]`: {"lines-source", 1, false},
		`[ "good" , {"filename":"other.txt"} ]`:  {"good", 1, false},
		`["c",{}]`:                               {"c", 0, false},
		`["c",null]`:                             {"c", 0, true},
		`["größe",{"a":1,"b":null,"c":2.5}]`:     {"größe", 3, false},
	} {
		connector, entries, isNull, err := connectjson.ParseOffsetKey([]byte(in))
		require.NoError(t, err, in)
		assert.Equal(t, want.connector, connector, in)
		assert.Len(t, entries, want.entries, in)
		assert.Equal(t, want.isNull, isNull, in)
	}
	for _, bad := range []string{"not json", `{"a":1}`, `["c"]`, `["c",{},1]`, `[1,{}]`, `[null,{}]`, `["c",1]`, `["c",{"a":{}}]`, ""} {
		_, _, _, err := connectjson.ParseOffsetKey([]byte(bad))
		assert.Error(t, err, bad)
	}
}

// FuzzParseObject: what was read is written and read again as the same.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":-2.5,"c":"x","d":null,"e":true}`, `{"topic":"t","partition":3,"cluster":"A"}`, "null", "{", `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := connectjson.ParseObject(b)
		if err != nil || entries == nil {
			return
		}
		text, err := connectjson.AppendObject(nil, entries)
		if err != nil {
			t.Fatal(err)
		}
		again, err := connectjson.ParseObject(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		second, err := connectjson.AppendObject(nil, again)
		if err != nil || string(second) != string(text) {
			t.Fatalf("%s became %s (%v)", text, second, err)
		}
	})
}

// FuzzParseOffsetKey must not panic, and tells null from absent entries.
func FuzzParseOffsetKey(f *testing.F) {
	f.Add([]byte(`["c",{"a":1}]`))
	f.Add([]byte(`["c",null]`))
	f.Add([]byte(`[,]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, entries, isNull, err := connectjson.ParseOffsetKey(b)
		if err == nil && isNull != (entries == nil) {
			t.Fatalf("%q: null %v, entries %v", b, isNull, entries)
		}
	})
}
