package converters_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

// plain are the data on which the converters without a format are measured, by class.
func plain(t testing.TB) map[string]connect.Datum {
	s, v := eightFields(t)
	return map[string]connect.Datum{
		"StringConverter":    {Schema: s, Value: v},
		"ByteArrayConverter": {Schema: data.BytesSchema, Value: data.Bytes(make([]byte, 100))},
		"BooleanConverter":   {Schema: data.BooleanSchema, Value: data.Boolean(true)},
		"ShortConverter":     {Schema: data.Int16Schema, Value: data.Int16(7)},
		"IntegerConverter":   {Schema: data.Int32Schema, Value: data.Int32(7)},
		"LongConverter":      {Schema: data.Int64Schema, Value: data.Int64(7)},
		"FloatConverter":     {Schema: data.Float32Schema, Value: data.Float32(7)},
		"DoubleConverter":    {Schema: data.Float64Schema, Value: data.Float64(7)},
	}
}

// BenchmarkPlain: converters without a format both ways; a row of eight fields where
// they take one.
//
//	go test -run '^$' -bench . -benchmem ./converters/...
func BenchmarkPlain(b *testing.B) {
	data := plain(b)
	for _, p := range converters.All() {
		class := p.Info().Class
		d, ok := data[class]
		if !ok || p.Kind() != connect.ConverterPlugin {
			continue
		}
		c, err := p.NewConverter(config.Props{"converter.type": "value"})
		require.NoError(b, err)
		w := &connect.Wire{Topic: "t"}
		out, _, err := c.AppendEncode(b.Context(), nil, w, d)
		require.NoError(b, err)
		b.Run(class+"/encode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out, _, _ = c.AppendEncode(b.Context(), out[:0], w, d)
			}
		})
		b.Run(class+"/decode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.Decode(b.Context(), w, out)
			}
		})
	}
}

// TestBenchmarksHaveAll: there are figures for each converter of keys and values.
func TestBenchmarksHaveAll(t *testing.T) {
	data := plain(t)
	for _, p := range converters.All() {
		if class := p.Info().Class; p.Kind() == connect.ConverterPlugin && class != "JsonConverter" {
			assert.Contains(t, data, class)
		}
	}
}
