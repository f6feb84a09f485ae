package transforms

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javadate"
)

// A TimestampRouterConfig configures TimestampRouter.
type TimestampRouterConfig struct {
	// TopicFormat is the new topic, with ${topic} and ${timestamp} for the old one and the timestamp.
	TopicFormat string
	// TimestampFormat is a pattern of SimpleDateFormat.
	TimestampFormat string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.TimestampRouter.
func (c *TimestampRouterConfig) Describe(d *config.Def) {
	config.String(d, &c.TopicFormat, "topic.format").Default("${topic}-${timestamp}").Importance(config.High).
		Doc("The new topic. ${topic} and ${timestamp} in it stand for the old topic and the record's timestamp.")
	config.String(d, &c.TimestampFormat, "timestamp.format").Default("yyyyMMdd").Importance(config.High).
		Doc("Pattern of java.text.SimpleDateFormat for the timestamp, in UTC and with English names.")
}

// Probe refuses a wrong pattern before a connector is made of it. Java finds it with the first record, and so does a connector that is there
// already.
func (c *TimestampRouterConfig) Probe(context.Context) error {
	if _, err := javadate.Compile(c.TimestampFormat, time.Now()); err != nil {
		return &config.KeyError{Key: "timestamp.format", Value: c.TimestampFormat, Err: err}
	}
	return nil
}

func timestampRouterPlugin() connect.Plugin {
	i := info("TimestampRouter", "Makes the topic of records of their topic and timestamp.")
	return connect.Transformer(i, func(c TimestampRouterConfig) (*timestampRouter, error) {
		t := &timestampRouter{topicFormat: c.TopicFormat}
		t.format, t.wrong = javadate.Compile(c.TimestampFormat, time.Now())
		return t, nil
	})
}

// timestampRouter is TimestampRouter.
type timestampRouter struct {
	topicFormat string
	format      *javadate.Format
	wrong       error // what is wrong with the pattern; each record fails with it
}

// Apply changes the topic. A record without timestamp is an error.
func (t *timestampRouter) Apply(_ context.Context, r *connect.Record) (bool, error) {
	if r.Timestamp.IsZero() {
		return false, dataError("Timestamp missing on record of topic %q", r.Topic)
	}
	if t.wrong != nil {
		return false, fmt.Errorf("configuration timestamp.format: %w", t.wrong)
	}
	topic := strings.ReplaceAll(t.topicFormat, "${topic}", r.Topic)
	if strings.Contains(topic, "${timestamp}") {
		topic = strings.ReplaceAll(topic, "${timestamp}", t.format.Format(r.Timestamp.UnixMilli()))
	}
	r.Topic = topic
	return true, nil
}
