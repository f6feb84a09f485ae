package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// inferrer gives JSON values schemas of their own: each message has the schema that it shows, and messages that look alike share one. It is for one
// goroutine.
type inferrer struct {
	// named is for the schemas of Lenses' converter: structs are required and named after the MQTT topic or the field that they are in.
	named   bool
	schemas map[string]*data.Schema
	key     []byte
}

// Bounds of what is remembered: how many shapes of messages, and how long the text of one may be.
const (
	maxShapes    = 1000
	maxShapeText = 8 << 10
)

// decode reads JSON. No payload is null.
func (f *inferrer) decode(m *message) (connect.Datum, error) {
	if len(m.payload) == 0 {
		return connect.Datum{}, nil
	}
	v, err := parseJSON(m.payload)
	if err != nil {
		return connect.Datum{}, err
	}
	return f.infer(v, m.topic)
}

// infer returns a value with the schema that it shows: objects are STRUCTs in the order of the text, with optional fields; null is an optional
// STRING. Elements of an array have one schema, with the fields of all of them; whole numbers among others are FLOAT64.
func (f *inferrer) infer(v data.Value, topic string) (connect.Datum, error) {
	name := ""
	f.key = f.key[:0]
	if f.named {
		name = strings.ReplaceAll(asIs(topic), "/", "_")
		f.key = append(append(f.key, name...), 0)
	}
	f.key = appendShape(f.key, v)
	s := f.schemas[string(f.key)]
	if s == nil {
		var x shape
		err := x.see(v)
		if err == nil {
			s, err = x.schema(f.named, name)
		}
		if err != nil {
			return connect.Datum{}, err
		}
		f.remember(s)
	}
	typed, err := conform(s, v)
	return connect.Datum{Schema: s, Value: typed}, err
}

func (f *inferrer) remember(s *data.Schema) {
	if len(f.key) > maxShapeText {
		return
	}
	if f.schemas == nil || len(f.schemas) >= maxShapes {
		f.schemas = map[string]*data.Schema{}
	}
	f.schemas[string(f.key)] = s
}

// appendShape appends a text that is the same for values of the same schema.
func appendShape(b []byte, v data.Value) []byte {
	switch v.Kind() {
	case data.KindMap:
		pairs, _ := v.Map()
		b = append(b, '{')
		for _, p := range pairs {
			name, _ := p.Key.Str()
			b = append(strconv.AppendQuote(b, name), ':')
			b = appendShape(b, p.Value)
		}
		return append(b, '}')
	case data.KindArray:
		elems, _ := v.Array()
		b = append(b, '[')
		last := len(b)
		for _, e := range elems {
			start := len(b)
			if b = appendShape(b, e); slices.Equal(b[last:start], b[start:]) {
				b = b[:start] // as the one before
			} else {
				last = start
			}
		}
		return append(b, ']')
	}
	return append(b, 'a'+byte(v.Kind()))
}

// A shape is what the values that were seen have in common.
type shape struct {
	kind   data.Kind // KindNull: nothing but null was seen
	elem   *shape
	fields []namedShape
}

type namedShape struct {
	name string
	shape
}

var errMixed = errors.New("found an array with elements of different types, which has no schema")

// see takes a value in.
func (s *shape) see(v data.Value) error {
	k := v.Kind()
	switch {
	case k == data.KindNull, s.kind == data.KindFloat64 && k == data.KindInt64:
		return nil
	case s.kind == data.KindNull, s.kind == data.KindInt64 && k == data.KindFloat64:
		s.kind = k
	case s.kind != k:
		return errMixed
	}
	if elems, ok := v.Array(); ok {
		if s.elem == nil {
			s.elem = &shape{}
		}
		for _, e := range elems {
			if err := s.elem.see(e); err != nil {
				return err
			}
		}
	}
	pairs, _ := v.Map()
	return s.seeMembers(pairs)
}

func (s *shape) seeMembers(pairs []data.Pair) error {
	for i, p := range pairs {
		name, _ := p.Key.Str()
		if name == "" {
			return errors.New("found a member without a name, for which there is no field")
		}
		if i >= len(s.fields) || s.fields[i].name != name {
			if i = slices.IndexFunc(s.fields, func(f namedShape) bool { return f.name == name }); i < 0 {
				i, s.fields = len(s.fields), append(s.fields, namedShape{name: name})
			}
		}
		if err := s.fields[i].see(p.Value); err != nil {
			return err
		}
	}
	return nil
}

// schema makes an optional schema. named is as for inferrer, name that of a struct.
func (s *shape) schema(named bool, name string) (*data.Schema, error) {
	switch s.kind {
	case data.KindMap:
		b := data.StructBuilder()
		if named {
			b.Name(name)
		} else {
			b.Optional()
		}
		for i := range s.fields {
			f := &s.fields[i]
			x, err := f.schema(named, strings.ReplaceAll(f.name, "/", "_"))
			if err != nil {
				return nil, err
			}
			b.Field(f.name, x)
		}
		return b.Build()
	case data.KindArray:
		elem, err := s.elem.schema(named, name)
		if err != nil {
			return nil, err
		}
		return data.ArrayBuilder(elem).Optional().Build()
	case data.KindNull:
		return data.OptionalStringSchema, nil
	}
	return data.NewBuilder(s.kind).Optional().Build()
}

// conform makes of a value what a schema that was inferred from it wants: structs of maps, and doubles of whole numbers.
func conform(s *data.Schema, v data.Value) (data.Value, error) {
	switch v.Kind() {
	case data.KindMap:
		return conformStruct(s, v)
	case data.KindArray:
		elems, _ := v.Array()
		typed := make([]data.Value, len(elems))
		for i, e := range elems {
			var err error
			if typed[i], err = conform(s.ElemSchema(), e); err != nil {
				return data.Value{}, err
			}
		}
		return data.ArrayOf(typed...), nil
	case data.KindInt64:
		if n, _ := v.Int(); s.Kind() == data.KindFloat64 {
			return data.Float64(float64(n)), nil
		}
	}
	return v, nil
}

func conformStruct(s *data.Schema, v data.Value) (data.Value, error) {
	row, err := data.NewStruct(s)
	if err != nil {
		return data.Value{}, err
	}
	pairs, _ := v.Map()
	fields := s.Fields()
	for i, p := range pairs {
		name, _ := p.Key.Str()
		if i >= len(fields) || fields[i].Name != name {
			f, ok := s.Field(name)
			if !ok {
				return data.Value{}, fmt.Errorf("field %q is not in the schema", name)
			}
			i = f.Index
		}
		x, err := conform(fields[i].Schema, p.Value)
		if err != nil {
			return data.Value{}, err
		}
		row.Set(i, x)
	}
	return data.StructOf(row), nil
}
