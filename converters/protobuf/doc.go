// Package protobuf is the converter of Kafka Connect data to Protocol Buffers with
// schemas in a schema registry: the twin of
// io.confluent.connect.protobuf.ProtobufConverter. Records, subjects, schemas and
// keys are those of Confluent's, so either reads what the other wrote.
//
//	value.converter=io.confluent.connect.protobuf.ProtobufConverter
//	value.converter.schema.registry.url=http://localhost:8081
//
// # From Connect to Protobuf
//
// A STRUCT becomes a message of proto3, in the package of its name; structs without
// a name are ConnectDefault1, ConnectDefault2, ...
//
//	Connect                       Protobuf
//	INT8, INT16                   int32 with [(confluent.field_meta) = {params: [{key: "connect.type", value: "int8"}]}]
//	INT32, INT64                  int32, int64; or what the parameter io.confluent.connect.protobuf.Type says (sint32, uint64, ...)
//	FLOAT32, FLOAT64              float, double
//	BOOLEAN, STRING, BYTES        bool, string, bytes
//	STRING with an enum's parameters  enum (parameters io.confluent.connect.protobuf.Enum, ...Enum.<symbol> with its number)
//	Decimal                       confluent.type.Decimal, with precision and scale in field_meta
//	Date, Time, Timestamp         google.type.Date, google.type.TimeOfDay, google.protobuf.Timestamp
//	ARRAY                         repeated; arrays of arrays or maps have no form
//	MAP                           repeated <Name>Entry {key, value}, a message inside
//	STRUCT                        message inside; the name gets "Message" behind it where the field has the same
//	STRUCT io.confluent.connect.protobuf.Union.<name>  oneof
//	optional X                    X; "optional X" with optional.for.nullables, a wrapper with wrapper.for.nullables
//
// Fields are numbered in their order, or by the parameter
// io.confluent.connect.protobuf.Tag. So
//
//	{"type":"struct","name":"shop.Order","fields":[{"field":"id","type":"int64"},{"field":"n","type":"int8"}]}
//
// becomes
//
//	syntax = "proto3";
//	package shop;
//
//	import "confluent/meta.proto";
//
//	message Order {
//	  int64 id = 1;
//	  int32 n = 2 [(confluent.field_meta) = {params: [{key: "connect.type", value: "int8"}]}];
//	}
//
// A primitive at the root is a message of google/protobuf/wrappers.proto. Arrays,
// maps, unions and logical types at the root are refused. Null is Kafka's null.
// Defaults, documentation and versions have no place in a message and are lost, as
// in Java; a null field under a schema with a default is written as the default
// (ignore.default.for.nullables=true writes null).
//
// # From Protobuf to Connect
//
// Which message a record is says the record, by its indexes. Fields of a message
// are optional and have the parameter ...Tag; with optional.for.nullables or
// wrapper.for.nullables only those are optional that may be null. A field that a
// record does not have is zero, null if it is a message or optional. uint32 and
// fixed32 are INT64; other types of integers come with the parameter ...Type.
// Names are short, with enhanced.protobuf.schema.support full. A oneof is a field
// <name>_<index> (generate.index.for.unions), or its members are fields
// (flatten.unions). Enums are STRINGs, numbers with int.for.enums; a number without
// a symbol is UNKNOWN_ENUM_VALUE_<enum>_<number>. Messages that hold themselves are
// late-bound schemas. Groups have no Connect schema.
//
// # How it works
//
// bufbuild/protocompile compiles the text once per schema; each pair of schemas is
// laid out once, as an encoder or decoder that records go through: neither makes
// messages. Go's dynamicpb is the witness in tests (docs/adr/0027).
package protobuf
