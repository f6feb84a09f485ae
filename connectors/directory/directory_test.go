package directory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// lines returns what is in the files below dir, by the names of the files.
func lines(t testing.TB, dir string) map[string][]string {
	found := map[string][]string{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		text, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		found[filepath.ToSlash(rel)] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		return err
	}))
	return found
}

func TestConformance(t *testing.T) {
	connecttest.TestPlugin(t, Plugin(), config.Props{"directory": t.TempDir()}, config.Props{
		"directory": t.TempDir(), "format.class": "CsvFormat", "partitioner.class": "DailyPartitioner", "timestamp.extractor": "Record",
	})
	connecttest.TestSinkTask(t, Plugin(), connecttest.SinkOptions{
		Props:   config.Props{"flush.size": "5"},
		Prepare: func(t testing.TB) config.Props { return config.Props{"directory": t.TempDir()} },
		Written: func(t testing.TB, props config.Props, records []connect.SinkRecord) {
			var want []string
			for i := range records {
				want = append(want, fmt.Sprintf("%q", records[i].Value.Value.String()))
			}
			found := lines(t, props["directory"])
			var got []string
			for _, name := range []string{"topics/topic/partition=0/topic+0+0000000000.json", "topics/topic/partition=0/topic+0+0000000005.json"} {
				assert.Len(t, found[name], 5)
				got = append(got, found[name]...)
			}
			assert.Equal(t, want, got)
			assert.Len(t, found, 2)
		},
	})
}

func record(key string, n int) connect.Record {
	return connect.Record{Key: connect.Datum{Value: data.String(key)}, Value: connect.Datum{Value: data.MapOf(
		data.Pair{Key: data.String("n"), Value: data.Int64(int64(n))}, data.Pair{Key: data.String("f"), Value: data.String(key)})}}
}

// On a real Runtime: the consumer is thrown out of its group and the worker restarts, and each record is there once.
func TestEachRecordOnce(t *testing.T) {
	dir := t.TempDir()
	h := connecttest.Sink(t, Plugin(), config.Props{
		"directory": dir, "flush.size": "7", "partitioner.class": "FieldPartitioner", "partition.field.name": "f", "rotate.idle.interval.ms": "50",
	})
	n := 0
	for round := range 6 {
		for range 25 {
			h.Produce(record(string(rune('a'+n%3)), n))
			n++
		}
		switch round {
		case 1, 3:
			h.Expel()
		case 2:
			h.Restart()
		default:
			h.Flush()
		}
	}
	h.Flush()
	var got []string
	for name, ls := range lines(t, dir) {
		assert.Regexp(t, `^topics/topic/f=[abc]/topic\+0\+\d{10}\.json$`, name)
		got = append(got, ls...)
	}
	require.Len(t, got, n)
	slices.Sort(got)
	assert.Len(t, slices.Compact(got), n, "none is there twice")
}

func TestProbeNamesTheKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for path, want := range map[string]string{filepath.Dir(file) + "/new/one": "", file: "is no folder", file + "/below": "cannot be written to"} {
		err := (&Config{Directory: path}).Probe(t.Context())
		if want == "" {
			assert.NoError(t, err)
			continue
		}
		var key *config.KeyError
		require.ErrorAs(t, err, &key)
		assert.Equal(t, "directory", key.Key)
		assert.ErrorContains(t, err, want)
	}
}
