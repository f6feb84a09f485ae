package format

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// A compressor takes megabytes of memory, far more than most files hold back. So a file has one on loan only while it has something
// to compress and memory is not short; the next file gets the same one.
type compressor struct {
	engine
	to target
}

type engine interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

var (
	_ engine = (*flate.Writer)(nil)
	_ engine = (*zstd.Encoder)(nil)
	_ engine = (*s2.Writer)(nil)
)

// A target is where a compressor writes to; one that nobody uses keeps no file alive.
type target struct{ io.Writer }

// zstdWindow is how far zstd looks back; records repeat themselves within less.
const zstdWindow = 256 << 10

// A lender has the compressors of a format. It is used by one goroutine.
type lender struct {
	c      Compression
	memory int64 // of one
	free   *compressor
}

// newLender returns nil for no compression.
func newLender(c Compression) *lender {
	if c.Extension() == "" {
		return nil
	}
	return &lender{c: c, memory: c.memory()}
}

// memory is what a compressor takes, as measured (TestCompressorsTakeWhatTheySay).
func (c Compression) memory() int64 {
	switch c.Type {
	case Snappy:
		return 256 << 10
	case Gzip:
		return 1408 << 10
	}
	switch c.zstdLevel() {
	case zstd.SpeedFastest:
		return 1 << 20
	case zstd.SpeedDefault:
		return 2560 << 10
	case zstd.SpeedBetterCompression:
		return 5376 << 10
	}
	return 36 << 20
}

func (c Compression) zstdLevel() zstd.EncoderLevel {
	if c.Level == DefaultLevel {
		return zstd.SpeedDefault
	}
	return zstd.EncoderLevelFromZstd(c.Level)
}

// take returns a compressor that writes to out. None starts a goroutine.
func (l *lender) take(out io.Writer) (*compressor, error) {
	if c := l.free; c != nil {
		l.free = nil
		c.to.Writer = out
		c.Reset(&c.to)
		return c, nil
	}
	c := &compressor{to: target{out}}
	var err error
	switch l.c.Type {
	case Gzip:
		c.engine, err = flate.NewWriter(&c.to, l.c.Level)
	case Zstd:
		c.engine, err = zstd.NewWriter(&c.to, zstd.WithEncoderLevel(l.c.zstdLevel()), zstd.WithEncoderConcurrency(1),
			zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(zstdWindow))
	default:
		c.engine = s2.NewWriter(&c.to, s2.WriterSnappyCompat(), s2.WriterConcurrency(1), s2.WriterBlockSize(64<<10))
	}
	return c, err
}

// giveBack takes a compressor that has ended.
func (l *lender) giveBack(c *compressor) {
	c.to.Writer = nil
	l.free = c
}

const (
	// pieceSize is how much is gathered before it is compressed.
	pieceSize = 64 << 10
	// plainSize is how much is gathered where nothing compresses it.
	plainSize = 16 << 10
)

// A stream gathers what a writer of text or bytes has ready, compresses it, and hands it on. What is
// appended to buf is whole data only; ready hands it on when there is enough.
type stream struct {
	buf    []byte
	out    io.Writer
	err    error
	lender *lender     // nil: no compression
	comp   *compressor // on loan, nil: none is
	into   int64       // bytes given to the compressor since it was flushed
	gzip   gzipState
}

// gzipState is what a file of gzip needs beside compressed data: with it, it is one member, whichever compressors wrote it.
type gzipState struct {
	begun bool
	sum   uint32
	size  uint32
}

var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// lastBlock is an empty one, which ends the data of a member.
var lastBlock = []byte{1, 0, 0, 0xff, 0xff}

func newStream(out io.Writer, l *lender) *stream { return &stream{out: out, lender: l} }

func (s *stream) isGzip() bool { return s.lender != nil && s.lender.c.Type == Gzip }

// ready hands on what is gathered if that is a piece.
func (s *stream) ready() error {
	if len(s.buf) < plainSize || s.lender != nil && len(s.buf) < pieceSize {
		return nil
	}
	return s.push()
}

func (s *stream) push() error {
	if s.err != nil || len(s.buf) == 0 {
		return s.err
	}
	if s.lender == nil {
		_, s.err = s.out.Write(s.buf)
	} else {
		s.err = s.compress(s.buf)
	}
	if s.buf = s.buf[:0]; cap(s.buf) > 2*pieceSize { // one datum was huge
		s.buf = nil
	}
	return s.err
}

func (s *stream) compress(p []byte) error {
	if s.comp == nil {
		if err := s.begin(); err != nil {
			return err
		}
		c, err := s.lender.take(s.out)
		if err != nil {
			return err
		}
		s.comp = c
	}
	if s.isGzip() {
		s.gzip.sum = crc32.Update(s.gzip.sum, crc32.IEEETable, p)
		s.gzip.size += uint32(len(p))
	}
	s.into += int64(len(p))
	_, err := s.comp.Write(p)
	return err
}

// begin writes what comes before compressed data.
func (s *stream) begin() error {
	if !s.isGzip() || s.gzip.begun {
		return nil
	}
	s.gzip.begun = true
	_, err := s.out.Write(gzipHeader)
	return err
}

// Buffered implements [Writer].
func (s *stream) Buffered() int64 {
	n := int64(len(s.buf))
	if s.comp != nil {
		n += min(s.into, s.lender.c.held())
	}
	return n
}

// Memory implements [Writer].
func (s *stream) Memory() int64 {
	n := int64(cap(s.buf))
	if s.comp != nil {
		n += s.lender.memory
	}
	return n
}

// Flush implements [Writer]. A compressor ends its frame, or that of gzip its block, and is given back.
func (s *stream) Flush() error {
	if err := s.push(); err != nil {
		return err
	}
	s.buf = nil
	if s.comp == nil {
		return nil
	}
	if s.isGzip() {
		s.err = s.comp.Flush()
	} else {
		s.err = s.comp.Close()
	}
	return s.endLoan()
}

func (s *stream) endLoan() error {
	if s.err == nil {
		s.lender.giveBack(s.comp)
	}
	s.comp, s.into = nil, 0
	return s.err
}

// Close implements [Writer].
func (s *stream) Close() error {
	if err := s.push(); err != nil {
		return err
	}
	s.buf = nil
	if s.isGzip() {
		s.err = s.endMember()
		return s.err
	}
	if s.comp == nil {
		return nil
	}
	s.err = s.comp.Close()
	return s.endLoan()
}

// endMember ends the data and writes what comes behind.
func (s *stream) endMember() error {
	if err := s.begin(); err != nil {
		return err
	}
	var end []byte
	if s.comp == nil {
		end = append(end, lastBlock...)
	} else {
		s.err = s.comp.Close()
		if err := s.endLoan(); err != nil {
			return err
		}
	}
	end = binary.LittleEndian.AppendUint32(end, s.gzip.sum)
	_, err := s.out.Write(binary.LittleEndian.AppendUint32(end, s.gzip.size))
	return err
}
