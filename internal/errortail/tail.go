package errortail

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

const (
	defaultLimit = 50
	// Window is how long an error stands for others like it.
	Window = time.Second
	// longest cuts the message of one error.
	longest = 4 << 10
)

// A Kind tells errors apart of which one can stand for many.
type Kind struct {
	Task           int // -1: the connector instance
	Stage, Outcome string
}

// An Entry is an error, and those that it stands for.
type Entry struct {
	Kind
	Number              int64 // of all that were kept, from one
	Time                time.Time
	Count               int
	Plugin, At, Message string
}

// A Tail is the last errors of each connector. It is safe for concurrent use.
type Tail struct {
	limit  int
	worker *config.Redactor

	mu      sync.Mutex
	number  int64
	entries map[string][]Entry // by connector, oldest first
	secrets map[cluster.TaskID]*config.Redactor
}

// New keeps so many errors of each connector: zero is 50, negative none. The
// worker's secrets are shown of no connector.
func New(limit int, worker *config.Redactor) *Tail {
	if limit == 0 {
		limit = defaultLimit
	}
	return &Tail{
		limit: limit, worker: worker,
		entries: make(map[string][]Entry), secrets: make(map[cluster.TaskID]*config.Redactor),
	}
}

// Protect says which secrets the errors of a task must not show.
func (t *Tail) Protect(id cluster.TaskID, r *config.Redactor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets[id] = r
}

// Forget drops what is known of a connector.
func (t *Tail) Forget(connector string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.entries, connector)
	for id := range t.secrets {
		if id.Connector == connector {
			delete(t.secrets, id)
		}
	}
}

// Get returns the errors of a connector, oldest first.
func (t *Tail) Get(connector string) []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.entries[connector])
}

// Counted counts an error for the last one of its task if that is of its kind and
// young. What is said of it need not be known then, so that a flood of bad records
// costs little and leaves older errors in place. If none are kept, all are
// counted.
func (t *Tail) Counted(connector string, k Kind) bool {
	if t.limit < 0 {
		return true
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	tail := t.entries[connector]
	for i := len(tail) - 1; i >= 0; i-- {
		e := &tail[i]
		if e.Task != k.Task {
			continue
		}
		if e.Kind != k || now.Sub(e.Time) >= Window {
			return false
		}
		e.Count++
		return true
	}
	return false
}

// Add adds an error that does not count for another one. Its number, time and
// count are set here.
func (t *Tail) Add(connector string, e Entry) {
	id := cluster.TaskID{Connector: connector, Task: e.Task}
	e.Time, e.Count = time.Now(), 1
	e.Message, e.At = cut(t.Redact(id, e.Message)), cut(t.Redact(id, e.At))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	e.Number = t.number
	tail := append(t.entries[connector], e)
	if len(tail) > t.limit {
		tail = slices.Delete(tail, 0, len(tail)-t.limit)
	}
	t.entries[connector] = tail
}

// Redact takes the secrets of a task, and of the worker, out of a text.
func (t *Tail) Redact(id cluster.TaskID, text string) string {
	t.mu.Lock()
	secrets := t.secrets[id]
	t.mu.Unlock()
	return t.worker.Redact(secrets.Redact(text))
}

func cut(text string) string {
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return text
}
