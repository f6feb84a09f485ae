package registry

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javatls"
)

// A Config holds the keys that the converters over a registry have in common:
// those of Confluent's AbstractKafkaSchemaSerDeConfig and
// SchemaRegistryClientConfig. The zero value is not that of absent keys.
type Config struct {
	Use string // converter.type

	URLs          []string
	RandomizeURLs bool

	AutoRegister    bool
	Normalize       bool
	UseLatest       bool
	LatestStrict    bool
	LatestTTL       time.Duration // negative: for good
	UseID           int           // -1: none
	UseGUID         string
	IDStrict        bool
	KeyStrategy     string
	ValueStrategy   string
	CacheSize       int // schemas.cache.config
	OtherCacheSize  int // schemas.cache.size; 0: absent
	KeyIDWriter     string
	ValueIDWriter   string
	KeyIDReader     string
	ValueIDReader   string
	Infer           bool   // schemas.infer
	InferName       string // schemas.infer.name
	InferIntegers   string // schemas.infer.numbers
	InferMaxSchemas int    // schemas.infer.max.versions

	CredentialsSource string
	UserInfo          config.Secret
	RegistryUserInfo  config.Secret
	BearerSource      string
	BearerToken       config.Secret
	Issuer            string
	ClientID          string
	ClientSecret      config.Secret
	Scope             string
	LogicalCluster    string
	IdentityPool      string
	ExpiryBuffer      time.Duration
	RequestHeaders    config.Props
	TLS               javatls.Settings
	ProxyHost         string
	ProxyPort         int
	ConnectTimeout    time.Duration
	ReadTimeout       time.Duration
	Retries           int
	RetryWait         time.Duration
	RetryMaxWait      time.Duration

	void struct { // of keys that are refused, or have no effect
		text    [32]string
		list    [4][]string
		boolean [8]bool
		number  int
	}
}

// Key and value, of converter.type. A header has no schema id to carry.
const (
	forKey   = "key"
	forValue = "value"
)

// IsKey reports whether the converter is for keys.
func (c *Config) IsKey() bool { return c.Use == forKey }

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	config.Enum(d, &c.Use, "converter.type", forKey, forValue).
		Doc("How this converter will be used. It is set by the worker.")
	c.describeSchemas(d)
	c.describeSubjects(d)
	c.describeInference(d)
	c.describeConnection(d)
	c.describeCredentials(d)
	c.describeRefused(d)
}

func (c *Config) describeSchemas(d *config.Def) {
	const group = "Schemas"
	config.Bool(d, &c.AutoRegister, "auto.register.schemas").Default(true).Group(group, 0).Importance(config.Medium).
		Doc("Register schemas when they are written. If not, they must be there: the schema itself, the latest of the subject, or that of an id.")
	config.Bool(d, &c.UseLatest, "use.latest.version").Default(false).Group(group, 1).
		Doc("Write with the latest schema of the subject, where auto.register.schemas is false; read with the latest schema as reader's schema.")
	config.Int(d, &c.UseID, "use.schema.id").Default(-1).Check(config.AtLeast(-1)).Group(group, 2).
		Doc("Write with the schema of this id, where auto.register.schemas is false. -1: none.")
	config.String(d, &c.UseGUID, "use.schema.guid").Default("").Check(guidCheck()).Group(group, 3).
		Doc("Write with the schema of this GUID, where auto.register.schemas is false. Empty: none.")
	config.Bool(d, &c.LatestStrict, "latest.compatibility.strict").Default(true).Group(group, 4).
		Doc("Refuse to write with the latest schema where it could not read every value of ours. Otherwise only values that do not fit fail.")
	config.Bool(d, &c.IDStrict, "id.compatibility.strict").Default(true).Group(group, 5).
		Doc("The same for use.schema.id and use.schema.guid.")
	config.Seconds(d, &c.LatestTTL, "latest.cache.ttl.sec").Default(-time.Second).Group(group, 6).
		Doc("Seconds for which the latest version of a subject is known. -1: for good.")
	config.Bool(d, &c.Normalize, "normalize.schemas").Default(false).Group(group, 7).
		Doc("Have the registry compare schemas in a normal form, which leaves out what has no meaning, such as the order of some members.")
	config.Int(d, &c.CacheSize, "schemas.cache.config").Default(1000).Check(config.AtLeast(1)).Group(group, 8).
		Doc("How many schemas are kept ready in each direction.")
	config.Int(d, &c.OtherCacheSize, "schemas.cache.size").Default(0).Check(config.AtLeast(0)).Group(group, 9).
		Doc("The same by the name that JsonConverter has for it; goes first. 0: schemas.cache.config.")
}

func (c *Config) describeSubjects(d *config.Def) {
	const group = "Subjects"
	strategy := func(p *string, key string) {
		config.Class(d, p, key).Default(topicName).Check(named(key, strategies)).Group(group, -1).
			Doc("How the subject of a schema is named: TopicNameStrategy (<topic>-key, <topic>-value), RecordNameStrategy (the full name of the record), " +
				"TopicRecordNameStrategy (<topic>-<full name>); by the simple name, or by that of Confluent's class.")
	}
	strategy(&c.KeyStrategy, "key.subject.name.strategy")
	strategy(&c.ValueStrategy, "value.subject.name.strategy")
	writer := func(p *string, key string) {
		config.Class(d, p, key).Default(prefixWriter).Check(named(key, idWriters)).Group(group, -1).
			Doc("Where the schema's identity is written: PrefixSchemaIdSerializer, an id in front of the payload; HeaderSchemaIdSerializer, a GUID in a record header.")
	}
	writer(&c.KeyIDWriter, "key.schema.id.serializer")
	writer(&c.ValueIDWriter, "value.schema.id.serializer")
	reader := func(p *string, key string) {
		config.Class(d, p, key).Default(dualReader).Check(named(key, idReaders)).Group(group, -1).
			Doc("Where it is looked for: DualSchemaIdDeserializer, a header, else in front; PrefixSchemaIdDeserializer, in front; " +
				"ConfigSchemaIdDeserializer, in use.schema.id or use.schema.guid, for payloads without.")
	}
	reader(&c.KeyIDReader, "key.schema.id.deserializer")
	reader(&c.ValueIDReader, "value.schema.id.deserializer")
}

func (c *Config) describeInference(d *config.Def) {
	const group = "Detection of schemas"
	config.Bool(d, &c.Infer, "schemas.infer").Default(false).Group(group, 0).
		Doc("Give schemaless data a schema made from what it looks like, and let that schema grow with the data within what the subject's compatibility allows. " +
			"No key of Confluent's; without it schemaless data are written as the format does.")
	config.String(d, &c.InferName, "schemas.infer.name").Default("Inferred").Check(nameCheck()).Group(group, 1).
		Doc("Full name of the schema of the outermost object. Objects inside are named after it and their field.")
	config.Enum(d, &c.InferIntegers, "schemas.infer.numbers", "wide", "exact").Default("wide").Group(group, 2).
		Doc("wide: integers become INT64 and other numbers FLOAT64; exact: numbers keep the width that they have.")
	config.Int(d, &c.InferMaxSchemas, "schemas.infer.max.versions").Default(100).Check(config.AtLeast(1)).Group(group, 3).
		Doc("How often the schema of one topic may grow before further growth is an error: a bound for objects whose members are really keys of a map.")
}

func (c *Config) describeConnection(d *config.Def) {
	const group = "Registry"
	config.List(d, &c.URLs, "schema.registry.url").Check(config.NonEmptyList()).Importance(config.High).Group(group, 0).
		Doc("URLs of the registry's instances, separated by commas; a path before the API is kept. The first that answers is used, until it no longer does.")
	config.Bool(d, &c.RandomizeURLs, "schema.registry.url.randomize").Default(false).Group(group, 1).Doc("Start with any of the URLs.")
	config.MillisInt(d, &c.ConnectTimeout, "http.connect.timeout.ms").Default(time.Minute).Check(config.AtLeast(time.Duration(0))).Group(group, 2).
		Doc("Milliseconds for a connection to be made. 0: no limit.")
	config.MillisInt(d, &c.ReadTimeout, "http.read.timeout.ms").Default(time.Minute).Check(config.AtLeast(time.Duration(0))).Group(group, 3).
		Doc("Milliseconds for a request to be answered. 0: no limit.")
	config.Int(d, &c.Retries, "max.retries").Default(3).Check(config.AtLeast(0)).Group(group, 4).
		Doc("How often a request is tried again when no instance answers, or all say that they cannot now (HTTP 408, 425, 429, 5xx).")
	config.MillisInt(d, &c.RetryWait, "retries.wait.ms").Default(time.Second).Check(config.AtLeast(time.Duration(0))).Group(group, 5).
		Doc("Milliseconds before the first of these; doubles with each, half of it by chance.")
	config.MillisInt(d, &c.RetryMaxWait, "retries.max.wait.ms").Default(20*time.Second).Check(config.AtLeast(time.Duration(0))).Group(group, 6).
		Doc("The most milliseconds between two. If the registry asks for a longer pause, the record is given back to errors.retry.timeout.")
	config.String(d, &c.ProxyHost, "proxy.host").Default("").Group(group, 7).
		Doc("HTTP proxy. Empty: that of the environment variables HTTP_PROXY, HTTPS_PROXY, NO_PROXY, if any.")
	config.Int(d, &c.ProxyPort, "proxy.port").Default(-1).Check(config.Between(-1, 65535)).Group(group, 8).Doc("Port of the proxy.")
	config.Map(d, &c.RequestHeaders, "request.header.", "headers to send with each request, by name.")
	d.Prefix("schema.registry.", &c.TLS)
}

func (c *Config) describeCredentials(d *config.Def) {
	const group = "Credentials"
	config.EnumFold(d, &c.CredentialsSource, "basic.auth.credentials.source", "URL", "USER_INFO", "SASL_INHERIT").Default("URL").
		Check(not("SASL_INHERIT", "a converter does not see the settings of the client; give basic.auth.user.info")).Group(group, 0).
		Doc("Where user and password are: in the URL, or in basic.auth.user.info (USER_INFO).")
	config.Password(d, &c.UserInfo, "basic.auth.user.info").Default(config.Secret{}).Group(group, 1).Doc("user:password")
	config.Password(d, &c.RegistryUserInfo, "schema.registry.basic.auth.user.info").Default(config.Secret{}).Group(group, 2).
		Doc("The same; basic.auth.user.info goes first.")
	config.EnumFold(d, &c.BearerSource, "bearer.auth.credentials.source", "STATIC_TOKEN", "OAUTHBEARER", "SASL_OAUTHBEARER_INHERIT", "OAUTHBEARER_AZURE_MANAGED_IDENTITY", "CUSTOM").
		Default("STATIC_TOKEN").Group(group, 3).
		Check(not("SASL_OAUTHBEARER_INHERIT", "a converter does not see the settings of the client; use OAUTHBEARER")).
		Check(not("OAUTHBEARER_AZURE_MANAGED_IDENTITY", "not supported; use OAUTHBEARER")).
		Check(not("CUSTOM", "Java classes cannot be loaded; use OAUTHBEARER or STATIC_TOKEN")).
		Doc("Where tokens are: in bearer.auth.token (STATIC_TOKEN), or from a token endpoint by client credentials (OAUTHBEARER).")
	config.Password(d, &c.BearerToken, "bearer.auth.token").Default(config.Secret{}).Group(group, 4).Doc("The token.")
	config.String(d, &c.Issuer, "bearer.auth.issuer.endpoint.url").Default("").Group(group, 5).Doc("URL of the token endpoint.")
	config.String(d, &c.ClientID, "bearer.auth.client.id").Default("").Group(group, 6).Doc("Client id.")
	config.Password(d, &c.ClientSecret, "bearer.auth.client.secret").Default(config.Secret{}).Group(group, 7).Doc("Client secret.")
	config.String(d, &c.Scope, "bearer.auth.scope").Default("").Group(group, 8).Doc("Scope to ask for.")
	config.String(d, &c.LogicalCluster, "bearer.auth.logical.cluster").Default("").Group(group, 9).Doc("Sent in the header target-sr-cluster.")
	config.String(d, &c.IdentityPool, "bearer.auth.identity.pool.id").Default("").Group(group, 10).Doc("Sent in the header Confluent-Identity-Pool-Id.")
	config.Seconds(d, &c.ExpiryBuffer, "bearer.auth.cache.expiry.buffer.seconds").Default(300*time.Second).
		Check(config.Between(time.Duration(0), time.Hour)).Group(group, 11).Doc("How many seconds before its end a token is replaced.")
}

// cacheSize is how many schemas are kept.
func (c *Config) cacheSize() int {
	if c.OtherCacheSize > 0 {
		return c.OtherCacheSize
	}
	return c.CacheSize
}

func (c *Config) userInfo() string {
	if !c.UserInfo.IsZero() {
		return c.UserInfo.Reveal()
	}
	return c.RegistryUserInfo.Reveal()
}

// Check implements config.Checker.
func (c *Config) Check() error {
	var errs []error
	add := func(key, format string, args ...any) { errs = append(errs, config.Errorf(key, format, args...)) }
	for i, text := range c.URLs {
		if err := checkURL(text); err != nil { // not with its value, which may have a password
			add("schema.registry.url", "URL %d: %w", i+1, err)
		}
	}
	bearer := c.BearerSource == "OAUTHBEARER" || !c.BearerToken.IsZero()
	if c.CredentialsSource == "USER_INFO" {
		if !strings.Contains(c.userInfo(), ":") {
			add("basic.auth.user.info", "basic.auth.credentials.source=USER_INFO wants user:password here")
		}
		if bearer {
			add("bearer.auth.token", "both basic and bearer credentials are given; one is allowed")
		}
	}
	if c.BearerSource == "OAUTHBEARER" {
		if _, err := baseURL(c.Issuer); err != nil {
			add("bearer.auth.issuer.endpoint.url", "OAUTHBEARER wants the URL of a token endpoint: %w", err)
		}
		if c.ClientID == "" {
			add("bearer.auth.client.id", "OAUTHBEARER wants a client id")
		}
	}
	if c.ProxyHost != "" && c.ProxyPort < 1 {
		add("proxy.port", "proxy.host wants a port")
	}
	if c.UseID >= 0 && c.UseGUID != "" {
		add("use.schema.guid", "both an id and a GUID are given; one is allowed")
	}
	if c.idReader() == configReader && c.UseID < 0 && c.UseGUID == "" {
		add("use.schema.id", "%s wants an id here, or use.schema.guid", configReader)
	}
	if err := prefixed(c.TLS.Consistent()); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *Config) byUse(key, value string) string {
	if c.IsKey() {
		return simple(key)
	}
	return simple(value)
}

func (c *Config) strategy() string { return c.byUse(c.KeyStrategy, c.ValueStrategy) }
func (c *Config) idWriter() string { return c.byUse(c.KeyIDWriter, c.ValueIDWriter) }
func (c *Config) idReader() string { return c.byUse(c.KeyIDReader, c.ValueIDReader) }

// The simple names of Confluent's classes.
const (
	topicName       = "TopicNameStrategy"
	recordName      = "RecordNameStrategy"
	topicRecordName = "TopicRecordNameStrategy"
	prefixWriter    = "PrefixSchemaIdSerializer"
	headerWriter    = "HeaderSchemaIdSerializer"
	dualReader      = "DualSchemaIdDeserializer"
	prefixReader    = "PrefixSchemaIdDeserializer"
	configReader    = "ConfigSchemaIdDeserializer"
)

// classes are those of one package of Confluent's that a key may name.
type classes struct {
	pkg   string
	names []string
}

var (
	strategies = classes{"io.confluent.kafka.serializers.subject.", []string{topicName, recordName, topicRecordName}}
	idWriters  = classes{"io.confluent.kafka.serializers.schema.id.", []string{prefixWriter, headerWriter}}
	idReaders  = classes{"io.confluent.kafka.serializers.schema.id.", []string{dualReader, prefixReader, configReader}}
)

// simple returns the last part of a class name.
func simple(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }

// named allows the classes of a list, by full or simple name.
func named(key string, known classes) config.Check[string] {
	doc := strings.Join(known.names, ", ")
	return config.CheckFunc(doc, func(class string) error {
		for _, name := range known.names {
			if class == name || class == known.pkg+name {
				return nil
			}
		}
		return fmt.Errorf("%s cannot be %q: Java classes cannot be loaded; allowed are %s", key, class, doc)
	})
}
