package connect

import (
	"maps"
	"slices"
	"time"

	"github.com/streamlane/connect/data"
)

// A Datum is a value with the schema it was made under. It is the unit that
// transforms see and converters encode.
//
// A nil Schema means schemaless data: the value then carries whatever kinds it
// carries. The zero Datum is schemaless null, which converters turn into a
// Kafka null (a tombstone, if it is a record's value).
type Datum struct {
	Schema *data.Schema
	Value  data.Value
}

// IsNull reports whether d is null without a schema, the form that becomes a
// tombstone. A null under an optional schema is not: converters may write it
// as an envelope around null.
func (d Datum) IsNull() bool { return d.Schema == nil && d.Value.IsNull() }

// A Header is one record header. Keys may repeat and order counts, as in Kafka.
type Header struct {
	Key   string
	Datum Datum
}

// A PartitionHint says which partition of its topic a record goes to. The zero
// value leaves the choice to the producer's partitioner.
type PartitionHint struct{ plus1 int32 }

// On returns a hint for partition p. A negative p is no hint.
func On(p int32) PartitionHint {
	if p < 0 {
		return PartitionHint{}
	}
	return PartitionHint{plus1: p + 1}
}

// Get returns the partition, and whether one was asked for.
func (h PartitionHint) Get() (partition int32, ok bool) { return h.plus1 - 1, h.plus1 > 0 }

// A Record is what source and sink records have in common, and all that a
// Transform sees.
//
// Strings, byte slices, structs, arrays and maps reachable from a record are
// frozen: a stage replaces them, it never changes them. The Headers slice may
// be appended to (its capacity is clipped before each stage) but its elements
// belong to the stage before.
type Record struct {
	// Topic the record comes from, or goes to.
	Topic string
	// Partition of that topic; on the sink side always set.
	Partition PartitionHint
	Key       Datum
	Value     Datum
	Headers   []Header
	// Timestamp of the record, in milliseconds on the wire; zero: none.
	Timestamp time.Time
	// Offset is set by the engine before the chain of transforms runs: the
	// Kafka offset of a sink record, -1 for a source record.
	Offset int64
}

// A Boundary marks where a transaction ends, for connectors that set their own
// boundaries (transaction.boundary=connector, KIP-618).
type Boundary uint8

const (
	// NoBoundary continues the current transaction.
	NoBoundary Boundary = iota
	// CommitAfter commits the transaction after this record.
	CommitAfter
	// AbortAfter aborts the transaction after this record; its offset is still
	// committed, in a transaction of its own.
	AbortAfter
)

// A SourceRecord is a record on its way into Kafka, with the position in the
// source system that follows it.
type SourceRecord struct {
	Record
	// SourcePartition and SourceOffset say where in the source system to go on
	// once Kafka has this record. With the zero SourcePartition nothing is
	// stored.
	SourcePartition SourcePartition
	SourceOffset    SourceOffset
	// Token is untouched by the engine and comes back in Delivery.
	Token any
	// Err says why the task could not make the record. Nothing is sent; errors.*
	// of the connector decide as they do for transforms: the task fails, or what
	// Record has (the raw value, say) goes to the dead letters and the offset moves.
	Err error
	// OffsetOnly moves the source offset, in its order, without a record (KIP-910).
	OffsetOnly bool
	// End is honoured with transaction.boundary=connector only.
	End Boundary
}

// A Delivery reports one source record that is done with: acknowledged by the
// broker, or dropped.
type Delivery struct {
	Token           any
	SourcePartition SourcePartition
	SourceOffset    SourceOffset
	// To is where the record went. Partition is -1 for a record that a
	// transform dropped or that errors.tolerance let go.
	To TopicPartition
	// Offset in Kafka; -1 where To.Partition is.
	Offset int64
}

// TimestampType says who set a record's timestamp.
type TimestampType int8

const (
	// NoTimestamp is the type of records of ancient message formats.
	NoTimestamp TimestampType = iota - 1
	// CreateTime timestamps were set by the producer.
	CreateTime
	// LogAppendTime timestamps were set by the broker.
	LogAppendTime
)

// An Origin holds a sink record's coordinates in Kafka before any transform
// (KIP-793). Offsets are committed by it, whatever transforms do to the topic.
type Origin struct {
	TopicPartition
	Offset        int64
	TimestampType TimestampType

	consumed bool     // false in records made by hand
	raw      *Message // as consumed; nil if no reporter wants it
}

// A SinkRecord is a record on its way out of Kafka.
//
// A task may keep records beyond Put, but each then holds the whole fetch that
// it came in; Clone what is kept for long.
type SinkRecord struct {
	Record
	Origin Origin
}

// Clone returns a deep copy that shares no memory with the consumer's buffers,
// schemas aside.
func (r *SinkRecord) Clone() SinkRecord {
	c := *r
	c.Key.Value = data.Clone(r.Key.Value)
	c.Value.Value = data.Clone(r.Value.Value)
	c.Headers = slices.Clone(r.Headers)
	for i := range c.Headers {
		c.Headers[i].Datum.Value = data.Clone(c.Headers[i].Datum.Value)
	}
	if raw := r.Origin.raw; raw != nil {
		m := raw.clone()
		c.Origin.raw = &m
	}
	return c
}

// A TopicPartition names one partition of a topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Offsets maps partitions to the next offset to read.
type Offsets map[TopicPartition]int64

// Clone returns a copy of o.
func (o Offsets) Clone() Offsets { return maps.Clone(o) }
