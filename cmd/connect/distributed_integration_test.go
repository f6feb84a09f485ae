//go:build integration && unix

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/internal/testenv"
)

// Three processes on a real cluster share connectors, which lines of a file pass
// through; one of the processes is killed, and its tasks run elsewhere.
func TestThreeProcessesAndAKill(t *testing.T) {
	dir, bootstrap := t.TempDir(), testenv.KafkaNodes(t, 1).Bootstrap()
	file := distributedFile(t, dir, bootstrap, "session.timeout.ms=6000\nheartbeat.interval.ms=500\nscheduled.rebalance.max.delay.ms=1000\n"+
		"offset.flush.interval.ms=500\nconsumer.session.timeout.ms=6000\nconsumer.heartbeat.interval.ms=500\ntask.shutdown.graceful.timeout.ms=5000\n")
	var all []*child
	var urls []string
	for range 3 {
		c := subprocess(t.Context(), "distributed", file)
		c.start(t)
		all, urls = append(all, c), append(urls, readyAt(t, &c.stderr))
	}
	in, out := write(t, dir, "in.txt", numbered(0, 1000)), dir+"/out.txt"
	mustCurl(t, 201, http.MethodPost, urls[0]+"/connectors", `{"name": "source", "config": {"connector.class":
		"org.apache.kafka.connect.file.FileStreamSourceConnector", "file": "`+in+`", "topic": "events"}}`)
	mustCurl(t, 201, http.MethodPost, urls[1]+"/connectors", fiveTasks("sink", out))
	mustCurl(t, 201, http.MethodPost, urls[2]+"/connectors", fiveTasks("sink-2", dir+"/out-2.txt"))
	eventually(t, "three workers run eleven tasks", func() bool {
		workers := map[string]int{}
		for _, name := range []string{"source", "sink", "sink-2"} {
			for worker, n := range stateAt(t.Context(), urls[0], name).running() {
				workers[worker] += n
			}
		}
		return len(workers) == 3 && workers[host(urls[0])]+workers[host(urls[1])]+workers[host(urls[2])] == 11
	})
	eventually(t, "the lines arrive", func() bool { return strings.Count(content(out), "\n") >= 1000 })

	victim := victimOf(stateAt(t.Context(), urls[0], "source"), urls)
	require.NoError(t, all[victim].Process.Signal(syscall.SIGKILL))
	_ = all[victim].Wait()
	left := urls[(victim+1)%3]
	for _, name := range []string{"source", "sink", "sink-2"} {
		eventually(t, "the tasks run elsewhere", func() bool {
			now := stateAt(t.Context(), left, name)
			n := now.running()
			total := 0
			for _, tasks := range n {
				total += tasks
			}
			return n[host(urls[victim])] == 0 && total == len(now.Tasks) && now.Connector.State == "RUNNING" && now.Connector.WorkerID != host(urls[victim])
		})
	}
	appendTo(t, in, numbered(1000, 1100))
	lastLine := strings.TrimSuffix(numbered(1099, 1100), "\n")
	eventually(t, "lines that were added arrive", func() bool { return strings.Contains(content(out), lastLine) })
	for i := range 1100 { // at least once
		require.Contains(t, content(out), fmt.Sprintf("line %d ", i))
	}
	for i, c := range all {
		if i != victim {
			assert.Equal(t, 0, c.end(t, syscall.SIGTERM), c.stderr.String())
		}
	}
	checkTopics(t, bootstrap)
}

func host(url string) string { return strings.TrimPrefix(url, "http://") }

// victimOf is the worker that runs a connector's first task.
func victimOf(s connectorState, urls []string) int {
	for i, url := range urls {
		if len(s.Tasks) > 0 && s.Tasks[0].WorkerID == host(url) {
			return i
		}
	}
	return 0
}

// checkTopics looks whether the internal topics are as Java makes them.
func checkTopics(t *testing.T, bootstrap string) {
	t.Helper()
	topics := ask(t, bootstrap, func(ctx context.Context, a connect.Admin) (map[string]connect.TopicInfo, error) {
		return a.Topics(ctx, "connect-configs", "connect-offsets", "connect-status")
	})
	for name, partitions := range map[string]int{"connect-configs": 1, "connect-offsets": 25, "connect-status": 5} {
		assert.Equal(t, partitions, topics[name].Partitions, name)
		assert.Equal(t, "compact", topics[name].Config["cleanup.policy"], name)
	}
	assert.Equal(t, "1048576", topics["connect-status"].Config["segment.bytes"])
}
