package data

import "strings"

// Project reads a value of the source schema as one of the target schema: Kafka Connect's SchemaProjector. Numbers may widen along
// INT8, INT16, INT32, INT64, FLOAT32, FLOAT64; kinds must agree otherwise, names and parameters always; version and doc do not count.
// Where the source is optional and the target is not, the target's default stands in for null and must exist. Structs go field by field:
// fields unknown to the target are dropped, fields unknown to the source become null if optional, else the default, else an error of
// [ReasonProjection].
func Project(source *Schema, v Value, target *Schema) (Value, error) {
	if source == nil && target == nil {
		return v, nil
	}
	if err := projectable(source, target); err != nil {
		return Value{}, err
	}
	if source.Optional() && !target.Optional() && target.Default().IsNull() {
		return Value{}, projectionError("Writer schema is optional, however, target schema does not provide a default value.")
	}
	if v.IsNull() {
		if source.Optional() && !target.Optional() {
			return target.Default(), nil
		}
		return Value{}, nil
	}
	switch target.Kind() {
	case KindStruct:
		return projectStruct(source, v, target)
	case KindArray:
		return projectArray(source, v, target)
	case KindMap:
		return projectMap(source, v, target)
	default:
		return promote(v, target.Kind()), nil
	}
}

func projectable(source, target *Schema) error {
	if from, to := source.Kind(), target.Kind(); from != to && (!from.isNumber() || !to.isNumber() || from > to) {
		return projectionError("Schema type mismatch. source type: %s and target type: %s", from, to)
	}
	if source.Name() != target.Name() {
		return projectionError("Schema name mismatch. source name: %s and target name: %s", orNull(source.Name()), orNull(target.Name()))
	}
	if !equalParameters(source.Parameters(), target) {
		return projectionError("Schema parameters not equal. source parameters: %s and target parameters: %s",
			parametersText(source), parametersText(target))
	}
	return nil
}

func orNull(name string) string {
	if name == "" {
		return "null"
	}
	return name
}

// parametersText returns parameters as Java prints the map.
func parametersText(s *Schema) string {
	if len(s.Parameters()) == 0 {
		return "null"
	}
	parts := make([]string, len(s.Parameters()))
	for i, p := range s.Parameters() {
		parts[i] = p.Key + "=" + p.Value
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func projectStruct(source *Schema, v Value, target *Schema) (Value, error) {
	from, ok := v.Struct()
	if !ok {
		return Value{}, mismatch(v, source)
	}
	to, err := NewStruct(target)
	if err != nil {
		return Value{}, err
	}
	for _, f := range target.Fields() {
		sf, ok := source.Field(f.Name)
		var field Value
		switch {
		case ok:
			have, _ := from.Get(f.Name)
			if field, err = Project(sf.Schema, have, f.Schema); err != nil {
				return Value{}, &Error{Reason: ReasonProjection, Message: "Error projecting " + f.Name, Err: err}
			}
		case f.Schema.Optional():
			continue
		case f.Schema.Default().IsNull():
			return Value{}, projectionError("Required field `%s` is missing from source schema: %s", f.Name, source)
		default:
			field = f.Schema.Default()
		}
		if err := to.Put(f.Name, field); err != nil {
			return Value{}, err
		}
	}
	return StructOf(to), nil
}

func projectArray(source *Schema, v Value, target *Schema) (Value, error) {
	from, ok := v.Array()
	if !ok {
		return Value{}, mismatch(v, source)
	}
	to := make([]Value, len(from))
	for i := range from {
		var err error
		if to[i], err = Project(source.ElemSchema(), from[i], target.ElemSchema()); err != nil {
			return Value{}, err
		}
	}
	return ArrayOf(to...), nil
}

func projectMap(source *Schema, v Value, target *Schema) (Value, error) {
	from, ok := v.Map()
	if !ok {
		return Value{}, mismatch(v, source)
	}
	to := make([]Pair, len(from))
	for i := range from {
		var err error
		if to[i].Key, err = Project(source.KeySchema(), from[i].Key, target.KeySchema()); err != nil {
			return Value{}, err
		}
		if to[i].Value, err = Project(source.ElemSchema(), from[i].Value, target.ElemSchema()); err != nil {
			return Value{}, err
		}
	}
	return MapOf(to...), nil
}

// mismatch says that a value is none of its own schema.
func mismatch(v Value, source *Schema) error {
	return projectionError("the value is no value of its source schema %s: found %s", source, v.Kind())
}

// promote widens a number. Whatever is no number, a date under a numeric schema for one, stays as it is.
func promote(v Value, to Kind) Value {
	n, isInt := v.Int()
	f, isFloat := v.Float()
	if v.Kind() == to || !isInt && !isFloat {
		return v
	}
	switch to {
	case KindInt8:
		return Int8(int8(n))
	case KindInt16:
		return Int16(int16(n))
	case KindInt32:
		return Int32(int32(n))
	case KindInt64:
		return Int64(n)
	case KindFloat32:
		if isInt {
			return Float32(float32(n))
		}
		return Float32(float32(f))
	case KindFloat64:
		if isInt {
			return Float64(float64(n))
		}
		return Float64(f)
	default:
		return v
	}
}
