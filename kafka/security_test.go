package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/certtest"
)

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
	ca := certtest.Issue(t, nil)
	server, own := certtest.Issue(t, &ca, "127.0.0.1", "localhost"), certtest.Issue(t, &ca, "me")
	clients := x509.NewCertPool()
	clients.AddCert(ca.Cert)
	c := fakeCluster(t, kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{server.TLS()}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
	}))
	for name, props := range certtest.Stores(t, ca, own) {
		t.Run(name, func(t *testing.T) {
			roundTrip(t, c, props.Merge(config.Props{"security.protocol": "SSL"}))
		})
	}
}

func TestServerNameIsChecked(t *testing.T) {
	ca := certtest.Issue(t, nil)
	elsewhere, stranger := certtest.Issue(t, &ca, "elsewhere.example"), certtest.Issue(t, nil)
	trusting := func(ca certtest.Identity) config.Props {
		return config.Props{"security.protocol": "ssl", "ssl.truststore.type": "pem", "ssl.truststore.certificates": ca.CertPEM()}
	}
	c := fakeCluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{elsewhere.TLS()}}))
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

func plainJAAS(module, user, password string) string {
	return "org.apache.kafka.common.security." + module + ` required username="` + user + `" password="` + password + `";`
}

func TestSASL(t *testing.T) {
	ca := certtest.Issue(t, nil)
	server := certtest.Issue(t, &ca, "127.0.0.1")
	secure := []kfake.Opt{kfake.TLS(&tls.Config{Certificates: []tls.Certificate{server.TLS()}})}
	overTLS := config.Props{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": ca.CertPEM()}
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
