package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

func TestParseConnector(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       connectorFile
		err        string
	}{
		{name: "flat JSON", text: `{"name": "a", "tasks.max": 2, "on": true, "k": " v "}`,
			want: connectorFile{name: "a", props: config.Props{"name": "a", "tasks.max": "2", "on": "true", "k": " v "}}},
		{name: "byte order mark, text after the object", text: "\ufeff\n{\"name\": \"a\"} }",
			want: connectorFile{name: "a", props: config.Props{"name": "a"}}},
		{name: "null stays", text: `{"name": "a", "k": null}`,
			want: connectorFile{name: "a", props: config.Props{"name": "a", "k": config.Null}}},
		{name: "request", text: `{"name": "a", "config": {"k": "v"}, "initial_state": "paused", "unknown": {"x": []}}`,
			want: connectorFile{name: "a", target: cluster.TargetPaused, props: config.Props{"name": "a", "k": "v"}}},
		{name: "request, name within", text: `{"config": {"name": "a"}, "initial_state": "STOPPED"}`,
			want: connectorFile{name: "a", target: cluster.TargetStopped, props: config.Props{"name": "a"}}},
		{name: "request, both names", text: `{"name": "a", "config": {"name": "a"}, "initial_state": "RUNNING"}`,
			want: connectorFile{name: "a", target: cluster.TargetStarted, props: config.Props{"name": "a"}}},
		{name: "properties", text: "# comment\nname=a\nk : v \\\n   w\n",
			want: connectorFile{name: "a", props: config.Props{"name": "a", "k": "v w"}}},

		{name: "empty", text: "", err: `missing the mandatory "name" configuration`},
		{name: "flat without name", text: `{"k": "v"}`, err: `missing the mandatory "name" configuration`},
		{name: "name is null", text: `{"name": null}`, err: `missing the mandatory "name" configuration`},
		{name: "request without name", text: `{"config": {"k": "v"}}`, err: `missing the mandatory "name" configuration`},
		{name: "properties without name", text: "k=v", err: `missing the mandatory "name" configuration`},
		{name: "properties, bad escape", text: "name=a\nk=\\u12", err: `properties, line 2, value of k: malformed \uxxxx encoding`},
		{name: "broken JSON", text: `{"name": "a",`, err: "neither JSON nor properties: unexpected EOF"},
		{name: "nested value", text: `{"name": "a", "k": {"x": 1}}`, err: `configuration key "k": found an object, want a text`},
		{name: "nested value in a request", text: `{"name": "a", "config": {"k": ["x"]}}`, err: `config: configuration key "k": found an array, want a text`},
		{name: "config is an array", text: `{"name": "a", "config": []}`, err: "config: configuration: want an object of texts"},
		{name: "two names", text: `{"name": "a", "config": {"name": "b"}}`, err: `name: found "a", and "b" in config; both must be equal`},
		{name: "name is a number", text: `{"name": 1, "config": {}}`, err: "name: found 1, want a text"},
		{name: "state", text: `{"name": "a", "config": {}, "initial_state": "FAILED"}`, err: `initial_state: found "FAILED", want RUNNING, PAUSED or STOPPED`},
		{name: "state is a list", text: `{"name": "a", "config": {}, "initial_state": []}`, err: "initial_state: found [], want a text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseConnector([]byte(c.text))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestReadConnectorsTellsAll(t *testing.T) {
	dir := t.TempDir()
	paths := []string{
		write(t, dir, "good.json", `{"name": "a"}`),
		write(t, dir, "again.properties", "name=a"),
		write(t, dir, "nameless.json", "{}"),
		dir + "/absent.json",
		write(t, dir, "other.properties", "name=b"),
	}
	files, err := readConnectors(paths)
	assert.Len(t, files, 2)
	require.Error(t, err)
	assert.Equal(t, paths[1]+`: name: the connector "a" is in `+paths[0]+" already; names must differ\n"+
		paths[2]+`: missing the mandatory "name" configuration`+"\n"+
		"connector file: open "+paths[3]+": no such file or directory", err.Error())
}

func FuzzParseConnector(f *testing.F) {
	for _, seed := range []string{
		`{"name": "a", "k": 1}`, `{"name": "a", "config": {"k": "v"}, "initial_state": "PAUSED"}`,
		"name=a\nk=v", "{", "", "name\\", `{"config": null, "name": ""}`, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConnector(data)
		if err != nil {
			return
		}
		if name, ok := c.props.Get("name"); !ok || name != c.name || name == "" {
			t.Errorf("name %q, in the configuration %q", c.name, name)
		}
		if _, err := cluster.ParseTargetState(string(c.target)); c.target != "" && err != nil {
			t.Error(err)
		}
	})
}
