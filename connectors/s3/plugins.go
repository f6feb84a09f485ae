package s3

import (
	"context"
	"log/slog"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

const version = "1.0.0"

// Plugins returns the sink: S3Sink, which stands for Confluent's connector, and the same with the keys of others: AivenS3Sink, LensesS3Sink.
func Plugins() []connect.Plugin {
	return []connect.Plugin{
		connect.Sink(connect.Info{
			Class:   "S3Sink",
			Version: version,
			Doc:     "Writes files of records to S3 and stores that speak its protocol.",
			StandsFor: []connect.JavaClass{{
				Class: "io.confluent.connect.s3.S3SinkConnector",
				Task:  "io.confluent.connect.s3.S3SinkTask",
			}},
		}, newConnector, newTask),
		aivenPlugin(),
		lensesPlugin(),
	}
}

// A TaskConfig is a Config with the name of the connector.
type TaskConfig struct {
	Config
	Name string
}

// Describe declares the keys.
func (c *TaskConfig) Describe(d *config.Def) {
	c.Config.Describe(d)
	config.String(d, &c.Name, "name").Default("").Doc("Name of the connector.")
}

func newConnector(c Config) (*objectstore.Connector[TaskConfig], error) {
	return objectstore.NewConnector(func(name string) TaskConfig { return TaskConfig{c, name} }), nil
}

func newTask(c TaskConfig) (*objectstore.Task, error) {
	o := objectstore.Options{Config: c.Config.Config, Connector: c.Name}
	if err := c.Formats.Set(&o); err != nil {
		return nil, err
	}
	o.Open = func(ctx context.Context, log *slog.Logger) (objectstore.Backend, error) {
		return openBucket(ctx, &c.Config, log)
	}
	return objectstore.NewTask(o)
}
