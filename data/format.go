package data

import (
	"encoding/base64"
	"time"
)

// Format returns the text of a value in Connect's notation, which [Parse] reads: Values.convertToString, and what SimpleHeaderConverter
// writes. A STRING on top level is itself; inside of containers it is in double quotes, its backslashes and quotes escaped. Bytes are
// Base64; containers have no blanks; a struct is like a map, defaults filled in. A date up to the first day of 1970 is a time, a whole day
// a date, else a timestamp, in UTC. Null is null.
func Format(v Value) string {
	if s, ok := v.Str(); ok {
		return s
	}
	return string(AppendFormat(nil, v))
}

// AppendFormat appends the text of [Format].
func AppendFormat(dst []byte, v Value) []byte {
	if s, ok := v.Str(); ok {
		return append(dst, s...)
	}
	if b, ok := v.Bytes(); ok {
		return base64.StdEncoding.AppendEncode(dst, b)
	}
	return appendEmbedded(dst, v)
}

// appendEmbedded appends a value as it looks inside of a container.
func appendEmbedded(dst []byte, v Value) []byte {
	switch v.Kind() {
	case KindNull:
		return append(dst, "null"...)
	case KindString:
		s, _ := v.Str()
		return appendQuoted(dst, s)
	case KindBytes:
		b, _ := v.Bytes()
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
	case KindArray:
		elems, _ := v.Array()
		dst = append(dst, '[')
		for i := range elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendEmbedded(dst, elems[i])
		}
		return append(dst, ']')
	case KindMap:
		pairs, _ := v.Map()
		dst = append(dst, '{')
		for i := range pairs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendEmbedded(dst, pairs[i].Key), ':')
			dst = appendEmbedded(dst, pairs[i].Value)
		}
		return append(dst, '}')
	case KindStruct:
		x, _ := v.Struct()
		return appendFields(dst, x)
	case KindDate:
		ms, _ := v.Millis()
		return appendDate(dst, ms)
	default:
		return appendScalar(dst, v)
	}
}

func appendFields(dst []byte, x *Struct) []byte {
	dst = append(dst, '{')
	for i, f := range x.schema.Fields() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, f.Name), ':')
		dst = appendEmbedded(dst, x.At(i))
	}
	return append(dst, '}')
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}

func appendDate(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	switch {
	case ms < millisPerDay:
		return t.AppendFormat(dst, timeLayout)
	case ms%millisPerDay == 0:
		return t.AppendFormat(dst, dateLayout)
	default:
		return t.AppendFormat(dst, timestampLayout)
	}
}
