package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// folder is that of the package, wherever a test goes.
var folder, _ = os.Getwd()

// A canned worker answers each request, by method and path with query, with what
// it was given for that; what it was not given is not found, as workers say so.
type canned struct {
	*httptest.Server
	answers map[string][]cannedAnswer // the last one is given again and again

	mu       sync.Mutex
	requests []string // METHOD PATH BODY
}

type cannedAnswer struct {
	status int
	body   string
}

func newCanned(t *testing.T, answers map[string]string) *canned {
	t.Helper()
	c := &canned{answers: make(map[string][]cannedAnswer)}
	for request, body := range answers {
		c.answer(request, 0, body)
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// answer adds an answer; the status 0 is 200, or 204 without a body.
func (c *canned) answer(request string, status int, body string) {
	if status == 0 {
		status = http.StatusOK
		if body == "" {
			status = http.StatusNoContent
		}
	}
	c.answers[request] = append(c.answers[request], cannedAnswer{status, body})
}

// refuse adds an answer that says no.
func (c *canned) refuse(request string, status int, message string) {
	body, _ := json.Marshal(map[string]any{"error_code": status, "message": message})
	c.answer(request, status, string(body))
}

// ServeHTTP answers.
func (c *canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	request := r.Method + " " + r.URL.RequestURI()
	c.requests = append(c.requests, strings.TrimSpace(request+" "+string(body)))
	answers := c.answers[request]
	if len(answers) == 0 {
		answers = []cannedAnswer{{http.StatusNotFound, `{"error_code":404,"message":"HTTP 404 Not Found"}`}}
	}
	if len(answers) > 1 {
		c.answers[request] = answers[1:]
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answers[0].status)
	_, _ = io.WriteString(w, answers[0].body)
}

// take returns the requests since the last call.
func (c *canned) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.requests
	c.requests = nil
	return taken
}

// ask runs a command line against the worker.
func (c *canned) ask(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	code, stdout, stderr = runToEnd(t, append(args, "--url", c.URL)...)
	hide := strings.NewReplacer(c.URL, "http://worker:8083", strings.TrimPrefix(c.URL, "http://"), "worker:8083")
	return code, hide.Replace(stdout), hide.Replace(stderr)
}

// golden compares a transcript of command lines with a file.
func golden(t *testing.T, file string, c *canned, lines ...string) {
	t.Helper()
	var b strings.Builder
	for _, line := range lines {
		code, stdout, stderr := c.ask(t, strings.Fields(line)...)
		fmt.Fprintf(&b, "$ connect %s\n%s", line, stdout)
		for text := range strings.Lines(stderr) {
			b.WriteString("stderr: " + text)
		}
		fmt.Fprintf(&b, "exit code %d\n\n", code)
	}
	path := filepath.Join(folder, "testdata", "client", file)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String(), "run the test with -update, and look at the difference")
	for line := range strings.Lines(b.String()) {
		assert.NotRegexp(t, ` \n$`, line, "blanks at the end of a line")
	}
}

// aCluster is a worker with connectors in all kinds of states.
func aCluster(t *testing.T) *canned {
	const (
		source = `{"name":"orders","connector":{"state":"RUNNING","worker_id":"10.0.0.1:8083","version":"1.0"},"tasks":[` +
			`{"id":0,"state":"RUNNING","worker_id":"10.0.0.1:8083"},{"id":1,"state":"FAILED","worker_id":"10.0.0.2:8083","version":"1.0","trace":"java.lang.RuntimeException: the disk is full\n\tat X\n\tat Y\n"}],"type":"source"}`
		sink = `{"name":"a sink, with blanks","connector":{"state":"PAUSED","worker_id":"10.0.0.1:8083"},"tasks":[{"id":0,"state":"PAUSED","worker_id":"10.0.0.1:8083"}],"type":"sink"}`
		sole = `{"name":"über","connector":{"state":"STOPPED","worker_id":"10.0.0.3:8083"},"tasks":[],"type":"unknown"}`
		info = `{"name":%q,"config":{"connector.class":%q},"tasks":[],"type":%q}`
	)
	both := func(status, name, class, kind string) string {
		return `{"status":` + status + `,"info":` + fmt.Sprintf(info, name, class, kind) + `}`
	}
	c := newCanned(t, map[string]string{
		"GET /connectors": `["orders","über","new","a sink, with blanks"]`,
		"GET /connectors?expand=status&expand=info": `{"orders":` + both(source, "orders", "org.example.OrdersSource", "source") +
			`,"a sink, with blanks":` + both(sink, "a sink, with blanks", "FileStreamSink", "sink") + `,"über":` + both(sole, "über", "org.example.Gone", "unknown") + `}`,
		"GET /connectors?expand=status":                      `{"orders":{"status":` + source + `},"a sink, with blanks":{"status":` + sink + `}}`,
		"GET /connectors/orders/status":                      source,
		"GET /connectors/a%20sink%2C%20with%20blanks/status": sink,
	})
	c.refuse("GET /connectors/none/status", 404, "No status found for connector none")
	return c
}

func TestGoldenList(t *testing.T) {
	golden(t, "list.txt", aCluster(t), "ls", "ls -o wide", "ls -o json", "status", "status -o wide", "status orders --trace", "status orders none -o json",
		"status --check", "status orders --check -o json")
	golden(t, "empty.txt", newCanned(t, map[string]string{
		"GET /connectors": `[]`, "GET /connectors?expand=status&expand=info": `{}`, "GET /connectors?expand=status": `{}`,
	}), "ls", "ls -o json", "status", "status -o json", "status --check")
}

func TestGoldenChanges(t *testing.T) {
	c := newCanned(t, map[string]string{
		"PUT /connectors/a/pause": "", "PUT /connectors/b/pause": "", "PUT /connectors/a/resume": "", "PUT /connectors/a/stop": "",
		"POST /connectors/a/restart?includeTasks=false&onlyFailed=false": "",
		"POST /connectors/a/restart?includeTasks=true&onlyFailed=true":   `{"name":"a","connector":{"state":"RESTARTING"},"tasks":[]}`,
		"POST /connectors/a/tasks/2/restart":                             "",
		"DELETE /connectors/a":                                           "", "DELETE /connectors/b": "",
	})
	c.refuse("PUT /connectors/none/pause", 404, "Unknown connector none")
	c.refuse("DELETE /connectors/busy", 409, "Something else is going on")
	c.refuse("PUT /connectors/broken/pause", 500, "no luck today")
	golden(t, "changes.txt", c, "pause a b", "pause a none b", "pause a none -o json", "pause none broken", "pause broken", "resume a", "stop a", "restart a",
		"restart a --include-tasks --only-failed", "restart --task 2 a", "restart a --task 2 --only-failed", "delete a b", "delete a busy", "delete", "pause --wait")
}

// A pause between words that belong together is in no command line here, so the
// names of connectors are asked for one by one.
func TestNamesAreEscaped(t *testing.T) {
	c := newCanned(t, map[string]string{"PUT /connectors/a%2Fb%20c%3Fd/pause": ""})
	code, stdout, _ := c.ask(t, "pause", "a/b c?d")
	assert.Equal(t, 0, code)
	assert.Equal(t, "a/b c?d: pausing\n", stdout)
	code, stdout, _ = c.ask(t, "pause", "--url", c.URL, "--", "--url")
	assert.NotEqual(t, 0, code)
	assert.Empty(t, stdout)
	assert.Contains(t, c.take()[1], "PUT /connectors/--url/pause")
}

func TestGoldenOffsets(t *testing.T) {
	const sink = `{"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":42}},{"partition":{"kafka_topic":"longer","kafka_partition":11},"offset":{"kafka_offset":7}}]}`
	c := newCanned(t, map[string]string{
		"GET /connectors/source/offsets":   `{"offsets":[{"partition":{"file": "x"},"offset":{"position": 4}},{"partition":{"file":"longer"},"offset":null}]}`,
		"GET /connectors/sink/offsets":     sink,
		"GET /connectors/none/offsets":     `{"offsets":[]}`,
		"PATCH /connectors/sink/offsets":   `{"message":"The offsets for this connector have been altered successfully"}`,
		"DELETE /connectors/sink/offsets":  `{"message":"The offsets for this connector have been reset successfully"}`,
		"PATCH /connectors/source/offsets": `{"message":"altered"}`,
	})
	c.refuse("DELETE /connectors/source/offsets", 400, "Connectors must be in the STOPPED state before their offsets can be modified.")
	golden(t, "offsets.txt", c, "offsets get source", "offsets get sink", "offsets get none", "offsets get sink -o json", "offsets get none -o json",
		"offsets set sink t:0=43 t:1=null", "offsets reset sink", "offsets reset sink -o json", "offsets reset source",
		"offsets set sink", "offsets set sink t=1", "offsets set sink t:0=x", "offsets set sink t:x=1", "offsets get", "offsets get sink t:0=1", "offsets change sink",
		"offsets set sink t:0=1 --file x", "offsets set sink --file /absent")
	requests := strings.Join(c.take(), "\n")
	assert.Contains(t, requests, `PATCH /connectors/sink/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":43}},{"partition":{"kafka_topic":"t","kafka_partition":1},"offset":null}]}`)

	file := write(t, t.TempDir(), "o.json", `{"offsets":[{"partition":{"file":"x"},"offset":{"position":9007199254740993}}]}`)
	code, _, stderr := c.ask(t, "offsets", "set", "source", "--file", file)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, c.take()[0], `"position":9007199254740993`, "numbers stay as they are")
	code, _, stderr = c.ask(t, "offsets", "set", "source", "--file", write(t, t.TempDir(), "o.json", `[]`))
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, stderr, `want {"offsets":[`)
}

func TestGoldenPlugins(t *testing.T) {
	c := newCanned(t, map[string]string{
		"GET /connector-plugins?connectorsOnly=false": `[{"class":"org.example.Sink","type":"sink","version":"1.0"},{"class":"org.example.Cast$Key","type":"transformation"}]`,
		"GET /connector-plugins/Sink/config": `[{"name":"topic","type":"STRING","required":true,"default_value":null,"importance":"HIGH","documentation":"Where to.\nAnd back."},
			{"name":"size","type":"INT","required":false,"default_value":"10","importance":"LOW","documentation":"How much."},
			{"name":"secret","type":"PASSWORD","required":false,"default_value":null,"importance":"MEDIUM","documentation":""}]`,
	})
	c.refuse("GET /connector-plugins/Nix/config", 404, "Unknown plugin Nix.")
	golden(t, "plugins.txt", c, "plugins", "plugins -o json", "config Sink", "config Sink -o wide", "config Nix", "config", "plugins x")
}

func TestGoldenHistory(t *testing.T) {
	const plan = `{"applied":%t,"dry_run":%t,"position":9,"connectors":[{"name":"a","action":"update","revision":7,"state":{"before":"PAUSED","after":"PAUSED"},` +
		`"diff":[{"key":"topic","change":"changed","before":"u","after":"t"}],"errors":[],"warnings":[]}]}`
	c := newCanned(t, map[string]string{
		"GET /-/history": `[{"name":"a","revisions":3,"deleted":false},{"name":"gone","revisions":1,"deleted":true}]`,
		"GET /-/connectors/a/history": `{"name":"a","revisions":[{"revision":7,"time":1700000000000,"deleted":false,"diff":[{"key":"topic","change":"changed","before":"t","after":"u"},{"key":"x","change":"added","after":null},{"key":"y","change":"removed","before":"1"}]},` +
			`{"revision":5,"time":null,"deleted":true,"diff":[{"key":"topic","change":"removed","before":"t"}]},{"revision":3,"time":1690000000000,"deleted":false,"diff":null}]}`,
		"GET /-/connectors/a/history/3":                         `{"name":"a","revision":3,"time":1690000000000,"deleted":false,"config":{"topic":"t u","db.password":"[hidden]","n":null}}`,
		"GET /-/connectors/a/history/5":                         `{"name":"a","revision":5,"time":null,"deleted":true,"config":null}`,
		"GET /-/connectors/a/history/3/diff":                    `{"name":"a","from":3,"to":7,"diff":[{"key":"topic","change":"changed","before":"t","after":" u\n"}]}`,
		"GET /-/connectors/a/history/3/diff?to=5":               `{"name":"a","from":3,"to":5,"diff":[{"key":"topic","change":"removed","before":"t"}]}`,
		"POST /-/connectors/a/history/3/rollback?dry_run=true":  fmt.Sprintf(plan, false, true),
		"POST /-/connectors/a/history/3/rollback?dry_run=false": fmt.Sprintf(plan, true, false),
		"GET /connectors/a/status":                              `{"name":"a","connector":{"state":"PAUSED"},"tasks":[{"id":0,"state":"PAUSED"}]}`,
	})
	c.refuse("GET /-/connectors/none/history", 404, "No configuration of connector none is remembered")
	c.refuse("POST /-/connectors/a/history/4/rollback?dry_run=false", 400, "nothing was changed, for 1 of 1 connectors are invalid:\nconnector \"a\": topic: no")
	golden(t, "history.txt", c, "history", "history -o json", "history a", "history a -o json", "history none", "history a 3", "history a 5", "history a 3 -o json", "history a 3 --diff",
		"history a 3 --diff --to 5", "history a 3 --diff -o json", "history a x", "history a --diff", "history a 3 --to 5", "history a 1 2", "rollback a 3 --plan", "rollback a 3", "rollback a 3 --wait -o json", "rollback a 4", "rollback a")
}

func TestGoldenLogs(t *testing.T) {
	c := newCanned(t, map[string]string{
		"GET /-/connectors/a/errors": `{"name":"a","errors":[
			{"worker_id":"w1:8083","number":4,"time":1700000000000,"count":120,"task":0,"outcome":"skipped","stage":"VALUE_CONVERTER","plugin":"JsonConverter","at":"t-0@17","message":"no JSON: <x>"},
			{"worker_id":"w2:8083","number":1,"time":1700000001500,"count":1,"task":null,"outcome":"failed","stage":"","plugin":"","at":"","message":"connector \"a\": panic: x\ngoroutine 1\n\tmain.go:1\n"}],
			"missing":[{"worker_id":"w3:8083","message":"connection refused"}]}`,
		"GET /-/connectors/a/errors?limit=1": `{"name":"a","errors":[],"missing":[]}`,
	})
	c.refuse("GET /-/connectors/none/errors", 404, "Connector none not found")
	golden(t, "logs.txt", c, "logs a", "logs a -o json", "logs a --limit 1", "logs none", "logs", "logs a b", "logs a --limit -1")
}

// What Java's workers do not have, the client says that they lack.
func TestGoldenLacks(t *testing.T) {
	golden(t, "lacks.txt", newCanned(t, nil), "logs a", "logs a --follow", "history", "history a", "history a 1", "history a 1 --diff", "rollback a 1")
}

// follow shows each error once, whatever a worker's numbers do, and goes on when
// a worker is away for a moment.
func TestFollowLogs(t *testing.T) {
	const e = `{"worker_id":%q,"number":%d,"time":%d,"count":1,"task":0,"outcome":"retried","stage":"TASK_POLL","plugin":"","at":"","message":%q}`
	body := func(errs ...string) string {
		return `{"name":"a","errors":[` + strings.Join(errs, ",") + `],"missing":[]}`
	}
	c := newCanned(t, nil)
	const request = "GET /-/connectors/a/errors"
	one, two := fmt.Sprintf(e, "w1", 1, 1000, "one"), fmt.Sprintf(e, "w1", 2, 2000, "two")
	c.answer(request, 200, body(one))
	c.answer(request, 200, body(one, two))
	c.refuse(request, 500, "not now")
	c.answer(request, 200, body(two, fmt.Sprintf(e, "w1", 1, 9000, "one of a new life")))
	s := begin(t, "", "logs", "a", "-f", "--every", "5ms", "--url", c.URL)
	s.eventually("the last error", func() bool { return strings.Contains(s.stdout.String(), "new life") })
	assert.Equal(t, 0, s.wait(true), "an interrupt ends it")
	assert.Equal(t, `1970-01-01T00:00:01.000Z w1 task 0 RETRIED TASK_POLL: one
1970-01-01T00:00:02.000Z w1 task 0 RETRIED TASK_POLL: two
1970-01-01T00:00:09.000Z w1 task 0 RETRIED TASK_POLL: one of a new life
`, s.stdout.String())
	assert.Equal(t, "connect logs: not now; trying again\n", s.stderr.String())
}

// The exit codes that scripts live by.
func TestExitCodes(t *testing.T) {
	c := newCanned(t, map[string]string{
		"GET /connectors/failed/status": `{"name":"failed","connector":{"state":"FAILED"},"tasks":[]}`,
		"GET /connectors/slow/status":   `{"name":"slow","connector":{"state":"RUNNING"},"tasks":[]}`,
		"PUT /connectors/failed/resume": "", "PUT /connectors/slow/resume": "",
		"GET /connectors/odd/status": `<html>`,
	})
	c.refuse("GET /connectors/none/status", 404, "No status found for connector none")
	c.refuse("POST /connectors", 409, "Connector a already exists")
	c.refuse("GET /connectors/forbidden/status", 403, "no")
	c.answer("GET /connectors/proxy/status", 502, "<html>\nBad Gateway</html>")
	c.refuse("PUT /connectors/moving/pause", 409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)")
	c.refuse("GET /connectors/moving/status", 500, "Request cannot be completed because a rebalance is expected")
	dir := t.TempDir()
	file := write(t, dir, "a.json", `{"name":"a","connector.class":"X"}`)
	nameless := write(t, dir, "nameless.json", `{"connector.class":"X"}`)
	for _, tt := range []struct {
		args   []string
		code   int
		stderr string // a part of it
	}{
		{[]string{"status", "failed"}, 0, ""},
		{[]string{"status", "failed", "--check"}, exitFailed, "connect status: failed is FAILED"},
		{[]string{"status", "--nix"}, exitUsage, "flag provided but not defined"},
		{[]string{"status", "-o", "xml"}, exitUsage, "want table, wide or json"},
		{[]string{"status", "none"}, exitNotFound, "No status found for connector none"},
		{[]string{"status", "forbidden"}, exitOther, "no"},
		{[]string{"status", "odd"}, exitOther, "the answer is not what a worker of Kafka Connect answers"},
		{[]string{"status", "proxy"}, exitOther, "/connectors/proxy/status answers 502 Bad Gateway <html>"},
		{[]string{"create", file}, exitConflict, "Connector a already exists"},
		{[]string{"create", nameless}, exitInvalid, "name"},
		{[]string{"create"}, exitUsage, "create takes files"},
		{[]string{"apply", dir + "/absent"}, exitOther, "no such file"},
		{[]string{"apply", t.TempDir()}, exitInvalid, "found no .json and no .properties files"},
		{[]string{"apply", nameless}, exitInvalid, "name"},
		{[]string{"pause", "moving", "--timeout", "700ms"}, exitConflict, "Cannot complete request"},
		{[]string{"status", "moving", "--timeout", "700ms"}, exitOther, "a rebalance is expected"},
		{[]string{"resume", "failed", "--wait"}, exitFailed, "failed: failed: failed; connect logs and connect status --trace tell why"},
		{[]string{"resume", "slow", "--wait", "--timeout", "300ms"}, exitWaited, "waited in vain, found RUNNING"},
		{[]string{"history"}, exitLacks, "this worker does not remember configurations"},
		{[]string{"ls", "--url", "nix"}, exitUsage, "want http://HOST:PORT"},
		{[]string{"ls", "--cert", "x"}, exitUsage, "--cert and --key go together"},
		{[]string{"ls", "--ca", "/absent"}, exitOther, "--ca: open /absent"},
		{[]string{"ls", "--ca", file}, exitOther, "found no certificate in PEM"},
		{[]string{"ls", "--cert", file, "--key", file}, exitOther, "--cert, --key:"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			args := tt.args
			if !strings.Contains(strings.Join(args, " "), "--url") {
				args = append(args, "--url", c.URL)
			}
			code, _, stderr := runToEnd(t, args...)
			assert.Equal(t, tt.code, code, stderr)
			assert.Contains(t, stderr, tt.stderr)
		})
	}
}

// A worker that is not there, or does not answer.
func TestUnreachable(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	code, _, stderr := runToEnd(t, "ls", "--url", silent.URL, "--timeout", "50ms")
	assert.Equal(t, exitUnreachable, code)
	assert.Contains(t, stderr, "no answer within --timeout 50ms")
	silent.Close()
	code, _, stderr = runToEnd(t, "ls", "--url", silent.URL)
	assert.Equal(t, exitUnreachable, code)
	assert.Contains(t, stderr, "connection refused")
}

// Rebalances pass.
func TestRebalancesAreWaitedFor(t *testing.T) {
	c := newCanned(t, nil)
	c.refuse("PUT /connectors/a/pause", 409, "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.")
	c.answer("PUT /connectors/a/pause", 202, "")
	code, stdout, stderr := c.ask(t, "pause", "a")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, "a: pausing\n", stdout)
}

// What a worker says of when to try again is heeded.
func TestRetryAfter(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"error_code":503,"message":"Worker is still starting up."}`)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	defer server.Close()
	code, _, stderr := runToEnd(t, "status", "--url", server.URL)
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, 2, asked)
}

// Flags win over the environment.
func TestEnvironment(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		asked = append(asked, user+":"+password)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	for _, tt := range []struct {
		env, args []string
		want      string // user and password
	}{
		{[]string{"CONNECT_URL=" + server.URL + "/"}, nil, ":"},
		{[]string{"CONNECT_URL=http://127.0.0.1:1"}, []string{"--url", server.URL}, ":"},
		{[]string{"CONNECT_URL=" + server.URL, "CONNECT_USER=joe:pw"}, nil, "joe:pw"},
		{[]string{"CONNECT_URL=" + server.URL, "CONNECT_USER=joe", "CONNECT_PASSWORD=p:w"}, nil, "joe:p:w"},
		{[]string{"CONNECT_URL=" + server.URL, "CONNECT_USER=joe:pw"}, []string{"--user", "ann:x:y"}, "ann:x:y"},
		{[]string{"CONNECT_URL=" + server.URL, "CONNECT_PASSWORD=pw"}, []string{"--user", "ann"}, "ann:pw"},
	} {
		asked = nil
		var stdout, stderr strings.Builder
		p := process{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, environ: func() []string { return tt.env }}
		code := run(t.Context(), append([]string{"status"}, tt.args...), p)
		assert.Equal(t, 0, code, stderr.String())
		assert.Equal(t, []string{tt.want}, asked)
	}
}

// The table's order is that of names whatever the worker's is, and the JSON of a
// command has the same shape whatever there is to tell.
func TestJSONShapes(t *testing.T) {
	c := aCluster(t)
	_, stdout, _ := c.ask(t, "ls", "-o", "json")
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	require.Len(t, all, 4)
	for i, l := range all {
		for _, key := range []string{"name", "type", "class", "state", "worker_id", "tasks", "task_states"} {
			assert.Contains(t, l, key)
		}
		if i > 0 {
			assert.Negative(t, cmp.Compare(all[i-1]["name"].(string), l["name"].(string)))
		}
	}
}
