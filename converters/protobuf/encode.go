package protobuf

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/streamlane/connect/data"
)

// append appends the fields of a struct. depth counts the messages around it.
func (e *encoder) append(dst []byte, v data.Value, depth int) ([]byte, error) {
	x, ok := v.Struct()
	if !ok {
		return dst, dataError("Invalid type for %s: found %s", e.schema, v.Kind())
	}
	if !e.accepts(x.Schema()) {
		return dst, dataError("Mismatching struct schema: found a struct of %s under %s (all attributes count)", x.Schema(), e.schema)
	}
	if depth >= maxDepth {
		return dst, dataError("nested deeper than %d levels", maxDepth)
	}
	for _, b := range e.broken {
		if !x.Raw(b.from).IsNull() {
			return dst, b.err
		}
	}
	for i := range e.fields {
		f := &e.fields[i]
		v, err := f.find(x)
		if err == nil && !v.IsNull() {
			dst, err = f.append(dst, v, depth)
		}
		if err != nil {
			return dst, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	return dst, nil
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

// find returns the value of a field: that of a union's struct if it is the first
// that is set there.
func (f *encodedField) find(x *data.Struct) (data.Value, error) {
	v := x.Raw(f.from)
	if v.IsNull() {
		v = f.fallback
	}
	if f.member < 0 || v.IsNull() {
		return v, nil
	}
	u, ok := v.Struct()
	if !ok {
		return v, dataError("found %s where a union's struct should be", v.Kind())
	}
	for i := range u.Len() {
		if inner := u.Raw(i); !inner.IsNull() {
			if i == f.member {
				return inner, nil
			}
			return data.Value{}, nil
		}
	}
	return data.Value{}, dataError("Cannot find non-null field: no member of the union is set")
}

// append appends a field with its tag, as often as it comes.
func (f *encodedField) append(dst []byte, v data.Value, depth int) ([]byte, error) {
	switch f.shape {
	case repeated, packed:
		return f.appendList(dst, v, depth)
	case entries:
		return f.appendEntries(dst, v, depth)
	}
	start := len(dst)
	dst = append(dst, f.tag...)
	inner := len(dst)
	dst, err := f.val.append(dst, v, depth)
	if err != nil {
		return dst, err
	}
	if !f.presence && zero(dst[inner:]) {
		return dst[:start], nil // what proto3 does not write
	}
	return dst, nil
}

// zero tells whether the bytes of a scalar are those of its zero value.
func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (f *encodedField) appendList(dst []byte, v data.Value, depth int) ([]byte, error) {
	elems, ok := v.Array()
	if !ok {
		return dst, dataError("Invalid type for ARRAY: found %s", v.Kind())
	}
	if len(elems) == 0 {
		return dst, nil
	}
	at := 0
	if f.shape == packed {
		dst = append(dst, f.tag...)
		dst, at = open(dst)
	}
	for i := range elems {
		if f.shape == repeated {
			dst = append(dst, f.tag...)
		}
		if elems[i].IsNull() {
			return dst, dataError("element %d: null has no place in a repeated field", i)
		}
		var err error
		if dst, err = f.val.append(dst, elems[i], depth); err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	if f.shape == packed {
		dst = closed(dst, at)
	}
	return dst, nil
}

func (f *encodedField) appendEntries(dst []byte, v data.Value, depth int) ([]byte, error) {
	pairs, ok := v.Map()
	if !ok {
		return dst, dataError("Invalid type for MAP: found %s", v.Kind())
	}
	for i := range pairs {
		var at int
		dst, at = open(append(dst, f.tag...))
		var err error
		if k := pairs[i].Key; !k.IsNull() {
			dst, err = f.key.append(dst, k, depth+1)
		}
		if v := pairs[i].Value; err == nil && !v.IsNull() {
			dst, err = f.value.append(dst, v, depth+1)
		}
		if err != nil {
			return dst, fmt.Errorf("map entry %s: %w", pairs[i].Key, err)
		}
		dst = closed(dst, at)
	}
	return dst, nil
}

// open leaves room for the length of what follows, which closed fills in.
func open(dst []byte) ([]byte, int) { return append(dst, 0), len(dst) }

// closed writes the length at a place that open left, and makes room if it takes
// more than a byte.
func closed(dst []byte, at int) []byte {
	n := uint64(len(dst) - at - 1)
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], n)
	dst = append(dst, length[:size-1]...) // room, with whatever in it
	copy(dst[at+size:], dst[at+1:len(dst)-size+1])
	copy(dst[at:], length[:size])
	return dst
}

// append appends a value without its tag.
func (e *valueEncoder) append(dst []byte, v data.Value, depth int) ([]byte, error) {
	if v.Kind() != e.kind {
		return dst, dataError("Invalid type for %s: found %s", e.schema, v.Kind())
	}
	switch e.op {
	case asText:
		s, _ := v.Str()
		if !utf8.ValidString(s) {
			return dst, dataError("a string that is no UTF-8, which Protobuf does not allow")
		}
		return protowire.AppendString(dst, s), nil
	case asVarint, asZigZag, asFixed32, asFixed64:
		return e.appendInteger(dst, v)
	case asFloat:
		f, _ := v.Float()
		return protowire.AppendFixed32(dst, math.Float32bits(float32(f))), nil
	case asDouble:
		f, _ := v.Float()
		return protowire.AppendFixed64(dst, math.Float64bits(f)), nil
	case asBool:
		b, _ := v.Bool()
		return protowire.AppendVarint(dst, protowire.EncodeBool(b)), nil
	case asBytes:
		b, _ := v.Bytes()
		return protowire.AppendBytes(dst, b), nil
	case asEnum:
		return e.appendEnum(dst, v)
	}
	dst, at := open(dst)
	dst, err := e.appendMessage(dst, v, depth)
	if err != nil {
		return dst, err
	}
	return closed(dst, at), nil
}

func (e *valueEncoder) appendInteger(dst []byte, v data.Value) ([]byte, error) {
	n, _ := v.Int()
	if n < e.low || n > e.high {
		return dst, dataError("%d is beyond the Protobuf type: allowed are %d to %d", n, e.low, e.high)
	}
	switch e.op {
	case asVarint:
		return protowire.AppendVarint(dst, uint64(n)), nil
	case asZigZag:
		return protowire.AppendVarint(dst, protowire.EncodeZigZag(n)), nil
	case asFixed32:
		return protowire.AppendFixed32(dst, uint32(n)), nil
	}
	return protowire.AppendFixed64(dst, uint64(n)), nil
}

// unknownSymbol begins the name of a number that an enum has no name for, as Java
// makes it up.
const unknownSymbol = "UNKNOWN_ENUM_VALUE_"

func (e *valueEncoder) appendEnum(dst []byte, v data.Value) ([]byte, error) {
	if e.symbols == nil {
		n, _ := v.Int()
		return protowire.AppendVarint(dst, uint64(n)), nil
	}
	s, _ := v.Str()
	n, ok := e.symbols[s]
	if number, made := strings.CutPrefix(s, unknownSymbol+e.enum+"_"); !ok && made {
		parsed, err := strconv.ParseInt(number, 10, 32)
		n, ok = int32(parsed), err == nil
	}
	if !ok {
		return dst, dataError("%q is no symbol of the enum %s", s, e.enum)
	}
	return protowire.AppendVarint(dst, uint64(int64(n))), nil
}

func (e *valueEncoder) appendMessage(dst []byte, v data.Value, depth int) ([]byte, error) {
	switch e.op {
	case asMessage:
		return e.message.append(dst, v, depth+1)
	case asWrapper:
		return e.wrapped.append(dst, v, depth+1)
	case asDecimal:
		return appendDecimal(dst, v), nil
	}
	ms, _ := v.Millis()
	switch e.op {
	case asDate:
		return appendDate(dst, ms)
	case asTime:
		return appendTime(dst, ms)
	}
	seconds := floorDiv(ms, 1000)
	dst = appendInt(dst, 1, seconds)
	return appendInt(dst, 2, (ms-1000*seconds)*1_000_000), nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// appendInt appends an integer field, unless it is zero.
func appendInt(dst []byte, number protowire.Number, n int64) []byte {
	if n == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, number, protowire.VarintType), uint64(n))
}

// appendDecimal appends a confluent.type.Decimal. The scale is the value's own.
func appendDecimal(dst []byte, v data.Value) []byte {
	d, _ := v.Decimal()
	var room [64]byte
	dst = protowire.AppendBytes(protowire.AppendTag(dst, 1, protowire.BytesType), d.AppendUnscaled(room[:0]))
	dst = appendInt(dst, 2, int64(d.Precision()))
	return appendInt(dst, 3, int64(d.Scale()))
}

const millisPerDay = 24 * 60 * 60 * 1000

func appendDate(dst []byte, ms int64) ([]byte, error) {
	if ms%millisPerDay != 0 {
		return dst, dataError("Kafka Connect Date type should not have any time fields set to non-zero values.")
	}
	year, month, day := time.UnixMilli(ms).UTC().Date()
	if year < 1 || year > 9999 {
		return dst, dataError("the year %d has no place in a google.type.Date: allowed are 1 to 9999", year)
	}
	return appendInt(appendInt(appendInt(dst, 1, int64(year)), 2, int64(month)), 3, int64(day)), nil
}

func appendTime(dst []byte, ms int64) ([]byte, error) {
	if ms < 0 || ms > millisPerDay {
		return dst, dataError("Time values must use number of millis greater than 0 and less than 86400000, found %d", ms)
	}
	dst = appendInt(appendInt(dst, 1, ms/3_600_000), 2, ms/60_000%60)
	return appendInt(appendInt(dst, 3, ms/1000%60), 4, ms%1000*1_000_000), nil
}
