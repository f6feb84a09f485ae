package data_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

func TestStructDefaults(t *testing.T) {
	x, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	assert.Equal(t, 2, x.Len())
	assertSame(t, data.String("none"), x.At(1))
	assert.True(t, x.Raw(1).IsNull())
	v, ok := x.Get("name")
	assert.True(t, ok)
	assertSame(t, data.String("none"), v)
	v, err = x.GetTyped("name", data.KindString)
	require.NoError(t, err)
	assert.True(t, v.IsNull(), "typed access leaves defaults out")
	_, ok = x.Get("nope")
	assert.False(t, ok)
}

func TestStructWithCopies(t *testing.T) {
	x, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	x.Set(0, data.Int32(1))
	y := x.With(0, data.Int32(2)).With(1, data.String("y"))
	assert.Equal(t, "Struct{id=1}", x.String())
	assert.Equal(t, "Struct{id=2,name=y}", y.String())
	assert.Same(t, x.Schema(), y.Schema())
}

func TestValidateNamesTheField(t *testing.T) {
	inner := data.StructBuilder().Field("r", data.Int8Schema).MustBuild()
	other := data.StructBuilder().Field("r", data.Int8Schema).Doc("other").MustBuild()
	outer := data.StructBuilder().Field("s", inner).Field("a", data.ArrayBuilder(data.Int8Schema).MustBuild()).
		Field("m", data.MapBuilder(data.StringSchema, data.OptionalInt8Schema).MustBuild()).
		Field("any", data.NewBuilder(data.KindArray).MustBuild()).
		Field("keys", data.NewBuilder(data.KindMap).Key(data.StringSchema).MustBuild()).MustBuild()
	x, err := data.NewStruct(outer)
	require.NoError(t, err)
	foreign, err := data.NewStruct(other)
	require.NoError(t, err)
	empty, err := data.NewStruct(inner)
	require.NoError(t, err)
	for _, c := range []struct {
		field string
		v     data.Value
		gist  string // "" for none
	}{
		{"s", data.StructOf(foreign), `Struct schemas do not match for field: "s"`},
		{"s", data.StructOf(empty), `null used for required field: "r"`},
		{"s", data.MapOf(), `found MAP for field: "s"`},
		{"a", data.ArrayOf(data.Int8(1), data.Int16(1)), `found INT16 for element of array field: "a"`},
		{"a", data.ArrayOf(data.Value{}), `null used for required element of array field: "a"`},
		{"a", data.ArrayOf(), ""},
		{"m", data.MapOf(data.Pair{Key: data.Int8(1)}), `found INT8 for key of map field: "m"`},
		{"m", data.MapOf(data.Pair{Key: data.String("k"), Value: data.String("v")}), `found STRING for value of map field: "m"`},
		{"m", data.MapOf(data.Pair{Key: data.String("k")}), ""},
		{"any", data.ArrayOf(), `No schema defined for element of array field: "any"`},
		{"keys", data.MapOf(), `No schema defined for value of map field: "keys"`},
		{"nope", data.Value{}, "nope is not a valid field name"},
	} {
		err := x.Put(c.field, c.v)
		if c.gist == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.gist)
		var e *data.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, data.ReasonData, e.Reason)
	}
}

// eightFields is the schema of the rows that the benchmark and the budget of allocations are about.
var eightFields = data.StructBuilder().
	Field("id", data.Int64Schema).Field("name", data.StringSchema).Field("price", data.Float64Schema).Field("count", data.Int32Schema).
	Field("active", data.BooleanSchema).Field("raw", data.BytesSchema).Field("note", data.OptionalStringSchema).
	Field("at", data.TimestampSchema).MustBuild()

// buildAndRead fills n rows and reads each field.
func buildAndRead(n int, text string, raw []byte) (sum int64) {
	rows := data.NewStructs(eightFields, n)
	for i := range rows {
		x := &rows[i]
		x.Set(0, data.Int64(int64(i)<<32))
		x.Set(1, data.String(text))
		x.Set(2, data.Float64(float64(i)/3))
		x.Set(3, data.Int32(int32(i)))
		x.Set(4, data.Boolean(i%2 == 0))
		x.Set(5, data.Bytes(raw))
		x.Set(7, data.DateMillis(int64(i)))
	}
	for i := range rows {
		x := &rows[i]
		id, _ := x.At(0).Int()
		name, _ := x.At(1).Str()
		price, _ := x.At(2).Float()
		count, _ := x.At(3).Int()
		active, _ := x.At(4).Bool()
		b, _ := x.At(5).Bytes()
		at, _ := x.At(7).Millis()
		if active && x.At(6).IsNull() {
			sum++
		}
		sum += id + int64(len(name)) + int64(price) + count + int64(len(b)) + at
	}
	return sum
}

// batch is the number of rows of a usual batch.
const batch = 500

// TestRowsShareAllocations: a batch costs one allocation for its structs and one for each 64 of its rows.
func TestRowsShareAllocations(t *testing.T) {
	raw := []byte("some bytes")
	per := testing.AllocsPerRun(20, func() { sink.n += buildAndRead(batch, "some text", raw) })
	assert.InDelta(t, 1+(batch+63)/64, per, 0.5)
	t.Logf("%.4f allocations a record", per/batch)
}

func TestNewStructs(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 63, 64, 65, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			rows := data.NewStructs(rowSchema, n)
			require.Len(t, rows, max(n, 0))
			for i := range rows {
				rows[i].Set(0, data.Int32(int32(i)))
				rows[i].Set(1, data.String("x"))
			}
			for i := range rows {
				n, _ := rows[i].At(0).Int()
				assert.EqualValues(t, i, n)
				require.NoError(t, rows[i].Validate())
			}
		})
	}
	assert.Nil(t, data.NewStructs(data.Int8Schema, 3))
	assert.Nil(t, data.NewStructs(nil, 3))
}

func BenchmarkRows(b *testing.B) {
	raw := []byte("some bytes")
	b.ReportAllocs()
	for b.Loop() {
		sink.n += buildAndRead(batch, "some text", raw)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/record")
}

func BenchmarkValidateRow(b *testing.B) {
	rows := data.NewStructs(eightFields, 1)
	x := &rows[0]
	for i, v := range []data.Value{
		data.Int64(1), data.String("text"), data.Float64(1.5), data.Int32(1), data.Boolean(true), data.Bytes([]byte("b")), {}, data.DateMillis(5),
	} {
		x.Set(i, v)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
