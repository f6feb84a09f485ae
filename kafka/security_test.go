package kafka

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// An identity is a certificate with its key.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (i identity) certPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}))
}

func (i identity) pkcs8(t testing.TB) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	require.NoError(t, err)
	return der
}

func (i identity) keyPEM(t testing.TB) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: i.pkcs8(t)}))
}

func (i identity) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key, Leaf: i.cert}
}

// issue makes a certificate for names, signed by ca, or by itself.
func issue(t testing.TB, ca *identity, names ...string) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: strings.Join(append(names, "ca"), " ")},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, n)
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return identity{cert, key}
}

// stores writes identity and authority in every format, and returns the keys that
// point to them.
func stores(t testing.TB, ca, own identity) map[string]config.Props {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	pfx, err := pkcs12.Modern.Encode(own.key, own.cert, []*x509.Certificate{ca.cert}, "storepass")
	require.NoError(t, err)
	trust, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.cert}, "trustpass")
	require.NoError(t, err)
	ks := keystore.New()
	require.NoError(t, ks.SetPrivateKeyEntry("me", keystore.PrivateKeyEntry{
		CreationTime: time.Now(), PrivateKey: own.pkcs8(t),
		CertificateChain: []keystore.Certificate{{Type: "X509", Content: own.cert.Raw}},
	}, []byte("keypass")))
	var jks bytes.Buffer
	require.NoError(t, ks.Store(&jks, []byte("storepass")))
	ts := keystore.New()
	require.NoError(t, ts.SetTrustedCertificateEntry("ca", keystore.TrustedCertificateEntry{
		CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X509", Content: ca.cert.Raw},
	}))
	var jts bytes.Buffer
	require.NoError(t, ts.Store(&jts, []byte("trustpass")))
	oneLine := func(s string) string { return strings.ReplaceAll(s, "\n", " ") }
	return map[string]config.Props{
		"PEM inline": {
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": ca.certPEM(),
			"ssl.keystore.type": "PEM", "ssl.keystore.key": own.keyPEM(t), "ssl.keystore.certificate.chain": own.certPEM(),
		},
		"PEM inline, blanks for line ends": {
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": oneLine(ca.certPEM()),
			"ssl.keystore.type": "PEM", "ssl.keystore.key": oneLine(own.keyPEM(t)), "ssl.keystore.certificate.chain": oneLine(own.certPEM()),
		},
		"PEM files": {
			"ssl.truststore.type": "PEM", "ssl.truststore.location": write("ca.pem", []byte(ca.certPEM())),
			"ssl.keystore.type": "PEM", "ssl.keystore.location": write("me.pem", []byte(own.keyPEM(t)+own.certPEM())),
		},
		"PKCS12": {
			"ssl.truststore.type": "PKCS12", "ssl.truststore.location": write("trust.p12", trust), "ssl.truststore.password": "trustpass",
			"ssl.keystore.type": "PKCS12", "ssl.keystore.location": write("me.p12", pfx), "ssl.keystore.password": "storepass",
		},
		"PKCS12 by the name of JKS, as keytool leaves it": {
			"ssl.truststore.location": write("trust.jks", trust), "ssl.truststore.password": "trustpass",
			"ssl.keystore.location": write("me.jks", pfx), "ssl.keystore.password": "storepass",
		},
		"JKS": {
			"ssl.truststore.location": write("trust2.jks", jts.Bytes()), "ssl.truststore.password": "trustpass",
			"ssl.keystore.location": write("me2.jks", jks.Bytes()), "ssl.keystore.password": "storepass", "ssl.key.password": "keypass",
		},
	}
}

// roundTrip sends and reads a message with the given connection keys.
func roundTrip(t testing.TB, c *kfake.Cluster, props config.Props) {
	t.Helper()
	b := brokerOf(t, c, props)
	topic := "t" + time.Now().Format("150405.000000000")
	makeTopic(t, b, topic, 1, nil)
	require.NoError(t, sendOne(t, producerOf(t, b, nil), message(topic, "v")).err)
	assert.Len(t, pollN(t, readerOf(t, b, topic, 1, nil), 1), 1)
}

func TestMutualTLS(t *testing.T) {
	ca := issue(t, nil)
	server, own := issue(t, &ca, "127.0.0.1", "localhost"), issue(t, &ca, "me")
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	c := fakeCluster(t, kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{server.tls()}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
	}))
	for name, props := range stores(t, ca, own) {
		t.Run(name, func(t *testing.T) {
			roundTrip(t, c, props.Merge(config.Props{"security.protocol": "SSL"}))
		})
	}
}

func TestServerNameIsChecked(t *testing.T) {
	ca := issue(t, nil)
	elsewhere, stranger := issue(t, &ca, "elsewhere.example"), issue(t, nil)
	trusting := func(ca identity) config.Props {
		return config.Props{"security.protocol": "ssl", "ssl.truststore.type": "pem", "ssl.truststore.certificates": ca.certPEM()}
	}
	c := fakeCluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{elsewhere.tls()}}))
	refuses := func(props config.Props, text string) {
		b := brokerOf(t, c, props.Merge(config.Props{"default.api.timeout.ms": "300"}))
		_, err := adminOf(t, b).ClusterID(bounded(t))
		assert.ErrorContains(t, err, text)
	}
	refuses(trusting(ca), "certificate")
	off := config.Props{"ssl.endpoint.identification.algorithm": ""}
	roundTrip(t, c, trusting(ca).Merge(off))
	refuses(trusting(stranger).Merge(off), "unknown authority")
}

func TestEncryptedPEMKey(t *testing.T) {
	for _, file := range []string{"encrypted-aes256-sha256.pem", "encrypted-aes128-sha1.pem"} {
		raw, err := os.ReadFile("testdata/" + file)
		require.NoError(t, err)
		cert, err := parseKeyPair(string(raw), string(raw), "secret")
		require.NoError(t, err, file)
		assert.NotNil(t, cert.PrivateKey)
		_, err = parseKeyPair(string(raw), string(raw), "wrong")
		assert.Error(t, err)
		_, err = parseKeyPair(string(raw), string(raw), "")
		assert.ErrorContains(t, err, "ssl.key.password")
	}
}

func FuzzParseKeyPair(f *testing.F) {
	raw, err := os.ReadFile("testdata/encrypted-aes128-sha1.pem")
	require.NoError(f, err)
	f.Add(string(raw), "secret")
	f.Add("-----BEGIN PRIVATE KEY----- MA== -----END PRIVATE KEY-----", "")
	f.Fuzz(func(_ *testing.T, text, password string) {
		_, _ = parseKeyPair(text, text, password) // whatever it says, it does not panic
	})
}

func plainJAAS(module, user, password string) string {
	return "org.apache.kafka.common.security." + module + ` required username="` + user + `" password="` + password + `";`
}

func TestSASL(t *testing.T) {
	ca := issue(t, nil)
	server := issue(t, &ca, "127.0.0.1")
	secure := []kfake.Opt{kfake.TLS(&tls.Config{Certificates: []tls.Certificate{server.tls()}})}
	overTLS := config.Props{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": ca.certPEM()}
	for mechanism, module := range map[string]string{
		"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule", "SCRAM-SHA-512": "scram.ScramLoginModule",
	} {
		for protocol, opts := range map[string][]kfake.Opt{"SASL_PLAINTEXT": nil, "SASL_SSL": secure} {
			t.Run(mechanism+" "+protocol, func(t *testing.T) {
				c := fakeCluster(t, append(opts, kfake.EnableSASL(), kfake.Superuser(mechanism, "user", `pass"word\`))...)
				props := overTLS.Merge(config.Props{
					"security.protocol": protocol, "sasl.mechanism": mechanism, "sasl.jaas.config": plainJAAS(module, "user", `pass\"word\\`),
				})
				roundTrip(t, c, props)
				refused(t, c, props)
			})
		}
	}
}

// refused shows that every client says at once that the broker refuses its
// credentials, as in Java. This broker would just hang up; Kafka's answers.
func refused(t *testing.T, c *kfake.Cluster, props config.Props) {
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, kmsg.StringPtr("Authentication failed: Invalid username or password")
		return resp, nil, true
	})
	b := brokerOf(t, c, props)
	_, err := adminOf(t, b).ClusterID(bounded(t))
	assert.ErrorIs(t, err, connect.ErrAuth, "admin client")
	con, err := b.consumer(connect.ConsumerConfig{Group: "group", Topics: []string{"t"}})
	require.NoError(t, err)
	_, err = con.Poll(bounded(t), make([]connect.Message, 1), connect.Rebalance{})
	assert.ErrorIs(t, err, connect.ErrAuth, "consumer")
	require.NoError(t, con.Close(bounded(t)))
	p := producerOf(t, b, config.Props{"delivery.timeout.ms": "2147483647", "max.block.ms": "9223372036854775807"})
	for range 2 {
		assert.ErrorIs(t, sendOne(t, p, message("t", "v")).err, connect.ErrAuth, "producer")
	}
}
