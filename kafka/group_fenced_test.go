//go:build synctests

package kafka_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/kafka"
)

// With transactions a leader that another one has shut out can write nothing: the
// request says so, and that trying again may help; then the leader by the group
// has claimed the log again, and shuts out the other.
func TestFencedLeader(t *testing.T) {
	bubble(t, config.Props{"exactly.once.source.support": "preparing"}, func(t *testing.T, w *workers) {
		a, stop := w.start("a")
		defer stop()
		time.Sleep(10 * time.Second)
		put(t, "c", 1, a)
		time.Sleep(10 * time.Second) // what the worker writes of its own accord is written, or it would notice before it is asked

		b, err := kafka.New(kafka.Options{Dial: w.kafka.Dial, Worker: config.Props{
			"bootstrap.servers": w.kafka.Bootstrap, "group.id": "workers", "exactly.once.source.support": "preparing",
			"config.storage.replication.factor": "1",
		}})
		require.NoError(t, err)
		other := b.Configs("configs")
		lead, err := other.Lead(t.Context())
		require.NoError(t, err)
		request := func() (*http.Response, string) {
			r := httptest.NewRequest(http.MethodPut, "http://a:8083/connectors/c/config", strings.NewReader(`{"connector.class":"Idle","x":"y"}`))
			r.Header.Set("Content-Type", "application/json")
			answer, err := w.RoundTrip(r)
			require.NoError(t, err)
			text, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			return answer, string(text)
		}
		before, err := a.Connector(t.Context(), "c")
		require.NoError(t, err)
		answer, text := request()
		require.Equal(t, http.StatusConflict, answer.StatusCode, text)
		require.Equal(t, "2", answer.Header.Get("Retry-After"))
		require.Contains(t, text, "conflicting operation")
		after, err := a.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, before.Revision, after.Revision, "nothing was written")

		time.Sleep(10 * time.Second)
		synctest.Wait()
		answer, text = request()
		require.Equal(t, http.StatusOK, answer.StatusCode, text)
		r := cluster.FencingRecord("c", 9)
		require.Error(t, lead.Append(t.Context(), kv(r)), "it is the other's turn to be shut out")
		require.NoError(t, lead.Close())
		require.NoError(t, other.(connect.StoreOpener).CloseStore(t.Context()))
	})
}

func kv(r cluster.Record) connect.KV { return connect.KV{Key: []byte(r.Key), Value: r.Value} }
