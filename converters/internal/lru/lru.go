// Package lru keeps what was used last.
package lru

// A Cache keeps the values of the keys that were used last, at most a given number
// of them. It is not safe for concurrent use.
type Cache[K comparable, V any] struct {
	max   int
	items map[K]*item[K, V]
	front *item[K, V] // used last; the ring goes on to the one used before
}

type item[K comparable, V any] struct {
	key        K
	value      V
	prev, next *item[K, V]
}

// New returns a cache for so many values, at least one.
func New[K comparable, V any](size int) *Cache[K, V] {
	return &Cache[K, V]{max: max(size, 1), items: make(map[K]*item[K, V])}
}

// Max returns the number of values that the cache keeps.
func (c *Cache[K, V]) Max() int { return c.max }

// Get returns the value of a key and makes it the one used last.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	if c.front != nil && c.front.key == key {
		return c.front.value, true
	}
	it, ok := c.items[key]
	if !ok {
		return value, false
	}
	c.unlink(it)
	c.push(it)
	return it.value, true
}

// Latest returns what was used last.
func (c *Cache[K, V]) Latest() (key K, value V, ok bool) {
	if c.front == nil {
		return key, value, false
	}
	return c.front.key, c.front.value, true
}

// Put sets the value of a key, and drops the one unused for longest if there are
// too many.
func (c *Cache[K, V]) Put(key K, value V) {
	if it, ok := c.items[key]; ok {
		it.value = value
		return
	}
	if len(c.items) >= c.max {
		c.Drop(c.front.prev.key)
	}
	it := &item[K, V]{key: key, value: value}
	c.items[key] = it
	c.push(it)
}

// Drop forgets a key.
func (c *Cache[K, V]) Drop(key K) {
	if it, ok := c.items[key]; ok {
		c.unlink(it)
		delete(c.items, key)
	}
}

func (c *Cache[K, V]) push(it *item[K, V]) {
	if c.front == nil {
		it.prev, it.next = it, it
	} else {
		it.prev, it.next = c.front.prev, c.front
		it.prev.next, it.next.prev = it, it
	}
	c.front = it
}

// unlink takes an item out of the ring.
func (c *Cache[K, V]) unlink(it *item[K, V]) {
	if it.next == it {
		c.front = nil
		return
	}
	it.prev.next, it.next.prev = it.next, it.prev
	if c.front == it {
		c.front = it.next
	}
}
