package transforms

import (
	"bytes"
	"compress/gzip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// outcome is what a transform makes of a record: another topic, timestamp or value, its end, or an error.
type outcome struct {
	topic   string
	at      int64
	dropped bool
	value   string // its text, as JSON
	schema  string // its name or kind; "" where it does not count
	err     string
}

// order is a value without schema.
const order = `{"id":7,"city":"Bern","tags":["a","b"],"lines":[{"sku":"x","n":2},{"sku":"y","n":5}],"ts":"2024-02-29","at":1709164800,"nothing":null}`

func fromJSONText(t testing.TB, text string) data.Value {
	v, err := parseJSON(text)
	require.NoError(t, err)
	return v
}

func check(t *testing.T, class string, props config.Props, r connect.Record, want outcome) {
	t.Helper()
	x, err := classPlugin(t, class).NewTransform(props)
	require.NoError(t, err)
	before, given := deepCopy(r), r
	keep, err := x.Apply(t.Context(), &r)
	assertRecord(t, before, given)
	if want.err != "" {
		assert.ErrorContains(t, err, want.err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, !want.dropped, keep)
	if want.topic != "" {
		assert.Equal(t, want.topic, r.Topic)
	}
	if want.at != 0 {
		assert.Equal(t, want.at, r.Timestamp.UnixMilli())
	}
	if want.value != "" {
		text, err := appendJSON(nil, r.Value.Schema, r.Value.Value, 0)
		require.NoError(t, err)
		assert.Equal(t, want.value, string(text))
	}
	if want.schema != "" {
		assert.Equal(t, want.schema, r.Value.Schema.String())
	}
}

func TestOthersWithoutSchema(t *testing.T) {
	for name, c := range map[string]struct {
		class string
		props config.Props
		want  outcome
	}{
		"topic of a field":                 {"ExtractTopic$Value", config.Props{"field": "city"}, outcome{topic: "Bern"}},
		"topic of a number":                {"ExtractTopic$Value", config.Props{"field.name": "id"}, outcome{topic: "7"}},
		"topic by path":                    {"ExtractTopic$Value", config.Props{"field": "$.lines[-1].sku", "field.format": "json_path"}, outcome{topic: "y"}},
		"topic of several":                 {"ExtractTopic$Value", config.Props{"field": "$..sku", "field.format": "json_path"}, outcome{err: "several values"}},
		"topic of null":                    {"ExtractTopic$Value", config.Props{"field": "nothing"}, outcome{err: "nothing in value can't be null or empty"}},
		"topic of null, skipped":           {"ExtractTopic$Value", config.Props{"field": "nothing", "skip.missing.or.null": "true"}, outcome{topic: "t"}},
		"topic of the whole":               {"ExtractTopic$Value", config.Props{}, outcome{err: "MAP of value is not a topic"}},
		"topic of an array":                {"ExtractTopic$Value", config.Props{"field": "tags"}, outcome{err: "ARRAY of tags in value is not a topic"}},
		"topic of a header":                {"ExtractTopic$Header", config.Props{"field": "h"}, outcome{topic: "last"}},
		"topic of no header":               {"ExtractTopic$Header", config.Props{"field": "x"}, outcome{err: "header x can't be null or empty"}},
		"schema's name without schema":     {"ExtractTopicFromSchemaName$Value", config.Props{}, outcome{err: "schema name can't be null"}},
		"path, include":                    {"FilterByPath$Value", config.Props{"filter.condition": "$.lines[?(@.n > 4)]", "filter.type": "include"}, outcome{value: order}},
		"path, exclude":                    {"FilterByPath$Value", config.Props{"filter.condition": "$.lines[?(@.n > 4)]", "filter.type": "exclude"}, outcome{dropped: true}},
		"path, no match":                   {"FilterByPath$Value", config.Props{"filter.condition": "$[?(@.city == 'Thun')]", "filter.type": "include"}, outcome{dropped: true}},
		"path, missing":                    {"FilterByPath$Value", config.Props{"filter.condition": "$.nothing", "filter.type": "include"}, outcome{err: "missing.or.null.behavior=fail"}},
		"path, missing included":           {"FilterByPath$Value", config.Props{"filter.condition": "$.nothing", "filter.type": "exclude", "missing.or.null.behavior": "include"}, outcome{value: order}},
		"path, missing excluded":           {"FilterByPath$Value", config.Props{"filter.condition": "$.nothing", "filter.type": "exclude", "missing.or.null.behavior": "exclude"}, outcome{dropped: true}},
		"value equal":                      {"FilterByFieldValue$Value", config.Props{"field.name": "id", "field.value": "7"}, outcome{value: order}},
		"value not equal":                  {"FilterByFieldValue$Value", config.Props{"field.name": "id", "field.value": "8"}, outcome{dropped: true}},
		"value equal, others wanted":       {"FilterByFieldValue$Value", config.Props{"field.name": "id", "field.value": "7", "field.value.matches": "false"}, outcome{dropped: true}},
		"value found":                      {"FilterByFieldValue$Value", config.Props{"field.name": "city", "field.value.pattern": "e(?=rn)"}, outcome{value: order}},
		"value missing":                    {"FilterByFieldValue$Value", config.Props{"field.name": "x", "field.value.pattern": "."}, outcome{dropped: true}},
		"number of another width":          {"FilterByFieldValue$Value", config.Props{"field.name": "id", "field.value": "7"}, outcome{value: order}},
		"timestamp in seconds":             {"ExtractTimestamp$Value", config.Props{"field.name": "at", "timestamp.resolution": "seconds"}, outcome{at: 1709164800000}},
		"timestamp missing":                {"ExtractTimestamp$Value", config.Props{"field.name": "x"}, outcome{err: "x field must be present"}},
		"timestamp of text":                {"ExtractTimestamp$Value", config.Props{"field.name": "ts"}, outcome{err: "ts field must be INT64"}},
		"topic by timestamp in the value":  {"MessageTimestampRouter", config.Props{"message.timestamp.keys": "x,ts,at", "message.timestamp.format": "yyyy-MM-dd", "topic.timestamp.format": "yyyy.DDD"}, outcome{topic: "t-2024.060"}},
		"topic by timestamp, wrong text":   {"MessageTimestampRouter", config.Props{"message.timestamp.keys": "city", "message.timestamp.format": "yyyy"}, outcome{err: "Could not parse timestamp"}},
		"topic by timestamp, none":         {"MessageTimestampRouter", config.Props{"message.timestamp.keys": "x", "message.timestamp.format": "yyyy"}, outcome{err: "none of the fields"}},
		"topic by RE2":                     {"TopicRegexRouter", config.Props{"regex": "(?P<n>t)", "replacement": "${n}-$1-$0"}, outcome{topic: "t-t-t"}},
		"topic by RE2, a part":             {"TopicRegexRouter", config.Props{"regex": "", "replacement": "x"}, outcome{topic: "t"}},
		"topic by RE2, empty":              {"TopicRegexRouter", config.Props{"regex": ".*", "replacement": ""}, outcome{err: "would be empty"}},
		"hash":                             {"Hash$Value", config.Props{"field.name": "city", "function": "md5"}, outcome{value: replaced(order, `"Bern"`, `"961698fa64951bd6d3437ebc7931a899"`)}},
		"hash of a number":                 {"Hash$Value", config.Props{"field.name": "id", "function": "md5"}, outcome{err: "id in value must be STRING: found INT64"}},
		"hash of what is missing":          {"Hash$Value", config.Props{"field.name": "x", "function": "md5"}, outcome{err: "x in value schema can't be missing"}},
		"hash of what is missing, skipped": {"Hash$Value", config.Props{"field.name": "x", "function": "md5", "skip.missing.or.null": "true"}, outcome{value: order}},
		"hash of the whole":                {"Hash$Value", config.Props{"function": "sha1"}, outcome{err: "value must be STRING: found MAP"}},
		"upper case":                       {"CaseTransform$Value", config.Props{"field.names": "city,x", "case": "upper"}, outcome{value: replaced(order, `"Bern"`, `"BERN"`)}},
		"case of a number":                 {"CaseTransform$Value", config.Props{"field.names": "id", "case": "upper"}, outcome{value: order}},
		"joined":                           {"ConcatFields$Value", config.Props{"field.names": "city,x,id,nothing", "output.field.name": "j", "delimiter": "-", "field.replace.missing": "*"}, outcome{value: order[:len(order)-1] + `,"j":"Bern-*-7-*"}`}},
		"dropped value":                    {"Drop$Value", config.Props{}, outcome{value: "null"}},
		"key to value":                     {"KeyToValue", config.Props{"key.fields": "*,k", "value.fields": ",id"}, outcome{value: replaced(order, `"id":7`, `"id":"v"`, `null}`, `null,"_key":{"k":"v"}}`)}},
		"to JSON":                          {"ToJSON$Value", config.Props{}, outcome{value: quoted(order), schema: "Schema{STRING}"}},
		"arrays as JSON":                   {"FlattenArrays$Value", config.Props{"fields": "tags"}, outcome{value: replaced(order, `["a","b"]`, `"[\"a\",\"b\"]"`)}},
		"arrays joined":                    {"FlattenArrays$Value", config.Props{"fields": "tags", "mode": "join", "separator": ";"}, outcome{value: replaced(order, `["a","b"]`, `"a;b"`)}},
		"arrays numbered":                  {"FlattenArrays$Value", config.Props{"fields": "tags", "mode": "index"}, outcome{value: replaced(order, `"tags":["a","b"]`, `"tags_0":"a","tags_1":"b"`)}},
		"no array":                         {"FlattenArrays$Value", config.Props{"fields": "id"}, outcome{err: `field "id" is no ARRAY`}},
		"tombstone":                        {"MakeTombstone", config.Props{}, outcome{value: "null"}},
		"no tombstone":                     {"TombstoneHandler", config.Props{"behavior": "fail"}, outcome{value: order}},
		"decompressed":                     {"GzipDecompress$Value", config.Props{}, outcome{err: "has to be BYTES"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := connect.Record{Topic: "t", Timestamp: time.UnixMilli(1), Value: connect.Datum{Value: fromJSONText(t, order)},
				Key: connect.Datum{Value: fromJSONText(t, `{"k":"v"}`)}, Headers: []connect.Header{header("h", "first"), header("h", "last")}}
			check(t, c.class, c.props, r, c.want)
		})
	}
}

func replaced(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		text = string(bytes.Replace([]byte(text), []byte(pairs[i]), []byte(pairs[i+1]), 1))
	}
	return text
}

func quoted(text string) string {
	out, _ := appendJSON(nil, nil, data.String(text), 0)
	return string(out)
}

func header(key, value string) connect.Header {
	return connect.Header{Key: key, Datum: connect.Datum{Schema: data.StringSchema, Value: data.String(value)}}
}

func TestOthersWithSchema(t *testing.T) {
	item := data.StructBuilder().Field("sku", data.StringSchema).MustBuild()
	s := data.StructBuilder().Name("com.example.Order").Field("city", data.StringSchema).Field("at", data.OptionalTimestampSchema).
		Field("tags", data.ArrayBuilder(data.StringSchema).MustBuild()).Field("items", data.ArrayBuilder(item).Optional().MustBuild()).MustBuild()
	v := structOf(t, s, data.String("Bern"), data.DateMillis(5000), data.ArrayOf(data.String("a"), data.String("b")), data.ArrayOf(structOf(t, item, data.String("x"))))
	const text = `{"city":"Bern","at":5000,"tags":["a","b"],"items":[{"sku":"x"}]}`
	for name, c := range map[string]struct {
		class string
		props config.Props
		want  outcome
	}{
		"topic of a field":            {"ExtractTopic$Value", config.Props{"field": "city"}, outcome{topic: "Bern"}},
		"topic by path":               {"ExtractTopic$Value", config.Props{"field": "$['items'][0].sku", "field.format": "json_path"}, outcome{topic: "x"}},
		"topic of the schema's name":  {"ExtractTopicFromSchemaName$Value", config.Props{}, outcome{topic: "com.example.Order"}},
		"topic of a part of the name": {"ExtractTopicFromSchemaName$Value", config.Props{"schema.name.regex": `(?:.*\.)(\w++)`}, outcome{topic: "Order"}},
		"topic mapped from the name":  {"ExtractTopicFromSchemaName$Value", config.Props{"schema.name.topic-map": "x:y,com.example.Order:orders"}, outcome{topic: "orders"}},
		"timestamp":                   {"ExtractTimestamp$Value", config.Props{"field.name": "at"}, outcome{at: 5000}},
		"topic by timestamp":          {"MessageTimestampRouter", config.Props{"message.timestamp.keys": "at", "topic.timestamp.format": "ss"}, outcome{topic: "t-05"}},
		"path":                        {"FilterByPath$Value", config.Props{"filter.condition": "$.tags[?(@ in ['b','c'])]", "filter.type": "include"}, outcome{value: text}},
		"hash":                        {"Hash$Value", config.Props{"field.name": "city", "function": "md5"}, outcome{value: replaced(text, "Bern", "961698fa64951bd6d3437ebc7931a899"), schema: s.String()}},
		"lower case":                  {"CaseTransform$Value", config.Props{"field.names": "city", "case": "lower"}, outcome{value: replaced(text, "Bern", "bern")}},
		"joined":                      {"ConcatFields$Value", config.Props{"field.names": "city,tags", "output.field.name": "j"}, outcome{value: text[:len(text)-1] + `,"j":"Bern[a, b]"}`}},
		"drop":                        {"Drop$Value", config.Props{"schema.behavior": "force_optional"}, outcome{value: "null"}},
		"drop, required":              {"Drop$Value", config.Props{"schema.behavior": "validate"}, outcome{err: "is required"}},
		"key to value":                {"KeyToValue", config.Props{"key.fields": "k,*", "value.fields": "city"}, outcome{value: replaced(text, `"Bern"`, `3`, `]}`, `],"_key":{"k":3}}`)}},
		"key to value, missing":       {"KeyToValue", config.Props{"key.fields": "x"}, outcome{err: "x is not a valid field name"}},
		"to JSON":                     {"ToJSON$Value", config.Props{"output.schema.type": "STRING"}, outcome{value: quoted(text)}},
		"arrays as JSON":              {"FlattenArrays$Value", config.Props{}, outcome{value: `{"city":"Bern","at":5000,"tags":"[\"a\",\"b\"]","items":"[{\"sku\":\"x\"}]"}`}},
		"arrays numbered":             {"FlattenArrays$Value", config.Props{"mode": "index", "index.count": "2"}, outcome{value: `{"city":"Bern","at":5000,"tags_0":"a","tags_1":"b","items_0":{"sku":"x"},"items_1":null}`}},
		"too long an array":           {"FlattenArrays$Value", config.Props{"mode": "index", "index.count": "1"}, outcome{err: `field "tags" has 2 elements`}},
	} {
		t.Run(name, func(t *testing.T) {
			key := data.StructBuilder().Field("k", data.Int32Schema).MustBuild()
			r := connect.Record{Topic: "t", Value: connect.Datum{Schema: s, Value: v}, Key: connect.Datum{Schema: key, Value: structOf(t, key, data.Int32(3))}}
			check(t, c.class, c.props, r, c.want)
		})
	}
}

// A dot leads further in, unless a field has the whole path for its name.
func TestDotsInNames(t *testing.T) {
	r := connect.Record{Topic: "t", Value: connect.Datum{Value: fromJSONText(t, `{"a.b":1,"a":{"b":2,"c":null},"x":5}`)}}
	for path, want := range map[string]outcome{"a.b": {at: 1}, "x": {at: 5}, "a.c": {err: "can't be null"}, "a.d": {err: "must be present"}, "x.y": {err: "must be present"}} {
		check(t, "ExtractTimestamp$Value", config.Props{"field.name": path}, r, want)
	}
	inner := data.StructBuilder().Field("b", data.Int64Schema).Optional().MustBuild()
	s := data.StructBuilder().Field("a.b", data.Int64Schema).Field("a", inner).Field("n", inner).MustBuild()
	r.Value = connect.Datum{Schema: s, Value: structOf(t, s, data.Int64(1), structOf(t, inner, data.Int64(2)), data.Value{})}
	for path, want := range map[string]outcome{"a.b": {at: 1}, "n.b": {err: "can't be null"}, "a.x": {err: "must be present"}, "a.b.c": {err: "non-struct"}} {
		check(t, "ExtractTimestamp$Value", config.Props{"field.name": path}, r, want)
	}
}

func TestTombstones(t *testing.T) {
	r := connect.Record{Topic: "t", Value: connect.Datum{Schema: data.OptionalStringSchema}}
	for _, behavior := range []string{"warn", "ignore", "drop_silent", "DROP_WARN"} {
		check(t, "TombstoneHandler", config.Props{"behavior": behavior}, r, outcome{dropped: true})
	}
	check(t, "TombstoneHandler", config.Props{}, r, outcome{dropped: true})
	check(t, "TombstoneHandler", config.Props{"behavior": "fail"}, r, outcome{err: `found a tombstone in topic "t"`})
	for _, class := range []string{"FromJSON$Value", "ToJSON$Value", "GzipDecompress$Value", "FlattenArrays$Value"} {
		check(t, class, config.Props{}, r, outcome{value: "null"})
	}
	check(t, "FilterByPath$Value", config.Props{"filter.condition": "$", "filter.type": "include"}, r, outcome{err: "on the way of $"})
	check(t, "FilterByFieldValue$Value", config.Props{"field.value": "x"}, r, outcome{value: "null"})
}

func TestFromJSON(t *testing.T) {
	text := func(v data.Value) connect.Record { return connect.Record{Value: connect.Datum{Value: v}} }
	check(t, "FromJSON$Value", config.Props{}, text(data.String(order)), outcome{value: order})
	check(t, "FromJSON$Value", config.Props{}, text(data.Bytes([]byte(order))), outcome{value: order})
	check(t, "FromJSON$Value", config.Props{}, text(data.String(`{"a":`)), outcome{err: "the value is no JSON"})
	check(t, "FromJSON$Value", config.Props{}, text(data.Int8(1)), outcome{err: "has to be STRING or BYTES"})
	check(t, "FromJSON$Value", config.Props{"schema.infer": "true"}, text(data.String(order)), outcome{schema: "Schema{STRUCT}", value: replaced(order, `,"nothing":null`, ``)})
	check(t, "FromJSON$Value", config.Props{"schema.infer": "true"}, text(data.String(`{"a":[1,"x"]}`)), outcome{err: "has no schema"})
}

func TestGzipDecompress(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(bytes.Repeat([]byte("x"), 1000))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r := connect.Record{Value: connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(packed.Bytes())}}

	x, err := classPlugin(t, "GzipDecompress$Value").NewTransform(config.Props{"max.bytes": "1000"})
	require.NoError(t, err)
	for range 2 {
		work := r
		_, err := x.Apply(t.Context(), &work)
		require.NoError(t, err)
		got, _ := work.Value.Value.Bytes()
		assert.Equal(t, bytes.Repeat([]byte("x"), 1000), got)
	}
	check(t, "GzipDecompress$Value", config.Props{"max.bytes": "999"}, r, outcome{err: "more than 999 bytes"})
	for _, bad := range [][]byte{{}, []byte("x"), packed.Bytes()[:15], packed.Bytes()[:packed.Len()-4]} {
		r.Value.Value = data.Bytes(bad)
		check(t, "GzipDecompress$Value", config.Props{}, r, outcome{err: "can not be decompressed"})
	}
}

// JSON is that of the JsonConverter.
func TestToJSONOfEverySort(t *testing.T) {
	s := data.StructBuilder().Field("price", data.DecimalSchema(2)).Field("day", data.DateSchema).Field("raw", data.BytesSchema).
		Field("m", data.MapBuilder(data.Int32Schema, data.BooleanSchema).MustBuild()).Field("f", data.Float64Schema).MustBuild()
	v := structOf(t, s, data.DecimalOf(data.DecimalFromInt64(1234, 2)), data.DateMillis(86400000*3), data.Bytes([]byte{1, 2}),
		data.MapOf(data.Pair{Key: data.Int32(1), Value: data.Boolean(true)}), data.Float64(1e10))
	check(t, "ToJSON$Value", config.Props{}, connect.Record{Value: connect.Datum{Schema: s, Value: v}},
		outcome{value: quoted(`{"price":"BNI=","day":3,"raw":"AQI=","m":[[1,true]],"f":1.0E10}`)})
}

func TestOthersRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		class string
		props config.Props
		want  string
	}{
		"path":              {"FilterByPath$Value", config.Props{"filter.condition": "$.a[?(@.b >)]", "filter.type": "include"}, "filter.condition"},
		"topic's path":      {"ExtractTopic$Key", config.Props{"field": "a", "field.format": "JSON_PATH"}, "want $"},
		"two fields":        {"ExtractTopic$Key", config.Props{"field": "a", "field.name": "b"}, "field is set, too"},
		"value and pattern": {"FilterByFieldValue$Key", config.Props{"field.value": "a", "field.value.pattern": "b"}, "not both"},
		"neither":           {"FilterByFieldValue$Key", config.Props{}, "not both"},
		"regex":             {"FilterByFieldValue$Key", config.Props{"field.value.pattern": "("}, "field.value.pattern"},
		"RE2":               {"TopicRegexRouter", config.Props{"regex": "(?=a)", "replacement": ""}, "regex"},
		"topic map":         {"ExtractTopicFromSchemaName$Value", config.Props{"schema.name.topic-map": "a"}, "want name:topic"},
		"schemas in JSON":   {"ToJSON$Value", config.Props{"schemas.enable": "true"}, "not supported"},
		"date":              {"MessageTimestampRouter", config.Props{"message.timestamp.keys": "a", "topic.timestamp.format": "b"}, "topic.timestamp.format"},
	} {
		t.Run(name, func(t *testing.T) {
			p := classPlugin(t, c.class)
			_, err := p.NewTransform(c.props)
			require.ErrorContains(t, err, c.want)
			res := config.Validate(t.Context(), c.props, p.Config())
			assert.Positive(t, res.ErrorCount, "found only when it is made")
		})
	}
}
