package protobuf_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters/protobuf"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

func fake(t testing.TB) *srfake.Registry {
	t.Helper()
	r := srfake.New()
	t.Cleanup(r.Close)
	return r
}

func converter(t testing.TB, r *srfake.Registry, props config.Props) connect.Converter {
	t.Helper()
	c, err := protobuf.Plugin().NewConverter(config.Props{"converter.type": "value", "schema.registry.url": r.URL()}.Merge(props))
	require.NoError(t, err)
	return c
}

// TestSuite: data come back as ProtobufData gives them back: fields are optional
// and have their numbers, null is zero where there is no message, what is no STRUCT
// is a wrapper.
func TestSuite(t *testing.T) {
	var v schematest.Versions
	connecttest.TestConverter(t, protobuf.Plugin(), connecttest.ConverterOptions{
		Props: config.Props{"schema.registry.url": fake(t).URL()},
		Back: func(s connecttest.Sample) (connect.Datum, bool) {
			d := s.Datum
			switch {
			case s.Name == "null without schema":
				v.Reset()
				return connect.Datum{}, true
			case d.Value.IsNull():
				return connect.Datum{}, true
			case d.Schema == nil || d.Schema.Kind() == data.KindArray || d.Schema.Kind() == data.KindMap || strings.HasPrefix(d.Schema.Name(), "org.apache.kafka"):
				return d, false
			case d.Schema.Kind() == data.KindStruct:
				return connect.Datum{Schema: backSchema(d.Schema, v.Of(d.Schema)), Value: backValue(backSchema(d.Schema, v.Of(d.Schema)), d.Value)}, true
			}
			b := data.NewBuilder(widened(d.Schema.Kind()))
			n, ok := d.Value.Int()
			if ok && b.MustBuild().Kind() == data.KindInt32 {
				d.Value = data.Int32(int32(n))
			}
			return connect.Datum{Schema: b.Version(v.Of(data.Int32Schema)).MustBuild(), Value: d.Value}, true // all wrappers are one file
		},
	})
}

func widened(k data.Kind) data.Kind {
	if k == data.KindInt8 || k == data.KindInt16 {
		return data.KindInt32
	}
	return k
}

// backSchema is the schema of a STRUCT as it comes back.
func backSchema(s *data.Schema, version int) *data.Schema {
	b := data.StructBuilder().Name(s.Name()[strings.LastIndexByte(s.Name(), '.')+1:])
	if version > 0 {
		b.Version(version)
	}
	for i, f := range s.Fields() {
		b.Field(f.Name, backField(f.Schema, i+1))
	}
	return b.MustBuild()
}

// backField is the schema of a field as it comes back: optional, with its number.
func backField(s *data.Schema, tag int) *data.Schema {
	mark := func(b *data.Builder) {
		b.Optional()
		if tag > 0 {
			b.Parameter("io.confluent.connect.protobuf.Tag", strconv.Itoa(tag))
		}
	}
	switch s.Kind() {
	case data.KindStruct:
		return schematest.With(backSchema(s, 0), mark)
	case data.KindArray:
		return schematest.With(data.ArrayBuilder(backField(s.ElemSchema(), 0)).MustBuild(), mark)
	case data.KindMap:
		return schematest.With(data.MapBuilder(backField(s.KeySchema(), 1), backField(s.ElemSchema(), 2)).Name("connect_default1").MustBuild(), mark)
	}
	return schematest.With(s, mark)
}

// backValue is a value as it comes back under a schema.
func backValue(s *data.Schema, v data.Value) data.Value {
	if v.IsNull() && s.Name() == "" {
		return map[data.Kind]data.Value{
			data.KindString: data.String(""), data.KindBytes: data.Bytes([]byte{}), data.KindArray: data.ArrayOf(), data.KindMap: data.MapOf(),
		}[s.Kind()]
	}
	switch s.Kind() {
	case data.KindStruct:
		x, _ := v.Struct()
		rows := data.NewStructs(s, 1)
		for i, f := range s.Fields() {
			rows[0].Set(i, backValue(f.Schema, x.Raw(i)))
		}
		return data.StructOf(&rows[0])
	case data.KindArray:
		elems, _ := v.Array()
		out := make([]data.Value, len(elems))
		for i, e := range elems {
			out[i] = backValue(s.ElemSchema(), e)
		}
		return data.ArrayOf(out...)
	case data.KindMap:
		if v.IsNull() {
			return data.MapOf()
		}
	}
	return v
}

func TestBudget(t *testing.T) {
	schematest.Budget(t, converter(t, fake(t), nil), 1, 4)
}
