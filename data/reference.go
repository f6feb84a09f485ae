package data

import "sync/atomic"

// Reference makes recursive schemas: it hands out STRUCT schemas that stand for one which does not exist yet. Build the struct with
// them inside, then bind it:
//
//	node := data.NewReference()
//	schema, err := data.StructBuilder().Name("Node").Field("next", node.Optional()).Build()
//	if err == nil {
//		err = node.Bind(schema)
//	}
//
// A late-bound schema equals the one it is bound to (but for being optional). Until it is bound it has a kind, and nothing else.
type Reference struct {
	bound              atomic.Pointer[Schema]
	required, optional Schema
}

// NewReference returns a reference that is not bound.
func NewReference() *Reference {
	r := new(Reference)
	r.required = Schema{kind: KindStruct, ref: r}
	r.optional = Schema{kind: KindStruct, optional: true, ref: r}
	return r
}

// Required returns the late-bound schema that null is no value of. It is the same pointer at each call.
func (r *Reference) Required() *Schema { return &r.required }

// Optional returns the late-bound schema that null is a value of. It is the same pointer at each call.
func (r *Reference) Optional() *Schema { return &r.optional }

// Bind says what the reference stands for: a STRUCT schema, once.
func (r *Reference) Bind(s *Schema) error {
	if s.Kind() != KindStruct || s.ref != nil {
		return schemaError("a reference binds to a STRUCT schema that was built, not to %s", s)
	}
	if !r.bound.CompareAndSwap(nil, s) {
		return schemaError("the reference is bound to %s already", r.bound.Load())
	}
	return nil
}
