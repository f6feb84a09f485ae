package parquet

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/lz4"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/avrodata"
)

// Codec compresses the pages of a file. Its values are those of Confluent's parquet.codec. "" is [Snappy].
type Codec string

// The codecs. Hadoop's lz4 and lzo are refused: few readers know them.
const (
	None   Codec = "none"
	Snappy Codec = "snappy"
	Gzip   Codec = "gzip"
	Zstd   Codec = "zstd"
	LZ4Raw Codec = "lz4_raw"
	Brotli Codec = "brotli"
)

// Codecs returns the names of all codecs.
func Codecs() []Codec { return []Codec{None, Snappy, Gzip, Zstd, LZ4Raw, Brotli} }

// codecOf returns the codec with what it adds to names of files, as parquet-hadoop's CompressionCodecName has it.
func codecOf(c Codec) (codec compress.Codec, extension string) {
	switch c {
	case Snappy:
		return &parquet.Snappy, ".snappy"
	case Gzip:
		return &parquet.Gzip, ".gz"
	case Zstd:
		return &parquet.Zstd, ".zstd"
	case LZ4Raw:
		return &lz4.Codec{Level: lz4.Fastest}, ".lz4raw" // the library's default takes ten times as long, for little
	case Brotli:
		return &parquet.Brotli, ".br"
	}
	return &parquet.Uncompressed, ""
}

// Options configure [New]. The zero Options are those of Confluent's S3 sink, but for Schema.
type Options struct {
	// Codec compresses pages (parquet.codec).
	Codec Codec
	// Schema has the keys that Confluent's AvroData takes. Scrub changes names of columns.
	Schema avrodata.Options
	// RowGroupSize is how many bytes of memory a row group takes before it is written. 0 is 128 MiB; at least 1,024.
	RowGroupSize int64
	// RowGroupRows is the most rows of a row group. 0 is no bound.
	RowGroupRows int64
	// PageSize is how many bytes of a column, before compression, make a page. 0 is 64 KiB; allowed are 1,024 to 1<<28.
	PageSize int
	// NoDictionary leaves out the dictionaries of texts.
	NoDictionary bool
}

// dictionarySize is the most that the dictionary of a column takes; texts that differ more are written plain.
const dictionarySize = 1 << 20

// New returns the format of Parquet files.
func New(o Options) (format.Format, error) {
	o.Codec = cmp.Or(o.Codec, Snappy)
	o.RowGroupSize, o.PageSize = cmp.Or(o.RowGroupSize, 128<<20), cmp.Or(o.PageSize, 64<<10)
	switch {
	case !slices.Contains(Codecs(), o.Codec):
		return nil, fmt.Errorf("found Parquet codec %q, allowed are %v", o.Codec, Codecs())
	case o.RowGroupSize < 1024:
		return nil, fmt.Errorf("found a row group size of %d bytes, allowed are 1024 and more", o.RowGroupSize)
	case o.RowGroupRows < 0:
		return nil, fmt.Errorf("found %d rows for a row group, allowed are 0 (no bound) and more", o.RowGroupRows)
	case o.PageSize < 1024 || o.PageSize > 1<<28:
		return nil, fmt.Errorf("found a page size of %d bytes, allowed are 1024 to %d", o.PageSize, 1<<28)
	}
	return &parquetFormat{o: o}, nil
}

type parquetFormat struct {
	o    Options
	plan *plan // of the last schema
}

func (f *parquetFormat) Extension() string {
	_, extension := codecOf(f.o.Codec)
	return extension + ".parquet"
}

func (f *parquetFormat) ContentType() string { return "application/vnd.apache.parquet" }

var errSchemaless = errors.New("Parquet files need a schema, found data without: set a converter that has schemas (Avro, Protobuf, " + //nolint:staticcheck // a name
	"JSON Schema, or JsonConverter with schemas.enable=true), or write JSON")

func (f *parquetFormat) NewWriter(out io.Writer, first connect.Datum) (format.Writer, error) {
	s := first.Schema
	if s == nil {
		return nil, &format.DataError{Err: errSchemaless}
	}
	if s.Kind() != data.KindStruct {
		return nil, &format.DataError{Err: fmt.Errorf("Parquet files hold structs, found %s: wrap it (HoistField), or choose another format", s)} //nolint:staticcheck // a name
	}
	if f.plan == nil || !f.plan.root.accepts(s) {
		p, err := f.o.planOf(s)
		if err != nil {
			return nil, &format.DataError{Err: fmt.Errorf("no Parquet schema for %s: %w", s, err)}
		}
		p.press = newPress(&f.o, p)
		f.plan = p
	}
	return newWriter(out, &f.o, f.plan), nil
}
