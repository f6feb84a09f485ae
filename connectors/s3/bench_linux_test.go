package s3

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/schematest"
)

// nowhere takes objects and forgets them.
type nowhere struct{ mapStore }

func (*nowhere) Put(_ context.Context, _ string, c objectstore.Content, _ objectstore.PutOptions) error {
	buf := make([]byte, 256<<10)
	for at := int64(0); at < c.Size(); at += int64(len(buf)) {
		if _, err := c.ReadAt(buf[:min(int64(len(buf)), c.Size()-at)], at); err != nil {
			return err
		}
	}
	return nil
}

// benchmarked are the formats whose cost is in the documentation.
var benchmarked = map[string]config.Props{
	"json":    {"format.class": "JsonFormat"},
	"json.gz": {"format.class": "JsonFormat", "s3.compression.type": "gzip"},
	"csv":     {"format.class": "CsvFormat"},
	"avro":    {"format.class": "AvroFormat", "avro.codec": "snappy"},
	"parquet": {"format.class": "ParquetFormat"},
}

// BenchmarkSink writes records of eight fields, in batches of 500, into objects of 50,000, and commits; the store takes no time. 1,000 open files is the same
// with a thousand folders.
func BenchmarkSink(b *testing.B) {
	for name, format := range benchmarked {
		b.Run(name, func(b *testing.B) { benchmarkSink(b, format, 1, nil) })
	}
	b.Run("json, 1000 open files", func(b *testing.B) {
		benchmarkSink(b, benchmarked["json"].Merge(config.Props{"partitioner.class": "TemplatePartitioner", "partition.template": "{{key}}"}), 1000, nil)
	})
}

// benchmarkSink runs a task of the sink; open opens its store, nil is nowhere.
func benchmarkSink(b *testing.B, props config.Props, keys int, open func(context.Context, *slog.Logger) (objectstore.Backend, error)) {
	var c Config
	require.NoError(b, config.Decode(config.Props{"s3.bucket.name": "b", "flush.size": "50000"}.Merge(props), &c))
	o := objectstore.Options{Config: c.Config, Connector: "c", Open: open}
	if open == nil {
		o.Open = func(context.Context, *slog.Logger) (objectstore.Backend, error) { return &nowhere{}, nil }
	}
	require.NoError(b, c.Formats.Set(&o))
	task, err := objectstore.NewTask(o)
	require.NoError(b, err)
	tp := connect.TopicPartition{Topic: "events"}
	ctx := &connecttest.SinkContext{Assigned: []connect.TopicPartition{tp}}
	require.NoError(b, task.Start(b.Context(), ctx))
	require.NoError(b, task.Open(b.Context(), ctx.Assigned))
	all := make([]connect.SinkRecord, 1000)
	value := schematest.EightFields(b)
	for i := range all {
		all[i] = at("events", 0, 0, textDatum(fmt.Sprint("key-", i%keys)), value)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began, cpu, n, most := time.Now(), cpuTime(b), int64(0), uint64(0)
	b.ResetTimer()
	for b.Loop() {
		from := n % int64(len(all))
		batch := all[from : from+500]
		for i := range batch {
			batch[i].Origin.Offset = n + int64(i)
		}
		require.NoError(b, task.Put(b.Context(), batch))
		n += int64(len(batch))
		if ctx.Paused(tp) || n%50_000 == 0 {
			_, err := task.PreCommit(b.Context(), connect.Offsets{tp: n})
			require.NoError(b, err)
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapInuse)
		}
	}
	_, err = task.PreCommit(b.Context(), connect.Offsets{tp: n})
	require.NoError(b, err)
	runtime.ReadMemStats(&after)
	millions := float64(n) / 1e6
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "records/s")
	b.ReportMetric((cpuTime(b)-cpu).Seconds()/millions, "cpu-s/Mrecords")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/millions/1e6, "MB-allocated/Mrecords")
	b.ReportMetric(float64(max(most, after.HeapInuse))/1e6, "MB-heap")
	require.NoError(b, task.Stop(b.Context()))
}

// cpuTime is the time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The benchmark is no stub: what it counts is there.
func TestBenchmarkWrites(t *testing.T) {
	for name, props := range benchmarked {
		var c Config
		require.NoError(t, config.Decode(config.Props{"s3.bucket.name": "b", "flush.size": "500"}.Merge(props), &c), name)
		o := objectstore.Options{Config: c.Config, Connector: "c"}
		require.NoError(t, c.Formats.Set(&o))
		var records []connect.SinkRecord
		for i := range int64(500) {
			records = append(records, at("events", 0, i, textDatum("k"), schematest.EightFields(t)))
		}
		store, _ := deliver(t, o, records)
		for key, body := range store.objects {
			require.True(t, strings.HasPrefix(key, "topics/events/partition=0/events+0+0000000000"), key)
			require.NotEmpty(t, body)
		}
	}
}
