package mqtt_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/mqtt"
)

// The configuration of a connector that sends alarms and readings to Kafka topics of their own.
func Example() {
	var c mqtt.Config
	err := config.Decode(config.Props{
		"uris": "mqtt://127.0.0.1:1883", "topics": "plant/#", "kafka.topic": "readings", "record.key": "${level.2}",
		"rules": "alarms", "rule.alarms.regex": "plant/.*/alarm", "rule.alarms.kafka.topic": "alarms",
	}, &c)
	fmt.Println(mqtt.Plugins()[0].Info().Class, c.Rules, err)
	// Output: MqttSource [alarms] <nil>
}

// The configurations in examples are valid for the classes that they name, and have no key that is not known.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/mqtt/*.json")
	require.NoError(t, err)
	assert.Len(t, files, 4)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		var file struct {
			Name   string
			Config config.Props
		}
		require.NoError(t, json.Unmarshal(text, &file), name)
		assert.NotEmpty(t, file.Name)
		p := pluginFor(t, file.Config["connector.class"])
		require.NoError(t, config.Decode(file.Config, p.Config()), name)
		for _, k := range config.Unknown(file.Config, p.Config()) {
			assert.Contains(t, []string{
				"connector.class", "tasks.max", "key.converter", "value.converter", "value.converter.schemas.enable",
			}, k.Key, name)
		}
	}
}

func pluginFor(t *testing.T, class string) connect.Plugin {
	t.Helper()
	for _, p := range mqtt.Plugins() {
		if p.Info().Class == class {
			return p
		}
		for _, j := range p.Info().StandsFor {
			if j.Class == class {
				return p
			}
		}
	}
	require.Fail(t, "no plugin", class)
	return connect.Plugin{}
}
