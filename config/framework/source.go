package framework

import (
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
)

// ExactlyOnceSupport says how much a source connector's exactly-once support is
// asked for.
type ExactlyOnceSupport string

// The degrees.
const (
	ExactlyOnceRequested ExactlyOnceSupport = "requested"
	ExactlyOnceRequired  ExactlyOnceSupport = "required"
)

// TransactionBoundary says when the transactions of an exactly-once source end.
type TransactionBoundary string

// The boundaries.
const (
	BoundaryPoll      TransactionBoundary = "poll"
	BoundaryInterval  TransactionBoundary = "interval"
	BoundaryConnector TransactionBoundary = "connector"
)

// SourceConnectorConfig holds the framework's keys of a source connector (Java's
// SourceConnectorConfig).
type SourceConnectorConfig struct {
	ConnectorConfig

	TopicCreationGroups []string
	ExactlyOnceSupport  ExactlyOnceSupport
	TransactionBoundary TransactionBoundary
	// TransactionBoundaryInterval counts if TransactionBoundaryIntervalGiven;
	// otherwise the worker's offset.flush.interval.ms does.
	TransactionBoundaryInterval      time.Duration
	TransactionBoundaryIntervalGiven bool
	OffsetsStorageTopic              string // "": the worker's

	// TopicCreation holds the topic.creation.<group>.* keys, without their
	// common prefix and in raw text; TopicRules reads them.
	TopicCreation config.Props

	// DeadLetters has keys that Java does not know.
	DeadLetters SourceDeadLetters

	groupsGiven bool
}

// Describe declares the common keys and those of sources.
func (c *SourceConnectorConfig) Describe(d *config.Def) {
	c.ConnectorConfig.Describe(d)
	config.List(d, &c.TopicCreationGroups, "topic.creation.groups").Default(nil).Given(&c.groupsGiven).
		Check(config.Unique("topic creation groups")).Group(groupTopicCreation, 1).Width(config.LongWidth).
		DisplayName("Topic Creation Groups").
		Doc("Names of the groups of rules for topics that the connector writes to and that do not exist, in the order in which they are tried before the group default.")
	config.EnumFold(d, &c.ExactlyOnceSupport, "exactly.once.support", ExactlyOnceRequired, ExactlyOnceRequested).
		Default(ExactlyOnceRequested).Importance(config.Medium).Group(groupExactlyOnce, 2).Width(config.ShortWidth).
		DisplayName("Exactly once support").
		Doc("required: the connector is refused unless worker and connector promise exactly-once; requested: no such check.")
	config.EnumFold(d, &c.TransactionBoundary, "transaction.boundary", BoundaryInterval, BoundaryPoll, BoundaryConnector).
		Default(BoundaryPoll).Importance(config.Medium).Group(groupExactlyOnce, 3).Width(config.ShortWidth).
		DisplayName("Transaction Boundary").
		Doc("When transactions end, under exactly-once: after each poll, after an interval, or where the connector says so.")
	config.Millis(d, &c.TransactionBoundaryInterval, "transaction.boundary.interval.ms").Optional().
		Given(&c.TransactionBoundaryIntervalGiven).Check(config.AtLeast(time.Duration(0))).
		Group(groupExactlyOnce, 4).Width(config.ShortWidth).DisplayName("Transaction boundary interval").
		Doc("Milliseconds between the ends of transactions, for transaction.boundary=interval. The worker's offset.flush.interval.ms, if left out.")
	config.String(d, &c.OffsetsStorageTopic, "offsets.storage.topic").Optional().Check(config.NonEmpty()).
		Group(groupOffsetsTopic, 1).Width(config.LongWidth).DisplayName("Offsets topic").
		Doc("Topic for the offsets of this connector, beside the worker's. It is created if it does not exist. Distributed workers only.")
	config.Map(d, &c.TopicCreation, topicCreationPrefix, "Rules for topics to create: <group>.include, <group>.exclude, <group>.partitions, <group>.replication.factor and topic settings, below each group and below default.")
	// Answers to who asks for the keys of a connector are Java's, unless one of
	// these is used.
	d.Dynamic(func(d *config.Def) {
		if slices.ContainsFunc(config.Keys(new(SourceDeadLetters)), func(k config.KeyInfo) bool { return d.Has(k.Name) }) {
			d.Prefix("", &c.DeadLetters)
		}
	})
}

// SourceDeadLetters holds the keys of dead letters of sources. Java's Connect has
// none, so they have a prefix that its keys, and those of connectors, do not have.
type SourceDeadLetters struct {
	// Topic gets the records that failed, if it has a name.
	Topic             string
	ReplicationFactor int16
	ContextHeaders    bool
}

// sourceDeadLetterPrefix is the prefix of Java's keys of sinks, below a name of
// this project's own.
const sourceDeadLetterPrefix = "streamlane.errors.deadletterqueue."

// Describe declares the keys, by their whole names.
func (c *SourceDeadLetters) Describe(d *config.Def) {
	config.String(d, &c.Topic, sourceDeadLetterPrefix+"topic.name").Default("").Importance(config.Medium).
		Group(groupErrors, 6).Width(config.MediumWidth).DisplayName("Dead Letter Queue Topic Name").
		Doc("Topic for records that a transform or converter failed on, or that Kafka refused. Empty: none.")
	config.Short(d, &c.ReplicationFactor, sourceDeadLetterPrefix+"topic.replication.factor").Default(3).
		Importance(config.Medium).Group(groupErrors, 7).Width(config.MediumWidth).
		DisplayName("Dead Letter Queue Topic Replication Factor").
		Doc("Replication factor with which the dead letter topic is created if it does not exist.")
	config.Bool(d, &c.ContextHeaders, sourceDeadLetterPrefix+"context.headers.enable").Default(true).
		Importance(config.Medium).Group(groupErrors, 8).Width(config.MediumWidth).
		DisplayName("Enable Error Context Headers").
		Doc("Whether dead letters get headers that say what failed and where in the source, below __connect.errors and __streamlane.errors.")
}

const topicCreationPrefix = "topic.creation."

// CreatesTopics tells whether the connector has rules for topics to create. The
// list of groups alone counts too, as in Java.
func (c *SourceConnectorConfig) CreatesTopics() bool {
	return c.groupsGiven || len(c.TopicCreation) > 0 || len(c.TopicCreationGroups) > 0
}

// sourceUsesAdmin is CreatesTopics for raw text.
func sourceUsesAdmin(p config.Props) bool {
	for k := range p {
		if strings.HasPrefix(k, topicCreationPrefix) {
			return true
		}
	}
	return false
}
