package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var restURL = regexp.MustCompile(`msg="the REST interface is up" url=(\S+)/`)

// restOf waits for the URL of a worker's REST interface, by its log.
func restOf(t *testing.T, log interface{ String() string }) string {
	t.Helper()
	var url string
	eventually(t, "the REST interface is up", func() bool {
		if m := restURL.FindStringSubmatch(log.String()); m != nil {
			url = m[1]
		}
		return url != ""
	})
	return url
}

// readyAt waits until a worker is healthy, and returns the URL of its REST
// interface.
func readyAt(t *testing.T, log interface{ String() string }) string {
	t.Helper()
	url := restOf(t, log)
	eventually(t, "the worker is healthy", func() bool {
		status, _, err := curl(t.Context(), http.MethodGet, url+"/health", "")
		return err == nil && status == http.StatusOK
	})
	return url
}

// curl sends a request as curl does; the error is of the connection.
func curl(ctx context.Context, method, url, data string) (status int, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(data))
	if err != nil {
		return 0, "", err
	}
	if data != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// mustCurl sends a request that is answered with the status.
func mustCurl(t *testing.T, want int, method, url, data string) string {
	t.Helper()
	status, body, err := curl(t.Context(), method, url, data)
	require.NoError(t, err)
	require.Equal(t, want, status, "%s %s: %s", method, url, body)
	return body
}

// A connectorState is the answer to GET /connectors/{name}/status.
type connectorState struct {
	Connector instanceState
	Tasks     []instanceState
}

type instanceState struct {
	State    string
	WorkerID string `json:"worker_id"`
}

// stateAt returns the state of a connector, as a worker sees it.
func stateAt(ctx context.Context, url, connector string) (s connectorState) {
	_, body, err := curl(ctx, http.MethodGet, url+"/connectors/"+connector+"/status", "")
	if err == nil {
		_ = json.Unmarshal([]byte(body), &s) // of another answer: no state
	}
	return s
}

// running counts the running tasks of each worker.
func (s connectorState) running() map[string]int {
	n := make(map[string]int)
	for _, task := range s.Tasks {
		if task.State == "RUNNING" {
			n[task.WorkerID]++
		}
	}
	return n
}

// After one command the five requests by which a cluster is operated work.
func TestOneCommandAndCurl(t *testing.T) {
	dir := t.TempDir()
	in := write(t, dir, "in.txt", "a\nb\n")
	s := begin(t, "", "dev")
	url := readyAt(t, &s.stderr)
	body := mustCurl(t, 201, http.MethodPost, url+"/connectors", `{"name": "events", "config": {"connector.class":
		"org.apache.kafka.connect.file.FileStreamSourceConnector", "file": "`+in+`", "topic": "events"}}`)
	assert.Contains(t, body, `"name":"events"`)
	mustCurl(t, 200, http.MethodPut, url+"/connectors/events/config", `{"connector.class": "FileStreamSource", "file": "`+in+`", "topic": "events", "batch.size": "50"}`)
	mustCurl(t, 202, http.MethodPut, url+"/connectors/events/pause", "")
	s.eventually("it is paused", func() bool { return stateAt(t.Context(), url, "events").Connector.State == "PAUSED" })
	mustCurl(t, 202, http.MethodPut, url+"/connectors/events/resume", "")
	s.eventually("it runs", func() bool {
		now := stateAt(t.Context(), url, "events")
		return now.Connector.State == "RUNNING" && len(now.running()) == 1
	})
	assert.Contains(t, mustCurl(t, 200, http.MethodGet, url+"/", ""), `"kafka_cluster_id":"connect-dev"`)
	mustCurl(t, 200, http.MethodPut, url+"/admin/loggers/root", `{"level":"ERROR"}`)
	before := s.stderr.String()
	mustCurl(t, 200, http.MethodGet, url+"/connectors", "")
	assert.Equal(t, before, s.stderr.String(), "levels are those of the command's own log")
	assert.Equal(t, 0, s.wait(true))
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	var stderr buffer
	code := run(t.Context(), []string{"dev", "--rest", taken.Addr().String()}, process{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, environ: environ})
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr.String(), "connect dev: --rest: rest: configuration listeners: http://"+taken.Addr().String()+": listen tcp")
	assert.Contains(t, stderr.String(), "(does another worker run here? choose another port)")
}

// What REST interfaces listen to if nothing is said.
func TestDefaultAddresses(t *testing.T) {
	dir, bootstrap := t.TempDir(), startKafka(t)
	for want, args := range map[string][]string{
		"127.0.0.1:8083": {"dev"},
		":8083":          append([]string{"standalone"}, javaFiles(t, dir, bootstrap)[:1]...),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		asked := ""
		var stderr buffer
		code := run(ctx, args, process{
			stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, environ: environ,
			listen: func(ctx context.Context, network, address string) (net.Listener, error) {
				asked = address
				cancel() // that was all
				return listenFree(context.WithoutCancel(ctx), network, address)
			},
		})
		assert.Equal(t, 0, code, stderr.String())
		assert.Equal(t, want, asked, "%v", args)
	}
}

func TestLoginConfigOfJava(t *testing.T) {
	dir, bootstrap := t.TempDir(), startKafka(t)
	users := write(t, dir, "users.properties", "alice=secret\n")
	login := write(t, dir, "jaas.conf", "KafkaConnect { org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file=\""+users+"\"; };")
	worker := write(t, dir, "worker.properties", "bootstrap.servers="+bootstrap+"\nkey.converter=StringConverter\nvalue.converter=StringConverter\noffset.storage.file.filename="+dir+
		"/offsets\nlisteners=http://127.0.0.1:0\nrest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension\n")
	ctx, cancel := context.WithCancel(t.Context())
	var stderr buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"standalone", worker}, process{
			stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, listen: listenFree,
			environ: func() []string {
				return []string{"KAFKA_OPTS=-Xmx1g -Djava.security.auth.login.config=" + login + " -Da=b"}
			},
		})
	}()
	url := restOf(t, &stderr)
	eventually(t, "strangers are kept out", func() bool {
		status, _, err := curl(t.Context(), http.MethodGet, url+"/", "")
		return err == nil && status == http.StatusUnauthorized
	})
	mustCurl(t, 200, http.MethodGet, strings.Replace(url, "http://", "http://alice:secret@", 1)+"/", "")
	assert.NotContains(t, stderr.String(), "is not known")
	cancel()
	assert.Equal(t, 0, <-ended)
}
