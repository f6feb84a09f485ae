package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// dealt is the Coordinator of one of several workers that share their work by a
// fixed rule: worker n runs the tasks of number n, the leader all connectors.
type dealt struct {
	number int
	leader string // URL
	rejoin chan struct{}
}

func (d dealt) Rejoin(string) {
	select {
	case d.rejoin <- struct{}{}:
	default:
	}
}

// Assignments deals anew, in a bubble, when the configuration has changed.
func (d dealt) Assignments(ctx context.Context, m connect.Member) iter.Seq2[connect.Assignment, error] {
	return func(yield func(connect.Assignment, error) bool) {
		a := connect.Assignment{MemberID: fmt.Sprint(d.number), Leader: "0", LeaderURL: d.leader}
		for ctx.Err() == nil {
			view, err := m.View(ctx, 0)
			if err != nil {
				break
			}
			mine := d.mine(view.Work())
			a.Revoked, a.Added = m.Owned().Minus(mine), mine.Minus(m.Owned())
			if !yield(a, nil) {
				return
			}
			select {
			case <-ctx.Done():
			case <-d.rejoin:
				if d.number > 0 { // a leader knows first, and takes nobody's states for late ones
					time.Sleep(time.Millisecond)
				}
			}
		}
		a.Revoked, a.Added = m.Owned(), cluster.Work{}
		yield(a, nil)
	}
}

func (d dealt) mine(all cluster.Work) (mine cluster.Work) {
	if d.number == 0 {
		mine.Connectors = all.Connectors
	}
	for _, t := range all.Tasks {
		if t.Task == d.number {
			mine.Tasks = append(mine.Tasks, t)
		}
	}
	return mine
}

// troubled is a source whose tasks have an error at every poll: a retriable one
// with the number of the task and a secret in it.
func troubled() connect.Plugin {
	return connect.Source(connect.Info{Class: "Troubled"},
		func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
			return connecttest.Connector[connecttest.Props]{TaskConfigsFunc: func(_ context.Context, n int) ([]connecttest.Props, error) {
				tasks := make([]connecttest.Props, n)
				for i := range tasks {
					tasks[i].All = config.Props{"n": fmt.Sprint(i)}
				}
				return tasks, nil
			}}, nil
		},
		func(p connecttest.Props) (connecttest.SourceTask, error) {
			return connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
				select {
				case <-time.After(time.Minute):
					return nil, connect.Retriable(errors.New("task "+p.All["n"]+" with s3cret"), 0)
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}}, nil
		})
}

// crew is three workers in a bubble that share their work.
type crew struct {
	*network
	t *testing.T
}

// hosts of a crew; the first leads.
var crewHosts = [...]string{"w0:1", "w1:1", "w2:1"}

// inCrewBubble runs f with a crew in a bubble.
func inCrewBubble(t *testing.T, f func(t *testing.T, c crew)) {
	synctest.Test(t, func(t *testing.T) {
		c := crew{&network{workers: make(map[string]http.Handler)}, t}
		broker, offsets := connecttest.NewBroker(), connect.NewMemoryOffsets()
		configs, status := newSharedLog(), newSharedLog()
		for i, host := range crewHosts {
			rt := startInBubble(t, connect.Options{
				Plugins: []connect.Plugin{troubled()}, Broker: broker, Offsets: offsets,
				Configs: &logView{sharedLog: configs}, Status: &logView{sharedLog: status},
				URL:         "http://" + host + "/connect/",
				Coordinator: dealt{i, "http://" + crewHosts[0] + "/connect/", make(chan struct{}, 1)},
			})
			mux := http.NewServeMux()
			mux.Handle("/connect/", http.StripPrefix("/connect", Handler(rt, &Options{Client: &http.Client{Transport: c.network}})))
			c.workers[host] = mux
		}
		time.Sleep(time.Second)
		f(t, c)
	})
}

// ask sends a request to a worker and returns the status and the answer.
func (c crew) ask(host, method, path, body string) (int, string) {
	c.t.Helper()
	headers := map[string]string{"Authorization": "Basic eDp5"}
	var sent []byte
	if body != "" {
		headers["Content-Type"], sent = "application/json", []byte(body)
	}
	w := send(c.t, c.workers[host], host, method, "/connect"+path, headers, sent)
	return w.Code, w.Body.String()
}

// must returns the answer to a request that succeeds.
func (c crew) must(host, method, path, body string, into any) {
	c.t.Helper()
	status, answer := c.ask(host, method, path, body)
	require.Equal(c.t, http.StatusOK, status, answer)
	require.NoError(c.t, json.Unmarshal([]byte(answer), into), answer)
}

const troubledSet = `{"connectors":{"t":{"config":{"connector.class":"Troubled","tasks.max":3,"db.password":"s3cret"}}}}`

// Whoever is asked asks the workers that run the tasks, and nobody else does.
func TestErrorsOfAllWorkers(t *testing.T) {
	inCrewBubble(t, func(t *testing.T, c crew) {
		var plan changePlan
		c.must("w0:1", http.MethodPost, "/-/apply", troubledSet, &plan)
		time.Sleep(90 * time.Second)
		for _, host := range crewHosts {
			c.take()
			var found connectorErrors
			c.must(host, http.MethodGet, "/-/connectors/t/errors", "", &found)
			var told []string
			for _, e := range found.Errors {
				require.NotNil(t, e.Task)
				told = append(told, fmt.Sprintf("%s %d %s %s %s", e.WorkerID, *e.Task, e.Outcome, e.Stage, e.Message))
			}
			assert.Equal(t, []string{
				"w0:1 0 retried TASK_POLL task 0 with [hidden]",
				"w1:1 1 retried TASK_POLL task 1 with [hidden]",
				"w2:1 2 retried TASK_POLL task 2 with [hidden]",
			}, told)
			assert.Empty(t, found.Missing)
			requests := c.take()
			assert.Len(t, requests, 2)
			for _, r := range requests {
				assert.Equal(t, "/connect/-/connectors/t/errors?local=true", r.URL.RequestURI())
				assert.Equal(t, "Basic eDp5", r.Header.Get("Authorization"))
			}

			c.must(host, http.MethodGet, "/-/connectors/t/errors?local=true", "", &found)
			assert.Len(t, found.Errors, 1)
			assert.Empty(t, c.take(), "who is asked to ask nobody asks nobody")
			c.must(host, http.MethodGet, "/-/connectors/t/errors?limit=2", "", &found)
			assert.Len(t, found.Errors, 2)
		}

		c.workers["w2:1"] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		began := time.Now()
		var found connectorErrors
		c.must("w1:1", http.MethodGet, "/-/connectors/t/errors", "", &found)
		assert.Len(t, found.Errors, 2)
		require.Len(t, found.Missing, 1)
		assert.Equal(t, "w2:1", found.Missing[0].WorkerID)
		assert.Equal(t, peerTimeout, time.Since(began))

		status, answer := c.ask("w1:1", http.MethodGet, "/-/connectors/nobody/errors", "")
		assert.Equal(t, http.StatusNotFound, status)
		assert.JSONEq(t, `{"error_code":404,"message":"Connector nobody not found"}`, answer)
		for _, limit := range []string{"0", "-1", "x", ""} {
			status, _ = c.ask("w1:1", http.MethodGet, "/-/connectors/t/errors?limit="+limit, "")
			assert.Equal(t, http.StatusBadRequest, status, limit)
		}
	})
}

// What other workers may answer, and what is made of it.
func TestToldErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		n      int
		part   string // of the error; "": none
	}{
		{200, `{"name":"a","errors":[{"worker_id":"x","number":1},{"worker_id":"x","number":2}],"more":1}`, 2, ""},
		{200, `<html>`, 0, "no JSON"},
		{404, `{"error_code":404,"message":"Connector a not found"}`, 0, ""},
		{404, `{"error_code":404,"message":"HTTP 404 Not Found"}`, 0, "does not keep errors"},
		{404, `<html>`, 0, "does not keep errors"},
		{401, `nobody`, 0, "status 401"},
		{500, `{"error_code":500,"message":"Request timed out"}`, 0, "status 500: Request timed out"},
	} {
		errs, err := toldErrors(c.status, []byte(c.body))
		assert.Len(t, errs, c.n, c.body)
		if c.part == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, c.part)
		}
	}
}

// A worker without peers tells what it knows itself.
func TestErrorsOfOneWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := startInBubble(t, connect.Options{Plugins: []connect.Plugin{troubled()}})
		h := Handler(rt, &Options{Client: &http.Client{Transport: canned{err: errors.New("asked")}}})
		_, err := rt.PutConnector(t.Context(), "a/b", config.Props{"connector.class": "Troubled"})
		require.NoError(t, err)
		w := send(t, h, host, http.MethodGet, "/-/connectors/a%2Fb/errors", nil, nil)
		assert.JSONEq(t, `{"name":"a/b","errors":[],"missing":[]}`, w.Body.String())
		time.Sleep(90 * time.Second)
		w = send(t, h, host, http.MethodGet, "/-/connectors/a%2Fb/errors", nil, nil)
		assert.Contains(t, w.Body.String(), `"task":0,"outcome":"retried","stage":"TASK_POLL","plugin":"","at":"","message":"task 0 with s3cret"`)
	})
}

// A follower passes on to the leader what only that may do, and what only that
// remembers.
func TestAdditionsAreForwarded(t *testing.T) {
	inCrewBubble(t, func(t *testing.T, c crew) {
		var plan changePlan
		c.must("w1:1", http.MethodPost, "/-/apply?dry_run=true", troubledSet, &plan)
		r := c.take()
		require.Len(t, r, 1)
		assert.Equal(t, "http://w0:1/connect/-/apply?dry_run=true&forward=true", r[0].URL.String())
		assert.True(t, plan.DryRun)
		assert.False(t, plan.Applied)
		_, answer := c.ask("w1:1", http.MethodGet, "/connectors", "")
		assert.JSONEq(t, `[]`, answer)

		c.must("w1:1", http.MethodPost, "/-/apply", troubledSet, &plan)
		assert.True(t, plan.Applied)
		hidden := config.Hidden
		c.must("w2:1", http.MethodPost, "/-/apply", strings.Replace(troubledSet, "s3cret", "s3cret2", 1), &plan)
		assert.Equal(t, []cluster.KeyChange{{Key: "db.password", Before: &hidden, After: &hidden}}, plan.Connectors[0].Diff)

		var history historyOf
		for _, host := range crewHosts {
			c.must(host, http.MethodGet, "/-/connectors/t/history", "", &history)
			require.Len(t, history.Revisions, 2)
		}
		oldest := history.Revisions[1].Revision
		c.take()
		c.must("w2:1", http.MethodPost, fmt.Sprintf("/-/connectors/t/history/%d/rollback?dry_run=true", oldest), "", &plan)
		c.must("w2:1", http.MethodPost, fmt.Sprintf("/-/connectors/t/history/%d/rollback", oldest), "", &plan)
		assert.True(t, plan.Applied)
		assert.Len(t, c.take(), 2)
		time.Sleep(time.Second) // until the others have read it
		_, answer = c.ask("w1:1", http.MethodGet, "/connectors/t/config", "")
		assert.Contains(t, answer, `"db.password":"s3cret"`)
		var diff revisionDiff
		c.must("w1:1", http.MethodGet, fmt.Sprintf("/-/connectors/t/history/%d/diff", oldest), "", &diff)
		assert.Empty(t, diff.Diff)
		assert.NotEqual(t, oldest, diff.To)

		status, answer := c.ask("w2:1", http.MethodPost, "/-/apply", `{"connectors":{"t":{"config":{"connector.class":"Nix"}}}}`)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Contains(t, answer, "nothing was changed, for 1 of 1 connectors are invalid:")
		status, _ = c.ask("w2:1", http.MethodGet, "/-/history?forward=false", "")
		assert.Equal(t, http.StatusConflict, status)
	})
}

// inWorkerBubble runs f with the handler of one worker in a bubble.
func inWorkerBubble(t *testing.T, f func(t *testing.T, ask func(method, path, body string) (int, string))) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(startInBubble(t, connect.Options{}), nil)
		f(t, func(method, path, body string) (int, string) {
			t.Helper()
			w := send(t, h, host, method, path, jsonHeader(), []byte(body))
			return w.Code, w.Body.String()
		})
	})
}

// The whole of a plan, as it is answered.
func TestApplyAnswers(t *testing.T) {
	inWorkerBubble(t, func(t *testing.T, ask func(method, path, body string) (int, string)) {
		const source = `{"connector.class":"FileStreamSource","file":"no-such-file","topic":%q}`
		set := func(rest string) string {
			return `{"connectors":{"a":{"config":` + fmt.Sprintf(source, "t") + `}` + rest + `}`
		}
		status, answer := ask(http.MethodPost, "/-/apply", set("}"))
		require.Equal(t, http.StatusOK, status, answer)
		assert.JSONEq(t, `{"applied":true,"dry_run":false,"position":null,"connectors":[{
			"name":"a","action":"create","revision":null,"state":{"before":null,"after":"RUNNING"},"errors":[],"warnings":[],
			"diff":[
				{"key":"connector.class","change":"added","after":"FileStreamSource"},{"key":"file","change":"added","after":"no-such-file"},
				{"key":"name","change":"added","after":"a"},{"key":"topic","change":"added","after":"t"}]}]}`, answer)
		status, answer = ask(http.MethodPost, "/-/apply?dry_run=true", set(`,"b":{"config":{"connector.class":"FileStreamSink","topik":null},"state":"paused"}}`))
		require.Equal(t, http.StatusOK, status, answer)
		var plan changePlan
		require.NoError(t, json.Unmarshal([]byte(answer), &plan))
		require.Len(t, plan.Connectors, 2)
		assert.Equal(t, cluster.ActionUnchanged, plan.Connectors[0].Action)
		assert.Contains(t, answer, `"state":{"before":null,"after":"PAUSED"}`)
		assert.Contains(t, answer, `{"key":"topik","change":"added","after":null}`)
		assert.Contains(t, answer, `{"key":"topik","message":`)
		at := *plan.Connectors[0].Revision

		status, answer = ask(http.MethodPost, "/-/apply", fmt.Sprintf(set(`},"revisions":{"a":%d}`), at+1))
		assert.Equal(t, http.StatusConflict, status)
		assert.JSONEq(t, fmt.Sprintf(`{"error_code":409,"message":"conflict: connectors were changed meanwhile; plan again: connector \"a\": planned for revision %d, found revision %d"}`, at+1, at), answer)
		status, _ = ask(http.MethodPost, "/-/apply", fmt.Sprintf(set(`},"revisions":{"a":%d,"b":null}`), at))
		assert.Equal(t, http.StatusOK, status)
		status, answer = ask(http.MethodPost, "/-/apply", `{"connectors":{},"prune":true}`)
		assert.Equal(t, http.StatusBadRequest, status, answer)
		status, answer = ask(http.MethodPost, "/-/apply", `{"connectors":{"z":{"config":`+fmt.Sprintf(source, "z")+`,"state":"STOPPED"}},"prune":true}`)
		assert.Equal(t, http.StatusOK, status, answer)
		_, answer = ask(http.MethodGet, "/connectors", "")
		assert.JSONEq(t, `["z"]`, answer)
	})
}

// Bodies that make no set of connectors are the client's fault.
func TestApplyBodies(t *testing.T) {
	inWorkerBubble(t, func(t *testing.T, ask func(method, path, body string) (int, string)) {
		for body, part := range map[string]string{
			"":                                "The request has no body",
			"null":                            "The request has no body",
			"[]":                              "Cannot deserialize",
			"{":                               "Unexpected end-of-input",
			"{} {}":                           "more in the body than one",
			`{}`:                              "connectors has to be an object",
			`{"connectors":[]}`:               "connectors has to be an object",
			`{"connectors":{},"prone":1}`:     "Unrecognized field",
			`{"connectors":{},"prune":"yes"}`: "prune has to be true or false",
			`{"connectors":{"a":null}}`:       "Connector a: found a JSON null",
			`{"connectors":{"a":"b"}}`:        "Connector a: found a JSON string",
			`{"connectors":{"a":{}}}`:         "Connector a: the field config has to be an object of texts",
			`{"connectors":{"a":{"config":{"x":{}}}}}`:                            "Cannot deserialize",
			`{"connectors":{"a":{"config":{},"status":"x"}}}`:                     "Unrecognized field",
			`{"connectors":{"a":{"config":{},"state":"GONE"}}}`:                   "none of RUNNING, PAUSED, STOPPED",
			`{"connectors":{"a":{"config":{},"state":[]}}}`:                       "Cannot deserialize",
			`{"connectors":{},"revisions":[]}`:                                    "revisions has to be an object",
			`{"connectors":{},"revisions":{"a":"1"}}`:                             "The revision of connector a is 1",
			`{"connectors":{},"revisions":{"a":-1}}`:                              "The revision of connector a is -1",
			`{"connectors":{},"revisions":{"a":1.5}}`:                             "The revision of connector a is 1.5",
			`{"connectors":{"":{"config":{"connector.class":"FileStreamSink"}}}}`: "the connector has no name",
		} {
			status, answer := ask(http.MethodPost, "/-/apply", body)
			assert.Equal(t, http.StatusBadRequest, status, "%s: %s", body, answer)
			assert.Contains(t, answer, part, body)
		}
		status, answer := ask(http.MethodPost, "/-/apply", `{"connectors":{}}`)
		assert.Equal(t, http.StatusOK, status, answer)
	})
}

// The whole of a history, as it is answered. Nothing of it shows a secret.
func TestHistoryAnswers(t *testing.T) {
	inWorkerBubble(t, func(t *testing.T, ask func(method, path, body string) (int, string)) {
		const path = "/-/connectors/a%2Fb/history"
		status, answer := ask(http.MethodGet, path, "")
		assert.Equal(t, http.StatusNotFound, status)
		assert.JSONEq(t, `{"error_code":404,"message":"No configuration of connector a/b is remembered"}`, answer)
		_, answer = ask(http.MethodGet, "/-/history", "")
		assert.JSONEq(t, `[]`, answer)
		hidden, place := config.Hidden, "${file:/x:y}"
		for _, password := range []string{"s3cret", "other", place} {
			body := fmt.Sprintf(`{"connector.class":"FileStreamSource","file":"f","topic":"t","db.password":%q}`, password)
			status, answer = ask(http.MethodPut, "/connectors/a%2Fb/config", body)
			require.Less(t, status, 300, answer)
			time.Sleep(time.Second)
		}
		status, _ = ask(http.MethodDelete, "/connectors/a%2Fb", "")
		require.Equal(t, http.StatusNoContent, status)

		var history historyOf
		status, answer = ask(http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, json.Unmarshal([]byte(answer), &history))
		require.Len(t, history.Revisions, 4)
		assert.True(t, history.Revisions[0].Deleted)
		assert.Len(t, history.Revisions[0].Diff, 5, "all keys are gone")
		assert.Equal(t, []cluster.KeyChange{{Key: "db.password", Before: &hidden, After: &place}}, history.Revisions[1].Diff)
		assert.Equal(t, []cluster.KeyChange{{Key: "db.password", Before: &hidden, After: &hidden}}, history.Revisions[2].Diff)
		assert.Nil(t, history.Revisions[3].Diff, "what was before is not known")
		assert.Equal(t, int64(2000), *history.Revisions[1].Time-*history.Revisions[3].Time)

		at := func(i int, rest string) string {
			return fmt.Sprintf("%s/%d%s", path, history.Revisions[i].Revision, rest)
		}
		_, answer = ask(http.MethodGet, at(3, ""), "")
		assert.JSONEq(t, fmt.Sprintf(`{"name":"a/b","revision":%d,"time":%d,"deleted":false,"config":{
			"name":"a/b","connector.class":"FileStreamSource","file":"f","topic":"t","db.password":"[hidden]"}}`,
			history.Revisions[3].Revision, *history.Revisions[3].Time), answer)
		_, answer = ask(http.MethodGet, at(0, ""), "")
		assert.Contains(t, answer, `"deleted":true,"config":null`)
		_, answer = ask(http.MethodGet, at(3, "/diff?to="+fmt.Sprint(history.Revisions[1].Revision)), "")
		assert.Contains(t, answer, `"diff":[{"key":"db.password","change":"changed","before":"[hidden]","after":"${file:/x:y}"}]`)
		_, answer = ask(http.MethodGet, at(2, "/diff"), "")
		assert.Contains(t, answer, `"change":"removed","before":"[hidden]"}`)
		_, answer = ask(http.MethodGet, "/-/history", "")
		assert.JSONEq(t, `[{"name":"a/b","revisions":4,"deleted":true}]`, answer)

		for target, want := range map[string]int{
			path + "/4711": 404, path + "/x": 404, path + "/-1": 404, at(3, "/diff?to=x"): 400, at(3, "/diff?to="): 400, at(3, "/diff?to=4711"): 404,
		} {
			status, answer = ask(http.MethodGet, target, "")
			assert.Equal(t, want, status, "%s: %s", target, answer)
		}
		for target, want := range map[string]int{path + "/4711/rollback": 404, path + "/x/rollback": 404, at(0, "/rollback"): 400, "/-/connectors/nobody/history/1/rollback": 404} {
			status, answer = ask(http.MethodPost, target, "")
			assert.Equal(t, want, status, "%s: %s", target, answer)
		}
		status, answer = ask(http.MethodPost, at(3, "/rollback"), "")
		require.Equal(t, http.StatusOK, status, answer)
		assert.Contains(t, answer, `"action":"create"`)
		assert.NotContains(t, answer, "s3cret")
		_, answer = ask(http.MethodGet, "/connectors/a%2Fb/config", "")
		assert.Contains(t, answer, `"db.password":"s3cret"`)
	})
}

// No path of Java's begins as the additions do.
func TestAdditionsDoNotClash(t *testing.T) {
	for _, r := range additionRoutes() {
		assert.True(t, strings.HasPrefix(r.path, "/-/"), r.path)
	}
	n := 0
	for _, file := range []string{"standalone.jsonl", "distributed.jsonl", "cluster.jsonl", "plugins.jsonl", "settings.jsonl"} {
		for _, e := range transcript(t, file) {
			u, err := url.Parse(e.Path)
			if err != nil {
				continue
			}
			n++
			assert.False(t, strings.HasPrefix(u.Path, "/-"), e.Path)
		}
	}
	assert.Greater(t, n, 1000)
}
