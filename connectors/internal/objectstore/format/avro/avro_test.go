package avro_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/avro"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/formattest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/avrodata"
	"github.com/streamlane/connect/internal/schematest"
)

var mapping = avrodata.Options{Enhanced: true, MetaData: true, Flatten: true}

func made(t testing.TB, codec avro.Codec, block int) format.Format {
	t.Helper()
	f, err := avro.New(avro.Options{Codec: codec, Schema: mapping, BlockSize: block})
	require.NoError(t, err)
	return f
}

// Any schema and any values come back by linkedin/goavro's reader of files, as the values that Avro's encoding has.
func TestFilesAreRead(t *testing.T) {
	for _, codec := range []avro.Codec{avro.Null, avro.Deflate, avro.Snappy} {
		for seed := range uint64(60) {
			r := schematest.NewRandom(seed)
			s := r.Struct(3)
			var all []connect.Datum
			for range 1 + r.IntN(40) {
				all = append(all, connect.Datum{Schema: s, Value: r.Value(s)})
			}
			same(t, s, all, formattest.File(t, made(t, codec, 100), all...))
		}
	}
}

// same reads a file back.
func same(t *testing.T, s *data.Schema, all []connect.Datum, file []byte) {
	t.Helper()
	r, err := goavro.NewOCFReader(bytes.NewReader(file))
	require.NoError(t, err)
	text := string(r.MetaData()["avro.schema"])
	a, err := avrodata.NewParser().Parse(text)
	require.NoError(t, err)
	back, err := mapping.ToConnect(a, 0)
	require.NoError(t, err)
	assert.True(t, s.Equal(back), text)
	d, err := mapping.NewDecoder(a, a, back)
	require.NoError(t, err)
	n := 0
	for r.Scan() {
		native, err := r.Read()
		require.NoError(t, err)
		b, err := r.Codec().BinaryFromNative(nil, native)
		require.NoError(t, err)
		v, err := d.DecodePayload(b, true)
		require.NoError(t, err)
		assert.True(t, data.Equal(all[n].Value, v), "%v came back as %v", all[n].Value, v)
		n++
	}
	require.NoError(t, r.Err())
	assert.Equal(t, len(all), n)
}

func TestOptionsAreChecked(t *testing.T) {
	for _, codec := range []avro.Codec{"bzip2", "xz", "lzo"} {
		_, err := avro.New(avro.Options{Codec: codec})
		assert.ErrorContains(t, err, "allowed are [null deflate snappy zstandard]")
	}
	_, err := avro.New(avro.Options{BlockSize: 1})
	assert.ErrorContains(t, err, "allowed are 32 to")
	f := made(t, "", 0)
	assert.Equal(t, ".avro", f.Extension())
	assert.Equal(t, "application/avro", f.ContentType())
}

func TestPrimitivesAndSchemaless(t *testing.T) {
	for _, c := range []struct {
		d    connect.Datum
		want string
	}{
		{connect.Datum{Schema: data.StringSchema, Value: data.String("x")}, `"x"`},
		{connect.Datum{Schema: data.BytesSchema, Value: data.Bytes([]byte("yz"))}, `"eXo="`},
		{connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("k"), Value: data.Int32(1)})}, ""},
	} {
		var out bytes.Buffer
		w, err := made(t, avro.Snappy, 0).NewWriter(&out, c.d)
		require.NoError(t, err)
		require.NoError(t, w.Write(c.d))
		assert.Positive(t, w.Buffered())
		require.NoError(t, w.Flush())
		assert.Zero(t, w.Buffered())
		require.NoError(t, w.Close())
		r, err := goavro.NewOCFReader(&out)
		require.NoError(t, err)
		require.True(t, r.Scan())
		got, err := r.Read()
		require.NoError(t, err)
		if c.want != "" {
			text, err := json.Marshal(got)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(text))
		}
	}
}

func TestRefused(t *testing.T) {
	odd := data.StructBuilder().Field("my field", data.StringSchema).MustBuild()
	x, err := data.NewStruct(odd)
	require.NoError(t, err)
	_, err = made(t, "", 0).NewWriter(new(bytes.Buffer), connect.Datum{Schema: odd, Value: data.StructOf(x)})
	var refused *format.DataError
	require.ErrorAs(t, err, &refused)
	assert.ErrorContains(t, err, `the field name "my field" is none that Avro allows`)

	good := connect.Datum{Schema: data.Int32Schema, Value: data.Int32(1)}
	var out bytes.Buffer
	w, err := made(t, "", 0).NewWriter(&out, good)
	require.NoError(t, err)
	require.NoError(t, w.Write(good))
	require.ErrorAs(t, w.Write(connect.Datum{Schema: data.Int32Schema, Value: data.String("x")}), &refused)
	require.ErrorAs(t, w.Write(connect.Datum{Schema: data.StringSchema, Value: data.String("x")}), &refused)
	require.NoError(t, w.Write(good))
	require.NoError(t, w.Close())
	same(t, data.Int32Schema, []connect.Datum{good, good}, out.Bytes())
}

func BenchmarkWrite(b *testing.B) {
	for _, codec := range []avro.Codec{avro.Null, avro.Snappy} {
		b.Run(string(codec), func(b *testing.B) { bench(b, made(b, codec, 0)) })
	}
}

func bench(b *testing.B, f format.Format) {
	d := schematest.EightFields(b)
	w, err := f.NewWriter(new(discard), d)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
