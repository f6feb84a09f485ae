package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/deadletter"
	"github.com/streamlane/connect/internal/outcome"
)

// letterSettings say where the dead letters of a task go, and what they tell.
type letterSettings struct {
	topic   string
	headers bool // with what failed
}

// A letterBox sends the dead letters of one task. It is safe for concurrent use.
// A nil box, of a task without dead letters, starts and closes.
type letterBox struct {
	set    letterSettings
	task   cluster.TaskID
	plugin string
	log    *slog.Logger
	hooks  *hookSet
	// java has Java's names of the plugins at work.
	java map[string]string

	topics   *topicCreator
	open     func(ctx context.Context) (Producer, error)
	producer Producer // from start on
}

// start makes sure of the topic, before the task starts, and opens the producer.
// It waits for brokers that are not there.
func (l *letterBox) start(ctx context.Context) error {
	if l == nil {
		return nil
	}
	err := errors.Join(l.topics.ensure(ctx, l.set.topic), l.topics.rest(context.WithoutCancel(ctx)))
	if err == nil {
		l.producer, err = l.open(ctx)
	}
	if err != nil {
		return fmt.Errorf("initialize dead letters: %w", err)
	}
	return nil
}

// close waits for the letters under way until ctx ends.
func (l *letterBox) close(ctx context.Context) {
	if l == nil || l.producer == nil {
		return
	}
	if err := l.producer.Close(ctx); err != nil {
		l.log.WarnContext(ctx, "closing the producer of dead letters", "err", err)
	}
}

// A letter is one message on its way to the topic.
type letter struct {
	box    *letterBox
	batch  [1]Message
	stage  Stage
	at     string
	began  time.Time
	result *outcome.Outcome
}

// write makes a letter of a message, whose memory is its own from here on.
func (l *letterBox) write(f *failure, m Message, source *deadletter.Source) *letter {
	m.TopicPartition = TopicPartition{Topic: l.set.topic, Partition: -1}
	if m.Time.UnixMilli() < 0 {
		m.Time = time.Time{}
	}
	if l.set.headers {
		m.Headers = slices.Clip(m.Headers)
		c := l.context(f, source)
		for key, value := range c.All() {
			m.Headers = append(m.Headers, RawHeader{Key: key, Value: value})
		}
	}
	return &letter{box: l, batch: [1]Message{m}, stage: f.stage, at: f.at(), result: outcome.New()}
}

// post sends the letter. It blocks while the producer's buffers are full.
func (l *letter) post(ctx context.Context) *outcome.Outcome {
	l.began = time.Now()
	_ = l.box.producer.Send(ctx, l.batch[:], l) // Acked hears of it
	return l.result
}

// Acked implements Acks.
func (l *letter) Acked(_ int, _ TopicPartition, _ int64, err error) {
	b := l.box
	if err != nil {
		err = &StageError{
			Connector: b.task.Connector, Task: b.task.Task, Stage: StageKafkaProduce, Plugin: b.plugin, At: l.at,
			Err: fmt.Errorf("the dead letter of the stage %s to topic %q: %w", l.stage, b.set.topic, err),
		}
	}
	b.hooks.onDeadLetter(&DeadLetterEvent{Task: b.task, Topic: b.set.topic, Stage: l.stage, Took: time.Since(l.began), Err: err})
	l.result.Settle(err)
}

// context says what failed.
func (l *letterBox) context(f *failure, source *deadletter.Source) deadletter.Context {
	class, message := javaException(f.err)
	c := deadletter.Context{
		Connector: l.task.Connector, Task: l.task.Task, Stage: string(f.stage), Class: l.javaClass(f),
		Exception: class, Message: &message, Source: source,
		Trace: deadletter.Trace(class, message, fmt.Sprintf("%s by %s, connector %s, task %d, %s", f.stage, f.plugin, l.task.Connector, l.task.Task, f.at()), f.err),
	}
	switch {
	case f.origin != nil:
		c.Topic, c.Partition, c.Offset = &f.origin.Topic, &f.origin.Partition, &f.origin.Offset
	case f.record != nil && f.record.Topic != "":
		c.Topic = &f.record.Topic
		if p, ok := f.record.Partition.Get(); ok {
			c.Partition = &p
		}
	}
	return c
}

// javaClass is the class that Java would say was at work.
func (l *letterBox) javaClass(f *failure) string {
	switch f.stage {
	case StageTaskPut:
		return "org.apache.kafka.connect.sink.SinkTask"
	case StageKafkaProduce:
		return "org.apache.kafka.connect.runtime.WorkerSourceTask"
	}
	if class, ok := l.java[f.plugin]; ok {
		return class
	}
	return f.plugin
}

// javaException returns the class of the exception that stands for an error in
// Java, and its message.
func javaException(err error) (class, message string) {
	if _, ok := RetryAfter(err); ok {
		class = "org.apache.kafka.connect.errors.RetriableException"
	} else if errors.Is(err, ErrAuth) {
		class = "org.apache.kafka.common.errors.AuthorizationException"
	}
	if r, ok := err.(*retriable); ok {
		err = r.err
	}
	return deadletter.Exception(err, class)
}

// javaClass returns the Java class that a plugin stands for: the one that a
// configuration names, if it names one, else the first; the plugin's own name if
// there is none.
func (p Plugin) javaClass(configured string) string {
	if len(p.info.StandsFor) == 0 {
		return p.info.Class
	}
	for _, j := range p.info.StandsFor {
		if j.Class == configured {
			return configured
		}
	}
	return p.info.StandsFor[0].Class
}
