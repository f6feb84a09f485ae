package file

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// The names of Java's task in partitions and offsets.
const (
	filenameField = "filename"
	positionField = "position"
)

// sourceConnector is the connector of the source: one task, with the connector's own configuration.
type sourceConnector struct {
	cfg SourceConfig
	ctx connect.ConnectorContext
}

func newSourceConnector(c SourceConfig) (*sourceConnector, error) {
	return &sourceConnector{cfg: c}, nil
}

func (s *sourceConnector) Start(_ context.Context, c connect.ConnectorContext) error {
	s.ctx = c
	return nil
}

func (s *sourceConnector) TaskConfigs(context.Context, int) ([]SourceConfig, error) {
	return []SourceConfig{s.cfg}, nil
}

func (s *sourceConnector) RawTaskConfigs(context.Context, int) ([]config.Props, error) {
	return []config.Props{s.ctx.Props().Clone()}, nil
}

func (s *sourceConnector) Stop(context.Context) error { return nil }

// ExactlyOnce is supported for files; the standard input has no offsets.
func (s *sourceConnector) ExactlyOnce() (supported, boundaries bool) { return s.cfg.File != "", false }

// AlterOffsets checks new offsets, in the words of FileStreamSourceConnector.alterOffsets. Positions are not compared with the file:
// the task does that when it starts.
func (s *sourceConnector) AlterOffsets(_ context.Context, change map[connect.SourcePartition]connect.SourceOffset) (bool, error) {
	if s.cfg.File == "" {
		return false, errors.New("Offsets cannot be modified if the 'file' configuration is unspecified. " + //nolint:staticcheck // Java's words
			"This is because stdin is used for input and offsets are not tracked.")
	}
	for p, o := range change {
		if o == nil {
			continue
		}
		if err := checkOffset(p, o); err != nil {
			return false, err
		}
	}
	return true, nil
}

// checkOffset refuses what a task could not start from.
func checkOffset(p connect.SourcePartition, o connect.SourceOffset) error {
	if _, ok := o.Get(positionField); !ok {
		return errors.New("Offset objects should either be null or contain the key 'position'") //nolint:staticcheck // Java's words
	}
	if _, err := positionOf(o); err != nil {
		return err
	}
	if p.IsZero() {
		return errors.New("Partition objects cannot be null") //nolint:staticcheck // Java's words
	}
	if _, ok := p.Get(filenameField); !ok {
		return errors.New("Partition objects should contain the key 'filename'") //nolint:staticcheck // Java's words
	}
	return nil
}

// positionOf returns the position in an offset: 0 if there is none.
func positionOf(o connect.SourceOffset) (int64, error) {
	v, ok := o.Get(positionField)
	if !ok || v.IsNull() {
		return 0, nil
	}
	n, ok := o.Int(positionField)
	if !ok {
		return 0, fmt.Errorf("The value for the 'position' key in the offset is expected to be a Long value, found the %v %s", v.Kind(), v) //nolint:staticcheck // Java's words
	}
	if n < 0 {
		return 0, fmt.Errorf("The value for the 'position' key in the offset should be a non-negative value, found %d", n) //nolint:staticcheck // Java's words
	}
	return n, nil
}

// partitionOf returns the source partition of a file.
func partitionOf(file string) connect.SourcePartition {
	return connect.PartitionOf(data.E(filenameField, data.String(file)))
}

// sinkConnector is the connector of the sink: as many equal tasks as are allowed, all appending to the same file.
type sinkConnector struct {
	cfg SinkConfig
	ctx connect.ConnectorContext
}

func newSinkConnector(c SinkConfig) (*sinkConnector, error) { return &sinkConnector{cfg: c}, nil }

func (s *sinkConnector) Start(_ context.Context, c connect.ConnectorContext) error {
	s.ctx = c
	return nil
}

func (s *sinkConnector) TaskConfigs(_ context.Context, max int) ([]SinkConfig, error) {
	return slices.Repeat([]SinkConfig{s.cfg}, max), nil
}

func (s *sinkConnector) RawTaskConfigs(_ context.Context, max int) ([]config.Props, error) {
	tasks := make([]config.Props, max)
	for i := range tasks {
		tasks[i] = s.ctx.Props().Clone() // each is the caller's to add to
	}
	return tasks, nil
}

func (s *sinkConnector) Stop(context.Context) error { return nil }

// AlterOffsets has nothing against any offset of a topic.
func (s *sinkConnector) AlterOffsets(context.Context, map[connect.TopicPartition]*int64) (bool, error) {
	return true, nil
}
