//go:build integration

package integration

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/kafka"
)

// driver returns the Kafka driver on the shared cluster.
func driver(t testing.TB) *kafka.Broker {
	t.Helper()
	bootstrap := testenv.Kafka(t).Bootstrap()
	b, err := kafka.New(kafka.Options{
		Worker: config.Props{
			"bootstrap.servers": bootstrap, "group.id": unique("conformance"),
			"offset.storage.partitions": "5", "offset.storage.replication.factor": "1",
			"config.storage.replication.factor": "1", "status.storage.replication.factor": "1",
			"status.storage.partitions":   "1", // with more a status topic keeps the order of each key alone
			"exactly.once.source.support": "enabled",
		},
		Logger: slog.New(slog.NewTextHandler(newTestLog(t), nil)),
	})
	require.NoError(t, err)
	return b
}

func TestBrokerConformance(t *testing.T) {
	connecttest.TestBroker(t, func(t testing.TB) connect.Broker { return driver(t) })
}

func TestTransactionsConformance(t *testing.T) {
	connecttest.TestTransactions(t, func(t testing.TB) connect.Broker { return driver(t) })
}

func TestOffsetStoreConformance(t *testing.T) {
	connecttest.TestOffsetStore(t, func(t testing.TB) connect.OffsetStore { return driver(t).Offsets(unique("offsets")) })
}

func TestConfigStoreConformance(t *testing.T) {
	connecttest.TestConfigStore(t, func(t testing.TB) connect.ConfigStore { return driver(t).Configs(unique("configs")) })
}

func TestStatusStoreConformance(t *testing.T) {
	connecttest.TestLog(t, func(t testing.TB) connect.Log { return driver(t).Status(unique("status")) })
}
