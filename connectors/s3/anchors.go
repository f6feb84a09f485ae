package s3

import (
	"context"
	"log/slog"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

// An ownConfig is a Config whose keys are those of another connector. What that has no key for is as in Config's defaults.
type ownConfig struct{ Config }

// describe declares the keys that every connector of this package has, whoever's keys the others are.
func (c *ownConfig) describe(d *config.Def) {
	c.Uploads = 4
	c.Parts, c.Conditional, c.TagErrors = 3, true, "ignore"
	c.Backoff, c.Timeout, c.Continue = 200*time.Millisecond, 2*time.Minute, true
	c.Credentials.Provider, c.Credentials.Session = defaultProvider, "connect"
	c.DirectoryDelim, c.Compatibility, c.Partitioner = "/", objectstore.NoCompatibility, objectstore.DefaultPartitioner
	c.Extractor, c.NullValues, c.Formats.Libraries = objectstore.Wallclock, objectstore.FailOnNull, libraries{}
	c.Formats.EnhancedAvro, c.Formats.ConnectMetaData = true, true
	c.DescribeResources(d)
	c.DescribeForeign(d)
	c.describeConditions(d)
}

// taskOptions are those of a task that writes value's files into the bucket.
func taskOptions(c Config, name string, value format.Format) objectstore.Options {
	return objectstore.Options{
		Config: c.Config, Connector: name, Value: value,
		Open: func(ctx context.Context, log *slog.Logger) (objectstore.Backend, error) {
			return openBucket(ctx, &c, log)
		},
	}
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// firstSecret returns the first secret that is set.
func firstSecret(secrets ...config.Secret) config.Secret {
	for _, s := range secrets {
		if !s.IsZero() {
			return s
		}
	}
	return config.Secret{}
}
