//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
)

// lines returns numbered lines.
func lines(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func lineValues(from, to int) []string {
	return strings.Split(strings.TrimSuffix(lines(from, to), "\n"), "\n")
}

// A file source moves from a Java worker to ours and back, on the offsets topic
// of the Java worker: each goes on with exactly the next line, and writes the
// same bytes to the same partition.
func TestSourceMovesBetweenJavaAndUs(t *testing.T) {
	cluster := testenv.Kafka(t)
	bootstrap := cluster.Bootstrap()
	java := newJavaPeer(t, testenv.JavaConnect(t, cluster, testenv.WorkerOptions{}))
	offsetsTopic := java.Group() + "-offsets"
	name, topic, input := unique("mover"), unique("moved"), filepath.Join(t.TempDir(), "input.txt")
	props := config.Props{
		"connector.class": fileSource, "file": input, "topic": topic, "tasks.max": "1", "value.converter": stringConverter,
	}
	makeTopic(t, bootstrap, topic, 1)
	ours := func() *worker {
		w := startWorker(t, bootstrap, workerOptions{offsets: func(b *kafka.Broker) connect.OffsetStore { return b.Offsets(offsetsTopic) }})
		w.put(name, props)
		return w
	}

	appendText(t, input, lines(1, 10))
	java.put(name, props)
	require.Equal(t, lineValues(1, 10), values(t, bootstrap, topic, 10))
	java.halt(name)
	javas := lastOffsetRecord(t, bootstrap, offsetsTopic, name)

	appendText(t, input, lines(11, 25))
	w := ours()
	require.Equal(t, lineValues(1, 25), values(t, bootstrap, topic, 25), "ours goes on with the next line")
	w.stop()
	mine := lastOffsetRecord(t, bootstrap, offsetsTopic, name)
	assert.Equal(t, string(javas.Key), string(mine.Key))
	assert.Equal(t, javas.Partition, mine.Partition, "on the partition of Java's key")
	assert.Equal(t, fmt.Sprintf(`{"position":%d}`, len(lines(1, 10))), string(javas.Value))
	assert.Equal(t, fmt.Sprintf(`{"position":%d}`, len(lines(1, 25))), string(mine.Value))
	assert.Empty(t, mine.Headers)

	appendText(t, input, lines(26, 30))
	java.resume(name)
	require.Equal(t, lineValues(1, 30), values(t, bootstrap, topic, 30), "Java goes on with the next line")
	java.halt(name)

	appendText(t, input, lines(31, 33))
	w = ours()
	require.Equal(t, lineValues(1, 33), values(t, bootstrap, topic, 33), "and ours again")
	w.stop()

	t.Run("text beyond ASCII", func(t *testing.T) { beyondASCII(t, java, bootstrap, offsetsTopic) })
	t.Run("keys", func(t *testing.T) { keysOfJava(t, java, bootstrap) })
}

// Java counts characters where it should count bytes. It goes on exactly where
// ours stopped; ours goes on earlier than where Java stopped, at the start of a
// line.
func beyondASCII(t *testing.T, java javaPeer, bootstrap, offsetsTopic string) {
	name, topic, input := unique("umlaut"), unique("umlauts"), filepath.Join(t.TempDir(), "input.txt")
	props := config.Props{"connector.class": fileSource, "file": input, "topic": topic, "value.converter": stringConverter}
	makeTopic(t, bootstrap, topic, 1)
	appendText(t, input, "grüße\näöüß\nzwei\n")
	ours := func() *worker {
		w := startWorker(t, bootstrap, workerOptions{offsets: func(b *kafka.Broker) connect.OffsetStore { return b.Offsets(offsetsTopic) }})
		w.put(name, props)
		return w
	}
	w := ours()
	require.Equal(t, []string{"grüße", "äöüß", "zwei"}, values(t, bootstrap, topic, 3))
	w.stop()
	appendText(t, input, "drei\nvier\n")
	java.put(name, props)
	require.Equal(t, []string{"grüße", "äöüß", "zwei", "drei", "vier"}, values(t, bootstrap, topic, 5), "Java goes on right where ours stopped")
	java.halt(name)

	// Java first, on another file: its position is 16 characters, not 22 bytes,
	// which is in the second line.
	name, topic, input = unique("umlaut"), unique("umlauts"), filepath.Join(t.TempDir(), "input.txt")
	props = config.Props{"connector.class": fileSource, "file": input, "topic": topic, "value.converter": stringConverter}
	makeTopic(t, bootstrap, topic, 1)
	appendText(t, input, "grüße\näöüß\nzwei\n")
	java.put(name, props)
	require.Equal(t, []string{"grüße", "äöüß", "zwei"}, values(t, bootstrap, topic, 3))
	java.halt(name)
	assert.Equal(t, `{"position":16}`, string(lastOffsetRecord(t, bootstrap, offsetsTopic, name).Value))
	appendText(t, input, "drei\n")
	w = ours()
	found := values(t, bootstrap, topic, 6)
	assert.Equal(t, []string{"grüße", "äöüß", "zwei", "äöüß", "zwei", "drei"}, found, "whole lines repeat, none is lost")
	w.stop()
}

// keysOfJava compares partitions with those that Java's own producer chose.
func keysOfJava(t *testing.T, java javaPeer, bootstrap string) {
	const partitions, n = 11, 300
	theirs, ours, input := unique("keys-java"), unique("keys-ours"), filepath.Join(t.TempDir(), "keys.txt")
	makeTopic(t, bootstrap, theirs, partitions)
	makeTopic(t, bootstrap, ours, partitions)
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "%s%x ü\n", strings.Repeat("k", i%9), i*i)
	}
	appendText(t, input, text.String())
	props := config.Props{
		"connector.class": fileSource, "file": input, "topic": theirs, "key.converter": stringConverter, "value.converter": stringConverter,
		"transforms":            "wrap,key,text",
		"transforms.wrap.type":  "org.apache.kafka.connect.transforms.HoistField$Value",
		"transforms.wrap.field": "line",
		"transforms.key.type":   "org.apache.kafka.connect.transforms.ValueToKey",
		"transforms.key.fields": "line",
		"transforms.text.type":  "org.apache.kafka.connect.transforms.ExtractField$Key",
		"transforms.text.field": "line",
	}
	name := unique("keys")
	java.put(name, props)
	want := map[string]int32{}
	feed := newFeed()
	for _, r := range records(t, bootstrap, theirs, n) {
		want[string(r.Key)] = r.Partition
		feed.add(connect.Record{Topic: ours, Key: bytesDatum(r.Key), Value: bytesDatum(r.Value)})
	}
	require.Len(t, want, n)
	startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{feed.plugin()}}).put("keys", config.Props{"connector.class": "Feed"})
	for _, r := range records(t, bootstrap, ours, n) {
		assert.Equal(t, want[string(r.Key)], r.Partition, "partition of key %q", r.Key)
	}
	java.halt(name)
}

// lastOffsetRecord returns the newest record of a connector in an offsets topic.
func lastOffsetRecord(t testing.TB, bootstrap, topic, connector string) *kgo.Record {
	t.Helper()
	prefix := fmt.Sprintf(`["%s",`, connector)
	var last *kgo.Record
	eventually(t, func() bool {
		for _, r := range everything(t, bootstrap, topic) {
			if strings.HasPrefix(string(r.Key), prefix) && (last == nil || r.Offset >= last.Offset) {
				last = r
			}
		}
		return last != nil
	}, "an offset of %s in %s", connector, topic)
	return last
}

// A standalone user of Java goes on with our file store: Java's file is read as it
// is, and kept.
func TestJavasOffsetsFile(t *testing.T) {
	cluster := testenv.Kafka(t)
	bootstrap := cluster.Bootstrap()
	topic, input := unique("standalone"), filepath.Join(t.TempDir(), "input.txt")
	props := config.Props{"name": unique("lines"), "connector.class": fileSource, "file": input, "topic": topic, "value.converter": stringConverter}
	makeTopic(t, bootstrap, topic, 1)
	appendText(t, input, lines(1, 10))
	java := testenv.JavaStandalone(t, cluster, testenv.StandaloneOptions{Connectors: []map[string]string{props}})
	require.Equal(t, lineValues(1, 10), values(t, bootstrap, topic, 10))
	java.Stop()

	appendText(t, input, lines(11, 20))
	file := filepath.Join(t.TempDir(), "offsets")
	javas, err := os.ReadFile(filepath.Join(java.Dir(), "offsets"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, javas, 0o600))
	for _, to := range []int{20, 25} { // the second time from our own file
		w := startWorker(t, bootstrap, workerOptions{offsets: func(*kafka.Broker) connect.OffsetStore { return offsets.File(file) }})
		w.put(props["name"], props)
		require.Equal(t, lineValues(1, to), values(t, bootstrap, topic, to))
		w.stop()
		appendText(t, input, lines(to+1, to+5))
	}
}
