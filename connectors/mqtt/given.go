package mqtt

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

// givenDecoder reads JSON under a schema, which is written as JsonConverter writes schemas. Where JsonConverter would make 0 of a text, or cut a
// number to size, the payload is not valid.
func givenDecoder(schema string) (decoder, error) {
	s, err := parseSchema(schema)
	if err != nil {
		return nil, fmt.Errorf("want a schema in the JSON of JsonConverter: %w", err)
	}
	return func(m *message) (connect.Datum, error) {
		if len(m.payload) == 0 {
			return connect.Datum{}, nil
		}
		v, err := parseJSON(m.payload)
		if err == nil {
			v, err = fit(s, v, "payload")
		}
		return connect.Datum{Schema: s, Value: v}, err
	}, nil
}

// parseSchema lets the converter read the schema, within one of an array, of which it makes an empty one.
func parseSchema(text string) (*data.Schema, error) {
	if _, err := parseJSON([]byte(text)); err != nil {
		return nil, err
	}
	c := converters.DefaultJSONConfig()
	c.SchemaContent, c.ReplaceNullWithDefault = `{"type":"array","items":`+text+`}`, false
	j, err := converters.NewJSON(c)
	if err != nil {
		if keys, _ := config.KeyErrors(err); len(keys) > 0 {
			err = keys[0].Err
		}
		return nil, err
	}
	d, err := j.Decode(context.Background(), nil, []byte("[]"))
	if err != nil || d.Schema.ElemSchema() == nil {
		return nil, errors.Join(err, errors.New("found no schema"))
	}
	return d.Schema.ElemSchema(), nil
}

// fit makes of JSON what a schema wants. at says where it is.
func fit(s *data.Schema, v data.Value, at string) (data.Value, error) {
	if v.IsNull() {
		switch {
		case !s.Default().IsNull():
			return s.Default(), nil
		case s.Optional():
			return v, nil
		}
		return v, fmt.Errorf("%s: found null or nothing, want %s", at, s.Kind())
	}
	switch s.Kind() {
	case data.KindStruct:
		return fitStruct(s, v, at)
	case data.KindArray:
		elems, ok := v.Array()
		if !ok {
			return v, misfit(s, v, at)
		}
		out := make([]data.Value, len(elems))
		for i, e := range elems {
			var err error
			if out[i], err = fit(s.ElemSchema(), e, at+"["+strconv.Itoa(i)+"]"); err != nil {
				return v, err
			}
		}
		return data.ArrayOf(out...), nil
	case data.KindMap:
		return fitMap(s, v, at)
	}
	x, err := fitPrimitive(s, v)
	if err != nil {
		return v, fmt.Errorf("%w: %w", misfit(s, v, at), err)
	}
	return x, nil
}

func misfit(s *data.Schema, v data.Value, at string) error {
	want := s.Kind().String()
	if s.Name() != "" {
		want += " (" + s.Name() + ")"
	}
	return fmt.Errorf("%s: found %s, want %s", at, v.Kind(), want)
}

func fitStruct(s *data.Schema, v data.Value, at string) (data.Value, error) {
	if v.Kind() != data.KindMap {
		return v, misfit(s, v, at)
	}
	row, err := data.NewStruct(s)
	if err != nil {
		return v, err
	}
	for _, f := range s.Fields() {
		member, _ := v.Lookup(f.Name)
		x, err := fit(f.Schema, member, at+"."+f.Name)
		if err != nil {
			return v, err
		}
		row.Set(f.Index, x)
	}
	return data.StructOf(row), nil
}

func fitMap(s *data.Schema, v data.Value, at string) (data.Value, error) {
	pairs, ok := v.Map()
	if !ok || s.KeySchema().Kind() != data.KindString {
		return v, misfit(s, v, at)
	}
	out := make([]data.Pair, len(pairs))
	for i, p := range pairs {
		name, _ := p.Key.Str()
		e, err := fit(s.ElemSchema(), p.Value, at+"."+name)
		if err != nil {
			return v, err
		}
		out[i] = data.Pair{Key: p.Key, Value: e}
	}
	return data.MapOf(out...), nil
}

var errRange = errors.New("out of range")

func fitPrimitive(s *data.Schema, v data.Value) (data.Value, error) {
	if s.Name() == data.LogicalDecimal {
		return fitDecimal(s, v)
	}
	switch s.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		x, err := fitInt(s.Kind(), v)
		if err == nil && (s.Name() == data.LogicalDate || s.Name() == data.LogicalTime || s.Name() == data.LogicalTimestamp) {
			return data.ToLogical(s, x)
		}
		return x, err
	case data.KindFloat32, data.KindFloat64:
		f, ok := v.Float()
		if n, isInt := v.Int(); isInt {
			f, ok = float64(n), true
		}
		switch {
		case !ok:
			return v, errors.New("no number")
		case s.Kind() == data.KindFloat64:
			return data.Float64(f), nil
		case math.Abs(f) > math.MaxFloat32:
			return v, errRange
		}
		return data.Float32(float32(f)), nil
	case data.KindBytes:
		text, ok := v.Str()
		if !ok {
			return v, errors.New("no text in base64")
		}
		b, err := base64.StdEncoding.DecodeString(text)
		return data.Bytes(b), err
	}
	if v.Kind() != s.Kind() {
		return v, errors.New("of another type")
	}
	return v, nil
}

// fitDecimal takes numbers, and numbers as text.
func fitDecimal(s *data.Schema, v data.Value) (data.Value, error) {
	scale, err := data.DecimalScaleOf(s)
	if err != nil {
		return v, err
	}
	d, err := data.ParseDecimal(v.String())
	if err == nil {
		d, err = d.Rescale(scale)
	}
	return data.DecimalOf(d), err
}

// fitInt takes whole numbers only, as large as the type holds.
func fitInt(k data.Kind, v data.Value) (data.Value, error) {
	n, ok := v.Int()
	if f, isFloat := v.Float(); isFloat && !ok {
		if n, ok = int64(f), f == math.Trunc(f) && math.Abs(f) < 1<<63; !ok {
			return v, errors.New("no whole number")
		}
	}
	if !ok {
		return v, errors.New("no number")
	}
	switch {
	case k == data.KindInt64:
		return data.Int64(n), nil
	case k == data.KindInt32 && n == int64(int32(n)):
		return data.Int32(int32(n)), nil
	case k == data.KindInt16 && n == int64(int16(n)):
		return data.Int16(int16(n)), nil
	case k == data.KindInt8 && n == int64(int8(n)):
		return data.Int8(int8(n)), nil
	}
	return v, errRange
}
