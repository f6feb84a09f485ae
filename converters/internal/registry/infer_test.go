package registry_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/converters/jsonschema"
	"github.com/streamlane/connect/converters/protobuf"
	"github.com/streamlane/connect/data"
)

func fake(t testing.TB) *srfake.Registry {
	t.Helper()
	r := srfake.New()
	t.Cleanup(r.Close)
	return r
}

func converter(t testing.TB, p connect.Plugin, url string, props config.Props) connect.Converter {
	t.Helper()
	c, err := p.NewConverter(config.Props{"converter.type": "value", "schema.registry.url": url}.Merge(props))
	require.NoError(t, err)
	return c
}

// parsed is the schemaless value of a JSON text.
func parsed(t testing.TB, text string) data.Value {
	t.Helper()
	for _, p := range converters.All() {
		if p.Info().Class == "JsonConverter" {
			c, err := p.NewConverter(config.Props{"converter.type": "value", "schemas.enable": "false"})
			require.NoError(t, err)
			d, err := c.Decode(t.Context(), &connect.Wire{}, []byte(text))
			require.NoError(t, err)
			return d.Value
		}
	}
	require.Fail(t, "there is no JSON converter")
	return data.Value{}
}

// back writes a value, reads it again and returns its text.
func back(t testing.TB, c connect.Converter, v data.Value) (string, error) {
	t.Helper()
	w := &connect.Wire{Topic: "t"}
	b, _, err := c.AppendEncode(t.Context(), nil, w, connect.Datum{Value: v})
	if err != nil {
		return "", err
	}
	d, err := c.Decode(t.Context(), w, b)
	require.NoError(t, err)
	require.NotNil(t, d.Schema)
	return d.Value.String(), nil
}

func subjectText(t testing.TB, r *srfake.Registry, version int) string {
	t.Helper()
	s, ok := r.GetSchema("t-value", version)
	require.True(t, ok, "version %d", version)
	return s.Schema.Schema
}

// TestInferAvro: the schema of a topic grows with what comes, each step once.
func TestInferAvro(t *testing.T) {
	r := fake(t)
	infer := config.Props{"schemas.infer": "true", "schemas.infer.name": "shop.Order"}
	c := converter(t, avro.Plugin(), r.URL(), infer)
	for _, step := range []struct {
		json, back string
		version    int
		schema     string
	}{
		{
			`{"id":1,"name":"x","none":null,"empty":[],"deep":[null,[]]}`, `Struct{id=1,name=x}`, 1,
			`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":["null","long"],"default":null},{"name":"name","type":["null","string"],"default":null}],"connect.name":"shop.Order"}`,
		},
		{`{"name":"y"}`, `Struct{name=y}`, 1, ""},
		{`{"name":"y","id":null}`, `Struct{name=y}`, 1, ""},
		{`{"empty":[],"id":2}`, `Struct{id=2}`, 1, ""},
		{
			`{"id":2,"address":{"city":"Ulm","tags":["a"]}}`, `Struct{id=2,address=Struct{city=Ulm,tags=[a]}}`, 2,
			`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":["null","long"],"default":null},{"name":"name","type":["null","string"],"default":null},` +
				`{"name":"address","type":["null",{"type":"record","name":"Order_address","fields":[{"name":"city","type":["null","string"],"default":null},` +
				`{"name":"tags","type":["null",{"type":"array","items":"string"}],"default":null}],"connect.name":"shop.Order_address"}],"default":null}],"connect.name":"shop.Order"}`,
		},
		{`{"address":{"tags":[null,"b"]}}`, `Struct{address=Struct{tags=[null, b]}}`, 3, ""},
		{`{"id":2.5}`, `Struct{id=2.5}`, 4, ""},
		{`{"id":3}`, `Struct{id=3.0}`, 4, ""},
	} {
		got, err := back(t, c, parsed(t, step.json))
		require.NoError(t, err, step.json)
		assert.Equal(t, step.back, got)
		if step.schema != "" {
			assert.Equal(t, step.schema, subjectText(t, r, step.version))
		}
		_, more := r.GetSchema("t-value", step.version+1)
		assert.False(t, more, "%s: versions", step.json)
	}
	_, err := back(t, c, parsed(t, `{"id":9007199254740993}`))
	assert.ErrorContains(t, err, "it would be rounded")
	_, err = back(t, c, parsed(t, `{"name":7}`))
	assert.ErrorContains(t, err, `field ".name" is STRING here and INT64 there`)
	_, err = back(t, c, parsed(t, `[]`))
	assert.Error(t, err)
	got, err := back(t, c, parsed(t, `{"name":"still"}`))
	require.NoError(t, err, "after a record that did not fit")
	assert.Equal(t, `Struct{name=still}`, got)
	// A converter that starts later goes on from there.
	got, err = back(t, converter(t, avro.Plugin(), r.URL(), infer), parsed(t, `{"new":true,"id":1}`))
	require.NoError(t, err)
	assert.Equal(t, `Struct{id=1.0,new=true}`, got)
	assert.Contains(t, subjectText(t, r, 5), "Order_address")
}

// TestInferOthers: the other formats take what Avro takes.
func TestInferOthers(t *testing.T) {
	for name, p := range map[string]connect.Plugin{"JSON Schema": jsonschema.Plugin(), "Protobuf": protobuf.Plugin()} {
		t.Run(name, func(t *testing.T) {
			r := fake(t)
			c := converter(t, p, r.URL(), config.Props{"schemas.infer": "true", "optional.for.nullables": "true", "object.additional.properties": "false"})
			for _, step := range [][2]string{
				{`{"id":1,"name":"x","none":null}`, `Struct{id=1,name=x}`},
				{`{"name":"y","item":{"name":"z","n":[1,2]}}`, `Struct{name=y,item=Struct{name=z,n=[1, 2]}}`},
				{`{"id":4,"items":[{"a":1},{"b":true}]}`, `Struct{id=4,items=[Struct{a=1}, Struct{b=true}]}`},
			} {
				got, err := back(t, c, parsed(t, step[0]))
				require.NoError(t, err)
				if name == "Protobuf" { // a list that is not there is empty
					got = strings.NewReplacer(",items=[]", "", ",n=[]", "").Replace(got)
				}
				assert.Equal(t, step[1], got)
			}
			s, ok := r.GetSchema("t-value", 3)
			require.True(t, ok)
			again := converter(t, p, r.URL(), config.Props{"schemas.infer": "true", "optional.for.nullables": "true", "object.additional.properties": "false"})
			_, err := back(t, again, parsed(t, `{"name":"y"}`))
			require.NoError(t, err)
			more, ok := r.GetSchema("t-value", 4)
			assert.False(t, ok, "the same schema from a converter that starts later: %s\n%s", s.Schema.Schema, more.Schema.Schema)
		})
	}
}

// TestInferKinds: values of every kind, wide and exact.
func TestInferKinds(t *testing.T) {
	object := func(v data.Value) data.Value { return data.MapOf(data.Pair{Key: data.String("v"), Value: v}) }
	inner := data.StructBuilder().Field("a", data.Int32Schema).MustBuild()
	x, err := data.NewStruct(inner)
	require.NoError(t, err)
	x.Set(0, data.Int32(3))
	for _, c := range []struct {
		values []data.Value
		back   string // of the last; "!" for an error
		schema string // of the field
		props  config.Props
	}{
		{[]data.Value{data.Int8(1)}, "1", `["null","long"]`, nil},
		{[]data.Value{data.Int8(1)}, "1", `["null",{"type":"int","connect.type":"int8"}]`, config.Props{"schemas.infer.numbers": "exact"}},
		{[]data.Value{data.Int8(1), data.Int16(2)}, "2", `["null",{"type":"int","connect.type":"int16"}]`, config.Props{"schemas.infer.numbers": "exact"}},
		{[]data.Value{data.Int64(1), data.Int8(2)}, "2", `["null","long"]`, config.Props{"schemas.infer.numbers": "exact"}},
		{[]data.Value{data.Int16(1), data.Float32(2.5)}, "2.5", `["null","float"]`, config.Props{"schemas.infer.numbers": "exact"}},
		{[]data.Value{data.Int32(1), data.Float32(2.5)}, "2.5", `["null","double"]`, config.Props{"schemas.infer.numbers": "exact"}},
		{[]data.Value{data.Float32(2.5), data.Int8(1)}, "1.0", `["null","float"]`, config.Props{"schemas.infer.numbers": "exact"}},
		{[]data.Value{data.Float32(2.5)}, "2.5", `["null","double"]`, nil},
		{[]data.Value{data.Boolean(true)}, "true", `["null","boolean"]`, nil},
		{[]data.Value{data.Bytes([]byte("b"))}, "Yg==", `["null","bytes"]`, nil},
		{[]data.Value{data.DecimalOf(data.DecimalFromInt64(15, 1)), data.DecimalOf(data.DecimalFromInt64(250, 2))}, "2.5", "", nil},
		{[]data.Value{data.DateMillis(0)}, "", `["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}]`, nil},
		{[]data.Value{data.MapOf(data.Pair{Key: data.Int64(1), Value: data.String("x")})}, "{1=x}", "", nil},
		{[]data.Value{data.MapOf()}, "Struct{}", "", nil},
		{[]data.Value{data.StructOf(x)}, "Struct{a=3}", "", nil},
		{[]data.Value{data.ArrayOf(data.Int8(1), data.Float64(0.5), data.Value{})}, "[1.0, 0.5, null]", `["null",{"type":"array","items":["null","double"]}]`, nil},
		{[]data.Value{data.ArrayOf(data.Int8(1), data.String("x"))}, "!no schema takes both", "", nil},
		{[]data.Value{data.String("x"), data.MapOf()}, "!no schema takes both", "", nil},
		{[]data.Value{data.MapOf(data.Pair{Key: data.Int64(1), Value: data.String("x")}), data.MapOf(data.Pair{Key: data.String("1"), Value: data.String("x")})}, "!no schema takes both", "", nil},
	} {
		r := fake(t)
		conv := converter(t, avro.Plugin(), r.URL(), config.Props{"schemas.infer": "true"}.Merge(c.props))
		var got string
		var err error
		for _, v := range c.values {
			got, err = back(t, conv, object(v))
		}
		if strings.HasPrefix(c.back, "!") {
			assert.ErrorContains(t, err, c.back[1:])
			continue
		}
		require.NoError(t, err, c.values)
		if c.back != "" {
			assert.Equal(t, "Struct{v="+c.back+"}", got)
		}
		if c.schema != "" {
			latest := ""
			for v := 1; ; v++ {
				s, ok := r.GetSchema("t-value", v)
				if !ok {
					break
				}
				latest = s.Schema.Schema
			}
			assert.Contains(t, latest, `{"name":"v","type":`+c.schema+`,"default":null}`)
		}
	}
}

// TestInferRoots: what is no object has a schema too.
func TestInferRoots(t *testing.T) {
	for _, c := range [][2]string{{`"x"`, "x"}, {`7`, "7"}, {`[1,2]`, "[1, 2]"}, {`true`, "true"}} {
		got, err := back(t, converter(t, avro.Plugin(), fake(t).URL(), config.Props{"schemas.infer": "true"}), parsed(t, c[0]))
		require.NoError(t, err)
		assert.Equal(t, c[1], got)
	}
}

// TestInferBounds: objects that are really maps do not fill the registry.
func TestInferBounds(t *testing.T) {
	r := fake(t)
	c := converter(t, avro.Plugin(), r.URL(), config.Props{"schemas.infer": "true", "schemas.infer.max.versions": "3"})
	var err error
	for i := range 10 {
		_, err = back(t, c, parsed(t, `{"key`+strconv.Itoa(i)+`":1}`))
		assert.Equal(t, i > 3, err != nil, "%d: %v", i, err)
	}
	assert.ErrorContains(t, err, "schemas.infer.max.versions")
	c = converter(t, avro.Plugin(), r.URL(), config.Props{"schemas.infer": "true"})
	pairs := make([]data.Pair, 6000)
	for i := range pairs {
		pairs[i] = data.Pair{Key: data.String("k" + strconv.Itoa(i)), Value: data.Int8(1)}
	}
	_, err = back(t, c, data.MapOf(pairs...))
	assert.ErrorContains(t, err, "5000 members")
	v := data.Int8(1)
	for range 300 {
		v = data.ArrayOf(v)
	}
	_, err = back(t, c, v)
	assert.ErrorContains(t, err, "nested deeper")
}

// TestInferRefused: a schema that the registry refuses is an error of the record,
// and what came before is written on.
func TestInferRefused(t *testing.T) {
	r := fake(t)
	c := converter(t, avro.Plugin(), r.URL(), config.Props{"schemas.infer": "true"})
	_, err := back(t, c, parsed(t, `{"a":1}`))
	require.NoError(t, err)
	r.SeedSchema("t-value", 2, 77, sr.Schema{Schema: `{"type":"record","name":"Inferred","fields":[{"name":"self","type":["null","Inferred"],"default":null}]}`})
	_, err = back(t, converter(t, avro.Plugin(), r.URL(), config.Props{"schemas.infer": "true"}), parsed(t, `{"b":1}`))
	assert.ErrorContains(t, err, "holds itself")
	assert.ErrorAs(t, err, new(*data.Error))
	got, err := back(t, c, parsed(t, `{"a":2}`))
	require.NoError(t, err)
	assert.Equal(t, "Struct{a=2}", got)
}
