package connect_test

import (
	"context"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A countdown is a source connector in one struct of configuration and three
// methods.
type countdown struct {
	cfg  countdownConfig
	part connect.SourcePartition
	next int64
}

type countdownConfig struct {
	Topic string
	From  int64
}

func (c *countdownConfig) Describe(d *config.Def) {
	config.String(d, &c.Topic, "topic").Doc("Topic to write to.")
	config.Long(d, &c.From, "from").Default(3).Check(config.AtLeast(int64(1))).Doc("Number to start from.")
}

func newCountdown(cfg countdownConfig) (*countdown, error) {
	return &countdown{cfg: cfg, part: connect.PartitionOf(data.E("topic", data.String(cfg.Topic)))}, nil
}

func (c *countdown) Start(ctx context.Context, sc connect.SourceContext) error {
	offsets, err := sc.Offsets(ctx, c.part)
	if err != nil {
		return err
	}
	c.next = c.cfg.From
	if at, ok := offsets[0].Int("at"); ok {
		c.next = at - 1
	}
	return nil
}

func (c *countdown) Poll(context.Context) ([]connect.SourceRecord, error) {
	if c.next == 0 {
		return nil, connect.ErrDone
	}
	rec := connect.SourceRecord{
		Record:          connect.Record{Topic: c.cfg.Topic, Value: connect.Datum{Schema: data.Int64Schema, Value: data.Int64(c.next)}},
		SourcePartition: c.part,
		SourceOffset:    connect.SourceOffset{data.E("at", data.Int64(c.next))},
	}
	c.next--
	return []connect.SourceRecord{rec}, nil
}

func (c *countdown) Stop(context.Context) error { return nil }

var countdownPlugin = connect.Source(connect.Info{Class: "Countdown", Version: "1.0", Doc: "Counts down."},
	connect.OneTask[countdownConfig], newCountdown)

// A source without Kafka: its records go to a function.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rt, err := connect.New(connect.Options{
		Plugins: []connect.Plugin{countdownPlugin},
		Receiver: connect.ReceiverFunc(func(_ context.Context, records []connect.SourceRecord) error {
			for _, r := range records {
				fmt.Println(r.Topic, r.Value.Value)
				if n, _ := r.Value.Value.Int(); n == 1 {
					cancel()
				}
			}
			return nil
		}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		_, err := rt.PutConnector(ctx, "rocket", config.Props{"connector.class": "Countdown", "topic": "launch"})
		if err != nil {
			fmt.Println(err)
		}
	}()
	if err := rt.Run(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// launch 3
	// launch 2
	// launch 1
}

// Validate answers key by key, without starting anything.
func ExampleRuntime_Validate() {
	rt, err := connect.New(connect.Options{Plugins: []connect.Plugin{countdownPlugin}})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := rt.Validate(context.Background(), config.Props{
		"name": "rocket", "connector.class": "Countdown", "from": "zero",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range result.Configs {
		for _, text := range c.Value.Errors {
			fmt.Println(c.Value.Name + ": " + text)
		}
	}
	// Unordered output:
	// topic: Missing required configuration "topic" which has no default value.
	// from: Invalid value zero for configuration from: Not a number of type LONG
	// from: Invalid value null for configuration from: Value must be non-null
}
