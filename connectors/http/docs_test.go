package http_test

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/http"
	"github.com/streamlane/connect/connecttest"
)

// documented answers for the servers of the documentation's examples.
func documented() nethttp.Handler {
	mux := nethttp.NewServeMux()
	answer := func(pattern, text string) {
		mux.HandleFunc(pattern, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, text)
		})
	}
	const record = `{"id":1,"total":2.5,"updatedAt":"2026-01-31T00:00:00Z","updated_at":"2026-01-31T00:00:00Z"}`
	answer("/repos/apache/kafka/pulls", "["+record+"]")
	answer("/graphql", `{"data":{"orders":{"nodes":[`+record+`],"pageInfo":{"endCursor":"x","hasNextPage":false}}}}`)
	answer("/token", `{"access_token":"t","token_type":"Bearer"}`)
	answer("/v1/orders", `{"data":[`+record+`]}`)
	answer("/v1/customers", `[`+record+`]`)
	answer("/v1/events", `[`+record+`]`)
	answer("/v2/orders", `{"orders":[`+record+`]}`)
	return mux
}

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// examples are the configurations of the documentation's page and those beside it, by where they stand.
func examples(t *testing.T) map[string]config.Props {
	found := map[string]config.Props{}
	page, err := os.ReadFile("../../docs/connectors/http.md")
	require.NoError(t, err)
	for i, m := range jsonBlock.FindAllSubmatch(page, -1) {
		var p config.Props
		require.NoError(t, json.Unmarshal(m[1], &p), "%s", m[1])
		found[fmt.Sprint("page, ", i+1)] = p
	}
	files, err := filepath.Glob("../../examples/http/*.json")
	require.NoError(t, err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		var file struct{ Config config.Props }
		require.NoError(t, json.Unmarshal(text, &file), name)
		found[filepath.Base(name)] = file.Config
	}
	return found
}

var elsewhere = regexp.MustCompile(`https://[a-z]+\.(example\.com|github\.com)`)

// The documentation's examples run: they are valid, ask for what their server has, and make records of it.
func TestExamplesOfTheDocumentation(t *testing.T) {
	server := httptest.NewServer(documented())
	defer server.Close()
	plugins := map[string]connect.Plugin{}
	for _, p := range http.Plugins() {
		plugins[p.Info().Class] = p
		for _, j := range p.Info().StandsFor {
			plugins[j.Class] = p
		}
	}
	all := examples(t)
	assert.Len(t, all, 5)
	for name, props := range all {
		t.Run(name, func(t *testing.T) {
			own := config.Props{}
			for key, v := range props {
				own[key] = elsewhere.ReplaceAllString(v, server.URL)
			}
			delete(own, "value.converter") // there is no Kafka
			delete(own, "value.converter.schemas.enable")
			plugin, ok := plugins[own["connector.class"]]
			require.True(t, ok)
			t.Setenv("SHOP_SECRET", "x")
			h := connecttest.Source(t, plugin, own)
			rec := h.Next(1)[0]
			assert.NotEmpty(t, rec.Topic)
			assert.False(t, rec.Value.Value.IsNull())
		})
	}
}

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
