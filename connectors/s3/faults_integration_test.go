//go:build integration

package s3

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/testenv"
)

// brisk tries again without long pauses.
var brisk = config.Props{"retry.backoff.ms": "5", "s3.retry.backoff.ms": "1", "s3.part.retries": "1", "s3.conditional.writes": "true"}

// noUploads looks for parts of uploads that were given up.
func (p *place) noUploads(t *testing.T) {
	t.Helper()
	uploads, err := p.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &p.bucket})
	require.NoError(t, err)
	assert.Empty(t, uploads.Uploads, "uploads that came to nothing are aborted")
}

// The store answers with errors, or not at all, before and after it has done what it was asked; the consumer is thrown out, the worker restarts: each
// record is there once.
func TestEachRecordOnceFromAStoreThatMisbehaves(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := newPlace(t, testenv.S3(t))
			g := newGateway(t, p.server.URL)
			h := connecttest.Sink(t, Plugins()[0], p.props().Merge(brisk).Merge(config.Props{
				"store.url": g.URL, "flush.size": "7", "partitioner.class": "FieldPartitioner", "partition.field.name": "f", "rotate.idle.interval.ms": "20",
				"store.kafka.keys": "true", "keys.format.class": "JsonFormat",
			}))
			r := rand.New(rand.NewPCG(seed, 1))
			g.decide(func(int, *http.Request) fate {
				if r.IntN(3) > 0 {
					return delivered
				}
				return fate(1 + r.IntN(4))
			})
			n := 0
			for round := range 6 {
				for range 40 {
					h.Produce(row(n))
					n++
				}
				switch round {
				case 1, 3:
					h.Expel()
				case 2:
					h.Restart()
				case 4:
					h.Flush()
				}
			}
			h.Flush()
			assert.Equal(t, upTo(n), p.numbers(t))
			t.Logf("%d records in %d objects by %d requests", n, len(p.keys(t)), g.count())
		})
	}
}

// bulky makes a record of 200 kB that does not compress into nothing.
func bulky(n int) connect.Record {
	pad := make([]byte, 0, 200_000)
	r := rand.New(rand.NewPCG(uint64(n), 2))
	for len(pad) < cap(pad) {
		pad = append(pad, 'a'+byte(r.IntN(26)))
	}
	return connect.Record{Value: connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("n"), Value: data.Int64(int64(n))}, data.Pair{Key: data.String("pad"), Value: data.String(string(pad))})}}
}

// Objects in several parts are whole or not there, and what is given up leaves no parts behind.
func TestPartsOfAStoreThatMisbehaves(t *testing.T) {
	p := newPlace(t, testenv.S3(t))
	g := newGateway(t, p.server.URL)
	r := rand.New(rand.NewPCG(3, 3))
	g.decide(func(_ int, req *http.Request) fate {
		if r.IntN(4) > 0 || req.Method == http.MethodDelete {
			return delivered // what cannot be aborted stays, for a life-cycle rule
		}
		if req.URL.Query().Has("uploads") && req.Method == http.MethodPost {
			return fate(1 + r.IntN(3)) // the id of an upload whose answer is lost is not known to anybody
		}
		return fate(1 + r.IntN(4))
	})
	h := connecttest.Sink(t, Plugins()[0], p.props().Merge(brisk).Merge(config.Props{
		"store.url": g.URL, "flush.size": "60", "s3.part.size": "5242880", "memory.bytes": "4194304", "temp.dir": t.TempDir(),
	}))
	const n = 240
	for i := range n {
		h.Produce(bulky(i))
	}
	h.Flush()
	assert.Equal(t, upTo(n), p.numbers(t))
	p.noUploads(t)
	parts, ends := 0, 0
	for _, s := range g.find(http.MethodPut, ".json") {
		if strings.Contains(s.query, "partNumber=") {
			parts++
		}
	}
	for _, s := range g.find(http.MethodPost, ".json") {
		if strings.Contains(s.query, "uploadId=") {
			assert.Equal(t, "*", s.header.Get("If-None-Match"), "the object is created conditionally")
			ends++
		}
	}
	assert.GreaterOrEqual(t, parts, 3*n/60, "parts are uploaded, and again")
	assert.GreaterOrEqual(t, ends, n/60)
}

// A hand drives a task of the sink as the engine does: it gives it records from an offset on, goes back when asked to, and commits.
type hand struct {
	t    *testing.T
	task *objectstore.Task
	ctx  *connecttest.SinkContext
	next int64
	end  context.CancelFunc
}

var hands = connect.TopicPartition{Topic: "t"}

func (p *place) hand(t *testing.T, more config.Props, from int64) *hand {
	t.Helper()
	task, err := newTask(TaskConfig{Config: p.config(t, config.Props(brisk).Merge(more)), Name: "c"})
	require.NoError(t, err)
	h := &hand{t: t, task: task, ctx: &connecttest.SinkContext{Assigned: []connect.TopicPartition{hands}}, next: from}
	life, end := context.WithCancel(t.Context())
	h.end = end
	t.Cleanup(h.crash)
	require.NoError(t, task.Start(life, h.ctx))
	require.NoError(t, task.Open(life, []connect.TopicPartition{hands}))
	return h
}

// crash ends the task without a word.
func (h *hand) crash() {
	h.end()
	assert.NoError(h.t, h.task.Stop(context.WithoutCancel(h.t.Context())))
}

// put gives the task the next records, up to last.
func (h *hand) put(count, last int) {
	if at, ok := h.ctx.TakeRewinds()[hands]; ok {
		h.next = at
	}
	var batch []connect.SinkRecord
	for ; count > 0 && h.next < int64(last) && !h.ctx.Paused(hands); count-- {
		r := connect.SinkRecord{Record: row(int(h.next)), Origin: connect.Origin{TopicPartition: hands, Offset: h.next}}
		r.Topic = hands.Topic
		batch = append(batch, r)
		h.next++
	}
	require.NoError(h.t, h.task.Put(h.t.Context(), batch))
}

// commit returns the offset that may be committed.
func (h *hand) commit() int64 { return h.commitWithin(time.Minute) }

// commitWithin waits no longer than d for files that are on their way.
func (h *hand) commitWithin(d time.Duration) int64 {
	ctx, cancel := context.WithTimeout(h.t.Context(), d)
	defer cancel()
	if at, ok := h.ctx.TakeRewinds()[hands]; ok {
		h.next = at
	}
	agreed, err := h.task.PreCommit(ctx, connect.Offsets{hands: h.next})
	require.NoError(h.t, err)
	return agreed[hands]
}

// finish goes on to the last record.
func (h *hand) finish(last int) {
	deadline := time.Now().Add(20 * time.Second)
	for committed := int64(0); committed < int64(last); committed = max(committed, h.commit()) {
		h.put(last, last)
		require.True(h.t, time.Now().Before(deadline), "committed %d of %d", committed, last)
	}
}

// Tasks that have lost their partition and do not know it write on beside the new owner, each with triggers of its own.
func TestZombiesDoNoHarm(t *testing.T) {
	const n = 300
	r := rand.New(rand.NewPCG(7, 7))
	p := newPlace(t, testenv.S3(t))
	var all []*hand
	committed := int64(0)
	for owner := range 8 {
		h := p.hand(t, config.Props{"flush.size": fmt.Sprint(1 + r.IntN(17)), "s3.part.retries": "0", "partitioner.class": "FieldPartitioner", "partition.field.name": "f", "rotate.idle.interval.ms": "10",
			"store.kafka.keys": "true", "keys.format.class": "JsonFormat"}, committed)
		all = append(all, h)
		for rounds := 0; rounds < 300 && committed < int64((owner+1)*n/9); rounds++ {
			for _, x := range all { // all of them at once
				x.put(1+r.IntN(9), n)
				if r.IntN(2) == 0 {
					x.commitWithin(2 * time.Millisecond) // to Kafka, which does not hear a zombie
				}
			}
			committed = max(committed, h.commitWithin(5*time.Millisecond))
		}
		t.Logf("owner %d: %d committed", owner, committed)
	}
	all[len(all)-1].finish(n)
	assert.Equal(t, upTo(n), p.numbers(t))
}

// A process that ends at any request, before the store has done it or after, leaves the store so that the next one goes on well.
func TestCrashAtEveryRequest(t *testing.T) {
	for name, how := range map[string]fate{"before": cutBefore, "after": cutAfter} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for the store
			crashes := 0
			for crashAt(t, how, crashes) {
				crashes++
			}
			t.Logf("%d crashes", crashes)
			assert.Greater(t, crashes, 15)
		})
	}
}

// crashAt has a process end at a request, and another go on. It returns false if the process needs no more requests than that.
func crashAt(t *testing.T, how fate, at int) bool {
	const n = 24
	props := config.Props{"flush.size": "8", "partitioner.class": "FieldPartitioner", "partition.field.name": "f", "store.kafka.keys": "true", "keys.format.class": "JsonFormat", "rotate.idle.interval.ms": "5"}
	p := newPlace(t, testenv.S3(t))
	g := newGateway(t, p.server.URL)
	defer g.Close()
	dead := make(chan struct{})
	g.decide(func(k int, _ *http.Request) fate {
		switch {
		case k < at:
			return delivered
		case k == at:
			close(dead)
			return how
		}
		return cutBefore // it is dead
	})
	first := p.hand(t, props.Merge(config.Props{"store.url": g.URL}), 0)
	committed, alive := int64(0), true
	for alive && committed < n {
		first.put(5, n)
		if first.next == n {
			committed = max(committed, first.commitWithin(20*time.Millisecond))
		}
		select {
		case <-dead:
			alive = false
		default:
		}
	}
	first.crash()
	if alive {
		return false
	}
	next := p.hand(t, props.Merge(config.Props{"flush.size": "4"}), committed)
	next.finish(n)
	next.crash()
	require.Equal(t, upTo(n), p.numbers(t), "at request %d, after %d were committed", at, committed)
	return true
}

// A store that takes no notice of conditions is found out when the task starts, which says so. Objects have the same names when they are written
// again.
func TestStoreWithoutConditions(t *testing.T) {
	p := newPlace(t, testenv.Moto(t))
	g := newGateway(t, p.server.URL)
	g.strip = "If-None-Match"
	var log bytes.Buffer
	props := config.Props{"store.url": g.URL, "flush.size": "5", "s3.conditional.writes": "auto"}
	write := func(from int64) *hand {
		h := &hand{t: t, next: from, ctx: &connecttest.SinkContext{Assigned: []connect.TopicPartition{hands}, Log: slog.New(slog.NewTextHandler(&log, nil))}}
		var err error
		h.task, err = newTask(TaskConfig{Config: p.config(t, brisk.Merge(props)), Name: "c"})
		require.NoError(t, err)
		life, end := context.WithCancel(t.Context())
		h.end = end
		require.NoError(t, h.task.Start(life, h.ctx))
		require.NoError(t, h.task.Open(life, []connect.TopicPartition{hands}))
		h.finish(20)
		h.crash()
		return h
	}
	write(0)
	assert.Contains(t, log.String(), "the store cannot create objects conditionally")
	before := p.keys(t)
	assert.Equal(t, []string{"topics/t/partition=0/t+0+0000000000.json", "topics/t/partition=0/t+0+0000000005.json", "topics/t/partition=0/t+0+0000000010.json", "topics/t/partition=0/t+0+0000000015.json"}, before)
	write(5)
	write(0)
	assert.Equal(t, before, p.keys(t))
	assert.Equal(t, upTo(20), p.numbers(t))
	assert.Empty(t, g.find(http.MethodGet, "_connect-probe"))
}
