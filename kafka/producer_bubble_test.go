//go:build synctests

package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect/config"
)

// A producer that is told that the leader is another one looks for it after
// retry.backoff.ms, as Java's does.
func TestProducerLooksForTheLeaderInBubble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Broker, c *kfake.Cluster) {
		makeTopic(t, b, "t", 1, nil)
		p := producerOf(t, b, config.Props{"linger.ms": "0"})
		require.NoError(t, sendOne(t, p, message("t", "known")).err)
		time.Sleep(time.Minute)
		for pause, failures := range map[time.Duration]int{150 * time.Millisecond: 1, 400 * time.Millisecond: 3} {
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: failures})
			start := time.Now()
			require.NoError(t, sendOne(t, p, message("t", "moved")).err)
			assert.LessOrEqual(t, time.Since(start), pause, "%d times", failures)
			time.Sleep(time.Minute)
		}
	})
}
