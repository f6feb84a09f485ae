package connect

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/streamlane/connect/config"
)

// A Broker opens clients of one Kafka cluster. Package kafka has the real one;
// connecttest has one in memory. It is safe for concurrent use.
//
// Opening a client connects to nothing: clients connect with their first
// request, so that a Runtime starts, and stays up, while its brokers are down.
type Broker interface {
	// Producer opens a producer. It may share a client with producers of an
	// equal configuration.
	Producer(ctx context.Context, c ClientConfig) (Producer, error)
	// Consumer opens a consumer.
	Consumer(ctx context.Context, c ConsumerConfig) (Consumer, error)
	// Admin opens an administrative client.
	Admin(ctx context.Context, c ClientConfig) (Admin, error)
}

// An OffsetTopicOpener is an optional ability of a Broker: an offset store on a
// topic that a connector names itself (offsets.storage.topic, KIP-618).
type OffsetTopicOpener interface {
	OffsetTopic(ctx context.Context, topic string, c ClientConfig) (OffsetStore, error)
}

// A ClientConfig configures one client.
type ClientConfig struct {
	// ClientID is Kafka's client.id, unless Props have one.
	ClientID string
	// TransactionalID makes a producer transactional; empty: it is idempotent.
	TransactionalID string
	// Props are Java's client keys, without prefix, already layered (worker,
	// then producer. and such, then the connector's overrides).
	Props config.Props
}

// A ConsumerConfig configures a consumer: a member of a group, or one that
// reads the partitions it is given.
type ConsumerConfig struct {
	ClientConfig
	// Group to join; empty: partitions are assigned by hand.
	Group string
	// Topics to subscribe to, or Match to choose them by.
	Topics []string
	Match  func(topic string) bool
	// Assign gives the partitions to read without a group, each from an offset.
	// A negative offset is the earliest.
	Assign Offsets
}

// A Message is a record as bytes.
type Message struct {
	TopicPartition // Partition -1: the partitioner decides
	Offset         int64
	// Key and Value are nil for null, which is not the same as empty.
	Key, Value []byte
	Headers    []RawHeader
	Time       time.Time // zero: the client's clock
	TimeType   TimestampType
}

func (m *Message) clone() Message {
	c := *m
	c.Key, c.Value = bytes.Clone(m.Key), bytes.Clone(m.Value)
	c.Headers = slices.Clone(m.Headers)
	for i := range c.Headers {
		c.Headers[i].Value = bytes.Clone(c.Headers[i].Value)
	}
	return c
}

// Acks hears what became of the messages of one Send: once for each index, in
// any order, from any goroutine. It must not block.
type Acks interface {
	Acked(i int, at TopicPartition, offset int64, err error)
}

// A Producer sends messages. It is safe for concurrent use; order is kept per
// partition among the messages of one caller.
type Producer interface {
	// Send hands a batch over and returns; it blocks while buffers are full.
	// What the messages refer to belongs to the producer until the last ack; the
	// slice is the caller's again when Send returns.
	// acks hears of every message exactly once, of those that an error of Send
	// left behind too.
	Send(ctx context.Context, batch []Message, acks Acks) error
	// Begin starts a transaction; only with a TransactionalID.
	Begin(ctx context.Context) error
	// AddOffsets makes offsets of a consumer group part of the transaction.
	AddOffsets(ctx context.Context, o Offsets, g GroupToken) error
	// End commits or aborts the transaction, after all messages are acked. An
	// error that wraps ErrFenced is final.
	End(ctx context.Context, commit bool) error
	// Close waits for what was sent until ctx ends.
	Close(ctx context.Context) error
}

// A GroupToken proves membership of a consumer group to a transaction.
type GroupToken struct {
	Group      string
	Generation int32
	MemberID   string
	InstanceID string
}

// A Rebalance holds the functions that Consumer.Poll calls when a group's
// assignment changes. They run inside Poll, on its caller's goroutine, and may
// use the consumer. Nil functions are skipped. An error ends the Poll.
type Rebalance struct {
	Assigned func(ctx context.Context, tps []TopicPartition) error
	Revoked  func(ctx context.Context, tps []TopicPartition) error
	// Lost is Revoked without consent: others may own the partitions already.
	Lost func(ctx context.Context, tps []TopicPartition) error
}

// A Consumer reads messages. Poll, Seek, Commit and Close are called by one
// goroutine; Pause, Resume and Wake are safe for concurrent use.
type Consumer interface {
	// Poll fills into with the next messages and says how many. It waits for
	// messages until ctx ends or Wake is called; neither is an error. Messages
	// stay valid for as long as they are referred to.
	Poll(ctx context.Context, into []Message, r Rebalance) (int, error)
	// Seek sets the next offset of assigned partitions. Messages fetched from
	// elsewhere are not delivered afterwards.
	Seek(next Offsets) error
	// Pause stops delivery of partitions; Resume continues it.
	Pause(tps ...TopicPartition)
	Resume(tps ...TopicPartition)
	// Position returns the next offset to be delivered of assigned partitions.
	Position(ctx context.Context, tps ...TopicPartition) (Offsets, error)
	// Commit stores the offsets in the group.
	Commit(ctx context.Context, o Offsets) error
	// Token is the proof of membership for Producer.AddOffsets.
	Token() GroupToken
	// Wake ends a running Poll, or the next one.
	Wake()
	// Close leaves the group. Rebalance functions are not called.
	Close(ctx context.Context) error
}

// An Admin administers topics and groups. It is safe for concurrent use.
type Admin interface {
	// ClusterID returns the id of the Kafka cluster.
	ClusterID(ctx context.Context) (string, error)
	// Topics describes the named topics, all without names. Absent ones are
	// left out.
	Topics(ctx context.Context, names ...string) (map[string]TopicInfo, error)
	// CreateTopics creates topics; that one exists already is no error. It
	// returns which were created.
	CreateTopics(ctx context.Context, specs ...TopicSpec) (created []string, err error)
	// EndOffsets returns the offset after the last record of each partition of
	// the topics.
	EndOffsets(ctx context.Context, topics ...string) (Offsets, error)
	// GroupOffsets returns the committed offsets of a group.
	GroupOffsets(ctx context.Context, group string) (Offsets, error)
	// AlterGroupOffsets sets committed offsets; nil deletes. It fails while the
	// group has members, and with ErrNotFound for a partition that the cluster
	// does not know.
	AlterGroupOffsets(ctx context.Context, group string, change map[TopicPartition]*int64) error
	// DeleteGroup deletes a group; that there is none is no error.
	DeleteGroup(ctx context.Context, group string) error
	// FenceProducers shuts out every producer that holds one of the ids.
	FenceProducers(ctx context.Context, transactionalIDs ...string) error
	// Close releases the client. It is not used afterwards.
	Close(ctx context.Context) error
}

// A TopicInfo describes a topic.
type TopicInfo struct {
	Name              string
	Partitions        int
	ReplicationFactor int
	// Config has the topic's settings that are known, defaults included.
	Config map[string]string
}

// A TopicSpec says how to create a topic.
type TopicSpec struct {
	Name string
	// Partitions and ReplicationFactor: -1 is the broker's default.
	Partitions        int
	ReplicationFactor int
	Config            map[string]string
}
