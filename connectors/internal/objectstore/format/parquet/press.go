package parquet

import (
	"bytes"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A press makes the row groups of all files of a plan. The library's writer of a file takes much memory, a row of it or none: about 8 KiB for
// each column, and 1 KiB for each column and row group that it has written. So there is one for all files, which writes each row group
// as a file of its own; of that the row group is taken, and what the footer says of it, in its encoded form.
type press struct {
	pw   *parquet.GenericWriter[any]
	free *parquet.ConcurrentRowGroupWriter
	to   cutter
}

const (
	magic = "PAR1"
	// groupColumn is the memory that a column of a row group takes before it has pages (TestMemoryIsTold).
	groupColumn = 6 << 10
	// keptGroup is the most memory of a row group's writer that is kept for the next one.
	keptGroup = 1 << 20
)

func newPress(o *Options, p *plan) *press {
	codec, _ := codecOf(o.Codec)
	options := []parquet.WriterOption{
		p.schema, parquet.Compression(codec), parquet.PageBufferSize(o.PageSize), parquet.WriteBufferSize(0), parquet.DataPageVersion(1),
		parquet.ColumnPageBuffers(parquet.NewChunkBufferPool(pageChunk)), parquet.DictionaryMaxBytes(dictionarySize), parquet.CreatedBy("connect", "1.0.0", ""),
		parquet.DefaultEncoding(&parquet.Plain), // DuckDB reads no decimals that are DELTA_LENGTH_BYTE_ARRAY, the library's default
	}
	for _, c := range p.columns {
		if c.unordered {
			options = append(options, parquet.SkipPageBounds(c.path...))
		}
	}
	for k, v := range p.metadata {
		options = append(options, parquet.KeyValueMetadata(k, v))
	}
	return &press{pw: parquet.NewGenericWriter[any](io.Discard, options...)}
}

// begin returns a writer of a row group.
func (p *press) begin() *parquet.ConcurrentRowGroupWriter {
	if g := p.free; g != nil {
		p.free = nil
		return g
	}
	return p.pw.BeginRowGroup()
}

// A rowGroup is what the footer says of a row group, encoded: the row group, then the column indexes, then the offset indexes.
type rowGroup struct {
	encoded []byte
	ends    []int32 // of the parts
}

func (g *rowGroup) memory() int64 { return int64(cap(g.encoded)) + int64(cap(g.ends))*4 }

func (g *rowGroup) add(part []byte) {
	g.encoded = append(g.encoded, part...)
	g.ends = append(g.ends, int32(len(g.encoded)))
}

func (g *rowGroup) part(i int) []byte {
	from := int32(0)
	if i > 0 {
		from = g.ends[i-1]
	}
	return g.encoded[from:g.ends[i]]
}

// end writes a row group to out, which has offset bytes, and returns how many were written.
func (p *press) end(rg *parquet.ConcurrentRowGroupWriter, out io.Writer, offset int64) (rowGroup, int64, error) {
	p.to = cutter{out: out}
	defer func() { p.to = cutter{} }()
	p.pw.Reset(&p.to)
	if _, err := rg.Commit(); err != nil {
		return rowGroup{}, 0, err
	}
	written := p.to.at - int64(len(magic))
	p.to.behind = true
	if err := p.pw.Close(); err != nil {
		return rowGroup{}, 0, err
	}
	g, err := p.describe(offset - int64(len(magic)))
	return g, written, err
}

// describe takes what the footer says. Offsets move by so much.
func (p *press) describe(by int64) (rowGroup, error) {
	rg := &p.pw.File().Metadata().RowGroups[0]
	rg.FileOffset += by
	indexes := make([][]byte, 0, 2*len(rg.Columns))
	for i := range rg.Columns {
		c := &rg.Columns[i]
		indexes = append(indexes, p.to.cut(c.ColumnIndexOffset, c.ColumnIndexLength))
	}
	for i := range rg.Columns {
		c := &rg.Columns[i]
		moved, err := moveOffsets(p.to.cut(c.OffsetIndexOffset, c.OffsetIndexLength), by)
		if err != nil {
			return rowGroup{}, err
		}
		indexes = append(indexes, moved)
		c.ColumnIndexOffset, c.ColumnIndexLength, c.OffsetIndexOffset, c.OffsetIndexLength = 0, 0, 0, 0
		c.MetaData.DataPageOffset += by
		if c.MetaData.DictionaryPageOffset > 0 {
			c.MetaData.DictionaryPageOffset += by
		}
	}
	text, err := thrift.Marshal(new(thrift.CompactProtocol), rg)
	if err != nil {
		return rowGroup{}, fmt.Errorf("footer: %w", err)
	}
	size := len(text)
	for _, x := range indexes {
		size += len(x)
	}
	g := rowGroup{encoded: make([]byte, 0, size), ends: make([]int32, 0, 1+len(indexes))}
	g.add(text)
	for _, x := range indexes {
		g.add(x)
	}
	return g, nil
}

func moveOffsets(index []byte, by int64) ([]byte, error) {
	var x format.OffsetIndex
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), index, &x); err != nil {
		return nil, fmt.Errorf("offset index: %w", err)
	}
	for i := range x.PageLocations {
		x.PageLocations[i].Offset += by
	}
	return thrift.Marshal(new(thrift.CompactProtocol), &x)
}

// footer returns all that follows the row groups in a file of so many bytes.
func (p *press) footer(groups []rowGroup, offset int64) ([]byte, error) {
	meta, err := p.meta()
	if err != nil {
		return nil, err
	}
	meta.RowGroups = make([]format.RowGroup, len(groups))
	meta.NumRows = 0
	for i := range groups {
		rg := &meta.RowGroups[i]
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), groups[i].part(0), rg); err != nil {
			return nil, fmt.Errorf("footer: %w", err)
		}
		rg.Ordinal = int16(i)
		meta.NumRows += rg.NumRows
	}
	var out bytes.Buffer
	for kind := range 2 {
		for i, g := range groups {
			columns := meta.RowGroups[i].Columns
			for j := range columns {
				part := g.part(1 + kind*len(columns) + j)
				c, at, size := &columns[j], offset+int64(out.Len()), int32(len(part))
				if kind == 0 {
					c.ColumnIndexOffset, c.ColumnIndexLength = at, size
				} else {
					c.OffsetIndexOffset, c.OffsetIndexLength = at, size
				}
				out.Write(part)
			}
		}
	}
	text, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	out.Write(text)
	n := len(text)
	out.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
	out.WriteString(magic)
	return out.Bytes(), nil
}

// meta returns what the library says of a file without rows.
func (p *press) meta() (format.FileMetaData, error) {
	p.pw.Reset(io.Discard)
	if err := p.pw.Close(); err != nil {
		return format.FileMetaData{}, err
	}
	return *p.pw.File().Metadata(), nil
}

// A cutter lets a row group through, and keeps what is written behind it.
type cutter struct {
	out    io.Writer
	at     int64
	behind bool
	rest   bytes.Buffer
	from   int64 // where rest begins
}

// Write implements io.Writer.
func (c *cutter) Write(b []byte) (int, error) {
	n := len(b)
	if c.behind {
		if c.rest.Len() == 0 {
			c.from = c.at
		}
		c.at += int64(n)
		return c.rest.Write(b)
	}
	skip := min(max(int64(len(magic))-c.at, 0), int64(n))
	c.at += int64(n)
	if _, err := c.out.Write(b[skip:]); err != nil {
		return 0, err
	}
	return n, nil
}

func (c *cutter) cut(offset int64, size int32) []byte {
	return c.rest.Bytes()[offset-c.from:][:size]
}
