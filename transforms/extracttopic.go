package transforms

import (
	"context"
	"errors"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsonpath"
)

// A pathFormat says how the place of a field is written.
type pathFormat string

const (
	plainField pathFormat = "plain"
	byJSONPath pathFormat = "JSON_PATH"
)

// An ExtractTopicConfig configures ExtractTopic.
type ExtractTopicConfig struct {
	// Field of the top level, or a JSONPath; "": the whole. FieldName is another key for the same.
	Field, FieldName string
	// SkipMissing leaves the topic as it is where there is nothing to take it from.
	SkipMissing bool

	format pathFormat
}

// Describe declares the keys of io.confluent.connect.transforms.ExtractTopic and io.aiven.kafka.connect.transforms.ExtractTopic.
func (c *ExtractTopicConfig) Describe(d *config.Def) {
	config.String(d, &c.Field, "field").Default("").Importance(config.Medium).Doc("Field with the topic. Without it the whole is the topic.")
	config.String(d, &c.FieldName, "field.name").Default("").Importance(config.Medium).Doc("The same as field, under the name that Aiven's class has for it.")
	config.EnumFold(d, &c.format, "field.format", plainField, byJSONPath).Default(plainField).Importance(config.Medium).
		Doc("How field is written: plain is the name of a field of the top level, JSON_PATH a path that begins with $.")
	config.Bool(d, &c.SkipMissing, "skip.missing.or.null").Default(false).
		Doc("Whether records keep their topic if what it would be taken from is missing, null or empty. Otherwise they fail.")
}

// Probe refuses what one key alone can not tell.
func (c *ExtractTopicConfig) Probe(context.Context) error {
	if c.Field != "" && c.FieldName != "" && c.Field != c.FieldName {
		return &config.KeyError{Key: "field.name", Value: c.FieldName, Err: errors.New("field is set, too, to another value")}
	}
	if c.format != byJSONPath {
		return nil
	}
	if _, err := jsonpath.Compile(c.field()); err != nil {
		return &config.KeyError{Key: "field", Value: c.field(), Err: err}
	}
	return nil
}

func (c *ExtractTopicConfig) field() string {
	if c.Field == "" {
		return c.FieldName
	}
	return c.Field
}

// extractTopic is ExtractTopic.
type extractTopic struct {
	side  side
	field string
	path  *jsonpath.Path // nil: field is a name
	skip  bool
}

func newExtractTopic(c ExtractTopicConfig, s side) (*extractTopic, error) {
	if err := c.Probe(context.Background()); err != nil {
		return nil, err
	}
	t := &extractTopic{side: s, field: c.field(), skip: c.SkipMissing}
	if c.format == byJSONPath {
		var err error
		t.path, err = jsonpath.Compile(t.field)
		return t, err
	}
	return t, nil
}

// Apply sets the topic.
func (t *extractTopic) Apply(_ context.Context, r *connect.Record) (bool, error) {
	v := t.side.of(r).Value
	switch {
	case t.path != nil:
		found, _, err := t.path.Find(v)
		switch {
		case err != nil:
			return false, fmt.Errorf("configuration field: %w", err)
		case len(found) > 1:
			return false, dataError("%s is several values, not one topic", t.place())
		}
		v = data.Value{}
		if len(found) == 1 {
			v = found[0]
		}
	case t.field != "":
		if k := v.Kind(); k != data.KindStruct && k != data.KindMap && (k != data.KindNull || !t.skip) {
			return false, dataError("%s has to be a STRUCT or MAP if a field is named: found %s", t.side.lower(), kindOf(v))
		}
		v = topField(v, t.field)
	}
	return setTopic(r, v, t.place, t.skip)
}

// place names what the topic comes from in errors.
func (t *extractTopic) place() string {
	whole := t.side.lower()
	if t.field == "" {
		return whole
	}
	return t.field + " in " + whole
}

// setTopic makes a topic of a scalar.
func setTopic(r *connect.Record, v data.Value, place func() string, skip bool) (bool, error) {
	topic, ok := scalarText(v)
	switch {
	case v.IsNull() || ok && topic == "":
		if skip {
			return true, nil
		}
		return false, dataError("%s can't be null or empty", place())
	case !ok:
		return false, dataError("type %s of %s is not a topic: want STRING, a number or BOOLEAN", v.Kind(), place())
	}
	r.Topic = topic
	return true, nil
}

// An ExtractTopicHeaderConfig configures ExtractTopic$Header.
type ExtractTopicHeaderConfig struct {
	// Header is the header with the topic.
	Header string
	// SkipMissing leaves the topic as it is where there is none.
	SkipMissing bool
}

// Describe declares the keys of io.confluent.connect.transforms.ExtractTopic$Header.
func (c *ExtractTopicHeaderConfig) Describe(d *config.Def) {
	config.String(d, &c.Header, "field").Importance(config.Medium).Check(config.NonEmpty()).Doc("Name of the header. Of several with that name the last counts.")
	config.Bool(d, &c.SkipMissing, "skip.missing.or.null").Default(false).
		Doc("Whether records keep their topic if the header is missing, null or empty. Otherwise they fail.")
}

func extractTopicHeaderPlugin() connect.Plugin {
	i := ours("ExtractTopic$Header", "Takes the topic from a header.", "io.confluent.connect.transforms.ExtractTopic$Header")
	return connect.Transformer(i, func(c ExtractTopicHeaderConfig) (extractTopicHeader, error) { return extractTopicHeader{c}, nil })
}

type extractTopicHeader struct{ c ExtractTopicHeaderConfig }

// Apply sets the topic.
func (t extractTopicHeader) Apply(_ context.Context, r *connect.Record) (bool, error) {
	var v data.Value
	for i := range r.Headers {
		if r.Headers[i].Key == t.c.Header {
			v = r.Headers[i].Datum.Value
		}
	}
	return setTopic(r, v, func() string { return "header " + t.c.Header }, t.c.SkipMissing)
}
