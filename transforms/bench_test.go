package transforms

import (
	"testing"
	"time"

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
		b.Run(c.name, func(b *testing.B) { benchChain(b, c) })
	}
	b.Run("chain of InsertField ReplaceField Cast", func(b *testing.B) {
		benchChain(b,
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

func benchChain(b *testing.B, cases ...benchCase) {
	var chain []connect.Transform
	for _, c := range cases {
		x, err := classPlugin(b, c.class).NewTransform(c.props)
		require.NoError(b, err)
		chain = append(chain, x)
	}
	r := benchRecord(b)
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
