package transforms

import (
	"context"
	"slices"
	"strconv"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// An arrayMode says what becomes of an array.
type arrayMode string

const (
	arraysAsJSON   arrayMode = "json"
	arraysJoined   arrayMode = "join"
	arraysNumbered arrayMode = "index"
)

// A FlattenArraysConfig configures FlattenArrays.
type FlattenArraysConfig struct {
	// Fields of the top level; empty: every array.
	Fields []string
	// Separator stands between elements, or between the name and the position.
	Separator string
	// Count is how many elements get a field of their own.
	Count int

	mode      arrayMode
	separated bool
}

// maxNumbered is how many fields an array may become.
const maxNumbered = 1000

// Describe declares the keys of FlattenArrays.
func (c *FlattenArraysConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "fields").Default([]string{}).Importance(config.High).Check(fieldList(true)).
		Doc("Arrays of the top level to flatten. Empty means all. A named field that is missing does not count; one that is no array is an error.")
	config.EnumFold(d, &c.mode, "mode", arraysAsJSON, arraysJoined, arraysNumbered).Default(arraysAsJSON).Importance(config.High).
		Doc("json makes text of JSON of the array. join joins the texts of its elements. index makes a field of each element, " +
			"with the name of the array, the separator and the position from 0 on.")
	config.Text(d, &c.Separator, "separator").Optional().Given(&c.separated).Importance(config.Medium).
		Doc("Text between the elements for join, a comma by default; text between name and position for index, an underscore by default.")
	config.Int(d, &c.Count, "index.count").Default(10).Importance(config.Medium).Check(config.Between(1, maxNumbered)).
		Doc("How many elements index makes fields of. Where an array has less the others are null, where it has more the record fails. " +
			"Without schema there are as many fields as elements.")
}

// flattenArrays is FlattenArrays.
type flattenArrays struct {
	side  side
	c     FlattenArraysConfig
	plans schemaCache[*arrayPlan]
	buf   []byte
}

// An arrayPlan is the schema without arrays, and which fields were some.
type arrayPlan struct {
	schema *data.Schema
	flat   []bool
}

func newFlattenArrays(c FlattenArraysConfig, s side) (*flattenArrays, error) {
	if !c.separated {
		c.Separator = ","
		if c.mode == arraysNumbered {
			c.Separator = "_"
		}
	}
	return &flattenArrays{side: s, c: c}, nil
}

// Apply flattens the arrays.
func (t *flattenArrays) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return passNull(r, t.side, t)
}

const flattenArraysPurpose = "flattening arrays"

func (t *flattenArrays) wanted(name string, k data.Kind) (bool, error) {
	switch {
	case k == data.KindArray:
		return len(t.c.Fields) == 0 || slices.Contains(t.c.Fields, name), nil
	case k != data.KindNull && slices.Contains(t.c.Fields, name):
		return false, dataError("field %q is no ARRAY but %s", name, k)
	}
	return false, nil
}

func (t *flattenArrays) numbered(name string, i int) string {
	return name + t.c.Separator + strconv.Itoa(i)
}

func (t *flattenArrays) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	pairs, err := requireMap(v, flattenArraysPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	out := make([]data.Pair, 0, len(pairs))
	for _, p := range pairs {
		name, _ := p.Key.Str()
		wanted, err := t.wanted(name, p.Value.Kind())
		if err != nil {
			return connect.Datum{}, err
		}
		switch {
		case !wanted:
			out = append(out, p)
		case t.c.mode == arraysNumbered:
			elems, _ := p.Value.Array()
			if len(elems) > maxNumbered {
				return connect.Datum{}, dataError("field %q has %d elements, that is more than %d", name, len(elems), maxNumbered)
			}
			for i, e := range elems {
				out = upsert(out, t.numbered(name, i), e)
			}
		default:
			text, err := t.text(nil, p.Value)
			if err != nil {
				return connect.Datum{}, inField(name, err)
			}
			out = append(out, data.Pair{Key: p.Key, Value: text})
		}
	}
	return connect.Datum{Value: data.MapOf(out...)}, nil
}

// text makes one text of an array.
func (t *flattenArrays) text(s *data.Schema, v data.Value) (data.Value, error) {
	if v.IsNull() {
		return v, nil
	}
	if cap(t.buf) > keptBuffer {
		t.buf = nil
	}
	t.buf = t.buf[:0]
	if t.c.mode == arraysAsJSON {
		var err error
		t.buf, err = appendJSON(t.buf, s, v, 0)
		return data.String(string(t.buf)), err
	}
	elems, _ := v.Array()
	for i := range elems {
		if i > 0 {
			t.buf = append(t.buf, t.c.Separator...)
		}
		if !elems[i].IsNull() {
			t.buf = elems[i].Append(t.buf)
		}
	}
	return data.String(string(t.buf)), nil
}

func (t *flattenArrays) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	old, err := requireStruct(d.Value, flattenArraysPurpose)
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
	to := 0
	for i, f := range old.Schema().Fields() {
		switch {
		case !plan.flat[i]:
			row.Set(to, old.Raw(i))
		case t.c.mode == arraysNumbered:
			elems, _ := old.At(i).Array()
			if len(elems) > t.c.Count {
				return connect.Datum{}, dataError("field %q has %d elements, that is more than %d (configuration index.count)", f.Name, len(elems), t.c.Count)
			}
			for n, e := range elems {
				if e, err = madeOptional(plan.schema.Fields()[to+n].Schema, e); err != nil {
					return connect.Datum{}, err
				}
				row.Set(to+n, e)
			}
			to += t.c.Count - 1
		default:
			text, err := t.text(f.Schema, old.At(i))
			if err != nil {
				return connect.Datum{}, inField(f.Name, err)
			}
			row.Set(to, text)
		}
		to++
	}
	return connect.Datum{Schema: plan.schema, Value: data.StructOf(row)}, nil
}

func (t *flattenArrays) plan(s *data.Schema) (*arrayPlan, error) {
	p := &arrayPlan{flat: make([]bool, len(s.Fields()))}
	b := copyBasics(s, data.StructBuilder())
	if s.Optional() {
		b.Optional()
	}
	for i, f := range s.Fields() {
		wanted, err := t.wanted(f.Name, f.Schema.Kind())
		if err != nil {
			return nil, err
		}
		p.flat[i] = wanted
		switch {
		case !wanted:
			b.Field(f.Name, f.Schema)
		case t.c.mode == arraysNumbered:
			elem, err := optionalOf(f.Schema.ElemSchema())
			if err != nil {
				return nil, inField(f.Name, err)
			}
			for n := range t.c.Count {
				b.Field(t.numbered(f.Name, n), elem)
			}
		case f.Schema.Optional():
			b.Field(f.Name, data.OptionalStringSchema)
		default:
			b.Field(f.Name, data.StringSchema)
		}
	}
	var err error
	p.schema, err = b.Build()
	return p, err
}

// madeOptional brings a struct under its schema made optional. Other values are the same under both.
func madeOptional(s *data.Schema, v data.Value) (data.Value, error) {
	old, ok := v.Struct()
	if !ok || old.Schema().Equal(s) {
		return v, nil
	}
	row, err := copyOf(old, s)
	return data.StructOf(row), err
}
