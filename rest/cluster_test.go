package rest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/sessionkey"
)

// follower is the Coordinator of a worker that another one leads, and that runs
// nothing. The leader's URL may be empty: unknown.
type follower struct{ leader string }

func (follower) Rejoin(string) {}

func (f follower) Assignments(ctx context.Context, _ connect.Member) iter.Seq2[connect.Assignment, error] {
	return func(yield func(connect.Assignment, error) bool) {
		a := connect.Assignment{MemberID: "follower", Leader: "leader", LeaderURL: f.leader}
		if yield(a, nil) {
			<-ctx.Done()
			yield(a, nil)
		}
	}
}

// A network carries requests between workers in memory, and keeps them.
type network struct {
	workers map[string]http.Handler // by host

	mu       sync.Mutex
	requests []*http.Request
}

// RoundTrip asks the worker of the host.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.requests = append(n.requests, r)
	n.mu.Unlock()
	h := n.workers[r.URL.Host]
	if h == nil {
		return nil, errors.New("no such host")
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), r.Body)
	in.Host, in.Header = r.URL.Host, r.Header.Clone()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	return w.Result(), nil
}

func (n *network) take() []*http.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.requests
	n.requests = nil
	return taken
}

// clusterHosts are where the workers of cluster.jsonl were.
func clusterHosts() map[string]string {
	return map[string]string{"leader": "127.0.0.1:18102", "follower1": "127.0.0.1:18101", "follower2": "127.0.0.1:18103"}
}

// startCluster runs a leader, which does all the work, and followers, in a
// bubble. They share a broker and stores.
func startCluster(t *testing.T, n *network, hosts map[string]string) {
	t.Helper()
	shared := connect.Options{Broker: connecttest.NewBroker(), Offsets: connect.NewMemoryOffsets()}
	configs, status, keyed := newSharedLog(), newSharedLog(), newKeyed(t)
	all := make(map[string]*Loggers)
	for name := range hosts {
		all[name] = NewLoggers(slog.LevelInfo)
	}
	n.workers = make(map[string]http.Handler)
	for name, host := range hosts {
		o := shared
		o.URL, o.Configs, o.Status = "http://"+host, &logView{sharedLog: configs}, &logView{sharedLog: status}
		if name != "leader" {
			o.Coordinator = follower{"http://" + hosts["leader"]}
		}
		n.workers[host] = Handler(startInBubble(t, o), &Options{
			Version: "4.3.1", Commit: "26b251a451ce941d", ClusterID: "GWZ4IzolTPaRxhM13PB2Ow",
			Client: &http.Client{Transport: n}, Internal: keyed, Loggers: all[name],
			SetClusterLevel: func(_ context.Context, namespace, level string) error {
				for _, l := range all {
					if _, err := l.Set(namespace, level); err != nil {
						return err
					}
				}
				return nil
			},
		})
	}
}

var workerHost = regexp.MustCompile(`^127\.0\.0\.1:1810[123]$`)

// anyWorker makes answers comparable of which the leader has done the work, and
// any worker in the recording.
func anyWorker(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			anyWorker(item)
		}
	case map[string]any:
		if id, ok := v["worker_id"].(string); ok && workerHost.MatchString(id) {
			v["worker_id"] = "(worker)"
		}
		for _, item := range v {
			anyWorker(item)
		}
	}
}

func TestReplayCluster(t *testing.T) {
	list := transcript(t, "cluster.jsonl")
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("cl-0.txt", []byte("one\n"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		hosts := clusterHosts()
		startCluster(t, n, hosts)
		const owner = "the leader has all the work"
		d := deviations{}
		d.add(deviation{why: owner, status: 204}, 56, 57, 64, 65)
		d.add(deviation{why: owner, status: 409, part: messageConflict}, 68, 69, 76, 77)
		d.add(deviation{why: owner, status: 204}, 84, 85)
		d.add(deviation{why: "the offset is committed by then", status: 200, part: `"position":4`}, 16)
		p := &replay{
			deviates: d, wait: 2 * time.Second,
			both: func(e exchange, o *outcome) {
				laterThings(e, o)
				anyWorker(o.Body)
			},
		}
		for _, e := range list {
			p.handler, p.host = n.workers[hosts[e.Worker]], hosts[e.Worker]
			p.run(t, []exchange{e})
		}
		assert.Len(t, list, 152)
		assert.Equal(t, 11, len(d))
		assert.Equal(t, 152-11, p.compared)
	})
}

// Two workers that take each other for the leader: a request makes two hops and
// ends.
func TestForwardingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		hosts := map[string]string{"a": "a:1", "b": "b:1"}
		n.workers = make(map[string]http.Handler)
		for name, other := range map[string]string{"a": "b", "b": "a"} {
			rt := startInBubble(t, connect.Options{URL: "http://" + hosts[name], Coordinator: follower{"http://" + hosts[other] + "/"}})
			n.workers[hosts[name]] = Handler(rt, &Options{Client: &http.Client{Transport: n}})
		}
		w := send(t, n.workers["a:1"], "a:1", http.MethodPut, "/connectors/x%2Fy/config", jsonHeader(), []byte(`{"connector.class": "FileStreamSource",  "file":"f","topic":"t"}`))
		assert.Equal(t, http.StatusConflict, w.Code)
		assert.JSONEq(t, `{"error_code":409,"message":"`+messageConflict+`"}`, w.Body.String())
		var hops []string
		for _, r := range n.take() {
			hops = append(hops, r.Method+" "+r.URL.String())
		}
		assert.Equal(t, []string{"PUT http://b:1/connectors/x%2Fy/config?forward=true", "PUT http://a:1/connectors/x%2Fy/config?forward=false"}, hops)
	})
}

// What goes along with a forwarded request, and what does not.
func TestForwardedRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		startCluster(t, n, clusterHosts())
		ask := n.workers[clusterHosts()["follower1"]]
		headers := map[string]string{"Content-Type": "application/json; charset=utf-8", "Authorization": "Basic eDp5", "Cookie": "c=1", "X-Connect-Authorization": "AAAA"}
		body := `{ "name": "one", "config": {"connector.class": "FileStreamSource", "file": "f", "topic": "t"} }`
		w := send(t, ask, "follower", http.MethodPost, "/connectors?x=y", headers, []byte(body))
		require.Equal(t, http.StatusCreated, w.Code, w.Body)
		assert.Equal(t, "http://follower/connectors/one", w.Header().Get("Location"))
		r := n.take()[0]
		assert.Equal(t, "/connectors?forward=true", r.URL.RequestURI())
		assert.Equal(t, http.Header{
			"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"kafka-connect"}, "Authorization": {"Basic eDp5"},
		}, r.Header)
		assert.Less(t, r.ContentLength, int64(len(body)), "the JSON is written anew")

		time.Sleep(time.Second) // until there are states
		w = send(t, ask, "follower", http.MethodPost, "/connectors/one/restart?includeTasks=true&onlyFailed=x&y=z", nil, nil)
		r = n.take()[0]
		assert.Equal(t, "forward=true&includeTasks=true&onlyFailed=x", r.URL.RawQuery)
		assert.Equal(t, http.Header{"Accept": {"application/json"}, "User-Agent": {"kafka-connect"}}, r.Header)
		assert.Equal(t, http.StatusAccepted, w.Code, w.Body)
	})
}

// canned answers as it is told to.
type canned struct {
	status int
	body   string
	err    error
}

// RoundTrip answers.
func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	if c.err != nil {
		return nil, c.err
	}
	w := httptest.NewRecorder()
	w.Header().Set("Location", "http://elsewhere/")
	w.WriteHeader(c.status)
	_, _ = w.WriteString(c.body)
	return w.Result(), nil
}

// What a leader may answer, and what becomes of it.
func TestForwardedAnswer(t *testing.T) {
	const ioFailure = "IO Error trying to forward REST request"
	for _, tt := range []struct {
		name   string
		leader string
		canned canned
		status int
		body   string // part of it
	}{
		{"no content", "http://l", canned{status: 204}, 204, ""},
		{"ok", "http://l", canned{status: 200, body: `{"a":1}`}, 200, `{"a":1}`},
		{"accepted, empty", "http://l", canned{status: 202}, 202, ""},
		{"error", "http://l", canned{status: 404, body: `{"error_code":404,"message":"no"}`}, 404, `{"error_code":404,"message":"no"}`},
		{"code of its own", "http://l", canned{status: 409, body: `{"error_code":4711,"message":"no"}`}, 409, `{"error_code":4711,"message":"no"}`},
		{"error without JSON", "http://l", canned{status: 502, body: "<html>"}, 500, ioFailure},
		{"answer without JSON", "http://l", canned{status: 200, body: "<html>"}, 500, ioFailure},
		{"redirect", "http://l", canned{status: 307, body: "{}"}, 500, "Unexpected status code when handling forwarded request: 307"},
		{"too long", "http://l", canned{status: 200, body: `"` + strings.Repeat("x", 2000) + `"`}, 500, ioFailure},
		{"no connection", "http://l", canned{err: errors.New("refused")}, 500, ioFailure},
		{"no URL", "", canned{status: 204}, 409, messageNoLeader},
		{"bad URL", "http://l:x", canned{status: 204}, 500, ioFailure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := startInBubble(t, connect.Options{Coordinator: follower{tt.leader}})
				h := Handler(rt, &Options{Client: &http.Client{Transport: tt.canned}, MaxBody: 1000})
				w := send(t, h, host, http.MethodDelete, "/connectors/x", nil, nil)
				assert.Equal(t, tt.status, w.Code)
				assert.Contains(t, w.Body.String(), tt.body)
				assert.Empty(t, w.Header().Get("Location"))
				w = send(t, h, host, http.MethodDelete, "/connectors/x?forward=", nil, nil)
				assert.Equal(t, http.StatusConflict, w.Code, "not to be forwarded")
			})
		})
	}
}

// Requests between workers are believed if they are signed.
func TestInternalRequests(t *testing.T) {
	rt, internal := newIdle(t), newKeyed(t)
	const good = `[{"a":"b"}]`
	signature := func(text, algorithm string) map[string]string {
		return map[string]string{"Content-Type": "application/json", sessionkey.AuthorizationHeader: text, sessionkey.AlgorithmHeader: algorithm}
	}
	signed := func(body string) map[string]string {
		s, err := internal.key.Sign("HmacSHA256", []byte(body))
		require.NoError(t, err)
		return signature(s.Authorization, s.Algorithm)
	}
	for _, tt := range []struct {
		name    string
		err     error
		headers map[string]string
		body    string
		status  int
		part    string
	}{
		{"signed", nil, signed(good), good, 204, ""},
		{"not signed", nil, jsonHeader(), good, 400, "Internal request missing required signature"},
		{"signature of another body", nil, signed("[]"), good, 403, "Internal request contained invalid signature."},
		{"no Base64", nil, signature("*", "HmacSHA256"), good, 400, "no Base64"},
		{"unknown algorithm", nil, signature("AAAA", "HmacSHA256x"), good, 400, "Algorithm HmacSHA256x not available"},
		{"algorithm not allowed", nil, signature("AAAA", "HmacSHA512"), good, 400, "does not support the 'HmacSHA512' key signing algorithm"},
		{"no list", nil, signed("{}"), "{}", 500, "Cannot deserialize"},
		{"no objects", nil, signed("[5]"), "[5]", 500, "Cannot deserialize"},
		{"no body", nil, signed(""), "", 400, "The request has no body"},
		{"unknown connector", fmt.Errorf("connector: %w", connect.ErrNotFound), signed(good), good, 404, "Connector one not found"},
		{"overtaken", connect.ErrConflict, signed(good), good, 409, messageConflict},
		{"other leader", &connect.NotLeaderError{}, signed(good), good, 409, messageNoLeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			internal := internal
			internal.err = tt.err
			w := send(t, Handler(rt, &Options{Internal: internal}), host, http.MethodPost, "/connectors/one/tasks", tt.headers, []byte(tt.body))
			assert.Equal(t, tt.status, w.Code, w.Body)
			assert.Contains(t, w.Body.String(), tt.part)
		})
	}
	h := Handler(rt, &Options{Internal: internal})
	assert.Equal(t, 204, send(t, h, host, http.MethodPut, "/connectors/one/fence", signed(""), nil).Code)
	assert.Equal(t, 403, send(t, h, host, http.MethodPut, "/connectors/one/fence", signed("x"), nil).Code)
	w := send(t, Handler(rt, &Options{Internal: keyed{}}), host, http.MethodPut, "/connectors/one/fence", signed(""), nil)
	assert.Equal(t, 503, w.Code, "no session key yet")
}

func jsonHeader() map[string]string { return map[string]string{"Content-Type": "application/json"} }
