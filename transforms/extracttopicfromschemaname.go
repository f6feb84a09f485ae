package transforms

import (
	"context"
	"fmt"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javaregex"
)

// An ExtractTopicFromSchemaNameConfig configures ExtractTopicFromSchemaName.
type ExtractTopicFromSchemaNameConfig struct {
	// Topics lists name:topic.
	Topics []string
	// Regex has one group, which is the topic where the name has no topic of its own and the expression is found in it.
	Regex string
}

// Describe declares the keys of io.aiven.kafka.connect.transforms.ExtractTopicFromSchemaName.
func (c *ExtractTopicFromSchemaNameConfig) Describe(d *config.Def) {
	config.List(d, &c.Topics, "schema.name.topic-map").Default([]string{}).
		Check(config.CheckFunc("list of name:topic", func(list []string) error {
			_, err := parseTopicMap(list)
			return err
		})).
		Doc("Topics for some names of schemas, as name:topic.")
	config.String(d, &c.Regex, "schema.name.regex").Default("").Check(validRegex()).
		Doc("Regular expression, in Java's syntax, with one group: what it matches in the name is the topic. Otherwise it is the name itself.")
}

func parseTopicMap(list []string) (map[string]string, error) {
	topics := make(map[string]string, len(list))
	for _, item := range list {
		name, topic, ok := strings.Cut(item, ":")
		if !ok || name == "" || topic == "" {
			return nil, fmt.Errorf("want name:topic, found %q", item)
		}
		topics[strings.TrimSpace(name)] = strings.TrimSpace(topic)
	}
	return topics, nil
}

// extractTopicFromSchemaName is ExtractTopicFromSchemaName.
type extractTopicFromSchemaName struct {
	side    side
	topics  map[string]string
	pattern *javaregex.Pattern // nil: none

	name, topic string // the last name, and what it gave
}

func newExtractTopicFromSchemaName(c ExtractTopicFromSchemaNameConfig, s side) (*extractTopicFromSchemaName, error) {
	t := &extractTopicFromSchemaName{side: s}
	var err error
	if t.topics, err = parseTopicMap(c.Topics); err != nil {
		return nil, err
	}
	if c.Regex != "" {
		t.pattern, err = javaregex.Compile(c.Regex)
	}
	return t, err
}

// Apply sets the topic.
func (t *extractTopicFromSchemaName) Apply(_ context.Context, r *connect.Record) (bool, error) {
	name := t.side.of(r).Schema.Name()
	if name == "" {
		return false, dataError("%s schema name can't be null", t.side.lower())
	}
	if name != t.name {
		topic, err := t.topicOf(name)
		if err != nil {
			return false, err
		}
		t.name, t.topic = name, topic
	}
	r.Topic = t.topic
	return true, nil
}

func (t *extractTopicFromSchemaName) topicOf(name string) (string, error) {
	if topic, ok := t.topics[name]; ok {
		return topic, nil
	}
	if t.pattern == nil || t.pattern.Groups() != 1 {
		return name, nil
	}
	at, err := t.pattern.Find(name)
	if err != nil {
		return "", fmt.Errorf("configuration schema.name.regex: name %q: %w", name, err)
	}
	if at == nil || at[2] < 0 {
		return name, nil
	}
	return name[at[2]:at[3]], nil
}
