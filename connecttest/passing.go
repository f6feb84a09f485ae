package connecttest

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// table lets data through Kafka as they are: what is written is a number, by
// which the reader finds the datum. It is safe for concurrent use.
type table struct {
	mu   sync.Mutex
	data []connect.Datum
}

// passing names the converter plugins of a harness.
const passing = "connecttest.Passing"

// encode returns the bytes that stand for d; nil for null without a schema.
func (x *table) encode(d connect.Datum) []byte {
	if d.IsNull() {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.data = append(x.data, d)
	return binary.BigEndian.AppendUint64(nil, uint64(len(x.data)-1))
}

func (x *table) decode(b []byte) (connect.Datum, error) {
	if b == nil {
		return connect.Datum{}, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(b) != 8 || binary.BigEndian.Uint64(b) >= uint64(len(x.data)) {
		return connect.Datum{}, fmt.Errorf("found %q, want what a harness has written", b)
	}
	return x.data[binary.BigEndian.Uint64(b)], nil
}

func (x *table) appendEncode(dst []byte, d connect.Datum) ([]byte, bool, error) {
	b := x.encode(d)
	return append(dst, b...), b == nil, nil
}

// plugins are the converter and the header converter.
func (x *table) plugins() []connect.Plugin {
	return []connect.Plugin{
		ConverterPlugin(passing, func(config.Props) Converter {
			return Converter{
				AppendEncodeFunc: func(_ context.Context, dst []byte, _ *connect.Wire, d connect.Datum) ([]byte, bool, error) {
					return x.appendEncode(dst, d)
				},
				DecodeFunc: func(_ context.Context, _ *connect.Wire, b []byte) (connect.Datum, error) { return x.decode(b) },
			}
		}),
		HeaderConverterPlugin(passing+"Header", func(config.Props) HeaderConverter {
			return HeaderConverter{
				AppendEncodeHeaderFunc: func(dst []byte, _, _ string, d connect.Datum) ([]byte, bool, error) { return x.appendEncode(dst, d) },
				DecodeHeaderFunc:       func(_, _ string, b []byte) (connect.Datum, error) { return x.decode(b) },
			}
		}),
	}
}

// message makes a record one for Kafka.
func (x *table) message(r *connect.Record) connect.Message {
	m := connect.Message{Key: x.encode(r.Key), Value: x.encode(r.Value), Time: r.Timestamp}
	m.Topic, m.Partition = r.Topic, -1
	if p, ok := r.Partition.Get(); ok {
		m.Partition = p
	}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, connect.RawHeader{Key: h.Key, Value: x.encode(h.Datum)})
	}
	return m
}
