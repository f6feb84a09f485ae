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
	"github.com/streamlane/connect/cluster"
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

// A sharing is the Coordinator of one of several workers, of which each has its
// share by a fixed rule.
type sharing struct {
	self   string
	hosts  map[string]string              // by name; one is leader
	owner  func(of cluster.TaskID) string // name
	rejoin chan struct{}
}

func (s sharing) Rejoin(string) {
	select {
	case s.rejoin <- struct{}{}:
	default:
	}
}

func (s sharing) url(name string) string { return "http://" + s.hosts[name] }

// shares divides all work.
func (s sharing) shares(all cluster.Work) map[string]cluster.Work {
	shares := make(map[string]cluster.Work)
	for _, c := range all.Connectors {
		name := s.owner(cluster.TaskID{Connector: c, Task: -1})
		shares[name] = shares[name].Plus(cluster.Work{Connectors: []string{c}})
	}
	for _, t := range all.Tasks {
		name := s.owner(t)
		shares[name] = shares[name].Plus(cluster.Work{Tasks: []cluster.TaskID{t}})
	}
	return shares
}

// Assignments shares anew, in a bubble, when the configuration has changed.
func (s sharing) Assignments(ctx context.Context, m connect.Member) iter.Seq2[connect.Assignment, error] {
	return func(yield func(connect.Assignment, error) bool) {
		a := connect.Assignment{MemberID: s.self, Leader: "leader", LeaderURL: s.url("leader"), Protocol: connect.ProtocolSessioned}
		for ctx.Err() == nil {
			view, err := m.View(ctx, 0)
			if err != nil {
				break
			}
			shares := s.shares(view.Work())
			a.Revoked, a.Added = m.Owned().Minus(shares[s.self]), shares[s.self].Minus(m.Owned())
			if a.IsLeader() {
				a.Owners = make(map[string]cluster.Work)
				for name, work := range shares {
					a.Owners[s.url(name)] = work
				}
			}
			if !yield(a, nil) {
				return
			}
			select {
			case <-ctx.Done():
			case <-s.rejoin:
				if !a.IsLeader() {
					time.Sleep(time.Millisecond) // leaders know first
				}
			}
		}
		a.Revoked, a.Added = m.Owned(), cluster.Work{}
		yield(a, nil)
	}
}

// byLeader gives the leader all the work.
func byLeader(cluster.TaskID) string { return "leader" }

// startCluster runs a leader and followers that share the work, in a bubble. They
// share a broker and stores, too.
func startCluster(t *testing.T, n *network, hosts map[string]string, owner func(cluster.TaskID) string) {
	t.Helper()
	shared := connect.Options{Broker: connecttest.NewBroker(), Offsets: connect.NewMemoryOffsets()}
	configs, status := newSharedLog(), newSharedLog()
	n.workers = make(map[string]http.Handler)
	for name, host := range hosts {
		o, levels := shared, NewLoggers(slog.LevelInfo)
		o.URL, o.Configs, o.Status = "http://"+host, &logView{sharedLog: configs}, &logView{sharedLog: status}
		o.Coordinator = sharing{name, hosts, owner, make(chan struct{}, 1)}
		o.Peers, o.Hooks = NewPeers(&http.Client{Transport: n}), []connect.Hook{levels}
		rt := startInBubble(t, o)
		n.workers[host] = Handler(rt, &Options{
			Version: "4.3.1", Commit: "26b251a451ce941d", ClusterID: "GWZ4IzolTPaRxhM13PB2Ow",
			Client: &http.Client{Transport: n}, Internal: NewInternal(rt), Loggers: levels, SetClusterLevel: rt.SetClusterLevel,
		})
	}
}

var workerHost = regexp.MustCompile(`^127\.0\.0\.1:1810[123]$`)

// anyWorker makes answers comparable about work that was shared otherwise in the
// recording.
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
		startCluster(t, n, hosts, func(of cluster.TaskID) string {
			switch {
			case of.Connector == "one":
				return "follower1"
			case of.Task >= 0:
				return []string{"leader", "follower1", "follower2"}[of.Task%3]
			}
			return "leader"
		})
		d := deviations{}
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
		assert.Equal(t, 1, len(d))
		assert.Equal(t, 152-1, p.compared)
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
		startCluster(t, n, clusterHosts(), byLeader)
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
