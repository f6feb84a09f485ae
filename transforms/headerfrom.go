package transforms

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A headerOperation says what becomes of a field that goes into a header.
type headerOperation string

const (
	moveToHeader headerOperation = "move"
	copyToHeader headerOperation = "copy"
)

// A HeaderFromConfig configures HeaderFrom.
type HeaderFromConfig struct {
	// Fields and Headers are of the same length: each field goes into the header at its place.
	Fields, Headers []string
	// ReplaceNullWithDefault gives the default of a field for null.
	ReplaceNullWithDefault bool

	operation headerOperation
}

// Describe declares the keys of org.apache.kafka.connect.transforms.HeaderFrom.
func (c *HeaderFromConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "fields").Importance(config.High).Check(nonEmptyList()).
		Doc("Fields of the top level whose values go into headers.")
	config.List(d, &c.Headers, "headers").Importance(config.High).Check(nonEmptyList()).
		Doc("Keys of the headers, in the order of fields.")
	config.Enum(d, &c.operation, "operation", moveToHeader, copyToHeader).Importance(config.High).
		Doc("move takes the fields out of the record, copy leaves them.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

// nonEmptyList is NonEmptyListValidator, with its words.
func nonEmptyList() config.Check[[]string] {
	empty := errors.New("Empty list") //nolint:staticcheck // Java's words
	return config.CheckFunc("non-empty list", func(list []string) error {
		if len(list) == 0 {
			return empty
		}
		return nil
	}).OnNull(empty)
}

// Check refuses lists of different lengths.
func (c *HeaderFromConfig) Check() error {
	if len(c.Fields) != len(c.Headers) {
		return config.Errorf("headers", "'fields' config must have the same number of elements as 'headers' config: found %d and %d", len(c.Fields), len(c.Headers))
	}
	return nil
}

// headerFrom is HeaderFrom.
type headerFrom struct {
	side     side
	fields   []string
	headers  []string
	move     bool
	purpose  string
	defaults bool
	plans    schemaCache[*headerPlan]
}

// A headerPlan is what to take from structs of a schema, and what stays.
type headerPlan struct {
	taken  []data.Field
	schema *data.Schema // of what stays
	stays  []int
}

func newHeaderFrom(c HeaderFromConfig, s side) (*headerFrom, error) {
	return &headerFrom{
		side: s, fields: c.Fields, headers: c.Headers, move: c.operation == moveToHeader,
		purpose: "header " + string(c.operation), defaults: c.ReplaceNullWithDefault,
	}, nil
}

// Apply adds the headers behind those that are there.
func (t *headerFrom) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return reshape(r, t.side, t)
}

func (t *headerFrom) schemaless(r *connect.Record, v data.Value) (connect.Datum, error) {
	pairs, err := requireMap(v, t.purpose)
	if err != nil {
		return connect.Datum{}, err
	}
	for i, field := range t.fields {
		value, _ := v.Lookup(field)
		r.Headers = append(r.Headers, connect.Header{Key: t.headers[i], Datum: connect.Datum{Value: value}})
	}
	if t.move {
		pairs = slices.DeleteFunc(slices.Clone(pairs), func(p data.Pair) bool {
			key, ok := p.Key.Str()
			return ok && slices.Contains(t.fields, key)
		})
		v = data.MapOf(pairs...)
	}
	return connect.Datum{Value: v}, nil
}

func (t *headerFrom) withSchema(r *connect.Record, d connect.Datum) (connect.Datum, error) {
	old, err := requireStruct(d.Value, t.purpose)
	if err != nil {
		return connect.Datum{}, err
	}
	plan, err := t.plans.get(old.Schema(), t.plan)
	if err != nil {
		return connect.Datum{}, err
	}
	r.Headers = slices.Grow(r.Headers, len(plan.taken))
	for i, f := range plan.taken {
		value := connect.Datum{Schema: f.Schema, Value: fieldOf(old, f.Index, t.defaults)}
		r.Headers = append(r.Headers, connect.Header{Key: t.headers[i], Datum: value})
	}
	if !t.move {
		return d, nil
	}
	row, err := data.NewStruct(plan.schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i, from := range plan.stays {
		if err := setField(row, plan.schema.Fields()[i], fieldOf(old, from, t.defaults)); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: plan.schema, Value: data.StructOf(row)}, nil
}

func (t *headerFrom) plan(s *data.Schema) (*headerPlan, error) {
	p := &headerPlan{}
	for _, name := range t.fields {
		f, ok := s.Field(name)
		if !ok {
			return nil, fmt.Errorf("field %q, which is to go into a header, is not in the schema %s with %s", name, s, fieldNames(s))
		}
		p.taken = append(p.taken, f)
	}
	b := copyBasics(s, data.StructBuilder())
	for _, f := range s.Fields() {
		if !slices.Contains(t.fields, f.Name) {
			b.Field(f.Name, f.Schema)
			p.stays = append(p.stays, f.Index)
		}
	}
	var err error
	p.schema, err = b.Build()
	return p, err
}
