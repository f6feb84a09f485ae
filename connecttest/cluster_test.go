//go:build synctests

package connecttest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/kafka"
)

// flat hides Run, which bubbles do not have.
type flat struct{ testing.TB }

func broker(t testing.TB, c *connecttest.KafkaCluster) connect.Broker {
	t.Helper()
	b, err := kafka.New(kafka.Options{Worker: config.Props{"bootstrap.servers": c.Bootstrap}, Dial: c.Dial})
	require.NoError(t, err)
	return b
}

func TestClusterPassesTheBrokerSuite(t *testing.T) {
	connecttest.Cluster(t, 3, func(t *testing.T, c *connecttest.KafkaCluster) {
		connecttest.TestBroker(flat{t}, func(t testing.TB) connect.Broker { return broker(t, c) })
	})
}

func TestClusterTimeIsFree(t *testing.T) {
	connecttest.Cluster(t, 1, func(t *testing.T, c *connecttest.KafkaCluster) {
		a, err := broker(t, c).Admin(t.Context(), connect.ClientConfig{})
		require.NoError(t, err)
		began := time.Now()
		time.Sleep(24 * time.Hour) // in a bubble
		_, err = a.ClusterID(t.Context())
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(began), 24*time.Hour)
		assert.NotNil(t, c.Fake)
		require.NoError(t, a.Close(t.Context()))
	})
}
