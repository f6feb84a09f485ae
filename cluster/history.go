package cluster

import (
	"maps"
	"slices"
	"time"

	"github.com/streamlane/connect/config"
)

// maxDeleted is of how many deleted connectors a History remembers anything.
const maxDeleted = 100

// A Revision is a configuration that a connector has, or had.
type Revision struct {
	// Offset of its record in the config log, which names the revision: it is the
	// same for all readers of the log.
	Offset int64
	// Time at which the record was written; zero if the log does not tell.
	Time time.Time
	// Props is the configuration, secrets included; nil for the revision that
	// deleted the connector.
	Props config.Props
}

// A History keeps the last revisions of each connector that went by in the
// config log: those that compaction left when the reader began, and all since.
// Make one with NewHistory. It does no I/O and is used by one goroutine.
//
// Records that repeat the configuration before them make no revision of their
// own: theirs takes over the offset of the last. Of deleted connectors the last
// hundred are remembered.
type History struct {
	limit      int
	connectors map[string][]pastConfig // oldest first; never empty
	deleted    []string                // in the order of deletion
}

// A pastConfig is a Revision as it was written, for few are ever asked for.
type pastConfig struct {
	offset int64
	time   time.Time
	value  []byte // nil: deleted
}

// NewHistory returns one that keeps so many revisions of each connector; of zero
// or less, none.
func NewHistory(limit int) *History {
	return &History{limit: limit, connectors: make(map[string][]pastConfig)}
}

// Apply reads one record of the config log. Records that are no configurations,
// or are broken, count for nothing.
func (h *History) Apply(r Record, offset int64, at time.Time) {
	prefix, name := cutKey(r.Key)
	value, err := readable(r.Value)
	if prefix != connectorPrefix || h.limit <= 0 || err != nil {
		return
	}
	past := h.connectors[name]
	next := pastConfig{offset, at, slices.Clone(value)}
	if value == nil {
		h.remove(name, past, next)
		return
	}
	props, err := parseProperties(value)
	if err != nil {
		return
	}
	if n := len(past); n > 0 && past[n-1].value != nil {
		if last, err := parseProperties(past[n-1].value); err == nil && last.Equal(props) {
			past[n-1].offset = offset
			return
		}
	}
	h.deleted = slices.DeleteFunc(h.deleted, func(d string) bool { return d == name })
	h.add(name, past, next)
}

// remove takes note of a deletion, unless there was nothing to delete.
func (h *History) remove(name string, past []pastConfig, next pastConfig) {
	if n := len(past); n == 0 || past[n-1].value == nil {
		return
	}
	h.add(name, past, next)
	h.deleted = append(h.deleted, name)
	if len(h.deleted) > maxDeleted {
		delete(h.connectors, h.deleted[0])
		h.deleted = slices.Delete(h.deleted, 0, 1)
	}
}

func (h *History) add(name string, past []pastConfig, next pastConfig) {
	past = append(past, next)
	if len(past) > h.limit {
		past = slices.Delete(past, 0, len(past)-h.limit)
	}
	h.connectors[name] = past
}

// A HistoryEntry says of which connector a History knows how much.
type HistoryEntry struct {
	Name string
	// Revisions that are remembered, one or more.
	Revisions int
	// Deleted: there is no such connector any more.
	Deleted bool
}

// Connectors returns the connectors with revisions, in the order of names.
func (h *History) Connectors() []HistoryEntry {
	all := make([]HistoryEntry, 0, len(h.connectors))
	for _, name := range slices.Sorted(maps.Keys(h.connectors)) {
		past := h.connectors[name]
		all = append(all, HistoryEntry{name, len(past), past[len(past)-1].value == nil})
	}
	return all
}

// Revisions returns what is known of a connector, oldest first; nil if nothing
// is.
func (h *History) Revisions(name string) []Revision {
	var all []Revision
	for _, p := range h.connectors[name] {
		r := Revision{Offset: p.offset, Time: p.time}
		if p.value != nil {
			props, err := parseProperties(p.value)
			if err != nil {
				continue // Apply has read it before
			}
			r.Props = props
		}
		all = append(all, r)
	}
	return all
}
