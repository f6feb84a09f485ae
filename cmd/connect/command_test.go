package main

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommandLines(t *testing.T) {
	for _, c := range []struct {
		args   string
		code   int
		stdout string // a part of it
		stderr string
	}{
		{args: "", code: 1, stderr: "usage:"},
		{args: "help", stdout: "connect standalone [flags] worker.properties"},
		{args: "--help", stdout: "connect dev [flags]"},
		{args: "start", code: 1, stderr: `there is no command "start"; connect help lists them`},
		{args: "standalone -h", stdout: "usage: connect standalone"},
		{args: "dev --help", stdout: "(default 127.0.0.1:0)"},
		{args: "dev --date x", code: 1, stderr: "connect dev: flag provided but not defined: -date; run with -h for help"},
		{args: "dev a.json --data x", code: 1, stderr: "flag --data comes after the files; flags go before them"},
		{args: "dev --topics a:0", code: 1, stderr: "want NAME or NAME:PARTITIONS with 1 partition or more"},
		{args: "dev --topics :2", code: 1, stderr: `found ":2"`},
		{args: "dev --topics a:x", code: 1, stderr: `found "a:x"`},
		{args: "dev --listen 0.0.0.0:9092", code: 1, stderr: `found host "0.0.0.0", want 127.0.0.1, ::1 or localhost`},
		{args: "dev --listen :9092", code: 1, stderr: `found host ""`},
		{args: "dev --listen 127.0.0.1:70000", code: 1, stderr: `found port "70000", want 0 to 65535`},
		{args: "dev --listen 127.0.0.1", code: 1, stderr: "want HOST:PORT"},
		{args: "dev --log-format xml", code: 1, stderr: "want text or json"},
		{args: "dev --log-level loud", code: 1, stderr: "loud"},
		{args: "dev /absent.json", code: 3, stderr: "connect dev: connector file: open /absent.json"},
		{args: "dev --data /dev/null/x", code: 2, stderr: "connect dev: --data: mkdir /dev/null"},
		{args: "standalone", code: 1, stderr: "the worker file is missing"},
		{args: "standalone /absent.properties", code: 2, stderr: "connect standalone: worker file: open /absent.properties"},
		{args: "version", stdout: "connect "},
		{args: "version x", code: 1, stderr: `version takes no arguments, found "x"`},
		{args: "version -v", stdout: "FileStreamSource"},
		{args: "plugins", stdout: "org.apache.kafka.connect.file.FileStreamSinkConnector"},
		{args: "plugins x", code: 1, stderr: "plugins takes no arguments"},
		{args: "config", code: 1, stderr: "config takes the name of one plugin, found 0"},
		{args: "config FileStreamSource", stdout: "| `batch.size` |"},
		{args: "config org.apache.kafka.connect.json.JsonConverter", stdout: "| `schemas.enable` |"},
		{args: "config FileStreamSinkConnector", stdout: "# FileStreamSink (sink)"},
		{args: "config Nothing", code: 1, stderr: `there is no plugin "Nothing"; connect plugins lists them`},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, stdout, stderr := runToEnd(t, strings.Fields(c.args)...)
			assert.Equal(t, c.code, code)
			assert.Contains(t, stdout, c.stdout)
			assert.Contains(t, stderr, c.stderr)
			if c.code == 0 {
				assert.Empty(t, stderr)
			} else {
				assert.Empty(t, stdout)
			}
		})
	}
}

// Every plugin has a line, its kind first.
func TestPluginsAreListed(t *testing.T) {
	_, stdout, _ := runToEnd(t, "plugins")
	for _, p := range plugins(process{}) {
		line := regexp.MustCompile(`(?m)^` + p.Kind().String() + ` +` + regexp.QuoteMeta(p.Info().Class) + `( |$)`)
		assert.Regexp(t, line, stdout)
	}
}

func TestErrorsInJSON(t *testing.T) {
	code, _, stderr := runToEnd(t, "dev", "--log-format", "json", "/absent.json", "/gone.json")
	assert.Equal(t, 3, code)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	require.Len(t, lines, 2, "a line for each error")
	for i, want := range []string{"/absent.json", "/gone.json"} {
		var line struct{ Level, Msg string }
		require.NoError(t, json.Unmarshal([]byte(lines[i]), &line))
		assert.Equal(t, "ERROR", line.Level)
		assert.Contains(t, line.Msg, want)
	}
}

func TestProblems(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	var p problems
	p.add(nil)
	require.NoError(t, p.orNil())
	p.add(a)
	p.add(exitWith(2, problems{b, c}))
	assert.Equal(t, problems{a, b, c}, p)
	assert.Equal(t, "a\nb\nc", p.Error())
	require.ErrorIs(t, p.orNil(), c)
	require.NoError(t, exitWith(2, nil))
}
