package converters_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

// eightFields is the record that budgets are counted on.
func eightFields(t testing.TB) (*data.Schema, data.Value) {
	t.Helper()
	s := data.StructBuilder().Name("shop.Order").Version(1).
		Field("id", data.Int64Schema).Field("customer", data.StringSchema).Field("item", data.StringSchema).Field("count", data.Int32Schema).
		Field("price", data.Float64Schema).Field("weight", data.OptionalFloat32Schema).Field("paid", data.BooleanSchema).
		Field("note", data.OptionalStringSchema).MustBuild()
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	for i, v := range []data.Value{
		data.Int64(1234567890123), data.String("customer-4711"), data.String("garden chair, \"green\""), data.Int32(3),
		data.Float64(49.95), data.Float32(7.25), data.Boolean(true), data.String("leave at the door"),
	} {
		x.Set(i, v)
	}
	return s, data.StructOf(x)
}

// order is the same record for encoding/json.
type order struct {
	ID       int64   `json:"id"`
	Customer string  `json:"customer"`
	Item     string  `json:"item"`
	Count    int32   `json:"count"`
	Price    float64 `json:"price"`
	Weight   float32 `json:"weight"`
	Paid     bool    `json:"paid"`
	Note     string  `json:"note"`
}

// TestBudgets: what a record may allocate once its schema is known.
func TestBudgets(t *testing.T) {
	ctx := t.Context()
	s, v := eightFields(t)
	d := connect.Datum{Schema: s, Value: v}
	for name, j := range map[string]*converters.JSONConverter{"with schemas": newJSON(t), "without": newJSON(t, schemaless)} {
		out := make([]byte, 0, 4096)
		w := &connect.Wire{Topic: "t"}
		assert.Zero(t, testing.AllocsPerRun(200, func() {
			out, _, _ = j.AppendEncode(ctx, out[:0], w, d)
		}), "encode %s", name)
	}

	// The row and its slots, and the one string with escapes.
	j := newJSON(t)
	text := []byte(encodeText(t, j, s, v))
	assert.LessOrEqual(t, testing.AllocsPerRun(200, func() {
		_, _ = j.Decode(ctx, nil, text)
	}), 4.0, "decode")
	other := []byte(encodeText(t, j, data.Int32Schema, data.Int32(1)))
	assert.LessOrEqual(t, testing.AllocsPerRun(200, func() {
		_, _ = j.Decode(ctx, nil, text)
		_, _ = j.Decode(ctx, nil, other)
	}), 4.0, "decode with schemas that take turns")

	str, err := converters.NewString(converters.StringConfig{})
	require.NoError(t, err)
	long, err := converters.NewPrimitive(data.KindInt64)
	require.NoError(t, err)
	out := make([]byte, 0, 64)
	assert.Zero(t, testing.AllocsPerRun(200, func() {
		out, _, _ = str.AppendEncode(ctx, out[:0], nil, connect.Datum{Value: data.Float64(1.5)})
		_, _ = str.Decode(ctx, nil, out)
		out, _, _ = long.AppendEncode(ctx, out[:0], nil, connect.Datum{Value: data.Int64(1)})
		_, _ = long.Decode(ctx, nil, out)
	}), "string and long")
}

func BenchmarkEncode(b *testing.B) {
	ctx := b.Context()
	s, v := eightFields(b)
	d := connect.Datum{Schema: s, Value: v}
	run := func(j *converters.JSONConverter) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			out := make([]byte, 0, 4096)
			for b.Loop() {
				out, _, _ = j.AppendEncode(ctx, out[:0], nil, d)
			}
			b.SetBytes(int64(len(out)))
		}
	}
	b.Run("schemas", run(newJSON(b)))
	b.Run("schemaless", run(newJSON(b, schemaless)))
	b.Run("encoding-json/struct", func(b *testing.B) {
		b.ReportAllocs()
		var o order
		require.NoError(b, json.Unmarshal([]byte(encodeText(b, newJSON(b, schemaless), s, v)), &o))
		for b.Loop() {
			_, _ = json.Marshal(&o)
		}
	})
	b.Run("encoding-json/map", func(b *testing.B) {
		b.ReportAllocs()
		var m map[string]any
		require.NoError(b, json.Unmarshal([]byte(encodeText(b, newJSON(b, schemaless), s, v)), &m))
		for b.Loop() {
			_, _ = json.Marshal(m)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	ctx := b.Context()
	s, v := eightFields(b)
	run := func(j *converters.JSONConverter) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			text := []byte(encodeText(b, j, s, v))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_, _ = j.Decode(ctx, nil, text)
			}
		}
	}
	b.Run("schemas", run(newJSON(b)))
	b.Run("schemaless", run(newJSON(b, schemaless)))
	plain := []byte(encodeText(b, newJSON(b, schemaless), s, v))
	b.Run("encoding-json/struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var o order
			_ = json.Unmarshal(plain, &o)
		}
	})
	b.Run("encoding-json/map", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m map[string]any
			_ = json.Unmarshal(plain, &m)
		}
	})
}
