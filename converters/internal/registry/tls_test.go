package registry

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// TestTLS: a registry by https is trusted by its authority, and by no other.
func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, schemaSeven) }))
	defer s.Close()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	for _, c := range []struct {
		props config.Props
		err   string
	}{
		{config.Props{"schema.registry.ssl.truststore.type": "PEM", "schema.registry.ssl.truststore.certificates": authority}, ""},
		{nil, "certificate signed by unknown authority"},
	} {
		made, err := Dial(configOf(t, c.props.Merge(config.Props{"schema.registry.url": s.URL})))
		require.NoError(t, err)
		_, err = made.ByID(t.Context(), 7)
		made.Close()
		if c.err == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.err)
		assert.False(t, retriable(err), "it will not be trusted later")
	}
}

// TestProxy: requests go by the proxy.
func TestProxy(t *testing.T) {
	var asked string
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		fmt.Fprint(w, schemaSeven)
	}))
	defer p.Close()
	host, port, err := net.SplitHostPort(p.Listener.Addr().String())
	require.NoError(t, err)
	made, err := Dial(configOf(t, config.Props{"schema.registry.url": "http://registry.invalid/x", "proxy.host": host, "proxy.port": port}))
	require.NoError(t, err)
	defer made.Close()
	_, err = made.ByID(t.Context(), 7)
	require.NoError(t, err)
	assert.Equal(t, "http://registry.invalid/x/schemas/ids/7", asked)
}
