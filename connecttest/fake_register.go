package connecttest

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// Props is a configuration that accepts every key and keeps its text. It
// configures the plugins that are made of fakes.
type Props struct{ All config.Props }

// Describe binds all keys.
func (p *Props) Describe(d *config.Def) {
	config.Map(d, &p.All, "", "Any key: the plugin is a fake of a test.")
}

// SourcePlugin makes a plugin of a source task, with a connector that runs one
// task. It calls build for each task that is to run.
func SourcePlugin[ST connect.SourceTask](class string, build func(config.Props) ST) connect.Plugin {
	return connect.Source(info(class), connect.OneTask[Props], func(p Props) (ST, error) { return build(p.All), nil })
}

// SinkPlugin makes a plugin of a sink task, with a connector that runs as many
// tasks as it may, all with the connector's own configuration. It calls build
// for each task that is to run.
func SinkPlugin[ST connect.SinkTask](class string, build func(config.Props) ST) connect.Plugin {
	return connect.Sink(info(class), newManyTasks, func(p Props) (ST, error) { return build(p.All), nil })
}

// TransformPlugin makes a plugin of a transform.
func TransformPlugin[X connect.Transform](class string, build func(config.Props) X) connect.Plugin {
	return connect.Transformer(info(class), func(p Props) (X, error) { return build(p.All), nil })
}

// PredicatePlugin makes a plugin of a predicate.
func PredicatePlugin[X connect.Predicate](class string, build func(config.Props) X) connect.Plugin {
	return connect.Predicator(info(class), func(p Props) (X, error) { return build(p.All), nil })
}

// ConverterPlugin makes a plugin of a converter.
func ConverterPlugin[X connect.Converter](class string, build func(config.Props) X) connect.Plugin {
	return connect.ConverterOf(info(class), func(p Props) (X, error) { return build(p.All), nil })
}

// HeaderConverterPlugin makes a plugin of a header converter.
func HeaderConverterPlugin[X connect.HeaderConverter](class string, build func(config.Props) X) connect.Plugin {
	return connect.HeaderConverterOf(info(class), func(p Props) (X, error) { return build(p.All), nil })
}

func info(class string) connect.Info {
	return connect.Info{Class: class, Version: "1.0.0", Doc: "A fake for tests."}
}

// manyTasks is the connector of sinks whose work Kafka divides by partitions.
type manyTasks struct{ ctx connect.ConnectorContext }

func newManyTasks(Props) (*manyTasks, error) { return &manyTasks{}, nil }

func (m *manyTasks) Start(_ context.Context, c connect.ConnectorContext) error {
	m.ctx = c
	return nil
}

func (m *manyTasks) TaskConfigs(_ context.Context, max int) ([]Props, error) {
	tasks := make([]Props, max)
	for i := range tasks {
		tasks[i].All = m.ctx.Props()
	}
	return tasks, nil
}

func (m *manyTasks) Stop(context.Context) error { return nil }

func (m *manyTasks) RawTaskConfigs(_ context.Context, max int) ([]config.Props, error) {
	tasks := make([]config.Props, max)
	for i := range tasks {
		tasks[i] = m.ctx.Props()
	}
	return tasks, nil
}
