//go:build integration

package cassandra

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// world is what the rows should be: records that insert, update and delete rows, and their result.
type world struct {
	rng  *rand.Rand
	n    int
	rows map[string]string
}

func newWorld() *world { return &world{rng: rand.New(rand.NewPCG(3, 4)), rows: map[string]string{}} }

// next makes records. A hundred have the same millisecond.
func (w *world) next(n int) []connect.Record {
	var records []connect.Record
	for range n {
		part, id := strconv.Itoa(w.rng.IntN(40)), w.rng.IntN(10)
		key := fmt.Sprint(part, " ", id)
		r := rec(object("part", part, "id", id), nil)
		if delete(w.rows, key); w.rng.IntN(8) > 0 {
			v := "value " + strconv.Itoa(w.n)
			r.Value.Value = object("v", v)
			w.rows[key] = key + " " + v
		}
		r.Timestamp = noon.Add(time.Duration(w.n/100) * time.Millisecond)
		w.n++
		records = append(records, r)
	}
	return records
}

func (w *world) want() []string {
	var rows []string
	for _, r := range w.rows {
		rows = append(rows, r)
	}
	return rows
}

const worldTable = "CREATE TABLE %s.w (part text, id int, v text, PRIMARY KEY (part, id))"

func (p *place) worldProps() config.Props {
	return config.Props{p.table("w") + "mapping": "part=key.part, id=key.id, v=value.v"}
}

// The node is killed while records flow, and comes back: nothing is lost, and the rows are what they should be.
func TestNodeIsKilledAndComesBack(t *testing.T) {
	p := newPlace(t)
	p.run(t, worldTable)
	w := newWorld()
	h := p.sink(t, p.worldProps().Merge(config.Props{"max.waiting.records": "2000"}))
	h.Produce(w.next(2000)...)
	h.Flush()
	h.Produce(w.next(3000)...)
	p.node.Kill(t)
	h.Produce(w.next(3000)...)
	committed := h.Committed()
	p.node.Restart(t)
	h.Produce(w.next(1000)...)
	h.Flush()
	p.connect(t)
	assert.ElementsMatch(t, w.want(), p.rows(t, "SELECT part, id, v FROM %s.w"))
	assert.Less(t, committed[connect.TopicPartition{Topic: "topic"}], int64(9000))
	t.Log("committed while the node was away:", committed)
}

// What is written again, from the first record on, changes nothing.
func TestReplayChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, worldTable)
	w := newWorld()
	h := p.sink(t, p.worldProps())
	all := w.next(3000)
	h.Produce(all...)
	h.Flush()
	want := p.rows(t, "SELECT part, id, v, writetime(v) FROM %s.w")
	assert.Len(t, want, len(w.rows))
	for _, again := range []string{"expelled", "restarted", "from the start"} {
		switch again {
		case "expelled":
			h.Expel()
		case "restarted":
			h.Restart()
		default: // another connector reads the topic from its start
			h = p.sink(t, p.worldProps())
			h.Produce(all...)
		}
		h.Flush()
		assert.Equal(t, want, p.rows(t, "SELECT part, id, v, writetime(v) FROM %s.w"), again)
	}
}

func TestNodesThatTimeOutAndAreOverloaded(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, worldTable)
	w := newWorld()
	x := newProxy(t, p.node.Addr())
	h := p.sink(t, p.worldProps().Merge(config.Props{
		"port": strconv.Itoa(x.port), "datastax-java-driver.advanced.protocol.version": "V4", "maxNumberOfRecordsInBatch": "4", "retry.backoff.max.ms": "50",
	}))
	h.Produce(w.next(100)...)
	h.Flush()
	x.overload.Store(15)
	x.timeout.Store(15)
	x.applied.Store(50)
	for range 5 {
		h.Produce(w.next(400)...)
		x.cut()
	}
	h.Flush()
	assert.ElementsMatch(t, w.want(), p.rows(t, "SELECT part, id, v FROM %s.w"))
	x.mu.Lock()
	defer x.mu.Unlock()
	assert.Greater(t, x.faked, 100, "faults happened")
	t.Log(x.faked, "writes failed on the way")
}

// Counters whose update may have happened are not counted twice: the record is reported.
func TestCountersAreNotCountedTwice(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.hits (page text PRIMARY KEY, n counter)")
	x := newProxy(t, p.node.Addr())
	h := p.sink(t, config.Props{
		p.table("hits") + "mapping": "page=key, n=value.n", "port": strconv.Itoa(x.port), "datastax-java-driver.advanced.protocol.version": "V4",
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1",
	})
	h.Produce(rec("p", object("n", 1)))
	h.Flush()
	x.overload.Store(20)
	x.timeout.Store(20)
	for range 199 {
		h.Produce(rec("p", object("n", 1)))
	}
	h.Flush()
	dead := len(h.Broker.Messages("dead"))
	assert.NotZero(t, dead)
	assert.Equal(t, []string{strconv.Itoa(200 - dead)}, p.rows(t, "SELECT n FROM %s.hits"), "those that timed out were never applied; all others were, once")
}

// A table is dropped and made again while records flow, with other columns; records wait for it.
func TestSchemaChangesUnderWay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.topic (key text PRIMARY KEY, a text, b text)")
	h := p.sink(t, config.Props{"keyspace": p.keyspace})
	h.Produce(rec("1", object("a", "A", "b", "B")))
	h.Flush()
	p.run(t, "DROP TABLE %s.topic")
	h.Produce(rec("2", object("a", "A", "b", "B")))
	p.awaitFailures(t, changed)
	p.run(t, "CREATE TABLE %s.topic (key text PRIMARY KEY, z int, a text, b text)")
	h.Produce(rec("3", object("a", "A", "b", "B", "z", 3)))
	h.Flush()
	assert.ElementsMatch(t, []string{"2 A B 0", "3 A B 3"}, p.rows(t, "SELECT key, a, b, z FROM %s.topic"))
	p.run(t, "ALTER TABLE %s.topic DROP z")
	h.Produce(rec("4", object("a", "A4", "b", "B")))
	h.Flush()
	assert.ElementsMatch(t, []string{"2 A B", "3 A B", "4 A4 B"}, p.rows(t, "SELECT key, a, b FROM %s.topic"))
	p.run(t, "ALTER TABLE %s.topic DROP b")
	h.Produce(rec("5", object("a", "A5", "b", "is lost?")))
	assert.Contains(t, h.AwaitFailure(), "the column is no longer there: b of "+p.keyspace+".topic")
}

// A mapping whose table stays away fails the task, which names the key.
func TestATableThatStaysAwayFailsTheTask(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.gone (key text PRIMARY KEY, a text)")
	h := p.sink(t, config.Props{p.table("gone") + "mapping": "key=key, a=value.a", "schema.agreement.timeout.ms": "1000"})
	h.Produce(rec("1", object("a", "A")))
	h.Flush()
	p.run(t, "DROP TABLE %s.gone")
	h.Produce(rec("2", object("a", "A")))
	assert.Contains(t, h.AwaitFailure(), "there is no such table: "+p.keyspace+".gone")
}

// awaitFailures waits until requests of the running task have failed.
func (p *place) awaitFailures(t *testing.T, c class) {
	t.Helper()
	require.Eventually(t, func() bool { return p.task.Load().stats.failure(c).Value() > 0 }, 30*time.Second, 10*time.Millisecond)
}
