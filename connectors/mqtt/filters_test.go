package mqtt

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// The cases of section 4.7 of the standard.
func TestMatches(t *testing.T) {
	for filter, c := range map[string]struct{ yes, no []string }{
		"sport/tennis/player1/#": {[]string{"sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"}, []string{"sport/tennis/player2", "sport/tennis"}},
		"sport/#":                {[]string{"sport", "sport/", "sport/a/b"}, []string{"sports", "/sport"}},
		"#":                      {[]string{"a", "/", "a/b/c", ""}, []string{"$SYS/monitor/Clients", "$SYS"}},
		"sport/tennis/+":         {[]string{"sport/tennis/player1", "sport/tennis/"}, []string{"sport/tennis/player1/ranking", "sport/tennis"}},
		"sport/+":                {[]string{"sport/", "sport/a"}, []string{"sport"}},
		"+":                      {[]string{"finance", ""}, []string{"/finance", "$SYS"}},
		"+/+":                    {[]string{"/finance", "a/b"}, []string{"finance", "a/b/c", "$SYS/a"}},
		"/+":                     {[]string{"/finance"}, []string{"finance"}},
		"+/monitor/Clients":      {[]string{"a/monitor/Clients"}, []string{"$SYS/monitor/Clients"}},
		"$SYS/#":                 {[]string{"$SYS/monitor/Clients", "$SYS"}, []string{"a"}},
		"$SYS/monitor/+":         {[]string{"$SYS/monitor/Clients"}, []string{"$SYS/monitor"}},
		"+/tennis/#":             {[]string{"a/tennis", "a/tennis/b"}, []string{"a"}},
	} {
		for _, topic := range c.yes {
			assert.True(t, matches(filter, topic), "%q and %q", filter, topic)
		}
		for _, topic := range c.no {
			assert.False(t, matches(filter, topic), "%q and %q", filter, topic)
		}
	}
}

// filterOf makes a filter of numbers, over few levels and names, so that many match.
func filterOf(numbers []uint8) string {
	var levels []string
	for _, n := range numbers[:min(len(numbers), 3)] {
		levels = append(levels, []string{"a", "b", "", "+", "$x", "+"}[n%6])
	}
	if len(numbers) == 0 || len(numbers) > 3 && numbers[3]%3 == 0 {
		levels = append(levels, "#")
	}
	return strings.Join(levels, "/")
}

// Two filters overlap where, of all short topics, one matches both; and what is said of a list is what is said of its pairs.
func TestOverlap(t *testing.T) {
	var topics []string
	names := []string{"a", "b", "", "$x", "c"}
	for _, x := range names {
		topics = append(topics, x)
		for _, y := range names {
			topics = append(topics, x+"/"+y)
			for _, z := range names {
				topics = append(topics, x+"/"+y+"/"+z, x+"/"+y+"/"+z+"/a")
			}
		}
	}
	both := func(a, b string) bool {
		return slices.ContainsFunc(topics, func(topic string) bool { return matches(a, topic) && matches(b, topic) })
	}
	require.NoError(t, quick.Check(func(x, y, z []uint8) bool {
		filters := []string{filterOf(x), filterOf(y), filterOf(z)}
		want := false
		for i, a := range filters {
			for _, b := range filters[:i] {
				want = want || a == b || both(a, b)
			}
		}
		_, _, found := overlapping(filters)
		return assert.Equal(t, want, found, "%q", filters)
	}, &quick.Config{MaxCount: 5000}))
}

// A connector may have tens of thousands of topics: that is no reason for a validation to take minutes.
func TestManyTopics(t *testing.T) {
	var topics []string
	for i := range 20_000 {
		topics = append(topics, fmt.Sprintf("plant/line-%d/temperature", i))
	}
	topics = append(topics, "other/#")
	props := least["MqttSource"].Merge(config.Props{"topics": strings.Join(topics, ",")})
	require.NoError(t, config.Decode(props, new(Config)))
	props["topics"] += ",plant/+/temperature"
	require.ErrorContains(t, config.Decode(props, new(Config)), `"plant/line-0/temperature" and "plant/+/temperature", which overlap`)
}
