package format

import (
	"bufio"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// CompressionType is a way to compress whole files. "" is [NoCompression].
type CompressionType string

// The compressions of whole files.
const (
	NoCompression CompressionType = "none"
	Gzip          CompressionType = "gzip"
	Zstd          CompressionType = "zstd"
	Snappy        CompressionType = "snappy" // the framing format, one chunk for each 64 KiB
)

// DefaultLevel lets the compression choose its level.
const DefaultLevel = -1

// Compression says how a file is compressed as a whole. The zero Compression is none.
type Compression struct {
	Type CompressionType
	// Level is from 0 (store) to 9 (smallest) for gzip, from 1 to 22 for zstd, and not to be chosen for snappy.
	// DefaultLevel, -1, is 6 for gzip and 3 for zstd. It does not count without compression.
	Level int
}

// CompressionTypes returns the names of the compressions.
func CompressionTypes() []CompressionType {
	return []CompressionType{NoCompression, Gzip, Zstd, Snappy}
}

// Validate says what is wrong with type and level.
func (c Compression) Validate() error {
	lowest, highest := 0, 0
	switch c.Type {
	case "", NoCompression:
		return nil
	case Gzip:
		highest = 9
	case Zstd:
		lowest, highest = 1, 22
	case Snappy:
		if c.Level != DefaultLevel {
			return fmt.Errorf("snappy has no levels: found %d, allowed is %d", c.Level, DefaultLevel)
		}
		return nil
	default:
		return fmt.Errorf("found compression %q, allowed are %v", c.Type, CompressionTypes())
	}
	if c.Level != DefaultLevel && (c.Level < lowest || c.Level > highest) {
		return fmt.Errorf("found compression level %d, allowed for %s are %d to %d, and %d for its default", c.Level, c.Type, lowest, highest, DefaultLevel)
	}
	return nil
}

// Extension is what the compression adds to the names of files, "" for none.
func (c Compression) Extension() string {
	switch c.Type {
	case Gzip:
		return ".gz"
	case Zstd:
		return ".zst"
	case Snappy:
		return ".sz"
	}
	return ""
}

// contentType is that of the compressed file, plain without compression.
func (c Compression) contentType(plain string) string {
	switch c.Type {
	case Gzip:
		return "application/gzip"
	case Zstd:
		return "application/zstd"
	case Snappy:
		return "application/x-snappy-framed"
	}
	return plain
}

// A compressor turns what it is given into a compressed stream.
type compressor interface {
	io.WriteCloser
	Flush() error
}

var (
	_ compressor = (*gzip.Writer)(nil)
	_ compressor = (*zstd.Encoder)(nil)
	_ compressor = (*s2.Writer)(nil)
)

// held is the most of its input that a compressor keeps back.
func (c Compression) held() int64 {
	if c.Type == Zstd {
		return zstdWindow
	}
	return 64 << 10
}

// zstdWindow keeps a thousand open files in bounds; records repeat themselves within less.
const zstdWindow = 256 << 10

// compressor returns one that writes to out, nil for none. None starts a goroutine.
func (c Compression) compressor(out io.Writer) (compressor, error) {
	switch c.Type {
	case Gzip:
		return gzip.NewWriterLevel(out, c.Level)
	case Zstd:
		level := zstd.SpeedDefault
		if c.Level != DefaultLevel {
			level = zstd.EncoderLevelFromZstd(c.Level)
		}
		return zstd.NewWriter(out, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1),
			zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(zstdWindow))
	case Snappy:
		return s2.NewWriter(out, s2.WriterSnappyCompat(), s2.WriterConcurrency(1), s2.WriterBlockSize(64<<10)), nil
	}
	return nil, nil
}

// pieceSize is how much is gathered before it goes on.
const pieceSize = 64 << 10

// A stream gathers what a writer of text or bytes has ready, compresses it, and hands it on in large pieces. What is
// appended to buf is whole data only; ready hands it on when there is enough.
type stream struct {
	buf   []byte
	out   io.Writer
	err   error
	comp  compressor // nil: none
	piece *bufio.Writer
	into  int64 // bytes given to the compressor since it was flushed
	most  int64 // that it keeps back
}

func newStream(out io.Writer, c Compression) (*stream, error) {
	s := &stream{out: out, most: c.held()}
	if c.Extension() == "" {
		return s, nil
	}
	s.piece = bufio.NewWriterSize(out, 16<<10)
	comp, err := c.compressor(s.piece)
	s.comp = comp
	return s, err
}

// ready hands on what is gathered if that is a piece.
func (s *stream) ready() error {
	if len(s.buf) < pieceSize {
		return nil
	}
	return s.push()
}

func (s *stream) push() error {
	if s.err != nil || len(s.buf) == 0 {
		return s.err
	}
	if s.comp == nil {
		_, s.err = s.out.Write(s.buf)
	} else {
		_, s.err = s.comp.Write(s.buf)
		s.into += int64(len(s.buf))
	}
	if s.buf = s.buf[:0]; cap(s.buf) > 16*pieceSize { // one datum was huge
		s.buf = nil
	}
	return s.err
}

// Buffered implements [Writer].
func (s *stream) Buffered() int64 {
	n := int64(len(s.buf))
	if s.comp != nil {
		n += min(s.into, s.most) + int64(s.piece.Buffered())
	}
	return n
}

// Flush implements [Writer]. A compressor ends its block.
func (s *stream) Flush() error {
	if err := s.push(); err != nil || s.comp == nil {
		return err
	}
	if s.err = s.comp.Flush(); s.err == nil {
		s.err = s.piece.Flush()
	}
	s.into = 0
	return s.err
}

// Close implements [Writer].
func (s *stream) Close() error {
	if err := s.push(); err != nil || s.comp == nil {
		return err
	}
	if s.err = s.comp.Close(); s.err == nil {
		s.err = s.piece.Flush()
	}
	s.into = 0
	return s.err
}

func dataError(format string, args ...any) error {
	return &DataError{Err: fmt.Errorf(format, args...)}
}

// oneOf checks a choice among names.
func oneOf[T ~string](what string, found T, allowed ...T) error {
	if slices.Contains(allowed, found) {
		return nil
	}
	return fmt.Errorf("found %s %q, allowed are %v", what, found, allowed)
}
