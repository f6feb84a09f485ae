package directory

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/rest"
)

// validated returns what REST answers of a configuration: errors by key.
func validated(t *testing.T, props config.Props) map[string][]string {
	t.Helper()
	rt, err := connect.New(connect.Options{Plugins: []connect.Plugin{Plugin()}, Broker: connecttest.NewBroker()})
	require.NoError(t, err)
	body, err := json.Marshal(props)
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPut, "/connector-plugins/DirectorySink/config/validate", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	rest.Handler(rt, &rest.Options{}).ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	var answer struct {
		Configs []struct {
			Value struct {
				Name   string
				Errors []string
			}
		}
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	found := map[string][]string{}
	for _, c := range answer.Configs {
		if len(c.Value.Errors) > 0 {
			found[c.Value.Name] = c.Value.Errors
		}
	}
	return found
}

// What is wrong with the folder, and with keys that do not go together, is in REST's answer, at its key.
func TestValidationTellsTheKey(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	cases := []struct {
		props     config.Props
		key, want string
	}{
		{config.Props{"directory": dir}, "", ""},
		{config.Props{"directory": filepath.Join(dir, "to", "be", "created")}, "", ""},
		{config.Props{}, "directory", "no default value"},
		{config.Props{"directory": file}, "directory", "is no folder"},
		{config.Props{"directory": filepath.Join(file, "below")}, "directory", "cannot be written to"},
		{config.Props{"directory": dir, "directory.delim": "-"}, "directory.delim", "must be / here"},
		{config.Props{"directory": dir, "partitioner.class": "FieldPartitioner"}, "partition.field.name", "is needed"},
		{config.Props{"directory": dir, "compression.type": "zstd", "compression.level": "23"}, "compression.level", "allowed"},
		{config.Props{"directory": dir, "behavior.on.null.values": "write"}, "behavior.on.null.values", "store.kafka.keys"},
		{config.Props{"directory": dir, "timezone": "Mars/Olympus"}, "timezone", "not known"},
	}
	if runtime.GOOS == "linux" { // where nobody may write, root neither
		cases = append(cases, struct {
			props     config.Props
			key, want string
		}{config.Props{"directory": "/proc/new"}, "directory", "cannot be written to"})
	}
	for _, c := range cases {
		found := validated(t, config.Props{"name": "c", "connector.class": "DirectorySink", "topics": "t"}.Merge(c.props))
		if c.key == "" {
			assert.Empty(t, found, "%v", c.props)
			continue
		}
		assert.Len(t, found, 1, "%v", found)
		assert.Contains(t, strings.Join(found[c.key], "; "), c.want, "%v: %v", c.props, found)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "validation creates nothing")
}
