package testing

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// The source on a real Runtime: its records, its offsets, a restart in the
// middle. Records that nobody took before the restart come again.
func TestFeedOnARuntime(t *testing.T) {
	h := connecttest.Source(t, FeedSource(newFakeFeed(10)), config.Props{"topic": "articles", "limit": "4", "every.ms": "5"})
	numbers := func(records []connect.SourceRecord) (numbers []int64) {
		for _, r := range records {
			n, _ := r.Key.Value.Int()
			numbers = append(numbers, n)
		}
		return numbers
	}
	assert.Equal(t, []int64{1, 2, 3, 4}, numbers(h.Next(4)))
	h.AwaitCommitted(func(offsets map[connect.SourcePartition]connect.SourceOffset) bool {
		n, _ := offsets[feedPartition()].Int("number")
		return n == 4
	})
	h.Restart()
	assert.Equal(t, []int64{5, 6, 7, 8, 9, 10}, numbers(h.Next(6)))
}

// A service that fails for a while does not fail the task.
func TestFeedOutlivesItsService(t *testing.T) {
	feed := newFakeFeed(2)
	feed.failures = 3
	h := connecttest.Source(t, FeedSource(feed), config.Props{"topic": "articles"})
	h.Next(2)
	assert.Equal(t, cluster.Running, h.Status().Tasks[0].State)
}

// The sink on a real Runtime: a busy index gets the same records again, and
// nothing is committed before.
func TestIndexOnARuntime(t *testing.T) {
	index := newFakeIndex()
	index.busy = 2
	h := connecttest.Sink(t, IndexSink(index), nil)
	h.Put(article(1, "one"), article(2, "two"), article(1, "one again"))
	h.Flush()
	assert.Equal(t, map[int64]string{1: "one again", 2: "two"}, index.all())
	assert.Equal(t, connect.Offsets{{Topic: connecttest.SinkTopic, Partition: 0}: 3}, h.Committed())
}

// What is reported follows errors.tolerance: by default it fails the task, with
// the record's place in the trace.
func TestIndexFailsOnLongDocuments(t *testing.T) {
	h := connecttest.Sink(t, IndexSink(newFakeIndex()), config.Props{"max.length": "5"})
	h.Produce(article(1, "too long"))
	trace := h.AwaitFailure()
	assert.Contains(t, trace, "article 1: found 8 bytes")
	assert.Contains(t, trace, connecttest.SinkTopic+"-0@0")
}

// With errors.tolerance=all it is passed over.
func TestIndexPassesOverLongDocuments(t *testing.T) {
	index := newFakeIndex()
	h := connecttest.Sink(t, IndexSink(index), config.Props{"max.length": "5", "errors.tolerance": "all"})
	h.Put(article(1, "too long"), article(2, "short"))
	h.Flush()
	assert.Equal(t, map[int64]string{2: "short"}, index.all())
}
