package connecttest

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// Pins says how many of the consumer's buffers a sink task keeps alive. A
// record that is kept holds the whole fetch that it came in, so a task that
// keeps one record of each fetch holds them all: what outlives a batch is to be
// cloned.
type Pins struct {
	// Fetches that the task was given, of BytesPerFetch bytes each.
	Fetches, BytesPerFetch int
	// Put counts the fetches that are alive after the last Put, Committed those
	// after the offsets were committed as well.
	Put, Committed int
}

const (
	pinFetches   = 64
	pinPerFetch  = 16
	pinValueSize = 4 << 10
)

// PinCheck starts a task, puts fetches of records one after the other, then
// flushes, and counts which fetches the task keeps alive. record makes the i-th
// record of a value that refers to the fetch's buffer; nil: the value is an
// optional string.
func PinCheck(t testing.TB, plugin connect.Plugin, props config.Props, record func(i int, value string) connect.SinkRecord) Pins {
	t.Helper()
	if record == nil {
		record = func(_ int, value string) connect.SinkRecord {
			return connect.SinkRecord{Record: connect.Record{Value: connect.Datum{Schema: data.OptionalStringSchema, Value: data.String(value)}}}
		}
	}
	s := &sinkSuite{t: t, plugin: plugin, props: props, records: withOrigins(make([]connect.SinkRecord, 1))}
	r := s.start()
	defer r.stop()
	fetches := make([]weak.Pointer[byte], pinFetches)
	for i := range fetches {
		fetches[i] = r.putFetch(i, record)
	}
	pins := Pins{Fetches: pinFetches, BytesPerFetch: pinPerFetch * pinValueSize}
	require.NoError(t, r.task.Put(context.WithoutCancel(t.Context()), nil), "Put of no records")
	pins.Put = alive(fetches)
	r.flush()
	pins.Committed = alive(fetches)
	r.closePartitions()
	return pins
}

// putFetch puts the records of one fetch, which share a buffer, and lets go of
// it.
func (r *sinkRun) putFetch(fetch int, record func(i int, value string) connect.SinkRecord) weak.Pointer[byte] {
	r.t.Helper()
	buffer := make([]byte, pinPerFetch*pinValueSize)
	records := make([]connect.SinkRecord, pinPerFetch)
	for i := range records {
		n := fetch*pinPerFetch + i
		part := buffer[i*pinValueSize : (i+1)*pinValueSize]
		text := fmt.Appendf(nil, "%08d", n)
		for at := 0; at < len(part); at += len(text) {
			copy(part[at:], text)
		}
		records[i] = record(n, unsafe.String(&part[0], len(part)))
		records[i].Origin = connect.Origin{TopicPartition: tp("topic", 0), Offset: int64(n), TimestampType: connect.CreateTime}
	}
	records = withOrigins(records)
	r.putUntilTaken(records)
	r.next[tp("topic", 0)] = int64((fetch + 1) * pinPerFetch)
	clear(records)
	return weak.Make(&buffer[0])
}

// alive collects garbage and counts what is left.
func alive(fetches []weak.Pointer[byte]) (n int) {
	for range 2 { // what a cleanup still held is gone after the second
		runtime.GC()
	}
	for _, f := range fetches {
		if f.Value() != nil {
			n++
		}
	}
	return n
}
