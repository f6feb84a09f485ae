package transforms

import (
	"context"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A letterCase is one of the two cases.
type letterCase string

const (
	lowerCase letterCase = "lower"
	upperCase letterCase = "upper"
)

// A CaseTransformConfig configures CaseTransform.
type CaseTransformConfig struct {
	// Fields are names of fields of the top level.
	Fields []string

	to letterCase
}

// Describe declares the keys of io.aiven.kafka.connect.transforms.CaseTransform.
func (c *CaseTransformConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "field.names").Importance(config.High).Check(fieldList(false)).Doc("Fields of the top level, which have to be STRINGs. One that is missing does not count.")
	config.EnumFold(d, &c.to, "case", lowerCase, upperCase).Importance(config.High).Doc("Case to bring their text to.")
}

// caseTransform is CaseTransform.
type caseTransform struct {
	side   side
	fields []string
	change func(string) string
}

func newCaseTransform(c CaseTransformConfig, s side) (*caseTransform, error) {
	t := &caseTransform{s, c.Fields, strings.ToLower}
	if c.to == upperCase {
		t.change = strings.ToUpper
	}
	return t, nil
}

// Apply changes the fields.
func (t *caseTransform) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d := t.side.of(r)
	if row, ok := d.Value.Struct(); ok {
		for _, name := range t.fields {
			f, ok := row.Schema().Field(name)
			if !ok {
				continue
			}
			v, changed, err := t.changed(name, row.At(f.Index))
			if err != nil {
				return false, err
			}
			if changed {
				row = row.With(f.Index, v)
			}
		}
		d.Value = data.StructOf(row)
		return true, nil
	}
	pairs, ok := d.Value.Map()
	if !ok {
		return false, dataError("%s type must be STRUCT or MAP: found %s", t.side, kindOf(d.Value))
	}
	out := slices.Clone(pairs)
	for _, name := range t.fields {
		old, _ := d.Value.Lookup(name)
		v, changed, err := t.changed(name, old)
		if err != nil {
			return false, err
		}
		if changed {
			out = upsert(out, name, v)
		}
	}
	d.Value = data.MapOf(out...)
	return true, nil
}

func (t *caseTransform) changed(name string, v data.Value) (data.Value, bool, error) {
	text, ok := v.Str()
	if !ok && !v.IsNull() {
		return v, false, dataError("field %q has to be a STRING: found %s", name, v.Kind())
	}
	to := t.change(text)
	return data.String(to), ok && to != text, nil
}
