package transforms

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// flattenPurpose names the transform in errors, as in Java.
const flattenPurpose = "flattening"

// maxFlattenDepth ends schemas that contain themselves: they have no flat form.
const maxFlattenDepth = 100

// A FlattenConfig configures Flatten.
type FlattenConfig struct {
	// Delimiter stands between the names.
	Delimiter string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.Flatten.
func (c *FlattenConfig) Describe(d *config.Def) {
	config.String(d, &c.Delimiter, "delimiter").Default(".").Importance(config.Medium).
		Doc("Text between the names on the way to a field, which make the field's new name.")
}

// flatten is Flatten.
type flatten struct {
	side      side
	delimiter string
	plans     schemaCache[*flatPlan]
}

// A flatPlan is the flat schema, and where its fields come from.
type flatPlan struct {
	schema *data.Schema
	leaves []fieldPlace
}

func newFlatten(c FlattenConfig, s side) (*flatten, error) {
	return &flatten{side: s, delimiter: c.Delimiter}, nil
}

// Apply flattens structs or maps. Arrays stay as they are.
func (t *flatten) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return passNull(r, t.side, t)
}

func (t *flatten) name(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + t.delimiter + name
}

func (t *flatten) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	pairs, err := requireMap(v, flattenPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	out, err := t.flattenMap(make([]data.Pair, 0, len(pairs)), "", pairs)
	return connect.Datum{Value: data.MapOf(out...)}, err
}

func (t *flatten) flattenMap(out []data.Pair, prefix string, pairs []data.Pair) ([]data.Pair, error) {
	for _, p := range pairs {
		key, ok := p.Key.Str()
		if !ok {
			return nil, dataError("Flatten transformation needs text for the keys of a map, found %s below field %q", kindOf(p.Key), prefix)
		}
		name := t.name(prefix, key)
		switch k := p.Value.Kind(); k {
		case data.KindMap:
			inner, _ := p.Value.Map()
			var err error
			if out, err = t.flattenMap(out, name, inner); err != nil {
				return nil, err
			}
		case data.KindDecimal, data.KindDate:
			return nil, dataError("Flatten transformation was passed a value of type %s which is not supported by Connect's data API (for field %s)", k, name)
		case data.KindStruct:
			return nil, dataError("Flatten transformation does not support %s for record without schemas (for field %s).", k, name)
		default:
			out = upsert(out, name, p.Value)
		}
	}
	return out, nil
}

func (t *flatten) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	old, err := requireStruct(d.Value, flattenPurpose)
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
	for i, leaf := range plan.leaves {
		parent := parentOf(old, leaf)
		if parent == nil {
			continue // stays null, as in Java even where the field is required
		}
		v := parent.At(leaf.indexes[len(leaf.indexes)-1])
		if err := setField(row, plan.schema.Fields()[i], v); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: plan.schema, Value: data.StructOf(row)}, nil
}

// parentOf returns the struct that holds a leaf, nil if one on the way is null. Their defaults do not count.
func parentOf(row *data.Struct, leaf fieldPlace) *data.Struct {
	for _, i := range leaf.indexes[:len(leaf.indexes)-1] {
		inner, ok := row.Raw(i).Struct()
		if !ok {
			return nil
		}
		row = inner
	}
	return row
}

// plan makes the flat schema.
func (t *flatten) plan(s *data.Schema) (*flatPlan, error) {
	f := flattener{t: t, plan: &flatPlan{}, b: copyBasics(s, data.StructBuilder())}
	if err := f.add(s, "", nil, s.Optional(), s.Default()); err != nil {
		return nil, err
	}
	var err error
	f.plan.schema, err = f.b.Build()
	return f.plan, err
}

// A flattener collects the leaves of a schema.
type flattener struct {
	t    *flatten
	plan *flatPlan
	b    *data.Builder
}

// add collects the leaves below a struct, whose default def may be null. A leaf is optional if anything above it is, and its default
// comes from what is nearest.
func (f *flattener) add(s *data.Schema, prefix string, above []int, optional bool, def data.Value) error {
	if len(above) > maxFlattenDepth {
		return dataError("Flatten transformation does not support schemas of more than %d levels (for field %s)", maxFlattenDepth, prefix)
	}
	defaults, _ := def.Struct()
	for _, field := range s.Fields() {
		name := f.t.name(prefix, field.Name)
		def := field.Schema.Default()
		if def.IsNull() && defaults != nil {
			def, _ = defaults.Get(field.Name)
		}
		indexes := append(above[:len(above):len(above)], field.Index)
		optional := optional || field.Schema.Optional()
		switch k := field.Schema.Kind(); k {
		case data.KindStruct:
			if err := f.add(field.Schema, name, indexes, optional, def); err != nil {
				return err
			}
		case data.KindMap:
			return dataError("Flatten transformation does not support %s for record with schemas (for field %s).", k, name)
		default:
			leaf, err := leafSchema(field.Schema, optional, def)
			if err != nil {
				return inField(name, err)
			}
			f.b.Field(name, leaf)
			f.plan.leaves = append(f.plan.leaves, fieldPlace{indexes, leaf})
		}
	}
	return nil
}

// leafSchema is s with its own optional and default.
func leafSchema(s *data.Schema, optional bool, def data.Value) (*data.Schema, error) {
	if optional == s.Optional() && data.Equal(def, s.Default()) {
		return s, nil
	}
	b := copyBasics(s, data.NewBuilder(s.Kind()))
	if s.ElemSchema() != nil {
		b.Elem(s.ElemSchema())
	}
	if optional {
		b.Optional()
	}
	if !def.IsNull() {
		b.Default(def)
	}
	return b.Build()
}
