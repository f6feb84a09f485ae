package avro

import (
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/avrodata"
)

// Config configures a Converter: the keys of Confluent's AvroDataConfig beside
// those of the registry. The zero Config is not that of absent keys.
type Config struct {
	registry.Config
	options avrodata.Options
	// failTrailing is avro.fail.on.trailing.data.
	failTrailing bool
	void         [4]bool
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	const group = "Avro"
	o := &c.options
	c.Config.Describe(d)
	flag := func(p *bool, key string, def bool, doc string) {
		config.Bool(d, p, key).Default(def).Group(group, -1).Doc(doc)
	}
	flag(&o.Enhanced, "enhanced.avro.schema.support", false, "Keep enums, and the full names of types in unions.")
	flag(&o.MetaData, "connect.meta.data", true, "Write and read the properties connect.name, connect.version, connect.doc, connect.parameters, connect.default and connect.type.")
	flag(&o.Scrub, "scrub.invalid.names", false, "Make names valid that Avro does not allow.")
	flag(&o.Generalized, "generalized.sum.type.support", false, "Represent enums and unions as the other formats do.")
	flag(&o.IgnoreDefaults, "ignore.default.for.nullables", false, "Write a null field as null though it has a default.")
	flag(&o.Flatten, "flatten.singleton.unions", true, "Read a union of one branch as that branch.")
	flag(&o.OptionalKeys, "allow.optional.map.keys", false, "Write maps with optional STRING keys as Avro maps. Null keys are errors then.")
	flag(&o.Discard, "discard.type.doc.default", false, "Keep documentation and defaults of fields only, as converters before 7.4 did.")
	for i, key := range []string{"avro.use.logical.type.converters", "avro.reflection.allow.null", "avro.remove.java.properties"} {
		config.Bool(d, &c.void[i], key).Default(false).Ignored("it is about Java objects that hold Avro.").Group(group, -1).Doc("Part of Java's serializers.")
	}
	flag(&c.failTrailing, "avro.fail.on.trailing.data", false, "Refuse payloads with bytes behind the value.")
}

// Plugin returns the plugin of the converter. Converters of one plugin share
// connections and caches where they have the same registry; two plugins share
// nothing.
func Plugin() connect.Plugin {
	pool := new(registry.Pool)
	return connect.ConverterOf(connect.Info{
		Class:     "AvroConverter",
		Version:   "1.0.0",
		Doc:       "Writes and reads Avro, with schemas in a schema registry.",
		StandsFor: []connect.JavaClass{{Class: "io.confluent.connect.avro.AvroConverter"}},
	}, func(c Config) (*registry.Converter, error) {
		return registry.New(&c.Config, &format{o: c.options, failTrailing: c.failTrailing}, pool)
	})
}

// format is Avro for the registry's converter.
type format struct {
	o            avrodata.Options
	failTrailing bool
}

var _ registry.Format = (*format)(nil)

// Type implements registry.Format.
func (f *format) Type() string { return registry.Avro }

// Null implements registry.Format: null is Kafka's, whatever optional schema it is
// under.
func (f *format) Null(s *data.Schema) (bool, error) {
	if !s.Optional() {
		return false, dataError("Found null value for non-optional schema %s", s)
	}
	return true, nil
}

// Draft implements registry.Format.
func (f *format) Draft(s *data.Schema) (registry.Draft, error) {
	a, err := f.o.FromConnect(s)
	if err != nil {
		return registry.Draft{}, fmt.Errorf("no Avro schema for %s: %w", s, err)
	}
	source, err := a.Text()
	if err != nil {
		return registry.Draft{}, fmt.Errorf("no Avro schema for %s: %w", s, err)
	}
	d := registry.Draft{Schema: registry.Schema{Type: registry.Avro, Text: source}, Parsed: a}
	if a.IsRecord() {
		d.Name = a.FullName()
	}
	return d, nil
}

// Encoder implements registry.Format.
func (f *format) Encoder(s *data.Schema, d registry.Draft, target *registry.Resolved, strict bool) (registry.Encoder, error) {
	a := d.Parsed.(avrodata.Schema)
	if target != nil {
		var err error
		if a, err = parse(*target); err != nil {
			return nil, err
		}
	}
	e, err := f.o.NewEncoder(s, a, strict && target != nil)
	if err != nil {
		return nil, err
	}
	return rootEncoder{e}, nil
}

type rootEncoder struct{ avrodata.Encoder }

func (e rootEncoder) Append(dst []byte, v data.Value) ([]byte, error) { return e.AppendPayload(dst, v) }
func (e rootEncoder) Indexes() []byte                                 { return nil }

// parse reads a schema and what it refers to.
func parse(s registry.Resolved) (avrodata.Schema, error) {
	p := avrodata.NewParser()
	for _, part := range s.Parts {
		if part.Type != registry.Avro {
			return avrodata.Schema{}, dataError("schema %d refers to %q, which is of type %s", s.ID, part.Name, part.Type)
		}
		if _, err := p.Parse(part.Text); err != nil {
			return avrodata.Schema{}, dataError("schema %d refers to %q: %v", s.ID, part.Name, err)
		}
	}
	a, err := p.Parse(s.Text)
	if err != nil {
		return avrodata.Schema{}, dataError("schema %d: %v", s.ID, err)
	}
	return a, nil
}

// Decoder implements registry.Format.
func (f *format) Decoder(writer registry.Resolved, reader *registry.Resolved, _ string) (registry.Decoder, error) {
	w, err := parse(writer)
	if err != nil {
		return nil, err
	}
	r, version := w, writer.Version
	if reader != nil && reader.ID != writer.ID {
		if r, err = parse(*reader); err != nil {
			return nil, err
		}
		version = reader.Version
	}
	s, err := f.o.ToConnect(r, version)
	if err != nil {
		return nil, fmt.Errorf("schema %d: %w", writer.ID, err)
	}
	d, err := f.o.NewDecoder(w, r, s)
	if err != nil {
		return nil, fmt.Errorf("schema %d, read as schema of version %d: %w", writer.ID, version, err)
	}
	return &rootDecoder{Decoder: d, connect: s, strict: f.failTrailing}, nil
}

type rootDecoder struct {
	avrodata.Decoder
	connect *data.Schema
	strict  bool
}

func (d *rootDecoder) Schema() *data.Schema                { return d.connect }
func (d *rootDecoder) Decode(b []byte) (data.Value, error) { return d.DecodePayload(b, d.strict) }

// Name implements registry.Format.
func (f *format) Name(s registry.Resolved, _ string) (string, error) {
	a, err := parse(s)
	if err != nil || !a.IsRecord() {
		return "", err
	}
	return a.FullName(), nil
}

// dataError makes the twin of a DataException.
func dataError(format string, args ...any) error {
	return &data.Error{Message: fmt.Sprintf(format, args...)}
}
