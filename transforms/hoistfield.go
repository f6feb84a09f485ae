package transforms

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A HoistFieldConfig configures HoistField.
type HoistFieldConfig struct {
	// Field is the name of the one field of the result.
	Field string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.HoistField.
func (c *HoistFieldConfig) Describe(d *config.Def) {
	config.String(d, &c.Field, "field").Importance(config.Medium).
		Doc("Name of the single field in the struct or map that is made.")
}

// hoistField is HoistField.
type hoistField struct {
	side    side
	field   string
	schemas schemaCache[*data.Schema]
}

func newHoistField(c HoistFieldConfig, s side) (*hoistField, error) {
	return &hoistField{side: s, field: c.Field}, nil
}

// Apply wraps, null too.
func (t *hoistField) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return reshape(r, t.side, t)
}

func (t *hoistField) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	return connect.Datum{Value: data.MapOf(data.Pair{Key: data.String(t.field), Value: v})}, nil
}

func (t *hoistField) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	schema, err := t.schemas.get(d.Schema, func(s *data.Schema) (*data.Schema, error) {
		return data.StructBuilder().Field(t.field, s).Build()
	})
	if err != nil {
		return connect.Datum{}, err
	}
	row, err := data.NewStruct(schema)
	if err != nil {
		return connect.Datum{}, err
	}
	if err := setField(row, schema.Fields()[0], d.Value); err != nil {
		return connect.Datum{}, err
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(row)}, nil
}
