package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/connectjson"
	"github.com/streamlane/connect/internal/javajson"
)

// Prefixes of the keys in the config topic, in the order in which a key is
// tested against them.
const (
	targetStatePrefix = "target-state-"
	connectorPrefix   = "connector-"
	taskPrefix        = "task-"
	commitPrefix      = "commit-"
	restartPrefix     = "restart-connector-"
	fencingPrefix     = "tasks-fencing-"
	sessionKeyKey     = "session-key"
	loggerPrefix      = "logger-cluster-"
)

// A Record is one entry of the config or status topic: a text key and JSON. A
// nil Value is a tombstone.
type Record struct {
	Key   string
	Value []byte
}

// ConnectorRecord stores a connector's configuration.
func ConnectorRecord(name string, props config.Props) Record {
	return Record{connectorPrefix + name, propertiesJSON(props)}
}

// RemoveConnector returns the tombstones that delete a connector.
func RemoveConnector(name string) []Record {
	return []Record{{Key: connectorPrefix + name}, {Key: targetStatePrefix + name}}
}

// TargetStateRecord stores what is wanted of a connector. Workers that do not
// know STOPPED read PAUSED.
func TargetStateRecord(name string, t TargetState) Record {
	old := t
	if t == TargetStopped {
		old = TargetPaused
	}
	return Record{targetStatePrefix + name, fmt.Appendf(nil, `{"state":"%s","state.v2":"%s"}`, old, t)}
}

// TaskRecords stores the task configurations of a connector. They take effect
// with the CommitRecord that follows.
func TaskRecords(name string, tasks []config.Props) []Record {
	records := make([]Record, len(tasks))
	for i, t := range tasks {
		records[i] = Record{taskPrefix + TaskID{name, i}.String(), propertiesJSON(t)}
	}
	return records
}

// CommitRecord makes a set of task configurations effective.
func CommitRecord(name string, tasks int) Record {
	return Record{commitPrefix + name, fmt.Appendf(nil, `{"tasks":%d}`, tasks)}
}

// FencingRecord stores how many tasks' producers were fenced (KIP-618).
func FencingRecord(name string, tasks int) Record {
	return Record{fencingPrefix + name, fmt.Appendf(nil, `{"task-count":%d}`, tasks)}
}

// SessionKeyRecord stores the key by which workers sign their requests
// (KIP-507).
func SessionKeyRecord(key []byte) Record { return Record{sessionKeyKey, key} }

// A RestartRequest asks the workers to restart a connector (KIP-745).
type RestartRequest struct {
	Connector    string
	IncludeTasks bool
	OnlyFailed   bool
}

// RestartRecord hands a restart request to all workers.
func RestartRecord(r RestartRequest) Record {
	return Record{restartPrefix + r.Connector,
		fmt.Appendf(nil, `{"include-tasks":%t,"only-failed":%t}`, r.IncludeTasks, r.OnlyFailed)}
}

// readable returns the JSON value in a record as Java's JsonConverter finds it,
// without what may stand around it; nil for a tombstone, and for null, which is
// the same to Java.
func readable(value []byte) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	r := javajson.NewReader(value)
	kind, err := r.Next()
	if err != nil {
		return nil, err
	}
	begin := r.Offset()
	if err := r.Skip(); err != nil || kind == javajson.Null {
		return nil, err
	}
	return r.Slice(begin), nil
}

// LoggerRecord hands a level of a logging namespace to all workers (KIP-976).
// Level is a name of Java's, such as DEBUG.
func LoggerRecord(namespace, level string) Record {
	return Record{loggerPrefix + namespace, append(connectjson.AppendString([]byte(`{"level":`), level), '}')}
}

func parseLevel(b []byte) (string, error) {
	var v struct {
		Level *string `json:"level"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return "", err
	}
	if v.Level == nil {
		return "", errors.New("no level")
	}
	return *v.Level, nil
}

func propertiesJSON(p config.Props) []byte {
	m := make(map[string]*string, len(p))
	for k, v := range p {
		if v == config.Null {
			m[k] = nil
			continue
		}
		m[k] = &v
	}
	return append(connectjson.AppendStrings([]byte(`{"properties":`), m), '}')
}

func parseProperties(b []byte) (config.Props, error) {
	var v struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	if v.Properties == nil {
		return nil, errors.New("no properties")
	}
	props := make(config.Props, len(v.Properties))
	for k, raw := range v.Properties {
		var s *string
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("property %q: %w", k, err)
		}
		if s == nil {
			props[k] = config.Null
			continue
		}
		props[k] = *s
	}
	return props, nil
}

// parseTargetState prefers state.v2 where that is text. An unknown word is an
// error even with a good state beside it, as in Java.
func parseTargetState(b []byte) (TargetState, error) {
	var v struct{ State, V2 json.RawMessage }
	fields := map[string]*json.RawMessage{"state": &v.State, "state.v2": &v.V2}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return "", err
	}
	for k, p := range fields {
		*p = raw[k]
	}
	for _, field := range []json.RawMessage{v.V2, v.State} {
		var s *string
		if json.Unmarshal(field, &s) == nil && s != nil {
			return ParseTargetState(*s)
		}
	}
	return "", errors.New("no state")
}

func parseCount(b []byte, field string) (int, error) {
	var v map[string]json.RawMessage
	if err := json.Unmarshal(b, &v); err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(v[field]))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: found %s, want a count", field, v[field])
	}
	return n, nil
}

func parseRestart(name string, b []byte) (RestartRequest, error) {
	var v struct {
		IncludeTasks *bool `json:"include-tasks"`
		OnlyFailed   *bool `json:"only-failed"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return RestartRequest{}, err
	}
	r := RestartRequest{Connector: name}
	if v.IncludeTasks != nil {
		r.IncludeTasks = *v.IncludeTasks
	}
	if v.OnlyFailed != nil {
		r.OnlyFailed = *v.OnlyFailed
	}
	return r, nil
}

// cutKey tells which kind of record a key names.
func cutKey(key string) (prefix, rest string) {
	for _, p := range []string{targetStatePrefix, connectorPrefix, taskPrefix, commitPrefix, restartPrefix, fencingPrefix, loggerPrefix} {
		if rest, ok := strings.CutPrefix(key, p); ok {
			return p, rest
		}
	}
	if key == sessionKeyKey {
		return sessionKeyKey, ""
	}
	return "", key
}
