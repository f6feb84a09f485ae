package registry

import (
	"math"

	"github.com/streamlane/connect/data"
)

// conform puts schemaless data under the schema of the shape. fits is false where
// that has to grow first.
func (s *shape) conform(to *data.Schema, v data.Value, depth int) (out data.Value, fits bool, err error) {
	if depth > maxNesting {
		return out, false, dataError("nested deeper than %d levels", maxNesting)
	}
	switch s.kind {
	case data.KindStruct:
		return s.conformObject(to, v, depth)
	case data.KindArray:
		return s.conformArray(to, v, depth)
	case data.KindMap:
		return s.conformMap(to, v, depth)
	case data.KindDecimal:
		d, ok := v.Decimal()
		if !ok {
			return out, false, nil
		}
		if d.Scale() == s.scale {
			return v, true, nil
		}
		d, err = d.Rescale(s.scale)
		return data.DecimalOf(d), err == nil, nil
	}
	if !number(s.kind) || !number(v.Kind()) {
		return v, v.Kind() == s.kind, nil
	}
	return s.conformNumber(v)
}

func (s *shape) conformNumber(v data.Value) (data.Value, bool, error) {
	if f, ok := v.Float(); ok {
		switch s.kind {
		case data.KindFloat64:
			return data.Float64(f), true, nil
		case data.KindFloat32:
			return v, v.Kind() == data.KindFloat32, nil
		}
		return v, false, nil
	}
	n, _ := v.Int()
	switch s.kind {
	case data.KindInt8:
		return v, v.Kind() == s.kind, nil
	case data.KindInt16:
		return data.Int16(int16(n)), v.Kind() <= s.kind, nil
	case data.KindInt32:
		return data.Int32(int32(n)), v.Kind() <= s.kind, nil
	case data.KindInt64:
		return data.Int64(n), true, nil
	case data.KindFloat32:
		return data.Float32(float32(n)), v.Kind() <= data.KindInt16, nil
	}
	f := float64(n)
	if f >= math.MaxInt64 || int64(f) != n {
		return v, false, dataError("%d has no place in FLOAT64, which other numbers there made of INT64: it would be rounded", n)
	}
	return data.Float64(f), true, nil
}

// field puts the value of one field in place. A null, and an array that says
// nothing where the schema has no field, are left out.
func (s *shape) field(row *data.Struct, to *data.Schema, name string, v data.Value, depth int) (bool, error) {
	if v.IsNull() {
		return true, nil
	}
	i := to.FieldIndex(name)
	if i < 0 {
		return saysNothing(v, depth), nil
	}
	// Fields that are not known yet have no place in the schema.
	at := i
	for at < len(s.fields) && s.fields[at].name != name {
		at++
	}
	if at == len(s.fields) {
		return false, nil
	}
	out, fits, err := s.fields[at].of.conform(to.Fields()[i].Schema, v, depth+1)
	if fits && err == nil {
		row.Set(i, out)
	}
	return fits, err
}

func saysNothing(v data.Value, depth int) bool {
	elems, ok := v.Array()
	if !ok || depth > maxNesting {
		return v.IsNull()
	}
	for _, e := range elems {
		if !saysNothing(e, depth+1) {
			return false
		}
	}
	return true
}

func (s *shape) conformObject(to *data.Schema, v data.Value, depth int) (out data.Value, fits bool, err error) {
	row, err := data.NewStruct(to)
	if err != nil {
		return out, false, err
	}
	if x, ok := v.Struct(); ok {
		for i, f := range x.Schema().Fields() {
			if fits, err := s.field(row, to, f.Name, x.Raw(i), depth); !fits || err != nil {
				return out, false, err
			}
		}
		return data.StructOf(row), true, nil
	}
	pairs, ok := v.Map()
	if !ok {
		return out, false, nil
	}
	for i := range pairs {
		name, ok := pairs[i].Key.Str()
		if !ok {
			return out, false, nil
		}
		if fits, err := s.field(row, to, name, pairs[i].Value, depth); !fits || err != nil {
			return out, false, err
		}
	}
	return data.StructOf(row), true, nil
}

func (s *shape) conformArray(to *data.Schema, v data.Value, depth int) (out data.Value, fits bool, err error) {
	elems, ok := v.Array()
	if !ok {
		return out, false, nil
	}
	under := make([]data.Value, len(elems))
	for i := range elems {
		if under[i], fits, err = s.elem.part(to.ElemSchema(), elems[i], depth); !fits || err != nil {
			return out, false, err
		}
	}
	return data.ArrayOf(under...), true, nil
}

func (s *shape) conformMap(to *data.Schema, v data.Value, depth int) (out data.Value, fits bool, err error) {
	pairs, ok := v.Map()
	if !ok {
		return out, false, nil
	}
	under := make([]data.Pair, len(pairs))
	for i := range pairs {
		if under[i].Key, fits, err = s.key.part(to.KeySchema(), pairs[i].Key, depth); !fits || err != nil {
			return out, false, err
		}
		if under[i].Value, fits, err = s.elem.part(to.ElemSchema(), pairs[i].Value, depth); !fits || err != nil {
			return out, false, err
		}
	}
	return data.MapOf(under...), true, nil
}

// part puts an element, key or value under its schema.
func (s *shape) part(to *data.Schema, v data.Value, depth int) (data.Value, bool, error) {
	if v.IsNull() {
		return v, s.nulls, nil
	}
	return s.conform(to, v, depth+1)
}
