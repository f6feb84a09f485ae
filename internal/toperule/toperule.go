// Package toperule decides with which settings a topic is created for a source
// connector (KIP-158): the first group of rules that matches the topic's name.
package toperule

import (
	"maps"
	"slices"
)

// Matcher matches a whole topic name.
type Matcher interface {
	MatchString(name string) bool
}

// DefaultGroup is the name of the group that matches every topic.
const DefaultGroup = "default"

// BrokerDefault, as a number of partitions or replicas, leaves the choice to the
// broker.
const BrokerDefault = -1

// Group is one group of rules.
type Group struct {
	Name              string
	Include, Exclude  []Matcher
	Partitions        int32 // BrokerDefault or more than 0
	ReplicationFactor int16 // BrokerDefault or more than 0
	Configs           map[string]string
}

// Matches tells whether a topic belongs to the group: some pattern includes it
// and none excludes it. The default group has every topic, whatever its
// patterns.
func (g Group) Matches(topic string) bool {
	if g.Name == DefaultGroup {
		return true
	}
	matches := func(m Matcher) bool { return m.MatchString(topic) }
	return !slices.ContainsFunc(g.Exclude, matches) && slices.ContainsFunc(g.Include, matches)
}

// Topic is a topic to create.
type Topic struct {
	Name              string
	Group             string // whose rules it follows
	Partitions        int32
	ReplicationFactor int16
	Configs           map[string]string
}

// Rules are groups in the order in which they are tried. The nil Rules match
// nothing. They are safe for concurrent use.
type Rules struct{ groups []Group }

// New returns the rules of groups, tried in order. The default group, wherever
// it stands, is tried last.
func New(groups ...Group) *Rules {
	ordered := slices.Clone(groups)
	slices.SortStableFunc(ordered, func(a, b Group) int { return last(a) - last(b) })
	return &Rules{ordered}
}

func last(g Group) int {
	if g.Name == DefaultGroup {
		return 1
	}
	return 0
}

// For returns how to create a topic; false if no group has it.
func (r *Rules) For(topic string) (Topic, bool) {
	if r == nil {
		return Topic{}, false
	}
	for _, g := range r.groups {
		if g.Matches(topic) {
			return Topic{topic, g.Name, g.Partitions, g.ReplicationFactor, maps.Clone(g.Configs)}, true
		}
	}
	return Topic{}, false
}
