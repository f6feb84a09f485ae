// Package metric holds what connectors count of their own doings: requests and retries, bytes uploaded, messages in flight
// (KIP-877's plugin metrics). What the engine counts for every connector it tells by hooks instead.
//
// A task gets its Set from its context, names its counters and gauges in Start, and keeps the counters:
//
//	t.retries = c.Metrics().Counter("request-retries", "Requests that were sent again.")
//	c.Metrics().Gauge("files-open", "Files that are being written.", func() float64 { return float64(t.open.Load()) })
//
// Nothing is pushed anywhere: who wants the figures implements connect.MetricsHook and reads the sets of the tasks that run,
// when it likes. A counter costs one atomic addition.
package metric
