package converters

import (
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// version is that of all plugins of this package.
const version = "4.3.1"

// All returns the plugins of this package, in the order of its documentation.
func All() []connect.Plugin {
	return []connect.Plugin{JSON, String, ByteArray, Boolean, Short, Integer, Long, Float, Double, SimpleHeader}
}

// A Use says what of a record a converter is for: the value of converter.type.
// The engine sets it; converters of this package do the same for all three.
type Use string

// The uses of converters.
const (
	ForKey    Use = "key"
	ForValue  Use = "value"
	ForHeader Use = "header"
)

// describeUse declares converter.type, which every record converter has.
func describeUse(d *config.Def, p *Use) {
	config.Enum(d, p, "converter.type", ForKey, ForValue, ForHeader).
		Doc("How this converter will be used. It is set by the worker.")
}

// dataError makes the twin of a DataException.
func dataError(format string, args ...any) error {
	return &data.Error{Message: fmt.Sprintf(format, args...)}
}
