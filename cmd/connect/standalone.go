package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
)

func standaloneCommand() command {
	return command{
		name: "standalone", args: "[flags] worker.properties [connector.json | connector.properties ...]",
		summary: "runs connectors against a Kafka cluster, with their source offsets in a file",
		prepare: func(*flag.FlagSet) func(context.Context, process, []string) error { return standalone },
	}
}

// standalone runs a worker of one process by the files of Java's
// ConnectStandalone.
func standalone(ctx context.Context, p process, args []string) error {
	if len(args) == 0 {
		return usageError("the worker file is missing")
	}
	file, connectors, err := readFiles(ctx, p, args[0], args[1:])
	if err != nil {
		return err
	}
	if keys := file.restKeys(); len(keys) > 0 {
		p.log.Warn("this worker serves no REST interface; its keys have no effect", "keys", strings.Join(keys, ","))
	}
	for _, u := range file.unknown() {
		p.log.Warn("a worker key is not known and has no effect", "file", args[0], "key", u.Key, "nearest", u.Nearest)
	}
	broker, err := kafka.New(kafka.Options{Worker: file.resolved, Logger: p.log})
	if err != nil {
		return exitWith(exitWorker, fmt.Errorf("%s: %w", args[0], err))
	}
	where := strings.Join(file.BootstrapServers, ",")
	if err := reach(ctx, p.log, broker, where); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return exitWith(exitWorker, fmt.Errorf("%s: bootstrap.servers %s: %w", args[0], where, err))
	}
	w := &worker{
		log: p.log, connectors: connectors, about: []any{"bootstrap", where, "offsets", file.OffsetFile},
		options: connect.Options{
			Plugins: plugins(p), Broker: broker, Offsets: offsets.File(file.OffsetFile),
			Worker: file.resolved, Providers: file.providers, Logger: p.log,
		},
	}
	return w.run(ctx)
}

// readFiles reads the files of the command line; the error tells of all of them.
func readFiles(ctx context.Context, p process, worker string, paths []string) (*workerFile, []connectorFile, error) {
	file, workerErr := readWorker(ctx, worker, p.environ)
	connectors, err := readConnectors(paths)
	if workerErr == nil {
		return file, connectors, exitWith(exitConnector, err)
	}
	var all problems
	all.add(workerErr)
	all.add(err)
	return nil, nil, exitWith(exitWorker, all)
}

// reach asks the cluster for its id, so that a wrong address or password is
// found before anything runs. It tries for as long as the admin client does
// (default.api.timeout.ms).
func reach(ctx context.Context, log *slog.Logger, broker connect.Broker, where string) error {
	admin, err := broker.Admin(ctx, connect.ClientConfig{ClientID: "connect-standalone"})
	if err != nil {
		return err
	}
	log.Info("connecting to Kafka", "bootstrap", where)
	id, err := admin.ClusterID(ctx)
	if err == nil {
		log.Debug("connected to Kafka", "cluster", id)
	}
	return errors.Join(err, admin.Close(context.WithoutCancel(ctx)))
}
