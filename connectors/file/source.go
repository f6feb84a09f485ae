package file

import (
	"context"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// pollInterval is how long the source waits before it looks at a file again that had nothing new: Java's second.
const pollInterval = time.Second

// sourceTask makes records of the lines of one file, or of the standard input.
type sourceTask struct {
	topic     string
	batchSize int
	partition connect.SourcePartition // zero: the standard input
	file      *follower               // nil: the standard input
	in        *input
	records   []connect.SourceRecord
}

func newSourceTask(c SourceConfig, in *input) (*sourceTask, error) {
	t := &sourceTask{topic: c.Topic, batchSize: max(c.BatchSize, 1)}
	switch {
	case c.File != "":
		t.partition, t.file = partitionOf(c.File), newFollower(c.File)
		return t, t.partition.Err()
	case in == nil:
		return nil, noStream("input")
	}
	t.in = in
	return t, nil
}

// noStream refuses a connector that has neither a file nor a stream.
func noStream(which string) error {
	return fmt.Errorf("configuration file: found none, want the path of a file: this program gives connectors no standard %s", which)
}

// Start finds out where to begin. The file is opened by the first Poll, for it may not be there yet.
func (t *sourceTask) Start(ctx context.Context, c connect.SourceContext) error {
	if t.in != nil {
		t.in.start()
		return nil
	}
	t.file.log = c.Logger()
	offsets, err := c.Offsets(ctx, t.partition)
	if err != nil {
		return fmt.Errorf("file source: offset of %s: %w", t.partition, err)
	}
	for _, o := range offsets {
		if t.file.from, err = positionOf(o); err != nil {
			return fmt.Errorf("file source: offset %s of %s: %w", o, t.partition, err)
		}
	}
	return nil
}

// Poll returns lines as soon as there are some.
func (t *sourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if t.in != nil {
		lines, err := t.in.next(ctx, t.batchSize)
		return t.batch(lines), err
	}
	for {
		lines, err := t.file.next(ctx, t.batchSize)
		if err != nil || len(lines) > 0 {
			return t.batch(lines), err
		}
		if err := pause(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

// Stop closes the file.
func (t *sourceTask) Stop(context.Context) error {
	if t.file == nil {
		return nil
	}
	return t.file.close()
}

// batch makes records of lines. All their offsets share one allocation.
func (t *sourceTask) batch(lines []line) []connect.SourceRecord {
	t.records = t.records[:0]
	var offsets []data.Entry
	if !t.partition.IsZero() {
		offsets = make([]data.Entry, len(lines))
	}
	now := time.Now()
	for i := range lines {
		r := connect.SourceRecord{SourcePartition: t.partition}
		r.Topic, r.Timestamp = t.topic, now
		r.Value = connect.Datum{Schema: data.StringSchema, Value: data.String(lines[i].text)}
		if offsets != nil {
			offsets[i] = data.E(positionField, data.Int64(lines[i].next))
			r.SourceOffset = connect.SourceOffset(offsets[i : i+1 : i+1])
		}
		t.records = append(t.records, r)
	}
	return t.records
}

// pause waits, or returns the reason why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
