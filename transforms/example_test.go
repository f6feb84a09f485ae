package transforms_test

import (
	"fmt"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/transforms"
)

// Kafka's transforms that work on the key, with the keys that each has.
func ExampleAll() {
	for _, p := range transforms.All() {
		if !strings.HasSuffix(p.Info().Class, "$Key") || p.Info().Version != "4.3.1" {
			continue
		}
		var keys []string
		for _, k := range config.Keys(p.Config()) {
			keys = append(keys, k.Name)
		}
		fmt.Println(p.Info().Class, keys)
	}
	// Output:
	// Cast$Key [spec replace.null.with.default]
	// ExtractField$Key [field replace.null.with.default field.syntax.version]
	// Flatten$Key [delimiter]
	// HeaderFrom$Key [fields headers operation replace.null.with.default]
	// HoistField$Key [field]
	// InsertField$Key [topic.field partition.field offset.field timestamp.field static.field static.value replace.null.with.default]
	// MaskField$Key [fields replacement replace.null.with.default]
	// ReplaceField$Key [exclude include renames replace.null.with.default]
	// SetSchemaMetadata$Key [schema.name schema.version replace.null.with.default]
	// TimestampConverter$Key [field target.type format unix.precision replace.null.with.default]
}
