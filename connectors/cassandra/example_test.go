package cassandra_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/cassandra"
)

// The configuration of a sink that writes a topic to a table.
func Example() {
	var c cassandra.Config
	err := config.Decode(config.Props{
		"topics": "orders", "contactPoints": "127.0.0.1", "loadBalancing.localDc": "datacenter1",
		"topic.orders.shop.by_customer.mapping":          "customer=value.customer, id=key, total=value.total",
		"topic.orders.shop.by_customer.consistencyLevel": "LOCAL_QUORUM",
	}, &c)
	fmt.Println(cassandra.Plugins()[0].Info().Class, c.ContactPoints, err)
	// Output: CassandraSink [127.0.0.1] <nil>
}

// The configurations in examples are valid.
func TestExamples(t *testing.T) {
	for _, name := range []string{"orders.json", "auto.json"} {
		text, err := os.ReadFile("../../examples/cassandra/" + name)
		require.NoError(t, err)
		var file struct{ Config config.Props }
		require.NoError(t, json.Unmarshal(text, &file))
		require.NoError(t, config.Decode(file.Config, new(cassandra.Config)), name)
	}
}
