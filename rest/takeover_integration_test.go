//go:build integration

package rest

import (
	"bufio"
	"encoding/json"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A topicRecord is a record of an internal topic, as it was recorded.
type topicRecord struct {
	Topic     string  `json:"topic"`
	KeyText   string  `json:"keyText"`
	ValueText *string `json:"valueText"` // nil: tombstone
}

func topicRecords(t *testing.T, name string) []topicRecord {
	t.Helper()
	f, err := os.Open("testdata/takeover/" + name)
	require.NoError(t, err)
	defer f.Close()
	var list []topicRecord
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r topicRecord
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		list = append(list, r)
	}
	require.NoError(t, lines.Err())
	return list
}

// The topics of a cluster with records of all kinds in them, good, odd and broken:
// a worker of Java was started on them, and one of ours shows the same, save where
// Java falls over.
func TestTakeOverOnABroker(t *testing.T) {
	list, written := transcript(t, "takeover/rest.jsonl"), topicRecords(t, "written.jsonl")
	javaConfigs, javaStates := topicRecords(t, "configs.jsonl"), topicRecords(t, "status.jsonl")
	t.Chdir(t.TempDir())
	for _, name := range []string{"good.txt", "größe.txt"} {
		require.NoError(t, os.WriteFile(name, []byte("ab\ncd\n"), 0o600))
	}
	const group, address = "take-over2", "127.0.0.1:18912"
	s := newSite(t, group, []string{group + "-t"}, nil)
	s.write(group, written)
	w := s.start(address, "", nil)
	d := takeOverDeviations()
	p := &replay{
		deviates: d, both: sortTopics, wait: time.Millisecond, step: 25 * time.Millisecond, pause: realPause,
		settle: func(*testing.T) {}, send: func(t *testing.T, e exchange) *httptest.ResponseRecorder { return s.send(t, address, e) },
	}
	p.run(t, list)
	assert.Equal(t, len(list)-len(d), p.compared)
	w.stop()

	// What the two have written: a session key, the same task sets, the end of
	// states that are left over.
	want := append(appended(javaConfigs[1:], written), // the first is of the run that made the topics
		"task-count-float-0", "commit-count-float", "task-null-value-0", "commit-null-value") // see the deviations
	assert.ElementsMatch(t, want, appended(s.read(group+"-configs"), written), "keys in the config topic")
	assert.ElementsMatch(t, append(tombstones(javaStates), "status-topic-orphan:connector-unknown"), tombstones(s.read(group+"-status")), "states that are deleted")
}

// write writes records into new topics, as many as Java's have.
func (s *site) write(group string, written []topicRecord) {
	t := s.t
	t.Helper()
	adm := kadm.NewClient(s.kafka)
	compact := "compact"
	for name, partitions := range map[string]int32{"-configs": 1, "-offsets": 25, "-status": 5} {
		resp, err := adm.CreateTopic(t.Context(), partitions, -1, map[string]*string{"cleanup.policy": &compact}, group+name)
		require.NoError(t, err)
		require.NoError(t, resp.Err)
	}
	for _, r := range written {
		record := &kgo.Record{Topic: r.Topic, Key: []byte(r.KeyText)}
		if r.ValueText != nil {
			record.Value = []byte(*r.ValueText)
		}
		require.NoError(t, s.kafka.ProduceSync(t.Context(), record).FirstErr())
	}
}

// appended returns the keys of what was written to the config topic after the given
// records, each once.
func appended(all, written []topicRecord) []string {
	given := 0
	for _, r := range written {
		if strings.HasSuffix(r.Topic, "-configs") {
			given++
		}
	}
	return keysOf(all[given:])
}

// tombstones returns the keys of what is deleted.
func tombstones(all []topicRecord) []string {
	return keysOf(slices.DeleteFunc(all, func(r topicRecord) bool { return r.ValueText != nil }))
}

// keysOf returns the keys of records, each once.
func keysOf(records []topicRecord) []string {
	var keys []string
	for _, r := range records {
		keys = append(keys, r.KeyText)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// read returns the records that a topic has.
func (s *site) read(topic string) []topicRecord {
	t := s.t
	t.Helper()
	ends, err := kadm.NewClient(s.kafka).ListEndOffsets(t.Context(), topic)
	require.NoError(t, err)
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(s.bootstrap, ",")...), kgo.ConsumeTopics(topic))
	require.NoError(t, err)
	defer client.Close()
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	var all []topicRecord
	for left > 0 {
		fetches := client.PollFetches(t.Context())
		require.NoError(t, fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			left--
			one := topicRecord{Topic: topic, KeyText: string(r.Key)}
			if r.Value != nil {
				text := string(r.Value)
				one.ValueText = &text
			}
			all = append(all, one)
		})
	}
	return all
}

// sortTopics orders the topics of a connector, which Java lists in any order.
func sortTopics(_ exchange, o *outcome) {
	body, _ := o.Body.(map[string]any)
	for _, about := range body {
		about, _ := about.(map[string]any)
		topics, _ := about["topics"].([]any)
		slices.SortFunc(topics, func(a, b any) int { return strings.Compare(stringOf(a), stringOf(b)) })
	}
}

// takeOverDeviations are the answers that differ on purpose.
func takeOverDeviations() deviations {
	d := deviations{}
	const count = "Java loses what it has read together with a count that is no whole number"
	d.add(deviation{why: count, status: 200, part: `["count-float","count-text","dash-name-1","gone-class","good","größe","incomplete","no-class","null-value",` +
		`"other-name","reborn","reset","shrunk","stopped","uncommitted","v2-number","v2-weird","v2-wins","weird-state"]`}, 1)
	d.add(deviation{why: count, status: 200, part: `"count-float":{"status":{"name":"count-float","connector":{"state":"RUNNING"`}, 3)
	const number = "a configuration with a value that is no text is ignored; Java falls over it"
	d.add(deviation{why: number, status: 200, part: `"v2-weird":{"info":{"name":"v2-weird"`}, 2, 4)
	d.add(deviation{why: number, status: 404, part: "Connector props-number not found"}, 65, 67, 69)
	d.add(deviation{why: number, status: 404, part: "No status found for connector props-number"}, 66)
	const null = "a value that is null counts as absent; Java fails the connector. (The file source then asks for standard input, which the worker has not got.)"
	d.add(deviation{why: null, status: 200, part: `"file":null,"name":"null-value","tasks.max":"1","topic":"take-over2-t"},"tasks":[{"connector":"null-value","task":0}]`}, 55)
	d.add(deviation{why: null, status: 200, part: `"connector":{"state":"RUNNING","worker_id":"127.0.0.1:18912","version":"4.3.1"},"tasks":[{"id":0,"state":"FAILED"`}, 56)
	d.add(deviation{why: null, status: 200, part: `"id":{"connector":"null-value","task":0}`}, 57)
	const class = "the error says which connector it is about"
	d.add(deviation{why: class, status: 500, part: `connector \"gone-class\": no plugin is known for its class \"com.acme.Gone\"`}, 29)
	d.add(deviation{why: class, status: 500, part: `connector \"no-class\": no plugin is known for its class \"\"`}, 49)
	d.add(deviation{why: "offsets are found by what their keys mean; Java shows those of foreign spellings as null", status: 200,
		part: `{"partition":{"a":"x","b":1},"offset":{"s":"ü","t":true,"position":1.5,"n":null}}`}, 34)
	d.add(deviation{why: "the topics of connectors that are not there are forgotten with their states", status: 200, part: `{"unknown":{"topics":[]}}`}, 98)
	return d
}
