package connect

import (
	"context"
	"slices"
	"time"
)

// keep returns the n messages of the last poll in a slab that lives for as long
// as records refer to it, for the dead letters and reports of records that a
// task keeps: it is never used again. A poll that filled more than half of
// p.fetch gives that away; of a smaller one a copy is made, so that a kept
// record never holds much more than its own poll.
func (p *sinkPipeline) keep(n int) []Message {
	if n == 0 {
		return nil
	}
	msgs := p.fetch[:n:n]
	if 2*n > len(p.fetch) {
		p.fetch = make([]Message, len(p.fetch))
		return msgs
	}
	kept := slices.Clone(msgs)
	clear(msgs)
	return kept
}

// A headerSlab is the memory for the converted headers of one poll. Like the
// messages it is not used again, for a task may keep what is in it.
type headerSlab []Header

func newHeaderSlab(msgs []Message) headerSlab {
	n := 0
	for i := range msgs {
		n += len(msgs[i].Headers)
	}
	if n == 0 {
		return nil
	}
	return make(headerSlab, n)
}

// take cuts off room for n headers, with no room to append.
func (s *headerSlab) take(n int) []Header {
	taken := (*s)[:n:n]
	*s = (*s)[n:]
	return taken
}

// decode converts headers, key and value of a record that has everything else.
// keep is false if errors.tolerance let it go, or with an error.
func (p *sinkPipeline) decode(ctx context.Context, rec *SinkRecord, headers *headerSlab) (keep bool, err error) {
	raw := rec.Origin.raw
	if n := len(raw.Headers); n > 0 {
		rec.Headers = headers.take(n)
		for i := range raw.Headers {
			if keep, err = p.decodeHeader(ctx, rec, i); !keep {
				return false, err
			}
		}
	}
	p.wire = Wire{Topic: raw.Topic, Headers: raw.Headers}
	if keep, err = p.decodePart(ctx, rec, StageKeyConverter); !keep {
		return false, err
	}
	return p.decodePart(ctx, rec, StageValueConverter)
}

// decodeHeader converts the i-th header.
func (p *sinkPipeline) decodeHeader(ctx context.Context, rec *SinkRecord, i int) (keep bool, err error) {
	raw, to := &rec.Origin.raw.Headers[i], &rec.Headers[i]
	to.Key = raw.Key
	to.Datum, err = p.env.header.DecodeHeader(rec.Origin.Topic, raw.Key, raw.Value)
	if err == nil {
		return true, nil
	}
	f := failure{stage: StageHeaderConverter, plugin: p.env.headerClass, origin: &rec.Origin, err: err}
	skip, err := p.env.errs.settle(ctx, f, func() (err error) {
		to.Datum, err = p.env.header.DecodeHeader(rec.Origin.Topic, raw.Key, raw.Value)
		return err
	})
	return !skip && err == nil, err
}

// decodePart converts the key or the value.
func (p *sinkPipeline) decodePart(ctx context.Context, rec *SinkRecord, stage Stage) (keep bool, err error) {
	converter, class, b, to := p.env.value, p.env.valueClass, rec.Origin.raw.Value, &rec.Value
	if stage == StageKeyConverter {
		converter, class, b, to = p.env.key, p.env.keyClass, rec.Origin.raw.Key, &rec.Key
	}
	if *to, err = converter.Decode(ctx, &p.wire, b); err == nil {
		return true, nil
	}
	f := failure{stage: stage, plugin: class, origin: &rec.Origin, err: err}
	skip, err := p.env.errs.settle(ctx, f, func() (err error) {
		*to, err = converter.Decode(ctx, &p.wire, b)
		return err
	})
	return !skip && err == nil, err
}

// decoded is converted for a stage that others follow: it returns when they
// begin.
func (s *batchStats) decoded(start time.Time) time.Time {
	if start.IsZero() {
		return start
	}
	now := time.Now()
	s.convert += now.Sub(start)
	return now
}

// converted adds a poll to the event of the batch.
func (p *sinkPipeline) converted(msgs []Message) {
	e, scale := &p.event, time.Duration(min(sampleEvery, max(len(msgs), 1)))
	e.Polled += len(msgs)
	for i := range msgs {
		e.Bytes += int64(len(msgs[i].Key) + len(msgs[i].Value))
	}
	e.Poll += p.stats.pollTook
	e.Convert += p.stats.convert * scale
	e.Transform += p.stats.transform * scale
}

// delivered tells the hooks of a batch that Put took.
func (p *sinkPipeline) delivered(took time.Duration) {
	p.event.Task, p.event.Sink = p.env.id, true
	p.event.Sent, p.event.Deliver = len(p.batch), took
	p.env.hooks.onBatch(&p.event)
	p.event = BatchEvent{}
}
