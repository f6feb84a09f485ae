package http

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// take makes source records of pending ones, n at most.
func (r *reader) take(n int) ([]connect.SourceRecord, error) {
	batch := r.pending[:min(n, len(r.pending))]
	if err := r.learn(batch); err != nil {
		return nil, err
	}
	out := make([]connect.SourceRecord, 0, len(batch))
	for i := range batch {
		x := &batch[i]
		rec := connect.SourceRecord{SourcePartition: r.partition, OffsetOnly: x.at == offsetOnly}
		rec.Topic, rec.Timestamp = r.topic, x.time
		err := x.err
		if err == nil && !rec.OffsetOnly {
			err = r.fill(&rec, x)
		}
		if err != nil {
			if err := r.bad(&rec, x, err); err != nil {
				return out, err
			}
		}
		if rec.Err == nil && !rec.OffsetOnly {
			r.count.records.Add(1)
		}
		r.told = r.behind(x, i == len(r.pending)-1)
		rec.SourceOffset = r.told.sourceOffset()
		out = append(out, rec)
	}
	r.pending = r.pending[len(batch):]
	if len(r.pending) == 0 {
		r.pending = nil // the page's memory goes
	}
	return out, nil
}

// learn has the schemas of keys grow with a batch before its first record is made.
func (r *reader) learn(batch []pendingRecord) error {
	for i := range batch {
		if batch[i].err != nil || batch[i].at == offsetOnly {
			continue
		}
		if err := r.keys.learn(batch[i].value); err != nil {
			batch[i].err = err
		}
	}
	return nil
}

// fill sets key and value.
func (r *reader) fill(rec *connect.SourceRecord, x *pendingRecord) error {
	var err error
	if rec.Key, err = r.keys.key(x.value); err != nil {
		return err
	}
	switch r.e.Value {
	case Schemaless:
		rec.Value.Value = x.value
		return nil
	case StringForm:
		text, isText := x.value.Str()
		if !isText || r.e.Format == JSON || r.e.Format == NDJSON {
			text = string(appendJSON(nil, x.value))
		}
		rec.Value = connect.Datum{Schema: data.StringSchema, Value: data.String(text)}
		return nil
	case Wrapped:
		return wrap(rec, x)
	}
	schema := r.given
	if schema == nil {
		if r.fields < 0 {
			return errFields
		}
		if schema, err = r.shape.build(); err != nil {
			return fmt.Errorf("schema of what was found: %w", err)
		}
	}
	v, err := conformer{lenient: r.given != nil}.value(schema, x.value, "")
	if err == nil {
		err = data.Validate(schema, v, "value")
	}
	rec.Value = connect.Datum{Schema: schema, Value: v}
	return err
}

// bad deals with a record that cannot be read: rec becomes what tells of it, or moves the offset alone. An error ends the task.
func (r *reader) bad(rec *connect.SourceRecord, x *pendingRecord, cause error) error {
	what := "the response"
	if x.at > 0 {
		what = fmt.Sprintf("record %d of the page", x.at)
	}
	cause = fmt.Errorf("endpoint %q, %s at %s: %w", r.e.name, what, r.page.url, cause)
	text := x.text
	if text == nil {
		text = appendJSON(nil, x.value)
	}
	switch r.e.ErrorsMode {
	case modeEngine:
		r.count.letters.Add(1)
		*rec = connect.SourceRecord{SourcePartition: r.partition, Err: cause, Record: connect.Record{Topic: r.topic, Timestamp: x.time, Value: connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(text)}}}
		return nil
	case modeSkip:
		r.count.skipped.Add(1)
		r.log.Warn("record skipped", "err", cause)
		*rec = connect.SourceRecord{SourcePartition: r.partition, OffsetOnly: true}
		return nil
	case modeLetter:
		r.count.letters.Add(1)
		header := func(name, v string) connect.Header {
			return connect.Header{Key: name, Datum: connect.Datum{Schema: data.StringSchema, Value: data.String(v)}}
		}
		*rec = connect.SourceRecord{SourcePartition: r.partition, Record: connect.Record{
			Topic: r.e.ErrorsTopic, Timestamp: x.time,
			Value:   connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(text)},
			Headers: []connect.Header{header("http.endpoint", r.e.name), header("http.url", r.page.url), header("http.status", fmt.Sprint(r.page.status)), header("http.error", cause.Error())},
		}}
		return nil
	}
	return cause
}

// learn has the schemas of keys grow.
func (k *keyMaker) learn(v data.Value) error {
	if len(k.paths) == 0 {
		return nil
	}
	if k.shapes == nil {
		k.shapes = make([]shape, len(k.paths))
	}
	if k.fields < 0 {
		return fmt.Errorf("record.key.path: %w", errFields)
	}
	for i, p := range k.paths {
		part, ok, err := p.one(v)
		if err != nil {
			return fmt.Errorf("record.key.path: %w", err)
		}
		if !ok || part.IsNull() {
			return fmt.Errorf("record.key.path: nothing is at %s", p.text)
		}
		if k.shapes[i].see(part, &k.fields) {
			k.schema = nil
		}
	}
	return nil
}

// key is the part at the path, or a struct of the parts, whose fields are named after the last steps of the paths.
func (k *keyMaker) key(v data.Value) (connect.Datum, error) {
	if len(k.paths) == 0 {
		return connect.Datum{}, nil
	}
	parts := make([]data.Value, len(k.paths))
	schemas := make([]*data.Schema, len(k.paths))
	for i, p := range k.paths {
		part, _, err := p.one(v)
		if err != nil {
			return connect.Datum{}, err
		}
		if schemas[i], err = k.shapes[i].build(); err != nil {
			return connect.Datum{}, err
		}
		if parts[i], err = (conformer{}).value(schemas[i], part, "key"); err != nil {
			return connect.Datum{}, err
		}
	}
	if len(parts) == 1 {
		return connect.Datum{Schema: schemas[0], Value: parts[0]}, nil
	}
	if k.schema == nil {
		b := data.StructBuilder()
		for i, p := range k.paths {
			b.Field(p.name(i), schemas[i])
		}
		var err error
		if k.schema, err = b.Build(); err != nil {
			return connect.Datum{}, errors.Join(errors.New("record.key.path: the last steps of the paths must differ"), err)
		}
	}
	x, err := data.NewStruct(k.schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i := range parts {
		x.Set(i, parts[i])
	}
	return connect.Datum{Schema: k.schema, Value: data.StructOf(x)}, nil
}

// wrap makes key and value in the form of castorm's connector.
func wrap(rec *connect.SourceRecord, x *pendingRecord) error {
	key, value := wrappedSchemas()
	k, err := data.NewStruct(key)
	if err != nil {
		return err
	}
	v, err := data.NewStruct(value)
	if err != nil {
		return err
	}
	v.Set(0, data.String(string(appendJSON(nil, x.value))))
	if text, ok := scalar(rec.Key.Value); ok {
		k.Set(0, data.String(text))
		v.Set(1, data.String(text))
	}
	if rec.Timestamp.IsZero() {
		rec.Timestamp = time.Now() // as castorm's connector has it
	}
	v.Set(2, data.Int64(rec.Timestamp.UnixMilli()))
	rec.Key, rec.Value = connect.Datum{Schema: key, Value: data.StructOf(k)}, connect.Datum{Schema: value, Value: data.StructOf(v)}
	return nil
}

// wrappedSchemas are of key and value.
var wrappedSchemas = sync.OnceValues(func() (key, value *data.Schema) {
	text := data.NewBuilder(data.KindString).Optional().MustBuild()
	key = data.StructBuilder().Name("com.github.castorm.kafka.connect.http.Key").Field("key", text).MustBuild()
	value = data.StructBuilder().Name("com.github.castorm.kafka.connect.http.Value").Field("value", data.StringSchema).Field("key", text).
		Field("timestamp", data.NewBuilder(data.KindInt64).Optional().MustBuild()).MustBuild()
	return key, value
})
