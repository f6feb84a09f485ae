// Package full has the directory sink with all formats. It links the libraries of Avro and Parquet, which package directory does without, so
// that small programs stay small.
package full

import (
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/directory"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/libraries"
)

// Plugin is DirectorySink with AvroFormat and ParquetFormat beside the formats of directory.Plugin. A program lists one of the two.
func Plugin() connect.Plugin {
	return connect.Sink(directory.Info(), newConnector, func(c taskConfig) (*objectstore.Task, error) { return directory.NewTask(c.TaskConfig) })
}

// In returns the plugins with Plugin in the place of directory.Plugin.
func In(plugins []connect.Plugin) []connect.Plugin {
	plugins = slices.Clone(plugins)
	for i := range plugins {
		if plugins[i].Info().Class == directory.Info().Class {
			plugins[i] = Plugin()
		}
	}
	return plugins
}

type connectorConfig struct{ directory.Config }

// Describe declares the keys.
func (c *connectorConfig) Describe(d *config.Def) {
	c.Formats.Libraries = libraries.All{}
	c.Config.Describe(d)
}

type taskConfig struct{ directory.TaskConfig }

// Describe declares the keys.
func (c *taskConfig) Describe(d *config.Def) {
	c.Formats.Libraries = libraries.All{}
	c.TaskConfig.Describe(d)
}

func newConnector(c connectorConfig) (*objectstore.Connector[taskConfig], error) {
	return objectstore.NewConnector(func(name string) taskConfig {
		return taskConfig{directory.TaskConfig{Config: c.Config, Name: name}}
	}), nil
}
