package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJavaVersion(t *testing.T) {
	for printed, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`: 17,
		`openjdk version "21" 2023-09-19`:      21,
		`java version "1.8.0_402"`:             8,
		`openjdk version "25-ea" 2025-09-16`:   25,
	} {
		got, err := javaVersion(printed)
		require.NoError(t, err, printed)
		assert.Equal(t, want, got, printed)
	}
	_, err := javaVersion("command not found")
	require.Error(t, err)
}

// fakeMaven puts an mvn on the path that copies one jar and counts its runs.
func fakeMaven(t *testing.T, script string) (runs string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mvn"), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	runs = filepath.Join(dir, "runs")
	t.Setenv("RUNS", runs)
	return runs
}

const copyOneJar = `
echo run >> "$RUNS"
for a; do case $a in -DoutputDirectory=*) out=${a#*=};; esac; done
mkdir -p "$out" && echo jar > "$out/one.jar"
`

func TestJarsAreFetchedOnce(t *testing.T) {
	runs := fakeMaven(t, copyOneJar)
	var wg sync.WaitGroup
	dirs := make([]string, 8)
	for i := range dirs {
		wg.Go(func() {
			dir, err := installJars(t.Context(), "some", []byte("<project/>"))
			if assert.NoError(t, err) {
				dirs[i] = dir
			}
		})
	}
	wg.Wait()
	for _, dir := range dirs {
		assert.Equal(t, dirs[0], dir)
	}
	assert.FileExists(t, filepath.Join(dirs[0], "one.jar"))
	counted, err := os.ReadFile(runs)
	require.NoError(t, err)
	assert.Equal(t, "run\n", string(counted))

	other, err := installJars(t.Context(), "some", []byte("<project>changed</project>"))
	require.NoError(t, err)
	assert.NotEqual(t, dirs[0], other, "a changed pin is another folder")
}

func TestFailedFetchLeavesNothing(t *testing.T) {
	fakeMaven(t, copyOneJar+"echo no route; exit 1")
	_, err := installJars(t.Context(), "some", []byte("<project/>"))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "install some")
	assert.Contains(t, err.Error(), "no route")
	root, err := home()
	require.NoError(t, err)
	left, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Len(t, left, 1, "the lock alone")
	assert.Equal(t, ".lock", filepath.Ext(left[0].Name()))
}

// outcome records how a test under test ends.
type outcome struct {
	testing.TB
	skipped, failed bool
}

func (o *outcome) Helper()               {}
func (o *outcome) Skipf(string, ...any)  { o.skipped = true }
func (o *outcome) Fatalf(string, ...any) { o.failed = true }

func TestWithoutJava(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	t.Setenv("TESTENV", "")
	o := &outcome{TB: t}
	needJava(o)
	assert.Equal(t, outcome{TB: t, skipped: true}, *o, "skipped where servers are not asked for")
	t.Setenv("TESTENV", "require")
	o = &outcome{TB: t}
	needJava(o)
	assert.Equal(t, outcome{TB: t, failed: true}, *o, "failed where they are required")
}

func TestJavaProperties(t *testing.T) {
	got := javaProperties(map[string]string{
		"plain":   "value with spaces = : # !",
		"a b:c=d": " leading",
		"escapes": "back\\slash\nline\ttab\r",
		"unicode": "é😀\x00",
	})
	assert.Equal(t, strings.Join([]string{
		`a\ b\:c\=d=\ leading`,
		`escapes=back\\slash\nline\ttab\r`,
		`plain=value with spaces = : # !`,
		`unicode=\u00E9\uD83D\uDE00\u0000`,
		``,
	}, "\n"), got)
}

func TestListenerNamesAreChecked(t *testing.T) {
	for _, bad := range [][]Listener{
		{{Name: "", Protocol: "SSL"}},
		{{Name: "lower", Protocol: "SSL"}},
		{{Name: "INTERNAL", Protocol: "SSL"}},
		{{Name: "TWICE", Protocol: "SSL"}, {Name: "TWICE", Protocol: "SSL"}},
		{{Name: "SASL", Protocol: "TLS"}},
	} {
		assert.Error(t, checkListeners(bad), bad)
	}
	assert.NoError(t, checkListeners([]Listener{{Name: "SASL", Protocol: "SASL_PLAINTEXT"}}))
}
