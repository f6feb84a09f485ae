package jsonschema

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// encoder is how values of one Connect schema become JSON, laid out once. A nil
// encoder is that of data without a schema.
type encoder struct {
	schema   *data.Schema
	equal    *data.Schema // the last schema of a struct that was found to equal it
	kind     data.Kind    // of values; of a logical type KindDecimal or KindDate
	fallback data.Value   // what null becomes; null for none
	numeric  bool         // decimals as numbers
	scale    int32
	broken   error // why nothing can be written
	fields   []encodedField
	key      *encoder
	elem     *encoder
	union    bool
}

type encodedField struct {
	key []byte // the name and the colon
	enc *encoder
}

// newEncoder lays a schema out. known holds those around, which a recursive one
// comes back to.
func (o *options) newEncoder(s *data.Schema, known map[*data.Schema]*encoder) *encoder {
	if s == nil {
		return nil
	}
	if e, ok := known[s]; ok {
		return e
	}
	e := &encoder{schema: s, kind: s.Kind(), numeric: o.decimals == numericDecimals, union: isUnion(s)}
	known[s] = e
	if !o.ignoreDefaults {
		e.fallback = s.Default()
	}
	switch s.Name() {
	case data.LogicalDecimal:
		e.kind = data.KindDecimal
		e.scale, e.broken = data.DecimalScaleOf(s)
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		e.kind = data.KindDate
	}
	e.key, e.elem = o.newEncoder(s.KeySchema(), known), o.newEncoder(s.ElemSchema(), known)
	for _, f := range s.Fields() {
		e.fields = append(e.fields, encodedField{append(javajson.AppendString(nil, f.Name), ':'), o.newEncoder(f.Schema, known)})
	}
	return e
}

// append appends a value. depth counts the containers around it. A null that is
// no value is null in the text, as in JsonSchemaData.
func (e *encoder) append(dst []byte, v data.Value, depth int) ([]byte, error) {
	if e == nil {
		return dst, dataError("a part without a schema")
	}
	if v.IsNull() {
		if e.fallback.IsNull() {
			return append(dst, "null"...), nil
		}
		v = e.fallback
	}
	if v.Kind() != e.kind || e.broken != nil {
		if e.broken != nil {
			return dst, e.broken
		}
		return dst, dataError("Invalid type for %s: found %s", e.schema, v.Kind())
	}
	switch e.kind {
	case data.KindString:
		s, _ := v.Str()
		return javajson.AppendString(dst, s), nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		n, _ := v.Int()
		return strconv.AppendInt(dst, n, 10), nil
	case data.KindFloat32, data.KindFloat64:
		if f, _ := v.Float(); f-f != 0 { // NaN or infinite, which JSON has no number for
			return append(v.Append(append(dst, '"')), '"'), nil
		}
		return v.Append(dst), nil
	case data.KindBoolean:
		b, _ := v.Bool()
		return strconv.AppendBool(dst, b), nil
	case data.KindBytes:
		b, _ := v.Bytes()
		return appendBase64(dst, b), nil
	case data.KindDecimal:
		return e.appendDecimal(dst, v)
	case data.KindDate:
		base, err := data.FromLogical(e.schema, v)
		if err != nil {
			return dst, err
		}
		n, _ := base.Int()
		return strconv.AppendInt(dst, n, 10), nil
	}
	if depth >= maxDepth {
		return dst, dataError("nested deeper than %d levels", maxDepth)
	}
	return e.appendInside(dst, v, depth)
}

func appendBase64(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

func (e *encoder) appendInside(dst []byte, v data.Value, depth int) ([]byte, error) {
	switch {
	case e.kind == data.KindArray:
		return e.appendArray(dst, v, depth)
	case e.kind == data.KindMap && stringKeys(e.schema):
		return e.appendObject(dst, v, depth)
	case e.kind == data.KindMap:
		return e.appendPairs(dst, v, depth)
	}
	x, _ := v.Struct()
	if !e.accepts(x.Schema()) {
		return dst, dataError("Mismatching schema: found a struct of %s under %s (all attributes count)", x.Schema(), e.schema)
	}
	if e.union {
		return e.appendUnion(dst, x, depth)
	}
	return e.appendStruct(dst, x, depth)
}

// accepts reports whether a struct of schema s fits.
func (e *encoder) accepts(s *data.Schema) bool {
	if s == e.schema || s == e.equal {
		return true
	}
	if !s.Equal(e.schema) {
		return false
	}
	e.equal = s
	return true
}

func (e *encoder) appendDecimal(dst []byte, v data.Value) ([]byte, error) {
	d, _ := v.Decimal()
	if e.numeric {
		return append(dst, d.String()...), nil
	}
	if d.Scale() != e.scale {
		return dst, dataError("Decimal value has mismatching scale for given Decimal schema: value has scale %d, schema has scale %d", d.Scale(), e.scale)
	}
	var room [64]byte
	return appendBase64(dst, d.AppendUnscaled(room[:0])), nil
}

// appendStruct appends an object. A required field that is null is left out, as in
// JsonSchemaData.
func (e *encoder) appendStruct(dst []byte, x *data.Struct, depth int) ([]byte, error) {
	dst = append(dst, '{')
	empty := true
	for i := range e.fields {
		f := &e.fields[i]
		v := x.Raw(i)
		if v.IsNull() && f.enc.fallback.IsNull() && !f.enc.schema.Optional() {
			continue
		}
		if !empty {
			dst = append(dst, ',')
		}
		empty = false
		var err error
		if dst, err = f.enc.append(append(dst, f.key...), v, depth+1); err != nil {
			return dst, fmt.Errorf("field %q: %w", e.schema.Fields()[i].Name, err)
		}
	}
	return append(dst, '}'), nil
}

func (e *encoder) appendUnion(dst []byte, x *data.Struct, depth int) ([]byte, error) {
	for i := range e.fields {
		if v := x.Raw(i); !v.IsNull() {
			return e.fields[i].enc.append(dst, v, depth+1)
		}
	}
	return append(dst, "null"...), nil
}

func (e *encoder) appendArray(dst []byte, v data.Value, depth int) ([]byte, error) {
	elems, _ := v.Array()
	dst = append(dst, '[')
	for i := range elems {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = e.elem.append(dst, elems[i], depth+1); err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(dst, ']'), nil
}

func (e *encoder) appendObject(dst []byte, v data.Value, depth int) ([]byte, error) {
	pairs, _ := v.Map()
	dst = append(dst, '{')
	for i := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		k := pairs[i].Key
		s, ok := k.Str()
		if !ok {
			return dst, dataError("map key %s: Invalid type for STRING: found %s", k, k.Kind())
		}
		var err error
		if dst, err = e.elem.append(append(javajson.AppendString(dst, s), ':'), pairs[i].Value, depth+1); err != nil {
			return dst, fmt.Errorf("map key %q: %w", s, err)
		}
	}
	return append(dst, '}'), nil
}

func (e *encoder) appendPairs(dst []byte, v data.Value, depth int) ([]byte, error) {
	pairs, _ := v.Map()
	dst = append(dst, '[')
	for i := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = e.key.append(append(dst, `{"key":`...), pairs[i].Key, depth+2); err == nil {
			dst, err = e.elem.append(append(dst, `,"value":`...), pairs[i].Value, depth+2)
		}
		if err != nil {
			return dst, fmt.Errorf("map entry %d: %w", i, err)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}
