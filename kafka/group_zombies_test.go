//go:build synctests

package kafka_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/null"
	"github.com/streamlane/connect/internal/sessionkey"
	"github.com/streamlane/connect/kafka"
)

// fence asks a worker to fence out a connector's earlier tasks, signed by another.
func (w *workers) fence(at, connector string, by *connect.Runtime) int {
	w.t.Helper()
	mac, algorithm, err := by.SignInternal(nil)
	require.NoError(w.t, err)
	r := httptest.NewRequest(http.MethodPut, "http://"+at+":8083/connectors/"+connector+"/fence", nil)
	r.Header.Set(sessionkey.AuthorizationHeader, mac)
	r.Header.Set(sessionkey.AlgorithmHeader, algorithm)
	answer, err := w.RoundTrip(r)
	require.NoError(w.t, err)
	return answer.StatusCode
}

// The leader shuts out the producers of earlier tasks when a worker asks, and
// notes how many there may be now.
func TestLeaderFencesZombies(t *testing.T) {
	bubble(t, config.Props{"exactly.once.source.support": "preparing"}, func(t *testing.T, w *workers) {
		w.change = func(_ string, b *kafka.Broker, o *connect.Options) {
			o.Broker, o.Receiver = b, nil
			o.Plugins = append(o.Plugins, null.Plugin)
		}
		a, stopA := w.start("a")
		b, stopB := w.start("b")
		defer stopA()
		defer stopB()
		time.Sleep(time.Minute)
		lead, at, other := a, "a", b
		if leads(t, b) {
			lead, at, other = b, "b", a
		}
		is := func(fenced int, pending bool) {
			t.Helper()
			c, err := other.Connector(t.Context(), "c")
			require.NoError(t, err)
			require.Equal(t, fenced, c.Fenced)
			require.Equal(t, pending, c.PendingFencing)
		}
		put(t, "c", 2, lead)
		time.Sleep(10 * time.Second)
		is(-1, true)
		require.Equal(t, http.StatusNoContent, w.fence(at, "c", other))
		time.Sleep(time.Second)
		is(2, false)
		require.Equal(t, http.StatusNoContent, w.fence(at, "c", other), "there is nothing to do")

		zombie := transactional(t, w, "workers-c-1")
		require.NoError(t, zombie.Begin(t.Context()))
		acked := make(ackErr, 1)
		require.NoError(t, zombie.Send(t.Context(), []connect.Message{{TopicPartition: connect.TopicPartition{Topic: "offsets", Partition: -1}, Value: []byte("v")}}, acked))
		require.NoError(t, <-acked)
		put(t, "c", 3, lead)
		time.Sleep(10 * time.Second)
		is(2, true)
		require.Equal(t, http.StatusNoContent, w.fence(at, "c", other))
		time.Sleep(time.Second)
		is(3, false)
		require.ErrorIs(t, zombie.End(t.Context(), true), connect.ErrFenced)
		require.NoError(t, zombie.Close(t.Context()))

		require.Equal(t, http.StatusNotFound, w.fence(at, "absent", other))
		_, err := lead.PutConnector(t.Context(), "sink", config.Props{"connector.class": "NullSink", "topics": "t"})
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, w.fence(at, "sink", other))
	})
}

// transactional opens a producer as a task's of an exactly-once source.
func transactional(t *testing.T, w *workers, id string) connect.Producer {
	t.Helper()
	b, err := kafka.New(kafka.Options{Dial: w.kafka.Dial, Worker: config.Props{"bootstrap.servers": w.kafka.Bootstrap}})
	require.NoError(t, err)
	p, err := b.Producer(t.Context(), connect.ClientConfig{TransactionalID: id})
	require.NoError(t, err)
	return p
}

// ackErr gets what became of one message.
type ackErr chan error

func (a ackErr) Acked(_ int, _ connect.TopicPartition, _ int64, err error) { a <- err }
