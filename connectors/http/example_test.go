package http_test

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/http"
)

// The configuration of a connector that reads two endpoints, page by page.
func Example() {
	server := httptest.NewServer(nethttp.NotFoundHandler())
	defer server.Close()
	var c http.Config
	err := config.Decode(config.Props{
		"http.url": server.URL, "topic": "shop.${endpoint}", "endpoints": "orders,customers",
		"pagination": "page", "pagination.param": "page", "pagination.limit": "100",
		"endpoint.orders.path": "/v1/orders", "endpoint.customers.path": "/v1/customers",
	}, &c)
	fmt.Println(http.Plugin().Info().Class, c.Endpoints, err)
	// Output: HttpSource [orders customers] <nil>
}

// The configurations in examples are valid.
func TestExamples(t *testing.T) {
	for _, name := range []string{"github-issues.json", "graphql.json"} {
		text, err := os.ReadFile("../../examples/http/" + name)
		require.NoError(t, err)
		require.NoError(t, decode(text), name)
	}
}

func decode(text []byte) error {
	var file struct{ Config config.Props }
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	var c http.Config
	return config.Decode(file.Config, &c)
}
