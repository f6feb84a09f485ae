package data

import "sort"

// Schema describes values: the twin of Kafka Connect's ConnectSchema. It is immutable and safe for concurrent use. A nil *Schema
// stands for schemaless data; all methods may be called on it and return zero values.
//
// Schemas come from a [Builder], from the predefined variables such as [Int32Schema], or from a [Reference] for recursive ones. Converters
// return the same *Schema for the same schema bytes, so positions and encodings may be cached by pointer.
type Schema struct {
	kind       Kind
	optional   bool
	hasVersion bool
	version    int
	name       string
	doc        string
	def        Value
	params     []Parameter
	fields     []Field
	byName     []int32    // positions of the fields in the order of their names; nil for few fields
	key        *Schema    // of a MAP
	elem       *Schema    // of an ARRAY's elements or a MAP's values
	hash       uint64     // of all but optional
	ref        *Reference // set in late-bound schemas only, which take all but optional from its target
}

// Field is a named place in a STRUCT schema.
type Field struct {
	Name   string
	Index  int // position in the struct, from 0
	Schema *Schema
}

// Parameter is one of the named texts that a schema carries, such as the scale of a decimal.
type Parameter struct{ Key, Value string }

// linearFields is the number of fields up to which a linear search by name beats a binary one.
const linearFields = 8

// target returns the schema that holds the attributes: s itself unless it is late-bound. It is nil for nil and for what is not bound yet.
func (s *Schema) target() *Schema {
	if s == nil || s.ref == nil {
		return s
	}
	return s.ref.bound.Load()
}

// Kind returns the kind of values described, [KindNull] for a nil Schema. A late-bound schema knows it before it is bound.
func (s *Schema) Kind() Kind {
	if s == nil {
		return KindNull
	}
	return s.kind
}

// Optional reports whether null is a value. A nil Schema is optional.
func (s *Schema) Optional() bool { return s == nil || s.optional }

// Default returns the default value, null for none.
func (s *Schema) Default() Value {
	if t := s.target(); t != nil {
		return t.def
	}
	return Value{}
}

// Name returns the name, which tells logical types apart and names structs; "" for none.
func (s *Schema) Name() string {
	if t := s.target(); t != nil {
		return t.name
	}
	return ""
}

// Version returns the version and whether there is one.
func (s *Schema) Version() (int, bool) {
	if t := s.target(); t != nil {
		return t.version, t.hasVersion
	}
	return 0, false
}

// Doc returns the documentation, "" for none.
func (s *Schema) Doc() string {
	if t := s.target(); t != nil {
		return t.doc
	}
	return ""
}

// Parameters returns the parameters in the order in which they were set. The slice must not be changed.
func (s *Schema) Parameters() []Parameter {
	if t := s.target(); t != nil {
		return t.params
	}
	return nil
}

// Parameter returns one parameter and whether it is set.
func (s *Schema) Parameter(key string) (string, bool) {
	for _, p := range s.Parameters() {
		if p.Key == key {
			return p.Value, true
		}
	}
	return "", false
}

// Fields returns the fields of a STRUCT schema in their order, nil for other kinds. The slice must not be changed.
func (s *Schema) Fields() []Field {
	if t := s.target(); t != nil {
		return t.fields
	}
	return nil
}

// Field returns the field of that name and whether there is one.
func (s *Schema) Field(name string) (Field, bool) {
	i := s.FieldIndex(name)
	if i < 0 {
		return Field{}, false
	}
	return s.target().fields[i], true
}

// FieldIndex returns the position of the field of that name, -1 where there is none. Whoever reads many structs of one schema looks
// positions up once and uses [Struct.At] and [Struct.Set].
func (s *Schema) FieldIndex(name string) int {
	t := s.target()
	if t == nil {
		return -1
	}
	if t.byName == nil {
		for i := range t.fields {
			if t.fields[i].Name == name {
				return i
			}
		}
		return -1
	}
	n := sort.Search(len(t.byName), func(i int) bool { return t.fields[t.byName[i]].Name >= name })
	if n < len(t.byName) && t.fields[t.byName[n]].Name == name {
		return int(t.byName[n])
	}
	return -1
}

// KeySchema returns the schema of a MAP's keys. It is nil for other kinds, and for the maps that [Parse] makes of keys without a common
// schema.
func (s *Schema) KeySchema() *Schema {
	if t := s.target(); t != nil {
		return t.key
	}
	return nil
}

// ElemSchema returns the schema of an ARRAY's elements or of a MAP's values (Kafka Connect's valueSchema). It is nil for other kinds, and
// for the containers that [Parse] makes of elements without a common schema.
func (s *Schema) ElemSchema() *Schema {
	if t := s.target(); t != nil {
		return t.elem
	}
	return nil
}

// String returns the text of ConnectSchema.toString: Schema{INT32}, or Schema{name:STRUCT}.
func (s *Schema) String() string {
	if s == nil {
		return "null"
	}
	if name := s.Name(); name != "" {
		return "Schema{" + name + ":" + s.Kind().String() + "}"
	}
	return "Schema{" + s.Kind().String() + "}"
}

// indexFields builds the index by name where there are enough fields to need one.
func (s *Schema) indexFields() {
	if len(s.fields) <= linearFields {
		return
	}
	s.byName = make([]int32, len(s.fields))
	for i := range s.byName {
		s.byName[i] = int32(i)
	}
	sort.Slice(s.byName, func(i, j int) bool { return s.fields[s.byName[i]].Name < s.fields[s.byName[j]].Name })
}
