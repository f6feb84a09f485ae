package cluster

import "fmt"

// A TargetState is what an operator wants of a connector.
type TargetState string

// The target states of Kafka Connect.
const (
	TargetStarted TargetState = "STARTED"
	TargetPaused  TargetState = "PAUSED"
	// TargetStopped keeps the configuration and releases everything else.
	TargetStopped TargetState = "STOPPED"
)

// ParseTargetState accepts the three states in Java's spelling.
func ParseTargetState(s string) (TargetState, error) {
	switch t := TargetState(s); t {
	case TargetStarted, TargetPaused, TargetStopped:
		return t, nil
	}
	return "", fmt.Errorf("target state %q: want STARTED, PAUSED or STOPPED", s)
}

// A State is what a connector or task is found to be.
type State string

// The states of connectors and tasks. Stopped is of connectors only.
const (
	Unassigned State = "UNASSIGNED"
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Stopped    State = "STOPPED"
	Failed     State = "FAILED"
	Restarting State = "RESTARTING"
	// Destroyed is never stored: it is written as a tombstone.
	Destroyed State = "DESTROYED"
)

// A Status is the published state of one connector instance or task.
type Status struct {
	State State
	// Trace explains FAILED; empty otherwise.
	Trace string
	// WorkerID is host:port of the worker that wrote it.
	WorkerID string
	// Generation of the group in which it was written; 0 standalone.
	Generation int32
	// Version of the plugin; empty while it is not known.
	Version string
}

// MayReplace tells whether a safe write of next may replace the status known:
// late news of an earlier owner must not. (putSafe in Java.)
func MayReplace(known *Status, next Status) bool {
	return known == nil || known.WorkerID == next.WorkerID || known.Generation <= next.Generation
}
