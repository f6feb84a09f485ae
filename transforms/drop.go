package transforms

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A schemaBehavior says what becomes of the schema of what is dropped.
type schemaBehavior string

const (
	nullifySchema  schemaBehavior = "nullify"
	retainSchema   schemaBehavior = "retain"
	validateSchema schemaBehavior = "validate"
	forceOptional  schemaBehavior = "force_optional"
)

// A DropConfig configures Drop.
type DropConfig struct{ schema schemaBehavior }

// Describe declares the keys of io.confluent.connect.transforms.Drop.
func (c *DropConfig) Describe(d *config.Def) {
	config.EnumFold(d, &c.schema, "schema.behavior", nullifySchema, retainSchema, validateSchema, forceOptional).Default(nullifySchema).Importance(config.Medium).
		Doc("What becomes of the schema: nullify drops it, too. retain keeps it. validate keeps it if it is optional and fails otherwise. " +
			"force_optional makes it optional.")
}

// drop is Drop.
type drop struct {
	side     side
	behavior schemaBehavior
	optional schemaCache[*data.Schema]
}

func newDrop(c DropConfig, s side) (*drop, error) { return &drop{side: s, behavior: c.schema}, nil }

// Apply puts null in the place of key or value.
func (t *drop) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d := t.side.of(r)
	schema := d.Schema
	switch {
	case schema == nil || t.behavior == nullifySchema:
		schema = nil
	case t.behavior == validateSchema && !schema.Optional():
		return false, dataError("the schema %s is required, so that the %s can not be null (configuration schema.behavior=validate)", schema, t.side)
	case t.behavior == forceOptional && !schema.Optional():
		var err error
		if schema, err = t.optional.get(schema, optionalWithDefault); err != nil {
			return false, err
		}
	}
	*d = connect.Datum{Schema: schema}
	return true, nil
}

// optionalWithDefault is a schema made optional. A default that is a struct is left out, for its schema would be another.
func optionalWithDefault(s *data.Schema) (*data.Schema, error) {
	o, err := optionalOf(s)
	if err != nil || s.Default().IsNull() || s.Kind() == data.KindStruct {
		return o, err
	}
	b := copyBasics(s, data.NewBuilder(s.Kind())).Optional()
	if s.KeySchema() != nil {
		b.Key(s.KeySchema())
	}
	if s.ElemSchema() != nil {
		b.Elem(s.ElemSchema())
	}
	return b.Default(s.Default()).Build()
}
