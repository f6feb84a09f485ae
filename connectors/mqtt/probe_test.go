package mqtt

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/certtest"
	"github.com/streamlane/connect/rest"
)

// guarded lets one user in, who may read below t/ and nothing else.
func guarded(t testing.TB) *broker {
	return newBroker(t, &auth.Ledger{
		Auth: auth.AuthRules{{Username: "u", Password: "p", Allow: true}},
		ACL:  auth.ACLRules{{Username: "u", Filters: auth.Filters{"t/#": auth.ReadOnly, "secret/#": auth.Deny, "#": auth.Deny}}},
	})
}

// wrong validates and returns what is wrong, by key.
func wrong(t *testing.T, d config.Describer, props config.Props) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, v := range config.Validate(t.Context(), props, d).Configs {
		for _, e := range v.Value.Errors {
			all[v.Value.Name] += e
		}
	}
	return all
}

// probed is one configuration that is connected with: the key that is wrong, empty for none, and what is said of it.
type probed struct {
	name      string
	props     config.Props
	key, text string
}

func checkValidations(t *testing.T, class string, base config.Props, cases []probed) {
	t.Helper()
	for _, c := range cases {
		t.Run(class+" "+c.name, func(t *testing.T) {
			found := wrong(t, pluginOf(t, class).Config(), base.Merge(c.props))
			if c.key == "" {
				assert.Empty(t, found)
				return
			}
			require.Equal(t, []string{c.key}, slices.Collect(maps.Keys(found)), "%v", found)
			assert.Contains(t, found[c.key], c.text)
			assert.NotContains(t, found[c.key], "hunter2")
		})
	}
}

func TestValidationConnects(t *testing.T) {
	b := guarded(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	greeting, err := net.Listen("tcp", "127.0.0.1:0") // speaks first, as servers of mail do
	require.NoError(t, err)
	defer func() { _ = greeting.Close() }()
	go func() {
		for {
			c, err := greeting.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("220 mail.test ready\r\n"))
			defer func() { _ = c.Close() }()
		}
	}()
	good := b.props(config.Props{"username": "u", "password": "p", "connect.timeout.ms": "10000"})
	checkValidations(t, "MqttSource", good, []probed{
		{"all right", nil, "", ""},
		{"all right with 3.1.1", config.Props{"protocol": "3.1.1"}, "", ""},
		{"all right with 5", config.Props{"protocol": "5"}, "", ""},
		{"one of two servers", config.Props{"uris": "mqtt://127.0.0.1:1," + b.uri()}, "", ""},
		{"wrong password", config.Props{"password": "hunter2"}, "password", "bad user name or password"},
		{"wrong password with 3.1.1", config.Props{"password": "hunter2", "protocol": "3.1.1"}, "password", ""},
		{"no user", config.Props{"username": "", "password": ""}, "username", "the server refuses the connection"},
		{"no server", config.Props{"uris": "mqtt://127.0.0.1:1"}, "uris", "connection refused"},
		{"no such host", config.Props{"uris": "mqtt://host.invalid"}, "uris", "host.invalid"},
		{"no answer", config.Props{"uris": "mqtt://" + silent.Addr().String(), "connect.timeout.ms": "50"}, "uris", "no answer within 50ms"},
		{"another protocol", config.Props{"uris": "mqtt://" + greeting.Addr().String()}, "uris", "is this an MQTT server?"},
		{"no websockets", config.Props{"uris": "ws://" + web.Listener.Addr().String() + "/mqtt"}, "uris", "404"},
		{"no TLS", config.Props{"uris": "mqtts://" + b.addr}, "uris", "TLS"},
		{"not authorised", config.Props{"topics": "t/a,secret/b"}, "topics", `the server refuses the subscription to "secret/b"`},
		{"not authorised with 3.1.1", config.Props{"topics": "secret/b", "protocol": "3.1.1"}, "topics", `"secret/b"`},
		{"not tried", config.Props{"topics": "secret/b", "validate.connection": "false"}, "", ""},
	})
	checkValidations(t, "ConfluentMqttSource", config.Props{
		"mqtt.server.uri": "tcp://" + b.addr, "mqtt.topics": "t/#", "mqtt.username": "u", "mqtt.password": "p",
	}, []probed{
		{"all right", nil, "", ""},
		{"wrong password", config.Props{"mqtt.password": "hunter2"}, "mqtt.password", "bad user name or password"},
		{"no user", config.Props{"mqtt.username": "", "mqtt.password": ""}, "mqtt.username", "refuses the connection"},
		{"no server", config.Props{"mqtt.server.uri": "tcp://127.0.0.1:1"}, "mqtt.server.uri", "connection refused"},
		{"not authorised", config.Props{"mqtt.topics": "secret/b"}, "mqtt.topics", `"secret/b"`},
		{"no trust store", config.Props{"mqtt.server.uri": "ssl://" + b.addr, "mqtt.ssl.trust.store.path": "/nowhere"}, "mqtt.ssl.trust.store.path", "no such file"},
		{"no key store", config.Props{"mqtt.server.uri": "ssl://" + b.addr, "mqtt.ssl.key.store.path": "/nowhere"}, "mqtt.ssl.key.store.path", "no such file"},
	})
	checkValidations(t, "LensesMqttSource", config.Props{
		"connect.mqtt.hosts": "tcp://" + b.addr, "connect.mqtt.kcql": "INSERT INTO k SELECT * FROM t/#", "connect.mqtt.service.quality": "1",
		"connect.mqtt.username": "u", "connect.mqtt.password": "p",
	}, []probed{
		{"all right", nil, "", ""},
		{"wrong password", config.Props{"connect.mqtt.password": "hunter2"}, "connect.mqtt.password", "bad user name or password"},
		{"no server", config.Props{"connect.mqtt.hosts": "tcp://127.0.0.1:1"}, "connect.mqtt.hosts", "connection refused"},
		{"not authorised", kcql("INSERT INTO k SELECT * FROM secret/b"), "connect.mqtt.kcql", `"secret/b"`},
		{"no authority", config.Props{"connect.mqtt.ssl.ca.cert": "/nowhere"}, "connect.mqtt.ssl.ca.cert", "no such file"},
		{"no certificate", config.Props{"connect.mqtt.ssl.cert": "/nowhere", "connect.mqtt.ssl.key": "/nowhere"}, "connect.mqtt.ssl.cert", "no such file"},
	})
}

// tlsBroker is a server that is reached by TLS.
func tlsBroker(t *testing.T, cfg *tls.Config) *broker {
	t.Helper()
	b := newBroker(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, b.AddListener(listeners.NewNet("tls", tls.NewListener(l, cfg))))
	b.Listeners.Serve("tls", func(id string, c net.Conn) error { return b.EstablishConnection(id, c) })
	b.addr = l.Addr().String()
	return b
}

func TestValidationOverTLS(t *testing.T) {
	ca, other := certtest.Issue(t, nil, "ca"), certtest.Issue(t, nil, "other")
	server := certtest.Issue(t, &ca, "127.0.0.1")
	stranger := certtest.Issue(t, &ca, "elsewhere.test")
	own, foreign := certtest.Issue(t, &ca, "client"), certtest.Issue(t, &other, "client")
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	oneWay := tlsBroker(t, &tls.Config{Certificates: []tls.Certificate{server.TLS()}})
	mutual := tlsBroker(t, &tls.Config{Certificates: []tls.Certificate{server.TLS()}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert})
	misnamed := tlsBroker(t, &tls.Config{Certificates: []tls.Certificate{stranger.TLS()}})
	trusting := config.Props{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": ca.CertPEM()}
	with := func(i certtest.Identity) config.Props {
		return trusting.Merge(config.Props{"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": i.CertPEM(), "ssl.keystore.key": i.KeyPEM(t)})
	}
	uri := func(b *broker) config.Props { return config.Props{"uris": "mqtts://" + b.addr} }
	checkValidations(t, "MqttSource", oneWay.props(), []probed{
		{"TLS", trusting.Merge(uri(oneWay)), "", ""},
		{"mutual TLS", with(own).Merge(uri(mutual)), "", ""},
		{"another authority", uri(oneWay).Merge(config.Props{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": other.CertPEM()}), "ssl.truststore.location", "unknown authority"},
		{"no trust store", uri(oneWay).Merge(config.Props{"ssl.truststore.location": "/nowhere"}), "ssl.truststore.location", "no such file"},
		{"another name", trusting.Merge(uri(misnamed)), "uris", "certificate for 127.0.0.1"},
		{"no certificate", trusting.Merge(uri(mutual)), "ssl.keystore.location", "certificate required"},
		{"a foreign certificate", with(foreign).Merge(uri(mutual)), "ssl.keystore.location", ""},
		{"no key store", trusting.Merge(uri(mutual), config.Props{"ssl.keystore.location": "/nowhere", "ssl.keystore.password": "hunter2"}), "ssl.keystore.location", "no such file"},
	})
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	caFile, certFile, keyFile := file("ca.pem", ca.CertPEM()), file("cert.pem", own.CertPEM()), file("key.pem", own.KeyPEM(t))
	checkValidations(t, "LensesMqttSource", least["LensesMqttSource"].Merge(config.Props{"connect.mqtt.hosts": "ssl://" + mutual.addr}), []probed{
		{"mutual TLS", config.Props{"connect.mqtt.ssl.ca.cert": caFile, "connect.mqtt.ssl.cert": certFile, "connect.mqtt.ssl.key": keyFile}, "", ""},
		{"no certificate", config.Props{"connect.mqtt.ssl.ca.cert": caFile}, "connect.mqtt.ssl.cert", "certificate required"},
		{"another authority", config.Props{"connect.mqtt.ssl.ca.cert": file("other.pem", other.CertPEM())}, "connect.mqtt.ssl.ca.cert", "unknown authority"},
		{"no authority", config.Props{"connect.mqtt.ssl.ca.cert": keyFile}, "connect.mqtt.ssl.ca.cert", "found no certificate"},
		{"another key", config.Props{"connect.mqtt.ssl.ca.cert": caFile, "connect.mqtt.ssl.cert": certFile, "connect.mqtt.ssl.key": file("k2.pem", foreign.KeyPEM(t))}, "connect.mqtt.ssl.cert", "private key"},
	})
	for kind, keys := range certtest.Stores(t, ca, own) {
		if keys["ssl.truststore.location"] == "" {
			continue // the class knows files only
		}
		checkValidations(t, "ConfluentMqttSource", least["ConfluentMqttSource"].Merge(config.Props{"mqtt.server.uri": "ssl://" + mutual.addr}), []probed{
			{"mutual TLS, " + kind, config.Props{
				"mqtt.ssl.trust.store.path": keys["ssl.truststore.location"], "mqtt.ssl.trust.store.password": keys["ssl.truststore.password"],
				"mqtt.ssl.key.store.path": keys["ssl.keystore.location"], "mqtt.ssl.key.store.password": keys["ssl.keystore.password"],
				"mqtt.ssl.key.password": keys["ssl.key.password"],
			}, "", ""},
		})
	}
}

// What a server refuses for now is no mistake of the configuration.
func TestValidationPassesOverWhatMayPass(t *testing.T) {
	for code, wanted := range map[byte]bool{0: false, 0x83: false, 0x91: false, 0x97: false, 0x80: true, 0x87: true, 0x8f: true, 0x9e: true, 0xa2: true} {
		s := newServer(t)
		s.grant = code
		found := wrong(t, new(Config), config.Props{"uris": s.listen(), "topics": "t/#", "kafka.topic": "k", "protocol": "5"})
		assert.Equal(t, wanted, found["topics"] != "", "%#x: %v", code, found)
	}
}

// A validation takes no message from those who share a subscription, and leaves no session behind.
func TestValidationLeavesNoTrace(t *testing.T) {
	b := newBroker(t, nil)
	props := b.props(config.Props{"topics": "$share/g/t/#,x/#", "client.id": "me"})
	require.Empty(t, wrong(t, new(Config), props))
	require.Eventually(t, func() bool { return b.Clients.Len() == 1 }, patience, tick, "the server's own client alone is left")
	assert.Empty(t, b.Topics.Subscribers("t/a").Shared)
	assert.Empty(t, b.Topics.Subscribers("x/a").Subscriptions)
	assert.Empty(t, wrong(t, new(Config), props))
}

// The REST interface answers with the key that is wrong, and hides the password.
func TestValidationByREST(t *testing.T) {
	b := guarded(t)
	rt, err := connect.New(connect.Options{Plugins: Plugins(), Receiver: connect.ReceiverFunc(nil), Offsets: connect.NewMemoryOffsets()})
	require.NoError(t, err)
	server := httptest.NewServer(rest.Handler(rt, nil))
	defer server.Close()
	body, err := json.Marshal(b.props(config.Props{
		"name": "c", "connector.class": "MqttSource", "username": "u", "password": "hunter2",
	}))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/connector-plugins/MqttSource/config/validate", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		ErrorCount int `json:"error_count"`
		Configs    []struct {
			Value struct {
				Name   string   `json:"name"`
				Value  *string  `json:"value"`
				Errors []string `json:"errors"`
			} `json:"value"`
		} `json:"configs"`
	}
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	assert.Equal(t, 1, answer.ErrorCount)
	for _, c := range answer.Configs {
		if c.Value.Name != "password" {
			assert.Empty(t, c.Value.Errors, c.Value.Name)
			continue
		}
		require.Len(t, c.Value.Errors, 1)
		assert.Contains(t, c.Value.Errors[0], "bad user name or password")
		assert.NotContains(t, c.Value.Errors[0], "hunter2")
		require.NotNil(t, c.Value.Value)
		assert.Equal(t, config.Hidden, *c.Value.Value)
	}
}

// A server that wants a certificate says so after the handshake, and breaks the connection. A write that meets that break does not hide what it said.
func TestLastWords(t *testing.T) {
	ca := certtest.Issue(t, nil, "ca")
	identity := certtest.Issue(t, &ca, "127.0.0.1")
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{identity.TLS()}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert})
	require.NoError(t, err)
	defer l.Close()
	broken := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = c.(*tls.Conn).Handshake()
			_ = c.(*tls.Conn).NetConn().Close()
		}
		broken <- err
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: pool})
	require.NoError(t, err)
	defer c.Close()
	require.ErrorContains(t, <-broken, "didn't provide a certificate")
	for err == nil { // the first one may still go into the void
		_, err = c.Write([]byte("CONNECT"))
	}
	assert.ErrorContains(t, lastWords(c, err), "certificate required")
	assert.NotContains(t, err.Error(), "certificate")
}
