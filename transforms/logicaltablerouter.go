package transforms

import (
	"context"
	"fmt"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javaregex"
)

// A nameAdjustment says whether names of schemas are made fit for Avro.
type nameAdjustment string

const (
	noAdjustment nameAdjustment = "none"
	forAvro      nameAdjustment = "avro"
)

// A LogicalTableRouterConfig configures LogicalTableRouter.
type LogicalTableRouterConfig struct {
	// TopicRegex and TopicReplacement make the new topic.
	TopicRegex, TopicReplacement string
	// KeyUnique adds a field to the key, named KeyField, with the old topic or what KeyRegex and KeyReplacement make of it.
	KeyUnique                          bool
	KeyField, KeyRegex, KeyReplacement string

	adjust    nameAdjustment
	cacheSize int
}

// Describe declares the keys of io.debezium.transforms.ByLogicalTableRouter.
func (c *LogicalTableRouterConfig) Describe(d *config.Def) {
	config.String(d, &c.TopicRegex, "topic.regex").Check(config.NonEmpty(), validRegex()).Doc("Regular expression, in Java's syntax, that has to match the topic as a whole.")
	config.String(d, &c.TopicReplacement, "topic.replacement").Check(config.NonEmpty()).Doc("The new topic: $1 or ${name} stands for what a group matched.")
	config.Bool(d, &c.KeyUnique, "key.enforce.uniqueness").Default(true).Doc("Whether the key gets a field that tells the old topics apart.")
	config.String(d, &c.KeyField, "key.field.name").Default("__dbz__physicalTableIdentifier").Doc("Name of that field.")
	config.String(d, &c.KeyRegex, "key.field.regex").Default("").Check(validRegex()).Doc("Regular expression for the old topic, to make the field's value of it. Without it the value is the topic.")
	config.String(d, &c.KeyReplacement, "key.field.replacement").Default("").Doc("The value, if key.field.regex matches the old topic as a whole.")
	config.EnumFold(d, &c.adjust, "schema.name.adjustment.mode", noAdjustment, forAvro).Default(noAdjustment).
		Doc("Whether names of schemas are made names of Avro's: avro replaces other characters by _.")
	config.Int(d, &c.cacheSize, "logical.table.cache.size").Default(schemaCacheSize).Doc("Number of schemas to remember.").Ignored("it is always sixteen.")
}

// Check refuses a regular expression for the key without its replacement.
func (c *LogicalTableRouterConfig) Check() error {
	if c.KeyRegex != "" && c.KeyReplacement == "" {
		return config.Errorf("key.field.replacement", "key.field.replacement must be non-empty if key.field.regex is set.") //nolint:staticcheck // Java's words
	}
	return nil
}

func logicalTableRouterPlugin() connect.Plugin {
	i := ours("LogicalTableRouter", "Sends change events of several tables to one topic, and renames their schemas by it.",
		"io.debezium.transforms.ByLogicalTableRouter", "io.debezium.transforms.ToLogicalTopicRouter")
	return connect.Transformer(i, newLogicalTableRouter)
}

// A rewriter is a pattern with its replacement.
type rewriter struct {
	pattern     *javaregex.Pattern
	replacement *javaregex.Replacement
}

func newRewriter(regex, replacement string) (*rewriter, error) {
	p, err := javaregex.Compile(regex)
	if err != nil {
		return nil, err
	}
	return &rewriter{p, p.Replacement(replacement)}, nil
}

// rewrite reports false where the pattern does not match the whole text.
func (x *rewriter) rewrite(text string) (string, bool, error) {
	matches, err := x.pattern.Matches(text)
	if err != nil || !matches {
		return text, false, err
	}
	out, err := x.pattern.ReplaceFirst(text, x.replacement)
	return out, true, err
}

// logicalTableRouter is LogicalTableRouter. Topics are few, so it remembers what became of the last one.
type logicalTableRouter struct {
	c          LogicalTableRouterConfig
	topic, key *rewriter

	last struct {
		topic, routed, id string
		matches           bool
	}
	keys, events schemaCache[*data.Schema] // for the topic that the last record went to
}

func newLogicalTableRouter(c LogicalTableRouterConfig) (*logicalTableRouter, error) {
	t := &logicalTableRouter{c: c}
	var err error
	if t.topic, err = newRewriter(c.TopicRegex, c.TopicReplacement); err != nil {
		return nil, err
	}
	if c.KeyRegex != "" {
		t.key, err = newRewriter(c.KeyRegex, c.KeyReplacement)
	}
	return t, err
}

// Apply routes records of topics that match.
func (t *logicalTableRouter) Apply(_ context.Context, r *connect.Record) (bool, error) {
	if r.Topic != t.last.topic || r.Topic == "" {
		if err := t.look(r.Topic); err != nil {
			return false, err
		}
	}
	if !t.last.matches || t.last.routed == "" {
		return true, nil
	}
	key, value := connect.Datum{}, r.Value
	var err error
	if !r.Key.Value.IsNull() {
		if key, err = t.newKey(r.Key.Value); err != nil {
			return false, err
		}
	}
	if isEnvelope(r.Value) {
		if value, err = t.newEvent(r.Value); err != nil {
			return false, err
		}
	}
	r.Topic, r.Key, r.Value = t.last.routed, key, value
	return true, nil
}

// look finds out what becomes of a topic.
func (t *logicalTableRouter) look(topic string) error {
	routed, matches, err := t.topic.rewrite(topic)
	if err != nil {
		return fmt.Errorf("configuration topic.replacement: topic %q: %w", topic, err)
	}
	id := topic
	if t.key != nil {
		if id, _, err = t.key.rewrite(topic); err != nil {
			return fmt.Errorf("configuration key.field.replacement: topic %q: %w", topic, err)
		}
	}
	if routed != t.last.routed {
		t.keys, t.events = schemaCache[*data.Schema]{}, schemaCache[*data.Schema]{}
	}
	t.last.topic, t.last.routed, t.last.id, t.last.matches = topic, routed, id, matches
	return nil
}

// schemaName is a name made of the topic.
func (t *logicalTableRouter) schemaName(suffix string) string {
	name := t.last.routed + suffix
	if t.c.adjust == forAvro {
		return avroName(name)
	}
	return name
}

// avroName replaces what a full name of Avro's may not have.
func avroName(name string) string {
	first := true
	return strings.Map(func(c rune) rune {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		valid := letter || c >= '0' && c <= '9' && !first || c == '.'
		first = c == '.'
		if valid {
			return c
		}
		return '_'
	}, name)
}

func (t *logicalTableRouter) newKey(v data.Value) (connect.Datum, error) {
	old, err := requireStruct(v, "Updating schema")
	if err != nil {
		return connect.Datum{}, err
	}
	schema, err := t.keys.get(old.Schema(), func(s *data.Schema) (*data.Schema, error) {
		b := copyUnnamed(s, true).Name(t.schemaName(".Key"))
		if t.c.KeyUnique {
			b.Field(t.c.KeyField, data.StringSchema)
		}
		return b.Build()
	})
	if err != nil {
		return connect.Datum{}, err
	}
	row, err := data.NewStruct(schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i := range old.Len() {
		row.Set(i, old.At(i))
	}
	if t.c.KeyUnique {
		row.Set(old.Len(), data.String(t.last.id))
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(row)}, nil
}

// copyUnnamed starts a schema like another, but for its name.
func copyUnnamed(s *data.Schema, fields bool) *data.Builder {
	b := data.StructBuilder().Doc(s.Doc()).Parameters(s.Parameters()...)
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if s.Optional() {
		b.Optional()
	}
	if fields {
		for _, f := range s.Fields() {
			b.Field(f.Name, f.Schema)
		}
	}
	return b
}

func (t *logicalTableRouter) newEvent(d connect.Datum) (connect.Datum, error) {
	old, _ := d.Value.Struct()
	schema, err := t.events.get(old.Schema(), t.eventSchema)
	if err != nil {
		return connect.Datum{}, err
	}
	event, err := data.NewStruct(schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i, f := range schema.Fields() {
		v := old.At(i)
		if row, ok := v.Struct(); ok && (f.Name == "before" || f.Name == "after") {
			moved, err := copyInto(f.Schema, row, true)
			if err != nil {
				return connect.Datum{}, err
			}
			v = data.StructOf(moved)
		}
		event.Set(i, v)
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(event)}, nil
}

func (t *logicalTableRouter) eventSchema(s *data.Schema) (*data.Schema, error) {
	before, ok := s.Field("before")
	if !ok {
		return nil, dataError("the change event %s has no field before; found %s", s, fieldNames(s))
	}
	row, err := copyUnnamed(before.Schema, true).Name(t.schemaName(".Value")).Build()
	if err != nil {
		return nil, err
	}
	b := copyUnnamed(s, false).Name(t.schemaName(".Envelope"))
	for _, f := range s.Fields() {
		schema := f.Schema
		if f.Name == "before" || f.Name == "after" {
			schema = row
		}
		b.Field(f.Name, schema)
	}
	return b.Build()
}
