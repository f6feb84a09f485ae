package httpkit

import (
	"fmt"
	"time"

	"github.com/streamlane/connect/metric"
)

// counters are what a client counts.
type counters struct {
	status                         [6]*metric.Counter // by the first digit
	failed, retries, waits, waited *metric.Counter
}

// Observe has the client count into a set from then on: requests by class of status, those without response, retries, and waits for rate limits.
// No request may be under way.
func (k *Client) Observe(s *metric.Set) {
	for i := range k.counters.status {
		k.counters.status[i] = new(metric.Counter)
		if i >= 2 {
			k.counters.status[i] = s.Counter(fmt.Sprintf("requests-%dxx", i), fmt.Sprintf("Responses with a status from %d00 to %d99.", i, i))
		}
	}
	k.counters.failed = s.Counter("requests-failed", "Requests without a whole response: connections, time-outs, bodies that were cut or too large.")
	k.counters.retries = s.Counter("request-retries", "Requests that were sent again after an error.")
	k.counters.waits = s.Counter("rate-limit-waits", "Requests that were kept back by a rate limit, the server's or our own.")
	k.counters.waited = s.Counter("rate-limit-wait-ms", "Milliseconds for which requests were kept back by rate limits.")
}

// count takes the outcome of a round trip.
func (c *counters) count(res *Response, err error) {
	if err != nil {
		c.failed.Add(1)
		return
	}
	c.status[min(max(res.Status/100, 0), 5)].Add(1)
}

// kept takes the time that a request was kept back.
func (c *counters) kept(since time.Time) {
	if d := time.Since(since); d >= time.Millisecond {
		c.waits.Add(1)
		c.waited.Add(d.Milliseconds())
	}
}
