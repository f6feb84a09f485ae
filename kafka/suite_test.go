package kafka

import (
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// The suites that every Broker and store passes, on a broker in this process.

func TestBrokerSuite(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	connecttest.TestBroker(t, func(testing.TB) connect.Broker { return b })
}

func TestTransactionsSuite(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	connecttest.TestTransactions(t, func(testing.TB) connect.Broker { return b })
}

func TestOffsetStoreSuite(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	n := 0
	connecttest.TestOffsetStore(t, func(testing.TB) connect.OffsetStore {
		n++
		return b.Offsets("offsets-" + string(rune('a'+n)))
	})
}

func TestConfigStoreSuite(t *testing.T) {
	for _, eos := range []string{"preparing", "enabled"} {
		t.Run(eos, func(t *testing.T) {
			b := brokerOf(t, fakeCluster(t), config.Props{"group.id": "cluster", "exactly.once.source.support": eos})
			n := 0
			connecttest.TestConfigStore(t, func(testing.TB) connect.ConfigStore {
				n++
				return b.Configs("configs-" + string(rune('a'+n)))
			})
		})
	}
}

// A log without transactions, and one of one partition: with several, the order
// is that of each key.
func TestLogSuite(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), config.Props{"status.storage.partitions": "1"})
	n := 0
	connecttest.TestLog(t, func(testing.TB) connect.Log {
		if n++; n%2 == 0 {
			return b.Configs("configs-" + string(rune('a'+n)))
		}
		return b.Status("status-" + string(rune('a'+n)))
	})
}
