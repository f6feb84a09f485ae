package converters_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

func newPrimitive(t testing.TB, kind data.Kind) *converters.PrimitiveConverter {
	t.Helper()
	p, err := converters.NewPrimitive(kind)
	require.NoError(t, err)
	return p
}

func TestPrimitive(t *testing.T) {
	for _, c := range []struct {
		v      data.Value
		schema *data.Schema
		bytes  string
	}{
		{data.Bytes([]byte{}), data.OptionalBytesSchema, ""},
		{data.Bytes([]byte("ab")), data.OptionalBytesSchema, "ab"},
		{data.Boolean(true), data.OptionalBooleanSchema, "\x01"},
		{data.Boolean(false), data.OptionalBooleanSchema, "\x00"},
		{data.Int16(math.MinInt16), data.OptionalInt16Schema, "\x80\x00"},
		{data.Int32(-2), data.OptionalInt32Schema, "\xff\xff\xff\xfe"},
		{data.Int64(math.MaxInt64), data.OptionalInt64Schema, "\x7f\xff\xff\xff\xff\xff\xff\xff"},
		{data.Float32(1.5), data.OptionalFloat32Schema, "\x3f\xc0\x00\x00"},
		{data.Float64(math.Copysign(0, -1)), data.OptionalFloat64Schema, "\x80\x00\x00\x00\x00\x00\x00\x00"},
	} {
		p := newPrimitive(t, c.v.Kind())
		assert.Equal(t, c.bytes, encodeText(t, p, nil, c.v))
		assert.Equal(t, c.bytes, encodeText(t, p, c.schema, c.v))
		d := decodeText(t, p, c.bytes)
		assert.Same(t, c.schema, d.Schema)
		assert.True(t, data.Equal(c.v, d.Value))

		d, err := p.Decode(t.Context(), nil, nil)
		require.NoError(t, err)
		assert.Same(t, c.schema, d.Schema)
		assert.True(t, d.Value.IsNull())
		out, null, err := p.AppendEncode(t.Context(), []byte("x"), nil, connect.Datum{Schema: c.schema})
		require.NoError(t, err)
		assert.True(t, null)
		assert.Equal(t, "x", string(out))
		_, _, err = p.AppendEncode(t.Context(), nil, nil, connect.Datum{Value: data.String("x")})
		assert.ErrorContains(t, err, "STRING")
	}
	for _, kind := range []data.Kind{data.KindNull, data.KindInt8, data.KindString, data.KindArray, data.KindDecimal} {
		_, err := converters.NewPrimitive(kind)
		assert.ErrorContains(t, err, kind.String())
	}
}

// FuzzPrimitive: what is read is written as the same bytes.
func FuzzPrimitive(f *testing.F) {
	kinds := []data.Kind{data.KindBytes, data.KindBoolean, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64}
	for i := range kinds {
		f.Add(i, []byte{1, 0, 0, 0, 0, 0, 0, 0}[:min(8, 1<<i)])
	}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		p := newPrimitive(t, kinds[uint(which)%uint(len(kinds))])
		d, err := p.Decode(t.Context(), nil, b)
		if err != nil {
			return
		}
		if f, ok := d.Value.Float(); ok && math.IsNaN(f) {
			return // there are many, and no two are kept apart
		}
		out, null, err := p.AppendEncode(t.Context(), nil, nil, d)
		if err != nil || null != (b == nil) || !bytes.Equal(out, b) {
			t.Fatalf("%x became %x, null %v, %v", b, out, null, err)
		}
	})
}
