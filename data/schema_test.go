package data_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// TestBuilderRefuses names what each wrong use of a builder is answered with.
func TestBuilderRefuses(t *testing.T) {
	str := data.StringSchema
	for gist, b := range map[string]*data.Builder{
		"NULL; allowed are INT8 to STRUCT":         data.NewBuilder(data.KindNull),
		"DECIMAL; allowed are INT8 to STRUCT":      data.NewBuilder(data.KindDecimal),
		"Kind(200); allowed are INT8 to STRUCT":    data.NewBuilder(200),
		"optional has already been set":            data.NewBuilder(data.KindInt8).Optional().Required(),
		"default has already been set":             data.NewBuilder(data.KindInt8).Default(data.Int8(1)).Default(data.Int8(2)),
		"name has already been set":                data.NewBuilder(data.KindInt8).Name("a").Name("b"),
		"version has already been set":             data.NewBuilder(data.KindInt8).Version(1).Version(2),
		"doc has already been set":                 data.NewBuilder(data.KindInt8).Doc("a").Doc("b"),
		"keySchema has already been set":           data.MapBuilder(str, str).Key(data.Int8Schema),
		"valueSchema has already been set":         data.ArrayBuilder(str).Elem(data.Int8Schema),
		"Invalid default value":                    data.NewBuilder(data.KindInt8).Default(data.Value{}),
		"Cannot create fields on type INT8":        data.NewBuilder(data.KindInt8).Field("a", str),
		"fieldName cannot be null":                 data.StructBuilder().Field("", str),
		"fieldSchema for field a cannot be null":   data.StructBuilder().Field("a", nil),
		"field name duplication a":                 data.StructBuilder().Field("a", str).Field("a", str),
		"only a MAP has a key schema, not ARRAY":   data.NewBuilder(data.KindArray).Key(str),
		"keySchema cannot be null":                 data.MapBuilder(nil, str),
		"valueSchema cannot be null":               data.MapBuilder(str, nil),
		"an ARRAY or a MAP has a valueSchema, not": data.NewBuilder(data.KindStruct).Elem(str),
	} {
		t.Run(gist, func(t *testing.T) {
			s, err := b.Build()
			assert.Nil(t, s)
			require.ErrorContains(t, err, gist)
			var e *data.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, data.ReasonSchema, e.Reason)
			assert.Panics(t, func() { b.MustBuild() })
		})
	}
}

func TestBuilderKeepsTheFirstError(t *testing.T) {
	_, err := data.NewBuilder(data.KindInt8).Name("a").Name("b").Doc("a").Doc("b").Field("x", nil).Build()
	assert.ErrorContains(t, err, "name has already been set")
}

func TestBuilderAgainTheSame(t *testing.T) {
	s, err := data.NewBuilder(data.KindInt8).Optional().Optional().Name("a").Name("a").Version(3).Version(3).Doc("d").Doc("d").
		Default(data.Int8(1)).Default(data.Int8(1)).Parameter("k", "1").Parameter("l", "2").Parameter("k", "3").Build()
	require.NoError(t, err)
	assert.Equal(t, []data.Parameter{{Key: "k", Value: "3"}, {Key: "l", Value: "2"}}, s.Parameters())
	version, ok := s.Version()
	assert.True(t, ok)
	assert.Equal(t, 3, version)
}

func TestSchemasDoNotChangeWithTheirBuilder(t *testing.T) {
	b := data.StructBuilder().Field("a", data.Int8Schema).Parameter("k", "1")
	first := b.MustBuild()
	second := b.Field("b", data.Int8Schema).Parameter("k", "2").MustBuild()
	third := data.StructBuilder().Field("a", data.Int8Schema).Parameter("k", "1").MustBuild()
	assert.Len(t, first.Fields(), 1)
	assert.Len(t, second.Fields(), 2)
	assert.True(t, first.Equal(third))
	assert.Equal(t, first.Hash(), third.Hash())
	value, _ := first.Parameter("k")
	assert.Equal(t, "1", value)
}

// TestNilSchema: schemaless data has a nil schema, and asking it is no mistake.
func TestNilSchema(t *testing.T) {
	var s *data.Schema
	assert.Equal(t, data.KindNull, s.Kind())
	assert.True(t, s.Optional())
	assert.True(t, s.Default().IsNull())
	assert.Empty(t, s.Name()+s.Doc())
	_, ok := s.Version()
	assert.False(t, ok)
	_, ok = s.Parameter("x")
	assert.False(t, ok)
	assert.Nil(t, s.Parameters())
	assert.Nil(t, s.Fields())
	_, ok = s.Field("x")
	assert.False(t, ok)
	assert.Equal(t, -1, s.FieldIndex("x"))
	assert.Nil(t, s.KeySchema())
	assert.Nil(t, s.ElemSchema())
	assert.True(t, s.Equal(nil))
	assert.False(t, s.Equal(data.Int8Schema))
	assert.False(t, data.Int8Schema.Equal(s))
	assert.Zero(t, s.Hash())
	assert.Equal(t, "null", s.String())
	require.NoError(t, data.Validate(s, data.Int8(1), "f"))
}

// TestFieldIndex looks fields up in structs of all sizes around the bound between the two ways of looking.
func TestFieldIndex(t *testing.T) {
	for n := range 20 {
		b := data.StructBuilder()
		for i := range n {
			b.Field(fmt.Sprintf("f%d", (i*7)%n+100*(i%2)), data.Int8Schema)
		}
		s, err := b.Build()
		if err != nil {
			continue // a doubled name, for some n
		}
		for i, f := range s.Fields() {
			assert.Equal(t, i, f.Index)
			assert.Equal(t, i, s.FieldIndex(f.Name), "%d fields", n)
			got, ok := s.Field(f.Name)
			assert.True(t, ok)
			assert.Equal(t, f, got)
		}
		for _, name := range []string{"", "a", "f", "f999", "z"} {
			assert.Equal(t, -1, s.FieldIndex(name), "%d fields", n)
		}
	}
}

// TestSchemaEqual changes one attribute at a time.
func TestSchemaEqual(t *testing.T) {
	base := func() *data.Builder {
		return data.StructBuilder().Name("n").Version(1).Doc("d").Parameter("k", "1").Parameter("l", "2").
			Field("a", data.Int8Schema).Field("b", data.ArrayBuilder(data.StringSchema).MustBuild())
	}
	same := data.StructBuilder().Parameter("l", "2").Parameter("k", "1").Doc("d").Version(1).Name("n").
		Field("a", data.NewBuilder(data.KindInt8).MustBuild()).Field("b", data.ArrayBuilder(data.StringSchema).MustBuild()).MustBuild()
	a := base().MustBuild()
	assert.True(t, a.Equal(same))
	assert.Equal(t, a.Hash(), same.Hash())

	row, err := data.NewStruct(a)
	require.NoError(t, err)
	require.NoError(t, row.Put("a", data.Int8(1)))
	require.NoError(t, row.Put("b", data.ArrayOf()))
	for name, b := range map[string]*data.Builder{
		"optional":    base().Optional(),
		"default":     base().Default(data.StructOf(row)),
		"one field":   data.StructBuilder().Name("n").Version(1).Doc("d").Parameter("k", "1").Parameter("l", "2").Field("a", data.Int8Schema),
		"more fields": base().Field("c", data.Int8Schema),
		"parameter":   base().Parameter("k", "2"),
		"parameters":  base().Parameter("m", "2"),
		"kind":        data.NewBuilder(data.KindMap).Name("n").Version(1).Doc("d"),
	} {
		t.Run(name, func(t *testing.T) {
			s := b.MustBuild()
			assert.False(t, a.Equal(s))
			assert.False(t, s.Equal(a))
			assert.NotEqual(t, a.Hash(), s.Hash())
		})
	}
	five, six := data.NewBuilder(data.KindInt8).Default(data.Int8(5)).MustBuild(), data.NewBuilder(data.KindInt8).Default(data.Int8(6)).MustBuild()
	assert.False(t, five.Equal(six), "defaults count by value")
	deep := func(inner *data.Schema) *data.Schema {
		middle := data.StructBuilder().Field("inner", inner).MustBuild()
		return data.StructBuilder().Field("middle", middle).MustBuild()
	}
	assert.False(t, deep(data.Int8Schema).Equal(deep(data.Int16Schema)), "differences that the hash does not see count too")
	assert.True(t, deep(data.Int8Schema).Equal(deep(data.Int8Schema)))
}

func TestSchemaText(t *testing.T) {
	assert.Equal(t, "Schema{INT32}", data.Int32Schema.String())
	assert.Equal(t, "Schema{demo.Row:STRUCT}", rowSchema.String())
	assert.Equal(t, "Schema{org.apache.kafka.connect.data.Decimal:BYTES}", data.DecimalSchema(2).String())
}

// node builds the schema of a linked list with the doc given.
func node(t *testing.T, doc string) *data.Schema {
	t.Helper()
	ref := data.NewReference()
	s := data.StructBuilder().Name("Node").Doc(doc).Field("value", data.Int32Schema).Field("next", ref.Optional()).MustBuild()
	require.NoError(t, ref.Bind(s))
	return s
}

func TestRecursiveSchema(t *testing.T) {
	s := node(t, "")
	next, ok := s.Field("next")
	require.True(t, ok)
	assert.Equal(t, data.KindStruct, next.Schema.Kind())
	assert.True(t, next.Schema.Optional())
	assert.Equal(t, "Node", next.Schema.Name())
	assert.Same(t, next.Schema, next.Schema.Fields()[1].Schema, "the list goes on")
	assert.Equal(t, 0, next.Schema.FieldIndex("value"))

	tail, err := data.NewStruct(next.Schema)
	require.NoError(t, err)
	require.NoError(t, tail.Put("value", data.Int32(2)))
	head, err := data.NewStruct(s)
	require.NoError(t, err)
	require.NoError(t, head.Put("value", data.Int32(1)))
	require.NoError(t, head.Put("next", data.StructOf(tail)))
	require.NoError(t, head.Validate())
	assert.Equal(t, "Struct{value=1,next=Struct{value=2}}", head.String())
}

func TestRecursiveSchemaEqual(t *testing.T) {
	a, b, c := node(t, ""), node(t, ""), node(t, "other")
	assert.True(t, a.Equal(b))
	assert.Equal(t, a.Hash(), b.Hash())
	assert.False(t, a.Equal(c))
	next := a.Fields()[1].Schema
	assert.False(t, a.Equal(next), "the late-bound one is optional")
	assert.True(t, next.Equal(b.Fields()[1].Schema))
	assert.Equal(t, next.Hash(), b.Fields()[1].Schema.Hash())

	// Unrolled once, the list is the same list.
	unrolled := data.StructBuilder().Name("Node").Field("value", data.Int32Schema).Field("next", next).MustBuild()
	assert.True(t, a.Equal(unrolled))
	assert.True(t, unrolled.Equal(a))
	assert.Equal(t, a.Hash(), unrolled.Hash())

	// Lists whose difference lies inside of the recursion.
	tree := func(leaf *data.Schema) *data.Schema {
		ref := data.NewReference()
		branch := data.StructBuilder().Field("up", ref.Optional()).Field("leaf", leaf).MustBuild()
		s := data.StructBuilder().Field("branch", branch).MustBuild()
		require.NoError(t, ref.Bind(s))
		return s
	}
	assert.True(t, tree(data.Int8Schema).Equal(tree(data.Int8Schema)))
	assert.False(t, tree(data.Int8Schema).Equal(tree(data.Int16Schema)))
}

func TestReferenceRefuses(t *testing.T) {
	ref := data.NewReference()
	assert.Equal(t, data.KindStruct, ref.Required().Kind())
	assert.Empty(t, ref.Required().Name())
	_, err := data.NewStruct(ref.Required())
	require.Error(t, err, "nothing is known of its fields yet")
	assert.Nil(t, data.NewStructs(ref.Required(), 3))
	require.Error(t, ref.Bind(nil))
	require.Error(t, ref.Bind(data.Int8Schema))
	require.Error(t, ref.Bind(data.NewReference().Required()))
	require.NoError(t, ref.Bind(rowSchema))
	require.Error(t, ref.Bind(rowSchema), "once only")
	assert.True(t, ref.Required().Equal(rowSchema))
	assert.False(t, ref.Required().Equal(data.NewReference().Required()))
}
