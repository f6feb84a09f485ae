// Package activity remembers what a worker is doing, for who has to wait for it
// (the stages of KIP-1017).
package activity

import (
	"fmt"
	"sync"
	"time"
)

// Now is what a worker is doing, or did last. The zero value is nothing. It is safe
// for concurrent use.
type Now struct {
	mu           sync.Mutex
	what         string
	began, ended time.Time // ended: zero while it goes on
}

// Enter begins an activity. The text completes "The worker is ...".
func (n *Now) Enter(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.what, n.began, n.ended = fmt.Sprintf(format, args...), time.Now(), time.Time{}
}

// Complete ends the present activity.
func (n *Now) Complete() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = time.Now()
}

// String says it all, in the words of Java's workers; "" for nothing.
func (n *Now) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.what == "":
		return ""
	case n.ended.IsZero():
		return fmt.Sprintf("The worker is currently %s, which began at %s", n.what, instant(n.began))
	}
	return fmt.Sprintf("The last operation the worker completed was %s, which began at %s and completed at %s",
		n.what, instant(n.began), instant(n.ended))
}

// instant is a time as Java's Instant prints it, in milliseconds.
func instant(t time.Time) string {
	t = t.Truncate(time.Millisecond).UTC()
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
