//go:build synctests

package connecttest

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
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
// It is there with the build tag synctests.
type KafkaCluster struct {
	// Bootstrap is the value of bootstrap.servers.
	Bootstrap string
	// Dial opens connections on the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Fake is the cluster itself, to inspect and disturb it.
	Fake *kfake.Cluster
}

// Cluster runs f in a bubble with a cluster of so many brokers, each of which
// creates topics with one partition when they are asked for. Inside, time passes
// only while all goroutines wait, so that sessions expire in no time at all; a
// goroutine that is left at the end fails the test. Cases cannot have subtests:
// the suites of this package are given a testing.TB without Run there, such as
// struct{ testing.TB }{t}.
//
// It needs the build tag synctests, for the Kafka client's locks are no durable
// waits without it and could stop the bubble's clock.
func Cluster(t *testing.T, brokers int, f func(t *testing.T, c *KafkaCluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ports := make([]int, brokers)
		for i := range ports {
			ports[i] = 9092 + i
		}
		var network kfake.VirtualNetwork
		fake, err := kfake.NewCluster(kfake.NumBrokers(brokers), kfake.Ports(ports...),
			kfake.ListenFn(network.Listen), kfake.DefaultNumPartitions(1))
		require.NoError(t, err, "start the cluster")
		t.Cleanup(fake.Close)
		f(t, &KafkaCluster{Bootstrap: strings.Join(fake.ListenAddrs(), ","), Dial: network.DialContext, Fake: fake})
	})
}
