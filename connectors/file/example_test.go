package file_test

import (
	"fmt"
	"os"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/file"
)

// A program decides whether connectors may use its standard streams.
func ExamplePlugins() {
	for _, p := range file.Plugins(file.Stdio{In: os.Stdin, Out: os.Stdout}) {
		fmt.Println(p.Kind(), p.Info().Class, "stands for", p.Info().StandsFor[0].Class)
		for _, k := range config.Keys(p.Config()) {
			fmt.Println(" ", k.Name)
		}
	}
	// Output:
	// source FileStreamSource stands for org.apache.kafka.connect.file.FileStreamSourceConnector
	//   file
	//   topic
	//   batch.size
	// sink FileStreamSink stands for org.apache.kafka.connect.file.FileStreamSinkConnector
	//   file
}
