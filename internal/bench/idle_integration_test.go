//go:build integration

package bench

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// BenchmarkIdle starts a hundred connectors, pauses them, and says what each
// costs. Each source has sent a record before.
func BenchmarkIdle(b *testing.B) {
	topic := makeTopic(b)
	source := config.Props{"connector.class": "GeneratorSource", "topic": topic, "rate": "1", "batch": "1"}
	sink := config.Props{"connector.class": "NullSink", "topics": topic}
	for _, c := range []struct {
		name string
		each []config.Props
	}{{"source", []config.Props{source}}, {"sink", []config.Props{sink}}, {"both", []config.Props{source, sink}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				idle(b, c.each)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

const idleConnectors = 100

func idle(b *testing.B, each []config.Props) {
	rt := startRuntime(b)
	_, err := rt.Connectors(within(b)) // it is up
	require.NoError(b, err)
	goroutines, heap := usage(b)
	var names []string
	for i := range idleConnectors {
		names = append(names, unique("idle"))
		require.NoError(b, rt.CreateConnector(within(b), names[i], each[i%len(each)], cluster.TargetStarted))
	}
	awaitAll(b, rt, names, cluster.Running)
	for _, name := range names {
		require.NoError(b, rt.Pause(within(b), name))
	}
	awaitAll(b, rt, names, cluster.Paused)
	moreGoroutines, moreHeap := usage(b)
	b.ReportMetric(float64(moreGoroutines-goroutines)/idleConnectors, "goroutines/connector")
	b.ReportMetric(float64(moreHeap-heap)/idleConnectors, "heap-B/connector")
	for _, name := range names {
		remove(b, rt, name)
	}
}

// awaitAll waits until all connectors, and their tasks, are in a state.
func awaitAll(b *testing.B, rt *connect.Runtime, names []string, state cluster.State) {
	b.Helper()
	await(b, "all tasks to be "+string(state), func(ctx context.Context) bool {
		for _, name := range names {
			if !all(ctx, rt, name, state) {
				return false
			}
		}
		return true
	})
}

func all(ctx context.Context, rt *connect.Runtime, name string, state cluster.State) bool {
	s, err := rt.Status(ctx, name)
	if err != nil || s.Connector.State != state || len(s.Tasks) == 0 {
		return false
	}
	for _, task := range s.Tasks {
		if task.State != state {
			return false
		}
	}
	return true
}

// usage returns the number of goroutines, once it has settled, and the bytes of
// live objects on the heap.
func usage(b *testing.B) (goroutines int, heap int64) {
	b.Helper()
	same := 0
	await(b, "the goroutines to settle", func(context.Context) bool {
		n := runtime.NumGoroutine()
		if n == goroutines {
			same++
		} else {
			goroutines, same = n, 0
		}
		return same >= 50
	})
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return goroutines, int64(m.HeapAlloc)
}
