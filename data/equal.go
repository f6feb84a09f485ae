package data

import (
	"bytes"
	"math"
	"strings"
)

// Equal reports whether two values are the same, deep, as Java's equals sees it: of the same kind; floats by their bits, but every
// NaN like every other; decimals with the same scale; maps in any order; structs with equal schemas and equal values as they were set.
func Equal(a, b Value) bool {
	k := a.Kind()
	if k != b.Kind() {
		return false
	}
	switch k {
	case KindString:
		x, _ := a.Str()
		y, _ := b.Str()
		return x == y
	case KindBytes:
		x, _ := a.Bytes()
		y, _ := b.Bytes()
		return bytes.Equal(x, y)
	case KindArray:
		x, _ := a.Array()
		y, _ := b.Array()
		return equalAll(x, y)
	case KindMap:
		x, _ := a.Map()
		y, _ := b.Map()
		return equalMaps(x, y)
	case KindStruct:
		x, _ := a.Struct()
		y, _ := b.Struct()
		return x == y || x.schema.Equal(y.schema) && equalAll(x.slots, y.slots)
	case KindDecimal:
		x, _ := a.Decimal()
		y, _ := b.Decimal()
		return x.scale == y.scale && x.int().Cmp(y.int()) == 0
	default:
		return a.num == b.num || bothNaN(a, b)
	}
}

func bothNaN(a, b Value) bool {
	x, xok := a.Float()
	y, yok := b.Float()
	return xok && yok && math.IsNaN(x) && math.IsNaN(y)
}

func equalAll(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// equalMaps compares in order as far as the orders agree, and looks each of the remaining entries up.
func equalMaps(a, b []Pair) bool {
	if len(a) != len(b) {
		return false
	}
	same := 0
	for same < len(a) && Equal(a[same].Key, b[same].Key) {
		if !Equal(a[same].Value, b[same].Value) {
			return false
		}
		same++
	}
	if same == len(a) {
		return true
	}
	rest, used := newKeyIndex(b[same:]), make([]bool, len(b)-same)
	for _, p := range a[same:] {
		i := rest.find(p.Key, used)
		if i < 0 || !Equal(p.Value, b[same+i].Value) {
			return false
		}
		used[i] = true
	}
	return true
}

// linearKeys is the number of entries up to which a linear search for a key is good enough.
const linearKeys = 16

// keyIndex is a map in order of insertion: Java's LinkedHashMap.
type keyIndex struct {
	pairs  []Pair
	byHash map[uint64][]int // nil for few entries
}

// newKeyIndex returns an index of the entries, which it keeps and may append to.
func newKeyIndex(pairs []Pair) *keyIndex {
	x := &keyIndex{pairs: pairs}
	if len(pairs) > linearKeys {
		x.hash()
	}
	return x
}

// hash indexes all entries.
func (x *keyIndex) hash() {
	x.byHash = make(map[uint64][]int, len(x.pairs))
	for i := range x.pairs {
		h := hashValue(newHasher(), x.pairs[i].Key).sum()
		x.byHash[h] = append(x.byHash[h], i)
	}
}

// find returns the first position of a key that is not used up, -1 if there is none. A nil slice says that none is used up.
func (x *keyIndex) find(key Value, used []bool) int {
	if x.byHash == nil {
		for i := range x.pairs {
			if (used == nil || !used[i]) && Equal(x.pairs[i].Key, key) {
				return i
			}
		}
		return -1
	}
	for _, i := range x.byHash[hashValue(newHasher(), key).sum()] {
		if (used == nil || !used[i]) && Equal(x.pairs[i].Key, key) {
			return i
		}
	}
	return -1
}

// put adds an entry, or gives the entry of that key another value.
func (x *keyIndex) put(p Pair) {
	if i := x.find(p.Key, nil); i >= 0 {
		x.pairs[i].Value = p.Value
		return
	}
	x.pairs = append(x.pairs, p)
	switch {
	case x.byHash != nil:
		h := hashValue(newHasher(), p.Key).sum()
		x.byHash[h] = append(x.byHash[h], len(x.pairs)-1)
	case len(x.pairs) > linearKeys:
		x.hash()
	}
}

// hashValue adds a value to a hash; equal values add the same. Of a map only the size counts, for its order must not.
func hashValue(h hasher, v Value) hasher {
	k := v.Kind()
	h = h.word(uint64(k))
	switch k {
	case KindString:
		s, _ := v.Str()
		return h.text(s)
	case KindBytes:
		b, _ := v.Bytes()
		return h.text(string(b))
	case KindArray:
		elems, _ := v.Array()
		return hashAll(h, elems)
	case KindStruct:
		x, _ := v.Struct()
		return hashAll(h, x.slots)
	case KindDecimal:
		d, _ := v.Decimal()
		return h.text(d.int().String()).word(v.num)
	case KindFloat32, KindFloat64:
		if bothNaN(v, v) {
			return h
		}
		return h.word(v.num)
	default:
		return h.word(v.num)
	}
}

func hashAll(h hasher, values []Value) hasher {
	for _, v := range values {
		h = hashValue(h, v)
	}
	return h
}

// Clone returns a deep copy that shares no memory with v, schemas and decimals aside, which nothing can change. What outlives a
// batch is cloned, for a decoded value may keep the whole fetch alive that it came from.
func Clone(v Value) Value {
	switch v.Kind() {
	case KindString:
		s, _ := v.Str()
		return String(strings.Clone(s))
	case KindBytes:
		b, _ := v.Bytes()
		return Bytes(append(make([]byte, 0, len(b)), b...))
	case KindArray:
		elems, _ := v.Array()
		return ArrayOf(cloneAll(elems)...)
	case KindMap:
		pairs, _ := v.Map()
		c := make([]Pair, len(pairs))
		for i, p := range pairs {
			c[i] = Pair{Key: Clone(p.Key), Value: Clone(p.Value)}
		}
		return MapOf(c...)
	case KindStruct:
		x, _ := v.Struct()
		return StructOf(&Struct{schema: x.schema, slots: cloneAll(x.slots)})
	default:
		return v
	}
}

func cloneAll(values []Value) []Value {
	c := make([]Value, len(values))
	for i, v := range values {
		c[i] = Clone(v)
	}
	return c
}
