//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// restPeer speaks to the REST interface of a worker, Java's or ours.
type restPeer struct {
	t    testing.TB
	base string // the interface's URL, without a slash at its end
}

// on returns the peer for a subtest.
func (p restPeer) on(t testing.TB) restPeer {
	p.t = t
	return p
}

// An answer is what a worker says.
type answer struct {
	status   int // 0: it cannot be reached
	location string
	text     string
}

// into reads the JSON of a body.
func (a answer) into(t testing.TB, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.text), v), a.text)
}

// ask makes a request; a nil body is none.
func (p restPeer) ask(method, path string, body any, headers ...string) answer {
	p.t.Helper()
	var text io.Reader
	if body != nil {
		b, raw := body.([]byte)
		if !raw {
			var err error
			b, err = json.Marshal(body)
			require.NoError(p.t, err)
		}
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(within(p.t), method, p.base+path, text)
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}
	}
	return answer{resp.StatusCode, resp.Header.Get("Location"), string(b)}
}

// call makes a request; into nil ignores the answer. It returns the status.
func (p restPeer) call(method, path string, body, into any) int {
	p.t.Helper()
	a := p.ask(method, path, body)
	if into != nil && a.status > 0 && a.status < 300 {
		a.into(p.t, into)
	}
	return a.status
}

// settled asks until the answer is not about a rebalance that is going on.
func (p restPeer) settled(method, path string, body any) (a answer) {
	p.t.Helper()
	eventually(p.t, func() bool {
		a = p.ask(method, path, body)
		return a.status != 0 && !strings.Contains(a.text, "rebalance")
	}, "%s %s to be done; last answer %v", method, path, &a)
	return a
}

// do makes a request that must be granted, once the workers have settled.
func (p restPeer) do(method, path string, body any) answer {
	p.t.Helper()
	a := p.settled(method, path, body)
	require.Less(p.t, a.status, 300, "%s %s: %s", method, path, a.text)
	return a
}

// restState is a state as REST shows it.
type restState struct {
	ID     int    `json:"id"` // of a task
	State  string `json:"state"`
	Worker string `json:"worker_id"`
	Trace  string `json:"trace"`
}

// restStatus is the state of a connector and its tasks.
type restStatus struct {
	Connector restState   `json:"connector"`
	Tasks     []restState `json:"tasks"`
}

func (p restPeer) status(name string) (s restStatus, known bool) {
	p.t.Helper()
	return s, p.call(http.MethodGet, "/connectors/"+name+"/status", nil, &s) == http.StatusOK
}

// put creates a connector and waits until it and its tasks run.
func (p restPeer) put(name string, props config.Props) {
	p.t.Helper()
	p.do(http.MethodPut, "/connectors/"+name+"/config", props)
	eventually(p.t, func() bool { return p.running(name) }, "connector %s and its tasks to run", name)
}

func (p restPeer) running(name string) bool {
	p.t.Helper()
	return p.in(name, "RUNNING", "RUNNING")
}

// in tells whether a connector and its tasks, of which there is one at least, are
// in these states. An empty state of the tasks: there are none.
func (p restPeer) in(name, connector, tasks string) bool {
	p.t.Helper()
	s, known := p.status(name)
	if !known || s.Connector.State != connector || (tasks == "") != (len(s.Tasks) == 0) {
		return false
	}
	for _, task := range s.Tasks {
		if task.State != tasks {
			return false
		}
	}
	return true
}

// halt stops a connector, tasks and all (KIP-875), and waits until it has.
func (p restPeer) halt(name string) {
	p.t.Helper()
	p.do(http.MethodPut, "/connectors/"+name+"/stop", nil)
	eventually(p.t, func() bool { return p.in(name, "STOPPED", "") }, "connector %s to stop", name)
}

// resume undoes halt.
func (p restPeer) resume(name string) {
	p.t.Helper()
	p.do(http.MethodPut, "/connectors/"+name+"/resume", nil)
	eventually(p.t, func() bool { return p.running(name) }, "connector %s to run again", name)
}
