//go:build integration

package http

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
)

// workerConfig is the environment variable that makes the test binary a worker, with the file of its configuration.
const workerConfig = "HTTP_SOURCE_WORKER"

func TestMain(m *testing.M) {
	if file := os.Getenv(workerConfig); file != "" {
		if err := runWorker(file); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err) // nobody else is there
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A workerSetup is what a worker of the kill test runs.
type workerSetup struct {
	Worker, Connector config.Props
	Offsets           string
}

// runWorker runs the connector until it has ended, or is killed.
func runWorker(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var s workerSetup
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	broker, err := kafka.New(kafka.Options{Worker: s.Worker})
	if err != nil {
		return err
	}
	rt, err := connect.New(connect.Options{Plugins: slices.Concat(Plugins(), converters.All()), Broker: broker, Offsets: offsets.File(s.Offsets), Worker: s.Worker, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if _, err := rt.PutConnector(ctx, "source", s.Connector); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			cancel()
		}
	})
	return rt.Run(ctx)
}

// pagesOf serves things by the id that they come behind, and tells how far was asked:
func pagesOf(n, size int, asked *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := number64(r, "id", 0)
		asked.Store(max(asked.Load(), int64(from)))
		page := []thing{}
		for id := from + 1; id <= min(n, from+size); id++ {
			page = append(page, thing{ID: id})
		}
		writeJSON(w, page)
	})
}

// A worker process that is killed at any moment and started again loses nothing and keeps the order; what comes twice is no more than what was sent
// since the last commit of offsets, for each offset stands for the record that carries it.
func TestKilledAtAnyMoment(t *testing.T) {
	const things, size = 4000, 20
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "things"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	var asked atomic.Int64
	server := httptest.NewServer(pagesOf(things, size, &asked))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	setup := workerSetup{Offsets: filepath.Join(dir, "offsets"), Worker: config.Props{"bootstrap.servers": strings.Join(cluster.ListenAddrs(), ","), "offset.flush.interval.ms": "20",
		"key.converter": "StringConverter", "value.converter": "JsonConverter", "value.converter.schemas.enable": "false"},
		Connector: config.Props{"connector.class": "HttpSource", "http.url": server.URL, "topic": "things", "path": "?id=${cursor}", "pagination": "record", "pagination.start": "0", "record.offset.path": "/id",
			"record.key.path": "/id", "poll.max.records": "7", "validate.requests": "false", "poll.interval.ms": "10", "rate.limit.per.second": "500"}}
	text, err := json.Marshal(setup)
	require.NoError(t, err)
	file := filepath.Join(dir, "worker.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	consumer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("things"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	t.Cleanup(consumer.Close)
	var got []int
	kills := 0
	for done := false; !done; kills++ {
		stop := startWorker(t, file)
		// It is killed when it has come some way, or has come to the end.
		goal := min(things, int(asked.Load())+1+rand.IntN(things/5))
		require.Eventually(t, func() bool { return int(asked.Load()) >= goal }, time.Minute, time.Millisecond)
		if done = goal == things; done {
			got = consume(t, consumer, got, things)
		}
		stop()
	}
	t.Logf("%d kills, %d things, %d records", kills, things, len(got))
	assert.GreaterOrEqual(t, kills, 4)
	back := 0
	for i := 1; i < len(got); i++ {
		if got[i] > got[i-1]+1 {
			t.Fatalf("record %d is %d, behind %d: something is lost", i, got[i], got[i-1])
		}
		if got[i] != got[i-1]+1 {
			back++
		}
	}
	assert.Equal(t, 1, got[0])
	assert.LessOrEqual(t, back, kills, "it goes back once a kill at most")
}

// startWorker starts the test binary as a worker; stop kills it.
func startWorker(t *testing.T, file string) (stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), workerConfig+"="+file)
	var log strings.Builder
	cmd.Stderr, cmd.Stdout = &log, io.Discard
	require.NoError(t, cmd.Start())
	return func() {
		_ = cmd.Process.Kill() // it runs for ever otherwise
		_ = cmd.Wait()         // it was killed
		assert.NotContains(t, log.String(), "level=ERROR")
	}
}

// consume reads until a thing came.
func consume(t *testing.T, c *kgo.Client, got []int, last int) []int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(got) == 0 || got[len(got)-1] != last {
		fetches := c.PollFetches(ctx)
		require.NoError(t, fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			var x thing
			if assert.NoError(t, json.Unmarshal(r.Value, &x), "%s", r.Value) {
				got = append(got, x.ID)
			}
		})
	}
	return got
}
