package examples

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deadline is far from what an example takes, on a machine that is busy.
const deadline = 3 * time.Minute

// start runs an example as a reader would and returns what it printed.
func start(t *testing.T, name string, args ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	build(t, name, binary)
	ctx, cancel := context.WithTimeoutCause(t.Context(), deadline, context.DeadlineExceeded)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BOOTSTRAP=") })
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	require.NoError(t, err, "output:\n%s\nlog:\n%s", out, log.String())
	assert.NotContains(t, log.String(), "ERROR")
	return string(out)
}

func build(t *testing.T, name, binary string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", binary, "./"+name)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestEmbedded(t *testing.T) {
	assert.Equal(t, `run 1: 3 apples
run 1: 1 melon
run 1: 2 plums
run 2: 5 pears
run 2: 1 lemon
`, start(t, "embedded"))
}

// What embedding costs is part of the promise: a program without a Kafka client
// stays small.
func TestEmbeddedIsSmall(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "embedded")
	build(t, "embedded", binary)
	info, err := os.Stat(binary)
	require.NoError(t, err)
	t.Logf("embedded: %d KiB, without symbols", info.Size()>>10)
	const ceiling = 8 << 20
	assert.Less(t, info.Size(), int64(ceiling))
}

// The README's second example: each order is in one file, and files hold what they were told to.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	out := start(t, "directory", dir)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 5, out)
	assert.Equal(t, "1000 orders in 4 files below "+dir, lines[0])
	for i, want := range []string{" 300 ", " 300 ", " 300 ", " 100 "} {
		offset := fmt.Sprintf("%010d", 300*i)
		assert.Regexp(t, "^"+want+`topics/orders/year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/orders\+0\+`+offset+`\.json$`, lines[1+i])
	}
}

func TestBesideKafkaGo(t *testing.T) {
	assert.Equal(t, `ordered: 3 apples
ordered: 1 melon
ordered: 2 plums
remark: more apples, please
remark: no more plums
archived: 3 apples
archived: 1 melon
archived: 2 plums
`, start(t, "besidekafkago"))
}

// What is published while the connector is away waits for it.
func TestMQTT(t *testing.T) {
	assert.Equal(t, `plant.temperature press 21.5
plant.temperature press 21.7
plant.temperature press 22.0
--- away
plant.temperature press 25.1
`, start(t, "mqtt"))
}

// The service's routes and Kafka Connect's are in one mux, behind one middleware.
func TestMountedREST(t *testing.T) {
	assert.Equal(t, `GET /connect/connectors: 401 who are you?
PUT /connect/connectors/orders/config: 201 {"name":"orders","config":{"connector.class":"FileStreamSource","file":"DIR/orders.txt","name":"orders","topic":"orders"},"tasks":[],"type":"source"}
GET /orders: 200 3 orders: 3 apples, 1 melon, 2 plums
GET /connect/connectors/orders/status: 200 {"name":"orders","connector":{"state":"RUNNING","worker_id":"HOST","version":"4.3.1"},"tasks":[{"id":0,"state":"RUNNING","worker_id":"HOST","version":"4.3.1"}],"type":"source"}
GET /connect/-/connectors/orders/errors: 200 {"name":"orders","errors":[],"missing":[]}
DELETE /connect/connectors/orders: 204
GET /connect/connectors: 200 []
`, start(t, "mountedrest"))
}

// The second run goes on in the middle of a page.
func TestHTTPSource(t *testing.T) {
	assert.Equal(t, `run 1: order 1 at 12:01:00: apples
run 1: order 2 at 12:02:00: melon
run 1: order 3 at 12:03:00: plums
run 1: order 4 at 12:04:00: pears
run 2: order 5 at 12:05:00: lemon
run 2: order 6 at 12:06:00: grapes
run 2: order 7 at 12:07:00: figs
`, start(t, "httpsource"))
}

// The connector moves to another worker and goes on where it was.
func TestThreeWorkers(t *testing.T) {
	out := start(t, "threeworkers")
	m := regexp.MustCompile(`^worker (\w+) runs the task of lines; copied: \[1 2 3\]
worker (\w+) stops
worker (\w+) runs the task of lines; copied: \[1 2 3 4 5\]
$`).FindStringSubmatch(out)
	require.NotNil(t, m, "output:\n%s", out)
	assert.Equal(t, m[1], m[2])
	assert.NotEqual(t, m[1], m[3])
}

// Each run goes on with the reading after the last one that Kafka has, sensor by
// sensor.
func TestWriteSource(t *testing.T) {
	out := start(t, "writesource")
	next := map[string]int64{}
	runs := strings.SplitAfter(out, "--- stopped\n")
	require.Len(t, runs, 3, "output:\n%s", out)
	require.Empty(t, runs[2])
	for _, run := range runs[:2] {
		readings := strings.Split(strings.TrimSuffix(run, "--- stopped\n"), "\n")
		readings = readings[:len(readings)-1]
		require.GreaterOrEqual(t, len(readings), 6)
		for _, line := range readings {
			var r struct {
				Sensor string
				Number int64
			}
			require.NoError(t, json.Unmarshal([]byte(line), &r), "line %q", line)
			next[r.Sensor]++
			require.Equal(t, next[r.Sensor], r.Number, "of sensor %s, in:\n%s", r.Sensor, out)
		}
	}
	assert.Len(t, next, 3)
}

// Nothing is missing in the files and nothing is there twice, over two runs.
func TestWriteSink(t *testing.T) {
	dir := t.TempDir()
	start(t, "writesink", dir)
	paths, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	require.NoError(t, err)
	require.Len(t, paths, 2)
	total := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		rows := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		for i, row := range rows {
			offset, _, _ := strings.Cut(row, ",")
			require.Equal(t, strconv.Itoa(i), offset, "row %d of %s", i, path)
		}
		total += len(rows)
	}
	assert.GreaterOrEqual(t, total, 40)
}
