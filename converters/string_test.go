package converters_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

func newString(t testing.TB, encoding string) *converters.StringConverter {
	t.Helper()
	s, err := converters.NewString(converters.StringConfig{Encoding: encoding})
	require.NoError(t, err, encoding)
	return s
}

// TestEncodings has texts with their bytes, both ways.
func TestEncodings(t *testing.T) {
	for _, c := range []struct{ encoding, text, bytes string }{
		{"", "aü漢😀", "a\xc3\xbc\xe6\xbc\xa2\xf0\x9f\x98\x80"},
		{"UTF8", "", ""},
		{"US-ASCII", "abc\x7f", "abc\x7f"},
		{"latin1", "a\u0080ÿ", "a\x80\xff"},
		{"ISO8859_15", "€ŠšŽžŒœŸ¥", "\xa4\xa6\xa8\xb4\xb8\xbc\xbd\xbe\xa5"},
		{"Cp1252", "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u00a0ÿ",
			"\x80\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8e\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9e\x9f\xa0\xff"},
		{"UTF-16", "a😀", "\xfe\xff\x00a\xd8\x3d\xde\x00"},
		{"utf_16", "", ""},
		{"UTF-16BE", "a😀", "\x00a\xd8\x3d\xde\x00"},
		{"UTF-16LE", "a😀", "a\x00\x3d\xd8\x00\xde"},
		{"UTF-16LE", "\ufeffx", "\xff\xfex\x00"},
	} {
		s := newString(t, c.encoding)
		assert.Equal(t, c.bytes, encodeText(t, s, nil, data.String(c.text)), c.encoding)
		d := decodeText(t, s, c.bytes)
		assert.Same(t, data.OptionalStringSchema, d.Schema)
		assert.Equal(t, c.text, d.Value.String(), c.encoding)
	}
}

// TestUnmappable: what a charset lacks is one question mark a character.
func TestUnmappable(t *testing.T) {
	for encoding, want := range map[string]string{
		"US-ASCII": "a????", "ISO-8859-1": "a\xfc???", "ISO-8859-15": "a\xfc?\xa4?", "windows-1252": "a\xfc?\x80?",
	} {
		assert.Equal(t, want, encodeText(t, newString(t, encoding), nil, data.String("aü漢€😀")), encoding)
	}
	assert.Equal(t, "?", encodeText(t, newString(t, "windows-1252"), nil, data.String("\u0081")))
	assert.Equal(t, "?", encodeText(t, newString(t, "ISO-8859-15"), nil, data.String("¤")))
}

// TestMalformed cuts sequences as Java's decoders do.
func TestMalformed(t *testing.T) {
	for _, c := range []struct{ encoding, bytes, want string }{
		{"UTF-8", "a\xffb", "a\uFFFDb"},
		{"UTF-8", "\xc0\x80", "\uFFFD\uFFFD"},
		{"UTF-8", "\xe6\xbcx", "\uFFFDx"},
		{"UTF-8", "\xe4\x80", "\uFFFD"},
		{"UTF-8", "\xe4", "\uFFFD"},
		{"UTF-8", "\xe0\x80\x80", "\uFFFD\uFFFD\uFFFD"},
		{"UTF-8", "\xed\xa0\x80!", "\uFFFD!"},
		{"UTF-8", "\xf0\x9f\x98x", "\uFFFDx"},
		{"UTF-8", "\xf0\x9f\x98", "\uFFFD"},
		{"UTF-8", "\xf0\x80\x80", "\uFFFD\uFFFD\uFFFD"},
		{"UTF-8", "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"UTF-8", "\xf5\x80", "\uFFFD\uFFFD"},
		{"UTF-8", "\xc3", "\uFFFD"},
		{"US-ASCII", "a\x80", "a\uFFFD"},
		{"windows-1252", "\x81\x8d\x8f\x90\x9d", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"UTF-16", "\xff\xfex\x00", "x"},
		{"UTF-16", "\xfe\xff\x00x", "x"},
		{"UTF-16", "\x00x\x00", "x\uFFFD"},
		{"UTF-16BE", "\xd8\x3d\x00x\x00y", "\uFFFDy"},
		{"UTF-16BE", "\xde\x00\x00y", "\uFFFDy"},
		{"UTF-16BE", "\x00x\xd8\x3d", "x\uFFFD"},
		{"UTF-16BE", "\x00x\xd8\x3d\x00", "x\uFFFD"},
		{"UTF-16BE", "\xff\xfe\x00x", "\uFFFDx"},
		{"UTF-16BE", "\xfe\xff\x00x", "\ufeffx"},
	} {
		assert.Equal(t, c.want, decodeText(t, newString(t, c.encoding), c.bytes).Value.String(), "%s %x", c.encoding, c.bytes)
	}
}

func TestUnknownEncoding(t *testing.T) {
	_, err := converters.NewString(converters.StringConfig{Encoding: "nope"})
	var key *config.KeyError
	require.ErrorAs(t, err, &key)
	assert.Equal(t, "converter.encoding", key.Key)
	assert.ErrorContains(t, err, "Unsupported encoding nope")
	_, err = converters.String.NewConverter(config.Props{"converter.type": "key", "converter.encoding": "nope"})
	assert.ErrorContains(t, err, "Unsupported encoding nope")
}

// TestStringAliases: text in UTF-8 is not copied.
func TestStringAliases(t *testing.T) {
	b := []byte("text")
	d, err := newString(t, "").Decode(t.Context(), nil, b)
	require.NoError(t, err)
	b[0] = 'T'
	assert.Equal(t, "Text", d.Value.String())
}

// FuzzStringDecode: any bytes are a text in any encoding; where the encoding has
// all characters, the text is written and read as the same.
func FuzzStringDecode(f *testing.F) {
	encodings := []string{"UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "US-ASCII", "ISO-8859-1", "ISO-8859-15", "windows-1252"}
	for i := range encodings {
		f.Add(i, []byte("a\xff\xfe\xd8\x3d\xe6\xbc\xf0\x9f\x98\x80"))
	}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		encoding := encodings[uint(which)%uint(len(encodings))]
		s := newString(t, encoding)
		text := decodeText(t, s, string(b)).Value.String()
		if !utf8.ValidString(text) {
			t.Fatalf("%s %x: %q is no UTF-8", encoding, b, text)
		}
		out := encodeText(t, s, nil, data.String(text))
		if encoding[:3] == "UTF" {
			if again := decodeText(t, s, out).Value.String(); again != text {
				t.Fatalf("%s %x: %q became %q", encoding, b, text, again)
			}
		}
	})
}

// TestSimpleHeader has what the vectors do not: broken UTF-8, the zone.
func TestSimpleHeader(t *testing.T) {
	var h connect.HeaderConverter = converters.SimpleHeaderConverter{}
	d, err := h.DecodeHeader("t", "k", []byte("a\xff"))
	require.NoError(t, err)
	assert.Equal(t, "a\uFFFD", d.Value.String())
	assert.True(t, data.StringSchema.Equal(d.Schema))
	out, null, err := h.AppendEncodeHeader([]byte("x"), "t", "k", connect.Datum{Schema: data.TimestampSchema, Value: data.DateMillis(1483425001864)})
	require.NoError(t, err)
	assert.False(t, null)
	assert.Equal(t, "x2017-01-03T06:30:01.864Z", string(out))
}

// FuzzSimpleHeader: any bytes are a header, which can be written again.
func FuzzSimpleHeader(f *testing.F) {
	for _, s := range []string{"", "null", "[1,2.5,\"a\"]", "{\"k\":[true]}", "2024-01-01T12:34:56.789Z", "\xff", "1e999999999"} {
		f.Add([]byte(s))
	}
	var h converters.SimpleHeaderConverter
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := h.DecodeHeader("t", "k", b)
		if err != nil {
			t.Fatal(err)
		}
		if err := data.Validate(d.Schema, d.Value, ""); err != nil && d.Schema.ElemSchema() != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if _, _, err := h.AppendEncodeHeader(nil, "t", "k", d); err != nil {
			t.Fatal(err)
		}
	})
}
