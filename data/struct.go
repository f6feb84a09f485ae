package data

// Struct is a row of values under a STRUCT schema: the twin of Kafka Connect's Struct, null where nothing was set. It may be read by many
// goroutines at once; once it sits in a record it is not changed any more.
type Struct struct {
	schema *Schema
	slots  []Value
}

// NewStruct returns a struct with nothing set. The schema must be a STRUCT, and bound if it is late-bound.
func NewStruct(s *Schema) (*Struct, error) {
	if s.Kind() != KindStruct || s.target() == nil {
		return nil, dataError("Not a struct schema: %s", s)
	}
	return &Struct{schema: s, slots: make([]Value, len(s.Fields()))}, nil
}

// slab is the most rows that share one allocation of slots, and so the most that a row which is kept keeps alive.
const slab = 64

// NewStructs returns n structs with nothing set, for the rows of a batch: it allocates once for the structs and once for the slots
// of each 64 of them. It returns nil if the schema is not a STRUCT or n is not positive.
func NewStructs(s *Schema, n int) []Struct {
	if s.Kind() != KindStruct || s.target() == nil || n <= 0 {
		return nil
	}
	rows := make([]Struct, n)
	width := len(s.Fields())
	for done := 0; done < n; done += slab {
		count := min(slab, n-done)
		slots := make([]Value, count*width)
		for i := range count {
			rows[done+i] = Struct{schema: s, slots: slots[i*width : (i+1)*width : (i+1)*width]}
		}
	}
	return rows
}

// Schema returns the schema.
func (x *Struct) Schema() *Schema { return x.schema }

// Len returns the number of fields.
func (x *Struct) Len() int { return len(x.slots) }

// At returns the value of field i, or the default of its schema where that is null: Java's get. It panics if there is no such field, as
// indexing a slice does.
func (x *Struct) At(i int) Value {
	if v := x.slots[i]; !v.IsNull() {
		return v
	}
	return x.schema.target().fields[i].Schema.Default()
}

// Raw returns the value of field i as it was set: Java's getWithoutDefault. It panics if there is no such field.
func (x *Struct) Raw(i int) Value { return x.slots[i] }

// Get returns the value of a field, or the default of its schema where that is null. It reports false if there is no such field.
func (x *Struct) Get(name string) (Value, bool) {
	i := x.schema.FieldIndex(name)
	if i < 0 {
		return Value{}, false
	}
	return x.At(i), true
}

// GetTyped returns the value of a field as it was set, without default, if the schema of the field has the kind given: Java's getInt8
// to getStruct. The error says whether the field is missing or of another kind.
func (x *Struct) GetTyped(name string, k Kind) (Value, error) {
	f, ok := x.schema.Field(name)
	if !ok {
		return Value{}, dataError("%s is not a valid field name", name)
	}
	if f.Schema.Kind() != k {
		return Value{}, dataError("Field '%s' is not of type %s", name, k)
	}
	return x.slots[f.Index], nil
}

// Put sets a field after validating the value against its schema; null for a required field fails even where there is a default, as in
// Java.
func (x *Struct) Put(name string, v Value) error {
	f, ok := x.schema.Field(name)
	if !ok {
		return dataError("%s is not a valid field name", name)
	}
	if err := Validate(f.Schema, v, name); err != nil {
		return err
	}
	x.slots[f.Index] = v
	return nil
}

// Set sets field i without validating: for converters and connectors whose code fits the schema by construction. It panics if there is
// no such field.
func (x *Struct) Set(i int, v Value) { x.slots[i] = v }

// With returns a copy of the struct in which field i has another value. Other values are shared. It panics if there is no such field.
func (x *Struct) With(i int, v Value) *Struct {
	c := &Struct{schema: x.schema, slots: append([]Value(nil), x.slots...)}
	c.slots[i] = v
	return c
}

// Validate checks each field against its schema. Null passes if the field is optional or has a default.
func (x *Struct) Validate() error {
	for _, f := range x.schema.Fields() {
		v := x.slots[f.Index]
		if v.IsNull() && (f.Schema.Optional() || !f.Schema.Default().IsNull()) {
			continue
		}
		if err := Validate(f.Schema, v, f.Name); err != nil {
			return err
		}
	}
	return nil
}
