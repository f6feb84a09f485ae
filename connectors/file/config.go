package file

import "github.com/streamlane/connect/config"

// defaultBatchSize is Java's.
const defaultBatchSize = 2000

// A SourceConfig configures the source, connector and task alike.
type SourceConfig struct {
	// File to read. Empty: the standard input.
	File string
	// Topic that gets the lines.
	Topic string
	// BatchSize is the number of records that a poll returns at most. Less than 1 counts as 1, as in Java.
	BatchSize int
}

// Describe declares the keys of FileStreamSourceConnector.
func (c *SourceConfig) Describe(d *config.Def) {
	config.String(d, &c.File, "file").Optional().Importance(config.High).
		Doc("File whose lines are read. Without it, or if it is empty, the standard input is read and no offsets are kept.")
	config.String(d, &c.Topic, "topic").Importance(config.High).Check(config.NonEmpty()).
		Doc("Topic that the lines are written to.")
	config.Int(d, &c.BatchSize, "batch.size").Default(defaultBatchSize).
		Doc("Number of lines that are handed over at once at most. Less than 1 counts as 1.")
}

// A SinkConfig configures the sink, connector and task alike.
type SinkConfig struct {
	// File to append to. Empty: the standard output.
	File string
}

// Describe declares the keys of FileStreamSinkConnector.
func (c *SinkConfig) Describe(d *config.Def) {
	config.String(d, &c.File, "file").Optional().Importance(config.High).
		Doc("File that the records are appended to. Without it, or if it is empty, they go to the standard output.")
}
