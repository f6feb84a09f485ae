package transforms

import (
	"math"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsonvalue"
)

// parseJSON reads one JSON value as schemaless data, with Jackson's leniencies: objects are maps in the order of the text, integers INT64,
// larger ones decimals, other numbers FLOAT64. Of two members of one name the last counts.
func parseJSON(text string) (data.Value, error) {
	r := javajson.NewReader([]byte(text))
	return jsonvalue.Read(&r, jsonvalue.Number)
}

// A jsonTyper gives parsed JSON a schema, and brings it under that.
type jsonTyper struct {
	nullsAsBytes bool // a null has the schema of optional bytes; without it a null has none, and its field is left out
}

var errNoJSONSchema = dataError("an array in the JSON text has no schema: it is empty, of null, or of values of different types")

// schema infers the schema of a value; nil for none. name is that of a struct, and leads the names of those within.
func (t *jsonTyper) schema(name string, v data.Value) (*data.Schema, error) {
	switch v.Kind() {
	case data.KindString:
		return data.OptionalStringSchema, nil
	case data.KindBoolean:
		return data.OptionalBooleanSchema, nil
	case data.KindInt64:
		if n, _ := v.Int(); n >= math.MinInt32 && n <= math.MaxInt32 {
			return data.OptionalInt32Schema, nil
		}
		return data.OptionalInt64Schema, nil
	case data.KindFloat64:
		return data.OptionalFloat64Schema, nil
	case data.KindArray:
		return t.arraySchema(name, v)
	case data.KindMap:
		return t.structSchema(name, v)
	case data.KindNull:
		if t.nullsAsBytes {
			return data.OptionalBytesSchema, nil
		}
		return nil, nil
	}
	return nil, dataError("a number in the JSON text has more than 64 bits")
}

func (t *jsonTyper) structSchema(name string, v data.Value) (*data.Schema, error) {
	pairs, _ := v.Map()
	b := data.StructBuilder().Name(name).Optional()
	for _, p := range pairs {
		key, _ := p.Key.Str()
		inner := key
		if name != "" {
			inner = name + "." + key
		}
		s, err := t.schema(inner, p.Value)
		if err != nil {
			return nil, err
		}
		if s != nil {
			b.Field(key, s)
		}
	}
	return b.Build()
}

// arraySchema returns nil for an empty array.
func (t *jsonTyper) arraySchema(name string, v data.Value) (*data.Schema, error) {
	elems, _ := v.Array()
	if len(elems) == 0 {
		return nil, nil
	}
	var elem *data.Schema
	for _, e := range elems {
		if e.IsNull() {
			continue
		}
		key := ""
		if e.Kind() == data.KindMap {
			key = name
		}
		s, err := t.schema(key, e)
		switch {
		case err != nil:
			return nil, err
		case s == nil:
			return nil, errNoJSONSchema
		case elem == nil:
			elem = s
		case s.Kind() == data.KindStruct && elem.Kind() == data.KindStruct:
			if elem, err = mergeStructs(elem, s); err != nil {
				return nil, err
			}
		case !elem.Equal(s):
			return nil, errNoJSONSchema
		}
	}
	if elem == nil {
		if !t.nullsAsBytes {
			return nil, errNoJSONSchema
		}
		elem = data.OptionalBytesSchema
	}
	return data.ArrayBuilder(elem).Optional().Build()
}

// mergeStructs has the fields of both. Of two schemas for a field the first counts, unless it is that of a null.
func mergeStructs(a, b *data.Schema) (*data.Schema, error) {
	if a.Equal(b) {
		return a, nil
	}
	merged := data.StructBuilder().Name(a.Name())
	for _, f := range a.Fields() {
		s := f.Schema
		if other, ok := b.Field(f.Name); ok && s.Kind() == data.KindBytes && other.Schema.Kind() != data.KindBytes {
			s = other.Schema
		}
		merged.Field(f.Name, s)
	}
	for _, f := range b.Fields() {
		if a.FieldIndex(f.Name) < 0 {
			merged.Field(f.Name, f.Schema)
		}
	}
	return merged.Build()
}

// value brings parsed JSON under a schema that schema has made.
func (t *jsonTyper) value(s *data.Schema, v data.Value) (data.Value, error) {
	switch {
	case v.IsNull():
		return v, nil
	case s.Kind() == data.KindStruct && v.Kind() == data.KindMap:
		row, err := data.NewStruct(s)
		if err != nil {
			return data.Value{}, err
		}
		for _, f := range s.Fields() {
			member, _ := v.Lookup(f.Name)
			if member, err = t.value(f.Schema, member); err != nil {
				return data.Value{}, err
			}
			row.Set(f.Index, member)
		}
		return data.StructOf(row), nil
	case s.Kind() == data.KindArray && v.Kind() == data.KindArray:
		elems, _ := v.Array()
		out := make([]data.Value, len(elems))
		for i, e := range elems {
			var err error
			if out[i], err = t.value(s.ElemSchema(), e); err != nil {
				return data.Value{}, err
			}
		}
		return data.ArrayOf(out...), nil
	case s.Kind() == data.KindInt32 && v.Kind() == data.KindInt64:
		n, _ := v.Int()
		return data.Int32(int32(n)), nil
	}
	return v, data.Validate(s, v, "")
}
