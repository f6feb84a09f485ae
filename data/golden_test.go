package data_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

// schemaCase is a line of schema.jsonl. Which members it has depends on the operation.
type schemaCase struct {
	Op             string
	Schema         json.RawMessage
	Value          json.RawMessage
	Name           string
	Field          string
	Getter         string
	Source, Target json.RawMessage
	A, B           json.RawMessage
	Calls          [][]json.RawMessage
	OK             bool
	Result         *bool
	Out            json.RawMessage
	Error          *goldentest.Failure
}

// TestSchemaGolden holds schemas, structs, validation and projection against what Java's classes do.
func TestSchemaGolden(t *testing.T) {
	ops := map[string]int{}
	n := goldentest.Each(t, "testdata/schema.jsonl", func(t *testing.T, c schemaCase) {
		ops[c.Op]++
		switch c.Op {
		case "validateValue":
			schema := mustSchema(t, c.Schema)
			checkFailure(t, c.Error, data.Validate(schema, mustValue(t, schema, c.Value), c.Name))
			assert.Equal(t, c.OK, c.Error == nil)
		case "project":
			goldenProject(t, c)
		case "equals":
			a, b := mustSchema(t, c.A), mustSchema(t, c.B)
			require.NotNil(t, c.Result)
			assert.Equal(t, *c.Result, a.Equal(b))
			assert.Equal(t, *c.Result, b.Equal(a))
			assert.Equal(t, *c.Result, a.Hash() == b.Hash() && a.Equal(b))
		case "structPut":
			goldenPut(t, c)
		case "structGet":
			goldenGet(t, c)
		case "structValidate":
			v := mustValue(t, mustSchema(t, c.Schema), c.Value)
			x, _ := v.Struct()
			checkFailure(t, c.Error, x.Validate())
		case "build":
			goldenBuild(t, c)
		default:
			t.Fatalf("unknown operation %q", c.Op)
		}
	})
	assert.Equal(t, 340, n)
	assert.Equal(t, map[string]int{
		"validateValue": 88, "project": 117, "equals": 30, "structPut": 30, "structGet": 45, "structValidate": 6, "build": 24,
	}, ops)
}

func mustSchema(t *testing.T, raw json.RawMessage) *data.Schema {
	t.Helper()
	s, err := goldentest.ParseSchema(raw)
	require.NoError(t, err)
	return s
}

func mustValue(t *testing.T, place *data.Schema, raw json.RawMessage) data.Value {
	t.Helper()
	v, err := goldentest.ParseValue(place, raw)
	require.NoError(t, err)
	return v
}

// checkFailure compares the outcome with Java's: whether there is an error, and which of Connect's exceptions it stands for.
func checkFailure(t *testing.T, want *goldentest.Failure, err error) {
	t.Helper()
	if want == nil {
		require.NoError(t, err)
		return
	}
	require.Error(t, err, "Java: %s %s", want.Class, want.Message)
	var e *data.Error
	require.ErrorAs(t, err, &e)
	switch class := want.SimpleClass(); class {
	case "NullPointerException", "NumberFormatException", "ClassCastException": // of Java's own, no contract
	default:
		assert.Equal(t, class, e.Reason.String(), "%v; Java: %s", err, want.Message)
	}
	for _, gist := range gists {
		if strings.Contains(want.Message, gist) {
			assert.ErrorContains(t, err, gist)
		}
	}
}

// gists are the parts of Java's messages that ours must have where Java's have them.
var gists = []string{
	"null used for required field", "null used for required key of map", "is not a valid field name", "is not of type",
	"Not a struct schema", "Schema type mismatch", "Schema name mismatch", "Schema parameters not equal", "Error projecting",
	"does not provide a default value", "is missing from source schema", "Unable to convert", "Unable to convert a null value",
	"Invalid default value", "has already been set", "cannot be null", "Time values must use number of milliseconds",
}

func assertSame(t *testing.T, want, got data.Value) {
	t.Helper()
	assert.True(t, data.Equal(want, got), "want %s, got %s", goldentest.MarshalValue(want), goldentest.MarshalValue(got))
}

func goldenProject(t *testing.T, c schemaCase) {
	source, target := mustSchema(t, c.Source), mustSchema(t, c.Target)
	got, err := data.Project(source, mustValue(t, source, c.Value), target)
	checkFailure(t, c.Error, err)
	if err == nil {
		assertSame(t, mustValue(t, target, c.Out), got)
	}
}

func goldenPut(t *testing.T, c schemaCase) {
	schema := mustSchema(t, c.Schema)
	x, err := data.NewStruct(schema)
	if err == nil {
		f, _ := schema.Field(c.Field)
		err = x.Put(c.Field, mustValue(t, f.Schema, c.Value))
	}
	checkFailure(t, c.Error, err)
}

func goldenGet(t *testing.T, c schemaCase) {
	v := mustValue(t, mustSchema(t, c.Schema), c.Value)
	x, _ := v.Struct()
	var got data.Value
	var err error
	switch c.Getter {
	case "get":
		var ok bool
		if got, ok = x.Get(c.Field); !ok {
			err = &data.Error{Message: "no such field"}
		}
	case "getWithoutDefault":
		got = x.Raw(x.Schema().FieldIndex(c.Field))
	default:
		got, err = x.GetTyped(c.Field, getterKind(t, c.Getter))
	}
	checkFailure(t, c.Error, err)
	if err == nil {
		f, _ := x.Schema().Field(c.Field)
		assertSame(t, mustValue(t, f.Schema, c.Out), got)
	}
}

func getterKind(t *testing.T, getter string) data.Kind {
	kinds := map[string]data.Kind{
		"getInt8": data.KindInt8, "getInt16": data.KindInt16, "getInt32": data.KindInt32, "getInt64": data.KindInt64,
		"getFloat32": data.KindFloat32, "getFloat64": data.KindFloat64, "getBoolean": data.KindBoolean, "getString": data.KindString,
		"getBytes": data.KindBytes, "getArray": data.KindArray, "getMap": data.KindMap, "getStruct": data.KindStruct,
	}
	k, ok := kinds[getter]
	require.True(t, ok, "unknown getter %q", getter)
	return k
}

// goldenBuild plays calls of Java's builder.
func goldenBuild(t *testing.T, c schemaCase) {
	var b *data.Builder
	for _, call := range c.Calls {
		b = playBuilder(t, b, call)
	}
	got, err := b.Build()
	checkFailure(t, c.Error, err)
	if err == nil {
		want := mustSchema(t, c.Out)
		assert.True(t, want.Equal(got), "want %s, got %s", c.Out, goldentest.MarshalSchema(got))
	}
}

func playBuilder(t *testing.T, b *data.Builder, call []json.RawMessage) *data.Builder {
	text := func(i int) (s string) {
		require.NoError(t, json.Unmarshal(call[i], &s))
		return s
	}
	number := func(i int) (n int) {
		require.NoError(t, json.Unmarshal(call[i], &n))
		return n
	}
	switch method := text(0); method {
	case "type":
		for k := data.KindInt8; k <= data.KindStruct; k++ {
			if k.String() == text(1) {
				return data.NewBuilder(k)
			}
		}
	case "array":
		return data.ArrayBuilder(mustSchema(t, call[1]))
	case "map":
		return data.MapBuilder(mustSchema(t, call[1]), mustSchema(t, call[2]))
	case "decimal":
		return data.DecimalBuilder(number(1))
	case "time":
		return data.TimeBuilder()
	case "optional":
		return b.Optional()
	case "required":
		return b.Required()
	case "name":
		return b.Name(text(1))
	case "doc":
		return b.Doc(text(1))
	case "version":
		return b.Version(number(1))
	case "parameter":
		return b.Parameter(text(1), text(2))
	case "field":
		return b.Field(text(1), mustSchema(t, call[2]))
	case "default":
		place, err := b.Build()
		require.NoError(t, err)
		return b.Default(mustValue(t, place, call[1]))
	}
	t.Fatalf("unknown call %s", call)
	return nil
}

// valuesCase is a line of values.jsonl.
type valuesCase struct {
	Op        string
	In        json.RawMessage
	Scale     *int
	Out       json.RawMessage
	OutSchema json.RawMessage
	Error     *goldentest.Failure
}

// TestValuesGolden holds the parser and the conversions against what Java's Values does.
func TestValuesGolden(t *testing.T) {
	ops := map[string]int{}
	n := goldentest.Each(t, "testdata/values.jsonl", func(t *testing.T, c valuesCase) {
		ops[c.Op]++
		switch c.Op {
		case "parseString":
			goldenParse(t, c)
		case "inferSchema":
			_, v, err := goldentest.ParseDatum(c.In)
			require.NoError(t, err)
			want, got := mustSchema(t, c.OutSchema), data.InferSchema(v)
			assert.True(t, want.Equal(got), "want %s, got %s", c.OutSchema, goldentest.MarshalSchema(got))
		default:
			goldenConvert(t, c)
		}
	})
	assert.Equal(t, 620, n)
	assert.Equal(t, map[string]int{
		"parseString": 290, "inferSchema": 4, "convertToBoolean": 14, "convertToByte": 19, "convertToShort": 24, "convertToInteger": 23,
		"convertToLong": 26, "convertToFloat": 24, "convertToDouble": 20, "convertToString": 23, "convertToList": 22, "convertToMap": 17,
		"convertToStruct": 20, "convertToDecimal": 24, "convertToDate": 28, "convertToTime": 24, "convertToTimestamp": 18,
	}, ops)
}

func goldenParse(t *testing.T, c valuesCase) {
	var text string
	require.NoError(t, json.Unmarshal(c.In, &text))
	require.Nil(t, c.Error)
	schema, got := data.Parse(text)
	if string(c.Out) == "null" {
		assert.Nil(t, schema)
		assert.True(t, got.IsNull())
		return
	}
	wantSchema, want, err := goldentest.ParseDatum(c.Out)
	require.NoError(t, err)
	assert.True(t, wantSchema.Equal(schema), "want %s, got %s %s", c.Out, goldentest.MarshalSchema(schema), goldentest.MarshalValue(got))
	assertSame(t, want, got)
}

// conversionTarget returns the schema that a method of Java's Values converts to.
func conversionTarget(t *testing.T, c valuesCase) *data.Schema {
	switch c.Op {
	case "convertToDecimal":
		require.NotNil(t, c.Scale)
		return data.DecimalSchema(*c.Scale)
	case "convertToList":
		return data.NewBuilder(data.KindArray).MustBuild()
	case "convertToMap":
		return data.NewBuilder(data.KindMap).MustBuild()
	case "convertToStruct":
		return data.StructBuilder().MustBuild()
	}
	s, ok := map[string]*data.Schema{
		"convertToBoolean": data.OptionalBooleanSchema, "convertToByte": data.OptionalInt8Schema, "convertToShort": data.OptionalInt16Schema,
		"convertToInteger": data.OptionalInt32Schema, "convertToLong": data.OptionalInt64Schema, "convertToFloat": data.OptionalFloat32Schema,
		"convertToDouble": data.OptionalFloat64Schema, "convertToString": data.OptionalStringSchema, "convertToDate": data.DateSchema,
		"convertToTime": data.TimeSchema, "convertToTimestamp": data.TimestampSchema,
	}[c.Op]
	require.True(t, ok, "unknown operation %q", c.Op)
	return s
}

func goldenConvert(t *testing.T, c valuesCase) {
	schema, v, err := goldentest.ParseDatum(c.In)
	require.NoError(t, err)
	got, err := data.Convert(schema, v, conversionTarget(t, c))
	checkFailure(t, c.Error, err)
	if err == nil {
		assertSame(t, mustValue(t, schema, c.Out), got)
	}
}
