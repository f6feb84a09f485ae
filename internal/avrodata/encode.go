package avrodata

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/streamlane/connect/data"
)

// appendRoot appends a whole payload. BYTES at the root go without their length.
func (e *encoder) appendRoot(dst []byte, v data.Value) ([]byte, error) {
	if e.prefix == nil && !v.IsNull() {
		switch e.write {
		case asBytes:
			b, ok := v.Bytes()
			if !ok {
				return dst, e.wrongKind(v)
			}
			return append(dst, b...), nil
		case asDecimal:
			if e.size < 0 {
				var room [64]byte
				b, err := e.unscaled(room[:0], v)
				return append(dst, b...), err
			}
		}
	}
	return e.append(dst, v, 0)
}

// append appends a value. depth counts the containers around it.
func (e *encoder) append(dst []byte, v data.Value, depth int) ([]byte, error) {
	if v.IsNull() && e.schema != nil {
		if e.null != nil && (e.schema.Optional() || e.write == asUnion) {
			return append(dst, e.null...), nil
		}
		return dst, dataError("Found null value for non-optional schema %s", e.schema)
	}
	if e.schema == nil && e.write == asAnything {
		return appendAnything(append(dst, e.prefix...), v, depth)
	}
	if v.Kind() != e.kind {
		return dst, e.wrongKind(v)
	}
	dst = append(dst, e.prefix...)
	switch e.write {
	case asInteger:
		n, _ := v.Int()
		return binary.AppendVarint(dst, n), nil
	case asNarrow:
		n, _ := v.Int()
		if int64(int32(n)) != n {
			return dst, dataError("%d has more than the 32 bits of an Avro int", n)
		}
		return binary.AppendVarint(dst, n), nil
	case asText:
		s, _ := v.Str()
		return append(binary.AppendVarint(dst, int64(len(s))), s...), nil
	case asBoolean:
		b, _ := v.Bool()
		return appendBool(dst, b), nil
	case asFloat:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(number(v)))), nil
	case asDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(number(v))), nil
	}
	return e.appendOther(dst, v, depth)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// number returns a number of any kind as a double.
func number(v data.Value) float64 {
	if f, ok := v.Float(); ok {
		return f
	}
	n, _ := v.Int()
	return float64(n)
}

func (e *encoder) appendOther(dst []byte, v data.Value, depth int) ([]byte, error) {
	if depth >= maxDepth {
		return dst, dataError("nested deeper than %d levels", maxDepth)
	}
	switch e.write {
	case asBytes:
		b, _ := v.Bytes()
		return append(binary.AppendVarint(dst, int64(len(b))), b...), nil
	case asFixed:
		b, _ := v.Bytes()
		if len(b) != e.size {
			return dst, dataError("found %d bytes for a fixed of %d", len(b), e.size)
		}
		return append(dst, b...), nil
	case asEnum:
		s, _ := v.Str()
		i, ok := e.symbols[s]
		if !ok {
			return dst, dataError("%q is no symbol of the enum", s)
		}
		return binary.AppendVarint(dst, int64(i)), nil
	case asDecimal:
		return e.appendDecimal(dst, v)
	case asDate:
		base, err := data.FromLogical(e.schema, v)
		if err != nil {
			return dst, err
		}
		n, _ := base.Int()
		return binary.AppendVarint(dst, n), nil
	case asArray:
		return e.appendArray(dst, v, depth)
	case asMap, asPairs:
		return e.appendMap(dst, v, depth)
	case asUnion:
		return e.appendUnion(dst, v, depth)
	}
	return e.appendRecord(dst, v, depth)
}

func (e *encoder) wrongKind(v data.Value) error {
	return dataError("Invalid type for %s: found %s", e.schema, v.Kind())
}

// unscaled appends the unscaled value of a decimal.
func (e *encoder) unscaled(dst []byte, v data.Value) ([]byte, error) {
	d, ok := v.Decimal()
	if !ok {
		return dst, e.wrongKind(v)
	}
	if d.Scale() != e.scale {
		return dst, dataError("Decimal value has mismatching scale for given Decimal schema: value has scale %d, schema has scale %d", d.Scale(), e.scale)
	}
	return d.AppendUnscaled(dst), nil
}

func (e *encoder) appendDecimal(dst []byte, v data.Value) ([]byte, error) {
	var room [64]byte
	b, err := e.unscaled(room[:0], v)
	if err != nil {
		return dst, err
	}
	if e.size < 0 {
		return append(binary.AppendVarint(dst, int64(len(b))), b...), nil
	}
	if len(b) > e.size {
		return dst, dataError("Unscaled value byte array length %d is greater than fixed size %d", len(b), e.size)
	}
	sign := byte(0)
	if b[0] >= 0x80 {
		sign = 0xff
	}
	for range e.size - len(b) {
		dst = append(dst, sign)
	}
	return append(dst, b...), nil
}

func (e *encoder) appendArray(dst []byte, v data.Value, depth int) ([]byte, error) {
	elems, _ := v.Array()
	if len(elems) > 0 {
		dst = binary.AppendVarint(dst, int64(len(elems)))
	}
	for i := range elems {
		var err error
		if dst, err = e.elem.append(dst, elems[i], depth+1); err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(dst, 0), nil
}

func (e *encoder) appendMap(dst []byte, v data.Value, depth int) ([]byte, error) {
	pairs, _ := v.Map()
	if len(pairs) > 0 {
		dst = binary.AppendVarint(dst, int64(len(pairs)))
	}
	for i := range pairs {
		var err error
		k := pairs[i].Key
		if e.write == asPairs {
			dst, err = e.key.append(dst, k, depth+1)
		} else if s, ok := k.Str(); ok {
			dst = append(binary.AppendVarint(dst, int64(len(s))), s...)
		} else {
			err = dataError("found a key of kind %s, want STRING", k.Kind())
		}
		if err == nil {
			dst, err = e.elem.append(dst, pairs[i].Value, depth+1)
		}
		if err != nil {
			return dst, fmt.Errorf("map entry %s: %w", k, err)
		}
	}
	return append(dst, 0), nil
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

func (e *encoder) structOf(v data.Value) (*data.Struct, error) {
	x, _ := v.Struct()
	if !e.accepts(x.Schema()) {
		return nil, dataError("Mismatching struct schema: found a struct of %s under %s (all attributes count)", x.Schema(), e.schema)
	}
	return x, nil
}

func (e *encoder) appendRecord(dst []byte, v data.Value, depth int) ([]byte, error) {
	x, err := e.structOf(v)
	if err != nil {
		return dst, err
	}
	for i := range e.fields {
		f := &e.fields[i]
		if f.from < 0 {
			dst = append(dst, f.constant...)
			continue
		}
		v := x.Raw(f.from)
		if v.IsNull() {
			v = f.enc.fallback
		}
		if dst, err = f.enc.append(dst, v, depth+1); err != nil {
			return dst, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	return dst, nil
}

// appendUnion appends the field of a union's struct that is set.
func (e *encoder) appendUnion(dst []byte, v data.Value, depth int) ([]byte, error) {
	x, err := e.structOf(v)
	if err != nil {
		return dst, err
	}
	for i, m := range e.members {
		if inner := x.Raw(i); !inner.IsNull() {
			return m.append(dst, inner, depth+1)
		}
	}
	if e.null == nil {
		return dst, dataError("no field of the union's struct is set, and the union has no null")
	}
	return append(dst, e.null...), nil
}

// The places of the fields of Anything.
const (
	anyBoolean = iota
	anyBytes
	anyDouble
	anyFloat
	anyInt
	anyLong
	anyText
	anyArray
	anyMap
	anyFields
)

// appendAnything appends schemaless data: a record with the one field set that
// suits.
func appendAnything(dst []byte, v data.Value, depth int) ([]byte, error) {
	if depth >= maxDepth {
		return dst, dataError("nested deeper than %d levels", maxDepth)
	}
	at, ok := anyPlace(v.Kind())
	if !ok {
		return dst, dataError("Unknown type for schemaless data: %s", v.Kind())
	}
	for i := range anyFields {
		if i != at {
			dst = append(dst, 0)
			continue
		}
		var err error
		if dst, err = appendAnyField(append(dst, 2), v, depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// anyPlace returns the place of the field for a kind; -1 for null, which sets none.
func anyPlace(k data.Kind) (at int, ok bool) {
	switch k {
	case data.KindNull:
		return -1, true
	case data.KindBoolean:
		return anyBoolean, true
	case data.KindBytes:
		return anyBytes, true
	case data.KindFloat64:
		return anyDouble, true
	case data.KindFloat32:
		return anyFloat, true
	case data.KindInt8, data.KindInt16, data.KindInt32:
		return anyInt, true
	case data.KindInt64:
		return anyLong, true
	case data.KindString:
		return anyText, true
	case data.KindArray:
		return anyArray, true
	case data.KindMap:
		return anyMap, true
	}
	return 0, false
}

func appendAnyField(dst []byte, v data.Value, depth int) ([]byte, error) {
	switch v.Kind() {
	case data.KindBoolean:
		b, _ := v.Bool()
		return appendBool(dst, b), nil
	case data.KindBytes:
		b, _ := v.Bytes()
		return append(binary.AppendVarint(dst, int64(len(b))), b...), nil
	case data.KindFloat32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(number(v)))), nil
	case data.KindFloat64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(number(v))), nil
	case data.KindString:
		s, _ := v.Str()
		return append(binary.AppendVarint(dst, int64(len(s))), s...), nil
	case data.KindArray:
		elems, _ := v.Array()
		if len(elems) > 0 {
			dst = binary.AppendVarint(dst, int64(len(elems)))
		}
		for i := range elems {
			var err error
			if dst, err = appendAnything(dst, elems[i], depth+1); err != nil {
				return dst, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return append(dst, 0), nil
	case data.KindMap:
		pairs, _ := v.Map()
		if len(pairs) > 0 {
			dst = binary.AppendVarint(dst, int64(len(pairs)))
		}
		for i := range pairs {
			var err error
			if dst, err = appendAnything(dst, pairs[i].Key, depth+1); err == nil {
				dst, err = appendAnything(dst, pairs[i].Value, depth+1)
			}
			if err != nil {
				return dst, fmt.Errorf("map entry %s: %w", pairs[i].Key, err)
			}
		}
		return append(dst, 0), nil
	}
	n, _ := v.Int()
	return binary.AppendVarint(dst, n), nil
}
