//go:build integration

package bench

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/kafka"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

const (
	// records that one round moves: enough that connecting does not count.
	records = 1_000_000
	// size of a record's value, in bytes. Records have no key and no headers.
	size = 100
	// batch is what a source task hands over at once, and what a poll returns.
	batch      = 500
	partitions = 6
)

// limit bounds a round; it is reached only when something hangs.
const limit = 3 * time.Minute

func within(b *testing.B) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.Context()), limit)
	b.Cleanup(cancel)
	return ctx
}

func unique(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()[:8]) }

// bare returns a client of the library that package kafka stands on.
func bare(b *testing.B, opts ...kgo.Opt) *kgo.Client {
	b.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(testenv.Kafka(b).Bootstrap(), ",")...))...)
	require.NoError(b, err)
	b.Cleanup(client.Close)
	return client
}

// makeTopic creates a topic that is gone soon after the benchmark.
func makeTopic(b *testing.B) string {
	b.Helper()
	topic, soon := unique("bench"), "1000"
	adm := kadm.NewClient(bare(b))
	resp, err := adm.CreateTopic(within(b), partitions, 1, map[string]*string{"file.delete.delay.ms": &soon}, topic)
	require.NoError(b, err)
	require.NoError(b, resp.Err)
	b.Cleanup(func() {
		if _, err := adm.DeleteTopics(within(b), topic); err != nil {
			b.Log(err)
		}
	})
	return topic
}

// startRuntime runs a Runtime on the shared broker until the benchmark ends.
func startRuntime(b *testing.B) *connect.Runtime {
	b.Helper()
	worker := config.Props{
		"bootstrap.servers":        testenv.Kafka(b).Bootstrap(),
		"key.converter":            "ByteArrayConverter",
		"value.converter":          "ByteArrayConverter",
		"offset.flush.interval.ms": "200",
	}
	silent := slog.New(slog.DiscardHandler)
	broker, err := kafka.New(kafka.Options{Worker: worker, Logger: silent})
	require.NoError(b, err)
	rt, err := connect.New(connect.Options{Plugins: slices.Concat(connectors.All(), converters.All()), Broker: broker, Worker: worker, Logger: silent})
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		require.NoError(b, <-ended)
	})
	return rt
}

// await looks at a condition again and again, seldom enough not to be measured.
func await(b *testing.B, what string, condition func(ctx context.Context) bool) {
	b.Helper()
	ctx := within(b)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !condition(ctx) {
		select {
		case <-look.C:
		case <-ctx.Done():
			require.FailNow(b, "waited in vain for "+what)
		}
	}
}

// remove deletes a connector and waits until nothing of it runs.
func remove(b *testing.B, rt *connect.Runtime, name string) {
	b.Helper()
	require.NoError(b, rt.DeleteConnector(within(b), name))
	await(b, "the end of the connector", func(ctx context.Context) bool {
		_, err := rt.Status(ctx, name)
		return err != nil
	})
}

// cpu returns the CPU time that the process has used, user and system.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure returns the CPU time of f in nanoseconds per record.
func measure(b *testing.B, f func()) float64 {
	b.Helper()
	runtime.GC()
	before := cpu(b)
	f()
	return float64(cpu(b)-before) / records
}

// compare runs both turn by turn and reports the medians.
func compare(b *testing.B, pipeline, client func()) {
	b.Helper()
	labelled := func() {
		// Goroutines inherit the label, so that profiles can be had of either side.
		pprof.Do(b.Context(), pprof.Labels("side", "bare"), func(context.Context) { client() })
	}
	labelled() // what the first round of a process pays: pages, connections, caches of the broker
	var ours, theirs []float64
	for b.Loop() {
		ours = append(ours, measure(b, pipeline))
		theirs = append(theirs, measure(b, labelled))
	}
	b.ReportMetric(median(ours), "cpu-ns/record")
	b.ReportMetric(median(theirs), "bare-cpu-ns/record")
	b.ReportMetric(median(ours)/median(theirs), "x-bare")
	b.ReportMetric(0, "ns/op") // the time of a round says nothing
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	if n := len(all); n%2 == 0 {
		return (all[n/2-1] + all[n/2]) / 2
	}
	return all[len(all)/2]
}
