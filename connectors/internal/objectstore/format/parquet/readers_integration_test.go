//go:build integration

package parquet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/avro"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/formattest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
	"github.com/streamlane/connect/internal/testenv"
)

// everyType is two rows with each type there is.
func everyType(t *testing.T) []connect.Datum {
	t.Helper()
	inner := data.StructBuilder().Name("Inner").Field("x", data.Int32Schema).Field("y", data.OptionalStringSchema).MustBuild()
	enum := data.NewBuilder(data.KindString).Parameter("io.confluent.connect.avro.Enum", "Color").
		Parameter("io.confluent.connect.avro.Enum.RED", "RED").Parameter("io.confluent.connect.avro.Enum.BLUE", "BLUE").MustBuild()
	fixed := data.NewBuilder(data.KindBytes).Name("Four").Parameter("connect.fixed.size", "4").MustBuild()
	s := data.StructBuilder().Name("All").Field("i8", data.Int8Schema).Field("i16", data.Int16Schema).Field("i32", data.Int32Schema).
		Field("i64", data.Int64Schema).Field("f32", data.Float32Schema).Field("f64", data.Float64Schema).Field("b", data.BooleanSchema).
		Field("s", data.OptionalStringSchema).Field("raw", data.BytesSchema).
		Field("dec", data.DecimalBuilder(2).Parameter("connect.decimal.precision", "30").MustBuild()).
		Field("day", data.DateSchema).Field("at", data.TimeSchema).Field("ts", data.TimestampSchema).Field("enum", enum).Field("fixed", fixed).
		Field("inner", inner).Field("list", data.ArrayBuilder(data.OptionalInt32Schema).MustBuild()).
		Field("rows", data.ArrayBuilder(inner).MustBuild()).Field("map", data.MapBuilder(data.StringSchema, inner).MustBuild()).
		Field("pairs", data.MapBuilder(data.Int32Schema, data.StringSchema).MustBuild()).MustBuild()
	in := schematest.Row(t, inner, data.Int32(7), data.String("ß"))
	one := func(text data.Value, sign int64) connect.Datum {
		return row(t, s, data.Int8(-8), data.Int16(-16), data.Int32(-32), data.Int64(-64), data.Float32(1.5), data.Float64(2.25), data.Boolean(true), text,
			data.Bytes([]byte{0, 255}), data.DecimalOf(data.DecimalFromInt64(sign*12345, 2)), data.DateMillis(-86_400_000), data.DateMillis(3_723_004),
			data.DateMillis(-1), data.String("BLUE"), data.Bytes([]byte("abcd")), in, data.ArrayOf(data.Int32(1), data.Value{}), data.ArrayOf(in, in),
			data.MapOf(data.Pair{Key: data.String("k"), Value: in}), data.MapOf(data.Pair{Key: data.Int32(5), Value: data.String("five")}))
	}
	return []connect.Datum{one(data.String("text"), 1), one(data.Value{}, -1)}
}

const readers = `
import sys, json, datetime, decimal, pyarrow, pyarrow.parquet, duckdb, fastavro
def plain(v):
    if isinstance(v, bytes): return v.decode("latin1")
    if isinstance(v, (datetime.date, datetime.time, datetime.datetime)): return v.isoformat()
    if isinstance(v, decimal.Decimal): return str(v)
    if isinstance(v, dict): return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)): return [plain(x) for x in v]
    return v
out = {}
for name in sys.argv[1:]:
    if ".json" in name:
        rows = duckdb.sql("SELECT n FROM read_json('%s', format='newline_delimited') ORDER BY n" % name).fetchall()
        out[name] = [r[0] for r in rows]
        with pyarrow.input_stream(name) as f: out[name + " arrow"] = f.read().decode().count("\n")
        continue
    if name.endswith(".avro"):
        with open(name, "rb") as f: out[name] = plain(list(fastavro.reader(f)))
        continue
    out[name] = plain(pyarrow.parquet.read_table(name).to_pylist())
    q = duckdb.sql("SET TimeZone='UTC'; SELECT * FROM read_parquet('%s')" % name)
    out[name + " duckdb"] = plain([dict(zip(q.columns, r)) for r in q.fetchall()])
    out[name + " filter"] = duckdb.sql("SELECT count(*) FROM read_parquet('%s') WHERE dec < 0" % name).fetchall()[0][0]
json.dump(out, sys.stdout)
`

// pyarrow, DuckDB and fastavro read every type in files of every codec.
func TestOtherReaders(t *testing.T) {
	python := testenv.Python(t, "pyarrow==21.0.0", "duckdb==1.4.1", "fastavro==1.12.0", "cramjam==2.11.0", "zstandard==0.25.0", "pytz==2025.2")
	dir, all := t.TempDir(), everyType(t)
	var names []string
	write := func(name string, f format.Format) {
		name = filepath.Join(dir, name+f.Extension())
		require.NoError(t, os.WriteFile(name, formattest.File(t, f, all...), 0o600))
		names = append(names, name)
	}
	for _, codec := range Codecs() {
		write("p-"+string(codec), made(t, Options{Codec: codec}))
		write("groups-"+string(codec), flushing{made(t, Options{Codec: codec})})
	}
	for _, codec := range avro.Codecs() {
		f, err := avro.New(avro.Options{Codec: codec, Schema: mapping})
		require.NoError(t, err)
		write("a-"+string(codec), f)
	}
	lines := writeLines(t, dir)
	cmd := exec.CommandContext(t.Context(), python, slices.Concat([]string{"-c", readers}, names, lines)...)
	cmd.Stderr = new(bytes.Buffer)
	b, err := cmd.Output()
	require.NoError(t, err, "%s", cmd.Stderr)
	var got map[string]any
	require.NoError(t, json.Unmarshal(b, &got))
	for _, name := range lines {
		assert.Equal(t, []any{0., 1., 2., 3.}, got[name], name)
		assert.EqualValues(t, 4, got[name+" arrow"], name)
	}
	for _, name := range names {
		if filepath.Ext(name) == ".avro" {
			checkRows(t, name, got[name], fastavroMap)
			continue
		}
		checkRows(t, name, got[name], pyarrowMap)
		checkRows(t, name+" duckdb", got[name+" duckdb"], duckMap)
		assert.EqualValues(t, 1, got[name+" filter"], "one decimal is negative: %s", name)
	}
}

// flushing is a format whose writers are short of memory: each row is flushed.
type flushing struct{ format.Format }

func (f flushing) NewWriter(out io.Writer, first connect.Datum) (format.Writer, error) {
	w, err := f.Format.NewWriter(out, first)
	return flushingWriter{w}, err
}

type flushingWriter struct{ format.Writer }

func (w flushingWriter) Write(d connect.Datum) error {
	return errors.Join(w.Writer.Write(d), w.Flush())
}

// writeLines writes four lines of JSON that are flushed one by one, in each compression that DuckDB and pyarrow know.
func writeLines(t *testing.T, dir string) (names []string) {
	for _, c := range []format.CompressionType{format.NoCompression, format.Gzip, format.Zstd} {
		f, err := format.JSON(format.JSONOptions{Compression: format.Compression{Type: c, Level: format.DefaultLevel}})
		require.NoError(t, err)
		var all []connect.Datum
		for n := range 4 {
			all = append(all, connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("n"), Value: data.Int32(int32(n))})})
		}
		name := filepath.Join(dir, "lines"+f.Extension())
		require.NoError(t, os.WriteFile(name, formattest.File(t, flushing{f}, all...), 0o600))
		names = append(names, name)
	}
	return names
}

// How each reader shows the map.
const (
	fastavroMap = `{"k":{"x":7,"y":"ß"}}`
	pyarrowMap  = `[["k",{"x":7,"y":"ß"}]]`
	duckMap     = `{"k":{"x":7,"y":"ß"}}`
)

func checkRows(t *testing.T, name string, found any, mapText string) {
	t.Helper()
	rows, ok := found.([]any)
	require.True(t, ok && len(rows) == 2, "%s: %v", name, found)
	for i, text := range []string{`"text"`, `null`} {
		x, ok := rows[i].(map[string]any)
		require.True(t, ok, name)
		ts, _ := x["ts"].(string)
		assert.Contains(t, ts, "1969-12-31T23:59:59.999000", name)
		delete(x, "ts")
		at, _ := x["at"].(string)
		x["at"] = strings.TrimSuffix(at, "+00:00") // DuckDB tells that it is UTC
		got, err := json.Marshal(x)
		require.NoError(t, err)
		want := `{"i8":-8,"i16":-16,"i32":-32,"i64":-64,"f32":1.5,"f64":2.25,"b":true,"s":` + text + `,"raw":"\u0000ÿ","dec":"` +
			[]string{"123.45", "-123.45"}[i] + `","day":"1969-12-31","at":"01:02:03.004000","enum":"BLUE","fixed":"abcd","inner":{"x":7,"y":"ß"},` +
			`"list":[1,null],"rows":[{"x":7,"y":"ß"},{"x":7,"y":"ß"}],"map":` + mapText + `,"pairs":[{"key":5,"value":"five"}]}`
		assert.JSONEq(t, want, string(got), name)
	}
}
