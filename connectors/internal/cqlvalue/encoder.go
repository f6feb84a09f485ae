package cqlvalue

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect/data"
)

// An Encoder turns values into the bytes of one CQL type. It may be used by many
// goroutines at once.
type Encoder struct {
	codec codec
	typ   gocql.Type
	name  string
}

// codec appends the bytes of values of one type, without their length. null
// reports that the value is null, and nothing was appended.
type codec interface {
	append(dst []byte, v data.Value, s *data.Schema) (out []byte, null bool, err error)
}

// NewEncoder returns the encoder of a type. It is an error if the type is one
// that this package does not know, inside of others as well, or if the options
// are wrong.
func NewEncoder(t gocql.TypeInfo, o Options) (*Encoder, error) {
	s, err := o.compile()
	if err != nil {
		return nil, err
	}
	c, err := s.codecOf(t)
	if err != nil {
		return nil, err
	}
	return &Encoder{codec: c, typ: t.Type(), name: typeName(t)}, nil
}

// Append appends the bytes of a value, without their length. The schema may be
// nil; it tells dates, times and timestamps apart. null reports that the value is
// null in CQL, dst is then returned as it was: null itself, and an empty text
// for a type other than a text or blob. An empty list, set or map is not null, and
// out is not nil where null is false.
//
// The error says what was found and what the type allows, and where inside of the
// value that is.
func (e *Encoder) Append(dst []byte, v data.Value, s *data.Schema) (out []byte, null bool, err error) {
	if v.IsNull() {
		return dst, true, nil
	}
	out, null, err = e.codec.append(dst, v, s)
	if err != nil {
		return dst, false, fmt.Errorf("no %s: %w", e.name, err)
	}
	if null {
		return dst, true, nil
	}
	if out == nil {
		out = []byte{} // a text of no characters, which is not null
	}
	return out, false, nil
}

// AppendUUID appends the bytes of a UUID, such as that of now(). It is an error if
// the type is neither uuid nor timeuuid, or if it is timeuuid and the UUID is not
// of version 1.
func (e *Encoder) AppendUUID(dst []byte, id gocql.UUID) ([]byte, error) {
	switch {
	case e.typ != gocql.TypeUUID && e.typ != gocql.TypeTimeUUID:
		return dst, fmt.Errorf("no %s: a UUID was found", e.name)
	case e.typ == gocql.TypeTimeUUID && id.Version() != 1:
		return dst, fmt.Errorf("no %s: a UUID of version %d was found, where version 1 is allowed", e.name, id.Version())
	}
	return append(dst, id[:]...), nil
}

// Type returns the CQL type as CQL writes it, without the word frozen, which the
// driver does not tell.
func (e *Encoder) Type() string { return e.name }

// codecOf returns the codec of a type.
func (s *settings) codecOf(t gocql.TypeInfo) (codec, error) {
	switch t := t.(type) {
	case gocql.CollectionType:
		return s.collectionCodec(t)
	case gocql.TupleTypeInfo:
		return s.tupleCodec(t)
	case tupleType:
		return s.tupleCodec(t.TupleTypeInfo)
	case gocql.UDTTypeInfo:
		return s.udtCodec(t)
	case gocql.VectorType:
		return s.vectorCodec(t)
	}
	if t == nil {
		return nil, errors.New("a column without a type was found")
	}
	switch typ := t.Type(); typ {
	case gocql.TypeAscii, gocql.TypeText, gocql.TypeVarchar:
		return textCodec{settings: s, ascii: typ == gocql.TypeAscii}, nil
	case gocql.TypeBlob:
		return blobCodec{}, nil
	case gocql.TypeBoolean:
		return booleanCodec{settings: s}, nil
	case gocql.TypeTinyInt:
		return intCodec{settings: s, size: 1}, nil
	case gocql.TypeSmallInt:
		return intCodec{settings: s, size: 2}, nil
	case gocql.TypeInt:
		return intCodec{settings: s, size: 4}, nil
	case gocql.TypeBigInt, gocql.TypeCounter:
		return intCodec{settings: s, size: 8}, nil
	case gocql.TypeVarint:
		return varintCodec{settings: s}, nil
	case gocql.TypeDecimal:
		return decimalCodec{settings: s}, nil
	case gocql.TypeFloat:
		return floatCodec{settings: s}, nil
	case gocql.TypeDouble:
		return doubleCodec{settings: s}, nil
	case gocql.TypeTimestamp:
		return timestampCodec{settings: s}, nil
	case gocql.TypeDate:
		return dateCodec{settings: s}, nil
	case gocql.TypeTime:
		return timeCodec{settings: s}, nil
	case gocql.TypeDuration:
		return durationCodec{}, nil
	case gocql.TypeUUID, gocql.TypeTimeUUID:
		return uuidCodec{settings: s, onlyTime: typ == gocql.TypeTimeUUID}, nil
	case gocql.TypeInet:
		return inetCodec{}, nil
	}
	return nil, fmt.Errorf("columns of type %s are not supported; all types of CQL are, custom ones aside", typeName(t))
}

// typeName returns a type as CQL writes it.
func typeName(t gocql.TypeInfo) string {
	names := func(types ...gocql.TypeInfo) string {
		all := make([]string, len(types))
		for i := range types {
			all[i] = typeName(types[i])
		}
		return "<" + strings.Join(all, ", ") + ">"
	}
	switch t := t.(type) {
	case gocql.CollectionType:
		if t.Type() == gocql.TypeMap {
			return "map" + names(t.Key, t.Elem)
		}
		return simpleNames[t.Type()] + names(t.Elem)
	case gocql.TupleTypeInfo:
		return "tuple" + names(t.Elems...)
	case tupleType:
		return typeName(t.TupleTypeInfo)
	case gocql.UDTTypeInfo:
		return quoteName(t.Name)
	case gocql.VectorType:
		return "vector<" + typeName(t.SubType) + ", " + strconv.Itoa(t.Dimensions) + ">"
	case nil:
		return "none"
	}
	if name, ok := simpleNames[t.Type()]; ok {
		return name
	}
	return fmt.Sprint("custom ", t) // the driver's unknown types print their class
}

var simpleNames = map[gocql.Type]string{
	gocql.TypeAscii: "ascii", gocql.TypeBigInt: "bigint", gocql.TypeBlob: "blob", gocql.TypeBoolean: "boolean", gocql.TypeCounter: "counter",
	gocql.TypeDate: "date", gocql.TypeDecimal: "decimal", gocql.TypeDouble: "double", gocql.TypeDuration: "duration", gocql.TypeFloat: "float",
	gocql.TypeInet: "inet", gocql.TypeInt: "int", gocql.TypeList: "list", gocql.TypeSet: "set", gocql.TypeSmallInt: "smallint",
	gocql.TypeText: "text", gocql.TypeTime: "time", gocql.TypeTimestamp: "timestamp", gocql.TypeTimeUUID: "timeuuid",
	gocql.TypeTinyInt: "tinyint", gocql.TypeUUID: "uuid", gocql.TypeVarchar: "text", gocql.TypeVarint: "varint",
}

// quoteName returns a name as CQL writes it: in quotes if it is not of small
// letters, digits and underscores.
func quoteName(name string) string {
	for i := range len(name) {
		if c := name[i]; !('a' <= c && c <= 'z' || c == '_' || i > 0 && isDigit(c)) {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}

// found returns the error of a value of a kind that a type does not allow.
func found(v data.Value, s *data.Schema, allowed string) error {
	return fmt.Errorf("%s was found, where %s is allowed", describe(v, s), allowed)
}

// describe returns what a value is, for errors: its kind, its logical type, and of
// texts and numbers what they say.
func describe(v data.Value, s *data.Schema) string {
	switch k := v.Kind(); k {
	case data.KindString:
		text, _ := v.Str()
		return "the text " + quoted(text)
	case data.KindDate:
		if name := s.Name(); name != "" {
			return "a value of " + name
		}
		return "a timestamp"
	case data.KindNull:
		return "null"
	case data.KindArray, data.KindMap, data.KindStruct, data.KindBytes:
		return "a value of kind " + k.String()
	default:
		return k.String() + " " + shorten(v.String())
	}
}

// quoted returns a text in quotes, shortened if it is long.
func quoted(text string) string { return strconv.Quote(shorten(text)) }

// shorten cuts a text off that is too long for an error.
func shorten(text string) string {
	const most = 100
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
