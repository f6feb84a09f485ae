package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// counterConfig configures counter, a source that counts from where it stopped.
type counterConfig struct {
	Topic string
	Every time.Duration
	Fail  string
}

func (c *counterConfig) Describe(d *config.Def) {
	config.String(d, &c.Topic, "topic").Doc("Topic to write to.")
	config.Millis(d, &c.Every, "every.ms").Default(time.Second).Doc("Pause between numbers.")
	config.String(d, &c.Fail, "fail").Default("").Doc("What to do wrong.")
}

type counter struct {
	cfg  counterConfig
	n    int64
	part SourcePartition
}

func newCounter(cfg counterConfig) (*counter, error) { return &counter{cfg: cfg}, nil }

func (c *counter) Start(ctx context.Context, sc SourceContext) error {
	if c.cfg.Fail == "start" {
		return errors.New("no start today")
	}
	c.part = PartitionOf(data.E("counter", data.Int64(1)))
	offsets, err := sc.Offsets(ctx, c.part)
	if err != nil {
		return err
	}
	c.n, _ = offsets[0].Int("n")
	return nil
}

func (c *counter) Poll(ctx context.Context) ([]SourceRecord, error) {
	switch c.cfg.Fail {
	case "poll":
		return nil, errors.New("no poll today")
	case "panic":
		panic("no poll at all")
	case "block":
		select {}
	case "done":
		return nil, ErrDone
	case "hot":
		return nil, nil
	case "no topic":
		return []SourceRecord{{}}, nil
	case "bad partition":
		return []SourceRecord{{Record: Record{Topic: "t"}, SourcePartition: PartitionOf(data.E("x", data.ArrayOf()))}}, nil
	}
	select {
	case <-time.After(c.cfg.Every):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.n++
	return []SourceRecord{{
		Record:          Record{Topic: c.cfg.Topic, Value: Datum{Value: data.Int64(c.n)}},
		SourcePartition: c.part, SourceOffset: SourceOffset{data.E("n", data.Int64(c.n))}, Token: c.n,
	}}, nil
}

func (c *counter) Stop(context.Context) error { return nil }

func counterPlugin() Plugin {
	return Source(Info{
		Class: "Counter", Version: "1.0", Doc: "Counts.",
		StandsFor: []JavaClass{{"org.example.CounterSourceConnector", "org.example.CounterSourceTask"}},
	}, OneTask[counterConfig], newCounter)
}

// collector is a Receiver that keeps numbers.
type collector struct {
	mu   sync.Mutex
	got  []int64
	errs []error // returned first, one a call
}

func (c *collector) Receive(_ context.Context, recs []SourceRecord) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) > 0 {
		err := c.errs[0]
		c.errs = c.errs[1:]
		return err
	}
	for _, r := range recs {
		n, _ := r.Value.Value.Int()
		c.got = append(c.got, n)
	}
	return nil
}

func (c *collector) take() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

// start runs a Runtime until the function it returns is called, which checks
// that Run ended well.
func start(t *testing.T, o Options) (rt *Runtime, stop func()) {
	t.Helper()
	rt, err := New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- rt.Run(ctx) }()
	return rt, sync.OnceFunc(func() {
		t.Helper()
		cancel()
		require.NoError(t, <-ran)
	})
}

func state(t *testing.T, rt *Runtime, name string) (connector cluster.State, tasks map[int]cluster.State) {
	t.Helper()
	synctest.Wait()
	s, err := rt.Status(t.Context(), name)
	require.NoError(t, err)
	tasks = make(map[int]cluster.State)
	for n, ts := range s.Tasks {
		tasks[n] = ts.State
	}
	return s.Connector.State, tasks
}

func TestRuntimeRunsASourceWithoutKafka(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got collector
		offsets := NewMemoryOffsets()
		o := Options{Plugins: []Plugin{counterPlugin()}, Receiver: &got, Offsets: offsets, Configs: NewMemoryLog()}
		rt, stop := start(t, o)
		defer stop()
		created, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		require.NoError(t, err)
		require.True(t, created)

		time.Sleep(3500 * time.Millisecond)
		require.Equal(t, []int64{1, 2, 3}, got.take())
		connector, tasks := state(t, rt, "c")
		require.Equal(t, cluster.Running, connector)
		require.Equal(t, map[int]cluster.State{0: cluster.Running}, tasks)
		stop()

		// A second life goes on where the first one committed.
		rt, stop2 := start(t, o)
		defer stop2()
		time.Sleep(2500 * time.Millisecond)
		require.Equal(t, []int64{4, 5}, got.take())
		all, err := rt.Offsets(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, map[SourcePartition]SourceOffset{PartitionOf(data.E("counter", data.Int64(1))): {data.E("n", data.Int64(3))}}, all)
	})
}

func TestRuntimePauseResumeStopRestartDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got collector
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &got})
		defer stop()
		props := config.Props{"connector.class": "org.example.CounterSourceConnector", "topic": "t"}
		require.NoError(t, rt.CreateConnector(t.Context(), "c", props, cluster.TargetPaused))
		require.ErrorIs(t, rt.CreateConnector(t.Context(), "c", props, ""), ErrExists)
		time.Sleep(5 * time.Second)
		require.Empty(t, got.take())
		connector, _ := state(t, rt, "c")
		require.Equal(t, cluster.Paused, connector)

		require.NoError(t, rt.Resume(t.Context(), "c"))
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []int64{1}, got.take())
		c, err := rt.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, "org.example.CounterSourceTask", c.Tasks[0]["task.class"])

		require.NoError(t, rt.Pause(t.Context(), "c"))
		time.Sleep(10 * time.Second)
		require.Empty(t, got.take(), "what the poll under way returned is held back")
		connector, tasks := state(t, rt, "c")
		require.Equal(t, cluster.Paused, connector)
		require.Equal(t, cluster.Paused, tasks[0])

		require.NoError(t, rt.Stop(t.Context(), "c"))
		connector, tasks = state(t, rt, "c")
		require.Equal(t, cluster.Stopped, connector)
		require.Empty(t, tasks, "a stopped connector has no tasks")
		require.NoError(t, rt.Resume(t.Context(), "c"))
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []int64{2}, got.take(), "what was held back comes again")

		require.NoError(t, rt.Restart(t.Context(), "c", RestartOptions{Tasks: true}))
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []int64{3}, got.take())
		require.NoError(t, rt.RestartTask(t.Context(), cluster.TaskID{Connector: "c"}))
		require.ErrorIs(t, rt.RestartTask(t.Context(), cluster.TaskID{Connector: "c", Task: 1}), ErrNotFound)
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []int64{4}, got.take())

		_, err = rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t", "every.ms": "100"})
		require.NoError(t, err)
		time.Sleep(350 * time.Millisecond)
		require.Len(t, got.take(), 3)

		require.NoError(t, rt.DeleteConnector(t.Context(), "c"))
		time.Sleep(time.Second)
		got.take()
		time.Sleep(time.Second)
		require.Empty(t, got.take())
		_, err = rt.Status(t.Context(), "c")
		require.ErrorIs(t, err, ErrNotFound)
		instance, states := rt.status.get("c")
		require.Nil(t, instance)
		require.Empty(t, states)
	})
}

func TestRuntimeFailures(t *testing.T) {
	tests := []struct {
		fail, want string
	}{
		{"start", "no start today"},
		{"poll", `connector "c" task 0: TASK_POLL by Counter: no poll today`},
		{"panic", "panic: no poll at all"},
		{"no topic", "has no topic"},
		{"bad partition", "value is ARRAY"},
	}
	for _, tt := range tests {
		t.Run(tt.fail, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}})
				defer stop()
				_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t", "fail": tt.fail})
				require.NoError(t, err)
				synctest.Wait()
				s, err := rt.Status(t.Context(), "c")
				require.NoError(t, err)
				require.Equal(t, cluster.Running, s.Connector.State)
				require.Equal(t, cluster.Failed, s.Tasks[0].State)
				require.Contains(t, s.Tasks[0].Trace, tt.want)
				require.Contains(t, s.Tasks[0].Trace, `connector "c" task 0`)
				if tt.fail == "panic" {
					require.Contains(t, s.Tasks[0].Trace, "runtime_test.go", "the stack belongs to it")
				}
			})
		})
	}
}

func TestRuntimeLeavesAStuckPluginBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		stuck := &stuckTask{release: make(chan struct{})}
		p := Source(Info{Class: "Stuck"}, OneTask[counterConfig], func(counterConfig) (*stuckTask, error) { return stuck, nil })
		rt, stop := start(t, Options{Plugins: []Plugin{p}, Receiver: &collector{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Stuck", "topic": "t"})
		require.NoError(t, err)
		synctest.Wait()
		begun := time.Now()
		stop()
		require.Equal(t, 5*time.Second+abandonAfter, time.Since(begun), "the grace, and a moment")
		require.Contains(t, log.String(), "does not stop")
		close(stuck.release)
	})
}

type stuckTask struct{ release chan struct{} }

func (s *stuckTask) Start(context.Context, SourceContext) error { return nil }
func (s *stuckTask) Stop(context.Context) error                 { return nil }
func (s *stuckTask) Poll(context.Context) ([]SourceRecord, error) {
	<-s.release
	return nil, errors.New("at last")
}

func TestRuntimeReportsAllKeysAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{
			"connector.class": "Counter", "tasks.max": "0", "every.ms": "soon", "errors.tolerance": "some",
		})
		require.ErrorIs(t, err, ErrBadRequest)
		for _, key := range []string{"tasks.max", "every.ms", "errors.tolerance", "topic"} {
			require.ErrorContains(t, err, key)
		}
		_, err = rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Nothing"})
		require.ErrorIs(t, err, ErrBadRequest)
		require.ErrorContains(t, err, "Counter", "what there is")
		_, err = rt.PutConnector(t.Context(), "", nil)
		require.ErrorIs(t, err, ErrBadRequest)
		_, err = rt.PutConnector(t.Context(), "c", config.Props{"name": "d"})
		require.ErrorIs(t, err, ErrBadRequest)
	})
}

// TestTwoRuntimesShareNothing runs two in one process, each with its own
// logger, hooks and stores.
func TestTwoRuntimesShareNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type side struct {
			got   collector
			log   bytes.Buffer
			hooks batchCounter
			rt    *Runtime
			stop  func()
		}
		var sides [2]side
		for i := range sides {
			s := &sides[i]
			s.rt, s.stop = start(t, Options{
				Plugins: []Plugin{counterPlugin()}, Receiver: &s.got, Hooks: []Hook{&s.hooks},
				Logger: slog.New(slog.NewTextHandler(&s.log, nil)).With("runtime", strconv.Itoa(i)),
			})
			defer s.stop()
			_, err := s.rt.PutConnector(t.Context(), "same", config.Props{"connector.class": "Counter", "topic": "t", "fail": []string{"", "poll"}[i]})
			require.NoError(t, err)
		}
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		for i := range sides {
			sides[i].stop()
		}
		assert.Equal(t, []int64{1, 2}, sides[0].got.take())
		assert.Empty(t, sides[1].got.take())
		assert.Equal(t, 2, sides[0].hooks.n)
		assert.Zero(t, sides[1].hooks.n)
		assert.NotContains(t, sides[0].log.String(), "runtime=1")
		assert.Contains(t, sides[1].log.String(), "no poll today")
		assert.NotContains(t, sides[0].log.String(), "no poll today")
	})
}

type batchCounter struct{ n int }

func (b *batchCounter) OnBatch(*BatchEvent) { b.n++ }

func TestRuntimeReceiverRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := collector{errs: []error{Retriable(errors.New("busy"), time.Second), Retriable(errors.New("busy"), 0)}}
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &got})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		require.NoError(t, err)
		time.Sleep(4 * time.Second)
		require.Equal(t, []int64{1, 2}, got.take())
	})
}

func TestRuntimeSlowsAHotLoopDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t", "fail": "hot"})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		stop()
		require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("over and over")))
	})
}

func TestNewOpensNothing(t *testing.T) {
	rt, err := New(Options{Plugins: []Plugin{counterPlugin()}})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, fmt.Errorf("nobody runs it"))
	defer cancel()
	_, err = rt.Connectors(ctx)
	require.ErrorContains(t, err, "nobody runs it")

	_, err = New(Options{Plugins: []Plugin{{}}})
	require.ErrorContains(t, err, "zero Plugin")
	_, err = New(Options{Plugins: []Plugin{counterPlugin(), counterPlugin()}})
	require.ErrorContains(t, err, "listed twice")
	_, err = New(Options{Worker: config.Props{"offset.flush.interval.ms": "soon"}})
	require.ErrorContains(t, err, "offset.flush.interval.ms")
}

// TestRuntimePausesASourceThatIsDone: the state says so, though nothing is
// polled any more.
func TestRuntimePausesASourceThatIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t", "fail": "done"})
		require.NoError(t, err)
		_, tasks := state(t, rt, "c")
		require.Equal(t, cluster.Running, tasks[0])
		require.NoError(t, rt.Pause(t.Context(), "c"))
		_, tasks = state(t, rt, "c")
		require.Equal(t, cluster.Paused, tasks[0])
		require.NoError(t, rt.Resume(t.Context(), "c"))
		_, tasks = state(t, rt, "c")
		require.Equal(t, cluster.Running, tasks[0])
	})
}
