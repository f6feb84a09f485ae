package connectors

import (
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/directory"
	"github.com/streamlane/connect/connectors/file"
	"github.com/streamlane/connect/connectors/generator"
	"github.com/streamlane/connect/connectors/null"
)

// All returns every connector. File connectors without the key file are refused, for there are no standard streams; see WithStdio.
func All() []connect.Plugin { return WithStdio(file.Stdio{}) }

// WithStdio returns every connector, and lets file connectors without the key file use the streams given.
func WithStdio(streams file.Stdio) []connect.Plugin {
	return slices.Concat(
		file.Plugins(streams),
		[]connect.Plugin{directory.Plugin(), generator.Plugin, null.Plugin},
	)
}
