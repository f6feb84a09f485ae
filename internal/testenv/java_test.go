package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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

// outcome is a test under test: it records how it ends and what it logs.
type outcome struct {
	testing.TB
	skipped, failed bool
	log             string
	cleanups        []func()
}

func (o *outcome) Helper()                      {}
func (o *outcome) Cleanup(f func())             { o.cleanups = append(o.cleanups, f) }
func (o *outcome) Failed() bool                 { return o.failed }
func (o *outcome) Logf(format string, a ...any) { o.log += fmt.Sprintf(format, a...) }
func (o *outcome) Skipf(format string, a ...any) {
	o.skipped = true
	o.Logf(format, a...)
	runtime.Goexit()
}
func (o *outcome) Fatalf(format string, a ...any) {
	o.failed = true
	o.Logf(format, a...)
	runtime.Goexit()
}
func (o *outcome) Fatal(a ...any) { o.Fatalf("%s", fmt.Sprint(a...)) }

// try runs a test under test to its end.
func try(t *testing.T, test func(testing.TB)) *outcome {
	t.Helper()
	o := &outcome{TB: t}
	var wg sync.WaitGroup
	wg.Go(func() { test(o) })
	wg.Wait()
	for _, f := range slices.Backward(o.cleanups) {
		f()
	}
	return o
}

func TestWithoutJava(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	t.Setenv("TESTENV_KAFKA", "")
	t.Setenv("TESTENV_REGISTRY", "")
	for name, test := range map[string]func(testing.TB){
		"Kafka":          func(t testing.TB) { Kafka(t) },
		"KafkaNodes":     func(t testing.TB) { KafkaNodes(t, 3) },
		"Registry":       func(t testing.TB) { Registry(t) },
		"JavaConnect":    func(t testing.TB) { JavaConnect(t, &KafkaCluster{}, WorkerOptions{}) },
		"JavaStandalone": func(t testing.TB) { JavaStandalone(t, &KafkaCluster{}, StandaloneOptions{}) },
	} {
		t.Setenv("TESTENV", "")
		o := try(t, test)
		assert.True(t, o.skipped && !o.failed, "%s is skipped where servers are not asked for", name)
		assert.Contains(t, o.log, "apt install default-jdk-headless")
		t.Setenv("TESTENV", "require")
		o = try(t, test)
		assert.True(t, o.failed && !o.skipped, "%s fails where they are required", name)
	}
}

func TestClusterThatRunsAlready(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("TESTENV_KAFKA", "somewhere:9092,elsewhere:9092")
	cluster := Kafka(t)
	assert.Equal(t, "somewhere:9092,elsewhere:9092", cluster.Bootstrap())
	assert.Equal(t, 1, cluster.Len())
	for name, touch := range map[string]func(c *KafkaCluster){
		"Node":        func(c *KafkaCluster) { c.Node(0) },
		"Start":       func(c *KafkaCluster) { c.Start() },
		"BootstrapOf": func(c *KafkaCluster) { c.BootstrapOf("SASL") },
	} {
		o := try(t, func(t testing.TB) { touch(Kafka(t)) })
		assert.True(t, o.failed, "%s of a shared cluster fails the test", name)
		assert.Contains(t, o.log, "use KafkaNodes")
	}
}

func TestNodeOutOfRange(t *testing.T) {
	for i, failed := range map[int]bool{-1: true, 0: false, 1: false, 2: true} {
		o := try(t, func(t testing.TB) { (&KafkaCluster{t: t, nodes: []*Node{{}, {}}}).Node(i) })
		assert.Equal(t, failed, o.failed, i)
	}
}

func TestSharedServerStartsOnce(t *testing.T) {
	starts := 0
	var broken shared[string]
	for range 2 {
		o := try(t, func(t testing.TB) {
			broken.get(t, func(context.Context) (string, func() error, error) {
				starts++
				return "", nil, errors.New("no room")
			})
		})
		assert.True(t, o.failed, "a start that failed fails each test that asks")
		assert.Contains(t, o.log, "no room")
	}
	assert.Equal(t, 1, starts)
}

func TestFailingTestShowsTheLogOfItsTime(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "log")
	require.NoError(t, os.WriteFile(file, []byte("before\n"), 0o644))
	for _, fails := range []bool{true, false} {
		o := try(t, func(tb testing.TB) {
			showLog(tb, "server", dir, logSize(dir))
			assert.NoError(t, os.WriteFile(file, []byte("before\nduring\n"), 0o644))
			if fails {
				tb.Fatal("wrong: ")
			}
		})
		want := ""
		if fails {
			want = "wrong: the log of server:\nduring\n"
		}
		assert.Equal(t, want, o.log)
		require.NoError(t, os.WriteFile(file, []byte("before\n"), 0o644))
	}
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
