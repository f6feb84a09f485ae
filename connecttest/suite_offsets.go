package connecttest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// TestOffsetStore shows whether an OffsetStore keeps its contract. open returns
// a store without offsets, a new one at each call; the suite opens and closes it
// where it is a connect.StoreOpener, and then also shows that it finds its
// offsets again.
func TestOffsetStore(t testing.TB, open func(t testing.TB) connect.OffsetStore) {
	for _, c := range []struct {
		name string
		f    func(t testing.TB, s connect.OffsetStore)
	}{
		{"starts empty", offsetsStartEmpty},
		{"overwrites and deletes", offsetsOverwrite},
		{"keeps bytes as they are", offsetsKeepBytes},
		{"takes the last of equal keys", offsetsLastWins},
		{"scans by prefix", offsetsScanPrefix},
		{"keeps no memory of the caller", offsetsCopy},
		{"lets the loop's body use the store and break", offsetsReentrant},
		{"fails with its context", offsetsContext},
		{"writes pairs whole", offsetsConcurrent},
		{"finds its offsets again", offsetsReopen},
	} {
		run(t, c.name, func(t testing.TB) {
			s := open(t)
			openStore(t, s)
			c.f(t, s)
		})
	}
}

func kv(key, value string) connect.KV { return connect.KV{Key: []byte(key), Value: []byte(value)} }

// scan returns what a store has, and fails on a key that comes twice.
func scan(t testing.TB, s connect.OffsetStore, prefix string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for kv, err := range s.Scan(bounded(t), []byte(prefix)) {
		require.NoError(t, err, "Scan")
		require.NotNil(t, kv.Value, "Scan yields key %q with a nil value", kv.Key)
		require.NotContains(t, found, string(kv.Key), "Scan yields a key twice")
		found[string(kv.Key)] = string(kv.Value)
	}
	return found
}

func set(t testing.TB, s connect.OffsetStore, pairs ...connect.KV) {
	t.Helper()
	require.NoError(t, s.Set(bounded(t), pairs), "Set")
}

func offsetsStartEmpty(t testing.TB, s connect.OffsetStore) {
	assert.Empty(t, scan(t, s, ""))
	set(t, s)
	set(t, s, connect.KV{Key: []byte("absent")})
	assert.Empty(t, scan(t, s, ""), "after a Set of nothing and a deletion of what is not there")
}

func offsetsOverwrite(t testing.TB, s connect.OffsetStore) {
	set(t, s, kv("a", "1"), kv("b", "1"))
	set(t, s, kv("a", "2"))
	assert.Equal(t, map[string]string{"a": "2", "b": "1"}, scan(t, s, ""))
	set(t, s, connect.KV{Key: []byte("b")}, kv("c", "3"))
	assert.Equal(t, map[string]string{"a": "2", "c": "3"}, scan(t, s, ""), "a nil Value deletes")
	set(t, s, kv("b", "4"))
	set(t, s, kv("b", "4"))
	assert.Equal(t, map[string]string{"a": "2", "b": "4", "c": "3"}, scan(t, s, ""), "a deleted key can come back; repeating is safe")
}

func offsetsKeepBytes(t testing.TB, s connect.OffsetStore) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	pairs := []connect.KV{
		kv(`["c",{"file":"/tmp/ü \"x\""}]`, `{"position":42}`),
		kv(`["c",{"empty":1}]`, ""),
		{Key: all, Value: all},
		kv("\xff\xfe", "\xc3\x28"),
		kv("line\nbreak\r\n", "line\nbreak\u2028<&>"),
		kv("big", string(bytes.Repeat([]byte("0123456789abcdef"), 16<<10))),
	}
	want := make(map[string]string)
	for _, p := range pairs {
		want[string(p.Key)] = string(p.Value)
	}
	set(t, s, pairs...)
	found := scan(t, s, "")
	for key, value := range want {
		got, ok := found[key]
		assert.True(t, ok, "key %.40q is missing", key)
		assert.True(t, got == value, "key %.40q: found %.40q, want %.40q", key, got, value)
	}
	assert.Len(t, found, len(want))
}

func offsetsLastWins(t testing.TB, s connect.OffsetStore) {
	set(t, s, kv("a", "1"), kv("b", "1"), kv("a", "2"), connect.KV{Key: []byte("b")})
	assert.Equal(t, map[string]string{"a": "2"}, scan(t, s, ""))
}

func offsetsScanPrefix(t testing.TB, s connect.OffsetStore) {
	set(t, s, kv(`["a",1]`, "1"), kv(`["a",2]`, "2"), kv(`["ab",1]`, "3"), kv(`["b",1]`, "4"), kv("", "5"))
	assert.Equal(t, map[string]string{`["a",1]`: "1", `["a",2]`: "2"}, scan(t, s, `["a",`))
	assert.Equal(t, map[string]string{`["b",1]`: "4"}, scan(t, s, `["b",1]`), "a prefix may be a whole key")
	assert.Empty(t, scan(t, s, `["c",`))
	assert.Len(t, scan(t, s, ""), 5)
}

func offsetsCopy(t testing.TB, s connect.OffsetStore) {
	p := kv("key", "value")
	set(t, s, p)
	p.Key[0], p.Value[0] = 'X', 'X'
	assert.Equal(t, map[string]string{"key": "value"}, scan(t, s, ""))
}

func offsetsReentrant(t testing.TB, s connect.OffsetStore) {
	set(t, s, kv("a", "1"), kv("b", "1"), kv("c", "1"))
	n := 0
	for kv, err := range s.Scan(bounded(t), nil) {
		require.NoError(t, err)
		set(t, s, connect.KV{Key: kv.Key, Value: []byte("2")})
		scan(t, s, "")
		if n++; n == 2 {
			break
		}
	}
	changed := slices.DeleteFunc(slices.Collect(maps.Values(scan(t, s, ""))), func(v string) bool { return v != "2" })
	assert.Len(t, changed, 2)
}

func offsetsContext(t testing.TB, s connect.OffsetStore) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Error(t, s.Set(ctx, []connect.KV{kv("late", "1")}), "Set with an ended context")
	var failed error
	for _, err := range s.Scan(ctx, nil) {
		failed = err
	}
	assert.Error(t, failed, "Scan with an ended context yields an error")
	set(t, s, kv("a", "1"))
	assert.Contains(t, scan(t, s, ""), "a", "the store goes on")
}

// offsetsConcurrent has writers with keys of their own and one in common, and
// readers beside them: each value that is seen was written by somebody, whole.
func offsetsConcurrent(t testing.TB, s connect.OffsetStore) {
	const writers, rounds = 4, 10
	var wg sync.WaitGroup
	ctx := bounded(t)
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				text := fmt.Sprintf("%d-%d-%s", w, i, bytes.Repeat([]byte{byte('a' + w)}, 100))
				assert.NoError(t, s.Set(ctx, []connect.KV{kv(fmt.Sprintf("own-%d", w), text), kv("common", text)}))
			}
		})
		wg.Go(func() {
			last := ""
			for range rounds {
				for kv, err := range s.Scan(ctx, []byte(fmt.Sprintf("own-%d", w))) {
					if !assert.NoError(t, err) {
						return
					}
					assertWhole(t, string(kv.Value))
					assert.LessOrEqual(t, last, string(kv.Value), "an older value after a newer one")
					last = string(kv.Value)
				}
			}
		})
	}
	wg.Wait()
	found := scan(t, s, "")
	assert.Len(t, found, writers+1)
	for w := range writers {
		assert.Contains(t, found[fmt.Sprintf("own-%d", w)], fmt.Sprintf("%d-%d-", w, rounds-1), "the newest value of writer %d", w)
	}
	assertWhole(t, found["common"])
}

func assertWhole(t testing.TB, text string) {
	t.Helper()
	var w, i int
	var tail string
	_, err := fmt.Sscanf(text, "%d-%d-%s", &w, &i, &tail)
	assert.True(t, err == nil && tail == string(bytes.Repeat([]byte{byte('a' + w)}, 100)), "found a value that nobody wrote: %q", text)
}

func offsetsReopen(t testing.TB, s connect.OffsetStore) {
	o, ok := s.(opener)
	if !ok {
		t.Logf("%T is no connect.StoreOpener: there is nothing to open again", s)
		return
	}
	set(t, s, kv("a", "1"), kv("b", "\xff"), kv("c", ""), kv("d", "1"))
	set(t, s, connect.KV{Key: []byte("d")})
	require.NoError(t, o.CloseStore(bounded(t)), "CloseStore")
	assert.Error(t, s.Set(bounded(t), []connect.KV{kv("late", "1")}), "Set of a closed store")
	require.NoError(t, o.OpenStore(bounded(t)), "OpenStore again")
	assert.Equal(t, map[string]string{"a": "1", "b": "\xff", "c": ""}, scan(t, s, ""))
}
