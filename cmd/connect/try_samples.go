package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/internal/connectjson"
)

// maxSample is the longest line of a file of samples.
const maxSample = 64 << 20

// eachSample decodes the lines of a file, blank ones aside.
func eachSample(in io.Reader, line func(text []byte) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxSample)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if n == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) == 0 {
			continue
		}
		if err := line(text); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// decodeSample decodes one object. A member that it does not know is a mistake.
func decodeSample(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text behind the object")
	}
	return nil
}

// A wireSample is a record as it is in Kafka.
type wireSample struct {
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    *int64          `json:"offset"`
	Timestamp *int64          `json:"timestamp"`
	Key       json.RawMessage `json:"key"`
	KeyBase64 *[]byte         `json:"keyBase64"`
	Value     json.RawMessage `json:"value"`
	// ValueBase64 is the value, if it is no text.
	ValueBase64 *[]byte      `json:"valueBase64"`
	Headers     []wireHeader `json:"headers"`
}

type wireHeader struct {
	Key         string          `json:"key"`
	Value       json.RawMessage `json:"value"`
	ValueBase64 *[]byte         `json:"valueBase64"`
}

// readMessages reads samples for a sink. A string is its text, null or nothing is
// null, and anything else is its JSON.
func readMessages(in io.Reader, topic string) (all []connect.Message, err error) {
	err = eachSample(in, func(text []byte) error {
		var s wireSample
		if err := decodeSample(text, &s); err != nil {
			return err
		}
		m, err := s.message(topic, int64(len(all)))
		all = append(all, m)
		return err
	})
	return all, err
}

func (s *wireSample) message(topic string, offset int64) (m connect.Message, err error) {
	m.Topic, m.Partition, m.Offset, m.TimeType = s.Topic, s.Partition, offset, connect.NoTimestamp
	if m.Topic == "" {
		m.Topic = topic
	}
	if m.Topic == "" {
		return m, errors.New("topic: it is missing, and the connector has no list of topics to take one from")
	}
	if s.Offset != nil {
		m.Offset = *s.Offset
	}
	if m.Partition < 0 || m.Offset < 0 {
		return m, fmt.Errorf("found partition %d and offset %d, want none below 0", m.Partition, m.Offset)
	}
	if s.Timestamp != nil {
		m.Time, m.TimeType = time.UnixMilli(*s.Timestamp), connect.CreateTime
	}
	if m.Key, err = wireBytes("key", s.Key, s.KeyBase64); err != nil {
		return m, err
	}
	if m.Value, err = wireBytes("value", s.Value, s.ValueBase64); err != nil {
		return m, err
	}
	for _, h := range s.Headers {
		value, err := wireBytes("value", h.Value, h.ValueBase64)
		if err != nil {
			return m, fmt.Errorf("header %q: %w", h.Key, err)
		}
		m.Headers = append(m.Headers, connect.RawHeader{Key: h.Key, Value: value})
	}
	return m, nil
}

// wireBytes returns the bytes of one part of a sample.
func wireBytes(name string, text json.RawMessage, base64 *[]byte) ([]byte, error) {
	switch {
	case base64 != nil && text != nil:
		return nil, fmt.Errorf("there are %s and %sBase64; give one of them", name, name)
	case base64 != nil:
		return *base64, nil
	case isNull(text):
		return nil, nil
	case text[0] == '"':
		var s string
		err := json.Unmarshal(text, &s)
		return []byte(s), err
	}
	var b bytes.Buffer
	err := json.Compact(&b, text)
	return b.Bytes(), err
}

func isNull(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }

// A dataSample is a record as a source's task returns it.
type dataSample struct {
	Topic           string          `json:"topic"`
	Partition       *int32          `json:"partition"`
	Timestamp       *int64          `json:"timestamp"`
	Key             json.RawMessage `json:"key"`
	Value           json.RawMessage `json:"value"`
	Headers         []dataHeader    `json:"headers"`
	SourcePartition json.RawMessage `json:"sourcePartition"`
	SourceOffset    json.RawMessage `json:"sourceOffset"`
}

type dataHeader struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// readRecords reads samples for a source.
func readRecords(in io.Reader) (all []connect.SourceRecord, err error) {
	read, err := newDataReader()
	if err != nil {
		return nil, err
	}
	err = eachSample(in, func(text []byte) error {
		var s dataSample
		if err := decodeSample(text, &s); err != nil {
			return err
		}
		r, err := s.record(read)
		all = append(all, r)
		return err
	})
	return all, err
}

func (s *dataSample) record(read *dataReader) (r connect.SourceRecord, err error) {
	r.Topic = s.Topic
	if s.Partition != nil {
		r.Partition = connect.On(*s.Partition)
	}
	if s.Timestamp != nil {
		r.Timestamp = time.UnixMilli(*s.Timestamp)
	}
	if r.Key, err = read.datum(s.Key); err != nil {
		return r, fmt.Errorf("key: %w", err)
	}
	if r.Value, err = read.datum(s.Value); err != nil {
		return r, fmt.Errorf("value: %w", err)
	}
	for _, h := range s.Headers {
		d, err := read.datum(h.Value)
		if err != nil {
			return r, fmt.Errorf("header %q: %w", h.Key, err)
		}
		r.Headers = append(r.Headers, connect.Header{Key: h.Key, Datum: d})
	}
	return r, readPosition(&r, s.SourcePartition, s.SourceOffset)
}

// readPosition reads source partition and offset; both may be left out.
func readPosition(r *connect.SourceRecord, partition, offset json.RawMessage) error {
	if !isNull(partition) {
		entries, err := connectjson.ParseObject(partition)
		if err != nil {
			return fmt.Errorf("sourcePartition: %w", err)
		}
		r.SourcePartition = connect.PartitionOf(entries...)
	}
	if !isNull(offset) {
		entries, err := connectjson.ParseObject(offset)
		if err != nil {
			return fmt.Errorf("sourceOffset: %w", err)
		}
		r.SourceOffset = entries
	}
	return nil
}

// A dataReader reads data from JSON: with a schema if the text is an envelope of
// the JsonConverter, else without.
type dataReader struct{ envelope, plain *converters.JSONConverter }

func newDataReader() (*dataReader, error) {
	c := converters.DefaultJSONConfig()
	envelope, err := converters.NewJSON(c)
	if err != nil {
		return nil, err
	}
	c.SchemasEnable = false
	plain, err := converters.NewJSON(c)
	return &dataReader{envelope, plain}, err
}

func (r *dataReader) datum(text json.RawMessage) (connect.Datum, error) {
	if isNull(text) {
		return connect.Datum{}, nil
	}
	converter := r.plain
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) == nil && len(members) == 2 && members["schema"] != nil && members["payload"] != nil {
		converter = r.envelope
	}
	return converter.Decode(context.Background(), nil, text)
}
