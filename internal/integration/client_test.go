//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/testenv"
)

// A cli runs the command connect against a worker.
type cli struct {
	t      testing.TB
	binary string
	url    string
}

func newCLI(t testing.TB, url string) cli {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "connect")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/connect").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return cli{t, binary, url}
}

// run returns the exit code and what was printed.
func (c cli) run(args ...string) (code int, stdout, stderr string) {
	c.t.Helper()
	cmd := exec.CommandContext(within(c.t), c.binary, append(args, "--timeout", "45s")...)
	cmd.Env = append(os.Environ(), "CONNECT_URL="+c.url)
	var text strings.Builder
	cmd.Stderr = &text
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = nil
	}
	require.NoError(c.t, err)
	return cmd.ProcessState.ExitCode(), string(out), text.String()
}

// ok runs a command that succeeds.
func (c cli) ok(args ...string) string {
	c.t.Helper()
	code, stdout, stderr := c.run(args...)
	require.Equal(c.t, 0, code, "connect %s: %s%s", strings.Join(args, " "), stdout, stderr)
	return stdout
}

// fails runs a command that ends with a code, and returns what it says.
func (c cli) fails(code int, args ...string) string {
	c.t.Helper()
	got, stdout, stderr := c.run(args...)
	require.Equal(c.t, code, got, "connect %s: %s%s", strings.Join(args, " "), stdout, stderr)
	return stderr
}

// The client does with a Java worker what it does with ours, and says so of what
// Java's do not have.
func TestClientOnAJavaWorker(t *testing.T) {
	cluster := testenv.Kafka(t)
	java := testenv.JavaConnect(t, cluster, testenv.WorkerOptions{})
	c := newCLI(t, java.URL())
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	topic, lines := unique("client"), put("lines.txt", "one\ntwo\n")
	source := put("set/source.json", `{"name":"source","config":{"connector.class":"FileStreamSource","topic":"`+topic+`","file":"`+lines+`","db.password":"s3cret"}}`)
	sink := put("set/sink.properties", "name=sink\nconnector.class="+fileSink+"\ntopics="+topic+"\nfile="+filepath.Join(dir, "copy.txt")+"\n")
	bad := put("bad.json", `{"name":"bad","connector.class":"FileStreamSink","file":"x"}`)
	set := filepath.Dir(source)

	assert.Regexp(t, `(?m)^source +`+regexp.QuoteMeta(fileSource)+` +4`, c.ok("plugins", "--url", java.URL()))
	assert.Regexp(t, `(?m)^topic +STRING +required +HIGH$`, c.ok("config", "FileStreamSource", "--url", java.URL()))
	assert.Contains(t, c.ok("validate", source, sink), "valid")
	assert.Contains(t, c.fails(3, "validate", bad), "1 of 1 files are invalid")
	assert.Contains(t, c.fails(3, "create", bad), "Connector configuration is invalid")

	assert.Equal(t, "source: RUNNING, 1 task RUNNING\n", c.ok("create", source, "--wait"))
	assert.Contains(t, c.fails(5, "create", source), "Connector source already exists")
	plan := c.ok("apply", set, "--plan")
	assert.Contains(t, plan, "+ sink (create)\n")
	assert.Contains(t, plan, "1 to create, 0 to update, 0 to delete, 1 unchanged\n")
	assert.Contains(t, c.ok("apply", set, "--wait"), "1 created, 0 updated, 0 deleted, 1 unchanged\n")
	assert.Equal(t, "0 to create, 0 to update, 0 to delete, 2 unchanged\n", c.ok("apply", set))
	assert.Regexp(t, `(?m)^sink +sink +RUNNING +1/1 +0$`, c.ok("ls"))
	assert.Regexp(t, `(?m)^source +task 0 +RUNNING +127\.0\.0\.1:`, c.ok("status", "--check"))

	assert.Equal(t, "source: PAUSED, 1 task PAUSED\nsink: PAUSED, 1 task PAUSED\n", c.ok("pause", "source", "sink", "--wait"))
	assert.Equal(t, "source: RUNNING, 1 task RUNNING\nsink: RUNNING, 1 task RUNNING\n", c.ok("resume", "source", "sink", "--wait"))
	assert.Equal(t, "source: RUNNING, 1 task RUNNING\n", c.ok("restart", "--include-tasks", "source", "--wait"))
	assert.Equal(t, "source: restarting\n", c.ok("restart", "--task", "0", "source"))
	eventually(t, func() bool { return strings.Contains(c.ok("offsets", "get", "source"), `{"position":8}`) }, "Java to commit the source's offset")
	assert.Contains(t, c.fails(3, "offsets", "reset", "source"), "STOPPED")
	assert.Equal(t, "source: STOPPED\nsink: STOPPED\n", c.ok("stop", "source", "sink", "--wait"))
	eventually(t, func() bool { code, _, _ := c.run("offsets", "set", "sink", topic+":0=1"); return code == 0 }, "the sink's group to be empty")
	assert.Regexp(t, `(?m)^`+topic+` +0 +1$`, c.ok("offsets", "get", "sink"))
	assert.Contains(t, c.ok("offsets", "reset", "source"), "reset successfully")

	put("set/source.json", `{"name":"source","config":{"connector.class":"FileStreamSource","topic":"`+topic+`","file":"`+lines+`","db.password":"other","tasks.max":1},"state":"RUNNING"}`)
	var changes struct {
		ByClient   bool `json:"by_client"`
		Connectors []struct{ Name, Action string }
	}
	out := c.ok("apply", set, "--plan", "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(out), &changes))
	assert.True(t, changes.ByClient)
	assert.NotContains(t, out, "s3cret")
	applied := c.ok("apply", source, "--prune", "--wait")
	assert.Contains(t, applied, "- sink (delete)\n~ source (update)\n    state: STOPPED -> RUNNING\n    ~ db.password: [hidden] -> [hidden]\n    + tasks.max = 1\n")
	assert.Contains(t, applied, "0 created, 1 updated, 1 deleted, 0 unchanged\n")
	assert.Contains(t, c.fails(3, "apply", bad), "1 of 1 connectors are invalid; nothing was changed")

	for _, lacking := range [][]string{{"logs", "source"}, {"history"}, {"history", "source"}, {"rollback", "source", "1"}} {
		assert.Contains(t, c.fails(9, lacking...), "this worker does not")
	}
	assert.Contains(t, c.fails(4, "pause", "nobody"), "nobody")
	assert.Equal(t, "source: deleted\n", c.ok("delete", "source"))
	assert.Contains(t, c.fails(4, "delete", "source"), "source not found")
	java.Stop()
	c.fails(6, "ls")
}
