package connect

import "sync"

// latest is a value of which only the newest matters, with a signal for its
// reader. It is safe for concurrent use.
type latest[T any] struct {
	*latestState[T]
}

type latestState[T any] struct {
	mu      sync.Mutex
	value   T
	changed chan struct{} // capacity one
}

func newLatest[T any](v T) latest[T] {
	return latest[T]{&latestState[T]{value: v, changed: make(chan struct{}, 1)}}
}

func (l latest[T]) set(v T) {
	l.mu.Lock()
	l.value = v
	l.mu.Unlock()
	signal(l.changed)
}

func (l latest[T]) get() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}
