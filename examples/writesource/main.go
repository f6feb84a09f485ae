// Command writesource runs a source connector that is written from scratch, in
// sensors.go. Its records go into Kafka, and from there to the standard output
// by a sink connector.
//
//	go run ./examples/writesource
//
// It runs twice on the same brokers and offsets. The second run goes on with the
// reading after the last one that Kafka has.
//
// The brokers are in this process, listening on a loopback address, unless
// BOOTSTRAP=host:port names others.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/file"
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
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation())
		if err != nil {
			return err
		}
		defer cluster.Close()
		bootstrap = strings.Join(cluster.ListenAddrs(), ",")
	}
	store := offsets.Memory()
	for range 2 {
		if err := pipeline(ctx, bootstrap, store, 6); err != nil {
			return err
		}
		fmt.Println("--- stopped")
	}
	return nil
}

// pipeline runs source and sink until a number of readings came out.
func pipeline(ctx context.Context, bootstrap string, store connect.OffsetStore, readings int) error {
	worker := config.Props{
		"bootstrap.servers":              bootstrap,
		"key.converter":                  "StringConverter",
		"value.converter":                "JsonConverter",
		"value.converter.schemas.enable": "false",
	}
	broker, err := kafka.New(kafka.Options{Worker: worker})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &printer{left: readings, done: cancel}
	rt, err := connect.New(connect.Options{
		Plugins: slices.Concat([]connect.Plugin{Sensors}, file.Plugins(file.Stdio{Out: out}), converters.All()),
		Broker:  broker,
		Offsets: store,
		Worker:  worker,
		Logger:  slog.Default(),
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return rt.Run(ctx) })
	g.Go(func() error {
		if _, err := rt.PutConnector(ctx, "print", config.Props{
			"connector.class": "FileStreamSink",
			"topics":          "readings",
			"value.converter": "StringConverter",
		}); err != nil {
			return err
		}
		_, err := rt.PutConnector(ctx, "sensors", config.Props{
			"connector.class": "SensorSource",
			"tasks.max":       "2",
			"topic":           "readings",
			"sensors":         "attic,cellar,garden",
			"every.ms":        "50",
		})
		return err
	})
	return g.Wait()
}

// printer prints lines and calls done after a number of them. Sinks may write to
// it at the same time.
type printer struct {
	mu   sync.Mutex
	left int
	done func()
}

func (p *printer) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left -= bytes.Count(lines, []byte("\n")); p.left <= 0 {
		p.done()
	}
	return os.Stdout.Write(lines)
}
