package httpkit_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
)

// An authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(raw)
	require.NoError(t, err)
	a.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	return a
}

// sign returns a certificate for the loopback, or for a name, and both parts in PEM.
func (a *authority) sign(names ...string) (pair tls.Certificate, cert, key string) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, DNSNames: names}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	require.NoError(a.t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	require.NoError(a.t, err)
	cert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	pair, err = tls.X509KeyPair([]byte(cert), []byte(key))
	require.NoError(a.t, err)
	return pair, cert, key
}

func serveTLS(t *testing.T, c *tls.Config, h http.Handler) string {
	server := httptest.NewUnstartedServer(h)
	server.TLS = c
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func get(t *testing.T, props config.Props, u string) (string, error) {
	t.Helper()
	body, err := getter(client(t, config.Props{"retry.backoff.ms": "1", "retry.backoff.max.ms": "1"}.Merge(props), nil))(t.Context(), u)
	return string(body), err
}

func TestMutualTLS(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	server, _, _ := ours.sign()
	named, _, _ := ours.sign("elsewhere.test")
	_, cert, key := ours.sign("me")
	_, badCert, badKey := others.sign("me")
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	requests := 0
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		_, _ = fmt.Fprint(w, r.TLS.PeerCertificates[0].DNSNames[0])
	})
	mutual := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}, ok)
	misnamed := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{named}, MinVersion: tls.VersionTLS12}, ok)
	trust := config.Props{"http.ssl.truststore.type": "PEM", "http.ssl.truststore.certificates": ours.pem}
	own := func(cert, key string) config.Props {
		return trust.Merge(config.Props{"http.ssl.keystore.type": "PEM", "http.ssl.keystore.certificate.chain": cert, "http.ssl.keystore.key": key})
	}
	body, err := get(t, own(cert, key), mutual)
	require.NoError(t, err)
	assert.Equal(t, "me", body)
	for name, c := range map[string]struct {
		props config.Props
		url   string
		text  string
	}{
		"no certificate of ours":      {trust, mutual, "certificate required"},
		"another authority's":         {own(badCert, badKey), mutual, "unknown certificate authority"},
		"a server that is not known":  {config.Props{"http.ssl.truststore.type": "PEM", "http.ssl.truststore.certificates": others.pem}, mutual, "signed by unknown authority"},
		"a server under another name": {trust, misnamed, "cannot validate certificate for 127.0.0.1"},
		"no TLS":                      {trust, strings.Replace(plainServer(t), "http://", "https://", 1), "server gave HTTP response to HTTPS client"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := get(t, c.props, c.url)
			require.ErrorContains(t, err, c.text)
			assert.Equal(t, httpkit.Fail, httpkit.ClassOf(err), "another try would not help")
			assert.NotContains(t, err.Error(), "PRIVATE")
		})
	}
	assert.Equal(t, 1, requests)
}

func plainServer(t *testing.T) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "plain ", r.Header.Get("Proxy-Authorization"))
	}))
	server.Config.ErrorLog = quiet
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// A connector of two ends.
func pipe(a, b net.Conn, early *bufio.Reader) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(b, early); _ = b.Close() }) // a test's connection
	_, _ = io.Copy(a, b)
	_ = a.Close()
	wg.Wait()
}

// connectProxy is a proxy for user u and password p: it tunnels, and forwards what is asked for by whole URLs.
func connectProxy(t *testing.T, asked *[]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.Host)
		if r.Header.Get("Proxy-Authorization") != "Basic dTpw" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			_, _ = fmt.Fprint(w, "through the proxy")
			return
		}
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		pipe(near, far, buffered.Reader)
	})
}

func TestProxies(t *testing.T) {
	ca := newAuthority(t)
	pair, _, _ := ca.sign()
	trust := config.Props{"http.ssl.truststore.type": "PEM", "http.ssl.truststore.certificates": ca.pem}
	target := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "target", r.Header.Get("Proxy-Authorization"))
	}))
	var asked []string
	plain := httptest.NewUnstartedServer(connectProxy(t, &asked))
	plain.Config.ErrorLog = quiet
	plain.Start()
	t.Cleanup(plain.Close)
	secure := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, connectProxy(t, &asked))
	with := func(proxy, user string) string { return strings.Replace(proxy, "://", "://"+user+"@", 1) }
	host := strings.TrimPrefix(target, "https://")
	for _, c := range []struct {
		name  string
		props config.Props
		url   string
		want  string
		asked string
		err   string
	}{
		{"http, tunnelled", config.Props{"http.proxy.url": with(plain.URL, "u:p")}, target, "target", "CONNECT " + host, ""},
		{"http, by user and password", config.Props{"http.proxy.url": plain.URL, "http.proxy.user": "u", "http.proxy.password": "p"}, target, "target", "CONNECT " + host, ""},
		{"https, tunnelled", config.Props{"http.proxy.url": with(secure, "u:p")}, target, "target", "CONNECT " + host, ""},
		{"https, forwarded", config.Props{"http.proxy.url": with(secure, "u:p")}, "http://far.test/", "through the proxy", "GET far.test", ""},
		{"excluded", config.Props{"http.proxy.url": with(plain.URL, "u:p"), "http.proxy.exclude": "127.0.0.1"}, target, "target", "", ""},
		{"excluded by network", config.Props{"http.proxy.url": with(plain.URL, "u:p"), "http.proxy.exclude": "10.0.0.0/8,127.0.0.0/8"}, target, "target", "", ""},
		{"a wrong password", config.Props{"http.proxy.url": with(plain.URL, "u:s3cret"), "retry.max.attempts": "1"}, target, "", "CONNECT " + host, "Proxy Authentication Required"},
		{"a wrong password, forwarded", config.Props{"http.proxy.url": with(plain.URL, "u:s3cret")}, "http://far.test/", "", "GET far.test", "407"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked = nil
			body, err := get(t, trust.Merge(c.props), c.url)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				assert.NotContains(t, err.Error(), "s3cret")
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, c.want, body)
			assert.Equal(t, c.asked, strings.Join(asked, ", "))
		})
	}
}

// socks serves one connection of SOCKS 5 with user and password (RFC 1928, 1929), and tells the name that it was asked for.
func socks(t *testing.T, password string) (address string, name func() string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var asked string
	var wg sync.WaitGroup
	wg.Go(func() {
		near, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = near.Close() }() // ends the test's connection
		r := bufio.NewReader(near)
		read := func(n int) []byte { b := make([]byte, n); _, _ = io.ReadFull(r, b); return b }
		read(int(read(2)[1]))
		_, _ = near.Write([]byte{5, 2}) // user and password
		user := string(read(int(read(2)[1])))
		if pw := string(read(int(read(1)[0]))); user != "u" || pw != password {
			_, _ = near.Write([]byte{1, 1})
			return
		}
		_, _ = near.Write([]byte{1, 0})
		var host string
		switch kind := read(4)[3]; kind {
		case 3:
			host = string(read(int(read(1)[0])))
		default:
			host = net.IP(read(4)).String()
		}
		asked = fmt.Sprintf("%s:%d", host, binary.BigEndian.Uint16(read(2)))
		far, err := net.Dial("tcp", strings.Replace(asked, "far.test", "127.0.0.1", 1))
		if err != nil {
			return
		}
		_, _ = near.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		pipe(near, far, r)
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String(), func() string { return asked }
}

func TestSocks(t *testing.T) {
	u, err := url.Parse(plainServer(t))
	require.NoError(t, err)
	address, name := socks(t, "p")
	body, err := get(t, config.Props{"http.proxy.url": "socks5h://u:p@" + address}, "http://far.test:"+u.Port())
	require.NoError(t, err)
	assert.Equal(t, "plain ", body, "no credentials of the proxy")
	assert.Equal(t, "far.test:"+u.Port(), name(), "the proxy looks names up")

	address, _ = socks(t, "p")
	_, err = get(t, config.Props{"http.proxy.url": "socks5://u:s3cret@" + address, "retry.max.attempts": "1"}, "http://far.test:"+u.Port())
	require.ErrorContains(t, err, "auth")
	assert.NotContains(t, err.Error(), "s3cret")
}
