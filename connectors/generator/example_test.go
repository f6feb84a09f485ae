package generator_test

import (
	"fmt"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/generator"
)

// The configuration of a connector that makes a hundred made-up people a second.
func Example() {
	var c generator.Config
	err := config.Decode(config.Props{"topic": "people", "mode": "template", "template": "person", "rate": "100"}, &c)
	fmt.Println(generator.Plugin.Info().Class, c.Mode, c.Template, c.Rate, err)
	// Output: GeneratorSource template person 100 <nil>
}
