package transforms

import (
	"context"
	"errors"
	"regexp"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A TopicRegexRouterConfig configures TopicRegexRouter.
type TopicRegexRouterConfig struct {
	// Regex is a regular expression in the syntax of RE2, that is Go's. Topics that it matches as a whole are changed.
	Regex string
	// Replacement is the new topic: $1 and $name stand for groups.
	Replacement string
}

// Describe declares the keys of io.confluent.connect.cloud.transforms.TopicRegexRouter.
func (c *TopicRegexRouterConfig) Describe(d *config.Def) {
	config.String(d, &c.Regex, "regex").Importance(config.High).
		Check(config.CheckFunc("regular expression of RE2", func(text string) error { _, err := wholeTopic(text); return err })).
		Doc("Regular expression, in the syntax of RE2, that has to match the topic as a whole.")
	config.String(d, &c.Replacement, "replacement").Importance(config.High).Doc("The new topic. $1 or ${name} stands for what the group matched.")
}

// wholeTopic compiles an expression that matches topics as a whole.
func wholeTopic(expr string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(expr); err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + expr + `)\z`)
}

func topicRegexRouterPlugin() connect.Plugin {
	i := ours("TopicRegexRouter", "Changes the topic of records by a regular expression of RE2.", "io.confluent.connect.cloud.transforms.TopicRegexRouter")
	return connect.Transformer(i, func(c TopicRegexRouterConfig) (*topicRegexRouter, error) {
		re, err := wholeTopic(c.Regex)
		return &topicRegexRouter{re: re, replacement: c.Replacement}, err
	})
}

// topicRegexRouter is TopicRegexRouter. It remembers the last topic.
type topicRegexRouter struct {
	re          *regexp.Regexp
	replacement string

	topic, routed string
}

var errEmptyTopic = errors.New("configuration replacement: the topic would be empty")

// Apply changes the topic.
func (t *topicRegexRouter) Apply(_ context.Context, r *connect.Record) (bool, error) {
	if r.Topic != t.topic || t.topic == "" {
		t.topic, t.routed = r.Topic, r.Topic
		if at := t.re.FindStringSubmatchIndex(r.Topic); at != nil {
			t.routed = string(t.re.ExpandString(nil, t.replacement, r.Topic, at))
		}
	}
	if t.routed == "" && r.Topic != "" {
		return false, errEmptyTopic
	}
	r.Topic = t.routed
	return true, nil
}
