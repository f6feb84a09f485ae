//go:build integration

package cassandra

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// BenchmarkNode writes to a node on the same machine. The node's own time is not in the figures of time used.
func BenchmarkNode(b *testing.B) {
	p := newPlace(b)
	p.run(b, "CREATE TABLE %s.bench (part text, id bigint, name text, score double, PRIMARY KEY (part, id))")
	batches := benchRecords(b, 50_000)
	for _, batch := range []string{"32", "1"} {
		b.Run("batch="+batch, func(b *testing.B) {
			x, err := Plugins()[0].NewSinkTask(p.props(config.Props{"topic.t." + p.keyspace + ".bench.mapping": benchMapping, "maxNumberOfRecordsInBatch": batch, "connectionPoolLocalSize": "4"}))
			require.NoError(b, err)
			benchSink(b, x, &connecttest.SinkContext{}, batches)
		})
	}
}
