package cluster

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// recorded is one record of an internal topic, as a Java worker wrote it.
type recorded struct {
	Run    string
	Offset int64
	Key    string
	Value  *string
}

func (r recorded) record() Record {
	if r.Value == nil {
		return Record{Key: r.Key}
	}
	return Record{r.Key, []byte(*r.Value)}
}

func readRecords(t *testing.T, file string) []recorded {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		all = append(all, r)
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, all)
	return all
}

// TestRecordsAreJavas reads what Java's workers wrote and writes it again: the
// bytes must be the same. The properties of a connector keep the order of the
// request in Java, and those of a task the order of insertion within a bucket of
// the hash map; neither is known to a reader, so those are compared by meaning.
func TestRecordsAreJavas(t *testing.T) {
	counts := map[string]int{}
	for _, r := range readRecords(t, "config_topic.jsonl") {
		if r.Value == nil {
			continue
		}
		prefix, rest := cutKey(r.Key)
		value := []byte(*r.Value)
		var again Record
		switch prefix {
		case connectorPrefix:
			props, err := parseProperties(value)
			require.NoError(t, err)
			again = ConnectorRecord(rest, props)
			assert.JSONEq(t, *r.Value, string(again.Value))
			value = again.Value
		case taskPrefix:
			id, err := ParseTaskID(rest)
			require.NoError(t, err)
			props, err := parseProperties(value)
			require.NoError(t, err)
			again = TaskRecords(id.Connector, append(make([]config.Props, id.Task), props))[id.Task]
			assert.JSONEq(t, *r.Value, string(again.Value))
			value = again.Value
		case commitPrefix:
			n, err := parseCount(value, "tasks")
			require.NoError(t, err)
			again = CommitRecord(rest, n)
		case targetStatePrefix:
			s, err := parseTargetState(value)
			require.NoError(t, err)
			again = TargetStateRecord(rest, s)
		case fencingPrefix:
			n, err := parseCount(value, "task-count")
			require.NoError(t, err)
			again = FencingRecord(rest, n)
		case restartPrefix:
			req, err := parseRestart(rest, value)
			require.NoError(t, err)
			again = RestartRecord(req)
		case loggerPrefix:
			level, err := parseLevel(value)
			require.NoError(t, err)
			again = LoggerRecord(rest, level)
		default:
			continue
		}
		counts[prefix]++
		assert.Equal(t, r.Key, again.Key)
		assert.Equal(t, string(value), string(again.Value), "%s of %s", r.Key, r.Run)
	}
	for _, prefix := range []string{connectorPrefix, taskPrefix, commitPrefix, targetStatePrefix, fencingPrefix, restartPrefix, loggerPrefix} {
		assert.Positive(t, counts[prefix], "no record of %s was recorded", prefix)
	}
}

// TestStatusRecordsAreJavas does the same with the status topic.
func TestStatusRecordsAreJavas(t *testing.T) {
	n, topics := 0, 0
	for _, r := range readRecords(t, "status_topic.jsonl") {
		if r.Value == nil {
			continue
		}
		if strings.HasPrefix(r.Key, topicStatusPrefix) {
			var v struct {
				Topic struct {
					Name, Connector   string
					Task              int
					DiscoverTimestamp int64
				}
			}
			require.NoError(t, json.Unmarshal([]byte(*r.Value), &v))
			again := ActiveTopicRecord(v.Topic.Name, TaskID{v.Topic.Connector, v.Topic.Task}, time.UnixMilli(v.Topic.DiscoverTimestamp))
			assert.Equal(t, r.record(), again)
			topics++
			continue
		}
		s, err := parseStatus([]byte(*r.Value))
		require.NoError(t, err)
		again := Record{r.Key, statusJSON(s)}
		if name, ok := strings.CutPrefix(r.Key, connectorStatusPrefix); ok {
			assert.Equal(t, ConnectorStatusRecord(name, s), again)
		}
		assert.Equal(t, *r.Value, string(again.Value))
		n++
	}
	assert.Greater(t, n, 100)
	assert.Positive(t, topics)
}

// TestForeignRecords reads a config topic with odd and broken records, on
// which a Java worker was started: what it made of them is what we make of
// them.
func TestForeignRecords(t *testing.T) {
	var f Fold
	var ignored []string
	for i, r := range readRecords(t, "foreign_config_topic.jsonl") {
		if _, err := f.Apply(r.record(), int64(i)); err != nil {
			ignored = append(ignored, r.Key)
		}
	}
	v := f.View()
	state := func(name string) TargetState { return v.Connector(name).Target }
	tasks := func(name string) int { return len(v.Connector(name).Tasks) }

	assert.Equal(t, 1, tasks("good"))
	assert.Equal(t, 3, v.Connector("good").Fenced)
	assert.Equal(t, 1, tasks("größe"), "unknown members are no harm")
	assert.Equal(t, 1, tasks("dash-name-1"))
	assert.Equal(t, TargetPaused, state("dash-name-1"), "state.v2 may be absent")
	assert.True(t, v.Connector("incomplete").Inconsistent)
	assert.Zero(t, tasks("incomplete"), "nothing of an incomplete set may start")
	assert.Zero(t, tasks("uncommitted"))
	assert.Equal(t, -1, v.Connector("uncommitted").Generation)
	assert.Zero(t, tasks("stopped"))
	assert.Equal(t, TargetStopped, state("stopped"))
	assert.Equal(t, TargetStarted, state("weird-state"))
	assert.Equal(t, TargetPaused, state("v2-wins"), "a target state may come before its connector")
	assert.Equal(t, TargetStarted, state("v2-weird"), "an unknown word makes the record void, good state beside it or not")
	assert.Equal(t, TargetPaused, state("v2-number"), "only text counts in state.v2")
	assert.Nil(t, v.Connector("deleted"))
	assert.Equal(t, TargetPaused, state("reborn"), "a tombstone of the connector leaves the target state")
	assert.Equal(t, TargetStarted, state("reset"))
	assert.Equal(t, 1, tasks("shrunk"))
	assert.Zero(t, tasks("count-text"))
	assert.Nil(t, v.Connector("nobody"), "tasks without a connector are left over from compaction")
	for _, broken := range []string{"connector-broken", "connector-array", "connector-no-props", "connector-props-text", "connector-empty", "task-x", "foo-bar"} {
		assert.Contains(t, ignored, broken)
	}
}

// Workers compare how far they have read, so a record counts, or does not, as in
// Java: by its JSON alone. A worker that did not count a record that says nothing
// to it could never again agree with a leader that did.
func TestPositionCountsWhatJavaReads(t *testing.T) {
	for _, c := range []struct {
		key, value string
		counts     bool
	}{
		{"foo-bar", `{"a":1}`, true},
		{"", `{"a":1}`, true},
		{"connector-a", "[]", true},
		{"connector-a", "{}", true},
		{"connector-a", `{"properties":{"tasks.max":1}}`, true},
		{"connector-a", `{"properties":{}} trailing`, true},
		{"connector-a", "null", true},
		{"task-x", `{"properties":{}}`, true},
		{"commit-a", `{"tasks":"1"}`, true},
		{"target-state-a", `{"state":"SLEEPING"}`, true},
		{"tasks-fencing-a", `{"task-count":"x"}`, true},
		{"session-key", `{"key":"AAAA","algorithm":"HmacSHA256","creation-timestamp":"now"}`, true},
		{"connector-a", "not json", false},
		{"connector-a", "", false},
		{"connector-a", `{"properties":`, false},
		{"foo-bar", "/* */ 1", false},
	} {
		t.Run(c.key+" "+c.value, func(t *testing.T) {
			var f Fold
			_, err := f.Apply(ConnectorRecord("first", config.Props{"name": "first"}), 7)
			require.NoError(t, err)
			_, err = f.Apply(Record{c.key, []byte(c.value)}, 9)
			if c.counts {
				assert.Equal(t, int64(10), f.Position())
				return
			}
			require.Error(t, err)
			assert.Equal(t, int64(8), f.Position())
		})
	}
}

// What stands behind the JSON does not count, and JSON null is a tombstone.
func TestValuesAreReadAsJavaReadsThem(t *testing.T) {
	var f Fold
	for i, value := range []string{"\uFEFF" + `{"properties":{"name":"a"}} {`, `{"properties":{"name":"a","n":null}}`} {
		ev, err := f.Apply(Record{"connector-a", []byte(value)}, int64(i))
		require.NoError(t, err)
		assert.Equal(t, ConnectorPut, ev.Kind)
	}
	ev, err := f.Apply(Record{"connector-a", []byte(" null ")}, 2)
	require.NoError(t, err)
	assert.Equal(t, ConnectorRemoved, ev.Kind)
	assert.Nil(t, f.View().Connector("a"))
}

func TestFoldCountsGenerations(t *testing.T) {
	var f Fold
	offset := int64(0)
	apply := func(rs ...Record) (last Event) {
		for _, r := range rs {
			ev, err := f.Apply(r, offset)
			require.NoError(t, err)
			offset++
			last = ev
		}
		return last
	}
	require.Equal(t, int64(-1), f.Position())
	set := []config.Props{{"n": "0"}, {"n": "1"}}
	apply(ConnectorRecord("c", config.Props{"name": "c"}))
	apply(TaskRecords("c", set)...)
	require.Empty(t, f.View().Connector("c").Tasks, "tasks wait for their commit")
	require.Equal(t, TasksCommitted, apply(CommitRecord("c", 2)).Kind)
	c := f.View().Connector("c")
	require.Equal(t, set, c.Tasks)
	require.Equal(t, 0, c.Generation)
	require.True(t, c.PendingFencing)
	require.Equal(t, c.Props, c.Applied)

	apply(ConnectorRecord("c", config.Props{"name": "c", "x": "1"}))
	c = f.View().Connector("c")
	require.NotEqual(t, c.Props, c.Applied, "the task set was made for an earlier configuration")

	apply(CommitRecord("c", 0))
	require.Empty(t, f.View().Connector("c").Tasks)
	apply(TaskRecords("c", set[:1])...)
	apply(CommitRecord("c", 1))
	require.Equal(t, 1, f.View().Connector("c").Generation)
	apply(TaskRecords("c", set)[1], CommitRecord("c", 2))
	require.True(t, f.View().Connector("c").Inconsistent, "task 0 is missing")
	require.Equal(t, offset, f.Position())

	apply(RemoveConnector("c")...)
	require.Nil(t, f.View().Connector("c"))
}

// Workers compare positions. Those of Java's count what is JSON, whether or not it
// means anything, and nothing else.
func TestPosition(t *testing.T) {
	for _, c := range []struct {
		key, value string
		counts     bool
	}{
		{"connector-a", `{"properties":{}}`, true},
		{"connector-a", `{"properties":{"n":1}}`, true},
		{"connector-a", `[]`, true},
		{"unknown", `{}`, true},
		{"task-x", `{"properties":{}}`, true},
		{"session-key", "{\"a\":\"b\"} and more", true},
		{"logger-cluster-x", `{"level":7}`, true},
		{"commit-a", `null`, true},
		{"connector-a", `{"properties":`, false},
		{"connector-a", ``, false},
		{"unknown", `x`, false},
	} {
		var f Fold
		_, _ = f.Apply(Record{c.key, []byte(c.value)}, 41)
		want := int64(-1)
		if c.counts {
			want = 42
		}
		assert.Equal(t, want, f.Position(), "%s %s", c.key, c.value)
	}
	var f Fold
	_, _ = f.Apply(Record{Key: "unknown"}, 7)
	assert.Equal(t, int64(8), f.Position(), "a tombstone")
}

func TestLevels(t *testing.T) {
	var f Fold
	ev, err := f.Apply(LoggerRecord("org.x", "DEBUG"), 0)
	require.NoError(t, err)
	require.Equal(t, Event{Kind: LoggerSet, Connector: "org.x", Level: "DEBUG"}, ev)
	for _, value := range []string{`{}`, `{"level":null}`, `{"level":["DEBUG"]}`, `"DEBUG"`} {
		_, err := f.Apply(Record{"logger-cluster-org.x", []byte(value)}, 1)
		require.Error(t, err, value)
	}
	_, err = f.Apply(Record{Key: "logger-cluster-org.x"}, 1)
	require.Error(t, err)
}

func TestWork(t *testing.T) {
	a := Work{Connectors: []string{"b", "a"}, Tasks: []TaskID{{"b", 1}, {"a", 0}}}
	b := Work{Connectors: []string{"b"}, Tasks: []TaskID{{"a", 0}}}
	require.Equal(t, Work{Connectors: []string{"a"}, Tasks: []TaskID{{"b", 1}}}, a.Minus(b))
	require.Equal(t, a.Sorted(), b.Plus(a))
	require.True(t, b.Minus(a).IsEmpty())
	id, err := ParseTaskID("dash-name-12")
	require.NoError(t, err)
	require.Equal(t, TaskID{"dash-name", 12}, id)
	for _, bad := range []string{"", "x", "x-", "-1", "x-y", "x--"} {
		_, err := ParseTaskID(bad)
		require.Error(t, err, bad)
	}
}

func FuzzFold(f *testing.F) {
	for _, key := range []string{"connector-a", "task-a-0", "commit-a", "target-state-a", "tasks-fencing-a", "session-key", "restart-connector-a", "logger-cluster-x", "odd"} {
		f.Add(key, []byte(`{"properties":{"a":"b"},"tasks":1,"state":"PAUSED"}`))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		var fold Fold
		history := NewHistory(2)
		for i, r := range []Record{{"connector-a", []byte(`{"properties":{}}`)}, {key, value}, {"commit-a", []byte(`{"tasks":1}`)}} {
			_, _ = fold.Apply(r, int64(i))
			history.Apply(r, int64(i), time.Time{})
		}
		if n := len(history.Revisions("a")); n < 1 || n > 2 {
			t.Fatalf("%d revisions", n)
		}
		for _, name := range fold.View().Names() {
			_ = fold.View().Work()
			require.NotNil(t, fold.View().Connector(name))
		}
		var status StatusFold
		_ = status.Apply(Record{"status-" + key, value})
	})
}

// A view shares with the one before what has not changed, so that reading many
// records and looking now and then costs little.
func TestViewsShare(t *testing.T) {
	var f Fold
	apply := func(r Record, offset int64) {
		_, err := f.Apply(r, offset)
		require.NoError(t, err)
	}
	apply(ConnectorRecord("a", config.Props{"k": "1"}), 0)
	apply(ConnectorRecord("b", config.Props{"k": "1"}), 1)
	before := f.View()
	apply(ConnectorRecord("b", config.Props{"k": "2"}), 2)
	after := f.View()
	assert.Same(t, before.Connector("a"), after.Connector("a"))
	assert.Same(t, f.Connector("b"), after.Connector("b"))
	assert.Equal(t, "1", before.Connector("b").Props["k"])
	assert.Equal(t, "2", after.Connector("b").Props["k"])
	assert.Nil(t, f.Connector("c"))
}

// The topic has partitions: the end of a connector's state may be read after the
// states of tasks that came later.
func TestStatesComeInAnyOrder(t *testing.T) {
	var f StatusFold
	running := Status{State: Running, WorkerID: "w", Generation: 2}
	task := TaskID{"c", 0}
	for _, r := range []Record{
		TaskStatusRecord(task, running), ActiveTopicRecord("t", task, time.Time{}),
		ConnectorStatusRecord("c", Status{State: Destroyed}),
	} {
		require.NoError(t, f.Apply(r))
	}
	assert.Nil(t, f.Connector("c"))
	assert.Equal(t, &running, f.Task(task))
	assert.Equal(t, []string{"c"}, f.Connectors())
	require.NoError(t, f.Apply(TaskStatusRecord(task, Status{State: Destroyed})))
	assert.Equal(t, []string{"c"}, f.Connectors(), "its topics are known still")
	require.NoError(t, f.Apply(ForgetTopicRecord("t", "c")))
	assert.Empty(t, f.Connectors())
}

func TestStatusOf(t *testing.T) {
	for key, want := range map[string]TaskID{
		"status-connector-a-1": {"a-1", -1}, "status-task-a-1-0": {"a-1", 0}, "status-task-a": {}, "status-topic-t:connector-a": {}, "": {},
	} {
		id, ok := StatusOf(key)
		assert.Equal(t, want, id, key)
		assert.Equal(t, want != TaskID{}, ok, key)
	}
}
