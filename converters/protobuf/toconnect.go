package protobuf

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/streamlane/connect/data"
)

// toConnect makes Connect schemas of messages, as ProtobufData's toConnectSchema
// does.
type toConnect struct {
	*options
	// open are the messages around the one under way, with those that stand for them
	// inside.
	open map[protoreflect.FullName]*openMessage
	// done are the messages that were converted: one that comes again has the same
	// fields.
	done map[protoreflect.FullName]*data.Schema
}

type openMessage struct{ inside []inside }

// inside is a field that is of a message around it: a schema of its own, with the
// number of the field, bound when the message is known.
type inside struct {
	ref *data.Reference
	tag protoreflect.FieldNumber // 0: it is an element of the field, which has the number itself
}

// connectSchema returns the Connect schema of a root message.
func (o *options) connectSchema(m protoreflect.MessageDescriptor, version int) (*data.Schema, error) {
	t := &toConnect{options: o, open: make(map[protoreflect.FullName]*openMessage), done: make(map[protoreflect.FullName]*data.Schema)}
	b, err := t.root(m)
	if err != nil {
		return nil, err
	}
	if version > 0 {
		b.Version(version)
	}
	s, err := b.Build()
	if err != nil {
		return nil, err
	}
	return s, t.close(m, s)
}

func (t *toConnect) root(m protoreflect.MessageDescriptor) (*data.Builder, error) {
	if k := wrappedKind(string(m.FullName())); k != data.KindNull && t.wrapperRaw {
		return data.NewBuilder(k), nil
	}
	return t.message(m)
}

// message starts the STRUCT of a message: oneofs come first. Who builds it closes
// it.
func (t *toConnect) message(m protoreflect.MessageDescriptor) (*data.Builder, error) {
	if len(t.open) > maxDepth {
		return nil, dataError("nested deeper than %d levels", maxDepth)
	}
	b := data.StructBuilder().Name(t.name(m))
	if done, ok := t.done[m.FullName()]; ok {
		for _, f := range done.Fields() {
			b.Field(f.Name, f.Schema)
		}
		return b, nil
	}
	t.open[m.FullName()] = &openMessage{}
	for i := range m.Oneofs().Len() {
		o := m.Oneofs().Get(i)
		if o.IsSynthetic() {
			continue
		}
		if err := t.oneof(b, o); err != nil {
			return nil, fmt.Errorf("oneof %q: %w", o.Name(), err)
		}
	}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if realOneof(f) != nil {
			continue
		}
		fs, err := t.field(f, false)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name(), err)
		}
		b.Field(string(f.Name()), fs)
	}
	return b, nil
}

func realOneof(f protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o
	}
	return nil
}

// name returns the name of a message or an enum.
func (t *toConnect) name(d protoreflect.Descriptor) string {
	if t.enhanced {
		return string(d.FullName())
	}
	return string(d.Name())
}

// close binds the schemas that stand for a message inside of itself.
func (t *toConnect) close(m protoreflect.MessageDescriptor, s *data.Schema) error {
	open := t.open[m.FullName()]
	if open == nil {
		return nil // a wrapper, or one that was closed before
	}
	delete(t.open, m.FullName())
	t.done[m.FullName()] = s
	for _, in := range open.inside {
		b := data.StructBuilder().Name(s.Name()).Optional()
		if in.tag > 0 {
			b.Parameter(tagParam, strconv.Itoa(int(in.tag)))
		}
		for _, f := range s.Fields() {
			b.Field(f.Name, f.Schema)
		}
		same, err := b.Build()
		if err != nil {
			return err
		}
		if err := in.ref.Bind(same); err != nil {
			return err
		}
	}
	return nil
}

func (t *toConnect) oneof(b *data.Builder, o protoreflect.OneofDescriptor) error {
	union := data.StructBuilder().Optional()
	if t.generalized {
		union.Name(string(o.Name())).Parameter(generalUnion, string(o.Name()))
	} else {
		union.Name(unionPrefix + t.name(o))
	}
	for i := range o.Fields().Len() {
		f := o.Fields().Get(i)
		fs, err := t.field(f, true)
		if err != nil {
			return fmt.Errorf("member %q: %w", f.Name(), err)
		}
		if t.flatten {
			b.Field(string(f.Name()), fs)
		}
		union.Field(string(f.Name()), fs)
	}
	if t.flatten {
		return nil
	}
	s, err := union.Build()
	if err != nil {
		return err
	}
	b.Field(t.oneofField(o), s)
	return nil
}

// oneofField names the field of a oneof.
func (o *options) oneofField(d protoreflect.OneofDescriptor) string {
	if o.unionIndex {
		return string(d.Name()) + "_" + strconv.Itoa(d.Index())
	}
	return string(d.Name())
}

// field converts a field, repeated or not.
func (t *toConnect) field(f protoreflect.FieldDescriptor, member bool) (*data.Schema, error) {
	if f.Kind() == protoreflect.MessageKind && !f.IsList() && !f.IsMap() {
		if open, ok := t.open[f.Message().FullName()]; ok {
			in := inside{data.NewReference(), f.Number()}
			open.inside = append(open.inside, in)
			return in.ref.Optional(), nil
		}
	}
	b, optional, done, err := t.singular(f)
	if err != nil {
		return nil, err
	}
	if f.IsList() && !isEntries(f) {
		elem := done
		if elem == nil {
			if elem, err = t.build(b.Optional(), f); err != nil {
				return nil, err
			}
		}
		b, optional = data.ArrayBuilder(elem), true
	}
	switch {
	case member, optional, !t.optionalNulls && !t.wrapperNulls:
		b.Optional()
	case f.HasOptionalKeyword(): // with wrapper.for.nullables alone too, unlike Java: it may be null
		b.Optional()
	}
	if member && t.wrapperNulls && f.Kind() == protoreflect.MessageKind && wrappedKind(string(f.Message().FullName())) != data.KindNull {
		b.Parameter(wrapperParam, "true")
	}
	b.Parameter(tagParam, strconv.Itoa(int(f.Number())))
	if f.IsList() && !isEntries(f) || f.Kind() != protoreflect.MessageKind || f.IsMap() {
		return b.Build()
	}
	return t.build(b, f)
}

// build builds the schema of a field, and closes its message.
func (t *toConnect) build(b *data.Builder, f protoreflect.FieldDescriptor) (*data.Schema, error) {
	s, err := b.Build()
	if err != nil || f.Kind() != protoreflect.MessageKind {
		return s, err
	}
	return s, t.close(f.Message(), s)
}

// singular starts the schema of a field as if it were not repeated. done is set in
// place of b for elements of a message around them.
func (t *toConnect) singular(f protoreflect.FieldDescriptor) (b *data.Builder, optional bool, done *data.Schema, err error) {
	switch f.Kind() {
	case protoreflect.EnumKind:
		return t.enum(f.Enum()), true, nil, nil
	case protoreflect.GroupKind:
		return nil, false, nil, dataError("a group has no Connect schema")
	case protoreflect.MessageKind:
		if isEntries(f) {
			b, err = t.mapping(f.Message())
			return b, true, nil, err
		}
		if open, ok := t.open[f.Message().FullName()]; ok {
			in := inside{ref: data.NewReference()}
			open.inside = append(open.inside, in)
			return nil, true, in.ref.Optional(), nil
		}
		b, err = t.messageField(f)
		return b, true, nil, err
	}
	return scalar(f), false, nil, nil
}

func scalar(f protoreflect.FieldDescriptor) *data.Builder {
	switch f.Kind() {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		switch metaOf(f)["connect.type"] {
		case "int8":
			return data.NewBuilder(data.KindInt8)
		case "int16":
			return data.NewBuilder(data.KindInt16)
		}
		b := data.NewBuilder(data.KindInt32)
		if f.Kind() != protoreflect.Int32Kind {
			b.Parameter(typeParam, f.Kind().String())
		}
		return b
	case protoreflect.FloatKind:
		return data.NewBuilder(data.KindFloat32)
	case protoreflect.DoubleKind:
		return data.NewBuilder(data.KindFloat64)
	case protoreflect.BoolKind:
		return data.NewBuilder(data.KindBoolean)
	case protoreflect.StringKind:
		return data.NewBuilder(data.KindString)
	case protoreflect.BytesKind:
		return data.NewBuilder(data.KindBytes)
	}
	b := data.NewBuilder(data.KindInt64)
	if f.Kind() != protoreflect.Int64Kind {
		b.Parameter(typeParam, f.Kind().String())
	}
	return b
}

func (t *toConnect) enum(e protoreflect.EnumDescriptor) *data.Builder {
	kind := data.KindString
	if t.intEnums {
		kind = data.KindInt32
	}
	b := data.NewBuilder(kind).Name(t.name(e)).Parameter(t.enumParam(), string(e.Name()))
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		b.Parameter(t.enumParam()+"."+string(v.Name()), strconv.Itoa(int(v.Number())))
	}
	return b
}

func (t *toConnect) messageField(f protoreflect.FieldDescriptor) (*data.Builder, error) {
	m := f.Message()
	switch m.FullName() {
	case decimalType:
		params := metaOf(f)
		scale, _ := strconv.ParseInt(params["scale"], 10, 32)
		b := data.DecimalBuilder(int(scale))
		if precision, err := strconv.ParseInt(params["precision"], 10, 32); err == nil {
			b.Parameter(precisionParam, strconv.FormatInt(precision, 10))
		}
		return b, nil
	case dateType:
		return data.DateBuilder(), nil
	case timeType:
		return data.TimeBuilder(), nil
	case timestampType:
		return data.TimestampBuilder(), nil
	}
	if k := wrappedKind(string(m.FullName())); k != data.KindNull && t.wrapperNulls {
		return data.NewBuilder(k), nil
	}
	return t.message(m)
}

// isEntries tells whether a repeated field is a map: one of Protobuf's, or one by
// the names that Connect gives.
func isEntries(f protoreflect.FieldDescriptor) bool {
	if f.IsMap() {
		return true
	}
	if !f.IsList() || f.Kind() != protoreflect.MessageKind || !strings.HasSuffix(string(f.Message().Name()), entrySuffix) {
		return false
	}
	fields := f.Message().Fields()
	return fields.Len() == 2 && fields.Get(0).Name() == mapKey && fields.Get(1).Name() == mapValue && !fields.Get(0).IsList() && !fields.Get(1).IsList()
}

func (t *toConnect) mapping(m protoreflect.MessageDescriptor) (*data.Builder, error) {
	// An entry that holds itself by its value is open too.
	if _, ok := t.open[m.FullName()]; ok {
		return nil, dataError("the entry %q of a map holds itself", m.Name())
	}
	t.open[m.FullName()] = &openMessage{}
	defer delete(t.open, m.FullName())
	key, err := t.field(m.Fields().Get(0), false)
	if err != nil {
		return nil, fmt.Errorf("map key: %w", err)
	}
	value, err := t.field(m.Fields().Get(1), false)
	if err != nil {
		return nil, fmt.Errorf("map value: %w", err)
	}
	return data.MapBuilder(key, value).Name(mapFieldName(t.name(m))), nil
}

// metaOf returns the parameters that a field carries in the option
// confluent.field_meta. The option is read from its bytes: it is not among those
// that Go knows.
func metaOf(f protoreflect.FieldDescriptor) map[string]string {
	o, ok := f.Options().(*descriptorpb.FieldOptions)
	if !ok || o == nil {
		return nil
	}
	b, err := proto.Marshal(o)
	if err != nil {
		return nil
	}
	var params map[string]string
	eachField(b, fieldMeta, func(meta []byte) {
		eachField(meta, 2, func(entry []byte) {
			var key, value string
			eachField(entry, 1, func(b []byte) { key = string(b) })
			eachField(entry, 2, func(b []byte) { value = string(b) })
			if params == nil {
				params = make(map[string]string)
			}
			params[key] = value
		})
	})
	return params
}

// fieldMeta is the number of confluent.field_meta.
const fieldMeta = 1088

// eachField calls f for each field of that number that has bytes.
func eachField(b []byte, number protowire.Number, f func([]byte)) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		size := protowire.ConsumeFieldValue(num, typ, b)
		if size < 0 {
			return
		}
		if num == number && typ == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b)
			f(v)
		}
		b = b[size:]
	}
}
