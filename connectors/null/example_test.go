package null_test

import (
	"fmt"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/null"
)

// The configuration of a sink that tells when it was given a million records.
func Example() {
	var c null.Config
	err := config.Decode(config.Props{"records": "1000000", "done.file": "done.json"}, &c)
	fmt.Println(null.Plugin.Info().Class, c.Records, c.DoneFile, err)
	// Output: NullSink 1000000 done.json <nil>
}
