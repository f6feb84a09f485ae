package toperule_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/toperule"
)

// words matches some names.
type words []string

func (w words) MatchString(name string) bool { return slices.Contains(w, name) }

func group(name string, include, exclude words) toperule.Group {
	return toperule.Group{Name: name, Include: []toperule.Matcher{include}, Exclude: []toperule.Matcher{exclude}, Partitions: 1, ReplicationFactor: 1}
}

func TestFirstMatchingGroupWins(t *testing.T) {
	r := toperule.New(group("default", nil, words{"x"}), group("a", words{"x", "y"}, words{"y"}), group("b", words{"x", "y"}, nil))
	for topic, want := range map[string]string{"x": "a", "y": "b", "z": "default"} {
		got, ok := r.For(topic)
		require.True(t, ok)
		assert.Equal(t, want, got.Group, topic)
		assert.Equal(t, topic, got.Name)
	}
}

func TestWithoutDefaultGroup(t *testing.T) {
	r := toperule.New(group("a", words{"x"}, nil))
	_, ok := r.For("y")
	assert.False(t, ok)
	var none *toperule.Rules
	_, ok = none.For("x")
	assert.False(t, ok)
}

func TestSettingsAreNotShared(t *testing.T) {
	g := group("a", words{"x"}, nil)
	g.Configs = map[string]string{"k": "v"}
	r := toperule.New(g)
	topic, _ := r.For("x")
	topic.Configs["k"] = "changed"
	again, _ := r.For("x")
	assert.Equal(t, "v", again.Configs["k"])
}
