package transforms

import (
	"context"
	"fmt"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// replacePurpose names the transform in errors, as in Java.
const replacePurpose = "field replacement"

// A ReplaceFieldConfig configures ReplaceField.
type ReplaceFieldConfig struct {
	// Exclude and Include choose fields by their old names; Exclude wins, and an empty Include is all.
	Exclude, Include []string
	// Renames lists old:new.
	Renames []string
	// ReplaceNullWithDefault copies the default of a field that is null in place of the null.
	ReplaceNullWithDefault bool
}

// Describe declares the keys of org.apache.kafka.connect.transforms.ReplaceField.
func (c *ReplaceFieldConfig) Describe(d *config.Def) {
	config.List(d, &c.Exclude, "exclude").Default([]string{}).Importance(config.Medium).Check(fieldList(true)).
		Doc("Fields to drop. This counts more than include.")
	config.List(d, &c.Include, "include").Default([]string{}).Importance(config.Medium).Check(fieldList(true)).
		Doc("Fields to keep, all others are dropped. Empty keeps all.")
	config.List(d, &c.Renames, "renames").Default([]string{}).Importance(config.Medium).
		Check(config.CheckFunc("list of colon-delimited pairs, such as foo:bar,abc:xyz", func(list []string) error {
			_, err := parseRenames(list)
			return err
		})).
		Doc("New names, as old:new. include and exclude go by the old names.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

// A rename gives a field another name.
type rename struct{ from, to string }

// parseRenames reads the key renames. Of two new names for one field the last counts.
func parseRenames(list []string) ([]rename, error) {
	var renames []rename
	for _, item := range list {
		parts := splitColon(item)
		if len(parts) != 2 {
			return nil, fmt.Errorf("Invalid rename mapping: %s", item) //nolint:staticcheck // Java's words
		}
		r := rename{parts[0], parts[1]}
		if i := slices.IndexFunc(renames, func(o rename) bool { return o.from == r.from }); i >= 0 {
			renames[i] = r
			continue
		}
		renames = append(renames, r)
	}
	return renames, nil
}

// replaceField is ReplaceField.
type replaceField struct {
	side             side
	exclude, include []string
	renames          []rename
	defaults         bool
	plans            schemaCache[*replacePlan]
}

// A replacePlan says which field of the old struct each field of the new one comes from.
type replacePlan struct {
	schema *data.Schema
	from   []data.Field
	mixed  []bool // the schemas of the two differ
}

func newReplaceField(c ReplaceFieldConfig, s side) (*replaceField, error) {
	renames, err := parseRenames(c.Renames)
	return &replaceField{side: s, exclude: c.Exclude, include: c.Include, renames: renames, defaults: c.ReplaceNullWithDefault}, err
}

func (t *replaceField) keeps(field string) bool {
	return !slices.Contains(t.exclude, field) && (len(t.include) == 0 || slices.Contains(t.include, field))
}

func (t *replaceField) renamed(field string) string {
	for _, r := range t.renames {
		if r.from == field {
			return r.to
		}
	}
	return field
}

// original is the way back: what a field with that new name is made of. It is asked of fields that were not renamed, too, as in Java.
func (t *replaceField) original(field string) string {
	for _, r := range slices.Backward(t.renames) {
		if r.to == field {
			return r.from
		}
	}
	return field
}

// Apply drops and renames fields. Null is left alone.
func (t *replaceField) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return passNull(r, t.side, t)
}

func (t *replaceField) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	pairs, err := requireMap(v, replacePurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	out := make([]data.Pair, 0, len(pairs))
	for _, p := range pairs {
		name, ok := p.Key.Str()
		switch {
		case !ok && len(t.include) == 0:
			out = append(out, p) // no name means this one
		case ok && t.keeps(name):
			if to := t.renamed(name); len(t.renames) > 0 {
				out = upsert(out, to, p.Value)
			} else {
				out = append(out, p)
			}
		}
	}
	return connect.Datum{Value: data.MapOf(out...)}, nil
}

func (t *replaceField) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	old, err := requireStruct(d.Value, replacePurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	plan, err := t.plans.get(old.Schema(), t.plan)
	if err != nil {
		return connect.Datum{}, err
	}
	row, err := data.NewStruct(plan.schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i, f := range plan.schema.Fields() {
		set := setField
		if plan.mixed[i] {
			set = putField
		}
		if err := set(row, f, fieldOf(old, plan.from[i].Index, t.defaults)); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: plan.schema, Value: data.StructOf(row)}, nil
}

func (t *replaceField) plan(s *data.Schema) (*replacePlan, error) {
	p := &replacePlan{}
	b := copyBasics(s, data.StructBuilder())
	for _, f := range s.Fields() {
		if t.keeps(f.Name) {
			b.Field(t.renamed(f.Name), f.Schema)
		}
	}
	var err error
	if p.schema, err = b.Build(); err != nil {
		return nil, err
	}
	for _, f := range p.schema.Fields() {
		from, ok := s.Field(t.original(f.Name))
		if !ok {
			return nil, dataError("%s is not a valid field name: the key renames makes %s of it, which the schema %s has already", t.original(f.Name), f.Name, s)
		}
		p.from = append(p.from, from)
		p.mixed = append(p.mixed, !from.Schema.Equal(f.Schema))
	}
	return p, nil
}
