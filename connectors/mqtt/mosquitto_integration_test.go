//go:build integration

package mqtt

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/testenv"
)

func pem(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}

// mosquittoProps are the least that a connector needs, with the password of connect.
func mosquittoProps(uri string, more ...config.Props) config.Props {
	return serverProps(uri, append([]config.Props{{"username": "connect", "password": "secret"}}, more...)...)
}

// Each kind of connection carries messages; each that is refused is refused with the key to change, before the connector runs.
func TestMosquittoWays(t *testing.T) {
	m := testenv.Mosquitto(t, testenv.MosquittoOptions{Users: map[string]string{"connect": "secret"}})
	trust := config.Props{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": pem(t, m.CA)}
	own := config.Props{"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": pem(t, m.Certificate), "ssl.keystore.key": pem(t, m.Key)}
	for _, c := range []struct {
		name, uri string
		more      []config.Props
		key, want string // what a refusal names and says; empty: it works
	}{
		{name: "plain", uri: m.URI()},
		{name: "TLS", uri: m.TLS(), more: []config.Props{trust}},
		{name: "mutual TLS", uri: m.Mutual(), more: []config.Props{trust, own}},
		{name: "websocket", uri: m.WebSocket()},
		{name: "encrypted websocket", uri: m.SecureWebSocket(), more: []config.Props{trust}},
		{name: "3.1.1 by websocket", uri: m.WebSocket(), more: []config.Props{{"protocol": "3.1.1"}}},
		{name: "second server", uri: "mqtt://127.0.0.1:1," + m.URI()},
		{name: "unknown authority", uri: m.TLS(), key: "ssl.truststore.location", want: "certificate signed by unknown authority"},
		{name: "no certificate", uri: m.Mutual(), more: []config.Props{trust}, key: "ssl.keystore.location", want: "certificate required"},
		{name: "wrong password", uri: m.URI(), more: []config.Props{{"password": "wrong"}}, key: "password", want: "not authorized"},
		{name: "wrong password, 3.1.1", uri: m.URI(), more: []config.Props{{"password": "wrong", "protocol": "3.1.1"}}, key: "password", want: "not authorized"},
		{name: "no server", uri: "mqtt://127.0.0.1:1", key: "uris", want: "connection refused"},
		{name: "no MQTT", uri: "mqtt://" + m.WebSocket()[len("ws://"):len(m.WebSocket())-len("/mqtt")], key: "uris", want: "127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			props := mosquittoProps(c.uri, append(c.more, config.Props{"client.id": c.name, "connect.timeout.ms": "5000"})...)
			if c.want != "" {
				refusal := complaint(t, props, c.key)
				assert.Contains(t, refusal, c.want)
				assert.NotContains(t, refusal, "secret")
				return
			}
			h := connecttest.Source(t, Plugins()[0], props)
			stop := flow(t, &publisher{addr: m.Addr(), qos: 1, topics: 1, user: "connect", password: "secret"})
			defer stop()
			assert.NotEmpty(t, payload(h.Next(1)[0]))
		})
	}
}

// complaint is what the key of a refused configuration is told.
func complaint(t *testing.T, props config.Props, key string) string {
	t.Helper()
	rt, err := connect.New(connect.Options{Plugins: Plugins(), Receiver: connect.ReceiverFunc(func(context.Context, []connect.SourceRecord) error { return nil })})
	require.NoError(t, err)
	result, err := rt.Validate(t.Context(), props.Merge(config.Props{"name": "c", "connector.class": "MqttSource"}))
	require.NoError(t, err)
	found := result.Find(key)
	require.NotNil(t, found, key)
	require.NotEmpty(t, found.Value.Errors, "%s: found %v", key, result.Configs)
	return strings.Join(found.Value.Errors, "\n")
}

// flow publishes numbers to the topics of p, again and again, until stop is called: before a subscription is there nobody gets them.
func flow(t *testing.T, p *publisher) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var ran sync.WaitGroup
	ran.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			_ = p.once(t.Context(), i, i+1)
		}
	})
	return func() { cancel(); ran.Wait() }
}

// Tasks that share a subscription share its messages: each comes once, to one of them.
func TestMosquittoSharedSubscription(t *testing.T) {
	m := testenv.Mosquitto(t, testenv.MosquittoOptions{})
	h := connecttest.Source(t, Plugins()[0], serverProps(m.URI(), config.Props{"shared.group": "g", "tasks.max": "3", "client.id": "shared"}))
	p := &publisher{addr: m.Addr(), qos: 1, topics: 1}
	stop := flow(t, p)
	clients := map[string]bool{}
	for len(clients) < 3 {
		clients[h.Next(1)[0].SourcePartition.String()] = true
	}
	stop()
	const first, n = 1_000_000, 300
	require.NoError(t, p.once(t.Context(), first, first+n))
	seen := map[string]int{}
	for len(seen) < n {
		if p := payload(h.Next(1)[0]); len(p) == len("1000000") {
			seen[p]++
			assert.Equal(t, 1, seen[p], p)
		}
	}
}

// Topics are divided among sessions with client ids of their own, which are the same after a restart.
func TestMosquittoDividedTopics(t *testing.T) {
	m := testenv.Mosquitto(t, testenv.MosquittoOptions{})
	h := connecttest.Source(t, Plugins()[0], serverProps(m.URI(), config.Props{"topics": "t/0,t/1,t/2,t/3", "tasks.max": "2", "client.id": "divided"}))
	p := &publisher{addr: m.Addr(), qos: 1, topics: 4}
	stop := flow(t, p)
	of, sessions := map[string]string{}, map[string]bool{} // by topic
	for len(of) < 4 {
		r := h.Next(1)[0]
		of[r.Key.Value.String()] = r.SourcePartition.String()
		sessions[r.SourcePartition.String()] = true
	}
	stop()
	assert.Len(t, sessions, 2)
	h.Restart()
	const first, n = 1_000_000, 20
	require.NoError(t, p.once(t.Context(), first, first+n))
	found := map[string]bool{}
	for len(found) < 4*n {
		r := h.Next(1)[0]
		assert.Equal(t, of[r.Key.Value.String()], r.SourcePartition.String(), "the session of a topic stays")
		if p := payload(r); len(p) == len("1000000") {
			found[r.Key.Value.String()+" "+p] = true
		}
	}
}
