// Command besidekafkago is a service that talks to Kafka by
// github.com/segmentio/kafka-go, as it always did, and has a Connect runtime
// beside that, on the same brokers: orders that the service writes are archived
// in a file by a sink connector, and lines that somebody appends to a file reach
// the service as a topic.
//
//	go run ./examples/besidekafkago
//
// Runtime and service share nothing but the brokers and the logger: each has its
// own client.
//
// The brokers are in this process, listening on a loopback address, unless
// BOOTSTRAP=host:port names others.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("the service ends", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bootstrap := os.Getenv("BOOTSTRAP")
	if bootstrap == "" {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders", "remarks"))
		if err != nil {
			return err
		}
		defer cluster.Close()
		bootstrap = strings.Join(cluster.ListenAddrs(), ",")
	}
	dir, err := os.MkdirTemp("", "besidekafkago")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	rt, err := newRuntime(bootstrap, filepath.Join(dir, "connect.offsets"))
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return rt.Run(ctx) })
	g.Go(func() error {
		defer cancel() // the service is done: the runtime stops and commits
		if err := putConnectors(ctx, rt, dir); err != nil {
			return err
		}
		return serve(ctx, strings.Split(bootstrap, ","), dir)
	})
	return g.Wait()
}

// newRuntime makes the Connect runtime. The keys are those of a Java worker.
func newRuntime(bootstrap, offsetFile string) (*connect.Runtime, error) {
	worker := config.Props{
		"bootstrap.servers": bootstrap,
		"key.converter":     "StringConverter",
		"value.converter":   "StringConverter",
	}
	broker, err := kafka.New(kafka.Options{Worker: worker, Logger: slog.Default()})
	if err != nil {
		return nil, err
	}
	return connect.New(connect.Options{
		Plugins: slices.Concat(connectors.All(), converters.All()),
		Broker:  broker,
		Offsets: offsets.File(offsetFile),
		Worker:  worker,
		Logger:  slog.Default(),
	})
}

func putConnectors(ctx context.Context, rt *connect.Runtime, dir string) error {
	if _, err := rt.PutConnector(ctx, "archive", config.Props{
		"connector.class": "FileStreamSink",
		"topics":          "orders",
		"file":            filepath.Join(dir, "archive.txt"),
	}); err != nil {
		return err
	}
	_, err := rt.PutConnector(ctx, "remarks", config.Props{
		"connector.class": "FileStreamSource",
		"topic":           "remarks",
		"file":            filepath.Join(dir, "remarks.txt"),
	})
	return err
}

// serve is the service itself, with kafka-go.
func serve(ctx context.Context, brokers []string, dir string) error {
	w := &kafkago.Writer{Addr: kafkago.TCP(brokers...), Topic: "orders", BatchTimeout: 10 * time.Millisecond}
	defer w.Close()
	for _, order := range []string{"3 apples", "1 melon", "2 plums"} {
		if err := w.WriteMessages(ctx, kafkago.Message{Value: []byte(order)}); err != nil {
			return fmt.Errorf("writing an order: %w", err)
		}
		fmt.Println("ordered:", order)
	}
	if err := os.WriteFile(filepath.Join(dir, "remarks.txt"), []byte("more apples, please\nno more plums\n"), 0o600); err != nil {
		return err
	}
	r := kafkago.NewReader(kafkago.ReaderConfig{Brokers: brokers, Topic: "remarks", Partition: 0, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	for range 2 {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return fmt.Errorf("reading a remark: %w", err)
		}
		fmt.Println("remark:", string(m.Value))
	}
	archive, err := await(ctx, filepath.Join(dir, "archive.txt"), 3)
	if err != nil {
		return err
	}
	for _, line := range archive {
		fmt.Println("archived:", line)
	}
	return nil
}

// await returns the lines of a file as soon as it has a number of them.
func await(ctx context.Context, path string, lines int) ([]string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(path)
		if err == nil && strings.Count(string(text), "\n") >= lines {
			return strings.Split(strings.TrimSpace(string(text)), "\n"), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
