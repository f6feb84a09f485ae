package main

import (
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/connectors/cassandra"
	"github.com/streamlane/connect/connectors/directory/full"
	"github.com/streamlane/connect/connectors/file"
	"github.com/streamlane/connect/connectors/http"
	"github.com/streamlane/connect/connectors/mqtt"
	"github.com/streamlane/connect/connectors/s3"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/converters/jsonschema"
	"github.com/streamlane/connect/converters/protobuf"
	"github.com/streamlane/connect/transforms"
	"github.com/streamlane/connect/transforms/expression"
)

// plugins are all that the worker has. File connectors without the key file get
// the standard streams of the process.
func plugins(p process) []connect.Plugin {
	return slices.Concat(
		full.In(connectors.WithStdio(file.Stdio{In: p.stdin, Out: p.stdout})),
		s3.Plugins(),
		http.Plugins(),
		mqtt.Plugins(),
		cassandra.Plugins(),
		converters.All(),
		[]connect.Plugin{
			avro.Plugin(),
			jsonschema.Plugin(),
			protobuf.Plugin(),
		},
		transforms.All(),
		expression.All(),
	)
}
