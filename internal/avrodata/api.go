package avrodata

import (
	"slices"
	"strings"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/names"
)

// A Schema is an Avro schema. It is immutable.
type Schema struct{ root *schema }

// FromConnect returns the Avro schema of a Connect schema; of nil, which is schemaless data, the record Anything.
func (o *Options) FromConnect(s *data.Schema) (Schema, error) {
	a, err := o.avroSchema(s)
	return Schema{a}, err
}

// ToConnect returns the Connect schema of an Avro schema. version counts where the schema has none of its own; 0 is none.
func (o *Options) ToConnect(s Schema, version int) (*data.Schema, error) {
	return o.connectSchema(s.root, version)
}

// Text returns the JSON of the schema, as Java's Schema.toString has it. It fails if two different types have one name.
func (s Schema) Text() (string, error) { return s.root.text() }

// IsRecord reports whether the schema is that of a record.
func (s Schema) IsRecord() bool { return s.root.kind == record }

// FullName returns the name of a named type with its namespace, of another the type.
func (s Schema) FullName() string { return s.root.fullName() }

// A Parser reads the JSON of schemas. Named types that it has met are known to what follows.
type Parser struct{ p *parser }

// NewParser returns a parser that knows no named types.
func NewParser() Parser { return Parser{newParser()} }

// Parse reads one schema.
func (p Parser) Parse(source string) (Schema, error) {
	s, err := p.p.parse(source)
	return Schema{s}, err
}

// An Encoder writes values of one Connect schema as Avro of one Avro schema. It is for one goroutine at a time.
type Encoder struct{ e *encoder }

// NewEncoder lays out how values of s become Avro of a. With strict, each value of s must fit a.
func (o *Options) NewEncoder(s *data.Schema, a Schema, strict bool) (Encoder, error) {
	e, err := o.newEncoder(s, a.root, strict)
	return Encoder{e}, err
}

// Append appends a value in Avro's binary encoding.
func (e Encoder) Append(dst []byte, v data.Value) ([]byte, error) { return e.e.append(dst, v, 0) }

// AppendPayload appends a value as Confluent's serializer does: BYTES at the root go without their length.
func (e Encoder) AppendPayload(dst []byte, v data.Value) ([]byte, error) {
	return e.e.appendRoot(dst, v)
}

// A Decoder reads values of one Connect schema. It is for one goroutine at a time.
type Decoder struct{ d *decoder }

// NewDecoder lays out how what writer's schema wrote is read as reader's, and becomes a value of s.
func (o *Options) NewDecoder(writer, reader Schema, s *data.Schema) (Decoder, error) {
	d, err := o.newDecoder(writer.root, reader.root, s)
	return Decoder{d}, err
}

// DecodePayload reads a payload as Confluent's deserializer does: BYTES at the root are all of it. With whole, bytes behind
// the value are an error.
func (d Decoder) DecodePayload(b []byte, whole bool) (data.Value, error) {
	return d.d.decodeRoot(b, whole)
}

// MaxDepth is the most containers around a value.
const MaxDepth = maxDepth

// IsUnion reports whether a STRUCT stands for a union, whose fields are the branches.
func IsUnion(s *data.Schema) bool { return isUnion(s) }

// IsEnum reports whether a STRING becomes an enum.
func (o *Options) IsEnum(s *data.Schema) bool {
	return (o.Enhanced || o.Generalized) && isEnum(s)
}

// HasStringKeys reports whether a MAP becomes a map; another is an array of records with key and value.
func (o *Options) HasStringKeys(s *data.Schema) bool { return o.stringKeys(s) }

// FixedSize returns the size of the fixed that BYTES become, and whether they do.
func FixedSize(s *data.Schema) (size int, ok bool) {
	if !isFixed(s) {
		return 0, false
	}
	size, err := intParameter(s, propFixedSize)
	return size, err == nil && size >= 0 && size <= maxFixed
}

// DecimalOf returns scale and precision of the schema of decimals. Without the parameter connect.decimal.precision the
// precision is 64.
func DecimalOf(s *data.Schema) (scale, precision int, err error) { return decimalOf(s) }

// FieldName returns the name that a field of a record gets.
func (o *Options) FieldName(name string) string { return o.scrubbed(name) }

// CheckNames says which name in a schema is none that Avro allows: a letter or underscore, and after it letters, digits
// and underscores.
func CheckNames(s Schema) error { return checkNames(s.root, make(map[*schema]bool)) }

func checkNames(s *schema, seen map[*schema]bool) error {
	if s == nil || seen[s] {
		return nil
	}
	seen[s] = true
	if s.kind.named() {
		for part := range strings.SplitSeq(s.fullName(), ".") {
			if !names.Valid(part) {
				return badName("the name", s.fullName())
			}
		}
	}
	for _, symbol := range s.symbols {
		if !names.Valid(symbol) {
			return badName("the symbol", symbol)
		}
	}
	for _, f := range s.fields {
		if !names.Valid(f.name) {
			return badName("the field name", f.name)
		}
		if err := checkNames(f.schema, seen); err != nil {
			return err
		}
	}
	for _, b := range append(slices.Clone(s.branches), s.elem) {
		if err := checkNames(b, seen); err != nil {
			return err
		}
	}
	return nil
}

func badName(what, name string) error {
	return dataError("%s %q is none that Avro allows: letters, digits and underscores, no digit first", what, name)
}
