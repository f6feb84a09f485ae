package avro_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/data"
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
	connecttest.TestConverter(t, avro.Plugin(), connecttest.ConverterOptions{
		Props: config.Props{"schema.registry.url": fake(t).URL()},
		Back:  new(versions).back,
	})
}

// versions counts those of the one subject that the suite writes to: the
// registry's version stands in where a schema has none.
type versions []*data.Schema

func (v *versions) of(s *data.Schema) int {
	for i, known := range *v {
		if known.Equal(s) {
			return i + 1
		}
	}
	*v = append(*v, s)
	return len(*v)
}

// back says what comes back of a sample.
func (v *versions) back(s connecttest.Sample) (connect.Datum, bool) {
	d := s.Datum
	if s.Name == "null without schema" {
		*v = nil // a new round
	}
	if d.Value.IsNull() {
		return connect.Datum{}, true // a tombstone, whatever the schema
	}
	version := v.of(d.Schema)
	// AvroData forgets the registry's version of what is optional at the root.
	if _, ok := d.Schema.Version(); ok || d.Schema.Optional() {
		return d, true
	}
	d.Schema = versioned(d.Schema, version)
	if x, ok := d.Value.Struct(); ok {
		rows := data.NewStructs(d.Schema, 1)
		for i := range x.Len() {
			rows[0].Set(i, x.Raw(i))
		}
		d.Value = data.StructOf(&rows[0])
	}
	return d, true
}

// versioned returns the schema with a version.
func versioned(s *data.Schema, version int) *data.Schema {
	b := data.NewBuilder(s.Kind()).Name(s.Name()).Doc(s.Doc()).Parameters(s.Parameters()...).Version(version)
	if s.Optional() {
		b.Optional()
	}
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if s.KeySchema() != nil {
		b.Key(s.KeySchema())
	}
	if s.ElemSchema() != nil {
		b.Elem(s.ElemSchema())
	}
	if !s.Default().IsNull() {
		b.Default(s.Default())
	}
	return b.MustBuild()
}

func converter(t testing.TB, r *srfake.Registry, props config.Props) connect.Converter {
	t.Helper()
	c, err := avro.Plugin().NewConverter(config.Props{"converter.type": "value", "schema.registry.url": r.URL()}.Merge(props))
	require.NoError(t, err)
	return c
}
