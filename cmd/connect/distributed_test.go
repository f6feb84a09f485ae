package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// distributedFile writes a worker file as a user of Java's distributed worker has
// it, and returns its path.
func distributedFile(t *testing.T, dir, bootstrap, more string) string {
	t.Helper()
	return write(t, dir, "connect-distributed.properties", `# A list of host/port pairs to use for establishing the initial connection to the Kafka cluster.
bootstrap.servers=`+bootstrap+`

# unique name for the cluster, used in forming the Connect cluster group. Note that this must not conflict with consumer group IDs
group.id=connect-cluster

key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true

offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
#offset.storage.partitions=25
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
#status.storage.partitions=5
status.storage.segment.bytes=1048576

# Flush much faster than normal, which is useful for testing/debugging
offset.flush.interval.ms=10000

#listeners=HTTP://:8083
listeners=HTTP://127.0.0.1:0
#rest.advertised.host.name=
plugin.path=/usr/local/share/java
`+more)
}

// fiveTasks is a sink with so many tasks, as a request.
func fiveTasks(name, file string) string {
	return fmt.Sprintf(`{"name": %q, "config": {"connector.class": "FileStreamSink", "file": %q, "topics": "events", "tasks.max": "5"}}`, name, file)
}

// runsEvenly tells whether the worker at url sees the fifteen tasks of three sinks
// run on these workers, on none more than one above another. Which sink's tasks
// are where is not the assignor's concern: it evens out their sum.
func runsEvenly(ctx context.Context, url string, workers ...string) bool {
	sum := make(map[string]int)
	for i := range 3 {
		for worker, n := range stateAt(ctx, url, fmt.Sprint("sink-", i)).running() {
			sum[worker] += n
		}
	}
	total := 0
	for _, n := range sum {
		total += n
	}
	for _, worker := range workers {
		if n := sum[strings.TrimPrefix(worker, "http://")]; n != total/len(workers) && n != total/len(workers)+1 {
			return false
		}
	}
	return total == 15 && len(sum) == len(workers)
}

func TestDistributedRunsJavasFile(t *testing.T) {
	dir, bootstrap := t.TempDir(), startKafka(t)
	file := distributedFile(t, dir, bootstrap, "scheduled.rebalance.max.delay.ms=0\nheartbeat.interval.ms=100\nsession.timeout.ms=6000\n")
	var all []*session
	var urls []string
	for range 3 {
		s := begin(t, "", "distributed", file)
		all, urls = append(all, s), append(urls, readyAt(t, &s.stderr))
	}
	for i, url := range urls {
		mustCurl(t, 201, http.MethodPost, url+"/connectors", fiveTasks(fmt.Sprint("sink-", i), dir+"/out.txt"))
	}
	for _, url := range urls {
		eventually(t, "three workers run fifteen tasks", func() bool { return runsEvenly(t.Context(), url, urls...) })
	}
	mustCurl(t, 409, http.MethodPost, urls[0]+"/connectors", fiveTasks("sink-0", "x"))
	mustCurl(t, 204, http.MethodPut, urls[1]+"/admin/loggers/some.thing?scope=cluster", `{"level":"DEBUG"}`)
	for _, url := range urls {
		eventually(t, "all workers have the level", func() bool {
			_, body, err := curl(t.Context(), http.MethodGet, url+"/admin/loggers/some.thing", "")
			return err == nil && strings.Contains(body, `"level":"DEBUG"`)
		})
	}
	require.Equal(t, 0, all[1].wait(true))
	eventually(t, "the others have the work", func() bool {
		return runsEvenly(t.Context(), urls[0], urls[0], urls[2])
	})
	for _, s := range all {
		assert.Equal(t, 0, s.wait(true))
		assert.NotContains(t, s.stderr.String(), "level=ERROR")
	}
}

// Connectors of the command line are the leader's to put.
func TestDistributedWithConnectors(t *testing.T) {
	dir, bootstrap := t.TempDir(), startKafka(t)
	file := distributedFile(t, dir, bootstrap, "")
	connector := write(t, dir, "sink.json", fiveTasks("sink", dir+"/out.txt"))
	s := begin(t, "", "distributed", file, connector)
	url := restOf(t, &s.stderr)
	s.eventually("it runs", func() bool { return len(stateAt(t.Context(), url, "sink").running()) == 1 })
	assert.Equal(t, 0, s.wait(true))

	paused := write(t, dir, "paused.json", `{"name": "p", "config": {"connector.class": "NullSink", "topics": "t"}, "initial_state": "PAUSED"}`)
	code, _, stderr := runToEnd(t, "distributed", file, paused)
	assert.Equal(t, 3, code)
	assert.Contains(t, stderr, paused+": initial_state: the state of a connector is the cluster's to keep")
}

// Topics that would lose what the worker writes end it, with the key to mend.
func TestDistributedOnWrongTopics(t *testing.T) {
	bootstrap := startKafka(t)
	ask(t, bootstrap, func(ctx context.Context, a connect.Admin) ([]string, error) {
		return a.CreateTopics(ctx, connect.TopicSpec{Name: "connect-configs", Partitions: 2, ReplicationFactor: 1, Config: map[string]string{"cleanup.policy": "compact"}})
	})
	code, _, stderr := runToEnd(t, "distributed", distributedFile(t, t.TempDir(), bootstrap, ""))
	assert.Equal(t, 3, code)
	assert.Contains(t, stderr, `config.storage.topic: topic "connect-configs" has 2 partitions; it must have exactly one`)
}

func TestBadDistributedFiles(t *testing.T) {
	bootstrap := startKafka(t)
	for _, c := range []struct {
		name, more string
		want       []string
	}{
		{"no group", "group.id=\n", []string{"group.id"}},
		{"partitions", "status.storage.partitions=0\n", []string{"status.storage.partitions"}},
		{"algorithm", "inter.worker.signature.algorithm=HmacSHA1\n", []string{"inter.worker.verification.algorithms"}},
		{"exactly once", "exactly.once.source.support=ENABLED\n", []string{"exactly.once.source.support: found enabled, want preparing or disabled"}},
		{"listeners", "listeners=8083\n", []string{"listeners"}},
		{"extension", "rest.extension.classes=com.example.Gate\n", []string{"rest.extension.classes", "com.example.Gate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := runToEnd(t, "distributed", "--log-level", "error", distributedFile(t, t.TempDir(), bootstrap, c.more))
			assert.Equal(t, 2, code)
			for _, want := range c.want {
				assert.Contains(t, stderr, want)
			}
		})
	}
	code, _, stderr := runToEnd(t, "distributed")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "the worker file is missing")
}
