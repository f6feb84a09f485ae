package cassandra

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
)

// The values of ignoreErrors.
const (
	ignoreNone   = "None"
	ignoreAll    = "All"
	ignoreDriver = "Driver"
)

// The values of compression.
const (
	noCompression     = "None"
	lz4Compression    = "LZ4"
	snappyCompression = "Snappy"
)

// The values of auth.provider and ssl.provider.
const (
	noProvider      = "None"
	plainProvider   = "PLAIN"
	gssapiProvider  = "GSSAPI"
	jdkProvider     = "JDK"
	openSSLProvider = "OpenSSL"
)

// A Config configures the sink, by the keys of DataStax' connector and some more.
type Config struct {
	ContactPoints []string
	Port          int
	LocalDC       string
	Bundle        string
	Compression   string
	PoolSize      int
	// Timeout is that of one request, ConnectTimeout that of each step of a connection.
	Timeout        time.Duration
	ConnectTimeout time.Duration

	MaxRequests int
	BatchCount  int
	BatchBytes  int
	MaxWaiting  int
	MemoryBytes int64

	IgnoreErrors string
	Retry        RetryConfig
	Auth         AuthConfig
	TLS          TLSConfig
	Auto         AutoConfig

	// Topics are those of the key topics, for checks alone.
	Topics []string

	topicKeys config.Props // below topic.
	driver    driverConfig

	tables  []*tableConfig // of topicKeys, by topic and key
	codecs  map[string]cqlvalue.Options
	ignored struct {
		flag bool
		text string
		n    int
	}
}

// A RetryConfig says how requests are tried again.
type RetryConfig struct {
	Backoff, MaxBackoff, Timeout time.Duration
}

// An AuthConfig says who the sink is.
type AuthConfig struct {
	Provider, Username string
	Password           config.Secret
	ignored            string
}

// A TLSConfig has the keys below ssl.
type TLSConfig struct {
	Provider       string
	CipherSuites   []string
	Hostname       bool
	KeyStore       string
	KeyPassword    config.Secret
	TrustStore     string
	TrustPassword  config.Secret
	CertChain, Key string
}

// An AutoConfig is about topics without a mapping, and about tables that the sink makes.
type AutoConfig struct {
	Keyspace   string
	Table      string
	Create     bool
	Evolve     bool
	PrimaryKey []string
	Agreement  time.Duration
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	c.describeCluster(d)
	c.describeRequests(d)
	c.Retry.describe(d)
	c.Auth.describe(d)
	c.TLS.describe(d)
	c.Auto.describe(d)
	config.List(d, &c.Topics, "topics").Optional().Doc("Topics. Each needs keys topic.TOPIC.*, or the key keyspace.")
	config.Map(d, &c.topicKeys, "topic.", "Tables of topics, with the keys below; and codecs: topic.TOPIC.codec.SETTING with locale, "+
		"timeZone, timestamp, date, time and unit.")
	d.Pattern("topic.<topic>.<keyspace>.<table>.", new(tableConfig))
	c.driver.describe(d)
	x := &c.ignored
	config.Bool(d, &x.flag, "jmx").Default(true).Ignored("metrics are those of the worker").Doc("No effect.")
	config.String(d, &x.text, "jmxConnectorDomain").Default("com.datastax.oss.kafka.sink").Ignored("metrics are those of the worker").Doc("No effect.")
	config.Int(d, &x.n, "metricsHighestLatency").Default(35).Ignored("latencies are not bounded").Doc("No effect.")
}

func (c *Config) describeCluster(d *config.Def) {
	config.List(d, &c.ContactPoints, "contactPoints").Optional().Importance(config.High).
		Doc("Nodes that are asked first, by name or address, with a port of their own after a colon if need be. Without any, 127.0.0.1.")
	config.Int(d, &c.Port, "port").Default(9042).Importance(config.High).Check(config.Between(1, 65535)).
		Doc("Port of the native protocol.")
	config.String(d, &c.LocalDC, "loadBalancing.localDc").Default("").Importance(config.High).
		Doc("Data centre whose nodes requests go to, those of others only when it has none that answer. Without it, the nodes of all data centres.")
	config.String(d, &c.Bundle, "cloud.secureConnectBundle").Default("").Importance(config.High).Check(config.CheckFunc("none", func(text string) error {
		if text != "" {
			return errors.New("bundles of Astra are not supported; connect by contactPoints, ssl.* and auth.*")
		}
		return nil
	})).Doc("Not supported.")
	config.EnumFold(d, &c.Compression, "compression", noCompression, lz4Compression, snappyCompression).Default(noCompression).Importance(config.High).
		Doc("Compression of the native protocol. Snappy goes by version 4 of the protocol, the others by the highest.")
	config.Int(d, &c.PoolSize, "connectionPoolLocalSize").Default(4).Importance(config.High).Check(config.AtLeast(1)).
		Doc("Number of connections to each node.")
	config.Millis(d, &c.ConnectTimeout, "connect.timeout.ms").Default(10 * time.Second).Check(config.AtLeast(time.Millisecond)).
		Doc("Time for each step of a new connection.")
	config.Seconds(d, &c.Timeout, "queryExecutionTimeout").Default(30 * time.Second).Importance(config.High).Check(config.AtLeast(time.Second)).
		Doc("Seconds that one request may take.")
}

func (c *Config) describeRequests(d *config.Def) {
	config.Int(d, &c.MaxRequests, "maxConcurrentRequests").Default(500).Importance(config.High).Check(config.Between(1, 32768)).
		Doc("Most requests of a task at the same time. Nodes that are overloaded make it less for a while.")
	config.Int(d, &c.BatchCount, "maxNumberOfRecordsInBatch").Default(32).Importance(config.High).Check(config.Between(1, 65535)).
		Doc("Most records in one batch. Batches are unlogged and of one partition of a table.")
	config.Int(d, &c.BatchBytes, "batch.max.bytes").Default(4096).Check(config.AtLeast(1)).
		Doc("Most bytes of values in one batch; a record that is larger goes alone. Cassandra warns at 5 KiB and refuses 50 KiB, unless it is told otherwise.")
	config.Long(d, &c.MemoryBytes, "memory.bytes").Default(64 << 20).Check(config.AtLeast(int64(1 << 10))).
		Doc("Bytes of records that wait for their requests, or for the answers, at which the consumption of a task pauses. It goes on at half of it.")
	config.Int(d, &c.MaxWaiting, "max.waiting.records").Default(50_000).Check(config.AtLeast(1)).
		Doc("Number of such records at which the consumption pauses.")
	config.EnumFold(d, &c.IgnoreErrors, "ignoreErrors", ignoreNone, ignoreAll, ignoreDriver).Default(ignoreNone).Importance(config.High).
		Doc("None: a record that cannot be written is reported as errors.tolerance says, and fails the task if that is none. Driver: records that the database " +
			"refuses, or whose retries have run out, are reported and skipped, whatever errors.tolerance says. All: those that do not fit the mapping, too.")
}

func (r *RetryConfig) describe(d *config.Def) {
	config.Millis(d, &r.Backoff, "retry.backoff.ms").Default(100 * time.Millisecond).Check(config.AtLeast(time.Millisecond)).
		Doc("Longest pause before a request is tried again for the first time; it doubles each time. Pauses are random.")
	config.Millis(d, &r.MaxBackoff, "retry.backoff.max.ms").Default(10 * time.Second).Check(config.AtLeast(time.Millisecond)).
		Doc("Longest pause of all.")
	config.Millis(d, &r.Timeout, "retry.timeout.ms").Default(15 * time.Minute).Check(config.AtLeast[time.Duration](0)).
		Doc("Time after which a request that still fails counts as failed. Writes whose outcome is unknown are tried again only if that cannot change the result.")
}

func (a *AuthConfig) describe(d *config.Def) {
	config.EnumFold(d, &a.Provider, "auth.provider", noProvider, plainProvider, gssapiProvider).Default(noProvider).Importance(config.High).
		Doc("None, or PLAIN for a user and a password. With auth.username it is PLAIN. GSSAPI is not supported.")
	config.String(d, &a.Username, "auth.username").Default("").Importance(config.High).Doc("User.")
	config.Password(d, &a.Password, "auth.password").Default(config.Secret{}).Importance(config.High).Doc("Password of the user.")
	for _, key := range []string{"auth.gssapi.keyTab", "auth.gssapi.principal", "auth.gssapi.service"} {
		config.String(d, &a.ignored, key).Optional().Ignored("GSSAPI is not supported").Doc("No effect.")
	}
}

func (t *TLSConfig) describe(d *config.Def) {
	config.EnumFold(d, &t.Provider, "ssl.provider", noProvider, jdkProvider, openSSLProvider).Default(noProvider).Importance(config.High).
		Doc("None: without TLS. JDK: TLS with a key in ssl.keystore.*. OpenSSL: TLS with a key in the files of ssl.openssl.*.")
	config.List(d, &t.CipherSuites, "ssl.cipherSuites").Optional().Importance(config.High).
		Doc("Cipher suites of TLS 1.2, by their names at IANA. Without any, all that are safe.")
	config.Bool(d, &t.Hostname, "ssl.hostnameValidation").Default(true).Importance(config.High).
		Doc("Whether the certificate of a node must have the node's name or address.")
	config.String(d, &t.KeyStore, "ssl.keystore.path").Default("").Importance(config.High).Doc("File of the own key, in JKS or PKCS12.")
	config.Password(d, &t.KeyPassword, "ssl.keystore.password").Default(config.Secret{}).Importance(config.High).Doc("Password of the file.")
	config.String(d, &t.TrustStore, "ssl.truststore.path").Default("").Importance(config.High).
		Doc("File of the authorities that certificates of nodes come from, in JKS or PKCS12, or PEM if its name ends in .pem or .crt. Without it, the system's.")
	config.Password(d, &t.TrustPassword, "ssl.truststore.password").Default(config.Secret{}).Importance(config.High).Doc("Password of the file.")
	config.String(d, &t.CertChain, "ssl.openssl.keyCertChain").Default("").Importance(config.High).Doc("PEM file of the own certificate and its chain.")
	config.String(d, &t.Key, "ssl.openssl.privateKey").Default("").Importance(config.High).Doc("PEM file of the own key.")
}

func (a *AutoConfig) describe(d *config.Def) {
	config.String(d, &a.Keyspace, "keyspace").Default("").
		Doc("Keyspace of topics that have no keys topic.TOPIC.KEYSPACE.TABLE.*: their fields go to the columns of the same names.")
	config.String(d, &a.Table, "table.name").Default("${topic}").Check(config.NonEmpty()).
		Doc("Table of such a topic; ${topic} is the topic's name, with underscores for what names of tables do not have.")
	config.Bool(d, &a.Create, "auto.create").Default(false).
		Doc("Whether tables without a mapping are made if they are missing. Their columns come from the schema of the first record, which must have one.")
	config.Bool(d, &a.Evolve, "auto.evolve").Default(false).
		Doc("Whether columns are added for new fields of records of a table without a mapping.")
	config.List(d, &a.PrimaryKey, "auto.create.primary.key").Optional().
		Doc("Fields that are the primary key of tables that are made; the first, or those in parentheses, as in (a,b),c, are the partition key. Without it, the fields " +
			"of the record's key, the first of which is the partition key; of a key that is no struct, a column key.")
	config.Millis(d, &a.Agreement, "schema.agreement.timeout.ms").Default(time.Minute).Check(config.AtLeast(time.Millisecond)).
		Doc("Time for all nodes to agree on a table that was made or changed.")
}

func keyError(key, value, format string, args ...any) error {
	return &config.KeyError{Key: key, Value: value, Err: fmt.Errorf(format, args...)}
}

// Check checks what no single key can say.
func (c *Config) Check() error {
	errs := []error{c.parseTopicKeys(), c.driver.apply(c), c.Auth.check(), c.TLS.check(), c.checkTopics(), c.Auto.check()}
	for i, p := range c.ContactPoints {
		if p == "" {
			errs = append(errs, keyError("contactPoints", strings.Join(c.ContactPoints, ","), "the name at position %d is empty", i+1))
		}
	}
	if c.Retry.MaxBackoff < c.Retry.Backoff {
		errs = append(errs, keyError("retry.backoff.max.ms", "", "is less than retry.backoff.ms"))
	}
	return errors.Join(errs...)
}

func (a *AuthConfig) check() error {
	if a.Username != "" && a.Provider == noProvider {
		a.Provider = plainProvider
	}
	switch {
	case a.Provider == gssapiProvider:
		return keyError("auth.provider", a.Provider, "GSSAPI is not supported; want None or PLAIN")
	case a.Username == "" && !a.Password.IsZero():
		return keyError("auth.username", "", "is missing beside auth.password")
	case a.Username == "" && a.Provider == plainProvider:
		return keyError("auth.username", "", "is needed for auth.provider=PLAIN")
	}
	return nil
}

// checkTopics looks for topics that have no table.
func (c *Config) checkTopics() error {
	if c.Auto.Keyspace != "" {
		return nil
	}
	var errs []error
	for _, topic := range c.Topics {
		if !slices.ContainsFunc(c.tables, func(t *tableConfig) bool { return t.topic == topic }) {
			errs = append(errs, keyError("topics", strings.Join(c.Topics, ","), "the topic %q has no table: set topic.%s.KEYSPACE.TABLE.mapping, or keyspace", topic, topic))
		}
	}
	return errors.Join(errs...)
}

func (a *AutoConfig) check() error {
	_, _, err := parsePrimaryKey(a.PrimaryKey)
	if err != nil {
		return keyError("auto.create.primary.key", strings.Join(a.PrimaryKey, ","), "%w", err)
	}
	return nil
}
