//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

const (
	havocRounds = 20
	havocSize   = 3 // workers
	// Sessions of workers and of their consumers, short so that a round is.
	havocSession   = 3 * time.Second
	havocHeartbeat = 500 * time.Millisecond
	// havocPatience is for a cluster to be well again, on a machine that is busy.
	havocPatience = 2 * time.Minute
)

// Three workers in processes of their own and a broker are killed, stopped where
// they stand and started again, at random, while lines go from a file through a
// topic to another file, and a generator counts. Nothing is lost, and nothing comes
// before what it followed. CHAOS_SEED is the seed.
func TestProcessesAreKilledAtAnyMoment(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("CHAOS_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("CHAOS_SEED=%d", seed)
	h := newHavoc(t, seed)
	for n := range havocRounds {
		h.round(n)
	}
	h.finish()
}

// havoc is a cluster of processes that is treated badly.
type havoc struct {
	t         *testing.T
	rnd       *rand.Rand
	kafka     *testenv.KafkaCluster
	workers   []*testenv.GoWorker
	in, out   string
	lines     int
	failovers []time.Duration
}

func newHavoc(t *testing.T, seed uint64) *havoc {
	dir := t.TempDir()
	h := &havoc{t: t, rnd: rand.New(rand.NewPCG(seed, 0)), in: filepath.Join(dir, "in.txt"), out: filepath.Join(dir, "out.txt")}
	h.kafka = testenv.KafkaWith(t, testenv.KafkaOptions{Properties: []string{
		"group.min.session.timeout.ms=1000", "group.initial.rebalance.delay.ms=0",
	}})
	millis := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	o := testenv.WorkerOptions{Group: unique("havoc"), ExactlyOnce: "preparing", Properties: map[string]string{
		"session.timeout.ms": millis(havocSession), "heartbeat.interval.ms": millis(havocHeartbeat),
		"consumer.session.timeout.ms": millis(havocSession), "consumer.heartbeat.interval.ms": millis(havocHeartbeat),
		"scheduled.rebalance.max.delay.ms": "0", "consumer.auto.offset.reset": "earliest",
		"offset.flush.interval.ms": "500",
	}}
	h.addLines(1)
	for range havocSize {
		h.workers = append(h.workers, testenv.GoConnect(t, h.kafka, o))
	}
	for name, props := range map[string]config.Props{
		"lines":  {"connector.class": "FileStreamSource", "file": h.in, "topic": "lines"},
		"copy":   {"connector.class": "FileStreamSink", "file": h.out, "topics": "lines"},
		"counts": {"connector.class": "GeneratorSource", "topic": "counts", "mode": "struct", "rate": "50"},
		"void":   {"connector.class": "NullSink", "topics": "counts", "tasks.max": "3"},
	} {
		body, err := json.Marshal(props)
		require.NoError(t, err)
		eventually(t, func() bool {
			return h.ask(h.workers[0], http.MethodPut, "/connectors/"+name+"/config", string(body), nil)
		}, "connector %q to be created", name)
	}
	h.awaitWell()
	return h
}

// ask sends a request and tells whether it succeeded. The answer goes to into, if
// that is not nil.
func (h *havoc) ask(w *testenv.GoWorker, method, path, body string, into any) bool {
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.URL()+path, strings.NewReader(body))
	require.NoError(h.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return false
	}
	return into == nil || json.Unmarshal(text, into) == nil
}

// addLines appends lines to the input.
func (h *havoc) addLines(n int) {
	f, err := os.OpenFile(h.in, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(h.t, err)
	defer f.Close()
	for range n {
		_, err := fmt.Fprintf(f, "line %d of some length, of which this is the end\n", h.lines)
		require.NoError(h.t, err)
		h.lines++
	}
}

// running are the workers that run, those that stand still too.
func (h *havoc) running() []*testenv.GoWorker {
	var all []*testenv.GoWorker
	for _, w := range h.workers {
		if w.Running() {
			all = append(all, w)
		}
	}
	return all
}

// well tells whether, as far as a running worker knows, all connectors and tasks
// run on workers that run.
func (h *havoc) well() bool {
	type state struct {
		State  string `json:"state"`
		Worker string `json:"worker_id"`
	}
	var all map[string]struct {
		Status struct {
			Connector state   `json:"connector"`
			Tasks     []state `json:"tasks"`
		} `json:"status"`
	}
	if !h.ask(h.running()[0], http.MethodGet, "/connectors?expand=status", "", &all) || len(all) != 4 {
		return false
	}
	for _, c := range all {
		if len(c.Status.Tasks) == 0 {
			return false
		}
		for _, s := range append(c.Status.Tasks, c.Status.Connector) {
			there := slices.ContainsFunc(h.running(), func(w *testenv.GoWorker) bool { return w.URL() == "http://"+s.Worker })
			if s.State != "RUNNING" || !there {
				return false
			}
		}
	}
	return true
}

func (h *havoc) awaitWell() {
	h.t.Helper()
	require.Eventually(h.t, h.well, havocPatience, 20*time.Millisecond, "all tasks run again")
}

// moment lets a random time pass, in which lines are added.
func (h *havoc) moment(most time.Duration) { h.pass(time.Duration(h.rnd.Int64N(int64(most)))) }

func (h *havoc) pass(d time.Duration) {
	end := time.After(d)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			h.addLines(h.rnd.IntN(20))
		}
	}
}

// round does one thing to the cluster, mends it, and waits until the last line has
// come through.
func (h *havoc) round(n int) {
	h.moment(time.Second)
	victim := h.workers[h.rnd.IntN(len(h.workers))]
	what := "a worker is killed"
	switch k := h.rnd.IntN(10); {
	case k < 4:
		// A member that dies while its group is rebalanced has its session after that.
		h.pass(havocSession + 2*havocHeartbeat)
		victim.Kill()
		began := time.Now()
		h.awaitWell()
		h.failovers = append(h.failovers, time.Since(began))
	case k < 5:
		what = "two workers are killed"
		victim.Kill()
		h.moment(2 * time.Second)
		h.running()[0].Kill()
		h.moment(time.Second)
	case k < 7:
		what = "a worker stands still for longer than its session"
		victim.Pause()
		h.moment(3 * havocSession)
		victim.Resume()
	case k < 8:
		what = "a worker is restarted in good order"
		victim.Stop()
	case k < 9:
		what = "the broker is killed"
		h.kafka.Node(0).Kill()
		h.moment(3 * time.Second)
		h.kafka.Start()
	default:
		what = "the broker and a worker are killed"
		h.kafka.Node(0).Kill()
		h.moment(time.Second)
		victim.Kill()
		h.kafka.Start()
	}
	h.moment(time.Second)
	for _, w := range h.workers {
		w.Start()
	}
	h.awaitWell()
	h.addLines(1)
	last := fmt.Sprintf("line %d of ", h.lines-1)
	require.Eventually(h.t, func() bool { return strings.Contains(h.copied(), last) }, havocPatience, 50*time.Millisecond, "the last line arrives")
	h.t.Logf("round %d: %s; %d lines", n, what, h.lines)
}

func (h *havoc) copied() string {
	text, err := os.ReadFile(h.out)
	require.NoError(h.t, err)
	return string(text)
}

// finish looks at what has arrived.
func (h *havoc) finish() {
	for _, w := range h.workers {
		w.Stop()
	}
	var copies []int
	for line := range strings.Lines(h.copied()) {
		var n int
		if _, err := fmt.Sscanf(line, "line %d of some length, of which this is the end\n", &n); err == nil {
			copies = append(copies, n) // others are pieces that a kill has left
		}
	}
	var numbers, counts []int
	for _, value := range h.values("lines") {
		var v struct{ Payload string }
		require.NoError(h.t, json.Unmarshal(value, &v))
		var n int
		_, err := fmt.Sscanf(v.Payload, "line %d of ", &n)
		require.NoError(h.t, err)
		numbers = append(numbers, n)
	}
	for _, value := range h.values("counts") {
		var v struct{ Payload struct{ ID int } }
		require.NoError(h.t, json.Unmarshal(value, &v))
		counts = append(counts, v.Payload.ID-1)
	}
	h.t.Logf("%d lines, %d of them twice in the topic, %d in the copy", h.lines, h.again(numbers, h.lines), h.again(copies, h.lines))
	h.t.Logf("%d counts, %d of them twice", len(counts), h.again(counts, slices.Max(counts)+1))
	h.t.Logf("from the kill of a worker until its tasks ran elsewhere, with sessions of %v and heartbeats each %v: %v",
		havocSession, havocHeartbeat, h.failovers)
}

// again checks that numbers are those from 0 to n-1, each for the first time after
// the one before it, and tells how many came again.
func (h *havoc) again(numbers []int, n int) int {
	h.t.Helper()
	next := 0
	for i, number := range numbers {
		require.LessOrEqual(h.t, number, next, "number %d at place %d of %d", number, i, len(numbers))
		next = max(next, number+1)
	}
	require.Equal(h.t, n, next, "the last numbers are missing")
	return len(numbers) - n
}

// values returns the values in a topic of one partition.
func (h *havoc) values(topic string) (values [][]byte) {
	client, err := kgo.NewClient(kgo.SeedBrokers(h.kafka.Bootstrap()), kgo.ConsumeTopics(topic))
	require.NoError(h.t, err)
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(within(h.t), topic)
	require.NoError(h.t, err)
	require.Len(h.t, ends[topic], 1)
	for int64(len(values)) < ends[topic][0].Offset {
		fetches := client.PollFetches(within(h.t))
		require.NoError(h.t, fetches.Err())
		for r := range fetches.RecordsAll() {
			values = append(values, r.Value)
		}
	}
	return values
}
