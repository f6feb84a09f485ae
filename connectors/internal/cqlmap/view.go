package cqlmap

import (
	"errors"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A View is a record as mappings see it. A key or value that is a text with a
// JSON object is that object, read once and only if a field of it is asked for.
// Views are cheap to make and belong to one goroutine.
type View struct {
	record *connect.Record
}

// NewView returns the view of a record, which must not change while the view
// is in use.
func NewView(record *connect.Record) View { return View{record: record} }

// Lookup returns what a source is in the record, and its schema (nil for
// schemaless data and for what comes out of a JSON text).
//
// found is false if the record has no such field or header: the connector then
// refuses the record. A field of a null is null and found; so is each field of a
// tombstone. Defaults of schemas stand in for nulls, as in Java's Struct.get. A
// function is never found: whoever binds it calls it.
func (v *View) Lookup(s Source) (value data.Value, schema *data.Schema, found bool, err error) {
	return data.Value{}, nil, false, errors.New("not yet")
}
