package data_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect/data"
)

// A schema is built once; structs of it are rows whose fields are set and read by name or position.
func Example() {
	schema, err := data.StructBuilder().Name("demo.Order").
		Field("id", data.Int64Schema).
		Field("note", data.OptionalStringSchema).
		Field("at", data.TimestampSchema).
		Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	order, err := data.NewStruct(schema)
	if err != nil {
		fmt.Println(err)
		return
	}
	for name, v := range map[string]data.Value{
		"id": data.Int64(7),
		"at": data.DateOf(time.Date(2024, 2, 29, 13, 45, 1, 0, time.UTC)),
	} {
		if err := order.Put(name, v); err != nil {
			fmt.Println(err)
			return
		}
	}
	id, _ := order.At(0).Int()
	fmt.Println(id, order.At(1).IsNull())
	fmt.Println(data.Format(data.StructOf(order)))

	err = order.Put("id", data.Int32(8))
	var e *data.Error
	fmt.Println(errors.As(err, &e), err)
	// Output:
	// 7 true
	// {"id":7,"note":null,"at":2024-02-29T13:45:01.000Z}
	// true Invalid object for schema with type INT64: found INT32 for field: "id"
}

// The rows of a batch share their memory; positions of fields are looked up once.
func ExampleNewStructs() {
	schema := data.StructBuilder().Field("n", data.Int32Schema).Field("square", data.Int64Schema).MustBuild()
	n, square := schema.FieldIndex("n"), schema.FieldIndex("square")
	rows := data.NewStructs(schema, 3)
	for i := range rows {
		rows[i].Set(n, data.Int32(int32(i)))
		rows[i].Set(square, data.Int64(int64(i)*int64(i)))
	}
	for i := range rows {
		fmt.Println(data.StructOf(&rows[i]))
	}
	// Output:
	// Struct{n=0,square=0}
	// Struct{n=1,square=1}
	// Struct{n=2,square=4}
}

func ExampleParse() {
	for _, text := range []string{"42", "1.50", "true", "2024-02-29", `[1, 2, 300]`, `{"k":1.5}`, "anything else"} {
		schema, v := data.Parse(text)
		fmt.Println(schema, data.Format(v))
	}
	// Output:
	// Schema{INT8} 42
	// Schema{FLOAT32} 1.5
	// Schema{BOOLEAN} true
	// Schema{org.apache.kafka.connect.data.Date:INT32} 2024-02-29
	// Schema{ARRAY} [1,2,300]
	// Schema{MAP} {"k":1.5}
	// Schema{STRING} anything else
}

func ExampleProject() {
	old := data.StructBuilder().Field("id", data.Int32Schema).Field("gone", data.StringSchema).MustBuild()
	now := data.StructBuilder().Field("id", data.Int64Schema).
		Field("state", data.NewBuilder(data.KindString).Default(data.String("new")).MustBuild()).MustBuild()
	row, err := data.NewStruct(old)
	if err != nil {
		fmt.Println(err)
		return
	}
	row.Set(0, data.Int32(7))
	row.Set(1, data.String("x"))
	v, err := data.Project(old, data.StructOf(row), now)
	fmt.Println(v, err)
	// Output: Struct{id=7,state=new} <nil>
}

func ExampleReference() {
	node := data.NewReference()
	list := data.StructBuilder().Name("Node").Field("value", data.Int32Schema).Field("next", node.Optional()).MustBuild()
	if err := node.Bind(list); err != nil {
		fmt.Println(err)
		return
	}
	next, _ := list.Field("next")
	fmt.Println(next.Schema, next.Schema.Optional(), len(next.Schema.Fields()))
	// Output: Schema{Node:STRUCT} true 2
}

func ExampleToLogical() {
	price := data.DecimalSchema(2)
	v, err := data.ToLogical(price, data.Bytes([]byte{0x00, 0x9c}))
	fmt.Println(v, err)
	raw, err := data.FromLogical(price, v)
	b, _ := raw.Bytes()
	fmt.Printf("% x %v\n", b, err)
	// Output:
	// 1.56 <nil>
	// 00 9c <nil>
}
