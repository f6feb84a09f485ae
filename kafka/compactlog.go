package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect"
)

// A topicReader reads a compacted topic from its beginning, and knows how far it
// has come. It is the engine of all stores on topics. It is used by one goroutine
// at a time, wake aside.
type topicReader struct {
	topic *storeTopic
	admin *admin
	c     *consumer
	buf   []connect.Message
}

const (
	// readBatch is the number of messages that are read at once.
	readBatch = 500
	// stallLimit is how long a reader that has not come to a known end waits for
	// messages before it looks for a gap.
	stallLimit = time.Second
)

func newTopicReader(t *storeTopic, adm *admin, suffix string, partitions int) (*topicReader, error) {
	c, err := t.consumer(suffix, partitions)
	if err != nil {
		return nil, err
	}
	return &topicReader{topic: t, admin: adm, c: c, buf: make([]connect.Message, readBatch)}, nil
}

// ends returns the ends of the topic's partitions, asking until there is an
// answer, an error that stays, or the end of ctx.
func (r *topicReader) ends(ctx context.Context) (ends connect.Offsets, err error) {
	err = retry(ctx, nil, func() error {
		ends, err = r.admin.EndOffsets(ctx, r.topic.name)
		return err
	})
	return ends, err
}

// toEnd reads all that was in the topic at the call, and hands it to each in
// order of partition.
func (r *topicReader) toEnd(ctx context.Context, each func(*connect.Message)) error {
	target, err := r.ends(ctx)
	if err != nil {
		return err
	}
	for {
		reached, err := r.reached(ctx, target)
		if err != nil || reached {
			return err
		}
		n, err := r.poll(ctx, target)
		if err != nil {
			return err
		}
		for i := range r.buf[:n] {
			each(&r.buf[i])
		}
		clear(r.buf[:n])
	}
}

// reached tells whether the reader has come to target. Partitions that it does
// not read do not count.
func (r *topicReader) reached(ctx context.Context, target connect.Offsets) (bool, error) {
	for tp, end := range target {
		at, known := r.c.position[tp]
		if end == 0 || known && at >= end {
			continue
		}
		if known {
			return false, nil
		}
		if !r.reads(tp) {
			continue
		}
		first, err := r.c.Position(ctx, tp) // the log may have been emptied to its end
		if err != nil || first[tp] < end {
			return false, err
		}
	}
	return true, nil
}

func (r *topicReader) reads(tp connect.TopicPartition) bool {
	_, ok := r.c.assign[tp]
	return ok
}

// poll waits for messages. With a target that is not reached, it looks for gaps
// when none come.
func (r *topicReader) poll(ctx context.Context, target connect.Offsets) (int, error) {
	wait, cancel := ctx, context.CancelFunc(func() {})
	if target != nil {
		wait, cancel = context.WithTimeout(ctx, stallLimit)
	}
	defer cancel()
	n, err := r.c.Poll(wait, r.buf, connect.Rebalance{})
	if err != nil {
		return 0, fmt.Errorf("read topic %q: %w", r.topic.name, err)
	}
	if n > 0 || ctx.Err() != nil {
		return n, context.Cause(ctx)
	}
	if wait.Err() != nil {
		return 0, r.skipGaps(ctx, target)
	}
	return 0, nil
}

// wake ends a poll that waits.
func (r *topicReader) wake() { r.c.Wake() }

// close ends the reader.
func (r *topicReader) close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // there is no group to leave
	return r.c.Close(ctx)
}

// skipGaps moves past the ends of partitions that hold no records up to target:
// compaction may have removed the last ones, and there is nothing then that a
// consumer could deliver.
func (r *topicReader) skipGaps(ctx context.Context, target connect.Offsets) error {
	for tp, end := range target {
		at, known := r.c.position[tp]
		if !known || at >= end {
			continue
		}
		next, err := r.probe(ctx, tp, at)
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			if _, again := connect.RetryAfter(mapError(err)); again || errors.Is(err, context.DeadlineExceeded) {
				continue
			}
			return fmt.Errorf("probe topic %q partition %d: %w", tp.Topic, tp.Partition, mapError(err))
		case next > at:
			if err := r.c.Seek(connect.Offsets{tp: next}); err != nil {
				return err
			}
		}
	}
	return nil
}
