package framework

import (
	"errors"
	"fmt"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/toperule"
)

// TopicCreationGroup holds the keys of one group of rules for topics to create,
// below topic.creation.<name>. (Java's TopicCreationConfig).
type TopicCreationGroup struct {
	Name              string
	Include, Exclude  []string // patterns; the default group takes every topic
	ReplicationFactor int16    // -1: the broker's default
	Partitions        int      // -1: the broker's default
	// Configs are settings of the topics.
	Configs config.Props

	// fallback has the partitions and replicas of groups that do not say.
	fallback *TopicCreationGroup
}

// replicas and partitionCount are Kafka Connect's checks of counts that may be
// left to the broker.
func replicas() config.Check[int16] {
	return config.CheckFunc("Positive number not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default", func(n int16) error {
		if n == toperule.BrokerDefault || n > 0 {
			return nil
		}
		return errors.New("Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default")
	})
}

func partitionCount() config.Check[int] {
	return config.CheckFunc("Positive number, or -1 to use the broker's default", func(n int) error {
		if n == toperule.BrokerDefault || n > 0 {
			return nil
		}
		return errors.New("Number of partitions must be positive, or -1 to use the broker's default")
	})
}

// Describe declares the keys of a group.
func (g *TopicCreationGroup) Describe(d *config.Def) {
	var all []string
	if g.Name == toperule.DefaultGroup {
		all = []string{".*"}
	}
	patterns := config.CheckFunc("list of valid regexes", func(v []string) error {
		for _, expr := range v {
			if _, err := compile(expr); err != nil {
				return err
			}
		}
		return nil
	})
	config.List(d, &g.Include, "include").Default(all).Check(patterns).Group(g.Name, 1).Width(config.LongWidth).
		DisplayName("Inclusion Topic Pattern for " + g.Name).
		Doc("Regular expressions of the whole names of topics that belong to the group.")
	config.List(d, &g.Exclude, "exclude").Default(nil).Check(patterns).Group(g.Name, 2).Width(config.LongWidth).
		DisplayName("Exclusion Topic Pattern for " + g.Name).
		Doc("Regular expressions of the whole names of topics that do not belong to the group. They win over include.")
	rf := config.Short(d, &g.ReplicationFactor, "replication.factor").Check(replicas()).Group(g.Name, 3).Width(config.LongWidth).
		DisplayName("Replication Factor for Topics in " + g.Name).
		Doc("Replication factor of new topics of the group. -1: the broker's default.")
	parts := config.Int(d, &g.Partitions, "partitions").Check(partitionCount()).Group(g.Name, 4).Width(config.LongWidth).
		DisplayName("Partition Count for Topics in " + g.Name).
		Doc("Number of partitions of new topics of the group. -1: the broker's default.")
	if g.fallback != nil {
		rf.Default(g.fallback.ReplicationFactor)
		parts.Default(g.fallback.Partitions)
	}
	config.Map(d, &g.Configs, "", "Settings of new topics of the group.")
}

// TopicRules reads the topic.creation.* keys: the rules for topics that the
// connector writes to and that do not exist. It returns nil rules if there are
// no such keys: topics are left to the brokers then. Java reads them when the
// task starts, so that errors in them do not show in a validation.
func (c *SourceConnectorConfig) TopicRules() (*toperule.Rules, error) {
	if !c.CreatesTopics() {
		return nil, nil
	}
	fallback, base, err := c.topicGroup(toperule.DefaultGroup, nil)
	if err != nil {
		return nil, err
	}
	var groups []toperule.Group
	for _, name := range c.TopicCreationGroups {
		if name == toperule.DefaultGroup {
			continue // reserved: it is there anyway
		}
		_, g, err := c.topicGroup(name, fallback)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return toperule.New(append(groups, base)...), nil
}

func (c *SourceConnectorConfig) topicGroup(name string, fallback *TopicCreationGroup) (*TopicCreationGroup, toperule.Group, error) {
	prefix := topicCreationPrefix + name + "."
	g := &TopicCreationGroup{Name: name, fallback: fallback}
	err := config.Decode(c.TopicCreation.Prefix(name+".").WithPrefix(prefix), config.DescriberFunc(func(d *config.Def) {
		d.Prefix(prefix, g)
	}))
	if err != nil {
		return nil, toperule.Group{}, fmt.Errorf("topic creation group %s: %w", name, err)
	}
	rule := toperule.Group{Name: name, Partitions: int32(g.Partitions), ReplicationFactor: g.ReplicationFactor, Configs: g.Configs}
	if name != toperule.DefaultGroup {
		if rule.Include, err = matchers(prefix+"include", g.Include); err != nil {
			return nil, toperule.Group{}, err
		}
		if rule.Exclude, err = matchers(prefix+"exclude", g.Exclude); err != nil {
			return nil, toperule.Group{}, err
		}
	}
	return g, rule, nil
}

func matchers(key string, exprs []string) ([]toperule.Matcher, error) {
	var out []toperule.Matcher
	for _, expr := range exprs {
		p, err := CompilePattern(key, expr)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
