package s3

import (
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

// libraries are the formats that link a library.
func libraries() map[string]objectstore.FormatMaker {
	return map[string]objectstore.FormatMaker{}
}
