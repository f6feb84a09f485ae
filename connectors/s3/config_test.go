package s3

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// The configuration of Confluent's documentation is enough.
func minimal() config.Props {
	return config.Props{
		"connector.class": "io.confluent.connect.s3.S3SinkConnector", "topics": "events", "s3.bucket.name": "data-lake", "s3.region": "us-east-1",
		"format.class": "io.confluent.connect.s3.format.parquet.ParquetFormat", "flush.size": "10000",
	}
}

func TestConfluentsConfigurationIsEnough(t *testing.T) {
	var c Config
	require.NoError(t, config.Decode(minimal(), &c))
	assert.Equal(t, "ParquetFormat", c.Formats.Class)
	assert.Equal(t, 10000, c.FlushSize)
	assert.Equal(t, "DefaultPartitioner", string(c.Partitioner))
}

// Every key of Confluent's connector is known, with its default; what differs is listed with the reason.
func TestGoldenKeys(t *testing.T) {
	known := map[string]*string{}
	for _, k := range config.Keys(&Config{}) {
		known[k.Name] = k.Default
	}
	differs := map[string]string{
		"storage.class":                 "required there; here there is one store",
		"s3.credentials.provider.class": "our name for the same chain",
		"partitioner.class":             "our name for the same class",
		"keys.format.class":             "our name for the same class",
		"headers.format.class":          "our name for the same class",
		"behavior.on.null.values":       "", "s3.compression.type": "",
	}
	text, err := os.ReadFile("testdata/confluent-s3.keys.jsonl")
	require.NoError(t, err)
	n := 0
	for line := range bytes.Lines(text) {
		var k struct {
			Name    string
			Group   *string
			Default *string `json:"default_value"`
		}
		require.NoError(t, json.Unmarshal(line, &k))
		if k.Group != nil && slices.Contains([]string{"Common", "Transforms", "Predicates", "Error Handling"}, *k.Group) {
			continue // the framework's
		}
		n++
		def, ok := known[k.Name]
		if !assert.True(t, ok, "key %s", k.Name) {
			continue
		}
		if _, d := differs[k.Name]; d || k.Default == nil {
			continue
		}
		if assert.NotNil(t, def, "key %s", k.Name) {
			assert.Equal(t, *k.Default, *def, "default of %s", k.Name)
		}
	}
	assert.Equal(t, 68, n)
}

func TestWrongConfigurationsNameTheKey(t *testing.T) {
	for _, c := range []struct {
		change config.Props
		key    string
	}{
		{config.Props{"partitioner.class": "FieldPartitioner"}, "partition.field.name"},
		{config.Props{"partitioner.class": "TimeBasedPartitioner", "partition.duration.ms": "1000", "path.format": "iiii"}, "path.format"},
		{config.Props{"partitioner.class": "TimeBasedPartitioner", "path.format": "YYYY"}, "partition.duration.ms"},
		{config.Props{"timezone": "Europe/Nowhere"}, "timezone"},
		{config.Props{"behavior.on.null.values": "write"}, "behavior.on.null.values"},
		{config.Props{"s3.sse.kms.key.id": "k"}, "s3.sse.kms.key.id"},
		{config.Props{"s3.sse.customer.key": "short"}, "s3.sse.customer.key"},
		{config.Props{"aws.access.key.id": "a"}, "aws.access.key.id"},
		{config.Props{"s3.object.tagging.key.value.pairs": "a"}, "s3.object.tagging.key.value.pairs"},
		{config.Props{"s3.wan.mode": "true"}, "s3.wan.mode"},
		{config.Props{"format.class": "AvroFormat", "avro.codec": "bzip2"}, "avro.codec"},
		{config.Props{"parquet.codec": "lzo"}, "parquet.codec"},
		{config.Props{"format.class": "com.example.Format"}, "format.class"},
		{config.Props{"s3.credentials.provider.class": "com.example.Provider"}, "s3.credentials.provider.class"},
		{config.Props{"s3.credentials.provider.class": "assume-role"}, "s3.credentials.provider.sts.role.arn"},
		{config.Props{"store.url": "minio:9000"}, "store.url"},
		{config.Props{"s3.part.size": "1000"}, "s3.part.size"},
		{config.Props{"flush.size": "0"}, "flush.size"},
	} {
		err := config.Decode(minimal().Merge(c.change), &Config{})
		var key *config.KeyError
		if assert.ErrorAs(t, err, &key, "%v", c.change) {
			assert.Equal(t, c.key, key.Key, "%v", err)
		}
	}
}
