package avro

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/avrodata"
)

// Codec compresses the blocks of a file. Its values are the names that the Avro specification has. "" is [Null].
type Codec string

// The codecs.
const (
	Null      Codec = "null"
	Deflate   Codec = "deflate"
	Snappy    Codec = "snappy"
	Zstandard Codec = "zstandard"
)

// Codecs returns the names of all codecs.
func Codecs() []Codec { return []Codec{Null, Deflate, Snappy, Zstandard} }

// Options configure [New]. The zero Options are those of Confluent's S3 sink, but for Schema.
type Options struct {
	// Codec compresses blocks (avro.codec).
	Codec Codec
	// Schema has the keys that Confluent's AvroData takes (enhanced.avro.schema.support, connect.meta.data,
	// allow.optional.map.keys, ...).
	Schema avrodata.Options
	// BlockSize is how many bytes of data, before compression, make a block. 0 is 64,000, the default of Avro's
	// library for Java; allowed are 32 to 1<<30.
	BlockSize int
}

// New returns the format of Avro's object container files.
func New(o Options) (format.Format, error) {
	o.Codec, o.BlockSize = cmp.Or(o.Codec, Null), cmp.Or(o.BlockSize, 64_000)
	if !slices.Contains(Codecs(), o.Codec) {
		return nil, fmt.Errorf("found Avro codec %q, allowed are %v", o.Codec, Codecs())
	}
	if o.BlockSize < 32 || o.BlockSize > 1<<30 {
		return nil, fmt.Errorf("found a block size of %d bytes, allowed are 32 to %d", o.BlockSize, 1<<30)
	}
	return &avroFormat{o: o}, nil
}

type avroFormat struct {
	o      Options
	schema *data.Schema // of header and enc
	header []byte       // of files, without the sync marker
	enc    avrodata.Encoder
}

func (f *avroFormat) Extension() string   { return ".avro" }
func (f *avroFormat) ContentType() string { return "application/avro" }

// prepare lays a schema out, unless the last file was of the same one.
func (f *avroFormat) prepare(s *data.Schema) error {
	if f.header != nil && (s == f.schema || s != nil && f.schema != nil && s.Equal(f.schema)) {
		return nil
	}
	a, err := f.o.Schema.FromConnect(s)
	if err != nil {
		return fmt.Errorf("no Avro schema for %s: %w", s, err)
	}
	text, err := a.Text()
	if err != nil {
		return fmt.Errorf("no Avro schema for %s: %w", s, err)
	}
	if s != nil { // names that Avro does not allow are said here, and not by who reads the file
		if err := avrodata.CheckNames(a); err != nil {
			return fmt.Errorf("no Avro schema for %s: %w", s, err)
		}
	}
	if f.enc, err = f.o.Schema.NewEncoder(s, a, true); err != nil {
		return err
	}
	header := binary.AppendVarint([]byte("Obj\x01"), 2)
	for _, entry := range []string{"avro.codec", string(f.o.Codec), "avro.schema", text} {
		header = append(binary.AppendVarint(header, int64(len(entry))), entry...)
	}
	f.schema, f.header = s, append(header, 0)
	return nil
}

func (f *avroFormat) NewWriter(out io.Writer, first connect.Datum) (format.Writer, error) {
	if err := f.prepare(first.Schema); err != nil {
		return nil, &format.DataError{Err: err}
	}
	w := &writer{out: out, o: &f.o, schema: f.schema, enc: f.enc}
	if _, err := rand.Read(w.sync[:]); err != nil {
		return nil, fmt.Errorf("sync marker: %w", err)
	}
	w.piece = append(append(w.piece, f.header...), w.sync[:]...)
	return w, nil
}

// pieceSize is how much goes to the output at once.
const pieceSize = 64 << 10

// writer writes one file: blocks of data, each with the number of data and its size before and the sync marker behind.
type writer struct {
	out    io.Writer
	o      *Options
	schema *data.Schema
	equal  *data.Schema // the last schema that was found to equal it
	enc    avrodata.Encoder
	sync   [16]byte
	block  []byte // data
	count  int64  // of data in block
	piece  []byte // whole blocks that are not written yet
	packed []byte // room for a compressed block
	flate  *flate.Writer
	zstd   *zstd.Encoder
	err    error
}

// Write implements [format.Writer].
func (w *writer) Write(d connect.Datum) error {
	if w.err != nil {
		return w.err
	}
	if !w.accepts(d.Schema) {
		return &format.DataError{Err: fmt.Errorf("found a datum of %s in a file of %s", d.Schema, w.schema)}
	}
	out, err := w.enc.Append(w.block, d.Value)
	if err != nil {
		return &format.DataError{Err: err}
	}
	w.block, w.count = out, w.count+1
	if len(w.block) < w.o.BlockSize {
		return nil
	}
	return w.endBlock(pieceSize)
}

func (w *writer) accepts(s *data.Schema) bool {
	if s == w.schema || s != nil && s == w.equal {
		return true
	}
	if s == nil || w.schema == nil || !s.Equal(w.schema) {
		return false
	}
	w.equal = s
	return true
}

// endBlock ends the block, and writes blocks out if they are as many bytes as given.
func (w *writer) endBlock(least int) error {
	if w.count > 0 {
		packed, err := w.compressed()
		if err != nil {
			w.err = fmt.Errorf("codec %s: %w", w.o.Codec, err)
			return w.err
		}
		w.piece = binary.AppendVarint(w.piece, w.count)
		w.piece = binary.AppendVarint(w.piece, int64(len(packed)))
		w.piece = append(append(w.piece, packed...), w.sync[:]...)
		w.block, w.count = w.block[:0], 0
	}
	if len(w.piece) < least || len(w.piece) == 0 {
		return nil
	}
	_, w.err = w.out.Write(w.piece)
	w.piece = w.piece[:0]
	return w.err
}

// compressed returns the block as the codec has it, in room that the next call takes back.
func (w *writer) compressed() (_ []byte, err error) {
	switch w.o.Codec {
	case Deflate:
		into := bytes.NewBuffer(w.packed[:0])
		if w.flate == nil {
			w.flate, err = flate.NewWriter(into, flate.DefaultCompression)
		} else {
			w.flate.Reset(into)
		}
		if err == nil {
			_, err = w.flate.Write(w.block)
		}
		if err == nil {
			err = w.flate.Close()
		}
		w.packed = into.Bytes()
	case Snappy:
		if most := s2.MaxEncodedLen(len(w.block)); cap(w.packed) < most+4 {
			w.packed = make([]byte, 0, most+4)
		}
		packed := s2.EncodeSnappy(w.packed[:cap(w.packed)], w.block)
		w.packed = binary.BigEndian.AppendUint32(packed, crc32.ChecksumIEEE(w.block))
	case Zstandard:
		if w.zstd == nil {
			w.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		}
		if err == nil {
			w.packed = w.zstd.EncodeAll(w.block, w.packed[:0])
		}
	default:
		return w.block, nil
	}
	return w.packed, err
}

// Buffered implements [format.Writer].
func (w *writer) Buffered() int64 { return int64(len(w.block) + len(w.piece)) }

// Flush implements [format.Writer]: the block ends early.
func (w *writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	return w.endBlock(0)
}

// Close implements [format.Writer].
func (w *writer) Close() error { return w.Flush() }
