package connect

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect/cluster"
)

const (
	statusBackoff    = 100 * time.Millisecond
	maxStatusBackoff = 10 * time.Second
)

// A statusBoard publishes the states of connectors and tasks, and knows those
// that were published. Writes are queued and made by one goroutine, the newest
// for each key, until they succeed: a broker that is away does not hold up
// tasks. It is safe for concurrent use.
type statusBoard struct {
	log    *slog.Logger
	store  StatusStore
	hooks  *hookSet
	worker string

	mu      sync.Mutex
	fold    cluster.StatusFold
	queue   map[string]statusWrite // by key of the record
	queued  int                    // writes until now
	writing bool
	idle    chan struct{} // closed when nothing is queued or being written
	wake    chan struct{}

	// forgotten counts deletions: a topic may have to be noted again.
	forgotten atomic.Int64
}

// A statusWrite is a record on its way to the store. Safe ones give way to what
// a later owner has published.
type statusWrite struct {
	record cluster.Record
	number int // in the order of writes
	safe   bool
	// retried writes were due some time ago: they are safe ones now.
	retried bool
	// key and status are those of a state; of notes about topics they are zero.
	key    workKey
	status cluster.Status
}

func newStatusBoard(store StatusStore, worker string, hooks *hookSet, log *slog.Logger) *statusBoard {
	idle := make(chan struct{})
	close(idle)
	return &statusBoard{store: store, worker: worker, hooks: hooks, log: log,
		queue: make(map[string]statusWrite), wake: make(chan struct{}, 1), idle: idle,
	}
}

// put publishes a state. FAILED and UNASSIGNED are written safely, as in Java, but
// for the failure of a run that has not been RUNNING: what is there then may be of
// another life of the group, with higher generations, and would stay.
func (b *statusBoard) put(key workKey, s cluster.Status, began bool) {
	s.WorkerID = b.worker
	b.hooks.onState(&StateEvent{Connector: key.Connector, Task: key.Task, Status: s})
	w := statusWrite{
		record: cluster.TaskStatusRecord(key, s), key: key, status: s,
		safe: s.State == cluster.Failed && began || s.State == cluster.Unassigned,
	}
	if key.Task == instanceOf {
		w.record = cluster.ConnectorStatusRecord(key.Connector, s)
	}
	b.write(w)
}

// write queues a record in place of an older one with its key.
func (b *statusBoard) write(w statusWrite) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queued++
	w.number = b.queued
	b.queue[w.record.Key] = w
	if !b.writing {
		b.writing = true
		b.idle = make(chan struct{})
	}
	signal(b.wake)
}

// forgetStale publishes that what is not configured any more is gone. It is the
// leader's task after each assignment, as in Java: another worker might not know
// yet that a connector is there again, and runs by now.
func (b *statusBoard) forgetStale(view cluster.View) {
	var stale []workKey
	b.mu.Lock()
	names := b.fold.Connectors()
	for _, name := range names {
		c := view.Connector(name)
		for _, n := range b.fold.Tasks(name) {
			if c == nil || n >= len(c.Tasks) {
				stale = append(stale, workKey{Connector: name, Task: n})
			}
		}
		if c == nil {
			stale = append(stale, workKey{Connector: name, Task: instanceOf})
		}
	}
	b.mu.Unlock()
	for _, name := range names {
		if view.Connector(name) == nil {
			b.forgetTopics(name)
		}
	}
	for _, key := range stale {
		b.put(key, cluster.Status{State: cluster.Destroyed}, true)
	}
}

// run writes what is queued until ctx ends.
func (b *statusBoard) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		}
		b.drain(ctx)
	}
}

// drain writes until the queue is empty, with a back-off while the store fails.
func (b *statusBoard) drain(ctx context.Context) {
	for attempt := 0; ; attempt++ {
		writes := b.take()
		if len(writes) == 0 {
			return
		}
		err := b.store.Append(ctx, statusPairs(writes)...)
		if err == nil {
			attempt = -1
			continue
		}
		b.giveBack(writes)
		if ctx.Err() != nil {
			return
		}
		if attempt == 0 {
			b.log.WarnContext(ctx, "publishing states failed, trying again", "err", err)
		}
		if sleep(ctx, min(statusBackoff<<min(attempt, 16), maxStatusBackoff)) != nil {
			return
		}
	}
}

// take empties the queue of what may still be written.
func (b *statusBoard) take() []statusWrite {
	b.mu.Lock()
	defer b.mu.Unlock()
	var writes []statusWrite
	for _, w := range b.queue {
		checked := w.safe || w.retried && w.status.State != ""
		if !checked || cluster.MayReplace(b.known(w.key), w.status) {
			writes = append(writes, w)
		}
	}
	slices.SortFunc(writes, func(a, b statusWrite) int { return cmp.Compare(a.number, b.number) })
	clear(b.queue)
	if len(writes) == 0 && b.writing {
		b.writing = false
		close(b.idle)
	}
	return writes
}

// giveBack queues writes that failed, without those that newer ones replace.
func (b *statusBoard) giveBack(writes []statusWrite) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range writes {
		if _, newer := b.queue[w.record.Key]; !newer {
			w.retried = true
			b.queue[w.record.Key] = w
		}
	}
}

func (b *statusBoard) known(key workKey) *cluster.Status {
	if key.Task == instanceOf {
		return b.fold.Connector(key.Connector)
	}
	return b.fold.Task(key)
}

func statusPairs(writes []statusWrite) []KV {
	pairs := make([]KV, len(writes))
	for i, w := range writes {
		pairs[i] = KV{[]byte(w.record.Key), w.record.Value}
	}
	return pairs
}

// flush waits until all that is queued was written, or ctx ends.
func (b *statusBoard) flush(ctx context.Context) {
	b.mu.Lock()
	idle := b.idle
	b.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// follow reads the published states until ctx ends. It calls caughtUp once, and
// then others for each state that is not this worker's, or was deleted.
func (b *statusBoard) follow(ctx context.Context, caughtUp func(), others func(workKey)) error {
	for e, err := range b.store.Follow(ctx) {
		if err != nil {
			return err
		}
		if e.Key == nil {
			caughtUp()
			continue
		}
		b.mu.Lock()
		err := b.fold.Apply(cluster.Record{Key: string(e.Key), Value: e.Value})
		b.mu.Unlock()
		if e.Value == nil {
			b.forgotten.Add(1)
		}
		if err != nil {
			b.log.DebugContext(ctx, "ignoring a status record", "err", err)
		}
		if key, ok := cluster.StatusOf(string(e.Key)); ok && e.Live {
			if s := b.state(key); s == nil || s.WorkerID != b.worker {
				others(key)
			}
		}
	}
	return nil
}

// state returns a state that was published; nil if there is none.
func (b *statusBoard) state(key workKey) *cluster.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known(key)
}

// get returns the states known of a connector: its instance's and its tasks'.
func (b *statusBoard) get(connector string) (instance *cluster.Status, tasks map[int]cluster.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fold.Connector(connector), b.fold.TaskStates(connector)
}
