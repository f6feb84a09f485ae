package connecttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// TestLog shows whether a Log keeps its contract; so for a StatusStore. open
// returns an empty log, a new one at each call; the suite opens and closes it
// where it is a connect.StoreOpener.
func TestLog(t testing.TB, open func(t testing.TB) connect.Log) {
	for _, c := range []struct {
		name string
		f    func(t testing.TB, l connect.Log)
	}{
		{"catches up with nothing", logEmpty},
		{"yields what was there, then what comes", logOrder},
		{"keeps bytes as they are", logKeepBytes},
		{"keeps at least the newest of each key", logNewest},
		{"syncs with the loop's body", logSync},
		{"syncs when a follower comes", logSyncWaits},
		{"lets the loop's body append", logReentrant},
		{"ends with its context", logContext},
		{"starts over for the next follower", logFollowAgain},
		{"takes appends of many at once", logConcurrent},
	} {
		run(t, c.name, func(t testing.TB) {
			l := open(t)
			openStore(t, l)
			c.f(t, l)
		})
	}
}

// TestConfigStore shows whether a ConfigStore keeps its contract: that of a Log,
// and that of its leaders. See TestLog.
func TestConfigStore(t testing.TB, open func(t testing.TB) connect.ConfigStore) {
	TestLog(t, func(t testing.TB) connect.Log { return open(t) })
	run(t, "has one leader", func(t testing.TB) {
		l := open(t)
		openStore(t, l)
		configStoreLeads(t, l)
	})
}

// follower runs Follow in a goroutine and keeps what it yields.
type follower struct {
	mu       sync.Mutex
	entries  []connect.Entry
	caughtUp int // entries before the marker; -1: not yet
	markers  int
	marked   chan struct{} // closed with the first marker
	err      error
	body     func(connect.Entry) // runs in the loop's body
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

func follow(t testing.TB, l connect.Log, body func(connect.Entry)) *follower {
	ctx, cancel := context.WithCancel(bounded(t))
	f := &follower{caughtUp: -1, body: body, cancel: cancel, marked: make(chan struct{})}
	f.wg.Go(func() {
		for e, err := range l.Follow(ctx) {
			f.take(e, err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

func (f *follower) take(e connect.Entry, err error) {
	if f.body != nil && err == nil {
		f.body(e)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil:
		f.err = err
	case len(e.Key) == 0:
		f.caughtUp = len(f.entries)
		if f.markers++; f.markers == 1 {
			close(f.marked)
		}
	default:
		f.entries = append(f.entries, e)
	}
}

// stop ends the loop and waits for it.
func (f *follower) stop() {
	f.cancel()
	f.wg.Wait()
}

// texts returns the entries as key=value, without what lies before index from.
func (f *follower) texts(from int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []string{}
	for _, e := range f.entries[from:] {
		text := string(e.Key) + "=" + string(e.Value)
		if e.Value == nil {
			text = string(e.Key) + " deleted"
		}
		out = append(out, text)
	}
	return out
}

// check holds for every follower: offsets increase, live entries follow the one
// marker.
func (f *follower) check(t testing.TB) {
	t.Helper()
	receive(t, f.marked, "an Entry without a key")
	f.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	assert.NoError(t, f.err, "Follow yields an error")
	assert.Equal(t, 1, f.markers, "entries without a key: want one, when the reader has caught up")
	for i, e := range f.entries {
		if i > 0 {
			assert.Greater(t, e.Offset, f.entries[i-1].Offset, "offsets increase")
		}
		assert.Equal(t, i >= f.caughtUp, e.Live, "entry %d (%s): Live, with %d entries before the catch-up", i, e.Key, f.caughtUp)
	}
}

func appendTo(t testing.TB, l interface {
	Append(ctx context.Context, pairs ...connect.KV) error
}, pairs ...connect.KV) {
	t.Helper()
	require.NoError(t, l.Append(bounded(t), pairs...), "Append")
}

func syncWith(t testing.TB, l connect.Log) {
	t.Helper()
	require.NoError(t, l.Sync(bounded(t)), "Sync")
}

func logEmpty(t testing.TB, l connect.Log) {
	f := follow(t, l, nil)
	receive(t, f.marked, "an Entry without a key")
	appendTo(t, l, kv("a", "1"))
	syncWith(t, l)
	assert.Equal(t, []string{"a=1"}, f.texts(0))
	f.check(t)
}

func logOrder(t testing.TB, l connect.Log) {
	appendTo(t, l, kv("a", "1"), kv("b", "2"))
	appendTo(t, l, kv("c", "3"))
	f := follow(t, l, nil)
	receive(t, f.marked, "an Entry without a key")
	assert.Equal(t, []string{"a=1", "b=2", "c=3"}, f.texts(0))
	appendTo(t, l, kv("b", "4"), connect.KV{Key: []byte("a")}, kv("b", "5"))
	syncWith(t, l)
	assert.Equal(t, []string{"b=4", "a deleted", "b=5"}, f.texts(3), "a live follower sees every entry")
	f.check(t)
}

func logKeepBytes(t testing.TB, l connect.Log) {
	value := kv("k", "value")
	appendTo(t, l, kv("\xff\x00", "\xc3\x28"), kv("empty", ""), connect.KV{Key: []byte("gone")}, value)
	value.Key[0], value.Value[0] = 'X', 'X'
	f := follow(t, l, nil)
	appendTo(t, l, kv("\xff\x01", ""), connect.KV{Key: []byte("gone")})
	syncWith(t, l)
	got := f.texts(0)
	assert.Subset(t, got, []string{"\xff\x00=\xc3\x28", "empty=", "k=value", "\xff\x01="})
	require.NotEmpty(t, got)
	assert.Equal(t, "gone deleted", got[len(got)-1])
	f.check(t)
}

// logNewest appends much under few keys, so that logs that compact do so.
func logNewest(t testing.TB, l connect.Log) {
	const keys, rounds = 5, 200
	for i := range rounds {
		pairs := make([]connect.KV, keys)
		for k := range pairs {
			pairs[k] = kv(fmt.Sprintf("key-%d", k), fmt.Sprint(i))
		}
		appendTo(t, l, pairs...)
	}
	appendTo(t, l, connect.KV{Key: []byte("key-0")})
	f := follow(t, l, nil)
	syncWith(t, l)
	newest := make(map[string]string)
	for _, e := range f.snapshot() {
		newest[string(e.Key)] = string(e.Value)
		if e.Value == nil {
			delete(newest, string(e.Key))
		}
	}
	last := fmt.Sprint(rounds - 1)
	assert.Equal(t, map[string]string{"key-1": last, "key-2": last, "key-3": last, "key-4": last}, newest)
	f.check(t)
}

func (f *follower) snapshot() []connect.Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.entries)
}

// logSync holds the loop's body and shows that Sync waits for its end.
func logSync(t testing.TB, l connect.Log) {
	entered, leave := make(chan struct{}), make(chan struct{})
	f := follow(t, l, func(e connect.Entry) {
		if string(e.Key) == "held" {
			close(entered)
			<-leave
		}
	})
	appendTo(t, l, kv("held", "1"))
	receive(t, entered, "the entry in the loop's body")
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(bounded(t))
	f.wg.Go(func() { ended <- l.Sync(ctx) })
	appendTo(t, l, kv("after", "1")) // gives a wrong Sync the time to return
	select {
	case err := <-ended:
		t.Errorf("Sync returned (%v) while the loop's body was still at work", err)
		ended <- err
	default:
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("Sync returned nil though its context ended before the loop's body did")
	}
	close(leave)
	syncWith(t, l)
	assert.Equal(t, []string{"held=1", "after=1"}, f.texts(0))
	f.check(t)
}

func logSyncWaits(t testing.TB, l connect.Log) {
	appendTo(t, l, kv("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Error(t, l.Sync(ctx), "Sync without a follower and with an ended context")
	ended := make(chan error, 1)
	go func() { ended <- l.Sync(bounded(t)) }()
	f := follow(t, l, nil)
	assert.NoError(t, receive(t, ended, "the end of Sync"))
	assert.Equal(t, []string{"a=1"}, f.texts(0))
	f.check(t)
}

func logReentrant(t testing.TB, l connect.Log) {
	answered := make(chan struct{})
	f := follow(t, l, func(e connect.Entry) {
		switch string(e.Key) {
		case "question":
			assert.NoError(t, l.Append(bounded(t), kv("answer", "42")))
		case "answer":
			close(answered)
		}
	})
	appendTo(t, l, kv("question", "?"))
	receive(t, answered, "an entry that the loop's body has appended")
	f.check(t)
}

func logContext(t testing.TB, l connect.Log) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Error(t, l.Append(ended, kv("late", "1")), "Append with an ended context")
	f := follow(t, l, nil)
	appendTo(t, l, kv("a", "1"))
	syncWith(t, l)
	f.check(t) // ends the loop: it must return, without an error
}

func logFollowAgain(t testing.TB, l connect.Log) {
	appendTo(t, l, kv("a", "1"))
	f := follow(t, l, nil)
	syncWith(t, l)
	appendTo(t, l, kv("b", "2"))
	syncWith(t, l)
	f.check(t)
	appendTo(t, l, kv("c", "3"))
	second := follow(t, l, nil)
	syncWith(t, l)
	assert.Equal(t, []string{"a=1", "b=2", "c=3"}, second.texts(0))
	second.check(t)
}

func logConcurrent(t testing.TB, l connect.Log) {
	const writers, rounds = 4, 25
	f := follow(t, l, nil)
	var wg sync.WaitGroup
	ctx := bounded(t)
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				assert.NoError(t, l.Append(ctx, kv(fmt.Sprintf("%d-%d", w, i), "x"), kv(fmt.Sprintf("%d-%d+", w, i), "y")))
			}
		})
	}
	wg.Wait()
	syncWith(t, l)
	got := f.texts(0)
	assert.Len(t, got, writers*rounds*2)
	for w := range writers {
		var want []string
		for i := range rounds {
			want = append(want, fmt.Sprintf("%d-%d=x", w, i), fmt.Sprintf("%d-%d+=y", w, i))
		}
		own := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s[0] != byte('0'+w) })
		assert.Equal(t, want, own, "entries of one writer keep their order")
	}
	f.check(t)
}

func configStoreLeads(t testing.TB, s connect.ConfigStore) {
	f := follow(t, s, nil)
	first, err := s.Lead(bounded(t))
	require.NoError(t, err, "Lead")
	appendTo(t, first, kv("a", "1"), kv("b", "2"))
	second, err := s.Lead(bounded(t))
	require.NoError(t, err, "Lead of another")
	appendTo(t, second, kv("c", "3"))
	err = first.Append(bounded(t), kv("d", "4"))
	assert.True(t, errors.Is(err, connect.ErrFenced), "Append of an earlier leader: found %v, want an error that wraps ErrFenced", err)
	appendTo(t, s, kv("e", "5"))
	appendTo(t, second, kv("f", "6"))
	syncWith(t, s)
	assert.Equal(t, []string{"a=1", "b=2", "c=3", "e=5", "f=6"}, f.texts(0))
	assert.NoError(t, first.Close())
	assert.NoError(t, second.Close())
	assert.Error(t, second.Append(bounded(t), kv("g", "7")), "Append after Close")
	f.check(t)
}
