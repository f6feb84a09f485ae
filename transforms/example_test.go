package transforms_test

import (
	"fmt"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/transforms"
)

// The transforms, with the keys that each has.
func ExampleAll() {
	for _, p := range transforms.All() {
		var keys []string
		for _, k := range config.Keys(p.Config()) {
			keys = append(keys, k.Name)
		}
		fmt.Println(p.Info().Class, keys)
	}
	// Output:
	// InsertField$Key [topic.field partition.field offset.field timestamp.field static.field static.value replace.null.with.default]
	// InsertField$Value [topic.field partition.field offset.field timestamp.field static.field static.value replace.null.with.default]
	// RegexRouter [regex replacement]
}
