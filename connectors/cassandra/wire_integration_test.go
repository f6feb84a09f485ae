//go:build integration

package cassandra

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/certtest"
)

// Each way to speak to a node carries records, by each version of the protocol.
func TestCompressionAndVersions(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, worldTable)
	for _, c := range []config.Props{
		{"compression": "LZ4"}, {"compression": "snappy"}, {"compression": "LZ4", "datastax-java-driver.advanced.protocol.version": "V4"},
		{"datastax-java-driver.advanced.protocol.version": "V4"},
	} {
		p.run(t, "TRUNCATE %s.w")
		w := newWorld()
		h := p.sink(t, p.worldProps().Merge(c))
		h.Produce(w.next(300)...)
		h.Flush()
		assert.ElementsMatch(t, w.want(), p.rows(t, "SELECT part, id, v FROM %s.w"), "%v", c)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, worldTable)
	ca, other := certtest.Issue(t, nil, "ca"), certtest.Issue(t, nil, "other")
	server, stranger, own := certtest.Issue(t, &ca, "127.0.0.1"), certtest.Issue(t, &ca, "elsewhere.test"), certtest.Issue(t, &ca, "client")
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(ca.CertPEM())))
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	trusted := config.Props{
		"ssl.provider": "JDK", "ssl.truststore.path": file("ca.pem", ca.CertPEM()),
		"ssl.openssl.keyCertChain": file("own.pem", own.CertPEM()), "ssl.openssl.privateKey": file("own.key", own.KeyPEM(t)),
	}
	for _, c := range []struct {
		name, key, want string
		server          certtest.Identity
		props           config.Props
	}{
		{"mutual", "", "", server, nil},
		{"another name", "ssl.truststore.path", "cannot validate certificate for 127.0.0.1", stranger, nil},
		{"another name, unchecked", "", "", stranger, config.Props{"ssl.hostnameValidation": "false"}},
		{"another authority", "ssl.truststore.path", "unknown authority", server, config.Props{"ssl.truststore.path": file("other.pem", other.CertPEM())}},
		{"another authority, name unchecked", "ssl.truststore.path", "unknown authority", server,
			config.Props{"ssl.truststore.path": file("other2.pem", other.CertPEM()), "ssl.hostnameValidation": "false"}},
		{"no TLS", "contactPoints", "does not speak the protocol as it is set up", server, config.Props{"ssl.provider": "None"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTLSProxy(t, p.node.Addr(), &tls.Config{Certificates: []tls.Certificate{c.server.TLS()}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})
			props := p.worldProps().Merge(trusted).Merge(config.Props{"port": strconv.Itoa(x.port), "connect.timeout.ms": "3000"}).Merge(c.props)
			if c.key == "" {
				p.run(t, "TRUNCATE %s.w")
				w := newWorld()
				h := p.sink(t, props)
				h.Produce(w.next(100)...)
				h.Flush()
				assert.ElementsMatch(t, w.want(), p.rows(t, "SELECT part, id, v FROM %s.w"))
				return
			}
			err := p.config(t, props).Probe(t.Context())
			var key *config.KeyError
			require.ErrorAs(t, err, &key)
			assert.Equal(t, c.key, key.Key)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// The rights that the documentation names are enough, and without them the task says what it lacks.
func TestRights(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, worldTable)
	p.run(t, "CREATE ROLE may_%s WITH PASSWORD = 'x' AND LOGIN = true")
	p.run(t, "GRANT MODIFY ON KEYSPACE %s TO may_%s")
	p.run(t, "CREATE ROLE maynot_%s WITH PASSWORD = 'x' AND LOGIN = true")
	w := newWorld()
	user := func(name string) config.Props {
		return p.worldProps().Merge(config.Props{"auth.username": p.cql(name), "auth.password": "x"})
	}
	h := p.sink(t, user("may_%s"))
	h.Produce(w.next(100)...)
	h.Flush()
	assert.ElementsMatch(t, w.want(), p.rows(t, "SELECT part, id, v FROM %s.w"))
	h = p.sink(t, user("maynot_%s"))
	h.Produce(w.next(1)...)
	trace := h.AwaitFailure()
	assert.Contains(t, trace, "write to "+p.keyspace+".w (topic.topic."+p.keyspace+".w.*): User maynot_"+p.keyspace+" has no MODIFY permission")
}
