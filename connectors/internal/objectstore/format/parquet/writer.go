package parquet

import (
	"bufio"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

const (
	// batchRows and batchBytes bound what is shredded before it goes on to the columns.
	batchRows  = 64
	batchBytes = 256 << 10
	pieceSize  = 16 << 10
)

// writer writes one file.
type writer struct {
	shredder
	o     *Options
	plan  *plan
	out   *bufio.Writer
	pages *pages
	pw    *parquet.GenericWriter[any]
	into  []*parquet.ColumnWriter
	held  []held
	marks []int
	batch int   // rows that are shredded only
	rows  int64 // of the row group
	err   error
}

// held is what is known of the memory of a column's writer.
type held struct {
	page int64 // bytes of the page that is not ended
	dict int64 // bytes in the dictionary, at most
}

func newWriter(out io.Writer, o *Options, p *plan) *writer {
	w := &writer{o: o, plan: p, out: bufio.NewWriterSize(out, pieceSize), pages: &pages{pool: parquet.NewChunkBufferPool(8 << 10)}}
	codec, _ := codecOf(o.Codec)
	options := []parquet.WriterOption{
		p.schema, parquet.Compression(codec), parquet.PageBufferSize(o.PageSize), parquet.WriteBufferSize(0), parquet.DataPageVersion(1),
		parquet.ColumnPageBuffers(w.pages), parquet.DictionaryMaxBytes(dictionarySize), parquet.CreatedBy("connect", "1.0.0", ""),
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
	w.pw = parquet.NewGenericWriter[any](w.out, options...)
	w.into = w.pw.ColumnWriters()
	n := len(w.into)
	w.columns, w.held, w.marks = make([][]parquet.Value, n), make([]held, n), make([]int, n)
	return w
}

// Write implements [format.Writer].
func (w *writer) Write(d connect.Datum) error {
	if w.err != nil {
		return w.err
	}
	for i := range w.columns {
		w.marks[i] = len(w.columns[i])
	}
	before, room := w.bytes, len(w.room)
	if err := w.put(w.plan.root, d.Value, 0, 0); err != nil {
		for i, mark := range w.marks {
			w.columns[i] = w.columns[i][:mark]
		}
		w.bytes, w.room = before, w.room[:room]
		return &format.DataError{Err: err}
	}
	w.batch++
	w.rows++
	if w.batch < batchRows && w.bytes < batchBytes && w.rows != w.o.RowGroupRows {
		return nil
	}
	if err := w.drain(); err != nil {
		return err
	}
	if w.rows == w.o.RowGroupRows || w.Buffered() >= w.o.RowGroupSize {
		return w.endGroup()
	}
	return nil
}

// drain gives what is shredded to the writers of columns.
func (w *writer) drain() error {
	if w.err != nil || w.batch == 0 {
		return w.err
	}
	for i, values := range w.columns {
		if _, err := w.into[i].WriteRowValues(values); err != nil {
			w.err = fmt.Errorf("column %q: %w", w.plan.columns[i].path, err)
			return w.err
		}
		w.count(i, values)
		clear(values) // let go of the records
		w.columns[i] = values[:0]
	}
	w.room, w.bytes, w.batch = w.room[:0], 0, 0
	return nil
}

// count adds what a column's writer holds of values.
func (w *writer) count(i int, values []parquet.Value) {
	h, page := &w.held[i], int64(len(values))*2
	for j := range values {
		size := int64(8)
		if k := values[j].Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			size = int64(len(values[j].ByteArray())) + 8
		}
		if w.plan.columns[i].dictionary {
			h.dict, size = min(h.dict+size, dictionarySize+int64(w.o.PageSize)), 4
		}
		page += size
	}
	if h.page += page; h.page >= int64(w.o.PageSize) {
		h.page %= int64(w.o.PageSize)
	}
}

// Buffered implements [format.Writer].
func (w *writer) Buffered() int64 {
	n := w.bytes + w.pages.held + int64(w.out.Buffered())
	for i := range w.held {
		n += w.held[i].page + w.held[i].dict
	}
	return n
}

// endGroup ends the row group.
func (w *writer) endGroup() error {
	if err := w.drain(); err != nil {
		return err
	}
	if w.err = w.pw.Flush(); w.err == nil {
		w.err = w.out.Flush()
	}
	w.rows = 0
	clear(w.held)
	return w.err
}

// Flush implements [format.Writer]: the row group ends early.
func (w *writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	return w.endGroup()
}

// Close implements [format.Writer].
func (w *writer) Close() error {
	if err := w.drain(); err != nil {
		return err
	}
	if w.err = w.pw.Close(); w.err == nil {
		w.err = w.out.Flush()
	}
	clear(w.held)
	return w.err
}

// pages lends buffers for pages that are compressed, and counts what is in them.
type pages struct {
	pool parquet.BufferPool
	held int64
}

// GetBuffer implements parquet.BufferPool.
func (p *pages) GetBuffer() io.ReadWriteSeeker {
	return &page{ReadWriteSeeker: p.pool.GetBuffer(), of: p}
}

// PutBuffer implements parquet.BufferPool.
func (p *pages) PutBuffer(b io.ReadWriteSeeker) {
	if b, ok := b.(*page); ok {
		p.held -= b.size
		p.pool.PutBuffer(b.ReadWriteSeeker)
	}
}

type page struct {
	io.ReadWriteSeeker
	of   *pages
	size int64
}

// Write implements io.Writer.
func (p *page) Write(b []byte) (int, error) {
	n, err := p.ReadWriteSeeker.Write(b)
	p.size += int64(n)
	p.of.held += int64(n)
	return n, err
}
