package transforms

import (
	"context"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// valueToKeyPurpose names the transform in errors, as in Java.
const valueToKeyPurpose = "copying fields from value to key"

// A ValueToKeyConfig configures ValueToKey.
type ValueToKeyConfig struct {
	// Fields are the names of the fields that make the key, in its order.
	Fields []string
	// ReplaceNullWithDefault copies the default of a field that is null in place of the null.
	ReplaceNullWithDefault bool
}

// Describe declares the keys of org.apache.kafka.connect.transforms.ValueToKey.
func (c *ValueToKeyConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "fields").Importance(config.High).Check(fieldList(false)).
		Doc("Fields of the value, of its top level, that make the key.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

func valueToKeyPlugin() connect.Plugin {
	i := info("ValueToKey", "Makes a new key of fields of the value.")
	return connect.Transformer(i, func(c ValueToKeyConfig) (*valueToKey, error) {
		return &valueToKey{fields: distinct(c.Fields), defaults: c.ReplaceNullWithDefault}, nil
	})
}

// distinct drops doubles.
func distinct(names []string) []string {
	var out []string
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// valueToKey is ValueToKey.
type valueToKey struct {
	fields   []string
	defaults bool
	plans    schemaCache[*keyPlan]
}

// A keyPlan is the schema of keys, and where their fields come from.
type keyPlan struct {
	schema *data.Schema
	from   []int
}

// Apply makes the key. Null as value is an error.
func (t *valueToKey) Apply(_ context.Context, r *connect.Record) (bool, error) {
	make := t.withSchema
	if r.Value.Schema == nil {
		make = t.schemaless
	}
	key, err := make(r.Value.Value)
	if err != nil {
		return false, err
	}
	r.Key = key
	return true, nil
}

func (t *valueToKey) schemaless(v data.Value) (connect.Datum, error) {
	if _, err := requireMap(v, valueToKeyPurpose); err != nil {
		return connect.Datum{}, err
	}
	pairs := make([]data.Pair, len(t.fields))
	for i, field := range t.fields {
		value, _ := v.Lookup(field)
		pairs[i] = data.Pair{Key: data.String(field), Value: value}
	}
	return connect.Datum{Value: data.MapOf(pairs...)}, nil
}

func (t *valueToKey) withSchema(v data.Value) (connect.Datum, error) {
	value, err := requireStruct(v, valueToKeyPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	plan, err := t.plans.get(value.Schema(), t.plan)
	if err != nil {
		return connect.Datum{}, err
	}
	key, err := data.NewStruct(plan.schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i, f := range plan.schema.Fields() {
		if err := setField(key, f, fieldOf(value, plan.from[i], t.defaults)); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: plan.schema, Value: data.StructOf(key)}, nil
}

func (t *valueToKey) plan(s *data.Schema) (*keyPlan, error) {
	p := &keyPlan{}
	b := data.StructBuilder()
	for _, name := range t.fields {
		f, ok := s.Field(name)
		if !ok {
			return nil, dataError("Field does not exist: %s; found %s", name, fieldNames(s))
		}
		b.Field(name, f.Schema)
		p.from = append(p.from, f.Index)
	}
	var err error
	p.schema, err = b.Build()
	return p, err
}
