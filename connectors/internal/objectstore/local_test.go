package objectstore_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/storetest"
)

func openLocal(t *testing.T, dir string) objectstore.Backend {
	b, err := objectstore.OpenLocal(dir, objectstore.LocalOptions{Owner: "c"})
	require.NoError(t, err)
	_, err = b.Capabilities(t.Context())
	require.NoError(t, err)
	return b
}

func TestLocalIsABackend(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	storetest.TestBackend(t, storetest.Options{
		Open: func(t *testing.T) objectstore.Backend { return openLocal(t, dir) },
		Read: func(t *testing.T, key string) []byte {
			b, err := os.ReadFile(filepath.Join(dir, key))
			require.NoError(t, err)
			return b
		},
	})
}

// Keys come from data. None leads out of the folder, or to the files beside.
func TestLocalRefusesKeys(t *testing.T) {
	outer := t.TempDir()
	b := openLocal(t, filepath.Join(outer, "inner"))
	for _, key := range []string{"", ".", "..", "../x", "/x", "a/../../x", "a//b", "a/", ".hidden", "a/.hidden/b", "a\x00b"} {
		err := b.Put(t.Context(), key, storetest.Content([]byte("x")), objectstore.PutOptions{IfAbsent: true})
		assert.Error(t, err, "%q", key)
		_, err = b.Stat(t.Context(), key)
		assert.Error(t, err, "%q", key)
	}
	entries, err := os.ReadDir(outer)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

// Between the link of the metadata and the name of the data the process may die. The object exists from the link on: nobody else
// creates it, and whoever asks gives it its name.
func TestLocalEndsWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	b := openLocal(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".connect", "data-1"), []byte("first"), 0o644))
	meta, err := json.Marshal(map[string]any{"data": ".connect/data-1", "size": 5, "metadata": map[string]string{"connect-end-offset": "4"}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".key.meta"), meta, 0o644))

	err = b.Put(t.Context(), "key", storetest.Content([]byte("second")), objectstore.PutOptions{IfAbsent: true})
	require.ErrorIs(t, err, objectstore.ErrExists)
	o, err := b.Stat(t.Context(), "key")
	require.NoError(t, err)
	assert.Equal(t, "4", o.Metadata["connect-end-offset"])
	body, err := os.ReadFile(filepath.Join(dir, "key"))
	require.NoError(t, err)
	assert.Equal(t, "first", string(body))
}

// A file that somebody removed by hand may be created again, whatever its metadata say; one that somebody made is not replaced.
func TestLocalAndOtherPeoplesHands(t *testing.T) {
	dir := t.TempDir()
	b := openLocal(t, dir)
	put := func(text string) error {
		return b.Put(t.Context(), "a/key", storetest.Content([]byte(text)), objectstore.PutOptions{IfAbsent: true})
	}
	require.NoError(t, put("first"))
	require.NoError(t, os.Remove(filepath.Join(dir, "a", "key")))
	require.NoError(t, put("second"))
	require.NoError(t, b.Delete(t.Context(), "a/key"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "key"), []byte("theirs"), 0o644))
	require.ErrorIs(t, put("third"), objectstore.ErrExists)
	o, err := b.Stat(t.Context(), "a/key")
	require.NoError(t, err)
	assert.Equal(t, objectstore.Object{Key: "a/key", Size: 6}, o)
}
