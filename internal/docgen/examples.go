package main

import (
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// An example is a configuration of a plugin and a record to show it on.
type example struct {
	class  string
	props  config.Props
	record connect.Record
}

// noon of a leap day is the time of the examples.
var noon = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// examples has one for each page of a transform or predicate.
func examples() []example {
	order := orderRecord()
	return append(kafkaExamples(order), otherExamples(order)...)
}

func kafkaExamples(order connect.Record) []example {
	nested := order
	nested.Value = row("Order", f("id", data.Int64(7)), f("address", row("Address", f("city", data.String("Bern")), f("zip", data.Int32(3000))).Value))
	tombstone := order
	tombstone.Value = connect.Datum{}
	return []example{
		{"Cast$Value", config.Props{"spec": "id:string,total:float32"}, order},
		{"DropHeaders", config.Props{"headers": "source"}, order},
		{"ExtractField$Value", config.Props{"field": "address.city", "field.syntax.version": "V2"}, nested},
		{"Filter", config.Props{}, order},
		{"Flatten$Value", config.Props{"delimiter": "_"}, nested},
		{"HasHeaderKey", config.Props{"name": "source"}, order},
		{"HeaderFrom$Value", config.Props{"fields": "id", "headers": "order-id", "operation": "move"}, order},
		{"HoistField$Key", config.Props{"field": "id"}, scalarKey(order)},
		{"InsertField$Value", config.Props{"topic.field": "topic", "timestamp.field": "ts?", "static.field": "source", "static.value": "shop"}, order},
		{"InsertHeader", config.Props{"header": "retries", "value.literal": "3"}, order},
		{"MaskField$Value", config.Props{"fields": "city,total"}, order},
		{"RecordIsTombstone", config.Props{}, tombstone},
		{"RegexRouter", config.Props{"regex": `(\w+)\.(?<table>\w+)`, "replacement": "${table}-$1"}, onTopic(order, "shop.orders")},
		{"ReplaceField$Value", config.Props{"exclude": "note", "renames": "id:order_id"}, order},
		{"SetSchemaMetadata$Value", config.Props{"schema.name": "com.example.Order", "schema.version": "2"}, order},
		{"TimestampConverter$Value", config.Props{"field": "at", "target.type": "string", "format": "yyyy-MM-dd'T'HH:mm:ssXXX"}, order},
		{"TimestampRouter", config.Props{"topic.format": "${topic}-${timestamp}", "timestamp.format": "yyyy.MM.dd"}, order},
		{"TopicNameMatches", config.Props{"pattern": "ord.*"}, order},
		{"ValueToKey", config.Props{"fields": "id"}, order},
	}
}

func otherExamples(order connect.Record) []example {
	tags := order
	tags.Value = row("Order", f("id", data.Int64(7)), f("tags", data.ArrayOf(data.String("new"), data.String("paid"))))
	text := order
	text.Value = connect.Datum{Schema: data.StringSchema, Value: data.String(`{"id":7,"tags":["new"]}`)}
	packed := order
	packed.Value = connect.Datum{Schema: data.BytesSchema, Value: data.Bytes([]byte("\x1f\x8b\b\x00\x00\x00\x00\x00\x00\xff\xcaH\xcd\xc9\xc9\a\x04\x00\x00\xff\xff\x86\xa6\x106\x05\x00\x00\x00"))}
	tombstone := order
	tombstone.Value = connect.Datum{}
	return []example{
		{"CaseTransform$Value", config.Props{"field.names": "city", "case": "upper"}, order},
		{"ConcatFields$Value", config.Props{"field.names": "city,id", "output.field.name": "label", "delimiter": "-"}, order},
		{"Drop$Value", config.Props{"schema.behavior": "nullify"}, order},
		{"Expression$Value", config.Props{"fields": "gross", "field.gross": "value.total * 1.25", "type.gross": "float64"}, order},
		{"ExpressionFilter", config.Props{"condition": "value.total > 100.0 && value.city in ['Bern', 'Thun']"}, order},
		{"ExpressionMatches", config.Props{"condition": "has(value.city) && value.city.startsWith('B')"}, order},
		{"ExpressionRouter", config.Props{"topic.expression": "topic + '-' + value.city.lowerAscii()"}, order},
		{"ExtractNewRecordState", config.Props{"add.fields": "op,source.table", "add.headers": "op"}, changeEvent(order)},
		{"ExtractTimestamp$Value", config.Props{"field.name": "at"}, at(order, noon.AddDate(0, 0, 1))},
		{"ExtractTopic$Value", config.Props{"field": "$.city", "field.format": "JSON_PATH"}, order},
		{"ExtractTopicFromSchemaName$Value", config.Props{"schema.name.topic-map": "Order:orders-of-the-shop"}, order},
		{"FilterByFieldValue$Value", config.Props{"field.name": "city", "field.value": "Thun"}, order},
		{"FilterByPath$Value", config.Props{"filter.condition": "$[?(@.total > 100 && @.city == 'Bern')]", "filter.type": "include"}, order},
		{"FlattenArrays$Value", config.Props{"mode": "join"}, tags},
		{"FromJSON$Value", config.Props{"schema.infer": "true"}, text},
		{"GzipDecompress$Value", config.Props{}, packed},
		{"Hash$Value", config.Props{"field.name": "city", "function": "sha256"}, order},
		{"KeyToValue", config.Props{"key.fields": "*", "value.fields": "customer"}, scalarKey(order)},
		{"LogicalTableRouter", config.Props{"topic.regex": `(.*)_shard\d+`, "topic.replacement": "$1"}, onTopic(changeEvent(order), "shop.orders_shard3")},
		{"MakeTombstone", config.Props{}, order},
		{"MessageTimestampRouter", config.Props{"message.timestamp.keys": "created,at", "topic.timestamp.format": "yyyy-'w'ww"}, order},
		{"OutboxEventRouter", config.Props{"table.fields.additional.placement": "type:header"}, outboxEvent(order)},
		{"ToJSON$Value", config.Props{}, tags},
		{"TombstoneHandler", config.Props{"behavior": "drop_silent"}, tombstone},
		{"TopicRegexRouter", config.Props{"regex": `(\w+)\.(?P<table>\w+)`, "replacement": "${table}-$1"}, onTopic(order, "shop.orders")},
	}
}

// A named is a field with its value.
type named struct {
	name  string
	value data.Value
}

func f(name string, v data.Value) named { return named{name, v} }

// row makes a struct whose schema follows from its values; null is an optional STRING.
func row(name string, fields ...named) connect.Datum {
	b := data.StructBuilder().Name(name)
	for _, x := range fields {
		b.Field(x.name, schemaOf(x.value))
	}
	s := b.MustBuild()
	v, err := data.NewStruct(s)
	if err != nil {
		panic(err)
	}
	for i, x := range fields {
		v.Set(i, x.value)
	}
	return connect.Datum{Schema: s, Value: data.StructOf(v)}
}

func schemaOf(v data.Value) *data.Schema {
	if x, ok := v.Struct(); ok {
		return x.Schema()
	}
	switch v.Kind() {
	case data.KindNull:
		return data.OptionalStringSchema
	case data.KindDate:
		return data.TimestampSchema
	}
	return data.InferSchema(v)
}

// orderRecord is the record that most examples are shown on.
func orderRecord() connect.Record {
	return connect.Record{
		Topic: "orders", Partition: connect.On(3), Offset: 42, Timestamp: noon,
		Headers: []connect.Header{{Key: "source", Datum: connect.Datum{Schema: data.StringSchema, Value: data.String("shop")}}},
		Value: row("Order", f("id", data.Int64(7)), f("city", data.String("Bern")), f("total", data.Float64(120.5)),
			f("at", data.DateMillis(noon.UnixMilli())), f("note", data.Value{})),
	}
}

func onTopic(r connect.Record, name string) connect.Record {
	r.Topic = name
	return r
}

func at(r connect.Record, t time.Time) connect.Record {
	r.Timestamp = t
	return r
}

func scalarKey(r connect.Record) connect.Record {
	r.Key = connect.Datum{Schema: data.Int64Schema, Value: data.Int64(4711)}
	return r
}

// changeEvent is the order as Debezium tells of its update.
func changeEvent(r connect.Record) connect.Record {
	return event(r, "Order", f("id", data.Int64(7)), f("city", data.String("Bern")))
}

func outboxEvent(r connect.Record) connect.Record {
	return event(r, "Outbox", f("id", data.String("9b1f")), f("aggregatetype", data.String("order")), f("aggregateid", data.String("7")),
		f("type", data.String("OrderPaid")), f("payload", data.String(`{"id":7}`)))
}

func event(r connect.Record, name string, fields ...named) connect.Record {
	after := row(name, fields...)
	b := data.StructBuilder().Name(name).Optional()
	for _, x := range after.Schema.Fields() {
		b.Field(x.Name, x.Schema)
	}
	optional := b.MustBuild()
	v, err := data.NewStruct(optional)
	if err != nil {
		panic(err)
	}
	for i, x := range fields {
		v.Set(i, x.value)
	}
	source := row("Source", f("table", data.String("orders")))
	envelope := data.StructBuilder().Name("shop.orders.Envelope").Field("before", optional).Field("after", optional).Field("source", source.Schema).
		Field("op", data.StringSchema).Field("ts_ms", data.OptionalInt64Schema).MustBuild()
	e, err := data.NewStruct(envelope)
	if err != nil {
		panic(err)
	}
	e.Set(1, data.StructOf(v))
	e.Set(2, source.Value)
	e.Set(3, data.String("c"))
	e.Set(4, data.Int64(noon.UnixMilli()))
	r.Value = connect.Datum{Schema: envelope, Value: data.StructOf(e)}
	r.Headers = nil
	return r
}
