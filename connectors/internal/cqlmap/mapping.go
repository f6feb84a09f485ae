package cqlmap

// A Mapping says which columns of a table are filled, and from where. Mappings
// are not changed once made and may be used by many goroutines.
type Mapping struct {
	// Assignments are in the order in which they were written. No two are of
	// the same column, and at most one each is the TTL and the write timestamp.
	Assignments []Assignment
}

// An Assignment fills one column, or the TTL or write timestamp of the row.
type Assignment struct {
	// Column is the name of the column as Cassandra keeps it: case counts,
	// quotes are gone. Of the TTL and the write timestamp it is the name of the
	// variable in the statement, [TTLVariable] or [TimestampVariable].
	Column string
	// TTL marks __ttl, whose number is in the table's ttlTimeUnit.
	TTL bool
	// Timestamp marks __timestamp, whose number is in the table's
	// timestampTimeUnit.
	Timestamp bool
	Source    Source
}

// The names of variables that stand for __ttl and __timestamp in statements.
// Queries that users write may bind them; mappings may name them in place of
// __ttl and __timestamp.
const (
	TTLVariable       = "message_internal_ttl"
	TimestampVariable = "message_internal_timestamp"
)

// A Part says in which part of a record a source lies.
type Part uint8

// The parts. The zero Part is none.
const (
	Key      Part = iota + 1 // the record's key, or a field of it
	Value                    // the record's value, or a field of it
	Header                   // a header, or a field of its value
	Function                 // no part of a record: a function's result
)

// String returns the word of the language: key, value, header or function.
func (p Part) String() string {
	switch p {
	case Key:
		return "key"
	case Value:
		return "value"
	case Header:
		return "header"
	case Function:
		return "function"
	}
	return "none"
}

// A Source is the right side of an assignment. Sources are comparable.
type Source struct {
	Part Part
	// Field is the name of the field, or of the header, as it stands behind
	// the part and a dot; "" is the whole key or value. A name with dots is the
	// field of that very name if there is one, else the way to a nested field.
	Field string
	// Call is the function, [NowCall], of Part Function only.
	Call string
}

// NowCall is the one function that there is: a version 1 UUID of the moment,
// new for each record.
const NowCall = "now()"

// Now returns the source that now() is.
func Now() Source { return Source{Part: Function, Call: NowCall} }

// Column returns the assignment of a column by the name that Cassandra keeps,
// and whether there is one. __ttl and __timestamp are no columns.
func (m Mapping) Column(name string) (Assignment, bool) {
	for _, a := range m.Assignments {
		if a.Column == name && !a.TTL && !a.Timestamp {
			return a, true
		}
	}
	return Assignment{}, false
}
