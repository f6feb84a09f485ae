package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
	"github.com/streamlane/connect/connecttest"
)

// A thing of the world. Two follow each other at one time at most.
type thing struct {
	ID int `json:"id"`
	At int `json:"at"`
}

// A world has things that come and go while they are read, and a server that fails now and then.
type world struct {
	mu      sync.Mutex
	rng     *rand.Rand
	things  []thing
	next    int
	size    int // of pages
	deletes int // things that may go between two requests
	frozen  bool
}

// grow has things come and go; the caller holds mu.
func (w *world) grow() {
	if w.frozen {
		return
	}
	for range w.rng.IntN(4) {
		w.next++
		w.things = append(w.things, thing{w.next, w.next / 2})
	}
	for range w.deletes {
		if len(w.things) > 0 && w.rng.IntN(2) == 0 {
			i := w.rng.IntN(len(w.things))
			w.things = slices.Delete(w.things, i, i+1)
		}
	}
}

// from is a page from an index on.
func (w *world) from(i int) []thing {
	i = min(i, len(w.things))
	return slices.Clone(w.things[i:min(i+w.size, len(w.things))])
}

// behind is the index of the first thing with a greater id.
func (w *world) behind(id int) int {
	i, _ := slices.BinarySearchFunc(w.things, id+1, func(t thing, id int) int { return t.ID - id })
	return i
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.grow()
	switch w.rng.IntN(20) {
	case 0:
		rw.WriteHeader(http.StatusBadGateway)
		return
	case 1:
		rw.Header().Set("Retry-After", "3")
		rw.WriteHeader(http.StatusTooManyRequests)
		return
	case 2:
		rw.Header().Set("Content-Length", "100")
		_, _ = fmt.Fprint(rw, "[1,")
		return
	}
	switch r.URL.Path {
	case "/all":
		writeJSON(rw, w.things)
	case "/page":
		writeJSON(rw, w.from((number64(r, "page", 1)-1)*w.size))
	case "/pages":
		page := number64(r, "page", 1)
		writeJSON(rw, map[string]any{"items": w.from((page - 1) * w.size), "more": page*w.size < len(w.things)})
	case "/offsets":
		from := number64(r, "offset", 0)
		writeJSON(rw, map[string]any{"items": w.from(from), "more": from+w.size < len(w.things)})
	case "/offset":
		writeJSON(rw, w.from(number64(r, "offset", 0)))
	case "/behind":
		writeJSON(rw, w.from(w.behind(number64(r, "id", 0))))
	case "/since":
		i, _ := slices.BinarySearchFunc(w.things, number64(r, "at", 0), func(t thing, at int) int { return t.At - at })
		i = max(0, min(i, number64(r, "skip", i)))
		writeJSON(rw, w.from(i+number64(r, "offset", 0)))
	default:
		w.cursor(rw, r)
	}
}

// cursor answers with a cursor that stands for the last id of the page, in every way that there is.
func (w *world) cursor(rw http.ResponseWriter, r *http.Request) {
	var q struct {
		Variables struct{ After *string }
	}
	after := number64(r, "cursor", 0)
	if json.NewDecoder(r.Body).Decode(&q) == nil && q.Variables.After != nil {
		after, _ = strconv.Atoi(*q.Variables.After)
	}
	i := w.behind(after)
	page := w.from(i)
	answer := map[string]any{"items": page, "info": map[string]any{"hasNextPage": false}}
	if i+len(page) < len(w.things) {
		last := strconv.Itoa(page[len(page)-1].ID)
		answer["next"], answer["url"], answer["info"] = last, "/cursor?cursor="+last, map[string]any{"hasNextPage": true, "endCursor": last}
		rw.Header().Set("Link", "</cursor?cursor="+last+`>; rel="next"`)
		rw.Header().Set("X-Next", last)
	}
	writeJSON(rw, answer)
}

// A claim is what a way from page to page promises.
type claim struct {
	props config.Props
	// deletes: of so many things between two requests, those that stay are all delivered.
	deletes int
	// twice: where things go, others may come again.
	twice bool
	// rounds: the order is that of each round.
	rounds bool
}

func claims() map[string]claim {
	keep := config.Props{"after.end": "continue"}
	cursor := func(p config.Props) config.Props { return keep.Merge(config.Props{"records.path": "/items"}).Merge(p) }
	window := config.Props{"dedup.window.records": "1000", "record.id.path": "/id"}
	link := cursor(config.Props{"path": "/cursor", "pagination": "link"})
	header := cursor(config.Props{"path": "/cursor", "pagination": "cursor", "pagination.header": "X-Next", "pagination.param": "cursor"})
	timestamp := config.Props{"path": "/since?at=${since}", "pagination": "timestamp", "since.format": "unix", "record.timestamp.path": "/at", "pagination.limit": "SIZE"}
	return map[string]claim{
		"all":                 {props: keep.Merge(config.Props{"path": "/all"})},
		"all, deletes":        {props: keep.Merge(config.Props{"path": "/all"}), deletes: 2, twice: true},
		"all again":           {props: window.Merge(config.Props{"path": "/all", "after.end": "restart"}), deletes: 2},
		"page":                {props: config.Props{"path": "/page?page=${page}", "pagination": "page", "pagination.limit": "SIZE"}},
		"page, more":          {props: config.Props{"path": "/pages", "pagination": "page", "pagination.param": "page", "records.path": "/items", "pagination.more.path": "/more"}},
		"page, from start":    {props: window.Merge(config.Props{"path": "/page", "pagination": "page", "pagination.param": "page", "after.end": "restart"}), rounds: true},
		"offset, more":        {props: config.Props{"path": "/offsets?offset=${offset}", "pagination": "offset", "records.path": "/items", "pagination.more.path": "/more"}},
		"offset":              {props: config.Props{"path": "/offset?offset=${offset}", "pagination": "offset"}},
		"offset, limit":       {props: config.Props{"path": "/offset?offset=${offset}", "pagination": "offset", "pagination.limit": "SIZE"}},
		"offset, overlap":     {props: window.Merge(config.Props{"path": "/offset?offset=${offset}", "pagination": "offset", "pagination.limit": "SIZE", "pagination.overlap": "2"})},
		"record":              {props: config.Props{"path": "/behind?id=${cursor}", "pagination": "record", "record.offset.path": "/id", "pagination.start": "0"}, deletes: 2, twice: true},
		"record, window":      {props: window.Merge(config.Props{"path": "/behind?id=${cursor}", "pagination": "record", "record.offset.path": "/id", "pagination.start": "0"}), deletes: 2},
		"timestamp":           {props: timestamp, deletes: 2},
		"timestamp, id":       {props: timestamp.Merge(config.Props{"record.id.path": "/id"}), deletes: 2},
		"since, all":          {props: config.Props{"path": "/since?at=${since}", "pagination": "offset", "pagination.param": "offset", "pagination.limit": "SIZE", "since.format": "unix", "record.timestamp.path": "/at", "since.overlap.ms": "2000"}},
		"cursor":              {props: cursor(config.Props{"path": "/cursor?cursor=${cursor}", "pagination": "cursor", "pagination.path": "/next"}), deletes: 2, twice: true},
		"cursor, window":      {props: cursor(config.Props{"path": "/cursor?cursor=${cursor}", "pagination": "cursor", "pagination.path": "/next"}).Merge(window), deletes: 2},
		"header":              {props: header},
		"link":                {props: link},
		"link, deletes":       {props: link, deletes: 3, twice: true},
		"link, window":        {props: link.Merge(window), deletes: 3},
		"next_url":            {props: cursor(config.Props{"path": "/cursor", "pagination": "next_url", "pagination.path": "$.url"})},
		"graphql":             {props: cursor(config.Props{"path": "/graphql", "pagination": "graphql", "pagination.path": "/info", "graphql.query": "q"})},
		"graphql, from start": {props: cursor(config.Props{"path": "/graphql", "pagination": "graphql", "pagination.path": "/info", "graphql.query": "q", "after.end": "restart"}).Merge(window), deletes: 2},
	}
}

// Whatever the sizes of pages, things that come and go, a server that fails, and crashes after any record: each thing that stays is delivered, in
// order, and once. Kafka's log is cut at the offset that was committed last, as transactions do; twice is said where the claim allows it.
func TestEachRecordIsDelivered(t *testing.T) {
	for name, c := range claims() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				synctest.Test(t, func(t *testing.T) { runWorld(t, c, seed) })
			}
		})
	}
}

func runWorld(t *testing.T, c claim, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := &world{rng: rand.New(rand.NewPCG(seed, 2)), size: 3 + rng.IntN(5), deletes: c.deletes}
	props := config.Props{"http.url": "http://a.test", "topic": "t", "value.form": "schemaless", "poll.interval.ms": "1000", "poll.max.records": strconv.Itoa(1 + rng.IntN(9))}.Merge(c.props)
	if props["pagination.limit"] == "SIZE" {
		props["pagination.limit"] = strconv.Itoa(w.size)
	}
	var conf Config
	require.NoError(t, config.Decode(props, &conf))
	network := httpkittest.Serve(t, w)
	var log []int
	var stored connect.SourceOffset
	for life := 0; ; life++ {
		last := life == 6
		w.mu.Lock()
		w.frozen = last
		w.mu.Unlock()
		records := oneLife(t, conf, network.Dial, stored, rng, last)
		kept := len(records)
		if !last && kept > 0 {
			kept = rng.IntN(kept + 1) // the crash: what is behind it was not committed
		}
		for _, rec := range records[:kept] {
			stored = rec.SourceOffset
			if !rec.OffsetOnly {
				id, _ := rec.Value.Value.Lookup("id")
				n, _ := id.Int()
				log = append(log, int(n))
			}
		}
		if last {
			break
		}
	}
	judge(t, c, w, log, seed)
}

// oneLife runs a task for some polls, or until nothing comes for a minute.
func oneLife(t *testing.T, c Config, dial httpkittest.Dial, stored connect.SourceOffset, rng *rand.Rand, all bool) []connect.SourceRecord {
	task, err := newTask(c, dialer(dial))
	require.NoError(t, err)
	offsets := map[connect.SourcePartition]connect.SourceOffset{}
	if stored != nil {
		offsets[partitionOf(defaultEndpoint)] = stored
	}
	require.NoError(t, task.Start(context.Background(), &connecttest.SourceContext{Stored: offsets}))
	var records []connect.SourceRecord
	came := time.Now()
	for polls := rng.IntN(12); all && time.Since(came) < 5*time.Minute || polls > 0; polls-- {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		batch, err := task.Poll(ctx)
		cancel()
		records = append(records, batch...)
		if len(batch) > 0 && !batch[len(batch)-1].OffsetOnly {
			came = time.Now()
		}
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		require.NoError(t, err)
	}
	require.NoError(t, task.Stop(context.Background()))
	return records
}

func judge(t *testing.T, c claim, w *world, log []int, seed uint64) {
	t.Helper()
	times := map[int]int{}
	first := 0
	for _, id := range log {
		times[id]++
		if times[id] == 1 && id < first && !c.rounds {
			t.Fatalf("seed %d: %d comes behind %d, in %v", seed, id, first, log)
		}
		first = max(first, id)
		if times[id] > 1 && !c.twice {
			t.Fatalf("seed %d: %d comes %d times, in %v", seed, id, times[id], log)
		}
	}
	for _, x := range w.things {
		if times[x.ID] == 0 {
			t.Fatalf("seed %d, pages of %d: %d is lost, in %v", seed, w.size, x.ID, log)
		}
	}
}
