package connect_test

import (
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connecttest"
)

func TestMemoryOffsetsConform(t *testing.T) {
	connecttest.TestOffsetStore(t, func(testing.TB) connect.OffsetStore { return connect.NewMemoryOffsets() })
}

func TestMemoryLogConforms(t *testing.T) {
	connecttest.TestConfigStore(t, func(testing.TB) connect.ConfigStore { return connect.NewMemoryLog() })
}
