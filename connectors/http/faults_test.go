package http

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
	"github.com/streamlane/connect/connecttest"
)

// rig is a task in a bubble, driven by hand.
type rig struct {
	t    testing.TB
	task *task
}

// inBubble starts a task against a handler, in a bubble of fake time.
func inBubble(t *testing.T, props config.Props, stored connect.SourceOffset, h http.Handler, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, props, stored, h)
		f(r)
		require.NoError(t, r.task.Stop(context.Background()))
	})
}

func start(t testing.TB, props config.Props, stored connect.SourceOffset, h http.Handler) *rig {
	t.Helper()
	var c Config
	require.NoError(t, config.Decode(config.Props{"http.url": "http://a.test", "topic": "t", "value.form": "string", "poll.interval.ms": "60000"}.Merge(props), &c))
	task, err := newTask(c, httpkittest.Serve(t, h).Dial)
	require.NoError(t, err)
	offsets := map[connect.SourcePartition]connect.SourceOffset{}
	if stored != nil {
		offsets[partitionOf(defaultEndpoint)] = stored
	}
	require.NoError(t, task.Start(context.Background(), &connecttest.SourceContext{Stored: offsets}))
	return &rig{t, task}
}

// poll returns the next records as text.
func (r *rig) poll() []string {
	r.t.Helper()
	for {
		records, err := r.task.Poll(context.Background())
		require.NoError(r.t, err)
		if found := texts(records); len(found) > 0 {
			return found
		}
	}
}

// fails returns the error of the next records, or of the poll.
func (r *rig) fails() error {
	for {
		records, err := r.task.Poll(context.Background())
		for _, rec := range records {
			err = errors.Join(err, rec.Err)
		}
		if err != nil || len(texts(records)) > 0 {
			return err
		}
	}
}

func texts(records []connect.SourceRecord) []string {
	var out []string
	for _, rec := range records {
		if rec.OffsetOnly {
			continue
		}
		text, ok := rec.Value.Value.Str()
		if b, isBytes := rec.Value.Value.Bytes(); !ok && isBytes {
			text = rec.Topic + ":" + string(b)
		}
		out = append(out, text)
	}
	return out
}

func answer(texts ...string) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, _ *http.Request) {
		text := texts[min(n, len(texts)-1)]
		n++
		_, _ = fmt.Fprint(w, text)
	}
}

// What a gateway says in place of the server, once, costs a retry and no record.
func TestFaults(t *testing.T) {
	html := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<html>Sorry</html>")
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 10<<20)) // to memory
	require.NoError(t, z.Close())
	for name, fault := range map[string]func(w http.ResponseWriter){
		"429":             func(w http.ResponseWriter) { w.WriteHeader(429) },
		"500":             func(w http.ResponseWriter) { w.WriteHeader(500) },
		"503":             func(w http.ResponseWriter) { w.Header().Set("Retry-After", "30"); w.WriteHeader(503) },
		"HTML with 200":   html,
		"invalid UTF-8":   func(w http.ResponseWriter) { _, _ = w.Write([]byte("[\"\xff\"]")) },
		"half a document": func(w http.ResponseWriter) { _, _ = fmt.Fprint(w, `[{"a":1},`) },
		"cut": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			_, _ = fmt.Fprint(w, `[1,`)
		},
		"bad gzip": func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); _, _ = fmt.Fprint(w, "plain") },
		"no path":  func(w http.ResponseWriter) { _, _ = fmt.Fprint(w, `{"other":1}`) },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			inBubble(t, config.Props{"records.path": "/x"}, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if n++; n == 1 {
					fault(w)
					return
				}
				_, _ = fmt.Fprint(w, `{"x":[1,2]}`)
			}), func(r *rig) { assert.Equal(t, []string{"1", "2"}, r.poll()) })
		})
	}
	t.Run("gzip bomb", func(t *testing.T) {
		inBubble(t, config.Props{"http.response.max.bytes": "100000"}, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}), func(r *rig) {
			_, err := r.task.Poll(context.Background())
			require.ErrorContains(t, err, "http.response.max.bytes")
		})
	})
}

func TestErrorsMode(t *testing.T) {
	for _, c := range []struct {
		mode, text string
		want       []string
		err        string
	}{
		{"fail", "1\nbad\n3\n", nil, "record 2"},
		{"skip", "1\nbad\n3\n", []string{"1", "3"}, ""},
		{"dead_letter", "1\nbad\n3\n", []string{"1", "dead:bad", "3"}, ""},
		{"dead_letter", "1\n\"\xff\"\n3\n", []string{"1", "dead:\"\xff\"", "3"}, ""},
	} {
		t.Run(c.mode, func(t *testing.T) {
			inBubble(t, config.Props{"response.format": "ndjson", "errors.mode": c.mode, "errors.topic": "dead"}, nil, answer(c.text), func(r *rig) {
				records, err := r.task.Poll(context.Background())
				if c.err != "" {
					require.ErrorContains(t, err, c.err)
					assert.Equal(t, []string{"1"}, texts(records), "what came before it")
					return
				}
				require.NoError(t, err)
				assert.Equal(t, c.want, texts(records))
			})
		})
	}
	t.Run("the last record", func(t *testing.T) { // goes on behind the one before it
		inBubble(t, config.Props{"response.format": "ndjson", "errors.mode": "skip", "path": "?c=${cursor}", "pagination": "record", "record.offset.path": "/id"}, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, map[string]string{"": "{\"id\":1}\nbad\n", "1": "bad\n{\"id\":2}\n"}[r.FormValue("c")])
		}), func(r *rig) {
			assert.Equal(t, []string{`{"id":1}`}, r.poll())
			assert.Equal(t, []string{`{"id":2}`}, r.poll())
		})
	})
	t.Run("whole response", func(t *testing.T) {
		inBubble(t, config.Props{"errors.mode": "dead_letter", "errors.topic": "dead", "retry.max.attempts": "2"}, nil, answer("<p>", "<p>", "[1]"), func(r *rig) {
			assert.Equal(t, []string{"dead:<p>"}, r.poll())
			assert.Equal(t, []string{"1"}, r.poll())
		})
	})
	t.Run("skip.codes", func(t *testing.T) {
		n := 0
		inBubble(t, config.Props{"skip.codes": "404"}, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 {
				w.WriteHeader(404)
				return
			}
			_, _ = fmt.Fprint(w, "[1]")
		}), func(r *rig) {
			began := time.Now()
			assert.Equal(t, []string{"1"}, r.poll())
			assert.Equal(t, time.Minute, time.Since(began), "the interval")
		})
	})
}

func TestGraphQLErrors(t *testing.T) {
	props := config.Props{"graphql.query": "{ a }", "records.path": "/data/a"}
	inBubble(t, props, nil, answer(`{"data":null,"errors":[{"message":"slow down","extensions":{"code":"THROTTLED"}}]}`, `{"data":{"a":[1]}}`), func(r *rig) {
		assert.Equal(t, []string{"1"}, r.poll())
	})
	inBubble(t, props, nil, answer(`{"data":{"a":[1]},"errors":[{"message":"no field b"}]}`), func(r *rig) {
		require.ErrorContains(t, r.fails(), "no field b")
	})
}

// Records that are inserted or deleted between pages and rounds.
func TestChangedPages(t *testing.T) {
	t.Run("deleted before the position", func(t *testing.T) {
		inBubble(t, config.Props{"after.end": "continue"}, nil, answer(`[1,2,3]`, `[2,3,4]`, `[3,4]`, `[4,5]`), func(r *rig) {
			assert.Equal(t, []string{"1", "2", "3"}, r.poll())
			assert.Equal(t, []string{"4"}, r.poll())
			assert.Equal(t, []string{"5"}, r.poll())
		})
	})
	t.Run("the last one deleted", func(t *testing.T) {
		inBubble(t, config.Props{"after.end": "continue"}, nil, answer(`[1,2]`, `[1,3]`), func(r *rig) {
			assert.Equal(t, []string{"1", "2"}, r.poll())
			assert.Equal(t, []string{"1", "3"}, r.poll(), "twice rather than lost")
		})
	})
	t.Run("deleted between pages", func(t *testing.T) {
		list := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}
		inBubble(t, config.Props{"path": "?o=${offset}", "pagination": "offset", "pagination.limit": "4", "pagination.overlap": "2", "dedup.window.records": "100", "after.end": "stop"}, nil,
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				from := min(number64(r, "o", 0), len(list))
				writeJSON(w, list[from:min(from+4, len(list))])
				if from == 0 {
					list = list[2:] // 1 and 2 are gone: 5 would be jumped over without the overlap
				}
			}), func(r *rig) {
				var all []string
				for {
					records, err := r.task.Poll(context.Background())
					all = append(all, texts(records)...)
					if err != nil {
						require.ErrorIs(t, err, connect.ErrDone)
						break
					}
				}
				assert.Equal(t, strings.Fields("1 2 3 4 5 6 7 8 9"), all)
			})
	})
}

// The next round asks from the newest time less the overlap, and leaves out what it has had, also what is alike in all.
func TestSinceOverlap(t *testing.T) {
	var asked []string
	rounds := []string{
		`[{"at":"2026-01-01T00:00:00Z","v":1},{"at":"2026-01-01T00:00:05Z","v":2},{"at":"2026-01-01T00:00:05Z","v":2}]`,
		`[{"at":"2026-01-01T00:00:04Z","v":3},{"at":"2026-01-01T00:00:05Z","v":2},{"at":"2026-01-01T00:00:05Z","v":2},{"at":"2026-01-01T00:00:05Z","v":2}]`,
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("since"))
		_, _ = fmt.Fprint(w, rounds[min(len(asked), len(rounds))-1])
	})
	props := config.Props{"since.param": "since", "since.overlap.ms": "2000", "record.timestamp.path": "/at", "since.initial": "2025-12-31T00:00:00Z"}
	var stored connect.SourceOffset
	inBubble(t, props, nil, h, func(r *rig) {
		records, err := r.task.Poll(context.Background())
		require.NoError(t, err)
		require.Len(t, records, 3)
		stored = records[2].SourceOffset
	})
	inBubble(t, props, stored, h, func(r *rig) {
		assert.Equal(t, []string{`{"at":"2026-01-01T00:00:04Z","v":3}`, `{"at":"2026-01-01T00:00:05Z","v":2}`}, r.poll(), "the late one, and the third of three")
	})
	assert.Equal(t, []string{"2025-12-31T00:00:00Z", "2026-01-01T00:00:03Z"}, asked)
}

func TestETag(t *testing.T) {
	var asked []string
	n := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		asked = append(asked, r.Header.Get("If-None-Match"))
		tag := `"a"`
		if n > 2 {
			tag = `"b"`
		}
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = fmt.Fprint(w, "[", n, "]")
	})
	inBubble(t, nil, nil, h, func(r *rig) {
		assert.Equal(t, []string{"1"}, r.poll())
		assert.Equal(t, []string{"3"}, r.poll())
	})
	assert.Equal(t, []string{"", `"a"`, `"a"`}, asked)
}

// A page that is as it was may have got a next one, where that stands in a header: it is asked for without condition.
func TestETagDoesNotHideNextPages(t *testing.T) {
	more := false
	inBubble(t, config.Props{"pagination": "link", "after.end": "continue"}, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			w.Header().Set("ETag", `"same"`)
			if more {
				w.Header().Set("Link", "<?p=2>; rel=next")
			}
			if more = true; r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			_, _ = fmt.Fprint(w, "[1]")
			return
		}
		_, _ = fmt.Fprint(w, "[2]")
	}), func(r *rig) {
		assert.Equal(t, []string{"1"}, r.poll())
		assert.Equal(t, []string{"2"}, r.poll())
	})
}

// A server that has a next page always is not asked without pause.
func TestAlwaysANextPage(t *testing.T) {
	n := 0
	inBubble(t, config.Props{"path": "?c=${cursor}", "pagination": "cursor", "pagination.path": "/next", "records.path": "/items", "records.optional": "true"}, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		if n == 100 {
			_, _ = fmt.Fprint(w, `{"items":[1],"next":"last"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"next":"c%d"}`, n)
	}), func(r *rig) {
		began := time.Now()
		assert.Equal(t, []string{"1"}, r.poll())
		assert.Equal(t, (100-1-maxEmpty)*time.Minute, time.Since(began), "three at once, then one each interval")
	})
}

func TestRecordsOptional(t *testing.T) {
	for path, text := range map[string]string{"/items": `{}`, "$.items": `{"other":1}`, "$.items[*]": `{}`} {
		inBubble(t, config.Props{"records.path": path, "records.optional": "true"}, nil, answer(text, `{"items":[1]}`), func(r *rig) { assert.Equal(t, []string{"1"}, r.poll(), path) })
		inBubble(t, config.Props{"records.path": path, "retry.max.attempts": "1"}, nil, answer(text), func(r *rig) {
			assert.ErrorContains(t, r.fails(), "nothing is at "+path)
		})
	}
	inBubble(t, config.Props{"records.path": "$.items[*]"}, nil, answer(`{"items":[]}`, `{"items":[1]}`), func(r *rig) { assert.Equal(t, []string{"1"}, r.poll()) })
}

func TestIntervals(t *testing.T) {
	var at []time.Time
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at = append(at, time.Now())
		api(items(5), 2).ServeHTTP(w, r)
	})
	inBubble(t, ways["page"].Merge(config.Props{"pagination.limit": "2", "catchup.interval.ms": "100", "after.end": "restart"}), nil, h, func(r *rig) {
		for range 4 {
			r.poll()
		}
	})
	require.Len(t, at, 4)
	assert.Equal(t, []time.Duration{100 * time.Millisecond, 100 * time.Millisecond, time.Minute}, []time.Duration{at[1].Sub(at[0]), at[2].Sub(at[1]), at[3].Sub(at[2])})
}

// A next link to another host is followed without credentials.
func TestCredentialsStayWithNextLinks(t *testing.T) {
	var seen []string
	inBubble(t, config.Props{"pagination": "link", "auth.type": "bearer", "auth.token": "s3cret", "request.header.X-Key": "k"}, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Host+" "+r.Header.Get("Authorization")+r.Header.Get("X-Key"))
		if r.Host == "a.test" {
			w.Header().Set("Link", `<http://evil.test/>; rel=next`)
		}
		_, _ = fmt.Fprint(w, `[1]`)
	}), func(r *rig) { r.poll(); r.poll() })
	assert.Equal(t, []string{"a.test Bearer s3cretk", "evil.test "}, seen)
}

// Ten thousand pages take the memory of one.
func TestMemoryOfManyPages(t *testing.T) {
	const pages, size = 10_000, 10
	r := start(t, config.Props{"path": "?p=${page}", "pagination": "page", "pagination.limit": "10", "after.end": "stop", "value.form": "inferred", "dedup.window.records": "100", "record.id.path": "/id"}, nil,
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page := number64(r, "p", 1)
			if page > pages {
				_, _ = fmt.Fprint(w, "[]")
				return
			}
			_, _ = fmt.Fprint(w, "[")
			for i := range size {
				if i > 0 {
					_, _ = fmt.Fprint(w, ",")
				}
				_, _ = fmt.Fprintf(w, `{"id":%d,"text":%q}`, page*size+i, strings.Repeat("x", 200))
			}
			_, _ = fmt.Fprint(w, "]")
		}))
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	n, before, most := 0, heap(), uint64(0)
	for {
		records, err := r.task.Poll(t.Context())
		if err != nil {
			require.ErrorIs(t, err, connect.ErrDone)
			break
		}
		n += len(texts(records))
		if n%(pages*size/10) == 0 {
			most = max(most, heap())
		}
	}
	require.NoError(t, r.task.Stop(t.Context()))
	assert.Equal(t, pages*size, n)
	assert.Less(t, most, before+4<<20, "bytes of heap")
	t.Logf("%d pages: %d KiB before, %d KiB at most", pages, before>>10, most>>10)
}
