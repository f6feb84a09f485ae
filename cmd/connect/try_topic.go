package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/internal/deadletter"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/trial"
)

// quiet is how long a partition may be without a record before it counts as read:
// its last offsets may be those of transactions, which are no records.
const quiet = 3 * time.Second

// addFromTopic reads the samples from Kafka. Nothing is written there: the
// consumer has no group, and a topic that is not there is not created.
func (t *try) addFromTopic(ctx context.Context, p process, worker *workerFile, ask *trial.Trial, source bool) error {
	if worker.resolved["bootstrap.servers"] == "" {
		return usageError("--topic needs brokers: --bootstrap, or a worker's file with bootstrap.servers")
	}
	broker, err := kafka.New(kafka.Options{Worker: worker.resolved, Logger: p.log})
	if err != nil {
		return exitWith(exitWorker, err)
	}
	messages, err := lastOf(ctx, broker, t.consumer(worker.resolved, ask.Props), t.topic, t.last)
	if err != nil {
		return exitWith(exitWorker, fmt.Errorf("topic %q: %w", t.topic, err))
	}
	if !t.letters {
		ask.Messages = messages
		return nil
	}
	read, err := newDataReader()
	if err != nil {
		return exitWith(exitWorker, err)
	}
	for i := range messages {
		m := &messages[i]
		if source {
			err = addSourceLetter(ask, read, m)
		} else {
			err = addSinkLetter(ask, m)
		}
		if err != nil {
			p.log.Warn("passing over a record", "topic", t.topic, "partition", m.Partition, "offset", m.Offset, "why", err)
		}
	}
	return nil
}

// consumer is the configuration of a connector's consumers, without their group.
func (t *try) consumer(worker, connector config.Props) connect.ConsumerConfig {
	props := framework.Clients{Worker: worker, Connector: connector, Name: connector["name"]}.SinkConsumer().Props
	for _, key := range []string{"group.id", "group.instance.id", "client.id"} {
		delete(props, key)
	}
	props["auto.offset.reset"] = "earliest" // what is at the end less n may be gone
	return connect.ConsumerConfig{ClientConfig: connect.ClientConfig{ClientID: "connect-try", Props: props}}
}

// lastOf returns the last n records of a topic, by their time.
func lastOf(ctx context.Context, broker connect.Broker, c connect.ConsumerConfig, topic string, n int) (_ []connect.Message, err error) {
	admin, err := broker.Admin(ctx, connect.ClientConfig{ClientID: "connect-try"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, admin.Close(context.WithoutCancel(ctx))) }()
	found, err := admin.Topics(ctx, topic)
	if err != nil {
		return nil, err
	}
	if _, ok := found[topic]; !ok {
		return nil, connect.ErrNotFound
	}
	ends, err := admin.EndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	c.Assign = make(connect.Offsets)
	for tp, end := range ends {
		if end > 0 {
			c.Assign[tp] = max(0, end-int64(n))
		}
	}
	if len(c.Assign) == 0 {
		return nil, nil
	}
	consumer, err := broker.Consumer(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, consumer.Close(context.WithoutCancel(ctx))) }()
	all, err := readUntil(ctx, consumer, ends)
	slices.SortStableFunc(all, func(a, b connect.Message) int { return a.Time.Compare(b.Time) })
	return all[max(0, len(all)-n):], err
}

// readUntil reads up to offsets, which are those of the ends at the beginning.
func readUntil(ctx context.Context, consumer connect.Consumer, ends connect.Offsets) (all []connect.Message, err error) {
	left := make(map[connect.TopicPartition]bool)
	for tp, end := range ends {
		if end > 0 {
			left[tp] = true
		}
	}
	into := make([]connect.Message, 500)
	for len(left) > 0 {
		waiting, cancel := context.WithTimeout(ctx, quiet)
		n, err := consumer.Poll(waiting, into, connect.Rebalance{})
		silent := waiting.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, err
		case n == 0 && silent:
			return all, nil
		}
		for _, m := range into[:n] {
			if m.Offset < ends[m.TopicPartition] {
				all = append(all, m)
			}
			if m.Offset+1 >= ends[m.TopicPartition] {
				delete(left, m.TopicPartition)
			}
		}
	}
	return all, nil
}

var (
	errNoLetter     = errors.New("it is no dead letter, or one without headers that say what failed")
	errSourceLetter = errors.New("it is a dead letter of a source")
	errNoRecord     = errors.New("it has no record of a source, but bytes that Kafka refused, or that a sink consumed")
)

// letter takes a dead letter apart: what failed, and the record's own headers.
func letter(m *connect.Message) (deadletter.Context, []connect.RawHeader, error) {
	c, first, end, ok := deadletter.Parse(m.Headers, func(h connect.RawHeader) (string, []byte) { return h.Key, h.Value })
	if !ok {
		return c, nil, errNoLetter
	}
	return c, slices.Concat(m.Headers[:first], m.Headers[end:]), nil
}

// addSinkLetter adds the record that a sink consumed.
func addSinkLetter(ask *trial.Trial, m *connect.Message) error {
	c, own, err := letter(m)
	if err == nil && (c.Topic == nil || c.Partition == nil || c.Offset == nil) {
		err = errSourceLetter
	}
	if err != nil {
		return err
	}
	was := *m
	was.Topic, was.Partition, was.Offset, was.Headers = *c.Topic, *c.Partition, *c.Offset, own
	ask.Messages = append(ask.Messages, was)
	return nil
}

// addSourceLetter adds the record that a source's task returned.
func addSourceLetter(ask *trial.Trial, read *dataReader, m *connect.Message) error {
	c, own, err := letter(m)
	if err == nil && (c.Source == nil || c.Stage == string(connect.StageKafkaProduce)) {
		err = errNoRecord
	}
	if err != nil {
		return err
	}
	r := connect.SourceRecord{Record: connect.Record{Timestamp: m.Time}}
	if c.Topic != nil {
		r.Topic = *c.Topic
	}
	if c.Partition != nil {
		r.Partition = connect.On(*c.Partition)
	}
	if r.Key, err = read.envelope.Decode(context.Background(), nil, m.Key); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if r.Value, err = read.envelope.Decode(context.Background(), nil, m.Value); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	for _, h := range own {
		d, err := read.envelope.Decode(context.Background(), nil, h.Value)
		if err != nil {
			return fmt.Errorf("header %q: %w", h.Key, err)
		}
		r.Headers = append(r.Headers, connect.Header{Key: h.Key, Datum: d})
	}
	if err := readPosition(&r, []byte(c.Source.Partition), []byte(c.Source.Offset)); err != nil {
		return err
	}
	ask.Records = append(ask.Records, r)
	return nil
}
