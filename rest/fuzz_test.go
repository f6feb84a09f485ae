package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
)

// FuzzRequest sends any request to a worker whose leader is not known. Whatever
// comes in, an answer goes out that clients understand.
func FuzzRequest(f *testing.F) {
	for _, r := range everyRoute() {
		f.Add(r.method, strings.NewReplacer("{name}", "x", "{task}", "0", "{revision}", "0").Replace(r.path), "", `{"level":"INFO"}`, "application/json")
	}
	f.Add("POST", "/connectors", "forward=false", `{"name":"x","config":{"a":null},"initial_state":"stopped"}`, "application/json")
	f.Add("PATCH", "/connectors/a%2Fb;v=1/offsets/", "", `{"offsets":[{"partition":{"kafka_topic":1},"offset":null}]}`, "application/json")
	f.Add("OPTIONS", "/connectors/../config", "", "", "")
	f.Add("GET", "//", "", "", "")
	rt, err := connect.New(connect.Options{Plugins: plugins()})
	if err != nil {
		f.Fatal(err)
	}
	h := Handler(rt, &Options{RequestTimeout: 1, HealthTimeout: 1, MaxBody: 1000, AllowOrigins: []string{"*"}, Loggers: NewLoggers(0)})
	f.Fuzz(func(t *testing.T, method, path, query, body, contentType string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || len(method) == 0 || len(method) > 20 {
			t.Skip("Go's server refuses this by itself")
		}
		u.RawQuery = query
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", strings.NewReader(body))
		r.Method, r.URL, r.RequestURI = method, u, path
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		known := []int{200, 204, 400, 404, 405, 406, 413, 415, 500, 501, 503}
		if !slices.Contains(known, w.Code) {
			t.Fatalf("%s %s: status %d", method, path, w.Code)
		}
		if w.Header().Get("Content-Type") == "application/json" && method != http.MethodHead && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s %s: no JSON: %q", method, path, w.Body)
		}
		if strings.Contains(w.Body.String(), `"message":"Internal Server Error"`) {
			t.Fatalf("%s %s: a panic", method, path)
		}
	})
}

// FuzzPath holds canonical paths to their form, and to their meaning.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/", "", "/a", "/a/", "//", "/a;b", "/;", "/..", "/a/../b", "/%2e", "/a%2Fb/c", "/%", "a", "*"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		once, err := canonicalSegments(escaped)
		if err != nil {
			return
		}
		twice, err := canonicalSegments(once)
		if err != nil || twice != once {
			t.Fatalf("%q becomes %q, which becomes %q, %v", escaped, once, twice, err)
		}
		if !strings.HasPrefix(once, "/") || strings.Contains(once, "//") || strings.Contains(once, ";") || once != "/" && strings.HasSuffix(once, "/") {
			t.Fatalf("%q becomes %q", escaped, once)
		}
		for segment := range strings.SplitSeq(once, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q becomes %q", escaped, once)
			}
		}
	})
}

// FuzzBody reads any body as each of the entities.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		"", "null", "{}", "[]", `{"name":"x","config":{"a":1,"b":true,"c":null,"d":"e"},"initial_state":"PAUSED"}`, `{"offsets":[{"partition":{"a":1},"offset":{"b":2}}]}`,
		`[{"a":"b"}]`, `{"level":"INFO"}`, "{} {}", "\xff", `{"connectors":{"a":{"config":{"x":1,"y":null},"state":"paused"}},"prune":true,"revisions":{"a":7,"b":null}}`, `{"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":"1"},"offset":{"kafka_offset":1e3}}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parseCreateRequest(body); err == nil && (r.props == nil || strings.TrimSpace(r.name) != r.name) {
			t.Fatalf("%q: %+v", body, r)
		}
		if p, err := parseProps(body); err == nil && p == nil {
			t.Fatalf("%q: no configuration and no error", body)
		}
		_, _ = parseTaskConfigs(body)
		checkChangeSet(t, body)
		if level, err := parseLevelChange(body); err == nil && level != strings.ToUpper(level) {
			t.Fatalf("%q: %q", body, level)
		}
		changes, err := parseOffsets(body)
		if err != nil {
			return
		}
		for _, c := range changes {
			_, _ = sinkPartition(c.partition)
			_, _ = sinkOffset(c.offset)
			_, _ = entriesOf("partition", c.partition)
		}
	})
}

// checkChangeSet reads a body as a set of connectors. Errors are the client's.
func checkChangeSet(t *testing.T, body []byte) {
	set, err := parseChangeSet(body)
	if e, refused := errors.AsType[*StatusError](err); err != nil && (!refused || e.Status != http.StatusBadRequest) {
		t.Fatalf("%q: %v", body, err)
	}
	for name, d := range set.Connectors {
		if err == nil && (d.Props == nil || d.Target != "" && targetWord(d.Target) == nil) {
			t.Fatalf("%q: connector %q: %+v", body, name, d)
		}
	}
	for name, revision := range set.Revisions {
		if err == nil && revision < cluster.NoRevision {
			t.Fatalf("%q: connector %q: revision %d", body, name, revision)
		}
	}
}
