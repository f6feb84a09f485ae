package s3

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// S3SinkConnector, the simple name of Confluent's class and of Lenses', means Confluent's; full names mean what they say.
func TestNamesOfClasses(t *testing.T) {
	rt, err := connect.New(connect.Options{Broker: connecttest.NewBroker(), Plugins: Plugins(), Configs: connect.NewMemoryLog(), Status: connect.NewMemoryLog()})
	require.NoError(t, err)
	for class, key := range map[string]string{
		"S3SinkConnector": "flush.size", "S3Sink": "flush.size", "io.confluent.connect.s3.S3SinkConnector": "flush.size",
		"io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector": "connect.s3.kcql", "LensesS3Sink": "connect.s3.kcql",
		"io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector": "aws.s3.bucket.name", "AivenKafkaConnectS3Sink": "aws.s3.bucket.name", "AivenS3Sink": "aws.s3.bucket.name",
	} {
		result, err := rt.Validate(t.Context(), config.Props{"connector.class": class, "name": "n", "topics": "t"})
		require.NoError(t, err)
		found := false
		for _, k := range result.Configs {
			found = found || k.Value.Name == key && len(k.Value.Errors) > 0
		}
		assert.True(t, found, "%s asks for %s", class, key)
	}
}
