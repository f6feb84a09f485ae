package protobuf

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/streamlane/connect/data"
)

// decoder is how a message becomes a struct, laid out once.
type decoder struct {
	schema *data.Schema
	// initial are the slots of a message without fields: proto3's zero values, empty
	// arrays and maps.
	initial []data.Value
	// low are the fields by number up to lowFields, high the others.
	low  []*decodedField
	high map[protowire.Number]*decodedField
	// nulls are the fields of messages that become empty structs where the message has
	// none (generate.struct.for.nulls).
	nulls []*decodedField
	size  int // number of slots
}

const lowFields = 128

// decodedField is one field of a message.
type decodedField struct {
	name   string
	to     int          // position in the struct
	member int          // position in the union's struct at to; -1: no union
	union  *data.Schema // of the union's struct
	shape  fieldShape
	val    *valueDecoder
	key    *decodedField // of a map, as the fields of its entry
	value  *decodedField
	zero   data.Value // of an entry's field that the entry does not have
}

// valueDecoder reads one value behind its tag.
type valueDecoder struct {
	op      writeOp
	wire    protowire.Type
	schema  *data.Schema
	kind    data.Kind // of values
	narrow  bool      // of 32 bits
	signed  bool
	symbols map[int32]data.Value
	enum    string
	closed  bool // an enum of proto2, whose unknown numbers do not count
	message *decoder
	wrapped *valueDecoder
}

// layout makes decoders. One for a recursive message is met again inside of itself.
type layout struct {
	*options
	made map[laidOut]*decoder
}

type laidOut struct {
	of   protoreflect.FullName
	into *data.Schema
}

func (l *layout) message(m protoreflect.MessageDescriptor, s *data.Schema) (*decoder, error) {
	key := laidOut{m.FullName(), s}
	if d, ok := l.made[key]; ok {
		return d, nil
	}
	d := &decoder{schema: s, size: len(s.Fields()), initial: make([]data.Value, len(s.Fields()))}
	l.made[key] = d
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		out, err := l.structField(d, f)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name(), err)
		}
		d.put(f.Number(), out)
	}
	return d, nil
}

func (d *decoder) put(number protoreflect.FieldNumber, f *decodedField) {
	if number >= lowFields {
		if d.high == nil {
			d.high = make(map[protowire.Number]*decodedField)
		}
		d.high[number] = f
		return
	}
	for int(number) >= len(d.low) {
		d.low = append(d.low, nil)
	}
	d.low[number] = f
}

// field returns the field of a number, nil for an unknown one.
func (d *decoder) field(number protowire.Number) *decodedField {
	if number > 0 && int(number) < len(d.low) {
		return d.low[number]
	}
	return d.high[number]
}

func (l *layout) structField(d *decoder, f protoreflect.FieldDescriptor) (*decodedField, error) {
	name := string(f.Name())
	o := realOneof(f)
	if o != nil && !l.flatten {
		name = l.oneofField(o)
	}
	to := d.schema.FieldIndex(name)
	if to < 0 {
		return nil, dataError("the struct has no field %q", name)
	}
	s, member := d.schema.Fields()[to].Schema, -1
	var union *data.Schema
	if o != nil && !l.flatten {
		union = s
		if member = s.FieldIndex(string(f.Name())); member < 0 {
			return nil, dataError("the union's struct has no field %q", f.Name())
		}
		s = s.Fields()[member].Schema
	}
	out, err := l.field(f, s)
	if err != nil {
		return nil, err
	}
	out.name, out.to, out.member, out.union = string(f.Name()), to, member, union
	if o == nil {
		l.initial(d, f, out)
	}
	return out, nil
}

// initial says what a struct has where the message has no such field.
func (l *layout) initial(d *decoder, f protoreflect.FieldDescriptor, out *decodedField) {
	switch {
	case out.shape == entries:
		d.initial[out.to] = data.MapOf()
	case out.shape != once:
		d.initial[out.to] = data.ArrayOf()
	case f.Kind() == protoreflect.MessageKind:
		if l.structForNulls && out.val.op == asMessage {
			d.nulls = append(d.nulls, out)
		}
	case f.HasOptionalKeyword() && (f.ParentFile().Syntax() != protoreflect.Proto2 || l.optionalProto2):
	case f.HasDefault():
		d.initial[out.to] = out.val.fromDefault(f)
	default:
		d.initial[out.to] = out.zero
	}
}

// fromDefault returns the default of a field of proto2.
func (v *valueDecoder) fromDefault(f protoreflect.FieldDescriptor) data.Value {
	def := f.Default()
	switch v.op {
	case asText:
		return data.String(def.String())
	case asBytes:
		return data.Bytes(append([]byte{}, def.Bytes()...))
	case asBool:
		return data.Boolean(def.Bool())
	case asFloat:
		return data.Float32(float32(def.Float()))
	case asDouble:
		return data.Float64(def.Float())
	case asEnum:
		out, _ := v.symbol(int32(def.Enum()))
		return out
	}
	if f.Kind() == protoreflect.Uint32Kind || f.Kind() == protoreflect.Uint64Kind || f.Kind() == protoreflect.Fixed32Kind || f.Kind() == protoreflect.Fixed64Kind {
		return v.integer(int64(def.Uint()))
	}
	return v.integer(def.Int())
}

// field lays out a field, repeated or not.
func (l *layout) field(f protoreflect.FieldDescriptor, s *data.Schema) (out *decodedField, err error) {
	out = &decodedField{member: -1}
	if isEntries(f) {
		out.shape = entries
		if out.key, err = l.field(f.Message().Fields().Get(0), s.KeySchema()); err != nil {
			return nil, fmt.Errorf("map key: %w", err)
		}
		if out.value, err = l.field(f.Message().Fields().Get(1), s.ElemSchema()); err != nil {
			return nil, fmt.Errorf("map value: %w", err)
		}
		if !f.IsMap() { // an entry of ours may say that there is none
			for i, part := range []*decodedField{out.key, out.value} {
				if f.Message().Fields().Get(i).HasPresence() {
					part.zero = data.Value{}
				}
			}
		}
		return out, nil
	}
	if f.IsList() {
		out.shape, s = repeated, s.ElemSchema()
	}
	if out.val, err = l.value(f, s); err == nil {
		out.zero = out.val.zero()
	}
	return out, err
}

func (l *layout) value(f protoreflect.FieldDescriptor, s *data.Schema) (*valueDecoder, error) {
	v := &valueDecoder{schema: s, kind: s.Kind()}
	switch f.Kind() {
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		v.op, v.wire = asVarint, protowire.VarintType
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		v.op, v.wire = asZigZag, protowire.VarintType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		v.op, v.wire = asFixed32, protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		v.op, v.wire = asFixed64, protowire.Fixed64Type
	case protoreflect.FloatKind:
		v.op, v.wire = asFloat, protowire.Fixed32Type
	case protoreflect.DoubleKind:
		v.op, v.wire = asDouble, protowire.Fixed64Type
	case protoreflect.BoolKind:
		v.op, v.wire = asBool, protowire.VarintType
	case protoreflect.StringKind:
		v.op, v.wire = asText, protowire.BytesType
	case protoreflect.BytesKind:
		v.op, v.wire = asBytes, protowire.BytesType
	case protoreflect.EnumKind:
		l.enum(v, f.Enum())
	case protoreflect.MessageKind:
		v.wire = protowire.BytesType
		return v, l.messageValue(v, f.Message(), s)
	default:
		return nil, dataError("a field of the kind %s has no Connect schema", f.Kind())
	}
	switch f.Kind() {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		v.narrow, v.signed = true, true
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		v.narrow = true
	}
	return v, nil
}

func (l *layout) enum(v *valueDecoder, e protoreflect.EnumDescriptor) {
	v.op, v.wire, v.enum, v.closed = asEnum, protowire.VarintType, string(e.Name()), e.IsClosed()
	if v.kind != data.KindString {
		return
	}
	v.symbols = make(map[int32]data.Value)
	for i := range e.Values().Len() {
		value := e.Values().Get(i)
		if _, alias := v.symbols[int32(value.Number())]; !alias {
			v.symbols[int32(value.Number())] = data.String(string(value.Name()))
		}
	}
}

func (l *layout) messageValue(v *valueDecoder, m protoreflect.MessageDescriptor, s *data.Schema) (err error) {
	switch logicalMessage(s) {
	case decimalType:
		v.op = asDecimal
		return nil
	case dateType:
		v.op = asDate
		return nil
	case timeType:
		v.op = asTime
		return nil
	case timestampType:
		v.op = asTimestamp
		return nil
	}
	if s.Kind() != data.KindStruct {
		v.op = asWrapper
		v.wrapped, err = l.value(m.Fields().Get(0), s)
		return err
	}
	v.op = asMessage
	v.message, err = l.message(m, s)
	return err
}

// zero returns what proto3 does not write.
func (v *valueDecoder) zero() data.Value {
	switch v.op {
	case asText:
		return data.String("")
	case asBytes:
		return data.Bytes([]byte{})
	case asBool:
		return data.Boolean(false)
	case asFloat:
		return data.Float32(0)
	case asDouble:
		return data.Float64(0)
	case asEnum:
		out, _ := v.symbol(0)
		return out
	case asVarint, asZigZag, asFixed32, asFixed64:
		return v.integer(0)
	}
	return data.Value{}
}
