package trial

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/streamlane/connect"
)

// A run runs samples, one at a time.
type run struct {
	stages *connect.Stages
	name   string // of the connector

	tried  *Tried
	at     string         // where the sample is from
	record connect.Record // as the last step left it
}

// sink is the way of a record from Kafka to Put.
func (r *run) sink(ctx context.Context, m *connect.Message) (t Tried) {
	s, rec := r.stages, &r.record
	r.tried, r.at = &t, fmt.Sprintf("%s-%d@%d", m.Topic, m.Partition, m.Offset)
	*rec = connect.Record{Topic: m.Topic, Partition: connect.On(m.Partition), Offset: m.Offset, Timestamp: m.Time}
	wire := connect.Wire{Topic: m.Topic, Headers: m.Headers}
	ok := r.decode(connect.StageKeyConverter, s.KeyClass, func() (err error) {
		rec.Key, err = s.Key.Decode(ctx, &wire, m.Key)
		return err
	}) && r.decode(connect.StageValueConverter, s.ValueClass, func() (err error) {
		rec.Value, err = s.Value.Decode(ctx, &wire, m.Value)
		return err
	}) && r.decode(connect.StageHeaderConverter, s.HeaderClass, func() error {
		for _, h := range m.Headers {
			d, err := s.Header.DecodeHeader(m.Topic, h.Key, h.Value)
			if err != nil {
				return fmt.Errorf("header %q: %w", h.Key, err)
			}
			rec.Headers = append(rec.Headers, connect.Header{Key: h.Key, Datum: d})
		}
		return nil
	}) && r.transforms(ctx)
	if ok {
		t.Record = r.left()
	}
	return t
}

// source is the way of a record from Poll to the producer, or to a Receiver.
func (r *run) source(ctx context.Context, rec *connect.SourceRecord) (t Tried) {
	r.tried, r.at = &t, fmt.Sprintf("topic %q", rec.Topic)
	if !rec.SourcePartition.IsZero() {
		r.at += fmt.Sprintf(", source partition %v, source offset %v", rec.SourcePartition, rec.SourceOffset)
	}
	r.record = rec.Record
	r.record.Offset = -1
	switch {
	case !r.transforms(ctx):
		return t
	case r.record.Topic == "" || !r.record.Timestamp.IsZero() && r.record.Timestamp.UnixMilli() < 0:
		r.step(Step{Stage: connect.StageKafkaProduce, Plugin: r.stages.Class}, func(*Step) error {
			return fmt.Errorf("found the topic %q and the timestamp %v, want a topic, and no timestamp before 1970", r.record.Topic, r.record.Timestamp)
		})
		return t
	case r.stages.Key == nil: // a Receiver takes records as they are
		t.Record = r.left()
		return t
	}
	t.Message = r.encode(ctx, &r.record)
	return t
}

// encode makes a message of a record; nil if a converter fails.
func (r *run) encode(ctx context.Context, rec *connect.Record) *connect.Message {
	s := r.stages
	m := &connect.Message{TopicPartition: connect.TopicPartition{Topic: rec.Topic, Partition: -1}, Time: rec.Timestamp}
	if p, ok := rec.Partition.Get(); ok {
		m.Partition = p
	}
	wire := connect.Wire{Topic: rec.Topic}
	// A converter may append headers.
	convert := func(stage connect.Stage, class string, do func() error) bool {
		return r.step(Step{Stage: stage, Plugin: class}, func(s *Step) error {
			err := do()
			m.Headers = slices.Clone(wire.Headers)
			left := *m
			s.Message = &left
			return err
		})
	}
	part := func(stage connect.Stage, class string, converter connect.Converter, d connect.Datum, to *[]byte) bool {
		return convert(stage, class, func() error {
			out, null, err := converter.AppendEncode(ctx, []byte{}, &wire, d)
			*to = orNull(out, null)
			return err
		})
	}
	ok := convert(connect.StageHeaderConverter, s.HeaderClass, func() error {
		for _, h := range rec.Headers {
			out, null, err := s.Header.AppendEncodeHeader([]byte{}, rec.Topic, h.Key, h.Datum)
			if err != nil {
				return fmt.Errorf("header %q: %w", h.Key, err)
			}
			wire.Headers = append(wire.Headers, connect.RawHeader{Key: h.Key, Value: orNull(out, null)})
		}
		return nil
	}) && part(connect.StageKeyConverter, s.KeyClass, s.Key, rec.Key, &m.Key) &&
		part(connect.StageValueConverter, s.ValueClass, s.Value, rec.Value, &m.Value)
	if !ok {
		return nil
	}
	return m
}

func orNull(b []byte, null bool) []byte {
	if null {
		return nil
	}
	return b
}

// step runs one step, and adds it with what it left.
func (r *run) step(s Step, do func(s *Step) error) bool {
	begun := time.Now()
	err := guard(func() error { return do(&s) })
	s.Took = time.Since(begun)
	if err != nil {
		s.Err = &connect.StageError{Connector: r.name, Stage: s.Stage, Plugin: s.Plugin, At: r.at, Err: err}
		s.Record, s.Message, r.tried.Err = nil, nil, s.Err
	}
	r.tried.Steps = append(r.tried.Steps, s)
	return s.Err == nil && !s.Dropped
}

// guard turns a panic of a plugin into an error, as the engine does.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &connect.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// left returns the record as it is now.
func (r *run) left() *connect.Record {
	rec := r.record
	rec.Headers = slices.Clone(rec.Headers)
	return &rec
}

func (r *run) decode(stage connect.Stage, class string, do func() error) bool {
	return r.step(Step{Stage: stage, Plugin: class}, func(s *Step) error {
		err := do()
		s.Record = r.left()
		return err
	})
}

// transforms runs the chain, stage by stage.
func (r *run) transforms(ctx context.Context) bool {
	for i := range r.stages.Transforms {
		t := &r.stages.Transforms[i]
		if !r.step(Step{Stage: connect.StageTransformation, Alias: t.Alias, Plugin: t.Class}, func(s *Step) error {
			return r.transform(ctx, t, s)
		}) {
			return false
		}
	}
	return true
}

// transform does what the engine does with each stage of a chain: it gives the
// stage a copy, which counts if the stage succeeds.
func (r *run) transform(ctx context.Context, t *connect.TransformStage, s *Step) error {
	work := *r.left()
	work.Headers = slices.Clip(work.Headers)
	if t.Predicate != nil {
		holds, err := t.Predicate.Test(ctx, &work)
		if err != nil {
			return err
		}
		s.Predicate = &Predicate{Alias: t.PredicateAlias, Plugin: t.PredicateClass, Negate: t.Negate, Holds: holds}
		if holds == t.Negate {
			s.Record = r.left()
			return nil
		}
	}
	keep, err := t.Transform.Apply(ctx, &work)
	if err != nil {
		return err
	}
	if s.Dropped = !keep; keep {
		r.record = work
		s.Record = r.left()
	}
	return nil
}
