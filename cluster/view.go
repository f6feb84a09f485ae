package cluster

import (
	"maps"
	"slices"

	"github.com/streamlane/connect/config"
)

// A View is the configuration of a cluster at one moment. It is immutable.
type View struct {
	// Position is that of the Fold.
	Position   int64
	connectors map[string]*Connector
	names      []string // sorted
}

// A Connector is what a cluster knows of one connector. It is immutable.
type Connector struct {
	Name string
	// Props is the configuration as stored, placeholders unresolved.
	Props config.Props
	// Revision counts the configurations stored under this name; two values of
	// equal revision are of the same record.
	Revision int64
	// Offset of the record in the config log that holds Props: the revision by
	// which all workers know this configuration.
	Offset int64
	Target TargetState
	// Tasks are the committed task configurations. Empty while the set is
	// inconsistent.
	Tasks []config.Props
	// Generation counts the committed task sets, from zero; -1: none yet.
	Generation int
	// Inconsistent: the last commit did not match the task configurations
	// found. Nothing may be started before the next complete one.
	Inconsistent bool
	// Applied is the configuration that was in force when the task set was
	// committed; nil if none was.
	Applied config.Props
	// Fenced is the count of the last task-count record, -1 without one;
	// PendingFencing says that a task set was committed since (KIP-618).
	Fenced         int
	PendingFencing bool
}

// NewView returns a view for tests and tools, as if its connectors had been
// read from a config topic.
func NewView(position int64, connectors ...Connector) View {
	m := make(map[string]*Connector, len(connectors))
	for _, c := range connectors {
		m[c.Name] = &c
	}
	return newView(position, m)
}

// newView sorts the names once, for a view is looked at more often than made.
func newView(position int64, connectors map[string]*Connector) View {
	return View{Position: position, connectors: connectors, names: slices.Sorted(maps.Keys(connectors))}
}

// Connector returns one connector; nil if there is none of the name.
func (v View) Connector(name string) *Connector { return v.connectors[name] }

// Names returns the connectors' names, sorted.
func (v View) Names() []string { return slices.Clone(v.names) }

// Work returns all connector instances and tasks that there are to run.
func (v View) Work() Work {
	var w Work
	for _, name := range v.names {
		w.Connectors = append(w.Connectors, name)
		for i := range v.connectors[name].Tasks {
			w.Tasks = append(w.Tasks, TaskID{name, i})
		}
	}
	return w
}
