//go:build integration

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

const storePassword = "store-secret"

// authority issues certificates for a test.
type authority struct {
	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true})
	return a
}

// issue makes a certificate; the first one is the authority's own.
func (a *authority) issue(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(a.t, err)
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(a.t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(a.t, err)
	return cert, key
}

// leaf issues the certificate of a server at an address, or of a client.
func (a *authority) leaf(name string, address net.IP) identity {
	a.t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if address != nil {
		template.IPAddresses = []net.IP{address}
	}
	cert, key := a.issue(template)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	return identity{
		authority: a, name: name, cert: cert, raw: key,
		key:   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		chain: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})),
	}
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func (a *authority) write(name, text string) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	require.NoError(a.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// pemTrust is the file with the authority's certificate.
func (a *authority) pemTrust() string { return a.write("authority.pem", a.pem()) }

// keytool runs the JDK's, so that stores are as Java's users have them.
func (a *authority) keytool(args ...string) {
	a.t.Helper()
	out, err := exec.CommandContext(within(a.t), "keytool", args...).CombinedOutput()
	require.NoError(a.t, err, "%s", out)
}

// trustStore makes a trust store of a type, by keytool.
func (a *authority) trustStore(kind string) string {
	path := filepath.Join(a.dir, "trust."+kind)
	a.keytool("-importcert", "-noprompt", "-alias", "authority", "-file", a.pemTrust(), "-keystore", path, "-storetype", kind, "-storepass", storePassword)
	return path
}

// identity is a certificate with its key.
type identity struct {
	*authority
	name       string
	cert       *x509.Certificate
	raw        *ecdsa.PrivateKey
	key, chain string
}

func (id identity) pemFile() string { return id.write(id.name+".pem", id.key+id.chain) }

// keyStore makes a key store of a type, by keytool.
func (id identity) keyStore(kind string) string {
	id.t.Helper()
	p12, err := pkcs12.Modern.Encode(id.raw, id.cert, nil, storePassword)
	require.NoError(id.t, err)
	from, path := id.write(id.name+".from", string(p12)), filepath.Join(id.dir, id.name+"."+kind)
	id.keytool("-importkeystore", "-noprompt", "-srckeystore", from, "-srcstoretype", "PKCS12", "-srcstorepass", storePassword,
		"-destkeystore", path, "-deststoretype", kind, "-deststorepass", storePassword)
	return path
}

// tokens is a token endpoint that takes client credentials.
func tokens(t testing.TB) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "ann" || password != "ann-secret" || r.FormValue("grant_type") != "client_credentials" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
			return
		}
		now := time.Now().Unix()
		part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		token := part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":"ann","iat":%d,"exp":%d}`, now, now+3600)) + "."
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 3600})
	}))
	t.Cleanup(s.Close)
	loopback(t, s.Listener.Addr().String())
	return s
}

const jaas = "org.apache.kafka.common.security."

// secured starts a broker with a listener of every kind.
func secured(t testing.TB, a *authority) *testenv.KafkaCluster {
	t.Helper()
	server, stranger := a.leaf("server", net.IPv4(127, 0, 0, 1)), a.leaf("stranger", net.IPv4(127, 0, 0, 9))
	var properties []string
	listener := func(name string, id identity, clientAuth string) {
		prefix := "listener.name." + name + ".ssl."
		properties = append(properties,
			prefix+"keystore.type=PEM", prefix+"keystore.location="+id.pemFile(),
			prefix+"truststore.type=PEM", prefix+"truststore.location="+a.pemTrust(), prefix+"client.auth="+clientAuth)
	}
	listener("tls", server, "none")
	listener("mutual", server, "required")
	listener("elsewhere", stranger, "none")
	listener("both", server, "none")
	for _, name := range []string{"sasl", "both"} {
		prefix := "listener.name." + name + "."
		properties = append(properties,
			prefix+"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
			prefix+"plain.sasl.jaas.config="+jaas+`plain.PlainLoginModule required user_ann="ann-secret";`,
			prefix+"scram-sha-256.sasl.jaas.config="+jaas+"scram.ScramLoginModule required;",
			prefix+"scram-sha-512.sasl.jaas.config="+jaas+"scram.ScramLoginModule required;")
	}
	properties = append(properties,
		"listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER",
		"listener.name.oauth.oauthbearer.sasl.jaas.config="+jaas+`oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`)
	cluster := testenv.KafkaWith(t, testenv.KafkaOptions{Properties: properties, Listeners: []testenv.Listener{
		{Name: "TLS", Protocol: "SSL"}, {Name: "MUTUAL", Protocol: "SSL"}, {Name: "ELSEWHERE", Protocol: "SSL"},
		{Name: "SASL", Protocol: "SASL_PLAINTEXT"}, {Name: "BOTH", Protocol: "SASL_SSL"}, {Name: "OAUTH", Protocol: "SASL_PLAINTEXT"},
	}})
	adm := kadm.NewClient(bare(t, cluster.Bootstrap()))
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} { // a request has each user once
		user := kadm.UpsertSCRAM{User: "ann", Mechanism: mechanism, Iterations: 4096, Password: "ann-secret"}
		altered, err := adm.AlterUserSCRAMs(within(t), nil, []kadm.UpsertSCRAM{user})
		require.NoError(t, err)
		require.NoError(t, altered.Error())
	}
	return cluster
}

func login(module, password string) string {
	return jaas + module + ` required username="ann" password="` + password + `";`
}

// Whole pipelines by every kind of listener, with the keys that Java's users have.
func TestSecurity(t *testing.T) {
	a := newAuthority(t)
	kafka, client, endpoint := secured(t, a), a.leaf("client", nil), tokens(t)
	trust := config.Props{"ssl.truststore.type": "PEM", "ssl.truststore.location": a.pemTrust()}
	p12 := config.Props{"ssl.truststore.location": a.trustStore("PKCS12"), "ssl.truststore.password": storePassword, "ssl.truststore.type": "PKCS12",
		"ssl.keystore.location": client.keyStore("PKCS12"), "ssl.keystore.password": storePassword, "ssl.keystore.type": "PKCS12"}
	jks := config.Props{"ssl.truststore.location": a.trustStore("JKS"), "ssl.truststore.password": storePassword,
		"ssl.keystore.location": client.keyStore("JKS"), "ssl.keystore.password": storePassword, "ssl.key.password": storePassword}
	tls, both := config.Props{"security.protocol": "SSL"}, config.Props{"security.protocol": "SASL_SSL"}
	sasl := config.Props{"security.protocol": "SASL_PLAINTEXT"}
	scram := func(mechanism, password string) config.Props {
		return config.Props{"sasl.mechanism": mechanism, "sasl.jaas.config": login("scram.ScramLoginModule", password)}
	}
	plain := config.Props{"sasl.mechanism": "PLAIN", "sasl.jaas.config": login("plain.PlainLoginModule", "ann-secret")}
	oauth := config.Props{"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": endpoint.URL,
		"sasl.jaas.config": jaas + `oauthbearer.OAuthBearerLoginModule required clientId="ann" clientSecret="ann-secret";`}
	for _, c := range []struct {
		name, listener string
		props          config.Props
	}{
		{"TLS, PEM", "TLS", tls.Merge(trust)},
		{"TLS, inline PEM", "TLS", tls.Merge(config.Props{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": a.pem()})},
		{"mutual TLS, PEM", "MUTUAL", tls.Merge(trust, config.Props{"ssl.keystore.type": "PEM", "ssl.keystore.location": client.pemFile()})},
		{"mutual TLS, inline PEM", "MUTUAL", tls.Merge(trust, config.Props{
			"ssl.keystore.type": "PEM", "ssl.keystore.key": client.key, "ssl.keystore.certificate.chain": client.chain})},
		{"mutual TLS, PKCS12", "MUTUAL", tls.Merge(p12)},
		{"mutual TLS, JKS", "MUTUAL", tls.Merge(jks)},
		{"TLS without the name", "ELSEWHERE", tls.Merge(trust, config.Props{"ssl.endpoint.identification.algorithm": ""})},
		{"PLAIN", "SASL", sasl.Merge(plain)},
		{"PLAIN by TLS", "BOTH", both.Merge(trust, plain)},
		{"SCRAM-SHA-256", "SASL", sasl.Merge(scram("SCRAM-SHA-256", "ann-secret"))},
		{"SCRAM-SHA-512", "SASL", sasl.Merge(scram("SCRAM-SHA-512", "ann-secret"))},
		{"SCRAM-SHA-512 by TLS", "BOTH", both.Merge(trust, scram("SCRAM-SHA-512", "ann-secret"))},
		{"OAUTHBEARER", "OAUTH", sasl.Merge(oauth)},
	} {
		t.Run(c.name, func(t *testing.T) { passes(t, kafka, c.listener, c.props) })
	}
	for _, c := range []struct {
		name, listener string
		props          config.Props
		want           []string
	}{
		{"PLAIN, wrong password", "SASL", sasl.Merge(plain, config.Props{"sasl.jaas.config": login("plain.PlainLoginModule", "guess")}), []string{"sasl.jaas.config"}},
		{"SCRAM, wrong password", "SASL", sasl.Merge(scram("SCRAM-SHA-256", "guess")), []string{"sasl.jaas.config"}},
		{"mechanism that is not offered", "OAUTH", sasl.Merge(plain), []string{"sasl.mechanism"}},
		{"OAUTHBEARER, wrong secret", "OAUTH", sasl.Merge(oauth, config.Props{
			"sasl.jaas.config": jaas + `oauthbearer.OAuthBearerLoginModule required clientId="ann" clientSecret="guess";`}), []string{"OAUTHBEARER", "401", "sasl.jaas.config"}},
		{"unknown authority", "TLS", tls, []string{"ssl.truststore"}},
		{"another name", "ELSEWHERE", tls.Merge(trust), []string{"127.0.0.9", "ssl.endpoint.identification.algorithm"}},
		{"mutual TLS without a certificate", "MUTUAL", tls.Merge(trust), []string{"ssl.keystore"}},
	} {
		t.Run(c.name, func(t *testing.T) { fails(t, kafka, c.listener, c.props, c.want) })
	}
}

// prefixed returns the keys for the worker itself and, with prefixes as Java's
// workers want them, for the clients of tasks.
func prefixed(props config.Props) config.Props {
	all := props.Clone()
	for _, prefix := range []string{"producer.", "consumer.", "admin."} {
		for k, v := range props {
			all[prefix+k] = v
		}
	}
	return all
}

// passes has a record go through a source and a sink on a listener.
func passes(t *testing.T, kafka *testenv.KafkaCluster, listener string, props config.Props) {
	topic, feed, basket := unique("secure"), newFeed(), newBasket()
	makeTopic(t, kafka.Bootstrap(), topic, 1)
	feed.add(connect.Record{Topic: topic, Value: bytesDatum([]byte("v"))})
	w := startWorker(t, kafka.BootstrapOf(listener), workerOptions{plugins: []connect.Plugin{feed.plugin(), basket.plugin()}, props: prefixed(props)})
	w.put("in", config.Props{"connector.class": "Feed"})
	w.put(unique("out"), config.Props{"connector.class": "Basket", "topics": topic})
	assert.Equal(t, "v", string(bytesOf(t, basket.await(t, 1)[0].Value)))
}

// fails has a source and a sink fail on a listener, and say why.
func fails(t *testing.T, kafka *testenv.KafkaCluster, listener string, props config.Props, want []string) {
	topic, feed, basket := unique("refused"), newFeed(), newBasket()
	makeTopic(t, kafka.Bootstrap(), topic, 1)
	feed.add(connect.Record{Topic: topic, Value: bytesDatum([]byte("v"))})
	w := startWorker(t, kafka.BootstrapOf(listener), workerOptions{plugins: []connect.Plugin{feed.plugin(), basket.plugin()}, props: prefixed(props)})
	w.putOnly("in", config.Props{"connector.class": "Feed"})
	w.putOnly("out", config.Props{"connector.class": "Basket", "topics": topic})
	for _, name := range []string{"in", "out"} {
		trace := w.awaitFailed(name)
		for _, part := range want {
			assert.Contains(t, trace, part, name)
		}
		assert.NotContains(t, trace, "guess", "secrets stay out of errors")
	}
}
