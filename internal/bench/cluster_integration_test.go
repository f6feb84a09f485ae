//go:build integration

package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/rest"
)

const (
	fleetSize         = 3
	tasksPerConnector = 10
)

// A fleet is a cluster of workers, in this process, on the shared broker.
type fleet struct {
	b       *testing.B
	group   string
	workers []*connect.Runtime
	servers []*httptest.Server
}

// idleSource makes as many tasks as it may, which wait for their end.
func idleSource() connect.Plugin {
	return connect.Source(connect.Info{Class: "Idle", Version: "1.0"},
		func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
			return connecttest.Connector[connecttest.Props]{TaskConfigsFunc: func(_ context.Context, n int) ([]connecttest.Props, error) {
				tasks := make([]connecttest.Props, n)
				for i := range tasks {
					tasks[i].All = config.Props{"task": strconv.Itoa(i)}
				}
				return tasks, nil
			}}, nil
		},
		func(connecttest.Props) (connecttest.SourceTask, error) { return connecttest.SourceTask{}, nil })
}

// startFleet starts workers, which stop with the benchmark at the latest.
func startFleet(b *testing.B) (f *fleet, stop func()) {
	b.Helper()
	f = &fleet{b: b, group: unique("fleet")}
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	var running sync.WaitGroup
	for range fleetSize {
		rt, server := f.worker()
		f.workers, f.servers = append(f.workers, rt), append(f.servers, server)
		running.Go(func() {
			if err := rt.Run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		for _, s := range f.servers {
			s.Close()
		}
	})
	b.Cleanup(stop)
	return f, stop
}

func (f *fleet) worker() (*connect.Runtime, *httptest.Server) {
	worker := config.Props{
		"bootstrap.servers": testenv.Kafka(f.b).Bootstrap(), "group.id": f.group,
		"key.converter": "ByteArrayConverter", "value.converter": "ByteArrayConverter",
		"config.storage.replication.factor": "1", "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
	}
	silent := slog.New(slog.DiscardHandler)
	broker, err := kafka.New(kafka.Options{Worker: worker, Logger: silent})
	require.NoError(f.b, err)
	group, err := broker.Group("")
	require.NoError(f.b, err)
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	rt, err := connect.New(connect.Options{
		Plugins: append(converters.All(), idleSource()), Broker: broker, Worker: worker, Logger: silent,
		Coordinator: group, Peers: rest.NewPeers(nil), URL: server.URL + "/",
		Configs: broker.Configs(f.topic("configs")), Status: broker.Status(f.topic("status")), Offsets: broker.Offsets(f.topic("offsets")),
	})
	require.NoError(f.b, err)
	handler = rest.Handler(rt, &rest.Options{Internal: rest.NewInternal(rt)})
	return rt, server
}

func (f *fleet) topic(what string) string { return f.group + "-" + what }

// create puts connectors, by way of one of the workers after the other.
func (f *fleet) create(from, to int) {
	f.b.Helper()
	body := fmt.Sprintf(`{"connector.class":"Idle","tasks.max":"%d"}`, tasksPerConnector)
	for i := from; i < to; i++ {
		url := fmt.Sprintf("%s/connectors/%s/config", f.servers[i%fleetSize].URL, connectorName(i))
		req, err := http.NewRequestWithContext(within(f.b), http.MethodPut, url, strings.NewReader(body))
		require.NoError(f.b, err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(f.b, err)
		require.NoError(f.b, resp.Body.Close())
		require.Equal(f.b, http.StatusCreated, resp.StatusCode)
	}
}

func connectorName(i int) string { return fmt.Sprintf("connector-%04d", i) }

// settle waits until every worker knows of n connectors that all of their tasks
// run.
func (f *fleet) settle(n int) {
	f.b.Helper()
	missing := make([]int, fleetSize) // all before it run
	await(f.b, "all tasks to run", func(ctx context.Context) bool {
		for w, rt := range f.workers {
			for missing[w] < n && f.runs(ctx, rt, connectorName(missing[w])) {
				missing[w]++
			}
			if missing[w] < n {
				return false
			}
		}
		return true
	})
}

func (f *fleet) runs(ctx context.Context, rt *connect.Runtime, name string) bool {
	s, err := rt.Status(ctx, name)
	return err == nil && len(s.Tasks) == tasksPerConnector && all(ctx, rt, name, cluster.Running)
}

// size is how many bytes a topic has on the broker's disk.
func (f *fleet) size(topic string) (bytes int64) {
	f.b.Helper()
	dirs, err := kadm.NewClient(bare(f.b)).DescribeAllLogDirs(within(f.b), kadm.TopicsSet{topic: {0: {}}})
	require.NoError(f.b, err)
	dirs.Each(func(d kadm.DescribedLogDir) { bytes += d.Size() })
	return bytes
}

// BenchmarkCluster starts clusters of three workers with a hundred connectors to a
// thousand, of ten tasks each, and says how long it takes until all run, and what
// they cost then.
func BenchmarkCluster(b *testing.B) {
	for _, connectors := range []int{100, 300, 1000} {
		b.Run(strconv.Itoa(connectors), func(b *testing.B) {
			for b.Loop() {
				startAndStop(b, connectors)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func startAndStop(b *testing.B, connectors int) {
	f, stop := startFleet(b)
	defer stop()
	f.create(0, 1)
	f.settle(1)
	goroutines, heap := usage(b)
	used, began := cpu(b), time.Now()
	f.create(1, connectors)
	created := time.Since(began)
	f.settle(connectors)
	b.ReportMetric(created.Seconds(), "create-s")
	last, err := f.workers[0].Status(within(b), connectorName(connectors-1))
	require.NoError(b, err)
	b.ReportMetric(float64(last.Connector.Generation)/float64(connectors), "rounds/connector")
	b.ReportMetric(time.Since(began).Seconds(), "settle-s")
	b.ReportMetric((cpu(b) - used).Seconds(), "cpu-s")
	moreGoroutines, moreHeap := usage(b)
	tasks := float64((connectors - 1) * tasksPerConnector)
	b.ReportMetric(float64(moreGoroutines-goroutines)/tasks, "goroutines/task")
	b.ReportMetric(float64(moreHeap-heap)/tasks, "heap-B/task")
	b.ReportMetric(float64(f.size(f.topic("configs")))/float64(connectors), "config-topic-B/connector")
}
