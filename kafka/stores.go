package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/twmb/franz-go/pkg/kerr"
)

// storeSettings are the worker's keys that stores on topics go by.
type storeSettings struct {
	group      string
	clientID   string
	eos        exactlyOnce
	partitions map[string]*int
	factor     map[string]*int16
}

// exactlyOnce is exactly.once.source.support.
type exactlyOnce string

const (
	eosDisabled  exactlyOnce = "disabled"
	eosPreparing exactlyOnce = "preparing"
	eosEnabled   exactlyOnce = "enabled"
)

// The stores, by the prefix of their worker keys.
const (
	configStorage = "config.storage."
	offsetStorage = "offset.storage."
	statusStorage = "status.storage."
)

// Describe binds the keys.
func (s *storeSettings) Describe(d *config.Def) {
	positive := func(n int) error {
		if n < 1 && n != -1 {
			return errors.New("Value must be at least 1, or -1 for the broker's default") //nolint:staticcheck // as Java's
		}
		return nil
	}
	s.partitions, s.factor = map[string]*int{}, map[string]*int16{}
	config.String(d, &s.group, "group.id").Default("").Doc("Id of the Connect cluster.")
	config.String(d, &s.clientID, "client.id").Default("").Doc("Part of the names of clients.")
	config.EnumFold(d, &s.eos, "exactly.once.source.support", eosDisabled, eosPreparing, eosEnabled).
		Default(eosDisabled).Doc("Exactly-once support for sources.")
	for prefix, partitions := range map[string]int{offsetStorage: 25, statusStorage: 5} {
		s.partitions[prefix] = new(int)
		config.Int(d, s.partitions[prefix], prefix+"partitions").Default(partitions).
			Check(config.CheckFunc("1 or more, or -1", positive)).Doc("Partitions of the topic.")
	}
	for _, prefix := range []string{configStorage, offsetStorage, statusStorage} {
		s.factor[prefix] = new(int16)
		config.Short(d, s.factor[prefix], prefix+"replication.factor").Default(3).
			Check(config.CheckFunc("1 or more, or -1", func(n int16) error { return positive(int(n)) })).Doc("Replicas of the topic.")
	}
}

// clientName is the name of an internal client (Java's clientIdBase and suffix).
func (s *storeSettings) clientName(suffix string) string {
	name := "connect-"
	if s.group != "" {
		name = s.group + "-"
	}
	if s.clientID != "" {
		name += s.clientID + "-"
	}
	return name + suffix
}

// A storeTopic is a compacted topic with what is needed to work on it.
type storeTopic struct {
	b      *Broker
	name   string
	prefix string // of the worker's keys about it
	single bool   // it must have one partition
	// news: what is written soon says nothing any more. A write fails rather than
	// arrive late, after the news of others (Java's status producer has no retries).
	news bool
	// committed: readers leave out records of open and aborted transactions.
	committed bool
	client    connect.ClientConfig // Props without bootstrap.servers: the worker's
}

// spec says how the topic is created, from the worker's keys.
func (t *storeTopic) spec() connect.TopicSpec {
	s := connect.TopicSpec{Name: t.name, Partitions: 1, ReplicationFactor: int(*t.b.stores.factor[t.prefix]), Config: map[string]string{}}
	if p := t.b.stores.partitions[t.prefix]; p != nil && !t.single {
		s.Partitions = *p
	}
	for k, v := range t.b.worker.Prefix(t.prefix) {
		switch {
		case k == "topic", k == "partitions", k == "replication.factor", strings.HasPrefix(k, "file."), v == config.Null:
		default:
			s.Config[k] = v
		}
	}
	if policy, ok := s.Config["cleanup.policy"]; ok && policy != compact {
		t.b.log.Warn("the cleanup policy of this topic cannot be chosen", "topic", t.name, "key", t.prefix+"cleanup.policy", "found", policy, "used", compact)
	}
	s.Config["cleanup.policy"] = compact
	return s
}

const compact = "compact"

// The time limits of Java's stores.
const (
	createLimit   = time.Minute      // default.api.timeout.ms of the admin client
	metadataLimit = 30 * time.Second // TopicAdmin's wait for partitions
)

// ensure creates the topic if it is not there, checks it, and returns its number
// of partitions.
func (t *storeTopic) ensure(ctx context.Context, adm *admin) (int, error) {
	limit, cancel := context.WithTimeout(ctx, createLimit)
	defer cancel()
	err := retry(limit, []error{kerr.InvalidReplicationFactor, kerr.RequestTimedOut}, func() error {
		_, err := adm.CreateTopics(limit, t.spec())
		return err
	})
	if err != nil && !errors.Is(err, connect.ErrAuth) && !errors.Is(err, kerr.UnsupportedVersion) {
		return 0, err // who may not create topics uses one that is there
	}
	info, err := t.await(ctx, adm)
	if err != nil {
		return 0, err
	}
	policy, known := info.Config["cleanup.policy"]
	if known && policy != compact {
		return 0, config.Errorf(t.prefix+"topic", "topic %q has cleanup.policy=%q; it must be exactly %q, or records that are needed will be deleted",
			t.name, policy, compact)
	}
	if t.single && info.Partitions != 1 {
		return 0, config.Errorf(t.prefix+"topic", "topic %q has %d partitions; it must have exactly one", t.name, info.Partitions)
	}
	return info.Partitions, nil
}

// await waits until the topic is known to brokers.
func (t *storeTopic) await(ctx context.Context, adm *admin) (connect.TopicInfo, error) {
	limit, cancel := context.WithTimeoutCause(ctx, metadataLimit, fmt.Errorf("topic %q is not known to the brokers after %v", t.name, metadataLimit))
	defer cancel()
	var info connect.TopicInfo
	err := retry(limit, []error{errNoTopic, kerr.LeaderNotAvailable}, func() error {
		topics, err := adm.Topics(limit, t.name)
		if err != nil {
			return err
		}
		var ok bool
		if info, ok = topics[t.name]; !ok || info.Partitions == 0 {
			return fmt.Errorf("topic %q: %w", t.name, errNoTopic)
		}
		return nil
	})
	return info, err
}

var errNoTopic = errors.New("there is no such topic")

// producer opens a producer for the topic, with the settings of Java's
// KafkaBasedLog, idempotent.
func (t *storeTopic) producer(suffix, txnID string) (*producer, error) {
	c := t.client
	c.TransactionalID = txnID
	if c.ClientID == "" {
		c.ClientID = t.b.stores.clientName(suffix)
	}
	c.Props = c.Props.Merge(config.Props{
		"acks": "all", "delivery.timeout.ms": "2147483647", "linger.ms": "0", "enable.idempotence": "true",
	})
	if t.news {
		c.Props["delivery.timeout.ms"] = "10000"
	}
	return t.b.producer(c)
}

// admin opens an administrative client for the topic.
func (t *storeTopic) admin() (*admin, error) {
	c := t.client
	if c.ClientID == "" {
		c.ClientID = t.b.stores.clientName("shared-admin")
	}
	return t.b.admin(c)
}

// consumer opens a consumer of the whole topic, from its beginning.
func (t *storeTopic) consumer(suffix string, partitions int) (*consumer, error) {
	c := connect.ConsumerConfig{ClientConfig: t.client, Assign: connect.Offsets{}}
	if c.ClientID == "" {
		c.ClientID = t.b.stores.clientName(suffix)
	}
	isolation := "read_uncommitted"
	if t.committed {
		isolation = "read_committed"
	}
	c.Props = c.Props.Merge(config.Props{
		"auto.offset.reset": "earliest", "isolation.level": isolation, "allow.auto.create.topics": "false",
		"fetch.max.bytes": "5242880", "max.poll.records": "2147483647",
	})
	for p := range partitions {
		c.Assign[connect.TopicPartition{Topic: t.name, Partition: int32(p)}] = -1
	}
	return t.b.consumer(c)
}

// sendAll sends messages and waits until all are acknowledged.
func sendAll(ctx context.Context, p *producer, msgs []connect.Message) error {
	w := &ackWaiter{left: len(msgs), done: make(chan struct{})}
	if len(msgs) == 0 {
		return nil
	}
	_ = p.Send(ctx, msgs, w) // what it says, acks say as well
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
