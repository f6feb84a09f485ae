package transforms

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// insertPurpose names the transform in errors, as in Java.
const insertPurpose = "field insertion"

// errNoInsertion refuses a transform that would insert nothing. No key is to blame, so it is found when the transform is made: as in Java.
var errNoInsertion = errors.New("No field insertion configured: want one of topic.field, partition.field, offset.field, timestamp.field, static.field") //nolint:staticcheck // Java's words

// An InsertFieldConfig configures InsertField. Each of the names may end in ! for a required field, or in ? for an optional one, which
// is also what it is without. At least one has to be set.
type InsertFieldConfig struct {
	TopicField, PartitionField, OffsetField, TimestampField, StaticField string

	// StaticValue is what StaticField gets.
	StaticValue string
	// ReplaceNullWithDefault copies the default of a field that is null in place of the null.
	ReplaceNullWithDefault bool

	given struct{ topic, partition, offset, timestamp, static, value bool }
}

// Describe declares the keys of org.apache.kafka.connect.transforms.InsertField.
func (c *InsertFieldConfig) Describe(d *config.Def) {
	const suffix = " A name that ends in ! makes a required field, one that ends in ? or in neither an optional one."
	field := func(p *string, given *bool, key, doc string) {
		config.String(d, p, key).Optional().Given(given).Importance(config.Medium).Doc(doc + suffix)
	}
	field(&c.TopicField, &c.given.topic, "topic.field", "Field for the record's topic.")
	field(&c.PartitionField, &c.given.partition, "partition.field", "Field for the record's partition, if it has one.")
	field(&c.OffsetField, &c.given.offset, "offset.field", "Field for the record's offset in Kafka. For sink connectors only.")
	field(&c.TimestampField, &c.given.timestamp, "timestamp.field", "Field for the record's timestamp, if it has one.")
	field(&c.StaticField, &c.given.static, "static.field", "Field for the text of static.value.")
	config.String(d, &c.StaticValue, "static.value").Optional().Given(&c.given.value).Importance(config.Medium).
		Doc("Text for static.field.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

// Check refuses a static field without its text.
func (c *InsertFieldConfig) Check() error {
	if c.given.static && !c.given.value {
		return &config.KeyError{Key: "static.value", Err: errors.New("No value specified for static field: " + c.StaticField)} //nolint:staticcheck // Java's words
	}
	return nil
}

// Probe refuses a transform that would insert nothing before a connector is made of it.
func (c *InsertFieldConfig) Probe(context.Context) error {
	if g := c.given; !g.topic && !g.partition && !g.offset && !g.timestamp && !g.static {
		return &config.KeyError{Key: "topic.field", Err: errNoInsertion}
	}
	return nil
}

// An insertion makes one field.
type insertion struct {
	name     string
	optional bool
	schemas  [2]*data.Schema // of a required and of an optional field
	// value returns what is inserted, and whether there is anything to insert. Schemaless data gets plain instead of a logical type.
	value func(r *connect.Record, plain bool) (v data.Value, ok bool, err error)
}

// parseInsertion takes the suffix off a name.
func parseInsertion(spec string, required, optional *data.Schema, value func(*connect.Record, bool) (data.Value, bool, error)) insertion {
	x := insertion{name: spec, optional: true, schemas: [2]*data.Schema{required, optional}, value: value}
	if name, ok := strings.CutSuffix(spec, "?"); ok {
		x.name = name
	} else if name, ok := strings.CutSuffix(spec, "!"); ok {
		x.name, x.optional = name, false
	}
	return x
}

func (x insertion) schema() *data.Schema {
	if x.optional {
		return x.schemas[1]
	}
	return x.schemas[0]
}

// insertField is InsertField.
type insertField struct {
	side       side
	insertions []insertion
	defaults   bool
	schemas    schemaCache[*data.Schema]
}

func newInsertField(c InsertFieldConfig, s side) (*insertField, error) {
	t := &insertField{side: s, defaults: c.ReplaceNullWithDefault}
	add := func(given bool, spec string, required, optional *data.Schema, value func(*connect.Record, bool) (data.Value, bool, error)) {
		if given {
			t.insertions = append(t.insertions, parseInsertion(spec, required, optional, value))
		}
	}
	static := data.String(c.StaticValue)
	add(c.given.topic, c.TopicField, data.StringSchema, data.OptionalStringSchema, topicOf)
	add(c.given.partition, c.PartitionField, data.Int32Schema, data.OptionalInt32Schema, partitionOf)
	add(c.given.offset, c.OffsetField, data.Int64Schema, data.OptionalInt64Schema, offsetOf)
	add(c.given.timestamp, c.TimestampField, data.TimestampSchema, data.OptionalTimestampSchema, timestampOf)
	add(c.given.static, c.StaticField, data.StringSchema, data.OptionalStringSchema,
		func(*connect.Record, bool) (data.Value, bool, error) { return static, true, nil })
	if len(t.insertions) == 0 {
		return nil, errNoInsertion
	}
	return t, nil
}

func topicOf(r *connect.Record, _ bool) (data.Value, bool, error) {
	if r.Topic == "" {
		return data.Value{}, true, nil // Java inserts null
	}
	return data.String(r.Topic), true, nil
}

func partitionOf(r *connect.Record, _ bool) (data.Value, bool, error) {
	p, ok := r.Partition.Get()
	return data.Int32(p), ok, nil
}

func offsetOf(r *connect.Record, _ bool) (data.Value, bool, error) {
	offset, err := requireSinkRecord(r, insertPurpose)
	return data.Int64(offset), true, err
}

func timestampOf(r *connect.Record, plain bool) (data.Value, bool, error) {
	if plain {
		return data.Int64(r.Timestamp.UnixMilli()), !r.Timestamp.IsZero(), nil
	}
	return data.DateOf(r.Timestamp), !r.Timestamp.IsZero(), nil
}

// Apply inserts the fields behind those that are there.
func (t *insertField) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return passNull(r, t.side, t)
}

func (t *insertField) schemaless(r *connect.Record, v data.Value) (connect.Datum, error) {
	pairs, err := requireMap(v, insertPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	pairs = slices.Grow(slices.Clip(slices.Clone(pairs)), len(t.insertions))
	for _, x := range t.insertions {
		v, ok, err := x.value(r, true)
		if err != nil {
			return connect.Datum{}, err
		}
		if ok {
			pairs = upsert(pairs, x.name, v)
		}
	}
	return connect.Datum{Value: data.MapOf(pairs...)}, nil
}

func (t *insertField) withSchema(r *connect.Record, d connect.Datum) (connect.Datum, error) {
	old, err := requireStruct(d.Value, insertPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	schema, err := t.schemas.get(old.Schema(), t.extend)
	if err != nil {
		return connect.Datum{}, err
	}
	row, err := data.NewStruct(schema)
	if err != nil {
		return connect.Datum{}, err
	}
	fields := schema.Fields()
	for i := range old.Len() {
		if err := setField(row, fields[i], fieldOf(old, i, t.defaults)); err != nil {
			return connect.Datum{}, err
		}
	}
	for i, x := range t.insertions {
		v, ok, err := x.value(r, false)
		if err == nil && ok {
			err = setField(row, fields[old.Len()+i], v)
		}
		if err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(row)}, nil
}

// extend makes the schema with the new fields.
func (t *insertField) extend(s *data.Schema) (*data.Schema, error) {
	b := copyBasics(s, data.StructBuilder())
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	for _, x := range t.insertions {
		b.Field(x.name, x.schema())
	}
	return b.Build()
}
