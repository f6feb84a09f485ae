package transforms

import (
	"context"
	"errors"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// setSchemaPurpose names the transform in errors, as in Java.
const setSchemaPurpose = "updating schema metadata"

var errNoMetadata = errors.New("Neither schema name nor version configured") //nolint:staticcheck // Java's words

// A SetSchemaMetadataConfig configures SetSchemaMetadata.
type SetSchemaMetadataConfig struct {
	// SchemaName and SchemaVersion are set where they are given; one of them has to be.
	SchemaName    string
	SchemaVersion int
	// ReplaceNullWithDefault copies the default of a field that is null in place of the null.
	ReplaceNullWithDefault bool

	given struct{ name, version bool }
}

// Describe declares the keys of org.apache.kafka.connect.transforms.SetSchemaMetadata.
func (c *SetSchemaMetadataConfig) Describe(d *config.Def) {
	config.String(d, &c.SchemaName, "schema.name").Optional().Given(&c.given.name).Importance(config.High).
		Doc("Name to give the schema, which has to be that of a struct.")
	config.Int(d, &c.SchemaVersion, "schema.version").Optional().Given(&c.given.version).Importance(config.High).
		Doc("Version to give the schema.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

// Probe refuses a transform that would change nothing before a connector is made of it.
func (c *SetSchemaMetadataConfig) Probe(context.Context) error {
	if !c.given.name && !c.given.version {
		return &config.KeyError{Key: "schema.name", Err: errNoMetadata}
	}
	return nil
}

// setSchemaMetadata is SetSchemaMetadata.
type setSchemaMetadata struct {
	side    side
	c       SetSchemaMetadataConfig
	schemas schemaCache[*data.Schema]
}

func newSetSchemaMetadata(c SetSchemaMetadataConfig, s side) (*setSchemaMetadata, error) {
	if !c.given.name && !c.given.version {
		return nil, errNoMetadata
	}
	return &setSchemaMetadata{side: s, c: c}, nil
}

// Apply renames the schema. A record without schema fails, unless it has no value either.
func (t *setSchemaMetadata) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return reshape(r, t.side, t)
}

func (t *setSchemaMetadata) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	if v.IsNull() {
		return connect.Datum{}, nil
	}
	return connect.Datum{}, dataError("Schema required for [%s]", setSchemaPurpose)
}

func (t *setSchemaMetadata) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	schema, err := t.schemas.get(d.Schema, t.rename)
	if err != nil {
		return connect.Datum{}, err
	}
	old, ok := d.Value.Struct()
	if !ok {
		return connect.Datum{Schema: schema, Value: d.Value}, nil
	}
	row, err := copyInto(schema, old, t.c.ReplaceNullWithDefault)
	return connect.Datum{Schema: schema, Value: data.StructOf(row)}, err
}

// copyInto copies a struct under another schema of the same fields.
func copyInto(s *data.Schema, old *data.Struct, defaults bool) (*data.Struct, error) {
	row, err := data.NewStruct(s)
	if err != nil {
		return nil, err
	}
	for i, f := range s.Fields() {
		if err := setField(row, f, fieldOf(old, i, defaults)); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// rename makes the schema with the new name and version. Java reads the list of fields of whatever schema there is, which only structs have.
func (t *setSchemaMetadata) rename(s *data.Schema) (*data.Schema, error) {
	if s.Kind() != data.KindStruct {
		return nil, dataError("Cannot list fields on non-struct type: found %s", s)
	}
	b := data.StructBuilder().Doc(s.Doc()).Parameters(s.Parameters()...)
	name := s.Name()
	if t.c.given.name {
		name = t.c.SchemaName
	}
	b.Name(name)
	if v, ok := s.Version(); t.c.given.version {
		b.Version(t.c.SchemaVersion)
	} else if ok {
		b.Version(v)
	}
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if s.Optional() {
		b.Optional()
	}
	def, ok := s.Default().Struct()
	if !ok {
		return b.Build()
	}
	plain, err := b.Build()
	if err != nil {
		return nil, err
	}
	row, err := copyInto(plain, def, false)
	if err != nil {
		return nil, err
	}
	return b.Default(data.StructOf(row)).Build()
}
