package connect

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/connectjson"
	"github.com/streamlane/connect/internal/deadletter"
	"github.com/streamlane/connect/internal/outcome"
)

const (
	// sourceLettersKey asks for dead letters of a source.
	sourceLettersKey = "streamlane.errors.deadletterqueue.topic.name"
	// letterConverter writes them.
	letterConverter = "org.apache.kafka.connect.json.JsonConverter"
)

// A sourceLetterReporter sends the dead letters of a source: the records as Poll
// returned them, as JSON with schemas; those that Kafka refused, as the bytes that
// it refused. A nil one has nothing to do.
type sourceLetterReporter struct {
	*letterBox
	json Converter

	// Of the pump: the record that it works on, and the letter of that.
	polled *SourceRecord
	owed   *outcome.Outcome

	mu sync.Mutex
	// queue has the letters of what Kafka refused. An ack must not block, and
	// sending may: the commit goroutine does it.
	queue  []*letter
	queued chan struct{} // capacity one
}

func (*sourceLetterReporter) wantsRaw() bool { return false }

func (l *sourceLetterReporter) report(ctx context.Context, f *failure) *outcome.Outcome {
	source := &deadletter.Source{Partition: sourcePartitionText(f.record.SourcePartition), Offset: sourceOffsetText(f.record.SourceOffset)}
	if f.message != nil {
		m := f.message.clone() // its memory is used again when the batch is over
		if p := m.Partition; p >= 0 {
			f.record.Partition = On(p)
		}
		letter := l.write(f, m, source)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.queue = append(l.queue, letter)
		signal(l.queued)
		return letter.result
	}
	original := *f
	original.record = l.polled
	m := l.message(ctx, l.polled, source)
	l.owed = l.write(&original, m, source).post(ctx)
	return l.owed
}

// working tells which record the pump is about to transform and convert.
func (l *sourceLetterReporter) working(rec *SourceRecord) {
	if l != nil {
		l.polled, l.owed = rec, nil
	}
}

// letter returns the outcome of the letter of the record that the pump works on;
// nil if there is none.
func (l *sourceLetterReporter) letter() *outcome.Outcome {
	if l == nil {
		return nil
	}
	return l.owed
}

// ready tells of letters for flush.
func (l *sourceLetterReporter) ready() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.queued
}

// flush posts the queued letters.
func (l *sourceLetterReporter) flush(ctx context.Context) {
	if l == nil {
		return
	}
	l.mu.Lock()
	queue := l.queue
	l.queue = nil
	l.mu.Unlock()
	for _, letter := range queue {
		letter.post(ctx)
	}
}

// message makes JSON of a record.
func (l *sourceLetterReporter) message(ctx context.Context, r *SourceRecord, source *deadletter.Source) Message {
	var texts []string
	encode := func(part string, d Datum) []byte {
		b, isText := l.encode(ctx, d)
		if isText {
			texts = append(texts, part)
		}
		return b
	}
	m := Message{Key: encode("key", r.Key), Value: encode("value", r.Value), Time: r.Timestamp}
	for i := range r.Headers {
		h := &r.Headers[i]
		m.Headers = append(m.Headers, RawHeader{Key: h.Key, Value: encode("header:"+h.Key, h.Datum)})
	}
	source.Text = strings.Join(texts, ",")
	return m
}

// encode returns the JSON of a datum: its text, if it has no other. A record may
// fail just because its data do not fit their schema.
func (l *sourceLetterReporter) encode(ctx context.Context, d Datum) (b []byte, isText bool) {
	out, null, err := l.json.AppendEncode(ctx, nil, &Wire{Topic: l.set.topic}, d)
	if err != nil {
		isText = true
		out, null, err = l.json.AppendEncode(ctx, nil, &Wire{Topic: l.set.topic}, Datum{Schema: data.StringSchema, Value: data.String(d.Value.String())})
	}
	switch {
	case err != nil:
		return []byte(d.Value.String()), true
	case null:
		return nil, isText
	case out == nil:
		return []byte{}, isText
	}
	return out, isText
}

// sourcePartitionText is a source partition as JSON.
func sourcePartitionText(p SourcePartition) string {
	if p.IsZero() || p.Err() != nil {
		return "null"
	}
	return p.text()
}

// sourceOffsetText is a source offset as JSON.
func sourceOffsetText(o SourceOffset) string {
	b, err := connectjson.AppendObject(nil, o)
	if o == nil || err != nil {
		return "null" // what cannot be stored has no JSON
	}
	return string(b)
}

// sourceLetters makes the reporter of a source's dead letters.
func (b *taskBuild) sourceLetters(set framework.SourceDeadLetters) error {
	plugin, err := b.rt.letterPlugin()
	if err != nil {
		return fmt.Errorf("key %s: %w", sourceLettersKey, err)
	}
	props := config.Props{"converter.type": "value"}
	json, err := plugin.converter(props, props)
	if err != nil {
		return fmt.Errorf("key %s: converter of dead letters: %w", sourceLettersKey, err)
	}
	b.env.letters = b.letterBox(letterSettings{set.Topic, set.ContextHeaders}, set.ReplicationFactor)
	b.env.sourceLetters = &sourceLetterReporter{letterBox: b.env.letters, json: json, queued: make(chan struct{}, 1)}
	b.env.errs.reporters = append(b.env.errs.reporters, b.env.sourceLetters)
	return nil
}

// letterPlugin is the converter of dead letters of sources.
func (rt *Runtime) letterPlugin() (Plugin, error) {
	if rt.opts.Broker == nil {
		return Plugin{}, fmt.Errorf("dead letters are written to Kafka, and the runtime has no Broker")
	}
	plugin, err := rt.registry.find(framework.Converter, letterConverter, "")
	if err != nil {
		return Plugin{}, fmt.Errorf("dead letters of sources are written by the JsonConverter, which this worker does not have: %w", err)
	}
	return plugin, nil
}
