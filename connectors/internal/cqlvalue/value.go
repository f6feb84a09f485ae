package cqlvalue

import (
	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// A Value is the bytes of a CQL value that are bound to a statement as they are.
// nil is null; what is not to be set at all is [gocql.UnsetValue] in place of a
// Value.
//
// The driver takes a Value and a *Value alike. Statements with many columns may
// keep their values in one slice and bind pointers into it, which saves an
// allocation for each.
type Value []byte

// MarshalCQL returns the bytes.
func (v Value) MarshalCQL(gocql.TypeInfo) ([]byte, error) { return v, nil }
