//go:build integration

package bench

import (
	"testing"
	"time"

	"github.com/streamlane/connect/internal/testenv"
)

// idleFor is how long a worker has been idle when its memory is looked at.
const idleFor = 10 * time.Second

// member is a worker process, of ours or of Java's.
type member interface {
	Start()
	Stop()
	Resident() int64
}

// BenchmarkStart starts a worker of ours and one of Java's, turn by turn, each alone
// in its group on topics that are there, and says how long it takes until REST
// answers, and how much memory they have in use when they have been idle.
func BenchmarkStart(b *testing.B) {
	cluster := testenv.Kafka(b)
	ours := testenv.GoConnect(b, cluster, testenv.WorkerOptions{})
	javas := testenv.JavaConnect(b, cluster, testenv.WorkerOptions{})
	for _, m := range []member{ours, javas} {
		m.Stop()
	}
	var ourStarts, javaStarts, ourMemory, javaMemory []float64
	for b.Loop() {
		started, memory := startIdle(ours)
		ourStarts, ourMemory = append(ourStarts, started), append(ourMemory, memory)
		started, memory = startIdle(javas)
		javaStarts, javaMemory = append(javaStarts, started), append(javaMemory, memory)
	}
	b.ReportMetric(median(ourStarts), "ms")
	b.ReportMetric(median(javaStarts), "java-ms")
	b.ReportMetric(median(ourMemory), "idle-MB")
	b.ReportMetric(median(javaMemory), "java-idle-MB")
	b.ReportMetric(0, "ns/op")
}

// startIdle returns the milliseconds that a start takes, and the megabytes in use
// after a while. The worker is stopped then.
func startIdle(m member) (ms, mb float64) {
	began := time.Now()
	m.Start()
	ms = float64(time.Since(began)) / float64(time.Millisecond)
	<-time.After(idleFor)
	mb = float64(m.Resident()) / 1e6
	m.Stop()
	return ms, mb
}
