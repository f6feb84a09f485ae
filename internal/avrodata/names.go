package avrodata

import (
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/names"
)

// The names by which AvroData keeps in one world what only the other has.
const (
	namespace         = "io.confluent.connect.avro"
	defaultName       = "ConnectDefault"
	defaultFullName   = namespace + "." + defaultName
	mapEntry          = "MapEntry"
	mapKey            = "key"
	mapValue          = "value"
	anything          = namespace + ".Anything"
	unionName         = namespace + ".Union"
	enumParam         = namespace + ".Enum"
	recordDocParam    = namespace + ".record.doc"
	fieldDocParam     = namespace + ".field.doc."
	enumDocParam      = namespace + ".enum.doc."
	enumDefaultParam  = namespace + ".enum.default."
	fieldDefaultParam = namespace + ".field.default"

	generalUnion      = "org.apache.kafka.connect.data.Union"
	generalEnum       = "org.apache.kafka.connect.data.Enum"
	generalUnionName  = "connect_union_"
	generalUnionField = "connect_union_field_"

	propName         = "connect.name"
	propDoc          = "connect.doc"
	propRecordDoc    = "connect.record.doc"
	propEnumDoc      = "connect.enum.doc"
	propVersion      = "connect.version"
	propDefault      = "connect.default"
	propParameters   = "connect.parameters"
	propInternalType = "connect.internal.type"
	propType         = "connect.type"
	propFixedSize    = "connect.fixed.size"
	propPrecision    = "connect.decimal.precision"
	avroPrefix       = "avro"

	defaultPrecision = 64
)

// Options are the keys of AvroDataConfig that decide how schemas are mapped. The zero Options are not those of absent
// keys, which have MetaData and Flatten.
type Options struct {
	Enhanced       bool // enhanced.avro.schema.support
	MetaData       bool // connect.meta.data
	Scrub          bool // scrub.invalid.names
	Generalized    bool // generalized.sum.type.support
	IgnoreDefaults bool // ignore.default.for.nullables
	Flatten        bool // flatten.singleton.unions
	OptionalKeys   bool // allow.optional.map.keys
	Discard        bool // discard.type.doc.default
}

// enumParam returns the parameter that makes an enum of a STRING.
func (o *Options) enumParam() string {
	if o.Generalized {
		return generalEnum
	}
	return enumParam
}

func isEnum(s *data.Schema) bool {
	if s.Kind() != data.KindString {
		return false
	}
	_, general := s.Parameter(generalEnum)
	_, ours := s.Parameter(enumParam)
	return general || ours
}

// isUnion tells whether a STRUCT stands for a union.
func isUnion(s *data.Schema) bool {
	if s.Kind() != data.KindStruct {
		return false
	}
	if s.Name() == unionName {
		return true
	}
	_, ok := s.Parameter(generalUnion)
	return ok
}

// isFixed tells whether BYTES stand for a fixed.
func isFixed(s *data.Schema) bool {
	if s.Kind() != data.KindBytes || s.Name() == "" {
		return false
	}
	_, ok := s.Parameter(propFixedSize)
	return ok
}

// stringKeys tells whether a MAP is one of Avro's.
func (o *Options) stringKeys(s *data.Schema) bool {
	k := s.KeySchema()
	return k.Kind() == data.KindString && (!k.Optional() || o.OptionalKeys)
}

// split takes a full name apart, scrubbed if wanted.
func (o *Options) split(full string) (space, name string) { return names.Split(full, o.scrubbed) }

func (o *Options) scrubbedFull(full string) string {
	space, name := o.split(full)
	if space == "" {
		return name
	}
	return space + "." + name
}

// scrubbed makes a name that Avro allows of any, if wanted.
func (o *Options) scrubbed(name string) string {
	if !o.Scrub || names.Valid(name) {
		return name
	}
	return names.Scrub(name, func(r rune) bool { return !names.Digit(r) })
}

// unionField names the field of a union's struct that stands for a branch.
func (o *Options) unionField(b *schema, at int) string {
	switch {
	case o.Generalized:
		return generalUnionField + itoa(at)
	case !b.kind.named():
		return b.kind.String()
	case o.Enhanced:
		return b.fullName()
	}
	_, name := o.split(b.name)
	return name
}
