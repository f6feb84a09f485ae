//go:build synctests

package kafka_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Whoever is asked, a task or a connector instance is restarted by the worker that
// has it: the leader knows which that is.
func TestRestartsReachTheOwner(t *testing.T) {
	for _, protocol := range []string{"sessioned", "eager"} {
		t.Run(protocol, func(t *testing.T) { restartByAll(t, protocol) })
	}
}

// restartByAll asks each worker for each restart, in a bubble.
func restartByAll(t *testing.T, protocol string) {
	bubble(t, map[string]string{"connect.protocol": protocol}, func(t *testing.T, w *workers) {
		names := []string{"a", "b", "d"}
		a, stopA := w.start("a")
		_, stopB := w.start("b")
		_, stopD := w.start("d")
		time.Sleep(30 * time.Second)
		post := func(to, path, body string) int {
			r := httptest.NewRequest(http.MethodPost, "http://"+to+":8083"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			answer, err := w.RoundTrip(r)
			require.NoError(t, err)
			return answer.StatusCode
		}
		require.Equal(t, http.StatusCreated, post("b", "/connectors", `{"name":"c","config":{"connector.class":"Idle","tasks.max":"3"}}`))
		time.Sleep(30 * time.Second)
		tasks, running := spread(t, a, "c")
		require.Equal(t, 3, running)
		require.Len(t, tasks, 3, "each worker has one")
		for _, name := range names {
			for task := range 3 {
				before := w.startsOf(3)
				require.Equal(t, http.StatusNoContent, post(name, fmt.Sprintf("/connectors/c/tasks/%d/restart", task), ""), "task %d by way of %s", task, name)
				time.Sleep(time.Second)
				synctest.Wait()
				before[fmt.Sprint(task)]++
				require.Equal(t, before, w.startsOf(3), "task %d by way of %s", task, name)
			}
			before := w.instancesStarted()
			require.Equal(t, http.StatusNoContent, post(name, "/connectors/c/restart", ""), "by way of %s", name)
			time.Sleep(time.Second)
			synctest.Wait()
			require.Equal(t, before+1, w.instancesStarted(), "the instance by way of %s", name)
			// What a leader asks of an owner goes no further.
			require.Contains(t, []int{http.StatusNoContent, http.StatusConflict}, post(name, "/connectors/c/restart?forward=false", ""))
			require.Contains(t, []int{http.StatusNoContent, http.StatusConflict}, post(name, "/connectors/c/tasks/0/restart?forward=false", ""))
			time.Sleep(time.Second)
		}
		stopB()
		stopD()
		stopA()
	})
}

// Of two workers that do not lead, the one that has a connector instance restarts
// it when the leader asks, as Java's leaders do.
func TestOwnerRestartsItsInstance(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *workers) {
		a, stopA := w.start("a")
		b, stopB := w.start("b")
		time.Sleep(30 * time.Second)
		put(t, "c0", 1, a, b)
		put(t, "c1", 1, a, b)
		time.Sleep(30 * time.Second)
		for _, connector := range []string{"c0", "c1"} {
			s, err := a.Status(t.Context(), connector)
			require.NoError(t, err)
			before := w.instancesStarted()
			r := httptest.NewRequest(http.MethodPost, "http://"+s.Connector.WorkerID+"/connectors/"+connector+"/restart?forward=false", nil)
			answer, err := w.RoundTrip(r)
			require.NoError(t, err)
			require.Equal(t, http.StatusNoContent, answer.StatusCode, "%s on %s", connector, s.Connector.WorkerID)
			time.Sleep(time.Second)
			synctest.Wait()
			require.Equal(t, before+1, w.instancesStarted())
		}
		stopB()
		stopA()
	})
}
