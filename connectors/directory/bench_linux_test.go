package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/directory/full"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
)

// setups are the keys of each format and compression.
func setups() map[string]config.Props {
	all := map[string]config.Props{}
	for _, class := range []string{"JsonFormat", "CsvFormat", "ByteArrayFormat"} {
		for _, c := range []string{"none", "gzip", "zstd", "snappy"} {
			all[class+"/"+c] = config.Props{"format.class": class, "compression.type": c}
		}
	}
	for _, c := range []string{"null", "deflate", "snappy", "zstandard"} {
		all["AvroFormat/"+c] = config.Props{"format.class": "AvroFormat", "avro.codec": c}
	}
	for _, c := range []string{"none", "snappy", "gzip", "zstd", "lz4_raw", "brotli"} {
		all["ParquetFormat/"+c] = config.Props{"format.class": "ParquetFormat", "parquet.codec": c}
	}
	return all
}

// orders are messages of orders of eight fields, no two alike, as JSON with a schema.
func orders(b *testing.B, n int) []connect.Message {
	field := func(name, kind string, optional bool) string {
		return fmt.Sprintf(`{"field":%q,"type":%q,"optional":%v}`, name, kind, optional)
	}
	schema := `{"type":"struct","name":"shop.Order","fields":[` + strings.Join([]string{field("id", "int64", false), field("customer", "string", false), field("item", "string", false),
		field("count", "int32", false), field("price", "double", false), field("weight", "float", true), field("paid", "boolean", false), field("note", "string", true)}, ",") + `]}`
	messages := make([]connect.Message, n)
	for i := range messages {
		payload, err := json.Marshal(map[string]any{"id": i, "customer": fmt.Sprint("customer-", i*7919%5000), "item": fmt.Sprintf("garden chair %x", i*104729%99991), "count": i % 9,
			"price": float64(i%1000) / 8, "weight": float64(i%50) / 4, "paid": i%2 == 0, "note": fmt.Sprint("leave it at door ", i%900)})
		require.NoError(b, err)
		messages[i] = connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte(`{"schema":` + schema + `,"payload":` + string(payload) + `}`)}
	}
	return messages
}

// BenchmarkPipeline takes orders from a topic in memory into files, by a Runtime with JsonConverter: of each format and compression.
func BenchmarkPipeline(b *testing.B) {
	const n = 50_000
	messages := orders(b, n)
	all := setups()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		props := all[name]
		b.Run(name, func(b *testing.B) {
			if strings.HasPrefix(name, "ByteArrayFormat") {
				props["value.converter"] = "ByteArrayConverter"
			}
			var took, cpu time.Duration
			var bytes uint64
			rounds := 0
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				broker := connecttest.NewBroker()
				broker.CreateTopic("t", 1)
				require.NoError(b, broker.Produce(messages...))
				b.StartTimer()
				began, used, allocated := time.Now(), cpuTime(b), allocatedBytes()
				runUntilCommitted(b, broker, n, config.Props{"directory": dir}.Merge(props))
				took, cpu, bytes = took+time.Since(began), cpu+cpuTime(b)-used, bytes+allocatedBytes()-allocated
				rounds++
			}
			total := float64(n * rounds)
			b.ReportMetric(total/took.Seconds(), "records/s")
			b.ReportMetric(cpu.Seconds()/total*1e6, "cpu-s/Mrecords")
			b.ReportMetric(float64(bytes)/total, "B/record")
		})
	}
}

// runUntilCommitted runs a Runtime with the sink until so many records are committed.
func runUntilCommitted(b *testing.B, broker *connecttest.Broker, n int64, props config.Props) {
	rt, err := connect.New(connect.Options{
		Plugins: append(converters.All(), full.Plugin()), Broker: broker, Offsets: connect.NewMemoryOffsets(),
		Worker: config.Props{"key.converter": "StringConverter", "value.converter": "JsonConverter", "value.converter.schemas.enable": "true", "offset.flush.interval.ms": "50"},
	})
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	_, err = rt.PutConnector(ctx, "c", config.Props{"connector.class": "DirectorySink", "topics": "t", "flush.size": "10000"}.Merge(props))
	require.NoError(b, err)
	require.NoError(b, broker.Await(ctx, func() bool { return broker.Committed("connect-c")[connect.TopicPartition{Topic: "t"}] == n }))
	stop()
	require.NoError(b, <-ended)
}

// cpuTime is the time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func allocatedBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
