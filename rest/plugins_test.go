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
		rt := startInBubble(t, distributedOptions())
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
		assert.Equal(t, 10, len(p.lacks), "requests that need plugins which do not exist")
		assert.Equal(t, 24, len(p.deviates), "answers that are meant to differ")
		assert.Equal(t, 228-10-24, p.compared)
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

// comparableConfigs makes answers comparable: validations by key.
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
		name := stringOf(value["name"])
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

func pluginLacks() map[int]string {
	return lacking{
		mirrorPackage + "MirrorCheckpointConnector": {5, 103, 104},
		mirrorPackage + "MirrorHeartbeatConnector":  {6, 105, 106},
		mirrorPackage + "MirrorSourceConnector":     {7, 73, 107, 108},
	}.bySeq()
}

func pluginDeviations() deviations {
	d := deviations{}
	const noPlugin = "policies, config providers and abstract classes are no plugins here"
	d.add(deviation{why: noPlugin, status: 404, part: "Unknown plugin "}, 75, 79, 80, 81, 82)
	d.add(deviation{why: noPlugin, status: 200, part: "Class org.apache.kafka.connect.storage.Converter could not be found."}, 144)
	d.add(deviation{why: noPlugin, status: 200, part: "Class org.apache.kafka.connect.transforms.Cast could not be found."}, 160)
	d.add(deviation{why: "errors have bodies of JSON", status: 400, part: "Ambiguous URI empty segment"}, 96)
	const mistake = "it is the client's mistake"
	d.add(deviation{why: mistake, status: 400, part: "Connector config {} contains no connector type"}, 109)
	d.add(deviation{why: mistake, status: 400, part: "Connector config {connector.class=null} contains no connector type"}, 115)
	d.add(deviation{why: mistake, status: 400, part: "The request has no body; "}, 110, 113)
	d.add(deviation{why: mistake, status: 400, part: "Failed to find any class that implements Connector and which name matches "}, 119, 121, 127, 128)
	d.add(deviation{why: mistake, status: 400, part: "Invalid version specification: [x"}, 154)
	d.add(deviation{why: "Jackson's words are its own", status: 500, part: "Unexpected end-of-input: "}, 112)
	d.add(deviation{why: "there is no version to show", status: 200, part: "Class Nope could not be found."}, 142)
	d.add(deviation{why: "a version is listed once", status: 200, part: "matches the version range [9.9,9.9], available versions: [4.3.1]"}, 150)
	const typed = "a setting of the wrong type is an error of its key"
	d.add(deviation{why: typed, status: 200, part: `"errors":["Invalid value x for configuration max.poll.records: Not a number of type INT"]`}, 193)
	d.add(deviation{why: typed, status: 200, part: `"errors":["Invalid value x for configuration retries: Not a number of type INT"]`}, 227)
	const ownNames = "plugins have names of their own"
	d.add(deviation{why: ownNames, status: 200, part: `"name":"spec"`}, 61)
	d.add(deviation{why: ownNames, status: 200, part: "Class Filter does not implement the Converter interface"}, 143)
	return d
}

// A name means what it means for Java, where the plugin exists.
func TestPluginNames(t *testing.T) {
	c := newCatalog(plugins())
	for name, class := range map[string]string{
		"FileStreamSource":        "org.apache.kafka.connect.file.FileStreamSourceConnector",
		"FileStreamSinkConnector": "org.apache.kafka.connect.file.FileStreamSinkConnector",
		"org.apache.kafka.connect.file.FileStreamSinkConnector": "org.apache.kafka.connect.file.FileStreamSinkConnector",
		"Json": "org.apache.kafka.connect.json.JsonConverter", "Simple": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
		"SimpleHeader": "", "Value": "", "InsertField": "", "nope": "", "": "",
		"TopicNameMatches": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
	} {
		l, found := c.named(name)
		assert.Equal(t, class != "", found, name)
		assert.Equal(t, class, l.class, name)
	}
	kinds := make(map[connect.PluginKind]int)
	for _, l := range c.listed {
		kinds[l.kind]++
	}
	assert.Equal(t, []connect.PluginKind{1, 2, 3, 4, 5, 6}, slices.Sorted(maps.Keys(kinds)))
	assert.Equal(t, kinds[connect.ConverterPlugin]+1, kinds[connect.HeaderConverterPlugin], "all converters do headers, and one does nothing else")
}

// Creating a connector of a version that is not there tells both errors.
func TestCreateWithoutTheVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(startInBubble(t, distributedOptions()), nil)
		w := send(t, h, host, http.MethodPost, "/connectors", jsonHeader(),
			[]byte(`{"name":"c","config":{"connector.class":"FileStreamSource","topic":"t","connector.plugin.version":"1.0"}}`))
		assert.Equal(t, http.StatusBadRequest, w.Code)
		assert.Equal(t, 2, strings.Count(w.Body.String(), "Plugin org.apache.kafka.connect.file.FileStreamSourceConnector not found"), w.Body)
		assert.Contains(t, w.Body.String(), "contains the following 2 error(s)")
	})
}
