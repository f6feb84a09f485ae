package protobuf

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/streamlane/connect/data"
)

// encoder is how values of one Connect schema become fields of one message, laid
// out once.
type encoder struct {
	schema *data.Schema
	equal  *data.Schema // the last schema of a struct that was found to equal it
	fields []encodedField
	broken []brokenField
}

// encodedField is one field of a message, in the order of their numbers.
type encodedField struct {
	name     string
	from     int // position in the struct
	member   int // position in the union's struct at from; -1: no union
	fallback data.Value
	tag      []byte // number and wire type
	presence bool   // written even if it is zero
	shape    fieldShape
	val      *valueEncoder
	key      *encodedField // of a map, as the fields of its entry
	value    *encodedField
}

// fieldShape says how often a field comes.
type fieldShape uint8

const (
	once fieldShape = iota
	repeated
	packed
	entries
)

// brokenField is a field of the struct that the message has no place for.
type brokenField struct {
	from int
	err  error
}

// valueEncoder writes one value without its tag.
type valueEncoder struct {
	op      writeOp
	schema  *data.Schema
	kind    data.Kind // of values
	low     int64     // of an integer
	high    int64
	symbols map[string]int32
	enum    string
	message *encoder
	wrapped *encodedField // the field of a wrapper
}

// writeOp says what a value becomes.
type writeOp uint8

const (
	asVarint writeOp = iota + 1
	asZigZag
	asFixed32
	asFixed64
	asFloat
	asDouble
	asBool
	asText
	asBytes
	asEnum
	asMessage
	asWrapper
	asDecimal
	asDate
	asTime
	asTimestamp
)

// planner lays encoders out. One for a recursive schema is met again inside of
// itself.
type planner struct {
	*options
	strict bool // each value of the Connect schema must fit
	made   map[plannedPair]*encoder
}

type plannedPair struct {
	from *data.Schema
	to   protoreflect.FullName
}

func (p *planner) message(s *data.Schema, m protoreflect.MessageDescriptor) (*encoder, error) {
	key := plannedPair{s, m.FullName()}
	if e, ok := p.made[key]; ok {
		return e, nil
	}
	e := &encoder{schema: s}
	p.made[key] = e
	for i, f := range s.Fields() {
		if err := p.structField(e, i, f, m); err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	slices.SortStableFunc(e.fields, func(a, b encodedField) int {
		x, _, _ := protowire.ConsumeTag(a.tag)
		y, _, _ := protowire.ConsumeTag(b.tag)
		return cmp.Compare(x, y)
	})
	return e, nil
}

func (p *planner) structField(e *encoder, at int, f data.Field, m protoreflect.MessageDescriptor) error {
	fallback := f.Schema.Default()
	if p.ignoreDefaults {
		fallback = data.Value{}
	}
	if isUnion(f.Schema) {
		for j, member := range f.Schema.Fields() {
			if err := p.add(e, at, j, member, fallback, m); err != nil {
				return fmt.Errorf("member %q: %w", member.Name, err)
			}
		}
		return nil
	}
	return p.add(e, at, -1, f, fallback, m)
}

func (p *planner) add(e *encoder, at, member int, f data.Field, fallback data.Value, m protoreflect.MessageDescriptor) error {
	fd := m.Fields().ByName(protoreflect.Name(p.scrubbed(f.Name)))
	if fd == nil {
		err := dataError("Cannot find field with name %s in the message %s", f.Name, m.FullName())
		if p.strict {
			return err
		}
		e.broken = append(e.broken, brokenField{at, err})
		return nil
	}
	out, err := p.field(f.Schema, fd)
	if err != nil {
		return err
	}
	out.name, out.from, out.member, out.fallback = f.Name, at, member, fallback
	e.fields = append(e.fields, *out)
	return nil
}

func mismatch(s *data.Schema, f protoreflect.FieldDescriptor) error {
	return dataError("%s does not fit the Protobuf type %s of field %q", s, f.Kind(), f.Name())
}

// field lays out a field, repeated or not.
func (p *planner) field(s *data.Schema, f protoreflect.FieldDescriptor) (out *encodedField, err error) {
	out = &encodedField{member: -1, presence: f.HasPresence()}
	switch {
	case s.Kind() == data.KindMap:
		if !isEntries(f) {
			return nil, mismatch(s, f)
		}
		out.shape = entries
		if out.key, err = p.field(s.KeySchema(), f.Message().Fields().Get(0)); err != nil {
			return nil, fmt.Errorf("map key: %w", err)
		}
		if out.value, err = p.field(s.ElemSchema(), f.Message().Fields().Get(1)); err != nil {
			return nil, fmt.Errorf("map value: %w", err)
		}
		out.tag = protowire.AppendTag(nil, f.Number(), protowire.BytesType)
		return out, nil
	case s.Kind() == data.KindArray:
		if !f.IsList() {
			return nil, mismatch(s, f)
		}
		out.shape, s = repeated, s.ElemSchema()
	case f.IsList():
		return nil, mismatch(s, f)
	}
	if out.val, err = p.value(s, f); err != nil {
		return nil, err
	}
	wire := out.val.wireType()
	if f.IsPacked() && out.shape == repeated {
		out.shape, wire = packed, protowire.BytesType
	}
	out.tag = protowire.AppendTag(nil, f.Number(), wire)
	return out, nil
}

func (v *valueEncoder) wireType() protowire.Type {
	switch v.op {
	case asVarint, asZigZag, asBool, asEnum:
		return protowire.VarintType
	case asFixed32, asFloat:
		return protowire.Fixed32Type
	case asFixed64, asDouble:
		return protowire.Fixed64Type
	}
	return protowire.BytesType
}

func (p *planner) value(s *data.Schema, f protoreflect.FieldDescriptor) (*valueEncoder, error) {
	if s == nil {
		return nil, dataError("a part without a schema")
	}
	v := &valueEncoder{schema: s, kind: s.Kind()}
	var err error
	switch f.Kind() {
	case protoreflect.MessageKind:
		err = p.messageValue(v, s, f)
	case protoreflect.EnumKind:
		err = p.enum(v, s, f)
	default:
		err = p.scalar(v, s, f)
	}
	return v, err
}

// scalar lays out numbers, texts and bytes.
func (p *planner) scalar(v *valueEncoder, s *data.Schema, f protoreflect.FieldDescriptor) error {
	want := map[protoreflect.Kind]struct {
		op        writeOp
		kind      data.Kind
		low, high int64
	}{
		protoreflect.Int32Kind:    {asVarint, data.KindInt32, math.MinInt32, math.MaxInt32},
		protoreflect.Sint32Kind:   {asZigZag, data.KindInt32, math.MinInt32, math.MaxInt32},
		protoreflect.Sfixed32Kind: {asFixed32, data.KindInt32, math.MinInt32, math.MaxInt32},
		protoreflect.Uint32Kind:   {asVarint, data.KindInt64, 0, math.MaxUint32},
		protoreflect.Fixed32Kind:  {asFixed32, data.KindInt64, 0, math.MaxUint32},
		protoreflect.Int64Kind:    {asVarint, data.KindInt64, math.MinInt64, math.MaxInt64},
		protoreflect.Uint64Kind:   {asVarint, data.KindInt64, math.MinInt64, math.MaxInt64},
		protoreflect.Sint64Kind:   {asZigZag, data.KindInt64, math.MinInt64, math.MaxInt64},
		protoreflect.Fixed64Kind:  {asFixed64, data.KindInt64, math.MinInt64, math.MaxInt64},
		protoreflect.Sfixed64Kind: {asFixed64, data.KindInt64, math.MinInt64, math.MaxInt64},
		protoreflect.FloatKind:    {asFloat, data.KindFloat32, 0, 0},
		protoreflect.DoubleKind:   {asDouble, data.KindFloat64, 0, 0},
		protoreflect.BoolKind:     {asBool, data.KindBoolean, 0, 0},
		protoreflect.StringKind:   {asText, data.KindString, 0, 0},
		protoreflect.BytesKind:    {asBytes, data.KindBytes, 0, 0},
	}[f.Kind()]
	v.op, v.low, v.high = want.op, want.low, want.high
	fits := s.Kind() == want.kind
	switch {
	case want.op == 0 || isLogical(s):
		return mismatch(s, f)
	case want.high != 0: // an integer
		fits = s.Kind() >= data.KindInt8 && s.Kind() <= data.KindInt64
		if p.strict && s.Kind() == data.KindInt64 && want.kind == data.KindInt32 {
			fits = false
		}
	case want.op == asDouble && s.Kind() == data.KindFloat32:
		fits = true
	}
	if !fits {
		return mismatch(s, f)
	}
	return nil
}

func (p *planner) enum(v *valueEncoder, s *data.Schema, f protoreflect.FieldDescriptor) error {
	v.op, v.enum = asEnum, string(f.Enum().Name())
	v.low, v.high = math.MinInt32, math.MaxInt32
	switch s.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32:
		return nil
	case data.KindString:
	default:
		return mismatch(s, f)
	}
	if _, ok := p.enumOf(s); !ok && p.strict {
		return mismatch(s, f)
	}
	v.symbols = make(map[string]int32)
	for i := range f.Enum().Values().Len() {
		e := f.Enum().Values().Get(i)
		v.symbols[string(e.Name())] = int32(e.Number())
	}
	return nil
}

func (p *planner) messageValue(v *valueEncoder, s *data.Schema, f protoreflect.FieldDescriptor) (err error) {
	full := string(f.Message().FullName())
	if name := logicalMessage(s); name != "" {
		v.op = map[string]writeOp{decimalType: asDecimal, dateType: asDate, timeType: asTime, timestampType: asTimestamp}[name]
		v.kind = data.KindDate
		if name == decimalType {
			v.kind = data.KindDecimal
		}
		if name != full {
			return dataError("%s does not fit the message %s", s, full)
		}
		return nil
	}
	if wrappedKind(full) != data.KindNull && s.Kind() != data.KindStruct {
		v.op = asWrapper
		v.wrapped, err = p.field(s, f.Message().Fields().Get(0))
		return err
	}
	if s.Kind() != data.KindStruct {
		return mismatch(s, f)
	}
	v.op = asMessage
	v.message, err = p.message(s, f.Message())
	return err
}
