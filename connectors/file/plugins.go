package file

import (
	"io"

	"github.com/streamlane/connect"
)

// version is that of the Java connectors whose behaviour these have, so that configurations which pin a version go on working.
const version = "4.3.1"

// Stdio holds the streams for connectors without the key file. The zero value has none, and such connectors are refused.
type Stdio struct {
	// In is read by sources. One goroutine for each Plugins call reads it, from the first start of such a task to the end of In, for a
	// Read can not be called off: what it has read when a task stops is kept for the next one. Several such tasks share the lines.
	In io.Reader
	// Out is written to by sinks, one Write for each batch. It has to be safe for concurrent use if several tasks write to it.
	Out io.Writer
}

// Plugins returns the source and the sink: FileStreamSource and FileStreamSink.
func Plugins(streams Stdio) []connect.Plugin {
	in := newInput(streams.In)
	return []connect.Plugin{
		connect.Source(connect.Info{
			Class:   "FileStreamSource",
			Version: version,
			Doc:     "Reads the lines of a file, and goes on as lines are appended.",
			StandsFor: []connect.JavaClass{{
				Class: "org.apache.kafka.connect.file.FileStreamSourceConnector",
				Task:  "org.apache.kafka.connect.file.FileStreamSourceTask",
			}},
		}, newSourceConnector, func(c SourceConfig) (*sourceTask, error) { return newSourceTask(c, in) }),
		connect.Sink(connect.Info{
			Class:   "FileStreamSink",
			Version: version,
			Doc:     "Appends records to a file, one line each.",
			StandsFor: []connect.JavaClass{{
				Class: "org.apache.kafka.connect.file.FileStreamSinkConnector",
				Task:  "org.apache.kafka.connect.file.FileStreamSinkTask",
			}},
		}, newSinkConnector, func(c SinkConfig) (*sinkTask, error) { return newSinkTask(c, streams.Out) }),
	}
}
