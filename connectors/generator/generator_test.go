package generator

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// sourceContext is the runtime as a task of these tests sees it.
type sourceContext struct {
	connect.SourceContext
	offset connect.SourceOffset
}

func (c sourceContext) Offsets(_ context.Context, p ...connect.SourcePartition) ([]connect.SourceOffset, error) {
	return []connect.SourceOffset{c.offset}, nil
}

// start starts a task with the configuration given as text.
func start(t testing.TB, offset connect.SourceOffset, props config.Props) *task {
	t.Helper()
	var c TaskConfig
	require.NoError(t, config.Decode(config.Props{"topic": "t", "task.id": "0"}.Merge(props), &c))
	x, err := newTask(c)
	require.NoError(t, err)
	require.NoError(t, x.Start(context.Background(), sourceContext{offset: offset}))
	return x
}

func offsetAt(n int64) connect.SourceOffset { return connect.SourceOffset{data.E("n", data.Int64(n))} }

// kept is what a record says, copied, for the task uses its records again.
type kept struct{ key, value, partition, offset string }

func drain(t testing.TB, x *task) (all []kept) {
	t.Helper()
	for {
		records, err := x.Poll(context.Background())
		if err != nil {
			require.ErrorIs(t, err, connect.ErrDone)
			assert.Empty(t, records)
			return all
		}
		require.NotEmpty(t, records)
		for i := range records {
			r := &records[i]
			require.NoError(t, data.Validate(r.Key.Schema, r.Key.Value, "key"))
			require.NoError(t, data.Validate(r.Value.Schema, r.Value.Value, "value"))
			if row, ok := r.Value.Value.Struct(); ok {
				require.NoError(t, row.Validate())
			}
			all = append(all, kept{r.Key.Value.String(), r.Value.Value.String(), r.SourcePartition.String(), r.SourceOffset.String()})
		}
	}
}

func modes() []config.Props {
	modes := []config.Props{{"mode": "bytes"}, {"mode": "bytes", "size": "0"}, {"mode": "struct"}}
	for _, name := range templateNames() {
		modes = append(modes, config.Props{"mode": "template", "template": name})
	}
	return modes
}

// Records depend on task and number alone: however a task is interrupted, the whole is the same.
func TestResumesExactly(t *testing.T) {
	for _, mode := range modes() {
		mode["records"] = "1000"
		whole := drain(t, start(t, nil, mode.Merge(config.Props{"batch": "170"})))
		require.Len(t, whole, 1000)
		assert.Equal(t, `{"task":"0"}`, whole[0].partition)
		assert.Equal(t, `{"n":1}`, whole[0].offset)
		assert.Equal(t, `{"n":1000}`, whole[999].offset)
		for _, at := range []int64{0, 1, 500, 999, 1000, 2000} {
			rest := drain(t, start(t, offsetAt(at), mode.Merge(config.Props{"batch": "64"})))
			assert.Equal(t, whole[min(at, 1000):], append([]kept{}, rest...), "%v from %d", mode, at)
		}
	}
}

func TestTasksDiffer(t *testing.T) {
	for _, name := range []string{"person", "order"} {
		props := config.Props{"mode": "template", "template": name, "records": "50"}
		first, second := drain(t, start(t, nil, props)), drain(t, start(t, nil, props.Merge(config.Props{"task.id": "1"})))
		assert.Equal(t, `{"task":"1"}`, second[0].partition)
		assert.NotEqual(t, first[0].value, second[0].value)
	}
}

func TestBytes(t *testing.T) {
	x := start(t, nil, config.Props{"size": "33", "batch": "5000"})
	records, err := x.Poll(t.Context())
	require.NoError(t, err)
	seen := map[string]bool{}
	for i := range records {
		assert.Equal(t, connect.Datum{}, records[i].Key)
		assert.Same(t, data.BytesSchema, records[i].Value.Schema)
		b, ok := records[i].Value.Value.Bytes()
		require.True(t, ok)
		require.Len(t, b, 33)
		require.Equal(t, 33, cap(b), "nobody can append into the next record")
		seen[string(b)] = true
	}
	assert.Len(t, seen, 5000, "values differ")
}

func TestEmptyBytesAreNotNull(t *testing.T) {
	records, err := start(t, nil, config.Props{"size": "0"}).Poll(t.Context())
	require.NoError(t, err)
	assert.False(t, records[0].Value.Value.IsNull())
}

func TestStruct(t *testing.T) {
	records, err := start(t, offsetAt(100_008), config.Props{"mode": "struct", "batch": "3"}).Poll(t.Context())
	require.NoError(t, err)
	s := records[0].Value.Schema
	assert.Equal(t, "perf.Record", s.Name())
	version, _ := s.Version()
	assert.Equal(t, 1, version)
	want := []string{
		"Struct{id=100009,name=name-9,amount=1000.09,active=false,count=9,region=eu-west-1,ts=1700000100009,note=",
		"Struct{id=100010,name=name-10,amount=1000.1,active=true,count=10,ts=1700000100010,note=",
		"Struct{id=100011,name=name-11,amount=1000.11,active=false,count=11,region=eu-west-1,ts=1700000100011,note=",
	}
	for i := range records {
		row, _ := records[i].Value.Value.Struct()
		note, _ := row.At(rowNote).Str()
		assert.Len(t, note, 40)
		assert.Equal(t, want[i]+note+"}", row.String())
		require.NoError(t, row.Validate())
	}
	kinds := []data.Kind{data.KindInt64, data.KindString, data.KindFloat64, data.KindBoolean, data.KindInt32, data.KindString, data.KindInt64, data.KindString}
	for i, f := range s.Fields() {
		assert.Equal(t, kinds[i], f.Schema.Kind(), f.Name)
		assert.Equal(t, f.Name == "region", f.Schema.Optional(), f.Name)
	}
}

// What Poll returned is the task's again at its next Poll; offsets, rows and bytes stay as they were.
func TestWhatOutlivesABatch(t *testing.T) {
	x := start(t, nil, config.Props{"mode": "struct", "batch": "10"})
	records, err := x.Poll(t.Context())
	require.NoError(t, err)
	offset, value := records[3].SourceOffset, records[3].Value.Value
	_, err = x.Poll(t.Context())
	require.NoError(t, err)
	assert.Equal(t, `{"n":4}`, offset.String())
	row, _ := value.Struct()
	assert.Equal(t, int64(4), must(row.At(rowID).Int()))
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("no such value")
	}
	return v
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		rate  string
		after time.Duration
		want  int
	}{{"1", 9900 * time.Millisecond, 10}, {"0.5", 9 * time.Second, 5}, {"100", time.Second, 100}, {"250000", time.Second, 250_000}} {
		synctest.Test(t, func(t *testing.T) {
			x, begin, made := start(t, nil, config.Props{"rate": c.rate}), time.Now(), 0
			ctx, cancel := context.WithTimeout(t.Context(), c.after)
			defer cancel()
			for {
				records, err := x.Poll(ctx)
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				made += len(records)
				seconds := time.Since(begin).Seconds()
				assert.LessOrEqual(t, float64(made), 1+seconds*x.pace.rate*1.000001, "never ahead")
			}
			assert.InDelta(t, c.want, made, 1+float64(c.want)*0.012, "rate %s: one tick may be missing", c.rate)
			assert.Equal(t, c.after, time.Since(begin), "a poll that waits ends with its context")
		})
	}
}

func TestRateAfterBeingHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, nil, config.Props{"rate": "100", "batch": "100000"})
		_, err := x.Poll(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Hour)
		records, err := x.Poll(t.Context())
		require.NoError(t, err)
		assert.InDelta(t, 101, len(records), 1, "a second's worth, no more")
		begin := time.Now()
		records, err = x.Poll(t.Context())
		require.NoError(t, err)
		assert.Len(t, records, 1)
		assert.Equal(t, 10*time.Millisecond, time.Since(begin), "then evenly again")
	})
}

// The budget of the benchmarks' source: rows and offsets of a batch are a few allocations.
func TestAllocations(t *testing.T) {
	for _, mode := range modes()[:3] {
		x := start(t, nil, mode)
		ctx := t.Context()
		allocs := testing.AllocsPerRun(20, func() {
			if records, err := x.Poll(ctx); err != nil || len(records) != 1000 {
				t.Fatal(len(records), err)
			}
		})
		assert.LessOrEqual(t, allocs/1000, 0.02, "%v", mode)
	}
}

func TestBadConfig(t *testing.T) {
	for _, c := range []struct {
		props config.Props
		want  string
	}{
		{config.Props{"topic": ""}, "configuration topic"},
		{config.Props{"mode": "rows"}, "configuration mode: String must be one of: bytes, struct, template"},
		{config.Props{"template": "cat"}, "configuration template: String must be one of: person, order, reading"},
		{config.Props{"records": "-1"}, "configuration records"},
		{config.Props{"rate": "-0.1"}, "configuration rate"},
		{config.Props{"rate": "NaN"}, "configuration rate"},
		{config.Props{"size": "-1"}, "configuration size"},
		{config.Props{"batch": "0"}, "configuration batch"},
		{config.Props{"size": "1000000", "batch": "1000"}, "batch times size is 1000000000 bytes, at most 268435456 are allowed"},
	} {
		err := config.Decode(config.Props{"topic": "t"}.Merge(c.props), &Config{})
		assert.ErrorContains(t, err, c.want, "%v", c.props)
	}
}

func TestConnector(t *testing.T) {
	c, err := newConnector(Config{Topic: "t", Mode: Struct, Template: "order", Size: 7, Batch: 9})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), nil))
	tasks, err := c.TaskConfigs(t.Context(), 3)
	require.NoError(t, err)
	require.Len(t, tasks, 3)
	for i, x := range tasks {
		assert.Equal(t, i, x.Task)
		var back TaskConfig
		require.NoError(t, config.Decode(config.Encode(&x), &back))
		assert.Equal(t, x, back)
	}
	supported, boundaries := c.ExactlyOnce()
	assert.True(t, supported)
	assert.False(t, boundaries)
	require.NoError(t, c.Stop(t.Context()))
}

func TestAlterOffsets(t *testing.T) {
	c, err := newConnector(Config{})
	require.NoError(t, err)
	zero := connect.PartitionOf(data.E("task", data.String("0")))
	for _, good := range []connect.SourceOffset{nil, offsetAt(0), offsetAt(7)} {
		_, err = c.AlterOffsets(t.Context(), map[connect.SourcePartition]connect.SourceOffset{zero: good})
		assert.NoError(t, err)
	}
	for _, bad := range []connect.SourceOffset{{}, offsetAt(-1), {data.E("n", data.String("1"))}} {
		_, err = c.AlterOffsets(t.Context(), map[connect.SourcePartition]connect.SourceOffset{zero: bad})
		assert.ErrorContains(t, err, `want the entry "n"`)
	}
	_, err = c.AlterOffsets(t.Context(), map[connect.SourcePartition]connect.SourceOffset{connect.PartitionOf(data.E("x", data.Int64(1))): nil})
	assert.ErrorContains(t, err, `want the entry "task"`)
}

func TestBadStoredOffset(t *testing.T) {
	x, err := newTask(TaskConfig{Config: Config{Topic: "t", Batch: 1}})
	require.NoError(t, err)
	assert.ErrorContains(t, x.Start(t.Context(), sourceContext{offset: offsetAt(-5)}), `{"n":-5}`)
	assert.NoError(t, x.Stop(t.Context()))
}

func BenchmarkPoll(b *testing.B) {
	for _, mode := range []config.Props{{"mode": "bytes"}, {"mode": "struct"}, {"mode": "template"}} {
		b.Run(mode["mode"], func(b *testing.B) {
			x := start(b, nil, mode)
			b.ReportAllocs()
			for n := 0; b.Loop(); n-- {
				if n > 0 {
					continue
				}
				records, err := x.Poll(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				n = len(records)
			}
		})
	}
}
