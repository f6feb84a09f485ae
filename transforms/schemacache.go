package transforms

import (
	"slices"

	"github.com/streamlane/connect/data"
)

// schemaCacheSize is Java's.
const schemaCacheSize = 16

// A schemaCache keeps what was worked out for the schemas used last. Schemas count as the same if they are equal. The zero schemaCache is
// empty. It is not safe for concurrent use, as a transform is used by one goroutine.
type schemaCache[T any] struct {
	entries []schemaEntry[T] // the one used last comes first
}

type schemaEntry[T any] struct {
	schema *data.Schema
	value  T
}

// get returns what is kept for s, or works it out.
func (c *schemaCache[T]) get(s *data.Schema, make func(*data.Schema) (T, error)) (T, error) {
	if i := c.find(s); i >= 0 {
		e := c.entries[i]
		e.schema = s // the next look will be at the pointer
		copy(c.entries[1:i+1], c.entries[:i])
		c.entries[0] = e
		return e.value, nil
	}
	value, err := make(s)
	if err != nil {
		return value, err
	}
	if len(c.entries) == schemaCacheSize {
		c.entries = c.entries[:schemaCacheSize-1]
	}
	c.entries = slices.Insert(c.entries, 0, schemaEntry[T]{s, value})
	return value, nil
}

// find looks for the pointer first, then for an equal schema.
func (c *schemaCache[T]) find(s *data.Schema) int {
	for i := range c.entries {
		if c.entries[i].schema == s {
			return i
		}
	}
	return slices.IndexFunc(c.entries, func(e schemaEntry[T]) bool { return e.schema.Equal(s) })
}
