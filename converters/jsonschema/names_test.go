package jsonschema

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/internal/jsontree"
)

// TestHashOrder has the order in which Java's HashMap lists these keys.
func TestHashOrder(t *testing.T) {
	var members []jsontree.Member
	for _, k := range []string{
		"connect.type", "connect.index", "connect.version", "connect.parameters", "org.apache.kafka.connect.data.Enum",
		"org.apache.kafka.connect.data.Enum.RED", "scale", "ä€\U0001F600", "b", "aa",
	} {
		members = append(members, jsontree.Member{Key: k})
	}
	var got []string
	for _, m := range inHashOrder(members) {
		got = append(got, m.Key)
	}
	assert.Equal(t, []string{
		"aa", "connect.version", "org.apache.kafka.connect.data.Enum", "b", "ä€\U0001F600", "connect.index", "scale",
		"org.apache.kafka.connect.data.Enum.RED", "connect.type", "connect.parameters",
	}, got)
}
