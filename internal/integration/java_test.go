//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// Connectors by their names in Java.
const (
	fileSource = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	fileSink   = "org.apache.kafka.connect.file.FileStreamSinkConnector"
)

// javaPeer speaks to the REST interface of a Java worker.
type javaPeer struct {
	*testenv.JavaWorker
	t testing.TB
}

// call makes a request; into nil ignores the answer. It returns the status.
func (j javaPeer) call(method, path string, body, into any) int {
	j.t.Helper()
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(j.t, err)
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(within(j.t), method, j.URL()+path, text)
	require.NoError(j.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(j.t, err)
	if into != nil && resp.StatusCode < 300 {
		require.NoError(j.t, json.Unmarshal(b, into), "%s", b)
	}
	return resp.StatusCode
}

// put creates a connector and waits until it and its tasks run.
func (j javaPeer) put(name string, props config.Props) {
	j.t.Helper()
	eventually(j.t, func() bool { // 409 while the workers rebalance
		return j.call(http.MethodPut, "/connectors/"+name+"/config", props, nil) < 300
	}, "Java to take connector %s", name)
	eventually(j.t, func() bool { return j.running(name) }, "Java to run connector %s", name)
}

func (j javaPeer) running(name string) bool {
	type state struct {
		State string `json:"state"`
	}
	var s struct {
		Connector state   `json:"connector"`
		Tasks     []state `json:"tasks"`
	}
	if j.call(http.MethodGet, "/connectors/"+name+"/status", nil, &s) != http.StatusOK {
		return false
	}
	up := s.Connector.State == "RUNNING" && len(s.Tasks) > 0
	for _, task := range s.Tasks {
		up = up && task.State == "RUNNING"
	}
	return up
}

// halt stops a connector, tasks and all (KIP-875), and waits until it has.
func (j javaPeer) halt(name string) {
	j.t.Helper()
	require.Less(j.t, j.call(http.MethodPut, "/connectors/"+name+"/stop", nil, nil), 300)
	eventually(j.t, func() bool {
		var s struct {
			Connector struct {
				State string `json:"state"`
			} `json:"connector"`
			Tasks []any `json:"tasks"`
		}
		return j.call(http.MethodGet, "/connectors/"+name+"/status", nil, &s) == http.StatusOK && s.Connector.State == "STOPPED" && len(s.Tasks) == 0
	}, "Java to stop connector %s", name)
}

// resume undoes halt.
func (j javaPeer) resume(name string) {
	j.t.Helper()
	require.Less(j.t, j.call(http.MethodPut, "/connectors/"+name+"/resume", nil, nil), 300)
	eventually(j.t, func() bool { return j.running(name) }, "Java to run connector %s again", name)
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
	client := bare(t, bootstrap)
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
			all = append(all, r)
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return all
}
