package kafka

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

var kinds = []Clients{ProducerClient, ConsumerClient, AdminClient}

// Mapped is what is bound, and what is bound is mapped.
func TestTableIsWhatIsBound(t *testing.T) {
	for _, kind := range kinds {
		bound := map[string]bool{}
		for _, k := range config.Keys(&settings{kind: kind}) {
			bound[k.Name] = true
			entry, ok := lookupKey(k.Name, kind)
			assert.True(t, ok && entry.Handling == Mapped, "%s of %s is bound, and in the table it is not mapped", k.Name, kind)
		}
		for _, k := range Keys() {
			if k.Clients&kind != 0 && k.Handling == Mapped {
				assert.True(t, bound[k.Name], "%s of %s is mapped in the table, and not bound", k.Name, kind)
			}
		}
	}
}

func TestTableIsInOrder(t *testing.T) {
	seen := map[string]Clients{}
	for _, k := range Keys() {
		assert.NotEmpty(t, k.Note, k.Name)
		assert.NotZero(t, k.Clients, k.Name)
		assert.Zero(t, seen[k.Name]&k.Clients, "%s is there twice", k.Name)
		seen[k.Name] |= k.Clients
		assert.Equal(t, k.Handling == Refused, len(k.Unless) > 0, "%s: only what is refused has exceptions, and all of them have", k.Name)
	}
}

// The worker's own definition lists client keys, too: each is in the table.
func TestConnectionKeysOfWorkersAreKnown(t *testing.T) {
	for _, name := range []string{
		"bootstrap.servers", "client.dns.lookup", "client.id", "metadata.max.age.ms", "send.buffer.bytes", "receive.buffer.bytes",
		"reconnect.backoff.ms", "reconnect.backoff.max.ms", "socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.max.ms",
		"retry.backoff.ms", "retry.backoff.max.ms", "request.timeout.ms", "connections.max.idle.ms", "security.protocol",
		"metadata.recovery.strategy", "metadata.recovery.rebootstrap.trigger.ms", "metric.reporters", "metrics.num.samples",
		"metrics.recording.level", "metrics.sample.window.ms",
	} {
		for _, kind := range kinds {
			_, ok := lookupKey(name, kind)
			assert.True(t, ok, "%s of %s", name, kind)
		}
	}
}

const docFile = "../docs/kafka-clients.md"

// The documentation is the table. UPDATE_DOCS=1 writes it.
func TestDocumentation(t *testing.T) {
	want := documentation()
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(docFile, []byte(want), 0o644))
	}
	got, err := os.ReadFile(docFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "run UPDATE_DOCS=1 go test ./kafka -run TestDocumentation")
}

func documentation() string {
	var b strings.Builder
	b.WriteString(`# Kafka client keys

What becomes of each configuration key of Java's producer, consumer and admin client (Kafka 4.3). Written from the table in
package kafka by its test; do not edit.

- **mapped**: does what it does in Java, or what the note says. Defaults are those of Java's clients as Connect uses them.
- **no meaning**: accepted; it is about something that does not exist here, and said so once in the log.
- **refused**: a client with it does not open, for what it asks for would be missed. The values in parentheses are accepted.

Unknown keys are accepted with one warning, as in Java. Keys that Connect itself sets (serializers, metrics context) pass in silence.

| Key | Clients | Default | | Note |
|---|---|---|---|---|
`)
	for _, k := range Keys() {
		handling := k.Handling.String()
		if len(k.Unless) > 0 {
			quoted := make([]string, len(k.Unless))
			for i, u := range k.Unless {
				quoted[i] = fmt.Sprintf("`%s`", u)
				if u == "" {
					quoted[i] = "empty"
				}
			}
			handling += " (" + strings.Join(quoted, ", ") + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.Name, k.Clients, defaultOf(k), handling, strings.ReplaceAll(k.Note, "|", `\|`))
	}
	return b.String()
}

// defaultOf lists the defaults of a key, by client where they differ.
func defaultOf(k Key) string {
	if k.Handling != Mapped {
		return ""
	}
	var texts []string
	for _, kind := range kinds {
		if k.Clients&kind == 0 {
			continue
		}
		for _, info := range config.Keys(&settings{kind: kind}) {
			if info.Name == k.Name && info.Default != nil && *info.Default != config.Hidden && !slices.Contains(texts, *info.Default) {
				texts = append(texts, *info.Default)
			}
		}
	}
	return strings.Join(texts, " or ")
}

func TestKeysAreVetted(t *testing.T) {
	var log bytes.Buffer
	b, err := New(Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	open := func(props config.Props) error {
		_, err := b.Producer(t.Context(), connect.ClientConfig{ClientID: "p", Props: props})
		return err
	}
	require.NoError(t, open(config.Props{
		"interceptor.classes": "", "key.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer",
		"metrics.context.connect.kafka.cluster.id": "x", "client.dns.lookup": "use_all_dns_ips",
	}))
	assert.Empty(t, log.String(), "nothing worth a line")
	for range 3 {
		require.NoError(t, open(config.Props{"no.such.key": "1", "metadata.max.idle.ms": "7"}))
	}
	assert.Equal(t, 1, strings.Count(log.String(), "no.such.key"), "one warning")
	assert.Equal(t, 1, strings.Count(log.String(), "metadata.max.idle.ms"))
}

func TestBadValuesNameTheirKey(t *testing.T) {
	for _, c := range []struct {
		kind  Clients
		props config.Props
		key   string
		text  string
	}{
		{ProducerClient, config.Props{"interceptor.classes": "com.example.I"}, "interceptor.classes", "no JVM"},
		{ProducerClient, config.Props{"partitioner.class": "com.example.P"}, "partitioner.class", "cannot be loaded"},
		{ProducerClient, config.Props{"acks": "7"}, "acks", "must be one of"},
		{ProducerClient, config.Props{"acks": "1", "enable.idempotence": "true"}, "acks", "Must set acks to all"},
		{ProducerClient, config.Props{"transactional.id": "x", "enable.idempotence": "false"}, "enable.idempotence", "Cannot set a transactional.id"},
		{ProducerClient, config.Props{"enable.idempotence": "true", "max.in.flight.requests.per.connection": "6"}, "max.in.flight.requests.per.connection", "at most 5"},
		{ProducerClient, config.Props{"linger.ms": "soon"}, "linger.ms", "soon"},
		{ProducerClient, config.Props{"compression.type": "brotli"}, "compression.type", "zstd"},
		{ProducerClient, config.Props{"bootstrap.servers": "nowhere"}, "bootstrap.servers", "nowhere"},
		{ConsumerClient, config.Props{"group.protocol": "consumer"}, "group.protocol", "classic"},
		{ConsumerClient, config.Props{"auto.offset.reset": "middle"}, "auto.offset.reset", "earliest"},
		{ConsumerClient, config.Props{"auto.offset.reset": "by_duration:1h"}, "auto.offset.reset", "ISO 8601"},
		{ConsumerClient, config.Props{"partition.assignment.strategy": "com.example.A"}, "partition.assignment.strategy", "RangeAssignor"},
		{ConsumerClient, config.Props{"isolation.level": "serializable"}, "isolation.level", "read_committed"},
		{AdminClient, config.Props{"security.protocol": "SSL", "ssl.enabled.protocols": "TLSv1"}, "ssl.enabled.protocols", "TLSv1.2"},
		{AdminClient, config.Props{"security.protocol": "SSL", "ssl.cipher.suites": "TLS_RSA_WITH_RC4_128_SHA"}, "ssl.cipher.suites", "insecure"},
		{AdminClient, config.Props{"security.protocol": "SSL", "ssl.truststore.location": "testdata/none.jks"}, "ssl.truststore.location", "none.jks"},
		{AdminClient, config.Props{"security.protocol": "SASL_SSL"}, "sasl.mechanism", "GSSAPI"},
		{AdminClient, config.Props{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}, "sasl.jaas.config", "PlainLoginModule"},
		{AdminClient, config.Props{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
			"sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required username="u";`}, "sasl.jaas.config", "password"},
		{AdminClient, config.Props{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}, "sasl.oauthbearer.token.endpoint.url", "missing"},
	} {
		b, err := New(Options{Logger: testLogger(t)})
		require.NoError(t, err)
		_, err = b.resolve(c.kind, connect.ClientConfig{Props: c.props})
		require.Error(t, err, "%v", c.props)
		keys, _ := config.KeyErrors(err)
		require.NotEmpty(t, keys, "%v: %v", c.props, err)
		assert.Equal(t, c.key, keys[0].Key, "%v", err)
		assert.Contains(t, err.Error(), c.text, "%v", c.props)
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	b, err := New(Options{Logger: testLogger(t)})
	require.NoError(t, err)
	_, err = b.resolve(AdminClient, connect.ClientConfig{Props: config.Props{
		"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": `PlainLoginModule required password="hunter2`,
	}})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
}

// Props with bootstrap servers stand alone, as in Java; others lie over the
// worker's connection.
func TestWorkerKeysBeneathClients(t *testing.T) {
	b, err := New(Options{Logger: testLogger(t), Worker: config.Props{
		"bootstrap.servers": "worker:1", "request.timeout.ms": "12345", "group.id": "connect", "producer.linger.ms": "7",
	}})
	require.NoError(t, err)
	over, err := b.resolve(ProducerClient, connect.ClientConfig{Props: config.Props{"linger.ms": "9"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"worker:1"}, over.conn.bootstrap)
	assert.Equal(t, "12.345s", over.conn.request.String())
	assert.Equal(t, "9ms", over.producer.linger.String())
	alone, err := b.resolve(ProducerClient, connect.ClientConfig{Props: config.Props{"bootstrap.servers": "other:2"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"other:2"}, alone.conn.bootstrap)
	assert.Equal(t, "30s", alone.conn.request.String())
	assert.Equal(t, "5ms", alone.producer.linger.String(), "Java's default since 4.0")
}
