package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// configOf decodes a configuration.
func configOf(t testing.TB, props config.Props) *Config {
	t.Helper()
	var c Config
	require.NoError(t, config.Decode(config.Props{"converter.type": "value", "schema.registry.url": "http://a/base"}.Merge(props), &c))
	return &c
}

// web stands for the network: it answers in the process, so that time may be a
// bubble's.
type web func(r *http.Request) (*http.Response, error)

func (f web) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// over makes a client whose requests f answers.
func over(t testing.TB, props config.Props, f web) *client {
	t.Helper()
	made, err := Dial(configOf(t, props))
	require.NoError(t, err)
	c := made.(*client)
	c.t.client.Transport = f
	return c
}

func retriable(err error) bool {
	_, ok := connect.RetryAfter(err)
	return ok
}

const schemaSeven = `{"schema":"\"int\"","id":7,"version":3,"subject":"s"}`

// TestRetries: what may be better later is tried again with pauses that grow; the
// registry's own pause counts; what remains is retriable.
func TestRetries(t *testing.T) {
	fails := func(fs ...func() (*http.Response, error)) web {
		i := 0
		return func(*http.Request) (*http.Response, error) {
			f := fs[min(i, len(fs)-1)]
			i++
			return f()
		}
	}
	status := func(code int, headers ...string) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			return answer(code, `{"error_code":50001,"message":"store"}`, headers...), nil
		}
	}
	down := func() (*http.Response, error) { return nil, errors.New("connection refused") }
	fine := func() (*http.Response, error) { return answer(200, schemaSeven), nil }
	for _, c := range []struct {
		name      string
		answers   []func() (*http.Response, error)
		least     time.Duration // that it takes
		most      time.Duration
		err       string // "" for none
		retriable bool
		wait      time.Duration // that the error asks for
	}{
		{"at once", []func() (*http.Response, error){fine}, 0, 0, "", false, 0},
		{"back again", []func() (*http.Response, error){down, status(503), fine}, 1500 * time.Millisecond, 3 * time.Second, "", false, 0},
		{"down", []func() (*http.Response, error){down}, 3500 * time.Millisecond, 7 * time.Second, "connection refused", true, 0},
		{"broken", []func() (*http.Response, error){status(500)}, 3500 * time.Millisecond, 7 * time.Second, "HTTP 500, code 50001: store", true, 0},
		{"asks for a pause", []func() (*http.Response, error){status(429, "Retry-After", "9"), fine}, 9 * time.Second, 9 * time.Second, "", false, 0},
		{"asks for a long pause", []func() (*http.Response, error){status(429, "Retry-After", "300"), fine}, 0, 0, "HTTP 429", true, 300 * time.Second},
		{"refuses", []func() (*http.Response, error){status(404)}, 0, 0, "HTTP 404", false, 0},
		{"does not know us", []func() (*http.Response, error){status(401)}, 0, 0, "HTTP 401", false, 0},
		{"rubbish", []func() (*http.Response, error){func() (*http.Response, error) { return answer(200, "<html>welcome"), nil }}, 0, 0, "no JSON (is the URL a registry's?)", false, 0},
		{"something else", []func() (*http.Response, error){func() (*http.Response, error) { return answer(200, `[1]`), nil }}, 0, 0, "cannot unmarshal", false, 0},
		{"empty", []func() (*http.Response, error){func() (*http.Response, error) { return answer(200, `{}`), nil }}, 0, 0, "an answer without a schema", false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				got, err := over(t, nil, fails(c.answers...)).ByVersion(t.Context(), "s", 3)
				took := time.Since(start)
				assert.GreaterOrEqual(t, took, c.least)
				assert.LessOrEqual(t, took, c.most)
				if c.err == "" {
					require.NoError(t, err)
					assert.Equal(t, Registered{Schema: Schema{Type: Avro, Text: `"int"`}, ID: 7, Version: 3}, got)
					return
				}
				assert.ErrorContains(t, err, c.err)
				wait, retriable := connect.RetryAfter(err)
				assert.Equal(t, c.retriable, retriable)
				assert.Equal(t, c.wait, wait)
			})
		})
	}
}

// TestFailover: the next URL takes over, and keeps the requests until it fails.
func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		dead := map[string]bool{"a": true}
		c := over(t, config.Props{"schema.registry.url": "http://a/x, http://b/y/ ,http://c"}, func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			if dead[r.URL.Host] {
				return nil, errors.New("no route to " + r.URL.Host)
			}
			return answer(200, schemaSeven), nil
		})
		ask := func(want ...string) {
			t.Helper()
			asked = nil
			_, err := c.ByID(t.Context(), 7)
			require.NoError(t, err)
			assert.Equal(t, want, asked)
		}
		ask("http://a/x/schemas/ids/7", "http://b/y/schemas/ids/7")
		ask("http://b/y/schemas/ids/7")
		dead["b"] = true
		ask("http://b/y/schemas/ids/7", "http://c/schemas/ids/7")
		dead["c"], dead["a"] = true, false
		ask("http://c/schemas/ids/7", "http://a/x/schemas/ids/7")
		dead["a"] = true
		_, err := c.ByID(t.Context(), 7)
		for _, host := range []string{"a", "b", "c"} {
			assert.ErrorContains(t, err, "no route to "+host)
		}
		assert.True(t, retriable(err))
	})
}

// TestRequests has what is asked, and how: subjects are escaped, parameters are
// there, one request each.
func TestRequests(t *testing.T) {
	var got []string
	c := over(t, config.Props{"request.header.X-Team": "7"}, func(r *http.Request) (*http.Response, error) {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
		}
		got = append(got, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+r.URL.RawQuery+" "+string(body)))
		assert.Equal(t, "7", r.Header.Get("X-Team"))
		assert.Contains(t, r.Header.Get("Accept"), mediaType)
		switch {
		case strings.HasSuffix(r.URL.Path, "/versions") && r.Method == http.MethodGet:
			return answer(200, `[{"subject":"a/b c","version":2},{"subject":"x","version":1}]`), nil
		case strings.Contains(r.URL.Path, "/guids/"):
			return answer(200, `{"schema":"{}","schemaType":"JSON","references":[{"name":"n","subject":"r","version":1}]}`), nil
		}
		return answer(200, `{"id":7,"guid":"g","version":2,"schema":"\"int\"","schemaType":"PROTOBUF"}`), nil
	})
	ctx, s := t.Context(), Schema{Type: Avro, Text: `"int"`}
	r, err := c.Register(ctx, "a/b c", s, true)
	require.NoError(t, err)
	assert.Equal(t, Registered{Schema: s, ID: 7, GUID: "g", Version: 2}, r)
	_, err = c.Register(ctx, "s", Schema{Type: JSON, Text: `{}`, References: []Reference{{"n", "r", 1}}}, false)
	require.NoError(t, err)
	r, err = c.Lookup(ctx, "a/b c", s, true)
	require.NoError(t, err)
	assert.Equal(t, Protobuf, r.Type)
	_, err = c.ByID(ctx, 7)
	require.NoError(t, err)
	r, err = c.ByGUID(ctx, "00000000-0000-0000-0000-00000000000a")
	require.NoError(t, err)
	assert.Equal(t, []Reference{{"n", "r", 1}}, r.References)
	_, err = c.ByVersion(ctx, "a/b c", Latest)
	require.NoError(t, err)
	_, err = c.ByVersion(ctx, "a/b c", 4)
	require.NoError(t, err)
	places, err := c.VersionsOf(ctx, 7)
	require.NoError(t, err)
	assert.Equal(t, []SubjectVersion{{"a/b c", 2}, {"x", 1}}, places)
	assert.Equal(t, []string{
		`POST /base/subjects/a%2Fb%20c/versions normalize=true {"schema":"\"int\""}`,
		`POST /base/subjects/s/versions  {"schema":"{}","schemaType":"JSON","references":[{"name":"n","subject":"r","version":1}]}`,
		`POST /base/subjects/a%2Fb%20c normalize=true {"schema":"\"int\""}`,
		`GET /base/schemas/ids/7`,
		`GET /base/schemas/guids/00000000-0000-0000-0000-00000000000a`,
		`GET /base/subjects/a%2Fb%20c/versions/latest`,
		`GET /base/subjects/a%2Fb%20c/versions/4`,
		`GET /base/schemas/ids/7/versions`,
	}, got)
}

// TestContext: a call ends with its context, in a request and in a pause, and says
// why; one that takes too long is retriable.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := over(t, config.Props{"http.read.timeout.ms": "5000", "max.retries": "0"}, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		why := errors.New("the task stops")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		start := time.Now()
		_, err := hang.ByID(ctx, 1)
		assert.ErrorIs(t, err, why)
		assert.Equal(t, time.Second, time.Since(start))
		_, err = hang.ByID(t.Context(), 1)
		assert.ErrorContains(t, err, "no answer within 5s")
		assert.True(t, retriable(err))
		assert.Equal(t, 6*time.Second, time.Since(start))
		busy := over(t, nil, func(*http.Request) (*http.Response, error) { return answer(503, "", "Retry-After", "15"), nil })
		ctx, cancel = context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		_, err = busy.ByID(ctx, 1)
		assert.ErrorIs(t, err, why)
	})
}

// TestCredentials has each way to say who asks, against a server that wants it.
func TestCredentials(t *testing.T) {
	tokens := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			user, password, _ := r.BasicAuth()
			if r.FormValue("grant_type") != "client_credentials" || user != "me" || password != "s%2F3" || r.FormValue("scope") != "read" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			tokens++
			fmt.Fprintf(w, `{"access_token":"t%d","expires_in":600}`, tokens)
			return
		}
		auth := r.Header.Get("Authorization")
		if auth != "Basic dTpw" && auth != "Bearer static" && auth != "Bearer t1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.HasPrefix(auth, "Bearer") && (r.Header.Get("target-sr-cluster") != "lsrc-1" || r.Header.Get("Confluent-Identity-Pool-Id") != "pool-1") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, schemaSeven)
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	extensions := config.Props{"bearer.auth.logical.cluster": "lsrc-1", "bearer.auth.identity.pool.id": "pool-1"}
	oauth := config.Props{"schema.registry.url": s.URL, "bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.issuer.endpoint.url": s.URL + "/token", "bearer.auth.client.id": "me", "bearer.auth.scope": "read"}.Merge(extensions)
	for _, c := range []struct {
		name  string
		props config.Props
		err   string
	}{
		{"none", config.Props{"schema.registry.url": s.URL}, "HTTP 401: Unauthorized"},
		{"in the URL", config.Props{"schema.registry.url": "http://u:p@" + host}, ""},
		{"in the URL, wrong", config.Props{"schema.registry.url": "http://u:secret@" + host}, "HTTP 401"},
		{"user info", config.Props{"schema.registry.url": s.URL, "basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "u:p"}, ""},
		{"user info, other key", config.Props{"schema.registry.url": s.URL, "basic.auth.credentials.source": "user_info", "schema.registry.basic.auth.user.info": "u:p"}, ""},
		{"user info does not take the URL's", config.Props{"schema.registry.url": "http://u:p@" + host, "basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "x:secret"}, "HTTP 401"},
		{"token", config.Props{"schema.registry.url": s.URL, "bearer.auth.token": "static"}.Merge(extensions), ""},
		{"token, wrong", config.Props{"schema.registry.url": s.URL, "bearer.auth.token": "secret"}, "HTTP 401"},
		{"oauth", oauth.Merge(config.Props{"bearer.auth.client.secret": "s/3"}), ""},
		{"oauth, wrong", oauth.Merge(config.Props{"bearer.auth.client.secret": "secret"}), "token endpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			made, err := Dial(configOf(t, c.props))
			require.NoError(t, err)
			defer made.Close()
			for range 2 {
				_, err = made.ByID(t.Context(), 7)
				if c.err == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, c.err)
				assert.NotContains(t, err.Error(), "secret")
				assert.False(t, retriable(err))
			}
		})
	}
	assert.Equal(t, 1, tokens, "a token serves until shortly before its end")
}

// TestTokenEnds: a token is replaced before it ends.
func TestTokenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := 0
		var auth string
		f := web(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/token" {
				tokens++
				return answer(200, fmt.Sprintf(`{"access_token":"t%d","expires_in":600}`, tokens)), nil
			}
			auth = r.Header.Get("Authorization")
			return answer(200, schemaSeven), nil
		})
		c := configOf(t, config.Props{"bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.issuer.endpoint.url": "http://i/token", "bearer.auth.client.id": "me"})
		made, err := Dial(c)
		require.NoError(t, err)
		made.(*client).t.client.Transport, made.(*client).t.sign = f, credentials(c, f)
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "t1"}, {299 * time.Second, "t1"}, {time.Second, "t2"}} {
			time.Sleep(step.after)
			_, err := made.ByID(t.Context(), 7)
			require.NoError(t, err)
			assert.Equal(t, "Bearer "+step.want, auth)
		}
	})
}

// TestRedirects: within a host they are followed, to another one they are not.
func TestRedirects(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/schemas/ids/1":
			http.Redirect(w, r, "/schemas/ids/7", http.StatusTemporaryRedirect)
		case "/schemas/ids/2":
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusTemporaryRedirect)
		default:
			fmt.Fprint(w, schemaSeven)
		}
	}))
	defer s.Close()
	made, err := Dial(configOf(t, config.Props{"schema.registry.url": s.URL, "max.retries": "0"}))
	require.NoError(t, err)
	defer made.Close()
	_, err = made.ByID(t.Context(), 1)
	require.NoError(t, err)
	_, err = made.ByID(t.Context(), 2)
	assert.ErrorContains(t, err, "redirected to http://elsewhere.invalid/")
}

// TestLongAnswer: an answer without end is cut.
func TestLongAnswer(t *testing.T) {
	c := over(t, nil, func(*http.Request) (*http.Response, error) {
		r := answer(200, "")
		r.Body = io.NopCloser(endless{})
		return r, nil
	})
	_, err := c.ByID(t.Context(), 1)
	assert.ErrorContains(t, err, "longer than")
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// counting is a Client that counts.
type counting struct {
	Client
	calls  atomic.Int32
	closed atomic.Int32
	answer func(n int32) (Registered, error)
	wait   chan struct{} // nil: answers at once
}

func (c *counting) ask(ctx context.Context) (Registered, error) {
	n := c.calls.Add(1)
	if c.wait != nil {
		select {
		case <-c.wait:
		case <-ctx.Done():
			return Registered{}, context.Cause(ctx)
		}
	}
	return c.answer(n)
}

func (c *counting) ByID(ctx context.Context, _ int) (Registered, error) { return c.ask(ctx) }
func (c *counting) ByVersion(ctx context.Context, _ string, _ int) (Registered, error) {
	return c.ask(ctx)
}
func (c *counting) Register(ctx context.Context, _ string, _ Schema, _ bool) (Registered, error) {
	return c.ask(ctx)
}
func (c *counting) Close() { c.closed.Add(1) }

// TestNoStampede: a hundred tasks that start together ask once.
func TestNoStampede(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{wait: make(chan struct{}), answer: func(int32) (Registered, error) { return Registered{ID: 5}, nil }}
		r := NewRegistry(c, 10)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				got, err := r.Register(t.Context(), "s", Schema{Type: Avro, Text: `"int"`}, false)
				assert.NoError(t, err)
				assert.Equal(t, 5, got.ID)
			})
		}
		synctest.Wait()
		close(c.wait)
		wg.Wait()
		_, err := r.Register(t.Context(), "s", Schema{Type: Avro, Text: `"int"`}, false)
		require.NoError(t, err)
		assert.EqualValues(t, 1, c.calls.Load())
	})
}

// TestFlights: one who gives up does not take the others down; the last one does.
func TestFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{wait: make(chan struct{}), answer: func(int32) (Registered, error) { return Registered{ID: 5}, nil }}
		r := NewRegistry(c, 10)
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() { _, err := r.ByID(first, 1); results <- err }()
		go func() { _, err := r.ByID(second, 1); results <- err }()
		synctest.Wait()
		cancelFirst()
		assert.ErrorIs(t, <-results, context.Canceled)
		synctest.Wait()
		assert.Empty(t, results)
		cancelSecond()
		assert.ErrorIs(t, <-results, context.Canceled)
		synctest.Wait()
		close(c.wait)
		_, err := r.ByID(t.Context(), 1)
		require.NoError(t, err)
		assert.EqualValues(t, 2, c.calls.Load(), "the request that nobody waits for is not kept")
		_, err = r.ByID(first, 2)
		assert.ErrorIs(t, err, context.Canceled)
		assert.EqualValues(t, 2, c.calls.Load())
	})
}

// TestMemory: answers are kept for good, the latest version for its time, refusals
// for a moment, other failures not at all.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail error
		c := &counting{answer: func(n int32) (Registered, error) { return Registered{ID: int(n)}, fail }}
		r := NewRegistry(c, 10)
		asked := func(want int32, ask func() (Registered, error)) {
			t.Helper()
			before := c.calls.Load()
			_, err := ask()
			assert.ErrorIs(t, err, fail)
			assert.Equal(t, want, c.calls.Load()-before)
		}
		byID := func() (Registered, error) { return r.ByID(t.Context(), 1) }
		asked(1, byID)
		time.Sleep(1000 * time.Hour)
		asked(0, byID)
		latest := func(ttl time.Duration) func() (Registered, error) {
			return func() (Registered, error) {
				found, _, err := r.Latest(t.Context(), "s", ttl)
				return found, err
			}
		}
		asked(1, latest(time.Minute))
		time.Sleep(59 * time.Second)
		asked(0, latest(time.Minute))
		time.Sleep(time.Second)
		asked(1, latest(time.Minute))
		asked(1, latest(-1))
		time.Sleep(1000 * time.Hour)
		asked(0, latest(-1))
		asked(1, latest(0))
		asked(1, latest(0))
		r.ForgetLatest("s", -1)
		asked(1, latest(-1))

		other := func() (Registered, error) { return r.ByID(t.Context(), 2) }
		fail = &Error{Status: 404, Code: codeSchemaNotFound}
		asked(1, other)
		asked(0, other)
		time.Sleep(refusedFor)
		asked(1, other)
		time.Sleep(refusedFor)
		fail = errors.New("down")
		asked(1, other)
		asked(1, other)
		fail = nil
		asked(1, other)
		asked(0, other)
	})
}

// TestPool: converters of one plugin share a registry where they have the same
// connection; the last one closes it.
func TestPool(t *testing.T) {
	var made []*counting
	p := &Pool{Dial: func(*Config) (Client, error) {
		made = append(made, &counting{})
		return made[len(made)-1], nil
	}}
	one, closeOne, err := p.Open(configOf(t, nil))
	require.NoError(t, err)
	two, closeTwo, err := p.Open(configOf(t, config.Props{"auto.register.schemas": "false"}))
	require.NoError(t, err)
	other, closeOther, err := p.Open(configOf(t, config.Props{"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "u:p"}))
	require.NoError(t, err)
	assert.Same(t, one, two)
	assert.NotSame(t, one, other)
	closeOne()
	assert.Zero(t, made[0].closed.Load())
	closeTwo()
	assert.EqualValues(t, 1, made[0].closed.Load())
	again, closeAgain, err := p.Open(configOf(t, nil))
	require.NoError(t, err)
	assert.NotSame(t, one, again)
	closeAgain()
	closeOther()
	assert.Len(t, made, 3)
	p.Dial = func(*Config) (Client, error) { return nil, errors.New("no") }
	_, _, err = p.Open(configOf(t, nil))
	assert.ErrorContains(t, err, "no")
}
