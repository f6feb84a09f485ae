package format

import (
	"io"

	"github.com/streamlane/connect"
)

// A Format makes writers of one kind of file. It is built once per task from the sink's configuration, and used from
// the task's goroutine alone.
type Format interface {
	// Extension is the end of the names of its files, with the leading dot and with that of the compression, as
	// in ".snappy.parquet" or ".json.gz".
	Extension() string
	// ContentType is the media type of its files.
	ContentType() string
	// NewWriter begins a file on out for data of the shape of first, which is written by the first Write. Out is
	// written in large pieces, and never closed.
	NewWriter(out io.Writer, first connect.Datum) (Writer, error)
}

// A Writer writes one file.
type Writer interface {
	// Write adds one datum: a record's value, its key, or its headers as an array of structs. After a
	// *DataError the file is as it was before; after any other error it is broken.
	Write(d connect.Datum) error
	// Buffered is about how many bytes of memory it holds that it has not written to out yet, such as a Parquet row group.
	Buffered() int64
	// Flush writes to out as much as it can of what is buffered, as when memory runs short: a row group or a
	// block ends early.
	Flush() error
	// Close writes what remains and the end of the file. A Writer that is given up needs no Close.
	Close() error
}

// A DataError is a datum that the format cannot write, as a struct in a CSV cell. The sink reports its record.
type DataError struct {
	Err error
}

// Error tells why.
func (e *DataError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *DataError) Unwrap() error { return e.Err }
