package generator

import (
	"context"
	"errors"
	"fmt"

	"github.com/streamlane/connect"
)

// Plugin is the source connector GeneratorSource.
var Plugin = connect.Source(connect.Info{
	Class:   "GeneratorSource",
	Version: "1.0.0",
	Doc:     "Makes records up: random bytes, rows, people, orders, readings.",
}, newConnector, newTask)

// connector hands each task its number.
type connector struct{ cfg Config }

func newConnector(c Config) (*connector, error) { return &connector{cfg: c}, nil }

func (c *connector) Start(context.Context, connect.ConnectorContext) error { return nil }
func (c *connector) Stop(context.Context) error                            { return nil }

func (c *connector) TaskConfigs(_ context.Context, max int) ([]TaskConfig, error) {
	tasks := make([]TaskConfig, max)
	for i := range tasks {
		tasks[i] = TaskConfig{Config: c.cfg, Task: i}
	}
	return tasks, nil
}

// ExactlyOnce is supported: a task goes on exactly where it is told to.
func (c *connector) ExactlyOnce() (supported, boundaries bool) { return true, false }

// AlterOffsets refuses offsets that no task could go on from.
func (c *connector) AlterOffsets(_ context.Context, change map[connect.SourcePartition]connect.SourceOffset) (bool, error) {
	var errs []error
	for p, o := range change {
		if _, ok := p.Get(taskField); !ok {
			errs = append(errs, fmt.Errorf("source partition %s: want the entry %q", p, taskField))
		}
		if _, err := madeBefore(o); err != nil {
			errs = append(errs, err)
		}
	}
	return true, errors.Join(errs...)
}

// madeBefore returns the number of records that an offset stands for: 0 for nil.
func madeBefore(o connect.SourceOffset) (int64, error) {
	if o == nil {
		return 0, nil
	}
	n, ok := o.Int(madeField)
	if !ok || n < 0 {
		return 0, fmt.Errorf("source offset %s: want the entry %q, a whole number from 0 on", o, madeField)
	}
	return n, nil
}
