package httpkittest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// A Dial opens connections.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// A Get asks for a URL by the client under test and returns the body.
type Get func(ctx context.Context, url string) (body []byte, err error)

// A Build makes a client of httpkit's keys, which the connector may have under other names. It is closed when the test ends.
type Build func(t testing.TB, props config.Props, dial Dial) Get

// TestClient runs the suite, in bubbles of fake time.
func TestClient(t *testing.T, build Build) {
	for _, c := range []struct {
		name string
		f    func(t *testing.T, b Build)
	}{
		{"credentials stay at home", staysAtHome},
		{"a key in the query stays at home, and out of errors", keyInQuery},
		{"a token that is refused is renewed, once", renewed},
		{"redirects end", redirectsEnd},
		{"Retry-After in seconds is kept exactly", func(t *testing.T, b Build) { retryAfter(t, b, func(time.Time) string { return "7" }) }},
		{"Retry-After as a date is kept exactly", func(t *testing.T, b Build) {
			retryAfter(t, b, func(now time.Time) string { return now.Add(7 * time.Second).UTC().Format(http.TimeFormat) })
		}},
		{"an exhausted rate limit is kept exactly", rateLimit},
		{"our own rate limit is kept exactly", ownLimit},
		{"temporary errors are tried again", temporary},
		{"the retries end", retriesEnd},
		{"final errors are not tried again", final},
		{"cut bodies are tried again", cut},
		{"slow responses end", slow},
		{"large responses are refused", large},
		{"gzip bombs are refused", bomb},
		{"a cancelled context ends the retries", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { c.f(t, build) }) })
	}
}

var ctx = context.Background

// script serves answers in order; the last one stays.
type script struct {
	n       int
	at      []time.Time
	answers []http.HandlerFunc
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i := min(s.n, len(s.answers)-1)
	s.n++
	s.at = append(s.at, time.Now())
	s.answers[i](w, r)
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = fmt.Fprint(w, "body") // none for those that have none
	}
}

func staysAtHome(t *testing.T, build Build) {
	var leaked []string
	mux := http.NewServeMux()
	mux.HandleFunc("home.test/to/{code}", func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != "ann" || p != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		code := 0
		_, _ = fmt.Sscan(r.PathValue("code"), &code)
		http.Redirect(w, r, "http://other.test/", code)
	})
	mux.HandleFunc("other.test/", func(w http.ResponseWriter, r *http.Request) {
		for name, v := range r.Header {
			if name == "Authorization" || name == "Cookie" || name == "X-Api-Key" {
				leaked = append(leaked, name+": "+v[0])
			}
		}
		_, _ = fmt.Fprint(w, "moved")
	})
	get := build(t, config.Props{"auth.type": "basic", "auth.user": "ann", "auth.password": "secret"}, Serve(t, mux).Dial)
	for _, code := range []int{301, 302, 303, 307, 308} {
		body, err := get(ctx(), fmt.Sprintf("http://home.test/to/%d", code))
		require.NoError(t, err, "status %d", code)
		assert.Equal(t, "moved", string(body))
	}
	assert.Empty(t, leaked, "headers of another host")
}

func keyInQuery(t *testing.T, build Build) {
	var leaked []string
	mux := http.NewServeMux()
	mux.HandleFunc("home.test/ok", func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.FormValue("key")) })
	mux.HandleFunc("home.test/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://other.test/", http.StatusFound)
	})
	mux.HandleFunc("other.test/", func(w http.ResponseWriter, r *http.Request) {
		leaked = append(leaked, r.FormValue("key"))
		w.WriteHeader(http.StatusGone)
	})
	get := build(t, config.Props{"auth.type": "api_key", "auth.api.key": "s3cret", "auth.api.key.name": "key", "auth.api.key.in": "query"}, Serve(t, mux).Dial)
	body, err := get(ctx(), "http://home.test/ok")
	require.NoError(t, err)
	assert.Equal(t, "s3cret", string(body))
	for _, path := range []string{"away", "nowhere"} {
		_, err = get(ctx(), "http://home.test/"+path)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "s3cret")
	}
	assert.Equal(t, []string{""}, leaked)
}

func renewed(t *testing.T, build Build) {
	tokens, requests := 0, 0
	mux := http.NewServeMux()
	mux.HandleFunc("auth.test/token", func(w http.ResponseWriter, _ *http.Request) {
		tokens++
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, tokens)
	})
	mux.HandleFunc("home.test/{path}", func(w http.ResponseWriter, r *http.Request) {
		requests++
		if r.PathValue("path") == "never" || r.Header.Get("Authorization") == "Bearer t1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, r.Header.Get("Authorization"))
	})
	get := build(t, config.Props{"auth.type": "oauth2", "auth.oauth2.token.url": "http://auth.test/token", "auth.oauth2.client.id": "me", "auth.oauth2.client.secret": "s3cret"}, Serve(t, mux).Dial)
	body, err := get(ctx(), "http://home.test/page")
	require.NoError(t, err)
	assert.Equal(t, "Bearer t2", string(body))
	_, err = get(ctx(), "http://home.test/never")
	require.ErrorContains(t, err, "401")
	assert.NotContains(t, err.Error(), "s3cret")
	assert.Equal(t, []int{3, 4}, []int{tokens, requests}, "tokens and requests: one renewal each")
}

func redirectsEnd(t *testing.T, build Build) {
	s := &script{answers: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }}}
	_, err := build(t, nil, Serve(t, s).Dial)(ctx(), "http://a.test/")
	require.ErrorContains(t, err, "redirects")
	assert.Equal(t, 10, s.n)
}

func retryAfter(t *testing.T, build Build, header func(now time.Time) string) {
	s := &script{answers: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		status(http.StatusServiceUnavailable, "Retry-After", header(time.Now()))(w, r)
	}, status(200)}}
	get := build(t, config.Props{"retry.backoff.ms": "1", "retry.backoff.max.ms": "1"}, Serve(t, s).Dial)
	_, err := get(ctx(), "http://a.test/")
	require.NoError(t, err)
	require.Len(t, s.at, 2)
	assert.Equal(t, 7*time.Second, s.at[1].Sub(s.at[0]))
}

func rateLimit(t *testing.T, build Build) {
	for _, headers := range [][]string{
		{"RateLimit-Remaining", "0", "RateLimit-Reset", "9"},
		{"RateLimit", `"default";r=0;t=9`},
		{"RateLimit", "limit=10, remaining=0, reset=9"},
		{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(time.Now().Add(9 * time.Second).Unix())},
	} {
		s := &script{answers: []http.HandlerFunc{status(200, headers...), status(200)}}
		if headers[0] == "X-RateLimit-Remaining" {
			headers[3] = fmt.Sprint(time.Now().Add(9 * time.Second).Unix())
			s.answers[0] = status(200, headers...)
		}
		get := build(t, nil, Serve(t, s).Dial)
		for range 2 {
			_, err := get(ctx(), "http://a.test/")
			require.NoError(t, err)
		}
		require.Len(t, s.at, 2)
		assert.Equal(t, 9*time.Second, s.at[1].Sub(s.at[0]), "%v", headers)
	}
}

func ownLimit(t *testing.T, build Build) {
	s := &script{answers: []http.HandlerFunc{status(200)}}
	get := build(t, config.Props{"rate.limit.per.second": "4", "rate.limit.burst": "2"}, Serve(t, s).Dial)
	for range 6 {
		_, err := get(ctx(), "http://a.test/")
		require.NoError(t, err)
	}
	assert.Equal(t, time.Second, s.at[5].Sub(s.at[0]), "two at once, four at a quarter of a second")
}

func temporary(t *testing.T, build Build) {
	for _, code := range []int{408, 425, 429, 500, 502, 503, 504} {
		s := &script{answers: []http.HandlerFunc{status(code), status(code), status(200)}}
		get := build(t, nil, Serve(t, s).Dial)
		body, err := get(ctx(), "http://a.test/")
		require.NoError(t, err, "status %d", code)
		assert.Equal(t, "body", string(body))
		assert.Equal(t, 3, s.n)
	}
}

func retriesEnd(t *testing.T, build Build) {
	s := &script{answers: []http.HandlerFunc{status(503)}}
	get := build(t, config.Props{"retry.max.attempts": "5"}, Serve(t, s).Dial)
	_, err := get(ctx(), "http://a.test/x?key=secret")
	require.ErrorContains(t, err, "503")
	assert.NotContains(t, err.Error(), "secret")
	assert.Equal(t, 5, s.n)

	s = &script{answers: []http.HandlerFunc{status(503, "Retry-After", "60")}}
	get = build(t, config.Props{"retry.timeout.ms": "150000"}, Serve(t, s).Dial)
	_, err = get(ctx(), "http://a.test/")
	require.Error(t, err)
	assert.Equal(t, 3, s.n, "attempts within the budget")
}

func final(t *testing.T, build Build) {
	for _, code := range []int{400, 401, 403, 404, 410, 422} {
		s := &script{answers: []http.HandlerFunc{status(code)}}
		_, err := build(t, nil, Serve(t, s).Dial)(ctx(), "http://a.test/")
		require.ErrorContains(t, err, fmt.Sprint(code))
		assert.Equal(t, 1, s.n, "status %d", code)
	}
}

func cut(t *testing.T, build Build) {
	s := &script{answers: []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = fmt.Fprint(w, "half")
	}, status(200)}}
	body, err := build(t, nil, Serve(t, s).Dial)(ctx(), "http://a.test/")
	require.NoError(t, err)
	assert.Equal(t, "body", string(body))
}

func slow(t *testing.T, build Build) {
	s := &script{answers: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "slow")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}, status(200)}}
	body, err := build(t, config.Props{"http.request.timeout.ms": "2000", "retry.backoff.ms": "1000", "retry.backoff.max.ms": "1000"}, Serve(t, s).Dial)(ctx(), "http://a.test/")
	require.NoError(t, err)
	assert.Equal(t, "body", string(body))
	pause := s.at[1].Sub(s.at[0])
	assert.True(t, pause >= 2500*time.Millisecond && pause <= 3*time.Second, "found %v, want the time-out and half to all of the pause", pause)
}

func large(t *testing.T, build Build) {
	s := &script{answers: []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			_, _ = w.Write(make([]byte, 1000))
		}
	}}}
	_, err := build(t, config.Props{"http.response.max.bytes": "5000"}, Serve(t, s).Dial)(ctx(), "http://a.test/")
	require.ErrorContains(t, err, "http.response.max.bytes")
	assert.Equal(t, 1, s.n)
}

func bomb(t *testing.T, build Build) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, 10<<20)) // to memory
	require.NoError(t, z.Close())
	s := &script{answers: []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(b.Bytes())
	}}}
	dial := Serve(t, s).Dial
	_, err := build(t, config.Props{"http.response.max.bytes": "100000"}, dial)(ctx(), "http://a.test/")
	require.ErrorContains(t, err, "http.response.max.bytes")
	body, err := build(t, nil, dial)(ctx(), "http://a.test/")
	require.NoError(t, err)
	assert.Len(t, body, 10<<20)
}

func cancelled(t *testing.T, build Build) {
	s := &script{answers: []http.HandlerFunc{status(503, "Retry-After", "3600")}}
	bounded, cancel := context.WithTimeout(ctx(), time.Minute)
	defer cancel()
	began := time.Now()
	_, err := build(t, config.Props{"retry.timeout.ms": "86400000"}, Serve(t, s).Dial)(bounded, "http://a.test/")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, time.Minute, time.Since(began))
}
