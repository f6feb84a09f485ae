package registry

import "github.com/streamlane/connect/data"

// A Format is what tells the converters over a registry apart. It is used by one
// goroutine at a time.
type Format interface {
	// Type is the registry's name of the format.
	Type() string
	// Null says what becomes of a null under a schema, nil for none: Kafka's null,
	// or a payload (tombstone false) that an Encoder writes. An error refuses it.
	Null(s *data.Schema) (tombstone bool, err error)
	// Draft makes the schema to register of a Connect schema; nil is that of
	// schemaless data.
	Draft(s *data.Schema) (Draft, error)
	// Encoder prepares to write data under a Connect schema. target is the schema
	// of the registry to write with; nil: that of the draft. With strict it fails
	// unless target can take every value.
	Encoder(s *data.Schema, d Draft, target *Resolved, strict bool) (Encoder, error)
	// Decoder prepares to read what was written with a schema. reader, unless nil,
	// is the schema whose data are wanted. indexes, of Protobuf, choose a message.
	Decoder(writer Resolved, reader *Resolved, indexes string) (Decoder, error)
	// Name returns the full name of the record that a schema is of, "" for none.
	Name(s Resolved, indexes string) (string, error)
}

// A Draft is a schema of the registry made of a Connect schema.
type Draft struct {
	Schema
	Name   string // full name of the record; "" for none
	Parsed any    // whatever the format wants to keep
}

// An Encoder writes values under one schema.
type Encoder interface {
	// Append appends the payload of a value.
	Append(dst []byte, v data.Value) ([]byte, error)
	// Indexes are the message indexes in front of the payload; nil for none.
	Indexes() []byte
}

// A Decoder reads what was written with one schema.
type Decoder interface {
	// Schema is that of the data; nil for schemaless ones.
	Schema() *data.Schema
	// Decode reads a payload. The value may alias b.
	Decode(b []byte) (data.Value, error)
}
