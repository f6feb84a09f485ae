package protobuf

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/names"
)

// The names by which ProtobufData keeps in one world what only the other has.
const (
	namespace    = "io.confluent.connect.protobuf"
	enumParam    = namespace + ".Enum"
	unionPrefix  = namespace + ".Union."
	unionName    = namespace + ".Union"
	tagParam     = namespace + ".Tag"
	typeParam    = namespace + ".Type"
	wrapperParam = namespace + ".Wrapper"
	defaultName  = "ConnectDefault"
	entrySuffix  = "Entry"
	mapKey       = "key"
	mapValue     = "value"

	generalUnion = "org.apache.kafka.connect.data.Union"
	generalEnum  = "org.apache.kafka.connect.data.Enum"

	decimalType   = "confluent.type.Decimal"
	dateType      = "google.type.Date"
	timeType      = "google.type.TimeOfDay"
	timestampType = "google.protobuf.Timestamp"
	wrapperFile   = "google/protobuf/wrappers.proto"

	precisionParam = "connect.decimal.precision"
)

// maxDepth bounds the nesting of schemas and values, both ways.
const maxDepth = 1000

// options are the keys that decide how schemas and data are mapped.
type options struct {
	enhanced       bool // enhanced.protobuf.schema.support
	scrub          bool // scrub.invalid.names
	intEnums       bool // int.for.enums
	optionalNulls  bool // optional.for.nullables
	optionalProto2 bool // optional.for.proto2
	wrapperNulls   bool // wrapper.for.nullables
	wrapperRaw     bool // wrapper.for.raw.primitives
	structForNulls bool // generate.struct.for.nulls
	unionIndex     bool // generate.index.for.unions
	flatten        bool // flatten.unions
	generalized    bool // generalized.sum.type.support
	ignoreDefaults bool // ignore.default.for.nullables
}

// enumParam returns the parameter that makes an enum of a STRING.
func (o *options) enumParam() string {
	if o.generalized {
		return generalEnum
	}
	return enumParam
}

func isUnion(s *data.Schema) bool {
	if s.Kind() != data.KindStruct {
		return false
	}
	_, general := s.Parameter(generalUnion)
	return general || strings.HasPrefix(s.Name(), unionName)
}

// enumOf returns the name of the enum that a schema stands for.
func (o *options) enumOf(s *data.Schema) (string, bool) {
	if name, ok := s.Parameter(generalEnum); ok && s.Kind() == data.KindString {
		return name, true
	}
	if k := s.Kind(); k == data.KindString || k == data.KindInt32 {
		return s.Parameter(enumParam)
	}
	return "", false
}

// isLogical tells whether a schema is one of the four logical types.
func isLogical(s *data.Schema) bool { return logicalMessage(s) != "" }

// logicalMessage returns the message that values of a logical type are.
func logicalMessage(s *data.Schema) string {
	switch s.Name() {
	case data.LogicalDecimal:
		return decimalType
	case data.LogicalDate:
		return dateType
	case data.LogicalTime:
		return timeType
	case data.LogicalTimestamp:
		return timestampType
	}
	return ""
}

// wrappers are the messages of google/protobuf/wrappers.proto, in their order.
var wrappers = []struct {
	name string
	kind data.Kind
}{
	{"DoubleValue", data.KindFloat64}, {"FloatValue", data.KindFloat32}, {"Int64Value", data.KindInt64}, {"UInt64Value", data.KindInt64},
	{"Int32Value", data.KindInt32}, {"UInt32Value", data.KindInt64}, {"BoolValue", data.KindBoolean}, {"StringValue", data.KindString}, {"BytesValue", data.KindBytes},
}

// wrappedKind returns the kind of what a wrapper holds, KindNull for what is no
// wrapper.
func wrappedKind(fullName string) data.Kind {
	short, ok := strings.CutPrefix(fullName, "google.protobuf.")
	if !ok {
		return data.KindNull
	}
	for _, w := range wrappers {
		if w.name == short {
			return w.kind
		}
	}
	return data.KindNull
}

// scrubbed makes a name that Protobuf allows of any, if wanted.
func (o *options) scrubbed(name string) string {
	if !o.scrub || validName(name) && name[0] != '_' {
		return name
	}
	return names.Scrub(name, func(r rune) bool { return !names.Digit(r) && r != '_' })
}

func validName(name string) bool { return name != "" && names.Valid(name) }

// checkName refuses what is no name of Protobuf's.
func checkName(what, name string) error {
	if validName(name) {
		return nil
	}
	return dataError("%s %q is no name that Protobuf allows: letters, digits and underscores, no digit in front; scrub.invalid.names=true makes one of it", what, name)
}

// split takes a full name apart.
func (o *options) split(full string) (space, name string) { return names.Split(full, o.scrubbed) }

// mapEntryName names the message of a map's entries after the map.
func mapEntryName(name string) string {
	if strings.Contains(name, "_") {
		var b strings.Builder
		for part := range strings.SplitSeq(name, "_") {
			if part != "" {
				b.WriteString(strings.ToUpper(part[:1]) + strings.ToLower(part[1:]))
			}
		}
		name = b.String()
	}
	return name + entrySuffix
}

// mapFieldName is the way back.
func mapFieldName(full string) string {
	dot := strings.LastIndexByte(full, '.') + 1
	short, ok := strings.CutSuffix(full[dot:], entrySuffix)
	if !ok {
		return full
	}
	var b strings.Builder
	for i, r := range short {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return full[:dot] + b.String()
}

// dataError makes the twin of a DataException.
func dataError(format string, args ...any) error {
	return &data.Error{Message: fmt.Sprintf(format, args...)}
}
