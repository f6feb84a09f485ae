package objectstore

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

var tp0 = connect.TopicPartition{Topic: "t"}

// startTask starts a task with partition 0 of topic t.
func startTask(t *testing.T, c Config, back *memoryBackend, f lineFormat) (*Task, *connecttest.SinkContext) {
	t.Helper()
	task, err := NewTask(Options{Config: c, Connector: "c", Value: f, Keys: f, Headers: f, Open: func(context.Context, *slog.Logger) (Backend, error) { return back, nil }})
	require.NoError(t, err)
	ctx := &connecttest.SinkContext{Assigned: []connect.TopicPartition{tp0}}
	require.NoError(t, task.Start(t.Context(), ctx))
	require.NoError(t, task.Open(t.Context(), []connect.TopicPartition{tp0}))
	return task, ctx
}

func newBackend() *memoryBackend {
	return &memoryBackend{store: newMemoryStore(), caps: Capabilities{ConditionalCreate: true, Metadata: true}}
}

// However many files are open, they take no more memory than is allowed, formats' own buffers included; and what is spilled is stored.
func TestMemoryIsBounded(t *testing.T) {
	const files, rounds = 1000, 40
	c := testConfig()
	c.Partitioner, c.PartitionFields, c.Memory, c.TempDir = FieldPartitioner, []string{"f"}, 16<<20, t.TempDir()
	c.FlushSize, c.Uploads = files*rounds, 8
	back := newBackend()
	task, _ := startTask(t, c, back, lineFormat{ext: ".txt", block: 64 << 10})
	pad := strings.Repeat("x", 2000)
	most, spilled := int64(0), false
	for round := range rounds {
		batch := make([]connect.SinkRecord, files)
		for i := range batch {
			batch[i] = testRecord(tp0, int64(round*files+i), fmt.Sprint(i), false)
			batch[i].Value.Value = data.MapOf(data.Pair{Key: data.String("f"), Value: data.String(fmt.Sprint(i))}, data.Pair{Key: data.String("pad"), Value: data.String(pad)})
		}
		require.NoError(t, task.Put(t.Context(), batch))
		sum := int64(0)
		for _, f := range task.parts[tp0].files {
			sum += f.measure()
		}
		assert.Equal(t, task.open, sum, "the books are right")
		most = max(most, sum)
		task.spill.mu.Lock()
		spilled = spilled || len(task.spill.open) > 0
		task.spill.mu.Unlock()
	}
	t.Logf("%d files of %d bytes: at most %d bytes in memory", files, rounds*len(pad), most)
	assert.LessOrEqual(t, most, c.Memory)
	assert.True(t, spilled)
	names, err := os.ReadDir(c.TempDir)
	require.NoError(t, err)
	assert.Empty(t, names, "temporary files have no names")
	agreed, err := task.PreCommit(t.Context(), connect.Offsets{tp0: files * rounds})
	require.NoError(t, err)
	assert.Equal(t, connect.Offsets{tp0: files * rounds}, agreed)
	require.Len(t, back.store.objects, files)
	for key, o := range back.store.objects {
		require.Equal(t, rounds, strings.Count(o.body, pad), key)
	}
	require.NoError(t, task.Stop(t.Context()))
	assert.Empty(t, task.spill.open)
}

// By the wall clock files end without records, for the task has itself woken.
func TestRotationByTheClock(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"idle":     func(c *Config) { c.IdleInterval = 10 * time.Minute },
		"open":     func(c *Config) { c.OpenInterval = 10 * time.Minute },
		"interval": func(c *Config) { c.RotateInterval = 10 * time.Minute },
		"schedule": func(c *Config) { c.ScheduleInterval = 10 * time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testConfig()
				change(&c)
				back := newBackend()
				task, ctx := startTask(t, c, back, lineFormat{ext: ".txt"})
				time.Sleep(time.Minute)
				require.NoError(t, task.Put(t.Context(), []connect.SinkRecord{testRecord(tp0, 0, "f", false)}))
				time.Sleep(8 * time.Minute)
				require.NoError(t, task.Put(t.Context(), nil))
				synctest.Wait()
				assert.Empty(t, back.store.keys())
				before := ctx.CommitsRequested()
				time.Sleep(2*time.Minute + time.Second)
				assert.Greater(t, ctx.CommitsRequested(), before, "it has itself woken")
				require.NoError(t, task.Put(t.Context(), nil))
				synctest.Wait()
				assert.Equal(t, []string{"topics/t/partition=0/t+0+0000000000.txt"}, back.store.keys())
				require.NoError(t, task.Stop(t.Context()))
			})
		})
	}
}

// A record that a format refuses is reported and left out, of the files of keys too.
func TestRefusedRecords(t *testing.T) {
	c := testConfig()
	c.FlushSize, c.StoreKeys = 2, true
	back := newBackend()
	task, ctx := startTask(t, c, back, lineFormat{ext: ".txt", failOn: "bad"})
	put := func(from int) {
		var batch []connect.SinkRecord
		for i, text := range []string{"a", "bad", "b"}[from:] {
			r := testRecord(tp0, int64(from+i), "f", false)
			r.Value.Value = data.String(text)
			batch = append(batch, r)
		}
		require.NoError(t, task.Put(t.Context(), batch))
	}
	put(0)
	require.Equal(t, connect.Offsets{tp0: 0}, ctx.TakeRewinds())
	put(0)
	agreed, err := task.PreCommit(t.Context(), connect.Offsets{tp0: 3})
	require.NoError(t, err)
	assert.Equal(t, connect.Offsets{tp0: 3}, agreed)
	assert.Equal(t, "a\nb\n", back.store.objects["topics/t/partition=0/t+0+0000000000.txt"].body)
	assert.Equal(t, "0\n2\n", back.store.objects["topics/t/partition=0/t+0+0000000000.keys.txt"].body)
	assert.Len(t, ctx.Reports(), 1)
	require.NoError(t, task.Stop(t.Context()))
}

// What this connector did not write is neither replaced nor taken for its own.
func TestForeignObjects(t *testing.T) {
	const key = "topics/t/partition=0/t+0+0000000000.txt"
	ours := map[string]string{MetaTopic: "t", MetaPartition: "0", MetaStart: "0", MetaEnd: "0", MetaCount: "1"}
	with := func(k, v string) map[string]string {
		m := map[string]string{k: v}
		for a, b := range ours {
			if a != k {
				m[a] = b
			}
		}
		return m
	}
	for _, c := range []struct {
		meta    map[string]string
		foreign ForeignObjects
		want    string // an error, or the object's body
	}{
		{nil, FailOnForeign, "no metadata of this sink"},
		{nil, AdoptForeign, "no metadata of this sink"},
		{nil, ReplaceForeign, "0\n"},
		{with(MetaConnector, "other"), FailOnForeign, `written by the connector "other"`},
		{with(MetaConnector, "other"), AdoptForeign, "theirs"},
		{with(MetaTopic, "u"), AdoptForeign, "two topics are routed to one"},
		{with(MetaEnd, "x"), AdoptForeign, "damaged"},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			cfg.FlushSize, cfg.Foreign = 1, c.foreign
			back := newBackend()
			back.store.objects[key] = stored{"theirs", c.meta}
			task, ctx := startTask(t, cfg, back, lineFormat{ext: ".txt"})
			var err error
			for range 4 {
				r := testRecord(tp0, 0, "f", false)
				r.Value.Value = data.Int64(0)
				err = task.Put(t.Context(), []connect.SinkRecord{r})
				synctest.Wait()
				if err != nil || len(ctx.TakeRewinds()) == 0 && len(task.parts[tp0].rounds) == 0 {
					break
				}
			}
			body := back.store.objects[key].body
			if err != nil {
				assert.ErrorContains(t, err, c.want)
				assert.ErrorContains(t, err, key)
				assert.Equal(t, "theirs", body)
			} else {
				assert.Equal(t, c.want, body)
			}
			require.NoError(t, task.Stop(t.Context()))
		})
	}
}

// While the store is away the consumption pauses, and goes on afterwards.
func TestPausesWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.FlushSize = 1
		back := newBackend()
		back.held = make(chan struct{})
		task, ctx := startTask(t, c, back, lineFormat{ext: ".txt"})
		require.NoError(t, task.Put(t.Context(), []connect.SinkRecord{testRecord(tp0, 0, "f", false), testRecord(tp0, 1, "f", false)}))
		assert.True(t, ctx.Paused(tp0))
		close(back.held)
		synctest.Wait()
		assert.Positive(t, ctx.CommitsRequested(), "the task has itself woken")
		require.NoError(t, task.Put(t.Context(), nil))
		assert.False(t, ctx.Paused(tp0))
		require.NoError(t, task.Stop(t.Context()))
	})
}

// Benchmark of the engine without a format or a store of weight.
func BenchmarkPut(b *testing.B) {
	c := testConfig()
	c.FlushSize = 100_000
	f := lineFormat{ext: ".txt", block: 64 << 10}
	task, err := NewTask(Options{Config: c, Value: f, Open: func(context.Context, *slog.Logger) (Backend, error) { return discard{newBackend()}, nil }})
	require.NoError(b, err)
	require.NoError(b, task.Start(b.Context(), &connecttest.SinkContext{}))
	require.NoError(b, task.Open(b.Context(), []connect.TopicPartition{tp0}))
	batch := make([]connect.SinkRecord, 500)
	offset := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch {
			batch[i] = connect.SinkRecord{Record: connect.Record{Topic: "t", Offset: offset, Value: connect.Datum{Value: data.Int64(offset)}}, Origin: connect.Origin{TopicPartition: tp0, Offset: offset}}
			offset++
		}
		if err := task.Put(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(offset)/b.Elapsed().Seconds(), "records/s")
	require.NoError(b, task.Stop(b.Context()))
}

// discard stores nothing.
type discard struct{ *memoryBackend }

func (discard) Put(context.Context, string, Content, PutOptions) error { return nil }

// A commit does not wait for files that are not stored because others stored their records.
func TestCommitGoesOnAfterAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.FlushSize = 2
		back := newBackend()
		key := "topics/t/partition=0/t+0+0000000000.txt"
		back.store.objects[key] = stored{"0\n1\n2\n", map[string]string{MetaTopic: "t", MetaPartition: "0", MetaStart: "0", MetaEnd: "2", MetaCount: "3", MetaConnector: "c"}}
		task, ctx := startTask(t, c, back, lineFormat{ext: ".txt"})
		batch := []connect.SinkRecord{testRecord(tp0, 0, "f", false), testRecord(tp0, 1, "f", false)}
		require.NoError(t, task.Put(t.Context(), batch))
		began := time.Now()
		_, err := task.PreCommit(t.Context(), connect.Offsets{tp0: 2})
		require.NoError(t, err)
		assert.Zero(t, time.Since(began))
		synctest.Wait() // until its other jobs have ended, too
		require.NoError(t, task.Put(t.Context(), nil))
		assert.Equal(t, connect.Offsets{tp0: 0}, ctx.TakeRewinds())
		require.NoError(t, task.Stop(t.Context()))
	})
}

// What an operator looks at: what was stored, what waits, what was tried again, what was met.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.FlushSize, c.RetryBackoff = 2, time.Second
		back := newBackend()
		back.store.objects["topics/t/partition=0/t+0+0000000000.txt"] = stored{"0\n", map[string]string{MetaTopic: "t", MetaPartition: "0", MetaStart: "0", MetaEnd: "0", MetaCount: "1", MetaConnector: "c"}}
		task, ctx := startTask(t, c, back, lineFormat{ext: ".txt"})
		put := func(offsets ...int64) {
			var batch []connect.SinkRecord
			for _, o := range offsets {
				batch = append(batch, testRecord(tp0, o, "f", false))
			}
			require.NoError(t, task.Put(t.Context(), batch))
			synctest.Wait()
		}
		seen := func() map[string]float64 {
			all := map[string]float64{}
			for _, m := range ctx.Metrics().All() {
				if m.Value != 0 {
					all[m.Name] = m.Value
				}
				assert.NotEmpty(t, m.Doc)
			}
			return all
		}
		put(0)
		assert.Equal(t, 1.0, seen()["open-files"])
		assert.Positive(t, seen()["open-bytes"])
		put() // finds what is there, and goes back
		require.Equal(t, connect.Offsets{tp0: 0}, ctx.TakeRewinds())
		asked := 0
		back.fate = func() (f fate) {
			if asked++; asked == 2 { // the first is the look for the object
				f.before = errCut
			}
			return f
		}
		put(0, 1, 2)
		assert.Equal(t, 1.0, seen()["uploads-in-flight"])
		time.Sleep(2 * time.Second)
		synctest.Wait()
		body := back.store.objects["topics/t/partition=0/t+0+0000000001.txt"].body
		require.NotEmpty(t, body)
		assert.Equal(t, map[string]float64{"objects-written": 1, "records-written": 2, "bytes-written": float64(len(body)), "upload-time-ms": 1000, "upload-retries": 1, "upload-conflicts": 1,
			"records-skipped": 1, "rotations-by-records": 1}, seen())
		put(3)
		require.NoError(t, task.Stop(t.Context()))
		assert.NotContains(t, seen(), "open-files")
	})
}
