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
	packer packer
}

// A packer compresses blocks, those of all files one after another.
type packer struct {
	packed []byte // room for a compressed block
	flate  *flate.Writer
	zstd   *zstd.Encoder
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
	w := &writer{out: out, o: &f.o, packer: &f.packer, header: f.header, schema: f.schema, enc: f.enc}
	if _, err := rand.Read(w.sync[:]); err != nil {
		return nil, fmt.Errorf("sync marker: %w", err)
	}
	return w, nil
}

// writer writes one file: blocks of data, each with the number of data and its size before and the sync marker behind.
type writer struct {
	out    io.Writer
	o      *Options
	packer *packer
	header []byte // until it is written
	schema *data.Schema
	equal  *data.Schema // the last schema that was found to equal it
	enc    avrodata.Encoder
	sync   [16]byte
	block  []byte // data
	count  int64  // of data in block
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
	return w.endBlock()
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

// endBlock writes the block, and before the first the header.
func (w *writer) endBlock() error {
	if w.header != nil {
		if _, w.err = w.out.Write(append(slices.Clip(w.header), w.sync[:]...)); w.err != nil {
			return w.err
		}
		w.header = nil
	}
	if w.count == 0 {
		return nil
	}
	packed, err := w.packer.pack(w.o.Codec, w.block)
	if err != nil {
		w.err = fmt.Errorf("codec %s: %w", w.o.Codec, err)
		return w.err
	}
	var sizes [2 * binary.MaxVarintLen64]byte
	for _, p := range [][]byte{binary.AppendVarint(binary.AppendVarint(sizes[:0], w.count), int64(len(packed))), packed, w.sync[:]} {
		if _, w.err = w.out.Write(p); w.err != nil {
			return w.err
		}
	}
	w.block, w.count = w.block[:0], 0
	return nil
}

// pack returns a block as the codec has it, in room that the next call takes back.
func (p *packer) pack(codec Codec, block []byte) (_ []byte, err error) {
	switch codec {
	case Deflate:
		into := bytes.NewBuffer(p.packed[:0])
		if p.flate == nil {
			p.flate, err = flate.NewWriter(into, flate.DefaultCompression)
		} else {
			p.flate.Reset(into)
		}
		if err == nil {
			_, err = p.flate.Write(block)
		}
		if err == nil {
			err = p.flate.Close()
		}
		p.packed = into.Bytes()
	case Snappy:
		if most := s2.MaxEncodedLen(len(block)); cap(p.packed) < most+4 {
			p.packed = make([]byte, 0, most+4)
		}
		packed := s2.EncodeSnappy(p.packed[:cap(p.packed)], block)
		p.packed = binary.BigEndian.AppendUint32(packed, crc32.ChecksumIEEE(block))
	case Zstandard:
		if p.zstd == nil {
			p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		}
		if err == nil {
			p.packed = p.zstd.EncodeAll(block, p.packed[:0])
		}
	default:
		return block, nil
	}
	return p.packed, err
}

// Buffered implements [format.Writer].
func (w *writer) Buffered() int64 { return int64(len(w.block)) }

// Memory implements [format.Writer].
func (w *writer) Memory() int64 { return int64(cap(w.block)) }

// Flush implements [format.Writer]: the block ends early.
func (w *writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	err := w.endBlock()
	w.block = nil
	return err
}

// Close implements [format.Writer].
func (w *writer) Close() error { return w.Flush() }
