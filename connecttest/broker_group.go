package connecttest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/streamlane/connect"
)

// group is a consumer group of a Broker. It is guarded by Broker.mu.
type group struct {
	name       string
	generation int32
	committed  connect.Offsets
	members    map[string]*member
	owners     map[connect.TopicPartition]*member
}

// member is one consumer's place in a group. target is what the group wants it
// to own; owners of the group say what it does own.
type member struct {
	id         string
	topics     []string
	match      func(string) bool
	target     []connect.TopicPartition
	assignment []connect.TopicPartition // what its consumer has been told of
	lost       []connect.TopicPartition // taken by Expel, not yet told
}

func (m *member) wants(topic string) bool {
	return slices.Contains(m.topics, topic) || m.match != nil && m.match(topic)
}

// reassign computes the targets: the range assignor, topic by topic.
func (g *group) reassign(topics map[string]*topic) {
	before := make(map[string][]connect.TopicPartition, len(g.members))
	for _, m := range g.members {
		before[m.id], m.target = m.target, nil
	}
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		var takers []*member
		for _, m := range g.members {
			if m.wants(name) {
				takers = append(takers, m)
			}
		}
		slices.SortFunc(takers, func(x, y *member) int { return cmp.Compare(x.id, y.id) })
		assignRange(takers, name, len(topics[name].partitions))
	}
	for _, m := range g.members {
		if !slices.Equal(m.target, before[m.id]) {
			g.generation++
			return
		}
	}
}

// assignRange gives each member a run of the partitions; the first ones get one
// more if it does not come out even.
func assignRange(takers []*member, topic string, partitions int) {
	next := 0
	for i, m := range takers {
		n := partitions / len(takers)
		if i < partitions%len(takers) {
			n++
		}
		for range n {
			m.target = append(m.target, connect.TopicPartition{Topic: topic, Partition: int32(next)})
			next++
		}
	}
}

// join makes m a member.
func (g *group) join(m *member) { g.members[m.id] = m }

// leave takes a member and all that it owns out of the group.
func (g *group) leave(m *member) {
	delete(g.members, m.id)
	g.generation++
	m.target, m.assignment = nil, nil
	maps.DeleteFunc(g.owners, func(_ connect.TopicPartition, o *member) bool { return o == m })
}

// revoked returns what m owns and has to let go of.
func (g *group) revoked(m *member) []connect.TopicPartition {
	return slices.DeleteFunc(slices.Clone(m.assignment), func(tp connect.TopicPartition) bool { return slices.Contains(m.target, tp) })
}

// release lets go of partitions.
func (g *group) release(m *member, tps []connect.TopicPartition) {
	m.assignment = slices.DeleteFunc(m.assignment, func(tp connect.TopicPartition) bool { return slices.Contains(tps, tp) })
	for _, tp := range tps {
		if g.owners[tp] == m {
			delete(g.owners, tp)
		}
	}
}

// claim gives m what it shall own and nobody else does any more.
func (g *group) claim(m *member) (added []connect.TopicPartition) {
	for _, tp := range m.target {
		if g.owners[tp] == nil {
			g.owners[tp] = m
			m.assignment = append(m.assignment, tp)
			added = append(added, tp)
		}
	}
	return added
}
