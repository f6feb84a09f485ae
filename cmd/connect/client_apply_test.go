package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// aSet writes a folder of connectors in all shapes, and changes there.
func aSet(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "set/new.json", `{"name":"new","config":{"connector.class":"FileStreamSource","topic":"t","db.password":"s3cret"},"initial_state":"STOPPED"}`)
	write(t, dir, "set/same.json", `{"name":"same","connector.class":"FileStreamSink","topics":"t"}`)
	write(t, dir, "set/other.properties", "name=other\nconnector.class=FileStreamSink\ntopics=u\nfile=\n")
	write(t, dir, "set/held.json", `{"name":"held","config":{"connector.class":"FileStreamSink","topics":"t"},"state":"PAUSED"}`)
	write(t, dir, "set/README.md", "not a connector")
	write(t, dir, "set/.hidden.json", "{")
	write(t, dir, "set/below/deep.json", "{")
	t.Chdir(dir)
}

// What a worker with /-/apply is asked, and what is shown of its answers.
func TestGoldenApply(t *testing.T) {
	aSet(t)
	const plan = `{"applied":%t,"dry_run":%t,"position":40,"connectors":[
		{"name":"gone","action":"delete","revision":31,"state":{"before":"RUNNING","after":null},"diff":[{"key":"topics","change":"removed","before":"t"}],"errors":[],"warnings":[]},
		{"name":"held","action":"update","revision":17,"state":{"before":"RUNNING","after":"PAUSED"},"diff":[],"errors":[],"warnings":[]},
		{"name":"new","action":"create","revision":null,"state":{"before":null,"after":"STOPPED"},"diff":[
			{"key":"db.password","change":"added","after":"[hidden]"},{"key":"topic","change":"added","after":"t"}],"errors":[],"warnings":[{"key":"topik","message":"is not known and has no effect; the nearest is \"topic\""}]},
		{"name":"other","action":"update","revision":9,"state":{"before":"RUNNING","after":"RUNNING"},"diff":[
			{"key":"file","change":"changed","before":"a b ","after":""},{"key":"n","change":"removed","before":null},{"key":"topics","change":"changed","before":"t","after":"u"}],"errors":[],"warnings":[]},
		{"name":"same","action":"unchanged","revision":3,"state":{"before":"PAUSED","after":"PAUSED"},"diff":[],"errors":[],"warnings":[]}]}`
	c := newCanned(t, map[string]string{
		"GET /connectors":              `["held","same","other","gone"]`,
		"POST /-/apply?dry_run=true":   fmt.Sprintf(plan, false, true),
		"POST /-/apply":                fmt.Sprintf(plan, true, false),
		"GET /connectors/held/status":  `{"name":"held","connector":{"state":"PAUSED"},"tasks":[]}`,
		"GET /connectors/new/status":   `{"name":"new","connector":{"state":"STOPPED"},"tasks":[]}`,
		"GET /connectors/other/status": `{"name":"other","connector":{"state":"RUNNING"},"tasks":[{"id":0,"state":"FAILED"}]}`,
	})
	c.refuse("POST /-/apply", 409, "unreachable in this test")
	c.answers["POST /-/apply"] = c.answers["POST /-/apply"][:1]
	golden(t, "apply.txt", c, "apply set --plan", "apply set --plan --prune -o wide", "apply set --prune", "apply set --wait", "apply set/same.json --plan -o json", "apply", "apply absent")

	var sent []changeSet
	for _, r := range c.take() {
		if _, body, found := strings.Cut(r, "apply?dry_run=true "); found {
			var s changeSet
			require.NoError(t, json.Unmarshal([]byte(body), &s))
			sent = append(sent, s)
		}
		if _, body, found := strings.Cut(r, "POST /-/apply {"); found {
			assert.Contains(t, body, `"revisions":{"gone":31,"held":17,"new":null,"other":9,"same":3}`)
		}
	}
	require.Len(t, sent, 5)
	assert.Equal(t, map[string]desired{
		"new":   {config.Props{"name": "new", "connector.class": "FileStreamSource", "topic": "t", "db.password": "s3cret"}, "STOPPED"},
		"same":  {config.Props{"name": "same", "connector.class": "FileStreamSink", "topics": "t"}, ""},
		"other": {config.Props{"name": "other", "connector.class": "FileStreamSink", "topics": "u", "file": ""}, ""},
		"held":  {config.Props{"name": "held", "connector.class": "FileStreamSink", "topics": "t"}, "PAUSED"},
	}, sent[0].Connectors)
	assert.False(t, sent[0].Prune)
	assert.True(t, sent[1].Prune)
}

// Plans that are not carried out: invalid ones, empty ones, outdated ones.
func TestGoldenApplyRefused(t *testing.T) {
	aSet(t)
	const head = `{"applied":false,"dry_run":true,"position":null,"connectors":[`
	c := newCanned(t, map[string]string{"GET /connectors": `[]`})
	const dryRun = "POST /-/apply?dry_run=true"
	invalid := head + `{"name":"new","action":"create","revision":null,"state":{"before":null,"after":"RUNNING"},"diff":[],"errors":[{"key":"topic","message":"Missing required configuration \"topic\" which has no default value."},{"key":"","message":"two\nlines"}],"warnings":[]}]}`
	same := head + `{"name":"same","action":"unchanged","revision":3,"state":{"before":"RUNNING","after":"RUNNING"},"diff":[],"errors":[],"warnings":[]}]}`
	for _, answer := range []string{invalid, invalid, same, same, strings.ReplaceAll(same, "unchanged", "update")} {
		c.answer(dryRun, 200, answer)
	}
	c.refuse("POST /-/apply", 409, `conflict: connectors were changed meanwhile; plan again: connector "same": planned for revision 3, found revision 5`)
	golden(t, "refused.txt", c, "apply set --plan", "apply set", "apply set --plan", "apply set", "apply set")
	applied := 0
	for _, r := range c.take() {
		if strings.HasPrefix(r, "POST /-/apply {") {
			applied++
		}
	}
	assert.Equal(t, 1, applied)
}

// javaWorker answers as Java's workers do.
func javaWorker(t *testing.T) *canned {
	const info = `{"status":{"connector":{"state":%q},"tasks":[]},"info":{"config":%s,"type":"sink"}}`
	other := `{"name":"other","connector.class":"FileStreamSink","topics":"t","pin":"4711"}`
	same := `{"name":"same","connector.class":"FileStreamSink","topics":"t"}`
	c := newCanned(t, map[string]string{
		"GET /connectors": `["held","same","other","gone","stateless"]`,
		"GET /connectors?expand=status&expand=info": `{"held":` + fmt.Sprintf(info, "RUNNING", strings.ReplaceAll(same, "same", "held")) + `,"same":` + fmt.Sprintf(info, "PAUSED", same) +
			`,"other":` + fmt.Sprintf(info, "FAILED", other) + `,"gone":` + fmt.Sprintf(info, "RUNNING", `{"name":"gone","connector.class":"Old","pin":"4712"}`) + `}`,
		"GET /connectors/stateless/config":                        `{"name":"stateless"}`,
		"PUT /connector-plugins/FileStreamSource/config/validate": `{"configs":[{"definition":null,"value":null},{"definition":{"type":"STRING"},"value":{"name":"topic","errors":[]}}]}`,
		"PUT /connector-plugins/FileStreamSink/config/validate":   `{"configs":[{"definition":{"type":"PASSWORD"},"value":{"name":"pin","errors":[]}}]}`,
		"GET /connectors/other/config":                            other,
		"GET /connectors/held/config":                             strings.ReplaceAll(same, "same", "held"),
		"GET /connectors/gone/config":                             `{"name":"gone","connector.class":"Old","pin":"4712"}`,
		"GET /connector-plugins/Old/config":                       `[{"name":"pin","type":"PASSWORD"}]`,
		"POST /connectors":                                        `{}`, "PUT /connectors/other/config": `{}`, "PUT /connectors/held/pause": "", "DELETE /connectors/gone": "", "DELETE /connectors/stateless": "",
	})
	c.refuse("GET /connectors/new/config", 404, "Connector new not found")
	return c
}

// A worker that has no /-/apply gets single requests, after a plan of the client's.
func TestGoldenApplyToJava(t *testing.T) {
	aSet(t)
	c := javaWorker(t)
	golden(t, "java.txt", c, "apply set --plan", "apply set --plan --prune -o json", "apply set --prune")
	var changes []string
	for _, r := range c.take() {
		if method, _, _ := strings.Cut(r, " "); method != "GET" && !strings.Contains(r, "/validate") && !strings.Contains(r, "/-/") {
			changes = append(changes, r)
		}
	}
	assert.Equal(t, []string{
		"DELETE /connectors/gone",
		"PUT /connectors/held/pause",
		`POST /connectors {"name":"new","config":{"connector.class":"FileStreamSource","db.password":"s3cret","name":"new","topic":"t"},"initial_state":"STOPPED"}`,
		`PUT /connectors/other/config {"connector.class":"FileStreamSink","file":"","name":"other","topics":"u"}`,
		"DELETE /connectors/stateless",
	}, changes)
}

// What goes wrong with some of the requests is told, and keeps nothing from the
// others.
func TestGoldenApplyToJavaFails(t *testing.T) {
	aSet(t)
	c := javaWorker(t)
	c.answers["GET /connectors/other/config"] = []cannedAnswer{{200, `{"name":"other","moved":"meanwhile"}`}}
	c.answers["POST /connectors"] = nil
	c.refuse("POST /connectors", 500, "no luck today")
	golden(t, "javafails.txt", c, "apply set", "apply set -o json")

	c = javaWorker(t)
	c.answers["PUT /connector-plugins/FileStreamSource/config/validate"] = nil
	c.refuse("PUT /connector-plugins/FileStreamSource/config/validate", 400, "Failed to find any class")
	c.answers["PUT /connector-plugins/FileStreamSink/config/validate"] = []cannedAnswer{{200, `{"configs":[{"definition":null,"value":{"name":"topics","errors":["one","two"]}},{"definition":{"type":"PASSWORD"},"value":{"name":"pin","errors":[]}}]}`}}
	golden(t, "javainvalid.txt", c, "apply set", "validate set/new.json set/other.properties", "validate set/new.json -o json", "validate set/held.json", "validate")
	for _, r := range c.take() {
		assert.NotRegexp(t, `^(POST /connectors|PUT /connectors|DELETE) `, r)
	}
}

func TestValidateLocally(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good.json", `{"name":"good","connector.class":"FileStreamSource","topic":"${env:TOPIC}"}`)
	bad := write(t, dir, "bad.json", `{"name":"bad","connector.class":"FileStreamSource"}`)
	odd := write(t, dir, "odd.json", `{"name":"odd","connector.class":"org.example.Nix"}`)
	code, stdout, stderr := runToEnd(t, "validate", "--local", good)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "valid")
	code, stdout, stderr = runToEnd(t, "validate", good, bad, odd, "--local", "-o", "json")
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, stderr, "2 of 3 files are invalid")
	var all []validated
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	require.Len(t, all, 3)
	assert.True(t, all[0].Valid)
	assert.Equal(t, []keyMessage{{"topic", `Missing required configuration "topic" which has no default value.`}}, all[1].Errors)
	assert.Contains(t, all[2].Errors[0].Message, "org.example.Nix")
}

func TestDesiredState(t *testing.T) {
	for text, want := range map[string]struct {
		state cluster.TargetState
		part  string
	}{
		`{"name":"a","config":{}}`:                             {},
		`{"name":"a","config":{},"state":"running"}`:           {state: cluster.TargetStarted},
		`{"name":"a","config":{},"state":"STOPPED"}`:           {state: cluster.TargetStopped},
		`{"name":"a","config":{},"state":"GONE"}`:              {part: `state: found "GONE", want RUNNING, PAUSED or STOPPED`},
		`{"name":"a","config":{},"state":1}`:                   {part: "state: found 1, want a text"},
		`{"name":"a","state":"a key of a flat configuration"}`: {},
		`{"name":"a","config":"text","state":"likewise"}`:      {},
		"name=a\nstate=GONE\n":                                 {},
	} {
		state, err := desiredState(write(t, t.TempDir(), "x.json", text))
		if want.part != "" {
			assert.ErrorContains(t, err, want.part, text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want.state, state, text)
	}
	_, err := desiredState("/absent")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzSet reads any text as a file of connectors, and any text as an offset of the
// command line.
func FuzzSet(f *testing.F) {
	f.Add(`{"name":"a","config":{"x":1},"state":"paused"}`, "t:0=1")
	f.Add("name=a\nx=1\n", "t:0=null")
	f.Add("{", ":=")
	f.Fuzz(func(t *testing.T, text, change string) {
		path := write(t, t.TempDir(), "x.json", text)
		if set, err := readSet([]string{path}); err == nil {
			if len(set) != 1 {
				t.Fatalf("%q: %v", text, set)
			}
			for name, w := range set {
				if named, _ := w.props.Get("name"); named != name || name == "" {
					t.Fatalf("%q: %q has the name %q", text, name, named)
				}
			}
		}
		if e, err := parseOffsetChange(change); err == nil && (!json.Valid(e.Partition) || !json.Valid(e.Offset)) {
			t.Fatalf("%q: %s %s", change, e.Partition, e.Offset)
		}
	})
}
