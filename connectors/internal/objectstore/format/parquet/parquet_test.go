package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"runtime"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/memtest"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/formattest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/avrodata"
	"github.com/streamlane/connect/internal/schematest"
)

var mapping = avrodata.Options{Enhanced: true, MetaData: true, Flatten: true}

func made(t testing.TB, o Options) *parquetFormat {
	t.Helper()
	o.Schema = mapping
	f, err := New(o)
	require.NoError(t, err)
	return f.(*parquetFormat)
}

// assembler puts the values of a row together again.
type assembler struct{ columns [][]parquet.Value }

// peek returns the next value of the first column of a place.
func (a *assembler) peek(n *node) (parquet.Value, bool) {
	if len(a.columns[n.from]) == 0 {
		return parquet.Value{}, false
	}
	return a.columns[n.from][0], true
}

func (a *assembler) drop(n *node) {
	for c := n.from; c < n.to; c++ {
		a.columns[c] = a.columns[c][1:]
	}
}

func (a *assembler) get(n *node, def int) data.Value {
	x, _ := a.peek(n)
	if n.optional {
		if def++; x.DefinitionLevel() < def {
			a.drop(n)
			return data.Value{}
		}
	}
	switch n.shape {
	case asLeaf:
		a.drop(n)
		return scalar(n, x)
	case asList, asMap, asPairs:
		return a.repeated(n, x, def)
	}
	rows := data.NewStructs(n.schema, 1)
	for i, c := range n.children {
		rows[0].Set(i, a.get(c, def))
	}
	return data.StructOf(&rows[0])
}

func (a *assembler) repeated(n *node, x parquet.Value, def int) data.Value {
	var elems []data.Value
	var pairs []data.Pair
	if x.DefinitionLevel() <= def {
		a.drop(n)
	} else {
		for more := true; more; {
			if n.shape == asList {
				elems = append(elems, a.get(n.children[0], def+1))
			} else {
				k := a.get(n.children[0], def+1)
				pairs = append(pairs, data.Pair{Key: k, Value: a.get(n.children[1], def+1)})
			}
			next, ok := a.peek(n)
			more = ok && next.RepetitionLevel() == n.rep
		}
	}
	if n.shape == asList {
		return data.ArrayOf(elems...)
	}
	return data.MapOf(pairs...)
}

func scalar(n *node, x parquet.Value) data.Value {
	switch n.kind {
	case data.KindInt8:
		return data.Int8(int8(x.Int32()))
	case data.KindInt16:
		return data.Int16(int16(x.Int32()))
	case data.KindInt32:
		return data.Int32(x.Int32())
	case data.KindInt64:
		return data.Int64(x.Int64())
	case data.KindFloat32:
		return data.Float32(x.Float())
	case data.KindFloat64:
		return data.Float64(x.Double())
	case data.KindBoolean:
		return data.Boolean(x.Boolean())
	case data.KindString:
		return data.String(string(x.ByteArray()))
	case data.KindBytes:
		return data.Bytes(append([]byte{}, x.ByteArray()...))
	case data.KindDecimal:
		d, _ := data.DecimalFromUnscaled(x.ByteArray(), int32(n.scale))
		return data.DecimalOf(d)
	}
	base := data.Int32(x.Int32())
	if n.schema.Kind() == data.KindInt64 {
		base = data.Int64(x.Int64())
	}
	v, _ := data.ToLogical(n.schema, base)
	return v
}

// back reads all data of a file.
func back(t testing.TB, p *plan, b []byte) (all []data.Value, opened *parquet.File) {
	t.Helper()
	opened, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	for _, g := range opened.RowGroups() {
		rows := g.Rows()
		for buf := make([]parquet.Row, 10); ; {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				a := &assembler{columns: make([][]parquet.Value, len(p.columns))}
				for _, v := range row {
					a.columns[v.Column()] = append(a.columns[v.Column()], v.Clone())
				}
				all = append(all, a.get(p.root, 0))
				for _, rest := range a.columns {
					assert.Empty(t, rest)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
		}
		require.NoError(t, rows.Close())
	}
	return all, opened
}

func same(t testing.TB, f *parquetFormat, all []connect.Datum, b []byte) *parquet.File {
	t.Helper()
	got, opened := back(t, f.plan, b)
	require.Len(t, got, len(all))
	for i, d := range all {
		require.True(t, data.Equal(d.Value, got[i]), "row %d: %v came back as %v", i, d.Value, got[i])
	}
	return opened
}

// Any schema and any values come back.
func TestFilesAreRead(t *testing.T) {
	for seed := range uint64(300) {
		r := schematest.NewRandom(seed)
		s := r.Struct(4)
		var all []connect.Datum
		for range 1 + r.IntN(200) {
			all = append(all, connect.Datum{Schema: s, Value: filled(r.Value(s))})
		}
		f := made(t, Options{Codec: Codecs()[seed%6], PageSize: 1024, RowGroupRows: int64(r.IntN(100)), NoDictionary: seed%5 == 0})
		opened := same(t, f, all, formattest.File(t, f, all...))
		text, ok := opened.Lookup("parquet.avro.schema")
		require.True(t, ok)
		a, err := avrodata.NewParser().Parse(text)
		require.NoError(t, err)
		again, err := mapping.ToConnect(a, 0)
		require.NoError(t, err)
		assert.True(t, s.Equal(again), text)
	}
}

// filled gives null fields the defaults that they are written as.
func filled(v data.Value) data.Value {
	x, ok := v.Struct()
	if !ok {
		if elems, ok := v.Array(); ok {
			for i := range elems {
				elems[i] = filled(elems[i])
			}
		}
		if pairs, ok := v.Map(); ok {
			for i := range pairs {
				pairs[i].Value = filled(pairs[i].Value)
			}
		}
		return v
	}
	for i := range x.Len() {
		x.Set(i, filled(x.At(i)))
	}
	return v
}

func row(t testing.TB, s *data.Schema, values ...data.Value) connect.Datum {
	return connect.Datum{Schema: s, Value: schematest.Row(t, s, values...)}
}

func TestNames(t *testing.T) {
	for codec, want := range map[Codec]string{
		"": ".snappy.parquet", None: ".parquet", Gzip: ".gz.parquet", Zstd: ".zstd.parquet", LZ4Raw: ".lz4raw.parquet", Brotli: ".br.parquet",
	} {
		f := made(t, Options{Codec: codec})
		assert.Equal(t, want, f.Extension())
		assert.Equal(t, "application/vnd.apache.parquet", f.ContentType())
	}
	for _, o := range []Options{{Codec: "lzo"}, {Codec: "lz4"}, {RowGroupSize: 1}, {RowGroupRows: -1}, {PageSize: 1}} {
		_, err := New(o)
		assert.ErrorContains(t, err, "allowed are")
	}
}

func TestExtremes(t *testing.T) {
	s := data.StructBuilder().Field("odd name, with.dots", data.Float64Schema).
		Field("d", data.DecimalBuilder(3).Parameter("connect.decimal.precision", "200").MustBuild()).
		Field("day", data.DateSchema).Field("ts", data.TimestampSchema).Field("f", data.Float32Schema).MustBuild()
	big200 := new(big.Int).Exp(big.NewInt(10), big.NewInt(199), nil)
	var all []connect.Datum
	for i, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64} {
		n := big200
		if i%2 == 1 {
			n = new(big.Int).Neg(big200)
		}
		all = append(all, row(t, s, data.Float64(x), data.DecimalOf(data.NewDecimal(n, 3)), data.DateMillis(int64(i-2)*math.MaxInt32/2*86_400_000),
			data.DateMillis(int64(i-2)*(math.MaxInt64/2)), data.Float32(float32(x))))
	}
	f := made(t, Options{})
	opened := same(t, f, all, formattest.File(t, f, all...))
	_, ok := opened.Lookup("parquet.avro.schema")
	assert.False(t, ok, "names that Avro does not allow")
}

func TestRefused(t *testing.T) {
	empty := data.StructBuilder().MustBuild()
	for want, d := range map[string]connect.Datum{
		"need a schema":                    {Value: data.MapOf()},
		"hold structs":                     {Schema: data.StringSchema, Value: data.String("x")},
		"has no fields":                    row(t, data.StructBuilder().Field("e", empty).MustBuild()),
		"scale of 0 to their precision":    row(t, data.StructBuilder().Field("e", data.DecimalSchema(-1)).MustBuild()),
		"set the schema's parameter":       row(t, data.StructBuilder().Field("e", data.DecimalSchema(65)).MustBuild()),
		"which it is not in Connect":       row(t, data.StructBuilder().Field("e", data.NewBuilder(data.KindInt64).Name(data.LogicalDate).MustBuild()).MustBuild()),
		"field \"a\": elements: field \"b": row(t, data.StructBuilder().Field("a", data.ArrayBuilder(data.StructBuilder().Field("b", empty).MustBuild()).MustBuild()).MustBuild()),
	} {
		_, err := made(t, Options{}).NewWriter(io.Discard, d)
		require.ErrorAs(t, err, new(*format.DataError), want)
		assert.ErrorContains(t, err, want)
	}
	recursive := data.NewReference()
	node := data.StructBuilder().Name("Node").Field("next", recursive.Optional()).MustBuild()
	require.NoError(t, recursive.Bind(node))
	_, err := made(t, Options{}).NewWriter(io.Discard, row(t, node))
	assert.ErrorContains(t, err, "holds itself")
}

// A datum that is refused leaves nothing of itself in the columns.
func TestDataErrorLeavesTheFile(t *testing.T) {
	s := data.StructBuilder().Field("list", data.ArrayBuilder(data.OptionalInt32Schema).MustBuild()).Field("d", data.DecimalSchema(1)).Field("s", data.StringSchema).MustBuild()
	list := data.ArrayOf(data.Int32(1), data.Value{}, data.Int32(3))
	one := data.DecimalOf(data.DecimalFromInt64(5, 1))
	good := row(t, s, list, one, data.String("x"))
	huge := data.NewDecimal(new(big.Int).Exp(big.NewInt(10), big.NewInt(64), nil), 1)
	f := made(t, Options{})
	var out bytes.Buffer
	w, err := f.NewWriter(&out, good)
	require.NoError(t, err)
	require.NoError(t, w.Write(good))
	for _, bad := range []connect.Datum{
		row(t, s, list, one), row(t, s, list, one, data.Int32(1)), row(t, s, list, one, data.String("\xff")), {Value: data.MapOf()}, {},
		row(t, s, list, data.DecimalOf(data.DecimalFromInt64(5, 2)), data.String("x")), row(t, s, list, data.DecimalOf(huge), data.String("x")),
	} {
		before := w.Buffered()
		require.ErrorAs(t, w.Write(bad), new(*format.DataError))
		assert.Equal(t, before, w.Buffered())
	}
	require.NoError(t, w.Write(good))
	require.NoError(t, w.Close())
	same(t, f, []connect.Datum{good, good}, out.Bytes())
}

// Flush writes all that is held, as a row group of its own.
func TestFlushEndsTheRowGroup(t *testing.T) {
	d := schematest.EightFields(t)
	f := made(t, Options{})
	var out bytes.Buffer
	w, err := f.NewWriter(&out, d)
	require.NoError(t, err)
	var all []connect.Datum
	for range 3 {
		for range 1000 {
			all = append(all, d)
			require.NoError(t, w.Write(d))
		}
		assert.Positive(t, w.Buffered())
		before := out.Len()
		require.NoError(t, w.Flush())
		assert.Greater(t, out.Len(), before)
		assert.Zero(t, w.Buffered())
		require.NoError(t, w.Flush(), "nothing to write")
	}
	require.NoError(t, w.Close())
	opened := same(t, f, all, out.Bytes())
	assert.Len(t, opened.RowGroups(), 3)
	for _, g := range opened.RowGroups() { // by the indexes
		assert.Equal(t, int64(1000), g.NumRows())
		for _, c := range g.ColumnChunks() {
			offsets, err := c.OffsetIndex()
			require.NoError(t, err)
			bounds, err := c.ColumnIndex()
			require.NoError(t, err)
			assert.Equal(t, offsets.NumPages(), bounds.NumPages())
			pages := c.Pages()
			require.NoError(t, pages.SeekToRow(999))
			page, err := pages.ReadPage()
			require.NoError(t, err)
			assert.Equal(t, int64(1), page.NumRows())
			require.NoError(t, pages.Close())
		}
	}
}

// A row group ends when it takes as much memory as it may.
func TestRowGroupSize(t *testing.T) {
	d := schematest.EightFields(t)
	f := made(t, Options{RowGroupSize: 200 << 10, NoDictionary: true, Codec: None})
	var out bytes.Buffer
	w, err := f.NewWriter(&out, d)
	require.NoError(t, err)
	for range 20_000 {
		require.NoError(t, w.Write(d))
		require.Less(t, w.Memory(), int64(400<<10))
	}
	require.NoError(t, w.Close())
	opened, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	assert.Greater(t, len(opened.RowGroups()), 20)
	assert.Equal(t, int64(20_000), opened.NumRows())
}

// Any values are rows or DataErrors, and those that are rows come back.
func FuzzWrite(f *testing.F) {
	f.Add(uint64(1), "x", []byte{1}, int64(-5), 1.5)
	s := data.StructBuilder().Field("s", data.OptionalStringSchema).Field("b", data.OptionalBytesSchema).Field("d", data.DecimalSchema(2)).
		Field("t", data.TimeSchema).Field("day", data.DateSchema).Field("f", data.ArrayBuilder(data.OptionalFloat64Schema).MustBuild()).MustBuild()
	f.Fuzz(func(t *testing.T, seed uint64, text string, b []byte, n int64, x float64) {
		d := row(t, s, data.String(text), data.Bytes(b), data.DecimalOf(data.DecimalFromInt64(n, int32(seed%3))), data.DateMillis(n), data.DateMillis(n),
			data.ArrayOf(data.Float64(x), data.Value{}))
		r := schematest.NewRandom(seed)
		good := connect.Datum{Schema: s, Value: r.Value(s)}
		form := made(t, Options{})
		var out bytes.Buffer
		w, err := form.NewWriter(&out, d)
		require.NoError(t, err)
		all := []connect.Datum{good}
		require.NoError(t, w.Write(good))
		if err := w.Write(d); err == nil {
			all = append(all, d)
		} else {
			require.ErrorAs(t, err, new(*format.DataError))
		}
		require.NoError(t, w.Close())
		same(t, form, all, out.Bytes())
	})
}

func BenchmarkWrite(b *testing.B) {
	for _, codec := range []Codec{None, Snappy, Zstd} {
		b.Run(string(codec), func(b *testing.B) {
			d := schematest.EightFields(b)
			w, err := made(b, Options{Codec: codec}).NewWriter(io.Discard, d)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(d); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// What a writer tells of its memory is what it takes, about: of rows that are alike and rows that differ, of few and of many, before and after a Flush.
func TestMemoryIsTold(t *testing.T) {
	s := schematest.EightFields(t).Schema
	for name, text := range map[string]func(i int) string{
		"alike": func(int) string { return "garden chair, green" }, "different": func(i int) string { return fmt.Sprintf("%x-%x", i*i*7919, i) },
	} {
		for _, rows := range []int{1, 50, 64, 500, 5000} {
			f := made(t, Options{})
			_, err := f.NewWriter(io.Discard, connect.Datum{Schema: s})
			require.NoError(t, err)
			const files = 20
			before := memtest.Heap()
			open := make([]format.Writer, files)
			for i := range open {
				w, err := f.NewWriter(io.Discard, connect.Datum{Schema: s})
				require.NoError(t, err)
				for j := range rows {
					require.NoError(t, w.Write(row(t, s, data.Int64(int64(j)), data.String(text(j)), data.String("chair"), data.Int32(int32(j)),
						data.Float64(float64(j)), data.Float32(1), data.Boolean(j%2 == 0), data.String(text(j)))))
				}
				open[i] = w
			}
			check := func(what string) {
				told, taken := int64(0), (memtest.Heap()-before)/files
				for _, w := range open {
					told += w.Memory()
				}
				told /= files
				t.Logf("%s, %d rows, %s: told %d, taken %d", name, rows, what, told, taken)
				assert.LessOrEqual(t, taken, told+told/4+2048)
				assert.LessOrEqual(t, told, 4*taken+2048)
			}
			check("written")
			for _, w := range open {
				require.NoError(t, w.Flush())
				assert.Less(t, w.Memory(), int64(4<<10))
			}
			f.plan.press.free = nil
			check("flushed")
			runtime.KeepAlive(open)
		}
	}
}
