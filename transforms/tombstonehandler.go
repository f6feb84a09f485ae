package transforms

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A tombstoneBehavior says what becomes of tombstones.
type tombstoneBehavior string

// The words of two classes for the same thing.
const (
	warnOfTombstones  tombstoneBehavior = "warn"
	ignoreTombstones  tombstoneBehavior = "ignore"
	failOnTombstones  tombstoneBehavior = "fail"
	dropTombsSilently tombstoneBehavior = "drop_silent"
	dropTombsAndWarn  tombstoneBehavior = "drop_warn"
)

// A TombstoneHandlerConfig configures TombstoneHandler.
type TombstoneHandlerConfig struct{ behavior tombstoneBehavior }

// Describe declares the keys of io.confluent.connect.transforms.TombstoneHandler and io.aiven.kafka.connect.transforms.TombstoneHandler.
func (c *TombstoneHandlerConfig) Describe(d *config.Def) {
	config.EnumFold(d, &c.behavior, "behavior", warnOfTombstones, ignoreTombstones, failOnTombstones, dropTombsSilently, dropTombsAndWarn).
		Default(warnOfTombstones).Importance(config.Medium).
		Doc("What becomes of records whose value is null: fail fails. warn and drop_warn, ignore and drop_silent drop them; the records dropped are counted, not logged.")
}

func tombstoneHandlerPlugin() connect.Plugin {
	i := ours("TombstoneHandler", "Drops tombstones, or fails on them.",
		"io.confluent.connect.transforms.TombstoneHandler", "io.aiven.kafka.connect.transforms.TombstoneHandler")
	return connect.Transformer(i, func(c TombstoneHandlerConfig) (tombstoneHandler, error) {
		return tombstoneHandler{c.behavior == failOnTombstones}, nil
	})
}

type tombstoneHandler struct{ fail bool }

// Apply looks at the value, whatever its schema.
func (t tombstoneHandler) Apply(_ context.Context, r *connect.Record) (bool, error) {
	switch {
	case !r.Value.Value.IsNull():
		return true, nil
	case t.fail:
		return false, dataError("found a tombstone in topic %q (configuration behavior=fail)", r.Topic)
	}
	return false, nil
}

// A MakeTombstoneConfig has no keys.
type MakeTombstoneConfig struct{}

// Describe declares nothing, as io.aiven.kafka.connect.transforms.MakeTombstone does.
func (*MakeTombstoneConfig) Describe(*config.Def) {}

func makeTombstonePlugin() connect.Plugin {
	i := ours("MakeTombstone", "Makes a tombstone of every record that it is applied to.", "io.aiven.kafka.connect.transforms.MakeTombstone")
	return connect.Transformer(i, func(MakeTombstoneConfig) (makeTombstone, error) { return makeTombstone{}, nil })
}

type makeTombstone struct{}

// Apply drops the value and its schema.
func (makeTombstone) Apply(_ context.Context, r *connect.Record) (bool, error) {
	r.Value = connect.Datum{}
	return true, nil
}
