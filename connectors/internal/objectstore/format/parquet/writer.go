package parquet

import (
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
	// pageChunk is the size of the pieces that pages are kept in until their row group ends.
	pageChunk = 8 << 10
	// mapEntry is what a text in a dictionary takes beside its bytes.
	mapEntry = 64
)

// writer writes one file.
type writer struct {
	shredder
	o      *Options
	plan   *plan
	out    io.Writer
	offset int64 // bytes written
	groups []rowGroup
	told   int64 // memory of groups
	rg     *parquet.ConcurrentRowGroupWriter
	held   int64 // memory of rg
	unsent int64 // bytes in rg
	texts  int64 // in columns of rg that have dictionaries
	marks  []int
	batch  int   // rows that are shredded only
	rows   int64 // of the row group
	err    error
}

func newWriter(out io.Writer, o *Options, p *plan) *writer {
	w := &writer{o: o, plan: p, out: out}
	n := len(p.columns)
	w.columns, w.marks = make([][]parquet.Value, n), make([]int, n)
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
	before := w.bytes
	if err := w.put(w.plan.root, d.Value, 0, 0); err != nil {
		for i, mark := range w.marks {
			w.columns[i] = w.columns[i][:mark]
		}
		w.bytes = before
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
	if w.rows == w.o.RowGroupRows || w.Memory() >= w.o.RowGroupSize {
		return w.endGroup()
	}
	return nil
}

// drain gives what is shredded to the writers of columns.
func (w *writer) drain() error {
	if w.err != nil || w.batch == 0 {
		return w.err
	}
	if w.rg == nil {
		w.rg = w.plan.press.begin()
	}
	into := w.rg.ColumnWriters()
	for i, values := range w.columns {
		if _, err := into[i].WriteRowValues(values); err != nil {
			w.err = fmt.Errorf("column %q: %w", w.plan.columns[i].path, err)
			return w.err
		}
		if w.plan.columns[i].dictionary {
			w.texts += int64(len(values))
		}
		clear(values) // let go of the room
		w.columns[i] = values[:0]
	}
	w.emptied()
	w.batch = 0
	w.unsent = w.rg.Size()
	// Buffers double as they grow, and pages are in whole chunks. How many texts of a dictionary differ, and are in its map, is not known.
	w.held = 2*w.unsent + min(2*w.unsent, w.texts*mapEntry) + int64(len(into))*(groupColumn+pageChunk)
	return nil
}

// Buffered implements [format.Writer].
func (w *writer) Buffered() int64 { return w.bytes + w.unsent }

// Memory implements [format.Writer].
func (w *writer) Memory() int64 {
	const column = 24 + 8 // columns and marks
	return w.memory + w.held + w.told + int64(len(w.columns))*column
}

// endGroup ends the row group.
func (w *writer) endGroup() error {
	if err := w.drain(); err != nil || w.rg == nil {
		return err
	}
	if w.err = w.open(); w.err != nil {
		return w.err
	}
	g, n, err := w.plan.press.end(w.rg, w.out, w.offset)
	if err != nil {
		w.err = err
		return err
	}
	w.offset += n
	w.groups = append(w.groups, g)
	w.told += g.memory() + 48
	if w.held <= keptGroup {
		w.plan.press.free = w.rg
	}
	w.rg, w.held, w.unsent, w.texts, w.rows = nil, 0, 0, 0, 0
	return nil
}

// open writes the beginning of the file.
func (w *writer) open() error {
	if w.offset > 0 {
		return nil
	}
	n, err := io.WriteString(w.out, magic)
	w.offset += int64(n)
	return err
}

// Flush implements [format.Writer]: the row group ends early.
func (w *writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	if err := w.endGroup(); err != nil {
		return err
	}
	w.letGo()
	return nil
}

// Close implements [format.Writer].
func (w *writer) Close() error {
	if err := w.Flush(); err != nil {
		return err
	}
	if w.err = w.open(); w.err != nil {
		return w.err
	}
	end, err := w.plan.press.footer(w.groups, w.offset)
	if err == nil {
		_, err = w.out.Write(end)
	}
	w.groups, w.told, w.err = nil, 0, err
	return err
}
