//go:build integration

package integration

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect/internal/testenv"
)

// Connectors by their names in Java.
const (
	fileSource = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	fileSink   = "org.apache.kafka.connect.file.FileStreamSinkConnector"
)

// javaPeer is a Java worker with its REST interface.
type javaPeer struct {
	*testenv.JavaWorker
	restPeer
}

func newJavaPeer(t testing.TB, w *testenv.JavaWorker) javaPeer {
	return javaPeer{w, restPeer{t, w.URL()}}
}

// appendText writes to the end of a file.
func appendText(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// values returns the values of the first n records of a topic, in the order of
// its only partition.
func values(t testing.TB, bootstrap, topic string, n int) []string {
	t.Helper()
	var all []string
	for _, r := range records(t, bootstrap, topic, n) {
		all = append(all, string(r.Value))
	}
	return all
}

// records returns the records of a topic as soon as there are n.
func records(t testing.TB, bootstrap, topic string, n int) []*kgo.Record {
	t.Helper()
	client := bare(t, bootstrap, kgo.ConsumeTopics(topic))
	var all []*kgo.Record
	for len(all) < n {
		fetches := client.PollFetches(within(t))
		require.NoError(t, fetches.Err0(), "found %d of %d records of %s", len(all), n, topic)
		all = append(all, fetches.Records()...)
	}
	return all
}

// everything returns all records that a topic has now.
func everything(t testing.TB, bootstrap, topic string) []*kgo.Record {
	t.Helper()
	client := bare(t, bootstrap, kgo.KeepControlRecords()) // one may be the last
	ends, err := kadm.NewClient(client).ListEndOffsets(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, ends.Error())
	starts := map[string]map[int32]kgo.Offset{topic: {}}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			starts[topic][o.Partition], left[o.Partition] = kgo.NewOffset().AtStart(), o.Offset
		}
	})
	client.AddConsumePartitions(starts)
	var all []*kgo.Record
	for len(left) > 0 {
		fetches := client.PollFetches(within(t))
		require.NoError(t, fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				all = append(all, r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return all
}
