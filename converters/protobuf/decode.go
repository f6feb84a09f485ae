package protobuf

import (
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/mapkeys"
)

// input is a payload under way. Strings and bytes alias it.
type input struct{ budget int }

// decodeRoot reads a whole message.
func (d *decoder) decodeRoot(b []byte) (data.Value, error) {
	in := input{budget: 1<<16 + 64*len(b)}
	return in.message(d, b, 0)
}

// gathered are the parts of a field that comes several times.
type gathered struct {
	field *decodedField
	elems []data.Value
	pairs []data.Pair
	raw   []byte // of a message: a second one is merged with the first
}

func cut() error { return dataError("cut off: the message ends within a field") }

// tag reads the tag of a field. A number that no field can have is refused, as every
// reader of Protobuf refuses it.
func tag(b []byte) (protowire.Number, protowire.Type, []byte, error) {
	number, wire, n := protowire.ConsumeTag(b)
	if n < 0 {
		return 0, 0, nil, dataError("a field without a tag: %v", protowire.ParseError(n))
	}
	if number > protowire.MaxValidNumber {
		return 0, 0, nil, dataError("a field of the number %d, which no field can have", number)
	}
	return number, wire, b[n:], nil
}

// skip passes over the value of a field that nothing asks for.
func skip(number protowire.Number, wire protowire.Type, b []byte) ([]byte, error) {
	n := protowire.ConsumeFieldValue(number, wire, b)
	if n < 0 {
		return nil, dataError("field %d: %v", number, protowire.ParseError(n))
	}
	return b[n:], nil
}

// message reads the fields of a message.
func (in *input) message(d *decoder, b []byte, depth int) (data.Value, error) {
	if depth >= maxDepth {
		return data.Value{}, dataError("nested deeper than %d levels", maxDepth)
	}
	if in.budget -= 1 + d.size; in.budget < 0 {
		return data.Value{}, dataError("the record has more fields than its length allows")
	}
	x, err := data.NewStruct(d.schema)
	if err != nil {
		return data.Value{}, err
	}
	for i, v := range d.initial {
		if !v.IsNull() {
			x.Set(i, v)
		}
	}
	var parts []gathered
	for len(b) > 0 {
		number, wire, rest, err := tag(b)
		if err != nil {
			return data.Value{}, err
		}
		b = rest
		f := d.field(number)
		if f == nil || !f.takes(wire) {
			if b, err = skip(number, wire, b); err != nil {
				return data.Value{}, err
			}
			continue
		}
		if f.shape == once && !f.val.isMessage() {
			v, rest, err := f.val.scalar(b)
			if err != nil {
				return data.Value{}, fmt.Errorf("field %q: %w", f.name, err)
			}
			b = rest
			if err := in.set(x, f, v); err != nil {
				return data.Value{}, err
			}
			continue
		}
		if parts, rest, err = in.gather(x, parts, f, wire, b, depth); err != nil {
			return data.Value{}, fmt.Errorf("field %q: %w", f.name, err)
		}
		b = rest
	}
	for i := range parts {
		parts[i].finish(x)
	}
	return data.StructOf(x), in.fillNulls(d, x, depth)
}

// fillNulls puts empty structs where the message has none.
func (in *input) fillNulls(d *decoder, x *data.Struct, depth int) error {
	for _, f := range d.nulls {
		if !x.Raw(f.to).IsNull() || depth >= 16 { // a message may hold itself
			continue
		}
		v, err := in.message(f.val.message, nil, depth+1)
		if err != nil {
			return err
		}
		x.Set(f.to, v)
	}
	return nil
}

// takes tells whether a field may come with a wire type.
func (f *decodedField) takes(wire protowire.Type) bool {
	if f.shape == entries {
		return wire == protowire.BytesType
	}
	return wire == f.val.wire || f.shape == repeated && wire == protowire.BytesType && f.val.wire != protowire.BytesType
}

// isMessage tells whether the value is a message on the wire.
func (v *valueDecoder) isMessage() bool { return v.op >= asMessage }

// set sets a field; the member of a union in a struct of its own, so that the last
// one counts.
func (in *input) set(x *data.Struct, f *decodedField, v data.Value) error {
	if v.IsNull() {
		return nil // a number that a closed enum does not know
	}
	if f.member < 0 {
		x.Set(f.to, v)
		return nil
	}
	if in.budget -= 1 + len(f.union.Fields()); in.budget < 0 {
		return dataError("the record has more fields than its length allows")
	}
	u, err := data.NewStruct(f.union)
	if err != nil {
		return err
	}
	u.Set(f.member, v)
	x.Set(f.to, data.StructOf(u))
	return nil
}

// gather reads one part of a field that may come several times.
func (in *input) gather(x *data.Struct, parts []gathered, f *decodedField, wire protowire.Type, b []byte, depth int) ([]gathered, []byte, error) {
	at := -1
	for i := range parts {
		if parts[i].field == f {
			at = i
		}
	}
	if at < 0 {
		at, parts = len(parts), append(parts, gathered{field: f})
	}
	p := &parts[at]
	if f.shape == repeated && !f.val.isMessage() {
		rest, err := in.elements(p, wire, b)
		return parts, rest, err
	}
	raw, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return parts, nil, cut()
	}
	b = b[n:]
	switch f.shape {
	case entries:
		pair, err := in.entry(f, raw, depth+1)
		if err != nil {
			return parts, nil, err
		}
		p.pairs = append(p.pairs, pair)
		return parts, b, nil
	case repeated:
		v, err := in.value(f.val, raw, depth+1)
		p.elems = append(p.elems, v)
		return parts, b, err
	}
	if p.raw == nil {
		p.raw = raw[:len(raw):len(raw)]
	} else { // messages that come twice are one, with the fields of both
		if in.budget -= len(p.raw); in.budget < 0 {
			return parts, nil, dataError("the record repeats a message too often")
		}
		p.raw = append(p.raw, raw...)
	}
	v, err := in.value(f.val, p.raw, depth+1)
	if err == nil {
		err = in.set(x, f, v)
	}
	return parts, b, err
}

// elements reads one element, or many that are packed.
func (in *input) elements(p *gathered, wire protowire.Type, b []byte) ([]byte, error) {
	v := p.field.val
	if wire == v.wire {
		elem, rest, err := v.scalar(b)
		if err == nil && !elem.IsNull() {
			p.elems = append(p.elems, elem)
		}
		return rest, err
	}
	raw, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return nil, cut()
	}
	for len(raw) > 0 {
		elem, rest, err := v.scalar(raw)
		if err != nil {
			return nil, err
		}
		if !elem.IsNull() {
			p.elems = append(p.elems, elem)
		}
		raw = rest
	}
	return b[n:], nil
}

func (g *gathered) finish(x *data.Struct) {
	switch g.field.shape {
	case entries:
		x.Set(g.field.to, data.MapOf(mapkeys.Unique(g.pairs)...))
	case repeated:
		x.Set(g.field.to, data.ArrayOf(g.elems...))
	}
}

// entry reads an entry of a map. What it leaves out is zero; a message, null.
func (in *input) entry(f *decodedField, b []byte, depth int) (p data.Pair, err error) {
	if in.budget -= 2; in.budget < 0 {
		return p, dataError("the record has more fields than its length allows")
	}
	p.Key, p.Value = f.key.zero, f.value.zero
	for len(b) > 0 {
		number, wire, rest, err := tag(b)
		if err != nil {
			return p, err
		}
		b = rest
		part, to := f.key, &p.Key
		if number == 2 {
			part, to = f.value, &p.Value
		}
		if number > 2 || part.shape != once || !part.takes(wire) {
			if b, err = skip(number, wire, b); err != nil {
				return p, err
			}
			continue
		}
		if *to, b, err = in.single(part.val, b, depth); err != nil {
			return p, err
		}
	}
	return p, nil
}

// single reads a value, message or not.
func (in *input) single(v *valueDecoder, b []byte, depth int) (data.Value, []byte, error) {
	if !v.isMessage() {
		return v.scalar(b)
	}
	raw, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return data.Value{}, nil, cut()
	}
	out, err := in.value(v, raw, depth)
	return out, b[n:], err
}

// scalar reads a value that is no message.
func (v *valueDecoder) scalar(b []byte) (data.Value, []byte, error) {
	switch v.wire {
	case protowire.VarintType:
		n, size := protowire.ConsumeVarint(b)
		if size < 0 {
			return data.Value{}, nil, cut()
		}
		out, err := v.fromVarint(n)
		return out, b[size:], err
	case protowire.Fixed32Type:
		n, size := protowire.ConsumeFixed32(b)
		if size < 0 {
			return data.Value{}, nil, cut()
		}
		if v.op == asFloat {
			return data.Float32(math.Float32frombits(n)), b[size:], nil
		}
		if v.signed {
			return v.integer(int64(int32(n))), b[size:], nil
		}
		return v.integer(int64(n)), b[size:], nil
	case protowire.Fixed64Type:
		n, size := protowire.ConsumeFixed64(b)
		if size < 0 {
			return data.Value{}, nil, cut()
		}
		if v.op == asDouble {
			return data.Float64(math.Float64frombits(n)), b[size:], nil
		}
		return v.integer(int64(n)), b[size:], nil
	}
	raw, size := protowire.ConsumeBytes(b)
	if size < 0 {
		return data.Value{}, nil, cut()
	}
	if v.op == asBytes {
		if raw == nil {
			raw = []byte{}
		}
		return data.Bytes(raw[:len(raw):len(raw)]), b[size:], nil
	}
	if !utf8.Valid(raw) {
		return data.Value{}, nil, dataError("a string that is no UTF-8")
	}
	return data.String(unsafe.String(unsafe.SliceData(raw), len(raw))), b[size:], nil
}

func (v *valueDecoder) fromVarint(n uint64) (data.Value, error) {
	switch {
	case v.op == asBool:
		return data.Boolean(n != 0), nil
	case v.op == asEnum:
		return v.symbol(int32(n))
	case v.op == asZigZag && v.narrow:
		return v.integer(protowire.DecodeZigZag(n & math.MaxUint32)), nil
	case v.op == asZigZag:
		return v.integer(protowire.DecodeZigZag(n)), nil
	case v.narrow && v.signed:
		return v.integer(int64(int32(n))), nil
	case v.narrow:
		return v.integer(int64(uint32(n))), nil
	}
	return v.integer(int64(n)), nil
}

// integer makes a value of the kind of the schema.
func (v *valueDecoder) integer(n int64) data.Value {
	switch v.kind {
	case data.KindInt8:
		return data.Int8(int8(n))
	case data.KindInt16:
		return data.Int16(int16(n))
	case data.KindInt32:
		return data.Int32(int32(n))
	}
	return data.Int64(n)
}

// symbol returns the name of an enum's number, null for one that a closed enum does
// not know.
func (v *valueDecoder) symbol(n int32) (data.Value, error) {
	if v.symbols == nil {
		return data.Int32(n), nil
	}
	if s, ok := v.symbols[n]; ok {
		return s, nil
	}
	if v.closed {
		return data.Value{}, nil
	}
	return data.String(unknownSymbol + v.enum + "_" + strconv.Itoa(int(n))), nil
}

// value reads a message.
func (in *input) value(v *valueDecoder, b []byte, depth int) (data.Value, error) {
	switch v.op {
	case asMessage:
		return in.message(v.message, b, depth)
	case asWrapper:
		return in.unwrap(v.wrapped, b)
	case asDecimal:
		return readDecimal(b)
	}
	var n [5]int64
	if err := integers(b, n[:]); err != nil {
		return data.Value{}, err
	}
	switch v.op {
	case asDate:
		return dateOf(n[1], n[2], n[3])
	case asTime:
		return timeOf(n[1], n[2], n[3], n[4])
	}
	if n[1] < -62_135_596_800 || n[1] > 253_402_300_799 || n[2] < 0 || n[2] > 999_999_999 {
		return data.Value{}, dataError("a google.protobuf.Timestamp of %d s and %d ns is out of its range", n[1], n[2])
	}
	return data.DateMillis(n[1]*1000 + n[2]/1_000_000), nil
}

// unwrap reads the only field of a wrapper.
func (in *input) unwrap(v *valueDecoder, b []byte) (data.Value, error) {
	out := v.zero()
	for len(b) > 0 {
		number, wire, rest, err := tag(b)
		if err != nil {
			return out, err
		}
		b = rest
		if number != 1 || wire != v.wire {
			if b, err = skip(number, wire, b); err != nil {
				return out, err
			}
			continue
		}
		if out, b, err = v.scalar(b); err != nil {
			return out, err
		}
	}
	return out, nil
}

// integers reads the integer fields of a message, by their numbers.
func integers(b []byte, into []int64) error {
	for len(b) > 0 {
		number, wire, rest, err := tag(b)
		if err != nil {
			return err
		}
		b = rest
		if wire == protowire.VarintType && int(number) < len(into) {
			v, _ := protowire.ConsumeVarint(b)
			into[number] = int64(v)
		}
		if b, err = skip(number, wire, b); err != nil {
			return err
		}
	}
	return nil
}

func readDecimal(b []byte) (data.Value, error) {
	var n [4]int64
	if err := integers(b, n[:]); err != nil {
		return data.Value{}, err
	}
	unscaled := []byte{0}
	eachField(b, 1, func(v []byte) {
		if len(v) > 0 {
			unscaled = v
		}
	})
	d, err := data.DecimalFromUnscaled(unscaled, int32(n[3]))
	return data.DecimalOf(d), err
}

func dateOf(year, month, day int64) (data.Value, error) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 {
		return data.Value{}, dataError("a google.type.Date of %d-%d-%d is no day", year, month, day)
	}
	t := time.Date(int(year), time.Month(month), int(day), 0, 0, 0, 0, time.UTC)
	if t.Day() != int(day) {
		return data.Value{}, dataError("a google.type.Date of %d-%d-%d is no day", year, month, day)
	}
	return data.DateOf(t), nil
}

func timeOf(hours, minutes, seconds, nanos int64) (data.Value, error) {
	ms := ((hours*60+minutes)*60+seconds)*1000 + nanos/1_000_000
	if hours < 0 || hours > 24 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59 || nanos < 0 || nanos > 999_999_999 || ms > millisPerDay {
		return data.Value{}, dataError("a google.type.TimeOfDay of %d:%d:%d and %d ns is no time of a day", hours, minutes, seconds, nanos)
	}
	return data.DateMillis(ms), nil
}
