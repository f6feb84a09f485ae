//go:build unix

package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The three lines of the README make a cluster; ports aside, for others may run
// here, they are run as they stand there.
func TestClusterOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^(?:PORT=(\d+) )?go run \./cmd/connect ((?:dev|distributed) .*(?:9092|cluster).*)$`).FindAllStringSubmatch(string(readme), -1)
	require.Len(t, lines, 3)

	broker := begin(t, "", strings.Fields(strings.ReplaceAll(lines[0][2], "127.0.0.1:9092", "127.0.0.1:0"))...)
	restOf(t, &broker.stderr)
	bootstrap := regexp.MustCompile(`the Kafka broker is up" bootstrap=(\S+)`)
	broker.eventually("the broker is up", func() bool { return bootstrap.MatchString(broker.stderr.String()) })
	text, err := os.ReadFile(filepath.Join(repository, "examples/cluster/worker.properties"))
	require.NoError(t, err)
	file := write(t, t.TempDir(), "worker.properties",
		strings.Replace(string(text), "127.0.0.1:9092", bootstrap.FindStringSubmatch(broker.stderr.String())[1], 1))

	var urls []string
	for _, line := range lines[1:] {
		assert.Equal(t, "distributed examples/cluster/worker.properties", line[2])
		asked := make(chan string, 1)
		urls = append(urls, startAt(t, file, line[1], asked))
		assert.Equal(t, "127.0.0.1:"+line[1], <-asked)
	}
	mustCurl(t, 201, http.MethodPost, urls[1]+"/connectors", fiveTasks("sink", t.TempDir()+"/out.txt"))
	eventually(t, "both workers have tasks", func() bool { return len(stateAt(t.Context(), urls[0], "sink").running()) == 2 })
}

// startAt runs a worker with a port in its environment, and returns where it
// really listens.
func startAt(t *testing.T, file, port string, asked chan<- string) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var stderr buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"distributed", file}, process{
			stdin: strings.NewReader(""), stdout: &stderr, stderr: &stderr, environ: func() []string { return []string{"PORT=" + port} },
			listen: func(ctx context.Context, network, address string) (net.Listener, error) {
				asked <- address
				return listenFree(ctx, network, address)
			},
		})
	}()
	t.Cleanup(func() {
		cancel()
		assert.Equal(t, 0, <-ended, stderr.String())
	})
	return readyAt(t, &stderr)
}

// The operator's guide explains lines of the log that there are.
func TestLogLinesOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join(repository, "docs/operating.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(guide), "| the log says |")
	require.True(t, found)
	var source strings.Builder
	for _, pattern := range []string{"*.go", "kafka/*.go", "rest/*.go"} {
		files, err := filepath.Glob(filepath.Join(repository, pattern))
		require.NoError(t, err)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				source.WriteString(content(file))
			}
		}
	}
	lines := 0
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|").FindAllStringSubmatch(table, -1) {
		for _, m := range regexp.MustCompile("`([^`=]+?)(?: run=[^`]*)?`").FindAllStringSubmatch(row[1], -1) {
			assert.Contains(t, source.String(), m[1])
			lines++
		}
	}
	assert.Equal(t, 12, lines)
}
