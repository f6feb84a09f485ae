package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// admin is the connect.Admin. Every call takes at most default.api.timeout.ms.
type admin struct {
	handle *handle
	limit  time.Duration
	closed sync.Once
}

// do runs one call within the time limit.
func (a *admin) do(ctx context.Context, what string, call func(ctx context.Context, client *kgo.Client) error) error {
	client, err := a.handle.get()
	if err == nil {
		limit := fmt.Errorf("no answer within default.api.timeout.ms (%v): %w", a.limit, context.DeadlineExceeded)
		own, cancel := context.WithTimeoutCause(ctx, a.limit, limit)
		defer cancel()
		if err = call(own, client); err != nil && own.Err() != nil {
			err = errors.Join(context.Cause(own), err)
			if ctx.Err() == nil {
				err = connect.Retriable(err, 0)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("kafka: %s: %w", what, mapError(err))
	}
	return nil
}

// ClusterID returns the cluster's id.
func (a *admin) ClusterID(ctx context.Context) (id string, err error) {
	err = a.do(ctx, "cluster id", func(ctx context.Context, client *kgo.Client) error {
		m, err := kadm.NewClient(client).BrokerMetadata(ctx)
		id = m.Cluster
		return err
	})
	return id, err
}

// Topics describes topics. Their settings are left out where we may not see them.
func (a *admin) Topics(ctx context.Context, names ...string) (topics map[string]connect.TopicInfo, err error) {
	err = a.do(ctx, "describe topics", func(ctx context.Context, client *kgo.Client) error {
		topics, err = describeTopics(ctx, kadm.NewClient(client), names)
		return err
	})
	return topics, err
}

func describeTopics(ctx context.Context, adm *kadm.Client, names []string) (map[string]connect.TopicInfo, error) {
	details, err := adm.ListTopicsWithInternal(ctx, names...)
	if err != nil {
		return nil, err
	}
	topics := map[string]connect.TopicInfo{}
	for name, d := range details {
		switch {
		case errors.Is(d.Err, kerr.UnknownTopicOrPartition), errors.Is(d.Err, kerr.UnknownTopicID):
			continue
		case d.Err != nil && len(d.Partitions) == 0:
			return nil, fmt.Errorf("topic %q: %w", name, d.Err)
		}
		topics[name] = connect.TopicInfo{
			Name: name, Partitions: len(d.Partitions), ReplicationFactor: d.Partitions.NumReplicas(), Config: map[string]string{},
		}
	}
	if len(topics) == 0 {
		return topics, nil
	}
	present := sortedNames(topics)
	configs, err := adm.DescribeTopicConfigs(ctx, present...)
	if err != nil && !is(err, authErrors) && !errors.Is(err, kerr.UnsupportedVersion) {
		return nil, fmt.Errorf("settings of topics: %w", err)
	}
	for _, c := range configs {
		for _, entry := range c.Configs {
			if entry.Value != nil {
				topics[c.Name].Config[entry.Key] = *entry.Value
			}
		}
	}
	return topics, nil
}

func sortedNames(topics map[string]connect.TopicInfo) []string {
	names := make([]string, 0, len(topics))
	for name := range topics {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// CreateTopics creates topics that do not exist.
func (a *admin) CreateTopics(ctx context.Context, specs ...connect.TopicSpec) (created []string, err error) {
	if len(specs) == 0 {
		return nil, nil
	}
	err = a.do(ctx, "create topics", func(ctx context.Context, client *kgo.Client) error {
		req, err := createRequest(specs)
		if err != nil {
			return err
		}
		resp, err := req.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		created, err = createdTopics(resp)
		return err
	})
	return created, err
}

func createRequest(specs []connect.TopicSpec) (*kmsg.CreateTopicsRequest, error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	for _, s := range specs {
		if err := checkTopicName(s.Name); err != nil {
			return nil, err
		}
		if s.Partitions > 1<<31-1 || s.ReplicationFactor > 1<<15-1 {
			return nil, fmt.Errorf("topic %q: %d partitions with %d replicas are more than the protocol allows", s.Name, s.Partitions, s.ReplicationFactor)
		}
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = s.Name, int32(s.Partitions), int16(s.ReplicationFactor)
		for _, k := range sortedKeys(s.Config) {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = k, kmsg.StringPtr(s.Config[k])
			t.Configs = append(t.Configs, c)
		}
		req.Topics = append(req.Topics, t)
	}
	return req, nil
}

// checkTopicName applies the rules of brokers (Java's Topic.validate).
func checkTopicName(name string) error {
	legal := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
	}
	if name == "" || name == "." || name == ".." || len(name) > 249 || strings.IndexFunc(name, func(r rune) bool { return !legal(r) }) >= 0 {
		return fmt.Errorf("topic name %q: %w: allowed are up to 249 of a-z, A-Z, 0-9, '.', '_' and '-'", name, kerr.InvalidTopicException)
	}
	return nil
}

func createdTopics(resp *kmsg.CreateTopicsResponse) (created []string, err error) {
	var errs []error
	for _, t := range resp.Topics {
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case err == nil:
			created = append(created, t.Topic)
		case !errors.Is(err, kerr.TopicAlreadyExists):
			text := ""
			if t.ErrorMessage != nil {
				text = ": " + *t.ErrorMessage
			}
			errs = append(errs, fmt.Errorf("topic %q: %w%s", t.Topic, err, text))
		}
	}
	return created, errors.Join(errs...)
}

// EndOffsets returns the ends of topics. Records of open transactions count.
func (a *admin) EndOffsets(ctx context.Context, topics ...string) (ends connect.Offsets, err error) {
	if len(topics) == 0 {
		return connect.Offsets{}, nil
	}
	err = a.do(ctx, "end offsets", func(ctx context.Context, client *kgo.Client) error {
		listed, err := kadm.NewClient(client).ListEndOffsets(ctx, topics...)
		if err != nil {
			return err
		}
		ends = connect.Offsets{}
		var failed error
		listed.Each(func(o kadm.ListedOffset) {
			if o.Err != nil {
				failed = cmp.Or(failed, fmt.Errorf("topic %q partition %d: %w", o.Topic, o.Partition, o.Err))
				return
			}
			ends[connect.TopicPartition{Topic: o.Topic, Partition: o.Partition}] = o.Offset
		})
		return failed
	})
	return ends, err
}

// GroupOffsets returns what a group has committed; none for a group that is not
// there. It waits for transactions with offsets that are about to end.
func (a *admin) GroupOffsets(ctx context.Context, group string) (offsets connect.Offsets, err error) {
	err = a.do(ctx, fmt.Sprintf("offsets of group %q", group), func(ctx context.Context, client *kgo.Client) error {
		return retry(ctx, []error{kerr.UnstableOffsetCommit}, func() error {
			offsets, err = groupOffsets(kadm.RequireStable(ctx), kadm.NewClient(client), group)
			return err
		})
	})
	return offsets, err
}

func groupOffsets(ctx context.Context, adm *kadm.Client, group string) (connect.Offsets, error) {
	fetched, err := adm.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, err
	}
	offsets := connect.Offsets{}
	var failed error
	fetched.Each(func(o kadm.OffsetResponse) {
		switch {
		case o.Err != nil:
			failed = cmp.Or(failed, fmt.Errorf("topic %q partition %d: %w", o.Topic, o.Partition, o.Err))
		case o.At >= 0:
			offsets[connect.TopicPartition{Topic: o.Topic, Partition: o.Partition}] = o.At
		}
	})
	return offsets, failed
}

// AlterGroupOffsets sets and deletes offsets of a group without members.
func (a *admin) AlterGroupOffsets(ctx context.Context, group string, change map[connect.TopicPartition]*int64) error {
	set, remove := kadm.Offsets{}, kadm.TopicsSet{}
	for tp, offset := range change {
		if offset == nil {
			remove.Add(tp.Topic, tp.Partition)
			continue
		}
		if *offset < 0 {
			return fmt.Errorf("kafka: alter offsets of group %q: topic %q partition %d: offset %d is negative", group, tp.Topic, tp.Partition, *offset)
		}
		set.AddOffset(tp.Topic, tp.Partition, *offset, -1)
	}
	return a.do(ctx, fmt.Sprintf("alter offsets of group %q", group), func(ctx context.Context, client *kgo.Client) error {
		err := alterOffsets(ctx, kadm.NewClient(client), group, set, remove)
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			return both{connect.ErrNotFound, err}
		}
		return err
	})
}

func alterOffsets(ctx context.Context, adm *kadm.Client, group string, set kadm.Offsets, remove kadm.TopicsSet) error {
	if len(set) > 0 {
		if err := adm.CommitAllOffsets(ctx, group, set); err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	deleted, err := adm.DeleteOffsets(ctx, group, remove)
	switch {
	case errors.Is(err, kerr.GroupIDNotFound):
		return nil // no group, no offsets
	case err != nil:
		return err
	}
	return deleted.Error()
}

// DeleteGroup deletes a group.
func (a *admin) DeleteGroup(ctx context.Context, group string) error {
	return a.do(ctx, fmt.Sprintf("delete group %q", group), func(ctx context.Context, client *kgo.Client) error {
		resp, err := kadm.NewClient(client).DeleteGroup(ctx, group)
		if err = cmp.Or(err, resp.Err); errors.Is(err, kerr.GroupIDNotFound) {
			return nil
		}
		return err
	})
}

// fenceTimeout is the transaction time-out with which ids are fenced; brokers
// want one, and no transaction follows.
const fenceTimeout = time.Minute

// FenceProducers takes over each id, as a new producer does (KIP-618).
func (a *admin) FenceProducers(ctx context.Context, transactionalIDs ...string) error {
	return a.do(ctx, "fence producers "+strings.Join(transactionalIDs, ", "), func(ctx context.Context, client *kgo.Client) error {
		for _, id := range transactionalIDs {
			if err := fence(ctx, client, id); err != nil {
				return fmt.Errorf("%q: %w", id, err)
			}
		}
		return nil
	})
}

// fence takes over one id. While a broker ends the transaction of the former
// producer it says so, and is asked again.
func fence(ctx context.Context, client *kgo.Client, id string) error {
	for {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID = &id
		req.TransactionTimeoutMillis = int32(fenceTimeout.Milliseconds())
		resp, err := req.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		if err = kerr.ErrorForCode(resp.ErrorCode); !errors.Is(err, kerr.ConcurrentTransactions) {
			return err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// Close lets go of the client.
func (a *admin) Close(ctx context.Context) error {
	a.closed.Do(func() { a.handle.release(ctx) })
	return nil
}
