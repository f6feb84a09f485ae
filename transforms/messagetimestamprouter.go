package transforms

import (
	"context"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javadate"
)

// A MessageTimestampRouterConfig configures MessageTimestampRouter.
type MessageTimestampRouterConfig struct {
	// Keys are fields of the value; the first that is there counts.
	Keys []string
	// Format is the pattern of SimpleDateFormat of their text; "": a number of milliseconds.
	Format string
	// TopicFormat and TopicTimestampFormat are as for TimestampRouter.
	TopicFormat, TopicTimestampFormat string
}

// Describe declares the keys of io.confluent.connect.transforms.MessageTimestampRouter.
func (c *MessageTimestampRouterConfig) Describe(d *config.Def) {
	pattern := config.CheckFunc("pattern of java.text.SimpleDateFormat", func(text string) error {
		_, err := javadate.Compile(text, time.Now())
		return err
	})
	config.List(d, &c.Keys, "message.timestamp.keys").Importance(config.High).Check(fieldList(false)).
		Doc("Fields of the value with the timestamp. The first that is there counts. Dots lead into structs and maps.")
	config.String(d, &c.Format, "message.timestamp.format").Default("").Importance(config.High).Check(pattern).
		Doc("Pattern of java.text.SimpleDateFormat for the text of the field. Numbers are milliseconds and need none, nor do timestamps.")
	config.String(d, &c.TopicFormat, "topic.format").Default("${topic}-${timestamp}").Importance(config.High).
		Doc("The new topic. ${topic} and ${timestamp} in it stand for the old topic and the timestamp.")
	config.String(d, &c.TopicTimestampFormat, "topic.timestamp.format").Default("yyyyMMdd").Importance(config.High).Check(pattern).
		Doc("Pattern of java.text.SimpleDateFormat for the timestamp in the topic, in UTC and with English names.")
}

func messageTimestampRouterPlugin() connect.Plugin {
	i := ours("MessageTimestampRouter", "Makes the topic of records of their topic and of a timestamp in their value.",
		"io.confluent.connect.transforms.MessageTimestampRouter")
	return connect.Transformer(i, newMessageTimestampRouter)
}

// messageTimestampRouter is MessageTimestampRouter.
type messageTimestampRouter struct {
	fields  []*locator
	topic   string
	in, out *javadate.Format
}

func newMessageTimestampRouter(c MessageTimestampRouterConfig) (*messageTimestampRouter, error) {
	t := &messageTimestampRouter{topic: c.TopicFormat}
	for _, key := range c.Keys {
		t.fields = append(t.fields, newLocator(key))
	}
	now := time.Now()
	var err error
	if t.in, err = javadate.Compile(c.Format, now); err != nil {
		return nil, &config.KeyError{Key: "message.timestamp.format", Value: c.Format, Err: err}
	}
	if t.out, err = javadate.Compile(c.TopicTimestampFormat, now); err != nil {
		return nil, &config.KeyError{Key: "topic.timestamp.format", Value: c.TopicTimestampFormat, Err: err}
	}
	return t, nil
}

// Apply sets the topic.
func (t *messageTimestampRouter) Apply(_ context.Context, r *connect.Record) (bool, error) {
	for _, f := range t.fields {
		v, there, err := f.find(r.Value)
		if err != nil {
			return false, err
		}
		if !there || v.Value.IsNull() {
			continue
		}
		ms, err := t.millis(v.Value)
		if err != nil {
			return false, inField(f.path.text, err)
		}
		topic := strings.ReplaceAll(t.topic, "${topic}", r.Topic)
		r.Topic = strings.ReplaceAll(topic, "${timestamp}", t.out.Format(ms))
		return true, nil
	}
	return false, dataError("the value has none of the fields of message.timestamp.keys")
}

func (t *messageTimestampRouter) millis(v data.Value) (int64, error) {
	if ms, ok := v.Millis(); ok {
		return ms, nil
	}
	if n, ok := v.Int(); ok {
		return n, nil
	}
	text, ok := v.Str()
	switch {
	case !ok:
		return 0, dataError("want text, a number or a timestamp, found %s", v.Kind())
	case t.in.String() == "":
		return 0, dataError("text needs the configuration message.timestamp.format")
	}
	ms, err := t.in.Parse(text)
	if err != nil {
		return 0, dataError("Could not parse timestamp %q: %v", text, err)
	}
	return ms, nil
}
