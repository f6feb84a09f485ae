package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
	"github.com/streamlane/connect/rest"
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
	var keys framework.StandaloneConfig
	file, connectors, err := readFiles(ctx, p, args[0], args[1:], &keys)
	if err != nil {
		return err
	}
	file.warnUnknown(p.log, args[0], new(framework.StandaloneConfig))
	return p.serving(ctx, args[0], file.resolved, func(ctx context.Context, server *rest.Server) error {
		broker, cluster, err := connectTo(ctx, p, args[0], file, "connect-standalone")
		if err != nil {
			return unlessEnded(ctx, exitWith(exitWorker, err))
		}
		w := &worker{
			log: p.log, connectors: connectors, server: server, rest: server.Options(), levels: p.levels,
			about: []any{"bootstrap", strings.Join(keys.BootstrapServers, ","), "offsets", keys.OffsetFile},
			options: connect.Options{
				Plugins: plugins(p), Broker: broker, Offsets: offsets.File(keys.OffsetFile), URL: server.URL(),
				Worker: file.resolved, Providers: file.providers, Logger: p.log,
			},
		}
		w.rest.ClusterID = cluster
		return w.run(ctx)
	})
}

// readFiles reads the files of the command line; the error tells of all of them.
func readFiles(ctx context.Context, p process, worker string, paths []string, keys config.Describer) (*workerFile, []connectorFile, error) {
	file, workerErr := readWorker(ctx, worker, p.environ, keys)
	connectors, err := readConnectors(paths)
	if workerErr == nil {
		return file, connectors, exitWith(exitConnector, err)
	}
	var all problems
	all.add(workerErr)
	all.add(err)
	return nil, nil, exitWith(exitWorker, all)
}

// connectTo makes the way to the Kafka cluster of a worker file, and asks the
// cluster for its id.
func connectTo(ctx context.Context, p process, path string, file *workerFile, client string) (*kafka.Broker, string, error) {
	broker, err := kafka.New(kafka.Options{Worker: file.resolved, Logger: p.log})
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	where := file.resolved["bootstrap.servers"]
	id, err := reach(ctx, p.log, broker, where, client)
	if err != nil {
		return nil, "", fmt.Errorf("%s: bootstrap.servers %s: %w", path, where, err)
	}
	return broker, id, nil
}

// unlessEnded drops an error that came of the end of ctx.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// reach asks the cluster for its id, so that a wrong address or password is
// found before anything runs. It tries for as long as the admin client does
// (default.api.timeout.ms).
func reach(ctx context.Context, log *slog.Logger, broker connect.Broker, where, client string) (id string, err error) {
	admin, err := broker.Admin(ctx, connect.ClientConfig{ClientID: client})
	if err != nil {
		return "", err
	}
	log.Info("connecting to Kafka", "bootstrap", where)
	if id, err = admin.ClusterID(ctx); err == nil {
		log.Debug("connected to Kafka", "cluster", id)
	}
	return id, errors.Join(err, admin.Close(context.WithoutCancel(ctx)))
}
