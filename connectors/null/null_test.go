package null

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

func start(t testing.TB, props config.Props) *task {
	t.Helper()
	var c Config
	require.NoError(t, config.Decode(props, &c))
	x, err := newTask(c)
	require.NoError(t, err)
	require.NoError(t, x.Start(context.Background(), nil))
	return x
}

func records(n int) []connect.SinkRecord { return make([]connect.SinkRecord, n) }

func TestDoneFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "done.json")
		x := start(t, config.Props{"records": "10", "done.file": path})
		require.NoError(t, x.Put(t.Context(), nil))
		time.Sleep(time.Second)
		begin := time.Now()
		require.NoError(t, x.Put(t.Context(), records(4)))
		time.Sleep(time.Second)
		require.NoError(t, x.Put(t.Context(), records(5)))
		assert.NoFileExists(t, path)
		time.Sleep(time.Second)
		require.NoError(t, x.Put(t.Context(), records(7)))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		var done map[string]int64
		require.NoError(t, json.Unmarshal(b, &done))
		assert.Equal(t, map[string]int64{"count": 16, "first_ms": begin.UnixMilli(), "last_ms": begin.Add(2 * time.Second).UnixMilli()}, done)

		require.NoError(t, os.Remove(path))
		require.NoError(t, x.Put(t.Context(), records(100)))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, entries, "written once, and nothing is left over")
		require.NoError(t, x.Stop(t.Context()))
	})
}

func TestDoneFileFails(t *testing.T) {
	missing := start(t, config.Props{"records": "1", "done.file": filepath.Join(t.TempDir(), "no", "such")})
	assert.ErrorContains(t, missing.Put(t.Context(), records(1)), "configuration done.file")

	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	require.NoError(t, os.MkdirAll(filepath.Join(taken, "x"), 0o700))
	x := start(t, config.Props{"records": "1", "done.file": taken})
	assert.ErrorContains(t, x.Put(t.Context(), records(1)), "configuration done.file")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file is left over")
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, config.Props{"delay.ms": "250"})
		begin := time.Now()
		require.NoError(t, x.Put(t.Context(), records(1)))
		require.NoError(t, x.Put(t.Context(), nil))
		require.NoError(t, x.Put(t.Context(), records(9)))
		assert.Equal(t, 500*time.Millisecond, time.Since(begin))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, x.Put(ctx, records(1)), context.DeadlineExceeded)
		assert.Equal(t, 600*time.Millisecond, time.Since(begin))
	})
}

func TestFailEvery(t *testing.T) {
	for _, retriable := range []string{"true", "false"} {
		x := start(t, config.Props{"fail.every": "3", "fail.retriable": retriable})
		var failed []int
		for i := 1; i <= 7; i++ {
			require.NoError(t, x.Put(t.Context(), nil), "empty batches do not count")
			err := x.Put(t.Context(), records(10))
			if err == nil {
				continue
			}
			failed = append(failed, i)
			require.ErrorIs(t, err, errOnPurpose)
			_, again := connect.RetryAfter(err)
			assert.Equal(t, retriable == "true", again)
		}
		assert.Equal(t, []int{3, 6}, failed)
		assert.Equal(t, int64(50), x.count, "records of failed batches do not count")
	}
}

func TestBadConfig(t *testing.T) {
	for _, c := range []struct {
		props config.Props
		want  string
	}{
		{config.Props{"records": "5"}, "configuration done.file: found none beside records"},
		{config.Props{"done.file": "x"}, "configuration records: found none beside done.file"},
		{config.Props{"records": "-1"}, "configuration records"},
		{config.Props{"delay.ms": "-1"}, "configuration delay.ms"},
		{config.Props{"fail.every": "-1"}, "configuration fail.every"},
		{config.Props{"fail.retriable": "perhaps"}, "configuration fail.retriable"},
	} {
		assert.ErrorContains(t, config.Decode(c.props, &Config{}), c.want, "%v", c.props)
	}
}

func TestConnector(t *testing.T) {
	c, err := newConnector(Config{FailEvery: 2})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), nil))
	tasks, err := c.TaskConfigs(t.Context(), 2)
	require.NoError(t, err)
	assert.Equal(t, []Config{{FailEvery: 2}, {FailEvery: 2}}, tasks)
	require.NoError(t, c.Stop(t.Context()))
}

func TestAllocations(t *testing.T) {
	x, batch, ctx := start(t, nil), records(1000), t.Context()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if err := x.Put(ctx, batch); err != nil {
			t.Fatal(err)
		}
	}))
}
