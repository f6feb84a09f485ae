//go:build synctests

package connecttest

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// fakeCluster is the part of a KafkaCluster that needs the build tag.
type fakeCluster struct {
	// Fake is the cluster itself.
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
		f(t, &KafkaCluster{Bootstrap: strings.Join(fake.ListenAddrs(), ","), Dial: network.DialContext, fakeCluster: fakeCluster{fake}})
	})
}
