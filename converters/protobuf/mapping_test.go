package protobuf

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

const (
	intEnums    = "int.for.enums"
	flatten     = "flatten.unions"
	noIndex     = "-generate.index.for.unions"
	generalized = "generalized.sum.type.support"
	scrub       = "scrub.invalid.names"
)

// structOf is the JSON form of a STRUCT.
func structOf(name string, fields ...string) string {
	return `{"type":"struct","fields":[` + strings.Join(fields, ",") + `],"optional":false,"name":"` + name + `"}`
}

// TestToProtobuf has the files that ProtobufData makes of Connect schemas; "!" for
// an error.
func TestToProtobuf(t *testing.T) {
	inner := `"fields":[{"type":"int32","optional":false,"field":"n"}]`
	for _, c := range []struct {
		connect, file string
		keys          []string
	}{
		{
			connect: structOf("shop.Order", `{"type":"int8","optional":false,"field":"a"}`, `{"type":"int16","optional":false,"field":"b"}`, `{"type":"int32","optional":false,"field":"c"}`,
				`{"type":"int64","optional":false,"field":"d"}`, `{"type":"float","optional":false,"field":"e"}`, `{"type":"double","optional":false,"field":"f"}`,
				`{"type":"boolean","optional":true,"field":"g"}`, `{"type":"string","optional":true,"field":"h"}`, `{"type":"bytes","optional":true,"field":"i"}`),
			file: `syntax = "proto3";
package shop;

import "confluent/meta.proto";

message Order {
  int32 a = 1 [(confluent.field_meta) = {params: [{key: "connect.type", value: "int8"}]}];
  int32 b = 2 [(confluent.field_meta) = {params: [{key: "connect.type", value: "int16"}]}];
  int32 c = 3;
  int64 d = 4;
  float e = 5;
  double f = 6;
  bool g = 7;
  string h = 8;
  bytes i = 9;
}
`,
		},
		{ // optional fields have a label, if asked
			connect: structOf("R", `{"type":"int32","optional":true,"field":"a"}`, `{"type":"int32","optional":false,"field":"b"}`), keys: []string{optionals},
			file: "syntax = \"proto3\";\n\nmessage R {\n  optional int32 a = 1;\n  int32 b = 2;\n}\n",
		},
		{ // or are wrappers
			connect: structOf("R", `{"type":"int64","optional":true,"field":"a"}`, `{"type":"int32","optional":false,"field":"b"}`), keys: []string{wrapped},
			file: "syntax = \"proto3\";\n\nimport \"google/protobuf/wrappers.proto\";\n\nmessage R {\n  google.protobuf.Int64Value a = 1;\n  int32 b = 2;\n}\n",
		},
		{
			connect: structOf("R", `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"9"},"field":"a"}`,
				`{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"b"}`, `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1,"field":"c"}`,
				`{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"d"}`),
			file: `syntax = "proto3";

import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";
import "google/type/timeofday.proto";

message R {
  confluent.type.Decimal a = 1 [(confluent.field_meta) = {params: [{key: "precision", value: "9"}, {key: "scale", value: "2"}]}];
  google.type.Date b = 2;
  google.type.TimeOfDay c = 3;
  google.protobuf.Timestamp d = 4;
}
`,
		},
		{ // numbers and types of their own
			connect: structOf("R", `{"type":"int32","optional":false,"parameters":{"io.confluent.connect.protobuf.Tag":"7","io.confluent.connect.protobuf.Type":"sint32"},"field":"a"}`,
				`{"type":"int64","optional":false,"parameters":{"io.confluent.connect.protobuf.Tag":"1","io.confluent.connect.protobuf.Type":"uint32"},"field":"b"}`, `{"type":"string","optional":false,"field":"c"}`),
			file: "syntax = \"proto3\";\n\nmessage R {\n  sint32 a = 7;\n  uint32 b = 1;\n  string c = 2;\n}\n",
		},
		{
			connect: structOf("R", `{"type":"array","items":{"type":"string","optional":false},"optional":false,"field":"a"}`,
				`{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int64","optional":false},"optional":false,"field":"b"}`,
				`{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"struct",`+inner+`,"optional":false,"name":"In"},"optional":true,"name":"line_items","field":"c"}`),
			file: `syntax = "proto3";

message R {
  repeated string a = 1;
  repeated ConnectDefault1Entry b = 2;
  repeated LineItemsEntry c = 3;

  message ConnectDefault1Entry {
    string key = 1;
    int64 value = 2;
  }

  message LineItemsEntry {
    int32 key = 1;
    In value = 2;

    message In {
      int32 n = 1;
    }
  }
}
`,
		},
		{ // structs inside; one that is called as its field is
			connect: structOf("a.b.R", `{"type":"struct",`+inner+`,"optional":false,"name":"x.y.In","field":"one"}`, `{"type":"struct",`+inner+`,"optional":true,"name":"x.y.In","field":"two"}`,
				`{"type":"struct",`+inner+`,"optional":false,"name":"three","field":"three"}`),
			file: `syntax = "proto3";
package a.b;

message R {
  In one = 1;
  In two = 2;
  threeMessage three = 3;

  message In {
    int32 n = 1;
  }

  message threeMessage {
    int32 n = 1;
  }
}
`,
		},
		{
			connect: structOf("R", `{"type":"string","optional":false,"name":"Color","parameters":{"io.confluent.connect.protobuf.Enum":"Color","io.confluent.connect.protobuf.Enum.RED":"0","io.confluent.connect.protobuf.Enum.BLUE":"5"},"field":"a"}`,
				`{"type":"struct","fields":[{"type":"string","optional":true,"field":"text"},{"type":"int32","optional":true,"field":"number"}],"optional":true,"name":"io.confluent.connect.protobuf.Union.choice","field":"choice_0"}`),
			file: `syntax = "proto3";

message R {
  Color a = 1;
  oneof choice {
    string text = 2;
    int32 number = 3;
  }

  enum Color {
    RED = 0;
    BLUE = 5;
  }
}
`,
		},
		{
			connect: structOf("R", `{"type":"string","optional":false,"name":"Color","parameters":{"org.apache.kafka.connect.data.Enum":"Color","org.apache.kafka.connect.data.Enum.RED":"0"},"field":"a"}`,
				`{"type":"struct","fields":[{"type":"string","optional":true,"field":"text"}],"optional":true,"name":"choice","parameters":{"org.apache.kafka.connect.data.Union":"choice"},"field":"choice_0"}`),
			keys: []string{generalized},
			file: "syntax = \"proto3\";\n\nmessage R {\n  Color a = 1;\n  oneof choice {\n    string text = 2;\n  }\n\n  enum Color {\n    RED = 0;\n  }\n}\n",
		},
		{
			connect: structOf("my-space.R w", `{"type":"string","optional":false,"field":"na-me"}`, `{"type":"string","optional":false,"field":"1st"}`), keys: []string{scrub},
			file: "syntax = \"proto3\";\npackage my_space;\n\nmessage R_w {\n  string na_me = 1;\n  string x1st = 2;\n}\n",
		},
		{connect: structOf("R", `{"type":"string","optional":false,"field":"na-me"}`), file: `!field "na-me" is no name that Protobuf allows`},
		{connect: structOf("R R", `{"type":"string","optional":false,"field":"a"}`), file: `!message "R R" is no name`},
		{connect: structOf("R", `{"type":"array","items":{"type":"array","items":{"type":"string","optional":false},"optional":false},"optional":false,"field":"a"}`), file: "!ARRAY of ARRAY has no Protobuf form"},
		{connect: `{"type":"array","items":{"type":"string","optional":false},"optional":false}`, file: "!Unsupported root schema"},
		{connect: `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}`, file: "!root"},
		{connect: structOf("R", `{"type":"int32","optional":false,"parameters":{"io.confluent.connect.protobuf.Tag":"1"},"field":"a"}`, `{"type":"int32","optional":false,"parameters":{"io.confluent.connect.protobuf.Tag":"1"},"field":"b"}`), file: "!the number 1 of a field is there twice"},
		{connect: structOf("R", `{"type":"int32","optional":false,"parameters":{"io.confluent.connect.protobuf.Tag":"x"},"field":"a"}`), file: "!want a number of a field"},
		{connect: structOf("R", `{"type":"int32","optional":false,"parameters":{"io.confluent.connect.protobuf.Tag":"19001"},"field":"a"}`), file: "!19001"},
		{connect: structOf("R", `{"type":"struct",`+inner+`,"optional":false,"name":"In","field":"one"}`, `{"type":"struct","fields":[],"optional":true,"name":"In","field":"two"}`), file: `!two different schemas are both called "In"`},
		{
			connect: structOf("R", `{"type":"struct","fields":[{"type":"array","items":{"type":"int32","optional":false},"optional":true,"field":"a"}],"optional":true,"name":"io.confluent.connect.protobuf.Union.u","field":"u_0"}`),
			file:    "!for which a oneof has no place",
		},
	} {
		t.Run(c.connect, func(t *testing.T) {
			f := &format{*optionsOf(t, c.keys...)}
			d, err := f.Draft(schematest.Schema(t, c.connect))
			if c.file[0] == '!' {
				assert.ErrorContains(t, err, c.file[1:])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.file, d.Text)
		})
	}
}

// TestToConnect has the Connect schemas that ProtobufData makes of messages.
func TestToConnect(t *testing.T) {
	tag := func(n string) string { return `"parameters":{"io.confluent.connect.protobuf.Tag":"` + n + `"}` }
	for _, c := range []struct {
		file, connect string
		path          []int
		keys          []string
	}{
		{
			file: `syntax = "proto3"; package p; message R { int32 a = 1; uint32 b = 2; fixed64 c = 9; }`,
			connect: structOf("R", `{"type":"int32","optional":true,`+tag("1")+`,"field":"a"}`,
				`{"type":"int64","optional":true,"parameters":{"io.confluent.connect.protobuf.Type":"uint32","io.confluent.connect.protobuf.Tag":"2"},"field":"b"}`,
				`{"type":"int64","optional":true,"parameters":{"io.confluent.connect.protobuf.Type":"fixed64","io.confluent.connect.protobuf.Tag":"9"},"field":"c"}`),
		},
		{file: `syntax = "proto3"; package p; message R { int32 a = 1; }`, keys: []string{enhanced}, connect: structOf("p.R", `{"type":"int32","optional":true,`+tag("1")+`,"field":"a"}`)},
		{
			file: `syntax = "proto3"; message R { int32 a = 1; optional int32 b = 2; repeated int32 c = 3; }`, keys: []string{optionals},
			connect: structOf("R", `{"type":"int32","optional":false,`+tag("1")+`,"field":"a"}`, `{"type":"int32","optional":true,`+tag("2")+`,"field":"b"}`,
				`{"type":"array","items":{"type":"int32","optional":true},"optional":true,`+tag("3")+`,"field":"c"}`),
		},
		{
			file: `syntax = "proto3"; import "google/protobuf/wrappers.proto"; message R { google.protobuf.Int32Value a = 1; int32 b = 2; }`, keys: []string{wrapped},
			connect: structOf("R", `{"type":"int32","optional":true,`+tag("1")+`,"field":"a"}`, `{"type":"int32","optional":false,`+tag("2")+`,"field":"b"}`),
		},
		{
			file:    `syntax = "proto3"; import "google/protobuf/wrappers.proto"; message R { google.protobuf.Int32Value a = 1; }`,
			connect: structOf("R", `{"type":"struct","fields":[{"type":"int32","optional":true,`+tag("1")+`,"field":"value"}],"optional":true,"name":"Int32Value",`+tag("1")+`,"field":"a"}`),
		},
		{
			file: `syntax = "proto3"; message R { string z = 1; oneof choice { string text = 2; int32 number = 3; } enum E { A = 0; B = 2; } E e = 4; }`,
			connect: structOf("R", `{"type":"struct","fields":[{"type":"string","optional":true,`+tag("2")+`,"field":"text"},{"type":"int32","optional":true,`+tag("3")+`,"field":"number"}],"optional":true,"name":"io.confluent.connect.protobuf.Union.choice","field":"choice_0"}`,
				`{"type":"string","optional":true,`+tag("1")+`,"field":"z"}`,
				`{"type":"string","optional":true,"name":"E","parameters":{"io.confluent.connect.protobuf.Enum":"E","io.confluent.connect.protobuf.Enum.A":"0","io.confluent.connect.protobuf.Enum.B":"2","io.confluent.connect.protobuf.Tag":"4"},"field":"e"}`),
		},
		{
			file: `syntax = "proto3"; message R { oneof choice { string text = 2; } enum E { A = 0; } E e = 4; }`, keys: []string{intEnums, noIndex},
			connect: structOf("R", `{"type":"struct","fields":[{"type":"string","optional":true,`+tag("2")+`,"field":"text"}],"optional":true,"name":"io.confluent.connect.protobuf.Union.choice","field":"choice"}`,
				`{"type":"int32","optional":true,"name":"E","parameters":{"io.confluent.connect.protobuf.Enum":"E","io.confluent.connect.protobuf.Enum.A":"0","io.confluent.connect.protobuf.Tag":"4"},"field":"e"}`),
		},
		{
			file: `syntax = "proto3"; message R { oneof choice { string text = 2; int32 number = 3; } int32 a = 1; }`, keys: []string{flatten},
			connect: structOf("R", `{"type":"string","optional":true,`+tag("2")+`,"field":"text"}`, `{"type":"int32","optional":true,`+tag("3")+`,"field":"number"}`, `{"type":"int32","optional":true,`+tag("1")+`,"field":"a"}`),
		},
		{
			file: `syntax = "proto3"; message R { oneof choice { string text = 2; } enum E { A = 0; } E e = 4; }`, keys: []string{generalized},
			connect: structOf("R", `{"type":"struct","fields":[{"type":"string","optional":true,`+tag("2")+`,"field":"text"}],"optional":true,"name":"choice","parameters":{"org.apache.kafka.connect.data.Union":"choice"},"field":"choice_0"}`,
				`{"type":"string","optional":true,"name":"E","parameters":{"org.apache.kafka.connect.data.Enum":"E","org.apache.kafka.connect.data.Enum.A":"0","io.confluent.connect.protobuf.Tag":"4"},"field":"e"}`),
		},
		{ // maps of Protobuf's own, and by the names that Connect gives
			file: `syntax = "proto3"; message R { map<string, int32> per_day = 1; repeated XEntry x = 2; message XEntry { string key = 1; bool value = 2; } }`,
			connect: structOf("R", `{"type":"map","keys":{"type":"string","optional":true,`+tag("1")+`},"values":{"type":"int32","optional":true,`+tag("2")+`},"optional":true,"name":"per_day",`+tag("1")+`,"field":"per_day"}`,
				`{"type":"map","keys":{"type":"string","optional":true,`+tag("1")+`},"values":{"type":"boolean","optional":true,`+tag("2")+`},"optional":true,"name":"x",`+tag("2")+`,"field":"x"}`),
		},
		{
			file: `syntax = "proto3"; message A { message B { message C { int32 c = 5; } } } message D {}`, path: []int{0, 0, 0},
			connect: structOf("C", `{"type":"int32","optional":true,`+tag("5")+`,"field":"c"}`),
		},
		{file: `syntax = "proto3"; message A {} message D {}`, path: []int{1}, connect: structOf("D")},
		{ // Java's converter writes defaults into proto3
			file:    `syntax = "proto3"; message A { int32 a = 1 [default = 3, deprecated = true]; }`,
			connect: structOf("A", `{"type":"int32","optional":true,`+tag("1")+`,"field":"a"}`),
		},
		{
			file:    `syntax = "proto3"; import "confluent/meta.proto"; message A { int32 a = 1 [(confluent.field_meta) = {params: [{key: "connect.type", value: "int16"}]}]; }`,
			connect: structOf("A", `{"type":"int16","optional":true,`+tag("1")+`,"field":"a"}`),
		},
		{ // the same with the long form of the option, as Java prints it
			file:    "syntax = \"proto3\";\nimport \"confluent/meta.proto\";\nimport \"confluent/type/decimal.proto\";\nmessage A {\n  confluent.type.Decimal a = 1 [(confluent.field_meta) = {\n    params: [\n      {\n        key: \"precision\",\n        value: \"9\"\n      },\n      {\n        value: \"2\",\n        key: \"scale\"\n      }\n    ]\n  }];\n}\n",
			connect: structOf("A", `{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"9","io.confluent.connect.protobuf.Tag":"1"},"field":"a"}`),
		},
		{file: `syntax = "proto2"; message A { required int32 a = 1; optional string b = 2 [default = "x"]; }`, connect: structOf("A", `{"type":"int32","optional":true,`+tag("1")+`,"field":"a"}`, `{"type":"string","optional":true,`+tag("2")+`,"field":"b"}`)},
		{file: `syntax = "proto2"; message A { optional group B = 2 { } }`, connect: "!a group has no Connect schema"},
		{file: `syntax = "proto3"; message A {}`, path: []int{3}, connect: "!no such message"},
		{file: `syntax = "proto3"; message A {}`, path: []int{0, 0}, connect: "!no such message"},
		{file: `syntax = "proto3"; import "other.proto"; message A {}`, connect: `!"other.proto" is no reference of the schema`},
		{file: `syntax = "proto3"; message A { Unknown a = 1; }`, connect: "!Unknown"},
		{file: `{"type":"object"}`, connect: "!cannot be compiled"},
	} {
		t.Run(c.file, func(t *testing.T) {
			o := optionsOf(t, c.keys...)
			file, err := compile(map[string]string{rootFile: c.file})
			var s *data.Schema
			if err == nil {
				path := c.path
				if path == nil {
					path = []int{0}
				}
				m, found := messageAt(file, path)
				if err = found; err == nil {
					s, err = o.connectSchema(m, 0)
				}
			}
			if c.connect[0] == '!' {
				assert.ErrorContains(t, err, c.connect[1:])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.connect, schematest.Text(t, s))
		})
	}
}

// TestRecursive: messages that hold themselves are late-bound schemas, and the
// other way round.
func TestRecursive(t *testing.T) {
	m := messageIn(t, `syntax = "proto3"; message Node { int32 value = 1; Node next = 2; repeated Node more = 3; map<string, Other> others = 4; message Other { Node back = 1; } }`)
	o := optionsOf(t, optionals)
	s, err := o.connectSchema(m, 0)
	require.NoError(t, err)
	next := s.Fields()[1].Schema
	assert.True(t, next.Optional())
	assert.Equal(t, "Node", next.Name())
	assert.Equal(t, 4, len(next.Fields()))
	assert.Equal(t, "Node", s.Fields()[2].Schema.ElemSchema().Name())
	assert.Equal(t, "Node", s.Fields()[3].Schema.ElemSchema().Fields()[0].Schema.Name())
	text, _, _, err := o.protoFile(s)
	require.NoError(t, err)
	again, err := o.connectSchema(messageIn(t, text), 0)
	require.NoError(t, err)
	assert.True(t, s.Equal(again), text)
}

// TestReferences: a schema is compiled with those that it refers to, by their names.
func TestReferences(t *testing.T) {
	root := registry.Registered{ID: 3, Schema: registry.Schema{Type: registry.Protobuf, Text: `syntax = "proto3"; import "lib/money.proto"; message Order { lib.Money price = 1; }`}}
	money := registry.Part{Name: "lib/money.proto", Schema: registry.Schema{Type: registry.Protobuf, Text: `syntax = "proto3"; package lib; message Money { int64 units = 1; }`}}
	f := &format{*optionsOf(t)}
	d, err := f.Decoder(registry.Resolved{Registered: root, Parts: []registry.Part{money}}, nil, "")
	require.NoError(t, err)
	v, err := d.Decode([]byte{10, 2, 8, 7})
	require.NoError(t, err)
	assert.Equal(t, "Struct{price=Struct{units=7}}", v.String())
	_, err = f.Decoder(registry.Resolved{Registered: root}, nil, "")
	assert.ErrorContains(t, err, "schema 3")
	money.Type = registry.JSON
	_, err = f.Decoder(registry.Resolved{Registered: root, Parts: []registry.Part{money}}, nil, "")
	assert.ErrorContains(t, err, `refers to "lib/money.proto", which is of type JSON`)
}

// TestValues: what is special about single values, by messages that Go's own
// library wrote.
func TestValues(t *testing.T) {
	const file = `syntax = "proto3"; import "google/protobuf/wrappers.proto"; import "confluent/type/decimal.proto"; import "google/type/date.proto";
		message R { enum E { A = 0; B = 2; } E e = 1; oneof choice { string text = 2; int32 number = 3; } google.protobuf.StringValue w = 4; repeated int32 n = 5;
		R inner = 6; confluent.type.Decimal d = 7; uint32 u = 8; google.type.Date day = 9; optional bytes raw = 10; map<string, int32> m = 11; }`
	for _, c := range []struct {
		wire, value string
		keys        []string
	}{
		{"", `Struct{e=A,n=[],u=0,m={}}`, nil},
		{"\x08\x02\x12\x01x", `Struct{choice_0=Struct{text=x},e=B,n=[],u=0,m={}}`, nil},
		{"\x12\x01x\x18\x00", `Struct{choice_0=Struct{number=0},e=A,n=[],u=0,m={}}`, nil}, // the last one counts
		{"\x08\x07", `Struct{e=UNKNOWN_ENUM_VALUE_E_7,n=[],u=0,m={}}`, nil},
		{"\x08\x07", `Struct{e=7,n=[],u=0,m={}}`, []string{intEnums}},
		{"\x22\x00", `Struct{e=A,w=,n=[],u=0,m={}}`, []string{wrapped}},
		{"\x22\x00", `Struct{e=A,w=Struct{value=},n=[],u=0,m={}}`, nil},
		{"\x2a\x02\x01\x02\x28\x03", `Struct{e=A,n=[1, 2, 3],u=0,m={}}`, nil},                                  // packed and not
		{"\x32\x02\x08\x02\x32\x02\x40\x05", `Struct{e=A,n=[],inner=Struct{e=B,n=[],u=5,m={}},u=0,m={}}`, nil}, // merged
		{"\x3a\x06\x0a\x02\x01\x00\x18\x02", `Struct{e=A,n=[],d=2.56,u=0,m={}}`, nil},
		{"\x40\xff\xff\xff\xff\x0f", `Struct{e=A,n=[],u=4294967295,m={}}`, nil},
		{"\x52\x00", `Struct{e=A,n=[],u=0,raw=,m={}}`, nil},
		{"\x5a\x03\x0a\x01k\x5a\x05\x0a\x01k\x10\x02", `Struct{e=A,n=[],u=0,m={k=2}}`, nil},
		{"\x4a\x02\x08\x01", "!is no day", nil},
		{"\x12\x01\xff", "!no UTF-8", nil},
		{"\x12\x05x", "!cut off", nil},
		{"\x08", "!cut off", nil},
		{"\xff\xff\xff\xff\x7f", "!tag", nil},
		{"\x0f", "!field 1", nil},
	} {
		o := optionsOf(t, c.keys...)
		m := messageIn(t, file)
		s, err := o.connectSchema(m, 0)
		require.NoError(t, err)
		l := &layout{options: o, made: make(map[laidOut]*decoder)}
		d, err := l.message(m, s)
		require.NoError(t, err)
		v, err := d.decodeRoot([]byte(c.wire))
		if c.value[0] == '!' {
			assert.ErrorContains(t, err, c.value[1:], "%q", c.wire)
			continue
		}
		require.NoError(t, err, "%q", c.wire)
		assert.Equal(t, c.value, v.String(), "%q", c.wire)
		assert.NoError(t, data.Validate(s, v, ""))
		e, err := (&planner{options: o, strict: true, made: make(map[plannedPair]*encoder)}).message(s, m)
		require.NoError(t, err)
		out, err := e.append(nil, v, 0)
		require.NoError(t, err)
		ours, theirs := dynamicpb.NewMessage(m), dynamicpb.NewMessage(m)
		require.NoError(t, proto.Unmarshal(out, ours))
		require.NoError(t, proto.Unmarshal([]byte(c.wire), theirs))
		if !strings.HasPrefix(c.wire, "\x3a") { // a precision that is not there is counted
			assert.True(t, proto.Equal(ours, theirs), "%q: %v and %v", c.wire, ours, theirs)
		}
	}
}
