package cluster

import (
	"fmt"
	"maps"
	"slices"

	"github.com/streamlane/connect/config"
)

// An Event is what one record changed.
type Event struct {
	Kind EventKind
	// Connector the event is about; the namespace of a LoggerSet.
	Connector string
	// Restart is set for RestartRequested.
	Restart RestartRequest
	// Level is that of a LoggerSet, by Java's name.
	Level string
}

// EventKind says what happened.
type EventKind uint8

// The kinds of events. RestartRequested and LoggerSet count only if their
// record was written while the reader was live.
const (
	NoEvent EventKind = iota
	ConnectorPut
	ConnectorRemoved
	TasksCommitted
	TargetChanged
	RestartRequested
	FencingStored
	SessionKeyStored
	LoggerSet
)

// A Fold reads the config topic record by record. The zero value has read
// nothing. It does no I/O and is used by one goroutine.
//
// It follows KafkaConfigBackingStore: task configurations wait for the commit
// record that makes a complete set effective, broken records are reported and
// otherwise as if they were not there, and a tombstone of a connector leaves
// its target state and task count alone.
type Fold struct {
	position   int64
	read       bool
	revision   int64
	connectors map[string]*entry
	sessionKey []byte
}

// entry is all that is known under one connector name, whether or not its
// configuration exists.
type entry struct {
	Connector
	target   TargetState // "": none known
	stored   map[int]config.Props
	deferred map[int]config.Props
	count    int
	shown    *Connector // as views have it; nil: it has changed since
}

// View returns the present state. Connectors that have not changed are those of
// the last view.
func (f *Fold) View() View {
	connectors := make(map[string]*Connector, len(f.connectors))
	for name := range f.connectors {
		if c := f.Connector(name); c != nil {
			connectors[name] = c
		}
	}
	return newView(f.Position(), connectors)
}

// Connector returns the present state of one connector; nil if there is none of
// the name.
func (f *Fold) Connector(name string) *Connector {
	e := f.connectors[name]
	if e == nil || e.Props == nil {
		return nil
	}
	if e.shown == nil {
		c := e.Connector
		c.Target = e.target
		if c.Target == "" {
			c.Target = TargetStarted
		}
		c.Tasks = e.tasks()
		e.shown = &c
	}
	return e.shown
}

// Position is the offset after the last record whose value was JSON or a
// tombstone; -1 if there was none.
func (f *Fold) Position() int64 {
	if !f.read {
		return -1
	}
	return f.position
}

// SessionKey is the newest session-key record's value; nil without one.
func (f *Fold) SessionKey() []byte { return f.sessionKey }

func (e *entry) tasks() []config.Props {
	if e.Inconsistent || e.count == 0 {
		return nil
	}
	tasks := make([]config.Props, e.count)
	for i := range tasks {
		tasks[i] = e.stored[i]
		if tasks[i] == nil {
			return nil // a hole left by compaction: nothing may start
		}
	}
	return tasks
}

// Apply reads one record, at an offset of its log. An error says why the record
// was ignored; what the fold knows is then as it was. Position moves all the
// same if the value is JSON: workers compare their positions, and a worker of
// Java counts each record whose JSON it can read, whatever it says.
func (f *Fold) Apply(r Record, offset int64) (ev Event, err error) {
	if r.Value, err = readable(r.Value); err == nil {
		f.position, f.read = offset+1, true
		ev, err = f.apply(r, offset)
	}
	if err != nil {
		return Event{}, fmt.Errorf("config record %q at offset %d: %w", r.Key, offset, err)
	}
	return ev, nil
}

func (f *Fold) apply(r Record, offset int64) (Event, error) {
	prefix, rest := cutKey(r.Key)
	switch prefix {
	case connectorPrefix:
		return f.connector(rest, r.Value, offset)
	case taskPrefix:
		return Event{}, f.task(rest, r.Value)
	case commitPrefix:
		return f.commit(rest, r.Value)
	case targetStatePrefix:
		return f.target(rest, r.Value)
	case fencingPrefix:
		return f.fencing(rest, r.Value)
	case restartPrefix:
		if r.Value == nil {
			return Event{}, nil
		}
		req, err := parseRestart(rest, r.Value)
		return Event{Kind: RestartRequested, Connector: rest, Restart: req}, err
	case sessionKeyKey:
		f.sessionKey = slices.Clone(r.Value)
		return Event{Kind: SessionKeyStored}, nil
	case loggerPrefix:
		level, err := parseLevel(r.Value)
		return Event{Kind: LoggerSet, Connector: rest, Level: level}, err
	}
	return Event{}, fmt.Errorf("unknown key")
}

// entry returns what is known under a name, to be changed.
func (f *Fold) entry(name string) *entry {
	if f.connectors == nil {
		f.connectors = make(map[string]*entry)
	}
	e := f.connectors[name]
	if e == nil {
		e = &entry{Connector: Connector{Name: name, Generation: -1, Fenced: -1}}
		f.connectors[name] = e
	}
	e.shown = nil
	return e
}

func (f *Fold) connector(name string, value []byte, offset int64) (Event, error) {
	if value == nil {
		e := f.entry(name)
		e.Props, e.Applied, e.stored, e.deferred, e.count = nil, nil, nil, nil, 0
		return Event{Kind: ConnectorRemoved, Connector: name}, nil
	}
	props, err := parseProperties(value)
	if err != nil {
		return Event{}, err
	}
	e := f.entry(name)
	f.revision++
	e.Props, e.Revision, e.Offset = props, f.revision, offset
	return Event{Kind: ConnectorPut, Connector: name}, nil
}

func (f *Fold) task(id string, value []byte) error {
	t, err := ParseTaskID(id)
	if err != nil {
		return err
	}
	if value == nil {
		return nil
	}
	props, err := parseProperties(value)
	if err != nil {
		return err
	}
	e := f.entry(t.Connector)
	if e.deferred == nil {
		e.deferred = make(map[int]config.Props)
	}
	e.deferred[t.Task] = props
	return nil
}

func (f *Fold) commit(name string, value []byte) (Event, error) {
	if value == nil {
		return Event{}, nil
	}
	n, err := parseCount(value, "tasks")
	if err != nil {
		return Event{}, err
	}
	e := f.entry(name)
	if e.Props == nil { // left over after compaction
		e.stored, e.deferred, e.count = nil, nil, 0
		return Event{Kind: ConnectorRemoved, Connector: name}, nil
	}
	if e.completes(n) {
		if len(e.deferred) > 0 {
			if e.stored == nil {
				e.stored = make(map[int]config.Props)
			}
			maps.Copy(e.stored, e.deferred)
			e.Generation++
		}
		e.Inconsistent = false
		e.Applied = e.Props
	} else {
		e.Inconsistent = true
	}
	e.deferred, e.count, e.PendingFencing = nil, n, true
	return Event{Kind: TasksCommitted, Connector: name}, nil
}

// completes tells whether tasks 0 to n-1 are all among the deferred ones.
func (e *entry) completes(n int) bool {
	for i := range n {
		if e.deferred[i] == nil {
			return false
		}
	}
	return true
}

func (f *Fold) target(name string, value []byte) (Event, error) {
	e := f.entry(name)
	if value == nil {
		e.target = ""
		return Event{}, nil
	}
	t, err := parseTargetState(value)
	if err != nil {
		return Event{}, err
	}
	changed := e.target != t && !(e.target == "" && t == TargetStarted)
	e.target = t
	if !changed || e.Props == nil {
		return Event{}, nil
	}
	return Event{Kind: TargetChanged, Connector: name}, nil
}

func (f *Fold) fencing(name string, value []byte) (Event, error) {
	if value == nil {
		return Event{}, nil
	}
	n, err := parseCount(value, "task-count")
	if err != nil {
		return Event{}, err
	}
	e := f.entry(name)
	e.Fenced, e.PendingFencing = n, false
	return Event{Kind: FencingStored, Connector: name}, nil
}
