package file

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// sourceContext is the runtime as a task of these tests sees it.
type sourceContext struct {
	connect.SourceContext
	offset connect.SourceOffset
}

func (sourceContext) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (c sourceContext) Offsets(_ context.Context, p ...connect.SourcePartition) ([]connect.SourceOffset, error) {
	return []connect.SourceOffset{c.offset}, nil
}

// startAt starts a task on a file; a position below 0 stands for no offset.
func startAt(t testing.TB, path string, position int64, batch int) *sourceTask {
	t.Helper()
	task, err := newSourceTask(SourceConfig{File: path, Topic: "topic", BatchSize: batch}, nil)
	require.NoError(t, err)
	var offset connect.SourceOffset
	if position >= 0 {
		offset = connect.SourceOffset{data.E(positionField, data.Int64(position))}
	}
	require.NoError(t, task.Start(context.Background(), sourceContext{offset: offset}))
	t.Cleanup(func() { assert.NoError(t, task.Stop(context.Background())) })
	return task
}

// available returns what a task has without waiting.
func available(t testing.TB, task *sourceTask) (lines []want) {
	t.Helper()
	for {
		got, err := task.file.next(context.Background(), task.batchSize)
		require.NoError(t, err)
		if len(got) == 0 {
			return lines
		}
		for _, l := range got {
			lines = append(lines, want{l.text, l.next})
		}
	}
}

func texts(lines []want) []string {
	out := []string{}
	for _, l := range lines {
		out = append(out, l.text)
	}
	return out
}

// tempFile makes a file with that content.
func tempFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.txt")
	write(t, path, content)
	return path
}

func write(t testing.TB, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func appendTo(t testing.TB, path, content string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(content)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestRecords(t *testing.T) {
	path := tempFile(t, "alpha\r\nbeta ü\nrest")
	task := startAt(t, path, -1, 2000)
	before := time.Now()
	records, err := task.Poll(t.Context())
	require.NoError(t, err)
	require.Len(t, records, 2)
	for i, c := range []struct{ text, offset string }{{"alpha", `{"position":7}`}, {"beta ü", `{"position":15}`}} {
		r := records[i]
		assert.Equal(t, "topic", r.Topic)
		assert.Equal(t, connect.Datum{}, r.Key)
		assert.Same(t, data.StringSchema, r.Value.Schema)
		assert.Equal(t, c.text, r.Value.Value.String())
		assert.Equal(t, connect.PartitionOf(data.E("filename", data.String(path))), r.SourcePartition)
		assert.Equal(t, c.offset, r.SourceOffset.String())
		assert.Equal(t, connect.PartitionHint{}, r.Partition)
		assert.False(t, r.Timestamp.Before(before))
	}
}

func TestBatchSize(t *testing.T) {
	for _, c := range []struct{ batch, want int }{{2, 2}, {1, 1}, {0, 1}, {-1, 1}, {9, 3}} {
		task := startAt(t, tempFile(t, "a\nb\nc\n"), -1, c.batch)
		records, err := task.Poll(t.Context())
		require.NoError(t, err)
		assert.Len(t, records, c.want, "batch.size %d", c.batch)
	}
}

// Wherever a task was stopped or killed, the next one goes on with the next line.
func TestResumeBehindEveryLine(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	text := randomText(rnd, 2000)
	path := tempFile(t, text)
	all := splitAll(text)
	require.Greater(t, len(all), 500)
	assert.Equal(t, all, available(t, startAt(t, path, -1, 7)))
	for i, l := range all {
		require.Equal(t, texts(all[i+1:]), texts(available(t, startAt(t, path, l.next, 100))), "position %d", l.next)
	}
}

// A position that is not behind a line loses nothing and cuts no line.
func TestResumeAtEveryByte(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	text := randomText(rnd, 600) + strings.Repeat("long ", 40<<10) + "\nend\n"
	path := tempFile(t, text)
	all := splitAll(text)
	for pos := range int64(len(text)) + 1 {
		if pos > 1500 && pos < int64(len(text))-10 && pos%5003 != 0 {
			continue // in the middle of the long line all positions are alike
		}
		first := 0
		for first < len(all) && all[first].next <= pos {
			first++
		}
		expected := all[first:]
		if within := pos > 0 && text[pos-1] == '\r' && pos < int64(len(text)) && text[pos] == '\n'; within {
			expected = expected[1:] // between \r and \n the line has been read
		}
		require.Equal(t, texts(expected), texts(available(t, startAt(t, path, pos, 2000))), "position %d", pos)
	}
}

// A file grows by pieces of any size while tasks are killed and started over, with the offset of the last record that somebody got.
func TestKilledWhileTheFileGrows(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		text := randomText(rnd, 400)
		path := tempFile(t, "")
		var got []want
		position, written := int64(-1), 0
		task := startAt(t, path, position, 1+rnd.IntN(5))
		for written < len(text) {
			n := min(1+rnd.IntN(30), len(text)-written)
			appendTo(t, path, text[written:written+n])
			written += n
			batch, err := task.file.next(t.Context(), task.batchSize)
			require.NoError(t, err)
			keep := rnd.IntN(len(batch) + 1) // what Kafka had when the task was killed
			if killed := rnd.IntN(4) == 0; !killed {
				keep = len(batch)
			}
			for _, l := range batch[:keep] {
				got = append(got, want{l.text, l.next})
				position = l.next
			}
			if keep < len(batch) || rnd.IntN(4) == 0 {
				task = startAt(t, path, position, 1+rnd.IntN(5))
			}
		}
		got = append(got, available(t, task)...)
		require.Equal(t, splitAll(text), got, "seed %d", seed)
	}
}

// javaResume is what Java's FileStreamSourceTask reads of a file that it is told to go on with at a position: it skips bytes.
func javaResume(text string, position int64) []string { return texts(splitAll(text[position:])) }

// javaPosition is the position behind the first n lines as Java's task counts it: in UTF-16 units of what it decoded.
func javaPosition(text string, n int) (position int64) {
	for i, l := range splitAll(text) {
		if i < n {
			position = int64(len(utf16.Encode([]rune(text[:l.next]))))
		}
	}
	return position
}

func TestJavaGoesOnWhereWeStopped(t *testing.T) {
	for _, text := range []string{"alpha\nbeta\r\ngamma\rdelta\n", "ä\nöü\r\n😀\rß\n"} {
		all := splitAll(text)
		for i, l := range all {
			assert.Equal(t, texts(all[i+1:]), javaResume(text, l.next))
		}
	}
}

func TestWeGoOnWhereJavaStopped(t *testing.T) {
	ascii := "alpha\nbeta\r\n\ngamma\rdelta\n"
	for n, l := range splitAll(ascii) {
		position := javaPosition(ascii, n+1)
		assert.Equal(t, l.next, position, "in ASCII characters are bytes")
		assert.Equal(t, javaResume(ascii, position), texts(available(t, startAt(t, tempFile(t, ascii), position, 2000))))
	}
	// Else Java's positions are too small. Java itself goes on in the middle of a line.
	text := "äöü\nßßßß\n😀\nlast\n"
	all := splitAll(text)
	for n := range len(all) + 1 {
		got := texts(available(t, startAt(t, tempFile(t, text), javaPosition(text, n), 2000)))
		assert.Subset(t, texts(all), got, "whole lines only")
		assert.Equal(t, texts(all[len(all)-len(got):]), got)
		assert.GreaterOrEqual(t, len(got), len(all)-n, "nothing is lost")
	}
	assert.NotEqual(t, texts(all[1:]), javaResume(text, javaPosition(text, 1)), "Java would send a piece of a line")
}

func TestInvalidText(t *testing.T) {
	task := startAt(t, tempFile(t, "ok\na\xffb\nok\n"), -1, 2000)
	assert.Equal(t, []want{{"ok", 3}, {"a\uFFFDb", 7}, {"ok", 10}}, available(t, task), "positions count the bytes of the file")
}

func TestBadOffsets(t *testing.T) {
	for _, v := range []data.Value{data.String("x"), data.Float64(1.5), data.Int64(-1)} {
		task, err := newSourceTask(SourceConfig{File: "f", Topic: "t"}, nil)
		require.NoError(t, err)
		err = task.Start(t.Context(), sourceContext{offset: connect.SourceOffset{data.E(positionField, v)}})
		assert.ErrorContains(t, err, "position")
		assert.NoError(t, task.Stop(t.Context()))
	}
}

func TestStopWithoutStart(t *testing.T) {
	task, err := newSourceTask(SourceConfig{File: "f", Topic: "t"}, nil)
	require.NoError(t, err)
	assert.NoError(t, task.Stop(t.Context()))
	assert.NoError(t, task.Stop(t.Context()))
}

// poll polls in the background; the channel has the texts, or the error.
func poll(ctx context.Context, task *sourceTask) <-chan any {
	result := make(chan any, 1)
	go func() {
		records, err := task.Poll(ctx)
		if err != nil {
			result <- err
			return
		}
		var got []string
		for i := range records {
			got = append(got, records[i].Value.Value.String())
		}
		result <- got
	}()
	return result
}

func TestWaitsForLinesASecondAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "later.txt")
		task := startAt(t, path, -1, 2000)
		got, start := poll(t.Context(), task), time.Now()
		time.Sleep(2250 * time.Millisecond)
		write(t, path, "no end yet")
		time.Sleep(2 * time.Second)
		appendTo(t, path, "\r") // may be half of \r\n
		time.Sleep(2 * time.Second)
		select {
		case r := <-got:
			t.Fatalf("a line without its end was read: %v", r)
		default:
		}
		appendTo(t, path, "\nsecond\n")
		assert.Equal(t, []string{"no end yet", "second"}, <-got)
		assert.Equal(t, 7*time.Second, time.Since(start))
	})
}

func TestPollEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		got := poll(ctx, startAt(t, tempFile(t, ""), -1, 2000))
		time.Sleep(1500 * time.Millisecond)
		start := time.Now()
		cancel()
		assert.ErrorIs(t, (<-got).(error), context.Canceled)
		assert.Zero(t, time.Since(start))
	})
}

// One string, one row of offsets and little else for a batch.
func TestSourceAllocations(t *testing.T) {
	const lines, batch = 100_000, 1000
	task := startAt(t, tempFile(t, strings.Repeat("a line of some length\n", lines)), -1, batch)
	ctx := t.Context()
	_, err := task.Poll(ctx)
	require.NoError(t, err)
	allocs := testing.AllocsPerRun(50, func() {
		if records, err := task.Poll(ctx); err != nil || len(records) == 0 {
			t.Fatal(len(records), err)
		}
	})
	assert.LessOrEqual(t, allocs/batch, 0.02)
}

func BenchmarkSource(b *testing.B) {
	const lines = 200_000
	path := tempFile(b, strings.Repeat(strings.Repeat("x", 99)+"\n", lines))
	b.ReportAllocs()
	b.SetBytes(100)
	n := 0
	task := startAt(b, path, -1, 2000)
	for b.Loop() {
		if n > 0 {
			n--
			continue
		}
		records, err := task.file.next(b.Context(), 2000)
		require.NoError(b, err)
		if n = len(task.batch(records)); n == 0 {
			require.NoError(b, task.Stop(b.Context()))
			task = startAt(b, path, -1, 2000)
		}
	}
}
