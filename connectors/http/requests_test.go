package http

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
	"github.com/streamlane/connect/connecttest"
)

func parseURL(text string) (*url.URL, error) { return url.Parse(text) }

// linked is a response of http://a.test/dir/x?q=1 with a Link header.
func linked(header string) *httpkit.Response {
	return &httpkit.Response{URL: &url.URL{Scheme: "http", Host: "a.test", Path: "/dir/x", RawQuery: "q=1"}, Header: http.Header{"Link": {header}}}
}

// What is put into a request is escaped for its place.
func TestTemplates(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		props config.Props
		want  string // of method, URL, and body
		name  string
		value string // of a header
	}{
		{config.Props{"path": "/a ${cursor}/x?c=${cursor}&e=${endpoint}"}, "GET http://a.test/v1/a%20a%20b%2F%C3%BC%22/x?c=a+b%2F%C3%BC%22&e=default", "", ""},
		{config.Props{"path": "?c=1"}, "GET http://a.test/v1?c=1", "", ""},
		{config.Props{"http.url": "http://a.test/v1/?key=1", "path": "x?c=2", "request.param.d": "${topic}"}, "GET http://a.test/v1/x?key=1&c=2&d=t-default", "", ""},
		{config.Props{"http.url": "http://a.test?key=1"}, "GET http://a.test?key=1", "", ""},
		{config.Props{"request.param.s": "${since|unix}", "request.param.u": "${until|unix_ms}", "record.timestamp.path": "/at"}, "GET http://a.test/v1?s=1769862600&u=1769862601000", "", ""},
		{config.Props{"request.header.X": "${cursor}\r\nY: 1", "since.format": "2006-01-02"}, "GET http://a.test/v1", "X", "a b/ü\"Y: 1"},
		{config.Props{"request.header.X": "since ${since}", "since.format": "2006-01-02", "record.timestamp.path": "/at"}, "GET http://a.test/v1", "X", "since 2026-01-31"},
		{config.Props{"request.method": "POST", "request.body": `{"after":"${cursor}","n":${page}}`}, `POST http://a.test/v1 {"after":"a b/ü\"","n":7}`, "Content-Type", "application/json"},
		{config.Props{"request.method": "POST", "request.body": `after=${cursor}`, "request.header.Content-Type": "application/x-www-form-urlencoded"}, `POST http://a.test/v1 after=a+b%2F%C3%BC%22`, "Content-Type", "application/x-www-form-urlencoded"},
		{config.Props{"request.method": "PUT", "request.body": `<a>${now|unix}</a>`}, `PUT http://a.test/v1 <a>946684800</a>`, "", ""},
		{config.Props{"graphql.query": "q", "graphql.variables": `{"n":2,"since":"${since|unix}","after":"x"}`, "record.timestamp.path": "/at"}, `POST http://a.test/v1 {"query":"q","variables":{"n":2,"since":"1769862600","after":"a b/ü\""}}`, "", ""},
		{config.Props{"pagination": "page", "pagination.param": "p", "pagination.limit": "5", "pagination.limit.param": "size"}, "GET http://a.test/v1?p=7&size=5", "Accept", "application/json, */*;q=0.1"},
		{config.Props{"request.sensitive.headers": "A: b; c:d", "request.sensitive.headers.separator": ";"}, "GET http://a.test/v1", "C", "d"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var config1 Config
			require.NoError(t, config.Decode(config.Props{"http.url": "http://a.test/v1", "topic": "t-${endpoint}"}.Merge(c.props), &config1))
			base, err := url.Parse(config1.URL)
			require.NoError(t, err)
			r, err := config1.base.request(base, &position{cursor: `a b/ü"`, n: 7, since: at.UnixNano(), until: at.Add(time.Second).UnixNano()})
			require.NoError(t, err)
			assert.Equal(t, c.want, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(r.Body)))
			if c.name != "" {
				assert.Equal(t, c.value, r.Header.Get(c.name))
			}
		})
	}
}

// Keys that would have no effect are refused.
func TestKeysWithoutUse(t *testing.T) {
	for _, c := range []struct {
		props config.Props
		key   string
	}{
		{config.Props{"response.format": "ndjson", "records.path": "/a"}, "records.path"},
		{config.Props{"response.format": "csv", "pagination": "cursor", "pagination.path": "/a"}, "pagination.path"},
		{config.Props{"response.format": "text", "pagination": "page", "pagination.more.path": "/a"}, "pagination.more.path"},
		{config.Props{"pagination": "page"}, "pagination.limit"},
		{config.Props{"graphql.query": "q", "request.body": "x"}, "request.body"},
		{config.Props{"graphql.variables": "{}"}, "graphql.variables"},
		{config.Props{"pagination.limit.param": "n"}, "pagination.limit.param"},
		{config.Props{"pagination": "cursor", "pagination.path": "/a", "pagination.header": "X"}, "pagination.header"},
		{config.Props{"request.header.X": "${nothing}"}, "request.header.X"},
		{config.Props{"request.param.x": "${cursor"}, "request.param.x"},
		{config.Props{"request.body": "${}"}, "request.body"},
		{config.Props{"records.path": "a.b"}, "records.path"},
		{config.Props{"records.path": "$["}, "records.path"},
		{config.Props{"pagination.path": "$["}, "pagination.path"},
	} {
		keys, _ := config.KeyErrors(config.Decode(config.Props{"http.url": "http://a", "topic": "t"}.Merge(c.props), new(Config)))
		if assert.Len(t, keys, 1, "%v", c.props) {
			assert.Equal(t, c.key, keys[0].Key)
		}
	}
}

// The client keeps httpkit's contract under the connector's keys, asked page by page.
func TestClientConformance(t *testing.T) {
	httpkittest.TestClient(t, func(t testing.TB, props config.Props, dial httpkittest.Dial) httpkittest.Get {
		var c Config
		require.NoError(t, config.Decode(config.Props{"http.url": "http://a.test", "topic": "t", "response.format": "text", "value.form": "string", "poll.interval.ms": "0"}.Merge(props), &c))
		client, err := httpkit.New(c.Client, httpkit.Options{Dial: dial})
		require.NoError(t, err)
		t.Cleanup(client.Close)
		return func(ctx context.Context, text string) ([]byte, error) {
			base, err := url.Parse(text)
			if err != nil {
				return nil, err
			}
			r, err := newReader(&c.base, base, client)
			if err != nil {
				return nil, err
			}
			task := &task{client: client, readers: []*reader{r}, max: 10}
			if err := task.Start(ctx, &connecttest.SourceContext{}); err != nil {
				return nil, err
			}
			records, err := task.Poll(ctx)
			return []byte(strings.Join(texts(records), "\n")), err
		}
	})
}

// A token that ends between pages is renewed, and no page is lost or asked for twice with success.
func TestTokenEndsBetweenPages(t *testing.T) {
	valid, tokens, pages := "", 0, 0
	mux := http.NewServeMux()
	mux.HandleFunc("auth.test/token", func(w http.ResponseWriter, _ *http.Request) {
		tokens++
		valid = fmt.Sprint("token", tokens)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, valid)
	})
	mux.HandleFunc("a.test/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+valid {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if pages++; pages%2 == 0 {
			valid = "revoked"
		}
		page := number64(r, "page", 1)
		if page > 5 {
			_, _ = io.WriteString(w, "[]")
			return
		}
		_, _ = fmt.Fprintf(w, "[%d]", page)
	})
	inBubble(t, config.Props{"path": "?page=${page}", "pagination": "page", "after.end": "stop", "auth.type": "oauth2", "auth.oauth2.token.url": "http://auth.test/token", "auth.oauth2.client.id": "me"}, nil, mux, func(r *rig) {
		var all []string
		for range 5 {
			all = append(all, r.poll()...)
		}
		assert.Equal(t, strings.Fields("1 2 3 4 5"), all)
	})
	assert.Equal(t, 3, tokens)
}

// A limit that a page tells of keeps the next page back, exactly, and Retry-After is longer than our own pauses.
func TestRateLimitsBetweenPages(t *testing.T) {
	for name, header := range map[string]func(h http.Header, now time.Time){
		"draft 7, three headers": func(h http.Header, _ time.Time) { h.Set("RateLimit-Remaining", "0"); h.Set("RateLimit-Reset", "90") },
		"draft 7, one header":    func(h http.Header, _ time.Time) { h.Set("RateLimit", "limit=10, remaining=0, reset=90") },
		"draft 8":                func(h http.Header, _ time.Time) { h.Set("RateLimit", `"burst";r=3;t=5, "day";r=0;t=90`) },
		"since 1970": func(h http.Header, now time.Time) {
			h.Set("X-RateLimit-Remaining", "0")
			h.Set("X-RateLimit-Reset", fmt.Sprint(now.Add(90*time.Second).Unix()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var at []time.Time
			inBubble(t, config.Props{"path": "?page=${page}", "pagination": "page", "pagination.limit": "1"}, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				at = append(at, time.Now())
				header(w.Header(), time.Now())
				_, _ = fmt.Fprintf(w, "[%d]", len(at))
			}), func(r *rig) { r.poll(); r.poll() })
			assert.Equal(t, 90*time.Second, at[1].Sub(at[0]))
		})
	}
	var at []time.Time
	inBubble(t, config.Props{"retry.backoff.max.ms": "1000"}, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if at = append(at, time.Now()); len(at) == 1 {
			w.Header().Set("Retry-After", time.Now().Add(75*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = fmt.Fprint(w, "[1]")
	}), func(r *rig) { r.poll() })
	assert.Equal(t, 75*time.Second, at[1].Sub(at[0]))
}
