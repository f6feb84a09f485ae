package mqtt

import "github.com/streamlane/connect"

// version is that of the connectors.
const version = "1.0.0"

// Plugins returns MqttSource, and the connectors that understand the configurations of Confluent's and Lenses' MQTT sources.
func Plugins() []connect.Plugin {
	return []connect.Plugin{
		connect.Source(connect.Info{
			Class: "MqttSource", Version: version,
			Doc: "Reads topics of an MQTT server and acknowledges messages when Kafka has them.",
		}, func(c Config) (*connector[TaskConfig], error) {
			return newConnector[TaskConfig](c.settings())
		}, func(c TaskConfig) (*task, error) {
			s, err := c.settings()
			if err != nil {
				return nil, err
			}
			return newTask(s, c.assignment)
		}),
		connect.Source(connect.Info{
			Class: "ConfluentMqttSource", Version: version,
			Doc: "MqttSource with the keys of Confluent's connector.",
			StandsFor: []connect.JavaClass{{
				Class: "io.confluent.connect.mqtt.MqttSourceConnector",
				Task:  "io.confluent.connect.mqtt.MqttSourceTask",
			}},
		}, func(c ConfluentConfig) (*connector[ConfluentTaskConfig], error) {
			return newConnector[ConfluentTaskConfig](c.settings())
		}, func(c ConfluentTaskConfig) (*task, error) {
			s, err := c.settings()
			if err != nil {
				return nil, err
			}
			return newTask(s, c.assignment)
		}),
		connect.Source(connect.Info{
			Class: "LensesMqttSource", Version: version,
			Doc: "MqttSource with the keys of Lenses' connector.",
			StandsFor: []connect.JavaClass{{
				Class: "io.lenses.streamreactor.connect.mqtt.source.MqttSourceConnector",
				Task:  "io.lenses.streamreactor.connect.mqtt.source.MqttSourceTask",
			}, {
				Class: "com.datamountaineer.streamreactor.connect.mqtt.source.MqttSourceConnector",
				Task:  "com.datamountaineer.streamreactor.connect.mqtt.source.MqttSourceTask",
			}},
		}, func(c LensesConfig) (*connector[LensesTaskConfig], error) {
			return newConnector[LensesTaskConfig](c.settings())
		}, func(c LensesTaskConfig) (*task, error) {
			s, err := c.settings()
			if err != nil {
				return nil, err
			}
			return newTask(s, c.assignment)
		}),
	}
}
