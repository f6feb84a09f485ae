package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect/internal/connectjson"
)

// Prefixes of the keys in the status topic.
const (
	connectorStatusPrefix = "status-connector-"
	taskStatusPrefix      = "status-task-"
	topicStatusPrefix     = "status-topic-"
)

// ConnectorStatusRecord publishes the state of a connector instance; Destroyed
// deletes it.
func ConnectorStatusRecord(name string, s Status) Record {
	return Record{connectorStatusPrefix + name, statusJSON(s)}
}

// TaskStatusRecord publishes the state of a task; Destroyed deletes it.
func TaskStatusRecord(id TaskID, s Status) Record {
	return Record{taskStatusPrefix + id.String(), statusJSON(s)}
}

// ActiveTopicRecord notes that a task of the connector has used the topic
// (KIP-558).
func ActiveTopicRecord(topic string, id TaskID, at time.Time) Record {
	b := connectjson.AppendString([]byte(`{"topic":{"name":`), topic)
	b = connectjson.AppendString(append(b, `,"connector":`...), id.Connector)
	b = fmt.Appendf(b, `,"task":%d,"discoverTimestamp":%d}}`, id.Task, at.UnixMilli())
	return Record{topicKey(topic, id.Connector), b}
}

// ForgetTopicRecord deletes such a note.
func ForgetTopicRecord(topic, connector string) Record {
	return Record{Key: topicKey(topic, connector)}
}

func topicKey(topic, connector string) string {
	return topicStatusPrefix + topic + ":connector-" + connector
}

// StatusOf tells what a record of the status topic is about, by its key: a task,
// or a connector instance, with task -1. Others are about neither.
func StatusOf(key string) (id TaskID, ok bool) {
	if name, ok := strings.CutPrefix(key, connectorStatusPrefix); ok {
		return TaskID{Connector: name, Task: -1}, true
	}
	if text, ok := strings.CutPrefix(key, taskStatusPrefix); ok {
		id, err := ParseTaskID(text)
		return id, err == nil
	}
	return TaskID{}, false
}

func statusJSON(s Status) []byte {
	if s.State == Destroyed {
		return nil
	}
	b := connectjson.AppendString([]byte(`{"state":`), string(s.State))
	b = appendOptional(append(b, `,"trace":`...), s.Trace)
	b = connectjson.AppendString(append(b, `,"worker_id":`...), s.WorkerID)
	b = fmt.Appendf(b, `,"generation":%d`, s.Generation)
	b = appendOptional(append(b, `,"version":`...), s.Version)
	return append(b, '}')
}

func appendOptional(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return connectjson.AppendString(dst, s)
}

func parseStatus(b []byte) (Status, error) {
	var v struct {
		State      *string `json:"state"`
		Trace      *string `json:"trace"`
		WorkerID   *string `json:"worker_id"`
		Generation int32   `json:"generation"`
		Version    *string `json:"version"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Status{}, err
	}
	if v.State == nil || v.WorkerID == nil {
		return Status{}, fmt.Errorf("state or worker_id is missing")
	}
	s := Status{State: State(*v.State), WorkerID: *v.WorkerID, Generation: v.Generation}
	if v.Trace != nil {
		s.Trace = *v.Trace
	}
	if v.Version != nil {
		s.Version = *v.Version
	}
	return s, nil
}

// A StatusFold reads the status topic record by record. The zero value has read
// nothing. It does no I/O and is used by one goroutine.
//
// Records of different keys come in any order, for the topic has several
// partitions. So, unlike in Java, the end of a connector's state says nothing about
// its tasks, whose states end by records of their own.
type StatusFold struct {
	connectors map[string]Status
	tasks      map[string]map[int]Status
	topics     map[string]map[string]bool // of each connector
}

// UsesTopic reports whether the topic is noted as used by the connector.
func (f *StatusFold) UsesTopic(connector, topic string) bool { return f.topics[connector][topic] }

// Topics returns the topics noted as used by the connector, sorted.
func (f *StatusFold) Topics(connector string) []string {
	return slices.Sorted(maps.Keys(f.topics[connector]))
}

// Connector returns the state of a connector instance; nil if none is known.
func (f *StatusFold) Connector(name string) *Status {
	if s, ok := f.connectors[name]; ok {
		return &s
	}
	return nil
}

// Task returns the state of a task; nil if none is known.
func (f *StatusFold) Task(id TaskID) *Status {
	if s, ok := f.tasks[id.Connector][id.Task]; ok {
		return &s
	}
	return nil
}

// Tasks returns the numbers of a connector's tasks with a known state, sorted.
func (f *StatusFold) Tasks(connector string) []int {
	return slices.Sorted(maps.Keys(f.tasks[connector]))
}

// TaskStates returns the states of a connector's tasks, by number.
func (f *StatusFold) TaskStates(connector string) map[int]Status {
	return maps.Clone(f.tasks[connector])
}

// Connectors returns the names of all connectors of which something is known,
// sorted.
func (f *StatusFold) Connectors() []string {
	var names []string
	for name := range f.connectors {
		names = append(names, name)
	}
	for name, tasks := range f.tasks {
		if len(tasks) > 0 {
			names = append(names, name)
		}
	}
	for name, topics := range f.topics {
		if len(topics) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Apply reads one record. An error says why it was ignored.
func (f *StatusFold) Apply(r Record) error {
	if name, ok := strings.CutPrefix(r.Key, connectorStatusPrefix); ok {
		return f.applyConnector(name, r.Value)
	}
	if id, ok := strings.CutPrefix(r.Key, taskStatusPrefix); ok {
		return f.applyTask(id, r.Value)
	}
	if rest, ok := strings.CutPrefix(r.Key, topicStatusPrefix); ok {
		return f.applyTopic(rest, r.Value)
	}
	return fmt.Errorf("status record %q: unknown key", r.Key)
}

func (f *StatusFold) applyConnector(name string, value []byte) error {
	if value == nil {
		delete(f.connectors, name)
		return nil
	}
	s, err := parseStatus(value)
	if err != nil {
		return fmt.Errorf("status of connector %q: %w", name, err)
	}
	if isLate(f.Connector(name), s) {
		return nil
	}
	if f.connectors == nil {
		f.connectors = make(map[string]Status)
	}
	f.connectors[name] = s
	return nil
}

// isLate tells an UNASSIGNED that comes late, from an earlier owner. Java knows
// the rule for tasks only; connector instances move in the same way.
func isLate(known *Status, s Status) bool {
	return known != nil && s.State == Unassigned && known.State == Running &&
		known.Generation >= s.Generation && known.WorkerID != s.WorkerID
}

func (f *StatusFold) applyTask(text string, value []byte) error {
	id, err := ParseTaskID(text)
	if err != nil {
		return fmt.Errorf("status record: %w", err)
	}
	if value == nil {
		delete(f.tasks[id.Connector], id.Task)
		return nil
	}
	s, err := parseStatus(value)
	if err != nil {
		return fmt.Errorf("status of task %v: %w", id, err)
	}
	if isLate(f.Task(id), s) {
		return nil
	}
	if f.tasks == nil {
		f.tasks = make(map[string]map[int]Status)
	}
	if f.tasks[id.Connector] == nil {
		f.tasks[id.Connector] = make(map[int]Status)
	}
	f.tasks[id.Connector][id.Task] = s
	return nil
}

// applyTopic reads TOPIC:connector-NAME; topics hold no colon.
func (f *StatusFold) applyTopic(key string, value []byte) error {
	topic, connector, ok := strings.Cut(key, ":connector-")
	if !ok {
		return fmt.Errorf("status record of topic %q: the key names no connector", key)
	}
	if value == nil {
		delete(f.topics[connector], topic)
		return nil
	}
	var v struct {
		Topic *struct {
			Name      *string `json:"name"`
			Connector *string `json:"connector"`
		} `json:"topic"`
	}
	if err := json.Unmarshal(value, &v); err != nil {
		return fmt.Errorf("status of topic %q: %w", topic, err)
	}
	if v.Topic == nil || v.Topic.Name == nil || v.Topic.Connector == nil {
		return fmt.Errorf("status of topic %q: name or connector is missing", topic)
	}
	if f.topics == nil {
		f.topics = make(map[string]map[string]bool)
	}
	if f.topics[connector] == nil {
		f.topics[connector] = make(map[string]bool)
	}
	f.topics[connector][topic] = true
	return nil
}
