package objectstore

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A step is a record, after some time by the wall clock. With none there is no record, but the task is called.
type step struct {
	wait   time.Duration
	at     time.Duration // the record's time, since the first
	folder string
	schema *data.Schema
	size   int
	none   bool
}

// steps makes one for each folder, a minute apart by both clocks.
func steps(folders string) (all []step) {
	for i, f := range strings.Fields(folders) {
		wait := time.Minute
		if i == 0 {
			wait = 0
		}
		all = append(all, step{wait: wait, at: time.Duration(i) * time.Minute, folder: f})
	}
	return all
}

// playInBubble lets a task take the steps and returns the files that it stored, as "folder: offsets", how many times each trigger ended files, and the offset
// that it agrees to.
func playInBubble(t *testing.T, c Config, from time.Time, all []step) (files []string, why map[string]int, agreed int64) {
	back := newBackend()
	task, ctx := startTask(t, c, back, lineFormat{ext: ".txt"})
	offset := int64(0)
	first := from
	if from.IsZero() {
		first = time.Now()
	} else {
		time.Sleep(time.Until(from))
	}
	for _, s := range all {
		time.Sleep(s.wait)
		if s.none {
			require.NoError(t, task.Put(t.Context(), nil))
			continue
		}
		r := testRecord(tp0, offset, "", false)
		r.Key.Value, r.Timestamp = data.String(s.folder), first.Add(s.at)
		r.Value = connect.Datum{Schema: s.schema, Value: data.String(fmt.Sprintf("%d%s", offset, strings.Repeat(" ", s.size)))}
		require.NoError(t, task.Put(t.Context(), []connect.SinkRecord{r}))
		synctest.Wait() // what ended is stored
		offset++
	}
	committed, err := task.PreCommit(t.Context(), connect.Offsets{tp0: offset})
	require.NoError(t, err)
	for _, key := range back.store.keys() {
		folder := strings.Split(strings.TrimPrefix(key, "topics/t/"), "/t+")[0]
		files = append(files, folder+": "+strings.Join(strings.Fields(back.store.objects[key].body), " "))
	}
	why = map[string]int{}
	for _, m := range ctx.Metrics().All() {
		if name, ok := strings.CutPrefix(m.Name, "rotations-by-"); ok && m.Value > 0 {
			why[name] = int(m.Value)
		}
	}
	require.NoError(t, task.Stop(t.Context()))
	return files, why, committed[tp0]
}

// Each trigger alone, and together with others: the first one counts.
func TestTriggers(t *testing.T) {
	old, young := data.NewBuilder(data.KindString).Version(1).MustBuild(), data.NewBuilder(data.KindString).Version(2).MustBuild()
	versions := func(all string) (s []step) {
		for i, v := range strings.Fields(all) {
			s = append(s, step{at: time.Duration(i) * time.Minute, folder: "a", schema: map[string]*data.Schema{"1": old, "2": young, "-": nil}[v]})
		}
		return s
	}
	for _, c := range []struct {
		name   string
		change func(c *Config)
		steps  []step
		want   string // files, in order of their keys
		agreed int64
		why    map[string]int
	}{
		{"none", func(*Config) {}, steps("a b a b"), "", 0, map[string]int{}},
		{"records, of all files", func(c *Config) { c.FlushSize = 3 }, steps("a b a b a b a"), "a: 0 2|a: 4|b: 1|b: 3 5", 6, map[string]int{"records": 2}},
		{"records of one file", func(c *Config) { c.FileRecords = 2 }, steps("a b c a b"), "a: 0 3|b: 1|c: 2", 4, map[string]int{"records": 1}},
		{"bytes", func(c *Config) { c.FlushBytes = 100 }, []step{{folder: "a", size: 60}, {folder: "b"}, {folder: "a", size: 60}, {folder: "a"}}, "a: 0 2|b: 1", 3, map[string]int{"bytes": 1}},
		{"record time", func(c *Config) { c.RotateInterval, c.Extractor = 2*time.Minute, RecordTime }, steps("a b a a a"), "a: 0|a: 2 3|b: 1", 4, map[string]int{"record-time": 2}},
		{"record time goes back", func(c *Config) { c.RotateInterval, c.Extractor = 2*time.Minute, RecordTime },
			[]step{{at: 5 * time.Minute, folder: "a"}, {at: 0, folder: "a"}, {at: 6 * time.Minute, folder: "a"}, {at: 7 * time.Minute, folder: "a"}}, "a: 0 1 2", 3, map[string]int{"record-time": 1}},
		{"record time by the wall clock", func(c *Config) { c.RotateInterval = 2 * time.Minute }, steps("a a a a a"), "a: 0 1|a: 2 3", 4, map[string]int{"record-time": 2}},
		{"open time", func(c *Config) { c.OpenInterval = 150 * time.Second }, steps("a b a a b"), "a: 0 2|b: 1", 3, map[string]int{"open-time": 1}},
		{"idle time", func(c *Config) { c.IdleInterval = 90 * time.Second },
			[]step{{folder: "a"}, {wait: time.Minute, folder: "b"}, {wait: time.Minute, none: true}, {wait: time.Minute, none: true}, {folder: "a"}}, "a: 0|b: 1", 2, map[string]int{"idle-time": 1}},
		{"schema", func(*Config) {}, versions("1 1 2 2 1 - -"), "a: 0 1|a: 2 3|a: 4", 5, map[string]int{"schema": 3}},
		{"open files", func(c *Config) { c.MaxOpenFiles = 2 }, steps("a b a c a c b"), "a: 0 2|a: 4|b: 1|c: 3 5", 6, map[string]int{"open-files": 2}},
		{"records before time", func(c *Config) { c.FlushSize, c.RotateInterval, c.Extractor = 2, 3*time.Minute, RecordTime }, steps("a a a a"), "a: 0 1|a: 2 3", 4, map[string]int{"records": 2}},
		{"time before records", func(c *Config) { c.FlushSize, c.RotateInterval, c.Extractor = 9, 2*time.Minute, RecordTime }, steps("a a a a a"), "a: 0 1|a: 2 3", 4, map[string]int{"record-time": 2}},
		{"schema before records", func(c *Config) { c.FlushSize = 3 }, versions("1 1 2 2 2 1"), "a: 0 1|a: 2 3 4", 5, map[string]int{"schema": 1, "records": 1}},
		{"idle before open", func(c *Config) { c.IdleInterval, c.OpenInterval = time.Minute, time.Hour }, []step{{folder: "a"}, {wait: 2 * time.Minute, folder: "a"}}, "a: 0", 1, map[string]int{"idle-time": 1}},
		{"open before idle", func(c *Config) { c.IdleInterval, c.OpenInterval = 2*time.Minute, 90*time.Second }, steps("a a a"), "a: 0 1", 2, map[string]int{"open-time": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.Partitioner, cfg.PartitionTemplate = TemplatePartitioner, "{{key}}"
				c.change(&cfg)
				// A record that is due is put after what it makes end.
				files, why, agreed := playInBubble(t, cfg, time.Time{}, c.steps)
				assert.Equal(t, c.want, strings.Join(files, "|"))
				assert.Equal(t, c.agreed, agreed, "what is open is not committed")
				assert.Equal(t, c.why, why)
			})
		})
	}
}

// The schedule follows local time: on the days when clocks change, a day has 23 or 25 hours.
func TestScheduleInZones(t *testing.T) {
	for _, c := range []struct {
		zone     string
		from     time.Time
		interval time.Duration
		want     string
	}{
		{"", time.Date(2001, 3, 24, 12, 30, 0, 0, time.UTC), 24 * time.Hour, "0 1 2 3 4 5 6 7 8 9 10 11"},                        // to 0:00
		{"Europe/Berlin", time.Date(2001, 3, 24, 12, 30, 0, 0, time.UTC), 24 * time.Hour, "0 1 2 3 4 5 6 7 8 9 10"},              // to 23:00 UTC
		{"Europe/Berlin", time.Date(2001, 3, 25, 12, 30, 0, 0, time.UTC), 24 * time.Hour, "0 1 2 3 4 5 6 7 8 9"},                 // to 22:00: summer time
		{"Europe/Berlin", time.Date(2001, 10, 28, 12, 30, 0, 0, time.UTC), 24 * time.Hour, "0 1 2 3 4 5 6 7 8 9|10"},             // 24 hours after midnight, and after 25
		{"Asia/Kolkata", time.Date(2001, 3, 24, 12, 15, 0, 0, time.UTC), 6 * time.Hour, "0|1 2 3 4 5 6|7 8 9 10 11 12"},          // 12:30 UTC, and each 6 hours
		{"America/Sao_Paulo", time.Date(2001, 10, 13, 20, 30, 0, 0, time.UTC), 7 * time.Hour, "0 1 2 3|4 5 6|7 8 9 10 11 12 13"}, // there is no midnight
	} {
		t.Run(c.zone, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.Timezone, cfg.ScheduleInterval = c.zone, c.interval
				all := []step{{}}
				for range 15 {
					all = append(all, step{wait: time.Hour})
				}
				files, why, _ := playInBubble(t, cfg, c.from, all)
				var got []string
				for _, f := range files {
					got = append(got, strings.TrimPrefix(f, "partition=0: "))
				}
				assert.Equal(t, c.want, strings.Join(got, "|"))
				assert.Equal(t, map[string]int{"schedule": len(files)}, why)
			})
		})
	}
}

// Records that come late go to the folder of their own time, whatever is open; only where a change of the folder ends files, they end them.
func TestLateRecords(t *testing.T) {
	hours := func(all ...float64) (s []step) {
		for _, h := range all {
			s = append(s, step{at: time.Duration(h * float64(time.Hour))})
		}
		return s
	}
	late := hours(0, 0.5, 1, 0.7, 1.2, 2, 0.9, 5)
	for _, c := range []struct {
		name   string
		change func(c *Config)
		want   string
		why    map[string]int
	}{
		{"side by side", func(c *Config) { c.FlushSize = 8 }, "hour=00: 0 1 3 6|hour=01: 2 4|hour=02: 5|hour=05: 7", map[string]int{"records": 1}},
		{"each change ends them", func(c *Config) { c.RotateInterval = 3 * time.Hour }, "hour=00: 0 1|hour=00: 3|hour=00: 6|hour=01: 2|hour=01: 4|hour=02: 5", map[string]int{"folder": 5, "record-time": 1}},
		{"no change ends them", func(c *Config) { c.RotateInterval, c.RotateOnPartitionChange = 3*time.Hour, false }, "hour=00: 0 1 3 6|hour=01: 2 4|hour=02: 5", map[string]int{"record-time": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.Partitioner, cfg.Extractor = HourlyPartitioner, RecordTime
				c.change(&cfg)
				files, why, _ := playInBubble(t, cfg, time.Date(2001, 5, 6, 0, 0, 0, 0, time.UTC), late)
				for i, f := range files {
					files[i] = strings.TrimPrefix(f, "year=2001/month=05/day=06/")
				}
				assert.Equal(t, c.want, strings.Join(files, "|"))
				assert.Equal(t, c.why, why)
			})
		})
	}
}
