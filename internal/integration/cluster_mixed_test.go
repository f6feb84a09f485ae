//go:build integration

package integration

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// A pipe carries lines of a file through a topic into another file, by a source
// and a sink, while the workers under them come and go.
type pipe struct {
	name, input, topic, output string
	given                      int
	safe                       int // of these, lines whose offsets are committed
	tap                        *os.File
}

// A plumbing is several pipes on a cluster, with lines running through.
type plumbing struct {
	t     testing.TB
	j     *joint
	pipes []*pipe

	stop context.CancelFunc
	done sync.WaitGroup
}

func newPlumbing(t testing.TB, j *joint, n int) *plumbing {
	t.Helper()
	p, dir := &plumbing{t: t, j: j}, t.TempDir()
	for i := range n {
		one := &pipe{name: unique(fmt.Sprintf("pipe-%d", i)), topic: unique("piped")}
		one.input, one.output = filepath.Join(dir, one.name+".in"), filepath.Join(dir, one.name+".out")
		makeTopic(t, j.bootstrap, one.topic, 1)
		var err error
		one.tap, err = os.Create(one.input)
		require.NoError(t, err)
		t.Cleanup(func() { one.tap.Close() })
		p.pipes = append(p.pipes, one)
	}
	return p
}

// names returns the names of all connectors.
func (p *plumbing) names() []string {
	var names []string
	for _, one := range p.pipes {
		names = append(names, one.name+"-source", one.name+"-sink")
	}
	return names
}

// lay creates the connectors.
func (p *plumbing) lay(at restPeer) {
	p.t.Helper()
	for _, one := range p.pipes {
		at.put(one.name+"-source", config.Props{"connector.class": fileSource, "file": one.input, "topic": one.topic, "tasks.max": "1"})
		at.put(one.name+"-sink", config.Props{"connector.class": fileSink, "topics": one.topic, "file": one.output, "tasks.max": "1"})
	}
}

// pour appends lines to all inputs until drain is called.
func (p *plumbing) pour() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	p.stop = cancel
	p.t.Cleanup(p.end)
	p.done.Go(func() {
		beat := time.NewTicker(10 * time.Millisecond)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
			}
			for _, one := range p.pipes {
				one.given++
				if _, err := fmt.Fprintf(one.tap, "line %d\n", one.given); err != nil {
					p.t.Error(err)
					return
				}
			}
		}
	})
}

func (p *plumbing) end() {
	p.stop()
	p.done.Wait()
}

// drain ends the pouring and returns how many lines came twice, in topics and in
// files, once all are there and committed.
func (p *plumbing) drain(at restPeer) (inTopics, inFiles int) {
	p.t.Helper()
	p.end()
	for _, one := range p.pipes {
		topic := p.await(one, "topic "+one.topic, func() []string { return p.topicLines(one.topic) })
		file := p.await(one, "file "+one.output, func() []string { return fileLines(p.t, one.output) })
		inTopics, inFiles = inTopics+len(topic)-one.given, inFiles+len(file)-one.given
		p.committed(at, one.name+"-source", "position", len(lines(1, one.given)))
		p.committed(at, one.name+"-sink", "kafka_offset", len(topic))
		one.safe = one.given
	}
	return inTopics, inFiles
}

// await waits until all lines of a pipe are there, and returns what is there.
func (p *plumbing) await(one *pipe, where string, look func() []string) (got []string) {
	p.t.Helper()
	counts := make(map[string]int)
	eventually(p.t, func() bool {
		clear(counts)
		got = look()
		for _, line := range got {
			counts[line]++
		}
		return len(counts) >= one.given
	}, "%d lines in %s", one.given, where)
	for i, line := range lineValues(1, one.given) {
		switch n := counts[line]; {
		case n == 0:
			assert.Fail(p.t, "a line is lost", "%s of %s", line, where)
		case n > 1 && i < one.safe:
			assert.Fail(p.t, "a line whose offset was committed comes again", "%s of %s", line, where)
		}
	}
	assert.Len(p.t, counts, one.given, "nothing else is in %s", where)
	return got
}

// committed waits until the only offset of a connector is as wanted.
func (p *plumbing) committed(at restPeer, name, key string, want int) {
	p.t.Helper()
	var body struct {
		Offsets []struct{ Offset map[string]int } `json:"offsets"`
	}
	eventually(p.t, func() bool {
		return at.call(http.MethodGet, "/connectors/"+name+"/offsets", nil, &body) == http.StatusOK &&
			len(body.Offsets) == 1 && body.Offsets[0].Offset[key] == want
	}, "%s to commit %s %d; it has %v", name, key, want, &body.Offsets)
}

// topicLines returns the values of a topic.
func (p *plumbing) topicLines(topic string) []string {
	p.t.Helper()
	var all []string
	for _, r := range everything(p.t, p.j.bootstrap, topic) {
		all = append(all, string(r.Value))
	}
	return all
}

// fileLines returns the lines of a file.
func fileLines(t testing.TB, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// A watch counts how connector instances move between workers.
type watch struct {
	p      *plumbing
	owners map[string]string // worker ids by connector
	moves  int
}

// settle waits until everything runs, on these workers alone and on each of them,
// and counts what has moved.
func (w *watch) settle(peers ...restPeer) {
	t := w.p.t
	t.Helper()
	var ids []string
	for _, p := range peers {
		ids = append(ids, p.id())
	}
	slices.Sort(ids)
	var owners map[string]string
	eventually(t, func() bool {
		owners = make(map[string]string)
		for _, name := range w.p.names() {
			s, known := peers[0].status(name)
			if !known || s.Connector.State != "RUNNING" || len(s.Tasks) != 1 || s.Tasks[0].State != "RUNNING" || !slices.Contains(ids, s.Tasks[0].Worker) {
				return false
			}
			owners[name] = s.Connector.Worker
		}
		var busy []string
		for _, id := range owners {
			busy = append(busy, id)
		}
		slices.Sort(busy)
		return slices.Equal(ids, slices.Compact(busy))
	}, "all connectors to run on the workers %v; they are at %v", ids, &owners)
	for name, id := range owners {
		if before := w.owners[name]; before != "" && before != id {
			w.moves++
		}
	}
	w.owners = owners
}

// A group of Java's workers and ours, each side leading once, under both
// cooperative protocols: instances move, and nothing of what the workers have
// agreed on is written anew; no line is lost.
func TestMixedCluster(t *testing.T) {
	j := newJoint(t, testenv.Kafka(t), nil)
	java := j.java()
	p := newPlumbing(t, j, 3)
	p.lay(java.restPeer)
	// A record that says nothing to anybody, but counts.
	require.NoError(t, j.client.ProduceSync(within(t), &kgo.Record{Topic: j.configs(), Key: []byte("foo-bar"), Value: []byte(`{"a":1}`)}).FirstErr())
	sets := j.taskSets()
	require.Len(t, sets, 2*len(p.names()))
	w := &watch{p: p}
	w.settle(java.restPeer)
	p.pour()

	var ours *goPeer
	for _, protocol := range []string{"sessioned", "compatible"} { // Java leads
		ours = j.ours(config.Props{"connect.protocol": protocol})
		j.awaitRound(protocol, java.restPeer, ours.restPeer)
		w.settle(java.restPeer, ours.restPeer)
		ours.leave()
		w.settle(java.restPeer)
	}
	ours = j.ours(nil)
	w.settle(java.restPeer, ours.restPeer)
	inTopics, inFiles := p.drain(ours.restPeer)
	assert.Zero(t, inTopics+inFiles, "while workers go in good order no line comes twice")
	assert.GreaterOrEqual(t, w.moves, 10)
	assert.Equal(t, sets, j.taskSets(), "%d moves, and not one new task set", w.moves)

	p.pour()
	java.Kill()
	w.settle(ours.restPeer)
	java.Start()
	w.moves = 0
	j.awaitRound("sessioned", ours.restPeer, java.restPeer)
	w.settle(ours.restPeer, java.restPeer)
	for _, protocol := range []string{"sessioned", "compatible"} { // ours leads
		third := j.ours(config.Props{"connect.protocol": protocol})
		j.awaitRound(protocol, ours.restPeer, java.restPeer, third.restPeer)
		w.settle(ours.restPeer, java.restPeer, third.restPeer)
		third.leave()
		w.settle(ours.restPeer, java.restPeer)
	}
	ours.abort()
	w.settle(java.restPeer)
	inTopics, inFiles = p.drain(java.restPeer)
	t.Logf("the deaths of two leaders: %d lines twice in topics, %d in files", inTopics, inFiles)
	assert.GreaterOrEqual(t, w.moves, 10)
	assert.Equal(t, sets, j.taskSets(), "%d moves, and not one new task set", w.moves)
}

// The same under the protocol that stops everything before each round. (A group
// that runs cooperatively cannot be moved to it while it is at work: Java's
// workers then go on with what they have, whomever it is assigned to.)
func TestMixedClusterWithEagerProtocol(t *testing.T) {
	j := newJoint(t, testenv.Kafka(t), config.Props{"connect.protocol": "eager"})
	ours := j.ours(nil)
	p := newPlumbing(t, j, 3)
	p.lay(ours.restPeer)
	sets := j.taskSets()
	w := &watch{p: p}
	w.settle(ours.restPeer)
	p.pour()
	java := j.java()
	j.awaitRound("default", ours.restPeer, java.restPeer)
	w.settle(ours.restPeer, java.restPeer)
	ours.leave()
	w.settle(java.restPeer)
	for _, protocol := range []string{"eager", "sessioned"} { // what ours offers
		ours = j.ours(config.Props{"connect.protocol": protocol})
		j.awaitRound("default", java.restPeer, ours.restPeer)
		w.settle(java.restPeer, ours.restPeer)
		ours.leave()
		w.settle(java.restPeer)
	}
	inTopics, inFiles := p.drain(java.restPeer)
	assert.Zero(t, inTopics+inFiles, "no line comes twice")
	assert.GreaterOrEqual(t, w.moves, 10)
	assert.Equal(t, sets, j.taskSets(), "%d moves, and not one new task set", w.moves)
}
