package kafka

import (
	"context"
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// The suites that every Broker and store passes, on a broker in this process.

func TestBrokerSuite(t *testing.T) {
	b := cooperative{brokerOf(t, fakeCluster(t), nil)}
	connecttest.TestBroker(t, func(testing.TB) connect.Broker { return b })
}

// cooperative is a Broker whose groups rebalance cooperatively, which takes each
// partition from a member at most once; consumer_bubble_test.go shows both ways.
type cooperative struct{ *Broker }

func (b cooperative) Consumer(ctx context.Context, c connect.ConsumerConfig) (connect.Consumer, error) {
	if c.Group != "" {
		c.Props = c.Props.Merge(config.Props{"partition.assignment.strategy": "CooperativeStickyAssignor"})
	}
	return b.Broker.Consumer(ctx, c)
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
