// Command threeworkers is a cluster of three workers in one process. A connector
// copies lines of a file into a topic, another one lines of the topic into a
// file. The worker that runs the first is stopped: the connector moves to
// another worker and goes on where it was.
//
//	go run ./examples/threeworkers
//
// Each worker has a REST interface of its own; any of them can be asked, for what
// only the leader may do is passed on. The brokers are in this process, too,
// listening on loopback addresses, unless BOOTSTRAP=host:port names others.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/rest"
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("the program ends", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bootstrap := os.Getenv("BOOTSTRAP")
	if bootstrap == "" {
		brokers, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation())
		if err != nil {
			return err
		}
		defer brokers.Close()
		bootstrap = strings.Join(brokers.ListenAddrs(), ",")
	}
	dir, err := os.MkdirTemp("", "threeworkers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	g, ctx := errgroup.WithContext(ctx)
	var crew []*worker
	for _, name := range []string{"one", "two", "three"} {
		w, err := newWorker(name, bootstrap)
		if err != nil {
			return err
		}
		crew = append(crew, w)
		ctx, stop := context.WithCancel(ctx)
		w.stop = stop
		g.Go(func() error { return w.run(ctx) })
	}
	g.Go(func() error {
		defer func() {
			for _, w := range crew {
				w.stop()
			}
		}()
		return demonstrate(ctx, crew, dir)
	})
	return g.Wait()
}

// A worker is one member of the cluster.
type worker struct {
	name     string
	url      string
	listener net.Listener
	runtime  *connect.Runtime
	stop     context.CancelFunc
}

// newWorker makes a worker by the keys that a distributed worker of Java has.
// Workers with the same group.id and topics form a cluster.
func newWorker(name, bootstrap string) (*worker, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &worker{name: name, listener: listener, url: "http://" + listener.Addr().String()}
	keys := config.Props{
		"bootstrap.servers":                 bootstrap,
		"group.id":                          "threeworkers",
		"config.storage.replication.factor": "1",
		"offset.storage.replication.factor": "1",
		"status.storage.replication.factor": "1",
		"key.converter":                     "StringConverter",
		"value.converter":                   "StringConverter",
		// Work of a worker that goes is given to others at once, and heard of soon.
		"scheduled.rebalance.max.delay.ms": "0",
		"heartbeat.interval.ms":            "100",
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("worker", name)
	broker, err := kafka.New(kafka.Options{Worker: keys, Logger: log})
	if err != nil {
		return nil, err
	}
	group, err := broker.Group("")
	if err != nil {
		return nil, err
	}
	w.runtime, err = connect.New(connect.Options{
		Plugins:     slices.Concat(connectors.All(), converters.All()),
		Broker:      broker,
		Worker:      keys,
		Offsets:     broker.Offsets("threeworkers-offsets"),
		Configs:     broker.Configs("threeworkers-configs"),
		Status:      broker.Status("threeworkers-status"),
		Coordinator: group,
		Peers:       rest.NewPeers(nil),
		URL:         w.url,
		Logger:      log,
	})
	return w, err
}

// run serves and works until ctx ends; then it leaves the cluster.
func (w *worker) run(ctx context.Context) error {
	server := &http.Server{
		Handler:           rest.Handler(w.runtime, &rest.Options{Internal: rest.NewInternal(w.runtime)}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer server.Close() // others are answered for as long as there is work to hand over
		return w.runtime.Run(ctx)
	})
	g.Go(func() error {
		if err := server.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return g.Wait()
}

// demonstrate gives the cluster work, and takes a worker away.
func demonstrate(ctx context.Context, crew []*worker, dir string) error {
	source, copied := filepath.Join(dir, "lines.txt"), filepath.Join(dir, "copy.txt")
	if err := appendText(source, "1\n2\n3\n"); err != nil {
		return err
	}
	set := fmt.Sprintf(`{"connectors":{
		"lines":{"config":{"connector.class":"FileStreamSource","topic":"lines","file":%q}},
		"copy":{"config":{"connector.class":"FileStreamSink","topics":"lines","file":%q}}}}`, source, copied)
	if err := post(ctx, crew[2].url+"/-/apply", set); err != nil {
		return err
	}
	first, err := owner(ctx, crew, crew[0], nil)
	if err != nil {
		return err
	}
	if err := await(ctx, func() bool { return strings.HasSuffix(text(copied), "3\n") }); err != nil {
		return err
	}
	fmt.Printf("worker %s runs the task of lines; copied: %s\n", first.name, strings.Fields(text(copied)))

	first.stop()
	fmt.Printf("worker %s stops\n", first.name)
	left := slices.DeleteFunc(slices.Clone(crew), func(w *worker) bool { return w == first })
	second, err := owner(ctx, left, left[0], first)
	if err != nil {
		return err
	}
	if err := appendText(source, "4\n5\n"); err != nil {
		return err
	}
	if err := await(ctx, func() bool { return strings.HasSuffix(text(copied), "5\n") }); err != nil {
		return err
	}
	fmt.Printf("worker %s runs the task of lines; copied: %s\n", second.name, strings.Fields(text(copied)))
	return nil
}

// owner asks a worker until the task of lines runs, on another worker than not.
func owner(ctx context.Context, crew []*worker, ask, not *worker) (*worker, error) {
	var found *worker
	err := await(ctx, func() bool {
		status, err := ask.runtime.Status(ctx, "lines")
		if err != nil {
			return false // there is none yet
		}
		task := status.Tasks[0]
		i := slices.IndexFunc(crew, func(w *worker) bool { return w.url == "http://"+task.WorkerID })
		if task.State != cluster.Running || i < 0 || crew[i] == not {
			return false
		}
		found = crew[i]
		return true
	})
	return found, err
}

// await looks until something has happened.
func await(ctx context.Context, happened func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// post posts JSON, again while the workers are busy finding each other.
func post(ctx context.Context, url, body string) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusConflict:
		default:
			return fmt.Errorf("POST %s: %s", url, resp.Status)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func text(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

func appendText(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
