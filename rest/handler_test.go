package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/sessionkey"
)

const someSource = `{"connector.class":"FileStreamSource","file":"no-such-file","topic":"t"}`

// The handler works below any prefix of a host's mux, behind its middleware, and
// its answers lead back there.
func TestMount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := startInBubble(t, connect.Options{})
		h := Handler(rt, nil)
		var seen []string
		middleware := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, r.URL.Path)
				w.Header().Set("X-Host", "yes")
				next.ServeHTTP(w, r)
			})
		}
		inner := http.NewServeMux()
		inner.Handle("/connect/", http.StripPrefix("/connect", h))
		outer := http.NewServeMux()
		outer.Handle("/api/", middleware(http.StripPrefix("/api", inner)))
		outer.Handle("/kc/", http.StripPrefix("/kc/", h))
		outer.Handle("/", h)
		for prefix, name := range map[string]string{"/api/connect": "a", "/kc": "b", "": "c"} {
			w := send(t, outer, "example.com", "PUT", prefix+"/connectors/x%2F"+name+"/config", jsonHeader(), []byte(someSource))
			require.Equal(t, http.StatusCreated, w.Code, w.Body)
			location := w.Header().Get("Location")
			assert.Equal(t, "http://example.com"+prefix+"/connectors/x%2F"+name, location)
			w = send(t, outer, "example.com", "GET", strings.TrimPrefix(location, "http://example.com"), nil, nil)
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Contains(t, w.Body.String(), `"name":"x/`+name+`"`)
			assert.Equal(t, 200, send(t, outer, "example.com", "GET", prefix+"/", nil, nil).Code)
			w = send(t, outer, "example.com", "GET", prefix+"/nothing", nil, nil)
			assert.JSONEq(t, `{"error_code":404,"message":"HTTP 404 Not Found"}`, w.Body.String())
		}
		assert.Len(t, seen, 4, "the middleware of the host")
	})
}

// Location headers begin with the URL by which the client came, or with the one
// that the host says.
func TestBaseURL(t *testing.T) {
	for _, tt := range []struct {
		name, baseURL, target, path string
		tls                         bool
		want                        string
	}{
		{"plain", "", "/connectors", "/connectors", false, "http://h:1"},
		{"TLS", "", "/connectors", "/connectors", true, "https://h:1"},
		{"prefix", "", "/a/b/connectors?x=/connectors", "/connectors", false, "http://h:1/a/b"},
		{"escaped prefix", "", "/a%2Fb/connectors", "/connectors", false, "http://h:1/a%2Fb"},
		{"whole URL", "", "http://h:1/a/connectors", "/connectors", false, "http://h:1/a"},
		{"rewritten", "", "/other", "/connectors", false, "http://h:1"},
		{"said", "https://example.com/x/", "/a/connectors", "/connectors", false, "https://example.com/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, tt.path, nil)
			r.RequestURI, r.Host = tt.target, "h:1"
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			s := newServer(nil, &Options{BaseURL: tt.baseURL})
			assert.Equal(t, tt.want, s.baseURL(r))
		})
	}
}

// told is a Coordinator that yields what it is told.
type told struct{ next chan connect.Assignment }

func (told) Rejoin(string) {}

func (c told) Assignments(ctx context.Context, m connect.Member) iter.Seq2[connect.Assignment, error] {
	return func(yield func(connect.Assignment, error) bool) {
		for {
			select {
			case a := <-c.next:
				if !yield(a, nil) {
					return
				}
			case <-ctx.Done():
				yield(connect.Assignment{Revoked: m.Owned()}, nil)
				return
			}
		}
	}
}

// All states of health.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := newIdle(t)
		began := time.Now()
		w := send(t, Handler(idle, nil), host, "GET", "/health", nil, nil)
		assert.Equal(t, 503, w.Code)
		assert.JSONEq(t, `{"status":"starting","message":"Worker is still starting up."}`, w.Body.String())
		assert.Equal(t, 10*time.Second, time.Since(began))

		lost := make(chan connect.Assignment)
		rt, err := connect.New(connect.Options{Coordinator: told{lost}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- rt.Run(ctx) }()
		const since = "The worker is currently joining the other workers of its cluster, which began at 2000-01-01T00:00:"
		h := Handler(rt, &Options{HealthTimeout: time.Minute})
		w = send(t, h, host, "GET", "/health", nil, nil)
		assert.Equal(t, 503, w.Code)
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.JSONEq(t, `{"status":"starting","message":"Worker is still starting up. `+since+`10Z"}`, w.Body.String())
		w = send(t, h, host, "DELETE", "/connectors/x", nil, nil)
		assert.Equal(t, 503, w.Code)
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.JSONEq(t, `{"error_code":503,"message":"Request timed out. `+since+`10Z"}`, w.Body.String())

		lost <- connect.Assignment{MemberID: "a", Leader: "a"}
		assert.Equal(t, 200, send(t, h, host, "GET", "/health", nil, nil).Code)
		time.Sleep(10 * time.Second)
		lost <- connect.Assignment{MemberID: "a", Lost: true}
		synctest.Wait()
		began = time.Now()
		w = send(t, h, host, "GET", "/health", nil, nil)
		assert.Equal(t, 500, w.Code)
		const unable = "Worker was unable to handle this request and may be unable to handle other requests. The worker is currently joining"
		assert.Contains(t, w.Body.String(), `{"status":"unhealthy","message":"`+unable)
		assert.Equal(t, time.Minute, time.Since(began))
		w = send(t, h, host, "DELETE", "/connectors/x", nil, nil)
		assert.Equal(t, 500, w.Code)
		assert.Contains(t, w.Body.String(), "Request timed out. The worker is currently joining")
		cancel()
		require.NoError(t, <-ended)

		rt, err = connect.New(connect.Options{})
		require.NoError(t, err)
		ctx, cancel = context.WithCancel(t.Context())
		go func() { ended <- rt.Run(ctx) }()
		h = Handler(rt, nil)
		assert.Equal(t, 200, send(t, h, host, "GET", "/health", nil, nil).Code)
		cancel()
		require.NoError(t, <-ended)
		w = send(t, h, host, "GET", "/health", nil, nil)
		assert.Equal(t, 503, w.Code)
		assert.JSONEq(t, `{"status":"unhealthy","message":"Worker has been shut down."}`, w.Body.String())
		assert.Equal(t, 503, send(t, h, host, "GET", "/connectors", nil, nil).Code)
	})
}

// A worker that does not answer has 90 s, or what the host grants.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timeout, want := range map[time.Duration]time.Duration{0: 90 * time.Second, time.Second: time.Second} {
			began := time.Now()
			w := send(t, Handler(newIdle(t), &Options{RequestTimeout: timeout}), host, "GET", "/connectors/x", nil, nil)
			assert.Equal(t, 503, w.Code, "it was never ready")
			assert.JSONEq(t, `{"error_code":503,"message":"Request timed out"}`, w.Body.String())
			assert.Equal(t, want, time.Since(began))
		}
	})
}

func TestServerInfo(t *testing.T) {
	w := send(t, Handler(newIdle(t), nil), host, "GET", "/", nil, nil)
	var info map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &info))
	assert.NotEmpty(t, info["version"])
	assert.NotEmpty(t, info["commit"])
	assert.Contains(t, info, "kafka_cluster_id")
	assert.Nil(t, info["kafka_cluster_id"])
}

func TestBodyLimit(t *testing.T) {
	h := Handler(newIdle(t), &Options{MaxBody: 100, RequestTimeout: 1})
	body := []byte(`{"a":"` + strings.Repeat("x", 100) + `"}`)
	w := send(t, h, host, "PUT", "/connectors/x/config", jsonHeader(), body)
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	assert.JSONEq(t, `{"error_code":413,"message":"the body is larger than 100 bytes"}`, w.Body.String())
	w = send(t, h, host, "PUT", "/connectors/x/config", jsonHeader(), body[:90])
	assert.Equal(t, 500, w.Code, "cut off, but not too large")
}

// broken panics.
type broken struct {
	Internal
	value any
}

func (b broken) Verify(context.Context, http.Header, []byte) error { panic(b.value) }

func TestPanic(t *testing.T) {
	var logged bytes.Buffer
	o := &Options{Internal: broken{value: "oh"}, Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	h := Handler(newIdle(t), o)
	w := send(t, h, host, "PUT", "/connectors/x/fence", nil, nil)
	assert.Equal(t, 500, w.Code)
	assert.JSONEq(t, `{"error_code":500,"message":"Internal Server Error"}`, w.Body.String())
	assert.Contains(t, logged.String(), "panic=oh")
	assert.Contains(t, logged.String(), "handler_test.go", "the stack")

	o.Internal = broken{value: http.ErrAbortHandler}
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { send(t, Handler(newIdle(t), o), host, "PUT", "/connectors/x/fence", nil, nil) })
}

// Requests are logged once: failures of the worker as warnings.
func TestRequestLog(t *testing.T) {
	var logged bytes.Buffer
	o := &Options{RequestTimeout: 1, Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	h := Handler(newIdle(t), o)
	for path, want := range map[string]string{
		"/":           "level=DEBUG msg=request method=GET path=/ status=200 took=",
		"/nothing":    "level=DEBUG msg=request method=GET path=/nothing status=404 took=",
		"/connectors": "level=WARN msg=request method=GET path=/connectors status=503 took=",
	} {
		logged.Reset()
		send(t, h, host, "GET", path, nil, nil)
		assert.Contains(t, logged.String(), want)
		assert.Equal(t, 1, strings.Count(logged.String(), "\n"), logged.String())
	}
	assert.Contains(t, func() string {
		logged.Reset()
		send(t, h, host, "GET", "/connectors", nil, nil)
		return logged.String()
	}(), "err=")
}

func TestAdminHandler(t *testing.T) {
	h := AdminHandler(&Options{Loggers: NewLoggers(slog.LevelWarn)})
	w := send(t, h, host, "GET", "/admin/loggers/root", nil, nil)
	assert.JSONEq(t, `{"level":"WARN","last_modified":null}`, w.Body.String())
	for _, path := range []string{"/", "/connectors", "/health", "/admin"} {
		assert.Equal(t, 404, send(t, h, host, "GET", path, nil, nil).Code, path)
	}
}

// The words of connectors that have no say in their offsets, and of topics that
// may not be reset.
func TestOffsetsAndTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := startInBubble(t, connect.Options{
			Worker:  config.Props{"topic.tracking.allow.reset": "false"},
			Plugins: []connect.Plugin{connecttest.SourcePlugin("Silent", func(config.Props) connecttest.SourceTask { return connecttest.SourceTask{} })},
		})
		h := Handler(rt, nil)
		ask := func(method, path, body string) *httptest.ResponseRecorder {
			return send(t, h, host, method, path, jsonHeader(), []byte(body))
		}
		w := ask("POST", "/connectors", `{"name":"s","config":{"connector.class":"Silent"},"initial_state":"stopped"}`)
		require.Equal(t, 201, w.Code, w.Body)
		change := `{"offsets":[{"partition":{"a":1},"offset":{"b":1.5,"c":"x"}},{"partition":{"a":2},"offset":null}]}`
		w = ask("PATCH", "/connectors/s/offsets", change)
		const unmanaged = "The Connect framework-managed offsets for this connector have been %s successfully. However, if this connector manages offsets externally, they will need to be manually %[1]s in the system that the connector uses."
		assert.Contains(t, w.Body.String(), fmt.Sprintf(unmanaged, "altered"))
		assert.JSONEq(t, `{"offsets":[{"partition":{"a":1},"offset":{"b":1.5,"c":"x"}}]}`, ask("GET", "/connectors/s/offsets", "").Body.String())
		for _, bad := range []string{
			`{"offsets":[{"partition":{"a":[1]},"offset":{"b":1}}]}`,
			`{"offsets":[{"partition":{"a":1},"offset":{"b":{}}}]}`,
			`{"offsets":[{"partition":{"a":1},"offset":{"b":99999999999999999999}}]}`,
		} {
			w = ask("PATCH", "/connectors/s/offsets", bad)
			assert.Equal(t, 400, w.Code, "%s: %s", bad, w.Body)
		}
		for _, bad := range []string{`{"offsets":[1]}`, `{"offsets":[{"partition":[]}]}`, `{"offsets":[{"partition":{},"offset":1}]}`, `{"offsets":5}`} {
			assert.Equal(t, 500, ask("PATCH", "/connectors/s/offsets", bad).Code, bad)
		}
		w = ask("DELETE", "/connectors/s/offsets", "")
		assert.Contains(t, w.Body.String(), fmt.Sprintf(unmanaged, "reset"))
		assert.Equal(t, 200, ask("GET", "/connectors/s/topics", "").Code)
		w = ask("PUT", "/connectors/s/topics/reset", "")
		assert.Equal(t, 403, w.Code)
		assert.JSONEq(t, `{"error_code":403,"message":"Topic tracking reset is disabled."}`, w.Body.String())
	})
}

// A connector whose class is not there any more is still shown, and its offsets
// are not guessed at.
func TestUnknownClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		configs := connect.NewMemoryLog()
		require.NoError(t, configs.Append(t.Context(), connect.KV{Key: []byte("connector-old"), Value: []byte(`{"properties":{"connector.class":"Gone","name":"old"}}`)}))
		h := Handler(startInBubble(t, connect.Options{Configs: configs}), nil)
		time.Sleep(time.Second)
		assert.JSONEq(t, `{"name":"old","config":{"connector.class":"Gone","name":"old"},"tasks":[],"type":"unknown"}`, send(t, h, host, "GET", "/connectors/old", nil, nil).Body.String())
		w := send(t, h, host, "GET", "/connectors/old/status", nil, nil)
		assert.Contains(t, w.Body.String(), `"state":"FAILED"`)
		assert.Contains(t, w.Body.String(), `"type":"unknown"`)
		assert.Equal(t, 500, send(t, h, host, "GET", "/connectors/old/offsets", nil, nil).Code)
	})
}

// The table of errors.
func TestStatusOf(t *testing.T) {
	for _, tt := range []struct {
		err     error
		status  int
		message string
	}{
		{fmt.Errorf("x: %w", connect.ErrNotFound), 404, "x: not found"},
		{fmt.Errorf("x: %w", connect.ErrExists), 409, "x: already exists"},
		{connect.ErrForbidden, 403, "forbidden"},
		{fmt.Errorf("%w: no class: %w", connect.ErrBadRequest, connect.ErrNotFound), 400, "bad request: no class: not found"},
		{connect.ErrConflict, 409, messageConflict},
		{fmt.Errorf("%w: %w", connect.ErrConflict, sessionkey.ErrNoKey), 503, "conflict: no session key"},
		{fmt.Errorf("%w: %w", connect.ErrForbidden, sessionkey.ErrForged), 403, "forbidden: wrong signature"},
		{connect.ErrFenced, 409, messageConflict},
		{connect.ErrRevoked, 409, messageConflict},
		{connect.ErrStopped, 503, "The worker is shutting down"},
		{&connect.NotLeaderError{URL: "http://x"}, 409, messageNoLeader},
		{context.DeadlineExceeded, 500, messageTimeout},
		{context.Canceled, 500, "context canceled"},
		{errors.New("anything"), 500, "anything"},
		{fmt.Errorf("x: %w", &StatusError{Status: 418, Message: "tea"}), 418, "tea"},
		{&connect.InvalidConfigError{Result: config.Result{ErrorCount: 1, Configs: []config.ConfigValue{{Value: config.ValueInfo{Errors: []string{"bad"}}}}}}, 400,
			"Connector configuration is invalid and contains the following 1 error(s):\nbad\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"},
	} {
		e := statusOf(tt.err)
		assert.Equal(t, tt.status, e.Status, "%v", tt.err)
		assert.Equal(t, tt.message, e.Message, "%v", tt.err)
	}
	e := failure(500, connect.ErrFenced, "x %d", 1)
	assert.Equal(t, "status 500: x 1: fenced", e.Error())
	assert.ErrorIs(t, e, connect.ErrFenced)
	assert.Equal(t, "status 400: y", badRequest("y").Error())
}

func TestAccepted(t *testing.T) {
	for accept, want := range map[string]string{
		"": "a/j", "*/*": "a/j", "a/*": "a/j", "a/j": "a/j", "A/J": "a/j", "t/p": "", "bad": "", ",": "",
		"t/p, a/j;q=0.1": "a/j", "a/j;q=0": "", "*/*;q=0.5, a/j;q=0": "", "a/j;q=x": "a/j", "a/j; version=1": "a/j", "t/p;q=;, a/*": "a/j",
	} {
		assert.Equal(t, want, accepted([]string{accept}, "a/j"), "%q", accept)
	}
	assert.Equal(t, "t/p", accepted([]string{"a/j;q=0.5", "t/p"}, "a/j", "t/p"), "of two headers")
	assert.Equal(t, "a/j", accepted(nil, "a/j", "t/p"))
}
