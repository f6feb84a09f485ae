package cassandra

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// benchRecords makes records of 120 bytes in 200 partitions of a table, in batches of 500.
func benchRecords(b *testing.B, n int) [][]connect.SinkRecord {
	s := data.StructBuilder().Field("part", data.StringSchema).Field("id", data.Int64Schema).Field("name", data.StringSchema).Field("score", data.Float64Schema).MustBuild()
	var batches [][]connect.SinkRecord
	for i := range n {
		x, err := data.NewStruct(s)
		require.NoError(b, err)
		for at, v := range []data.Value{data.String(fmt.Sprint("part", i%200)), data.Int64(int64(i)), data.String(strings.Repeat("n", 90)), data.Float64(float64(i) / 3)} {
			x.Set(at, v)
		}
		r := connect.SinkRecord{Record: connect.Record{Topic: "t", Value: connect.Datum{Schema: s, Value: data.StructOf(x)}, Timestamp: time.UnixMilli(1_700_000_000_000)}}
		r.Origin.Topic, r.Origin.Offset, r.Offset = "t", int64(i), int64(i)
		if i%500 == 0 {
			batches = append(batches, nil)
		}
		batches[len(batches)-1] = append(batches[len(batches)-1], r)
	}
	return batches
}

// benchSink puts batches again and again, waits like the runtime when it is told to pause, and until all is written.
func benchSink(b *testing.B, x connect.SinkTask, c *connecttest.SinkContext, batches [][]connect.SinkRecord) {
	c.Assigned = []connect.TopicPartition{tp0}
	require.NoError(b, x.Start(b.Context(), c))
	defer func() { require.NoError(b, x.Stop(context.Background())) }()
	d := x.(*task).d
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	b.ResetTimer()
	began, cpu, n := time.Now(), cpuTime(b), 0
	for b.Loop() {
		for _, records := range batches {
			for i := range records {
				records[i].Origin.Offset = int64(n + i)
			}
			for c.Paused(tp0) {
				<-d.changed
			}
			require.NoError(b, x.Put(b.Context(), records))
			n += len(records)
		}
	}
	d.drain(b.Context(), time.Minute)
	b.StopTimer()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	require.Zero(b, d.waiting)
	b.ReportMetric(float64(n)/took.Seconds(), "records/s")
	b.ReportMetric((cpuTime(b)-cpu).Seconds()/float64(n)*1e6, "cpu-s/Mrecords")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(n)*1e6/(1<<20), "MiB/Mrecords")
	requests := x.(*task).stats.requests.Value()
	b.ReportMetric(float64(n)/float64(max(requests, 1)), "records/request")
}

const benchMapping = "part=value.part, id=value.id, name=value.name, score=value.score"

// BenchmarkTask has a database that takes everything at once: what it costs is the sink's own.
func BenchmarkTask(b *testing.B) {
	columns := func(string, string) (*tableSchema, error) {
		s := schemaOf("part text partition_key", "id bigint clustering", "name text", "score text")
		s.columns[3].typ = gocql.NewNativeType(4, gocql.TypeDouble, "")
		return s, nil
	}
	x, err := fakePlugin(&fakeDB{columns: columns, exec: func(context.Context, *request) error { return nil }}).NewSinkTask(config.Props{"topic.t.ks.tbl.mapping": benchMapping})
	require.NoError(b, err)
	benchSink(b, x, &connecttest.SinkContext{}, benchRecords(b, 50_000))
}

// cpuTime is the time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
