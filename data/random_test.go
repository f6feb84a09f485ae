package data_test

import (
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/streamlane/connect/data"
)

// generator makes random values, the same for the same seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 17))} }

// rowSchema is the schema of the structs that a generator makes.
var rowSchema = data.StructBuilder().Name("demo.Row").
	Field("id", data.OptionalInt32Schema).
	Field("name", data.NewBuilder(data.KindString).Optional().Default(data.String("none")).MustBuild()).
	MustBuild()

// text returns a text of a small alphabet, so that equal ones turn up.
func (g generator) text() string {
	const letters = "abcü漢😀 1-"
	runes := []rune(letters)
	out := make([]rune, g.IntN(4))
	for i := range out {
		out[i] = runes[g.IntN(len(runes))]
	}
	return string(out)
}

// value returns a value of any kind, containers nested up to depth.
func (g generator) value(depth int) data.Value {
	n := 15
	if depth == 0 {
		n = 12
	}
	switch g.IntN(n) {
	case 0:
		return data.Value{}
	case 1:
		return data.Int8(int8(g.IntN(4)))
	case 2:
		return data.Int16(int16(g.IntN(4)))
	case 3:
		return data.Int32(int32(g.Uint32()))
	case 4:
		return data.Int64(int64(g.Uint64()))
	case 5:
		return data.Float32(g.float32())
	case 6:
		return data.Float64(g.float64())
	case 7:
		return data.Boolean(g.IntN(2) == 0)
	case 8:
		return data.String(g.text())
	case 9:
		return data.Bytes([]byte(g.text()))
	case 10:
		return data.DecimalOf(data.NewDecimal(big.NewInt(int64(g.IntN(2000)-1000)), int32(g.IntN(20)-10)))
	case 11:
		return data.DateMillis(int64(g.IntN(1 << 41)))
	case 12:
		return data.ArrayOf(g.values(depth)...)
	case 13:
		return data.MapOf(g.pairs(depth)...)
	default:
		return g.row()
	}
}

func (g generator) float32() float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), 1.5, math.MaxFloat32}
	if g.IntN(2) == 0 {
		return special[g.IntN(len(special))]
	}
	return math.Float32frombits(g.Uint32())
}

func (g generator) float64() float64 {
	special := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(-1), 1.5, math.SmallestNonzeroFloat64}
	if g.IntN(2) == 0 {
		return special[g.IntN(len(special))]
	}
	return math.Float64frombits(g.Uint64())
}

func (g generator) values(depth int) []data.Value {
	out := make([]data.Value, g.IntN(4))
	for i := range out {
		out[i] = g.value(depth - 1)
	}
	return out
}

// pairs returns entries of different keys, now and then so many that an index is worth it.
func (g generator) pairs(depth int) []data.Pair {
	n := g.IntN(4)
	if g.IntN(8) == 0 {
		n = 40
	}
	out := make([]data.Pair, n)
	for i := range out {
		out[i] = data.Pair{Key: data.Int32(int32(i)), Value: g.value(depth - 1)}
		if i%2 == 0 {
			out[i].Key = data.ArrayOf(data.String("k"), data.Int64(int64(i)))
		}
	}
	return out
}

func (g generator) row() data.Value {
	x, err := data.NewStruct(rowSchema)
	if err != nil {
		panic(err)
	}
	if g.IntN(3) > 0 {
		x.Set(0, data.Int32(int32(g.IntN(5))))
	}
	if g.IntN(3) > 0 {
		x.Set(1, data.String(g.text()))
	}
	return data.StructOf(x)
}
