package converters

// lru keeps the values of the keys that were used last, at most max of them and
// at least one. It is not safe for concurrent use.
type lru[K comparable, V any] struct {
	max   int
	items map[K]*lruItem[K, V]
	front *lruItem[K, V] // used last; the ring goes on to the one used before
}

type lruItem[K comparable, V any] struct {
	key        K
	value      V
	prev, next *lruItem[K, V]
}

func newLRU[K comparable, V any](size int) *lru[K, V] {
	return &lru[K, V]{max: max(size, 1), items: make(map[K]*lruItem[K, V])}
}

// get returns the value of a key and makes it the one used last.
func (c *lru[K, V]) get(key K) (value V, ok bool) {
	if c.front != nil && c.front.key == key {
		return c.front.value, true
	}
	it, ok := c.items[key]
	if !ok {
		return value, false
	}
	it.unlink()
	c.push(it)
	return it.value, true
}

// latest returns what was used last.
func (c *lru[K, V]) latest() (key K, value V, ok bool) {
	if c.front == nil {
		return key, value, false
	}
	return c.front.key, c.front.value, true
}

// put adds a key that is not there, and drops the one unused for longest if
// there are too many.
func (c *lru[K, V]) put(key K, value V) {
	if len(c.items) >= c.max {
		oldest := c.front.prev
		if oldest == c.front {
			c.front = nil
		}
		oldest.unlink()
		delete(c.items, oldest.key)
	}
	it := &lruItem[K, V]{key: key, value: value}
	c.items[key] = it
	c.push(it)
}

func (c *lru[K, V]) push(it *lruItem[K, V]) {
	if c.front == nil {
		it.prev, it.next = it, it
	} else {
		it.prev, it.next = c.front.prev, c.front
		it.prev.next, it.next.prev = it, it
	}
	c.front = it
}

// unlink takes an item, never the front, out of the ring.
func (it *lruItem[K, V]) unlink() {
	it.prev.next, it.next.prev = it.next, it.prev
}
