package http

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/data"
)

// A shape is what was seen of a value's type. It only grows. The zero shape has seen nothing but null.
type shape struct {
	kind   data.Kind
	elem   *shape
	fields []*field
	index  map[string]*field

	schema *data.Schema // of now; nil: to be built
}

// maxFields bounds the fields of an inferred schema: objects whose members are data (dates, ids) would have it grow for ever.
const maxFields = 10_000

var errFields = fmt.Errorf("more than %d fields were seen, so members seem to be data: use value.form=schemaless, string or given", maxFields)

type field struct {
	name string
	shape
}

// see takes a value in and reports whether the shape has changed. Numbers of more than 64 bits are text. left is how many fields may come yet;
// below 0: one too many was there.
func (s *shape) see(v data.Value, left *int) bool {
	k := v.Kind()
	if k == data.KindDecimal {
		k = data.KindString
	}
	changed := false
	switch {
	case k == data.KindNull || s.kind == data.KindString:
		return false
	case s.kind == data.KindNull:
		s.kind, changed = k, true
	case s.kind == k:
	case s.kind == data.KindInt64 && k == data.KindFloat64:
		s.kind, changed = k, true
	case s.kind == data.KindFloat64 && k == data.KindInt64:
	default:
		*s = shape{kind: data.KindString} // what has no common type is text
		return true
	}
	switch s.kind {
	case data.KindArray:
		elems, _ := v.Array()
		if s.elem == nil {
			s.elem = new(shape)
		}
		for _, e := range elems {
			changed = s.elem.see(e, left) || changed
		}
	case data.KindMap:
		pairs, _ := v.Map()
		for _, p := range pairs {
			changed = s.member(p, left) || changed
		}
	}
	if changed {
		s.schema = nil
	}
	return changed
}

func (s *shape) member(p data.Pair, left *int) bool {
	name, _ := p.Key.Str()
	f := s.index[name]
	if f == nil {
		if s.index == nil {
			s.index = map[string]*field{}
		}
		if name == "" {
			return false // conform says so
		}
		if *left--; *left < 0 {
			return false
		}
		f = &field{name: name}
		s.index[name] = f
		s.fields = append(s.fields, f)
		f.see(p.Value, left)
		return true
	}
	return f.see(p.Value, left)
}

// build returns the schema, optional all over. What was null only is an optional string.
func (s *shape) build() (*data.Schema, error) {
	if s.schema != nil {
		return s.schema, nil
	}
	b := data.NewBuilder(data.KindString)
	switch s.kind {
	case data.KindNull, data.KindString:
	case data.KindArray:
		elem, err := s.elem.build()
		if err != nil {
			return nil, err
		}
		b = data.ArrayBuilder(elem)
	case data.KindMap:
		b = data.StructBuilder()
		for _, f := range s.fields {
			schema, err := f.build()
			if err != nil {
				return nil, err
			}
			b.Field(f.name, schema)
		}
	default:
		b = data.NewBuilder(s.kind)
	}
	var err error
	s.schema, err = b.Optional().Build()
	return s.schema, err
}

// A conformer makes of values what schemas want: structs of maps, numbers of text. Members without a field are an error, unless it is lenient.
type conformer struct{ lenient bool }

func (c conformer) value(s *data.Schema, v data.Value, at string) (data.Value, error) {
	if v.IsNull() {
		return v, nil // Validate says whether it may be
	}
	switch s.Kind() {
	case data.KindStruct:
		pairs, ok := v.Map()
		if !ok {
			return v, fmt.Errorf("%s: found %s, want an object", at, v.Kind())
		}
		x, err := data.NewStruct(s)
		if err != nil {
			return v, err
		}
		for _, p := range pairs {
			name, _ := p.Key.Str()
			f, known := s.Field(name)
			if !known {
				if c.lenient {
					continue
				}
				return v, fmt.Errorf("%s: the member %q can be no field; use value.form=schemaless or string", at, name)
			}
			fv, err := c.value(f.Schema, p.Value, at+"/"+name)
			if err != nil {
				return v, err
			}
			x.Set(f.Index, fv)
		}
		return data.StructOf(x), nil
	case data.KindArray:
		elems, ok := v.Array()
		if !ok {
			return v, fmt.Errorf("%s: found %s, want a list", at, v.Kind())
		}
		out := make([]data.Value, len(elems))
		for i := range elems {
			var err error
			if out[i], err = c.value(s.ElemSchema(), elems[i], at+"/"+strconv.Itoa(i)); err != nil {
				return v, err
			}
		}
		return data.ArrayOf(out...), nil
	case data.KindMap:
		return c.mapping(s, v, at)
	}
	return primitive(s, v, at)
}

func (c conformer) mapping(s *data.Schema, v data.Value, at string) (data.Value, error) {
	pairs, ok := v.Map()
	if !ok {
		return v, fmt.Errorf("%s: found %s, want an object", at, v.Kind())
	}
	out := make([]data.Pair, len(pairs))
	for i, p := range pairs {
		name, _ := p.Key.Str()
		e, err := c.value(s.ElemSchema(), p.Value, at+"/"+name)
		if err != nil {
			return v, err
		}
		out[i] = data.Pair{Key: p.Key, Value: e}
	}
	return data.MapOf(out...), nil
}

func primitive(s *data.Schema, v data.Value, at string) (data.Value, error) {
	if v.Kind() == s.Kind() && s.Name() == "" {
		return v, nil
	}
	if s.Kind() == data.KindString {
		return data.String(string(appendJSON(nil, v))), nil
	}
	if text, ok := v.Str(); ok && text == "" && s.Optional() {
		return data.Value{}, nil // an empty field of CSV
	}
	switch s.Name() {
	case data.LogicalTimestamp, data.LogicalDate, data.LogicalTime:
		if t, ok := dateOf(s.Name(), v); ok {
			return data.DateOf(t), nil
		}
		return v, fmt.Errorf("%s: found %s, want a time for %s", at, v, s.Name())
	}
	if text, ok := v.Str(); ok && s.Kind() == data.KindBytes {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return v, fmt.Errorf("%s: found %.40q, want bytes in base64", at, text)
		}
		return data.Bytes(b), nil
	}
	if s.Kind() >= data.KindInt8 && s.Kind() <= data.KindInt64 {
		return whole(s, v, at)
	}
	converted, err := data.Convert(nil, v, s)
	if err != nil {
		return v, fmt.Errorf("%s: %w", at, err)
	}
	return converted, nil
}

// dateOf reads what a logical type of time holds: a time, a date (or days since 1970), a time of day (or milliseconds since midnight).
func dateOf(logical string, v data.Value) (time.Time, bool) {
	n, isWhole := v.Int()
	text, _ := v.Str()
	switch {
	case logical == data.LogicalDate && isWhole && n > -1e5 && n < 1e5:
		return time.Unix(n*86400, 0).UTC(), true
	case logical == data.LogicalTime && isWhole && n >= 0 && n < 86_400_000:
		return time.UnixMilli(n).UTC(), true
	case logical == data.LogicalTime:
		t, err := time.Parse("15:04:05.999999999", text)
		return t.AddDate(1970, 0, 0), err == nil
	}
	t, ok := timeOf(v)
	if logical == data.LogicalDate {
		t = t.UTC().Truncate(24 * time.Hour)
	}
	return t, ok
}

// whole makes whole numbers, which data.Convert would cut to size.
func whole(s *data.Schema, v data.Value, at string) (data.Value, error) {
	n, ok := v.Int()
	if text, isText := v.Str(); isText {
		parsed, err := strconv.ParseInt(text, 10, 64)
		n, ok = parsed, err == nil
	} else if f, isFloat := v.Float(); isFloat && v.Kind() == data.KindFloat64 {
		n, ok = int64(f), f == float64(int64(f))
	}
	bits := map[data.Kind]int{data.KindInt8: 8, data.KindInt16: 16, data.KindInt32: 32, data.KindInt64: 64}[s.Kind()]
	if !ok || n>>(bits-1) != 0 && n>>(bits-1) != -1 {
		return v, fmt.Errorf("%s: found %v, want a whole number of %d bits", at, v, bits)
	}
	switch bits {
	case 8:
		return data.Int8(int8(n)), nil
	case 16:
		return data.Int16(int16(n)), nil
	case 32:
		return data.Int32(int32(n)), nil
	}
	return data.Int64(n), nil
}

// jsonSchema is a schema in the JSON of JsonConverter.
type jsonSchema struct {
	Type     string       `json:"type"`
	Optional bool         `json:"optional"`
	Name     string       `json:"name"`
	Version  int          `json:"version"`
	Field    string       `json:"field"`
	Doc      string       `json:"doc"`
	Fields   []jsonSchema `json:"fields"`
	Items    *jsonSchema  `json:"items"`
	Keys     *jsonSchema  `json:"keys"`
	Values   *jsonSchema  `json:"values"`
}

var kinds = map[string]data.Kind{"int8": data.KindInt8, "int16": data.KindInt16, "int32": data.KindInt32, "int64": data.KindInt64,
	"float": data.KindFloat32, "double": data.KindFloat64, "boolean": data.KindBoolean, "string": data.KindString, "bytes": data.KindBytes}

func parseSchema(text string) (*data.Schema, error) {
	var j jsonSchema
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, fmt.Errorf("want a schema as JsonConverter writes it: %w", err)
	}
	if d.More() {
		return nil, errors.New("want one schema as JsonConverter writes it; there is text behind it")
	}
	return j.build()
}

func (j *jsonSchema) build() (*data.Schema, error) {
	var b *data.Builder
	switch j.Type {
	case "struct":
		b = data.StructBuilder()
		for i := range j.Fields {
			s, err := j.Fields[i].build()
			if err != nil {
				return nil, fmt.Errorf("field %q: %w", j.Fields[i].Field, err)
			}
			b.Field(j.Fields[i].Field, s)
		}
	case "array", "map":
		of := j.Items
		if j.Type == "map" {
			of = j.Values
		}
		if of == nil {
			return nil, fmt.Errorf("a schema of type %s lacks the schema of what is in it", j.Type)
		}
		elem, err := of.build()
		if err != nil {
			return nil, err
		}
		if b = data.ArrayBuilder(elem); j.Type == "map" {
			b = data.MapBuilder(data.StringSchema, elem)
		}
	default:
		k, ok := kinds[j.Type]
		if !ok {
			return nil, fmt.Errorf("type %q, want struct, array, map, string, bytes, boolean, int8, int16, int32, int64, float or double", j.Type)
		}
		b = data.NewBuilder(k)
	}
	if j.Optional {
		b.Optional()
	}
	if j.Name == data.LogicalDecimal {
		return nil, errors.New("decimals have no schema here; use string or double")
	}
	if j.Version != 0 {
		b.Version(j.Version)
	}
	if j.Name != "" {
		b.Name(j.Name)
	}
	return b.Doc(j.Doc).Build()
}
