package data

// Builder builds a [Schema]: the twin of Kafka Connect's SchemaBuilder, with its rules. Optional, default, name, version and doc may be set
// once (or again to the same); a default must be a value of what is built so far; field names are unique. Its methods return the
// Builder, the first error is kept and returned by [Builder.Build]. A Builder is not safe for concurrent use.
type Builder struct {
	s           Schema
	optionalSet bool
	err         error
}

// NewBuilder starts a schema of that kind, one of [KindInt8] to [KindStruct].
func NewBuilder(k Kind) *Builder {
	b := &Builder{s: Schema{kind: k}}
	if !k.isSchemaKind() {
		b.fail(schemaError("no schema has the kind %s; allowed are INT8 to STRUCT", k))
	}
	return b
}

// StructBuilder starts a STRUCT schema.
func StructBuilder() *Builder { return NewBuilder(KindStruct) }

// ArrayBuilder starts an ARRAY schema whose elements have the schema given, which must not be nil.
func ArrayBuilder(elem *Schema) *Builder { return NewBuilder(KindArray).Elem(elem) }

// MapBuilder starts a MAP schema with the schemas given, which must not be nil.
func MapBuilder(key, value *Schema) *Builder { return NewBuilder(KindMap).Key(key).Elem(value) }

// fail keeps the first error.
func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// once fails where an attribute was set to something else before.
func (b *Builder) once(attribute string, changed bool) bool {
	if changed {
		b.fail(schemaError("Invalid SchemaBuilder call: %s has already been set.", attribute))
	}
	return !changed
}

// Optional makes null a value.
func (b *Builder) Optional() *Builder { return b.setOptional(true) }

// Required makes null no value, which is the default.
func (b *Builder) Required() *Builder { return b.setOptional(false) }

func (b *Builder) setOptional(optional bool) *Builder {
	if b.once("optional", b.optionalSet && b.s.optional != optional) {
		b.s.optional, b.optionalSet = optional, true
	}
	return b
}

// Default sets the default value. It is checked against what is built so far, so fields, name and Optional come first.
func (b *Builder) Default(v Value) *Builder {
	if b.err != nil || !b.once("default", !b.s.def.IsNull() && !Equal(b.s.def, v)) {
		return b
	}
	sofar := b.snapshot()
	sofar.def = Value{} // a struct as default has the schema without the default
	sofar.computeHash()
	if err := Validate(sofar, v, ""); err != nil {
		b.fail(&Error{Reason: ReasonSchema, Message: "Invalid default value", Err: err})
		return b
	}
	b.s.def = v
	return b
}

// Name sets the name; "" is no name.
func (b *Builder) Name(name string) *Builder {
	if b.once("name", b.s.name != "" && b.s.name != name) {
		b.s.name = name
	}
	return b
}

// Version sets the version.
func (b *Builder) Version(version int) *Builder {
	if b.once("version", b.s.hasVersion && b.s.version != version) {
		b.s.version, b.s.hasVersion = version, true
	}
	return b
}

// Doc sets the documentation; "" is none.
func (b *Builder) Doc(doc string) *Builder {
	if b.once("doc", b.s.doc != "" && b.s.doc != doc) {
		b.s.doc = doc
	}
	return b
}

// Parameter sets a parameter; one that is set already is overwritten in its place.
func (b *Builder) Parameter(key, value string) *Builder {
	for i := range b.s.params {
		if b.s.params[i].Key == key {
			b.s.params[i].Value = value
			return b
		}
	}
	b.s.params = append(b.s.params, Parameter{Key: key, Value: value})
	return b
}

// Parameters sets each of the parameters.
func (b *Builder) Parameters(params ...Parameter) *Builder {
	for _, p := range params {
		b.Parameter(p.Key, p.Value)
	}
	return b
}

// Field adds a field to a STRUCT. The name is unique and not empty, the schema not nil.
func (b *Builder) Field(name string, schema *Schema) *Builder {
	switch {
	case b.s.kind != KindStruct:
		b.fail(schemaError("Cannot create fields on type %s", b.s.kind))
	case name == "":
		b.fail(schemaError("fieldName cannot be null."))
	case schema == nil:
		b.fail(schemaError("fieldSchema for field %s cannot be null.", name))
	case b.s.FieldIndex(name) >= 0:
		b.fail(schemaError("Cannot create field because of field name duplication %s", name))
	default:
		b.s.fields = append(b.s.fields, Field{Name: name, Index: len(b.s.fields), Schema: schema})
	}
	return b
}

// Key sets the schema of a MAP's keys, which must not be nil. A MAP without it has keys of any schema.
func (b *Builder) Key(schema *Schema) *Builder {
	switch {
	case b.s.kind != KindMap:
		b.fail(schemaError("only a MAP has a key schema, not %s", b.s.kind))
	case schema == nil:
		b.fail(schemaError("keySchema cannot be null."))
	case b.once("keySchema", b.s.key != nil && b.s.key != schema):
		b.s.key = schema
	}
	return b
}

// Elem sets the schema of an ARRAY's elements or of a MAP's values, which must not be nil. A container without it has elements of any
// schema.
func (b *Builder) Elem(schema *Schema) *Builder {
	switch {
	case b.s.kind != KindArray && b.s.kind != KindMap:
		b.fail(schemaError("only an ARRAY or a MAP has a valueSchema, not %s", b.s.kind))
	case schema == nil:
		b.fail(schemaError("valueSchema cannot be null."))
	case b.once("valueSchema", b.s.elem != nil && b.s.elem != schema):
		b.s.elem = schema
	}
	return b
}

// Build returns the schema, or the first error. The Builder may be used further; schemas built before do not change.
func (b *Builder) Build() (*Schema, error) {
	if b.err != nil {
		return nil, b.err
	}
	s := b.snapshot()
	s.indexFields()
	s.computeHash()
	return s, nil
}

// MustBuild returns the schema. It panics on an error, so it is meant for schemas that are written down in a program.
func (b *Builder) MustBuild() *Schema {
	s, err := b.Build()
	if err != nil {
		panic("data: " + err.Error())
	}
	return s
}

// snapshot returns a copy that later calls of the Builder do not touch.
func (b *Builder) snapshot() *Schema {
	s := b.s
	s.params = append([]Parameter(nil), b.s.params...)
	s.fields = b.s.fields[:len(b.s.fields):len(b.s.fields)] // only ever appended to
	return &s
}
