package connecttest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

func plugin(t *testing.T, class string) connect.Plugin {
	t.Helper()
	for _, p := range converters.All() {
		for _, j := range p.Info().StandsFor {
			if j.Class == class {
				return p
			}
		}
	}
	require.Fail(t, "there is no plugin for "+class)
	return connect.Plugin{}
}

// TestConverterSuiteOnJSON holds the suite to a converter that carries all
// schemas. Numbers go through a decimal, as in Java, which has no negative zero.
func TestConverterSuiteOnJSON(t *testing.T) {
	connecttest.TestConverter(t, plugin(t, "org.apache.kafka.connect.json.JsonConverter"), connecttest.ConverterOptions{
		Props: config.Props{"schemas.enable": "true"},
		Back: func(s connecttest.Sample) (connect.Datum, bool) {
			if f, ok := s.Datum.Value.Float(); ok && f == 0 {
				s.Datum.Value = data.Float64(0)
			}
			return s.Datum, true
		},
	})
}

func TestConverterSuiteOnStrings(t *testing.T) {
	connecttest.TestConverter(t, plugin(t, "org.apache.kafka.connect.storage.StringConverter"), connecttest.ConverterOptions{
		Back: func(s connecttest.Sample) (connect.Datum, bool) {
			return connect.Datum{Schema: data.OptionalStringSchema, Value: s.Datum.Value},
				s.Datum.Value.IsNull() || s.Datum.Value.Kind() == data.KindString
		},
	})
}
