package mqtt

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

const orderSchema = `{"type":"struct","name":"order","fields":[{"field":"id","type":"int32"},{"field":"note","type":"string","optional":true}]}`

const typesSchema = `{"type":"struct","fields":[{"field":"b","type":"bytes"},{"field":"m","type":"map","keys":{"type":"string"},"values":{"type":"double"}},
{"field":"l","type":"array","items":{"type":"int16"}},{"field":"d","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},
{"field":"t","type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1},{"field":"f","type":"float"},{"field":"o","type":"boolean"},
{"field":"h","type":"int8"},{"field":"s","type":"string","default":"none"}]}`

func TestPayloads(t *testing.T) {
	for name, c := range map[string]struct {
		form, schema, payload string
		want, kind            string
		err                   string
	}{
		"bytes":                 {"bytes", "", "\x00\xff", "AP8=", "BYTES", ""},
		"no bytes":              {"bytes", "", "", "", "BYTES", ""},
		"string":                {"string", "", "grün", "grün", "STRING", ""},
		"empty string":          {"string", "", "", "", "STRING", ""},
		"string that is none":   {"string", "", "\xff", "", "", "not UTF-8"},
		"JSON":                  {"json", "", ` {"b":1,"a":[1,2.5,null,"x",true]} `, "{b=1, a=[1, 2.5, null, x, true]}", "", ""},
		"JSON null":             {"json", "", "null", "null", "", ""},
		"no JSON is null":       {"json", "", "", "null", "", ""},
		"large number":          {"json", "", "12345678901234567890", "1.2345678901234567E19", "", ""},
		"smallest number":       {"json", "", "-9223372036854775808", "-9223372036854775808", "", ""},
		"too large a number":    {"json", "", "1e400", "", "", "no double holds"},
		"leading zero":          {"json", "", "01", "", "", "leading zero"},
		"twice the same name":   {"json", "", `{"a":1,"b":2,"a":3}`, "{a=3, b=2}", "", ""},
		"text behind":           {"json", "", `{} x`, "", "", "more after the value, at byte 2"},
		"half":                  {"json", "", `{"a":`, "", "", "found no JSON"},
		"blank":                 {"json", "", " ", "", "", "found no JSON"},
		"no number":             {"json", "", "NaN", "", "", "found no JSON"},
		"no UTF-8":              {"json", "", "\"\xff\"", "", "", "found no JSON"},
		"too deep":              {"json", "", strings.Repeat("[", 100_000), "", "", "found no JSON"},
		"struct":                {"struct", "", `{"b":1,"a":{"c":null}}`, "Struct{b=1,a=Struct{}}", "STRUCT", ""},
		"struct of a number":    {"struct", "", `1.5`, "1.5", "FLOAT64", ""},
		"struct of null":        {"struct", "", `null`, "null", "STRING", ""},
		"no struct is null":     {"struct", "", ``, "null", "", ""},
		"numbers in an array":   {"struct", "", `[1,2.5,null]`, "[1.0, 2.5, null]", "ARRAY", ""},
		"objects in an array":   {"struct", "", `[{"a":1},{"b":2,"a":1.5},null]`, "[Struct{a=1.0}, Struct{a=1.5,b=2}, null]", "ARRAY", ""},
		"empty arrays":          {"struct", "", `[[],[1]]`, "[[], [1]]", "ARRAY", ""},
		"mixed array":           {"struct", "", `[1,"x"]`, "", "", "different types"},
		"mixed array, deep":     {"struct", "", `[{"a":1},{"a":{}}]`, "", "", "different types"},
		"a member without name": {"struct", "", `{"":1}`, "", "", "without a name"},
		"given":                 {"struct", orderSchema, `{"id":7,"more":1}`, "Struct{id=7}", "STRUCT", ""},
		"given, null":           {"struct", orderSchema, ``, "null", "", ""},
		"given, no text":        {"struct", orderSchema, `{"id":7,"note":1}`, "", "", "payload.note: found INT64, want STRING"},
		"given, no object":      {"struct", orderSchema, `[7]`, "", "", "payload: found ARRAY, want STRUCT (order)"},
		"given, fraction":       {"struct", orderSchema, `{"id":7.5}`, "", "", "no whole number"},
		"given, whole double":   {"struct", orderSchema, `{"id":7.0}`, "Struct{id=7}", "STRUCT", ""},
		"given, too large":      {"struct", orderSchema, `{"id":2147483648}`, "", "", "out of range"},
		"given, JSON null":      {"struct", orderSchema, `null`, "", "", "found null"},
		"given, many types": {
			"struct", typesSchema, `{"b":"AQI=","m":{"x":1},"l":[1,2],"d":1.5,"t":1000,"f":2,"o":true,"h":-8}`,
			"Struct{b=AQI=,m={x=1.0},l=[1, 2],d=1.50,t=Thu Jan 01 00:00:01 UTC 1970,f=2.0,o=true,h=-8,s=none}", "STRUCT", "",
		},
		"given, required":        {"struct", orderSchema, `{"note":"x"}`, "", "", "id"},
		"given, of another type": {"struct", orderSchema, `{"id":"x"}`, "", "", "payload.id: found STRING, want INT32: no number"},
		"given, text behind":     {"struct", orderSchema, `{"id":7} x`, "", "", "more after the value"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := newDecoder(Payload(c.form), c.schema)
			require.NoError(t, err)
			got, err := d(&message{topic: "t", payload: []byte(c.payload)})
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got.Value.String())
			if c.kind == "" {
				assert.Nil(t, got.Schema)
				return
			}
			require.NotNil(t, got.Schema)
			assert.Equal(t, c.kind, got.Schema.Kind().String())
			assert.NoError(t, data.Validate(got.Schema, got.Value, "value"))
		})
	}
}

func TestGivenSchemaIsKept(t *testing.T) {
	d, err := newDecoder(PayloadStruct, orderSchema)
	require.NoError(t, err)
	first, err := d(&message{payload: []byte(`{"id":1}`)})
	require.NoError(t, err)
	second, err := d(&message{payload: []byte(`{"note":"x","id":2}`)})
	require.NoError(t, err)
	assert.Same(t, first.Schema, second.Schema)
	assert.Equal(t, "order", first.Schema.Name())
}

// Messages that look alike share a schema, which converters keep by its address; other messages have another.
func TestInferredSchemasAreShared(t *testing.T) {
	var f inferrer
	infer := func(text string) *data.Schema {
		v, err := parseJSON([]byte(text))
		require.NoError(t, err)
		d, err := f.infer(v, "t")
		require.NoError(t, err)
		return d.Schema
	}
	one := infer(`{"a":1,"b":[{"c":"x"},{"c":"y"}]}`)
	assert.Same(t, one, infer(`{"a":2,"b":[{"c":"z"}]}`))
	for _, other := range []string{`{"b":[{"c":"x"}],"a":1}`, `{"a":1.5,"b":[{"c":"x"}]}`, `{"a":1}`, `{"a":1,"b":[{"c":"x","d":1}]}`, `{"a\":1,\"b":1}`} {
		assert.NotSame(t, one, infer(other), other)
	}
	for i := range 3 * maxShapes { // new names all the time do not fill the memory
		infer(`{"n` + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + strings.Repeat("y", i/50) + `":1}`)
	}
	assert.LessOrEqual(t, len(f.schemas), maxShapes)
	kept := len(f.schemas)
	infer(`{"` + strings.Repeat("long", maxShapeText) + `":1}`)
	assert.Len(t, f.schemas, kept, "long texts are not remembered")
}

func TestManyMembers(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		b.WriteString(`,"n` + string(rune('a'+i%50)) + `":` + string(rune('0'+i%10)))
	}
	v, err := parseJSON([]byte("{" + b.String()[1:] + "}"))
	require.NoError(t, err)
	pairs, _ := v.Map()
	assert.Len(t, pairs, 50)
}

func TestInvalidPayloads(t *testing.T) {
	msg := func() *message { return &message{topic: "a/b", payload: []byte("{"), qos: 1, id: 3} }
	rec := make1(t, mappingOf(t, config.Props{"payload": "json"}), msg())
	require.ErrorIs(t, rec.Err, errInvalid)
	assert.ErrorContains(t, rec.Err, `MQTT topic "a/b": invalid payload: found no JSON`)
	assert.Equal(t, "ew==", rec.Value.Value.String(), "a dead letter has the payload")
	assert.Len(t, rec.Headers, 5)

	rec = make1(t, mappingOf(t, config.Props{"payload": "json", "invalid.topic": "bad"}), msg())
	require.NoError(t, rec.Err)
	assert.Equal(t, "bad", rec.Topic)
	assert.Equal(t, stringDatum("a/b"), rec.Key)
	assert.Equal(t, data.BytesSchema, rec.Value.Schema)
	reason, ok := headerOf(rec, "mqtt.invalid")
	require.True(t, ok)
	assert.Contains(t, reason.Value.String(), "invalid payload: found no JSON")
}

func FuzzPayload(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,2.5,{"b":null}],"c":"x"}`, `[{"a":1},{"b":[[]]}]`, "1e400", "-0", `{"a":1,"a":{}}`, `"\ud800"`, `[[1],[2.5],[null]]`, "01", "",
	} {
		f.Add([]byte(text))
	}
	given, err := newDecoder(PayloadStruct, orderSchema)
	if err != nil {
		f.Fatal(err)
	}
	shared := inferrer{named: true}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = given(&message{payload: text})
		_, _ = shared.decode(&message{topic: string(text), payload: text})
		v, err := parseJSON(text)
		if err != nil {
			return
		}
		if !json.Valid(text) && !lenient(text) {
			t.Fatalf("%q is no JSON, and became %s", text, v)
		}
		first, err := new(inferrer).infer(v, "t")
		if err != nil {
			return
		}
		if err := data.Validate(first.Schema, first.Value, "value"); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := new(inferrer).infer(v, "t")
		if err != nil || !again.Schema.Equal(first.Schema) {
			t.Fatalf("%s: schemas %v and %v", text, first.Schema, again.Schema)
		}
	})
}

// lenient tells of texts in which Jackson takes more than the standard allows: control characters in strings, say.
func lenient(text []byte) bool {
	for _, b := range text {
		if b < ' ' || b == 0x7f {
			return true
		}
	}
	return false
}

func FuzzSchema(f *testing.F) {
	for _, text := range []string{orderSchema, typesSchema, `{"type":"map","keys":{"type":"int32"},"values":{"type":"int8"}}`, `{"type":"int8","default":5}`} {
		f.Add(text, []byte(`{"id":1,"note":"x","b":"AQI=","m":{"x":1},"l":[1,2],"d":"1.5","t":1000,"f":2,"o":true,"h":-8}`))
	}
	f.Fuzz(func(t *testing.T, schema string, payload []byte) {
		d, err := givenDecoder(schema)
		if err != nil {
			return
		}
		got, err := d(&message{payload: payload})
		if err != nil || len(payload) == 0 {
			return
		}
		if err := data.Validate(got.Schema, got.Value, "value"); err != nil {
			t.Fatalf("%s under %s: %v", payload, schema, err)
		}
	})
}
