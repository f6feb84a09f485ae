package connecttest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

func adminCases() []brokerCase {
	return []brokerCase{
		{"creates and describes topics", adminTopics},
		{"knows where partitions end", adminEnds},
		{"alters and deletes groups", adminGroups},
		{"names the cluster", adminClusterID},
	}
}

func adminTopics(t testing.TB, k *testCluster) {
	a := k.admin()
	name, other, absent := unique("suite"), unique("suite"), unique("absent")
	spec := connect.TopicSpec{Name: name, Partitions: 3, ReplicationFactor: 1, Config: map[string]string{"cleanup.policy": "compact"}}
	created, err := a.CreateTopics(bounded(t), spec)
	require.NoError(t, err, "CreateTopics")
	assert.Equal(t, []string{name}, created)
	spec.Partitions = 5
	created, err = a.CreateTopics(bounded(t), spec, connect.TopicSpec{Name: other, Partitions: -1, ReplicationFactor: -1})
	require.NoError(t, err, "that a topic exists is no error")
	assert.Equal(t, []string{other}, created)

	infos, err := a.Topics(bounded(t), name, absent)
	require.NoError(t, err, "Topics")
	require.Contains(t, infos, name)
	assert.Len(t, infos, 1, "absent topics are left out")
	assert.Equal(t, name, infos[name].Name)
	assert.Equal(t, 3, infos[name].Partitions)
	assert.Equal(t, 1, infos[name].ReplicationFactor)
	assert.Equal(t, "compact", infos[name].Config["cleanup.policy"])
	all, err := a.Topics(bounded(t))
	require.NoError(t, err, "Topics without names")
	assert.Contains(t, all, name)
	assert.Contains(t, all, other)
	created, err = a.CreateTopics(bounded(t), connect.TopicSpec{Name: "not a topic name!", Partitions: 1, ReplicationFactor: 1})
	assert.Error(t, err, "CreateTopics with an illegal name")
	assert.Empty(t, created)
}

func adminEnds(t testing.TB, k *testCluster) {
	topic, other := k.topic(2), k.topic(1)
	k.fill(topic, 1, numbered("v", 7)...)
	ends, err := k.admin().EndOffsets(bounded(t), topic, other)
	require.NoError(t, err, "EndOffsets")
	assert.Equal(t, connect.Offsets{tp(topic, 0): 0, tp(topic, 1): 7, tp(other, 0): 0}, ends)
}

func adminGroups(t testing.TB, k *testCluster) {
	a, topic, group := k.admin(), k.topic(2), unique("group")
	found, err := a.GroupOffsets(bounded(t), group)
	require.NoError(t, err, "GroupOffsets of a group that is not there")
	assert.Empty(t, found)
	require.NoError(t, a.DeleteGroup(bounded(t), group), "DeleteGroup of a group that is not there")

	five, two := int64(5), int64(2)
	require.NoError(t, a.AlterGroupOffsets(bounded(t), group, map[connect.TopicPartition]*int64{tp(topic, 0): &five, tp(topic, 1): &two}))
	found, err = a.GroupOffsets(bounded(t), group)
	require.NoError(t, err, "GroupOffsets")
	assert.Equal(t, connect.Offsets{tp(topic, 0): 5, tp(topic, 1): 2}, found)
	require.NoError(t, a.AlterGroupOffsets(bounded(t), group, map[connect.TopicPartition]*int64{tp(topic, 0): nil, tp(topic, 1): &five}))
	found, err = a.GroupOffsets(bounded(t), group)
	require.NoError(t, err, "GroupOffsets")
	assert.Equal(t, connect.Offsets{tp(topic, 1): 5}, found, "nil deletes")

	for _, unknown := range []connect.TopicPartition{tp(unique("nowhere"), 0), tp(topic, 7)} {
		err := a.AlterGroupOffsets(bounded(t), group, map[connect.TopicPartition]*int64{unknown: &two})
		assert.ErrorIs(t, err, connect.ErrNotFound, "AlterGroupOffsets of %v", unknown)
	}

	w := newWatch()
	p := k.poller(w, connect.ConsumerConfig{Group: group, Topics: []string{topic}})
	w.await(t, "the assignment", func() bool { return len(p.owned) == 2 })
	assert.Error(t, a.AlterGroupOffsets(bounded(t), group, map[connect.TopicPartition]*int64{tp(topic, 0): &two}), "AlterGroupOffsets of a group with members")
	assert.Error(t, a.DeleteGroup(bounded(t), group), "DeleteGroup of a group with members")
	p.stop()
	require.NoError(t, p.Close(bounded(t)), "Close")

	require.NoError(t, a.DeleteGroup(bounded(t), group), "DeleteGroup")
	found, err = a.GroupOffsets(bounded(t), group)
	require.NoError(t, err, "GroupOffsets")
	assert.Empty(t, found, "after DeleteGroup")
}

func adminClusterID(t testing.TB, k *testCluster) {
	first, err := k.admin().ClusterID(bounded(t))
	require.NoError(t, err, "ClusterID")
	assert.NotEmpty(t, first)
	second, err := k.admin().ClusterID(bounded(t))
	require.NoError(t, err, "ClusterID")
	assert.Equal(t, first, second)
}
