package converters

import (
	"fmt"
	"strconv"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// logical tells the logical types apart that JSON knows.
type logical uint8

const (
	notLogical logical = iota
	logicalDecimal
	logicalDate
	logicalTime
	logicalTimestamp
)

// logicalOf goes by the name alone, as Java does: an INT64 may be a Date.
func logicalOf(s *data.Schema) logical {
	switch s.Name() {
	case data.LogicalDecimal:
		return logicalDecimal
	case data.LogicalDate:
		return logicalDate
	case data.LogicalTime:
		return logicalTime
	case data.LogicalTimestamp:
		return logicalTimestamp
	}
	return notLogical
}

// writePlan is what a schema says, laid out for writing.
type writePlan struct {
	schema   *data.Schema
	kind     data.Kind
	logical  logical
	fallback data.Value
	fields   []writeField
	key      *writePlan
	elem     *writePlan

	envelope []byte       // {"schema":...,"payload": once it was needed
	equal    *data.Schema // the last schema that was found to equal the plan's
	open     bool         // its schema is being written
}

// writeField is one field of a struct.
type writeField struct {
	key  []byte // the comma, if any, the name and the colon
	plan *writePlan
}

// accepts reports whether a struct of schema s fits.
func (p *writePlan) accepts(s *data.Schema) bool {
	if s == p.schema || s == p.equal {
		return true
	}
	if !s.Equal(p.schema) {
		return false
	}
	p.equal = s
	return true
}

// planOf returns the plan of a schema, from the cache if it is there.
func (w *jsonWriter) planOf(s *data.Schema) *writePlan {
	if p, ok := w.plans.Get(s); ok {
		return p
	}
	p, ok := w.byHash[s.Hash()]
	if !ok || !s.Equal(p.schema) {
		p = newWritePlan(s, make(map[*data.Schema]*writePlan))
		if len(w.byHash) >= w.plans.Max() {
			clear(w.byHash)
		}
		w.byHash[s.Hash()] = p
	}
	w.plans.Put(s, p)
	return p
}

// newWritePlan lays a schema out. known holds the plans of the schemas around,
// which a recursive one comes back to.
func newWritePlan(s *data.Schema, known map[*data.Schema]*writePlan) *writePlan {
	if s == nil {
		return nil
	}
	if p, ok := known[s]; ok {
		return p
	}
	p := &writePlan{schema: s, kind: s.Kind(), logical: logicalOf(s), fallback: s.Default()}
	known[s] = p
	p.key = newWritePlan(s.KeySchema(), known)
	p.elem = newWritePlan(s.ElemSchema(), known)
	p.fields = make([]writeField, len(s.Fields()))
	for i, f := range s.Fields() {
		var key []byte
		if i > 0 {
			key = append(key, ',')
		}
		key = append(javajson.AppendString(key, f.Name), ':')
		p.fields[i] = writeField{key: key, plan: newWritePlan(f.Schema, known)}
	}
	return p
}

// appendSchema appends the JSON form of a schema, that of a field with its name.
func (w *jsonWriter) appendSchema(dst []byte, p *writePlan, field string, depth int) ([]byte, error) {
	if p == nil {
		return append(dst, "null"...), nil
	}
	if p.open {
		return dst, dataError("a recursive schema has no JSON form: found %s inside of itself", p.schema)
	}
	if err := checkDepth(depth); err != nil {
		return dst, err
	}
	p.open = true
	defer func() { p.open = false }()
	dst = append(append(append(dst, `{"type":"`...), jsonType(p.kind)...), '"')
	dst, err := w.appendInside(dst, p, depth+1)
	if err != nil {
		return dst, err
	}
	if dst, err = w.appendAttributes(dst, p, depth+1); err != nil {
		return dst, err
	}
	if field != "" {
		dst = javajson.AppendString(append(dst, `,"field":`...), field)
	}
	return append(dst, '}'), nil
}

// appendInside appends the schemas inside.
func (w *jsonWriter) appendInside(dst []byte, p *writePlan, depth int) ([]byte, error) {
	var err error
	switch p.kind {
	case data.KindArray:
		return w.appendSchema(append(dst, `,"items":`...), p.elem, "", depth)
	case data.KindMap:
		if dst, err = w.appendSchema(append(dst, `,"keys":`...), p.key, "", depth); err != nil {
			return dst, err
		}
		return w.appendSchema(append(dst, `,"values":`...), p.elem, "", depth)
	case data.KindStruct:
		dst = append(dst, `,"fields":[`...)
		for i, f := range p.schema.Fields() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = w.appendSchema(dst, p.fields[i].plan, f.Name, depth+1); err != nil {
				return dst, fmt.Errorf("field %q: %w", f.Name, err)
			}
		}
		return append(dst, ']'), nil
	}
	return dst, nil
}

// appendAttributes appends the rest, in Java's order.
func (w *jsonWriter) appendAttributes(dst []byte, p *writePlan, depth int) ([]byte, error) {
	s := p.schema
	dst = strconv.AppendBool(append(dst, `,"optional":`...), s.Optional())
	if s.Name() != "" {
		dst = javajson.AppendString(append(dst, `,"name":`...), s.Name())
	}
	if version, ok := s.Version(); ok {
		dst = strconv.AppendInt(append(dst, `,"version":`...), int64(version), 10)
	}
	if s.Doc() != "" {
		dst = javajson.AppendString(append(dst, `,"doc":`...), s.Doc())
	}
	for i, param := range s.Parameters() {
		if i == 0 {
			dst = append(dst, `,"parameters":{`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(javajson.AppendString(dst, param.Key), ':')
		dst = javajson.AppendString(dst, param.Value)
	}
	if len(s.Parameters()) > 0 {
		dst = append(dst, '}')
	}
	if s.Default().IsNull() {
		return dst, nil
	}
	dst, err := w.appendValue(append(dst, `,"default":`...), p, s.Default(), depth)
	if err != nil {
		return dst, fmt.Errorf("default: %w", err)
	}
	return dst, nil
}

// jsonType returns the name of a kind in the JSON form of a schema.
func jsonType(k data.Kind) string {
	switch k {
	case data.KindInt8:
		return "int8"
	case data.KindInt16:
		return "int16"
	case data.KindInt32:
		return "int32"
	case data.KindInt64:
		return "int64"
	case data.KindFloat32:
		return "float"
	case data.KindFloat64:
		return "double"
	case data.KindBoolean:
		return "boolean"
	case data.KindString:
		return "string"
	case data.KindBytes:
		return "bytes"
	case data.KindArray:
		return "array"
	case data.KindMap:
		return "map"
	}
	return "struct"
}

// kindOfJSON is the way back. The case counts.
func kindOfJSON(name string) (data.Kind, bool) {
	for k := data.KindInt8; k <= data.KindStruct; k++ {
		if jsonType(k) == name {
			return k, true
		}
	}
	return data.KindNull, false
}
