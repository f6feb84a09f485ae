//go:build integration

package testenv_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/testenv"
)

// hello sends a CONNECT of a client with a session that outlives the connection, and returns the answer.
func hello(t *testing.T, c net.Conn, user, password string) *packets.Connack {
	t.Helper()
	expiry := uint32(1000)
	p := &packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "c", UsernameFlag: user != "", Username: user, PasswordFlag: user != "",
		Password: []byte(password), Properties: &packets.Properties{SessionExpiryInterval: &expiry},
	}
	_, err := p.WriteTo(c)
	require.NoError(t, err)
	answer, err := packets.ReadPacket(c)
	require.NoError(t, err)
	return answer.Content.(*packets.Connack)
}

func dialMosquitto(t *testing.T, uri string, config *tls.Config) net.Conn {
	t.Helper()
	u, err := url.Parse(uri)
	require.NoError(t, err)
	c, err := net.Dial("tcp", u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	if config != nil {
		return tls.Client(c, config)
	}
	return c
}

// A broker that is killed keeps the sessions that it has saved, and finds its port again.
func TestMosquittoComesBackOnItsData(t *testing.T) {
	m := testenv.Mosquitto(t, testenv.MosquittoOptions{Durable: true})
	c := dialMosquitto(t, m.URI(), nil)
	assert.False(t, hello(t, c, "", "").SessionPresent)
	s := packets.Subscribe{PacketID: 1, Properties: &packets.Properties{}, Subscriptions: []packets.SubOptions{{Topic: "t", QoS: 1}}}
	_, err := s.WriteTo(c)
	require.NoError(t, err)
	_, err = packets.ReadPacket(c)
	require.NoError(t, err)
	_, err = c.Write([]byte{packets.PINGREQ << 4, 0}) // its answer comes when the subscription is on disk
	require.NoError(t, err)
	_, err = packets.ReadPacket(c)
	require.NoError(t, err)
	m.Kill(t)
	m.Restart(t)
	assert.True(t, hello(t, dialMosquitto(t, m.URI(), nil), "", "").SessionPresent)
	m.Stop(t)
	m.Forget(t)
	m.Restart(t)
	assert.False(t, hello(t, dialMosquitto(t, m.URI(), nil), "", "").SessionPresent)
}

func TestMosquittoListeners(t *testing.T) {
	m := testenv.Mosquitto(t, testenv.MosquittoOptions{Users: map[string]string{"u": "p"}})
	assert.NotZero(t, hello(t, dialMosquitto(t, m.URI(), nil), "u", "wrong").ReasonCode)
	assert.Zero(t, hello(t, dialMosquitto(t, m.URI(), nil), "u", "p").ReasonCode)
	text, err := os.ReadFile(m.CA)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(text))
	assert.Zero(t, hello(t, dialMosquitto(t, m.TLS(), &tls.Config{RootCAs: roots, ServerName: "localhost"}), "u", "p").ReasonCode)
	pair, err := tls.LoadX509KeyPair(m.Certificate, m.Key)
	require.NoError(t, err)
	mutual := &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{pair}}
	assert.Zero(t, hello(t, dialMosquitto(t, m.Mutual(), mutual), "u", "p").ReasonCode)
	c := dialMosquitto(t, m.WebSocket(), nil)
	_, err = c.Write([]byte("GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"))
	require.NoError(t, err)
	answer := make([]byte, 1024)
	n, err := c.Read(answer)
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 101")), "%s", answer[:n])
}
