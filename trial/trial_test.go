package trial_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/transforms"
	"github.com/streamlane/connect/trial"
)

// world is a Runtime on a broker in memory, in a bubble.
type world struct {
	*connect.Runtime
	broker *connecttest.Broker
	stop   func()
}

// newWorld runs a Runtime, in a bubble.
func newWorld(t *testing.T, plugins ...connect.Plugin) *world {
	t.Helper()
	w := &world{broker: connecttest.NewBroker()}
	rt, err := connect.New(connect.Options{
		Plugins: append(plugins, converters.All()...), Broker: w.broker,
		Worker: config.Props{"key.converter": "StringConverter", "value.converter": "StringConverter"},
	})
	require.NoError(t, err)
	w.Runtime = rt
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- rt.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(t, <-ran)
	})
	return w
}

// settle puts a connector and lets it come to rest, in a bubble.
func (w *world) settle(t *testing.T, name string, props config.Props) {
	t.Helper()
	_, err := w.PutConnector(t.Context(), name, props)
	require.NoError(t, err)
	time.Sleep(time.Minute)
	synctest.Wait()
}

// feed is a source that returns the given records, in one poll.
func feed(records ...connect.SourceRecord) connect.Plugin {
	return connecttest.SourcePlugin("Feed", func(config.Props) connecttest.SourceTask {
		first := true
		return connecttest.SourceTask{PollFunc: func(context.Context) ([]connect.SourceRecord, error) {
			if first {
				first = false
				return records, nil
			}
			return nil, connect.ErrDone
		}}
	})
}

func sinkOf(task connecttest.SinkTask) connect.Plugin {
	return connecttest.SinkPlugin("Sink", func(config.Props) connecttest.SinkTask { return task })
}

func numbered(n int64, r connect.Record) connect.SourceRecord {
	return connect.SourceRecord{
		Record: r, SourcePartition: connect.PartitionOf(data.E("file", data.String("x"))), SourceOffset: connect.SourceOffset{data.E("n", data.Int64(n))},
	}
}

func text(s string) connect.Datum {
	return connect.Datum{Schema: data.StringSchema, Value: data.String(s)}
}

// headerTexts are headers as texts; null is <null>.
func headerTexts(headers []connect.RawHeader) (all []string) {
	for _, h := range headers {
		text := string(h.Value)
		if h.Value == nil {
			text = "<null>"
		}
		all = append(all, h.Key+"="+text)
	}
	return all
}

// noKafka is a cluster that nobody may use.
type noKafka struct{ t *testing.T }

func (b noKafka) Producer(context.Context, connect.ClientConfig) (connect.Producer, error) {
	b.t.Error("a producer was opened")
	return nil, errors.ErrUnsupported
}

func (b noKafka) Consumer(context.Context, connect.ConsumerConfig) (connect.Consumer, error) {
	b.t.Error("a consumer was opened")
	return nil, errors.ErrUnsupported
}

func (b noKafka) Admin(context.Context, connect.ClientConfig) (connect.Admin, error) {
	b.t.Error("an admin client was opened")
	return nil, errors.ErrUnsupported
}

// topicIs is a predicate: the topic is that of its key topic.
func topicIs() connect.Plugin {
	return connecttest.PredicatePlugin("TopicIs", func(p config.Props) connecttest.Predicate {
		return func(_ context.Context, r *connect.Record) (bool, error) {
			if p["topic"] == "" {
				return false, errors.New("no topic to compare with")
			}
			return r.Topic == p["topic"], nil
		}
	})
}

// dropping drops records of the topic of its key topic, fails on those of "bad",
// and panics on those of "boom".
func dropping() connect.Plugin {
	return connecttest.TransformPlugin("Dropping", func(p config.Props) connecttest.Transform {
		return connecttest.Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) {
			switch r.Topic {
			case "bad":
				return false, connect.Retriable(errors.New("busy"), 0)
			case "boom":
				panic("boom")
			}
			return r.Topic != p["topic"], nil
		}}
	})
}

func newTrials(t *testing.T, plugins ...connect.Plugin) *connect.Runtime {
	t.Helper()
	fail := func(string) connecttest.SinkTask { t.Error("a task was made"); return connecttest.SinkTask{} }
	rt, err := connect.New(connect.Options{
		Plugins: slices.Concat(plugins, converters.All(), transforms.All(), []connect.Plugin{
			topicIs(), dropping(), connecttest.SinkPlugin("Sink", func(config.Props) connecttest.SinkTask { return fail("sink") }),
			connecttest.SourcePlugin("Source", func(config.Props) connecttest.SourceTask {
				t.Error("a task was made")
				return connecttest.SourceTask{}
			}),
		}),
		Broker: noKafka{t}, Worker: config.Props{"key.converter": "StringConverter", "value.converter": "StringConverter"},
	})
	require.NoError(t, err)
	return rt
}

// stepsText tells each step in a line: stage, plugin, verdict, and what is left.
func stepsText(tried trial.Tried) (all []string) {
	for _, s := range tried.Steps {
		text := string(s.Stage) + " " + s.Alias + "(" + s.Plugin + ")"
		if p := s.Predicate; p != nil {
			text += fmt.Sprintf(" if %s(%s) negate=%v holds=%v", p.Alias, p.Plugin, p.Negate, p.Holds)
		}
		switch {
		case s.Err != nil:
			text += " ! " + s.Err.Error()
		case s.Dropped:
			text += " dropped"
		case s.Record != nil:
			text += fmt.Sprintf(" %s %v=%v", s.Record.Topic, s.Record.Key.Value, s.Record.Value.Value)
			for _, h := range s.Record.Headers {
				text += fmt.Sprintf(" %s:%v", h.Key, h.Datum.Value)
			}
		case s.Message != nil:
			text += fmt.Sprintf(" %s %s=%s %v", s.Message.Topic, s.Message.Key, s.Message.Value, headerTexts(s.Message.Headers))
		}
		all = append(all, text)
	}
	return all
}

func sinkTrial(more config.Props, messages ...connect.Message) trial.Trial {
	return trial.Trial{Name: "c", Messages: messages, Props: config.Props{
		"connector.class": "Sink", "topics": "orders", "value.converter": "JsonConverter", "value.converter.schemas.enable": "false",
		"transforms": "when,route,drop", "predicates": "orders",
		"predicates.orders.type": "TopicIs", "predicates.orders.topic": "orders",
		"transforms.when.type": "org.apache.kafka.connect.transforms.InsertField$Value", "transforms.when.static.field": "f", "transforms.when.static.value": "v",
		"transforms.when.predicate": "orders",
		"transforms.route.type":     "RegexRouter", "transforms.route.regex": "(.*)s", "transforms.route.replacement": "$1",
		"transforms.route.predicate": "orders", "transforms.route.negate": "true",
		"transforms.drop.type": "Dropping", "transforms.drop.topic": "trash",
	}.Merge(more)}
}

func message(topic, key, value string, headers ...connect.RawHeader) connect.Message {
	return connect.Message{TopicPartition: connect.TopicPartition{Topic: topic, Partition: 2}, Offset: 7, Key: []byte(key), Value: []byte(value), Headers: headers}
}

func TestSink(t *testing.T) {
	rt := newTrials(t)
	tried, err := trial.Run(t.Context(), rt, sinkTrial(nil,
		message("orders", "k", `{"a":1}`, connect.RawHeader{Key: "h", Value: []byte("12")}),
		message("users", "k", `{"a":1}`),
		message("trash", "k", `{}`),
		message("orders", "k", `{`),
		message("orders", "k", `5`),
		message("bad", "k", `{}`),
		message("boom", "k", `{}`),
	))
	require.NoError(t, err)
	require.Len(t, tried, 7)
	const read = "KEY_CONVERTER (StringConverter) orders k=null"
	assert.Equal(t, []string{
		read,
		"VALUE_CONVERTER (JsonConverter) orders k={a=1}",
		"HEADER_CONVERTER (org.apache.kafka.connect.storage.SimpleHeaderConverter) orders k={a=1} h:12",
		"TRANSFORMATION when(InsertField$Value) if orders(TopicIs) negate=false holds=true orders k={a=1, f=v} h:12",
		"TRANSFORMATION route(RegexRouter) if orders(TopicIs) negate=true holds=true orders k={a=1, f=v} h:12",
		"TRANSFORMATION drop(Dropping) orders k={a=1, f=v} h:12",
	}, stepsText(tried[0]))
	require.NoError(t, tried[0].Err)
	assert.Equal(t, "orders", tried[0].Record.Topic)
	assert.EqualValues(t, 7, tried[0].Record.Offset)
	partition, _ := tried[0].Record.Partition.Get()
	assert.EqualValues(t, 2, partition)
	assert.Equal(t, []bool{true, false}, []bool{tried[0].Steps[3].Applies(), tried[0].Steps[4].Applies()})

	assert.Equal(t, []string{
		"TRANSFORMATION when(InsertField$Value) if orders(TopicIs) negate=false holds=false users k={a=1}",
		"TRANSFORMATION route(RegexRouter) if orders(TopicIs) negate=true holds=false user k={a=1}",
		"TRANSFORMATION drop(Dropping) user k={a=1}",
	}, stepsText(tried[1])[3:])
	assert.Equal(t, "user", tried[1].Record.Topic)

	assert.True(t, tried[2].Dropped())
	assert.NoError(t, tried[2].Err)
	assert.Nil(t, tried[2].Record)
	assert.Len(t, tried[2].Steps, 6)

	for i, want := range map[int]string{
		3: `connector "c" task 0: VALUE_CONVERTER by JsonConverter at orders-2@7: Converting byte[]`,
		4: `connector "c" task 0: TRANSFORMATION by InsertField$Value at orders-2@7: Only Map objects supported`,
		5: `connector "c" task 0: TRANSFORMATION by Dropping at bad-2@7: busy`,
		6: `connector "c" task 0: TRANSFORMATION by Dropping at boom-2@7: panic: boom`,
	} {
		require.ErrorContains(t, tried[i].Err, want)
		last := tried[i].Steps[len(tried[i].Steps)-1]
		assert.Equal(t, tried[i].Err, last.Err)
		assert.Nil(t, last.Record, "a failed step leaves nothing")
		assert.Nil(t, tried[i].Record)
		assert.False(t, tried[i].Dropped())
	}
	assert.Len(t, tried[3].Steps, 2, "nothing runs after a failure")
}

func TestSource(t *testing.T) {
	rt := newTrials(t)
	props := sinkTrial(config.Props{"connector.class": "Source", "header.converter": "JsonConverter"}).Props
	delete(props, "topics")
	record := func(topic string) connect.SourceRecord {
		r := numbered(3, connect.Record{Topic: topic, Key: text("k"), Value: connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("a"), Value: data.Int64(1)})}})
		r.Headers = []connect.Header{{Key: "h", Datum: text("x")}, {Key: "null"}}
		return r
	}
	withTime, misfit := record("orders"), record("orders")
	withTime.Timestamp, withTime.Partition = time.UnixMilli(5), connect.On(3)
	misfit.Headers = []connect.Header{{Key: "bad", Datum: connect.Datum{Schema: data.Int32Schema, Value: data.String("x")}}}
	early := record("orders")
	early.Timestamp = time.UnixMilli(-5)
	tried, err := trial.Run(t.Context(), rt, trial.Trial{Name: "c", Props: props, Records: []connect.SourceRecord{
		withTime, record("users"), record("trash"), misfit, record(""), early,
	}})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"TRANSFORMATION when(InsertField$Value) if orders(TopicIs) negate=false holds=true orders k={a=1, f=v} h:x null:null",
		"TRANSFORMATION route(RegexRouter) if orders(TopicIs) negate=true holds=true orders k={a=1, f=v} h:x null:null",
		"TRANSFORMATION drop(Dropping) orders k={a=1, f=v} h:x null:null",
		`HEADER_CONVERTER (JsonConverter) orders = [h={"schema":{"type":"string","optional":false},"payload":"x"} null=<null>]`,
		`KEY_CONVERTER (StringConverter) orders k= [h={"schema":{"type":"string","optional":false},"payload":"x"} null=<null>]`,
		`VALUE_CONVERTER (JsonConverter) orders k={"a":1,"f":"v"} [h={"schema":{"type":"string","optional":false},"payload":"x"} null=<null>]`,
	}, stepsText(tried[0]))
	m := tried[0].Message
	assert.Equal(t, connect.TopicPartition{Topic: "orders", Partition: 3}, m.TopicPartition)
	assert.EqualValues(t, 5, m.Time.UnixMilli())
	assert.Equal(t, connect.TopicPartition{Topic: "user", Partition: -1}, tried[1].Message.TopicPartition)
	assert.True(t, tried[2].Dropped())
	assert.ErrorContains(t, tried[3].Err, `HEADER_CONVERTER by JsonConverter at topic "orders", source partition {"file":"x"}`)
	assert.ErrorContains(t, tried[3].Err, `header "bad"`)
	assert.ErrorContains(t, tried[4].Err, "KAFKA_PRODUCE by Source")
	assert.ErrorContains(t, tried[5].Err, "1970")
}

// A Runtime whose sources have a Receiver has no use for converters.
func TestSourceWithReceiver(t *testing.T) {
	rt, err := connect.New(connect.Options{
		Plugins:  []connect.Plugin{feed(), topicIs(), dropping()},
		Receiver: connect.ReceiverFunc(func(context.Context, []connect.SourceRecord) error { t.Error("received"); return nil }),
	})
	require.NoError(t, err)
	tried, err := trial.Run(t.Context(), rt, trial.Trial{Name: "c", Props: config.Props{"connector.class": "Feed"}, Records: []connect.SourceRecord{numbered(1, connect.Record{Topic: "t", Value: text("v")})}})
	require.NoError(t, err)
	assert.Empty(t, tried[0].Steps)
	assert.Equal(t, "v", tried[0].Record.Value.Value.String())
	assert.Nil(t, tried[0].Message)
}

func TestRunRefusesConfigurations(t *testing.T) {
	closed := 0
	rt := newTrials(t, connecttest.TransformPlugin("Counted", func(config.Props) connecttest.Transform {
		return connecttest.Transform{CloseFunc: func() error { closed++; return nil }}
	}))
	for name, tt := range map[string]struct {
		ask  trial.Trial
		want string
	}{
		"no class":          {trial.Trial{Name: "c"}, "connector.class"},
		"no name":           {trial.Trial{Props: config.Props{"connector.class": "Sink"}}, "no name"},
		"unknown class":     {sinkTrial(config.Props{"connector.class": "Nope"}), "Nope"},
		"unknown transform": {sinkTrial(config.Props{"transforms": "x", "transforms.x.type": "Nope"}), "Nope"},
		"bad key":           {sinkTrial(config.Props{"transforms": "x", "transforms.x.type": "RegexRouter"}), "regex"},
		"no predicate":      {sinkTrial(config.Props{"transforms.when.predicate": "other"}), `there is no predicate "other"`},
		"bad header":        {sinkTrial(config.Props{"header.converter": "Nope"}), "Nope"},
		"bad converter":     {sinkTrial(config.Props{"transforms": "x", "transforms.x.type": "Counted", "value.converter.decimal.format": "x"}), "decimal.format"},
		"source's samples":  {trial.Trial{Name: "c", Props: sinkTrial(nil).Props, Records: make([]connect.SourceRecord, 1)}, "samples are those of the other kind"},
		"sink's samples":    {trial.Trial{Name: "c", Props: config.Props{"connector.class": "Source"}, Messages: make([]connect.Message, 1)}, "samples are those of the other kind"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trial.Run(t.Context(), rt, tt.ask)
			require.ErrorIs(t, err, connect.ErrBadRequest)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	assert.Equal(t, 1, closed, "what was made before an error is closed")
	_, err := trial.Run(t.Context(), rt, sinkTrial(config.Props{"transforms": "x", "transforms.x.type": "Counted"}))
	require.NoError(t, err)
	assert.Equal(t, 2, closed)
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(connect.ErrStopped)
	_, err = trial.Run(ended, rt, sinkTrial(nil, message("orders", "k", "{}")))
	assert.ErrorIs(t, err, connect.ErrStopped)
}

// A predicate that cannot tell fails its step.
func TestPredicateFails(t *testing.T) {
	tried, err := trial.Run(t.Context(), newTrials(t), sinkTrial(config.Props{"predicates.orders.topic": ""}, message("orders", "k", "{}")))
	require.NoError(t, err)
	assert.ErrorContains(t, tried[0].Err, "no topic to compare with")
	assert.Len(t, tried[0].Steps, 4)
}

// dryConverter is a converter that would register something.
type dryConverter struct {
	connecttest.Converter
	log *[]string
}

func (c *dryConverter) DryRun() { *c.log = append(*c.log, "dry") }

func (c *dryConverter) Decode(context.Context, *connect.Wire, []byte) (connect.Datum, error) {
	*c.log = append(*c.log, "decode")
	return connect.Datum{}, nil
}

// Plugins are told that they must change nothing before they see a record; those
// of a task that runs are not.
func TestRunIsADryRun(t *testing.T) {
	var log []string
	plugin := connecttest.ConverterPlugin("Dry", func(config.Props) *dryConverter { return &dryConverter{log: &log} })
	rt := newTrials(t, plugin)
	_, err := trial.Run(t.Context(), rt, trial.Trial{Name: "c", Props: config.Props{"connector.class": "Sink", "topics": "t", "value.converter": "Dry"}, Messages: []connect.Message{message("t", "", "")}})
	require.NoError(t, err)
	assert.Equal(t, []string{"dry", "decode"}, log)

	log = nil
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sinkOf(connecttest.SinkTask{}), plugin)
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}}))
		w.settle(t, "c", config.Props{"connector.class": "Sink", "topics": "t", "value.converter": "Dry"})
	})
	assert.Equal(t, []string{"decode"}, log)
}

// variety is samples as records of several topics.
func variety() (all []connect.Record) {
	samples := connecttest.Samples()
	for i, s := range samples {
		all = append(all, connect.Record{
			Topic: []string{"orders", "users", "trash"}[i%3], Key: samples[(i*7)%len(samples)].Datum, Value: s.Datum,
			Headers: []connect.Header{{Key: "h", Datum: samples[(i*5)%len(samples)].Datum}}, Timestamp: time.UnixMilli(int64(i)),
		})
	}
	return all
}

var varietyProps = config.Props{
	"connector.class": "Sink", "topics": "orders,users,trash", "key.converter": "JsonConverter", "value.converter": "JsonConverter", "header.converter": "JsonConverter",
	"errors.tolerance": "all",
	"transforms":       "when,route,drop", "predicates": "orders", "predicates.orders.type": "TopicIs", "predicates.orders.topic": "orders",
	"transforms.when.type": "InsertField$Value", "transforms.when.timestamp.field": "t", "transforms.when.predicate": "orders",
	"transforms.route.type": "RegexRouter", "transforms.route.regex": "(.*)s", "transforms.route.replacement": "$1", "transforms.route.predicate": "orders", "transforms.route.negate": "true",
	"transforms.drop.type": "Dropping", "transforms.drop.topic": "trash",
}

// recordText is all of a record.
func recordText(r *connect.Record) string {
	var b strings.Builder
	datum := func(d connect.Datum) { fmt.Fprintf(&b, "%v %v %v|", d.Schema, d.Value.Kind(), d.Value) }
	partition, _ := r.Partition.Get()
	fmt.Fprintf(&b, "%s-%d@%d %d|", r.Topic, partition, r.Offset, r.Timestamp.UnixMilli())
	datum(r.Key)
	datum(r.Value)
	for _, h := range r.Headers {
		b.WriteString(h.Key)
		datum(h.Datum)
	}
	return b.String()
}

// What Try says a sink's task would be given, it is given when the connector runs.
func TestRunTellsWhatASinkGets(t *testing.T) {
	json, err := converters.NewJSON(converters.DefaultJSONConfig())
	require.NoError(t, err)
	encode := func(d connect.Datum) []byte {
		b, null, err := json.AppendEncode(t.Context(), nil, nil, d)
		if err != nil {
			return []byte("no JSON")
		}
		if null {
			return nil
		}
		return b
	}
	var messages []connect.Message
	for i, r := range variety() {
		m := connect.Message{TopicPartition: connect.TopicPartition{Topic: r.Topic}, Offset: int64(i / 3), Key: encode(r.Key), Value: encode(r.Value), Time: r.Timestamp}
		m.Headers = []connect.RawHeader{{Key: "h", Value: encode(r.Headers[0].Datum)}}
		messages = append(messages, m)
	}
	synctest.Test(t, func(t *testing.T) {
		got := make(map[connect.Origin]string)
		at := func(topic string, offset int64) connect.Origin {
			return connect.Origin{TopicPartition: connect.TopicPartition{Topic: topic}, Offset: offset}
		}
		w := newWorld(t, append(transforms.All(), topicIs(), dropping(), sinkOf(connecttest.SinkTask{PutFunc: func(_ context.Context, recs []connect.SinkRecord) error {
			for i := range recs {
				got[at(recs[i].Origin.Topic, recs[i].Origin.Offset)] = recordText(&recs[i].Record)
			}
			return nil
		}}))...)
		defer w.stop()
		for _, topic := range []string{"orders", "users", "trash"} {
			w.broker.CreateTopic(topic, 1)
		}
		require.NoError(t, w.broker.Produce(messages...))
		tried, err := trial.Run(t.Context(), w.Runtime, trial.Trial{Name: "c", Props: varietyProps, Messages: messages})
		require.NoError(t, err)
		w.settle(t, "c", varietyProps)
		want := make(map[connect.Origin]string)
		outcomes := make(map[string]int)
		for i, m := range messages {
			switch {
			case tried[i].Record != nil:
				want[at(m.Topic, m.Offset)] = recordText(tried[i].Record)
				outcomes["put"]++
			case tried[i].Dropped():
				outcomes["dropped"]++
			default:
				outcomes["failed"]++
			}
		}
		assert.Equal(t, want, got)
		for _, o := range []string{"put", "dropped", "failed"} {
			assert.Greater(t, outcomes[o], 5, o)
		}
	})
}

// What Try says a source would send is what it sends when the connector runs.
func TestRunTellsWhatASourceSends(t *testing.T) {
	props := varietyProps.Merge(config.Props{"connector.class": "Feed"})
	delete(props, "topics")
	var records []connect.SourceRecord
	for i, r := range variety() {
		records = append(records, numbered(int64(i), r))
	}
	messageText := func(m *connect.Message) string {
		return fmt.Sprintf("%s %d %s %s %v", m.Topic, m.Time.UnixMilli(), m.Key, m.Value, headerTexts(m.Headers))
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, append(transforms.All(), topicIs(), dropping(), feed(records...))...)
		defer w.stop()
		tried, err := trial.Run(t.Context(), w.Runtime, trial.Trial{Name: "c", Props: props, Records: records})
		require.NoError(t, err)
		w.settle(t, "c", props)
		var want, got []string
		failed := 0
		for i := range tried {
			if m := tried[i].Message; m != nil {
				want = append(want, messageText(m))
			}
			if tried[i].Err != nil {
				failed++
			}
		}
		for _, topic := range []string{"orders", "user", "users", "trash"} {
			for _, m := range w.broker.Messages(topic) {
				got = append(got, messageText(&m))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		assert.Equal(t, want, got)
		assert.Greater(t, len(want), 15)
		assert.Positive(t, failed)
	})
}
