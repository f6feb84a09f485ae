package connectors

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/transforms"
)

// cluster is what outlives the Runtimes of a test.
type cluster struct {
	broker  *connecttest.Broker
	offsets connect.OffsetStore
}

func newCluster() *cluster {
	return &cluster{broker: connecttest.NewBroker(), offsets: connect.NewMemoryOffsets()}
}

// run runs connectors, in a bubble, until done reports true, and stops them gracefully.
func (c *cluster) run(t *testing.T, done func() bool, connectors ...config.Props) {
	t.Helper()
	rt, err := connect.New(connect.Options{
		Plugins: slices.Concat(All(), transforms.All(), converters.All()),
		Broker:  c.broker,
		Offsets: c.offsets,
		Worker: config.Props{
			"bootstrap.servers":        "memory",
			"key.converter":            "org.apache.kafka.connect.storage.StringConverter",
			"value.converter":          "org.apache.kafka.connect.storage.StringConverter",
			"offset.flush.interval.ms": "1000",
		},
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	for _, props := range connectors {
		_, err := rt.PutConnector(ctx, props["name"], props)
		require.NoError(t, err)
	}
	deadline := time.Now().Add(time.Minute)
	for !done() && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
	}
	for _, props := range connectors {
		status, err := rt.Status(ctx, props["name"])
		assert.NoError(t, err)
		assert.Equal(t, "RUNNING", fmt.Sprint(status.Connector.State), "%+v", status)
		for _, task := range status.Tasks {
			assert.Equal(t, "RUNNING", fmt.Sprint(task.State), "%+v", task)
		}
	}
	assert.True(t, done(), "what was waited for")
	stop()
	require.NoError(t, <-ended)
}

// A line goes from a file through Kafka into a file: once, across a restart of everything but Kafka, under the names that Java's users know.
func TestFileToFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
		source := config.Props{
			"name": "source", "connector.class": "FileStreamSource", "file": in, "topic": "lines", "tasks.max": "3",
			"transforms": "route", "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
			"transforms.route.regex": "(.*)", "transforms.route.replacement": "all-$1",
		}
		sink := config.Props{
			"name": "sink", "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "file": out, "topics": "all-lines",
			"consumer.override.auto.offset.reset": "earliest",
		}
		c, written := newCluster(), ""
		c.broker.CreateTopic("all-lines", 1)
		for round := range 3 {
			text := fmt.Sprintf("first of %d\nzweite ü\nthird\n", round)
			written += text
			f, err := os.OpenFile(in, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			require.NoError(t, err)
			_, err = f.WriteString(text)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			c.run(t, func() bool { b, _ := os.ReadFile(out); return len(b) >= len(written) }, source, sink)
			b, err := os.ReadFile(out)
			require.NoError(t, err)
			assert.Equal(t, written, string(b), "round %d", round)
		}
	})
}

// Every record that is made is counted, by as many tasks as there are partitions.
func TestGeneratorToNull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := filepath.Join(t.TempDir(), "done.json")
		c := newCluster()
		c.broker.CreateTopic("made", 2)
		c.run(t, func() bool { _, err := os.Stat(done); return err == nil },
			config.Props{"name": "make", "connector.class": "GeneratorSource", "topic": "made", "mode": "template", "template": "reading",
				"records": "2500", "tasks.max": "2", "rate": "1000"},
			config.Props{"name": "drop", "connector.class": "NullSink", "topics": "made", "records": "5000", "done.file": done, "delay.ms": "5"})
		b, err := os.ReadFile(done)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(b), `{"count":5000,`), "%s", b)
	})
}
