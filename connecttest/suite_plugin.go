package connecttest

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// TestPlugin shows whether a plugin is well declared: it has a name, version and
// one sentence of documentation, its Java classes are spelled as such, every key
// is documented, its defaults are valid, and the configurations given, which
// must be valid, survive decoding and encoding.
func TestPlugin(t testing.TB, plugin connect.Plugin, valid ...config.Props) {
	run(t, "info", func(t testing.TB) { pluginInfo(t, plugin) })
	if plugin.Kind() == 0 {
		return // there is no more to ask of the zero Plugin
	}
	run(t, "config", func(t testing.TB) { pluginConfig(t, plugin.Config) })
	if plugin.TaskConfig() != nil {
		run(t, "task config", func(t testing.TB) { pluginConfig(t, plugin.TaskConfig) })
	}
	for _, props := range valid {
		run(t, "round trip", func(t testing.TB) { pluginRoundTrip(t, plugin, props) })
	}
}

func pluginInfo(t testing.TB, plugin connect.Plugin) {
	assert.NoError(t, plugin.Err())
	info := plugin.Info()
	assert.Regexp(t, `^[^\s,]+$`, info.Class, "Info.Class")
	assert.Regexp(t, `^v?\d+(\.\d+)*([-+.][0-9A-Za-z.-]+)?$`, info.Version, "Info.Version")
	assert.Regexp(t, `^\S.*[.]$`, info.Doc, "Info.Doc: want a sentence")
	assert.NotContains(t, info.Doc, "\n", "Info.Doc: want one sentence")
	java := regexp.MustCompile(`^[a-z_]\w*(\.[A-Za-z_]\w*)+(\$\w+)?$`)
	connector := plugin.Kind() == connect.SourcePlugin || plugin.Kind() == connect.SinkPlugin
	for _, j := range info.StandsFor {
		assert.Regexp(t, java, j.Class, "Info.StandsFor: want the full name of a Java class")
		if connector {
			assert.Regexp(t, java, j.Task, "Info.StandsFor: want the full name of the task's class, too")
		} else {
			assert.Empty(t, j.Task, "Info.StandsFor: only connectors have tasks")
		}
	}
}

func pluginConfig(t testing.TB, describe func() config.Describer) {
	required := make(map[string]bool)
	for _, k := range config.Keys(describe()) {
		assert.Regexp(t, `^[A-Za-z0-9._$-]+$`, k.Name, "name of a key")
		assert.Regexp(t, `(?s)^\S.*[.:)]$`, strings.TrimSpace(k.Doc), "key %s: want documentation in whole sentences", k.Name)
		required[k.Name] = k.Required
	}
	keys, rest := config.KeyErrors(config.Decode(config.Props{}, describe()))
	assert.Empty(t, rest, "decoding nothing")
	for _, e := range keys {
		if errors.Is(e, config.ErrMissing) || required[e.Key] {
			continue
		}
		assert.Fail(t, "the default is not valid", "key %s: %v", e.Key, e)
	}
}

// pluginRoundTrip decodes, encodes, and does so again: both texts are equal.
func pluginRoundTrip(t testing.TB, plugin connect.Plugin, props config.Props) {
	first := plugin.Config()
	require.NoError(t, config.Decode(props, first), "Decode")
	text := config.Encode(first)
	second := plugin.Config()
	require.NoError(t, config.Decode(text, second), "Decode of what Encode wrote: %v", text)
	assert.Equal(t, map[string]string(text), map[string]string(config.Encode(second)), "Encode, there and back")
	assert.Equal(t, first, second, "what Encode wrote configures something else")
}
