package generator

import (
	"fmt"

	"github.com/streamlane/connect/config"
)

// A Mode says what kind of records is made.
type Mode string

// The modes; see the package's documentation.
const (
	Bytes    Mode = "bytes"
	Struct   Mode = "struct"
	Template Mode = "template"
)

// A Config configures the connector.
type Config struct {
	// Topic that gets the records.
	Topic string
	// Records that each task makes; 0: without end.
	Records int64
	// Mode says what is made.
	Mode Mode
	// Template names what mode template makes: person, order or reading.
	Template string
	// Size of a value of mode bytes, in bytes.
	Size int
	// Batch is the number of records in a poll at most.
	Batch int
	// Rate is the number of records that each task makes in a second; 0: no limit.
	Rate float64
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	config.String(d, &c.Topic, "topic").Importance(config.High).Check(config.NonEmpty()).
		Doc("Topic that the records are written to.")
	config.Enum(d, &c.Mode, "mode", Bytes, Struct, Template).Default(Bytes).Importance(config.High).
		Doc("What is made: bytes of a given size, struct for rows of eight fields, template for made-up people, orders or readings.")
	config.Enum(d, &c.Template, "template", templateNames()...).Default(templateNames()[0]).Importance(config.Medium).
		Doc("What the mode template makes.")
	config.Long(d, &c.Records, "records").Default(0).Importance(config.Medium).Check(config.AtLeast[int64](0)).
		Doc("Number of records that each task makes before it idles. 0: without end.")
	config.Double(d, &c.Rate, "rate").Default(0).Importance(config.Medium).Check(config.Between(0.0, maxRate)).
		Doc("Number of records that each task makes in a second, fractions allowed. 0: as fast as they are taken.")
	config.Int(d, &c.Size, "size").Default(100).Check(config.Between(0, maxSize)).
		Doc("Number of bytes in a value of the mode bytes.")
	config.Int(d, &c.Batch, "batch").Default(1000).Check(config.Between(1, maxBatch)).
		Doc("Number of records that are handed over at once at most.")
}

// The limits keep a slip of the finger from eating the memory of the process.
const (
	maxSize  = 64 << 20
	maxBatch = 1 << 20
	maxRate  = 1e9
	maxBytes = 256 << 20
)

// Check refuses batches that are too large in bytes.
func (c *Config) Check() error {
	if c.Mode == Bytes && int64(c.Size)*int64(c.Batch) > maxBytes {
		return &config.KeyError{Key: "batch", Value: fmt.Sprint(c.Batch),
			Err: fmt.Errorf("batch times size is %d bytes, at most %d are allowed", int64(c.Size)*int64(c.Batch), int64(maxBytes))}
	}
	return nil
}

// A TaskConfig configures one task.
type TaskConfig struct {
	Config
	// Task is the number of the task, from 0.
	Task int
}

// Describe declares the keys of the connector, and the task's number.
func (c *TaskConfig) Describe(d *config.Def) {
	c.Config.Describe(d)
	config.Int(d, &c.Task, "task.id").Check(config.AtLeast(0)).Doc("Number of the task. The connector sets it.")
}
