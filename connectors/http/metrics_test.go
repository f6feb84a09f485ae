package http

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
	"github.com/streamlane/connect/connecttest"
)

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []http.HandlerFunc{
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "40")
				w.WriteHeader(429)
			},
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "9")
				_, _ = fmt.Fprint(w, "cut")
			},
			func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "1\nbad\n2\n") },
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) },
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
			func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "1\nbad\n2\n3\n") },
		}
		n := 0
		var c Config
		require.NoError(t, config.Decode(config.Props{"http.url": "http://a.test", "topic": "t", "value.form": "string", "response.format": "ndjson", "errors.mode": "skip", "skip.codes": "404", "after.end": "continue",
			"retry.backoff.ms": "1", "retry.backoff.max.ms": "1"}, &c))
		task, err := newTask(c, httpkittest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n++
			answers[n-1](w, r)
		})).Dial)
		require.NoError(t, err)
		var sc connecttest.SourceContext
		require.NoError(t, task.Start(context.Background(), &sc))
		for range 2 {
			_, err := task.Poll(context.Background())
			require.NoError(t, err)
		}
		time.Sleep(5 * time.Second)
		got := map[string]float64{}
		for _, m := range sc.Metrics().All() {
			assert.NotEmpty(t, m.Doc)
			got[m.Name] = m.Value
		}
		assert.Equal(t, map[string]float64{"requests-2xx": 2, "requests-3xx": 1, "requests-4xx": 2, "requests-5xx": 1, "requests-failed": 1, "request-retries": 3, "rate-limit-waits": 1, "rate-limit-wait-ms": 40_000,
			"pages": 3, "records": 3, "records-skipped": 1, "records-known": 3, "dead-letters": 0, "responses-skipped": 1, "responses-not-modified": 1, "last-success-age-ms": 5000}, got)
		require.NoError(t, task.Stop(context.Background()))
	})
}
