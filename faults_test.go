package connect_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/offsets"
)

// world is a Runtime on a broker in memory, in a bubble.
type world struct {
	*connect.Runtime
	broker *connecttest.Broker
	log    lockedBuffer
	stop   func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T, plugins ...connect.Plugin) *world {
	t.Helper()
	return newWorldWith(t, connect.Options{Plugins: plugins})
}

// newWorldWith is newWorld with options of the test's.
func newWorldWith(t *testing.T, o connect.Options) *world {
	t.Helper()
	return newWorldOn(t, o, func(b *connecttest.Broker) connect.Broker { return b })
}

// newWorldOn is newWorldWith on a broker that the test makes of the one in memory.
func newWorldOn(t *testing.T, o connect.Options, on func(*connecttest.Broker) connect.Broker) *world {
	t.Helper()
	w := &world{broker: connecttest.NewBroker()}
	o.Plugins, o.Broker = append(o.Plugins, converters.All()...), on(w.broker)
	o.Worker = config.Props{"key.converter": "StringConverter", "value.converter": "StringConverter", "offset.flush.interval.ms": "10000"}.Merge(o.Worker)
	o.Logger = slog.New(slog.NewTextHandler(&w.log, nil))
	rt, err := connect.New(o)
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

func (w *world) put(t *testing.T, name string, props config.Props) {
	t.Helper()
	_, err := w.PutConnector(t.Context(), name, props)
	require.NoError(t, err)
}

func (w *world) status(t *testing.T, name string) connect.ConnectorStatus {
	t.Helper()
	synctest.Wait()
	s, err := w.Status(t.Context(), name)
	require.NoError(t, err)
	return s
}

// lines is a source of one string after the other, one a second.
func lines() connect.Plugin {
	return connecttest.SourcePlugin("Lines", func(p config.Props) connecttest.SourceTask {
		n := int64(0)
		part := connect.PartitionOf(data.E("lines", data.String("x")))
		return connecttest.SourceTask{
			StartFunc: func(ctx context.Context, c connect.SourceContext) error {
				offsets, err := c.Offsets(ctx, part)
				if err == nil {
					n, _ = offsets[0].Int("n")
				}
				return err
			},
			PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				n++
				return []connect.SourceRecord{{
					Record:          connect.Record{Topic: p["topic"], Value: connect.Datum{Schema: data.StringSchema, Value: data.String(strconv.FormatInt(n, 10))}},
					SourcePartition: part, SourceOffset: connect.SourceOffset{data.E("n", data.Int64(n))},
				}}, nil
			},
		}
	})
}

// sinkOf makes a sink plugin of a fake.
func sinkOf(task connecttest.SinkTask) connect.Plugin {
	return connecttest.SinkPlugin("Sink", func(config.Props) connecttest.SinkTask { return task })
}

func values(b *connecttest.Broker, topic string) (got []string) {
	for _, m := range b.Messages(topic) {
		got = append(got, string(m.Value))
	}
	return got
}

func numbers(from, to int) (want []string) {
	for i := from; i <= to; i++ {
		want = append(want, strconv.Itoa(i))
	}
	return want
}

func TestPipelineThroughKafka(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		w := newWorld(t, lines(), sinkOf(connecttest.SinkTask{PutFunc: func(_ context.Context, recs []connect.SinkRecord) error {
			for _, r := range recs {
				s, _ := r.Value.Value.Str()
				got = append(got, s)
			}
			return nil
		}}))
		defer w.stop()
		w.put(t, "source", config.Props{
			"connector.class": "Lines", "topic": "t",
			"topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "1",
		})
		w.put(t, "sink", config.Props{"connector.class": "Sink", "topics": "t"})
		time.Sleep(10500 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 10, len(w.broker.Messages("t")))
		require.ElementsMatch(t, numbers(1, 10), got)
		total := int64(0)
		for _, o := range w.broker.Committed("connect-sink") {
			total += o
		}
		require.Positive(t, total, "the flush interval is over")
		admin, err := w.broker.Admin(t.Context(), connect.ClientConfig{})
		require.NoError(t, err)
		topics, err := admin.Topics(t.Context(), "t")
		require.NoError(t, err)
		require.Equal(t, 3, topics["t"].Partitions)
		w.stop()
		total = 0
		for _, o := range w.broker.Committed("connect-sink") {
			total += o
		}
		require.Equal(t, int64(10), total, "the end commits")
	})
}

// TestBrokerDown takes the broker away at the start, in mid-flow and at the
// end: the Runtime stays up, and nothing is lost or sent twice.
func TestBrokerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, lines())
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		w.broker.Down()
		w.put(t, "c", config.Props{"connector.class": "Lines", "topic": "t"})
		time.Sleep(5500 * time.Millisecond)
		require.Equal(t, cluster.Running, w.status(t, "c").Tasks[0].State)
		w.broker.Up()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Equal(t, numbers(1, 10), values(w.broker, "t"))
		w.broker.Down()
		time.Sleep(5 * time.Second)
		w.broker.Up()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, numbers(1, 16), values(w.broker, "t"))
		w.broker.Down()
		time.Sleep(time.Second)
		begun := time.Now()
		w.stop()
		require.LessOrEqual(t, time.Since(begun), 20*time.Second, "grace, flush time-out, closing")
	})
}

func TestPluginsThatPanic(t *testing.T) {
	boom := func() { panic("boom") }
	tests := map[string]struct {
		plugin    connect.Plugin
		props     config.Props
		connector bool // it is the connector that fails, not its task
	}{
		"Put": {plugin: sinkOf(connecttest.SinkTask{PutFunc: func(context.Context, []connect.SinkRecord) error { boom(); return nil }}),
			props: config.Props{"topics": "t"}},
		"sink Start": {plugin: sinkOf(connecttest.SinkTask{StartFunc: func(context.Context, connect.SinkContext) error { boom(); return nil }}),
			props: config.Props{"topics": "t"}},
		"Poll": {plugin: connecttest.SourcePlugin("Source", func(config.Props) connecttest.SourceTask {
			return connecttest.SourceTask{PollFunc: func(context.Context) ([]connect.SourceRecord, error) { boom(); return nil, nil }}
		})},
		"source Start": {plugin: connecttest.SourcePlugin("Source", func(config.Props) connecttest.SourceTask {
			return connecttest.SourceTask{StartFunc: func(context.Context, connect.SourceContext) error { boom(); return nil }}
		})},
		"constructor": {plugin: connecttest.SourcePlugin("Source", func(config.Props) connecttest.SourceTask { boom(); return connecttest.SourceTask{} })},
		"Commit": {plugin: connecttest.SourcePlugin("Source", func(config.Props) connect.SourceTask {
			return struct {
				connecttest.SourceTask
				connecttest.Committer
			}{
				connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) { <-ctx.Done(); return nil, ctx.Err() }},
				func(context.Context) error { boom(); return nil },
			}
		})},
		"connector": {connector: true, plugin: connect.Source(connect.Info{Class: "Source"},
			func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
				return connecttest.Connector[connecttest.Props]{StartFunc: func(context.Context, connect.ConnectorContext) error { boom(); return nil }}, nil
			},
			func(connecttest.Props) (connecttest.SourceTask, error) { return connecttest.SourceTask{}, nil })},
		"TaskConfigs": {connector: true, plugin: connect.Source(connect.Info{Class: "Source"},
			func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
				return connecttest.Connector[connecttest.Props]{TaskConfigsFunc: func(context.Context, int) ([]connecttest.Props, error) { boom(); return nil, nil }}, nil
			},
			func(connecttest.Props) (connecttest.SourceTask, error) { return connecttest.SourceTask{}, nil })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tt.plugin, lines())
				defer w.stop()
				w.broker.CreateTopic("t", 1)
				w.put(t, "good", config.Props{"connector.class": "Lines", "topic": "t"})
				w.put(t, "bad", config.Props{"connector.class": tt.plugin.Info().Class}.Merge(tt.props))
				time.Sleep(15 * time.Second)
				s := w.status(t, "bad")
				failed := s.Connector
				if !tt.connector {
					require.Equal(t, cluster.Running, s.Connector.State)
					failed = s.Tasks[0]
				}
				require.Equal(t, cluster.Failed, failed.State)
				require.Contains(t, failed.Trace, "panic: boom")
				require.Contains(t, failed.Trace, "faults_test.go", "the stack belongs to it")
				require.Equal(t, cluster.Running, w.status(t, "good").Tasks[0].State, "others run on")
			})
		})
	}
}

// TestPluginsThatBlock stops a Runtime with a plugin that heeds no context: it
// is left behind after the grace, and the rest ends.
func TestPluginsThatBlock(t *testing.T) {
	tests := map[string]func(block func()) (connect.Plugin, config.Props){
		"Put": func(block func()) (connect.Plugin, config.Props) {
			return sinkOf(connecttest.SinkTask{PutFunc: func(context.Context, []connect.SinkRecord) error { block(); return nil }}), config.Props{"topics": "t"}
		},
		"sink Stop": func(block func()) (connect.Plugin, config.Props) {
			return sinkOf(connecttest.SinkTask{StopFunc: func(context.Context) error { block(); return nil }}), config.Props{"topics": "t"}
		},
		"source Stop": func(block func()) (connect.Plugin, config.Props) {
			return connecttest.SourcePlugin("Source", func(config.Props) connecttest.SourceTask {
				return connecttest.SourceTask{
					PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) { <-ctx.Done(); return nil, nil },
					StopFunc: func(context.Context) error { block(); return nil },
				}
			}), nil
		},
		"connector Start": func(block func()) (connect.Plugin, config.Props) {
			return connect.Source(connect.Info{Class: "Source"},
				func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
					return connecttest.Connector[connecttest.Props]{StartFunc: func(context.Context, connect.ConnectorContext) error { block(); return nil }}, nil
				},
				func(connecttest.Props) (connecttest.SourceTask, error) { return connecttest.SourceTask{}, nil }), nil
		},
	}
	for name, make_ := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				plugin, props := make_(func() { <-release })
				w := newWorld(t, plugin, lines())
				w.broker.CreateTopic("t", 1)
				w.put(t, "bad", config.Props{"connector.class": plugin.Info().Class}.Merge(props))
				w.put(t, "good", config.Props{"connector.class": "Lines", "topic": "t"})
				time.Sleep(3500 * time.Millisecond)
				begun := time.Now()
				w.stop()
				require.LessOrEqual(t, time.Since(begun), 7*time.Second)
				require.Contains(t, w.log.String(), "left to itself")
				require.Equal(t, numbers(1, 3), values(w.broker, "t"), "the others were not held up")
				close(release)
			})
		})
	}
}

func TestUnknownKeysAreAcceptedWithOneWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plugin := connect.Sink(connect.Info{Class: "Sink"}, connect.OneTask[strictConfig],
			func(strictConfig) (connecttest.SinkTask, error) { return connecttest.SinkTask{}, nil })
		w := newWorld(t, plugin)
		w.put(t, "c", config.Props{"connector.class": "Sink", "topics": "t", "batch.sise": "3", "errors.tolerence": "all"})
		w.stop()
		require.Equal(t, 1, bytes.Count([]byte(w.log.String()), []byte("key=batch.sise nearest=batch.size")))
		require.Equal(t, 1, bytes.Count([]byte(w.log.String()), []byte("key=errors.tolerence nearest=errors.tolerance")))
	})
}

type strictConfig struct{ Size int }

func (c *strictConfig) Describe(d *config.Def) {
	config.Int(d, &c.Size, "batch.size").Default(1).Doc("Records a batch.")
}

func TestToleranceOnTheSourceSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, lines(), connecttest.TransformPlugin("Picky", func(config.Props) connecttest.Transform {
			return connecttest.Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) {
				switch s, _ := r.Value.Value.Str(); s {
				case "2":
					return false, errors.New("not this one")
				case "3":
					return false, nil
				}
				return true, nil
			}}
		}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		props := config.Props{"connector.class": "Lines", "topic": "t", "transforms": "p", "transforms.p.type": "Picky"}
		w.put(t, "strict", props)
		w.put(t, "tolerant", props.Merge(config.Props{"errors.tolerance": "all", "errors.log.enable": "true", "topic": "u"}))
		time.Sleep(5500 * time.Millisecond)
		s := w.status(t, "strict").Tasks[0]
		require.Equal(t, cluster.Failed, s.State)
		require.Contains(t, s.Trace, `connector "strict" task 0: TRANSFORMATION by Picky`)
		require.Contains(t, s.Trace, `source offset {"n":2}`)
		require.Equal(t, []string{"1"}, values(w.broker, "t"))
		require.Equal(t, []string{"1", "4", "5"}, values(w.broker, "u"))
		require.Contains(t, w.log.String(), "error on a record")
		offsets, err := w.Offsets(t.Context(), "strict")
		require.NoError(t, err)
		for _, o := range offsets {
			n, _ := o.Int("n")
			require.Equal(t, int64(1), n, "what failed is not committed")
		}
		require.Len(t, offsets, 1, "what was sent before is")
	})
}

// TestOddRecords sends what a source should not: no records, a huge batch, data
// that does not fit its schema.
func TestOddRecords(t *testing.T) {
	row := data.NewBuilder(data.KindStruct).Field("n", data.Int32Schema).MustBuild()
	other, err := data.NewStruct(data.NewBuilder(data.KindStruct).Field("m", data.StringSchema).MustBuild())
	require.NoError(t, err)
	datum := func(v data.Value) connect.Datum { return connect.Datum{Schema: row, Value: v} }
	source := func(polls ...[]connect.SourceRecord) connect.Plugin {
		return connecttest.SourcePlugin("Source", func(config.Props) connecttest.SourceTask {
			n := 0
			return connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
				if n == len(polls) {
					return nil, connect.ErrDone
				}
				n++
				return polls[n-1], nil
			}}
		})
	}
	record := func(v connect.Datum) connect.SourceRecord {
		return connect.SourceRecord{Record: connect.Record{Topic: "t", Value: v}}
	}
	huge := make([]connect.SourceRecord, 100_000)
	for i := range huge {
		huge[i] = record(connect.Datum{Value: data.Int64(int64(i))})
	}
	tests := map[string]struct {
		polls [][]connect.SourceRecord
		sent  int
		fails string
	}{
		"nothing":             {polls: [][]connect.SourceRecord{nil, {}, nil}},
		"a huge batch":        {polls: [][]connect.SourceRecord{huge}, sent: len(huge)},
		"a scalar":            {polls: [][]connect.SourceRecord{{record(datum(data.Int64(1)))}}, fails: "VALUE_CONVERTER by JsonConverter"},
		"another struct":      {polls: [][]connect.SourceRecord{{record(datum(data.StructOf(other)))}}, fails: "VALUE_CONVERTER by JsonConverter"},
		"null that may not":   {polls: [][]connect.SourceRecord{{record(datum(data.Value{}))}}, fails: "VALUE_CONVERTER by JsonConverter"},
		"a zero record":       {polls: [][]connect.SourceRecord{{{}}}, fails: "no topic"},
		"a time before epoch": {polls: [][]connect.SourceRecord{{{Record: connect.Record{Topic: "t", Timestamp: time.Unix(-5, 0)}}}}, fails: "before 1970"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, source(tt.polls...))
				defer w.stop()
				w.broker.CreateTopic("t", 1)
				w.put(t, "c", config.Props{"connector.class": "Source", "value.converter": "JsonConverter"})
				time.Sleep(time.Second)
				s := w.status(t, "c").Tasks[0]
				require.Len(t, w.broker.Messages("t"), tt.sent)
				if tt.fails == "" {
					require.Equal(t, cluster.Running, s.State, s.Trace)
					return
				}
				require.Equal(t, cluster.Failed, s.State)
				require.Contains(t, s.Trace, tt.fails)
			})
		})
	}
}

// TestTwoRuntimesOnOneOffsetsFile refuses the second.
func TestTwoRuntimesOnOneOffsetsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "offsets")
	run := func() (*connect.Runtime, context.CancelFunc, chan error) {
		rt, err := connect.New(connect.Options{Plugins: []connect.Plugin{lines()}, Offsets: offsets.File(path)})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- rt.Run(ctx) }()
		return rt, cancel, ran
	}
	first, stopFirst, firstRan := run()
	_, err := first.Connectors(t.Context())
	require.NoError(t, err)
	_, stopSecond, secondRan := run()
	defer stopSecond()
	err = <-secondRan
	require.ErrorContains(t, err, path)
	stopFirst()
	require.NoError(t, <-firstRan)
	third, stopThird, thirdRan := run()
	_, err = third.Connectors(t.Context())
	require.NoError(t, err, "the lock goes with its Runtime")
	stopThird()
	require.NoError(t, <-thirdRan)
}

// TestWhatComesBeforeAFailureIsSent fails on the third record of a poll: the
// first two reach Kafka, and their offset is committed.
func TestWhatComesBeforeAFailureIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := connect.PartitionOf(data.E("p", data.String("x")))
		polled := false
		plugin := connecttest.SourcePlugin("Source", func(config.Props) connecttest.SourceTask {
			return connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
				if polled {
					<-ctx.Done()
					return nil, nil
				}
				polled = true
				var recs []connect.SourceRecord
				for i := range 5 {
					r := connect.SourceRecord{SourcePartition: part, SourceOffset: connect.SourceOffset{data.E("n", data.Int64(int64(i)))}}
					r.Topic, r.Value = "t", connect.Datum{Value: data.String(strconv.Itoa(i))}
					if i == 2 {
						r.Value.Schema = data.Int8Schema // which it does not fit
					}
					recs = append(recs, r)
				}
				return recs, nil
			}}
		})
		w := newWorld(t, plugin)
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		w.put(t, "c", config.Props{"connector.class": "Source", "value.converter": "JsonConverter", "value.converter.schemas.enable": "false"})
		time.Sleep(time.Second)
		require.Equal(t, cluster.Failed, w.status(t, "c").Tasks[0].State)
		require.Equal(t, []string{`"0"`, `"1"`}, values(w.broker, "t"))
		offsets, err := w.Offsets(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, map[connect.SourcePartition]connect.SourceOffset{part: {data.E("n", data.Int64(1))}}, offsets)
	})
}
