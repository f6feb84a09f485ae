// Package memlog is an ordered log of keyed entries in memory, compacted by key,
// with one follower at a time and one leader: what connect.MemoryLog stands on.
// Waits in it are durable in a synctest bubble, that of another goroutine's log
// too.
package memlog
