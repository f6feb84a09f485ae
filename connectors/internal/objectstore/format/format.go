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
	// NewWriter begins a file on out for data of the shape of first, which is written by the first Write. Out keeps what
	// it is given, in pieces of any size, and is never closed.
	NewWriter(out io.Writer, first connect.Datum) (Writer, error)
}

// A Writer writes one file.
type Writer interface {
	// Write adds one datum: a record's value, its key, or its headers as an array of structs. After a
	// *DataError the file is as it was before; after any other error it is broken.
	Write(d connect.Datum) error
	// Buffered is about how many bytes of data it has not written to out yet, such as a Parquet row group.
	Buffered() int64
	// Memory is about how many bytes of memory it holds, with buffers that are empty and compressors that it uses. What writers of a
	// Format share does not count: it does not grow with the number of files.
	Memory() int64
	// Flush writes what is buffered to out and gives memory back, as when it runs short: a row group or a block
	// ends early. What Memory tells of afterwards is little, and can not be given back before Close.
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
