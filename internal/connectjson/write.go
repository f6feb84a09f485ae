package connectjson

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// AppendString appends s as Jackson prints a string; see
// [javajson.AppendString].
func AppendString(dst []byte, s string) []byte { return javajson.AppendString(dst, s) }

// AppendObject appends the entries as an object, in the order of a HashMap that
// holds them. It fails on values that are no primitives: offsets and partitions
// hold null, booleans, numbers, strings and bytes only (OffsetUtils in Java).
func AppendObject(dst []byte, entries []data.Entry) ([]byte, error) {
	if len(entries) > 1 {
		entries = HashOrdered(entries, func(e data.Entry) string { return e.Key })
	}
	dst = append(dst, '{')
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, e.Key), ':')
		var err error
		if dst, err = appendPrimitive(dst, e.Value); err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.Key, err)
		}
	}
	return append(dst, '}'), nil
}

func appendPrimitive(dst []byte, v data.Value) ([]byte, error) {
	switch k := v.Kind(); k {
	case data.KindNull:
		return append(dst, "null"...), nil
	case data.KindBoolean:
		b, _ := v.Bool()
		return strconv.AppendBool(dst, b), nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		n, _ := v.Int()
		return strconv.AppendInt(dst, n, 10), nil
	case data.KindFloat32, data.KindFloat64:
		f, _ := v.Float()
		return AppendFloat(dst, v, f), nil
	case data.KindString:
		s, _ := v.Str()
		return AppendString(dst, s), nil
	case data.KindBytes:
		b, _ := v.Bytes()
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, b)
		return append(dst, '"'), nil
	default:
		return nil, fmt.Errorf("value is %v, want null, BOOLEAN, a number, STRING or BYTES", k)
	}
}

// AppendFloat appends the float v, whose value is f: Java's text, in quotes if
// it is no JSON number.
func AppendFloat(dst []byte, v data.Value, f float64) []byte {
	if f-f != 0 { // NaN or infinite
		return append(append(append(dst, '"'), v.String()...), '"')
	}
	return append(dst, v.String()...)
}

// AppendStrings appends string pairs as an object in HashMap order. A nil
// pointer is null.
func AppendStrings(dst []byte, m map[string]*string) []byte {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	keys = HashOrdered(keys, func(k string) string { return k })
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, k), ':')
		if v := m[k]; v == nil {
			dst = append(dst, "null"...)
		} else {
			dst = AppendString(dst, *v)
		}
	}
	return append(dst, '}')
}

// HashOrdered returns a copy of items in the iteration order of a HashMap with
// their keys. Within a bucket Java keeps the order of insertion; here it is the
// order of the keys, so that the result depends on the set alone.
func HashOrdered[T any](items []T, key func(T) string) []T {
	capacity := uint32(16)
	for len(items) > int(capacity)/4*3 {
		capacity *= 2
	}
	bucket := func(it T) uint32 {
		h := HashCode(key(it))
		return (h ^ h>>16) & (capacity - 1)
	}
	out := slices.Clone(items)
	slices.SortStableFunc(out, func(a, b T) int {
		return cmp.Or(cmp.Compare(bucket(a), bucket(b)), cmp.Compare(key(a), key(b)))
	})
	return out
}

// HashCode is java.lang.String.hashCode: 31-based over UTF-16 units.
func HashCode(s string) uint32 {
	var h uint32
	for _, r := range s {
		if r1, r2 := utf16.EncodeRune(r); r1 != '\uFFFD' {
			h = 31*(31*h+uint32(r1)) + uint32(r2)
			continue
		}
		h = 31*h + uint32(r)
	}
	return h
}
