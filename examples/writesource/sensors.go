package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// Sensors is the plugin: what a Runtime is given, and what configurations name.
var Sensors = connect.Source(connect.Info{
	Class:   "SensorSource",
	Version: "1.0.0",
	Doc:     "Reads temperatures from sensors.",
}, newConnector, newTask)

// sensorConfig configures the connector, and each task with a part of the
// sensors. Its one method is all there is to say about the keys: decoding,
// validation and the reference page derive from it.
type sensorConfig struct {
	Topic   string
	Sensors []string
	Every   time.Duration
}

func (c *sensorConfig) Describe(d *config.Def) {
	config.String(d, &c.Topic, "topic").Importance(config.High).Check(config.NonEmpty()).
		Doc("Topic that the readings are written to.")
	config.List(d, &c.Sensors, "sensors").Importance(config.High).Check(config.DistinctNonEmpty()).
		Doc("Names of the sensors to read.")
	config.Millis(d, &c.Every, "every.ms").Default(time.Second).Check(config.AtLeast(time.Millisecond)).
		Doc("Time between two readings of a sensor, in milliseconds.")
}

// connector divides the sensors among tasks. It does no data work.
type connector struct{ cfg sensorConfig }

func newConnector(c sensorConfig) (*connector, error) { return &connector{c}, nil }

func (c *connector) Start(context.Context, connect.ConnectorContext) error { return nil }
func (c *connector) Stop(context.Context) error                            { return nil }

// TaskConfigs returns at most max tasks (tasks.max), each with a share of the
// sensors.
func (c *connector) TaskConfigs(_ context.Context, max int) ([]sensorConfig, error) {
	n := min(max, len(c.cfg.Sensors))
	tasks := make([]sensorConfig, n)
	for i := range tasks {
		tasks[i] = c.cfg
		tasks[i].Sensors = nil
	}
	for i, name := range c.cfg.Sensors {
		t := &tasks[i%n]
		t.Sensors = append(t.Sensors, name)
	}
	return tasks, nil
}

// schema of a record's value. A schema is made once: records share it.
var schema = data.StructBuilder().Name("Reading").
	Field("sensor", data.StringSchema).
	Field("number", data.Int64Schema).
	Field("celsius", data.Float64Schema).
	MustBuild()

// task reads some sensors. One goroutine calls its methods: it needs no locks.
type task struct {
	cfg     sensorConfig
	sensors []sensor
	next    time.Time
	out     []connect.SourceRecord
}

// A sensor is one partition of the source: the unit that has an offset.
type sensor struct {
	name      string
	partition connect.SourcePartition
	number    int64 // of the last reading
}

func newTask(c sensorConfig) (*task, error) { return &task{cfg: c}, nil }

// Start finds out where to go on: each sensor after the last reading that Kafka
// has.
func (t *task) Start(ctx context.Context, c connect.SourceContext) error {
	partitions := make([]connect.SourcePartition, len(t.cfg.Sensors))
	for i, name := range t.cfg.Sensors {
		partitions[i] = connect.PartitionOf(data.E("sensor", data.String(name)))
	}
	offsets, err := c.Offsets(ctx, partitions...)
	if err != nil {
		return err
	}
	for i, name := range t.cfg.Sensors {
		number, _ := offsets[i].Int("number") // 0 if there is no offset yet
		t.sensors = append(t.sensors, sensor{name, partitions[i], number})
		c.Logger().Info("reading", "sensor", name, "after", number)
	}
	return nil
}

// Poll waits until a reading is due, then reads every sensor. It blocks, and
// returns as soon as its context ends.
func (t *task) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	timer := time.NewTimer(time.Until(t.next))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t.next = time.Now().Add(t.cfg.Every)
	t.out = t.out[:0] // the slice is ours again
	rows := data.NewStructs(schema, len(t.sensors))
	for i := range t.sensors {
		s := &t.sensors[i]
		celsius, err := s.read()
		if err != nil {
			// Records beside an error are sent first; after a pause there is
			// another Poll.
			return t.out, connect.Retriable(fmt.Errorf("sensor %q: %w", s.name, err), time.Second)
		}
		t.out = append(t.out, s.record(t.cfg.Topic, &rows[i], celsius))
	}
	return t.out, nil
}

// Stop has nothing to release.
func (t *task) Stop(context.Context) error { return nil }

// read stands in for the hardware.
func (s *sensor) read() (celsius float64, err error) {
	s.number++
	return math.Round(200+30*math.Sin(float64(s.number)/3)) / 10, nil
}

// record makes the record of the last reading.
func (s *sensor) record(topic string, row *data.Struct, celsius float64) connect.SourceRecord {
	row.Set(0, data.String(s.name))
	row.Set(1, data.Int64(s.number))
	row.Set(2, data.Float64(celsius))
	return connect.SourceRecord{
		Record: connect.Record{
			Topic: topic,
			Key:   connect.Datum{Schema: data.StringSchema, Value: data.String(s.name)},
			Value: connect.Datum{Schema: schema, Value: data.StructOf(row)},
		},
		SourcePartition: s.partition,
		SourceOffset:    connect.SourceOffset{data.E("number", data.Int64(s.number))},
	}
}
