package data

// InferSchema returns the schema that Connect gives a schemaless value, nil for none: Values.inferSchema. Strings, numbers, booleans and
// bytes have theirs; a struct has its own; an ARRAY or MAP has one if it is not empty and its elements, or keys and values, are of one
// kind each, null aside, which makes the element schema optional. Null, decimals and dates have none. Containers inside of containers
// lose the schemas of their elements, as in Java.
func InferSchema(v Value) *Schema {
	switch v.Kind() {
	case KindInt8:
		return Int8Schema
	case KindInt16:
		return Int16Schema
	case KindInt32:
		return Int32Schema
	case KindInt64:
		return Int64Schema
	case KindFloat32:
		return Float32Schema
	case KindFloat64:
		return Float64Schema
	case KindBoolean:
		return BooleanSchema
	case KindString:
		return StringSchema
	case KindBytes:
		return BytesSchema
	case KindStruct:
		x, _ := v.Struct()
		return x.schema
	case KindArray:
		return inferArray(v)
	case KindMap:
		return inferMap(v)
	default:
		return nil
	}
}

// detector finds the kind that values have in common.
type detector struct {
	kind     Kind
	optional bool
}

// add reports whether there is still a common kind.
func (d *detector) add(v Value) bool {
	if v.IsNull() {
		d.optional = true
		return true
	}
	schema := InferSchema(v)
	if schema == nil || d.kind != KindNull && d.kind != schema.Kind() {
		return false
	}
	d.kind = schema.Kind()
	return true
}

// schema returns the schema of the common kind, nil if all was null.
func (d *detector) schema() *Schema {
	if d.kind == KindNull {
		return nil
	}
	b := NewBuilder(d.kind)
	if d.optional {
		b.Optional()
	}
	return b.MustBuild()
}

func inferArray(v Value) *Schema {
	elems, _ := v.Array()
	var d detector
	for i := range elems {
		if !d.add(elems[i]) {
			return nil
		}
	}
	elem := d.schema()
	if elem == nil {
		return nil
	}
	return ArrayBuilder(elem).MustBuild()
}

func inferMap(v Value) *Schema {
	pairs, _ := v.Map()
	var keys, values detector
	for i := range pairs {
		if !keys.add(pairs[i].Key) || !values.add(pairs[i].Value) {
			return nil
		}
	}
	key, value := keys.schema(), values.schema()
	if key == nil || value == nil {
		return nil
	}
	return MapBuilder(key, value).MustBuild()
}
