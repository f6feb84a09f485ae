package main

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
)

// startBroker starts a Kafka broker in this process. It listens on a loopback
// address, has no access control, and creates topics as they are used, with one
// partition. In a directory it keeps topics, records and the offsets of groups,
// each write synced; without one they are in memory.
func startBroker(listen, dir string, log *slog.Logger) (*kfake.Cluster, error) {
	host, port, err := loopback(listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	options := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(port), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1),
		kfake.ClusterID("connect-dev"), kfake.WithLogger(brokerLog{log}),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return net.Listen(network, net.JoinHostPort(host, port))
		}),
	}
	if dir != "" {
		options = append(options, kfake.DataDir(filepath.Join(dir, "kafka")), kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, fmt.Errorf("starting the broker at %s: %w", listen, err)
	}
	return cluster, nil
}

// loopback takes an address apart. Others than those of the loopback interface
// are refused: the broker lets everybody in.
func loopback(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%w; want HOST:PORT", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("address %q: found host %q, want 127.0.0.1, ::1 or localhost: the broker has no access control", address, host)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("address %q: found port %q, want 0 to 65535", address, text)
	}
	return host, int(number), nil
}
