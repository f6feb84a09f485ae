package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// CSV is the plugin: what a Runtime is given, and what configurations name.
var CSV = connect.Sink(connect.Info{
	Class:   "CSVSink",
	Version: "1.0.0",
	Doc:     "Writes records to CSV files, one for each topic partition.",
}, newConnector, newTask)

// csvConfig configures the connector and its tasks.
type csvConfig struct {
	Dir     string
	Columns []string
}

func (c *csvConfig) Describe(d *config.Def) {
	config.String(d, &c.Dir, "dir").Importance(config.High).Check(config.NonEmpty()).
		Doc("Existing directory that the files are written to.")
	config.List(d, &c.Columns, "columns").Importance(config.High).Check(config.DistinctNonEmpty()).
		Doc("Fields of the records, one column each. A record without one of them is reported and left out.")
}

// connector makes tasks that are all alike: Kafka divides the partitions among
// them.
type connector struct{ cfg csvConfig }

func newConnector(c csvConfig) (*connector, error) { return &connector{c}, nil }

func (c *connector) Start(context.Context, connect.ConnectorContext) error { return nil }
func (c *connector) Stop(context.Context) error                            { return nil }

func (c *connector) TaskConfigs(_ context.Context, max int) ([]csvConfig, error) {
	tasks := make([]csvConfig, max)
	for i := range tasks {
		tasks[i] = c.cfg
	}
	return tasks, nil
}

// task writes the files of the partitions that it owns. One goroutine calls all
// of its methods.
//
// Each row begins with the offset of its record, so the files themselves say how
// far they go, whatever was committed: after a crash nothing is missing and
// nothing is there twice.
type task struct {
	cfg   csvConfig
	ctx   connect.SinkContext
	files map[connect.TopicPartition]*os.File
}

func newTask(c csvConfig) (*task, error) {
	return &task{cfg: c, files: make(map[connect.TopicPartition]*os.File)}, nil
}

func (t *task) Start(_ context.Context, c connect.SinkContext) error {
	t.ctx = c
	return nil
}

// Claim opens the files of new partitions and says where each goes on
// (connect.DurableOffsets, an optional ability). A file that is new goes on from
// the group's committed offset.
func (t *task) Claim(_ context.Context, tps []connect.TopicPartition) (connect.Offsets, error) {
	next := make(connect.Offsets)
	for _, tp := range tps {
		path := filepath.Join(t.cfg.Dir, fmt.Sprintf("%s-%d.csv", tp.Topic, tp.Partition))
		f, offset, err := openRows(path)
		if err != nil {
			return nil, err
		}
		t.files[tp] = f
		if offset > 0 {
			next[tp] = offset
		}
	}
	return next, nil
}

// openRows opens a file to append to, cuts off a row that a crash has left
// incomplete, and returns the offset after that of the last row; 0 without rows.
func openRows(path string) (f *os.File, next int64, err error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, err
	}
	rows := csv.NewReader(strings.NewReader(string(text)))
	rows.FieldsPerRecord = -1
	var size int64
	for {
		row, err := rows.Read()
		if err != nil || text[rows.InputOffset()-1] != '\n' {
			break
		}
		offset, err := strconv.ParseInt(row[0], 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: a row begins with %q, want an offset", path, row[0])
		}
		next, size = offset+1, rows.InputOffset()
	}
	if f, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		return nil, 0, err
	}
	err = f.Truncate(size)
	if err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, next, nil
}

// Put appends rows, one write for each file.
func (t *task) Put(ctx context.Context, records []connect.SinkRecord) error {
	texts := make(map[connect.TopicPartition]*strings.Builder)
	for i := range records {
		r := &records[i]
		row, err := t.row(r)
		if err != nil {
			// Whether the task fails, or the record is left out and reported, is
			// for the connector's configuration to say (errors.tolerance).
			if err := t.ctx.Report(ctx, r, err); err != nil {
				return err
			}
			continue
		}
		// Origin is where the record was consumed, whatever transforms have done
		// to its topic.
		text := texts[r.Origin.TopicPartition]
		if text == nil {
			text = new(strings.Builder)
			texts[r.Origin.TopicPartition] = text
		}
		w := csv.NewWriter(text)
		if err := w.Write(row); err != nil {
			return err
		}
		w.Flush()
	}
	for tp, text := range texts {
		if _, err := t.files[tp].WriteString(text.String()); err != nil {
			return err
		}
	}
	return nil
}

// row makes a row of a record: its offset, then the columns.
func (t *task) row(r *connect.SinkRecord) ([]string, error) {
	row := []string{strconv.FormatInt(r.Origin.Offset, 10)}
	for _, name := range t.cfg.Columns {
		v, ok := field(r.Value.Value, name)
		switch {
		case !ok:
			return nil, fmt.Errorf("found a value of kind %v without the field %q", r.Value.Value.Kind(), name)
		case v.IsNull():
			row = append(row, "")
		default:
			row = append(row, v.String())
		}
	}
	return row, nil
}

// field returns a field of a struct, or an entry of a map: what converters make
// of records with and without a schema.
func field(v data.Value, name string) (data.Value, bool) {
	if s, ok := v.Struct(); ok {
		return s.Get(name)
	}
	return v.Lookup(name)
}

// Flush makes durable what was put (connect.Flusher, an optional ability). The
// offsets are committed after it.
func (t *task) Flush(context.Context, connect.Offsets) error {
	for _, f := range t.files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the files of partitions that go away (connect.Closer, an optional
// ability).
func (t *task) Close(_ context.Context, tps []connect.TopicPartition) error {
	var errs []error
	for _, tp := range tps {
		if f := t.files[tp]; f != nil {
			delete(t.files, tp)
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Stop has nothing left to release: Close was called for every partition.
func (t *task) Stop(context.Context) error { return nil }
