package http

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// BenchmarkSource reads pages of a thousand records of about 100 bytes from a server on the loopback, and makes structs of them. It includes the server.
func BenchmarkSource(b *testing.B) {
	var page bytes.Buffer
	rec := httptest.NewRecorder()
	writeJSON(rec, items(1000))
	page.Write(rec.Body.Bytes())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page.Bytes()) }))
	defer server.Close()
	var c Config
	require.NoError(b, config.Decode(config.Props{"http.url": server.URL, "topic": "t", "path": "?p=${page}", "pagination": "page", "pagination.limit": "1000", "record.key.path": "/id"}, &c))
	task, err := newTask(c, nil)
	require.NoError(b, err)
	require.NoError(b, task.Start(b.Context(), &connecttest.SourceContext{}))
	b.ReportAllocs()
	b.ResetTimer()
	began, cpu, n := time.Now(), cpuTime(b), 0
	for b.Loop() {
		records, err := task.Poll(b.Context())
		require.NoError(b, err)
		n += len(records)
	}
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "records/s")
	b.ReportMetric((cpuTime(b)-cpu).Seconds()/float64(n)*1e6, "cpu-s/Mrecords")
	require.NoError(b, task.Stop(b.Context()))
}

// cpuTime is the time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
