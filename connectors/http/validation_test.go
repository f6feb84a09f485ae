package http

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
)

// guarded answers by path: what a user may have got wrong.
func guarded() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", api(items(3), 4))
	mux.HandleFunc("/401", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	mux.HandleFunc("/403", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })
	mux.HandleFunc("/407", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) })
	mux.HandleFunc("/429", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) })
	mux.HandleFunc("/503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") })
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(401)
		_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
	})
	return mux
}

// What is wrong is told beside the key that says it, as REST clients see it, and without secrets.
func TestValidationTellsTheKey(t *testing.T) {
	server := httptest.NewServer(guarded())
	t.Cleanup(server.Close)
	secure := httptest.NewUnstartedServer(guarded())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	broken := filepath.Join(t.TempDir(), "store")
	require.NoError(t, os.WriteFile(broken, []byte("nothing"), 0o600))
	const down = "http://127.0.0.1:1"
	own := config.Props{"connector.class": "HttpSource", "http.url": server.URL, "topic": "t", "path": "/all"}
	second := config.Props{"connector.class": "HttpSourceV2", "http.api.base.url": server.URL, "api1.topics": "t", "api1.http.api.path": "/all"}
	first := config.Props{"connector.class": "io.confluent.connect.http.HttpSourceConnector", "url": server.URL + "/all", "topic.name.pattern": "t"}
	castorm := config.Props{"connector.class": "com.github.castorm.kafka.connect.http.HttpSourceConnector", "http.request.url": server.URL + "/all", "kafka.topic": "t"}
	for _, c := range []struct {
		base, props config.Props
		keys        []string
	}{
		{own, nil, nil},
		{own, config.Props{"path": "/429"}, nil},
		{own, config.Props{"path": "/503"}, nil},
		{own, config.Props{"path": "/nowhere"}, []string{"path"}},
		{own, config.Props{"path": "/nowhere", "skip.codes": "404"}, nil},
		{own, config.Props{"path": "/nowhere", "validate.requests": "false"}, nil},
		{own, config.Props{"records.path": "/x"}, []string{"records.path"}},
		{own, config.Props{"records.path": "x"}, []string{"records.path"}},
		{own, config.Props{"path": "/${x}"}, []string{"path"}},
		{own, config.Props{"response.format": "xml"}, []string{"response.format"}},
		{own, config.Props{"path": "/html"}, []string{"response.format"}},
		{own, config.Props{"record.key.path": "/x"}, []string{"record.key.path"}},
		{own, config.Props{"record.timestamp.path": "/name"}, []string{"record.timestamp.path"}},
		{own, config.Props{"http.url": down}, []string{"http.url"}},
		{own, config.Props{"http.url": "http://no-such-host.invalid"}, []string{"http.url"}},
		{own, config.Props{"http.url": down, "endpoints": "a,b,c"}, []string{"http.url"}},
		{own, config.Props{"endpoints": "a,b", "endpoint.b.path": "/nowhere"}, []string{"endpoint.b.path"}},
		{own, config.Props{"path": "/401"}, []string{"auth.type"}},
		{own, config.Props{"path": "/401", "auth.type": "basic", "auth.user": "u", "auth.password": "s3cret"}, []string{"auth.password"}},
		{own, config.Props{"path": "/401", "auth.type": "bearer", "auth.token": "s3cret"}, []string{"auth.token"}},
		{own, config.Props{"path": "/401", "auth.type": "api_key", "auth.api.key": "s3cret", "auth.api.key.in": "query"}, []string{"auth.api.key"}},
		{own, config.Props{"path": "/403", "auth.type": "bearer", "auth.token": "s3cret"}, []string{"auth.type"}},
		{own, config.Props{"auth.type": "oauth2", "auth.oauth2.token.url": server.URL + "/token", "auth.oauth2.client.id": "i", "auth.oauth2.client.secret": "s3cret"}, []string{"auth.oauth2.client.secret"}},
		{own, config.Props{"auth.type": "oauth2", "auth.oauth2.token.url": down, "auth.oauth2.client.id": "i"}, []string{"auth.oauth2.token.url"}},
		{own, config.Props{"path": "/407"}, []string{"http.proxy.url"}},
		{own, config.Props{"http.url": secure.URL, "http.proxy.url": down}, []string{"http.proxy.url"}},
		{own, config.Props{"http.url": secure.URL}, []string{"http.ssl.truststore.location"}},
		{own, config.Props{"http.url": secure.URL, "http.ssl.truststore.location": "/no/such/file", "http.ssl.truststore.password": "s3cret"}, []string{"http.ssl.truststore.location"}},
		{own, config.Props{"http.url": secure.URL, "http.ssl.keystore.location": broken, "http.ssl.keystore.password": "s3cret"}, []string{"http.ssl.keystore.location"}},
		{second, nil, nil},
		{second, config.Props{"http.api.base.url": down}, []string{"http.api.base.url"}},
		{second, config.Props{"http.api.base.url": secure.URL}, []string{"https.ssl.truststore.location"}},
		{second, config.Props{"api1.http.api.path": "/nowhere"}, []string{"api1.http.api.path"}},
		{second, config.Props{"api1.http.response.data.json.pointer": "/x"}, []string{"api1.http.response.data.json.pointer"}},
		{second, config.Props{"api1.http.api.path": "/401", "auth.type": "BASIC", "connection.user": "u", "connection.password": "s3cret"}, []string{"connection.password"}},
		{second, config.Props{"api1.http.api.path": "/401", "auth.type": "BEARER", "bearer.token": "s3cret"}, []string{"bearer.token"}},
		{second, config.Props{"auth.type": "OAUTH2", "oauth2.token.url": server.URL + "/token", "oauth2.client.id": "i", "oauth2.client.secret": "s3cret"}, []string{"oauth2.client.secret"}},
		{first, nil, nil},
		{first, config.Props{"url": server.URL + "/html"}, []string{"url"}},
		{castorm, nil, nil},
		{castorm, config.Props{"http.request.url": server.URL + "/401", "http.auth.type": "Basic", "http.auth.user": "u", "http.auth.password": "s3cret"}, []string{"http.auth.password"}},
		{castorm, config.Props{"http.response.list.pointer": "/x"}, []string{"http.response.list.pointer"}},
	} {
		rt, err := connect.New(connect.Options{Plugins: append(Plugins(), converters.All()...), Receiver: nil, Broker: nil})
		require.NoError(t, err)
		props := c.base.Merge(config.Props{"name": "n"}).Merge(c.props)
		res, err := rt.Validate(t.Context(), props)
		require.NoError(t, err)
		var wrong []string
		for _, v := range res.Configs {
			for _, text := range v.Value.Errors {
				wrong = append(wrong, v.Value.Name)
				assert.NotContains(t, text, "s3cret")
			}
		}
		assert.Equal(t, c.keys, wrong, "%v", props)
	}
}
