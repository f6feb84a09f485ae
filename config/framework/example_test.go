package framework_test

import (
	"context"
	"fmt"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

func ExampleValidate() {
	answer := framework.Validate(context.Background(), framework.Request{
		Props: config.Props{"name": "logs", "connector.class": "FileStreamSink", "topics": "a", "tasks.max": "0"},
	})
	fmt.Println(answer.ErrorCount, answer.Find("tasks.max").Value.Errors)
	// Output: 1 [Invalid value 0 for configuration tasks.max: Value must be at least 1]
}

func ExampleClients() {
	clients := framework.Clients{
		Worker:    config.Props{"bootstrap.servers": "localhost:9092", "consumer.max.poll.records": "100"},
		Connector: config.Props{"consumer.override.max.poll.records": "50"},
		Name:      "logs",
		Task:      0,
	}
	p := clients.SinkConsumer().Props
	fmt.Println(p["group.id"], p["client.id"], p["max.poll.records"])
	// Output: connect-logs connector-consumer-logs-0 50
}
