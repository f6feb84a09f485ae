package transforms

import (
	"encoding/base64"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// appendJSON appends a value as JSON, as the JsonConverter without schemas does by default: bytes are Base64, decimals their unscaled
// bytes in Base64, dates numbers, maps whose keys are not all text arrays of pairs. Under a schema its logical types count; s may be nil.
func appendJSON(dst []byte, s *data.Schema, v data.Value, depth int) ([]byte, error) {
	if depth > javajson.MaxDepth {
		return dst, dataError("nested deeper than %d levels", javajson.MaxDepth)
	}
	if v.IsNull() && s != nil {
		v = s.Default()
	}
	switch k := v.Kind(); k {
	case data.KindNull:
		return append(dst, "null"...), nil
	case data.KindString:
		text, _ := v.Str()
		return javajson.AppendString(dst, text), nil
	case data.KindBytes:
		b, _ := v.Bytes()
		return appendBase64(dst, b), nil
	case data.KindDecimal:
		d, _ := v.Decimal()
		if s == nil {
			return append(dst, d.String()...), nil
		}
		return appendBase64(dst, d.AppendUnscaled(nil)), nil
	case data.KindDate:
		return appendJSONDate(dst, s, v)
	case data.KindFloat32, data.KindFloat64:
		if f, _ := v.Float(); f-f != 0 { // NaN or infinite, which JSON has no number for
			return append(v.Append(append(dst, '"')), '"'), nil
		}
		return v.Append(dst), nil
	case data.KindStruct:
		return appendJSONStruct(dst, v, depth)
	case data.KindArray:
		return appendJSONArray(dst, s, v, depth)
	case data.KindMap:
		return appendJSONMap(dst, s, v, depth)
	}
	return v.Append(dst), nil
}

func appendBase64(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

// appendJSONDate appends days or milliseconds.
func appendJSONDate(dst []byte, s *data.Schema, v data.Value) ([]byte, error) {
	if s == nil {
		ms, _ := v.Millis()
		return data.Int64(ms).Append(dst), nil
	}
	n, err := data.FromLogical(s, v)
	if err != nil {
		return dst, err
	}
	return n.Append(dst), nil
}

func appendJSONStruct(dst []byte, v data.Value, depth int) ([]byte, error) {
	row, _ := v.Struct()
	dst = append(dst, '{')
	for i, f := range row.Schema().Fields() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(javajson.AppendString(dst, f.Name), ':')
		var err error
		if dst, err = appendJSON(dst, f.Schema, row.Raw(i), depth+1); err != nil {
			return dst, inField(f.Name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendJSONArray(dst []byte, s *data.Schema, v data.Value, depth int) ([]byte, error) {
	elems, _ := v.Array()
	dst = append(dst, '[')
	for i := range elems {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendJSON(dst, s.ElemSchema(), elems[i], depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendJSONMap(dst []byte, s *data.Schema, v data.Value, depth int) ([]byte, error) {
	pairs, _ := v.Map()
	between := []byte("{:}")
	for i := range pairs {
		if pairs[i].Key.Kind() != data.KindString {
			between = []byte("[,]")
		}
	}
	asPairs := between[0] == '['
	dst = append(dst, between[0])
	for i := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		if asPairs {
			dst = append(dst, '[')
		}
		var err error
		if dst, err = appendJSON(dst, s.KeySchema(), pairs[i].Key, depth+1); err == nil {
			dst, err = appendJSON(append(dst, between[1]), s.ElemSchema(), pairs[i].Value, depth+1)
		}
		if err != nil {
			return dst, err
		}
		if asPairs {
			dst = append(dst, ']')
		}
	}
	return append(dst, between[2]), nil
}
