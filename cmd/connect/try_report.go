package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/trial"
)

// A trialReport is a trial with what came of it.
type trialReport struct {
	ask   trial.Trial
	tried []trial.Tried
}

// failed counts the samples that fail.
func (r *trialReport) failed() (n int) {
	for i := range r.tried {
		if r.tried[i].Err != nil {
			n++
		}
	}
	return n
}

// outcome is a word for what becomes of a sample.
func outcome(t *trial.Tried) string {
	switch {
	case t.Err != nil:
		return "failed"
	case t.Dropped():
		return "dropped"
	case t.Message != nil:
		return "sent"
	}
	return "put"
}

// input is the sample that was tried: a message, or a record.
func (r *trialReport) input(i int) (*connect.Message, *connect.SourceRecord) {
	if i < len(r.ask.Messages) {
		return &r.ask.Messages[i], nil
	}
	return nil, &r.ask.Records[i-len(r.ask.Messages)]
}

// The shapes of the JSON output. Data are as Java's JsonConverter writes them, with
// their schema; bytes are text where they are valid UTF-8, else Base64.
type (
	jsonReport struct {
		Connector string       `json:"connector"`
		Samples   []jsonSample `json:"samples"`
	}
	jsonSample struct {
		Consumed *jsonMessage `json:"consumed,omitempty"`
		Polled   *jsonRecord  `json:"polled,omitempty"`
		Steps    []jsonStep   `json:"steps"`
		Outcome  string       `json:"outcome"`
		Put      *jsonRecord  `json:"put,omitempty"`
		Sent     *jsonMessage `json:"sent,omitempty"`
		Error    string       `json:"error,omitempty"`
	}
	jsonStep struct {
		Stage     connect.Stage  `json:"stage"`
		Alias     string         `json:"alias,omitempty"`
		Plugin    string         `json:"plugin"`
		Predicate *jsonPredicate `json:"predicate,omitempty"`
		Applies   *bool          `json:"applies,omitempty"` // of transforms
		Record    *jsonRecord    `json:"record,omitempty"`
		Message   *jsonMessage   `json:"message,omitempty"`
		Dropped   bool           `json:"dropped,omitempty"`
		Error     string         `json:"error,omitempty"`
		Micros    int64          `json:"micros"`
	}
	jsonPredicate struct {
		Alias  string `json:"alias"`
		Plugin string `json:"plugin"`
		Negate bool   `json:"negate"`
		Holds  bool   `json:"holds"`
	}
	jsonRecord struct {
		Topic           string          `json:"topic"`
		Partition       *int32          `json:"partition,omitempty"`
		Timestamp       *int64          `json:"timestamp,omitempty"`
		Key             json.RawMessage `json:"key"`
		Value           json.RawMessage `json:"value"`
		Headers         []jsonHeader    `json:"headers"`
		SourcePartition json.RawMessage `json:"sourcePartition,omitempty"`
		SourceOffset    json.RawMessage `json:"sourceOffset,omitempty"`
	}
	jsonHeader struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	}
	jsonMessage struct {
		Topic     string       `json:"topic"`
		Partition *int32       `json:"partition,omitempty"`
		Offset    *int64       `json:"offset,omitempty"`
		Timestamp *int64       `json:"timestamp,omitempty"`
		Key       jsonBytes    `json:"key"`
		Value     jsonBytes    `json:"value"`
		Headers   []wireOutput `json:"headers"`
	}
	wireOutput struct {
		Key   string    `json:"key"`
		Value jsonBytes `json:"value"`
	}
	jsonBytes []byte
)

// MarshalJSON writes null, a text, or {"base64": ...}.
func (b jsonBytes) MarshalJSON() ([]byte, error) {
	switch {
	case b == nil:
		return []byte("null"), nil
	case utf8.Valid(b):
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string][]byte{"base64": b})
}

// json writes one document.
func (r *trialReport) json(w io.Writer) error {
	data, err := converters.NewJSON(converters.DefaultJSONConfig())
	if err != nil {
		return err
	}
	j := jsonWriter{data}
	out := jsonReport{Connector: r.ask.Name, Samples: []jsonSample{}}
	for i := range r.tried {
		out.Samples = append(out.Samples, j.sample(r, i))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

type jsonWriter struct{ data *converters.JSONConverter }

func (j jsonWriter) sample(r *trialReport, i int) jsonSample {
	t := &r.tried[i]
	s := jsonSample{Steps: []jsonStep{}, Outcome: outcome(t), Put: j.record(t.Record), Sent: j.message(t.Message)}
	if m, rec := r.input(i); m != nil {
		s.Consumed = j.message(m)
		s.Consumed.Offset = &m.Offset
	} else {
		s.Polled = j.record(&rec.Record)
		if !rec.SourcePartition.IsZero() {
			s.Polled.SourcePartition = json.RawMessage(rec.SourcePartition.String())
			s.Polled.SourceOffset = json.RawMessage(rec.SourceOffset.String())
		}
	}
	if t.Err != nil {
		s.Error = t.Err.Error()
	}
	for n := range t.Steps {
		s.Steps = append(s.Steps, j.step(&t.Steps[n]))
	}
	return s
}

func (j jsonWriter) step(s *trial.Step) jsonStep {
	out := jsonStep{
		Stage: s.Stage, Alias: s.Alias, Plugin: s.Plugin, Record: j.record(s.Record), Message: j.message(s.Message),
		Dropped: s.Dropped, Micros: s.Took.Microseconds(),
	}
	if s.Stage == connect.StageTransformation {
		applies := s.Applies()
		out.Applies = &applies
	}
	if p := s.Predicate; p != nil {
		out.Predicate = &jsonPredicate{p.Alias, p.Plugin, p.Negate, p.Holds}
	}
	if s.Err != nil {
		out.Error = s.Err.Error()
	}
	return out
}

func (j jsonWriter) record(r *connect.Record) *jsonRecord {
	if r == nil {
		return nil
	}
	out := &jsonRecord{Topic: r.Topic, Key: j.datum(r.Key), Value: j.datum(r.Value), Headers: []jsonHeader{}}
	if p, ok := r.Partition.Get(); ok {
		out.Partition = &p
	}
	if !r.Timestamp.IsZero() {
		ms := r.Timestamp.UnixMilli()
		out.Timestamp = &ms
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, jsonHeader{h.Key, j.datum(h.Datum)})
	}
	return out
}

func (j jsonWriter) message(m *connect.Message) *jsonMessage {
	if m == nil {
		return nil
	}
	out := &jsonMessage{Topic: m.Topic, Key: m.Key, Value: m.Value, Headers: []wireOutput{}}
	if m.Partition >= 0 {
		out.Partition = &m.Partition
	}
	if !m.Time.IsZero() {
		ms := m.Time.UnixMilli()
		out.Timestamp = &ms
	}
	for _, h := range m.Headers {
		out.Headers = append(out.Headers, wireOutput{h.Key, h.Value})
	}
	return out
}

// datum is the JSON of a datum; its text, if it has none.
func (j jsonWriter) datum(d connect.Datum) json.RawMessage {
	b, null, err := j.data.AppendEncode(context.Background(), nil, nil, d)
	switch {
	case err != nil:
		text, err := json.Marshal(map[string]string{"text": fmt.Sprint(d.Value)})
		if err == nil {
			return text
		}
		return json.RawMessage("null")
	case null:
		return json.RawMessage("null")
	}
	return b
}
