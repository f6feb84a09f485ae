package transforms

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// The table of what transforms cost on a record of eight fields:
//
//	go test -run '^$' -bench Transforms -benchmem ./transforms

// benchRecord has a struct of eight fields, with a struct among them, as key and value.
func benchRecord(t testing.TB) connect.Record {
	inner := data.StructBuilder().Field("city", data.StringSchema).Field("zip", data.Int32Schema).MustBuild()
	s := data.StructBuilder().Name("com.example.Order").
		Field("id", data.Int64Schema).Field("customer", data.StringSchema).Field("amount", data.Float64Schema).Field("count", data.Int32Schema).
		Field("paid", data.BooleanSchema).Field("at", data.TimestampSchema).Field("note", data.OptionalStringSchema).Field("address", inner).MustBuild()
	v := structOf(t, s, data.Int64(4711), data.String("Ada"), data.Float64(12.5), data.Int32(3), data.Boolean(true), data.DateMillis(1_700_000_000_000),
		data.String("42"), structOf(t, inner, data.String("Bern"), data.Int32(3000)))
	d := connect.Datum{Schema: s, Value: v}
	return connect.Record{Topic: "shop.public.orders", Partition: connect.On(3), Offset: 42, Timestamp: time.UnixMilli(1_700_000_000_000), Key: d, Value: d,
		Headers: []connect.Header{{Key: "a", Datum: connect.Datum{Schema: data.StringSchema, Value: data.String("x")}}}}
}

// benchCase is one line of the table.
type benchCase struct {
	name, class string
	props       config.Props
}

func benchCases() []benchCase {
	return []benchCase{
		{"Cast", "Cast$Value", config.Props{"spec": "id:string,count:int64,note:int32"}},
		{"DropHeaders", "DropHeaders", config.Props{"headers": "a"}},
		{"ExtractField", "ExtractField$Value", config.Props{"field": "address.city", "field.syntax.version": "V2"}},
		{"Filter", "Filter", config.Props{}},
		{"Flatten", "Flatten$Value", config.Props{}},
		{"HeaderFrom", "HeaderFrom$Value", config.Props{"fields": "id,note", "headers": "id,note", "operation": "move"}},
		{"HoistField", "HoistField$Value", config.Props{"field": "f"}},
		{"InsertField", "InsertField$Value", config.Props{"topic.field": "topic", "timestamp.field": "ts", "static.field": "s", "static.value": "x"}},
		{"InsertHeader", "InsertHeader", config.Props{"header": "h", "value.literal": "1"}},
		{"MaskField", "MaskField$Value", config.Props{"fields": "customer,amount"}},
		{"RegexRouter", "RegexRouter", config.Props{"regex": `(\w+)\.(\w+)\.(\w+)`, "replacement": "$3"}},
		{"ReplaceField", "ReplaceField$Value", config.Props{"exclude": "note", "renames": "customer:name"}},
		{"SetSchemaMetadata", "SetSchemaMetadata$Value", config.Props{"schema.name": "n"}},
		{"TimestampConverter", "TimestampConverter$Value", config.Props{"field": "at", "target.type": "string", "format": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"}},
		{"TimestampRouter", "TimestampRouter", config.Props{}},
		{"ValueToKey", "ValueToKey", config.Props{"fields": "id,customer"}},

		{"CaseTransform", "CaseTransform$Value", config.Props{"field.names": "customer", "case": "upper"}},
		{"ConcatFields", "ConcatFields$Value", config.Props{"field.names": "id,customer", "output.field.name": "j", "delimiter": "-"}},
		{"Drop", "Drop$Value", config.Props{}},
		{"ExtractTimestamp", "ExtractTimestamp$Value", config.Props{"field.name": "at"}},
		{"ExtractTopic", "ExtractTopic$Value", config.Props{"field": "customer"}},
		{"ExtractTopicFromSchemaName", "ExtractTopicFromSchemaName$Value", config.Props{"schema.name.regex": `.*\.(\w+)`}},
		{"FilterByFieldValue", "FilterByFieldValue$Value", config.Props{"field.name": "customer", "field.value": "Ada"}},
		{"FilterByPath", "FilterByPath$Value", config.Props{"filter.condition": "$[?(@.count > 1 && @.address.city == 'Bern')]", "filter.type": "include"}},
		{"Hash", "Hash$Value", config.Props{"field.name": "customer", "function": "sha256"}},
		{"KeyToValue", "KeyToValue", config.Props{"key.fields": "id", "value.fields": "key_id"}},
		{"MessageTimestampRouter", "MessageTimestampRouter", config.Props{"message.timestamp.keys": "at"}},
		{"TombstoneHandler", "TombstoneHandler", config.Props{}},
		{"TopicRegexRouter", "TopicRegexRouter", config.Props{"regex": `(\w+)\.(\w+)\.(\w+)`, "replacement": "$3"}},
		{"ToJSON", "ToJSON$Value", config.Props{}},
		{"MakeTombstone", "MakeTombstone", config.Props{}},
	}
}

func benchPredicates() []benchCase {
	return []benchCase{
		{"TopicNameMatches", "TopicNameMatches", config.Props{"pattern": `shop\..*`}},
		{"HasHeaderKey", "HasHeaderKey", config.Props{"name": "a"}},
		{"RecordIsTombstone", "RecordIsTombstone", config.Props{}},
	}
}

// TestBenchmarksHaveAll: the table has a line for each transform and predicate.
func TestBenchmarksHaveAll(t *testing.T) {
	known := make(map[string]bool)
	note := func(class string) {
		name, _, _ := strings.Cut(class, "$")
		known[name] = true
	}
	for _, c := range append(benchCases(), benchPredicates()...) {
		note(c.class)
	}
	for _, c := range benchEvents(t) {
		note(c.class)
	}
	for _, p := range All() {
		name, _, _ := strings.Cut(p.Info().Class, "$")
		assert.True(t, known[name], "%s has no benchmark", name)
	}
}

func classPlugin(t testing.TB, class string) connect.Plugin {
	for _, p := range All() {
		if p.Info().Class == class {
			return p
		}
	}
	require.Fail(t, "no plugin "+class)
	return connect.Plugin{}
}

func BenchmarkTransforms(b *testing.B) {
	b.Run("copy of the record", benchCopy)
	for _, c := range benchCases() {
		b.Run(c.name, func(b *testing.B) { benchChain(b, benchRecord(b), c) })
	}
	for _, c := range benchEvents(b) {
		b.Run(c.name, func(b *testing.B) { benchChain(b, c.record, c.benchCase) })
	}
	for _, c := range benchPredicates() {
		b.Run(c.name, func(b *testing.B) { benchPredicate(b, c.class, c.props) })
	}
	b.Run("chain of InsertField ReplaceField Cast", func(b *testing.B) {
		benchChain(b, benchRecord(b),
			benchCase{class: "InsertField$Value", props: config.Props{"topic.field": "topic"}},
			benchCase{class: "ReplaceField$Value", props: config.Props{"exclude": "note", "renames": "customer:name"}},
			benchCase{class: "Cast$Value", props: config.Props{"spec": "count:int64,paid:string"}})
	})
}

// benchCopy is what a new value of the same fields costs at least.
func benchCopy(b *testing.B) {
	r := benchRecord(b)
	old, _ := r.Value.Value.Struct()
	b.ReportAllocs()
	for b.Loop() {
		row, err := data.NewStruct(r.Value.Schema)
		if err != nil {
			b.Fatal(err)
		}
		for i := range old.Len() {
			row.Set(i, old.Raw(i))
		}
		work := r
		work.Value.Value = data.StructOf(row)
	}
}

func benchChain(b *testing.B, r connect.Record, cases ...benchCase) {
	var chain []connect.Transform
	for _, c := range cases {
		x, err := classPlugin(b, c.class).NewTransform(c.props)
		require.NoError(b, err)
		chain = append(chain, x)
	}
	var work connect.Record
	b.ReportAllocs()
	for b.Loop() {
		work = r
		work.Headers = r.Headers[:len(r.Headers):len(r.Headers)]
		for _, x := range chain {
			if _, err := x.Apply(b.Context(), &work); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchPredicate(b *testing.B, class string, props config.Props) {
	x, err := classPlugin(b, class).NewPredicate(props)
	require.NoError(b, err)
	r := benchRecord(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Test(b.Context(), &r); err != nil {
			b.Fatal(err)
		}
	}
}

// benchEvent is a line of the table for a transform that needs another record.
type benchEvent struct {
	benchCase
	record connect.Record
}

// benchEvents have the same eight fields in an envelope, or as JSON.
func benchEvents(b testing.TB) []benchEvent {
	plain := benchRecord(b)
	row, err := optionalOf(plain.Value.Schema)
	require.NoError(b, err)
	source := data.StructBuilder().Name("source").Field("table", data.StringSchema).MustBuild()
	envelope := data.StructBuilder().Name("shop.public.orders.Envelope").Field("before", row).Field("after", row).Field("source", source).
		Field("op", data.StringSchema).Field("ts_ms", data.OptionalInt64Schema).MustBuild()
	old, _ := plain.Value.Value.Struct()
	var fields []data.Value
	for i := range old.Len() {
		fields = append(fields, old.Raw(i))
	}
	event := plain
	event.Value = connect.Datum{Schema: envelope, Value: structOf(b, envelope, data.Value{}, structOf(b, row, fields...),
		structOf(b, source, data.String("orders")), data.String("c"), data.Int64(1))}

	outbox := data.StructBuilder().Name("Value").Field("id", data.StringSchema).Field("aggregatetype", data.StringSchema).Field("aggregateid", data.StringSchema).
		Field("payload", data.OptionalStringSchema).Optional().MustBuild()
	outboxEnvelope := data.StructBuilder().Name("shop.public.outbox.Envelope").Field("after", outbox).Field("op", data.StringSchema).
		Field("ts_ms", data.OptionalInt64Schema).MustBuild()
	routed := plain
	routed.Value = connect.Datum{Schema: outboxEnvelope, Value: structOf(b, outboxEnvelope,
		structOf(b, outbox, data.String("1"), data.String("order"), data.String("7"), data.String("{}")), data.String("c"), data.Int64(1))}

	text, err := appendJSON(nil, plain.Value.Schema, plain.Value.Value, 0)
	require.NoError(b, err)
	asJSON := plain
	asJSON.Value = connect.Datum{Schema: data.StringSchema, Value: data.String(string(text))}
	lists := data.StructBuilder().Field("id", data.Int64Schema).Field("tags", data.ArrayBuilder(data.StringSchema).MustBuild()).MustBuild()
	tagged := plain
	tagged.Value = connect.Datum{Schema: lists, Value: structOf(b, lists, data.Int64(7), data.ArrayOf(data.String("new"), data.String("paid")))}
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, err = zip.Write(text)
	require.NoError(b, err)
	require.NoError(b, zip.Close())
	packed := plain
	packed.Value = connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(zipped.Bytes())}
	return []benchEvent{
		{benchCase{"FlattenArrays", "FlattenArrays$Value", config.Props{"mode": "join"}}, tagged},
		{benchCase{"GzipDecompress", "GzipDecompress$Value", config.Props{}}, packed},
		{benchCase{"ExtractNewRecordState", "ExtractNewRecordState", config.Props{"add.fields": "op,table"}}, event},
		{benchCase{"LogicalTableRouter", "LogicalTableRouter", config.Props{"topic.regex": `(.*)\.\w+`, "topic.replacement": "$1.all"}}, event},
		{benchCase{"OutboxEventRouter", "OutboxEventRouter", config.Props{}}, routed},
		{benchCase{"FromJSON", "FromJSON$Value", config.Props{}}, asJSON},
	}
}
