package acksource

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type numbers = Ledger[int, int]

// enter reserves room for and enters messages, whose handles are their numbers.
func enter(t testing.TB, l *numbers, n ...int) (entries []*Entry[int, int]) {
	t.Helper()
	for _, m := range n {
		require.NoError(t, l.Reserve(t.Context(), 10))
		entries = append(entries, l.Enter(m, m, 10, true))
	}
	return entries
}

func poll(t testing.TB, l *numbers, n int) (got []int) {
	t.Helper()
	entries, err := l.Poll(t.Context(), nil, n)
	require.NoError(t, err)
	for _, e := range entries {
		got = append(got, e.Message)
	}
	return got
}

func TestInOrderWaitsForThoseBefore(t *testing.T) {
	l := New[int, int](Options{Order: InOrder})
	e := enter(t, l, 1, 2, 3, 4)
	assert.Equal(t, []int{1, 2, 3}, poll(t, l, 3))
	assert.Equal(t, []int{4}, poll(t, l, 3))
	l.Done(e[2], e[1])
	assert.Empty(t, l.Due(nil, 10), "the first is not done")
	assert.Empty(t, l.Ready())
	l.Done(e[0])
	assert.Len(t, l.Ready(), 1)
	assert.Equal(t, []int{1, 2}, l.Due(nil, 2))
	<-l.Ready()
	assert.Len(t, l.Ready(), 0)
	assert.Equal(t, []int{3}, l.Due(nil, 2))
	assert.Equal(t, 1, l.Stats().InFlight)
}

func TestAnyOrder(t *testing.T) {
	l := New[int, int](Options{Order: AnyOrder})
	e := enter(t, l, 1, 2, 3)
	l.Done(e[2])
	l.Done(e[0])
	assert.Equal(t, []int{3, 1}, l.Due(nil, 10))
	assert.Equal(t, []int{2}, l.Abandon())
	assert.Zero(t, l.Stats().InFlight)
}

func TestSplit(t *testing.T) {
	l := New[int, int](Options{Order: InOrder})
	e := enter(t, l, 1, 2, 3)
	l.Split(e[0], 2)
	l.Split(e[1], 0)
	l.Done(e[2], e[0])
	assert.Empty(t, l.Due(nil, 10))
	l.Done(e[0])
	assert.Equal(t, []int{1, 2, 3}, l.Due(nil, 10))
}

// What is lost with a connection and comes again is one message.
func TestForgetAndOwe(t *testing.T) {
	l := New[int, int](Options{Order: InOrder, MaxMessages: 3})
	e := enter(t, l, 1, 2, 3)
	l.Done(e[1])
	l.Forget()
	assert.Equal(t, 2, l.Stats().InFlight, "the one that is done is no longer owed to anybody")
	l.Done(e[0])
	assert.Empty(t, l.Due(nil, 10), "nothing is owed to a connection that is gone")
	for _, x := range []struct {
		e *Entry[int, int]
		h int
	}{{e[1], 20}, {e[0], 10}} { // the server's order counts
		require.NoError(t, l.Reserve(t.Context(), 10))
		l.Owe(x.e, x.h, 10)
	}
	assert.Equal(t, []int{20, 10}, l.Due(nil, 10))
	assert.Equal(t, int64(2), l.Stats().Recognised)
	assert.Equal(t, []int{1, 2, 3}, poll(t, l, 10), "each once")
	l.Done(e[2])
	assert.Zero(t, l.Stats().InFlight)
	assert.Zero(t, l.Stats().Bytes)
}

func TestNotOwed(t *testing.T) {
	l := New[int, int](Options{Order: InOrder})
	require.NoError(t, l.Reserve(t.Context(), 10))
	e := l.Enter(1, 0, 10, false)
	assert.Equal(t, 1, l.Stats().InFlight)
	l.Done(e)
	assert.Zero(t, l.Stats().InFlight)
	assert.Empty(t, l.Due(nil, 10))
}

func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New[int, int](Options{Order: InOrder, MaxMessages: 3, MaxBytes: 25})
		e := enter(t, l, 1, 2)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, l.Reserve(short, 10), context.DeadlineExceeded, "25 bytes are less than three messages")
		assert.NoError(t, l.Reserve(t.Context(), 5))
		l.Cancel(5)
		reserved := make(chan error)
		go func() { reserved <- l.Reserve(t.Context(), 10) }()
		synctest.Wait()
		l.Done(e[1]) // its bytes are free, though it cannot be acknowledged
		assert.NoError(t, <-reserved)
		l.Enter(3, 3, 10, true)
		go func() { reserved <- l.Reserve(t.Context(), 1) }()
		synctest.Wait()
		l.Done(e[0])
		synctest.Wait()
		assert.Empty(t, reserved, "three messages are not acknowledged")
		l.Due(nil, 10)
		assert.NoError(t, <-reserved)
	})
}

func TestOneThatIsLargerThanAll(t *testing.T) {
	l := New[int, int](Options{MaxBytes: 10})
	require.NoError(t, l.Reserve(t.Context(), 1000))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, l.Reserve(ctx, 1), context.Canceled)
}

func TestOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New[int, int](Options{Order: AnyOrder})
		_, ok := l.Oldest()
		assert.False(t, ok)
		first := time.Now()
		e := enter(t, l, 1)
		time.Sleep(time.Second)
		enter(t, l, 2)
		since, ok := l.Oldest()
		assert.True(t, ok)
		assert.True(t, first.Equal(since))
		l.Done(e...)
		l.Due(nil, 1)
		since, _ = l.Oldest()
		assert.Equal(t, time.Second, since.Sub(first))
	})
}

func TestPollEndsWithItsContext(t *testing.T) {
	l := New[int, int](Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(assert.AnError)
	_, err := l.Poll(ctx, nil, 1)
	assert.ErrorIs(t, err, assert.AnError)
}

func TestLeases(t *testing.T) {
	l := New[int, int](Options{Order: AnyOrder})
	e := enter(t, l, 1, 2, 3)
	now := time.Now()
	l.Lease(e[0], now.Add(time.Second))
	l.Lease(e[1], now.Add(time.Minute))
	assert.Equal(t, []int{1}, l.Leased(now.Add(30*time.Second), now.Add(time.Hour)))
	assert.Equal(t, []int{2}, l.Leased(now.Add(2*time.Minute), now.Add(time.Hour)))
	l.Done(e[1])
	l.Due(nil, 10)
	assert.Equal(t, []int{1}, l.Leased(now.Add(2*time.Hour), now.Add(3*time.Hour)), "an acknowledged message has no lease")
}

// Whatever happens, acknowledgements of a connection are in the order in which it brought the messages, none is for a message that is not
// done, and every message is polled once.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(300) {
		randomLife(t, rand.New(rand.NewPCG(seed, 1)))
	}
}

func randomLife(t *testing.T, r *rand.Rand) {
	type state struct {
		e    *Entry[int, int]
		done bool
	}
	l := New[int, int](Options{Order: InOrder})
	var all []*state
	var connection, polled []int // received over this connection and not acknowledged; polled
	for range 400 {
		switch r.IntN(6) {
		case 0, 1:
			n := len(all)
			all = append(all, &state{e: enter(t, l, n)[0]})
			connection = append(connection, n)
		case 2:
			if l.Stats().Entered > int64(len(polled)) {
				polled = append(polled, poll(t, l, 1+r.IntN(3))...)
			}
		case 3:
			if len(polled) > 0 {
				if s := all[polled[r.IntN(len(polled))]]; !s.done {
					s.done = true
					l.Done(s.e)
				}
			}
		case 4:
			for _, h := range l.Due(nil, 1+r.IntN(4)) {
				require.Equal(t, connection[0], h, "in order of receipt")
				require.True(t, all[h].done, "done")
				connection = connection[1:]
			}
		case 5:
			if r.IntN(10) == 0 {
				again := connection
				connection = nil
				l.Forget()
				for _, n := range again { // the server sends again what was not acknowledged
					require.NoError(t, l.Reserve(t.Context(), 10))
					l.Owe(all[n].e, n, 10)
					connection = append(connection, n)
				}
			}
		}
	}
	for len(polled) < len(all) {
		polled = append(polled, poll(t, l, 7)...)
	}
	require.True(t, slices.IsSorted(polled))
	require.Len(t, polled, len(all))
	for _, s := range all {
		if !s.done {
			l.Done(s.e)
		}
	}
	require.Equal(t, connection, append([]int{}, l.Due(nil, 1000)...))
	s := l.Stats()
	require.Zero(t, s.InFlight)
	require.Zero(t, s.Bytes)
	require.Equal(t, int64(len(all)), s.Delivered)
}

// A ledger with 100,000 messages in flight takes little memory beside them, and gives it back.
func TestMemory(t *testing.T) {
	const n = 100_000
	l := New[int, int](Options{Order: InOrder, MaxMessages: n})
	before := heap()
	entries := make([]*Entry[int, int], 0, n)
	for i := range n {
		require.NoError(t, l.Reserve(t.Context(), 10))
		entries = append(entries, l.Enter(i, i, 10, true))
	}
	full := heap() - before
	t.Logf("%d bytes a message", full/n)
	assert.Less(t, full, int64(n*400), "bytes for %d messages", n)
	poll(t, l, n)
	l.Done(entries...)
	assert.Len(t, l.Due(nil, n), n)
	entries = nil
	assert.Less(t, heap()-before, int64(n*100))
	runtime.KeepAlive(l)
	runtime.KeepAlive(entries)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
