package data

import (
	"math"
	"math/big"
	"time"
	"unsafe"
)

// Value is one datum of any kind: a union of 24 bytes in the manner of [log/slog.Value]. The zero Value is null.
//
// Strings, byte slices, arrays and maps are held by pointer and length, so neither constructors nor accessors allocate; what was
// given must not be changed afterwards ([Clone] makes an independent copy). Values are not comparable with ==; use [Equal].
// A Value may be read by many goroutines at once.
type Value struct {
	_   [0]func() // forbids ==, which would compare addresses
	num uint64    // number, bits of a float, milliseconds, scale of a decimal, or length of what ref points to
	ref any       // nil: null; Kind: the value is in num; else one of the pointer types below
}

// The pointer types tell the kinds apart. All are one word, so putting one into an interface allocates nothing.
type (
	stringRef *byte
	bytesRef  *byte
	arrayRef  *Value
	mapRef    *Pair
)

// Int8 returns an INT8 value.
func Int8(n int8) Value { return Value{num: uint64(int64(n)), ref: KindInt8} }

// Int16 returns an INT16 value.
func Int16(n int16) Value { return Value{num: uint64(int64(n)), ref: KindInt16} }

// Int32 returns an INT32 value.
func Int32(n int32) Value { return Value{num: uint64(int64(n)), ref: KindInt32} }

// Int64 returns an INT64 value.
func Int64(n int64) Value { return Value{num: uint64(n), ref: KindInt64} }

// Float32 returns a FLOAT32 value.
func Float32(f float32) Value { return Value{num: uint64(math.Float32bits(f)), ref: KindFloat32} }

// Float64 returns a FLOAT64 value.
func Float64(f float64) Value { return Value{num: math.Float64bits(f), ref: KindFloat64} }

// Boolean returns a BOOLEAN value.
func Boolean(b bool) Value {
	if b {
		return Value{num: 1, ref: KindBoolean}
	}
	return Value{ref: KindBoolean}
}

// String returns a STRING value that shares the memory of s.
func String(s string) Value {
	return Value{num: uint64(len(s)), ref: stringRef(unsafe.StringData(s))}
}

// Bytes returns a BYTES value that shares the memory of b: b must not be changed afterwards. A nil slice is null; an empty slice
// that is not nil is an empty BYTES value.
func Bytes(b []byte) Value {
	if b == nil {
		return Value{}
	}
	return Value{num: uint64(len(b)), ref: bytesRef(unsafe.SliceData(b))}
}

// StructOf returns a STRUCT value. A nil Struct is null.
func StructOf(s *Struct) Value {
	if s == nil {
		return Value{}
	}
	return Value{ref: s}
}

// DecimalOf returns a decimal value: Java's BigDecimal.
func DecimalOf(d Decimal) Value {
	return Value{num: uint64(uint32(d.scale)), ref: d.unscaled}
}

// DateOf returns a date value, Java's java.util.Date: an instant in whole milliseconds. Finer parts of t are cut off, its location is
// dropped.
func DateOf(t time.Time) Value { return DateMillis(t.UnixMilli()) }

// DateMillis returns a date value from milliseconds since 1970-01-01T00:00:00Z.
func DateMillis(ms int64) Value { return Value{num: uint64(ms), ref: KindDate} }

// Kind returns the kind of the value, [KindNull] for null.
func (v Value) Kind() Kind {
	switch r := v.ref.(type) {
	case Kind:
		return r
	case stringRef:
		return KindString
	case bytesRef:
		return KindBytes
	case *Struct:
		return KindStruct
	case arrayRef:
		return KindArray
	case mapRef:
		return KindMap
	case *big.Int:
		return KindDecimal
	default:
		return KindNull
	}
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.ref == nil }

// is reports whether a value that lives in num has kind k.
func (v Value) is(k Kind) bool {
	r, ok := v.ref.(Kind)
	return ok && r == k
}

// Int returns the number of an INT8, INT16, INT32 or INT64 value.
func (v Value) Int() (int64, bool) {
	if k, ok := v.ref.(Kind); ok && k.isInteger() {
		return int64(v.num), true
	}
	return 0, false
}

// Float returns the number of a FLOAT32 or FLOAT64 value.
func (v Value) Float() (float64, bool) {
	switch k, _ := v.ref.(Kind); k {
	case KindFloat32:
		return float64(math.Float32frombits(uint32(v.num))), true
	case KindFloat64:
		return math.Float64frombits(v.num), true
	default:
		return 0, false
	}
}

// Bool returns the truth of a BOOLEAN value.
func (v Value) Bool() (b, ok bool) {
	if !v.is(KindBoolean) {
		return false, false
	}
	return v.num != 0, true
}

// Str returns the text of a STRING value. It shares the memory of the value.
func (v Value) Str() (string, bool) {
	p, ok := v.ref.(stringRef)
	if !ok {
		return "", false
	}
	return unsafe.String((*byte)(p), int(v.num)), true
}

// Bytes returns the bytes of a BYTES value. They share the memory of the value and must not be changed.
func (v Value) Bytes() ([]byte, bool) {
	p, ok := v.ref.(bytesRef)
	if !ok {
		return nil, false
	}
	return unsafe.Slice((*byte)(p), int(v.num)), true
}

// Struct returns the struct of a STRUCT value.
func (v Value) Struct() (*Struct, bool) {
	s, ok := v.ref.(*Struct)
	return s, ok
}

// Decimal returns the number of a decimal value.
func (v Value) Decimal() (Decimal, bool) {
	n, ok := v.ref.(*big.Int)
	if !ok {
		return Decimal{}, false
	}
	return Decimal{unscaled: n, scale: int32(uint32(v.num))}, true
}

// Millis returns the milliseconds since 1970-01-01T00:00:00Z of a date value.
func (v Value) Millis() (int64, bool) {
	if !v.is(KindDate) {
		return 0, false
	}
	return int64(v.num), true
}

// Time returns the instant of a date value, in UTC.
func (v Value) Time() (time.Time, bool) {
	ms, ok := v.Millis()
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}
