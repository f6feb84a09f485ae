package objectstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/linkedin/goavro/v2"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// versions are schemas of one record: 2 has one field more than 1, 3 one that has no default, x has no version.
var versions = map[string]*data.Schema{
	"1": versioned(1), "2": versioned(2, "extra"), "3": versioned(3, "extra", "must"), "x": versioned(0),
}

func versioned(version int, more ...string) *data.Schema {
	b := data.StructBuilder().Name("R").Field("id", data.Int64Schema)
	for _, name := range more {
		if name == "must" {
			b.Field(name, data.StringSchema)
			continue
		}
		b.Field(name, data.NewBuilder(data.KindString).Optional().Default(data.String("none")).MustBuild())
	}
	if version > 0 {
		b.Version(version)
	}
	return b.MustBuild()
}

// columnsOf returns the names of the columns of a file.
func columnsOf(t *testing.T, k kind, file []byte) (names []string) {
	switch {
	case strings.HasPrefix(k.name, "parquet"):
		f, err := pq.OpenFile(bytes.NewReader(file), int64(len(file)))
		require.NoError(t, err)
		for _, c := range f.Schema().Columns() {
			names = append(names, strings.Join(c, "."))
		}
	case strings.HasPrefix(k.name, "avro"):
		r, err := goavro.NewOCFReader(bytes.NewReader(file))
		require.NoError(t, err)
		var schema struct{ Fields []struct{ Name string } }
		require.NoError(t, json.Unmarshal(r.MetaData()["avro.schema"], &schema))
		for _, f := range schema.Fields {
			names = append(names, f.Name)
		}
	case strings.HasPrefix(k.name, "csv"):
		head, _, _ := strings.Cut(string(file), "\n")
		names = strings.Split(head, ",")
	default:
		for line := range bytes.Lines(file) {
			var fields map[string]any
			require.NoError(t, json.Unmarshal(line, &fields))
			var here []string
			for name := range fields {
				here = append(here, name)
			}
			sort.Sort(sort.Reverse(sort.StringSlice(here)))
			if names != nil {
				require.Equal(t, names, here, "lines of one file have one schema")
			}
			names = here
		}
		slices.SortFunc(names, func(a, b string) int { return slices.Index(order3, a) - slices.Index(order3, b) })
	}
	return names
}

var order3 = []string{"id", "extra", "must"}

// What may share a file, and in which schema it is there, is the same in every format that has schemas.
func TestCompatibility(t *testing.T) {
	v1, v2, v3 := " (id)", " (id extra)", " (id extra must)"
	for _, k := range kinds(t) {
		if !slices.Contains([]string{"json/none", "csv/none", "avro/null", "parquet/none"}, k.name) {
			continue
		}
		for _, c := range []struct {
			modes    []Compatibility
			versions string
			want     []string
			reported []int64
		}{
			{[]Compatibility{NoCompatibility, ""}, "1 1 2 2 1 x", []string{"0 1" + v1, "2 3" + v2, "4" + v1, "5" + v1}, nil},
			{[]Compatibility{Backward, Full, BackwardTransitive, FullTransitive}, "1 1 2 1 2 1", []string{"0 1" + v1, "2 3 4 5" + v2}, nil},
			{[]Compatibility{Backward, Full, BackwardTransitive, FullTransitive}, "2 3 2 3", []string{"0" + v2, "1 3" + v3}, []int64{2}},
			{[]Compatibility{Forward, ForwardTransitive}, "1 2 1 3 2", []string{"0 1 2 3 4" + v1}, nil},
			{[]Compatibility{Forward, ForwardTransitive}, "3 3 2 1 2 3", []string{"0 1" + v3, "2" + v2, "3 4 5" + v1}, nil},
			{[]Compatibility{Backward, Forward, Full, BackwardTransitive, ForwardTransitive, FullTransitive}, "1 x 1", []string{"0 2" + v1}, []int64{1}},
		} {
			for _, mode := range c.modes {
				t.Run(fmt.Sprint(k.name, " ", mode, " ", c.versions), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						got, reported := compatible(t, k, mode, strings.Fields(c.versions))
						assert.Equal(t, c.want, got)
						assert.Equal(t, c.reported, reported)
					})
				})
			}
		}
	}
}

// compatible, in a bubble, writes a record of each version, and returns the files that there are then and the offsets that were reported.
func compatible(t *testing.T, k kind, mode Compatibility, all []string) (files []string, reported []int64) {
	c := testConfig()
	c.Compatibility = mode
	back := newBackend()
	task, err := NewTask(Options{Config: c, Connector: "c", Value: k.format, Open: func(context.Context, *slog.Logger) (Backend, error) { return back, nil }})
	require.NoError(t, err)
	ctx := &connecttest.SinkContext{Assigned: []connect.TopicPartition{tp0}}
	require.NoError(t, task.Start(t.Context(), ctx))
	require.NoError(t, task.Open(t.Context(), []connect.TopicPartition{tp0}))
	for i, v := range all {
		r := testRecord(tp0, int64(i), "", false)
		row := data.NewStructs(versions[v], 1)
		row[0].Set(0, data.Int64(int64(i)))
		for j := 1; j < row[0].Len(); j++ {
			row[0].Set(j, data.String("text"))
		}
		r.Value = connect.Datum{Schema: versions[v], Value: data.StructOf(&row[0])}
		require.NoError(t, task.Put(t.Context(), []connect.SinkRecord{r}))
		synctest.Wait()
	}
	require.NoError(t, task.rotate(task.parts[tp0], byRecords))
	synctest.Wait()
	agreed, err := task.PreCommit(t.Context(), connect.Offsets{tp0: int64(len(all))})
	require.NoError(t, err)
	assert.Equal(t, connect.Offsets{tp0: int64(len(all))}, agreed)
	for _, key := range back.store.keys() {
		body := []byte(back.store.objects[key].body)
		files = append(files, strings.Trim(fmt.Sprint(k.ids(t, body)), "[]")+" ("+strings.Join(columnsOf(t, k, body), " ")+")")
	}
	for _, r := range ctx.Reports() {
		reported = append(reported, r.Record.Offset)
		assert.ErrorContains(t, r.Cause, "schema.compatibility="+string(mode))
	}
	require.NoError(t, task.Stop(t.Context()))
	return files, reported
}
