package mqtt

import (
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javaregex"
)

// mapping makes records of messages.
type mapping struct {
	rules        []*rule // the first that matches counts
	headers      bool
	userPrefix   string
	invalidTopic string              // gets messages that no record can be made of; empty: errors.* decide
	dropInvalid  bool                // messages with a payload that is not valid are dropped
	clean        func(string) string // makes legal what variables put into names of Kafka topics
}

// rule maps the topics that it is for.
type rule struct {
	filter []string // levels of a plain one; nil: any topic
	regex  *javaregex.Pattern
	strict bool // only topics that the expression matches
	topic  *template
	key    keyMaker // nil: no key
	value  decoder
}

// A keyMaker makes the key of a record whose value is known.
type keyMaker func(s *subject, value connect.Datum) (connect.Datum, error)

// newRule makes a rule of texts. Its errors name the keys, which begin with prefix; the expression's own is regexKey.
func newRule(prefix, regexKey string, c RuleConfig, value decoder) (*rule, error) {
	r := &rule{value: value}
	var err error
	if c.Regex != "" {
		if r.regex, err = javaregex.Compile(c.Regex); err != nil {
			return nil, config.Errorf(prefix+regexKey, "%w", err)
		}
	}
	if r.topic, err = boundTemplate(c.KafkaTopic, r.regex); err == nil {
		err = r.topic.legal()
	}
	if err != nil {
		return nil, config.Errorf(prefix+"kafka.topic", "%w", err)
	}
	if c.RecordKey == "" {
		return r, nil
	}
	key, err := boundTemplate(c.RecordKey, r.regex)
	if err != nil {
		return nil, config.Errorf(prefix+"record.key", "%w", err)
	}
	r.key = key.key
	return r, nil
}

// key is the keyMaker of a template.
func (t *template) key(s *subject, _ connect.Datum) (connect.Datum, error) {
	return stringDatum(t.fill(s, asIs)), nil
}

var errNoRule = errors.New("no mapping is for it")

// find returns the rule for a message.
func (m *mapping) find(s *subject) (*rule, error) {
	for _, r := range m.rules {
		s.groups = nil
		if r.filter != nil && !match(r.filter, s.split()) {
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
	return nil, errNoRule
}

// errInvalid is wrapped by what is wrong with a payload.
var errInvalid = errors.New("invalid payload")

// record makes a record of a message; ok is false for one that is to be left out. A message that no record can be made of gives one for the topic
// of such messages, or one with Err. The error is for failures that are not the message's.
func (m *mapping) record(msg *message, now time.Time) (rec connect.SourceRecord, ok bool, err error) {
	rec, wrong := m.made(msg)
	rec.Timestamp = now
	if m.headers {
		rec.Headers = m.headersOf(msg)
	}
	switch {
	case wrong == nil:
		return rec, true, nil
	case m.dropInvalid && errors.Is(wrong, errInvalid):
		return rec, false, nil
	}
	rec.Key = stringDatum(asIs(msg.topic))
	rec.Value, _ = decodeBytes(msg)
	if rec.Topic = m.invalidTopic; rec.Topic == "" {
		rec.Err = fmt.Errorf("MQTT topic %q: %w", msg.topic, wrong)
		return rec, true, nil
	}
	rec.Headers = append(rec.Headers, connect.Header{Key: "mqtt.invalid", Datum: stringDatum(wrong.Error())})
	return rec, true, nil
}

// made makes topic, key and value.
func (m *mapping) made(msg *message) (rec connect.SourceRecord, err error) {
	s := &subject{m: msg}
	r, err := m.find(s)
	if err != nil {
		return rec, err
	}
	if rec.Topic, err = m.topicOf(r, s); err != nil {
		return rec, err
	}
	if rec.Value, err = r.value(msg); err == nil && r.key != nil {
		rec.Key, err = r.key(s, rec.Value)
	}
	if err != nil {
		return rec, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return rec, nil
}

func (m *mapping) topicOf(r *rule, s *subject) (string, error) {
	name := r.topic.fill(s, m.clean)
	if err := legalTopic(name); err != nil {
		return "", fmt.Errorf("its Kafka topic would be %q: %w", name, err)
	}
	return name, nil
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
	h = add(h, "mqtt.message.id", data.Int32Schema, data.Int32(int32(msg.id)))
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
