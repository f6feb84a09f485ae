package connecttest

import (
	"context"
	"net"
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
// With the build tag synctests it has the field Fake, a *kfake.Cluster, to
// inspect and disturb it.
type KafkaCluster struct {
	// Bootstrap is the value of bootstrap.servers.
	Bootstrap string
	// Dial opens connections on the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	fakeCluster
}
