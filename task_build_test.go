package connect

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// Clients whose name nobody has chosen share one, so that they can share a client.
func TestNamesOfClients(t *testing.T) {
	for _, c := range []struct {
		name              string
		worker, connector config.Props
		producer, admin   string
	}{
		{"nobody's", nil, nil, "connector-producer", "connector-adminclient"},
		{"the worker's", config.Props{"client.id": "w"}, nil, "connector-producer", "w"},
		{"the worker's for connectors", config.Props{"producer.client.id": "p", "admin.client.id": "a"}, nil, "p", "a"},
		{"the connector's", config.Props{"producer.client.id": "p"},
			config.Props{"producer.override.client.id": "own", "admin.override.client.id": "own"}, "own", "own"},
		{"as Java would name it", nil, config.Props{"producer.override.client.id": "connector-producer-c-3"}, "connector-producer-c-3", "connector-adminclient"},
		{"transactional", nil, config.Props{"producer.override.transactional.id": "tx"}, "connector-producer-c-3", "connector-adminclient"},
	} {
		b := &taskBuild{
			rt:  &Runtime{worker: &workerSettings{props: c.worker}},
			env: &taskEnv{id: cluster.TaskID{Connector: "c", Task: 3}, connector: c.connector, log: slog.New(slog.DiscardHandler)},
		}
		assert.Equal(t, c.producer, b.producer().Props["client.id"], c.name)
		assert.Equal(t, c.admin, b.admin().Props["client.id"], c.name)
		assert.Equal(t, c.producer, b.producer().ClientID, c.name)
	}
}
