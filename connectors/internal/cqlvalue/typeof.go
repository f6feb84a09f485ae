package cqlvalue

import (
	"errors"

	"github.com/streamlane/connect/data"
)

// TypeOf returns the CQL type that holds every value of a schema, as it is written
// in a CREATE TABLE or ALTER TABLE statement. A struct has none: CQL has no
// anonymous types with named fields, and creating user-defined ones is the user's
// to do. Collections inside of others are frozen.
func TypeOf(s *data.Schema) (string, error) { return "", errors.New("not yet") }
