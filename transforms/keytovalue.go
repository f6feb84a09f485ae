package transforms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A KeyToValueConfig configures KeyToValue.
type KeyToValueConfig struct {
	// Fields of the key; * is the whole of it.
	Fields []string
	// Names of the fields in the value, in the same order; where there is none, or an empty one, it is the name in the key.
	Names []string
}

// wholeKey stands for the key itself, wholeKeyName is its field in the value.
const (
	wholeKey     = "*"
	wholeKeyName = "_key"
)

// Describe declares the keys of io.aiven.kafka.connect.transforms.KeyToValue.
func (c *KeyToValueConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "key.fields").Importance(config.High).Check(fieldList(true)).
		Doc("Fields of the key to copy into the value. * copies the whole key.")
	config.List(d, &c.Names, "value.fields").Default([]string{}).Importance(config.High).
		Doc("Names of the fields in the value, in the same order. Where there is none it is the name in the key, and _key for the whole. A field of " +
			"that name in the value is replaced.")
}

// Probe refuses two fields of one name.
func (c *KeyToValueConfig) Probe(context.Context) error {
	_, err := c.copies()
	return err
}

// copies pairs fields of the key with fields of the value.
func (c *KeyToValueConfig) copies() ([]rename, error) {
	var copies []rename
	for i, field := range c.Fields {
		name := field
		if i < len(c.Names) && c.Names[i] != "" {
			name = c.Names[i]
		}
		if name == wholeKey {
			name = wholeKeyName
		}
		if slices.ContainsFunc(copies, func(other rename) bool { return other.to == name }) {
			err := fmt.Errorf("More than one key value is copied to the value field name '%s'", name) //nolint:staticcheck // Java's words
			return nil, &config.KeyError{Key: "value.fields", Value: strings.Join(c.Names, ","), Err: err}
		}
		copies = append(copies, rename{field, name})
	}
	return copies, nil
}

func keyToValuePlugin() connect.Plugin {
	i := ours("KeyToValue", "Copies fields of the key, or the whole of it, into the value.", "io.aiven.kafka.connect.transforms.KeyToValue")
	return connect.Transformer(i, func(c KeyToValueConfig) (*keyToValue, error) {
		copies, err := c.copies()
		return &keyToValue{fields: copies}, err
	})
}

// keyToValue is KeyToValue. A plan holds for a schema of the value, beside the schema of the key that it was made with.
type keyToValue struct {
	fields []rename
	key    *data.Schema
	plans  schemaCache[*data.Schema]
}

// Apply copies the fields.
func (t *keyToValue) Apply(_ context.Context, r *connect.Record) (bool, error) {
	if r.Value.Schema == nil {
		return t.schemaless(r)
	}
	old, ok := r.Value.Value.Struct()
	if !ok {
		return false, dataError("the value has to be a STRUCT: found %s", kindOf(r.Value.Value))
	}
	key := r.Key.Schema
	if key == nil && r.Key.Value.Kind() != data.KindMap {
		key = data.InferSchema(r.Key.Value)
	}
	if t.key != key && !t.key.Equal(key) {
		t.plans = schemaCache[*data.Schema]{}
	}
	t.key = key
	schema, err := t.plans.get(old.Schema(), t.schema)
	if err != nil {
		return false, err
	}
	row, err := data.NewStruct(schema)
	if err != nil {
		return false, err
	}
	for i := range old.Len() {
		row.Set(i, old.At(i)) // null becomes the default
	}
	for _, f := range t.fields {
		v, _, err := t.valueOf(r, f.from)
		if err != nil {
			return false, err
		}
		if err := setField(row, schema.Fields()[schema.FieldIndex(f.to)], v); err != nil {
			return false, err
		}
	}
	r.Value = connect.Datum{Schema: schema, Value: data.StructOf(row)}
	return true, nil
}

func (t *keyToValue) schemaless(r *connect.Record) (bool, error) {
	pairs, ok := r.Value.Value.Map()
	if !ok {
		return false, dataError("the value has to be a STRUCT or MAP: found %s", kindOf(r.Value.Value))
	}
	out := slices.Clone(pairs)
	for _, f := range t.fields {
		v, there, err := t.valueOf(r, f.from)
		if err != nil {
			return false, err
		}
		if !there {
			continue
		}
		if row, ok := v.Struct(); ok {
			return false, dataError("a STRUCT of the key (schema %s) does not fit into a value without schema", row.Schema())
		}
		out = upsert(out, f.to, v)
	}
	r.Value.Value = data.MapOf(out...)
	return true, nil
}

// valueOf returns a field of the key. There is none in a STRUCT that is null.
func (t *keyToValue) valueOf(r *connect.Record, field string) (v data.Value, there bool, err error) {
	v = r.Key.Value
	if field == wholeKey {
		return v, !v.IsNull() || r.Key.Schema == nil, nil
	}
	if row, ok := v.Struct(); ok {
		i := row.Schema().FieldIndex(field)
		if i < 0 {
			return data.Value{}, false, dataError("%s is not a valid field name", field)
		}
		return row.At(i), true, nil
	}
	if v.IsNull() && r.Key.Schema != nil && r.Key.Schema.Kind() == data.KindStruct {
		return data.Value{}, false, nil
	}
	if _, ok := v.Map(); !ok {
		return data.Value{}, false, dataError("the key has to be a STRUCT or MAP with the field %q: found %s", field, kindOf(v))
	}
	v, _ = v.Lookup(field)
	return v, true, nil
}

// schema adds the fields to the schema of a value.
func (t *keyToValue) schema(value *data.Schema) (*data.Schema, error) {
	b := copyBasics(value, data.StructBuilder())
	if value.Optional() {
		b.Optional()
	}
	added := make(map[string]*data.Schema, len(t.fields))
	var order []string
	for _, f := range t.fields {
		s := t.key
		switch {
		case f.from == wholeKey && s != nil:
		case s == nil || s.Kind() != data.KindStruct:
			return nil, dataError("the key needs a schema, as the value has one; for %s it has to be that of a STRUCT", f.from)
		default:
			inner, ok := s.Field(f.from)
			if !ok {
				return nil, dataError("%s is not a valid field name", f.from)
			}
			s = inner.Schema
		}
		if _, twice := added[f.to]; !twice {
			order = append(order, f.to)
		}
		added[f.to] = s
	}
	for _, f := range value.Fields() {
		s, replaced := added[f.Name]
		if !replaced {
			s = f.Schema
		}
		b.Field(f.Name, s)
	}
	for _, name := range order {
		if value.FieldIndex(name) < 0 {
			b.Field(name, added[name])
		}
	}
	return b.Build()
}
