package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/rest"
)

func distributedCommand() command {
	return command{
		name: "distributed", args: "[flags] worker.properties [connector.json | connector.properties ...]",
		summary: "runs a worker of a cluster, which shares connectors and tasks with the others of its group.id",
		prepare: func(*flag.FlagSet) func(context.Context, process, []string) error { return distributed },
	}
}

// distributed runs a worker by the file of Java's ConnectDistributed. Connectors
// of the command line are put by the worker that leads the cluster.
func distributed(ctx context.Context, p process, args []string) error {
	if len(args) == 0 {
		return usageError("the worker file is missing")
	}
	var keys framework.DistributedConfig
	file, connectors, err := readFiles(ctx, p, args[0], args[1:], &keys)
	if err != nil {
		return err
	}
	if keys.ExactlyOnce == framework.SupportEnabled {
		return exitWith(exitWorker, fmt.Errorf("%s: exactly.once.source.support: found %s, want %s or %s: sources are not exactly once yet, and must not seem to be",
			args[0], keys.ExactlyOnce, framework.SupportPreparing, framework.SupportDisabled))
	}
	given, err := connectorsOf(connectors)
	if err != nil {
		return exitWith(exitConnector, err)
	}
	file.warnUnknown(p.log, args[0], new(framework.DistributedConfig))
	return p.serving(ctx, args[0], file.resolved, func(ctx context.Context, server *rest.Server) error {
		broker, cluster, err := connectTo(ctx, p, args[0], file, "connect-distributed")
		if err != nil {
			return unlessEnded(ctx, exitWith(exitWorker, err))
		}
		w, err := newMember(p, broker, &keys, server)
		if err != nil {
			return exitWith(exitWorker, fmt.Errorf("%s: %w", args[0], err))
		}
		w.options.Worker, w.options.Providers, w.options.Connectors = file.resolved, file.providers, given
		w.rest.ClusterID = cluster
		return w.run(ctx)
	})
}

// newMember makes a worker of a group, with its stores on topics.
func newMember(p process, broker *kafka.Broker, keys *framework.DistributedConfig, server *rest.Server) (*worker, error) {
	group, err := broker.Group(keys.GroupID)
	if err != nil {
		return nil, err
	}
	return &worker{
		log: p.log, server: server, rest: server.Options(), levels: p.levels,
		about: []any{"group", keys.GroupID, "bootstrap", strings.Join(keys.BootstrapServers, ","), "url", server.URL()},
		options: connect.Options{
			Plugins: plugins(p), Broker: broker, URL: server.URL(), Logger: p.log,
			Offsets: broker.Offsets(keys.OffsetStorage.Topic), Configs: broker.Configs(keys.ConfigStorage.Topic),
			Status: broker.Status(keys.StatusStorage.Topic), Coordinator: group, Peers: rest.NewPeers(server.Client()),
			Hooks: []connect.Hook{p.levels},
		},
	}, nil
}

// connectorsOf returns the configurations of connector files.
func connectorsOf(files []connectorFile) (map[string]config.Props, error) {
	all := make(map[string]config.Props, len(files))
	var wrong problems
	for _, f := range files {
		if f.target != "" {
			wrong.add(fmt.Errorf("%s: initial_state: the state of a connector is the cluster's to keep; leave it out, and pause or stop the connector by REST", f.path))
		}
		all[f.name] = f.props
	}
	return all, wrong.orNil()
}
