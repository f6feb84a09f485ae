package connecttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/streamlane/connect"
)

// admin is a connect.Admin of a Broker.
type admin struct{ b *Broker }

// ClusterID returns a fixed name.
func (a *admin) ClusterID(ctx context.Context) (string, error) {
	if err := a.b.reach(ctx); err != nil {
		return "", err
	}
	return "connecttest", nil
}

// Topics describes topics.
func (a *admin) Topics(ctx context.Context, names ...string) (map[string]connect.TopicInfo, error) {
	if err := a.b.reach(ctx); err != nil {
		return nil, err
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(a.b.topics))
	}
	infos := make(map[string]connect.TopicInfo, len(names))
	for _, name := range names {
		if t := a.b.topics[name]; t != nil {
			infos[name] = connect.TopicInfo{Name: name, Partitions: len(t.partitions), ReplicationFactor: t.spec.ReplicationFactor, Config: maps.Clone(t.config)}
		}
	}
	return infos, nil
}

// CreateTopics creates those that are not there.
func (a *admin) CreateTopics(ctx context.Context, specs ...connect.TopicSpec) (created []string, err error) {
	if err := a.b.reach(ctx); err != nil {
		return nil, err
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	var errs []error
	for _, spec := range specs {
		if err := checkTopicName(spec.Name); err != nil {
			errs = append(errs, err)
			continue
		}
		if spec.Partitions == 0 || spec.ReplicationFactor == 0 {
			errs = append(errs, fmt.Errorf("topic %q: %w: found %d partitions and replication factor %d, want at least 1, or -1 for the default",
				spec.Name, connect.ErrBadRequest, spec.Partitions, spec.ReplicationFactor))
			continue
		}
		if a.b.topics[spec.Name] == nil {
			a.b.topics[spec.Name] = newTopic(spec)
			created = append(created, spec.Name)
		}
	}
	a.b.reassign()
	a.b.change()
	return created, errors.Join(errs...)
}

// EndOffsets returns the ends of all partitions of the topics.
func (a *admin) EndOffsets(ctx context.Context, topics ...string) (connect.Offsets, error) {
	if err := a.b.reach(ctx); err != nil {
		return nil, err
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	ends := make(connect.Offsets)
	for _, name := range topics {
		t := a.b.topics[name]
		if t == nil {
			return nil, fmt.Errorf("topic %q: %w", name, connect.ErrNotFound)
		}
		for i, p := range t.partitions {
			ends[connect.TopicPartition{Topic: name, Partition: int32(i)}] = p.end()
		}
	}
	return ends, nil
}

// GroupOffsets returns what a group committed; an unknown group has nothing.
func (a *admin) GroupOffsets(ctx context.Context, name string) (connect.Offsets, error) {
	if err := a.b.reach(ctx); err != nil {
		return nil, err
	}
	committed := a.b.Committed(name)
	if committed == nil {
		committed = make(connect.Offsets)
	}
	return committed, nil
}

// AlterGroupOffsets sets and deletes offsets of a group without members.
func (a *admin) AlterGroupOffsets(ctx context.Context, name string, change map[connect.TopicPartition]*int64) error {
	if err := a.b.reach(ctx); err != nil {
		return err
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	g := a.b.group(name)
	if err := g.empty(); err != nil {
		return err
	}
	for tp, offset := range change {
		if offset == nil {
			delete(g.committed, tp)
			continue
		}
		if _, err := a.b.log(tp); err != nil {
			return fmt.Errorf("set offset of group %q: %w", name, err)
		}
		g.committed[tp] = *offset
	}
	return nil
}

// DeleteGroup deletes a group without members.
func (a *admin) DeleteGroup(ctx context.Context, name string) error {
	if err := a.b.reach(ctx); err != nil {
		return err
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	if g := a.b.groups[name]; g != nil {
		if err := g.empty(); err != nil {
			return err
		}
		delete(a.b.groups, name)
	}
	return nil
}

func (g *group) empty() error {
	if len(g.members) > 0 {
		return fmt.Errorf("group %q: %w: it has %d members", g.name, connect.ErrConflict, len(g.members))
	}
	return nil
}

// FenceProducers shuts out the producers of the transactional ids.
func (a *admin) FenceProducers(ctx context.Context, ids ...string) error {
	if err := a.b.reach(ctx); err != nil {
		return err
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	for _, id := range ids {
		a.b.fence(id)
	}
	return nil
}

// Close does nothing.
func (a *admin) Close(context.Context) error { return nil }

func compareTPs(x, y connect.TopicPartition) int {
	return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
}
