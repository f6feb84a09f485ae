package generator

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// The names in source partitions and offsets.
const (
	taskField = "task"
	madeField = "n"
)

// A maker fills in key and value of a batch whose first record is number first, from 1.
type maker interface {
	fill(batch []connect.SourceRecord, first int64)
}

// task makes records.
type task struct {
	limit     int64 // 0: none
	batch     int
	partition connect.SourcePartition
	make      maker
	pace      pace

	made    int64
	records []connect.SourceRecord
}

func newTask(c TaskConfig) (*task, error) {
	t := &task{
		limit:     c.Records,
		batch:     c.Batch,
		partition: connect.PartitionOf(data.E(taskField, data.String(strconv.Itoa(c.Task)))),
		pace:      pace{rate: c.Rate},
		records:   make([]connect.SourceRecord, c.Batch),
	}
	switch c.Mode {
	case Struct:
		t.make = newRows()
	case Template:
		t.make = newTemplate(c.Template, c.Task)
	default:
		t.make = newPayloads(c.Size)
	}
	for i := range t.records {
		t.records[i].Topic = c.Topic
		t.records[i].SourcePartition = t.partition
	}
	return t, nil
}

// Start finds out how much was made before.
func (t *task) Start(ctx context.Context, c connect.SourceContext) error {
	offsets, err := c.Offsets(ctx, t.partition)
	if err != nil {
		return fmt.Errorf("generator: offset of %s: %w", t.partition, err)
	}
	for _, o := range offsets {
		if t.made, err = madeBefore(o); err != nil {
			return fmt.Errorf("generator: %s: %w", t.partition, err)
		}
	}
	return nil
}

// Poll makes the next batch. The records are reused; of each batch only keys, values and source offsets are made.
func (t *task) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	n := t.batch
	if t.limit > 0 {
		n = int(min(int64(n), t.limit-t.made))
	}
	if n <= 0 {
		return nil, connect.ErrDone
	}
	n, err := t.pace.wait(ctx, n)
	if err != nil {
		return nil, err
	}
	batch := t.records[:n]
	t.make.fill(batch, t.made+1)
	offsets := make([]data.Entry, n)
	now := time.Now()
	for i := range batch {
		t.made++
		offsets[i] = data.Entry{Key: madeField, Value: data.Int64(t.made)}
		batch[i].SourceOffset = connect.SourceOffset(offsets[i : i+1 : i+1])
		batch[i].Timestamp = now
	}
	return batch, nil
}

// Stop has nothing to release.
func (t *task) Stop(context.Context) error { return nil }
