package format

import (
	"io"

	"github.com/streamlane/connect"
)

// Named returns a format that is as f but for the end of its names.
func Named(f Format, extension string) Format { return named{f, extension} }

type named struct {
	Format
	extension string
}

func (f named) Extension() string { return f.extension }

// Compressed returns a format whose files are those of f, compressed as a whole.
func Compressed(f Format, c Compression) (Format, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return compressed{f, c, newLender(c)}, nil
}

type compressed struct {
	Format
	c      Compression
	lender *lender
}

func (f compressed) Extension() string { return f.Format.Extension() + f.c.Extension() }

func (f compressed) ContentType() string { return f.c.contentType(f.Format.ContentType()) }

func (f compressed) NewWriter(out io.Writer, first connect.Datum) (Writer, error) {
	s := newStream(out, f.lender)
	inner, err := f.Format.NewWriter(streamWriter{s}, first)
	if err != nil {
		return nil, err
	}
	return &compressedWriter{inner, s}, nil
}

// streamWriter writes into a stream.
type streamWriter struct{ s *stream }

func (w streamWriter) Write(p []byte) (int, error) {
	w.s.buf = append(w.s.buf, p...)
	return len(p), w.s.ready()
}

type compressedWriter struct {
	inner  Writer
	stream *stream
}

// Write implements [Writer].
func (w *compressedWriter) Write(d connect.Datum) error { return w.inner.Write(d) }

// Buffered implements [Writer].
func (w *compressedWriter) Buffered() int64 { return w.inner.Buffered() + w.stream.Buffered() }

// Memory implements [Writer].
func (w *compressedWriter) Memory() int64 { return w.inner.Memory() + w.stream.Memory() }

// Flush implements [Writer].
func (w *compressedWriter) Flush() error {
	if err := w.inner.Flush(); err != nil {
		return err
	}
	return w.stream.Flush()
}

// Close implements [Writer].
func (w *compressedWriter) Close() error {
	if err := w.inner.Close(); err != nil {
		return err
	}
	return w.stream.Close()
}
