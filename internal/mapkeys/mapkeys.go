// Package mapkeys keeps the keys of maps apart.
package mapkeys

import (
	"encoding/binary"

	"github.com/streamlane/connect/data"
)

// manyPairs is the number of entries up to which comparing each with each beats
// hashing.
const manyPairs = 16

// Unique drops entries whose key comes again later: like in Java's maps, a
// key stays in its place and gets the last value. It reuses the slice.
func Unique(pairs []data.Pair) []data.Pair {
	if len(pairs) > manyPairs {
		return uniqueByHash(pairs)
	}
	out := pairs[:0]
next:
	for _, p := range pairs {
		for i := range out {
			if data.Equal(out[i].Key, p.Key) {
				out[i].Value = p.Value
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

func uniqueByHash(pairs []data.Pair) []data.Pair {
	out := pairs[:0]
	places := make(map[string][]int, len(pairs))
	var id []byte
next:
	for _, p := range pairs {
		id = appendIdentity(id[:0], p.Key)
		for _, i := range places[string(id)] {
			if data.Equal(out[i].Key, p.Key) {
				out[i].Value = p.Value
				continue next
			}
		}
		places[string(id)] = append(places[string(id)], len(out))
		out = append(out, p)
	}
	return out
}

// appendIdentity appends bytes that are the same for equal values, and differ for
// nearly all others. Of maps only the size counts, for their order does not.
func appendIdentity(dst []byte, v data.Value) []byte {
	dst = append(dst, byte(v.Kind()))
	switch v.Kind() {
	case data.KindString, data.KindBytes:
		start := len(dst)
		dst = v.Append(append(dst, 0, 0, 0, 0))
		binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	case data.KindArray:
		elems, _ := v.Array()
		dst = binary.AppendUvarint(dst, uint64(len(elems)))
		for i := range elems {
			dst = appendIdentity(dst, elems[i])
		}
	case data.KindStruct:
		x, _ := v.Struct()
		for i := range x.Len() {
			dst = appendIdentity(dst, x.Raw(i))
		}
	case data.KindMap:
		pairs, _ := v.Map()
		dst = binary.AppendUvarint(dst, uint64(len(pairs)))
	default:
		dst = append(v.Append(dst), 0)
	}
	return dst
}
