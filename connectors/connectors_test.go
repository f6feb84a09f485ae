package connectors

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

func TestAll(t *testing.T) {
	classes := map[string]connect.PluginKind{}
	for _, p := range All() {
		info := p.Info()
		assert.NotContains(t, classes, info.Class)
		classes[info.Class] = p.Kind()
		assert.NotEmpty(t, info.Version)
		assert.NotEmpty(t, info.Doc)
		for _, d := range []config.Describer{p.Config(), p.TaskConfig()} {
			for _, k := range config.Keys(d) {
				assert.NotEmpty(t, k.Doc, "%s: %s", info.Class, k.Name)
			}
		}
	}
	assert.Equal(t, map[string]connect.PluginKind{
		"FileStreamSource": connect.SourcePlugin,
		"DirectorySink":    connect.SinkPlugin, "FileStreamSink": connect.SinkPlugin,
		"GeneratorSource": connect.SourcePlugin,
		"NullSink":        connect.SinkPlugin,
	}, classes)
}
