package wire

import (
	"fmt"
	"math"
	"time"

	"github.com/streamlane/connect/cluster"
)

// connectorTask is the task number that stands for the connector instance.
const connectorTask = -1

// ErrorCode says why an assignment is none. The zero value is NoError.
type ErrorCode int16

// The error codes of assignments.
const (
	NoError ErrorCode = iota
	// ConfigMismatch: the leader has not read as much of the config topic as
	// some member. All catch up and join again.
	ConfigMismatch
)

// Assignment is what the leader hands to a member, and the form in which a
// member reports what it runs.
type Assignment struct {
	Version Version
	Error   ErrorCode
	// Leader is the member id of the leader, LeaderURL its REST interface.
	Leader, LeaderURL string
	// ConfigOffset is the position in the config topic by which the leader
	// assigned; -1: nothing was ever written.
	ConfigOffset int64
	// Assigned is the whole set of the member in Eager. In later versions it is
	// what is new to the member when the leader sends it, and all that the
	// member runs when it is an allocation.
	Assigned cluster.Work
	// Revoked is what the member must stop. Not sent by Eager.
	Revoked cluster.Work
	// Delay after which the member shall join again, in whole milliseconds and
	// at most 2^31-1 of them; zero: not by itself. Not sent by Eager.
	Delay time.Duration
}

// AppendBinary appends the bytes of a to dst. The connectors stand in the order
// of a.Assigned.Connectors, then of their first task, as Java's workers write
// them. It fails on texts longer than 32767 bytes and on a Delay out of range.
func (a Assignment) AppendBinary(dst []byte) ([]byte, error) {
	w := writer{b: dst}
	w.int16(int16(a.Version))
	w.int16(int16(a.Error))
	w.string(a.Leader)
	w.string(a.LeaderURL)
	w.int64(a.ConfigOffset)
	w.work(a.Assigned)
	if a.Version == Eager {
		return w.done()
	}
	w.work(a.Revoked)
	ms := a.Delay.Milliseconds()
	if ms < 0 || ms > math.MaxInt32 {
		return nil, fmt.Errorf("delay %v: want 0 to %d ms", a.Delay, math.MaxInt32)
	}
	w.int32(int32(ms))
	return w.done()
}

// ParseAssignment reads what AppendBinary wrote. As in Java the last fields of
// versions 1 and 2 may be missing (nothing revoked, no delay), null arrays are
// empty ones, layouts of later versions are read as far as they are known, and
// what follows is ignored.
func ParseAssignment(b []byte) (Assignment, error) {
	r := reader{b: b}
	a := Assignment{
		Version:      r.version(),
		Error:        ErrorCode(r.int16("error")),
		Leader:       r.string("leader"),
		LeaderURL:    r.string("leader-url"),
		ConfigOffset: r.int64("config-offset"),
	}
	if a.Version == Eager || len(r.b) > 0 {
		a.Assigned = r.work("assignment")
	}
	if a.Version > Eager && len(r.b) > 0 {
		a.Revoked = r.work("revoked")
	}
	if a.Version > Eager && len(r.b) > 0 {
		a.Delay = time.Duration(r.int32("delay")) * time.Millisecond
	}
	if r.err == nil && a.Delay < 0 {
		r.err = fmt.Errorf("delay: found %v, want none below zero", a.Delay)
	}
	if r.err != nil {
		return Assignment{}, fmt.Errorf("assignment: %w", r.err)
	}
	return a, nil
}

// work writes an array of ConnectorAssignment.
func (w *writer) work(work cluster.Work) {
	var order []string
	tasks := make(map[string][]int32)
	add := func(connector string, task int32) {
		if _, ok := tasks[connector]; !ok {
			order = append(order, connector)
		}
		tasks[connector] = append(tasks[connector], task)
	}
	for _, c := range work.Connectors {
		add(c, connectorTask)
	}
	for _, t := range work.Tasks {
		add(t.Connector, int32(t.Task))
	}
	w.int32(int32(len(order)))
	for _, c := range order {
		w.string(c)
		w.int32(int32(len(tasks[c])))
		for _, t := range tasks[c] {
			w.int32(t)
		}
	}
}

// work reads an array of ConnectorAssignment.
func (r *reader) work(field string) cluster.Work {
	const smallest = 2 + 4 // a connector without a name and without tasks
	var work cluster.Work
	for range r.count(field, smallest) {
		connector := r.string(field)
		for range r.count(field, 4) {
			switch t := r.int32(field); {
			case r.err != nil:
				return cluster.Work{}
			case t == connectorTask:
				work.Connectors = append(work.Connectors, connector)
			case t < 0:
				r.err = fmt.Errorf("%s: found task %d of connector %q, want a number from %d", field, t, connector, connectorTask)
				return cluster.Work{}
			default:
				work.Tasks = append(work.Tasks, cluster.TaskID{Connector: connector, Task: int(t)})
			}
		}
	}
	return work
}
