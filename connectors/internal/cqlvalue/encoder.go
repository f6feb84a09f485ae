package cqlvalue

import (
	"errors"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect/data"
)

// An Encoder turns values into the bytes of one CQL type. It may be used by many
// goroutines at once.
type Encoder struct {
	typ  gocql.TypeInfo
	name string
}

// NewEncoder returns the encoder of a type. It is an error if the type is one
// that this package does not know, inside of others as well, or if the options
// are wrong.
func NewEncoder(t gocql.TypeInfo, o Options) (*Encoder, error) {
	return nil, errors.New("not yet")
}

// Append appends the bytes of a value, without their length. The schema may be
// nil; it tells dates, times and timestamps apart. null reports that the value is
// null in CQL, dst is then returned as it was: null itself, and an empty text
// for a type other than a text or blob. An empty list, set or map is not null.
//
// The error says what was found and what the type allows, and where inside of the
// value that is.
func (e *Encoder) Append(dst []byte, v data.Value, s *data.Schema) (out []byte, null bool, err error) {
	return dst, false, errors.New("not yet")
}

// AppendUUID appends the bytes of a UUID, such as that of now(). It is an error if
// the type is neither uuid nor timeuuid, or if it is timeuuid and the UUID is not
// of version 1.
func (e *Encoder) AppendUUID(dst []byte, id gocql.UUID) ([]byte, error) {
	return dst, errors.New("not yet")
}

// Type returns the CQL type as it is written in a CREATE TABLE statement.
func (e *Encoder) Type() string { return e.name }
