package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamlane/connect/internal/outcome"
)

// kafkaOutput encodes records and sends them to Kafka. It is used by the pump.
type kafkaOutput struct {
	env      *taskEnv
	open     func(context.Context) (Producer, error)
	producer Producer      // nil while the task rests
	topics   *topicCreator // nil: the broker creates topics, or nobody
	topic    string        // that was looked at last
	messages []Message     // of one batch; see message
	wire     Wire
}

// add converts headers, key and value of rec into a message of the batch.
func (o *kafkaOutput) add(ctx context.Context, b *sourceBatch, rec *SourceRecord) error {
	if !rec.Timestamp.IsZero() && rec.Timestamp.UnixMilli() < 0 {
		return o.env.stageError(StageKafkaProduce, fmt.Errorf("timestamp %v is before 1970", rec.Timestamp))
	}
	if o.topics != nil && rec.Topic != o.topic {
		if err := o.topics.ensure(ctx, rec.Topic); err != nil {
			return o.env.stageError(StageKafkaProduce, err)
		}
		o.topic = rec.Topic
	}
	mark, m := len(b.arena), o.message(rec)
	keep, err := o.encode(ctx, b, rec, m)
	if !keep || err != nil {
		b.arena, o.messages = b.arena[:mark], o.messages[:len(o.messages)-1]
		if err == nil {
			b.drop(o.env.sourceLetters.letter())
		}
		return err
	}
	b.bytes += int64(len(m.Key) + len(m.Value))
	b.send()
	return nil
}

// message appends a message with what needs no converter. The slice is used
// batch after batch, and what the message before it in its place had is left
// alone where it is the same: while the garbage collector marks, storing a
// pointer costs many times what comparing it does.
func (o *kafkaOutput) message(rec *SourceRecord) *Message {
	n := len(o.messages)
	o.messages = slices.Grow(o.messages, 1)[:n+1]
	m := &o.messages[n]
	if m.Topic != rec.Topic {
		m.Topic = rec.Topic
	}
	m.Partition = -1
	if p, ok := rec.Partition.Get(); ok {
		m.Partition = p
	}
	if m.Time != rec.Timestamp {
		m.Time = rec.Timestamp
	}
	if m.Headers != nil {
		m.Headers = nil
	}
	return m
}

// encode converts one record. keep is false if errors.tolerance let it go.
func (o *kafkaOutput) encode(ctx context.Context, b *sourceBatch, rec *SourceRecord, m *Message) (keep bool, err error) {
	o.wire.Topic, o.wire.Headers = m.Topic, b.headers[len(b.headers):]
	for i := range rec.Headers {
		if keep, err := o.header(ctx, b, rec, &rec.Headers[i]); !keep {
			return false, err
		}
	}
	headers := o.wire.Headers
	out, null, err := o.env.key.AppendEncode(ctx, b.arena, &o.wire, rec.Key)
	if err != nil {
		if out, null, keep, err = o.encodeAgain(ctx, b, rec, StageKeyConverter, headers, err); !keep {
			return false, err
		}
	}
	b.take(&m.Key, out, null)
	headers = o.wire.Headers
	out, null, err = o.env.value.AppendEncode(ctx, b.arena, &o.wire, rec.Value)
	if err != nil {
		if out, null, keep, err = o.encodeAgain(ctx, b, rec, StageValueConverter, headers, err); !keep {
			return false, err
		}
	}
	b.take(&m.Value, out, null)
	if n := len(o.wire.Headers); n > 0 {
		m.Headers = o.wire.Headers[:n:n]
		b.headers = o.wire.Headers
	}
	return true, nil
}

// header converts one header into the arena.
func (o *kafkaOutput) header(ctx context.Context, b *sourceBatch, rec *SourceRecord, h *Header) (keep bool, err error) {
	out, null, err := o.env.header.AppendEncodeHeader(b.arena, rec.Topic, h.Key, h.Datum)
	if err != nil {
		f := failure{stage: StageHeaderConverter, plugin: o.env.headerClass, record: rec, err: err}
		skip, err := o.env.errs.settle(ctx, f, func() (err error) {
			out, null, err = o.env.header.AppendEncodeHeader(b.arena, rec.Topic, h.Key, h.Datum)
			return err
		})
		if skip || err != nil {
			return false, err
		}
	}
	var value []byte
	b.take(&value, out, null)
	o.wire.Headers = append(o.wire.Headers, RawHeader{Key: h.Key, Value: value})
	return true, nil
}

// encodeAgain deals with a key or a value that could not be converted. headers
// are those from before.
func (o *kafkaOutput) encodeAgain(ctx context.Context, b *sourceBatch, rec *SourceRecord, stage Stage, headers []RawHeader, err error) (out []byte, null, keep bool, _ error) {
	converter, class, datum := o.env.value, o.env.valueClass, rec.Value
	if stage == StageKeyConverter {
		converter, class, datum = o.env.key, o.env.keyClass, rec.Key
	}
	f := failure{stage: stage, plugin: class, record: rec, err: err}
	skip, err := o.env.errs.settle(ctx, f, func() (err error) {
		o.wire.Headers = headers
		out, null, err = converter.AppendEncode(ctx, b.arena, &o.wire, datum)
		return err
	})
	return out, null, !skip && err == nil, err
}

// take keeps what a converter appended to the arena: in part, which is nil for
// null.
func (b *batchBuffers) take(part *[]byte, out []byte, null bool) {
	if null {
		if *part != nil {
			*part = nil
		}
		return
	}
	mark := len(b.arena)
	b.arena, *part = out, out[mark:len(out):len(out)]
}

func (o *kafkaOutput) send(ctx context.Context, b *sourceBatch) error {
	if len(o.messages) == 0 {
		return nil
	}
	if err := o.wake(ctx); err != nil {
		b.abandon()
		return o.env.stageError(StageKafkaProduce, err)
	}
	if o.env.sourceLetters != nil {
		b.kept = slices.Clone(o.messages)
	}
	large := cap(b.arena) > maxArena
	err := o.producer.Send(ctx, o.messages, b) // b may be over from here on
	if large {
		clear(o.messages)
	}
	o.messages = o.messages[:0]
	return err
}

// wake opens the producer if it is not open.
func (o *kafkaOutput) wake(ctx context.Context) (err error) {
	if o.producer == nil {
		if o.producer, err = o.open(ctx); err != nil {
			return fmt.Errorf("producer: %w", err)
		}
	}
	return nil
}

// rest lets go of the clients. The next batch opens them again.
func (o *kafkaOutput) rest(ctx context.Context) error {
	p := o.producer
	if o.producer = nil; p == nil {
		return o.topics.rest(ctx)
	}
	return errors.Join(p.Close(ctx), o.topics.rest(ctx))
}

// tolerate applies errors.tolerance to a record that Kafka refused. It returns
// the outcome of its dead letter; nil if there is none.
func (o *kafkaOutput) tolerate(rec *SourceRecord, m *Message, err error) (letter *outcome.Outcome, _ error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrStopped) {
		return nil, err // not refused: the task ended first
	}
	f := failure{stage: StageKafkaProduce, plugin: o.env.plugin.info.Class, record: rec, message: m, err: err}
	outcomes, err := o.env.errs.fail(context.Background(), f)
	for _, o := range outcomes {
		if o != nil {
			letter = o
		}
	}
	return letter, err
}

// receiverOutput hands records to the host program in place of Kafka. It is used
// by the pump.
type receiverOutput struct {
	env      *taskEnv
	receiver Receiver
	records  []SourceRecord // of one batch
}

func (o *receiverOutput) add(_ context.Context, b *sourceBatch, rec *SourceRecord) error {
	o.records = append(o.records, *rec)
	b.send()
	return nil
}

// send calls the receiver until it takes the records, as long as its errors are
// retriable and errors.retry.timeout lasts; the default there is not to retry.
func (o *receiverOutput) send(ctx context.Context, b *sourceBatch) error {
	if len(o.records) == 0 {
		return nil
	}
	if err := o.receive(ctx, o.records); err != nil {
		b.abandon()
		return o.env.stageError(StageKafkaProduce, fmt.Errorf("receiver: %w", err))
	}
	for i := range o.records {
		b.Acked(i, TopicPartition{Topic: o.records[i].Topic, Partition: -1}, -1, nil)
	}
	clear(o.records)
	o.records = o.records[:0]
	return nil
}

// receive tries again after retriable errors until ctx ends: a receiver that
// says so wants to be asked again.
func (o *receiverOutput) receive(ctx context.Context, records []SourceRecord) error {
	for attempt := 0; ; attempt++ {
		err := o.receiver.Receive(ctx, records)
		after, retriable := RetryAfter(err)
		if err == nil || !retriable {
			return err
		}
		o.env.hooks.onError(&ErrorEvent{Task: o.env.id, Stage: StageKafkaProduce, Err: err, Retry: true})
		if sleep(ctx, retryPause(attempt, after)) != nil {
			return err
		}
	}
}

func (o *receiverOutput) rest(context.Context) error { return nil }

// batchStats gathers what a BatchEvent tells. Transform and convert times are
// those of every 16th record, scaled: reading the clock for each would cost
// more than the work.
type batchStats struct {
	timed       bool // somebody listens
	polled      time.Time
	pollTook    time.Duration
	n, seen     int
	pollRetries int
	transform   time.Duration
	convert     time.Duration
	event       BatchEvent
}

const sampleEvery = 16

func (s *batchStats) begin(start time.Time, n int) {
	s.polled, s.pollTook = start, time.Since(start)
	s.n, s.seen, s.transform, s.convert = n, 0, 0, 0
}

// sample returns the time for every 16th record if somebody listens, else zero.
func (s *batchStats) sample() time.Time {
	if !s.timed {
		return time.Time{}
	}
	s.seen++
	if s.seen%sampleEvery != 1 {
		return time.Time{}
	}
	return time.Now()
}

func (s *batchStats) transformed(start time.Time) time.Time {
	if start.IsZero() {
		return start
	}
	now := time.Now()
	s.transform += now.Sub(start)
	return now
}

func (s *batchStats) converted(start time.Time) {
	if !start.IsZero() {
		s.convert += time.Since(start)
	}
}

// filled notes what the batch holds, which is the acks' once it is sealed.
func (s *batchStats) filled(b *sourceBatch) {
	if s.timed {
		s.event = BatchEvent{Polled: s.n, Dropped: b.dropped, Sent: s.n - b.dropped, Bytes: b.bytes}
	}
}

// sent tells the hooks of a batch that was handed over.
func (s *batchStats) sent(p *sourcePipeline, took time.Duration) {
	if !s.timed {
		return
	}
	e, scale := &s.event, time.Duration(min(sampleEvery, max(s.n, 1)))
	e.Task, e.InFlight, e.Poll, e.Deliver = p.env.id, p.track.inFlight(), s.pollTook, took
	e.Transform, e.Convert = s.transform*scale, s.convert*scale
	p.env.hooks.onBatch(e)
}
