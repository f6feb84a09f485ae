// Command writesink runs a sink connector that is written from scratch, in
// csv.go. Its records are orders that a connector makes up, which go through
// Kafka.
//
//	go run ./examples/writesink [directory]
//
// It runs twice, to show that the sink goes on where its files end. The files
// are in a directory of their own unless you name one.
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
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/generator"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
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
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(2))
		if err != nil {
			return err
		}
		defer cluster.Close()
		bootstrap = strings.Join(cluster.ListenAddrs(), ",")
	}
	dir := ""
	if len(os.Args) > 1 {
		dir = os.Args[1]
	} else {
		var err error
		if dir, err = os.MkdirTemp("", "writesink"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	store := offsets.Memory()
	for range 2 {
		if err := pipeline(ctx, bootstrap, dir, store, 20); err != nil {
			return err
		}
		if err := show(dir); err != nil {
			return err
		}
	}
	return nil
}

// pipeline runs source and sink until the sink took a number of records.
func pipeline(ctx context.Context, bootstrap, dir string, store connect.OffsetStore, records int64) error {
	worker := config.Props{
		"bootstrap.servers": bootstrap,
		"key.converter":     "StringConverter",
		"value.converter":   "JsonConverter",
	}
	broker, err := kafka.New(kafka.Options{Worker: worker})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rt, err := connect.New(connect.Options{
		Plugins: slices.Concat([]connect.Plugin{CSV, generator.Plugin}, converters.All()),
		Broker:  broker,
		Offsets: store,
		Worker:  worker,
		Hooks:   []connect.Hook{&counter{limit: records, reached: cancel}},
		Logger:  slog.Default(),
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return rt.Run(ctx) })
	g.Go(func() error {
		if _, err := rt.PutConnector(ctx, "csv", config.Props{
			"connector.class": "CSVSink",
			"topics":          "orders",
			"tasks.max":       "2",
			"dir":             dir,
			"columns":         "id,item,price",
			// A record that does not fit is logged and passed over.
			"errors.tolerance":  "all",
			"errors.log.enable": "true",
		}); err != nil {
			return err
		}
		_, err := rt.PutConnector(ctx, "orders", config.Props{
			"connector.class": "GeneratorSource",
			"topic":           "orders",
			"mode":            "template",
			"template":        "order",
			"rate":            "100",
		})
		return err
	})
	return g.Wait()
}

// counter is a hook: it hears of every batch that a sink task took.
type counter struct {
	count   atomic.Int64
	limit   int64
	reached func()
}

// OnBatch implements connect.BatchHook.
func (c *counter) OnBatch(e *connect.BatchEvent) {
	if e.Sink && c.count.Add(int64(e.Sent)) >= c.limit {
		c.reached()
	}
}

// show prints how far each file goes.
func show(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rows := strings.Split(strings.TrimSpace(string(text)), "\n")
		fmt.Printf("%s: %d rows, the last is %s\n", filepath.Base(path), len(rows), rows[len(rows)-1])
	}
	return nil
}
