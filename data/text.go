package data

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// String returns the text of the value that Java's toString gives, which is what Connect's StringConverter writes: numbers as Java
// prints them (1.0E10), [a, b], {k=v}, Struct{a=1,b=2} without fields that are null, dates as Thu Jan 01 00:00:00 UTC 1970. Bytes, of
// which Java prints no more than an address, are Base64.
func (v Value) String() string {
	if s, ok := v.Str(); ok {
		return s
	}
	return string(v.Append(nil))
}

// Append appends the text of [Value.String].
func (v Value) Append(dst []byte) []byte {
	switch k := v.Kind(); k {
	case KindNull:
		return append(dst, "null"...)
	case KindString:
		s, _ := v.Str()
		return append(dst, s...)
	case KindBytes:
		b, _ := v.Bytes()
		return base64.StdEncoding.AppendEncode(dst, b)
	case KindArray:
		return appendArrayText(dst, v)
	case KindMap:
		return appendMapText(dst, v)
	case KindStruct:
		x, _ := v.Struct()
		return appendStructText(dst, x)
	case KindDate:
		ms, _ := v.Millis()
		t, weekday := civilTime(ms)
		dst = append(dst, weekday.String()[:3]...)
		dst = t.AppendFormat(dst, " Jan 02 15:04:05 UTC ")
		return strconv.AppendInt(dst, int64(t.Year()), 10)
	default:
		return appendScalar(dst, v)
	}
}

// appendScalar appends a number or boolean.
func appendScalar(dst []byte, v Value) []byte {
	switch v.Kind() {
	case KindBoolean:
		return strconv.AppendBool(dst, v.num != 0)
	case KindFloat32:
		return appendFloat(dst, float64(math.Float32frombits(uint32(v.num))), 32)
	case KindFloat64:
		return appendFloat(dst, math.Float64frombits(v.num), 64)
	case KindDecimal:
		d, _ := v.Decimal()
		return append(dst, d.String()...)
	default:
		return strconv.AppendInt(dst, int64(v.num), 10)
	}
}

func appendArrayText(dst []byte, v Value) []byte {
	elems, _ := v.Array()
	dst = append(dst, '[')
	for i := range elems {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = elems[i].Append(dst)
	}
	return append(dst, ']')
}

func appendMapText(dst []byte, v Value) []byte {
	pairs, _ := v.Map()
	dst = append(dst, '{')
	for i := range pairs {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(pairs[i].Key.Append(dst), '=')
		dst = pairs[i].Value.Append(dst)
	}
	return append(dst, '}')
}

func appendStructText(dst []byte, x *Struct) []byte {
	dst = append(dst, "Struct{"...)
	first := true
	for _, f := range x.schema.Fields() {
		v := x.slots[f.Index]
		if v.IsNull() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, f.Name...), '=')
		dst = v.Append(dst)
	}
	return append(dst, '}')
}

// String returns the text of Struct.toString: Struct{a=1,b=2}, without fields that are null.
func (x *Struct) String() string { return string(appendStructText(nil, x)) }

// appendFloat appends the text of Float.toString or Double.toString: at least one digit on each side of the point, and an exponent for
// what is below 10^-3 or from 10^7 on. Digits are the fewest that tell the number from its neighbours, as in Java 19 and later; earlier
// versions now and then print one more.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if bits == 32 && math.Abs(f) == 0x1p-126 {
		// Float.MIN_NORMAL is the one float with a name that versions before 19 print
		// with a digit more; recorded topics have it so.
		sign := ""
		if f < 0 {
			sign = "-"
		}
		return append(append(dst, sign...), "1.17549435E-38"...)
	}
	if abs := math.Abs(f); abs == 0 || abs >= 1e-3 && abs < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
		return withPoint(dst, start)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
	at := start + bytes.IndexByte(dst[start:], 'e')
	if !bytes.ContainsRune(dst[start:at], '.') {
		// Of numbers of one digit Java takes the nearest of two digits: 4.9E-324, not 5.0E-324.
		dst = strconv.AppendFloat(dst[:start], f, 'e', 1, bits)
		at = start + bytes.IndexByte(dst[start:], 'e')
	}
	var exponent [5]byte // such as +308
	tail := append(exponent[:0], dst[at+1:]...)
	dst = append(withPoint(dst[:at], start), 'E')
	if tail[0] == '-' {
		dst = append(dst, '-')
	}
	tail = tail[1:]
	for len(tail) > 1 && tail[0] == '0' {
		tail = tail[1:]
	}
	return append(dst, tail...)
}

// withPoint appends .0 to the number from start on if it has no point.
func withPoint(dst []byte, start int) []byte {
	if bytes.ContainsRune(dst[start:], '.') {
		return dst
	}
	return append(dst, ".0"...)
}

// maxQuoted is how much of a value from outside an error repeats.
const maxQuoted = 100

// quoteShort quotes a text for an error, cut where it is long.
func quoteShort(s string) string { return strconv.Quote(short(s)) }

// short cuts a text where it is long.
func short(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	cut := maxQuoted
	for range utf8.UTFMax - 1 { // what has no start of a rune near is no UTF-8, and cut anywhere
		if !utf8.RuneStart(s[cut]) {
			cut--
		}
	}
	return s[:cut] + "..."
}
