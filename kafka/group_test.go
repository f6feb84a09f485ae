//go:build synctests

package kafka_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/rest"
)

// workers is a cluster of Runtimes in a bubble, and the network between them.
type workers struct {
	t     *testing.T
	kafka *connecttest.KafkaCluster
	more  config.Props
	log   *slog.Logger // of clients and groups; nil: silence
	// change changes the options of a worker; nil: it has the usual ones.
	change func(name string, b *kafka.Broker, o *connect.Options)

	mu      sync.Mutex
	byHost  map[string]http.Handler
	starts  map[string]int // of tasks, by number
	running map[string]int // tasks between Start and Stop, by connector and number
	// instances counts starts of connector instances.
	instances int
}

func newWorkers(t *testing.T, c *connecttest.KafkaCluster, more config.Props) *workers {
	return &workers{
		t: t, kafka: c, more: more,
		byHost: make(map[string]http.Handler), starts: make(map[string]int), running: make(map[string]int),
	}
}

// runningNow is how many instances of a task are between Start and Stop.
func (w *workers) runningNow(connector string, task int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running[connector+"-"+fmt.Sprint(task)]
}

// RoundTrip carries requests between the workers, in memory.
func (w *workers) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	handler := w.byHost[r.URL.Host]
	w.mu.Unlock()
	if handler == nil {
		return nil, fmt.Errorf("no worker at %s", r.URL.Host)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// idleSource has as many tasks as it may, which do nothing but count starts.
func (w *workers) idleSource() connect.Plugin {
	return connect.Source(connect.Info{Class: "Idle", Version: "1.0"},
		func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
			name := ""
			return connecttest.Connector[connecttest.Props]{
				StartFunc: func(_ context.Context, c connect.ConnectorContext) error {
					name = c.Props()["name"]
					w.mu.Lock()
					defer w.mu.Unlock()
					w.instances++
					return nil
				},
				TaskConfigsFunc: func(_ context.Context, n int) ([]connecttest.Props, error) {
					tasks := make([]connecttest.Props, n)
					for i := range tasks {
						tasks[i].All = config.Props{"n": fmt.Sprint(i), "id": name + "-" + fmt.Sprint(i)}
					}
					return tasks, nil
				},
			}, nil
		},
		func(p connecttest.Props) (connecttest.SourceTask, error) {
			return connecttest.SourceTask{
				StartFunc: func(context.Context, connect.SourceContext) error {
					w.mu.Lock()
					defer w.mu.Unlock()
					w.starts[p.All["n"]]++
					w.running[p.All["id"]]++
					return nil
				},
				StopFunc: func(context.Context) error {
					w.mu.Lock()
					defer w.mu.Unlock()
					w.running[p.All["id"]]--
					return nil
				},
				PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) { <-ctx.Done(); return nil, nil },
			}, nil
		})
}

// start starts a worker; the function it returns stops it.
func (w *workers) start(name string) (rt *connect.Runtime, stop func()) {
	w.t.Helper()
	worker := config.Props{
		"bootstrap.servers": w.kafka.Bootstrap, "group.id": "workers",
		"key.converter": "x", "value.converter": "x",
		"config.storage.replication.factor": "1", "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
	}.Merge(w.more)
	b, err := kafka.New(kafka.Options{Worker: worker, Dial: w.kafka.Dial, Logger: w.log})
	require.NoError(w.t, err)
	group, err := b.Group("")
	require.NoError(w.t, err)
	url := "http://" + name + ":8083/"
	o := connect.Options{
		Plugins: []connect.Plugin{w.idleSource()}, URL: url, Peers: rest.NewPeers(&http.Client{Transport: w}), Coordinator: group, Worker: worker,
		Offsets: b.Offsets("offsets"), Configs: b.Configs("configs"), Status: b.Status("status"),
		Receiver: connect.ReceiverFunc(func(context.Context, []connect.SourceRecord) error { return nil }),
	}
	if w.change != nil {
		w.change(name, b, &o)
	}
	rt, err = connect.New(o)
	require.NoError(w.t, err)
	w.mu.Lock()
	w.byHost[name+":8083"] = rest.Handler(rt, &rest.Options{Internal: rest.NewInternal(rt), Client: &http.Client{Transport: w}})
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(w.t.Context())
	ran := make(chan error, 1)
	go func() { ran <- rt.Run(ctx) }()
	return rt, sync.OnceFunc(func() {
		w.t.Helper()
		cancel()
		require.NoError(w.t, <-ran)
	})
}

func (w *workers) instancesStarted() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.instances
}

func (w *workers) startsOf(n int) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := make(map[string]int)
	for i := range n {
		got[fmt.Sprint(i)] = w.starts[fmt.Sprint(i)]
	}
	return got
}

// spread says how many running tasks each worker has.
func spread(t *testing.T, rt *connect.Runtime, connector string) (tasks map[string]int, running int) {
	t.Helper()
	s, err := rt.Status(t.Context(), connector)
	require.NoError(t, err)
	tasks = make(map[string]int)
	for _, ts := range s.Tasks {
		if ts.State == cluster.Running {
			tasks[ts.WorkerID]++
			running++
		}
	}
	return tasks, running
}

func bubble(t *testing.T, more config.Props, f func(t *testing.T, w *workers)) {
	connecttest.Cluster(t, 1, func(t *testing.T, c *connecttest.KafkaCluster) {
		f(t, newWorkers(t, c, more))
	})
}

// put creates a connector on whichever worker leads.
func put(t *testing.T, name string, tasks int, rts ...*connect.Runtime) {
	t.Helper()
	for _, rt := range rts {
		_, err := rt.PutConnector(t.Context(), name, config.Props{"connector.class": "Idle", "tasks.max": fmt.Sprint(tasks)})
		if err == nil {
			return
		}
		require.ErrorAs(t, err, new(*connect.NotLeaderError))
	}
	t.Fatal("nobody leads")
}

func TestWorkersShareTheWork(t *testing.T) {
	for _, protocol := range []string{"sessioned", "compatible", "eager"} {
		t.Run(protocol, func(t *testing.T) {
			bubble(t, config.Props{"connect.protocol": protocol, "scheduled.rebalance.max.delay.ms": "20000"}, func(t *testing.T, w *workers) {
				a, stopA := w.start("a")
				b, stopB := w.start("b")
				time.Sleep(30 * time.Second)
				put(t, "c", 6, a, b)
				time.Sleep(30 * time.Second)
				synctest.Wait()
				tasks, running := spread(t, a, "c")
				require.Equal(t, 6, running)
				require.Equal(t, map[string]int{"a:8083": 3, "b:8083": 3}, tasks)

				d, stopD := w.start("d")
				time.Sleep(90 * time.Second)
				synctest.Wait()
				tasks, running = spread(t, d, "c")
				require.Equal(t, 6, running)
				require.Equal(t, map[string]int{"a:8083": 2, "b:8083": 2, "d:8083": 2}, tasks)

				stopB()
				time.Sleep(90 * time.Second)
				synctest.Wait()
				tasks, running = spread(t, d, "c")
				require.Equal(t, 6, running)
				require.Equal(t, map[string]int{"a:8083": 3, "d:8083": 3}, tasks)
				if protocol != "eager" {
					for n, starts := range w.startsOf(6) {
						require.LessOrEqual(t, starts, 3, "task %s moved at most when a worker came and when one went", n)
					}
				}
				stopA()
				stopD()
			})
		})
	}
}

// TestInnocentTasksRunOn counts restarts: what need not move does not stop.
func TestInnocentTasksRunOn(t *testing.T) {
	bubble(t, config.Props{"scheduled.rebalance.max.delay.ms": "0"}, func(t *testing.T, w *workers) {
		a, stopA := w.start("a")
		time.Sleep(10 * time.Second)
		put(t, "c", 4, a)
		time.Sleep(10 * time.Second)
		require.Equal(t, map[string]int{"0": 1, "1": 1, "2": 1, "3": 1}, w.startsOf(4))
		_, stopB := w.start("b")
		time.Sleep(time.Minute)
		starts := w.startsOf(4)
		total := 0
		for _, n := range starts {
			total += n
		}
		require.Equal(t, 6, total, "two of four moved, once: %v", starts)
		tasks, _ := spread(t, a, "c")
		require.Equal(t, []int{2, 2}, slices.Sorted(func(yield func(int) bool) {
			for _, n := range tasks {
				yield(n)
			}
		}))
		stopB()
		stopA()
	})
}

// TestAWorkerThatDies is missed after its session, and its tasks run elsewhere.
func TestAWorkerThatDies(t *testing.T) {
	bubble(t, config.Props{"scheduled.rebalance.max.delay.ms": "0"}, func(t *testing.T, w *workers) {
		a, stopA := w.start("a")
		b, stopB := w.start("b")
		time.Sleep(20 * time.Second)
		put(t, "c", 4, a, b)
		time.Sleep(20 * time.Second)
		_, running := spread(t, a, "c")
		require.Equal(t, 4, running)
		stopB() // it leaves, so the group need not wait for its session
		time.Sleep(15 * time.Second)
		synctest.Wait()
		tasks, running := spread(t, a, "c")
		require.Equal(t, 4, running)
		require.Equal(t, map[string]int{"a:8083": 4}, tasks)
		stopA()
	})
}

// TestForwarding asks every worker, over HTTP, for what only the leader may do.
func TestForwarding(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *workers) {
		var stops []func()
		for _, name := range []string{"a", "b", "d"} {
			_, stop := w.start(name)
			stops = append(stops, stop)
		}
		time.Sleep(30 * time.Second)
		for i, name := range []string{"a", "b", "d"} {
			body := fmt.Sprintf(`{"name":"c%d","config":{"connector.class":"Idle","tasks.max":"2"}}`, i)
			r := httptest.NewRequest(http.MethodPost, "http://"+name+":8083/connectors", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			answer, err := w.RoundTrip(r)
			require.NoError(t, err)
			require.Equal(t, http.StatusCreated, answer.StatusCode, "by way of %s", name)
		}
		time.Sleep(30 * time.Second)
		for i := range 3 {
			for _, name := range []string{"a", "b", "d"} {
				answer, err := w.RoundTrip(httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://%s:8083/connectors/c%d/status", name, i), nil))
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, answer.StatusCode)
				text, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				require.Equal(t, 3, strings.Count(string(text), `"RUNNING"`), "%s", text)
			}
		}
		for _, stop := range stops {
			stop()
		}
	})
}

// TestSessionKeys: the leader writes a key, all workers sign by it and check
// signatures by it, and it is replaced when it is too old.
func TestSessionKeys(t *testing.T) {
	bubble(t, config.Props{"inter.worker.key.ttl.ms": "60000"}, func(t *testing.T, w *workers) {
		a, stopA := w.start("a")
		b, stopB := w.start("b")
		time.Sleep(30 * time.Second)
		body := []byte(`[{"a":"b"}]`)
		mac, algorithm, err := a.SignInternal(body)
		require.NoError(t, err)
		require.Equal(t, "HmacSHA256", algorithm)
		require.NoError(t, b.VerifyInternal(mac, algorithm, body))
		require.ErrorIs(t, b.VerifyInternal(mac, algorithm, []byte("[]")), connect.ErrForbidden)
		require.ErrorIs(t, b.VerifyInternal("", "", body), connect.ErrBadRequest)
		require.EqualError(t, b.VerifyInternal("", "", body), "Internal request missing required signature", "in Java's words")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.ErrorIs(t, b.VerifyInternal(mac, algorithm, body), connect.ErrForbidden, "the key has been replaced")
		mac, algorithm, err = b.SignInternal(body)
		require.NoError(t, err)
		require.NoError(t, a.VerifyInternal(mac, algorithm, body))
		stopB()
		stopA()
	})
}

// TestApplyInACluster applies a set through every worker. The history of what was
// applied is the leader's: the same through every worker, with the times of the
// topic, and after a change of leaders what the topic still has.
func TestApplyInACluster(t *testing.T) {
	bubble(t, config.Props{"scheduled.rebalance.max.delay.ms": "0"}, func(t *testing.T, w *workers) {
		names := []string{"a", "b", "d"}
		stops := make(map[string]func())
		for _, name := range names {
			_, stops[name] = w.start(name)
			time.Sleep(10 * time.Second)
		}
		ask := func(method, name, path, body string) string {
			t.Helper()
			r := httptest.NewRequest(method, "http://"+name+":8083"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			answer, err := w.RoundTrip(r)
			require.NoError(t, err)
			text, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
			return string(text)
		}
		began := time.Now()
		for i, name := range names {
			body := fmt.Sprintf(`{"connectors":{"c":{"config":{"connector.class":"Idle","tasks.max":"3","i":"%d"}},"c%d":{"config":{"connector.class":"Idle"}}}}`, i, i)
			require.Contains(t, ask(http.MethodPost, name, "/-/apply", body), `"applied":true`)
			time.Sleep(10 * time.Second)
		}
		history := ask(http.MethodGet, "a", "/-/connectors/c/history", "")
		require.Contains(t, history, fmt.Sprintf(`"time":%d,`, began.UnixMilli()))
		require.Equal(t, 3, strings.Count(history, `"revision":`))
		for _, name := range names[1:] {
			require.Equal(t, history, ask(http.MethodGet, name, "/-/connectors/c/history", ""))
		}
		require.JSONEq(t, `{"name":"c","errors":[],"missing":[]}`, ask(http.MethodGet, "b", "/-/connectors/c/errors", ""))
		stops["a"]() // who came first leads
		time.Sleep(time.Minute)
		require.Equal(t, history, ask(http.MethodGet, "b", "/-/connectors/c/history", ""), "the topic is not compacted yet")
		stops["b"]()
		stops["d"]()
	})
}
