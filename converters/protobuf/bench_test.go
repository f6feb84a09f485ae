package protobuf_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/internal/schematest"
)

func BenchmarkEncode(b *testing.B) {
	r := fake(b)
	b.Run("connect", func(b *testing.B) { schematest.Encode(b, converter(b, r, nil)) })
	b.Run("dynamicpb", func(b *testing.B) {
		m, out := witness(b)
		b.ReportAllocs()
		b.SetBytes(int64(len(out)))
		for b.Loop() {
			out, _ = proto.MarshalOptions{}.MarshalAppend(out[:0], m.Interface())
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	r := fake(b)
	b.Run("connect", func(b *testing.B) { schematest.Decode(b, converter(b, r, nil)) })
	b.Run("dynamicpb", func(b *testing.B) {
		m, out := witness(b)
		b.ReportAllocs()
		b.SetBytes(int64(len(out)))
		for b.Loop() {
			_ = proto.Unmarshal(out, dynamicpb.NewMessage(m.Descriptor()))
		}
	})
}

// witness returns the record as one of Go's dynamic messages.
func witness(b *testing.B) (protoreflect.Message, []byte) {
	out, _, err := converter(b, fake(b), nil).AppendEncode(b.Context(), nil, &connect.Wire{Topic: "t"}, schematest.EightFields(b))
	require.NoError(b, err)
	field := func(name string, number int32, t descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: &t}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("order.proto"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Order"), Field: []*descriptorpb.FieldDescriptorProto{
			field("id", 1, descriptorpb.FieldDescriptorProto_TYPE_INT64), field("customer", 2, descriptorpb.FieldDescriptorProto_TYPE_STRING),
			field("item", 3, descriptorpb.FieldDescriptorProto_TYPE_STRING), field("count", 4, descriptorpb.FieldDescriptorProto_TYPE_INT32),
			field("price", 5, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE), field("weight", 6, descriptorpb.FieldDescriptorProto_TYPE_FLOAT),
			field("paid", 7, descriptorpb.FieldDescriptorProto_TYPE_BOOL), field("note", 8, descriptorpb.FieldDescriptorProto_TYPE_STRING),
		}}},
	}, nil)
	require.NoError(b, err)
	m := dynamicpb.NewMessage(file.Messages().Get(0))
	require.NoError(b, proto.Unmarshal(out[6:], m))
	return m, out[6:]
}
