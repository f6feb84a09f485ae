//go:build integration

package integration

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// Topics are created by the connector's groups of rules (KIP-158).
func TestTopicCreation(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	plain, compacted, feed := unique("plain"), unique("compacted"), newFeed()
	for _, topic := range []string{plain, compacted} {
		feed.add(connect.Record{Topic: topic, Key: bytesDatum([]byte("k")), Value: bytesDatum([]byte("v"))})
	}
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}})
	w.put("in", config.Props{
		"connector.class": "Feed", "topic.creation.groups": "tables",
		"topic.creation.default.partitions": "2", "topic.creation.default.replication.factor": "1",
		"topic.creation.default.retention.ms":  "86400000",
		"topic.creation.tables.include":        "compacted-.*",
		"topic.creation.tables.partitions":     "5",
		"topic.creation.tables.cleanup.policy": "compact",
		"topic.creation.tables.segment.bytes":  "2097152",
	})
	newWitness(t, bootstrap).read(plain, 2, 1)
	newWitness(t, bootstrap).read(compacted, 5, 1)
	adm := kadm.NewClient(bare(t, bootstrap))
	topics, err := adm.ListTopics(within(t), plain, compacted)
	require.NoError(t, err)
	assert.Len(t, topics[plain].Partitions, 2)
	assert.Len(t, topics[compacted].Partitions, 5)
	assert.Equal(t, "86400000", topicConfig(t, adm, plain, "retention.ms"))
	assert.Equal(t, "delete", topicConfig(t, adm, plain, "cleanup.policy"))
	assert.Equal(t, "compact", topicConfig(t, adm, compacted, "cleanup.policy"))
	assert.Equal(t, "2097152", topicConfig(t, adm, compacted, "segment.bytes"))

	t.Run("what the broker refuses fails the task", func(t *testing.T) {
		feed := newFeed()
		feed.add(connect.Record{Topic: unique("never"), Value: bytesDatum([]byte("v"))})
		w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}})
		w.putOnly("in", config.Props{"connector.class": "Feed", "topic.creation.default.partitions": "1",
			"topic.creation.default.replication.factor": "1", "topic.creation.default.cleanup.policy": "sometimes"})
		assert.Contains(t, w.awaitFailed("in"), "cleanup.policy")
	})
}

func topicConfig(t testing.TB, adm *kadm.Client, topic, key string) string {
	t.Helper()
	configs, err := adm.DescribeTopicConfigs(within(t), topic)
	require.NoError(t, err)
	c, err := configs.On(topic, nil)
	require.NoError(t, err)
	for _, kv := range c.Configs {
		if kv.Key == key {
			return kv.MaybeValue()
		}
	}
	return ""
}

// A sink by topics.regex finds topics that come later.
func TestRegexFindsNewTopics(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	prefix, basket := unique("family"), newBasket()
	makeTopic(t, bootstrap, prefix+".0", 1)
	makeTopic(t, bootstrap, "not-"+prefix+".0", 1)
	writeLines(t, bootstrap, prefix+".0", []string{"first"})
	writeLines(t, bootstrap, "not-"+prefix+".0", []string{"not this"})
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{basket.plugin()}})
	w.put("out", config.Props{"connector.class": "Basket", "topics.regex": prefix + `\..*`})
	basket.await(t, 1)
	for i := range 3 {
		topic := prefix + "." + strconv.Itoa(i+1)
		makeTopic(t, bootstrap, topic, 2)
		writeLines(t, bootstrap, topic, []string{"of a new topic"})
		basket.await(t, i+2)
	}
	topics := map[string]int{}
	for _, r := range basket.got() {
		topics[r.Topic]++
	}
	assert.Equal(t, map[string]int{prefix + ".0": 1, prefix + ".1": 1, prefix + ".2": 1, prefix + ".3": 1}, topics)
}
