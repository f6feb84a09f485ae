package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javaregex"
)

// mapping makes records of messages.
type mapping struct {
	rules        []*rule // the first that matches counts
	headers      bool
	userPrefix   string
	invalidTopic string // empty: invalid payloads fail the task
	dropInvalid  bool   // they are dropped
	replacement  string
	inferrer     inferrer
	dropSlash    bool // a / at the beginning is left out of names of Kafka topics
}

// rule maps the topics that it is for.
type rule struct {
	filter  string // plain; empty: any topic
	regex   *javaregex.Pattern
	strict  bool // only topics that the expression matches
	topic   *template
	key     *template // nil: no key
	fields  *fieldKey // nil: key
	payload Payload
}

func newRule(regex, topic, key string, payload Payload) (*rule, error) {
	r := &rule{payload: payload}
	var err error
	if regex != "" {
		if r.regex, err = javaregex.Compile(regex); err != nil {
			return nil, err
		}
	}
	if r.topic, err = parseTemplate(topic); err != nil {
		return nil, err
	}
	if err := r.topic.bind(r.regex); err != nil {
		return nil, err
	}
	if key == "" {
		return r, nil
	}
	if r.key, err = parseTemplate(key); err != nil {
		return nil, err
	}
	return r, r.key.bind(r.regex)
}

// find returns the rule for a message, nil if there is none.
func (m *mapping) find(s *subject) (*rule, error) {
	for _, r := range m.rules {
		s.groups = nil
		if r.filter != "" && !matches(r.filter, s.m.topic) {
			continue
		}
		if r.regex == nil {
			return r, nil
		}
		groups, err := r.regex.FindWhole(s.m.topic)
		if err != nil {
			return nil, err
		}
		if s.groups = groups; groups != nil || !r.strict {
			return r, nil
		}
	}
	return nil, nil
}

// errInvalid is wrapped by what is wrong with a payload.
var errInvalid = errors.New("invalid payload")

// record makes a record of a message. ok is false for one that is to be left out.
func (m *mapping) record(msg *message, now time.Time) (rec connect.SourceRecord, ok bool, err error) {
	s := &subject{m: msg}
	r, err := m.find(s)
	if err != nil {
		return rec, false, fmt.Errorf("MQTT topic %q: %w", msg.topic, err)
	}
	if r == nil {
		return rec, false, fmt.Errorf("MQTT topic %q: no mapping is for it", msg.topic)
	}
	if rec.Topic, err = m.topicOf(r, s); err != nil {
		return rec, false, err
	}
	rec.Timestamp = now
	value, err := m.value(r.payload, msg.payload)
	rec.Value = value
	if err == nil {
		rec.Key, err = r.keyOf(s, value)
	}
	if m.headers {
		rec.Headers = m.headersOf(msg)
	}
	switch {
	case err == nil:
		return rec, true, nil
	case m.dropInvalid:
		return rec, false, nil
	case m.invalidTopic == "":
		return rec, false, fmt.Errorf("%w of MQTT topic %q: %w", errInvalid, msg.topic, err)
	}
	rec.Topic = m.invalidTopic
	rec.Value = connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(msg.payload)}
	rec.Key = stringDatum(asIs(msg.topic))
	rec.Headers = append(rec.Headers, connect.Header{Key: "mqtt.invalid", Datum: stringDatum(err.Error())})
	return rec, true, nil
}

// maxTopic is the longest name of a Kafka topic.
const maxTopic = 249

func (m *mapping) topicOf(r *rule, s *subject) (string, error) {
	clean := legal(m.replacement)
	if m.dropSlash {
		inner := clean
		clean = func(v string) string { return inner(collapse(v)) }
	}
	name := r.topic.fill(s, clean)
	if name == "" || name == "." || name == ".." || len(name) > maxTopic || strings.IndexFunc(name, illegal) >= 0 {
		return "", fmt.Errorf("MQTT topic %q makes the Kafka topic %q, want 1 to %d letters, digits and any of . _ -", s.m.topic, name, maxTopic)
	}
	return name, nil
}

// collapse has one slash where there are several, and none at the beginning.
func collapse(topic string) string {
	topic = strings.TrimPrefix(topic, "/")
	for strings.Contains(topic, "//") {
		topic = strings.ReplaceAll(topic, "//", "/")
	}
	return topic
}

func (r *rule) keyOf(s *subject, value connect.Datum) (connect.Datum, error) {
	if r.fields != nil {
		text, err := r.fields.of(s.m, value)
		return stringDatum(text), err
	}
	if r.key == nil {
		return connect.Datum{}, nil
	}
	return stringDatum(r.key.fill(s, asIs)), nil
}

func stringDatum(text string) connect.Datum {
	return connect.Datum{Schema: data.StringSchema, Value: data.String(text)}
}

// headersOf tells what the message has beside its payload.
func (m *mapping) headersOf(msg *message) []connect.Header {
	add := func(h []connect.Header, name string, schema *data.Schema, v data.Value) []connect.Header {
		return append(h, connect.Header{Key: name, Datum: connect.Datum{Schema: schema, Value: v}})
	}
	h := make([]connect.Header, 0, 8)
	h = add(h, "mqtt.topic", data.StringSchema, data.String(asIs(msg.topic)))
	if msg.qos > 0 {
		h = add(h, "mqtt.message.id", data.Int32Schema, data.Int32(int32(msg.id)))
	}
	h = add(h, "mqtt.qos", data.Int32Schema, data.Int32(int32(msg.qos)))
	h = add(h, "mqtt.retained", data.BooleanSchema, data.Boolean(msg.retained))
	h = add(h, "mqtt.duplicate", data.BooleanSchema, data.Boolean(msg.dup))
	p := msg.props
	if p == nil {
		return h
	}
	if p.ContentType != "" {
		h = add(h, "mqtt.content.type", data.StringSchema, data.String(asIs(p.ContentType)))
	}
	if p.ResponseTopic != "" {
		h = add(h, "mqtt.response.topic", data.StringSchema, data.String(asIs(p.ResponseTopic)))
	}
	if len(p.CorrelationData) > 0 {
		h = add(h, "mqtt.correlation.data", data.BytesSchema, data.Bytes(p.CorrelationData))
	}
	if p.MessageExpiry != nil {
		h = add(h, "mqtt.expiry.seconds", data.Int64Schema, data.Int64(int64(*p.MessageExpiry)))
	}
	if p.PayloadFormat != nil {
		h = add(h, "mqtt.payload.utf8", data.BooleanSchema, data.Boolean(*p.PayloadFormat == 1))
	}
	for _, u := range p.User {
		h = add(h, m.userPrefix+asIs(u.Key), data.StringSchema, data.String(asIs(u.Value)))
	}
	return h
}

// value makes the value of a record.
func (m *mapping) value(form Payload, payload []byte) (connect.Datum, error) {
	if form != PayloadStruct {
		return decodePayload(form, payload)
	}
	v, err := parseJSON(payload)
	if err != nil {
		return connect.Datum{}, err
	}
	return m.inferrer.infer(v)
}

// decodePayload makes a value that does not depend on those before.
func decodePayload(form Payload, payload []byte) (connect.Datum, error) {
	switch form {
	case PayloadString:
		if !utf8.Valid(payload) {
			return connect.Datum{}, errors.New("found bytes that are not UTF-8")
		}
		return stringDatum(string(payload)), nil
	case PayloadJSON:
		v, err := parseJSON(payload)
		return connect.Datum{Value: v}, err
	}
	if payload == nil {
		payload = []byte{}
	}
	return connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(payload)}, nil
}
