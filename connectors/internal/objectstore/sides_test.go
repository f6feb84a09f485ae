package objectstore

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// Records without a value: refused, passed over with a report or without, or their keys are stored; and what is stored beside values.
func TestTombstonesAndSides(t *testing.T) {
	const dir = "topics/t/partition=0/t+0+000000000"
	const graves = "topics/t/tombstone/t+0+0000000001"
	for _, c := range []struct {
		name       string
		change     func(c *Config)
		intolerant bool
		want       map[string]string
		reports    []int64
		fails      string
	}{
		{"fail, tolerated", func(*Config) {}, false, map[string]string{dir + "0.txt": "0 2"}, []int64{1}, ""},
		{"fail", func(*Config) {}, true, nil, []int64{1}, "does not allow"},
		{"ignore", func(c *Config) { c.NullValues = IgnoreNull }, false, map[string]string{dir + "0.txt": "0 2"}, nil, ""},
		{"ignore with a report", func(c *Config) { c.NullValues, c.ReportNulls = IgnoreNull, true }, false, map[string]string{dir + "0.txt": "0 2"}, []int64{1}, ""},
		{"ignore, reports refused", func(c *Config) { c.NullValues, c.ReportNulls = IgnoreNull, true }, true, map[string]string{dir + "0.txt": "0 2"}, []int64{1}, ""},
		{"write", func(c *Config) { c.NullValues, c.StoreKeys = WriteNull, true }, false,
			map[string]string{dir + "0.txt": "0 2", dir + "0.keys.txt": "0 2", graves + ".keys.txt": "1"}, nil, ""},
		{"write, elsewhere, with headers", func(c *Config) {
			c.NullValues, c.StoreKeys, c.StoreHeaders, c.TombstonePartition = WriteNull, true, true, "graves"
		}, false,
			map[string]string{dir + "0.txt": "0 2", dir + "0.keys.txt": "0 2", dir + "0.headers.txt": "h=0 h=2",
				strings.Replace(graves, "tombstone", "graves", 1) + ".keys.txt": "1", strings.Replace(graves, "tombstone", "graves", 1) + ".headers.txt": "h=1"}, nil, ""},
		{"keys and headers", func(c *Config) { c.NullValues, c.StoreKeys, c.StoreHeaders = IgnoreNull, true, true }, false,
			map[string]string{dir + "0.txt": "0 2", dir + "0.keys.txt": "0 2", dir + "0.headers.txt": "h=0 h=2"}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				c.change(&cfg)
				back := newBackend()
				task, ctx := startTask(t, cfg, back, lineFormat{ext: ".txt"})
				if c.intolerant {
					ctx.ReportFunc = func(_ context.Context, _ *connect.SinkRecord, cause error) error { return cause }
				}
				err := task.Put(t.Context(), tombstoneBetween())
				if c.fails != "" {
					require.ErrorContains(t, err, c.fails)
					require.ErrorContains(t, err, "t-0, offset 1")
				} else {
					require.NoError(t, err)
					require.NoError(t, task.rotate(task.parts[tp0], byRecords))
					synctest.Wait()
					agreed, err := task.PreCommit(t.Context(), connect.Offsets{tp0: 3})
					require.NoError(t, err)
					assert.Equal(t, connect.Offsets{tp0: 3}, agreed)
				}
				got := map[string]string{}
				for key, o := range back.store.objects {
					got[key] = strings.Join(strings.Fields(headersShort.Replace(o.body)), " ")
				}
				if c.want == nil {
					c.want = map[string]string{}
				}
				assert.Equal(t, c.want, got)
				var reports []int64
				for _, r := range ctx.Reports() {
					reports = append(reports, r.Record.Offset)
				}
				assert.Equal(t, c.reports, reports)
				require.NoError(t, task.Stop(t.Context()))
			})
		})
	}
}

// headersShort shows the headers of a record as name=value.
var headersShort = strings.NewReplacer("Struct{headers=[Struct{key=h,value=", "h=", "}]}", "")

func tombstoneBetween() []connect.SinkRecord {
	var batch []connect.SinkRecord
	for i := range int64(3) {
		r := testRecord(tp0, i, "f", i == 1)
		if i != 1 {
			r.Value.Value = data.Int64(i)
		}
		batch = append(batch, r)
	}
	return batch
}
