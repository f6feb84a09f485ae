package jsonschema

import (
	"fmt"

	"github.com/streamlane/connect/converters/internal/defaults"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/mapkeys"
)

// decoder is how JSON becomes values of one Connect schema, laid out once.
type decoder struct {
	schema   *data.Schema
	kind     data.Kind // of values; of a logical type KindDecimal or KindDate
	fallback data.Value
	fields   []decodedField
	key      *decoder
	elem     *decoder
	union    bool
}

type decodedField struct {
	name string
	dec  *decoder
}

// newDecoder lays a schema out. known holds those around, which a recursive one
// comes back to.
func newDecoder(s *data.Schema, known map[*data.Schema]*decoder) *decoder {
	if s == nil {
		return nil
	}
	if d, ok := known[s]; ok {
		return d
	}
	d := &decoder{schema: s, kind: s.Kind(), union: isUnion(s), fallback: defaults.InPlace(s)}
	known[s] = d
	switch s.Name() {
	case data.LogicalDecimal:
		d.kind = data.KindDecimal
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		d.kind = data.KindDate
	}
	d.key, d.elem = newDecoder(s.KeySchema(), known), newDecoder(s.ElemSchema(), known)
	for _, f := range s.Fields() {
		d.fields = append(d.fields, decodedField{f.Name, newDecoder(f.Schema, known)})
	}
	return d
}

// input is one text under way.
type input struct {
	javajson.Reader
	budget int // of fields of structs, which a short text can ask for many of
}

// decodeRoot reads a whole text. Text behind the first value is not looked at, as
// in Java.
func (d *decoder) decodeRoot(b []byte) (data.Value, error) {
	in := input{Reader: javajson.NewReader(b), budget: 1<<16 + 64*len(b)}
	return in.value(d)
}

func (in *input) value(d *decoder) (data.Value, error) {
	kind, err := in.Next()
	if err != nil {
		return data.Value{}, err
	}
	if d == nil {
		return data.Value{}, dataError("a part without a schema")
	}
	if kind == javajson.Null {
		if err := in.Null(); err != nil {
			return data.Value{}, err
		}
		if d.fallback.IsNull() && !d.schema.Optional() {
			return data.Value{}, dataError("Invalid null value for required %s field", d.schema.Kind())
		}
		return d.fallback, nil
	}
	switch d.kind {
	case data.KindString:
		if kind != javajson.String {
			return in.misfit(d, kind)
		}
		s, err := in.String()
		return data.String(s), err
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return in.integer(d, kind)
	case data.KindFloat32, data.KindFloat64:
		return in.float(d, kind)
	case data.KindBoolean:
		if kind != javajson.Boolean {
			return data.Boolean(false), in.Skip()
		}
		b, err := in.Bool()
		return data.Boolean(b), err
	case data.KindDecimal, data.KindDate:
		return in.logical(d, kind)
	case data.KindBytes:
		return in.bytes(d, kind)
	case data.KindArray:
		return in.array(d, kind)
	case data.KindMap:
		return in.mapping(d, kind)
	}
	if d.union {
		return in.union(d, kind)
	}
	return in.object(d, kind)
}

// misfit skips what has no text, which becomes null as by Jackson's accessors; that
// must be a value.
func (in *input) misfit(d *decoder, kind javajson.Kind) (data.Value, error) {
	if err := in.Skip(); err != nil {
		return data.Value{}, err
	}
	if !d.schema.Optional() {
		return data.Value{}, dataError("Invalid value for required %s: found %s", d.schema.Kind(), kind)
	}
	return data.Value{}, nil
}

// integer reads any value as Jackson's intValue and longValue do: a fraction is cut
// off, then the low bits count; what is no number is 0.
func (in *input) integer(d *decoder, kind javajson.Kind) (data.Value, error) {
	n, err := in.number(kind)
	if err != nil {
		return data.Value{}, err
	}
	bits := int64(0)
	if kind == javajson.Number {
		bits = n.Int64()
	}
	switch d.kind {
	case data.KindInt8:
		return data.Int8(int8(bits)), nil
	case data.KindInt16:
		return data.Int16(int16(bits)), nil
	case data.KindInt32:
		return data.Int32(int32(bits)), nil
	}
	return data.Int64(bits), nil
}

// number reads a number, or skips what is none.
func (in *input) number(kind javajson.Kind) (javajson.Num, error) {
	if kind != javajson.Number {
		return javajson.Num{}, in.Skip()
	}
	return in.Number()
}

// float reads any value as Jackson's floatValue and doubleValue do: what is no
// number is 0, the text NaN included.
func (in *input) float(d *decoder, kind javajson.Kind) (data.Value, error) {
	n, err := in.number(kind)
	if err != nil {
		return data.Value{}, err
	}
	if d.kind == data.KindFloat32 {
		if kind != javajson.Number {
			return data.Float32(0), nil
		}
		return data.Float32(n.Float32()), nil
	}
	if kind != javajson.Number {
		return data.Float64(0), nil
	}
	return data.Float64(n.Float64()), nil
}

// bytes reads Base64.
func (in *input) bytes(d *decoder, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.String {
		return in.misfit(d, kind)
	}
	b, err := in.base64()
	return data.Bytes(b), err
}

func (in *input) base64() ([]byte, error) {
	s, err := in.String()
	if err != nil {
		return nil, err
	}
	b, ok := javajson.AppendBase64(make([]byte, 0, len(s)/4*3), s)
	if !ok {
		return nil, dataError("Invalid bytes field: found a text that is no Base64")
	}
	return b, nil
}

func (in *input) logical(d *decoder, kind javajson.Kind) (data.Value, error) {
	switch {
	case d.kind == data.KindDecimal && kind == javajson.String:
		b, err := in.base64()
		if err != nil {
			return data.Value{}, err
		}
		return data.ToLogical(d.schema, data.Bytes(b))
	case kind != javajson.Number:
		return data.Value{}, dataError("Invalid type for %s: found %s", d.schema.Name(), kind)
	}
	n, err := in.Number()
	if err != nil {
		return data.Value{}, err
	}
	switch {
	case d.kind == data.KindDecimal:
		dec, err := data.ParseDecimal(n.Text())
		return data.DecimalOf(dec), err
	case d.schema.Name() == data.LogicalTimestamp:
		if n.Integral() {
			return data.ToLogical(d.schema, data.Int64(n.Int64()))
		}
	default:
		if i, ok := n.Int32(); ok {
			return data.ToLogical(d.schema, data.Int32(i))
		}
	}
	return data.Value{}, dataError("Invalid type for %s, underlying representation should be integral but was NUMBER %s", d.schema.Name(), n.Text())
}

func wrongContainer(what string, kind javajson.Kind) error {
	return dataError("%s, but found %s", what, kind)
}

func (in *input) array(d *decoder, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.Array {
		return data.Value{}, wrongContainer("Arrays should be encoded as JSON arrays", kind)
	}
	if err := in.Open(); err != nil {
		return data.Value{}, err
	}
	var elems []data.Value
	for first := true; ; first = false {
		if more, err := in.Element(first); err != nil || !more {
			return data.ArrayOf(elems...), err
		}
		v, err := in.value(d.elem)
		if err != nil {
			return data.Value{}, fmt.Errorf("element %d: %w", len(elems), err)
		}
		elems = append(elems, v)
	}
}

func (in *input) mapping(d *decoder, kind javajson.Kind) (data.Value, error) {
	if !stringKeys(d.schema) {
		return in.entries(d, kind)
	}
	if kind != javajson.Object {
		return data.Value{}, wrongContainer("Maps with string fields should be encoded as JSON objects", kind)
	}
	if err := in.Open(); err != nil {
		return data.Value{}, err
	}
	var pairs []data.Pair
	for first := true; ; first = false {
		key, more, err := in.Key(first)
		if err != nil || !more {
			return data.MapOf(mapkeys.Unique(pairs)...), err
		}
		v, err := in.value(d.elem)
		if err != nil {
			return data.Value{}, fmt.Errorf("map key %q: %w", key, err)
		}
		pairs = append(pairs, data.Pair{Key: data.String(key), Value: v})
	}
}

// entries reads an array of {"key":...,"value":...}.
func (in *input) entries(d *decoder, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.Array {
		return data.Value{}, wrongContainer("Maps with non-string fields should be encoded as JSON array of objects", kind)
	}
	if err := in.Open(); err != nil {
		return data.Value{}, err
	}
	var pairs []data.Pair
	for first := true; ; first = false {
		if more, err := in.Element(first); err != nil || !more {
			return data.MapOf(mapkeys.Unique(pairs)...), err
		}
		p, err := in.entry(d)
		if err != nil {
			return data.Value{}, fmt.Errorf("map entry %d: %w", len(pairs), err)
		}
		pairs = append(pairs, p)
	}
}

func (in *input) entry(d *decoder) (p data.Pair, err error) {
	kind, err := in.Next()
	if err != nil {
		return p, err
	}
	if kind != javajson.Object {
		return p, dataError("Found invalid map entry instead of object: %s", kind)
	}
	if err := in.Open(); err != nil {
		return p, err
	}
	p.Key, p.Value = d.key.fallback, d.elem.fallback
	for n := 0; ; n++ {
		name, more, err := in.Key(n == 0)
		switch {
		case err != nil:
			return p, err
		case more != (n < 2):
			return p, dataError("Found invalid map entry, expected length 2 but found another")
		case !more:
			return p, nil
		case name == mapKey:
			p.Key, err = in.value(d.key)
		case name == mapValue:
			p.Value, err = in.value(d.elem)
		default:
			err = in.Skip()
		}
		if err != nil {
			return p, err
		}
	}
}

// object reads a struct. Members that are no fields are skipped; fields that are no
// members have their defaults, or are null.
func (in *input) object(d *decoder, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.Object {
		return data.Value{}, wrongContainer("Structs should be encoded as JSON objects", kind)
	}
	if in.budget -= 1 + len(d.fields); in.budget < 0 {
		return data.Value{}, dataError("the record has more fields than its length allows")
	}
	x, err := data.NewStruct(d.schema)
	if err != nil {
		return data.Value{}, err
	}
	for i := range d.fields {
		if def := d.fields[i].dec.fallback; !def.IsNull() {
			x.Set(i, def)
		}
	}
	if err := in.Open(); err != nil {
		return data.Value{}, err
	}
	for next := 0; ; next++ {
		key, more, err := in.Key(next == 0)
		if err != nil || !more {
			return data.StructOf(x), err
		}
		i := d.find(key, next)
		if i < 0 {
			if err := in.Skip(); err != nil {
				return data.Value{}, err
			}
			continue
		}
		v, err := in.value(d.fields[i].dec)
		if err != nil {
			return data.Value{}, fmt.Errorf("field %q: %w", key, err)
		}
		x.Set(i, v)
	}
}

// find returns the position of a field, -1 if there is none. Fields mostly come in
// order, so guess is tried first.
func (d *decoder) find(name string, guess int) int {
	if guess < len(d.fields) && d.fields[guess].name == name {
		return guess
	}
	return d.schema.FieldIndex(name)
}
