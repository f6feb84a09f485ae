package schematest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// EightFields is the record that budgets are counted on, the one of the JSON
// converter's.
func EightFields(t testing.TB) connect.Datum {
	t.Helper()
	s := data.StructBuilder().Name("shop.Order").Version(1).
		Field("id", data.Int64Schema).Field("customer", data.StringSchema).Field("item", data.StringSchema).Field("count", data.Int32Schema).
		Field("price", data.Float64Schema).Field("weight", data.OptionalFloat32Schema).Field("paid", data.BooleanSchema).
		Field("note", data.OptionalStringSchema).MustBuild()
	return connect.Datum{Schema: s, Value: Row(t, s,
		data.Int64(1234567890123), data.String("customer-4711"), data.String("garden chair, \"green\""), data.Int32(3),
		data.Float64(49.95), data.Float32(7.25), data.Boolean(true), data.String("leave at the door"))}
}

// Budget checks what a record may allocate once its schema is known.
func Budget(t *testing.T, c connect.Converter, encode, decode float64) {
	t.Helper()
	ctx, d, w := t.Context(), EightFields(t), &connect.Wire{Topic: "t"}
	out, null, err := c.AppendEncode(ctx, make([]byte, 0, 4096), w, d)
	require.NoError(t, err)
	require.False(t, null)
	assert.LessOrEqual(t, testing.AllocsPerRun(200, func() {
		out, _, _ = c.AppendEncode(ctx, out[:0], w, d)
	}), encode, "encode")
	_, err = c.Decode(ctx, w, out)
	require.NoError(t, err)
	assert.LessOrEqual(t, testing.AllocsPerRun(200, func() {
		_, _ = c.Decode(ctx, w, out)
	}), decode, "decode")
}

// Encode measures writing the record.
func Encode(b *testing.B, c connect.Converter) {
	ctx, d, w := b.Context(), EightFields(b), &connect.Wire{Topic: "t"}
	out, _, err := c.AppendEncode(ctx, make([]byte, 0, 4096), w, d)
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(int64(len(out)))
	for b.Loop() {
		out, _, _ = c.AppendEncode(ctx, out[:0], w, d)
	}
}

// Decode measures reading it.
func Decode(b *testing.B, c connect.Converter) {
	ctx, d, w := b.Context(), EightFields(b), &connect.Wire{Topic: "t"}
	out, _, err := c.AppendEncode(ctx, nil, w, d)
	require.NoError(b, err)
	_, err = c.Decode(ctx, w, out)
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(int64(len(out)))
	for b.Loop() {
		_, _ = c.Decode(ctx, w, out)
	}
}
