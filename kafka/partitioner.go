package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// anyPartition marks a record whose partition the partitioner chooses.
const anyPartition = -1

// recordPartitioner is Java's: murmur2 of the key, and for records without one
// the uniform sticky partitioner (KIP-794). A record that names its partition
// goes there.
func (p *producerSettings) recordPartitioner() kgo.Partitioner {
	if p.partitioner != "" {
		return explicit{kgo.RoundRobinPartitioner()}
	}
	return explicit{kgo.UniformBytesPartitioner(max(p.batch, 1), p.adaptive, !p.ignoreKeys, nil)}
}

// explicit is a partitioner that honours the partition a record names.
type explicit struct{ inner kgo.Partitioner }

// ForTopic returns the partitioner of one topic.
func (e explicit) ForTopic(topic string) kgo.TopicPartitioner {
	inner := e.inner.ForTopic(topic)
	if b, ok := inner.(kgo.TopicBackupPartitioner); ok {
		return explicitByBackup{explicitTopic{inner}, b}
	}
	return explicitTopic{inner}
}

type explicitTopic struct{ inner kgo.TopicPartitioner }

// RequiresConsistency tells whether partitions without a leader count, too.
func (e explicitTopic) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition != anyPartition || e.inner.RequiresConsistency(r)
}

// Partition chooses among n partitions. A choice beyond them fails the record.
func (e explicitTopic) Partition(r *kgo.Record, n int) int {
	if r.Partition != anyPartition {
		return int(r.Partition)
	}
	return e.inner.Partition(r, n)
}

type explicitByBackup struct {
	explicitTopic
	byBackup kgo.TopicBackupPartitioner
}

// PartitionByBackup chooses with a view on how much each partition has waiting.
func (e explicitByBackup) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition != anyPartition {
		return int(r.Partition)
	}
	return e.byBackup.PartitionByBackup(r, n, backup)
}
