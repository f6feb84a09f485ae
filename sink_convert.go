package connect

import (
	"context"
	"slices"
	"time"
)

// messages returns the n messages of the last poll, and makes room for the next
// one. They are good until that, unless a reporter wants messages as they were
// consumed: these live for as long as records refer to them, for the reports of
// records that a task keeps, in a slab that is never used again. A poll that
// filled more than half of p.fetch gives that away; of a smaller one a copy is
// made, so that a kept record never holds much more than its own poll.
func (p *sinkPipeline) messages(n int) []Message {
	msgs, room := p.fetch[:n:n], len(p.fetch)
	full := n == room
	if full {
		room = min(4*room, p.pollMax)
	}
	switch {
	case p.keepRaw && 2*n > len(p.fetch), full && room > n:
		p.fetch, p.usedFetch = make([]Message, room), 0
	case p.keepRaw:
		msgs = slices.Clone(msgs)
		clear(p.fetch[:n])
	default:
		p.cutFetch(n)
	}
	return msgs
}

// letGo gives up all that is not to be put again.
func (p *sinkPipeline) letGo() {
	p.cutFetch(0)
	p.cutBatch()
	if len(p.fetch) > firstPollRecords {
		p.fetch = make([]Message, firstPollRecords)
	}
	if len(p.batch) == 0 {
		p.batch = nil
	}
}

// cutFetch clears what p.fetch holds beyond the n messages of the last poll.
func (p *sinkPipeline) cutFetch(n int) {
	if n < p.usedFetch {
		clear(p.fetch[n:p.usedFetch])
	}
	p.usedFetch, p.wire = n, Wire{}
}

// cutBatch clears what p.batch holds beyond the records to be put.
func (p *sinkPipeline) cutBatch() {
	clear(p.batch[len(p.batch):p.usedBatch])
	p.usedBatch = len(p.batch)
}

// from fills in what a record has of its message without converters. It may hold
// the record that was in its place before, whose key and value are overwritten
// by decode. What is the same already is left alone: while the garbage collector
// marks, storing a pointer costs many times what comparing it does.
func (r *SinkRecord) from(m *Message) {
	if r.Topic != m.Topic || r.Origin.Topic != m.Topic {
		r.Topic, r.Origin.Topic = m.Topic, m.Topic
	}
	if r.Timestamp != m.Time {
		r.Timestamp = m.Time
	}
	if r.Headers != nil {
		r.Headers = nil
	}
	r.Partition, r.Offset = On(m.Partition), m.Offset
	r.Origin.Partition, r.Origin.Offset = m.Partition, m.Offset
	r.Origin.TimestampType, r.Origin.consumed = m.TimeType, true
}

// replace is an assignment that leaves alone what is the same already; see from.
func (d *Datum) replace(by Datum) {
	if d.Schema != by.Schema {
		d.Schema = by.Schema
	}
	d.Value = by.Value
}

// leadingRun returns the first messages, as far as they are of one partition.
func leadingRun(msgs []Message) []Message {
	first := &msgs[0].TopicPartition
	for i := 1; i < len(msgs); i++ {
		if tp := &msgs[i].TopicPartition; tp.Partition != first.Partition || tp.Topic != first.Topic {
			return msgs[:i]
		}
	}
	return msgs
}

// A headerSlab is the memory for the converted headers of one poll. It is not
// used again, for a task may keep what is in it.
type headerSlab []Header

// take cuts off room for the headers of the first of msgs, with no room to
// append. If there is none left, it makes room for those of all that follow.
func (s *headerSlab) take(msgs []Message) []Header {
	n := len(msgs[0].Headers)
	if len(*s) < n {
		all := 0
		for i := range msgs {
			all += len(msgs[i].Headers)
		}
		*s = make(headerSlab, all)
	}
	taken := (*s)[:n:n]
	*s = (*s)[n:]
	return taken
}

// decode converts key, value and headers of m into a record that has everything
// else: in Java's order, for the first failure is what a dead letter tells of.
// keep is false if errors.tolerance let it go, or with an error.
func (p *sinkPipeline) decode(ctx context.Context, m *Message, rec *SinkRecord) (keep bool, err error) {
	p.wire.Topic = m.Topic
	if len(m.Headers)+len(p.wire.Headers) > 0 {
		p.wire.Headers = m.Headers
	}
	key, err := p.env.key.Decode(ctx, &p.wire, m.Key)
	if err != nil {
		if keep, err := p.decodeAgain(ctx, m, rec, StageKeyConverter, err); !keep {
			return false, err
		}
	} else {
		rec.Key.replace(key)
	}
	value, err := p.env.value.Decode(ctx, &p.wire, m.Value)
	if err != nil {
		if keep, err := p.decodeAgain(ctx, m, rec, StageValueConverter, err); !keep {
			return false, err
		}
	} else {
		rec.Value.replace(value)
	}
	for i := range m.Headers {
		if keep, err := p.decodeHeader(ctx, m, rec, i); !keep {
			return false, err
		}
	}
	return true, nil
}

// decodeHeader converts the i-th header.
func (p *sinkPipeline) decodeHeader(ctx context.Context, m *Message, rec *SinkRecord, i int) (keep bool, err error) {
	raw, to := &m.Headers[i], &rec.Headers[i]
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

// decodeAgain deals with a key or a value that could not be converted.
func (p *sinkPipeline) decodeAgain(ctx context.Context, m *Message, rec *SinkRecord, stage Stage, err error) (keep bool, _ error) {
	converter, class, b, to := p.env.value, p.env.valueClass, m.Value, &rec.Value
	if stage == StageKeyConverter {
		converter, class, b, to = p.env.key, p.env.keyClass, m.Key, &rec.Key
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
	if len(p.env.hooks.batch) == 0 {
		return
	}
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
	if len(p.env.hooks.batch) == 0 {
		return
	}
	p.event.Task, p.event.Sink = p.env.id, true
	p.event.Sent, p.event.Deliver = len(p.batch), took
	p.env.hooks.onBatch(&p.event)
	p.event = BatchEvent{}
}
