package objectstore

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// BenchmarkFormats writes orders, no two alike, in each format and compression, into nothing.
func BenchmarkFormats(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	orders, lines := make([]connect.SinkRecord, 20_000), make([]connect.SinkRecord, 20_000)
	for i := range orders {
		orders[i], lines[i] = order(r, int64(i), 0, false), order(r, int64(i), 0, true)
	}
	for _, k := range kinds(b) {
		b.Run(k.name, func(b *testing.B) {
			records := orders
			if k.text {
				records = lines
			}
			out := &counter{}
			w, err := k.format.NewWriter(out, records[0].Value)
			require.NoError(b, err)
			b.ReportAllocs()
			n, used := 0, cpuTime(b)
			for b.Loop() {
				if err := w.Write(records[n%len(records)].Value); err != nil {
					b.Fatal(err)
				}
				n++
			}
			require.NoError(b, w.Close())
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric((cpuTime(b)-used).Seconds()/float64(n)*1e6, "cpu-s/Mrecords")
			b.ReportMetric(float64(out.n)/float64(n), "file-B/record")
		})
	}
}

// counter counts what is written.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// cpuTime is the time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
