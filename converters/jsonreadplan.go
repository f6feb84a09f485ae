package converters

import (
	"bytes"
	"fmt"
	"strings"
	"unsafe"

	"github.com/streamlane/connect/converters/internal/defaults"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// readPlan is what a schema says, laid out for reading. A nil readPlan is that of
// schemaless data.
type readPlan struct {
	schema   *data.Schema
	kind     data.Kind
	logical  logical
	inStruct bool       // somewhere below a struct, which checks what it gets
	fallback data.Value // what null becomes; null for no default
	fields   []readField
	key      *readPlan
	elem     *readPlan
}

type readField struct {
	name string
	plan *readPlan
}

// schemaOf returns the schema, nil for a nil plan.
func (p *readPlan) schemaOf() *data.Schema {
	if p == nil {
		return nil
	}
	return p.schema
}

// null returns what stands for null.
func (p *readPlan) null() (data.Value, error) {
	if !p.fallback.IsNull() || p.schema.Optional() {
		return p.fallback, nil
	}
	return data.Value{}, dataError("Invalid null value for required %s field", p.kind)
}

// find returns the position of a field, -1 if there is none. Fields mostly come
// in order, so guess is tried first.
func (p *readPlan) find(name string, guess int) int {
	if guess < len(p.fields) && p.fields[guess].name == name {
		return guess
	}
	return p.schema.FieldIndex(name)
}

// planOf returns the plan of a schema in its JSON form: nil, without an error,
// for the text null. The plan comes from the cache if it is there.
func (j *jsonReader) planOf(text []byte) (*readPlan, error) {
	if p, ok := j.plans.Get(unsafe.String(unsafe.SliceData(text), len(text))); ok {
		return p, nil
	}
	s, err := j.readSchema(text)
	if err != nil {
		return nil, err
	}
	p := j.newPlan(s, false)
	if len(text) > 0 && text[0] == '{' { // what decoding.Take needs; null is as cheap to read
		j.plans.Put(string(text), p)
	}
	return p, nil
}

// newPlan lays a schema out.
func (j *jsonReader) newPlan(s *data.Schema, inStruct bool) *readPlan {
	if s == nil {
		return nil
	}
	p := &readPlan{schema: s, kind: s.Kind(), logical: logicalOf(s), inStruct: inStruct}
	if j.replace {
		p.fallback = defaults.InPlace(s)
	}
	p.key = j.newPlan(s.KeySchema(), inStruct)
	p.elem = j.newPlan(s.ElemSchema(), inStruct)
	p.fields = make([]readField, len(s.Fields()))
	for i, f := range s.Fields() {
		p.fields[i] = readField{name: f.Name, plan: j.newPlan(f.Schema, true)}
	}
	return p
}

// schemaText holds the texts of the members of a schema in its JSON form; nil
// for what is absent. Of doubled members the last counts.
type schemaText struct {
	typ, items, keys, values, fields, optional, name, version, doc, parameters, def, field []byte
}

// member returns the place of a member, nil for an unknown one.
func (t *schemaText) member(key string) *[]byte {
	switch key {
	case "type":
		return &t.typ
	case "items":
		return &t.items
	case "keys":
		return &t.keys
	case "values":
		return &t.values
	case "fields":
		return &t.fields
	case "optional":
		return &t.optional
	case "name":
		return &t.name
	case "version":
		return &t.version
	case "doc":
		return &t.doc
	case "parameters":
		return &t.parameters
	case "default":
		return &t.def
	case "field":
		return &t.field
	}
	return nil
}

// splitSchema takes a schema apart. What is no object has no members.
func splitSchema(text []byte) (t schemaText, err error) {
	d := decoding{Reader: javajson.NewReader(text)}
	kind, err := d.Next()
	if err != nil || kind != javajson.Object {
		return t, err
	}
	if err := d.Open(); err != nil {
		return t, err
	}
	for first := true; ; first = false {
		key, more, err := d.Key(first)
		if err != nil || !more {
			return t, err
		}
		raw, err := d.raw()
		if err != nil {
			return t, err
		}
		if place := t.member(key); place != nil {
			*place = raw
		}
	}
}

// isNull reports whether a member is absent or null.
func isNull(raw []byte) bool { return raw == nil || bytes.Equal(raw, []byte("null")) }

// textOf returns the text of a member and whether it is a text.
func textOf(raw []byte) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	r := javajson.NewReader(raw)
	s, err := r.String()
	return s, err == nil
}

// readSchema builds a schema from its JSON form; the text null is no schema.
func (j *jsonReader) readSchema(text []byte) (*data.Schema, error) {
	if isNull(text) {
		return nil, nil
	}
	t, err := splitSchema(text)
	if err != nil {
		return nil, err
	}
	return j.buildSchema(&t)
}

func (j *jsonReader) buildSchema(t *schemaText) (*data.Schema, error) {
	typ, ok := textOf(t.typ)
	if !ok {
		return nil, dataError("Schema must contain 'type' field")
	}
	kind, ok := kindOfJSON(typ)
	if !ok {
		return nil, dataError("Unknown schema type: %s", typ)
	}
	b := data.NewBuilder(kind)
	if err := j.addInside(b, kind, t); err != nil {
		return nil, err
	}
	if string(t.optional) == "true" {
		b.Optional()
	}
	if name, ok := textOf(t.name); ok {
		b.Name(strings.Clone(name))
	}
	if version, ok := integerOf(t.version); ok {
		b.Version(version)
	}
	if doc, ok := textOf(t.doc); ok {
		b.Doc(strings.Clone(doc))
	}
	if err := addParameters(b, t.parameters); err != nil {
		return nil, err
	}
	if isNull(t.def) {
		return b.Build()
	}
	return j.withDefault(b, t.def)
}

// addInside adds the schemas inside.
func (j *jsonReader) addInside(b *data.Builder, kind data.Kind, t *schemaText) error {
	switch kind {
	case data.KindArray:
		elem, err := j.inner(t.items, "Array schema did not specify the element type")
		if err != nil {
			return at(err, "items")
		}
		b.Elem(elem)
	case data.KindMap:
		key, err := j.inner(t.keys, "Map schema did not specify the key type")
		if err != nil {
			return at(err, "keys")
		}
		elem, err := j.inner(t.values, "Map schema did not specify the value type")
		if err != nil {
			return at(err, "values")
		}
		b.Key(key).Elem(elem)
	case data.KindStruct:
		return j.addFields(b, t.fields)
	}
	return nil
}

func (j *jsonReader) inner(text []byte, absent string) (*data.Schema, error) {
	if isNull(text) {
		return nil, dataError("%s", absent)
	}
	return j.readSchema(text)
}

// addFields adds the fields of a struct.
func (j *jsonReader) addFields(b *data.Builder, text []byte) error {
	if len(text) == 0 || text[0] != '[' {
		return dataError(`Struct schema's "fields" argument is not an array.`)
	}
	d := decoding{Reader: javajson.NewReader(text)}
	if err := d.Open(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		more, err := d.Element(n == 0)
		if err != nil || !more {
			return err
		}
		raw, err := d.raw()
		if err != nil {
			return err
		}
		t, err := splitSchema(raw)
		if err != nil {
			return err
		}
		name, ok := textOf(t.field)
		if !ok {
			return dataError("Struct schema's field name not specified properly: field %d", n)
		}
		s, err := j.buildSchema(&t)
		if err != nil {
			return at(err, "field %q", name)
		}
		b.Field(strings.Clone(name), s)
	}
}

// addParameters adds the parameters, if the member is an object.
func addParameters(b *data.Builder, text []byte) error {
	if len(text) == 0 || text[0] != '{' {
		return nil
	}
	d := decoding{Reader: javajson.NewReader(text)}
	if err := d.Open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := d.Key(first)
		if err != nil || !more {
			return err
		}
		raw, err := d.raw()
		if err != nil {
			return err
		}
		value, ok := textOf(raw)
		if !ok {
			return dataError("Schema parameters must have string values: found %s for %q", raw, key)
		}
		b.Parameter(strings.Clone(key), strings.Clone(value))
	}
}

// withDefault reads the default under what is built so far.
func (j *jsonReader) withDefault(b *data.Builder, text []byte) (*data.Schema, error) {
	sofar, err := b.Build()
	if err != nil {
		return nil, err
	}
	v, err := j.payload(text, j.newPlan(sofar, false))
	if err != nil {
		return nil, fmt.Errorf("default: %w", err)
	}
	return b.Default(data.Clone(v)).Build()
}

// integerOf returns the low 32 bits of an integral number, and whether it is
// one.
func integerOf(raw []byte) (int, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	r := javajson.NewReader(raw)
	n, err := r.Number()
	if err != nil || !n.Integral() {
		return 0, false
	}
	return int(int32(n.Int64())), true
}
