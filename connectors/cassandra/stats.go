package cassandra

import (
	"sync"
	"time"

	"github.com/streamlane/connect/metric"
)

// stats are what the task counts.
type stats struct {
	rows, deletes, refused, skipped *metric.Counter
	requests, batches, batched      *metric.Counter
	micros                          *metric.Counter
	sizes                           [len(sizeNames)]*metric.Counter

	set     *metric.Set
	mu      sync.Mutex
	retries map[class]*metric.Counter
}

// sizeNames are the buckets of batches by their number of records.
var sizeNames = [...]string{"1", "2-3", "4-7", "8-15", "16-31", "32-more"}

func newStats(set *metric.Set, d func() *dispatcher) *stats {
	s := &stats{
		rows:     set.Counter("rows-written", "Rows written, deletes included."),
		deletes:  set.Counter("rows-deleted", "Rows deleted."),
		refused:  set.Counter("records-refused", "Records that the database refused or the mapping did not fit, reported."),
		skipped:  set.Counter("records-ignored", "Of these, those that ignoreErrors let go."),
		requests: set.Counter("requests", "Requests that succeeded."),
		batches:  set.Counter("batches", "Requests of these that were batches."),
		batched:  set.Counter("batched-rows", "Rows in batches."),
		micros:   set.Counter("request-time-us", "Microseconds that requests which succeeded took, in all; by requests it is the mean latency."),
		set:      set,
		retries:  map[class]*metric.Counter{},
	}
	for i, name := range sizeNames {
		s.sizes[i] = set.Counter("requests-of-"+name+"-rows", "Requests that succeeded with that many rows.")
	}
	gauge := func(name, doc string, read func(d *dispatcher) float64) {
		set.Gauge(name, doc, func() float64 {
			x := d()
			x.mu.Lock()
			defer x.mu.Unlock()
			return read(x)
		})
	}
	gauge("requests-in-flight", "Requests under way.", func(d *dispatcher) float64 { return float64(d.flying) })
	gauge("requests-limit", "Most requests at the same time, as the load of the nodes allows.", func(d *dispatcher) float64 { return d.limit })
	gauge("writes-waiting", "Writes that are not acknowledged yet.", func(d *dispatcher) float64 { return float64(d.waiting) })
	gauge("writes-waiting-bytes", "Bytes of memory of these.", func(d *dispatcher) float64 { return float64(d.bytes) })
	gauge("lanes", "Partitions of tables with writes waiting.", func(d *dispatcher) float64 { return float64(len(d.lanes)) })
	gauge("lanes-backing-off", "Of these, those that wait before they try again.", func(d *dispatcher) float64 { return float64(len(d.asleep)) })
	return s
}

// request counts one request.
func (s *stats) request(c class, r *request, err error) {
	if c == stopped {
		return
	}
	if err != nil {
		s.failure(c).Add(1)
		return
	}
	n := len(r.writes)
	s.requests.Add(1)
	s.rows.Add(int64(n))
	s.micros.Add(time.Since(r.writes[0].begun).Microseconds())
	if n > 1 {
		s.batches.Add(1)
		s.batched.Add(int64(n))
	}
	bucket := 0
	for size := n; size > 1 && bucket < len(sizeNames)-1; size /= 2 {
		bucket++
	}
	s.sizes[bucket].Add(1)
	for _, w := range r.writes {
		if w.stmt.removes {
			s.deletes.Add(1)
		}
	}
}

// failure is the counter of a class.
func (s *stats) failure(c class) *metric.Counter {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.retries[c]
	if x == nil {
		x = s.set.Counter("requests-failed-"+c.metric(), "Requests that failed: "+c.String()+".")
		s.retries[c] = x
	}
	return x
}

// metric is the class in names of metrics.
func (c class) metric() string {
	if c == tooLarge {
		return "too-large"
	}
	return c.String()
}
