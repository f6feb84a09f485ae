package http

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// items are what the servers of these tests have.
func items(n int) []map[string]any {
	all := make([]map[string]any, n)
	for i := range all {
		all[i] = map[string]any{"id": i + 1, "name": fmt.Sprint("item ", i+1), "at": time.Unix(1_700_000_000+int64(i/3), 0).UTC().Format(time.RFC3339)}
	}
	return all
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // to a client of the test
}

func number64(r *http.Request, name string, or int) int {
	n, err := strconv.Atoi(r.FormValue(name))
	if err != nil {
		return or
	}
	return n
}

// api pages through items in every way.
func api(all []map[string]any, size int) http.Handler {
	mux := http.NewServeMux()
	part := func(from int) []map[string]any { return all[min(from, len(all)):min(from+size, len(all))] }
	mux.HandleFunc("/all", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, all) })
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, part((number64(r, "page", 1)-1)*size)) })
	mux.HandleFunc("/pages", func(w http.ResponseWriter, r *http.Request) {
		page := number64(r, "page", 1)
		writeJSON(w, map[string]any{"items": part((page - 1) * size), "more": page*size < len(all)})
	})
	mux.HandleFunc("/offset", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, map[string]any{"items": part(number64(r, "offset", 0))})
	})
	mux.HandleFunc("/cursor", func(w http.ResponseWriter, r *http.Request) {
		from := number64(r, "cursor", 0)
		page := map[string]any{"items": part(from)}
		if from+size < len(all) {
			page["next"] = strconv.Itoa(from + size)
			w.Header().Set("X-Next", strconv.Itoa(from+size))
			w.Header().Set("Link", fmt.Sprintf(`</cursor?cursor=0>; rel="first", </cursor?cursor=%d&x=a,b>; rel="next"; title="a, b"`, from+size))
			page["url"] = fmt.Sprintf("/cursor?cursor=%d", from+size)
		}
		writeJSON(w, page)
	})
	mux.HandleFunc("/record", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, part(number64(r, "after", 0))) })
	mux.HandleFunc("/since", func(w http.ResponseWriter, r *http.Request) {
		var page []map[string]any
		for _, x := range all {
			if x["at"].(string) >= r.FormValue("since") && len(page) < size {
				page = append(page, x)
			}
		}
		writeJSON(w, page)
	})
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Variables struct{ After *string }
		}
		_ = json.NewDecoder(r.Body).Decode(&q)
		from := 0
		if q.Variables.After != nil {
			from, _ = strconv.Atoi(*q.Variables.After)
		}
		writeJSON(w, map[string]any{"data": map[string]any{"items": map[string]any{"nodes": part(from),
			"pageInfo": map[string]any{"endCursor": strconv.Itoa(from + size), "hasNextPage": from+size < len(all)}}}})
	})
	return mux
}

// ways are configurations for api with a page size of 4.
var ways = map[string]config.Props{
	"none":             {"path": "/all"},
	"page":             {"path": "/page", "pagination": "page", "pagination.param": "page", "pagination.limit": "4"},
	"page, more":       {"path": "/pages?page=${page}", "pagination": "page", "pagination.more.path": "/more", "records.path": "/items"},
	"offset":           {"path": "/offset", "pagination": "offset", "pagination.param": "offset", "pagination.limit": "4", "records.path": "/items"},
	"overlap":          {"path": "/offset", "pagination": "offset", "pagination.param": "offset", "pagination.limit": "4", "records.path": "$.items", "pagination.overlap": "2", "dedup.window.records": "8"},
	"cursor":           {"path": "/cursor?cursor=${cursor}", "pagination": "cursor", "pagination.path": "/next", "records.path": "$.items"},
	"header":           {"path": "/cursor", "pagination": "cursor", "pagination.header": "X-Next", "pagination.param": "cursor", "records.path": "/items"},
	"link":             {"path": "/cursor", "pagination": "link", "records.path": "/items"},
	"next_url":         {"path": "/cursor", "pagination": "next_url", "pagination.path": "/url", "records.path": "/items"},
	"record":           {"path": "/record?after=${cursor}", "pagination": "record", "record.offset.path": "/id"},
	"timestamp":        {"path": "/since", "pagination": "timestamp", "since.param": "since", "record.timestamp.path": "/at", "pagination.limit": "4", "record.id.path": "/id"},
	"timestamp, no id": {"path": "/since?since=${since}", "pagination": "timestamp", "record.timestamp.path": "/at", "pagination.limit": "4"},
	"graphql":          {"path": "/graphql", "pagination": "graphql", "pagination.path": "/data/items/pageInfo", "records.path": "/data/items/nodes", "graphql.query": "query($after: String) { items(after: $after) { nodes { id } } }"},
}

func TestConformance(t *testing.T) {
	server := httptest.NewServer(api(items(23), 4))
	defer server.Close()
	full := config.Props{"http.url": "http://a.test", "endpoints": "a,b", "topic": "t", "endpoint.a.path": "/a", "endpoint.b.pagination": "page", "endpoint.b.pagination.limit": "4", "auth.type": "bearer", "auth.token": "x", "validate.requests": "false"}
	connecttest.TestPlugin(t, Plugin(), config.Props{"http.url": "http://a.test", "topic": "t", "validate.requests": "false"}, full)
	for name, props := range ways {
		t.Run(name, func(t *testing.T) {
			connecttest.TestSourceTask(t, Plugin(), connecttest.SourceOptions{
				Records: 23,
				Props:   props.Merge(config.Props{"http.url": server.URL, "topic": "t", "after.end": "continue", "poll.max.records": "3", "record.key.path": "/id"}),
			})
		})
	}
}

// Each way reads all records once, in order, over restarts after every record.
func TestEveryRecordOnce(t *testing.T) {
	server := httptest.NewServer(api(items(23), 4))
	defer server.Close()
	for name, props := range ways {
		t.Run(name, func(t *testing.T) {
			h := connecttest.Source(t, Plugin(), props.Merge(config.Props{"http.url": server.URL, "topic": "t", "after.end": "stop", "poll.max.records": "1", "value.form": "schemaless"}))
			for i := range 23 {
				rec := h.Next(1)[0]
				id, _ := rec.Value.Value.Lookup("id")
				n, _ := id.Int()
				require.Equal(t, int64(i+1), n, "offset %s", rec.SourceOffset)
				if i%5 == 2 {
					h.Restart()
				}
			}
		})
	}
}

// Three endpoints on two tasks, over a restart: each is read once.
func TestEndpointsOverTasks(t *testing.T) {
	server := httptest.NewServer(api(items(10), 4))
	defer server.Close()
	h := connecttest.Source(t, Plugin(), config.Props{"http.url": server.URL, "topic": "t.${endpoint}", "tasks.max": "2", "endpoints": "a,b,c", "after.end": "stop",
		"value.form": "string", "record.key.path": "/id", "poll.max.records": "1", "endpoint.a.path": "/all", "endpoint.b.path": "/page", "endpoint.b.pagination": "page", "endpoint.b.pagination.param": "page", "endpoint.b.pagination.limit": "4",
		"endpoint.c.path": "/record?after=${cursor}", "endpoint.c.pagination": "record", "endpoint.c.record.offset.path": "/id", "endpoint.c.topic": "own"})
	last := map[string]int64{}
	take := func(n int) {
		for _, rec := range h.Next(n) {
			id, _ := rec.Key.Value.Int()
			require.Equal(t, last[rec.Topic]+1, id, "%s", rec.Topic)
			last[rec.Topic] = id
		}
	}
	take(13)
	h.Restart()
	take(17)
	require.Equal(t, map[string]int64{"t.a": 10, "t.b": 10, "own": 10}, last)
}

// The connectors say that they can be exactly once, for when a worker is.
func TestExactlyOnceIsDeclared(t *testing.T) {
	supported, boundaries := (&connector{}).ExactlyOnce()
	assert.True(t, supported)
	assert.False(t, boundaries)
	var c any = &connector{}
	_, ok := c.(connect.ExactlyOnce)
	assert.True(t, ok)
}
