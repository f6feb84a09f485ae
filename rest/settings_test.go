package rest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// settingsHost is where the workers of settings.jsonl were.
const settingsHost = "127.0.0.1:18500"

// A workerSetting is one of the workers of settings.jsonl.
type workerSetting struct {
	worker   config.Props
	requests int
	deviates deviations
	lacks    lacking
}

func workerSettings() map[string]workerSetting {
	policy := func(name string) config.Props {
		return config.Props{"connector.client.config.override.policy": name}
	}
	null := deviation{why: "Java's answer is a NullPointerException", status: 400, part: "The request has no "}
	cors, headers := deviations{}, deviations{}
	cors.add(null, 4, 13)
	headers.add(null, 3)
	return map[string]workerSetting{
		"policy-None":          {worker: policy("None"), requests: 12},
		"policy-Allowlist":     {worker: policy("Allowlist"), requests: 12},
		"policy-Allowlist-set": {worker: policy("Allowlist").Merge(config.Props{"connector.client.config.override.allowlist": "acks,max.poll.records"}), requests: 12},
		"tracking-off":         {worker: config.Props{"topic.tracking.enable": "false"}, requests: 2},
		"admin-empty":          {worker: config.Props{"admin.listeners": ""}, requests: 5},
		"cors":                 {worker: config.Props{"access.control.allow.origin": "http://allowed.example", "access.control.allow.methods": "GET,POST,PUT"}, requests: 20, deviates: cors},
		"headers": {
			worker:   config.Props{"response.http.headers.config": `set X-One: a, add X-Two: b, setDate X-Expires: 31540000000, "add Cache-Control: no-cache, no-store"`},
			requests: 5, deviates: headers,
		},
		"eos": {worker: config.Props{}, requests: 10, lacks: lacking{"exactly-once source support": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}},
	}
}

func TestReplaySettings(t *testing.T) {
	byWorker := make(map[string][]exchange)
	for _, e := range transcript(t, "settings.jsonl") {
		byWorker[e.Worker] = append(byWorker[e.Worker], e)
	}
	settings := workerSettings()
	require.Len(t, byWorker, len(settings))
	for name, list := range byWorker {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { replaySetting(t, settings[name], list) })
		})
	}
}

func replaySetting(t *testing.T, s workerSetting, list []exchange) {
	t.Helper()
	var c framework.RESTConfig
	require.NoError(t, config.Decode(s.worker, &c))
	o, err := NewOptions(&c)
	require.NoError(t, err)
	o.Version, o.Commit, o.ClusterID = "4.3.1", "26b251a451ce941d", "GWZ4IzolTPaRxhM13PB2Ow"
	rt := startInBubble(t, connect.Options{Worker: s.worker, URL: "http://" + settingsHost})
	p := &replay{
		handler: Handler(rt, o), host: settingsHost, deviates: s.deviates, lacks: s.lacks.bySeq(),
		ours: func(_ exchange, o *outcome) { recommendOurs(rt, o) }, both: comparableConfigs,
		after: func(e exchange, w *httptest.ResponseRecorder) { compareHeaders(t, e, w.Header()) },
	}
	p.run(t, list)
	assert.Len(t, list, s.requests)
	assert.Equal(t, s.requests-len(s.deviates)-len(p.lacks), p.compared)
}

// compareHeaders looks at the headers that settings are about.
func compareHeaders(t *testing.T, e exchange, h http.Header) {
	t.Helper()
	for _, name := range []string{
		"Vary", "Allow", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
		"Access-Control-Max-Age", "X-One", "X-Two", "X-Expires", "Cache-Control",
	} {
		want, got := e.ResponseHeaders[name], strings.Join(h.Values(name), "; ")
		switch {
		case name == "X-Expires" && want != "":
			want = time.Now().Add(31540000000 * time.Millisecond).UTC().Format(http.TimeFormat)
		case strings.Contains(name, "Methods"):
			want, got = sortedList(want), sortedList(got)
		case name == "Cache-Control" && e.Status == http.StatusBadRequest:
			continue // of Jetty's own pages
		}
		assert.Equal(t, want, got, "%s: %s", e, name)
	}
}

func sortedList(text string) string {
	items := strings.Split(text, ",")
	slices.Sort(items)
	return strings.Join(items, ",")
}

// A rule for headers that means nothing is refused with the configuration, and
// left out by a handler that is given it all the same.
func TestHeaderRules(t *testing.T) {
	for _, text := range []string{"setDate X: soon", "addDate X: 1.5", "remove X: y", "set X"} {
		_, err := NewOptions(&framework.RESTConfig{ResponseHeaders: text})
		assert.ErrorContains(t, err, "response.http.headers.config", text)
	}
	h := Handler(newIdle(t), &Options{HeaderRules: []framework.HeaderRule{
		{Action: "setDate", Name: "X-Bad", Value: "soon"}, {Action: "remove", Name: "X-Bad", Value: "y"},
		{Action: "add", Name: "X-Twice", Value: "a"}, {Action: "add", Name: "X-Twice", Value: "b"},
		{Action: "addDate", Name: "X-Date", Value: "0"},
	}})
	w := send(t, h, host, http.MethodGet, "/", nil, nil)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Empty(t, w.Header().Values("X-Bad"))
	assert.Equal(t, []string{"a", "b"}, w.Header().Values("X-Twice"))
	_, err := http.ParseTime(w.Header().Get("X-Date"))
	assert.NoError(t, err)
}

func TestOriginPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern, origin string
		want            bool
	}{
		{"https://example.com", "https://example.com", true},
		{"https://example.com", "HTTPS://Example.COM", true},
		{"https://example.com", "https://exampleXcom", false},
		{"https://example.com", "https://example.com.evil.org", false},
		{"https://*.example.com", "https://a.b.example.com", true},
		{"https://*.example.com", "https://example.com", false},
		{"*", "null", true},
		{"http://*:*", "http://localhost:3000", true},
		{"http://*:*", "https://localhost:3000", false},
		{"a*a", "a", false},
	} {
		assert.Equal(t, tt.want, newCORS([]string{tt.pattern}, nil).allows(tt.origin), "%s %s", tt.pattern, tt.origin)
	}
}
