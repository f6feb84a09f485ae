package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// look is available, and what it found is compared.
func look(t *testing.T, task *sourceTask, texts ...string) {
	t.Helper()
	var got []string
	for _, l := range available(t, task) {
		got = append(got, l.text)
	}
	assert.Equal(t, texts, got)
}

func TestFileCutOff(t *testing.T) {
	path := tempFile(t, "one\ntwo\nunfinished")
	task := startAt(t, path, -1, 2000)
	look(t, task, "one", "two")
	write(t, path, "three\n")
	assert.Equal(t, []want{{"unfinished", 0}, {"three", 6}}, available(t, task), "what was left over becomes a line")
	write(t, path, "")
	look(t, task)
	appendTo(t, path, "four\n")
	look(t, task, "four")
}

// The file is cut off before its end was seen, so there is nothing to compare with but its size.
func TestFileCutOffWhileItIsRead(t *testing.T) {
	one := strings.Repeat("x", chunk-10) + "\n"
	path := tempFile(t, one+one+one)
	task := startAt(t, path, -1, 1)
	got, err := task.file.next(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, one, got[0].text+"\n")
	write(t, path, "new\n")
	look(t, task, "xxxxxxxxx", "new")
}

func TestFileRewrittenAndLongerThanBefore(t *testing.T) {
	path := tempFile(t, "one\ntwo\n")
	task := startAt(t, path, -1, 2000)
	look(t, task, "one", "two")
	write(t, path, "three\nfour\nfive\n")
	look(t, task, "three", "four", "five")
}

func TestFileReplaced(t *testing.T) {
	path := tempFile(t, "one\n")
	task := startAt(t, path, -1, 2000)
	look(t, task, "one")
	// Log rotation: the old file gets another name, its writer goes on for a while.
	require.NoError(t, os.Rename(path, path+".1"))
	appendTo(t, path+".1", "two\n")
	look(t, task, "two")
	write(t, path, "new one\n")
	look(t, task) // seen for the first time
	appendTo(t, path+".1", "three\nunfinished")
	look(t, task, "three") // the old file is still in use
	look(t, task, "unfinished", "new one")
	appendTo(t, path+".1", "lost\n")
	appendTo(t, path, "new two\n")
	look(t, task, "new two")
	info, err := task.file.file.Stat()
	require.NoError(t, err)
	now, err := os.Stat(path)
	require.NoError(t, err)
	assert.True(t, os.SameFile(info, now), "the old file is let go")
}

func TestFileDeletedAndMadeAnew(t *testing.T) {
	path := tempFile(t, "one\n")
	task := startAt(t, path, -1, 2000)
	look(t, task, "one")
	require.NoError(t, os.Remove(path))
	look(t, task)
	look(t, task)
	write(t, path, "two, and longer\n")
	look(t, task)
	look(t, task, "two, and longer")
}

func TestFileShorterThanTheCommittedPosition(t *testing.T) {
	task := startAt(t, tempFile(t, "one\n"), 100, 2000)
	look(t, task, "one")
}

func TestFileThatComesLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	task := startAt(t, path, 4, 2000)
	look(t, task)
	write(t, path, "one\ntwo\n")
	look(t, task, "two")
}

func TestLongLine(t *testing.T) {
	const size = 100 << 20
	path := filepath.Join(t.TempDir(), "long.txt")
	f, err := os.Create(path)
	require.NoError(t, err)
	piece := []byte(strings.Repeat("0123456789abcdef", 64<<10))
	for range size / len(piece) {
		_, err := f.Write(piece)
		require.NoError(t, err)
	}
	_, err = f.WriteString("\nshort\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())

	task := startAt(t, path, -1, 2000)
	got, err := task.file.next(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Len(t, got[0].text, size)
	assert.Equal(t, int64(size+1), got[0].next)
	assert.LessOrEqual(t, len(task.file.buf), 2*size)
	look(t, task, "short")
	assert.Len(t, task.file.buf, chunk, "memory shrinks after a long line")
}

func TestLineWithoutEnd(t *testing.T) {
	task := startAt(t, tempFile(t, "ok\n"+strings.Repeat("x", 3*chunk)), -1, 2000)
	task.file.longest = 2 * chunk
	got, err := task.file.next(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, "ok", got[0].text)
	_, err = task.file.next(t.Context(), 1)
	assert.ErrorIs(t, err, errLineTooLong)
	assert.ErrorContains(t, err, "begins at position 3")
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	_, err := startAt(t, dir, -1, 1).Poll(t.Context())
	assert.ErrorContains(t, err, "configuration file: "+dir+" is a directory, want a regular file")

	write(t, filepath.Join(dir, "f"), "")
	_, err = startAt(t, filepath.Join(dir, "f", "x"), -1, 1).Poll(t.Context())
	assert.ErrorContains(t, err, "not a directory")
}
