package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pages under version control are those that the declarations make.
func TestPagesAreUpToDate(t *testing.T) {
	want, err := pages()
	require.NoError(t, err)
	have, err := read(filepath.Join("..", "..", "docs", "reference"))
	require.NoError(t, err)
	const remedy = "run go generate . and commit what it writes"
	assert.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(have)), remedy)
	for name, text := range want {
		assert.Equal(t, text, have[name], "docs/reference/%s is stale: %s", name, remedy)
	}
}

// Pages of plugins that are no more go away, and nothing else does.
func TestWriteReplaces(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, write(dir, map[string]string{"a.md": "a", filepath.Join("x", "b.md"): "b"}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o600))
	want := map[string]string{"a.md": "new", filepath.Join("x", "c.md"): "c"}
	require.NoError(t, write(dir, want))
	have, err := read(dir)
	require.NoError(t, err)
	assert.Equal(t, want, have)
	assert.FileExists(t, filepath.Join(dir, "notes.txt"))
}

func TestRunWantsADirectory(t *testing.T) {
	assert.ErrorContains(t, run(nil), "want the directory")
	require.NoError(t, run([]string{t.TempDir()}))
}
