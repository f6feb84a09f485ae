package connect

import (
	"errors"
	"fmt"
	"slices"
	"unique"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/connectjson"
)

// A SourcePartition names a part of a source system that is read in order: a
// file, a table, a shard. It is comparable and small. The zero value is no
// partition: nothing is stored for it.
type SourcePartition struct{ h unique.Handle[string] }

// badPartition marks a partition that cannot be stored; the reason follows. A
// control character starts no JSON text.
const badPartition = "\x00"

// PartitionOf returns the partition with these entries, in any order. Values
// are null, booleans, numbers, strings or bytes; integers count as Int64,
// floats as Float64, bytes as their Base64 text, which is how they come back
// from a store. Others make a partition whose Err says so.
//
// It allocates; a task makes its partitions once.
func PartitionOf(entries ...data.Entry) SourcePartition {
	b, err := connectjson.AppendObject(nil, entries)
	if err != nil {
		return SourcePartition{unique.Make(badPartition + err.Error())}
	}
	return SourcePartition{unique.Make(string(b))}
}

// IsZero reports whether p is no partition.
func (p SourcePartition) IsZero() bool { return p == SourcePartition{} }

// Err says why p cannot be stored; nil if it can.
func (p SourcePartition) Err() error {
	if s := p.text(); len(s) > 0 && s[:1] == badPartition {
		return fmt.Errorf("source partition: %s", s[1:])
	}
	return nil
}

// Entries returns the partition's entries in the order of their JSON.
func (p SourcePartition) Entries() []data.Entry {
	entries, err := connectjson.ParseObject([]byte(p.text()))
	if err != nil {
		return nil // the zero partition, or one with an Err
	}
	return entries
}

// Get returns the value of one entry.
func (p SourcePartition) Get(key string) (data.Value, bool) {
	return SourceOffset(p.Entries()).Get(key)
}

// String is the partition as JSON, as it stands in the offsets topic.
func (p SourcePartition) String() string {
	if err := p.Err(); err != nil {
		return "!(" + err.Error() + ")"
	}
	return p.text()
}

func (p SourcePartition) text() string {
	if p.IsZero() {
		return ""
	}
	return p.h.Value()
}

// A SourceOffset is a position within a source partition: named primitives, of
// the kinds that PartitionOf takes. Nil is none.
type SourceOffset []data.Entry

// Get returns the value of one entry, and whether it is there.
func (o SourceOffset) Get(key string) (data.Value, bool) {
	i := slices.IndexFunc(o, func(e data.Entry) bool { return e.Key == key })
	if i < 0 {
		return data.Value{}, false
	}
	return o[i].Value, true
}

// Int returns the integer of one entry; false if it is absent or no integer.
func (o SourceOffset) Int(key string) (int64, bool) {
	v, _ := o.Get(key)
	return v.Int()
}

// Str returns the string of one entry; false if it is absent or no string.
func (o SourceOffset) Str(key string) (string, bool) {
	v, _ := o.Get(key)
	return v.Str()
}

// String is the offset as JSON, as it stands in the offsets topic.
func (o SourceOffset) String() string {
	b, err := encodeOffset(o)
	if err != nil {
		return "!(" + err.Error() + ")"
	}
	return string(b)
}

// offsetKey returns the key of a partition in an offset store, in Java's bytes:
// ["connector",{partition}].
func offsetKey(connector string, p SourcePartition) ([]byte, error) {
	if p.IsZero() {
		return nil, errors.New("source partition: none")
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	b := append(connectjson.AppendString([]byte{'['}, connector), ',')
	return append(append(b, p.text()...), ']'), nil
}

func encodeOffset(o SourceOffset) ([]byte, error) {
	if o == nil {
		return nil, nil
	}
	b, err := connectjson.AppendObject(nil, o)
	if err != nil {
		return nil, fmt.Errorf("source offset: %w", err)
	}
	return b, nil
}

func decodeOffset(b []byte) (SourceOffset, error) {
	entries, err := connectjson.ParseObject(b)
	if err != nil {
		return nil, fmt.Errorf("source offset: %w", err)
	}
	return entries, nil
}
