package avrodata

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/mapkeys"
)

// input is a payload under way. Strings and bytes alias it.
type input struct {
	b []byte
	// budget is how many fields and elements there may still be: types without bytes
	// make many of a short payload.
	budget int
}

func budgetFor(b []byte) int { return 1<<16 + 64*len(b) }

// decodeRoot reads a whole payload. BYTES at the root come without their length.
// What follows is looked at only if wanted, as in Java.
func (d *decoder) decodeRoot(b []byte, whole bool) (data.Value, error) {
	if d.wire == blob && (d.read == readBytes || d.read == readDecimal || d.read == readText) {
		switch d.read {
		case readBytes:
			return bytesValue(b), nil
		case readText:
			return textValue(b)
		}
		return decimalValue(b, d.scale)
	}
	in := input{b: b, budget: budgetFor(b)}
	v, err := in.value(d, 0)
	if err == nil && whole && len(in.b) > 0 {
		return data.Value{}, dataError("%d bytes are left behind the value", len(in.b))
	}
	return v, err
}

// bytesValue is never null.
func bytesValue(b []byte) data.Value {
	if b == nil {
		b = []byte{}
	}
	return data.Bytes(b[:len(b):len(b)])
}

func textValue(b []byte) (data.Value, error) {
	if !utf8.Valid(b) {
		return data.Value{}, dataError("a string that is no UTF-8")
	}
	return data.String(unsafe.String(unsafe.SliceData(b), len(b))), nil
}

// decimalValue makes a decimal of its unscaled bytes, without a detour for those of
// up to 64 bits.
func decimalValue(b []byte, scale int32) (data.Value, error) {
	if len(b) == 0 || len(b) > 8 {
		d, err := data.DecimalFromUnscaled(b, scale)
		return data.DecimalOf(d), err
	}
	n := int64(int8(b[0]))
	for _, c := range b[1:] {
		n = n<<8 | int64(c)
	}
	return data.DecimalOf(data.DecimalFromInt64(n, scale)), nil
}

func (in *input) cut(want string) error {
	return dataError("cut off: %d bytes are left, want %s", len(in.b), want)
}

// long reads a zig-zag number of at most 64 bits.
func (in *input) long() (int64, error) {
	// One byte is the most frequent length.
	if len(in.b) > 0 && in.b[0] < 0x80 {
		u := in.b[0]
		in.b = in.b[1:]
		return int64(u>>1) ^ -int64(u&1), nil
	}
	n, size := binary.Varint(in.b)
	switch {
	case size == 0:
		return 0, in.cut("a number")
	case size < 0:
		return 0, dataError("a number has more than 64 bits")
	}
	in.b = in.b[size:]
	return n, nil
}

// take reads n bytes.
func (in *input) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(in.b)) {
		return nil, in.cut(fmt.Sprintf("%d bytes", n))
	}
	b := in.b[:n:n]
	in.b = in.b[n:]
	return b, nil
}

// counted reads bytes with their length in front.
func (in *input) counted() ([]byte, error) {
	n, err := in.long()
	if err != nil {
		return nil, err
	}
	return in.take(n)
}

// spend takes n from the budget.
func (in *input) spend(n int) error {
	if in.budget -= n; in.budget < 0 {
		return dataError("the record has more fields and elements than its length allows")
	}
	return nil
}

// value reads a value. depth counts the containers around it.
func (in *input) value(d *decoder, depth int) (data.Value, error) {
	switch d.read {
	case readInteger:
		n, err := in.long()
		if err != nil {
			return data.Value{}, err
		}
		return integerValue(d, n)
	case readText:
		b, err := in.counted()
		if err != nil {
			return data.Value{}, err
		}
		return textValue(b)
	case readDouble, readFloat:
		f, err := in.float(d.wire)
		if d.read == readFloat {
			return data.Float32(float32(f)), err
		}
		return data.Float64(f), err
	case readBoolean:
		return in.boolean()
	case readNull:
		return data.Value{}, nil
	case readChoice:
		return in.choice(d, depth)
	case readRecord:
		return in.record(d, depth)
	}
	return in.other(d, depth)
}

func integerValue(d *decoder, n int64) (data.Value, error) {
	if d.wire == integer && int64(int32(n)) != n {
		return data.Value{}, dataError("%d has more than the 32 bits of an Avro int", n)
	}
	switch d.kind {
	case data.KindInt8:
		return data.Int8(int8(n)), nil // as in Java
	case data.KindInt16:
		return data.Int16(int16(n)), nil
	case data.KindInt32:
		return data.Int32(int32(n)), nil
	}
	return data.Int64(n), nil
}

func (in *input) float(wire kind) (float64, error) {
	switch wire {
	case float:
		b, err := in.take(4)
		if err != nil {
			return 0, err
		}
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	case double:
		b, err := in.take(8)
		if err != nil {
			return 0, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	}
	n, err := in.long()
	return float64(n), err
}

func (in *input) boolean() (data.Value, error) {
	b, err := in.take(1)
	if err != nil {
		return data.Value{}, err
	}
	if b[0] > 1 {
		return data.Value{}, dataError("found byte %02x for a boolean, allowed are 00 and 01", b[0])
	}
	return data.Boolean(b[0] == 1), nil
}

func (in *input) choice(d *decoder, depth int) (data.Value, error) {
	i, err := in.long()
	if err != nil {
		return data.Value{}, err
	}
	if i < 0 || i >= int64(len(d.choices)) {
		return data.Value{}, dataError("branch %d of a union of %d", i, len(d.choices))
	}
	return in.value(d.choices[i].dec, depth)
}

func (in *input) record(d *decoder, depth int) (data.Value, error) {
	if depth >= maxDepth {
		return data.Value{}, tooDeep()
	}
	if err := in.spend(1 + len(d.fields) + len(d.fills)); err != nil {
		return data.Value{}, err
	}
	x, err := data.NewStruct(d.schema)
	if err != nil {
		return data.Value{}, err
	}
	for i := range d.fields {
		f := &d.fields[i]
		if f.to < 0 {
			err = in.skip(f.dec, depth+1)
		} else {
			var v data.Value
			if v, err = in.value(f.dec, depth+1); err == nil {
				x.Set(f.to, v)
			}
		}
		if err != nil {
			return data.Value{}, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	for i := range d.fills {
		x.Set(d.fills[i].to, d.fills[i].value)
	}
	return data.StructOf(x), nil
}

func tooDeep() error { return dataError("nested deeper than %d levels", maxDepth) }

func (in *input) other(d *decoder, depth int) (data.Value, error) {
	switch d.read {
	case readBytes:
		b, err := in.counted()
		return bytesValue(b), err
	case readFixed:
		b, err := in.take(int64(d.size))
		return bytesValue(b), err
	case readDecimal:
		b, err := in.decimal(d.size)
		if err != nil {
			return data.Value{}, err
		}
		return decimalValue(b, d.scale)
	case readDate:
		return in.date(d)
	case readEnum:
		return in.symbol(d)
	case readNever:
		return data.Value{}, d.err
	}
	if depth >= maxDepth {
		return data.Value{}, tooDeep()
	}
	switch d.read {
	case readArray:
		return in.array(d, depth)
	case readMap, readPairs:
		return in.mapping(d, depth)
	case readMember:
		return in.member(d, depth)
	}
	return in.anything(depth)
}

func (in *input) decimal(size int) ([]byte, error) {
	if size < 0 {
		return in.counted()
	}
	return in.take(int64(size))
}

func (in *input) date(d *decoder) (data.Value, error) {
	n, err := in.long()
	if err != nil {
		return data.Value{}, err
	}
	if d.kind == data.KindInt64 {
		return data.ToLogical(d.schema, data.Int64(n))
	}
	if int64(int32(n)) != n {
		return data.Value{}, dataError("%d has more than the 32 bits of an Avro int", n)
	}
	return data.ToLogical(d.schema, data.Int32(int32(n)))
}

func (in *input) symbol(d *decoder) (data.Value, error) {
	i, err := in.long()
	if err != nil {
		return data.Value{}, err
	}
	if i < 0 || i >= int64(len(d.symbols)) {
		return data.Value{}, dataError("symbol %d of an enum of %d", i, len(d.symbols))
	}
	if v := d.symbols[i]; !v.IsNull() {
		return v, nil
	}
	return data.Value{}, dataError("symbol %d of the writer's enum is not known to the reader", i)
}

// member reads one branch of a union into its struct.
func (in *input) member(d *decoder, depth int) (data.Value, error) {
	if err := in.spend(1 + len(d.schema.Fields())); err != nil {
		return data.Value{}, err
	}
	x, err := data.NewStruct(d.schema)
	if err != nil {
		return data.Value{}, err
	}
	v, err := in.value(d.elem, depth+1)
	if err != nil {
		return data.Value{}, err
	}
	x.Set(d.place, v)
	return data.StructOf(x), nil
}

// block reads the count of the next block of an array or map, 0 at its end.
func (in *input) block(size elemSize) (int, error) {
	n, err := in.long()
	if err != nil {
		return 0, err
	}
	if n < 0 { // the length in bytes follows, for who wants to skip it
		if _, err := in.long(); err != nil {
			return 0, err
		}
		n = -n
	}
	if n < 0 || size == someBytes && n > int64(len(in.b)) || n > int64(in.budget) {
		return 0, dataError("a block of %d elements, and %d bytes are left", n, len(in.b))
	}
	return int(n), in.spend(int(n))
}

func (in *input) array(d *decoder, depth int) (data.Value, error) {
	var elems []data.Value
	for {
		n, err := in.block(d.elems)
		if err != nil || n == 0 {
			return data.ArrayOf(elems...), err
		}
		if elems == nil {
			elems = make([]data.Value, 0, n)
		}
		for range n {
			v, err := in.value(d.elem, depth+1)
			if err != nil {
				return data.Value{}, fmt.Errorf("element %d: %w", len(elems), err)
			}
			elems = append(elems, v)
		}
	}
}

func (in *input) mapping(d *decoder, depth int) (data.Value, error) {
	var pairs []data.Pair
	for {
		n, err := in.block(d.elems)
		if err != nil {
			return data.Value{}, err
		}
		if n == 0 {
			return data.MapOf(mapkeys.Unique(pairs)...), nil
		}
		if pairs == nil {
			pairs = make([]data.Pair, 0, n)
		}
		for range n {
			p, err := in.pair(d, depth+1)
			if err != nil {
				return data.Value{}, fmt.Errorf("map entry %d: %w", len(pairs), err)
			}
			pairs = append(pairs, p)
		}
	}
}

func (in *input) pair(d *decoder, depth int) (p data.Pair, err error) {
	if d.read == readMap {
		b, err := in.counted()
		if err == nil {
			p.Key, err = textValue(b)
		}
		if err == nil {
			p.Value, err = in.value(d.elem, depth)
		}
		return p, err
	}
	for i := range d.fields {
		var v data.Value
		f := &d.fields[i]
		switch {
		case f.to < 0:
			err = in.skip(f.dec, depth)
		case f.to == 0:
			p.Key, err = in.value(f.dec, depth)
		default:
			v, err = in.value(f.dec, depth)
			p.Value = v
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// skip reads what nobody wants.
func (in *input) skip(d *decoder, depth int) error {
	if depth >= maxDepth {
		return tooDeep()
	}
	var err error
	switch d.wire {
	case null:
	case boolean:
		_, err = in.take(1)
	case integer, long, enum:
		_, err = in.long()
	case float:
		_, err = in.take(4)
	case double:
		_, err = in.take(8)
	case blob, text:
		_, err = in.counted()
	case fixed:
		_, err = in.take(int64(d.size))
	case union:
		i, err := in.long()
		if err != nil {
			return err
		}
		if i < 0 || i >= int64(len(d.choices)) {
			return dataError("branch %d of a union of %d", i, len(d.choices))
		}
		return in.skip(d.choices[i].dec, depth)
	case record:
		if err := in.spend(1 + len(d.fields)); err != nil {
			return err
		}
		for i := range d.fields {
			if err := in.skip(d.fields[i].dec, depth+1); err != nil {
				return err
			}
		}
	default:
		return in.skipBlocks(d, depth)
	}
	return err
}

func (in *input) skipBlocks(d *decoder, depth int) error {
	for {
		n, err := in.block(d.elems)
		if err != nil || n == 0 {
			return err
		}
		for range n {
			if d.wire == mapping {
				if _, err := in.counted(); err != nil {
					return err
				}
			}
			if err := in.skip(d.elem, depth+1); err != nil {
				return err
			}
		}
	}
}
