package format_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/formattest"
	"github.com/streamlane/connect/data"
)

func json(t testing.TB, o format.JSONOptions) format.Format {
	t.Helper()
	f, err := format.JSON(o)
	require.NoError(t, err)
	return f
}

func comma(t testing.TB, o format.CSVOptions) format.Format {
	t.Helper()
	f, err := format.CSV(o)
	require.NoError(t, err)
	return f
}

func raw(t testing.TB, o format.BytesOptions) format.Format {
	t.Helper()
	f, err := format.Bytes(o)
	require.NoError(t, err)
	return f
}

func text(s string) connect.Datum { return connect.Datum{Value: data.String(s)} }

func row(t testing.TB, s *data.Schema, values ...data.Value) connect.Datum {
	t.Helper()
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	for i, v := range values {
		x.Set(i, v)
	}
	return connect.Datum{Schema: s, Value: data.StructOf(x)}
}

var gz = format.Compression{Type: format.Gzip, Level: format.DefaultLevel}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		f             format.Format
		name, content string
	}{
		{json(t, format.JSONOptions{}), ".json", "application/x-ndjson"},
		{json(t, format.JSONOptions{Compression: gz}), ".json.gz", "application/gzip"},
		{json(t, format.JSONOptions{Compression: format.Compression{Type: format.Zstd, Level: 3}}), ".json.zst", "application/zstd"},
		{raw(t, format.BytesOptions{Compression: gz}), ".bin.gz", "application/gzip"},
		{raw(t, format.BytesOptions{Extension: ".txt"}), ".txt", "application/octet-stream"},
		{comma(t, format.CSVOptions{Compression: format.Compression{Type: format.Snappy, Level: -1}}), ".csv.sz", "application/x-snappy-framed"},
		{comma(t, format.CSVOptions{}), ".csv", "text/csv"},
	} {
		assert.Equal(t, c.name, c.f.Extension())
		assert.Equal(t, c.content, c.f.ContentType())
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, c := range []format.Compression{
		{Type: "lzo"}, {Type: format.Gzip, Level: 10}, {Type: format.Gzip, Level: -2}, {Type: format.Zstd, Level: 23},
		{Type: format.Zstd, Level: 0}, {Type: format.Snappy, Level: 1},
	} {
		_, err := format.JSON(format.JSONOptions{Compression: c})
		assert.ErrorContains(t, err, "allowed", "%v", c)
		_, err = format.Bytes(format.BytesOptions{Compression: c})
		assert.ErrorContains(t, err, "allowed", "%v", c)
		_, err = format.CSV(format.CSVOptions{Compression: c})
		assert.ErrorContains(t, err, "allowed", "%v", c)
	}
	_, err := format.JSON(format.JSONOptions{DecimalFormat: "HEX"})
	assert.ErrorContains(t, err, `found decimal format "HEX"`)
	for _, o := range []format.CSVOptions{
		{Delimiter: '"'}, {Quote: '\n'}, {LineEnd: ";"}, {Null: "a,b"}, {Nested: "flat"}, {DecimalFormat: "HEX"}, {Delimiter: -1},
	} {
		_, err := format.CSV(o)
		assert.ErrorContains(t, err, "allowed", "%v", o)
	}
}

func TestJSON(t *testing.T) {
	s := data.StructBuilder().Field("a", data.Int32Schema).Field("d", data.DecimalSchema(2)).
		Field("n", data.NewBuilder(data.KindInt64).Optional().Default(data.Int64(5)).MustBuild()).MustBuild()
	d := row(t, s, data.Int32(1), data.DecimalOf(data.DecimalFromInt64(150, 2)), data.Value{})
	f := json(t, format.JSONOptions{})
	assert.Equal(t, "{\"a\":1,\"d\":\"AJY=\",\"n\":5}\n", string(formattest.File(t, f, d)))
	f = json(t, format.JSONOptions{DecimalFormat: "NUMERIC", KeepNull: true})
	assert.Equal(t, "{\"a\":1,\"d\":1.50,\"n\":null}\n", string(formattest.File(t, f, d)))
	f = json(t, format.JSONOptions{Schemas: true})
	assert.Equal(t, "{\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":\"x\"}\n",
		string(formattest.File(t, f, connect.Datum{Schema: data.StringSchema, Value: data.String("x")})))
	f = json(t, format.JSONOptions{})
	assert.Equal(t, "\"a\\nb\"\nnull\n{\"k\":\"NaN\"}\n", string(formattest.File(t, f, text("a\nb"), connect.Datum{},
		connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("k"), Value: data.Float64(math.NaN())})})))
}

// After a DataError a file is as it was before.
func TestDataErrorLeavesTheFile(t *testing.T) {
	s := data.StructBuilder().Field("a", data.StringSchema).Field("b", data.Int32Schema).MustBuild()
	good := row(t, s, data.String("x"), data.Int32(1))
	bad := row(t, s, data.String("x"), data.StructOf(must(data.NewStruct(s))))
	for _, f := range []format.Format{json(t, format.JSONOptions{}), comma(t, format.CSVOptions{Nested: format.NestedError})} {
		want := formattest.File(t, f, good, good)
		var out bytes.Buffer
		w, err := f.NewWriter(&out, good)
		require.NoError(t, err)
		require.NoError(t, w.Write(good))
		var refused *format.DataError
		require.ErrorAs(t, w.Write(bad), &refused)
		require.NoError(t, w.Write(good))
		require.NoError(t, w.Close())
		assert.Equal(t, string(want), out.String())
	}
	w, err := raw(t, format.BytesOptions{}).NewWriter(io.Discard, good)
	require.NoError(t, err)
	var refused *format.DataError
	require.ErrorAs(t, w.Write(good), &refused)
	assert.ErrorContains(t, refused, "found Schema{STRUCT} (set the converter to ByteArrayConverter or StringConverter)")
	assert.ErrorContains(t, w.Write(connect.Datum{}), "found null")
	assert.ErrorContains(t, w.Write(connect.Datum{Value: data.Int8(1)}), "found INT8 without a schema")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestBytes(t *testing.T) {
	a, b := connect.Datum{Value: data.Bytes([]byte{0, 1})}, connect.Datum{Schema: data.StringSchema, Value: data.String("ß")}
	assert.Equal(t, "\x00\x01\nß\n", string(formattest.File(t, raw(t, format.BytesOptions{}), a, b)))
	assert.Equal(t, "\x00\x01ß", string(formattest.File(t, raw(t, format.BytesOptions{Separator: []byte{}}), a, b)))
	assert.Equal(t, "\x00\x01--ß--", string(formattest.File(t, raw(t, format.BytesOptions{Separator: []byte("--")}), a, b)))
	assert.Equal(t, "\x00\x00\x00\x02\x00\x01\x00\x00\x00\x02ß", string(formattest.File(t, raw(t, format.BytesOptions{LengthPrefix: true}), a, b)))
}

func TestCSV(t *testing.T) {
	inner := data.StructBuilder().Field("x", data.Int32Schema).MustBuild()
	s := data.StructBuilder().Field("text", data.OptionalStringSchema).Field("n,m", data.OptionalFloat64Schema).
		Field("d", data.DecimalSchema(2)).Field("day", data.DateSchema).Field("at", data.TimeSchema).Field("ts", data.TimestampSchema).
		Field("raw", data.BytesSchema).Field("in", inner).Field("list", data.ArrayBuilder(data.Int32Schema).MustBuild()).
		Field("def", data.NewBuilder(data.KindInt32).Optional().Default(data.Int32(9)).MustBuild()).MustBuild()
	d := func(text, n data.Value) connect.Datum {
		return row(t, s, text, n, data.DecimalOf(data.DecimalFromInt64(-5, 2)), data.DateMillis(-86_400_000), data.DateMillis(86_400_000),
			data.DateMillis(253402300800000), data.Bytes([]byte{1, 2}), row(t, inner, data.Int32(4)).Value, data.ArrayOf(data.Int32(1), data.Int32(2)))
	}
	rest := `,-0.05,1969-12-31,24:00:00.000,10000-01-01T00:00:00.000Z,AQI=,"{""x"":4}","[1,2]",9` + "\n"
	head := `text,"n,m",d,day,at,ts,raw,in,list,def` + "\n"
	assert.Equal(t, head+`"a""b",1.5`+rest+`,NaN`+rest+`"",-Infinity`+rest+`" x"`+`,`+rest, string(formattest.File(t, comma(t, format.CSVOptions{}),
		d(data.String(`a"b`), data.Float64(1.5)), d(data.Value{}, data.Float64(math.NaN())), d(data.String(""), data.Float64(math.Inf(-1))),
		d(data.String(" x"), data.Value{}))))
	one := data.StructBuilder().Field("a", data.OptionalStringSchema).Field("b", data.OptionalStringSchema).MustBuild()
	assert.Equal(t, "NULL;'NULL'\r\n'a;b''';a,b\r\n", string(formattest.File(t, comma(t, format.CSVOptions{NoHeader: true, Delimiter: ';', Quote: '\'', Null: "NULL", LineEnd: "\r\n"}),
		row(t, one, data.Value{}, data.String("NULL")), row(t, one, data.String("a;b'"), data.String("a,b")))))
	_, err := comma(t, format.CSVOptions{}).NewWriter(io.Discard, row(t, data.StructBuilder().MustBuild()))
	assert.ErrorAs(t, err, new(*format.DataError))
	huge := row(t, data.StructBuilder().Field("d", data.DecimalSchema(1<<30)).MustBuild(), data.DecimalOf(data.DecimalFromInt64(1, 1<<30)))
	w, err := comma(t, format.CSVOptions{}).NewWriter(io.Discard, huge)
	require.NoError(t, err)
	assert.ErrorContains(t, w.Write(huge), "allowed are 100000")
	long := data.NewDecimal(new(big.Int).Exp(big.NewInt(10), big.NewInt(199), nil), 2)
	d200 := row(t, data.StructBuilder().Field("d", data.DecimalSchema(2)).MustBuild(), data.DecimalOf(long))
	assert.Equal(t, "d\n1"+strings.Repeat("0", 197)+".00\n", string(formattest.File(t, comma(t, format.CSVOptions{}), d200)))
}

func TestCSVOfMapsAndValues(t *testing.T) {
	m := func(kv ...string) connect.Datum {
		var pairs []data.Pair
		for i := 0; i < len(kv); i += 2 {
			pairs = append(pairs, data.Pair{Key: data.String(kv[i]), Value: data.String(kv[i+1])})
		}
		return connect.Datum{Value: data.MapOf(pairs...)}
	}
	f := comma(t, format.CSVOptions{})
	assert.Equal(t, "a,b\n1,2\n1,2\n,3\n", string(formattest.File(t, f, m("a", "1", "b", "2"), m("b", "2", "a", "1"), m("b", "3"))))
	w, err := f.NewWriter(io.Discard, m("a", "1"))
	require.NoError(t, err)
	assert.ErrorContains(t, w.Write(m("c", "1")), `found key "c", the columns of this file are ["a"]`)
	assert.ErrorContains(t, w.Write(text("x")), "found STRING without a schema")
	assert.Equal(t, "value\nx\n\"\"\n", string(formattest.File(t, f, text("x"), connect.Datum{})))
	s := data.StructBuilder().Field("a", data.Int32Schema).MustBuild()
	other := data.StructBuilder().Field("a", data.Int64Schema).MustBuild()
	w, err = f.NewWriter(io.Discard, row(t, s, data.Int32(1)))
	require.NoError(t, err)
	assert.ErrorAs(t, w.Write(row(t, other, data.Int64(1))), new(*format.DataError))
	again := data.StructBuilder().Field("a", data.Int32Schema).MustBuild()
	assert.NoError(t, w.Write(row(t, again, data.Int32(1))))
}

func TestCompression(t *testing.T) {
	var all []connect.Datum
	var want strings.Builder
	for i := range 20_000 {
		line := fmt.Sprintf("line %d of many", i*i)
		all = append(all, text(line))
		want.WriteString(line + "\n")
	}
	for _, c := range []struct {
		c    format.Compression
		read func(io.Reader) (io.Reader, error)
	}{
		{gz, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{format.Compression{Type: format.Gzip, Level: 9}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{format.Compression{Type: format.Zstd, Level: -1}, func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) }},
		{format.Compression{Type: format.Snappy, Level: -1}, func(r io.Reader) (io.Reader, error) { return s2.NewReader(r), nil }},
		{format.Compression{}, func(r io.Reader) (io.Reader, error) { return r, nil }},
	} {
		f := raw(t, format.BytesOptions{Compression: c.c})
		r, err := c.read(bytes.NewReader(formattest.File(t, f, all...)))
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, want.String(), string(b), "%v", c.c)
	}
}

// What is written and not buffered has reached the output; Flush leaves nothing behind.
func TestBufferedIsHonest(t *testing.T) {
	line := text(strings.Repeat("0123456789abcdef", 64))
	for _, kind := range format.CompressionTypes() {
		var out bytes.Buffer
		w, err := raw(t, format.BytesOptions{Compression: format.Compression{Type: kind, Level: format.DefaultLevel}}).NewWriter(&out, line)
		require.NoError(t, err)
		for range 1000 {
			require.NoError(t, w.Write(line))
			assert.LessOrEqual(t, w.Buffered(), int64(400<<10), kind)
		}
		assert.Positive(t, w.Buffered(), kind)
		before := out.Len()
		require.NoError(t, w.Flush())
		assert.Zero(t, w.Buffered(), kind)
		assert.Greater(t, out.Len(), before, kind)
		require.NoError(t, w.Close())
	}
}

type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

// A writer whose output failed stays broken, and the error is no DataError.
func TestOutputFails(t *testing.T) {
	line := text(strings.Repeat("x", 10_000))
	for _, kind := range format.CompressionTypes() {
		w, err := raw(t, format.BytesOptions{Compression: format.Compression{Type: kind, Level: format.DefaultLevel}}).NewWriter(&failing{left: 5}, line)
		require.NoError(t, err)
		require.NoError(t, w.Write(line))
		err = w.Flush()
		require.ErrorContains(t, err, "disk full", kind)
		assert.NotErrorAs(t, err, new(*format.DataError))
		assert.ErrorContains(t, w.Write(line), "disk full", kind)
		assert.ErrorContains(t, w.Close(), "disk full", kind)
	}
}

// Any texts come back from a reader of RFC 4180.
func FuzzCSV(f *testing.F) {
	f.Add("a", "b\"", ",")
	f.Add("", " ", "\r\n")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		s := data.StructBuilder().Field("a", data.StringSchema).Field("b", data.StringSchema).Field("c", data.BytesSchema).MustBuild()
		out := formattest.File(t, comma(t, format.CSVOptions{}), row(t, s, data.String(a), data.String(b), data.Bytes([]byte(c))))
		rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
		require.NoError(t, err, "%q", out)
		unix := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") } // as encoding/csv reads
		require.Len(t, rows, 2)
		assert.Equal(t, []string{unix(a), unix(b)}, rows[1][:2], "%q", out)
	})
}

// Length-prefixed data come back, whatever they are.
func FuzzLengthPrefix(f *testing.F) {
	f.Add([]byte("a"), []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if a == nil || b == nil {
			return
		}
		out := formattest.File(t, raw(t, format.BytesOptions{LengthPrefix: true, Compression: format.Compression{}}),
			connect.Datum{Value: data.Bytes(a)}, connect.Datum{Value: data.Bytes(b)})
		for _, want := range [][]byte{a, b} {
			n := binary.BigEndian.Uint32(out)
			assert.Equal(t, string(want), string(out[4:4+n]))
			out = out[4+n:]
		}
		assert.Empty(t, out)
	})
}

// Texts of frames stand around and between data alone, compressed or not.
func TestFrames(t *testing.T) {
	for want, frame := range map[string]format.Frame{"[\na,\nb\n]": {Begin: "[\n", Between: ",\n", End: "\n]"}, "a\nb": {Between: "\n"}} {
		inner, err := format.Bytes(format.BytesOptions{Frame: &frame})
		require.NoError(t, err)
		pressed, err := format.Compressed(format.Named(inner, ".x"), gz)
		require.NoError(t, err)
		assert.Equal(t, ".x.gz", pressed.Extension())
		assert.Equal(t, "application/gzip", pressed.ContentType())
		for _, f := range []format.Format{inner, pressed} {
			var out bytes.Buffer
			w, err := f.NewWriter(&out, connect.Datum{Value: data.String("a")})
			require.NoError(t, err)
			require.NoError(t, w.Write(connect.Datum{Value: data.String("a")}))
			require.NoError(t, w.Flush())
			var refused *format.DataError
			require.ErrorAs(t, w.Write(connect.Datum{Value: data.Int64(1)}), &refused)
			require.NoError(t, w.Write(connect.Datum{Value: data.String("b")}))
			assert.Positive(t, w.Buffered())
			require.NoError(t, w.Close())
			text := out.Bytes()
			if f == pressed {
				r, err := gzip.NewReader(&out)
				require.NoError(t, err)
				text, err = io.ReadAll(r)
				require.NoError(t, err)
			}
			assert.Equal(t, want, string(text))
		}
	}
}
