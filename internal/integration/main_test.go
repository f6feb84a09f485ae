//go:build integration

package integration

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/transforms"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// The converters by the names that configurations of Java's have.
const (
	bytesConverter  = "org.apache.kafka.connect.converters.ByteArrayConverter"
	stringConverter = "org.apache.kafka.connect.storage.StringConverter"
)

// patience bounds what comes by itself on a slow machine; it is reached only
// when something hangs.
const patience = 60 * time.Second

// within returns a context for one step of a test.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// unique returns a name that no other test has.
func unique(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()[:8]) }

// eventually waits until a condition holds, looking again and again.
func eventually(t testing.TB, condition func() bool, what string, about ...any) {
	t.Helper()
	ctx := within(t)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !condition() {
		select {
		case <-look.C:
		case <-ctx.Done():
			require.FailNow(t, "waited in vain for: "+fmt.Sprintf(what, about...))
		}
	}
}

// worker is a Runtime of the library on a real cluster.
type worker struct {
	*connect.Runtime
	t    testing.TB
	end  context.CancelFunc
	done chan struct{}
	err  error // of Run, when done is closed
	// aborted: its end was not in good order.
	aborted bool
	log     *testLog
}

// workerOptions say how a worker differs from the plain one: connectors of the
// project and those given, ByteArray converters, offsets in memory.
type workerOptions struct {
	plugins []connect.Plugin
	props   config.Props
	offsets func(b *kafka.Broker) connect.OffsetStore
	hooks   []connect.Hook
	// dial opens connections to brokers; nil: TCP.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// more changes the options of the Runtime last.
	more func(b *kafka.Broker, o *connect.Options)
}

// startWorker starts a Runtime. It is stopped with the test at the latest.
func startWorker(t testing.TB, bootstrap string, o workerOptions) *worker {
	t.Helper()
	w := &worker{t: t, done: make(chan struct{}), log: newTestLog(t)}
	props := config.Props{
		"bootstrap.servers":                       bootstrap,
		"key.converter":                           bytesConverter,
		"value.converter":                         bytesConverter,
		"header.converter":                        bytesConverter,
		"offset.flush.interval.ms":                "300",
		"offset.storage.partitions":               "5",
		"offset.storage.replication.factor":       "-1",
		"task.shutdown.graceful.timeout.ms":       "5000",
		"producer.metadata.max.age.ms":            "5000",
		"consumer.metadata.max.age.ms":            "1000",
		"consumer.heartbeat.interval.ms":          "500",
		"connector.client.config.override.policy": "All",
	}.Merge(o.props)
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	broker, err := kafka.New(kafka.Options{Worker: props, Logger: logger.With("layer", "kafka"), Dial: o.dial})
	require.NoError(t, err)
	options := connect.Options{
		Plugins: slices.Concat(connectors.All(), converters.All(), transforms.All(), o.plugins),
		Broker:  broker, Worker: props, Hooks: o.hooks, Logger: logger,
	}
	if o.offsets != nil {
		options.Offsets = o.offsets(broker)
	}
	if o.more != nil {
		o.more(broker, &options)
	}
	w.Runtime, err = connect.New(options)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w.end = cancel
	go func() {
		defer close(w.done)
		w.err = w.Run(ctx)
	}()
	t.Cleanup(func() { w.stop() })
	return w
}

// stop ends the Runtime and waits until it is gone, for how long it says.
func (w *worker) stop() time.Duration {
	w.t.Helper()
	begin := time.Now()
	w.end()
	select {
	case <-w.done:
	case <-within(w.t).Done():
		require.FailNow(w.t, "Run does not return")
	}
	if !w.aborted {
		require.NoError(w.t, w.err)
	}
	return time.Since(begin)
}

// put creates a connector and waits until it and all its tasks run.
func (w *worker) put(name string, props config.Props) {
	w.t.Helper()
	w.putOnly(name, props)
	w.awaitRunning(name)
}

func (w *worker) putOnly(name string, props config.Props) {
	w.t.Helper()
	_, err := w.PutConnector(within(w.t), name, props)
	require.NoError(w.t, err)
}

// awaitRunning waits until the connector and all of its tasks run.
func (w *worker) awaitRunning(name string) {
	w.t.Helper()
	eventually(w.t, func() bool { return w.running(name) }, "connector %q and its tasks to run", name)
}

func (w *worker) running(name string) bool {
	s, err := w.Status(within(w.t), name)
	if err != nil || s.Connector.State != cluster.Running || len(s.Tasks) == 0 {
		return false
	}
	for _, task := range s.Tasks {
		if task.State != cluster.Running {
			return false
		}
	}
	return true
}

// awaitFailed waits until a task of the connector has failed and returns why.
func (w *worker) awaitFailed(name string) string {
	w.t.Helper()
	var trace string
	eventually(w.t, func() bool {
		s, err := w.Status(within(w.t), name)
		if err != nil {
			return false
		}
		for _, task := range s.Tasks {
			if task.State == cluster.Failed {
				trace = task.Trace
			}
		}
		return trace != ""
	}, "a task of connector %q to fail", name)
	return trace
}

// testLog keeps what a Runtime says, and shows its end if the test fails.
type testLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func newTestLog(t testing.TB) *testLog {
	l := &testLog{}
	t.Cleanup(func() {
		if t.Failed() {
			text := l.String()
			t.Logf("the end of the worker's log:\n%s", text[max(0, len(text)-12_000):])
		}
	})
	return l
}

func (l *testLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
