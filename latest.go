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
	next    chan struct{} // closed by the next set; nil while nobody waits for it
}

func newLatest[T any](v T) latest[T] {
	return latest[T]{&latestState[T]{value: v, changed: make(chan struct{}, 1)}}
}

func (l latest[T]) set(v T) { l.update(func(T) T { return v }) }

// update sets what f makes of the value.
func (l latest[T]) update(f func(T) T) {
	l.mu.Lock()
	l.value = f(l.value)
	if l.next != nil {
		close(l.next)
		l.next = nil
	}
	l.mu.Unlock()
	signal(l.changed)
}

// watch returns the value and a channel that closes when it is set again. Unlike
// changed it is for any number of readers.
func (l latest[T]) watch() (T, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = make(chan struct{})
	}
	return l.value, l.next
}

func (l latest[T]) get() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}
