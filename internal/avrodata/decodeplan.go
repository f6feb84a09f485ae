package avrodata

import (
	"errors"
	"fmt"
	"slices"

	"github.com/streamlane/connect/data"
)

// decoder is how bytes of a writer's schema become values of a Connect schema, laid
// out once.
type decoder struct {
	read   readOp
	wire   kind // what number or text is on the wire
	schema *data.Schema

	kind    data.Kind       // of an integer
	symbols []data.Value    // of an enum, by the writer's index; null for one that the reader does not know
	size    int             // of a fixed
	scale   int32           // of a decimal
	fields  []decodedField  // of a record, in the writer's order
	fills   []filled        // fields that the writer does not have
	elem    *decoder        //
	elems   elemSize        // of an array or a map
	choices []decodedBranch // of a writer's union
	place   int             // of a branch in a union's struct
	err     error           // what readNever says
}

type decodedField struct {
	to   int // position in the struct; -1: skipped
	name string
	dec  *decoder
}

type filled struct {
	to    int
	value data.Value
}

type decodedBranch struct{ dec *decoder }

// elemSize says whether an element takes a byte at least, so that a count is
// bounded by what is left to read.
type elemSize uint8

const (
	someBytes elemSize = iota
	maybeNone
)

// readOp says what becomes of the bytes.
type readOp uint8

const (
	readNull readOp = iota + 1
	readInteger
	readFloat
	readDouble
	readBoolean
	readText
	readEnum
	readBytes
	readFixed
	readDecimal
	readDate
	readArray
	readMap
	readPairs
	readRecord
	readChoice // the writer has a union
	readMember // the reader has a union, whose struct gets one field
	readAnything
	readNever // a branch of the writer's that the reader cannot take
)

// resolver lays decoders out for a writer's and a reader's schema.
type resolver struct {
	*Options
	made map[resolvedKey]*decoder
	skip map[*schema]*decoder
}

type resolvedKey struct {
	writer, reader *schema
	to             *data.Schema
}

// newDecoder lays out how data of writer become those of reader, whose Connect
// schema is s.
func (o *Options) newDecoder(writer, reader *schema, s *data.Schema) (*decoder, error) {
	r := &resolver{Options: o, made: make(map[resolvedKey]*decoder), skip: make(map[*schema]*decoder)}
	if s == nil {
		if err := writer.reads(reader); err != nil {
			return nil, err
		}
		return &decoder{read: readAnything}, nil
	}
	return r.resolve(writer, reader, s)
}

// reads tells whether a writer's schema is that of schemaless data, as the
// reader's is.
func (s *schema) reads(reader *schema) error {
	if s != reader && !s.isAnything() {
		return dataError("the writer's %s cannot be read as schemaless data", s.fullName())
	}
	return nil
}

func (r *resolver) resolve(w, rd *schema, s *data.Schema) (*decoder, error) {
	key := resolvedKey{w, rd, s}
	if d, ok := r.made[key]; ok {
		return d, nil
	}
	d := &decoder{schema: s}
	r.made[key] = d
	if err := r.fill(d, w, rd, s); err != nil {
		delete(r.made, key)
		return nil, err
	}
	return d, nil
}

func (r *resolver) fill(d *decoder, w, rd *schema, s *data.Schema) error {
	if w.kind == union {
		return r.choice(d, w, rd, s)
	}
	if only := r.single(rd); only != nil {
		return r.fill(d, w, only, s)
	}
	if rd.kind == union {
		return r.member(d, w, rd, s)
	}
	return r.value(d, w, rd, s)
}

// choice lays out a writer's union. A branch that the reader cannot take is an
// error only when it comes, but one of them must be fine.
func (r *resolver) choice(d *decoder, w, rd *schema, s *data.Schema) error {
	d.read = readChoice
	var errs []error
	for _, b := range w.branches {
		inner, err := r.resolve(b, rd, s)
		if err != nil {
			errs = append(errs, err)
			inner = &decoder{read: readNever, err: err}
		}
		d.choices = append(d.choices, decodedBranch{inner})
	}
	if len(errs) == len(w.branches) {
		return errors.Join(errs...)
	}
	return nil
}

// member lays out a reader's union for a writer's value that is none.
func (r *resolver) member(d *decoder, w, rd *schema, s *data.Schema) error {
	if w.kind == null {
		if rd.nullBranch() < 0 {
			return dataError("the writer's null has no place in the reader's union")
		}
		d.read = readNull
		return nil
	}
	at := r.match(w, rd)
	if at < 0 {
		return dataError("the writer's %s has no place in the reader's union", w.fullName())
	}
	if rd.nullable() != nil {
		return r.fill(d, w, rd.branches[at], s)
	}
	place := at
	if n := rd.nullBranch(); n >= 0 && n < at {
		place--
	}
	if place >= len(s.Fields()) {
		return dataError("the union's struct has no field for %s", w.fullName())
	}
	inner, err := r.resolve(w, rd.branches[at], s.Fields()[place].Schema)
	if err != nil {
		return err
	}
	d.read, d.place, d.elem = readMember, place, inner
	return nil
}

// match finds the branch of a union for a writer's schema: the same type and name,
// else the first that it can be promoted to.
func (r *resolver) match(w, rd *schema) int {
	for i, b := range rd.branches {
		if b.kind == w.kind && (!w.kind.named() || b.isCalled(w.fullName())) {
			return i
		}
	}
	for i, b := range rd.branches {
		if promotes(w.kind, b.kind) || w.kind == record && b.kind == record && b.name == w.name {
			return i
		}
	}
	return -1
}

// isCalled tells whether a name is that of a type, or an alias of it.
func (s *schema) isCalled(full string) bool {
	return s.fullName() == full || slices.Contains(s.aliases, full)
}

// promotes tells whether Avro reads one type as another.
func promotes(from, to kind) bool {
	switch {
	case from == to:
		return true
	case from == text && to == blob, from == blob && to == text:
		return true
	}
	return from >= integer && from <= double && to >= from && to <= double
}

func mismatch(w, rd *schema) error {
	return dataError("the writer's %s cannot be read as %s", w.fullName(), rd.fullName())
}

// value lays out what is a union on neither side.
func (r *resolver) value(d *decoder, w, rd *schema, s *data.Schema) error {
	d.wire, d.kind = w.kind, s.Kind()
	if w.kind.named() || rd.kind.named() || w.kind == array || w.kind == mapping {
		if w.kind != rd.kind {
			return mismatch(w, rd)
		}
	} else if w.kind == null || !promotes(w.kind, rd.kind) {
		return mismatch(w, rd)
	}
	switch rd.kind {
	case integer, long:
		d.read = readInteger
		if k := kindOf(s); k == data.KindDate {
			d.read = readDate
		}
	case float:
		d.read = readFloat
	case double:
		d.read = readDouble
	case boolean:
		d.read = readBoolean
	case text:
		d.read = readText
	case blob:
		d.read = readBytes
		return r.decimal(d, s)
	case fixed:
		if w.size != rd.size {
			return dataError("the writer's fixed %s has %d bytes, the reader's %d", w.fullName(), w.size, rd.size)
		}
		d.read, d.size = readFixed, w.size
		return r.decimal(d, s)
	case enum:
		r.enum(d, w, rd)
	case array, mapping:
		return r.container(d, w, rd, s)
	case record:
		return r.record(d, w, rd, s)
	}
	return nil
}

func (r *resolver) decimal(d *decoder, s *data.Schema) (err error) {
	if kindOf(s) == data.KindDecimal {
		if d.read == readBytes {
			d.size = -1
		}
		d.read = readDecimal
		d.scale, err = data.DecimalScaleOf(s)
	}
	return err
}

func (r *resolver) enum(d *decoder, w, rd *schema) {
	d.read = readEnum
	for _, symbol := range w.symbols {
		v := data.Value{}
		switch {
		case slices.Contains(rd.symbols, symbol):
			v = data.String(symbol)
		case rd.fallback != "":
			v = data.String(rd.fallback)
		}
		d.symbols = append(d.symbols, v)
	}
}

func (r *resolver) container(d *decoder, w, rd *schema, s *data.Schema) (err error) {
	d.elems = maybeNone
	if w.kind == mapping || w.elem.takesBytes(nil) {
		d.elems = someBytes
	}
	switch {
	case s.Kind() == data.KindArray:
		d.read = readArray
		d.elem, err = r.resolve(w.elem, rd.elem, s.ElemSchema())
	case rd.kind == mapping:
		d.read = readMap
		d.elem, err = r.resolve(w.elem, rd.elem, s.ElemSchema())
	default:
		d.read = readPairs
		err = r.pairs(d, w.elem, rd.elem, s)
	}
	if err != nil {
		return fmt.Errorf("elements: %w", err)
	}
	return nil
}

// pairs lays out the entries of a map that is written as an array.
func (r *resolver) pairs(d *decoder, w, rd *schema, s *data.Schema) (err error) {
	if w.kind != record {
		return mismatch(w, rd)
	}
	for _, f := range w.fields {
		var to *decoder
		switch want := rd.field(f.name); {
		case want == nil:
			to, err = r.skipper(f.schema)
		case f.name == mapKey:
			to, err = r.resolve(f.schema, want.schema, s.KeySchema())
		default:
			to, err = r.resolve(f.schema, want.schema, s.ElemSchema())
		}
		if err != nil {
			return fmt.Errorf("map %s: %w", f.name, err)
		}
		at := -1
		if rd.field(f.name) != nil {
			at = 0
			if f.name == mapValue {
				at = 1
			}
		}
		d.fields = append(d.fields, decodedField{to: at, name: f.name, dec: to})
	}
	return nil
}

// takesBytes tells whether a value of the schema takes a byte at least. A record
// that holds itself takes none by itself.
func (s *schema) takesBytes(around []*schema) bool {
	switch s.kind {
	case null:
		return false
	case fixed:
		return s.size > 0
	case record:
		if slices.Contains(around, s) {
			return false
		}
		around = append(around, s)
		return slices.ContainsFunc(s.fields, func(f *field) bool { return f.schema.takesBytes(around) })
	}
	return true
}

func (r *resolver) record(d *decoder, w, rd *schema, s *data.Schema) error {
	d.read = readRecord
	fields := s.Fields()
	if len(fields) != len(rd.fields) {
		return dataError("%s has %d fields, and its schema %d", rd.fullName(), len(rd.fields), len(fields))
	}
	have := make([]bool, len(rd.fields))
	for _, f := range w.fields {
		to := rd.place(f.name)
		if to < 0 || have[to] {
			dec, err := r.skipper(f.schema)
			if err != nil {
				return fmt.Errorf("field %q: %w", f.name, err)
			}
			d.fields = append(d.fields, decodedField{to: -1, name: f.name, dec: dec})
			continue
		}
		have[to] = true
		dec, err := r.resolve(f.schema, rd.fields[to].schema, fields[to].Schema)
		if err != nil {
			return fmt.Errorf("field %q: %w", f.name, err)
		}
		d.fields = append(d.fields, decodedField{to: to, name: f.name, dec: dec})
	}
	for i, f := range rd.fields {
		if have[i] {
			continue
		}
		v, err := r.missing(f, fields[i].Schema)
		if err != nil {
			return fmt.Errorf("field %q: %w", f.name, err)
		}
		d.fills = append(d.fills, filled{i, v})
	}
	return nil
}

// place returns the position of the reader's field for a writer's, -1 for none.
func (s *schema) place(name string) int {
	for i, f := range s.fields {
		if f.name == name {
			return i
		}
	}
	for i, f := range s.fields {
		if slices.Contains(f.aliases, name) {
			return i
		}
	}
	return -1
}

// missing returns what a reader's field becomes that the writer does not have.
func (r *resolver) missing(f *field, s *data.Schema) (data.Value, error) {
	b, err := f.constant()
	if err != nil {
		return data.Value{}, dataError("the writer does not have it, and it has no default")
	}
	d, err := r.resolve(f.schema, f.schema, s)
	if err != nil {
		return data.Value{}, err
	}
	in := input{b: b, budget: budgetFor(b)}
	return in.value(d, 0)
}

// skipper lays out how to read what nobody wants.
func (r *resolver) skipper(s *schema) (*decoder, error) {
	if d, ok := r.skip[s]; ok {
		return d, nil
	}
	d := &decoder{wire: s.kind, size: s.size}
	r.skip[s] = d
	var err error
	switch s.kind {
	case array, mapping:
		if s.kind == mapping || s.elem.takesBytes(nil) {
			d.elems = someBytes
		} else {
			d.elems = maybeNone
		}
		d.elem, err = r.skipper(s.elem)
	case union:
		for _, b := range s.branches {
			inner, err := r.skipper(b)
			if err != nil {
				return nil, err
			}
			d.choices = append(d.choices, decodedBranch{inner})
		}
	case record:
		for _, f := range s.fields {
			inner, err := r.skipper(f.schema)
			if err != nil {
				return nil, err
			}
			d.fields = append(d.fields, decodedField{to: -1, name: f.name, dec: inner})
		}
	}
	return d, err
}
