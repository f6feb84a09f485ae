package s3

import formats "github.com/streamlane/connect/connectors/internal/objectstore/libraries"

// libraries are the formats that link a library.
type libraries = formats.All
