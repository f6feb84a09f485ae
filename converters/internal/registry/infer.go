package registry

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// inferrer makes schemas of schemaless data.
type inferrer struct{ c *Config }

func newInferrer(c *Config) *inferrer { return &inferrer{c} }

func (c *Converter) encodeInferred(_ context.Context, dst []byte, _ *connect.Wire, _ string, _ data.Value) ([]byte, bool, error) {
	return dst, false, dataError("not there")
}
