package transforms

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

// The vectors of testdata/debezium.jsonl were recorded from Debezium 3.3.1.
func TestGoldenDebezium(t *testing.T) {
	goldentest.Each(t, "testdata/debezium.jsonl", func(t *testing.T, v vector) {
		if differs := debeziumDiffers(v); differs != "" {
			t.Log(v.Name, differs)
			return
		}
		x, err := makeTransform(t, v.Class, v.Config)
		if v.ConfigError != nil {
			require.Error(t, err, "%s %v", v.Name, v.Config)
			return
		}
		require.NoError(t, err)
		given := v.In.record(t)
		before, in := deepCopy(given), given
		in.Headers = in.Headers[:len(in.Headers):len(in.Headers)]
		keep, err := x.Apply(t.Context(), &in)
		assertRecord(t, before, given)
		if v.Error != nil {
			require.Error(t, err, "%s %v", v.Name, v.Config)
			return
		}
		require.NoError(t, err, "%s %v", v.Name, v.Config)
		require.Equal(t, v.Out != nil, keep, "%s %v", v.Name, v.Config)
		if keep {
			assertRecord(t, v.Out.record(t), in)
		}
		if t.Failed() {
			t.Log(v.Name, v.Config)
		}
	})
}

// debeziumDiffers says where ours is not Debezium's on purpose; "": nowhere.
func debeziumDiffers(v vector) string {
	_, oldTombstones := v.Config["drop.tombstones"]
	_, oldDeletes := v.Config["delete.handling.mode"]
	_, oldUpdates := v.Config["debezium.op.invalid.behavior"]
	expands := v.Config["table.expand.json.payload"] == "true"
	switch {
	case oldTombstones, oldDeletes:
		return "version 3.3 ignores the keys of before; ours heeds them"
	case oldUpdates:
		return "version 3.3 ignores the key of before; ours refuses it"
	case strings.HasPrefix(v.Name, "unwrap-33"):
		return "a struct that is in no change event is found out with the first one, whatever its operation"
	case v.Config["table.fields.additional.placement"] == "type:nowhere":
		return "Debezium finds an unknown placement with the first event"
	case strings.HasPrefix(v.Name, "outbox-11"):
		return "Debezium fails on a missing column of an envelope even where it should not count"
	case expands && (strings.HasSuffix(v.Name, "-read") || strings.HasSuffix(v.Name, "-toparr")):
		return "Debezium gives the text of an array the schema of the array"
	}
	return ""
}

// What Debezium before version 2.5 did by two keys.
func TestOlderKeysOfExtractNewRecordState(t *testing.T) {
	tombstone := connect.Record{Topic: "t"}
	row := data.StructBuilder().Name("r.Value").Field("id", data.Int32Schema).Optional().MustBuild()
	event := data.StructBuilder().Name("r.Envelope").Field("before", row).Field("after", row).Field("op", data.StringSchema).MustBuild()
	deleted := connect.Record{Topic: "t", Value: connect.Datum{Schema: event, Value: structOf(t, event, structOf(t, row, data.Int32(1)), data.Value{}, data.String("d"))}}
	for _, c := range []struct {
		props     config.Props
		passes    bool // a tombstone
		keeps     bool // a delete
		rewritten bool
	}{
		{config.Props{"drop.tombstones": "false"}, true, false, false},
		{config.Props{"drop.tombstones": "true", "delete.handling.mode": "none"}, false, true, false},
		{config.Props{"delete.handling.mode": "rewrite"}, false, true, true},
		{config.Props{"delete.handling.mode": "rewrite", "drop.tombstones": "false", "delete.tombstone.handling.mode": "drop"}, false, false, false},
	} {
		x, err := makeTransform(t, "io.debezium.transforms.ExtractNewRecordState", c.props)
		require.NoError(t, err)
		r := tombstone
		keep, err := x.Apply(t.Context(), &r)
		require.NoError(t, err)
		assert.Equal(t, c.passes, keep, "%v: tombstone", c.props)
		r = deleted
		keep, err = x.Apply(t.Context(), &r)
		require.NoError(t, err)
		assert.Equal(t, c.keeps, keep, "%v: delete", c.props)
		if keep {
			assert.Equal(t, !c.rewritten, r.Value.Value.IsNull(), "%v: value %v", c.props, r.Value.Value)
		}
	}
	_, err := makeTransform(t, "io.debezium.transforms.ExtractNewRecordState", config.Props{"operation.header": "true"})
	assert.ErrorContains(t, err, "configuration operation.header: this key is not supported here: add.headers=op does what it did")
}
