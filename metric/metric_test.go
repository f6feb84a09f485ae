package metric_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/metric"
)

func Example() {
	var set metric.Set // a task's: connect.SinkContext.Metrics
	retries := set.Counter("request-retries", "Requests that were sent again.")
	open := 0
	set.Gauge("files-open", "Files that are being written.", func() float64 { return float64(open) })
	retries.Add(2)
	open = 7
	for _, m := range set.All() {
		fmt.Println(m.Name, m.Value)
	}
	// Output:
	// files-open 7
	// request-retries 2
}

func TestNamesAreUnique(t *testing.T) {
	var set metric.Set
	first := set.Counter("n", "first")
	first.Add(1)
	set.Counter("n", "second").Add(1)
	assert.Equal(t, []metric.Metric{{Name: "n", Doc: "first", Kind: metric.CounterKind, Value: 2}}, set.All())
	set.Gauge("n", "third", func() float64 { return 9 })
	assert.Equal(t, []metric.Metric{{Name: "n", Doc: "third", Kind: metric.GaugeKind, Value: 9}}, set.All())
	set.Counter("n", "fourth")
	assert.Equal(t, []metric.Metric{{Name: "n", Doc: "fourth", Kind: metric.CounterKind, Value: 0}}, set.All())
}

func TestNil(t *testing.T) {
	var set *metric.Set
	c := set.Counter("n", "")
	c.Add(1)
	assert.EqualValues(t, 1, c.Value())
	set.Gauge("g", "", nil)
	assert.Empty(t, set.All())
}

func TestConcurrentUse(t *testing.T) {
	var set metric.Set
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				set.Counter("n", "").Add(1)
				set.Gauge("g", "", func() float64 { return 1 })
				set.All()
			}
		})
	}
	all.Wait()
	assert.Equal(t, 800.0, set.All()[1].Value)
}
