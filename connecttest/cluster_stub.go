//go:build !synctests

package connecttest

import (
	"context"
	"net"
	"testing"
)

// KafkaCluster is a Kafka cluster in this process, on a network in memory, for
// package kafka inside of a testing/synctest bubble:
//
//	connecttest.Cluster(t, 3, func(t *testing.T, c *connecttest.KafkaCluster) {
//		broker, err := kafka.New(kafka.Options{
//			Worker: config.Props{"bootstrap.servers": c.Bootstrap},
//			Dial:   c.Dial,
//		})
//		...
//	})
//
// With the build tag synctests, and only with it, it also has the field Fake, a
// *kfake.Cluster, to inspect and disturb it.
type KafkaCluster struct {
	// Bootstrap is the value of bootstrap.servers.
	Bootstrap string
	// Dial opens connections on the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Cluster fails the test: without the build tag synctests the Kafka client's
// locks are no durable waits, and could stop the clock of a bubble.
func Cluster(t *testing.T, _ int, _ func(t *testing.T, c *KafkaCluster)) {
	t.Helper()
	needsTag(t)
}

func needsTag(t testing.TB) {
	t.Helper()
	t.Fatal("connecttest.Cluster needs a build tag: go test -tags synctests")
}
