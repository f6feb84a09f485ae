package connect_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/deadletter"
)

// lettersBroker is a cluster whose clients are seen, and whose administration
// fails as a test says.
type lettersBroker struct {
	*connecttest.Broker

	mu      sync.Mutex
	configs []connect.ClientConfig
	failing func(what string) error // of the admin client
}

func (b *lettersBroker) note(c connect.ClientConfig) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.configs = append(b.configs, c)
}

func (b *lettersBroker) Producer(ctx context.Context, c connect.ClientConfig) (connect.Producer, error) {
	b.note(c)
	return b.Broker.Producer(ctx, c)
}

func (b *lettersBroker) Admin(ctx context.Context, c connect.ClientConfig) (connect.Admin, error) {
	b.note(c)
	a, err := b.Broker.Admin(ctx, c)
	return lettersAdmin{a, b}, err
}

// client returns the configuration of the client with that id.
func (b *lettersBroker) client(t *testing.T, id string) connect.ClientConfig {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.configs, func(c connect.ClientConfig) bool { return c.ClientID == id })
	require.GreaterOrEqual(t, i, 0, "no client %q among %v", id, b.configs)
	return b.configs[i]
}

func (b *lettersBroker) fail(what string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failing == nil {
		return nil
	}
	return b.failing(what)
}

type lettersAdmin struct {
	connect.Admin
	b *lettersBroker
}

func (a lettersAdmin) Topics(ctx context.Context, names ...string) (map[string]connect.TopicInfo, error) {
	if err := a.b.fail("Topics"); err != nil {
		return nil, err
	}
	return a.Admin.Topics(ctx, names...)
}

func (a lettersAdmin) CreateTopics(ctx context.Context, specs ...connect.TopicSpec) ([]string, error) {
	if err := a.b.fail("CreateTopics"); err != nil {
		return nil, err
	}
	return a.Admin.CreateTopics(ctx, specs...)
}

// letterEvents is a hook that gathers what happens to records that fail.
type letterEvents struct {
	mu      sync.Mutex
	counts  connect.ErrorCounts
	letters []connect.DeadLetterEvent
}

func (e *letterEvents) OnError(event *connect.ErrorEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := event.Counts()
	e.counts = connect.ErrorCounts{
		Failures: e.counts.Failures + c.Failures, Errors: e.counts.Errors + c.Errors, Skipped: e.counts.Skipped + c.Skipped,
		Retries: e.counts.Retries + c.Retries, Logged: e.counts.Logged + c.Logged, Letters: e.counts.Letters + c.Letters,
	}
}

func (e *letterEvents) OnDeadLetter(event *connect.DeadLetterEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.letters = append(e.letters, *event)
}

func (e *letterEvents) outcomes() (written, lost int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.letters {
		if l.Err != nil {
			lost++
		} else {
			written++
		}
	}
	return written, lost
}

// A lettersWorld is a Runtime with a sink whose dead letters go to the topic dlq.
type lettersWorld struct {
	*world
	broker *lettersBroker
	events *letterEvents
}

func newLettersWorld(t *testing.T, plugins ...connect.Plugin) *lettersWorld {
	t.Helper()
	w := &lettersWorld{events: &letterEvents{}}
	o := connect.Options{Plugins: plugins, Hooks: []connect.Hook{w.events}, Worker: config.Props{"producer.linger.ms": "7"}}
	w.world = newWorldOn(t, o, func(b *connecttest.Broker) connect.Broker {
		w.broker = &lettersBroker{Broker: b}
		return w.broker
	})
	return w
}

func lettersProps(more config.Props) config.Props {
	return config.Props{
		"connector.class": "Sink", "topics": "t", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq",
		"errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true",
	}.Merge(more)
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

// contextOf reads a letter's context.
func contextOf(t *testing.T, m connect.Message) deadletter.Context {
	t.Helper()
	c, _, _, ok := deadletter.Parse(m.Headers, func(h connect.RawHeader) (string, []byte) { return h.Key, h.Value })
	require.True(t, ok, "%v", headerTexts(m.Headers))
	return c
}

// A goldenLetter is a dead letter of a Java worker.
type goldenLetter struct {
	Topic     string
	Key       []byte
	Value     *[]byte
	Headers   []connect.RawHeader
	Timestamp int64
}

// goldenLetters are those of one recording, by where the records were consumed.
// A record that was consumed again has a letter of each time, which differ in
// nothing but time.
func goldenLetters(t *testing.T) map[string]map[connect.TopicPartition]map[int64]goldenLetter {
	t.Helper()
	b, err := os.ReadFile("testdata/dlq.jsonl")
	require.NoError(t, err)
	all := make(map[string]map[connect.TopicPartition]map[int64]goldenLetter)
	for line := range strings.Lines(string(b)) {
		var l goldenLetter
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		c := contextOf(t, connect.Message{Headers: l.Headers})
		tp := connect.TopicPartition{Topic: *c.Topic, Partition: *c.Partition}
		if all[l.Topic] == nil {
			all[l.Topic] = make(map[connect.TopicPartition]map[int64]goldenLetter)
		}
		if all[l.Topic][tp] == nil {
			all[l.Topic][tp] = make(map[int64]goldenLetter)
		}
		all[l.Topic][tp][*c.Offset] = l
	}
	require.Len(t, all, 4)
	return all
}

// What a Java worker wrote for bad records, this one writes too: bytes, headers
// and times, all but the lines of the stack.
func TestGoldenDeadLetters(t *testing.T) {
	compared := 0
	for topic, partitions := range goldenLetters(t) {
		t.Run(topic, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				compared += replayLetters(t, topic, partitions)
			})
		})
	}
	assert.Equal(t, 48, compared, "records of which there are letters")
}

// replayLetters consumes, in a bubble, the records of recorded letters.
func replayLetters(t *testing.T, topic string, partitions map[connect.TopicPartition]map[int64]goldenLetter) (compared int) {
	w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}))
	defer w.stop()
	source := ""
	for tp, letters := range partitions {
		source = tp.Topic
		w.broker.CreateTopic(source, 2)
		last := int64(0)
		for offset := range letters {
			last = max(last, offset)
		}
		for offset := range last + 1 {
			m := connect.Message{TopicPartition: tp, Value: []byte(`{"schema":null,"payload":1}`)} // where there is no letter
			if l, bad := letters[offset]; bad {
				m.Key, m.Value, m.Headers, m.Time = l.Key, *l.Value, l.Headers[:1], time.UnixMilli(l.Timestamp)
			}
			require.NoError(t, w.broker.Produce(m))
		}
	}
	w.put(t, "lines-sink", lettersProps(config.Props{"topics": source, "errors.deadletterqueue.topic.name": topic}))
	time.Sleep(time.Minute)
	w.stop()
	for _, got := range w.broker.Messages(topic) {
		c := contextOf(t, got)
		want := partitions[connect.TopicPartition{Topic: *c.Topic, Partition: *c.Partition}][*c.Offset]
		assert.Equal(t, want.Key, got.Key)
		assert.Equal(t, *want.Value, got.Value)
		assert.Equal(t, want.Timestamp, got.Time.UnixMilli())
		n := len(want.Headers) - 1
		require.Equal(t, headerTexts(want.Headers[:n]), headerTexts(got.Headers[:n]))
		assert.Equal(t, want.Headers[n].Key, got.Headers[n].Key)
		first := func(h connect.RawHeader) string { line, _, _ := strings.Cut(string(h.Value), "\n"); return line }
		assert.Equal(t, first(want.Headers[n]), first(got.Headers[n]))
		compared++
	}
	total := 0
	for _, letters := range partitions {
		total += len(letters)
	}
	assert.Equal(t, total, compared)
	return compared
}

// Every stage before Put, and the task itself, write letters of the record as it
// was consumed.
func TestDeadLettersOfEveryStage(t *testing.T) {
	transform := connecttest.TransformPlugin("Boom", func(config.Props) connecttest.Transform {
		return connecttest.Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) {
			s, _ := r.Value.Value.Str()
			r.Topic, r.Value = "elsewhere", connect.Datum{}
			if s == "bad transform" {
				return false, errors.New("boom")
			}
			return true, nil
		}}
	})
	var sink connect.SinkContext
	var kept []connect.SinkRecord
	task := connecttest.SinkTask{
		StartFunc: func(_ context.Context, c connect.SinkContext) error { sink = c; return nil },
		PutFunc: func(ctx context.Context, recs []connect.SinkRecord) error {
			for i := range recs {
				kept = append(kept, recs[i].Clone())
				if string(recs[i].Origin.Topic) != "t" || recs[i].Topic != "elsewhere" {
					return errors.New("origin and topic")
				}
				if err := sink.Report(ctx, &recs[i], connect.Retriable(errors.New("no room"), 0)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, sinkOf(task), transform)
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		at := time.UnixMilli(1_700_000_000_123)
		for _, m := range []connect.Message{
			{Key: []byte("x"), Value: []byte(`"v"`)},                                 // no INT32
			{Value: []byte(`{`), Headers: []connect.RawHeader{{Key: "h"}}},           // no JSON
			{Value: []byte(`"bad transform"`), Key: []byte{0, 0, 0, 1}, Time: at},    //
			{Value: []byte(`"task"`), Headers: []connect.RawHeader{{"h", []byte{}}}}, //
		} {
			m.Topic = "t"
			require.NoError(t, w.broker.Produce(m))
		}
		w.put(t, "c", lettersProps(config.Props{
			"key.converter": "IntegerConverter", "value.converter.schemas.enable": "false",
			"transforms": "b", "transforms.b.type": "Boom", "errors.log.enable": "true",
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		letters := w.broker.Messages("dlq")
		require.Len(t, letters, 4)
		type summary struct{ stage, class, exception, message string }
		var got []summary
		for i, m := range letters {
			c := contextOf(t, m)
			assert.Equal(t, []any{"t", int32(0), int64(i), "c", 0}, []any{*c.Topic, *c.Partition, *c.Offset, c.Connector, c.Task})
			got = append(got, summary{c.Stage, c.Class, c.Exception, *c.Message})
		}
		const errorsPackage = "org.apache.kafka.connect.errors."
		assert.Equal(t, []summary{
			{"KEY_CONVERTER", "org.apache.kafka.connect.converters.IntegerConverter", errorsPackage + "DataException", "Failed to deserialize INT32: found 1 bytes, allowed are 4"},
			{"VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter", errorsPackage + "DataException", "Converting byte[] to Kafka Connect data failed due to serialization error: "},
			{"TRANSFORMATION", "Boom", errorsPackage + "ConnectException", "boom"},
			{"TASK_PUT", "org.apache.kafka.connect.sink.SinkTask", errorsPackage + "RetriableException", "no room"},
		}, got)
		assert.Equal(t, []byte("x"), letters[0].Key)
		assert.Equal(t, "h=<null>", headerTexts(letters[1].Headers)[0])
		assert.Equal(t, []byte(`"bad transform"`), letters[2].Value)
		assert.Equal(t, []byte{0, 0, 0, 1}, letters[2].Key)
		assert.Equal(t, at.UnixMilli(), letters[2].Time.UnixMilli())
		assert.Equal(t, "h=", headerTexts(letters[3].Headers)[0])
		assert.Equal(t, []byte(`"task"`), letters[3].Value)
		assert.Contains(t, contextOf(t, letters[1]).Trace, "\n\tat VALUE_CONVERTER by JsonConverter, connector c, task 0, t-0@1\nCaused by: ")

		require.NoError(t, sink.Report(t.Context(), &kept[0], errors.New("later")), "of a copy that was kept")
		synctest.Wait()
		last := w.broker.Messages("dlq")[4]
		assert.Equal(t, []byte(`"task"`), last.Value)
		assert.Len(t, last.Headers, 11, "one set of headers, whatever was reported before")

		time.Sleep(20 * time.Second)
		synctest.Wait()
		assert.Equal(t, connect.Offsets{{Topic: "t"}: 4}, w.broker.Committed("connect-c"))
		assert.Equal(t, connect.ErrorCounts{Failures: 5, Errors: 3, Skipped: 3, Logged: 5, Letters: 5}, w.events.counts)
		written, lost := w.events.outcomes()
		assert.Equal(t, []int{5, 0}, []int{written, lost})
	})
}

// Of several faults of a record Java tells of the key's first, then of the
// value's, then of the headers'.
func TestDeadLetterTellsOfTheFirstFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		bad := []connect.RawHeader{{Key: "h", Value: []byte("{")}}
		for _, m := range []connect.Message{{Key: []byte("{"), Value: []byte("{")}, {Key: []byte("1"), Value: []byte("{")}, {Key: []byte("1"), Value: []byte("1")}} {
			m.Topic, m.Headers = "t", bad
			require.NoError(t, w.broker.Produce(m))
		}
		w.put(t, "c", lettersProps(config.Props{
			"key.converter": "JsonConverter", "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
			"header.converter": "JsonConverter",
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		var stages []string
		for _, m := range w.broker.Messages("dlq") {
			stages = append(stages, contextOf(t, m).Stage)
		}
		assert.Equal(t, []string{"KEY_CONVERTER", "VALUE_CONVERTER", "HEADER_CONVERTER"}, stages)
	})
}

func TestDeadLettersWithoutHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		own := []connect.RawHeader{{Key: "a", Value: []byte("1")}}
		require.NoError(t, w.broker.Produce(connect.Message{
			TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte("{"), Headers: own, TimeType: connect.NoTimestamp, Time: time.UnixMilli(-1),
		}))
		w.put(t, "c", lettersProps(config.Props{"errors.deadletterqueue.context.headers.enable": "false"}))
		time.Sleep(time.Second)
		synctest.Wait()
		letters := w.broker.Messages("dlq")
		require.Len(t, letters, 1)
		assert.Equal(t, own, letters[0].Headers)
		assert.WithinDuration(t, time.Now(), letters[0].Time, time.Minute, "a record without a time gets that of its letter")
	})
}

// The clients of dead letters have Java's ids and the layers of settings that
// producers and admin clients of connectors have.
func TestDeadLetterClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		w.put(t, "c", lettersProps(config.Props{
			"producer.override.compression.type": "zstd", "admin.override.retries": "3", "errors.deadletterqueue.topic.replication.factor": "-1",
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		p := w.broker.client(t, "connector-dlq-producer-c-0").Props
		assert.Equal(t, []string{"7", "zstd", "all", "2147483647"}, []string{p["linger.ms"], p["compression.type"], p["acks"], p["delivery.timeout.ms"]})
		assert.NotContains(t, p, "enable.idempotence", "as our other producers")
		assert.Equal(t, "3", w.broker.client(t, "connector-dlq-adminclient-").Props["retries"])
		admin, err := w.broker.Broker.Admin(t.Context(), connect.ClientConfig{})
		require.NoError(t, err)
		topics, err := admin.Topics(t.Context(), "dlq")
		require.NoError(t, err)
		assert.Equal(t, 1, topics["dlq"].Partitions, "the topic is there before the first letter")
	})
}

// A topic that is there is taken as it is.
func TestDeadLetterTopicThatExists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		w.broker.CreateTopic("dlq", 3)
		w.broker.failing = func(what string) error {
			if what == "CreateTopics" {
				return connect.ErrAuth
			}
			return nil
		}
		require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Key: []byte("k"), Value: []byte("{")}))
		w.put(t, "c", lettersProps(nil))
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Len(t, w.broker.Messages("dlq"), 1)
	})
}

func TestDeadLetterTopicThatCannotBe(t *testing.T) {
	tests := map[string]struct {
		failing func(what string) error
		props   config.Props
		want    []string
	}{
		"forbidden to create": {
			failing: func(what string) error {
				if what == "CreateTopics" {
					return connect.ErrAuth
				}
				return nil
			},
			want: []string{"initialize dead letters", `topic "dlq"`, "not authorized"},
		},
		"forbidden to see": {
			failing: func(string) error { return connect.ErrAuth },
			want:    []string{"initialize dead letters", `topic "dlq"`, "not authorized"},
		},
		"impossible replication": {
			props: config.Props{"errors.deadletterqueue.topic.replication.factor": "0"},
			want:  []string{"errors.deadletterqueue.topic", "replication factor 0"},
		},
		"impossible name": {
			props: config.Props{"errors.deadletterqueue.topic.name": "no/topic"},
			want:  []string{"no/topic"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started := false
				w := newLettersWorld(t, sinkOf(connecttest.SinkTask{StartFunc: func(context.Context, connect.SinkContext) error {
					started = true
					return nil
				}}))
				defer w.stop()
				w.broker.CreateTopic("t", 1)
				w.broker.failing = tt.failing
				w.put(t, "c", lettersProps(tt.props))
				time.Sleep(time.Second)
				s := w.status(t, "c")
				require.Equal(t, cluster.Failed, s.Tasks[0].State)
				for _, want := range tt.want {
					assert.Contains(t, s.Tasks[0].Trace, want)
				}
				assert.Contains(t, s.Tasks[0].Trace, `connector "c" task 0: KAFKA_PRODUCE`)
				assert.False(t, started, "the task starts when its letters have a place")
			})
		})
	}
}

// A broker that is away when the task starts, or when letters are to be written,
// is waited for. Offsets stay before the letter until it is there.
func TestDeadLettersWhileTheBrokerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		var up atomic.Bool
		w.broker.failing = func(string) error {
			if !up.Load() {
				return connect.Retriable(errors.New("no broker"), 0)
			}
			return nil
		}
		w.put(t, "c", lettersProps(nil))
		time.Sleep(time.Hour)
		assert.NotEqual(t, cluster.Failed, w.status(t, "c").Tasks[0].State)
		up.Store(true)
		time.Sleep(10 * time.Second)
		require.Equal(t, cluster.Running, w.status(t, "c").Tasks[0].State)

		release := make(chan struct{})
		held := &heldProduce{release: release}
		w.broker.FailProduce(held.hook)
		require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte("{")}))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		assert.Empty(t, w.broker.Committed("connect-c"))
		assert.Equal(t, cluster.Running, w.status(t, "c").Tasks[0].State)
		close(release)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, connect.Offsets{{Topic: "t"}: 1}, w.broker.Committed("connect-c"))
		assert.Len(t, w.broker.Messages("dlq"), 1)
	})
}

// heldProduce holds up messages until release is closed.
type heldProduce struct{ release chan struct{} }

func (h *heldProduce) hook(connect.Message) error {
	<-h.release
	return nil
}

var errTooLarge = errors.New("MESSAGE_TOO_LARGE: larger than max.message.bytes")

// A letter that cannot be written fails the task, with the offset before its
// record: it comes again when the topic takes it. Java counts it, and loses it.
func TestDeadLetterThatIsRefused(t *testing.T) {
	for name, refusal := range map[string]error{"too large": errTooLarge, "forbidden": connect.ErrAuth} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var put []int64
				w := newLettersWorld(t, sinkOf(connecttest.SinkTask{PutFunc: func(_ context.Context, recs []connect.SinkRecord) error {
					for i := range recs {
						put = append(put, recs[i].Origin.Offset)
					}
					return nil
				}}))
				defer w.stop()
				w.broker.CreateTopic("t", 1)
				w.broker.FailProduce(func(m connect.Message) error {
					if m.Topic == "dlq" {
						return refusal
					}
					return nil
				})
				for _, value := range []string{`{"schema":null,"payload":0}`, `bad`, `{"schema":null,"payload":2}`} {
					require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte(value)}))
				}
				w.put(t, "c", lettersProps(nil))
				time.Sleep(15 * time.Second)
				s := w.status(t, "c").Tasks[0]
				require.Equal(t, cluster.Failed, s.State)
				for _, want := range []string{`the dead letter of the stage VALUE_CONVERTER to topic "dlq"`, "t-0@1", refusal.Error()} {
					assert.Contains(t, s.Trace, want)
				}
				assert.Empty(t, w.broker.Committed("connect-c"))
				written, lost := w.events.outcomes()
				assert.Equal(t, []int{0, 1}, []int{written, lost})

				w.broker.FailProduce(nil)
				require.NoError(t, w.RestartTask(t.Context(), cluster.TaskID{Connector: "c"}))
				time.Sleep(15 * time.Second)
				synctest.Wait()
				assert.Equal(t, connect.Offsets{{Topic: "t"}: 3}, w.broker.Committed("connect-c"))
				assert.Len(t, w.broker.Messages("dlq"), 1)
				assert.Equal(t, []int64{0, 2, 0, 2}, put)
			})
		})
	}
}

// Without tolerance the letter is written, and the task fails, as in Java.
func TestDeadLetterWithoutTolerance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte("{")}))
		w.put(t, "c", lettersProps(config.Props{"errors.tolerance": "none"}))
		time.Sleep(time.Second)
		assert.Equal(t, cluster.Failed, w.status(t, "c").Tasks[0].State)
		assert.Len(t, w.broker.Messages("dlq"), 1)
		assert.Empty(t, w.broker.Committed("connect-c"))
		assert.Equal(t, connect.ErrorCounts{Failures: 1, Errors: 1, Letters: 1}, w.events.counts)
	})
}

// What Java's counters showed for three bad records, two of them with a retriable
// error: without retries, and with retries that save one.
func TestErrorCountsAreThoseOfJava(t *testing.T) {
	tests := map[string]struct {
		props config.Props
		want  connect.ErrorCounts
	}{
		"no retries":   {config.Props{}, connect.ErrorCounts{Failures: 5, Errors: 3, Skipped: 3}},
		"five retries": {config.Props{"errors.retry.timeout": "2000"}, connect.ErrorCounts{Failures: 8, Errors: 2, Skipped: 2, Retries: 5}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := make(map[string]int)
				w := newLettersWorld(t, sinkOf(connecttest.SinkTask{}), connecttest.TransformPlugin("Fails", func(config.Props) connecttest.Transform {
					return connecttest.Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) {
						n, _ := r.Value.Value.Str()
						tries[n]++
						switch {
						case n == "0" && tries[n] > 2: // saved by the second retry
							return true, nil
						case n == "2":
							return false, &data.Error{Message: "bad"}
						}
						return false, connect.Retriable(errors.New("busy"), 0)
					}}
				}))
				defer w.stop()
				w.broker.CreateTopic("t", 1)
				for n := range 3 {
					require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte(strconv.Itoa(n))}))
				}
				w.put(t, "c", config.Props{
					"connector.class": "Sink", "topics": "t", "errors.tolerance": "all", "transforms": "f", "transforms.f.type": "Fails",
				}.Merge(tt.props))
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.Equal(t, tt.want, w.events.counts)
			})
		})
	}
}
