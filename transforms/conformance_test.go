package transforms

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// A conformance is what is asked of a plugin, with one valid configuration.
type conformance struct {
	props config.Props
	// fails tells that the record of the test is none that the transform can work on.
	fails bool
	// odd tells that what comes out does not fit its schema for some records, as in Java.
	odd bool
}

// both gives a configuration to the two sides of a transform.
func both(m map[string][]conformance, name string, c ...conformance) {
	m[name+"$Key"], m[name+"$Value"] = c, c
}

func conformances() map[string][]conformance {
	inserted := config.Props{"topic.field": "t!", "partition.field": "p", "timestamp.field": "ts?", "static.field": "note", "static.value": "x"}
	m := map[string][]conformance{
		"DropHeaders":  {{props: config.Props{"headers": "h,x"}}},
		"Filter":       {{props: config.Props{}}},
		"InsertHeader": {{props: config.Props{"header": "h", "value.literal": "{\"a\":[1,2]}"}}},
		"RegexRouter": {
			{props: config.Props{"regex": "(to)(.*)", "replacement": "$2-$1"}},
			{props: config.Props{"regex": ".*", "replacement": ""}},
			{props: config.Props{"regex": ".*", "replacement": "$7"}, fails: true},
		},
		"TimestampRouter": {
			{props: config.Props{"topic.format": "${topic}/${timestamp}", "timestamp.format": "yyyy.MM.dd"}},
			{props: config.Props{"timestamp.format": "b"}, fails: true},
		},
		"ValueToKey":            {{props: config.Props{"fields": "s,i"}}, {props: config.Props{"fields": "missing"}, fails: true}},
		"ExtractNewRecordState": {{props: config.Props{"add.fields": "op,source.ts_ms:at", "add.headers": "op", "route.by.field": "id", "drop.fields.header.name": "h"}}},
		"OutboxEventRouter":     {{props: config.Props{"table.fields.additional.placement": "type:header,x:envelope:y", "table.expand.json.payload": "true"}}},
		"LogicalTableRouter":    {{props: config.Props{"topic.regex": "to(.*)", "topic.replacement": "$1", "key.field.regex": "(.*)", "key.field.replacement": "$1"}}},
		"HasHeaderKey":          {{props: config.Props{"name": "h"}}},
		"RecordIsTombstone":     {{props: config.Props{}}},
		"TopicNameMatches":      {{props: config.Props{"pattern": "to.*"}}},
	}
	both(m, "Cast", conformance{props: config.Props{"spec": "i:string,s:boolean,at:int64"}}, conformance{props: config.Props{"spec": "int8"}, fails: true, odd: true},
		conformance{props: config.Props{"spec": "string"}, fails: true, odd: true})
	both(m, "ExtractField", conformance{props: config.Props{"field": "i"}}, conformance{props: config.Props{"field": "in.n", "field.syntax.version": "v2"}},
		conformance{props: config.Props{"field": "missing", "replace.null.with.default": "false"}, fails: true})
	both(m, "Flatten", conformance{props: config.Props{}}, conformance{props: config.Props{"delimiter": "__"}})
	both(m, "HeaderFrom", conformance{props: config.Props{"fields": "i,in", "headers": "a,a", "operation": "move"}},
		conformance{props: config.Props{"fields": "s", "headers": "b", "operation": "copy"}})
	both(m, "HoistField", conformance{props: config.Props{"field": "f"}})
	both(m, "InsertField", conformance{props: inserted}, conformance{props: inserted.Merge(config.Props{"offset.field": "o"})},
		conformance{props: inserted.Merge(config.Props{"replace.null.with.default": "false"})})
	both(m, "MaskField", conformance{props: config.Props{"fields": "i,s,at,price"}}, conformance{props: config.Props{"fields": "i,s", "replacement": "7"}})
	both(m, "ReplaceField", conformance{props: config.Props{"exclude": "i", "renames": "s:text"}}, conformance{props: config.Props{"include": "i,s"}})
	both(m, "SetSchemaMetadata", conformance{props: config.Props{"schema.name": "n"}}, conformance{props: config.Props{"schema.version": "7"}})
	both(m, "TimestampConverter", conformance{props: config.Props{"field": "at", "target.type": "string", "format": "yyyy-MM-dd"}},
		conformance{props: config.Props{"field": "at", "target.type": "unix", "unix.precision": "microseconds"}},
		conformance{props: config.Props{"target.type": "Date"}, fails: true})
	otherConformances(m)
	return m
}

// otherConformances is for what Kafka does not have.
func otherConformances(m map[string][]conformance) {
	for name, c := range map[string]conformance{
		"ExtractTopic$Header":    {props: config.Props{"field": "h"}},
		"KeyToValue":             {props: config.Props{"key.fields": "*,i", "value.fields": "whole"}},
		"MakeTombstone":          {props: config.Props{}},
		"MessageTimestampRouter": {props: config.Props{"message.timestamp.keys": "in.t,at", "message.timestamp.format": "yyyy"}, fails: true},
		"TombstoneHandler":       {props: config.Props{"behavior": "fail"}},
		"TopicRegexRouter":       {props: config.Props{"regex": "(to)(.*)", "replacement": "${2}-$1"}},
	} {
		m[name] = []conformance{c}
	}
	both(m, "CaseTransform", conformance{props: config.Props{"field.names": "s", "case": "UPPER"}})
	both(m, "ConcatFields", conformance{props: config.Props{"field.names": "s,in.t,i,missing", "output.field.name": "joined", "delimiter": "-"}})
	both(m, "Drop", conformance{props: config.Props{}}, conformance{props: config.Props{"schema.behavior": "force_optional"}},
		conformance{props: config.Props{"schema.behavior": "validate"}, fails: true}, conformance{props: config.Props{"schema.behavior": "retain"}, odd: true})
	both(m, "ExtractTimestamp", conformance{props: config.Props{"field.name": "at"}})
	both(m, "ExtractTopic", conformance{props: config.Props{"field": "s"}}, conformance{props: config.Props{"field.name": "i"}},
		conformance{props: config.Props{"field": "$.in.t", "field.format": "JSON_PATH"}}, conformance{props: config.Props{}, fails: true})
	both(m, "ExtractTopicFromSchemaName", conformance{props: config.Props{"schema.name.regex": `.*\.(\w+)`, "schema.name.topic-map": "a:b"}})
	both(m, "FilterByFieldValue", conformance{props: config.Props{"field.name": "s", "field.value": "true"}},
		conformance{props: config.Props{"field.value.pattern": "x(?=y)", "field.value.matches": "false"}})
	both(m, "FilterByPath", conformance{props: config.Props{"filter.condition": "$[?(@.i > 3 && @.list contains 'a')]", "filter.type": "include"}})
	both(m, "FlattenArrays", conformance{props: config.Props{}}, conformance{props: config.Props{"mode": "join"}}, conformance{props: config.Props{"mode": "index"}})
	both(m, "FromJSON", conformance{props: config.Props{}, fails: true}, conformance{props: config.Props{"schema.infer": "true"}, fails: true})
	both(m, "GzipDecompress", conformance{props: config.Props{}, fails: true})
	both(m, "Hash", conformance{props: config.Props{"field.name": "s", "function": "sha256"}})
	both(m, "ToJSON", conformance{props: config.Props{}}, conformance{props: config.Props{"output.schema.type": "bytes"}})
}

// conformanceRecord has a struct of every sort of field on both sides.
func conformanceRecord(t testing.TB) connect.Record {
	inner := data.StructBuilder().Field("n", data.OptionalInt32Schema).Field("t", data.StringSchema).Optional().MustBuild()
	s := data.StructBuilder().Name("com.example.Row").Version(1).Field("i", data.Int32Schema).Field("s", data.StringSchema).
		Field("at", data.OptionalTimestampSchema).Field("price", data.DecimalSchema(2)).Field("in", inner).
		Field("list", data.ArrayBuilder(data.StringSchema).MustBuild()).MustBuild()
	nested := structOf(t, inner, data.Int32(1), data.String("x"))
	r := connect.Record{Topic: "topic", Partition: connect.On(3), Offset: 42, Timestamp: time.UnixMilli(1_700_000_000_123),
		Headers: []connect.Header{{Key: "h", Datum: connect.Datum{Schema: data.StringSchema, Value: data.String("v")}}}}
	r.Value = connect.Datum{Schema: s, Value: structOf(t, s, data.Int32(7), data.String("true"), data.DateMillis(1_700_000_000_000),
		data.DecimalOf(data.DecimalFromInt64(1234, 2)), nested, data.ArrayOf(data.String("a")))}
	r.Key = r.Value
	return r
}

// structOf makes a struct of values in the order of the fields.
func structOf(t testing.TB, s *data.Schema, values ...data.Value) data.Value {
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	for i, v := range values {
		x.Set(i, v)
	}
	return data.StructOf(x)
}

func TestConformance(t *testing.T) {
	cases := conformances()
	for _, p := range All() {
		t.Run(p.Info().Class, func(t *testing.T) {
			valid := cases[p.Info().Class]
			require.NotEmpty(t, valid, "no configuration to test with")
			for i, c := range valid {
				t.Run(string(rune('a'+i)), func(t *testing.T) {
					connecttest.TestPlugin(t, p, c.props)
					testBehaviour(t, p, c)
				})
			}
		})
	}
}

func testBehaviour(t *testing.T, p connect.Plugin, c conformance) {
	record := conformanceRecord(t)
	switch {
	case p.Kind() == connect.PredicatePlugin:
		testPredicate(t, p, c.props, record)
	case c.odd:
		testUnchanged(t, p, c.props)
	case c.fails:
		connecttest.TestTransform(t, p, c.props)
	default:
		connecttest.TestTransform(t, p, c.props, record)
	}
}

// testPredicate shows that a predicate only reads.
func testPredicate(t *testing.T, p connect.Plugin, props config.Props, r connect.Record) {
	x, err := p.NewPredicate(props)
	require.NoError(t, err)
	before := deepCopy(r)
	_, err = x.Test(t.Context(), &r)
	assert.NoError(t, err)
	assertRecord(t, before, r)
	for _, s := range connecttest.Samples() {
		r := connect.Record{Topic: "t", Key: s.Datum, Value: s.Datum}
		_, err := x.Test(t.Context(), &r)
		assert.NoError(t, err, s.Name)
	}
}

// testUnchanged is the part of TestTransform that holds for transforms whose results may not fit their schemas.
func testUnchanged(t *testing.T, p connect.Plugin, props config.Props) {
	x, err := p.NewTransform(props)
	require.NoError(t, err)
	for _, s := range connecttest.Samples() {
		given := connect.Record{Topic: "t", Key: s.Datum, Value: s.Datum}
		before, work := deepCopy(given), given
		_, _ = x.Apply(t.Context(), &work)
		assertRecord(t, before, given)
	}
}
