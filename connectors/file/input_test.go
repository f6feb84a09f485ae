package file

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// startStdin starts a task that reads in.
func startStdin(t *testing.T, in *input, batch int) *sourceTask {
	task, err := newSourceTask(SourceConfig{Topic: "topic", BatchSize: batch}, in)
	require.NoError(t, err)
	require.NoError(t, task.Start(t.Context(), sourceContext{}))
	return task
}

func TestStandardInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		in := newInput(r)
		task := startStdin(t, in, 2)
		got := poll(t.Context(), task)
		go func() {
			_, _ = io.WriteString(w, "one\r\ntwo\nthree\nfour\n")
		}()
		all := (<-got).([]string)
		for len(all) < 4 {
			synctest.Wait()
			records, err := task.Poll(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, len(records), 2)
			for i := range records {
				assert.True(t, records[i].SourcePartition.IsZero(), "a stream has no offsets")
				assert.Nil(t, records[i].SourceOffset)
				all = append(all, records[i].Value.Value.String())
			}
		}
		assert.Equal(t, []string{"one", "two", "three", "four"}, all)

		ctx, cancel := context.WithCancel(t.Context())
		got = poll(ctx, task)
		synctest.Wait()
		cancel()
		assert.ErrorIs(t, (<-got).(error), context.Canceled)
		require.NoError(t, task.Stop(t.Context()))

		// The next task goes on with what comes next.
		task = startStdin(t, in, 10)
		go func() {
			_, _ = io.WriteString(w, "last")
			_ = w.Close()
		}()
		assert.Equal(t, []string{"last"}, <-poll(t.Context(), task), "the last line needs no end")
		_, err := task.Poll(t.Context())
		assert.ErrorIs(t, err, connect.ErrDone)
		_, err = startStdin(t, in, 10).Poll(t.Context())
		assert.ErrorIs(t, err, connect.ErrDone)
	})
}

func TestStandardInputFails(t *testing.T) {
	broken := errors.New("broken")
	in := newInput(io.MultiReader(strings.NewReader("one\n"), iotest.ErrReader(broken)))
	task := startStdin(t, in, 10)
	records, err := task.Poll(t.Context())
	require.NoError(t, err)
	assert.Len(t, records, 1)
	_, err = task.Poll(t.Context())
	assert.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "standard input")
}

func TestSplitLineAtTheEnd(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil}, {"a", []string{"a"}}, {"a\n", []string{"a"}}, {"a\r", []string{"a"}}, {"a\rb", []string{"a", "b"}}, {"\n\n", []string{"", ""}},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
			in := newInput(r)
			in.start()
			var got []string
			for l := range in.lines {
				got = append(got, l.text)
			}
			assert.Equal(t, c.want, got, "%q", c.text)
		}
	}
}

func TestNoStandardStreams(t *testing.T) {
	_, err := newSourceTask(SourceConfig{Topic: "t"}, newInput(nil))
	assert.ErrorContains(t, err, "configuration file: found none, want the path of a file: this program gives connectors no standard input")
	_, err = newSinkTask(SinkConfig{}, nil)
	assert.ErrorContains(t, err, "no standard output")
}
