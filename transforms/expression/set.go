package expression

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A side is the part of a record whose fields are set.
type side bool

const (
	keySide   side = false
	valueSide side = true
)

func (s side) of(r *connect.Record) *connect.Datum {
	if s == keySide {
		return &r.Key
	}
	return &r.Value
}

func setter(s side) connect.Plugin {
	name := "Key"
	if s == valueSide {
		name = "Value"
	}
	return connect.Transformer(connect.Info{
		Class: "Expression$" + name, Version: version,
		Doc: "Sets fields of the " + strings.ToLower(name) + " to what expressions of CEL give.",
	}, func(c SetConfig) (*set, error) { return newSet(c, s) })
}

// A SetConfig configures Expression.
type SetConfig struct {
	// Fields to set.
	Fields []string

	sets   []*setting
	limits limits
}

// A setting is one field.
type setting struct {
	name, expr string
	kind       fieldType
}

// Describe declares the keys.
func (c *SetConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "fields").Importance(config.High).Check(config.DistinctNonEmpty()).
		Doc("Names of the fields to set, on the top level. A field of that name is replaced where it stands, others are added at the end. For each name there are " +
			"field.<name>, an expression of CEL for its value, and type.<name>, the type of the field: boolean, int8, int16, int32, int64, float32, float64, string, " +
			"bytes or timestamp. The type may be left out where it is known without a record, as for size(topic). Every field is optional. " +
			"All expressions see the record as it was before.")
	c.limits.Describe(d)
	d.Dynamic(func(d *config.Def) {
		old := c.sets
		c.sets = nil
		for _, name := range c.names() {
			s := &setting{name: name}
			if i := slices.IndexFunc(old, func(o *setting) bool { return o.name == name }); i >= 0 {
				s = old[i]
			}
			c.sets = append(c.sets, s)
			config.Text(d, &s.expr, "field."+name).Importance(config.High).Check(config.CheckFunc("expression of CEL", func(text string) error {
				_, err := compile(text)
				return err
			})).Doc("Value of the field " + name + ".")
			config.EnumFold(d, &s.kind, "type."+name, fieldTypes...).Default(autoType).Doc("Type of the field " + name + ".")
		}
	})
}

// names are the fields that keys can be declared for.
func (c *SetConfig) names() []string {
	var names []string
	for _, name := range c.Fields {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Probe refuses what one key alone can not tell.
func (c *SetConfig) Probe(context.Context) error {
	var errs []error
	for _, s := range c.sets {
		checked, err := compile(s.expr)
		if err != nil {
			continue // its own key tells
		}
		if _, err := typeOf(checked, s.kind); err != nil {
			errs = append(errs, &config.KeyError{Key: "type." + s.name, Value: string(s.kind), Err: err})
		}
	}
	return errors.Join(errs...)
}

// set is Expression.
type set struct {
	side   side
	names  []string
	kinds  []fieldType
	run    []*program
	vars   variables
	plans  map[*data.Schema]*plan
	values []data.Value
}

// maxPlans is how many schemas are remembered.
const maxPlans = 16

// A plan is the schema with the fields, and where they are in it.
type plan struct {
	schema *data.Schema
	at     []int
}

func newSet(c SetConfig, s side) (*set, error) {
	if err := c.Probe(context.Background()); err != nil {
		return nil, err
	}
	t := &set{side: s, names: c.names(), plans: make(map[*data.Schema]*plan), values: make([]data.Value, len(c.sets))}
	for _, f := range c.sets {
		checked, err := compile(f.expr)
		if err != nil {
			return nil, err
		}
		kind, err := typeOf(checked, f.kind)
		if err != nil {
			return nil, err
		}
		p, err := newProgram(f.expr, checked, c.limits, &t.vars)
		if err != nil {
			return nil, err
		}
		t.kinds, t.run = append(t.kinds, kind), append(t.run, p)
	}
	return t, nil
}

// Apply sets the fields. Null stays null.
func (t *set) Apply(ctx context.Context, r *connect.Record) (bool, error) {
	d := t.side.of(r)
	if d.Value.IsNull() {
		return true, nil
	}
	t.vars.record = r
	for i, p := range t.run {
		out, err := p.eval(ctx)
		if err != nil {
			return false, fmt.Errorf("field %q: %w", t.names[i], err)
		}
		if t.values[i], err = resultAs(out, t.kinds[i]); err != nil {
			return false, fmt.Errorf("field %q: expression %s: %w", t.names[i], shortened(p.text), err)
		}
	}
	if row, ok := d.Value.Struct(); ok {
		return t.intoStruct(d, row)
	}
	pairs, ok := d.Value.Map()
	if !ok || d.Schema != nil {
		return false, fmt.Errorf("want a STRUCT, or a MAP without schema, to set fields of: found %s", d.Value.Kind())
	}
	out := slices.Clone(pairs)
	for i, name := range t.names {
		at := slices.IndexFunc(out, func(p data.Pair) bool { k, ok := p.Key.Str(); return ok && k == name })
		if at < 0 {
			out = append(out, data.Pair{Key: data.String(name), Value: t.values[i]})
			continue
		}
		out[at].Value = t.values[i]
	}
	d.Value = data.MapOf(out...)
	return true, nil
}

func (t *set) intoStruct(d *connect.Datum, old *data.Struct) (bool, error) {
	p, err := t.planOf(old.Schema())
	if err != nil {
		return false, err
	}
	row, err := data.NewStruct(p.schema)
	if err != nil {
		return false, err
	}
	for i := range old.Len() {
		row.Set(i, old.Raw(i))
	}
	for i, at := range p.at {
		row.Set(at, t.values[i])
	}
	*d = connect.Datum{Schema: p.schema, Value: data.StructOf(row)}
	return true, nil
}

func (t *set) planOf(s *data.Schema) (*plan, error) {
	if p, ok := t.plans[s]; ok {
		return p, nil
	}
	for known, p := range t.plans {
		if known.Equal(s) { // connectors that build their schema anew for each record get one schema all the same
			return t.remember(s, p), nil
		}
	}
	p, err := t.newPlan(s)
	if err != nil {
		return nil, err
	}
	return t.remember(s, p), nil
}

func (t *set) remember(s *data.Schema, p *plan) *plan {
	if len(t.plans) >= maxPlans {
		clear(t.plans)
	}
	t.plans[s] = p
	return p
}

func (t *set) newPlan(s *data.Schema) (*plan, error) {
	b := data.StructBuilder().Name(s.Name()).Doc(s.Doc()).Parameters(s.Parameters()...)
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if s.Optional() {
		b.Optional()
	}
	for _, f := range s.Fields() {
		schema := f.Schema
		if i := slices.Index(t.names, f.Name); i >= 0 {
			schema = schemas[t.kinds[i]]
		}
		b.Field(f.Name, schema)
	}
	p := &plan{at: make([]int, len(t.names))}
	next := len(s.Fields())
	for i, name := range t.names {
		if p.at[i] = s.FieldIndex(name); p.at[i] < 0 {
			b.Field(name, schemas[t.kinds[i]])
			p.at[i] = next
			next++
		}
	}
	var err error
	p.schema, err = b.Build()
	return p, err
}
