package transforms

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A RegexRouterConfig configures RegexRouter.
type RegexRouterConfig struct {
	// Regex is a regular expression in Java's syntax. Topics that it matches as a whole are changed.
	Regex string
	// Replacement for the first match, in the syntax of Java's Matcher.replaceFirst: $1 and ${name} stand for groups, \ takes the
	// meaning from the next character.
	Replacement string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.RegexRouter.
func (c *RegexRouterConfig) Describe(d *config.Def) {
	valid := config.CheckFunc("valid regex", func(text string) error {
		if _, err := compilePattern(text); err != nil {
			return fmt.Errorf("Invalid regex: %w", err) //nolint:staticcheck // Java's words
		}
		return nil
	})
	config.String(d, &c.Regex, "regex").Importance(config.High).Check(valid).
		Doc("Regular expression, in Java's syntax without back references, look-around and atomic groups, that has to match the topic as a whole.")
	config.String(d, &c.Replacement, "replacement").Importance(config.High).
		Doc("Replacement for the first match. $1 or ${name} stands for what the group matched, a backslash takes the meaning from the next character.")
}

func regexRouterPlugin() connect.Plugin {
	return connect.Transformer(info("RegexRouter", "Changes the topic of records by a regular expression."), newRegexRouter)
}

// regexRouter is RegexRouter. Topics are few and records many, so it remembers the last one.
type regexRouter struct {
	pattern     *pattern
	replacement *replacement

	topic, routed string
}

func newRegexRouter(c RegexRouterConfig) (*regexRouter, error) {
	p, err := compilePattern(c.Regex)
	if err != nil {
		return nil, &config.KeyError{Key: "regex", Value: c.Regex, Err: err}
	}
	return &regexRouter{pattern: p, replacement: p.parseReplacement(c.Replacement)}, nil
}

// Apply changes the topic. A replacement that is wrong fails here, not before, and only for topics that match: as in Java.
func (t *regexRouter) Apply(_ context.Context, r *connect.Record) (bool, error) {
	if r.Topic == t.topic && t.topic != "" {
		r.Topic = t.routed
		return true, nil
	}
	routed := r.Topic
	if t.pattern.matches(r.Topic) {
		var err error
		if routed, err = t.pattern.replaceFirst(r.Topic, t.replacement); err != nil {
			return false, fmt.Errorf("configuration replacement: topic %q: %w", r.Topic, err)
		}
	}
	t.topic, t.routed = r.Topic, routed
	r.Topic = routed
	return true, nil
}
