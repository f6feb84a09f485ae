package kafka

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// Topics that are there already, and would lose what a worker writes, or its
// order, are refused: all three internal topics, by the key that names them.
func TestWrongInternalTopics(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	stores := map[string]func(topic string) any{
		"config": func(topic string) any { return b.Configs(topic) },
		"offset": func(topic string) any { return b.Offsets(topic) },
		"status": func(topic string) any { return b.Status(topic) },
	}
	for name, store := range stores {
		for _, policy := range []string{"delete", "compact,delete", "delete,compact", ""} {
			settings, topic := map[string]string{"cleanup.policy": policy}, name+"-"+strings.ReplaceAll(policy, ",", ".")
			if policy == "" {
				settings = nil // the broker's default is to delete
			}
			makeTopic(t, b, topic, 1, settings)
			err := store(topic).(connect.StoreOpener).OpenStore(bounded(t))
			assert.ErrorContains(t, err, name+".storage.topic", topic)
			assert.ErrorContains(t, err, "cleanup.policy", topic)
			assert.ErrorContains(t, err, `must be exactly "compact"`, topic)
		}
		many := name + "-many"
		makeTopic(t, b, many, 3, map[string]string{"cleanup.policy": "compact"})
		if name != "config" {
			opened(t, store(many)) // as many partitions as there are
			continue
		}
		err := store(many).(connect.StoreOpener).OpenStore(bounded(t))
		assert.ErrorContains(t, err, `config.storage.topic: topic "config-many" has 3 partitions; it must have exactly one`)
	}
}

// Settings of topics are the worker's, but for what they must be.
func TestInternalTopicsAreMadeAsInJava(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), config.Props{
		"config.storage.partitions": "7", "config.storage.cleanup.policy": "delete", "config.storage.segment.bytes": "1048577",
		"status.storage.partitions": "3", "status.storage.segment.bytes": "1048578",
	})
	opened(t, b.Configs("configs"))
	opened(t, b.Status("status"))
	topics, err := adminOf(t, b).Topics(bounded(t), "configs", "status")
	assert.NoError(t, err)
	for name, want := range map[string]struct {
		partitions int
		segment    string
	}{"configs": {1, "1048577"}, "status": {3, "1048578"}} {
		assert.Equal(t, want.partitions, topics[name].Partitions, name)
		assert.Equal(t, want.segment, topics[name].Config["segment.bytes"], name)
		assert.Equal(t, "compact", topics[name].Config["cleanup.policy"], name)
	}
}
