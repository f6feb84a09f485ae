package trial_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/transforms"
	"github.com/streamlane/connect/trial"
)

// A sink's configuration, tried on a record as it would be consumed.
func ExampleRun() {
	rt, err := connect.New(connect.Options{
		Plugins: slices.Concat(connectors.All(), converters.All(), transforms.All()),
		Worker:  config.Props{"key.converter": "StringConverter", "value.converter": "JsonConverter", "value.converter.schemas.enable": "false"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	tried, err := trial.Run(context.Background(), rt, trial.Trial{
		Name: "orders",
		Props: config.Props{
			"connector.class": "FileStreamSink", "file": "orders.txt", "topics": "orders",
			"transforms": "mark", "transforms.mark.type": "InsertField$Value", "transforms.mark.static.field": "from", "transforms.mark.static.value": "web",
		},
		Messages: []connect.Message{
			{TopicPartition: connect.TopicPartition{Topic: "orders"}, Value: []byte(`{"id": 7}`)},
			{TopicPartition: connect.TopicPartition{Topic: "orders"}, Value: []byte(`7`)},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range tried[0].Steps {
		fmt.Println(step.Stage, step.Alias, step.Record.Value.Value)
	}
	fmt.Println(tried[1].Err)
	// Output:
	// KEY_CONVERTER  null
	// VALUE_CONVERTER  {id=7}
	// HEADER_CONVERTER  {id=7}
	// TRANSFORMATION mark {id=7, from=web}
	// connector "orders" task 0: TRANSFORMATION by InsertField$Value at orders-0@0: Only Map objects supported in absence of schema for [field insertion], found: INT64
}
