package javatls_test

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/certtest"
	"github.com/streamlane/connect/internal/javatls"
)

func decode(t testing.TB, props config.Props) *javatls.Settings {
	t.Helper()
	var s javatls.Settings
	require.NoError(t, config.Decode(props, &s))
	return &s
}

// handshake runs one between a server and a client, and returns what the server
// and the client say of it.
func handshake(t testing.TB, server, client *tls.Config) (ofServer, ofClient error) {
	t.Helper()
	a, b := net.Pipe()
	said := make(chan error, 1)
	go func() {
		err := tls.Server(a, server).HandshakeContext(t.Context())
		_ = a.Close()
		said <- err
	}()
	conn := tls.Client(b, client)
	if ofClient = conn.HandshakeContext(t.Context()); ofClient == nil {
		_, ofClient = conn.Read(make([]byte, 1)) // in TLS 1.3 the refusal of a client comes after its handshake
	}
	_ = b.Close()
	return <-said, ofClient
}

func TestServer(t *testing.T) {
	ca, stranger := certtest.Issue(t, nil), certtest.Issue(t, nil)
	known, unknown := certtest.Issue(t, &ca, "me"), certtest.Issue(t, &stranger, "me")
	for name, props := range certtest.Stores(t, ca, certtest.Issue(t, &ca, "worker")) {
		t.Run(name, func(t *testing.T) {
			s := decode(t, props)
			for auth, want := range map[javatls.ClientAuth][3]bool{ // without, with a good, with a bad certificate
				javatls.ClientAuthNone:      {true, true, true},
				javatls.ClientAuthRequested: {true, true, false},
				javatls.ClientAuthRequired:  {false, true, false},
			} {
				server, err := s.Server(auth)
				require.NoError(t, err)
				for i, certs := range [][]tls.Certificate{nil, {known.TLS()}, {unknown.TLS()}} {
					client, err := decode(t, props).Client()
					require.NoError(t, err)
					client.ServerName, client.Certificates = "worker", nil
					client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
						if certs == nil {
							return &tls.Certificate{}, nil
						}
						return &certs[0], nil
					}
					ofServer, _ := handshake(t, server, client)
					assert.Equal(t, want[i], ofServer == nil, "%s, certificate %d: %v", auth, i, ofServer)
				}
			}
		})
	}
}

func TestServerNeedsACertificate(t *testing.T) {
	_, err := decode(t, nil).Server(javatls.ClientAuthNone)
	assert.ErrorContains(t, err, "ssl.keystore.location")
	_, err = decode(t, config.Props{"ssl.keystore.location": "/absent.jks", "ssl.keystore.password": "x"}).Server(javatls.ClientAuthNone)
	assert.ErrorContains(t, err, "/absent.jks")
}

func TestInconsistentKeys(t *testing.T) {
	for text, props := range map[string]config.Props{
		"ssl.keystore.type":       {"ssl.keystore.key": "k", "ssl.keystore.certificate.chain": "c"},
		"ssl.keystore.location":   {"ssl.keystore.key": "k", "ssl.keystore.certificate.chain": "c", "ssl.keystore.type": "PEM", "ssl.keystore.location": "f"},
		"go together":             {"ssl.keystore.key": "k", "ssl.keystore.type": "PEM"},
		"ssl.truststore.type":     {"ssl.truststore.certificates": "c"},
		"ssl.truststore.location": {"ssl.truststore.certificates": "c", "ssl.truststore.type": "PEM", "ssl.truststore.location": "f"},
	} {
		s := decode(t, props)
		assert.ErrorContains(t, s.Consistent(), text)
		_, err := s.Client()
		assert.ErrorContains(t, err, text)
	}
}
