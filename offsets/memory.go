package offsets

import "github.com/streamlane/connect"

// Memory returns an empty store that lasts as long as the value itself. It is
// what a Runtime uses where none is given.
func Memory() connect.OffsetStore { return connect.NewMemoryOffsets() }
