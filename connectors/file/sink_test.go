package file

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

var _ connect.Flusher = (*sinkTask)(nil)

func sinkRecords(values ...data.Value) []connect.SinkRecord {
	records := make([]connect.SinkRecord, len(values))
	for i, v := range values {
		records[i].Value.Value = v
	}
	return records
}

func startSink(t *testing.T, path string) *sinkTask {
	t.Helper()
	task, err := newSinkTask(SinkConfig{File: path}, nil)
	require.NoError(t, err)
	require.NoError(t, task.Start(t.Context(), nil))
	t.Cleanup(func() { assert.NoError(t, task.Stop(t.Context())) })
	return task
}

func put(t *testing.T, task *sinkTask, lines ...string) {
	t.Helper()
	var values []data.Value
	for _, l := range lines {
		values = append(values, data.String(l))
	}
	require.NoError(t, task.Put(t.Context(), sinkRecords(values...)))
}

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func TestSinkAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	task := startSink(t, path)
	put(t, task, "one", "two")
	put(t, task)
	require.NoError(t, task.Flush(t.Context(), nil))
	assert.False(t, task.created, "the directory knows the file")
	require.NoError(t, task.Stop(t.Context()))
	require.NoError(t, task.Stop(t.Context()))
	task = startSink(t, path)
	put(t, task, "", "three\nlines")
	assert.Equal(t, "one\ntwo\n\nthree\nlines\n", content(t, path))
}

// Values are written as Java prints them.
func TestSinkText(t *testing.T) {
	s := data.StructBuilder().Field("line", data.StringSchema).Field("n", data.OptionalInt32Schema).MustBuild()
	row, err := data.NewStruct(s)
	require.NoError(t, err)
	require.NoError(t, row.Put("line", data.String("x")))
	var out bytes.Buffer
	task, err := newSinkTask(SinkConfig{}, &out)
	require.NoError(t, err)
	require.NoError(t, task.Start(t.Context(), nil))
	values := []data.Value{{}, data.Int32(1), data.Float64(1e10), data.Boolean(true), data.StructOf(row), data.ArrayOf(data.Int8(1), data.Int8(2)),
		data.MapOf(data.Pair{Key: data.String("k"), Value: data.String("v")})}
	require.NoError(t, task.Put(t.Context(), sinkRecords(values...)))
	assert.Equal(t, "null\n1\n1.0E10\ntrue\nStruct{line=x}\n[1, 2]\n{k=v}\n", out.String())
	require.NoError(t, task.Flush(t.Context(), nil))
	require.NoError(t, task.Stop(t.Context()))
}

// What a crash left of a line does not spoil the line after it.
func TestSinkEndsAPieceOfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	for _, c := range []struct{ before, after string }{
		{"whole\npie", "whole\npie\nnext\n"},
		{"whole\n", "whole\nnext\n"},
		{"", "next\n"},
	} {
		write(t, path, c.before)
		put(t, startSink(t, path), "next")
		assert.Equal(t, c.after, content(t, path))
	}
}

func TestSinkFileRenamedOrDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	task := startSink(t, path)
	put(t, task, "one")
	require.NoError(t, os.Rename(path, path+".1"))
	put(t, task, "two")
	require.NoError(t, os.Remove(path))
	put(t, task, "three")
	require.NoError(t, task.Flush(t.Context(), nil))
	assert.Equal(t, "one\n", content(t, path+".1"))
	assert.Equal(t, "three\n", content(t, path))
}

func TestSinkFileReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	task := startSink(t, path)
	put(t, task, "one")
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, path, "somebody else's\n")
	put(t, task, "two")
	assert.Equal(t, "one\n", content(t, path+".1"))
	assert.Equal(t, "somebody else's\ntwo\n", content(t, path))
}

// Lines that went to a file under its old name count as put, so they have to be on disk before the new file is all that Flush sees.
func TestSinkFileRenamedButNotOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	task := startSink(t, path)
	put(t, task, "one")
	require.NoError(t, task.file.Close()) // so that it can not be brought to disk
	require.NoError(t, os.Rename(path, path+".1"))
	require.ErrorIs(t, task.Put(t.Context(), sinkRecords(data.String("two"))), fs.ErrClosed)
	assert.ErrorIs(t, task.Flush(t.Context(), nil), fs.ErrClosed)
	task.file = nil
}

func TestSinkManyTasksOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	a, b := startSink(t, path), startSink(t, path)
	put(t, a, "a1", "a2")
	put(t, b, "b1", "b2")
	put(t, a, "a3")
	assert.Equal(t, "a1\na2\nb1\nb2\na3\n", content(t, path))
}

// After a failure nobody knows what is on disk: nothing is committed any more.
func TestSinkFailureIsFinal(t *testing.T) {
	task := startSink(t, filepath.Join(t.TempDir(), "out.txt"))
	put(t, task, "one")
	require.NoError(t, task.file.Close())
	failed := task.Put(t.Context(), sinkRecords(data.String("two")))
	require.ErrorIs(t, failed, fs.ErrClosed)
	assert.ErrorContains(t, failed, "file sink: wrote 0 of 4 bytes of 1 records")
	assert.Equal(t, failed, task.Flush(t.Context(), nil))
	assert.Equal(t, failed, task.Put(t.Context(), sinkRecords(data.String("three"))))
	task.file = nil
}

func TestSinkFlushFails(t *testing.T) {
	task := startSink(t, filepath.Join(t.TempDir(), "out.txt"))
	put(t, task, "one")
	require.NoError(t, task.file.Close())
	assert.ErrorIs(t, task.Flush(t.Context(), nil), fs.ErrClosed)
	assert.Error(t, task.Put(t.Context(), sinkRecords(data.String("two"))), "what was put before may be lost")
	task.file = nil
}

func TestSinkCanNotOpen(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "no", "such.txt"), t.TempDir()} {
		task, err := newSinkTask(SinkConfig{File: path}, nil)
		require.NoError(t, err)
		err = task.Start(t.Context(), nil)
		assert.ErrorContains(t, err, "file sink: configuration file: open "+path)
		assert.NoError(t, task.Stop(t.Context()))
	}
}

func TestSinkStandardOutputFails(t *testing.T) {
	task, err := newSinkTask(SinkConfig{}, failingWriter{})
	require.NoError(t, err)
	err = task.Put(t.Context(), sinkRecords(data.String("x")))
	assert.ErrorIs(t, err, assert.AnError)
	assert.ErrorContains(t, err, "standard output")
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, assert.AnError }

func TestSinkLetsGoOfLargeBuffers(t *testing.T) {
	task := startSink(t, filepath.Join(t.TempDir(), "out.txt"))
	put(t, task, string(make([]byte, 4<<20)))
	assert.Nil(t, task.buf)
	put(t, task, "small")
	assert.NotNil(t, task.buf)
}

func TestSinkAllocations(t *testing.T) {
	task := startSink(t, filepath.Join(t.TempDir(), "out.txt"))
	values := make([]data.Value, 1000)
	for i := range values {
		values[i] = data.String("a line of some length")
	}
	records, ctx := sinkRecords(values...), t.Context()
	allocs := testing.AllocsPerRun(20, func() {
		if err := task.Put(ctx, records); err != nil {
			t.Fatal(err)
		}
	})
	assert.LessOrEqual(t, allocs/float64(len(records)), 0.02)
}
