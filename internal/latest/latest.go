// Package latest holds values of which only the newest matters.
package latest

import "sync"

// A Value is a value of which only the newest matters, with signals for its
// readers. It is safe for concurrent use; copies are the same Value.
type Value[T any] struct {
	*state[T]
}

type state[T any] struct {
	mu      sync.Mutex
	value   T
	changed chan struct{} // capacity one
	next    chan struct{} // closed by the next set; nil while nobody waits for it
}

// Of returns a Value that stands at v.
func Of[T any](v T) Value[T] {
	return Value[T]{&state[T]{value: v, changed: make(chan struct{}, 1)}}
}

// Set puts v in the place of what was.
func (l Value[T]) Set(v T) { l.Update(func(T) T { return v }) }

// Update sets what f makes of the value. F must not use the Value.
func (l Value[T]) Update(f func(T) T) {
	l.mu.Lock()
	l.value = f(l.value)
	if l.next != nil {
		close(l.next)
		l.next = nil
	}
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Changed receives after the value was set, once for any number of times. It is for
// one reader.
func (l Value[T]) Changed() <-chan struct{} { return l.changed }

// Watch returns the value and a channel that closes when it is set again. It is for
// any number of readers.
func (l Value[T]) Watch() (T, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = make(chan struct{})
	}
	return l.value, l.next
}

// Get returns the value.
func (l Value[T]) Get() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}
