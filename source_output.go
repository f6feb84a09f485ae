package connect

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// kafkaOutput encodes records and sends them to Kafka.
type kafkaOutput struct {
	env      *taskEnv
	producer Producer
	topics   *topicCreator // nil: the broker creates topics, or nobody
	wire     Wire
}

// add converts headers, key and value of rec and appends the message to b.
func (o *kafkaOutput) add(ctx context.Context, b *sourceBatch, rec *SourceRecord) error {
	if !rec.Timestamp.IsZero() && rec.Timestamp.UnixMilli() < 0 {
		return o.env.stageError(StageKafkaProduce, fmt.Errorf("timestamp %v is before 1970", rec.Timestamp))
	}
	if o.topics != nil {
		if err := o.topics.ensure(ctx, rec.Topic); err != nil {
			return o.env.stageError(StageKafkaProduce, err)
		}
	}
	mark := len(b.arena)
	m, keep, err := o.encode(ctx, b, rec)
	if !keep || err != nil {
		b.arena = b.arena[:mark]
		if err == nil {
			b.drop()
		}
		return err
	}
	b.bytes += int64(len(m.Key) + len(m.Value))
	b.messages = append(b.messages, m)
	b.slotOf = append(b.slotOf, int32(b.n-1))
	return nil
}

// encode converts one record. keep is false if errors.tolerance let it go.
func (o *kafkaOutput) encode(ctx context.Context, b *sourceBatch, rec *SourceRecord) (m Message, keep bool, err error) {
	o.wire = Wire{Topic: rec.Topic, Headers: b.headers[len(b.headers):]}
	for i := range rec.Headers {
		if keep, err := o.header(ctx, b, rec, &rec.Headers[i]); !keep {
			return m, false, err
		}
	}
	if m.Key, keep, err = o.part(ctx, b, rec, StageKeyConverter); !keep {
		return m, false, err
	}
	if m.Value, keep, err = o.part(ctx, b, rec, StageValueConverter); !keep {
		return m, false, err
	}
	m.Topic, m.Partition = rec.Topic, -1
	if p, ok := rec.Partition.Get(); ok {
		m.Partition = p
	}
	m.Time = rec.Timestamp
	if n := len(o.wire.Headers); n > 0 {
		m.Headers = o.wire.Headers[:n:n]
		b.headers = o.wire.Headers
	}
	return m, true, nil
}

// header converts one header into the arena.
func (o *kafkaOutput) header(ctx context.Context, b *sourceBatch, rec *SourceRecord, h *Header) (keep bool, err error) {
	mark := len(b.arena)
	out, null, err := o.env.header.AppendEncodeHeader(b.arena, rec.Topic, h.Key, h.Datum)
	if err != nil {
		f := failure{stage: StageHeaderConverter, plugin: o.env.headerClass, record: rec, err: err}
		skip, err := o.env.errs.settle(ctx, f, func() (err error) {
			out, null, err = o.env.header.AppendEncodeHeader(b.arena[:mark], rec.Topic, h.Key, h.Datum)
			return err
		})
		if skip || err != nil {
			return false, err
		}
	}
	var value []byte
	b.arena, value = take(b.arena, out, mark, null)
	o.wire.Headers = append(o.wire.Headers, RawHeader{Key: h.Key, Value: value})
	return true, nil
}

// part converts the key or the value into the arena.
func (o *kafkaOutput) part(ctx context.Context, b *sourceBatch, rec *SourceRecord, stage Stage) (bytes []byte, keep bool, err error) {
	converter, class, datum := o.env.value, o.env.valueClass, rec.Value
	if stage == StageKeyConverter {
		converter, class, datum = o.env.key, o.env.keyClass, rec.Key
	}
	mark := len(b.arena)
	headers := o.wire.Headers
	out, null, err := converter.AppendEncode(ctx, b.arena, &o.wire, datum)
	if err != nil {
		f := failure{stage: stage, plugin: class, record: rec, err: err}
		skip, err := o.env.errs.settle(ctx, f, func() (err error) {
			o.wire.Headers = headers
			out, null, err = converter.AppendEncode(ctx, b.arena[:mark], &o.wire, datum)
			return err
		})
		if skip || err != nil {
			return nil, false, err
		}
	}
	b.arena, bytes = take(b.arena, out, mark, null)
	return bytes, true, nil
}

// take returns the arena after a converter appended to it, and what it
// appended; nil for null.
func take(arena, out []byte, mark int, null bool) (next, part []byte) {
	if null {
		return arena[:mark], nil
	}
	return out, out[mark:len(out):len(out)]
}

func (o *kafkaOutput) send(ctx context.Context, b *sourceBatch) error {
	b.seal()
	if len(b.messages) == 0 {
		b.release()
		return nil
	}
	return o.producer.Send(ctx, b.messages, b)
}

func (o *kafkaOutput) close(ctx context.Context) error {
	return errors.Join(o.producer.Close(ctx), o.topics.close(ctx))
}

// tolerate applies errors.tolerance to a record that Kafka refused.
func (o *kafkaOutput) tolerate(b *sourceBatch, i int, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrStopped) {
		return err // not refused: the task ended first
	}
	m := &b.messages[i]
	s := &b.slots[b.slotOf[i]]
	rec := &SourceRecord{Record: Record{Topic: m.Topic}, SourceOffset: s.offset}
	if s.queue != nil {
		rec.SourcePartition = s.queue.partition
	}
	f := failure{stage: StageKafkaProduce, plugin: o.env.plugin.info.Class, record: rec, err: err}
	_, err = o.env.errs.fail(context.Background(), f)
	return err
}

// receiverOutput hands records to the host program in place of Kafka.
type receiverOutput struct {
	env      *taskEnv
	receiver Receiver
}

func (o *receiverOutput) add(_ context.Context, b *sourceBatch, rec *SourceRecord) error {
	b.records = append(b.records, *rec)
	b.slotOf = append(b.slotOf, int32(b.n-1))
	return nil
}

// send calls the receiver until it takes the records, as long as its errors are
// retriable and errors.retry.timeout lasts; the default there is not to retry.
func (o *receiverOutput) send(ctx context.Context, b *sourceBatch) error {
	if len(b.records) == 0 {
		b.release()
		return nil
	}
	if err := o.receive(ctx, b.records); err != nil {
		b.abandon()
		return o.env.stageError(StageKafkaProduce, fmt.Errorf("receiver: %w", err))
	}
	for i := range b.records {
		b.ack(int(b.slotOf[i]), TopicPartition{Topic: b.records[i].Topic, Partition: -1}, -1)
	}
	b.release()
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

func (o *receiverOutput) close(context.Context) error { return nil }

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

func (s *batchStats) end(env *taskEnv, b *sourceBatch, took time.Duration, inFlight int) {
	if len(env.hooks.batch) == 0 {
		return
	}
	scale := time.Duration(min(sampleEvery, max(s.n, 1)))
	s.event = BatchEvent{
		Task: env.id, Polled: s.n, Dropped: b.dropped, Sent: s.n - b.dropped, Bytes: b.bytes, InFlight: inFlight,
		Poll: s.pollTook, Transform: s.transform * scale, Convert: s.convert * scale, Deliver: took,
	}
	env.hooks.onBatch(&s.event)
}
