package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A process that is killed, broker and all, loses nothing. What it sends twice
// is what came after the last commit, of the source and of the sink: after each
// kill both go on exactly where their committed offsets say.
func TestKilledAtAnyMoment(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to send")
	}
	k := newKilling(t)
	for range killRounds {
		k.round()
	}
	k.finish()

	topic := k.topic()
	assertReplay(t, "records in the topic", k.lines, topic, k.sourceAt)
	assertReplay(t, "lines of the copy", topic, strings.Split(strings.TrimSuffix(content(k.out), "\n"), "\n"), k.sinkAt)
	t.Logf("%d kills: %d lines, %d records, %d lines in the copy", killRounds, len(k.lines), len(topic), strings.Count(content(k.out), "\n"))
}

// killing is a development worker that is killed over and over.
type killing struct {
	t             *testing.T
	in, out, data string
	args          []string
	lines         []string
	// Where the source and the sink have committed to go on after each kill, in
	// lines and in records.
	sourceAt, sinkAt []int
}

func newKilling(t *testing.T) *killing {
	dir := t.TempDir()
	k := &killing{t: t, in: write(t, dir, "in.txt", ""), out: dir + "/out.txt", data: dir + "/data"}
	k.args = append([]string{"dev", "--data", k.data}, fileToFile(t, dir, k.in, k.out)...)
	return k
}

// round adds lines, and kills the process some time after its start: now and then
// late enough for a periodic commit.
func (k *killing) round() {
	var added strings.Builder
	for range rand.IntN(200) {
		line := fmt.Sprintf("line %d of some length, of which this is the end", len(k.lines))
		k.lines = append(k.lines, line)
		added.WriteString(line + "\n")
	}
	appendTo(k.t, k.in, added.String())

	life := time.Duration(rand.IntN(300)) * time.Millisecond
	if rand.IntN(5) == 0 {
		life += 1200 * time.Millisecond
	}
	c := subprocess(k.t.Context(), k.args...)
	c.start(k.t)
	kill := time.AfterFunc(life, func() { _ = c.Process.Kill() })
	defer kill.Stop()
	_ = c.Wait()
	require.Equal(k.t, -1, c.ProcessState.ExitCode(), "the command ended by itself")
	k.inspect()
}

// inspect reads what was committed from a copy of what the process left behind.
func (k *killing) inspect() {
	k.t.Helper()
	dir := k.t.TempDir()
	defer func() { assert.NoError(k.t, os.RemoveAll(dir)) }()
	if _, err := os.Stat(k.data); err != nil {
		k.t.Log("killed before the directory was there")
	} else {
		require.NoError(k.t, os.CopyFS(dir, os.DirFS(k.data)))
	}
	position := struct{ Position int }{}
	if text := sourcePosition(k.t, filepath.Join(dir, "connect.offsets")); text != "" {
		require.NoError(k.t, json.Unmarshal([]byte(text), &position))
	}
	k.sourceAt = append(k.sourceAt, strings.Count(content(k.in)[:position.Position], "\n"))

	b, err := startBroker(listenAddress{"127.0.0.1", 0}, dir, plain(&buffer{}))
	require.NoError(k.t, err)
	defer b.Close()
	k.sinkAt = append(k.sinkAt, int(committed(k.t, b.ListenAddrs()[0], "sink", "lines")))
}

// finish lets the process work until the last line has arrived, and ends it well.
func (k *killing) finish() {
	last := "the very last line"
	k.lines = append(k.lines, last)
	appendTo(k.t, k.in, last+"\n")
	s := begin(k.t, "", k.args...)
	s.eventually("the last line arrives", func() bool { return strings.HasSuffix(content(k.out), last+"\n") })
	require.Equal(k.t, 0, s.wait(true))
}

// topic returns the values of the records in the topic.
func (k *killing) topic() []string {
	b, err := startBroker(listenAddress{"127.0.0.1", 0}, k.data, plain(&buffer{}))
	require.NoError(k.t, err)
	defer b.Close()
	end := records(k.t, b.ListenAddrs()[0], "lines")
	client, err := kgo.NewClient(kgo.SeedBrokers(b.ListenAddrs()[0]), kgo.ConsumeTopics("lines"))
	require.NoError(k.t, err)
	defer client.Close()
	var values []string
	for int64(len(values)) < end {
		fetches := client.PollFetches(k.t.Context())
		require.NoError(k.t, fetches.Err())
		for r := range fetches.RecordsAll() {
			require.Equal(k.t, int64(len(values)), r.Offset)
			var value string
			require.NoError(k.t, json.Unmarshal(r.Value, &value))
			values = append(values, value)
		}
	}
	return values
}

// assertReplay asserts that copies are the originals in order, with nothing left
// out, and nothing twice but for restarts: at any place the copying may have been
// cut off, in the middle of a copy even, and then have gone on at the next of the
// given places, or at one after that.
func assertReplay(t *testing.T, what string, originals, copies []string, restarts []int) {
	t.Helper()
	if i, ok := replays(originals, copies, restarts); !ok {
		assert.Fail(t, what, "number %d of %d is %q; restarts at %v", i, len(copies), append(copies, "the end, too early")[i], restarts)
	}
}

// place is where copying may have got to: the next original, and whether a piece
// of it was copied.
type place struct {
	next int
	torn bool
}

// replays says whether copies are originals with restarts; if not, which copy is
// the first that can not be.
func replays(originals, copies []string, restarts []int) (wrong int, ok bool) {
	// For each place that is possible, the fewest restarts that lead there.
	at := map[place]int{{}: 0}
	for i, c := range copies {
		reached := make(map[place]int)
		reach := func(original, used int) {
			p := place{next: original + 1}
			switch {
			case original >= len(originals):
				return
			case originals[original] == c:
			case strings.HasPrefix(originals[original], c):
				p = place{original, true}
			default:
				return
			}
			if fewest, ok := reached[p]; !ok || used < fewest {
				reached[p] = used
			}
		}
		for p, used := range at {
			if !p.torn {
				reach(p.next, used)
			}
			for j := used; j < len(restarts); j++ {
				if restarts[j] <= p.next {
					reach(restarts[j], j+1)
				}
			}
		}
		if len(reached) == 0 {
			return i, false
		}
		at = reached
	}
	_, ok = at[place{next: len(originals)}]
	return len(copies), ok
}

func TestReplays(t *testing.T) {
	originals := strings.Fields("a1 b2 c3 d4")
	for _, c := range []struct {
		copies   string
		restarts []int
		want     bool
	}{
		{"a1 b2 c3 d4", nil, true},
		{"a1 b2 c3", nil, false},
		{"a1 b2 d4", nil, false},
		{"a1 b2 b2 c3 d4", nil, false},
		{"a1 c3 b2 d4", nil, false},
		{"a1 b2 c3 d4 d4", nil, false},
		{"a1 b2 b2 c3 d4", []int{1}, true},
		{"a1 b2 b2 b2 c3 d4", []int{1}, false},
		{"a1 b2 b2 b2 c3 d4", []int{1, 1}, true},
		{"a1 b2 a1 b2 c3 d4", []int{1}, false},         // further back than committed
		{"a1 c3 d4", []int{2}, false},                  // committed ahead of what was copied
		{"a1 b2 c3 b2 c3 d4", []int{0, 0, 1, 2}, true}, // not every restart shows
		{"a1 b2 c3 b2 a1 b2 c3 d4", []int{0, 1}, false},
		{"a1 b2 c a1 b2 c3 d4", []int{0}, true}, // torn
		{"a1 b2 c c3 d4", []int{2}, true},
		{"a1 b2 c c3 d4", nil, false},
		{"a1 b2 c3 d", []int{0}, false},
	} {
		_, got := replays(originals, strings.Fields(c.copies), c.restarts)
		assert.Equal(t, c.want, got, "%s %v", c.copies, c.restarts)
	}
	// A record that was sent twice looks the same at both places.
	_, ok := replays(strings.Fields("a b c a b c d"), strings.Fields("a b c a b c a b c d"), []int{0})
	assert.True(t, ok)
}
