package converters_test

import (
	"context"
	"fmt"
	"log"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

// A converter is chosen in a configuration by the name of its Java class, in
// full or short. Here one is made of its keys directly.
func Example() {
	c, err := converters.JSON.NewConverter(config.Props{"converter.type": "value", "schemas.enable": "false"})
	if err != nil {
		log.Fatal(err)
	}
	value := data.MapOf(data.Pair{Key: data.String("name"), Value: data.String("café")})
	b, _, err := c.AppendEncode(context.Background(), nil, &connect.Wire{Topic: "places"}, connect.Datum{Value: value})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", b)
	// Output: {"name":"café"}
}

func ExampleJSONConverter() {
	j, err := converters.NewJSON(converters.DefaultJSONConfig())
	if err != nil {
		log.Fatal(err)
	}
	schema := data.StructBuilder().Field("id", data.Int32Schema).Field("note", data.OptionalStringSchema).MustBuild()
	row, err := data.NewStruct(schema)
	if err != nil {
		log.Fatal(err)
	}
	row.Set(0, data.Int32(7))
	b, _, err := j.AppendEncode(context.Background(), nil, nil, connect.Datum{Schema: schema, Value: data.StructOf(row)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", b)

	d, err := j.Decode(context.Background(), nil, b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Schema.Equal(schema), d.Value)
	// Output:
	// {"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"note"}],"optional":false},"payload":{"id":7,"note":null}}
	// true Struct{id=7}
}

func ExampleNewString() {
	s, err := converters.NewString(converters.StringConfig{Encoding: "UTF-16LE"})
	if err != nil {
		log.Fatal(err)
	}
	b, _, err := s.AppendEncode(context.Background(), nil, nil, connect.Datum{Value: data.Float64(1e10)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", b)
	// Output: "1\x00.\x000\x00E\x001\x000\x00"
}

func ExampleNewPrimitive() {
	p, err := converters.NewPrimitive(data.KindInt64)
	if err != nil {
		log.Fatal(err)
	}
	d, err := p.Decode(context.Background(), nil, []byte{0, 0, 0, 0, 0, 0, 1, 0})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Schema, d.Value)
	// Output: Schema{INT64} 256
}

func ExampleSimpleHeaderConverter() {
	var h converters.SimpleHeaderConverter
	d, err := h.DecodeHeader("orders", "sizes", []byte("[1, 2, 300]"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Schema.ElemSchema(), d.Value)
	// Output: Schema{INT16} [1, 2, 300]
}
