// Package null has a sink that throws records away: the target of benchmarks, and of tests that want a sink to be slow or to fail.
//
// NullSink counts the records that it was given. Each task counts its own; the count begins anew when a task starts.
package null
