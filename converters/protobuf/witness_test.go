package protobuf

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

// optionsOf decodes options from keys.
func optionsOf(t testing.TB, keys ...string) *options {
	t.Helper()
	props := config.Props{"converter.type": "value", "schema.registry.url": "http://localhost"}
	for _, k := range keys {
		if k[0] == '-' {
			props[k[1:]] = "false"
			continue
		}
		props[k] = "true"
	}
	var c Config
	require.NoError(t, config.Decode(props, &c))
	return &c.options
}

const (
	enhanced  = "enhanced.protobuf.schema.support"
	optionals = "optional.for.nullables"
	wrapped   = "wrapper.for.nullables"
)

func messageIn(t testing.TB, text string, path ...int) protoreflect.MessageDescriptor {
	t.Helper()
	file, err := compile(map[string]string{rootFile: text})
	require.NoError(t, err, text)
	if path == nil {
		path = []int{0}
	}
	m, err := messageAt(file, path)
	require.NoError(t, err)
	return m
}

// codec is both directions of a schema.
type codec struct {
	text    string
	message protoreflect.MessageDescriptor
	enc     registry.Encoder
	dec     *rootDecoder
}

func codecOf(t testing.TB, o *options, s *data.Schema) codec {
	t.Helper()
	f := &format{*o}
	d, err := f.Draft(s)
	require.NoError(t, err)
	enc, err := f.Encoder(s, d, nil, true)
	require.NoError(t, err, d.Text)
	dec, err := f.Decoder(registry.Resolved{Registered: registry.Registered{Schema: d.Schema}}, nil, string(enc.Indexes()))
	require.NoError(t, err, d.Text)
	return codec{d.Text, d.Parsed.(drafted).message, enc, dec.(*rootDecoder)}
}

// TestWitness: Go's own dynamic messages read what we write, find the same in it,
// and write what we read.
func TestWitness(t *testing.T) {
	for _, keys := range [][]string{{enhanced}, {enhanced, optionals}, {enhanced, wrapped}} {
		o := optionsOf(t, keys...)
		for seed := range uint64(150) {
			r := schematest.NewRandom(seed)
			r.Flat = true
			s := r.Struct(3)
			c := codecOf(t, o, s)
			again := codecOf(t, o, c.dec.schema)
			if len(keys) == 1 { // else messages come back as optional, and wrapped small integers as INT32
				require.Equal(t, c.text, again.text, "the schema that comes back makes the same file")
			}
			for range 3 {
				v := r.Value(s)
				b, err := c.enc.Append(nil, v)
				require.NoError(t, err, "%s\n%v", c.text, v)
				m := dynamicpb.NewMessage(c.message)
				require.NoError(t, proto.Unmarshal(b, m), "seed %d", seed)
				x, _ := v.Struct()
				sameStruct(t, x, m)
				theirs, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
				require.NoError(t, err)
				ours, err := c.dec.Decode(b)
				require.NoError(t, err)
				require.NoError(t, data.Validate(c.dec.schema, ours, ""))
				back, err := c.dec.Decode(theirs)
				require.NoError(t, err)
				assert.True(t, data.Equal(ours, back), "seed %d: %v and %v", seed, ours, back)
				if keys[len(keys)-1] == optionals { // else null comes back as zero, elements as wrappers
					b2, err := again.enc.Append(nil, back)
					require.NoError(t, err)
					m2 := dynamicpb.NewMessage(c.message)
					require.NoError(t, proto.Unmarshal(b2, m2))
					assert.True(t, proto.Equal(m, m2), "seed %d: written again", seed)
				}
			}
		}
	}
}

// sameStruct compares a struct with a message that knows nothing of Connect.
func sameStruct(t *testing.T, x *data.Struct, m protoreflect.Message) {
	t.Helper()
	for i, f := range x.Schema().Fields() {
		fd := m.Descriptor().Fields().ByName(protoreflect.Name(f.Name))
		require.NotNil(t, fd, f.Name)
		v := x.Raw(i)
		if v.IsNull() {
			assert.False(t, m.Has(fd), f.Name)
			continue
		}
		switch v.Kind() {
		case data.KindArray:
			elems, _ := v.Array()
			list := m.Get(fd).List()
			require.Equal(t, len(elems), list.Len(), f.Name)
			for j := range elems {
				sameValue(t, elems[j], list.Get(j), f.Name)
			}
		case data.KindMap:
			pairs, _ := v.Map()
			list := m.Get(fd).List()
			require.Equal(t, len(pairs), list.Len(), f.Name)
			for j, p := range pairs {
				entry := list.Get(j).Message()
				sameValue(t, p.Key, entry.Get(entry.Descriptor().Fields().ByName("key")), f.Name)
				if !p.Value.IsNull() {
					sameValue(t, p.Value, entry.Get(entry.Descriptor().Fields().ByName("value")), f.Name)
				}
			}
		default:
			sameValue(t, v, m.Get(fd), f.Name)
		}
	}
}

func sameValue(t *testing.T, v data.Value, p protoreflect.Value, what string) {
	t.Helper()
	if m, ok := p.Interface().(protoreflect.Message); ok {
		if x, ok := v.Struct(); ok {
			sameStruct(t, x, m)
			return
		}
		field := func(name protoreflect.Name) protoreflect.Value { return m.Get(m.Descriptor().Fields().ByName(name)) }
		switch m.Descriptor().FullName() {
		case timestampType:
			ms, _ := v.Millis()
			assert.Equal(t, ms, field("seconds").Int()*1000+field("nanos").Int()/1_000_000, what)
		case dateType:
			at, _ := v.Time()
			assert.Equal(t, at.Format("2006-1-2"), strconv.Itoa(int(field("year").Int()))+"-"+strconv.Itoa(int(field("month").Int()))+"-"+strconv.Itoa(int(field("day").Int())), what)
		case timeType:
			ms, _ := v.Millis()
			assert.Equal(t, ms, ((field("hours").Int()*60+field("minutes").Int())*60+field("seconds").Int())*1000+field("nanos").Int()/1_000_000, what)
		case decimalType:
			d, _ := v.Decimal()
			assert.Equal(t, d.AppendUnscaled(nil), field("value").Bytes(), what)
			assert.Equal(t, int64(d.Scale()), field("scale").Int(), what)
			assert.Equal(t, uint64(d.Precision()), field("precision").Uint(), what)
		default:
			sameValue(t, v, field("value"), what) // a wrapper
		}
		return
	}
	switch v.Kind() {
	case data.KindString:
		s, _ := v.Str()
		assert.Equal(t, s, p.String(), what)
	case data.KindBytes:
		b, _ := v.Bytes()
		assert.Equal(t, string(b), string(p.Bytes()), what)
	case data.KindBoolean:
		b, _ := v.Bool()
		assert.Equal(t, b, p.Bool(), what)
	case data.KindFloat32, data.KindFloat64:
		f, _ := v.Float()
		assert.Equal(t, f, p.Float(), what)
	default:
		n, _ := v.Int()
		assert.Equal(t, n, p.Int(), what)
	}
}

const everything = `syntax = "proto3";
package a.b;
import "confluent/type/decimal.proto";
import "google/type/date.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message All {
  int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4; sint32 s32 = 5; sint64 s64 = 6;
  fixed32 f32 = 7; fixed64 f64 = 8; sfixed32 sf32 = 9; sfixed64 sf64 = 10; float f = 11; double d = 12; bool b = 13; string s = 14; bytes y = 15;
  repeated int32 many = 16; repeated string texts = 17; map<string, All> tree = 18; All self = 19; repeated All selves = 20;
  enum Color { NONE = 0; RED = 1; BLUE = 5; }
  Color color = 21; repeated Color colors = 22;
  oneof choice { string text = 23; int64 number = 24; Inner inner = 25; }
  optional int32 maybe = 26;
  google.protobuf.Timestamp at = 27; google.type.Date day = 28; confluent.type.Decimal price = 29; google.protobuf.StringValue wrapped = 30;
  message Inner { double x = 1; map<int32, Inner> deep = 200; }
}
`

// FuzzDecode: any bytes are a message or an error, as for Go's own messages; and
// what was read is written so that these read the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{8, 1, 0x82, 1, 2, 1, 2, 0x9a, 1, 2, 8, 7, 0xba, 1, 1, 'x', 0xd0, 1, 0})
	f.Add([]byte{0x9a, 1, 2, 8, 7, 0x9a, 1, 3, 0x72, 1, 'y'})
	f.Add([]byte(strings.Repeat("\x9a\x01\x7f", 2000)))
	f.Add([]byte{0xa8, 1, 9, 0xc2, 1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0xea, 1, 6, 10, 1, 0xff, 16, 1, 24, 2, 0xe2, 1, 6, 8, 0xe8, 15, 16, 2, 24, 30})
	o := optionsOf(f, enhanced)
	m := messageIn(f, everything)
	s, err := o.connectSchema(m, 0)
	require.NoError(f, err)
	l := &layout{options: o, made: make(map[laidOut]*decoder)}
	d, err := l.message(m, s)
	require.NoError(f, err)
	p := &planner{options: o, made: make(map[plannedPair]*encoder)}
	e, err := p.message(s, m)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		theirs := dynamicpb.NewMessage(m)
		theirErr := proto.Unmarshal(b, theirs)
		v, err := d.decodeRoot(b)
		if err != nil {
			return // a date that is none, a string that is no UTF-8, too deep, too many
		}
		require.NoError(t, theirErr, "Go's own messages refuse what we read")
		out, err := e.append(nil, v, 0)
		require.NoError(t, err)
		again := dynamicpb.NewMessage(m)
		require.NoError(t, proto.Unmarshal(out, again))
		v2, err := d.decodeRoot(out)
		require.NoError(t, err)
		assert.True(t, data.Equal(v, v2), "%v came back as %v", v, v2)
	})
}

// FuzzSchema: any text is a schema or an error.
func FuzzSchema(f *testing.F) {
	f.Add(everything)
	f.Add(`syntax = "proto2"; message A { required int32 a = 1; optional group B = 2 { optional A x = 1; } }`)
	f.Add(`syntax = "proto3"; message A { int32 a = 1 [default = 7, (x) = 2]; reserved 5 to max; extensions 1; }`)
	f.Add(`edition = "2023"; message A { A a = 1; }`)
	f.Add(`message ` + strings.Repeat("{", 3000))
	o := optionsOf(f)
	f.Fuzz(func(_ *testing.T, text string) {
		file, err := compile(map[string]string{rootFile: text})
		if err != nil {
			return
		}
		for i := range file.Messages().Len() {
			m := file.Messages().Get(i)
			s, err := o.connectSchema(m, 0)
			if err != nil || s.Kind() != data.KindStruct {
				continue
			}
			l := &layout{options: o, made: make(map[laidOut]*decoder)}
			if d, err := l.message(m, s); err == nil {
				_, _ = d.decodeRoot([]byte{8, 1, 18, 1, 'x'})
			}
		}
	})
}
