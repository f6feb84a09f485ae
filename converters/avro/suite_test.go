package avro_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/internal/schematest"
)

// fake starts a registry in the process.
func fake(t testing.TB, opts ...srfake.Option) *srfake.Registry {
	t.Helper()
	r := srfake.New(opts...)
	t.Cleanup(r.Close)
	return r
}

// TestSuite: data of every kind go there and back. What AvroData cannot keep is
// said here.
func TestSuite(t *testing.T) {
	v := schematest.Versions{ForgetsOptional: true}
	connecttest.TestConverter(t, avro.Plugin(), connecttest.ConverterOptions{
		Props: config.Props{"schema.registry.url": fake(t).URL()},
		Back: func(s connecttest.Sample) (connect.Datum, bool) {
			switch {
			case s.Name == "null without schema":
				v.Reset()
				return connect.Datum{}, true
			case s.Datum.Value.IsNull():
				return connect.Datum{}, true // a tombstone, whatever the schema
			case s.Datum.Schema == nil:
				v.Of(nil)
			}
			return v.Back(s.Datum), true
		},
	})
}

func converter(t testing.TB, r *srfake.Registry, props config.Props) connect.Converter {
	t.Helper()
	c, err := avro.Plugin().NewConverter(config.Props{"converter.type": "value", "schema.registry.url": r.URL()}.Merge(props))
	require.NoError(t, err)
	return c
}
