package data

import "strconv"

// Validate reports whether v is a value of the schema, as ConnectSchema.validateValue does: null only under an optional schema, a default
// notwithstanding; a decimal or date, and nothing else, under the four logical names; else exactly the kind of the schema, no
// widening; elements, keys and values of containers likewise; a struct of an equal schema that is valid itself. Under a nil Schema
// everything is valid, but a container whose schema says nothing of its elements has no valid values. The field is named in errors;
// "" for none.
func Validate(s *Schema, v Value, field string) error { return validate(s, v, location{field: field}) }

// location says where a value stands, for errors only: building the text is put off until there is one.
type location struct {
	part  string // "element of array ", "key of map ", "value of map ", or nothing
	field string
}

func (l location) String() string {
	if l.field == "" {
		return l.part + "value"
	}
	return l.part + "field: " + strconv.Quote(l.field)
}

func validate(s *Schema, v Value, at location) error {
	if s == nil {
		return nil
	}
	if v.IsNull() {
		if s.Optional() {
			return nil
		}
		return dataError("Invalid value: null used for required %s, schema type: %s", at, s.Kind())
	}
	if !accepts(s, v.Kind()) {
		return kindError(s, v, at)
	}
	switch s.Kind() {
	case KindArray:
		return validateArray(s, v, at)
	case KindMap:
		return validateMap(s, v, at)
	case KindStruct:
		x, _ := v.Struct()
		if !x.schema.Equal(s) {
			return dataError("Struct schemas do not match for %s: found %s, allowed %s (all attributes count)", at, x.schema, s)
		}
		return x.Validate()
	}
	return nil
}

// accepts reports whether a schema takes values of the kind at all.
func accepts(s *Schema, k Kind) bool {
	switch s.Name() {
	case LogicalDecimal:
		return k == KindDecimal
	case LogicalDate, LogicalTime, LogicalTimestamp:
		return k == KindDate
	default:
		return k == s.Kind()
	}
}

func kindError(s *Schema, v Value, at location) error {
	name := ""
	if s.Name() != "" {
		name = " " + strconv.Quote(s.Name())
	}
	return dataError("Invalid object for schema%s with type %s: found %s for %s", name, s.Kind(), v.Kind(), at)
}

func validateArray(s *Schema, v Value, at location) error {
	at.part = "element of array "
	elem := s.ElemSchema()
	if elem == nil {
		return noSchema(at)
	}
	elems, _ := v.Array()
	for i := range elems {
		if err := validate(elem, elems[i], at); err != nil {
			return err
		}
	}
	return nil
}

func validateMap(s *Schema, v Value, at location) error {
	keyAt, valueAt := location{"key of map ", at.field}, location{"value of map ", at.field}
	key, value := s.KeySchema(), s.ElemSchema()
	if key == nil {
		return noSchema(keyAt)
	}
	if value == nil {
		return noSchema(valueAt)
	}
	pairs, _ := v.Map()
	for i := range pairs {
		if err := validate(key, pairs[i].Key, keyAt); err != nil {
			return err
		}
		if err := validate(value, pairs[i].Value, valueAt); err != nil {
			return err
		}
	}
	return nil
}

func noSchema(at location) error { return dataError("No schema defined for %s", at) }
