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

// castPurpose names the transform in errors, as in Java.
const castPurpose = "cast types"

// A CastConfig configures Cast.
type CastConfig struct {
	// Spec lists field:type, or is a single type for the whole of key or value. Types are int8, int16, int32, int64, float32, float64,
	// boolean and string, in any case.
	Spec []string
	// ReplaceNullWithDefault casts the default of a field that is null in place of the null.
	ReplaceNullWithDefault bool
}

// Describe declares the keys of org.apache.kafka.connect.transforms.Cast.
func (c *CastConfig) Describe(d *config.Def) {
	empty := config.Message("Must specify at least one field to cast.")
	valid := config.CheckFunc("list of colon-delimited pairs, such as foo:int8,abc:string", func(list []string) error {
		if len(list) == 0 {
			return empty
		}
		_, err := parseCasts(list)
		return err
	})
	config.List(d, &c.Spec, "spec").Importance(config.High).Check(valid.OnNull(empty)).
		Doc("Fields with the types to cast them to, as field:type, or one type for the whole. Types are int8, int16, int32, int64, " +
			"float32, float64, boolean and string. Only fields of the top level can be cast. Bytes can be cast to string alone, as Base64.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

// casts say what becomes of what.
type casts struct {
	fields []fieldCast
	whole  data.Kind // KindNull: fields are cast
}

type fieldCast struct {
	field string
	to    data.Kind
}

// of returns the type to cast a field to.
func (c *casts) of(field string) (data.Kind, bool) {
	for i := range c.fields {
		if c.fields[i].field == field {
			return c.fields[i].to, true
		}
	}
	return data.KindNull, false
}

// parseCasts reads the key spec. What Java accepts by accident is accepted: of two casts of a field the last counts.
func parseCasts(list []string) (casts, error) {
	var c casts
	for _, item := range list {
		switch parts := splitColon(item); len(parts) {
		case 1:
			k, err := castTarget(parts[0])
			if err != nil {
				return c, err
			}
			c.whole = k
		case 2:
			k, err := castTarget(parts[1])
			if err != nil {
				return c, err
			}
			c.set(strings.TrimSpace(parts[0]), k)
		default:
			return c, fmt.Errorf("Invalid rename mapping: %s", item) //nolint:staticcheck // Java's words
		}
	}
	if c.whole != data.KindNull && len(list) > 1 {
		return c, config.Message("Cast transformations that specify a type to cast the entire value to may ony specify a single cast in their spec")
	}
	return c, nil
}

func (c *casts) set(field string, to data.Kind) {
	if i := slices.IndexFunc(c.fields, func(f fieldCast) bool { return f.field == field }); i >= 0 {
		c.fields[i].to = to
		return
	}
	c.fields = append(c.fields, fieldCast{field, to})
}

// splitColon is Java's split(":"), which drops empty parts at the end.
func splitColon(text string) []string {
	parts := strings.Split(text, ":")
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 1 && parts[0] == "" && text != "" {
		return nil
	}
	return parts
}

// castTypes is how Java lists what can be cast.
const castTypes = "supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]"

// castTarget reads a type.
func castTarget(name string) (data.Kind, error) {
	upper := strings.ToUpper(strings.TrimSpace(name))
	for k := data.KindInt8; k <= data.KindStruct; k++ {
		if k.String() != upper {
			continue
		}
		if k > data.KindString {
			return k, config.Message("Cast transformation does not support casting to " + upper + "; " + castTypes)
		}
		return k, nil
	}
	return data.KindNull, config.Message("Invalid value java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type." +
		upper + " for configuration Invalid type found in casting spec: " + strings.TrimSpace(name))
}

// cast is Cast.
type cast struct {
	side     side
	casts    casts
	defaults bool
	plans    schemaCache[*castPlan]
}

// A castPlan is what the casts mean for structs, or values, of one schema.
type castPlan struct {
	schema *data.Schema
	to     []data.Kind // by field; KindNull: as it is
}

func newCast(c CastConfig, s side) (*cast, error) {
	casts, err := parseCasts(c.Spec)
	if err != nil {
		return nil, &config.KeyError{Key: "spec", Err: err}
	}
	return &cast{side: s, casts: casts, defaults: c.ReplaceNullWithDefault}, nil
}

// Apply casts fields, or the whole. Null is left alone.
func (t *cast) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return passNull(r, t.side, t)
}

func (t *cast) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	if t.casts.whole != data.KindNull {
		v, err := castValue(nil, v, t.casts.whole)
		return connect.Datum{Value: v}, err
	}
	pairs, err := requireMap(v, castPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	out := slices.Clone(pairs)
	for _, f := range t.casts.fields {
		old, _ := v.Lookup(f.field)
		changed, err := castValue(nil, old, f.to)
		if err != nil {
			return connect.Datum{}, inField(f.field, err)
		}
		out = upsert(out, f.field, changed)
	}
	return connect.Datum{Value: data.MapOf(out...)}, nil
}

func (t *cast) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	plan, err := t.plans.get(d.Schema, t.plan)
	if err != nil {
		return connect.Datum{}, err
	}
	if t.casts.whole != data.KindNull {
		v, err := castValue(d.Schema, d.Value, t.casts.whole)
		return connect.Datum{Schema: plan.schema, Value: v}, err
	}
	old, err := requireStruct(d.Value, castPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	row, err := data.NewStruct(plan.schema)
	if err != nil {
		return connect.Datum{}, err
	}
	fields := plan.schema.Fields()
	for i, to := range plan.to {
		v := fieldOf(old, i, t.defaults)
		if to != data.KindNull {
			if v, err = castValue(old.Schema().Fields()[i].Schema, v, to); err != nil {
				return connect.Datum{}, inField(fields[i].Name, err)
			}
		}
		if err := setField(row, fields[i], v); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: plan.schema, Value: data.StructOf(row)}, nil
}

// plan makes the schema of the result. Unlike other transforms Cast keeps being optional and the default.
func (t *cast) plan(s *data.Schema) (*castPlan, error) {
	p := &castPlan{}
	kind := t.casts.whole
	var b *data.Builder
	if kind != data.KindNull {
		b = copyBasics(s, data.NewBuilder(kind))
	} else {
		kind = data.KindStruct
		b = copyBasics(s, data.StructBuilder())
		p.to = make([]data.Kind, len(s.Fields()))
		for i, f := range s.Fields() {
			schema := f.Schema
			if to, ok := t.casts.of(f.Name); ok {
				var err error
				if schema, err = castSchema(f.Schema, data.NewBuilder(to), to); err != nil {
					return nil, inField(f.Name, err)
				}
				p.to[i] = to
			}
			b.Field(f.Name, schema)
		}
	}
	var err error
	p.schema, err = castSchema(s, b, kind)
	return p, err
}

// castSchema builds the schema with what it keeps of s.
func castSchema(s *data.Schema, b *data.Builder, to data.Kind) (*data.Schema, error) {
	if s.Optional() {
		b.Optional()
	}
	if def := s.Default(); !def.IsNull() {
		v, err := castValue(s, def, to)
		if err != nil {
			return nil, err
		}
		b.Default(v)
	}
	return b.Build()
}

// inField says in which field something went wrong.
func inField(name string, err error) error { return fmt.Errorf("field %q: %w", name, err) }
