package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/rest"
)

// startHandler serves the REST interface of a worker in memory, which has this
// command's plugins.
func startHandler(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	rt, err := connect.New(connect.Options{
		Plugins: plugins(process{}), Broker: connecttest.NewBroker(), URL: "http://" + server.Listener.Addr().String(),
		Worker: config.Props{"bootstrap.servers": "memory", "key.converter": "StringConverter", "value.converter": "StringConverter", "offset.flush.interval.ms": "50"},
	})
	require.NoError(t, err)
	server.Config.Handler = rest.Handler(rt, nil)
	server.Start()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	t.Cleanup(func() {
		server.Close()
		cancel()
		require.NoError(t, <-ended)
	})
	return server
}

// A session of an operator with one worker, from the first connector to the last.
func TestClientOnAWorker(t *testing.T) {
	server := startHandler(t)
	dir := t.TempDir()
	ok := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := runToEnd(t, append(args, "--url", server.URL)...)
		require.Equal(t, 0, code, "%s: %s%s", args, stdout, stderr)
		require.Empty(t, stderr)
		return stdout
	}
	fails := func(code int, args ...string) string {
		t.Helper()
		got, _, stderr := runToEnd(t, append(args, "--url", server.URL)...)
		require.Equal(t, code, got, "%s: %s", args, stderr)
		return stderr
	}
	lines := write(t, dir, "lines.txt", "one\ntwo\n")
	source := write(t, dir, "set/source.json", `{"name":"source","config":{"connector.class":"FileStreamSource","topic":"t","db.password":"s3cret","file":"`+lines+`"}}`)
	write(t, dir, "set/sink.properties", "name=sink\nconnector.class=FileStreamSink\ntopics=t\nfile="+filepath.Join(dir, "copy.txt")+"\n")

	assert.Equal(t, "source: RUNNING, 1 task RUNNING\n", ok("create", source, "--wait"))
	assert.Contains(t, fails(exitConflict, "create", source), "already exists")
	plan := ok("apply", filepath.Join(dir, "set"), "--plan")
	assert.Contains(t, plan, "+ sink (create)\n    + connector.class = FileStreamSink\n")
	assert.Contains(t, plan, "1 to create, 0 to update, 0 to delete, 1 unchanged\n")
	assert.Contains(t, ok("apply", filepath.Join(dir, "set"), "--wait"), "1 created, 0 updated, 0 deleted, 1 unchanged\n")
	assert.Regexp(t, `(?m)^source +source +RUNNING +1/1 +0$`, ok("ls"))
	assert.Regexp(t, `(?m)^sink +task 0 +RUNNING +`, ok("status", "--check"))
	eventually(t, "the copy", func() bool { return content(filepath.Join(dir, "copy.txt")) == "one\ntwo\n" })

	assert.Equal(t, "sink: PAUSED, 1 task PAUSED\nsource: PAUSED, 1 task PAUSED\n", ok("pause", "--wait", "sink", "source"))
	assert.Equal(t, "sink: RUNNING, 1 task RUNNING\nsource: RUNNING, 1 task RUNNING\n", ok("resume", "sink", "source", "--wait"))
	assert.Equal(t, "source: RUNNING, 1 task RUNNING\n", ok("restart", "--include-tasks", "--wait", "source"))
	assert.Equal(t, "source: restarting\n", ok("restart", "--task", "0", "source"))
	eventually(t, "the source's offset", func() bool { return strings.Contains(ok("offsets", "get", "source"), `{"position":8}`) })
	assert.Contains(t, fails(exitInvalid, "offsets", "reset", "source"), "STOPPED")
	assert.Equal(t, "sink: STOPPED\nsource: STOPPED\n", ok("stop", "--wait", "sink", "source"))
	ok("offsets", "set", "sink", "t:0=1")
	assert.Equal(t, "TOPIC  PARTITION  OFFSET\nt      0          1\n", ok("offsets", "get", "sink"))
	ok("offsets", "reset", "source")
	assert.Equal(t, "PARTITION  OFFSET\n", ok("offsets", "get", "source"))

	assert.Contains(t, ok("validate", source), "valid")
	assert.Contains(t, ok("plugins", "--url", server.URL), "org.apache.kafka.connect.file.FileStreamSinkConnector")
	assert.Contains(t, ok("config", "FileStreamSource"), "batch.size")
	assert.Empty(t, ok("logs", "source"))

	write(t, dir, "set/source.json", `{"name":"source","config":{"connector.class":"FileStreamSource","topic":"u","db.password":"other","file":"`+lines+`"},"state":"RUNNING"}`)
	plan = ok("apply", filepath.Join(dir, "set"), "--plan")
	assert.Contains(t, plan, "~ source (update)\n    state: STOPPED -> RUNNING\n    ~ db.password: [hidden] -> [hidden]\n    ~ topic: t -> u\n")
	ok("apply", filepath.Join(dir, "set"), "--wait")
	history := ok("history", "source")
	assert.Regexp(t, `(?m)^\d+ +\S+ +~db\.password ~topic$`, history)
	oldest := regexp.MustCompile(`(?m)^(\d+) .*oldest`).FindStringSubmatch(history)
	require.NotNil(t, oldest, history)
	assert.Contains(t, ok("history", "source", oldest[1]), "db.password=[hidden]\n")
	assert.Contains(t, ok("history", "source", oldest[1], "--diff"), "~ topic: t -> u\n")
	assert.Contains(t, ok("rollback", "source", oldest[1], "--wait"), "    ~ topic: u -> t\n    ? db.password: is not known and has no effect\n0 created, 1 updated, 0 deleted, 0 unchanged\n")
	fails(exitNotFound, "rollback", "source", "4711")

	assert.Equal(t, "sink: deleted\nsource: deleted\n", ok("delete", "sink", "source"))
	fails(exitNotFound, "delete", "sink")
	assert.Regexp(t, `(?m)^source +4 +deleted$`, ok("history"))
	assert.Equal(t, "NAME  TYPE  STATE  RUNNING  FAILED\n", ok("ls"))
	_, stdout, _ := runToEnd(t, "ls", "--url", server.URL, "-o", "json")
	assert.JSONEq(t, "[]", stdout)
}

// What fails shows in the status and in the logs, without the secret in it.
func TestClientShowsFailures(t *testing.T) {
	server := startHandler(t)
	dir := t.TempDir()
	file := write(t, dir, "a.json", `{"name":"a","connector.class":"FileStreamSink","topics":"t","file":"`+dir+`/s3cret","dir.token":"s3cret"}`)
	require.NoError(t, os.Mkdir(dir+"/s3cret", 0o700)) // no file to write
	code, _, stderr := runToEnd(t, "create", file, "--wait", "--url", server.URL)
	require.Equal(t, exitFailed, code, stderr)
	assert.Contains(t, stderr, "a: failed: a task 0; connect logs and connect status --trace tell why")
	code, stdout, _ := runToEnd(t, "status", "--check", "--trace", "--url", server.URL)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stdout, "a, task 0:\n")
	_, stdout, _ = runToEnd(t, "logs", "a", "--url", server.URL)
	assert.Regexp(t, `^\S+ 127\.0\.0\.1:\d+ task 0 FAILED TASK_PUT by FileStreamSink: .*/\[hidden\]: is a directory\n$`, stdout)
	_, stdout, _ = runToEnd(t, "logs", "a", "--url", server.URL, "-o", "json")
	var found connectorErrors
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
	require.Len(t, found.Errors, 1)
	assert.Equal(t, "failed", found.Errors[0].Outcome)
}

// The client trusts whom it is told to, and shows who it is.
func TestClientByTLS(t *testing.T) {
	var user string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ = r.BasicAuth()
		if len(r.TLS.PeerCertificates) == 0 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()
	dir := t.TempDir()
	pemOf := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	ca := write(t, dir, "ca.pem", pemOf("CERTIFICATE", server.Certificate().Raw))
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	require.NoError(t, err)
	keyFile := write(t, dir, "key.pem", pemOf("PRIVATE KEY", key))

	code, _, stderr := runToEnd(t, "status", "--url", server.URL)
	assert.Equal(t, exitUnreachable, code, "nobody vouches for the worker")
	assert.Contains(t, stderr, "certificate")
	code, _, stderr = runToEnd(t, "status", "--url", server.URL, "--ca", ca)
	assert.Equal(t, exitOther, code)
	assert.Contains(t, stderr, "403 Forbidden")
	code, _, stderr = runToEnd(t, "status", "--url", server.URL, "--ca", ca, "--cert", ca, "--key", keyFile, "--user", "joe:pw")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, "joe", user)
	code, _, _ = runToEnd(t, "status", "--url", server.URL, "--insecure", "--cert", ca, "--key", keyFile)
	assert.Equal(t, 0, code)
}
