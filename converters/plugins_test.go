package converters_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/internal/goldentest"
)

func TestAll(t *testing.T) {
	classes := map[string]bool{}
	for _, p := range converters.All() {
		require.NoError(t, p.Err())
		info := p.Info()
		assert.True(t, strings.HasSuffix(info.StandsFor[0].Class, "."+info.Class), info.Class)
		assert.NotEmpty(t, info.Doc, info.Class)
		assert.NotEmpty(t, info.Version, info.Class)
		assert.False(t, classes[info.Class], "%s is listed twice", info.Class)
		classes[info.Class] = true

		_, err := p.NewHeaderConverter(config.Props{"converter.type": "header"})
		assert.NoError(t, err, info.Class)
		if p.Kind() == connect.HeaderConverterPlugin {
			continue
		}
		assert.Equal(t, connect.ConverterPlugin, p.Kind())
		for _, use := range []string{"key", "value"} {
			_, err := p.NewConverter(config.Props{"converter.type": use})
			assert.NoError(t, err, info.Class)
		}
		_, err = p.NewConverter(config.Props{})
		assert.ErrorIs(t, err, config.ErrMissing)
		_, err = p.NewConverter(config.Props{"converter.type": "footer"})
		assert.ErrorContains(t, err, "converter.type")
	}
	assert.Len(t, classes, 10)
}

// TestGoldenKeys compares the keys of each plugin with what a Java worker says of
// them.
func TestGoldenKeys(t *testing.T) {
	n := goldentest.Each(t, "testdata/plugin_configs.jsonl", func(t *testing.T, c struct {
		Class    string
		Response []map[string]any
	}) {
		text, err := json.Marshal(config.Keys(pluginOf(t, c.Class).Config()))
		require.NoError(t, err)
		var got []map[string]any
		require.NoError(t, json.Unmarshal(text, &got))
		for _, key := range got {
			assert.NotEmpty(t, key["documentation"])
			key["documentation"] = "(text)"
		}
		if len(c.Response) == 0 {
			assert.Empty(t, got)
			return
		}
		assert.Equal(t, c.Response, got)
	})
	assert.Equal(t, len(converters.All()), n)
}
