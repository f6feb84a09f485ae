package main

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// clusterID is the id of the cluster of one such broker.
const clusterID = "connect-dev"

// startBroker starts a Kafka broker in this process. It has no access control,
// and creates topics as they are used, with one partition. In a directory it
// keeps topics, records and the offsets of groups, each write synced; without
// one they are in memory.
func startBroker(listen listenAddress, dir string, log *slog.Logger) (*kfake.Cluster, error) {
	options := []kfake.Opt{
		kfake.NumBrokers(1), kfake.DefaultNumPartitions(1),
		kfake.ClusterID(clusterID), kfake.WithLogger(brokerLog{log}),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, listen.String()) }),
	}
	if dir != "" {
		options = append(options, kfake.DataDir(filepath.Join(dir, "kafka")), kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, fmt.Errorf("starting the broker at %v: %w", &listen, err)
	}
	cluster.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		createTopics(cluster, r.(*kmsg.MetadataRequest))
		return nil, nil, false
	})
	return cluster, nil
}

// createTopics creates the topics that a client asks for and that are not there,
// if it wants them created. The broker could do so itself, but would not write
// them to its directory before it is closed: a process that is killed would lose
// them with all of their records.
func createTopics(cluster *kfake.Cluster, r *kmsg.MetadataRequest) {
	if !r.AllowAutoTopicCreation {
		return
	}
	for _, t := range r.Topics {
		if t.Topic != nil && cluster.TopicInfo(*t.Topic) == nil {
			// What is wrong with the name, the answer to the request says.
			_ = cluster.CreateTopic(*t.Topic, 1, nil)
		}
	}
}

// A listenAddress is one of the loopback interface, as a flag. Others are
// refused: the broker lets everybody in.
type listenAddress struct {
	host string
	port uint16
}

// String returns HOST:PORT.
func (l *listenAddress) String() string { return net.JoinHostPort(l.host, strconv.Itoa(int(l.port))) }

// Set parses HOST:PORT.
func (l *listenAddress) Set(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%w; want HOST:PORT", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("found host %q, want 127.0.0.1, ::1 or localhost: the broker has no access control", host)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("found port %q, want 0 to 65535", port)
	}
	l.host, l.port = host, uint16(n)
	return nil
}
