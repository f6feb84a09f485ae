package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

// A routedTask gives the records of each topic to a task of its own. All of them go on in one task of Connect.
type routedTask struct {
	routes []routedTopic
	// key is the key that says what goes where, for messages.
	key string
}

// A routedTopic is the task for a topic, or for all others if that is "*".
type routedTopic struct {
	topic string
	task  *objectstore.Task
}

// of returns the index of the task of a topic, or -1.
func (t *routedTask) of(topic string) int {
	others := -1
	for i, r := range t.routes {
		switch r.topic {
		case topic:
			return i
		case "*":
			others = i
		}
	}
	return others
}

// Start starts all tasks.
func (t *routedTask) Start(ctx context.Context, c connect.SinkContext) error {
	stats := objectstore.NewStats(c.Metrics())
	for _, r := range t.routes {
		r.task.UseStats(stats)
		if err := r.task.Start(ctx, c); err != nil {
			return fmt.Errorf("topic %s: %w", r.topic, err)
		}
	}
	return nil
}

// each gives every task its share of partitions, if there is one.
func (t *routedTask) each(tps []connect.TopicPartition, do func(*objectstore.Task, []connect.TopicPartition) error) error {
	shares := make([][]connect.TopicPartition, len(t.routes))
	for _, tp := range tps {
		i := t.of(tp.Topic)
		if i < 0 {
			return fmt.Errorf("%s has no statement for the topic %q", t.key, tp.Topic)
		}
		shares[i] = append(shares[i], tp)
	}
	var errs []error
	for i, share := range shares {
		if len(share) > 0 {
			errs = append(errs, do(t.routes[i].task, share))
		}
	}
	return errors.Join(errs...)
}

// Open implements connect.Opener.
func (t *routedTask) Open(ctx context.Context, tps []connect.TopicPartition) error {
	return t.each(tps, func(task *objectstore.Task, share []connect.TopicPartition) error { return task.Open(ctx, share) })
}

// Close implements connect.Closer.
func (t *routedTask) Close(ctx context.Context, tps []connect.TopicPartition) error {
	return t.each(tps, func(task *objectstore.Task, share []connect.TopicPartition) error { return task.Close(ctx, share) })
}

// Put gives every task its records, each once, for those that get none look at the clock.
func (t *routedTask) Put(ctx context.Context, records []connect.SinkRecord) error {
	shares, err := t.share(records)
	if err != nil {
		return err
	}
	for i, r := range t.routes {
		if err := r.task.Put(ctx, shares[i]); err != nil {
			return err
		}
	}
	return nil
}

// share divides records among the tasks, in their order.
func (t *routedTask) share(records []connect.SinkRecord) ([][]connect.SinkRecord, error) {
	shares := make([][]connect.SinkRecord, len(t.routes))
	for from := 0; from < len(records); {
		topic := records[from].Origin.Topic
		to := from + 1
		for to < len(records) && records[to].Origin.Topic == topic {
			to++
		}
		i := t.of(topic)
		switch {
		case i < 0:
			return nil, fmt.Errorf("%s has no statement for the topic %q", t.key, topic)
		case shares[i] == nil:
			shares[i] = records[from:to:to] // copied only if more is added
		default:
			shares[i] = append(shares[i], records[from:to]...)
		}
		from = to
	}
	return shares, nil
}

// PreCommit implements connect.PreCommitter.
func (t *routedTask) PreCommit(ctx context.Context, current connect.Offsets) (connect.Offsets, error) {
	shares := make([]connect.Offsets, len(t.routes))
	for tp, offset := range current {
		if i := t.of(tp.Topic); i >= 0 {
			if shares[i] == nil {
				shares[i] = connect.Offsets{}
			}
			shares[i][tp] = offset
		}
	}
	agreed := connect.Offsets{}
	for i, r := range t.routes {
		share, err := r.task.PreCommit(ctx, shares[i])
		if err != nil {
			return nil, err
		}
		maps.Copy(agreed, share)
	}
	return agreed, nil
}

// Stop stops all tasks.
func (t *routedTask) Stop(ctx context.Context) error {
	var errs []error
	for _, r := range t.routes {
		errs = append(errs, r.task.Stop(ctx))
	}
	return errors.Join(errs...)
}
