package s3

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

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

// Probe looks whether the bucket can be reached.
func (c *Config) Probe(ctx context.Context) error {
	client, err := newClient(ctx, c)
	if err != nil {
		key := "aws.access.key.id"
		if c.Credentials.RoleARN != "" {
			key = "s3.credentials.provider.sts.role.arn"
		}
		return keyError(key, c.Credentials.AccessKey, "%w", err)
	}
	_, err = client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &c.Bucket})
	return c.blame(err)
}

// blame names the key that a failed look at the bucket is about.
func (c *Config) blame(err error) error {
	if err == nil {
		return nil
	}
	r, answered := errors.AsType[*awshttp.ResponseError](err)
	answered = answered && r.HTTPStatusCode() != 0
	switch {
	case !answered && c.URL != "":
		return keyError("store.url", c.URL, "the store cannot be reached: %w", err)
	case !answered:
		return keyError("s3.region", c.Region, "the store cannot be reached: %w", err)
	case r.HTTPStatusCode() == http.StatusNotFound:
		return keyError("s3.bucket.name", c.Bucket, "there is no such bucket: %w", err)
	case r.HTTPStatusCode() == http.StatusMovedPermanently || r.HTTPStatusCode() == http.StatusBadRequest:
		return keyError("s3.region", c.Region, "the bucket is in another region, or the request is refused: %w", err)
	case r.HTTPStatusCode() == http.StatusForbidden:
		return keyError("aws.access.key.id", c.Credentials.AccessKey, "the store refuses these credentials, or access to the bucket %q: %w", c.Bucket, err)
	}
	return keyError("s3.bucket.name", c.Bucket, "%w", err)
}
