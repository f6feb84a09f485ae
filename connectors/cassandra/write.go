package cassandra

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/cqlmap"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

// writeOverhead is about what a write takes beside its values, in bytes.
const writeOverhead = 320

// A write is one statement of one record, with its values.
type write struct {
	target *target
	plan   *plan
	stmt   *statement
	values []any // pointers to cqlvalue.Value, or gocql.UnsetValue
	bytes  int   // of the values
	micros int64 // write timestamp; 0: none
	charge int64 // what it counts for in the budget of memory, as long as it waits

	record connect.SinkRecord // where it comes from, without its content
	slot   slotRef
	// since is when it first failed, tries how often.
	since time.Time
	tries int
	begun time.Time
}

// cost is about what a write takes in memory.
func (w *write) cost() int64 { return int64(w.bytes + writeOverhead + 48*len(w.values)) }

// A cell is what a record has for a field: bytes of a binder's buffer, null, or nothing.
type cell struct {
	from, to int
	null     bool
	unset    bool
}

// A binder makes writes. It belongs to one goroutine.
type binder struct {
	cells []cell
	buf   []byte
	hint  int
	lane  []byte
}

var errNullKey = errors.New("a column of the primary key is null")

// bind makes the write of a record, and the key of its lane, which is valid until the next call.
func (b *binder) bind(t *target, p *plan, r *connect.SinkRecord) (w *write, lane []byte, err error) {
	b.cells = b.cells[:0]
	b.buf = make([]byte, 0, b.hint)
	view := cqlmap.NewView(&r.Record)
	for i := range p.fields {
		c, err := b.cell(&p.fields[i], &view, r)
		if err != nil {
			return nil, nil, fmt.Errorf("%s.%s, column %s: %w", p.schema.keyspace, p.schema.name, p.fields[i].name, err)
		}
		b.cells = append(b.cells, c)
	}
	w = &write{target: t, plan: p, stmt: p.write}
	w.record.Origin, w.record.Topic, w.record.Partition, w.record.Offset = r.Origin, r.Topic, r.Partition, r.Offset
	at := p.writeAt
	if p.remove != nil && b.removes(p, r) {
		w.stmt, at = p.remove, p.removeAt
	}
	if w.micros, err = b.timestamp(p, &view, r); err != nil {
		return nil, nil, err
	}
	ttl, err := b.ttl(p, &view, r)
	if err != nil {
		return nil, nil, err
	}
	b.fill(w, at, ttl)
	b.hint = max(b.hint-b.hint/16, len(b.buf)+32)
	return w, b.laneOf(w), nil
}

// removes tells whether a record deletes its row: it has no value, or nulls only beside the primary key.
func (b *binder) removes(p *plan, r *connect.SinkRecord) bool {
	if p.auto || len(p.regular) == 0 {
		return r.Value.Value.IsNull()
	}
	for _, i := range p.regular {
		if !b.cells[i].null && !b.cells[i].unset {
			return false
		}
	}
	return true
}

// cell looks a field up and encodes it.
func (b *binder) cell(f *field, view *cqlmap.View, r *connect.SinkRecord) (cell, error) {
	v, s, found := b.lookup(f, view, r)
	if !found {
		if f.sources[0].Part == cqlmap.Function {
			return b.uuid(f)
		}
		if !f.optional {
			return cell{}, view.Missing(f.sources[0])
		}
		if f.primary {
			return cell{}, fmt.Errorf("%w: neither key nor value have a field of its name", errNullKey)
		}
		return cell{unset: true}, nil
	}
	from := len(b.buf)
	out, null, err := f.enc.Append(b.buf, v, s)
	b.buf = out
	if err != nil {
		return cell{}, fmt.Errorf("%s: %w", f.sources[0], err)
	}
	if null && f.primary {
		return cell{}, fmt.Errorf("%w: %s", errNullKey, f.sources[0])
	}
	return cell{from: from, to: len(b.buf), null: null}, nil
}

// lookup finds the first source that a record has.
func (b *binder) lookup(f *field, view *cqlmap.View, r *connect.SinkRecord) (v data.Value, s *data.Schema, found bool) {
	for i, source := range f.sources {
		v, s, found = view.Lookup(source)
		// A tombstone has every field, and each is null: the key may say more.
		if found && (!v.IsNull() || i == len(f.sources)-1 || source.Part == cqlmap.Key) {
			return v, s, true
		}
	}
	if f.wholeKey && !r.Key.Value.IsNull() {
		if k := r.Key.Value.Kind(); k != data.KindStruct && k != data.KindMap {
			return r.Key.Value, r.Key.Schema, true
		}
	}
	return v, s, found
}

// uuid is what the function gives.
func (b *binder) uuid(f *field) (cell, error) {
	from := len(b.buf)
	out, err := f.enc.AppendUUID(b.buf, gocql.TimeUUID())
	b.buf = out
	return cell{from: from, to: len(b.buf)}, err
}

// number reads a field of the mapping that is a TTL or a timestamp.
func (b *binder) number(f *field, view *cqlmap.View) (n int64, ok bool, err error) {
	v, s, found := view.Lookup(f.sources[0])
	if !found {
		return 0, false, view.Missing(f.sources[0])
	}
	var room [8]byte
	out, null, err := f.enc.Append(room[:0], v, s)
	if err != nil || null || len(out) != 8 {
		return 0, false, err
	}
	return int64(binary.BigEndian.Uint64(out)), true, nil
}

// timestamp returns the write timestamp in microseconds: the mapping's, else the record's. A record's milliseconds are told apart by its offset, so that
// updates of one millisecond keep their order, and get the same timestamps when they are written again.
func (b *binder) timestamp(p *plan, view *cqlmap.View, r *connect.SinkRecord) (int64, error) {
	if p.timestamp != nil {
		n, ok, err := b.number(p.timestamp, view)
		if err != nil {
			return 0, fmt.Errorf("%s.%s, timestamp: %w", p.schema.keyspace, p.schema.name, err)
		}
		if ok {
			return p.timestampUnit.ToMicros(n), nil
		}
	}
	if r.Timestamp.IsZero() {
		return 0, nil
	}
	return r.Timestamp.UnixMilli()*1000 + r.Origin.Offset%1000, nil
}

// ttl returns the seconds that a row lives; nil: as long as its table says.
func (b *binder) ttl(p *plan, view *cqlmap.View, _ *connect.SinkRecord) (*int32, error) {
	if p.ttl != nil {
		n, ok, err := b.number(p.ttl, view)
		if err != nil {
			return nil, fmt.Errorf("%s.%s, ttl: %w", p.schema.keyspace, p.schema.name, err)
		}
		if ok {
			s := int32(min(max(p.ttlUnit.ToSeconds(n), 0), math.MaxInt32)) // below zero is for ever, as DataStax' connector has it
			return &s, nil
		}
	}
	if p.cfg.ttl >= 0 {
		s := int32(p.cfg.ttl)
		return &s, nil
	}
	return nil, nil
}

// fill gives a write the values of its parameters.
func (b *binder) fill(w *write, at []int, ttl *int32) {
	extra := len(b.buf)
	b.buf = binary.BigEndian.AppendUint64(b.buf, uint64(w.micros))
	if ttl != nil {
		b.buf = binary.BigEndian.AppendUint32(b.buf, uint32(*ttl))
	}
	whole := slices.Clip(b.buf)
	store := make([]cqlvalue.Value, len(at))
	w.values = make([]any, len(at))
	for i, place := range at {
		w.values[i] = &store[i]
		switch {
		case place == timeParam && w.micros == 0, place == ttlParam && ttl == nil:
			w.values[i] = gocql.UnsetValue
		case place == timeParam:
			store[i] = cqlvalue.Value(whole[extra : extra+8])
		case place == ttlParam:
			store[i] = cqlvalue.Value(whole[extra+8:])
		case b.cells[place].unset, b.cells[place].null && w.plan.cfg.nullToUnset && !w.plan.fields[place].primary:
			w.values[i] = gocql.UnsetValue
		case b.cells[place].null:
		default:
			store[i] = cqlvalue.Value(whole[b.cells[place].from:b.cells[place].to:b.cells[place].to])
		}
		w.bytes += len(store[i])
	}
}

// laneOf returns the key of a write's lane: its table and partition key; where that is not known, the partition in Kafka.
func (b *binder) laneOf(w *write) []byte {
	b.lane = binary.AppendUvarint(b.lane[:0], uint64(w.target.id))
	if len(w.plan.partition) == 0 {
		b.lane = append(b.lane, w.record.Origin.Topic...)
		return binary.AppendUvarint(b.lane, uint64(w.record.Origin.Partition))
	}
	for _, i := range w.plan.partition {
		c := b.cells[i]
		b.lane = binary.AppendUvarint(b.lane, uint64(c.to-c.from))
		b.lane = append(b.lane, b.buf[c.from:c.to]...)
	}
	return b.lane
}
