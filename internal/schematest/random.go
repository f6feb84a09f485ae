package schematest

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/streamlane/connect/data"
)

// Random makes schemas and values of any shape.
type Random struct {
	*rand.Rand
	// Flat leaves out what a repeated field of Protobuf cannot hold: arrays of arrays and
	// maps, and of nulls; names and attributes of primitives.
	Flat  bool
	names int
}

// NewRandom returns one that always makes the same.
func NewRandom(seed uint64) *Random { return &Random{Rand: rand.New(rand.NewPCG(seed, seed))} }

// Struct returns a STRUCT schema with a name of its own.
func (r *Random) Struct(depth int) *data.Schema {
	r.names++
	b := data.StructBuilder().Name("test.R" + strconv.Itoa(r.names))
	if r.IntN(3) == 0 {
		b.Version(1 + r.IntN(9)).Doc("doc")
	}
	for i := range 1 + r.IntN(6) {
		b.Field(fmt.Sprint("f", i), r.Schema(depth-1))
	}
	return b.MustBuild()
}

// Schema returns a schema with so many levels at most.
func (r *Random) Schema(depth int) *data.Schema {
	if depth > 0 && r.IntN(3) == 0 {
		return r.container(depth)
	}
	var b *data.Builder
	switch k := r.IntN(13); k {
	case 9:
		b = data.DecimalBuilder(r.IntN(5))
	case 10:
		b = data.DateBuilder()
	case 11:
		b = data.TimeBuilder()
	case 12:
		b = data.TimestampBuilder()
	default:
		b = data.NewBuilder(data.KindInt8 + data.Kind(k))
		if !r.Flat && r.IntN(4) == 0 {
			b.Name("test.named").Parameter("p", strconv.Itoa(r.IntN(3)))
		}
	}
	if r.IntN(2) == 0 {
		b.Optional()
	}
	return b.MustBuild()
}

func (r *Random) container(depth int) *data.Schema {
	switch r.IntN(3) {
	case 0:
		elem := r.Schema(depth - 1)
		for r.Flat && (elem.Kind() == data.KindArray || elem.Kind() == data.KindMap || elem.Optional()) {
			elem = r.Schema(0)
		}
		return data.ArrayBuilder(elem).MustBuild()
	case 1:
		return data.MapBuilder(data.StringSchema, r.Schema(0)).MustBuild()
	}
	return r.Struct(depth)
}

// Value returns a value of a schema. Maps have one entry at most, for they come
// back in any order.
func (r *Random) Value(s *data.Schema) data.Value {
	if s.Optional() && r.IntN(3) == 0 {
		return data.Value{}
	}
	switch s.Name() {
	case data.LogicalDecimal:
		scale, _ := data.DecimalScaleOf(s)
		return data.DecimalOf(data.DecimalFromInt64(r.Int64()-r.Int64(), scale))
	case data.LogicalDate:
		return data.DateMillis(int64(r.IntN(40000)-20000) * 86_400_000)
	case data.LogicalTime:
		return data.DateMillis(int64(r.IntN(86_400_000)))
	case data.LogicalTimestamp:
		return data.DateMillis(r.Int64N(1<<41) - 1<<40)
	}
	switch s.Kind() {
	case data.KindInt8:
		return data.Int8(int8(r.Uint32()))
	case data.KindInt16:
		return data.Int16(int16(r.Uint32()))
	case data.KindInt32:
		return data.Int32(int32(r.Uint32()) >> r.IntN(32))
	case data.KindInt64:
		return data.Int64(int64(r.Uint64()) >> r.IntN(64))
	case data.KindFloat32:
		return data.Float32(r.Float32() * 1e6)
	case data.KindFloat64:
		return data.Float64(r.NormFloat64())
	case data.KindBoolean:
		return data.Boolean(r.IntN(2) == 0)
	case data.KindString:
		return data.String(r.text())
	case data.KindBytes:
		return data.Bytes([]byte(r.text()))
	}
	return r.contents(s)
}

func (r *Random) contents(s *data.Schema) data.Value {
	switch s.Kind() {
	case data.KindArray:
		elems := make([]data.Value, r.IntN(4))
		for i := range elems {
			elems[i] = r.Value(s.ElemSchema())
		}
		return data.ArrayOf(elems...)
	case data.KindMap:
		if r.IntN(2) == 0 {
			return data.MapOf()
		}
		return data.MapOf(data.Pair{Key: r.Value(s.KeySchema()), Value: r.Value(s.ElemSchema())})
	}
	rows := data.NewStructs(s, 1)
	for i, f := range s.Fields() {
		rows[0].Set(i, r.Value(f.Schema))
	}
	return data.StructOf(&rows[0])
}

func (r *Random) text() string {
	letters := []rune("abcXYZ 019äß€\U0001F600\"\\\n")
	out := make([]rune, r.IntN(12))
	for i := range out {
		out[i] = letters[r.IntN(len(letters))]
	}
	return string(out)
}
