package transforms

import (
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

func TestConformance(t *testing.T) {
	inserted := config.Props{"topic.field": "t!", "partition.field": "p", "timestamp.field": "ts?", "static.field": "s", "static.value": "x"}
	valid := map[string][]config.Props{
		"InsertField$Key":   {inserted, inserted.Merge(config.Props{"offset.field": "o"}), inserted.Merge(config.Props{"replace.null.with.default": "false"})},
		"InsertField$Value": {inserted, inserted.Merge(config.Props{"offset.field": "o"}), inserted.Merge(config.Props{"replace.null.with.default": "false"})},
		"RegexRouter":       {{"regex": "(to)(.*)", "replacement": "$2-$1"}, {"regex": ".*", "replacement": ""}, {"regex": ".*", "replacement": "$7"}},
	}
	record := row(t, data.StructBuilder().Field("a", data.Int32Schema).MustBuild())
	record.Key = record.Value
	for _, p := range All() {
		t.Run(p.Info().Class, func(t *testing.T) {
			connecttest.TestPlugin(t, p, valid[p.Info().Class]...)
			for i, props := range valid[p.Info().Class] {
				records := []connect.Record{record}
				if props["replacement"] == "$7" {
					records = nil // fails, with any topic
				}
				t.Run(string(rune('a'+i)), func(t *testing.T) { connecttest.TestTransform(t, p, props, records...) })
			}
		})
	}
}
