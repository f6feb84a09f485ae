package transforms

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// extractPurpose names the transform in errors, as in Java.
const extractPurpose = "field extraction"

// An ExtractFieldConfig configures ExtractField.
type ExtractFieldConfig struct {
	// Field is the name of the field, in V2 its path.
	Field string
	// ReplaceNullWithDefault gives the default of the field for null.
	ReplaceNullWithDefault bool

	syntax syntaxVersion
}

// Describe declares the keys of org.apache.kafka.connect.transforms.ExtractField.
func (c *ExtractFieldConfig) Describe(d *config.Def) {
	config.String(d, &c.Field, "field").Importance(config.Medium).
		Doc("Field to extract. In the syntax V2 this is a path: a.b is the field b of the field a, `a.b` in backticks a field with a dot in its name.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
	config.EnumFold(d, &c.syntax, "field.syntax.version", syntaxV1, syntaxV2).Default(syntaxV1).Importance(config.High).
		Doc("How field is read: V1 takes it for a name, V2 for a path (KIP-821).")
}

// Check refuses a path with a backtick left open.
func (c *ExtractFieldConfig) Check() error {
	if _, err := parseFieldPath(c.Field, c.syntax); err != nil {
		return &config.KeyError{Key: "field", Err: err}
	}
	return nil
}

// extractField is ExtractField.
type extractField struct {
	side     side
	path     fieldPath
	defaults bool
	places   schemaCache[fieldPlace]
}

func newExtractField(c ExtractFieldConfig, s side) (*extractField, error) {
	p, err := parseFieldPath(c.Field, c.syntax)
	return &extractField{side: s, path: p, defaults: c.ReplaceNullWithDefault}, err
}

// Apply puts the field in the place of the whole.
func (t *extractField) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return reshape(r, t.side, t)
}

func (t *extractField) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	if v.IsNull() {
		return connect.Datum{}, nil
	}
	if _, err := requireMap(v, extractPurpose); err != nil {
		return connect.Datum{}, err
	}
	v, err := t.path.ofMap(v)
	return connect.Datum{Value: v}, err
}

func (t *extractField) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	row, isStruct := d.Value.Struct()
	if !isStruct && !d.Value.IsNull() {
		_, err := requireStruct(d.Value, extractPurpose)
		return connect.Datum{}, err
	}
	place, err := t.places.get(d.Schema, func(s *data.Schema) (fieldPlace, error) {
		p, ok, err := t.path.in(s)
		if err == nil && !ok {
			err = fmt.Errorf("Unknown field: %s; found the schema %s with %s", t.path.text, s, fieldNames(s)) //nolint:staticcheck // Java's words
		}
		return p, err
	})
	if err != nil || !isStruct {
		return connect.Datum{Schema: place.schema}, err
	}
	v, err := place.of(row, t.defaults)
	return connect.Datum{Schema: place.schema, Value: v}, err
}

// fieldNames lists the fields of a schema for an error.
func fieldNames(s *data.Schema) string {
	const most = 20
	names := make([]string, 0, most)
	for _, f := range s.Fields() {
		if len(names) == most {
			return fmt.Sprintf("the fields %q and %d more", names, len(s.Fields())-most)
		}
		names = append(names, f.Name)
	}
	return fmt.Sprintf("the fields %q", names)
}
