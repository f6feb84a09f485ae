package transforms

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javaregex"
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
	config.String(d, &c.Regex, "regex").Importance(config.High).Check(validRegex()).
		Doc("Regular expression, in Java's syntax, that has to match the topic as a whole.")
	config.String(d, &c.Replacement, "replacement").Importance(config.High).
		Doc("Replacement for the first match. $1 or ${name} stands for what the group matched, a backslash takes the meaning from the next character.")
}

// Probe refuses a wrong replacement before a connector is made of it. Java finds it with the first topic that matches, and so does a
// connector that is there already.
func (c *RegexRouterConfig) Probe(context.Context) error {
	p, err := javaregex.Compile(c.Regex)
	if err != nil {
		return &config.KeyError{Key: "regex", Value: c.Regex, Err: err}
	}
	if err := p.Replacement(c.Replacement).Err(); err != nil {
		return &config.KeyError{Key: "replacement", Value: c.Replacement, Err: err}
	}
	return nil
}

func regexRouterPlugin() connect.Plugin {
	return connect.Transformer(info("RegexRouter", "Changes the topic of records by a regular expression."), newRegexRouter)
}

// regexRouter is RegexRouter. Topics are few and records many, so it remembers the last one.
type regexRouter struct {
	pattern     *javaregex.Pattern
	replacement *javaregex.Replacement

	topic, routed string
}

func newRegexRouter(c RegexRouterConfig) (*regexRouter, error) {
	p, err := javaregex.Compile(c.Regex)
	if err != nil {
		return nil, &config.KeyError{Key: "regex", Value: c.Regex, Err: err}
	}
	return &regexRouter{pattern: p, replacement: p.Replacement(c.Replacement)}, nil
}

// Apply changes the topic. A replacement that is wrong fails here, not before, and only for topics that match: as in Java.
func (t *regexRouter) Apply(_ context.Context, r *connect.Record) (bool, error) {
	if r.Topic == t.topic && t.topic != "" {
		r.Topic = t.routed
		return true, nil
	}
	routed := r.Topic
	matches, err := t.pattern.Matches(r.Topic)
	if err != nil {
		return false, fmt.Errorf("configuration regex: topic %q: %w", r.Topic, err)
	}
	if matches {
		if routed, err = t.pattern.ReplaceFirst(r.Topic, t.replacement); err != nil {
			return false, fmt.Errorf("configuration replacement: topic %q: %w", r.Topic, err)
		}
	}
	t.topic, t.routed = r.Topic, routed
	r.Topic = routed
	return true, nil
}
