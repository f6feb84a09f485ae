package avrodata

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/streamlane/connect/data"
)

// encoder is how values of one Connect schema become Avro of one Avro schema, laid
// out once. A nil schema is that of schemaless data.
type encoder struct {
	write writeOp
	// prefix is the place in a union of what the value becomes, ready to append; nil
	// outside of unions.
	prefix []byte
	// null is that of null; nil where null is no value.
	null []byte

	schema   *data.Schema
	equal    *data.Schema // the last schema of a struct that was found to equal it
	kind     data.Kind    // of values; of a logical type KindDecimal or KindDate
	fallback data.Value   // what a null field becomes; null for none

	fields  []encodedField // of a record, in the order of the Avro schema
	key     *encoder
	elem    *encoder
	symbols map[string]int // of an enum
	size    int            // of a fixed
	scale   int32          // of a decimal
	members []*encoder     // of a union, by the field of its struct
}

// encodedField is one field of a record: a field of the struct, or a constant.
type encodedField struct {
	from     int // position in the struct; -1: constant
	name     string
	enc      *encoder
	constant []byte
}

// writeOp says what a value becomes.
type writeOp uint8

const (
	asInteger writeOp = iota + 1 // int or long
	asNarrow                     // an int, of what may be longer
	asFloat
	asDouble
	asBoolean
	asText
	asEnum
	asBytes
	asFixed
	asDecimal
	asDate
	asArray
	asMap
	asPairs
	asRecord
	asUnion
	asAnything
)

// planner lays encoders out. One for a recursive schema is met again inside of
// itself.
type planner struct {
	*Options
	strict bool // each value of the Connect schema must fit
	made   map[plannedPair]*encoder
}

type plannedPair struct {
	from *data.Schema
	to   *schema
}

// newEncoder lays out how s becomes a.
func (o *Options) newEncoder(s *data.Schema, a *schema, strict bool) (*encoder, error) {
	p := &planner{Options: o, strict: strict, made: make(map[plannedPair]*encoder)}
	return p.plan(s, a)
}

func (p *planner) plan(s *data.Schema, a *schema) (*encoder, error) {
	key := plannedPair{s, a}
	if e, ok := p.made[key]; ok {
		return e, nil
	}
	e := &encoder{schema: s, kind: kindOf(s)}
	if !p.IgnoreDefaults {
		e.fallback = s.Default()
	}
	p.made[key] = e
	if err := p.fill(e, s, a); err != nil {
		return nil, err
	}
	return e, nil
}

// kindOf returns the kind of a schema's values.
func kindOf(s *data.Schema) data.Kind {
	switch s.Name() {
	case data.LogicalDecimal:
		return data.KindDecimal
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		return data.KindDate
	}
	return s.Kind()
}

func (p *planner) fill(e *encoder, s *data.Schema, a *schema) error {
	if a.kind != union {
		if s != nil && s.Optional() && p.strict {
			return dataError("%s is optional, and %s is not", s, a.fullName())
		}
		if isUnion(s) {
			return dataError("%s is a union, and %s is not", s, a.fullName())
		}
		return p.value(e, s, a)
	}
	if at := a.nullBranch(); at >= 0 {
		e.null = binary.AppendVarint(nil, int64(at))
	}
	if s.Optional() && e.null == nil && p.strict && s != nil {
		return dataError("%s is optional, and the union has no null", s)
	}
	if isUnion(s) {
		return p.union(e, s, a)
	}
	at, err := p.branch(s, a)
	if err != nil {
		return err
	}
	e.prefix = binary.AppendVarint(nil, int64(at))
	return p.value(e, s, a.branches[at])
}

// union lays out the struct of a union: each field has its branch.
func (p *planner) union(e *encoder, s *data.Schema, a *schema) error {
	e.write = asUnion
	taken := make(map[int]bool)
	for _, f := range s.Fields() {
		at, err := p.branchBut(f.Schema, a, taken)
		if err != nil {
			return fmt.Errorf("branch %q: %w", f.Name, err)
		}
		taken[at] = true
		inner := &encoder{schema: f.Schema, kind: kindOf(f.Schema), prefix: binary.AppendVarint(nil, int64(at))}
		if err := p.value(inner, f.Schema, a.branches[at]); err != nil {
			return fmt.Errorf("branch %q: %w", f.Name, err)
		}
		e.members = append(e.members, inner)
	}
	return nil
}

func (p *planner) branch(s *data.Schema, a *schema) (int, error) { return p.branchBut(s, a, nil) }

// branchBut finds the branch of a union for values of a Connect schema: the one of
// the very type and name, else one that can take them.
func (p *planner) branchBut(s *data.Schema, a *schema, taken map[int]bool) (int, error) {
	best, fits := -1, noFit
	for i, b := range a.branches {
		if f := p.fit(s, b); f > fits && !taken[i] {
			best, fits = i, f
		}
	}
	if best < 0 {
		return 0, dataError("no branch of the union takes %s", s)
	}
	return best, nil
}

// fitness grades how well a type suits.
type fitness int

const (
	noFit fitness = iota
	lossy         // some values fit
	wider         // all fit
	kin           // the type, by another name
	exact
)

// fit grades an Avro type for a Connect schema, without looking inside.
func (p *planner) fit(s *data.Schema, a *schema) fitness {
	if s == nil {
		if a.isAnything() {
			return exact
		}
		return noFit
	}
	switch s.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64:
		return fitNumber(s.Kind(), a.kind)
	case data.KindBoolean:
		return when(a.kind == boolean, exact)
	case data.KindString:
		return p.fitString(s, a)
	case data.KindBytes:
		return p.fitBytes(s, a)
	case data.KindArray:
		return when(a.kind == array && !a.elem.isMapEntry(), exact)
	case data.KindMap:
		if p.stringKeys(s) {
			return when(a.kind == mapping, exact)
		}
		return when(a.kind == array && a.elem.isMapEntry(), exact)
	}
	if a.kind != record {
		return noFit
	}
	if s.Name() == "" && strings.HasPrefix(a.fullName(), defaultFullName) || s.Name() != "" && p.scrubbedFull(s.Name()) == a.fullName() {
		return exact
	}
	return kin
}

func when(ok bool, f fitness) fitness {
	if ok {
		return f
	}
	return noFit
}

// fitNumber goes by Avro's promotions; the other way fits what is small enough.
func fitNumber(from data.Kind, to kind) fitness {
	rank := map[data.Kind]kind{
		data.KindInt8: integer, data.KindInt16: integer, data.KindInt32: integer, data.KindInt64: long, data.KindFloat32: float, data.KindFloat64: double,
	}[from]
	switch {
	case to < integer || to > double:
		return noFit
	case rank == to:
		return exact
	case rank < to:
		return wider
	case rank == long && to == integer:
		return lossy
	}
	return noFit
}

func (p *planner) fitString(s *data.Schema, a *schema) fitness {
	switch a.kind {
	case text:
		if isEnum(s) && (p.Enhanced || p.Generalized) {
			return wider
		}
		return exact
	case enum:
		full, ok := s.Parameter(p.enumParam())
		if ok && full == a.fullName() {
			return when(p.Enhanced || p.Generalized, exact) + when(!p.Enhanced && !p.Generalized, lossy)
		}
		return lossy
	}
	return noFit
}

func (p *planner) fitBytes(s *data.Schema, a *schema) fitness {
	switch a.kind {
	case blob:
		return kin
	case fixed:
		size, ok := s.Parameter(propFixedSize)
		switch {
		case ok && size == itoa(a.size) && p.scrubbedFull(s.Name()) == a.fullName():
			return exact
		case ok && size == itoa(a.size):
			return kin
		}
		return lossy
	}
	return noFit
}

// value lays out what is no union.
func (p *planner) value(e *encoder, s *data.Schema, a *schema) error {
	grade := p.fit(s, a)
	if grade == noFit || grade == lossy && p.strict {
		return dataError("%s does not fit the Avro type %s", s, a.fullName())
	}
	switch {
	case s == nil:
		e.write = asAnything
		return nil
	case e.kind == data.KindDate:
		if a.kind != integer && a.kind != long {
			return dataError("%s does not fit the Avro type %s", s, a.fullName())
		}
		e.write = asDate
		return nil
	case e.kind == data.KindDecimal:
		return p.decimal(e, s, a)
	}
	switch a.kind {
	case integer:
		e.write = asNarrow
	case long:
		e.write = asInteger
	case float:
		e.write = asFloat
	case double:
		e.write = asDouble
	case boolean:
		e.write = asBoolean
	case text:
		e.write = asText
	case blob:
		e.write = asBytes
	case fixed:
		e.write, e.size = asFixed, a.size
	case enum:
		e.write, e.symbols = asEnum, make(map[string]int, len(a.symbols))
		for i, symbol := range a.symbols {
			e.symbols[symbol] = i
		}
	case array, mapping:
		return p.container(e, s, a)
	case record:
		return p.record(e, s, a)
	}
	return nil
}

func (p *planner) decimal(e *encoder, s *data.Schema, a *schema) (err error) {
	e.write = asDecimal
	if e.scale, err = data.DecimalScaleOf(s); err != nil {
		return err
	}
	if strings.EqualFold(a.textProp("logicalType"), "decimal") {
		if scale, _ := a.prop("scale").Int(); scale != int64(e.scale) {
			return dataError("%s has scale %d, and the Avro type %s has scale %d", s, e.scale, a.fullName(), scale)
		}
	}
	e.size = -1
	if a.kind == fixed {
		e.size = a.size
	}
	return nil
}

func (p *planner) container(e *encoder, s *data.Schema, a *schema) (err error) {
	inner := a.elem
	switch {
	case s.Kind() == data.KindArray:
		e.write = asArray
	case a.kind == mapping:
		e.write = asMap
	default:
		e.write = asPairs
		key, value := a.elem.field(mapKey), a.elem.field(mapValue)
		if key == nil || value == nil || len(a.elem.fields) != 2 || a.elem.fields[0] != key {
			return dataError("the Avro type %s is no entry of a map", a.elem.fullName())
		}
		if e.key, err = p.plan(s.KeySchema(), key.schema); err != nil {
			return fmt.Errorf("map key: %w", err)
		}
		inner = value.schema
	}
	if e.elem, err = p.plan(s.ElemSchema(), inner); err != nil {
		return fmt.Errorf("elements: %w", err)
	}
	return nil
}

func (p *planner) record(e *encoder, s *data.Schema, a *schema) error {
	e.write = asRecord
	for _, f := range a.fields {
		from := p.source(s, f)
		if from < 0 {
			constant, err := f.constant()
			if err != nil {
				return fmt.Errorf("field %q: %w", f.name, err)
			}
			e.fields = append(e.fields, encodedField{from: -1, name: f.name, constant: constant})
			continue
		}
		sf := s.Fields()[from]
		inner, err := p.plan(sf.Schema, f.schema)
		if err != nil {
			return fmt.Errorf("field %q: %w", sf.Name, err)
		}
		e.fields = append(e.fields, encodedField{from: from, name: sf.Name, enc: inner})
	}
	return nil
}

// source finds the field of a struct for a field of a record, -1 for none.
func (p *planner) source(s *data.Schema, f *field) int {
	for _, name := range append([]string{f.name}, f.aliases...) {
		for i, sf := range s.Fields() {
			if p.scrubbed(sf.Name) == name {
				return i
			}
		}
	}
	return -1
}

// constant returns the bytes of a field that data do not have: its default.
func (f *field) constant() ([]byte, error) {
	if f.def == nil {
		return nil, dataError("data have no such field, and it has no default")
	}
	return appendDefault(nil, f.schema, f.def, 0)
}
