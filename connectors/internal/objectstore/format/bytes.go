package format

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// BytesOptions configure [Bytes].
type BytesOptions struct {
	Compression Compression
	// Extension ends the names of files, before that of the compression (format.bytearray.extension). Empty is .bin.
	Extension string
	// Separator comes behind each datum (format.bytearray.separator). Nil is a line feed, an empty slice none.
	Separator []byte
	// LengthPrefix writes the length of each datum before it, as 4 bytes, the most significant first, so that any
	// bytes can be told apart. There is no separator then.
	LengthPrefix bool
	// Frame, if not nil, is what stands around and between data, in place of a separator behind each.
	Frame *Frame
}

// A Frame makes one text of many: a JSON array, or lines without an end behind the last one.
type Frame struct{ Begin, Between, End string }

// Bytes returns the format of raw bytes: data of kind BYTES as they are, as Confluent's ByteArrayFormat writes them,
// and data of kind STRING in UTF-8.
func Bytes(o BytesOptions) (Format, error) {
	if err := o.Compression.Validate(); err != nil {
		return nil, err
	}
	if o.Extension == "" {
		o.Extension = ".bin"
	}
	if o.Separator == nil {
		o.Separator = []byte{'\n'}
	}
	return &bytesFormat{o: o, lender: newLender(o.Compression)}, nil
}

type bytesFormat struct {
	o      BytesOptions
	lender *lender
}

func (f *bytesFormat) Extension() string { return f.o.Extension + f.o.Compression.Extension() }

func (f *bytesFormat) ContentType() string {
	return f.o.Compression.contentType("application/octet-stream")
}

func (f *bytesFormat) NewWriter(out io.Writer, _ connect.Datum) (Writer, error) {
	return &bytesWriter{stream: newStream(out, f.lender), o: &f.o}, nil
}

type bytesWriter struct {
	*stream
	o     *BytesOptions
	begun bool
}

// Write implements [Writer].
func (w *bytesWriter) Write(d connect.Datum) error {
	if w.err != nil {
		return w.err
	}
	b, isBytes := d.Value.Bytes()
	text, isText := d.Value.Str()
	size := len(b) + len(text)
	switch {
	case !isBytes && !isText:
		return dataError("raw bytes are of BYTES or STRING data, found %s (set the converter to ByteArrayConverter or StringConverter)", found(d))
	case w.o.LengthPrefix && int64(size) > math.MaxUint32:
		return dataError("found %d bytes, allowed with a prefix of 4 bytes are %d", size, uint32(math.MaxUint32))
	case w.o.LengthPrefix:
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(size))
	case w.o.Frame != nil && w.begun:
		w.buf = append(w.buf, w.o.Frame.Between...)
	case w.o.Frame != nil:
		w.buf = append(w.buf, w.o.Frame.Begin...)
	}
	w.begun = true
	w.buf = append(append(w.buf, b...), text...)
	if !w.o.LengthPrefix && w.o.Frame == nil {
		w.buf = append(w.buf, w.o.Separator...)
	}
	return w.ready()
}

// Close implements [Writer].
func (w *bytesWriter) Close() error {
	if w.o.Frame != nil && w.begun {
		w.buf = append(w.buf, w.o.Frame.End...)
	}
	return w.stream.Close()
}

// found names what a datum is, for messages.
func found(d connect.Datum) string {
	switch {
	case d.Value.Kind() == data.KindNull:
		return "null"
	case d.Schema == nil:
		return d.Value.Kind().String() + " without a schema"
	}
	return d.Schema.String()
}
