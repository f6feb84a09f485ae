package s3_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/s3"
)

// The configuration of a sink that writes Parquet by the hour.
func Example() {
	var c s3.Config
	err := config.Decode(config.Props{
		"s3.bucket.name": "data-lake", "s3.region": "us-east-1", "format.class": "ParquetFormat", "flush.size": "100000",
		"partitioner.class": "HourlyPartitioner", "timestamp.extractor": "Record", "timezone": "UTC",
	}, &c)
	fmt.Println(s3.Plugins()[0].Info().Class, c.Bucket, c.Partitioner, err)
	// Output: S3Sink data-lake HourlyPartitioner <nil>
}

// The configurations in examples are valid for the classes that they name, and have no key that is not known.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/s3/*.json")
	require.NoError(t, err)
	assert.Len(t, files, 5)
	framework := []string{"connector.class", "topics", "tasks.max", "key.converter", "value.converter", "value.converter.schemas.enable"}
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		var file struct {
			Name   string
			Config config.Props
		}
		require.NoError(t, json.Unmarshal(text, &file), name)
		assert.NotEmpty(t, file.Name)
		class := file.Config["connector.class"]
		at := slices.IndexFunc(s3.Plugins(), func(p connect.Plugin) bool {
			return p.Info().Class == class || slices.ContainsFunc(p.Info().StandsFor, func(j connect.JavaClass) bool { return j.Class == class })
		})
		require.GreaterOrEqual(t, at, 0, class)
		keys := s3.Plugins()[at].Config()
		require.NoError(t, config.Decode(file.Config, keys), name)
		for _, k := range config.Unknown(file.Config, keys) {
			assert.Contains(t, framework, k.Key, name)
		}
	}
}
