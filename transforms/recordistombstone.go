package transforms

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A RecordIsTombstoneConfig has no keys.
type RecordIsTombstoneConfig struct{}

// Describe declares nothing, as org.apache.kafka.connect.transforms.predicates.RecordIsTombstone does.
func (*RecordIsTombstoneConfig) Describe(*config.Def) {}

func recordIsTombstonePlugin() connect.Plugin {
	i := predicateInfo("RecordIsTombstone", "Holds for records whose value is null, with a schema or without.")
	return connect.Predicator(i, func(RecordIsTombstoneConfig) (recordIsTombstone, error) { return recordIsTombstone{}, nil })
}

type recordIsTombstone struct{}

// Test looks at the value.
func (recordIsTombstone) Test(_ context.Context, r *connect.Record) (bool, error) {
	return r.Value.Value.IsNull(), nil
}
