package javajson_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/javajson"
)

// read takes the first value of a text and reports what is wrong with it.
func skip(text string) error {
	r := javajson.NewReader([]byte(text))
	return r.Skip()
}

// TestSyntax: what Connect's JsonConverter takes for JSON, and what not.
func TestSyntax(t *testing.T) {
	for _, good := range []string{
		"null", "true", "false", "0", "-0", "01", "-007", "1.5", "1e3", "1E+3", "1.50e-3", `""`, `"a\/b"`, `"\u00e4\ud83d"`, "[]", "{}",
		" [ 1 , 2 ] ", `{"a":1,"a":[{}]}`, "\ufeff{}", "1 trailing", "[] trailing", `"s"x`, "null,", "true}", "false:", "\t\r\n1", "1\n2", "1e2147483647",
	} {
		assert.NoError(t, skip(good), "%q", good)
	}
	for _, bad := range []string{
		"", " ", "nul", "nullx", "null1", "nullü", "True", "TRUE", "NaN", "Infinity", "+1", ".5", "5.", "-", "-.5", "1e", "1e+", "1.e5", "1f", "1-", "1]",
		"1,", "0x10", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{1:2}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, "'a'", `"`, `"\`,
		`"\x"`, `"\u12"`, `"\u12g4"`, "\"tab\t\"", "\"\xff\"", "\"\xed\xa0\x80\"", "/*c*/1", "//c\n1", "#", "\x00", "1\v", "1e99999999999", "1e99999999999999999999",
		strings.Repeat("1", 1001), "{\"\xc3\":1}",
	} {
		err := skip(bad)
		var syntax *javajson.SyntaxError
		assert.ErrorAs(t, err, &syntax, "%q", bad)
	}
	assert.NoError(t, skip(strings.Repeat("1", 1000)))
}

func TestErrorsSayWhere(t *testing.T) {
	assert.EqualError(t, skip(`{"a":1,"b" 2}`), `found '2' where a colon should be at byte 11`)
	assert.EqualError(t, skip(`[1`), "the text ends where a comma or the end of the array should be at byte 2")
}

// TestDepth: a thousand levels pass, one more does not, and no number of them
// overflows the stack.
func TestDepth(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	assert.NoError(t, skip(nested(javajson.MaxDepth)))
	assert.ErrorContains(t, skip(nested(javajson.MaxDepth+1)), "deeper than 1000")
	assert.ErrorContains(t, skip(strings.Repeat(`{"a":`, 10_000_000)), "deeper than 1000")
}

func TestString(t *testing.T) {
	for text, want := range map[string]string{
		`""`:                   "",
		`"ab"`:                 "ab",
		`"\"\\\/\b\f\n\r\t"`:   "\"\\/\b\f\n\r\t",
		`"x\u00e4\u00E4y"`:     "xääy",
		`"\ud83d\ude00!"`:      "😀!",
		`"\ud83d"`:             "\uFFFD",
		`"\ud83dx"`:            "\uFFFDx",
		`"\ud83d\u0041"`:       "\uFFFDA",
		`"\ude00\ud83d\ude00"`: "\uFFFD😀",
		`"\ud83d\n"`:           "\uFFFD\n",
		"\"ä\u2028\\\"€ é\"":   "ä\u2028\"€ é",
	} {
		r := javajson.NewReader([]byte(text))
		got, err := r.String()
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		assert.Equal(t, len(text), r.Offset())
		assert.NoError(t, skip(text), text)
	}
	text := []byte(`"alias"`)
	r := javajson.NewReader(text)
	s, err := r.String()
	require.NoError(t, err)
	text[1] = 'A'
	assert.Equal(t, "Alias", s, "a string without escapes is the text itself")
}

func number(t *testing.T, text string) javajson.Num {
	t.Helper()
	r := javajson.NewReader([]byte(text))
	n, err := r.Number()
	require.NoError(t, err, text)
	assert.Equal(t, text, n.Text())
	return n
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]struct {
		low      int64
		f        float64
		integral bool
	}{
		"0":                                {0, 0, true},
		"-0":                               {0, 0, true},
		"007":                              {7, 7, true},
		"-1":                               {-1, -1, true},
		"999999999999999999":               {999999999999999999, 999999999999999999, true},
		"9223372036854775807":              {math.MaxInt64, math.MaxInt64, true},
		"9223372036854775808":              {math.MinInt64, math.MaxInt64, true},
		"-9223372036854775809":             {math.MaxInt64, math.MinInt64, true},
		"18446744073709551617":             {1, 18446744073709551617, true},
		"1.9":                              {1, 1.9, false},
		"-1.9":                             {-1, -1.9, false},
		"-0.0":                             {0, 0, false},
		"1e3":                              {1000, 1000, false},
		"12.345e1":                         {123, 123.45, false},
		"12345e-3":                         {12, 12.345, false},
		"1e63":                             {-9223372036854775808, 1e63, false},
		"1e64":                             {0, 1e64, false},
		"1e400":                            {0, math.Inf(1), false},
		"-1e400":                           {0, math.Inf(-1), false},
		"1e-400":                           {0, 0, false},
		"0.1e2147483647":                   {0, math.Inf(1), false},
		"123456789012345678901234567890.5": {-4362896299872285998, 123456789012345678901234567890.5, false},
	} {
		n := number(t, text)
		assert.Equal(t, want.low, n.Int64(), text)
		assert.Equal(t, want.f, n.Float64(), text)
		assert.Equal(t, want.integral, n.Integral(), text)
	}
	for text, sign := range map[string]float64{"-0.0": 1, "-1e-400": 1, "0.0": 1} {
		assert.Equal(t, sign, math.Copysign(1, number(t, text).Float64()), "%s: a BigDecimal has no negative zero", text)
		assert.Equal(t, sign, math.Copysign(1, float64(number(t, text).Float32())), text)
	}
	assert.True(t, math.IsInf(float64(number(t, "1e39").Float32()), 1))
	assert.Equal(t, float32(16777217), number(t, "16777217").Float32())
}

func TestNumberInt32(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "2147483647": true, "-2147483648": true, "2147483648": false, "-2147483649": false, "1.0": false, "1e2": false,
		"99999999999999999999": false,
	} {
		n, ok := number(t, text).Int32()
		assert.Equal(t, want, ok, text)
		if ok {
			assert.EqualValues(t, number(t, text).Int64(), n)
		}
	}
}

// FuzzNumber holds the low bits against math/big.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1", "-1.9", "12.345e1", "1e64", "18446744073709551617", "1e-3", "00.5e2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := javajson.NewReader([]byte(s))
		if kind, err := r.Next(); err != nil || kind != javajson.Number {
			return
		}
		n, err := r.Number()
		if err != nil {
			return
		}
		x, ok := new(big.Rat).SetString(short(n.Text()))
		if !ok {
			return
		}
		whole := new(big.Int).Quo(x.Num(), x.Denom())
		low := new(big.Int).And(whole, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
		if n.Int64() != int64(low) {
			t.Fatalf("%s: got %d, want %d", n.Text(), n.Int64(), int64(low))
		}
	})
}

// short refuses exponents that math/big would write out, by returning no number.
func short(number string) string {
	if at := strings.IndexAny(number, "eE"); at >= 0 && len(number)-at > 5 {
		return ""
	}
	return number
}

// TestBase64 holds against Jackson's default variant.
func TestBase64(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "YQ==": "a", "YWI=": "ab", "YWJj": "abc", " YWJj\nYQ== ": "abca", "YQ==YQ==": "aa", "YR==": "a", "+/+/": "\xfb\xff\xbf",
	} {
		got, ok := javajson.AppendBase64([]byte("x"), text)
		assert.True(t, ok, "%q", text)
		assert.Equal(t, "x"+want, string(got), "%q", text)
	}
	for _, bad := range []string{"***", "YQ", "YQ=", "Y", "=", "====", "Y===", "YQ=a", "YW Jj", "YWJ\nj", "YQ-_", "ä", "YWJjY"} {
		_, ok := javajson.AppendBase64(nil, bad)
		assert.False(t, ok, "%q", bad)
	}
}

// FuzzString: what is written reads as the same text, for this package and for
// encoding/json, and is as Jackson escapes.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "a\"\\/<>&\u2028ü😀\x01\n", "\xff", "\U0010FFFF\uFFFD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := javajson.AppendString(nil, s)
		want := strings.ToValidUTF8(s, "\uFFFD")
		if !utf8.Valid(text) {
			t.Fatalf("%q: no UTF-8", text)
		}
		r := javajson.NewReader(text)
		got, err := r.String()
		if err != nil || strings.Count(got, "\uFFFD") < strings.Count(want, "\uFFFD") || strings.ReplaceAll(got, "\uFFFD", "") != strings.ReplaceAll(want, "\uFFFD", "") {
			t.Fatalf("%q: got %q, %v", s, got, err)
		}
		var std string
		if err := json.Unmarshal(text, &std); err != nil || std != got {
			t.Fatalf("%q: encoding/json reads %q, %v", text, std, err)
		}
		for _, c := range got {
			if c > 0xFFFF && strings.ContainsRune(string(text), c) {
				t.Fatalf("%q: %q is not escaped", text, c)
			}
		}
	})
}

// FuzzSkip: whatever encoding/json takes is taken here, save what the limits and
// strict UTF-8 refuse; nothing panics.
func FuzzSkip(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,null,true,"x\u00e4"]}`, "[[[[", "01", "{}", "nul", "\"\\ud83d"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := javajson.NewReader(b)
		err := r.Skip()
		if len(r.Slice(0)) != r.Offset() { // after errors too it is a place in the text
			t.Fatal("Slice and Offset disagree")
		}
		if err != nil && json.Valid(b) && utf8.Valid(b) && len(b) < 1000 && !strings.ContainsAny(string(b), "eE") {
			t.Fatalf("%q: %v", b, err)
		}
	})
}

// FuzzBase64: standard Base64 reads the same.
func FuzzBase64(f *testing.F) {
	f.Add("YWJj")
	f.Add("YQ==YQ==")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := javajson.AppendBase64(nil, s)
		want, err := base64.StdEncoding.DecodeString(s)
		if err == nil && !strings.ContainsAny(s, "\r\n") && (!ok || string(got) != string(want)) {
			t.Fatalf("%q: got %x, %v; want %x", s, got, ok, want)
		}
	})
}

func TestAllocations(t *testing.T) {
	text := []byte(`{"id":123456,"name":"no escapes here","ok":true,"x":null,"list":[1.5,2e3]}`)
	out := make([]byte, 0, 256)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		r := javajson.NewReader(text)
		_ = r.Skip()
		out = javajson.AppendString(out[:0], "a\"b\\ü😀")
	}))
}
