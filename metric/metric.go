package metric

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Set holds the metrics of one run of a task. The zero Set is empty and ready; a nil *Set takes metrics and shows none.
// It is safe for concurrent use.
type Set struct {
	mu      sync.Mutex
	metrics map[string]entry
}

type entry struct {
	doc   string
	total *Counter // nil: a gauge
	read  func() float64
}

// A Kind tells how the values of a metric move.
type Kind int

const (
	// CounterKind only grows while the task runs.
	CounterKind Kind = iota
	// GaugeKind goes up and down.
	GaugeKind
)

// A Counter counts what has happened. The zero Counter stands at 0. It is safe for concurrent use.
type Counter struct{ n atomic.Int64 }

// Add adds n, which is not negative.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// Value is the sum so far.
func (c *Counter) Value() int64 { return c.n.Load() }

// Counter returns the counter of a name, in Kafka's spelling: lower case words with hyphens, as in "request-retries". There is
// one for each name; the first doc stays.
func (s *Set) Counter(name, doc string) *Counter {
	if s == nil {
		return new(Counter)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.metrics[name]; e.total != nil {
		return e.total
	}
	c := new(Counter)
	s.put(name, entry{doc: doc, total: c})
	return c
}

// Gauge has read called for the value of a metric, from any goroutine, also after the task has ended. It must be
// quick and not use the Set. A metric of the same name gives way.
func (s *Set) Gauge(name, doc string, read func() float64) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(name, entry{doc: doc, read: read})
}

func (s *Set) put(name string, e entry) {
	if s.metrics == nil {
		s.metrics = make(map[string]entry)
	}
	s.metrics[name] = e
}

// A Metric is the value of one metric at one moment.
type Metric struct {
	Name, Doc string
	Kind      Kind
	Value     float64
}

// All reads all metrics, in order of their names.
func (s *Set) All() []Metric {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	metrics := maps.Clone(s.metrics)
	s.mu.Unlock()
	all := make([]Metric, 0, len(metrics))
	for name, e := range metrics {
		m := Metric{Name: name, Doc: e.doc, Kind: GaugeKind}
		if e.total != nil {
			m.Kind, m.Value = CounterKind, float64(e.total.Value())
		} else {
			m.Value = e.read()
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return all
}
