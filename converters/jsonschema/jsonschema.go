package jsonschema

import (
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsontree"
)

// Config configures a converter: the keys of Confluent's JsonSchemaDataConfig
// beside those of the registry. The zero Config is not that of absent keys.
type Config struct {
	registry.Config
	options options
	void    struct {
		flags [8]bool
		text  [6]string
	}
}

// decimalFormat says how JSON shows decimals.
type decimalFormat string

const (
	base64Decimals  decimalFormat = "BASE64"
	numericDecimals decimalFormat = "NUMERIC"
)

// options are the keys that decide how schemas and data are mapped.
type options struct {
	additional     bool // object.additional.properties
	optional       bool // use.optional.for.nonrequired
	decimals       decimalFormat
	generalized    bool // generalized.sum.type.support
	ignoreDefaults bool // ignore.default.for.nullables
	flatten        bool // flatten.singleton.unions
	validate       bool // json.fail.invalid.schema
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	const group = "JSON Schema"
	o := &c.options
	c.Config.Describe(d)
	flag := func(p *bool, key string, def bool, doc string) {
		config.Bool(d, p, key).Default(def).Group(group, -1).Doc(doc)
	}
	flag(&o.additional, "object.additional.properties", true, "Write schemas of objects that allow further properties.")
	flag(&o.optional, "use.optional.for.nonrequired", false, "Read properties that are not required as optional fields.")
	config.EnumFold(d, &o.decimals, "decimal.format", numericDecimals, base64Decimals).Default(base64Decimals).Group(group, -1).
		Doc("Write decimals as BASE64 text of their unscaled value, or as NUMERIC. Both are read.")
	flag(&o.flatten, "flatten.singleton.unions", true, "Read a oneOf, anyOf or allOf of one schema as that schema.")
	flag(&o.generalized, "generalized.sum.type.support", false, "Represent enums and unions as the other formats do.")
	flag(&o.ignoreDefaults, "ignore.default.for.nullables", false, "Write a null field as null though it has a default.")
	flag(&o.validate, "json.fail.invalid.schema", false, "Refuse payloads that are not valid by the schema of the registry, both ways.")
	c.describeVoid(d, group)
}

// describeVoid declares what only Java's serializers for Java objects need.
func (c *Config) describeVoid(d *config.Def, group string) {
	const objects = "it is about Java objects that hold JSON."
	for i, key := range []string{
		"json.fail.unknown.properties", "json.envelope.detection", "json.oneof.for.nullables", "json.write.dates.iso8601", "json.validate.before.domain.rules",
	} {
		config.Bool(d, &c.void.flags[i], key).Default(i < 3).Ignored(objects).Group(group, -1).Doc("Part of Java's serializers.")
	}
	config.Bool(d, &c.void.flags[5], "ignore.modern.dialects").Default(false).Ignored("all dialects are read alike.").Group(group, -1).
		Doc("Read schemas of later dialects as draft 7.")
	config.Bool(d, &c.void.flags[6], "preserve.additional.properties").Default(false).Check(refuse).Group(group, -1).
		Doc("Not supported; false is accepted.")
	config.Bool(d, &c.void.flags[7], "json.indent.output").Default(false).Check(refuse).Group(group, -1).Doc("Not supported; false is accepted.")
	for i, key := range []string{"json.key.type", "json.value.type", "json.schema.spec.version", "json.default.property.inclusion", "type.property", "json.type.allowed.packages"} {
		config.String(d, &c.void.text[i], key).Default("").Ignored(objects).Group(group, -1).Doc("Part of Java's serializers.")
	}
}

var refuse = config.CheckFunc("false", func(v bool) error {
	if v {
		return fmt.Errorf("true is not supported")
	}
	return nil
})

// Plugin returns the plugin of the converter. Converters of one plugin share
// connections and caches where they have the same registry; two plugins share
// nothing.
func Plugin() connect.Plugin {
	pool := new(registry.Pool)
	return connect.ConverterOf(connect.Info{
		Class:     "JsonSchemaConverter",
		Version:   "1.0.0",
		Doc:       "Writes and reads JSON, with JSON Schemas in a schema registry.",
		StandsFor: []connect.JavaClass{{Class: "io.confluent.connect.json.JsonSchemaConverter"}},
	}, func(c Config) (*registry.Converter, error) { return registry.New(&c.Config, &format{c.options}, pool) })
}

// format is JSON Schema for the registry's converter.
type format struct{ o options }

var _ registry.Format = (*format)(nil)

// Type implements registry.Format.
func (f *format) Type() string { return registry.JSON }

// Null implements registry.Format: null under an optional schema, or one with a
// default, is a payload.
func (f *format) Null(s *data.Schema) (bool, error) {
	hasDefault := !s.Default().IsNull() && !f.o.ignoreDefaults
	return s == nil || !s.Optional() && !hasDefault, nil
}

// Draft implements registry.Format.
func (f *format) Draft(s *data.Schema) (registry.Draft, error) {
	if s == nil {
		return registry.Draft{}, dataError("data without a schema cannot be written with a JSON Schema: give them one, or set schemas.infer=true")
	}
	n, err := f.o.jsonSchema(s)
	if err != nil {
		return registry.Draft{}, fmt.Errorf("no JSON Schema for %s: %w", s, err)
	}
	d := registry.Draft{Schema: registry.Schema{Type: registry.JSON, Text: n.String()}}
	d.Name, _ = n.Get("title").Str()
	return d, nil
}

// Encoder implements registry.Format. A schema of the registry changes nothing
// about the payload, as in Java: it says whether it may be written.
func (f *format) Encoder(s *data.Schema, d registry.Draft, target *registry.Resolved, strict bool) (registry.Encoder, error) {
	resolved := registry.Resolved{Registered: registry.Registered{Schema: d.Schema}}
	if target != nil {
		resolved = *target
		if strict {
			if err := f.o.canRead(resolved, s); err != nil {
				return nil, err
			}
		}
	}
	e := &rootEncoder{encoder: f.o.newEncoder(s, make(map[*data.Schema]*encoder))}
	if f.o.validate {
		var err error
		if e.valid, err = newValidator(resolved); err != nil {
			return nil, err
		}
	}
	return e, nil
}

type rootEncoder struct {
	*encoder
	valid *validator
}

func (e *rootEncoder) Append(dst []byte, v data.Value) ([]byte, error) {
	out, err := e.append(dst, v, 0)
	if err == nil && e.valid != nil {
		err = e.valid.check(out[len(dst):])
	}
	return out, err
}

func (e *rootEncoder) Indexes() []byte { return nil }

// Decoder implements registry.Format.
func (f *format) Decoder(writer registry.Resolved, reader *registry.Resolved, _ string) (registry.Decoder, error) {
	wanted := writer
	if reader != nil {
		wanted = *reader
	}
	doc, err := newDocument(wanted)
	if err != nil {
		return nil, err
	}
	s, err := f.o.connectSchema(doc, wanted.Version)
	if err != nil {
		return nil, fmt.Errorf("schema %d: %w", wanted.ID, err)
	}
	d := &rootDecoder{decoder: newDecoder(s, make(map[*data.Schema]*decoder))}
	if f.o.validate {
		if d.valid, err = newValidator(wanted); err != nil {
			return nil, err
		}
	}
	return d, nil
}

type rootDecoder struct {
	*decoder
	valid *validator
}

func (d *rootDecoder) Schema() *data.Schema { return d.schema }

func (d *rootDecoder) Decode(b []byte) (data.Value, error) {
	if d.valid != nil {
		if err := d.valid.check(b); err != nil {
			return data.Value{}, err
		}
	}
	return d.decodeRoot(b)
}

// Name implements registry.Format.
func (f *format) Name(s registry.Resolved, _ string) (string, error) {
	n, err := jsontree.Parse(s.Text)
	if err != nil {
		return "", dataError("schema %d is no JSON: %v", s.ID, err)
	}
	title, _ := n.Get("title").Str()
	return title, nil
}

// dataError makes the twin of a DataException.
func dataError(format string, args ...any) error {
	return &data.Error{Message: fmt.Sprintf(format, args...)}
}
