package parquet

import (
	"fmt"
	"unicode/utf8"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"github.com/streamlane/connect/data"
)

// shredder takes data apart into the values of columns, with repetition and definition levels.
type shredder struct {
	columns [][]parquet.Value
	bytes   int64  // about what is in the columns
	memory  int64  // that columns and room take
	room    []byte // of texts and bytes, until the columns have gone on: records are not kept
	scratch []byte
}

const (
	firstRoom = 1 << 10
	lastRoom  = 64 << 10
)

// take returns so many bytes of room.
func (w *shredder) take(n int) []byte {
	if cap(w.room)-len(w.room) < n {
		size := max(min(2*cap(w.room), lastRoom), firstRoom, n)
		w.room = make([]byte, 0, size)
		w.memory += int64(size)
	}
	start := len(w.room)
	w.room = w.room[:start+n]
	return w.room[start : start+n : start+n]
}

// emptied begins anew after the columns have gone on.
func (w *shredder) emptied() {
	w.room, w.bytes, w.memory = w.room[:0], 0, int64(cap(w.room))
	for _, c := range w.columns {
		w.memory += int64(cap(c)) * valueSize
	}
}

// letGo gives memory up.
func (w *shredder) letGo() {
	clear(w.columns)
	w.room, w.bytes, w.memory = nil, 0, 0
}

// put shreds a value. rep is the repetition level of its place, def the definition level of what is around.
func (w *shredder) put(n *node, v data.Value, rep, def int) error {
	if v.IsNull() {
		if !n.optional {
			return fmt.Errorf("found null, and %s is not optional", n.schema)
		}
		w.null(n, rep, def)
		return nil
	}
	if v.Kind() != n.kind {
		return fmt.Errorf("found %s, want %s", v.Kind(), n.schema)
	}
	if n.optional {
		def++
	}
	switch n.shape {
	case asLeaf:
		x, err := w.leaf(n, v)
		if err == nil {
			w.add(n.from, x, rep, def)
		}
		return err
	case asGroup:
		return w.group(n, v, rep, def)
	case asUnion:
		return w.union(n, v, rep, def)
	case asList:
		return w.list(n, v, rep, def)
	}
	return w.mapping(n, v, rep, def)
}

// valueSize is what a value takes beside its bytes.
const valueSize = int64(unsafe.Sizeof(parquet.Value{}))

func (w *shredder) add(column int, x parquet.Value, rep, def int) {
	before := w.columns[column]
	after := append(before, x.Level(rep, def, column))
	w.columns[column] = after
	w.bytes += valueSize
	w.memory += int64(cap(after)-cap(before)) * valueSize
}

// null puts null into all columns of a place.
func (w *shredder) null(n *node, rep, def int) {
	for c := n.from; c < n.to; c++ {
		w.add(c, parquet.Value{}, rep, def)
	}
}

func (w *shredder) group(n *node, v data.Value, rep, def int) error {
	x, _ := v.Struct()
	if !n.accepts(x.Schema()) {
		return fmt.Errorf("found a struct of %s, want %s (all attributes count)", x.Schema(), n.schema)
	}
	for i, c := range n.children {
		v := x.Raw(i)
		if v.IsNull() {
			v = c.fallback
		}
		if err := w.put(c, v, rep, def); err != nil {
			return fmt.Errorf("field %q: %w", n.schema.Fields()[i].Name, err)
		}
	}
	return nil
}

func (w *shredder) union(n *node, v data.Value, rep, def int) error {
	x, _ := v.Struct()
	if !n.accepts(x.Schema()) {
		return fmt.Errorf("found a struct of %s, want %s (all attributes count)", x.Schema(), n.schema)
	}
	set := 0
	for i, c := range n.children {
		if !x.Raw(i).IsNull() {
			set++
		}
		if err := w.put(c, x.Raw(i), rep, def); err != nil {
			return fmt.Errorf("branch %q: %w", n.schema.Fields()[i].Name, err)
		}
	}
	if set != 1 {
		return fmt.Errorf("%d branches of a union are set, want 1", set)
	}
	return nil
}

func (w *shredder) list(n *node, v data.Value, rep, def int) error {
	elems, _ := v.Array()
	if len(elems) == 0 {
		w.null(n, rep, def)
	}
	for i := range elems {
		if err := w.put(n.children[0], elems[i], rep, def+1); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		rep = n.rep
	}
	return nil
}

func (w *shredder) mapping(n *node, v data.Value, rep, def int) error {
	pairs, _ := v.Map()
	if len(pairs) == 0 {
		w.null(n, rep, def)
	}
	for i := range pairs {
		err := w.put(n.children[0], pairs[i].Key, rep, def+1)
		if err == nil {
			err = w.put(n.children[1], pairs[i].Value, rep, def+1)
		}
		if err != nil {
			return fmt.Errorf("map entry %s: %w", pairs[i].Key, err)
		}
		rep = n.rep
	}
	return nil
}

func (w *shredder) leaf(n *node, v data.Value) (parquet.Value, error) {
	switch n.kind {
	case data.KindInt8, data.KindInt16, data.KindInt32:
		i, _ := v.Int()
		return parquet.Int32Value(int32(i)), nil
	case data.KindInt64:
		i, _ := v.Int()
		return parquet.Int64Value(i), nil
	case data.KindFloat32:
		f, _ := v.Float()
		return parquet.FloatValue(float32(f)), nil
	case data.KindFloat64:
		f, _ := v.Float()
		return parquet.DoubleValue(f), nil
	case data.KindBoolean:
		b, _ := v.Bool()
		return parquet.BooleanValue(b), nil
	case data.KindString:
		s, _ := v.Str()
		if !utf8.ValidString(s) {
			return parquet.Value{}, fmt.Errorf("found a text that is no UTF-8, want %s", n.schema)
		}
		return w.blob(n, unsafe.Slice(unsafe.StringData(s), len(s)))
	case data.KindBytes:
		b, _ := v.Bytes()
		return w.blob(n, b)
	case data.KindDecimal:
		return w.decimal(n, v)
	}
	return w.date(n, v)
}

// blob copies bytes: what they are a part of is not kept alive.
func (w *shredder) blob(n *node, b []byte) (parquet.Value, error) {
	if n.size >= 0 && len(b) != n.size {
		return parquet.Value{}, fmt.Errorf("found %d bytes, want %d", len(b), n.size)
	}
	own := w.take(len(b))
	copy(own, b)
	w.bytes += int64(len(b))
	if n.size < 0 {
		return parquet.ByteArrayValue(own), nil
	}
	return parquet.FixedLenByteArrayValue(own), nil
}

func (w *shredder) date(n *node, v data.Value) (parquet.Value, error) {
	base, err := data.FromLogical(n.schema, v)
	if err != nil {
		return parquet.Value{}, err
	}
	i, _ := base.Int()
	if base.Kind() == data.KindInt64 {
		return parquet.Int64Value(i), nil
	}
	return parquet.Int32Value(int32(i)), nil
}

func (w *shredder) decimal(n *node, v data.Value) (parquet.Value, error) {
	d, _ := v.Decimal()
	if int(d.Scale()) != n.scale {
		return parquet.Value{}, fmt.Errorf("found a decimal of scale %d, and the schema has scale %d", d.Scale(), n.scale)
	}
	if p := d.Precision(); p > n.precision {
		return parquet.Value{}, fmt.Errorf("found a decimal of %d digits, and the schema has room for %d; "+
			"set its parameter connect.decimal.precision", p, n.precision)
	}
	w.scratch = d.AppendUnscaled(w.scratch[:0])
	if n.size >= 0 {
		return w.fixedDecimal(n, w.scratch)
	}
	return w.blob(n, w.scratch)
}

// fixedDecimal fills an unscaled value up to its size with its sign.
func (w *shredder) fixedDecimal(n *node, unscaled []byte) (parquet.Value, error) {
	missing := n.size - len(unscaled)
	if missing < 0 {
		return parquet.Value{}, fmt.Errorf("found a decimal of %d bytes, want %d", len(unscaled), n.size)
	}
	own := w.take(n.size)
	for i := range missing {
		own[i] = byte(int8(unscaled[0]) >> 7)
	}
	copy(own[missing:], unscaled)
	w.bytes += int64(n.size)
	return parquet.FixedLenByteArrayValue(own), nil
}
