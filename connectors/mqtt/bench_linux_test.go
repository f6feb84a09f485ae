package mqtt

import (
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

const reading = `{"sensor":"t-0017","value":21.5,"unit":"C","at":1767225600123,"ok":true,"tags":["line","north"]}`

// BenchmarkSource reads messages of 98 bytes with headers and keys, and has them acknowledged as soon as they are records. It includes the server,
// which does little but copy bytes.
func BenchmarkSource(b *testing.B) {
	for qos := range byte(3) {
		b.Run("QoS="+strconv.Itoa(int(qos)), func(b *testing.B) { benchmark(b, qos, nil) })
	}
	for _, form := range []Payload{PayloadJSON, PayloadStruct} {
		b.Run("QoS=1/payload="+string(form), func(b *testing.B) { benchmark(b, 1, config.Props{"payload": string(form)}) })
	}
	b.Run("QoS=1/headers=false", func(b *testing.B) { benchmark(b, 1, config.Props{"headers": "false"}) })
}

func benchmark(b *testing.B, qos byte, props config.Props) {
	f := newFeeder(b, qos, 10_000, reading)
	task, err := Plugins()[0].NewSourceTask(f.props(props))
	require.NoError(b, err)
	require.NoError(b, task.Start(b.Context(), &connecttest.SourceContext{}))
	committer, ok := task.(connect.DeliveryCommitter)
	require.True(b, ok)
	var done []connect.Delivery
	n := 0
	step := func() {
		records, err := task.Poll(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		done = done[:0]
		for i := range records {
			done = append(done, connect.Delivery{Token: records[i].Token})
		}
		if err := committer.CommitRecords(b.Context(), done); err != nil {
			b.Fatal(err)
		}
		n += len(records)
	}
	for n < 50_000 { // connected, and at its pace
		step()
	}
	n = 0
	began, cpu, memory := time.Now(), cpuTime(b), allocated()
	for b.Loop() {
		for end := n + 1000; n < end; {
			step()
		}
	}
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "records/s")
	b.ReportMetric((cpuTime(b)-cpu).Seconds()/float64(n)*1e6, "cpu-s/Mrecords")
	b.ReportMetric(float64(allocated()-memory)/float64(n), "B/record")
	require.NoError(b, task.Stop(b.Context()))
}

// cpuTime is the time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// allocated is the sum of all allocations.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
