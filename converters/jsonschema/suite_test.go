package jsonschema_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters/jsonschema"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

func fake(t testing.TB) *srfake.Registry {
	t.Helper()
	r := srfake.New()
	t.Cleanup(r.Close)
	return r
}

func converter(t testing.TB, r *srfake.Registry, props config.Props) connect.Converter {
	t.Helper()
	c, err := jsonschema.Plugin().NewConverter(config.Props{"converter.type": "value", "schema.registry.url": r.URL()}.Merge(props))
	require.NoError(t, err)
	return c
}

// TestSuite: data of every kind go there and back.
func TestSuite(t *testing.T) {
	var v schematest.Versions
	connecttest.TestConverter(t, jsonschema.Plugin(), connecttest.ConverterOptions{
		Props: config.Props{"schema.registry.url": fake(t).URL()},
		Back: func(s connecttest.Sample) (connect.Datum, bool) {
			d := s.Datum
			switch {
			case s.Name == "null without schema":
				v.Reset()
				return connect.Datum{}, true
			case d.Schema == nil:
				return d, false // refused: there is no schema to register
			}
			if f, ok := d.Value.Float(); ok && f == 0 {
				d.Value = data.Float64(0) // JSON in Java has no negative zero
			}
			return v.Back(d), true
		},
	})
}

func TestBudget(t *testing.T) {
	schematest.Budget(t, converter(t, fake(t), nil), 0, 3)
}

func BenchmarkEncode(b *testing.B) {
	r := fake(b)
	b.Run("connect", func(b *testing.B) { schematest.Encode(b, converter(b, r, nil)) })
	b.Run("validated", func(b *testing.B) {
		schematest.Encode(b, converter(b, r, config.Props{"json.fail.invalid.schema": "true"}))
	})
}

func BenchmarkDecode(b *testing.B) {
	r := fake(b)
	b.Run("connect", func(b *testing.B) { schematest.Decode(b, converter(b, r, nil)) })
	b.Run("validated", func(b *testing.B) {
		schematest.Decode(b, converter(b, r, config.Props{"json.fail.invalid.schema": "true"}))
	})
}
