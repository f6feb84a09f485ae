package connecttest

import (
	"context"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// TestCoordinator shows whether a Coordinator keeps its contract towards one
// worker that is alone in its cluster. open returns the coordinator of a new
// cluster.
//
// It holds the rules that show from outside: assignments add up, follow the
// configuration after Rejoin, end with one that revokes everything, and wait
// for the loop's body.
func TestCoordinator(t testing.TB, open func(t testing.TB) connect.Coordinator) {
	for _, c := range []struct {
		name string
		f    func(t testing.TB, w *worker)
	}{
		{"assigns all work to the only worker", coordinatorAssigns},
		{"follows the configuration after Rejoin", coordinatorRejoins},
		{"waits for the loop's body", coordinatorWaits},
		{"revokes everything at the end, once", coordinatorEnds},
		{"lets the loop be left", coordinatorBreaks},
	} {
		run(t, c.name, func(t testing.TB) {
			w := &worker{t: t, c: open(t), m: NewMember("http://127.0.0.1:8083/", view(1, map[string]int{"a": 2, "b": 1}))}
			c.f(t, w)
		})
	}
}

// view makes a configuration of connectors with so many tasks.
func view(position int64, connectors map[string]int) cluster.View {
	var all []cluster.Connector
	for name, tasks := range connectors {
		all = append(all, cluster.Connector{Name: name, Target: cluster.TargetStarted, Tasks: make([]config.Props, tasks)})
	}
	return cluster.NewView(position, all...)
}

// worker runs the loop over the assignments of one member.
type worker struct {
	t testing.TB
	c connect.Coordinator
	m *Member

	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	items  []connect.Assignment
	err    error
}

// start runs the loop until stop. body runs before an assignment is applied.
func (w *worker) start(body func(connect.Assignment)) {
	ctx, cancel := context.WithCancel(bounded(w.t))
	w.cancel = cancel
	w.wg.Go(func() {
		for a, err := range w.c.Assignments(ctx, w.m) {
			w.check(a, err)
			if body != nil {
				body(a)
			}
			w.m.Apply(a)
		}
	})
	w.t.Cleanup(w.stop)
}

func (w *worker) stop() {
	w.cancel()
	w.wg.Wait()
}

// check holds for every assignment.
func (w *worker) check(a connect.Assignment, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = append(w.items, a)
	if err != nil {
		w.err = err
		return
	}
	owned := w.m.Owned()
	assert.Empty(w.t, a.Revoked.Minus(owned), "revoked, but not owned")
	kept := owned.Minus(a.Revoked)
	assert.Equal(w.t, a.Added.Size(), a.Added.Minus(kept).Size(), "added, but owned already: %v", a.Added)
	if a.Lost {
		assert.True(w.t, a.Added.IsEmpty(), "a lost session adds nothing")
	}
	if !a.Added.IsEmpty() {
		assert.NotEmpty(w.t, a.MemberID, "an assignment names the member")
		assert.True(w.t, a.IsLeader(), "who is alone leads")
		assert.Equal(w.t, w.m.URL(), a.LeaderURL)
	}
}

// awaits waits until the member owns the work of its view.
func (w *worker) awaits(view cluster.View) {
	w.t.Helper()
	var owned cluster.Work
	if !w.m.await(bounded(w.t), func(o cluster.Work) bool { owned = o; return reflect.DeepEqual(o.Sorted(), view.Work().Sorted()) }) {
		require.Fail(w.t, "the work is not assigned", "found %v, want %v", owned, view.Work())
	}
}

func coordinatorAssigns(t testing.TB, w *worker) {
	v, _ := w.m.View(bounded(t), 0)
	w.start(nil)
	w.awaits(v)
	w.stop()
	assert.NoError(t, w.err)
}

func coordinatorRejoins(t testing.TB, w *worker) {
	v, _ := w.m.View(bounded(t), 0)
	w.start(nil)
	w.awaits(v)
	for i, v := range []cluster.View{
		view(2, map[string]int{"a": 2, "b": 3, "c": 1}),
		view(3, map[string]int{"b": 1}),
		view(4, nil),
		view(5, map[string]int{"a": 1}),
	} {
		w.m.SetView(v)
		w.c.Rejoin("the configuration changed")
		if i%2 == 0 {
			w.c.Rejoin("and once more") // it must not block, nor do harm
		}
		w.awaits(v)
	}
	w.stop()
	assert.NoError(t, w.err)
}

// coordinatorWaits holds the body of the first assignment: no other may come,
// though a Rejoin is asked for.
func coordinatorWaits(t testing.TB, w *worker) {
	entered, leave := make(chan struct{}), make(chan struct{})
	inside := 0
	var once sync.Once
	w.start(func(connect.Assignment) {
		w.mu.Lock()
		inside++
		assert.Equal(t, 1, inside, "the loop's body runs one at a time")
		w.mu.Unlock()
		once.Do(func() {
			close(entered)
			<-leave
		})
		w.mu.Lock()
		inside--
		w.mu.Unlock()
	})
	receive(t, entered, "the first assignment")
	v := view(2, map[string]int{"a": 1})
	w.m.SetView(v)
	w.c.Rejoin("while the body is at work")
	close(leave)
	w.awaits(v)
	w.stop()
	assert.NoError(t, w.err)
}

func coordinatorEnds(t testing.TB, w *worker) {
	v, _ := w.m.View(bounded(t), 0)
	w.start(nil)
	w.awaits(v)
	before := len(w.items)
	w.stop()
	assert.NoError(t, w.err, "the end of the context is no error")
	if assert.Len(t, w.items, before+1, "assignments after the context has ended: want one, the last") {
		last := w.items[before]
		assert.Equal(t, v.Work().Sorted(), last.Revoked.Sorted(), "the last assignment revokes everything")
		assert.True(t, last.Added.IsEmpty(), "the last assignment adds nothing")
		assert.False(t, last.Lost, "the last assignment is no lost session: work stops in order")
	}
	assert.True(t, w.m.Owned().IsEmpty())
}

func coordinatorBreaks(t testing.TB, w *worker) {
	n := 0
	for _, err := range w.c.Assignments(bounded(t), w.m) {
		require.NoError(t, err)
		n++
		break
	}
	assert.Equal(t, 1, n)
}
