// Command directory writes a topic into files by the hour: a generator makes up a
// thousand orders, a sink leaves them in a folder as lines of JSON, each order in
// exactly one file.
//
//	go run ./examples/directory           into a new folder; ends when all are there
//	go run ./examples/directory data      into the folder data
//
// The broker is in this process, too, listening on a loopback address, unless
// BOOTSTRAP=host:port names another.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
)

// orders is how many are made.
const orders = 1000

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("the program ends", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bootstrap := os.Getenv("BOOTSTRAP")
	if bootstrap == "" {
		brokers, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1))
		if err != nil {
			return err
		}
		defer brokers.Close()
		bootstrap = strings.Join(brokers.ListenAddrs(), ",")
	}
	dir := slices.Concat(os.Args[1:], []string{""})[0]
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "orders"); err != nil {
			return err
		}
	}
	rt, err := newRuntime(bootstrap, filepath.Join(dir, ".offsets"))
	if err != nil {
		return err
	}

	ctx, stop := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return rt.Run(ctx) })
	g.Go(func() error {
		defer stop() // the runtime commits and ends
		if err := putConnectors(ctx, rt, dir); err != nil {
			return err
		}
		return await(ctx, dir)
	})
	return g.Wait()
}

// newRuntime makes a runtime by the keys that a worker of Java has.
func newRuntime(bootstrap, offsetFile string) (*connect.Runtime, error) {
	worker := config.Props{
		"bootstrap.servers": bootstrap,
		"key.converter":     "StringConverter",
		"value.converter":   "JsonConverter",
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	broker, err := kafka.New(kafka.Options{Worker: worker, Logger: log})
	if err != nil {
		return nil, err
	}
	return connect.New(connect.Options{
		Plugins: slices.Concat(connectors.All(), converters.All()),
		Broker:  broker, Worker: worker, Offsets: offsets.File(offsetFile), Logger: log,
	})
}

func putConnectors(ctx context.Context, rt *connect.Runtime, dir string) error {
	if _, err := rt.PutConnector(ctx, "orders", config.Props{
		"connector.class": "GeneratorSource",
		"topic":           "orders",
		"mode":            "template",
		"template":        "order",
		"records":         fmt.Sprint(orders),
	}); err != nil {
		return err
	}
	_, err := rt.PutConnector(ctx, "files", config.Props{
		"connector.class":     "DirectorySink",
		"topics":              "orders",
		"directory":           dir,
		"partitioner.class":   "HourlyPartitioner", // orders/year=2026/month=01/day=31/hour=23
		"timestamp.extractor": "Record",
		"flush.size":          "300",
		// The last ones are fewer than 300: they are written when none has come for a second.
		"rotate.idle.interval.ms": "1000",
	})
	return err
}

// await waits until all orders are in files, and prints how many are in each.
func await(ctx context.Context, dir string) error {
	for {
		files, total, err := count(dir)
		if err != nil {
			return err
		}
		if total >= orders {
			fmt.Printf("%d orders in %d files below %s\n", total, len(files), dir)
			for _, f := range files {
				fmt.Println(f)
			}
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// count counts the lines of the files that are complete. Until then they do not have their names.
func count(dir string) (files []string, total int, err error) {
	err = filepath.WalkDir(filepath.Join(dir, "topics"), func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // nothing is written yet
			return nil
		}
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		lines := bytes.Count(text, []byte{'\n'})
		total += lines
		name, _ := filepath.Rel(dir, path)
		files = append(files, fmt.Sprintf("%4d %s", lines, name))
		return err
	})
	return files, total, err
}
