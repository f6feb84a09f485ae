package framework

import (
	"errors"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
)

// SinkConnectorConfig holds the framework's keys of a sink connector (Java's
// SinkConnectorConfig).
type SinkConnectorConfig struct {
	ConnectorConfig

	Topics      []string
	TopicsRegex string
	// DeadLetterTopic gets the records that failed, if it has a name.
	DeadLetterTopic             string
	DeadLetterReplicationFactor int16
	DeadLetterContextHeaders    bool
}

// Describe declares the common keys and those of sinks.
func (c *SinkConnectorConfig) Describe(d *config.Def) {
	c.ConnectorConfig.Describe(d)
	config.List(d, &c.Topics, "topics").Default(nil).Check(config.Distinct()).Importance(config.High).
		Group(groupCommon, 4).Width(config.LongWidth).DisplayName("Topics").
		Doc("Topics to consume, separated by commas. Either this or topics.regex.")
	config.String(d, &c.TopicsRegex, "topics.regex").Default("").Check(validRegex()).Importance(config.High).
		Group(groupCommon, 4).Width(config.LongWidth).DisplayName("Topics regex").
		Doc("Regular expression of the whole names of topics to consume. Either this or topics.")
	config.String(d, &c.DeadLetterTopic, "errors.deadletterqueue.topic.name").Default("").Importance(config.Medium).
		Group(groupErrors, 6).Width(config.MediumWidth).DisplayName("Dead Letter Queue Topic Name").
		Doc("Topic for records that could not be processed. Empty: none.")
	config.Short(d, &c.DeadLetterReplicationFactor, "errors.deadletterqueue.topic.replication.factor").Default(3).
		Importance(config.Medium).Group(groupErrors, 7).Width(config.MediumWidth).
		DisplayName("Dead Letter Queue Topic Replication Factor").
		Doc("Replication factor with which the dead letter topic is created if it does not exist.")
	config.Bool(d, &c.DeadLetterContextHeaders, "errors.deadletterqueue.context.headers.enable").Default(false).
		Importance(config.Medium).Group(groupErrors, 8).Width(config.MediumWidth).
		DisplayName("Enable Error Context Headers").
		Doc("Whether dead letters get headers that say what failed, below __connect.errors.")
}

// Check makes sure of exactly one choice of topics, and that the dead letter
// topic is not consumed.
func (c *SinkConnectorConfig) Check() error {
	errs := []error{c.ConnectorConfig.Check()}
	both := func(message string) {
		errs = append(errs, config.Errorf("topics", "%s", message), config.Errorf("topics.regex", "%s", message))
	}
	switch {
	case len(c.Topics) == 0 && c.TopicsRegex == "":
		both("Must configure one of topics or topics.regex")
	case len(c.Topics) > 0 && c.TopicsRegex != "":
		both("topics and topics.regex are mutually exclusive options, but both are set.")
	}
	errs = append(errs, c.checkDeadLetters())
	return errors.Join(errs...)
}

func (c *SinkConnectorConfig) checkDeadLetters() error {
	dlq := c.DeadLetterTopic
	if dlq == "" {
		return nil
	}
	if slices.Contains(c.Topics, dlq) {
		return config.Errorf("topics", "The DLQ topic '%s' may not be included in the list of topics ('topics=[%s]') consumed by the connector",
			dlq, strings.Join(c.Topics, ", "))
	}
	if c.TopicsRegex == "" {
		return nil
	}
	if p, err := CompilePattern("topics.regex", c.TopicsRegex); err == nil && p.MatchString(dlq) {
		return config.Errorf("topics.regex", "The DLQ topic '%s' may not be matched by the regex for the topics ('topics.regex=%s') consumed by the connector",
			dlq, c.TopicsRegex)
	}
	return nil
}

// Subscription returns the topics to consume by name, or the pattern of their
// names.
func (c *SinkConnectorConfig) Subscription() (topics []string, pattern *Pattern, err error) {
	if len(c.Topics) > 0 {
		return slices.Clone(c.Topics), nil, nil
	}
	pattern, err = CompilePattern("topics.regex", c.TopicsRegex)
	return nil, pattern, err
}
