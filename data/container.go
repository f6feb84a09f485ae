package data

import "unsafe"

// Pair is one entry of a map value. Keys may be of any kind, null included.
type Pair struct{ Key, Value Value }

// Entry is a named value: source partitions and source offsets are made of entries.
type Entry struct {
	Key   string
	Value Value
}

// E is a short way to write an [Entry].
func E(key string, v Value) Entry { return Entry{Key: key, Value: v} }

// ArrayOf returns an ARRAY value that shares the memory of the slice given. Without elements it is an empty array, not null.
func ArrayOf(elems ...Value) Value {
	return Value{num: uint64(len(elems)), ref: arrayRef(unsafe.SliceData(elems))}
}

// MapOf returns a MAP value that shares the memory of the slice given and keeps its order. Without entries it is an empty map, not
// null. The keys are expected to differ from each other; that is not checked.
func MapOf(pairs ...Pair) Value {
	return Value{num: uint64(len(pairs)), ref: mapRef(unsafe.SliceData(pairs))}
}

// Array returns the elements of an ARRAY value. They share the memory of the value and must not be changed.
func (v Value) Array() ([]Value, bool) {
	p, ok := v.ref.(arrayRef)
	if !ok {
		return nil, false
	}
	return unsafe.Slice((*Value)(p), int(v.num)), true
}

// Map returns the entries of a MAP value in their order. They share the memory of the value and must not be changed.
func (v Value) Map() ([]Pair, bool) {
	p, ok := v.ref.(mapRef)
	if !ok {
		return nil, false
	}
	return unsafe.Slice((*Pair)(p), int(v.num)), true
}

// Lookup returns the value under a STRING key of a MAP value, by linear search: meant for the small maps that records carry.
// It reports false where v is no map or has no such key.
func (v Value) Lookup(key string) (Value, bool) {
	pairs, _ := v.Map()
	for i := range pairs {
		if k, ok := pairs[i].Key.Str(); ok && k == key {
			return pairs[i].Value, true
		}
	}
	return Value{}, false
}
