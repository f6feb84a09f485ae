package avro_test

import (
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/internal/schematest"
)

func TestBudget(t *testing.T) {
	schematest.Budget(t, converter(t, fake(t), nil), 0, 2)
}

func BenchmarkEncode(b *testing.B) {
	r := fake(b)
	b.Run("connect", func(b *testing.B) { schematest.Encode(b, converter(b, r, nil)) })
	b.Run("goavro/map", func(b *testing.B) {
		codec, native, out := witness(b)
		b.ReportAllocs()
		b.SetBytes(int64(len(out)))
		for b.Loop() {
			out, _ = codec.BinaryFromNative(out[:0], native)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	r := fake(b)
	b.Run("connect", func(b *testing.B) { schematest.Decode(b, converter(b, r, nil)) })
	b.Run("goavro/map", func(b *testing.B) {
		codec, _, out := witness(b)
		b.ReportAllocs()
		b.SetBytes(int64(len(out)))
		for b.Loop() {
			_, _, _ = codec.NativeFromBinary(out)
		}
	})
}

// witness returns the record for goavro.
func witness(b *testing.B) (*goavro.Codec, any, []byte) {
	r := fake(b)
	w := &connect.Wire{Topic: "t"}
	out, _, err := converter(b, r, nil).AppendEncode(b.Context(), nil, w, schematest.EightFields(b))
	require.NoError(b, err)
	s, ok := r.GetSchema("t-value", 1)
	require.True(b, ok)
	codec, err := goavro.NewCodec(s.Schema.Schema)
	require.NoError(b, err)
	native, _, err := codec.NativeFromBinary(out[5:])
	require.NoError(b, err)
	return codec, native, out[5:]
}
