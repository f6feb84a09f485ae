//go:build integration

package rest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/kafka"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// A site is where the workers of a recording were, as addresses of workers of
// ours: they advertise what was recorded, and are found elsewhere.
type site struct {
	t         *testing.T
	bootstrap string
	group     string
	kafka     *kgo.Client

	mu      sync.Mutex
	found   map[string]string // addresses by those that were recorded
	workers []*siteWorker
}

// A siteWorker is a worker of ours on a real broker.
type siteWorker struct {
	id      string // host and port of the recording
	rt      *connect.Runtime
	configs connect.ConfigStore
	states  connect.StatusStore
	loggers *Loggers
	stop    func()

	mu   sync.Mutex
	said map[cluster.TaskID]cluster.State // what the worker has said last; Task -1: of the instance
}

// OnState takes note of a state.
func (w *siteWorker) OnState(e *connect.StateEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said[cluster.TaskID{Connector: e.Connector, Task: e.Task}] = e.Status.State
}

// newSite makes a site. Groups and topics of recordings have fixed names: what
// there is of earlier runs is deleted.
func newSite(t *testing.T, group string, topics, groups []string) *site {
	t.Helper()
	bootstrap := testenv.Kafka(t).Bootstrap()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(bootstrap, ",")...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	topics = append(topics, group+"-configs", group+"-offsets", group+"-status")
	adm := kadm.NewClient(client)
	until(t, func() bool {
		_, topicsErr := adm.DeleteTopics(t.Context(), topics...)
		_, groupsErr := adm.DeleteGroups(t.Context(), append(groups, group)...)
		left, err := adm.ListTopics(t.Context(), topics...)
		return errors.Join(topicsErr, groupsErr, err) == nil && !slices.ContainsFunc(topics, func(name string) bool { return left.Has(name) })
	}, "topics of earlier runs to be deleted")
	return &site{t: t, bootstrap: bootstrap, group: group, kafka: client, found: make(map[string]string)}
}

// members is how many workers the group has, as soon as it is stable.
func (s *site) members() int {
	s.t.Helper()
	groups, err := kadm.NewClient(s.kafka).DescribeGroups(s.t.Context(), s.group)
	if err != nil || groups[s.group].State != "Stable" {
		return 0
	}
	return len(groups[s.group].Members)
}

// dial leads addresses of the recording to the workers that have them.
func (s *site) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.found[address]; ok {
		address = at
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// alone is the group of a standalone worker.
const alone = "standalone"

// client is what workers ask each other by.
func (s *site) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: s.dial, DisableKeepAlives: true}, Timeout: time.Minute}
}

// start starts a worker that is known by an address of the recording. It is
// stopped with the test, at the latest.
func (s *site) start(address, clientID string, more config.Props) *siteWorker {
	s.t.Helper()
	props := config.Props{
		"bootstrap.servers": s.bootstrap, "group.id": s.group, "client.id": clientID,
		"key.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
		"config.storage.replication.factor": "1", "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
		"offset.flush.interval.ms": "300", "heartbeat.interval.ms": "200", "scheduled.rebalance.max.delay.ms": "0",
		"consumer.metadata.max.age.ms": "1000",
	}.Merge(more)
	broker, err := kafka.New(kafka.Options{Worker: props})
	require.NoError(s.t, err)
	w := &siteWorker{id: address, loggers: NewLoggers(slog.LevelInfo), said: make(map[cluster.TaskID]cluster.State)}
	o := connect.Options{Plugins: plugins(), Broker: broker, Worker: props, URL: "http://" + address + "/", Hooks: []connect.Hook{w, w.loggers}}
	var internal Internal
	if s.group == alone {
		o.Configs, o.Status = connect.NewMemoryLog(), connect.NewMemoryLog()
	} else {
		o.Coordinator, err = broker.Group("")
		require.NoError(s.t, err)
		o.Offsets, o.Configs, o.Status = broker.Offsets(s.group+"-offsets"), broker.Configs(s.group+"-configs"), broker.Status(s.group+"-status")
		o.Peers = NewPeers(s.client())
	}
	w.configs, w.states = o.Configs, o.Status
	w.rt, err = connect.New(o)
	require.NoError(s.t, err)
	if s.group != alone {
		internal = NewInternal(w.rt)
	}
	server := httptest.NewServer(Handler(w.rt, &Options{
		Version: "4.3.1", Commit: "26b251a451ce941d", ClusterID: "GWZ4IzolTPaRxhM13PB2Ow", Client: s.client(),
		Internal: internal, Loggers: w.loggers, SetClusterLevel: w.rt.SetClusterLevel,
	}))
	s.mu.Lock()
	s.found[address] = server.Listener.Addr().String()
	s.mu.Unlock()
	s.workers = append(s.workers, w)
	w.stop = s.run(w.rt, server)
	s.t.Cleanup(w.stop)
	return w
}

// run runs a worker until the function it returns is called.
func (s *site) run(rt *connect.Runtime, server *httptest.Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	return sync.OnceFunc(func() {
		server.Close()
		cancel()
		assert.NoError(s.t, <-ended)
	})
}

// send sends a request as it stands to the worker that has an address.
func (s *site) send(t *testing.T, address string, e exchange) *httptest.ResponseRecorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	body := e.body(t)
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n", e.Method, e.Path, address, len(body))
	for name, value := range e.Headers {
		fmt.Fprintf(&text, "%s: %s\r\n", name, value)
	}
	_, err = fmt.Fprintf(conn, "%s\r\n%s", text.String(), body)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: e.Method})
	require.NoError(t, err, e)
	defer resp.Body.Close()
	w := httptest.NewRecorder()
	w.Code = resp.StatusCode
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") && resp.StatusCode == http.StatusBadRequest {
		return w // what Go's server says by itself
	}
	_, err = w.Body.ReadFrom(resp.Body)
	require.NoError(t, err, e)
	maps.Copy(w.Header(), resp.Header)
	return w
}

// until waits until a condition holds, looking again and again.
func until(t *testing.T, condition func() bool, what string) {
	t.Helper()
	limit, look := time.NewTimer(time.Minute), time.NewTicker(10*time.Millisecond)
	defer limit.Stop()
	defer look.Stop()
	for !condition() {
		select {
		case <-look.C:
		case <-limit.C:
			require.FailNow(t, "waited in vain for: "+what)
		}
	}
}

// realPause lets time on the wall pass.
func realPause(d time.Duration) { <-time.After(d) }

// settle waits until all connectors are as they are wanted, and all workers have
// heard of it: the recorder waited for that between its requests.
func (s *site) settle(t *testing.T) {
	t.Helper()
	for _, w := range s.workers {
		require.NoError(t, w.configs.Sync(t.Context()))
	}
	until(t, func() bool {
		if !s.allSettled(t) {
			return false
		}
		for _, w := range s.workers { // there may be states on their way
			require.NoError(t, w.states.Sync(t.Context()))
		}
		return s.allSettled(t)
	}, "the connectors to settle")
}

// allSettled tells whether all connectors are as they are wanted.
func (s *site) allSettled(t *testing.T) bool {
	t.Helper()
	for _, w := range s.workers {
		names, err := w.rt.Connectors(t.Context())
		require.NoError(t, err)
		for _, name := range names {
			if !s.settled(t, w.rt, name) {
				return false
			}
		}
	}
	return true
}

// settled tells whether a connector is as it is wanted, in the eyes of one worker.
func (s *site) settled(t *testing.T, rt *connect.Runtime, name string) bool {
	t.Helper()
	c, err := rt.Connector(t.Context(), name)
	if err != nil {
		return false
	}
	status, err := rt.Status(t.Context(), name)
	if err != nil || len(status.Tasks) != len(c.Tasks) || !s.heard(name, -1, status.Connector) {
		return false
	}
	want := map[cluster.TargetState]cluster.State{
		cluster.TargetStarted: cluster.Running, cluster.TargetPaused: cluster.Paused, cluster.TargetStopped: cluster.Stopped,
	}[c.Target]
	if status.Connector.State != want && status.Connector.State != cluster.Failed {
		return false
	}
	if status.Connector.State == cluster.Running && (c.Inconsistent || !maps.Equal(c.Applied, c.Props)) {
		return false
	}
	for n, task := range status.Tasks {
		if task.State != want && task.State != cluster.Failed || !s.heard(name, n, task) {
			return false
		}
	}
	return true
}

// heard tells whether a state that was read is the last that its worker has said.
func (s *site) heard(connector string, task int, read cluster.Status) bool {
	for _, w := range s.workers {
		w.mu.Lock()
		said, known := w.said[cluster.TaskID{Connector: connector, Task: task}]
		w.mu.Unlock()
		if w.id == read.WorkerID && (!known || said != read.State) {
			return false
		}
	}
	return true
}

// The recording of a distributed worker, against one of ours on a real broker.
func TestReplayDistributedOnABroker(t *testing.T) {
	d := distributedDeviations()
	for _, seq := range []int{183, 184, 436, 481, 482} { // of a worker that is alone
		delete(d, seq)
	}
	replayOnBroker(t, "distributed.jsonl", "in-0.txt", "127.0.0.1:18083", "alpha-0", d)
}

// The recording of a standalone worker, likewise.
func TestReplayStandaloneOnABroker(t *testing.T) {
	replayOnBroker(t, "standalone.jsonl", "sin-0.txt", host, alone, standaloneDeviations())
}

// replayOnBroker sends the requests of the transcript of one worker.
func replayOnBroker(t *testing.T, name, file, address, group string, d deviations) {
	t.Helper()
	list := transcript(t, name)
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile(file, []byte("one\ntwo\nthree\n"), 0o600))
	s := newSite(t, group, []string{"plain-lines"}, []string{"connect-file-sink", "connect-dup"})
	w := s.start(address, "", nil)
	p := &replay{
		deviates: d, both: laterThings, wait: time.Millisecond, step: 25 * time.Millisecond, pause: realPause,
		settle: s.settle, send: func(t *testing.T, e exchange) *httptest.ResponseRecorder { return s.send(t, address, e) },
	}
	ours := onlyOurs(w.rt)
	p.ours = func(e exchange, o *outcome) {
		ours(e, o)
		useLoggers(w.loggers, e, o)
	}
	p.run(t, list)
	assert.Equal(t, len(list)-len(d), p.compared)
	t.Logf("%d requests: %d answers as Java's, %d differ on purpose", len(list), p.compared, len(d))
}

// The recording of three workers, against three of ours.
func TestReplayClusterOnABroker(t *testing.T) {
	list := transcript(t, "cluster.jsonl")
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("cl-0.txt", []byte("one\n"), 0o600))
	hosts := clusterHosts()
	s := newSite(t, "replayed", []string{"cl-0"}, []string{"connect-snk"})
	// The first one leads. Work is dealt in the order of the members' ids.
	for i, name := range []string{"leader", "follower1", "follower2"} {
		w := s.start(hosts[name], map[string]string{"leader": "b", "follower1": "a", "follower2": "c"}[name], nil)
		until(t, func() bool { _, err := w.rt.Connectors(t.Context()); return err == nil && s.members() == i+1 }, "a worker to join")
	}
	p := &replay{
		both: laterThings, wait: time.Millisecond, step: 25 * time.Millisecond, pause: realPause, settle: s.settle,
	}
	for _, e := range list {
		p.send = func(t *testing.T, e exchange) *httptest.ResponseRecorder { return s.send(t, hosts[e.Worker], e) }
		p.run(t, []exchange{e})
	}
	assert.Equal(t, len(list), p.compared)
}
