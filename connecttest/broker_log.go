package connecttest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/streamlane/connect"
)

// topic is one topic of a Broker. Like all below it is guarded by Broker.mu.
type topic struct {
	spec       connect.TopicSpec
	config     map[string]string
	partitions []*partitionLog
}

// partitionLog holds the records of a partition, control records included: a
// record's index is its offset.
type partitionLog struct {
	records []storedRecord
	open    map[*transaction]int64 // offset of the first record of each open transaction
}

type storedRecord struct {
	connect.Message
	tx      *transaction // nil: not of a transaction
	control bool         // ends a transaction; never delivered
}

func newTopic(spec connect.TopicSpec) *topic {
	if spec.Partitions < 1 {
		spec.Partitions = 1
	}
	if spec.ReplicationFactor < 1 {
		spec.ReplicationFactor = 1
	}
	t := &topic{spec: spec, config: map[string]string{"cleanup.policy": "delete", "message.timestamp.type": "CreateTime"}}
	maps.Copy(t.config, spec.Config)
	for range spec.Partitions {
		t.partitions = append(t.partitions, &partitionLog{})
	}
	return t
}

func (p *partitionLog) end() int64 { return int64(len(p.records)) }

// stable is the last stable offset: that of the first record of a transaction
// that is still open, or the end.
func (p *partitionLog) stable() int64 {
	stable := p.end()
	for _, first := range p.open {
		stable = min(stable, first)
	}
	return stable
}

// visible reports whether consumers see the record.
func (r *storedRecord) visible(committedOnly bool) bool {
	return !r.control && (r.tx == nil || !committedOnly || r.tx.committed)
}

// append stores a copy of m and says where. seed moves records without a key
// from one partition to the next. It is called under mu.
func (b *Broker) append(m *connect.Message, seed int, tx *transaction) (connect.TopicPartition, int64, error) {
	at := connect.TopicPartition{Topic: m.Topic, Partition: -1}
	t := b.topics[m.Topic]
	if t == nil {
		if b.noAuto {
			return at, -1, fmt.Errorf("topic %q: %w, and topics are not created automatically", m.Topic, connect.ErrNotFound)
		}
		if err := checkTopicName(m.Topic); err != nil {
			return at, -1, err
		}
		t = newTopic(connect.TopicSpec{Name: m.Topic})
		b.topics[m.Topic] = t
		b.reassign()
	}
	at.Partition = m.Partition
	if m.Partition < 0 {
		at.Partition = partitionFor(m.Key, len(t.partitions), seed)
	}
	log, err := b.log(at)
	if err != nil {
		return at, -1, err
	}
	r := storedRecord{Message: cloneMessage(m), tx: tx}
	r.TopicPartition, r.Offset, r.TimeType = at, log.end(), connect.CreateTime
	if t.config["message.timestamp.type"] == "LogAppendTime" {
		r.TimeType, r.Time = connect.LogAppendTime, time.Time{}
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	r.Time = time.UnixMilli(r.Time.UnixMilli())
	log.records = append(log.records, r)
	if tx != nil {
		log.enter(tx, r.Offset)
	}
	return at, r.Offset, nil
}

// enter notes that a transaction has a record in the partition.
func (p *partitionLog) enter(tx *transaction, offset int64) {
	if p.open == nil {
		p.open = make(map[*transaction]int64)
	}
	if _, in := p.open[tx]; !in {
		p.open[tx] = offset
		tx.logs = append(tx.logs, p)
	}
}

// leave ends a transaction in the partition with a control record.
func (p *partitionLog) leave(tx *transaction) {
	delete(p.open, tx)
	p.records = append(p.records, storedRecord{tx: tx, control: true})
}

func cloneMessage(m *connect.Message) connect.Message {
	c := *m
	c.Key, c.Value = bytes.Clone(m.Key), bytes.Clone(m.Value)
	c.Headers = slices.Clone(m.Headers)
	for i := range c.Headers {
		c.Headers[i].Value = bytes.Clone(c.Headers[i].Value)
	}
	return c
}

// checkTopicName keeps Kafka's rule (org.apache.kafka.common.internals.Topic).
func checkTopicName(name string) error {
	legal := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
	}
	if name == "" || name == "." || name == ".." || len(name) > 249 || slices.ContainsFunc([]rune(name), func(r rune) bool { return !legal(r) }) {
		return fmt.Errorf("topic %q: %w: want 1 to 249 letters, digits, dots, underscores and dashes", name, connect.ErrBadRequest)
	}
	return nil
}

// partitionFor chooses a partition as Java's producer does for records with a
// key; those without one of the same seed stay together.
func partitionFor(key []byte, partitions, seed int) int32 {
	if key == nil {
		return int32(seed % partitions)
	}
	return int32(int(murmur2(key)&0x7fffffff) % partitions)
}

// murmur2 is the hash of org.apache.kafka.common.utils.Utils.murmur2.
func murmur2(b []byte) uint32 {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> 24
		k *= m
		h *= m
		h ^= k
	}
	for i := len(b) - 1; i >= 0; i-- {
		h ^= uint32(b[i]) << (8 * i)
	}
	if len(b) > 0 {
		h *= m
	}
	h ^= h >> 13
	h *= m
	h ^= h >> 15
	return h
}
