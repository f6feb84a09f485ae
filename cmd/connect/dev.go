package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
	"github.com/streamlane/connect/rest"
)

func devCommand() command {
	return command{
		name: "dev", args: "[flags] [connector.json | connector.properties ...]",
		summary: "runs connectors with a Kafka broker of its own, for development",
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			d := &dev{listen: listenAddress{"127.0.0.1", 0}, rest: listenAddress{"127.0.0.1", 8083}}
			f.StringVar(&d.data, "data", "", "keep topics and offsets in this `directory`; without it they are gone with the process")
			f.Var(&d.listen, "listen", "loopback `address` of the broker; port 0: a free one")
			f.Var(&d.rest, "rest", "loopback `address` of the REST interface; port 0: a free one")
			f.Func("topics", "`topics` to create, such as orders:3,logs: name and partitions, 1 if left out", d.parseTopics)
			return d.run
		},
	}
}

// dev is the command for development: a worker beside a broker.
type dev struct {
	data   string
	listen listenAddress
	rest   listenAddress
	topics []connect.TopicSpec
}

// parseTopics reads the flag topics.
func (d *dev) parseTopics(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		name, number, counted := strings.Cut(strings.TrimSpace(item), ":")
		n := 1
		var err error
		if counted {
			n, err = strconv.Atoi(number)
		}
		if err != nil || n < 1 || name == "" {
			return fmt.Errorf("found %q, want NAME or NAME:PARTITIONS with 1 partition or more", item)
		}
		d.topics = append(d.topics, connect.TopicSpec{Name: name, Partitions: n, ReplicationFactor: 1})
	}
	return nil
}

// workerKeys are the settings of the worker. Connectors may have converters of
// their own.
func (d *dev) workerKeys() config.Props {
	return config.Props{
		"listeners":                      "http://" + d.rest.String(),
		"key.converter":                  "org.apache.kafka.connect.storage.StringConverter",
		"value.converter":                "org.apache.kafka.connect.json.JsonConverter",
		"value.converter.schemas.enable": "false",
		// Commits are cheap here, and who tries things out restarts often.
		"offset.flush.interval.ms": "1000",
	}
}

// run runs the broker and the worker until ctx ends.
func (d *dev) run(ctx context.Context, p process, args []string) error {
	connectors, err := readConnectors(args)
	if err != nil {
		return exitWith(exitConnector, err)
	}
	return p.serving(ctx, "--rest", d.workerKeys(), func(ctx context.Context, server *rest.Server) error {
		return d.work(ctx, p, server, connectors)
	})
}

// work runs the broker and the worker beside their REST server.
func (d *dev) work(ctx context.Context, p process, server *rest.Server, connectors []connectorFile) (err error) {
	store, closeStore, err := d.openOffsets(ctx)
	if err != nil {
		return exitWith(exitWorker, err)
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	cluster, err := startBroker(d.listen, d.data, p.log)
	if err != nil {
		return exitWith(exitWorker, err)
	}
	defer cluster.Close()
	bootstrap := strings.Join(cluster.ListenAddrs(), ",")
	p.log.Info("the Kafka broker is up", "bootstrap", bootstrap, "data", d.where())
	keys := d.workerKeys().Merge(config.Props{"bootstrap.servers": bootstrap})
	broker, err := kafka.New(kafka.Options{Worker: keys, Logger: p.log})
	if err != nil {
		return exitWith(exitWorker, err)
	}
	if err := d.createTopics(ctx, p, broker); err != nil {
		return exitWith(exitWorker, err)
	}
	w := &worker{
		log: p.log, connectors: connectors, server: server, rest: server.Options(), levels: p.levels,
		about: []any{"bootstrap", bootstrap, "rest", strings.TrimSuffix(server.URL(), "/")},
		options: connect.Options{
			Plugins: plugins(p), Broker: broker, Offsets: store, URL: server.URL(),
			Worker: keys, Providers: d.providers(p), Logger: p.log,
		},
	}
	w.rest.ClusterID = clusterID
	return w.run(ctx)
}

// where says where the data are.
func (d *dev) where() string {
	if d.data == "" {
		return "in memory"
	}
	return d.data
}

// providers let connector files name files, directories and variables without
// any worker file to declare them in.
func (d *dev) providers(p process) map[string]config.Provider {
	env, err := config.NewEnvProvider(config.EnvProviderConfig{Environ: p.environ})
	if err != nil { // the pattern for all variables is right
		return nil
	}
	return map[string]config.Provider{
		"file":      config.NewFileProvider(config.FileProviderConfig{}),
		"directory": config.NewDirectoryProvider(config.DirectoryProviderConfig{}),
		"env":       env,
	}
}

// openOffsets opens the store of source offsets before the broker opens its
// files: its lock keeps two processes off one directory. The Runtime gets the
// store without the methods to open and close it.
func (d *dev) openOffsets(ctx context.Context) (connect.OffsetStore, func() error, error) {
	if d.data == "" {
		return offsets.Memory(), func() error { return nil }, nil
	}
	if err := os.MkdirAll(d.data, 0o755); err != nil {
		return nil, nil, fmt.Errorf("--data: %w", err)
	}
	file := offsets.File(filepath.Join(d.data, "connect.offsets"))
	if err := file.OpenStore(ctx); err != nil {
		return nil, nil, fmt.Errorf("--data %s: %w", d.data, err)
	}
	closeStore := func() error { return file.CloseStore(context.WithoutCancel(ctx)) }
	return struct{ connect.OffsetStore }{file}, closeStore, nil
}

// createTopics creates the topics of the command line that are not there yet.
func (d *dev) createTopics(ctx context.Context, p process, broker connect.Broker) error {
	if len(d.topics) == 0 {
		return nil
	}
	admin, err := broker.Admin(ctx, connect.ClientConfig{ClientID: "connect-dev"})
	if err != nil {
		return err
	}
	created, err := admin.CreateTopics(ctx, d.topics...)
	if err == nil && len(created) > 0 {
		p.log.Info("topics created", "topics", strings.Join(created, ","))
	}
	return errors.Join(err, admin.Close(context.WithoutCancel(ctx)))
}
