package framework_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// eachLine decodes the lines of a file under testdata, which were recorded from
// Apache Kafka Connect 4.3.1.
func eachLine[T any](t *testing.T, file string, do func(T)) (lines int) {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var v T
		require.NoError(t, json.Unmarshal(s.Bytes(), &v))
		do(v)
		lines++
	}
	require.NoError(t, s.Err())
	return lines
}

// javaKey is a key as Java declares it.
type javaKey struct {
	In          string
	Name        string
	Type        config.Type
	Default     *string
	Required    bool
	Validator   *string
	Importance  string
	Group       *string
	Order       int
	Width       string
	DisplayName string
}

// otherValidator are keys whose text for what is allowed differs from Java's, by
// the reason.
var otherValidator = map[string]string{
	"key.converter":                           "Java's text names its own classes",
	"value.converter":                         "Java's text names its own classes",
	"header.converter":                        "Java's text names its own classes",
	"connector.plugin.version":                "Java's text names its own classes",
	"key.converter.plugin.version":            "Java's text names its own classes",
	"value.converter.plugin.version":          "Java's text names its own classes",
	"header.converter.plugin.version":         "Java's text names its own classes",
	"transforms":                              "null cannot be given",
	"predicates":                              "null cannot be given",
	"topic.creation.groups":                   "null cannot be given",
	"include":                                 "the expressions are checked",
	"exclude":                                 "the expressions are checked",
	"inter.worker.verification.algorithms":    "the entries are checked one by one",
	"connector.client.config.override.policy": "",
}

func TestKeysAreThoseOfJava(t *testing.T) {
	describers := map[string]config.Describer{
		"WorkerConfig":          new(framework.WorkerConfig),
		"StandaloneConfig":      new(framework.StandaloneConfig),
		"DistributedConfig":     new(framework.DistributedConfig),
		"ConnectorConfig":       new(framework.ConnectorConfig),
		"SourceConnectorConfig": new(framework.SourceConnectorConfig),
		"SinkConnectorConfig":   new(framework.SinkConnectorConfig),
		"TopicCreationConfig":   &framework.TopicCreationGroup{Name: "default"},
	}
	java := map[string][]javaKey{}
	lines := eachLine(t, "keys.jsonl", func(k javaKey) { java[k.In] = append(java[k.In], k) })
	require.Equal(t, 307, lines)
	for in, d := range describers {
		t.Run(in, func(t *testing.T) {
			ours := config.Keys(d)
			var names, javaNames []string
			for _, k := range ours {
				names = append(names, k.Name)
			}
			for _, k := range java[in] {
				javaNames = append(javaNames, k.Name)
			}
			assert.Equal(t, javaNames, names, "names and their order")
			for _, want := range java[in] {
				for _, got := range ours {
					if got.Name == want.Name {
						compareKey(t, want, got)
					}
				}
			}
		})
	}
}

func compareKey(t *testing.T, want javaKey, got config.KeyInfo) {
	t.Helper()
	group := ""
	if want.Group != nil {
		group = *want.Group
	}
	assert.Equal(t, want.Type, got.Type, "type of %s", want.Name)
	assert.Equal(t, want.Required, got.Required, "required: %s", want.Name)
	assert.Equal(t, want.Default, got.Default, "default of %s", want.Name)
	assert.Equal(t, want.Importance, got.Importance.String(), "importance of %s", want.Name)
	assert.Equal(t, group, got.Group, "group of %s", want.Name)
	assert.Equal(t, want.Order, got.Order, "order of %s", want.Name)
	assert.Equal(t, want.Width, got.Width.String(), "width of %s", want.Name)
	assert.Equal(t, want.DisplayName, got.DisplayName, "display name of %s", want.Name)
	assert.NotEmpty(t, got.Doc, "documentation of %s", want.Name)
	if _, other := otherValidator[want.Name]; other {
		return
	}
	allowed := ""
	if want.Validator != nil {
		allowed = *want.Validator
	}
	assert.Equal(t, sortWords(allowed), sortWords(got.Allowed), "validator of %s", want.Name)
}

// sortWords makes the order of allowed words, a hash order in Java, irrelevant.
func sortWords(s string) string {
	_, list, ok := strings.Cut(s, "(case insensitive) [")
	if !ok {
		return s
	}
	words := strings.Split(strings.TrimSuffix(list, "]"), ", ")
	for i := range words {
		for j := range i {
			if words[i] < words[j] {
				words[i], words[j] = words[j], words[i]
			}
		}
	}
	return strings.Join(words, ",")
}

func TestPluginKeysAreThoseOfJava(t *testing.T) {
	lines := eachLine(t, "plugin-config.jsonl", func(e struct {
		Path     string
		Response []map[string]any
	}) {
		source := strings.Contains(e.Path, "Source")
		b, err := json.Marshal(framework.Keys(source, &fileConfig{source: source}))
		require.NoError(t, err)
		var got []map[string]any
		require.NoError(t, json.Unmarshal(b, &got))
		for i, k := range got {
			assert.NotEmpty(t, k["documentation"])
			delete(k, "documentation")
			if k["name"] == "connector.plugin.version" {
				// Java gives the installed version for a default; that is the affair
				// of who knows the plugin.
				assert.Equal(t, "4.3.1", e.Response[i]["default_value"])
				e.Response[i]["default_value"] = nil
			}
		}
		assert.Equal(t, e.Response, got, e.Path)
	})
	assert.Equal(t, 2, lines)
}
