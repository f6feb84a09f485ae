package transforms

import (
	"context"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// maskPurpose names the transform in errors, as in Java.
const maskPurpose = "mask fields"

// A MaskFieldConfig configures MaskField.
type MaskFieldConfig struct {
	// Fields are the names of the fields to mask.
	Fields []string
	// Replacement takes the place of numbers and texts; empty: empty values do.
	Replacement string
	// ReplaceNullWithDefault masks the default of a field that is null.
	ReplaceNullWithDefault bool
}

// Describe declares the keys of org.apache.kafka.connect.transforms.MaskField.
func (c *MaskFieldConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "fields").Importance(config.High).Check(fieldList(false)).
		Doc("Fields of the top level to mask.")
	config.String(d, &c.Replacement, "replacement").Optional().Importance(config.Low).Check(config.NonEmpty()).
		Doc("Value for the fields, which have to be numbers or strings. Without it they become false, 0, empty text, 1970, or an empty list or map.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

// maskField is MaskField.
type maskField struct {
	side     side
	fields   []string
	defaults bool
	mask     func(data.Value) (data.Value, error)
	masked   schemaCache[[]bool]
}

func newMaskField(c MaskFieldConfig, s side) (*maskField, error) {
	t := &maskField{side: s, fields: c.Fields, defaults: c.ReplaceNullWithDefault, mask: emptyValue}
	if c.Replacement != "" {
		t.mask = (&replacementMask{text: c.Replacement}).mask
	}
	return t, nil
}

// Apply masks the fields. Null can not be masked: it is an error.
func (t *maskField) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return reshape(r, t.side, t)
}

func (t *maskField) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	pairs, err := requireMap(v, maskPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	out := slices.Clone(pairs)
	for _, field := range t.fields {
		old, _ := v.Lookup(field)
		masked, err := t.maskValue(field, old)
		if err != nil {
			return connect.Datum{}, err
		}
		out = upsert(out, field, masked)
	}
	return connect.Datum{Value: data.MapOf(out...)}, nil
}

func (t *maskField) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	old, err := requireStruct(d.Value, maskPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	schema := old.Schema()
	masked, err := t.masked.get(schema, func(s *data.Schema) ([]bool, error) {
		masked := make([]bool, len(s.Fields()))
		for i, f := range s.Fields() {
			masked[i] = slices.Contains(t.fields, f.Name)
		}
		return masked, nil
	})
	if err != nil {
		return connect.Datum{}, err
	}
	row, err := data.NewStruct(schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i, f := range schema.Fields() {
		v := fieldOf(old, i, t.defaults)
		if masked[i] {
			if v, err = t.maskValue(f.Name, v); err != nil {
				return connect.Datum{}, err
			}
		}
		if err := setField(row, f, v); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: d.Schema, Value: data.StructOf(row)}, nil
}

func (t *maskField) maskValue(field string, v data.Value) (data.Value, error) {
	if v.IsNull() {
		return v, nil
	}
	v, err := t.mask(v)
	if err != nil {
		return v, inField(field, err)
	}
	return v, nil
}

// emptyValue is the value of the same kind that says nothing.
func emptyValue(v data.Value) (data.Value, error) {
	switch k := v.Kind(); k {
	case data.KindBoolean:
		return data.Boolean(false), nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64:
		return castInt(0, k), nil
	case data.KindString:
		return data.String(""), nil
	case data.KindDecimal:
		return data.DecimalOf(data.Decimal{}), nil
	case data.KindDate:
		return data.DateMillis(0), nil
	case data.KindArray:
		return data.ArrayOf(), nil
	case data.KindMap:
		return data.MapOf(), nil
	default:
		return data.Value{}, dataError("Cannot mask value of type: %s", k)
	}
}

// A replacementMask converts one text to the kinds that it is asked for, each once.
type replacementMask struct {
	text  string
	known [data.KindDate + 1]struct {
		done bool
		v    data.Value
		err  error
	}
}

func (m *replacementMask) mask(v data.Value) (data.Value, error) {
	k := &m.known[v.Kind()]
	if !k.done {
		k.v, k.err = m.as(v.Kind())
		k.done = true
	}
	return k.v, k.err
}

// as converts the text as Java's Values does: numbers are cut to the size of their type.
func (m *replacementMask) as(k data.Kind) (data.Value, error) {
	switch k {
	case data.KindString:
		return data.String(m.text), nil
	case data.KindDecimal:
		d, err := data.ParseDecimal(m.text)
		if err != nil {
			return data.Value{}, dataError("Unable to convert %s (STRING) to number: %v", m.text, err)
		}
		return data.DecimalOf(d), nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64:
		schema, err := data.NewBuilder(k).Build()
		if err != nil {
			return data.Value{}, err
		}
		return data.Convert(nil, data.String(m.text), schema)
	default:
		return data.Value{}, dataError("Cannot mask value of type %s with custom replacement.", k)
	}
}
