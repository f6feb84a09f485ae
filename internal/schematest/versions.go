package schematest

import (
	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// Versions says what data look like when they come back from the one subject that
// a suite writes to: the registry's version stands in where a schema has none.
type Versions struct {
	known []*data.Schema
	// ForgetsOptional is for formats that do not give the version to a schema that is
	// optional at the root.
	ForgetsOptional bool
}

// Reset begins a new round, at another subject.
func (v *Versions) Reset() { v.known = nil }

// Of returns the version that the registry gives a schema, nil for none.
func (v *Versions) Of(s *data.Schema) int {
	for i, known := range v.known {
		if known.Equal(s) {
			return i + 1
		}
	}
	v.known = append(v.known, s)
	return len(v.known)
}

// Back returns the datum as it comes back.
func (v *Versions) Back(d connect.Datum) connect.Datum {
	version := v.Of(d.Schema)
	if _, ok := d.Schema.Version(); ok || d.Schema == nil || v.ForgetsOptional && d.Schema.Optional() {
		return d
	}
	d.Schema = With(d.Schema, func(b *data.Builder) { b.Version(version) })
	return connect.Datum{Schema: d.Schema, Value: Under(d.Schema, d.Value)}
}

// With returns a schema with further attributes.
func With(s *data.Schema, add func(*data.Builder)) *data.Schema {
	b := data.NewBuilder(s.Kind()).Name(s.Name()).Doc(s.Doc()).Parameters(s.Parameters()...)
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if s.Optional() {
		b.Optional()
	}
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if s.KeySchema() != nil {
		b.Key(s.KeySchema())
	}
	if s.ElemSchema() != nil {
		b.Elem(s.ElemSchema())
	}
	add(b)
	if !s.Default().IsNull() {
		b.Default(s.Default())
	}
	return b.MustBuild()
}

// Under returns a value, a struct under another schema.
func Under(s *data.Schema, v data.Value) data.Value {
	x, ok := v.Struct()
	if !ok {
		return v
	}
	rows := data.NewStructs(s, 1)
	for i := range x.Len() {
		rows[0].Set(i, x.Raw(i))
	}
	return data.StructOf(&rows[0])
}
