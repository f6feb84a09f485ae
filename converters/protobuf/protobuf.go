package protobuf

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
)

// Config configures a converter: the keys of Confluent's ProtobufDataConfig beside
// those of the registry. The zero Config is not that of absent keys.
type Config struct {
	registry.Config
	options options
	void    struct {
		text  [5]string
		flags [4]bool
	}
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	const group = "Protobuf"
	o := &c.options
	c.Config.Describe(d)
	flag := func(p *bool, key string, def bool, doc string) {
		config.Bool(d, p, key).Default(def).Group(group, -1).Doc(doc)
	}
	flag(&o.enhanced, "enhanced.protobuf.schema.support", false, "Name schemas by the full names of messages and enums.")
	flag(&o.scrub, "scrub.invalid.names", false, "Make names valid that Protobuf does not allow.")
	flag(&o.intEnums, "int.for.enums", false, "Read enums as INT32.")
	flag(&o.optionalNulls, "optional.for.nullables", false, "Write optional fields with the label optional, and read only these as optional.")
	flag(&o.optionalProto2, "optional.for.proto2", true, "Read absent optional fields of proto2 as null.")
	flag(&o.wrapperNulls, "wrapper.for.nullables", false, "Write optional primitives as wrapper messages, and read these as optional primitives.")
	flag(&o.wrapperRaw, "wrapper.for.raw.primitives", true, "Read a wrapper message at the root as a primitive.")
	flag(&o.structForNulls, "generate.struct.for.nulls", false, "Read absent messages as structs of zero values.")
	flag(&o.unionIndex, "generate.index.for.unions", true, "Name the field of a oneof after it and its place: <oneof>_<index>.")
	flag(&o.flatten, "flatten.unions", false, "Read the members of a oneof as fields of the struct.")
	flag(&o.generalized, "generalized.sum.type.support", false, "Represent enums and unions as the other formats do.")
	flag(&o.ignoreDefaults, "ignore.default.for.nullables", false, "Write a null field as null though it has a default.")
	c.describeVoid(d, group)
}

// describeVoid declares what only Java's serializers for Java objects need.
func (c *Config) describeVoid(d *config.Def, group string) {
	const objects = "it is about Java objects that hold messages."
	const references = "schemas that are written refer to well-known types alone, which need no references."
	for i, key := range []string{"specific.protobuf.key.type", "specific.protobuf.value.type"} {
		config.String(d, &c.void.text[i], key).Default("").Ignored(objects).Group(group, -1).Doc("Part of Java's deserializers.")
	}
	config.String(d, &c.void.text[2], "reference.subject.name.strategy").Default("").Ignored(references).Group(group, -1).Doc("How subjects of references are named.")
	config.Bool(d, &c.void.flags[0], "derive.type").Default(false).Ignored(objects).Group(group, -1).Doc("Part of Java's deserializers.")
	config.Bool(d, &c.void.flags[1], "reference.lookup.only").Default(false).Ignored(references).Group(group, -1).Doc("Whether references are registered.")
	config.Bool(d, &c.void.flags[2], "skip.known.types").Default(true).Ignored(references).Group(group, -1).Doc("Whether well-known types are registered.")
}

// Plugin returns the plugin of the converter. Converters of one plugin share
// connections and caches where they have the same registry; two plugins share
// nothing.
func Plugin() connect.Plugin {
	pool := new(registry.Pool)
	return connect.ConverterOf(connect.Info{
		Class:     "ProtobufConverter",
		Version:   "1.0.0",
		Doc:       "Writes and reads Protocol Buffers, with schemas in a schema registry.",
		StandsFor: []connect.JavaClass{{Class: "io.confluent.connect.protobuf.ProtobufConverter"}},
	}, func(c Config) (*registry.Converter, error) { return registry.New(&c.Config, &format{c.options}, pool) })
}

// format is Protobuf for the registry's converter.
type format struct{ o options }

var _ registry.Format = (*format)(nil)

// Type implements registry.Format.
func (f *format) Type() string { return registry.Protobuf }

// Null implements registry.Format: null is Kafka's.
func (f *format) Null(*data.Schema) (bool, error) { return true, nil }

// drafted is what a draft keeps: the message of the schema.
type drafted struct {
	message protoreflect.MessageDescriptor
	path    []int
}

// Draft implements registry.Format.
func (f *format) Draft(s *data.Schema) (registry.Draft, error) {
	if s == nil {
		return registry.Draft{}, dataError("data without a schema cannot be written as Protobuf: give them one, or set schemas.infer=true")
	}
	text, name, path, err := f.o.protoFile(s)
	if err != nil {
		return registry.Draft{}, fmt.Errorf("no Protobuf schema for %s: %w", s, err)
	}
	d := registry.Draft{Schema: registry.Schema{Type: registry.Protobuf, Text: text}, Name: name}
	file, err := parse(registry.Resolved{Registered: registry.Registered{Schema: d.Schema}})
	if err != nil {
		return registry.Draft{}, fmt.Errorf("no Protobuf schema for %s: %w", s, err)
	}
	m, err := messageAt(file, path)
	d.Parsed = drafted{m, path}
	return d, err
}

// Encoder implements registry.Format.
func (f *format) Encoder(s *data.Schema, d registry.Draft, target *registry.Resolved, strict bool) (registry.Encoder, error) {
	to := d.Parsed.(drafted)
	if target != nil {
		file, err := parse(*target)
		if err != nil {
			return nil, err
		}
		if to.message = byName(file.Messages(), protoreflect.FullName(d.Name)); to.message == nil {
			return nil, dataError("schema %d has no message %s", target.ID, d.Name)
		}
		to.path = pathOf(to.message)
	}
	e := &rootEncoder{indexes: registry.AppendIndexes(nil, to.path)}
	p := &planner{options: &f.o, strict: strict || target == nil, made: make(map[plannedPair]*encoder)}
	var err error
	if s.Kind() == data.KindStruct {
		e.message, err = p.message(s, to.message)
	} else {
		e.wrapped, err = p.field(s, to.message.Fields().Get(0))
	}
	return e, err
}

// rootEncoder writes a message, or the wrapper of a primitive.
type rootEncoder struct {
	message *encoder
	wrapped *encodedField
	indexes []byte
}

func (e *rootEncoder) Append(dst []byte, v data.Value) ([]byte, error) {
	if e.message != nil {
		return e.message.append(dst, v, 0)
	}
	return e.wrapped.append(dst, v, 0)
}

func (e *rootEncoder) Indexes() []byte { return e.indexes }

// Decoder implements registry.Format.
func (f *format) Decoder(writer registry.Resolved, reader *registry.Resolved, indexes string) (registry.Decoder, error) {
	m, err := messageOf(writer, indexes)
	if err != nil {
		return nil, err
	}
	version := writer.Version
	if reader != nil && reader.ID != writer.ID {
		file, err := parse(*reader)
		if err != nil {
			return nil, err
		}
		same := byName(file.Messages(), m.FullName())
		if same == nil {
			return nil, dataError("schema %d has no message %s", reader.ID, m.FullName())
		}
		m, version = same, reader.Version
	}
	s, err := f.o.connectSchema(m, version)
	if err != nil {
		return nil, fmt.Errorf("schema %d: %w", writer.ID, err)
	}
	l := &layout{options: &f.o, made: make(map[laidOut]*decoder)}
	d := &rootDecoder{schema: s}
	if s.Kind() == data.KindStruct {
		d.message, err = l.message(m, s)
	} else {
		d.wrapped, err = l.value(m.Fields().Get(0), s)
	}
	return d, err
}

func messageOf(s registry.Resolved, indexes string) (protoreflect.MessageDescriptor, error) {
	file, err := parse(s)
	if err != nil {
		return nil, err
	}
	return messageAt(file, registry.Indexes(indexes))
}

type rootDecoder struct {
	schema  *data.Schema
	message *decoder
	wrapped *valueDecoder
}

func (d *rootDecoder) Schema() *data.Schema { return d.schema }

func (d *rootDecoder) Decode(b []byte) (data.Value, error) {
	if d.message != nil {
		return d.message.decodeRoot(b)
	}
	in := input{}
	return in.unwrap(d.wrapped, b)
}

// Name implements registry.Format.
func (f *format) Name(s registry.Resolved, indexes string) (string, error) {
	m, err := messageOf(s, indexes)
	if err != nil {
		return "", err
	}
	return string(m.FullName()), nil
}
