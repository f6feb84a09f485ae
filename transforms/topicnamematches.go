package transforms

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javaregex"
)

// A TopicNameMatchesConfig configures TopicNameMatches.
type TopicNameMatchesConfig struct {
	// Pattern is a regular expression in Java's syntax that has to match the topic as a whole.
	Pattern string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.predicates.TopicNameMatches.
func (c *TopicNameMatchesConfig) Describe(d *config.Def) {
	config.String(d, &c.Pattern, "pattern").Importance(config.Medium).Check(config.NonEmpty(), validRegex()).
		Doc("Regular expression, in Java's syntax, that has to match the topic as a whole.")
}

func topicNameMatchesPlugin() connect.Plugin {
	i := predicateInfo("TopicNameMatches", "Holds for records of topics that match a regular expression.")
	return connect.Predicator(i, func(c TopicNameMatchesConfig) (*topicNameMatches, error) {
		p, err := javaregex.Compile(c.Pattern)
		if err != nil {
			return nil, &config.KeyError{Key: "pattern", Value: c.Pattern, Err: err}
		}
		return &topicNameMatches{pattern: p}, nil
	})
}

// topicNameMatches is TopicNameMatches. Topics are few and records many, so it remembers the last one.
type topicNameMatches struct {
	pattern *javaregex.Pattern
	topic   string
	matched bool
}

// Test matches the topic. A record without one does not match, whatever the pattern.
func (p *topicNameMatches) Test(_ context.Context, r *connect.Record) (bool, error) {
	if r.Topic == "" {
		return false, nil
	}
	if r.Topic == p.topic {
		return p.matched, nil
	}
	matched, err := p.pattern.Matches(r.Topic)
	if err != nil {
		return false, fmt.Errorf("configuration pattern: topic %q: %w", r.Topic, err)
	}
	p.topic, p.matched = r.Topic, matched
	return matched, nil
}

// validRegex is Java's RegexValidator.
func validRegex() config.Check[string] {
	return config.CheckFunc("valid regex", func(text string) error {
		if _, err := javaregex.Compile(text); err != nil {
			return fmt.Errorf("Invalid regex: %w", err) //nolint:staticcheck // Java's words
		}
		return nil
	})
}
