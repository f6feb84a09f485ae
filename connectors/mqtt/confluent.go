package mqtt

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
)

// A ConfluentConfig has the keys of io.confluent.connect.mqtt.MqttSourceConnector, as far as its public documentation goes.
type ConfluentConfig struct {
	// URIs, Topics, QoS, Clean and KafkaTopic are mqtt.server.uri, mqtt.topics, mqtt.qos, mqtt.clean.session.enabled and kafka.topic.
	URIs, Topics []string
	QoS          int
	Clean        bool
	KafkaTopic   string
	// Username and Password are mqtt.username and mqtt.password.
	Username string
	Password config.Secret
	// KeepAlive and ConnectTimeout are mqtt.keepalive.interval.seconds and mqtt.connect.timeout.seconds.
	KeepAlive, ConnectTimeout time.Duration
	// TrustStore and KeyStore are Java key stores, with their passwords.
	TrustStore, KeyStore                              string
	TrustStorePassword, KeyStorePassword, KeyPassword config.Secret
	// MaxInFlight bounds what is in flight; MaxPollRecords what is handed over at once.
	MaxInFlight, MaxPollRecords int

	// Try is validate.connection.
	Try bool

	ignored     [len(confluentTopic) + 1]string
	secrets     [len(confluentSecrets)]config.Secret
	ignoredTime time.Duration
}

// Keys of Confluent's licensing, as its connectors are given them.
var (
	confluentTopic = [...]string{
		"confluent.topic", "confluent.topic.bootstrap.servers", "confluent.topic.replication.factor", "confluent.topic.security.protocol",
		"confluent.topic.sasl.mechanism", "confluent.topic.ssl.truststore.location", "confluent.topic.ssl.keystore.location",
	}
	confluentSecrets = [...]string{
		"confluent.license", "confluent.topic.sasl.jaas.config", "confluent.topic.ssl.truststore.password",
		"confluent.topic.ssl.keystore.password", "confluent.topic.ssl.key.password",
	}
)

// Describe declares the keys.
func (c *ConfluentConfig) Describe(d *config.Def) {
	config.List(d, &c.URIs, "mqtt.server.uri").Importance(config.High).Check(config.NonEmptyList(), config.Each(uriCheck())).
		Doc("Servers as URIs, tried in order until one takes the connection: tcp://host:1883, ssl://host:8883, ws://host/path, wss://host/path.")
	config.List(d, &c.Topics, "mqtt.topics").Importance(config.High).Check(config.NonEmptyList(), config.Each(filterCheck())).
		Doc("Topic filters to subscribe to.")
	config.Int(d, &c.QoS, "mqtt.qos").Default(0).Check(config.Between(0, 2)).Importance(config.Low).
		Doc("Quality of service of the subscriptions: 0, 1 or 2.")
	config.Bool(d, &c.Clean, "mqtt.clean.session.enabled").Default(true).
		Doc("Begin with a new session on each connection. At least once needs false, and mqtt.qos of 1 or 2.")
	config.String(d, &c.KafkaTopic, "kafka.topic").Default("mqtt").Importance(config.High).Check(topicCheck()).
		Doc("Kafka topic that gets the messages.")
	config.String(d, &c.Username, "mqtt.username").Default("").Importance(config.High).Doc("User name. Empty: none.")
	config.Password(d, &c.Password, "mqtt.password").Default(config.Secret{}).Importance(config.High).Doc("Password. Empty: none.")
	config.Seconds(d, &c.KeepAlive, "mqtt.keepalive.interval.seconds").Default(defaultKeepAlive).Check(config.Between(time.Second, maxKeepAlive)).
		Doc("Longest silence on a connection in seconds.")
	config.Seconds(d, &c.ConnectTimeout, "mqtt.connect.timeout.seconds").Default(30 * time.Second).Check(config.AtLeast(time.Second)).
		Doc("Time for connecting to one server, in seconds.")
	config.String(d, &c.TrustStore, "mqtt.ssl.trust.store.path").Default("").Importance(config.High).Doc("Trust store for ssl:// and wss://: JKS, or PKCS12 with the suffix .p12 or .pfx, or PEM with .pem. Empty: the system's authorities.")
	config.Password(d, &c.TrustStorePassword, "mqtt.ssl.trust.store.password").Default(config.Secret{}).Importance(config.High).Doc("Password of the trust store.")
	config.String(d, &c.KeyStore, "mqtt.ssl.key.store.path").Default("").Importance(config.High).Doc("Key store with the client's certificate, as for the trust store. Empty: none.")
	config.Password(d, &c.KeyStorePassword, "mqtt.ssl.key.store.password").Default(config.Secret{}).Importance(config.High).Doc("Password of the key store.")
	config.Password(d, &c.KeyPassword, "mqtt.ssl.key.password").Default(config.Secret{}).Importance(config.High).Doc("Password of the key in the key store. Empty: that of the store.")
	config.Int(d, &c.MaxInFlight, "records.buffer.queue.size").Default(defaultMaxInFlight).Check(config.Between(1, 10_000_000)).
		Doc("Number of messages per task between their receipt and their acknowledgement.")
	config.Int(d, &c.MaxPollRecords, "records.buffer.queue.max.batch.size").Default(100).Check(config.Between(1, 1<<20)).
		Doc("Number of records that are handed over at once at most.")
	tryKey(d, &c.Try)
	c.describeIgnored(d)
}

func (c *ConfluentConfig) describeIgnored(d *config.Def) {
	const docs = "For configurations that have it."
	config.Millis(d, &c.ignoredTime, "max.retry.time.ms").Default(30 * time.Second).Ignored("connections are tried again without end").Doc(docs)
	config.String(d, &c.ignored[len(confluentTopic)], "records.buffer.queue.empty.timeout").Default("").Ignored("polls wait for messages").Doc(docs)
	for i, key := range confluentTopic {
		config.String(d, &c.ignored[i], key).Default("").Ignored("no license is needed").Doc(docs)
	}
	for i, key := range confluentSecrets {
		config.Password(d, &c.secrets[i], key).Default(config.Secret{}).Ignored("no license is needed").Doc(docs)
	}
}

// storeType is the kind of a key store, by its suffix, as Java's property files of these connectors have none.
func storeType(path string) string {
	switch {
	case strings.HasSuffix(path, ".p12"), strings.HasSuffix(path, ".pfx"):
		return "PKCS12"
	case strings.HasSuffix(path, ".pem"):
		return "PEM"
	}
	return "JKS"
}

var confluentNames = keyNames{
	uris: "mqtt.server.uri", topics: "mqtt.topics", username: "mqtt.username", password: "mqtt.password", client: "mqtt.server.uri",
	protocol: "mqtt.server.uri", trust: "mqtt.ssl.trust.store.path", identity: "mqtt.ssl.key.store.path",
}

// Check refuses what no single key can say.
func (c *ConfluentConfig) Check() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	return s.check(confluentNames)
}

// Probe connects, as a client that leaves no trace.
func (c *ConfluentConfig) Probe(ctx context.Context) error {
	s, err := c.settings()
	if err != nil || !c.Try {
		return err
	}
	return s.probe(ctx, confluentNames)
}

func (c *ConfluentConfig) settings() (*settings, error) {
	s := &settings{
		uris: c.URIs, filters: c.Topics, qos: byte(c.QoS), protocol: Auto, clean: c.Clean, expiry: math.MaxUint32,
		retained: RetainedAll, maxPoll: c.MaxPollRecords, maxInFlight: c.MaxInFlight, maxBytes: defaultMaxBytes,
		conn:    Connection{Username: c.Username, Password: c.Password, KeepAlive: c.KeepAlive, ConnectTimeout: c.ConnectTimeout, Backoff: defaultBackoff, Max: defaultMaxBackoff},
		mapping: mapping{headers: true, userPrefix: defaultUserPrefix, clean: asIs},
	}
	r, err := newRule("", "", RuleConfig{KafkaTopic: c.KafkaTopic, RecordKey: defaultKey}, decodeBytes)
	if err != nil {
		return nil, err
	}
	s.mapping.rules = []*rule{r}
	return s, config.Decode(c.stores(), &s.conn.TLS)
}

// stores are the keys of Kafka's clients for the key stores.
func (c *ConfluentConfig) stores() config.Props {
	p := config.Props{}
	set := func(key, v string) {
		if v != "" {
			p[key] = v
		}
	}
	if c.TrustStore != "" {
		set("ssl.truststore.location", c.TrustStore)
		set("ssl.truststore.type", storeType(c.TrustStore))
		set("ssl.truststore.password", c.TrustStorePassword.Reveal())
	}
	if c.KeyStore != "" {
		set("ssl.keystore.location", c.KeyStore)
		set("ssl.keystore.type", storeType(c.KeyStore))
		set("ssl.keystore.password", c.KeyStorePassword.Reveal())
		set("ssl.key.password", c.KeyPassword.Reveal())
	}
	return p
}

// A ConfluentTaskConfig configures one task.
type ConfluentTaskConfig struct {
	ConfluentConfig
	assignment
}

// Describe declares the keys of the connector, and those that it sets.
func (c *ConfluentTaskConfig) Describe(d *config.Def) {
	c.ConfluentConfig.Describe(d)
	c.describe(d)
}
