// Package memtest measures memory, for tests of bounds.
package memtest

import "runtime"

// Heap is the memory of the heap after all that is not used is collected.
func Heap() int64 {
	m := read()
	return int64(m.HeapAlloc)
}

// InUse is the memory of heap and stacks after all that is not used is collected.
func InUse() int64 {
	m := read()
	return int64(m.HeapAlloc + m.StackInuse)
}

func read() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC() // what the first has finalized
	runtime.ReadMemStats(&m)
	return m
}
