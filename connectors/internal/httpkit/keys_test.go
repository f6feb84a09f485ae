package httpkit_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
)

// quiet takes what servers say of connections that tests break.
var quiet = log.New(io.Discard, "", 0)

// Keys and tokens reach their host alone, and neither errors nor the URLs of responses have them.
func TestCredentialsStayHidden(t *testing.T) {
	for name, c := range map[string]struct {
		props config.Props
		sent  func(r *http.Request) string
		want  string
	}{
		"key in a header":    {config.Props{"auth.type": "api_key", "auth.api.key": "s3cret", "auth.api.key.name": "X-Key"}, func(r *http.Request) string { return r.Header.Get("X-Key") }, "s3cret"},
		"key in the query":   {config.Props{"auth.type": "api_key", "auth.api.key": "s3cret", "auth.api.key.name": "key", "auth.api.key.in": "query"}, func(r *http.Request) string { return r.FormValue("key") }, "s3cret"},
		"bearer":             {config.Props{"auth.type": "bearer", "auth.token": "s3cret"}, func(r *http.Request) string { return r.Header.Get("Authorization") }, "Bearer s3cret"},
		"AWS, session token": {config.Props{"auth.type": "sigv4", "auth.sigv4.region": "r", "auth.sigv4.access.key.id": "a", "auth.sigv4.secret.access.key": "k", "auth.sigv4.session.token": "s3cret"}, func(r *http.Request) string { return r.Header.Get("X-Amz-Security-Token") }, "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen []string
				k := client(t, c.props, httpkittest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					seen = append(seen, r.Host+" "+c.sent(r))
					switch r.URL.Path {
					case "/away":
						http.Redirect(w, r, "http://other.test/?x=1", http.StatusFound)
					case "/wrong":
						w.WriteHeader(http.StatusForbidden)
					default:
						_, _ = fmt.Fprint(w, "ok")
					}
				})).Dial)
				for _, path := range []string{"/", "/away", "/wrong"} {
					u := &url.URL{Scheme: "http", Host: "a.test", Path: path, RawQuery: "q=1"}
					res, err := k.Do(t.Context(), httpkit.Request{URL: u})
					if err != nil {
						assert.NotContains(t, err.Error(), "s3cret")
						continue
					}
					assert.NotContains(t, res.URL.String(), "s3cret", "next links are made of it")
				}
				assert.Equal(t, []string{"a.test " + c.want, "a.test " + c.want, "other.test ", "a.test " + c.want}, seen)
			})
		})
	}
}

// The pauses of many origins are kept, however many there are.
func TestPausesOfManyOrigins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := map[string][]time.Time{}
		get := getter(client(t, nil, httpkittest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			at[r.Host] = append(at[r.Host], time.Now())
			w.Header().Set("RateLimit", `"x";r=0;t=60`)
		})).Dial))
		for range 2 {
			for i := range 150 {
				_, err := get(t.Context(), fmt.Sprintf("http://h%d.test/", i))
				require.NoError(t, err)
			}
		}
		assert.Len(t, at, 150)
		for host, times := range at {
			assert.Equal(t, time.Minute, times[1].Sub(times[0]), host)
		}
	})
}

// Pauses double up to the longest one, and never wrap around.
func TestPausesGrow(t *testing.T) {
	c := httpkit.RetryConfig{Attempts: 100, First: time.Hour, Max: 24 * time.Hour, Budget: 1 << 62}
	var b httpkit.Backoff
	want := time.Hour
	for i := range 99 {
		pause, again := b.Next(c, &httpkit.Error{Class: httpkit.Retry})
		require.True(t, again)
		assert.True(t, pause >= want/2 && pause <= want, "pause %d is %v, want half to all of %v", i, pause, want)
		want = min(2*want, c.Max)
	}
	_, again := b.Next(c, &httpkit.Error{Class: httpkit.Retry})
	assert.False(t, again)
}

// A redirect that would take a body elsewhere, or leads from https to http, is refused; one of a POST that is to be a GET has no body.
func TestRedirectsOfBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		k := client(t, nil, httpkittest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			seen = append(seen, r.Method+" "+r.Host+r.URL.Path+" "+string(body))
			switch r.URL.Path {
			case "/307":
				http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
			case "/303":
				http.Redirect(w, r, "/end", http.StatusSeeOther)
			case "/away":
				http.Redirect(w, r, "http://other.test/", http.StatusPermanentRedirect)
			case "/loop":
				http.Redirect(w, r, "/loop", http.StatusFound)
			case "/file":
				http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			}
		})).Dial)
		for _, c := range []struct{ path, err string }{{"/307", ""}, {"/303", ""}, {"/away", "body to another host"}, {"/loop", "more than 10 redirects"}, {"/file", `scheme "file"`}} {
			_, err := k.Do(t.Context(), httpkit.Request{Method: "POST", URL: &url.URL{Scheme: "http", Host: "a.test", Path: c.path}, Body: []byte("b")})
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		}
		assert.Equal(t, []string{"POST a.test/307 b", "POST a.test/end b", "POST a.test/303 b", "GET a.test/end "}, seen[:4])
		assert.NotContains(t, seen, "POST other.test/ b")
	})
}
