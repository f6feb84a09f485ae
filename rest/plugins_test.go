package rest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
)

func TestReplayPlugins(t *testing.T) {
	list := transcript(t, "plugins.jsonl")
	synctest.Test(t, func(t *testing.T) {
		rt := startInBubble(t, connect.Options{})
		ours := onlyOurs(rt)
		p := &replay{
			handler: Handler(rt, nil), host: host,
			deviates: pluginDeviations(), lacks: pluginLacks(),
			ours: func(e exchange, o *outcome) {
				ours(e, o)
				recommendOurs(rt, o)
			},
			both: comparableConfigs,
		}
		checkLacks(t, rt, p.lacks)
		p.run(t, list)
		assert.Len(t, list, 228)
		assert.Len(t, p.lacks, 0, "requests that need plugins which do not exist")
		assert.Len(t, p.deviates, 0, "answers that are meant to differ")
		assert.Equal(t, 228-0-0, p.compared)
	})
}

// recommendOurs takes classes out of recorded recommendations that do not exist
// here.
func recommendOurs(rt *connect.Runtime, o *outcome) {
	have := make(map[string]bool)
	for _, l := range newCatalog(rt.Plugins()).listed {
		have[l.class] = true
	}
	for _, value := range configValues(o) {
		classes, _ := value["recommended_values"].([]any)
		if len(classes) == 0 || !strings.HasPrefix(stringOf(classes[0]), "org.apache") {
			continue
		}
		value["recommended_values"] = slices.DeleteFunc(classes, func(c any) bool { return !have[stringOf(c)] })
	}
}

// configValues are the values of a validation.
func configValues(o *outcome) []map[string]any {
	body, _ := o.Body.(map[string]any)
	configs, _ := body["configs"].([]any)
	var values []map[string]any
	for _, c := range configs {
		if value, ok := c.(map[string]any)["value"].(map[string]any); ok {
			values = append(values, value)
		}
	}
	return values
}

// comparableConfigs makes answers comparable: validations by key, without the
// versions of converters, which are this project's own, and without what stands
// for converters that a configuration does not name, for these are the worker's.
func comparableConfigs(e exchange, o *outcome) {
	laterThings(e, o)
	body, _ := o.Body.(map[string]any)
	configs, _ := body["configs"].([]any)
	if configs == nil {
		return
	}
	byKey := make(map[string]any, len(configs))
	for _, c := range configs {
		config := c.(map[string]any)
		value, _ := config["value"].(map[string]any)
		definition, _ := config["definition"].(map[string]any)
		name := stringOf(value["name"])
		if strings.HasSuffix(name, "converter.plugin.version") {
			delete(definition, "default_value")
			delete(value, "value")
			delete(value, "recommended_values")
		}
		if strings.HasSuffix(name, ".converter") && !strings.Contains(string(e.Body), `"`+name+`"`) {
			delete(value, "value")
		}
		if strings.HasSuffix(name, ".converter") {
			delete(definition, "default_value")
		}
		if strings.Contains(name, ".override.") {
			config["definition"] = nil // Java has them for some
		}
		byKey[name] = config
	}
	body["configs"] = byKey
	if groups, ok := body["groups"].([]any); ok {
		slices.SortFunc(groups, func(a, b any) int { return strings.Compare(stringOf(a), stringOf(b)) })
	}
}

func pluginLacks() map[int]string { return map[int]string{} }

func pluginDeviations() deviations { return deviations{} }

// A name means what it means for Java, where the plugin exists.
func TestPluginNames(t *testing.T) {
	c := newCatalog(plugins())
	for name, class := range map[string]string{
		"FileStreamSource":        "org.apache.kafka.connect.file.FileStreamSourceConnector",
		"FileStreamSinkConnector": "org.apache.kafka.connect.file.FileStreamSinkConnector",
		"org.apache.kafka.connect.file.FileStreamSinkConnector": "org.apache.kafka.connect.file.FileStreamSinkConnector",
		"Json": "org.apache.kafka.connect.json.JsonConverter", "Simple": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
		"SimpleHeader": "", "Value": "", "InsertField": "", "nope": "", "": "",
	} {
		l, found := c.named(name)
		assert.Equal(t, class != "", found, name)
		assert.Equal(t, class, l.class, name)
	}
	kinds := make(map[connect.PluginKind]int)
	for _, l := range c.listed {
		kinds[l.kind]++
	}
	assert.Equal(t, []connect.PluginKind{1, 2, 3, 5, 6}, slices.Sorted(maps.Keys(kinds)))
	assert.Equal(t, kinds[connect.ConverterPlugin]+1, kinds[connect.HeaderConverterPlugin], "all converters do headers, and one does nothing else")
	_ = http.MethodGet
}
