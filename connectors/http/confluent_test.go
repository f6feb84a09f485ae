package http

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
	"github.com/streamlane/connect/connecttest"
)

// A seen request.
type seen struct {
	line, body string
	header     http.Header
	at         time.Time
}

// anchored runs the task of an anchor's configuration in a bubble, against a handler that is told the requests.
func anchored(t *testing.T, own func() (Config, map[string]string, error), answer func(n int, w http.ResponseWriter, r *http.Request), f func(r *rig, requests *[]seen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, _, err := own()
		require.NoError(t, err)
		var again Config // as the engine hands it to a task
		require.NoError(t, config.Decode(config.Encode(&c), &again))
		for _, e := range again.endpoints() {
			e.Value = StringForm
		}
		var requests []seen
		task, err := newTask(again, httpkittest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			requests = append(requests, seen{r.Method + " " + r.Host + r.RequestURI, string(body), r.Header, time.Now()})
			answer(len(requests), w, r)
		})).Dial)
		require.NoError(t, err)
		require.NoError(t, task.Start(context.Background(), &connecttest.SourceContext{}))
		f(&rig{t, task}, &requests)
		require.NoError(t, task.Stop(context.Background()))
	})
}

func v2(t *testing.T, props config.Props) func() (Config, map[string]string, error) {
	t.Helper()
	var c confluent
	require.NoError(t, config.Decode(config.Props{"http.api.base.url": "http://a.test/base", "api1.topics": "t", "api1.request.interval.ms": "1000", "validate.requests": "false"}.Merge(props), &c))
	return c.own
}

func v1(t *testing.T, props config.Props) func() (Config, map[string]string, error) {
	t.Helper()
	var c confluentV1
	require.NoError(t, config.Decode(config.Props{"topic.name.pattern": "t", "request.interval.ms": "1000", "validate.requests": "false"}.Merge(props), &c))
	return c.own
}

func cast(t *testing.T, props config.Props) func() (Config, map[string]string, error) {
	t.Helper()
	var c castorm
	require.NoError(t, config.Decode(config.Props{"kafka.topic": "t", "validate.requests": "false"}.Merge(props), &c))
	return c.own
}

func TestRequestsOfCastorm(t *testing.T) {
	anchored(t, cast(t, config.Props{"http.request.url": "http://a.test/x?y=1", "http.request.params": "since=${offset.timestamp}", "http.offset.initial": "timestamp=2026-01-01T00:00:00Z", "http.request.headers": `A: 1\,2, B: 3`,
		"http.response.record.timestamp.pointer": "/at", "http.timer": castormPackage + "timer.FixedIntervalTimer", "http.throttler.interval.millis": "7000"}),
		func(n int, w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, []string{`[{"at":1769860800000}]`, `[{"at":1769860800000},{"at":1769861800000}]`, `[]`}[min(n, 3)-1])
		}, func(r *rig, requests *[]seen) {
			assert.Equal(t, []string{`{"at":1769860800000}`}, r.poll())
			assert.Equal(t, []string{`{"at":1769861800000}`}, r.poll(), "the one before was delivered")
			all := *requests
			assert.Equal(t, []string{"GET a.test/x?y=1&since=2026-01-01T00%3A00%3A00Z", "GET a.test/x?y=1&since=2026-01-31T12%3A00%3A00Z"}, requestLines(all))
			assert.Equal(t, 7*time.Second, all[1].at.Sub(all[0].at))
			assert.Equal(t, []string{"1,2", "3"}, []string{all[0].header.Get("A"), all[0].header.Get("B")})
		})
}

func requestLines(requests []seen) []string {
	var all []string
	for _, r := range requests {
		all = append(all, strings.TrimSpace(r.line+" "+r.body))
	}
	return all
}

func TestRequestsOfConfluent(t *testing.T) {
	for _, c := range []struct {
		name  string
		own   func() (Config, map[string]string, error)
		pages []string
		polls int
		want  []string
	}{
		{"path parameters", v2(t, config.Props{"api1.http.api.path": "/users/{id}/x", "api1.http.path.parameters": "id:7", "api1.http.request.parameters": "start=${offset}&limit=2", "api1.http.initial.offset": "0", "api1.http.response.data.json.pointer": "/r"}),
			[]string{`{"r":[1,2]}`, `{"r":[3]}`, `{"r":[4]}`}, 3,
			[]string{"GET a.test/base/users/7/x?limit=2&start=0", "GET a.test/base/users/7/x?limit=2&start=2", "GET a.test/base/users/7/x?limit=2&start=3"}},
		{"no template: the same over and over", v2(t, config.Props{"api1.http.api.path": "/messages", "api1.http.initial.offset": "0"}),
			[]string{`{"a":1}`}, 2, []string{"GET a.test/base/messages", "GET a.test/base/messages"}},
		{"body by POST, no parameters", v2(t, config.Props{"api1.http.request.method": "POST", "api1.http.request.parameters": "x=y", "api1.http.offset.mode": "CHAINING", "api1.http.initial.offset": "5",
			"api1.http.request.body": `{"search_after":[${offset}]}`, "api1.http.response.data.json.pointer": "/hits", "api1.http.offset.json.pointer": "/sort/0"}),
			[]string{`{"hits":[{"sort":[8]},{"sort":[9]}]}`, `{"hits":[{"sort":[11]}]}`}, 2,
			[]string{`POST a.test/base {"search_after":[5]}`, `POST a.test/base {"search_after":[9]}`}},
		{"no body by GET", v2(t, config.Props{"api1.http.request.body": "x"}), []string{"[1]"}, 1, []string{"GET a.test/base"}},
		{"page token", v2(t, config.Props{"api1.http.api.path": "/o", "api1.http.offset.mode": "CURSOR_PAGINATION", "api1.http.request.parameters": "pageToken=${offset}", "api1.http.next.page.json.pointer": "/next", "api1.http.response.data.json.pointer": "/items"}),
			[]string{`{"items":[1],"next":"b/c"}`, `{"items":[2]}`}, 2, []string{"GET a.test/base/o?pageToken=", "GET a.test/base/o?pageToken=b%2Fc"}},
		{"next page is a URL", v2(t, config.Props{"api1.http.api.path": "/o", "api1.http.offset.mode": "CURSOR_PAGINATION", "api1.http.next.page.json.pointer": "/next", "api1.http.response.data.json.pointer": "/items"}),
			[]string{`{"items":[1],"next":"http://a.test/base/o?p=2"}`, `{"items":[2],"next":"?p=3"}`, `{"items":[3]}`}, 3, []string{"GET a.test/base/o", "GET a.test/base/o?p=2", "GET a.test/base/o?p=3"}},
		{"next page is the path", v2(t, config.Props{"api1.http.api.path": "${offset}", "api1.http.initial.offset": "/o?p=1", "api1.http.offset.mode": "CURSOR_PAGINATION", "api1.http.next.page.json.pointer": "/next", "api1.http.response.data.json.pointer": "/items"}),
			[]string{`{"items":[1],"next":"/base/o?p=2"}`, `{"items":[2]}`}, 2, []string{"GET a.test/base/o?p=1", "GET a.test/base/o?p=2"}},
		{"entities of V1", v1(t, config.Props{"url": "http://b.test/api/${entityName}?x=1", "entity.names": "u,v", "topic.name.pattern": "t-${entityName}", "http.request.parameters": "e=${entityName}&after=${offset}", "http.initial.offset": "0"}),
			[]string{"[1]"}, 2, []string{"GET b.test/api/u?x=1&after=0&e=u", "GET b.test/api/v?x=1&after=0&e=v"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			anchored(t, c.own, func(n int, w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, c.pages[min(n, len(c.pages))-1])
			}, func(r *rig, requests *[]seen) {
				for range c.polls {
					assert.NotEmpty(t, r.poll())
				}
				assert.Equal(t, c.want, requestLines(*requests))
			})
		})
	}
}

func TestHeadersOfConfluent(t *testing.T) {
	own := v2(t, config.Props{"api1.http.request.headers": "A: 1|B: plain", "api1.http.request.sensitive.headers": "B: s3cret|C: t0p",
		"auth.type": "OAUTH2", "oauth2.token.url": "http://a.test/token", "oauth2.client.id": "me", "oauth2.client.secret": "pw", "oauth2.client.headers": "X-Tenant: seven", "oauth2.client.auth.mode": "request_body"})
	c, _, err := own()
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprintf("%+v", c), "s3cret")
	anchored(t, own, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"tok","token_type":"Bearer"}`)
			return
		}
		_, _ = fmt.Fprint(w, "[1]")
	}, func(r *rig, requests *[]seen) {
		r.poll()
		token, api := (*requests)[0], (*requests)[1]
		assert.Equal(t, "client_id=me&client_secret=pw&grant_type=client_credentials&scope=any", token.body)
		assert.Equal(t, "seven", token.header.Get("X-Tenant"))
		assert.Equal(t, []string{"1", "s3cret", "t0p", "Bearer tok", ""}, []string{api.header.Get("A"), api.header.Get("B"), api.header.Get("C"), api.header.Get("Authorization"), api.header.Get("X-Tenant")})
	})
}

// Statuses are tried again as often as is asked for, 401 too, and then end the task or are let go.
func TestErrorsOfConfluent(t *testing.T) {
	for _, c := range []struct {
		name     string
		props    config.Props
		status   int
		requests int
		want     []string
	}{
		{"fail", nil, 404, 3, nil},
		{"401 is always tried again", config.Props{"api1.retry.on.status.codes": "500-"}, 401, 3, nil},
		{"others are not", config.Props{"api1.retry.on.status.codes": "500-"}, 404, 1, nil},
		{"ignore", config.Props{"behavior.on.error": "IGNORE"}, 500, 4, []string{"1"}},
		{"report", config.Props{"behavior.on.error": "IGNORE", "reporter.error.topic.name": "errors"}, 500, 3, []string{"errors:oh no"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			anchored(t, v2(t, config.Props{"api1.max.retries": "2"}.Merge(c.props)), func(n int, w http.ResponseWriter, _ *http.Request) {
				if n > 3 {
					_, _ = fmt.Fprint(w, "[1]")
					return
				}
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, "oh no")
			}, func(r *rig, requests *[]seen) {
				records, err := r.task.Poll(context.Background())
				assert.Equal(t, c.want, texts(records))
				assert.Equal(t, c.want == nil, err != nil, "%v", err)
				assert.Len(t, *requests, c.requests)
			})
		})
	}
}

// Errors of HttpSource's keys are told under the keys that the user wrote.
func TestAnchorsTellTheirKeys(t *testing.T) {
	for _, c := range []struct {
		into  config.Describer
		props config.Props
		key   string
	}{
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "auth.type": "BASIC"}, "connection.user"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "auth.type": "OAUTH2", "oauth2.token.url": "x:/", "oauth2.client.id": "i"}, "oauth2.token.url"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "auth.type": "OAUTH2", "oauth2.token.url": "http://a", "oauth2.client.id": "i", "oauth2.flow.type": "CODE_GRANT_FLOW"}, "oauth2.refresh.token"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "auth.type": "OAUTH2", "oauth2.token.url": "http://a", "oauth2.client.id": "i", "oauth2.client.headers": "x"}, "oauth2.client.headers"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "apis.num": "2", "api1.topics": "t", "api2.topics": "t", "api2.http.api.path": "/${primary_key}"}, "api2.http.api.path"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "apis.num": "2", "api1.topics": "t", "api2.topics": "t", "api2.retry.backoff.ms": "1"}, "api2.retry.backoff.ms"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.request.headers": "x"}, "api1.http.request.headers"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.request.sensitive.headers": "x"}, "api1.http.request.sensitive.headers"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.path.parameters": "x:1"}, "api1.http.path.parameters"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.initial.offset": "a"}, "api1.http.initial.offset"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.request.parameters": "a=${now|x"}, "api1.http.request.parameters"},
		{new(confluentV1), config.Props{"url": "http://${entityName}/", "topic.name.pattern": "t"}, "url"},
		{new(confluentV1), config.Props{"url": "http://a/${entityName}/", "topic.name.pattern": "t"}, "entity.names"},
		{new(confluentV1), config.Props{"url": "http://a/${nothing}/", "topic.name.pattern": "t", "entity.names": "a"}, "url"},
		{new(confluentV1), config.Props{"url": "http://a/", "topic.name.pattern": "t", "http.offset.mode": "CHAINING"}, "http.offset.json.pointer"},
		{new(confluentV1), config.Props{"url": "http://a/", "topic.name.pattern": "t", "http.request.sensitive.headers": "s3cret"}, "http.request.sensitive.headers"},
		{new(castorm), config.Props{"http.request.url": "http://a/", "kafka.topic": "t", "http.response.list.pointer": "x"}, "http.response.list.pointer"},
		{new(castorm), config.Props{"http.request.url": "http://a/", "kafka.topic": "t", "http.request.params": "x"}, "http.request.params"},
		{new(castorm), config.Props{"http.request.url": "http://a/", "kafka.topic": "t", "http.request.params": "x=1&x=2"}, "http.request.params"},
		{new(castorm), config.Props{"http.request.url": "http://a/?t=${offset.timestamp}", "kafka.topic": "t"}, "http.response.record.timestamp.pointer"},
		{new(castorm), config.Props{"http.request.url": "http://a/?t=${offset.timestamp}", "kafka.topic": "t", "http.response.record.timestamp.pointer": "/at", "http.offset.initial": "timestamp=soon"}, "http.offset.initial"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.request.parameters": "x=1&x=2"}, "api1.http.request.parameters"},
		{new(castorm), config.Props{"http.request.url": "http://a/", "kafka.topic": "t", "http.response.policy.codes.skip": "x"}, "http.response.policy.codes.skip"},
	} {
		keys, rest := config.KeyErrors(config.Decode(c.props, c.into))
		var names []string
		for _, k := range keys {
			names = append(names, k.Key)
			assert.NotContains(t, k.Error(), "s3cret")
		}
		assert.Equal(t, []string{c.key}, names, "%v", c.props)
		assert.Empty(t, rest)
	}
}
