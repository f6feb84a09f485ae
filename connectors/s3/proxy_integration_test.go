//go:build integration

package s3

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A fate is what becomes of a request on its way.
type fate int

const (
	delivered fate = iota
	failed         // 500, the store does not see it
	slowDown       // 503 SlowDown, the store does not see it
	cutBefore      // the connection ends while the request is sent, the store does not see it
	cutAfter       // the store does what it is asked, the connection ends before its answer
)

// A seen is a request that a gateway has had.
type seen struct {
	method, host, path, query string
	header                    http.Header
	body                      string // of small ones
}

// A gateway is between a client and a store: it notes requests and spoils them. It serves as a store and as a proxy.
type gateway struct {
	*httptest.Server
	// fate decides over the n-th request, from 0; nil delivers.
	fate func(n int, r *http.Request) fate
	// strip takes a header away.
	strip string

	mu       sync.Mutex
	requests []seen
}

func newGateway(t *testing.T, target string) *gateway {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	g := &gateway{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = u.Scheme, u.Host, r.In.Host // signed
		if g.strip != "" {
			r.Out.Header.Del(g.strip)
		}
	}}
	proxy.ErrorLog = log.New(io.Discard, "", 0) // cut requests are what is wanted
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch g.note(r) {
		case failed:
			http.Error(w, "<Error><Code>InternalError</Code></Error>", http.StatusInternalServerError)
		case slowDown:
			http.Error(w, "<Error><Code>SlowDown</Code></Error>", http.StatusServiceUnavailable)
		case cutBefore:
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2) // as far as it got
			panic(http.ErrAbortHandler)
		case cutAfter:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) note(r *http.Request) fate {
	x := seen{method: r.Method, host: r.Host, path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone()}
	if r.ContentLength > 0 && r.ContentLength < 4096 {
		body, _ := io.ReadAll(r.Body)
		x.body = string(body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, x)
	if g.fate == nil {
		return delivered
	}
	return g.fate(len(g.requests)-1, r)
}

// find returns the requests of a method whose path ends so.
func (g *gateway) find(method, end string) []seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.requests), func(s seen) bool { return s.method != method || !strings.HasSuffix(s.path, end) })
}

// count is the number of requests so far.
func (g *gateway) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.requests)
}

// decide changes what becomes of requests from now on.
func (g *gateway) decide(f func(n int, r *http.Request) fate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fate = f
}
