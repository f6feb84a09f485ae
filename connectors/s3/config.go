package s3

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

// Conditions says whether objects are created conditionally (s3.conditional.writes).
type Conditions string

// The choices.
const (
	// AutoConditions trusts AWS, and tries other stores.
	AutoConditions Conditions = "auto"
	// WithConditions trusts the store.
	WithConditions Conditions = "true"
	// NoConditions replaces objects.
	NoConditions Conditions = "false"
)

// A Config configures the sink, by the keys of Confluent's connector.
type Config struct {
	objectstore.Config
	Formats objectstore.FormatConfig

	Bucket       string
	Region       string
	URL          string
	PathStyle    bool
	Accelerate   bool
	StorageClass string // Confluent's storage.class: which store
	ObjectClass  string // S3's storage class of objects

	Credentials CredentialsConfig

	PartSize    int
	PartRetries int
	Backoff     time.Duration
	// LongestBackoff bounds Backoff as it doubles; 0 is 24 hours.
	LongestBackoff time.Duration
	Timeout        time.Duration
	Parts          int
	Digest         bool
	Continue       bool

	SSE         string
	KMSKey      string
	CustomerKey config.Secret
	ACL         string

	Tagging     bool
	Tags        []string
	TagErrors   string
	Conditional bool
	Conditions  Conditions

	ProxyURL      string
	ProxyUser     string
	ProxyPassword config.Secret

	ignored struct {
		text string
		n    int
		flag bool
		size int64
	}
}

// A CredentialsConfig says who the sink is.
type CredentialsConfig struct {
	AccessKey  string
	SecretKey  config.Secret
	Token      config.Secret
	Provider   string
	RoleARN    string
	ExternalID string
	Session    string
	// Duration of a session with the role; 0 is AWS's 15 minutes. It is renewed in time.
	Duration time.Duration
	// Endpoint of STS, if not AWS's own.
	Endpoint string
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	config.String(d, &c.Bucket, "s3.bucket.name").Importance(config.High).Check(config.NonEmpty()).
		Doc("Bucket that the objects are written to.")
	config.String(d, &c.Region, "s3.region").Default("us-west-2").Importance(config.Medium).Check(config.NonEmpty()).
		Doc("Region of the bucket.")
	config.Int(d, &c.FlushSize, "flush.size").Importance(config.High).Check(config.AtLeast(1)).
		Doc("Number of records of a Kafka partition at which its open files end, all of them.")
	c.Formats.Prefix, c.Formats.Libraries = "s3.", libraries{}
	c.Formats.Describe(d)
	c.Config.Describe(d)
	c.describeStore(d)
	c.describeObjects(d)
	c.Credentials.describe(d)
	c.describeRequests(d)
	c.describeIgnored(d)
}

func (c *Config) describeStore(d *config.Def) {
	config.ClassOf(d, &c.StorageClass, "storage.class", findStorage).Default("io.confluent.connect.s3.storage.S3Storage").Importance(config.Low).
		Doc("Confluent's class of the store. There is only S3.")
	config.String(d, &c.URL, "store.url").Optional().Importance(config.High).Check(config.CheckFunc("URL with http or https", checkURL)).
		Doc("URL of a store that speaks S3, such as MinIO, Ceph or R2. Without it, that of AWS in the region.")
	c.describePathStyle(d)
	config.Bool(d, &c.Accelerate, "s3.wan.mode").Default(false).Importance(config.Medium).
		Doc("Whether AWS's accelerated end point is used. The bucket must allow it, and s3.path.style.access.enabled be false.")
	config.Bool(d, &c.Conditional, "enable.conditional.writes").Default(true).
		Doc("Whether objects are created conditionally, so that no task can replace what another one wrote. false is s3.conditional.writes=false.")
	c.describeConditions(d)
}

func (c *Config) describePathStyle(d *config.Def) {
	config.Bool(d, &c.PathStyle, "s3.path.style.access.enabled").Default(true).
		Doc("Whether the bucket is in the path of URLs; otherwise it is in the name of the host.")
}

func (c *Config) describeConditions(d *config.Def) {
	config.Enum(d, &c.Conditions, "s3.conditional.writes", AutoConditions, WithConditions, NoConditions).Default(AutoConditions).
		Doc("auto: on AWS, objects are created conditionally; with store.url each task tries at its start whether the store heeds conditions, with an " +
			"object that it removes. true: the store is trusted to. false: objects are replaced.")
}

func (c *Config) describeObjects(d *config.Def) {
	config.Enum(d, &c.ObjectClass, "s3.storage.class", append([]string{""}, texts(types.StorageClass("").Values())...)...).Default("").
		Doc("Storage class of objects, such as STANDARD_IA. Empty: the store's default.")
	config.Enum(d, &c.SSE, "s3.ssea.name", "", "AES256", "aws:kms", "aws:kms:dsse").Default("").
		Doc("Encryption by the store. Empty: that of the bucket.")
	config.String(d, &c.KMSKey, "s3.sse.kms.key.id").Optional().
		Doc("Key of AWS KMS for s3.ssea.name=aws:kms. Without it, AWS's own.")
	config.Password(d, &c.CustomerKey, "s3.sse.customer.key").Default(config.Secret{}).
		Doc("Key of 32 bytes, in Base64, that the store encrypts with and does not keep. Needs s3.ssea.name=AES256.")
	config.Enum(d, &c.ACL, "s3.acl.canned", append([]string{""}, texts(types.ObjectCannedACL("").Values())...)...).Default("").
		Doc("Canned access control list of objects.")
	config.Bool(d, &c.Tagging, "s3.object.tagging").Default(false).
		Doc("Whether objects are tagged with startOffset, endOffset and recordCount.")
	config.List(d, &c.Tags, "s3.object.tagging.key.value.pairs").Optional().
		Doc("More tags, as key:value, with s3.object.tagging.")
	config.EnumFold(d, &c.TagErrors, "s3.object.behavior.on.tagging.error", "ignore", "fail").Default("ignore").
		Doc("ignore: objects are tagged after they are written, and a failure is logged. fail: they are written with their tags, or not at all.")
}

func (c *CredentialsConfig) describe(d *config.Def) {
	config.ClassOf(d, &c.Provider, "s3.credentials.provider.class", findProvider).Default(defaultProvider).
		Doc("default: AWS's chain (environment, shared files, web identity, container, instance). assume-role: takes the role of " +
			"s3.credentials.provider.sts.role.arn. anonymous: requests are not signed. Names of AWS's and Confluent's classes for these are understood.")
	config.String(d, &c.AccessKey, "aws.access.key.id").Default("").
		Doc("Access key; with aws.secret.access.key, in place of the chain.")
	config.Password(d, &c.SecretKey, "aws.secret.access.key").Default(config.Secret{}).
		Doc("Secret of aws.access.key.id.")
	config.Password(d, &c.Token, "aws.session.token").Default(config.Secret{}).
		Doc("Session token of aws.access.key.id, if it is a temporary one.")
	config.String(d, &c.RoleARN, "s3.credentials.provider.sts.role.arn").Optional().
		Doc("Role to assume, by the credentials found otherwise.")
	config.String(d, &c.ExternalID, "s3.credentials.provider.sts.role.external.id").Optional().
		Doc("External id for the role.")
	config.String(d, &c.Session, "s3.credentials.provider.sts.role.session.name").Default("connect").
		Doc("Name of the session with the role.")
	config.Seconds(d, &c.Duration, "s3.credentials.provider.sts.role.session.seconds").Default(0).Check(config.CheckFunc("0, or 900 to 43200", checkSession)).
		Doc("Seconds of a session with the role; it is renewed in time. 0 is AWS's default, 900.")
	config.String(d, &c.Endpoint, "s3.credentials.provider.sts.endpoint").Optional().Check(config.CheckFunc("URL with http or https", checkURL)).
		Doc("URL of AWS STS, or of what stands for it. Without it, that of the region.")
}

func checkSession(d time.Duration) error {
	if d != 0 && (d < 15*time.Minute || d > 12*time.Hour) {
		return errors.New("is neither 0 nor from 900 to 43200")
	}
	return nil
}

func (c *Config) describeRequests(d *config.Def) {
	config.Int(d, &c.PartSize, "s3.part.size").Default(25 << 20).Importance(config.High).Check(config.Between(5<<20, 1<<31-1)).
		Doc("Bytes of a part. Larger objects are sent in parts, several at the same time, straight from where they are kept: parts need no memory.")
	config.Int(d, &c.Parts, "s3.upload.parts").Default(3).Check(config.Between(1, 64)).
		Doc("Number of parts of one object that are sent at the same time.")
	config.Int(d, &c.PartRetries, "s3.part.retries").Default(3).Check(config.AtLeast(0)).Importance(config.Medium).
		Doc("Number of times that a request is tried again at once, before retry.backoff.ms counts.")
	config.Millis(d, &c.Backoff, "s3.retry.backoff.ms").Default(200 * time.Millisecond).Check(config.AtLeast[time.Duration](0)).
		Doc("Longest pause before the first of these; it doubles each time, up to 24 hours.")
	config.Millis(d, &c.Timeout, "s3.request.timeout.ms").Default(2 * time.Minute).Check(config.AtLeast(time.Millisecond)).
		Doc("Time for one request, with what it sends, before it counts as failed.")
	config.Bool(d, &c.Digest, "s3.send.digest").Default(false).
		Doc("Whether requests carry the MD5 of what they send.")
	config.Bool(d, &c.Continue, "s3.http.send.expect.continue").Default(true).
		Doc("Whether requests of 2 MiB and more wait for the store's consent before they send their body.")
	config.String(d, &c.ProxyURL, "s3.proxy.url").Optional().Check(config.CheckFunc("URL with http or https", checkURL)).
		Doc("Proxy for all requests. Without it, that of the environment (HTTPS_PROXY).")
	config.String(d, &c.ProxyUser, "s3.proxy.user").Optional().
		Doc("User at the proxy.")
	config.Password(d, &c.ProxyPassword, "s3.proxy.password").Default(config.Secret{}).
		Doc("Password at the proxy.")
}

// describeIgnored declares keys of Confluent's connector that have no meaning here, for they tune what is done in another way.
func (c *Config) describeIgnored(d *config.Def) {
	x := &c.ignored
	config.Int(d, &x.n, "schemas.cache.config").Default(1000).Ignored("there is no such cache").Doc("No effect.")
	config.Int(d, &x.n, "max.files.scan.limit").Default(100).Ignored("stored files are found without a scan").Doc("No effect.")
	config.Bool(d, &x.flag, "s3.elastic.buffer.enable").Default(false).Ignored("memory.bytes bounds the memory").Doc("No effect.")
	config.Int(d, &x.n, "s3.elastic.buffer.init.capacity").Default(131072).Ignored("memory.bytes bounds the memory").Doc("No effect.")
	config.Long(d, &x.size, "max.write.duration.ms").Default(1<<63 - 1).Ignored("files are stored in the background").Doc("No effect.")
}

func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

func findStorage(name string) (string, bool) {
	const full = "io.confluent.connect.s3.storage.S3Storage"
	return full, name == full || name == "S3Storage"
}

// The values of s3.credentials.provider.class.
const (
	defaultProvider    = "default"
	assumeRoleProvider = "assume-role"
	anonymousProvider  = "anonymous"
)

func findProvider(name string) (string, bool) {
	simple := name[strings.LastIndexByte(name, '.')+1:]
	switch simple {
	case "default", "DefaultCredentialsProvider", "DefaultAWSCredentialsProviderChain":
		return defaultProvider, true
	case "assume-role", "AwsAssumeRoleCredentialsProvider", "STSAssumeRoleSessionCredentialsProvider", "StsAssumeRoleCredentialsProvider":
		return assumeRoleProvider, true
	case "anonymous", "AnonymousCredentialsProvider", "AnonymousAWSCredentialsProvider":
		return anonymousProvider, true
	}
	return "", false
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("is no URL with http or https, such as https://minio.example.com:9000")
	}
	return nil
}

func keyError(key, value, format string, args ...any) error {
	return &config.KeyError{Key: key, Value: value, Err: fmt.Errorf(format, args...)}
}

// Check checks what no single key can say.
func (c *Config) Check() error {
	return errors.Join(c.Config.Check(), c.Formats.CheckFor(&c.Config), c.checkEncryption(), c.checkCredentials(), c.checkTags(), c.checkEndpoint())
}

func (c *Config) checkEncryption() error {
	if c.KMSKey != "" && !strings.HasPrefix(c.SSE, "aws:kms") {
		return keyError("s3.sse.kms.key.id", c.KMSKey, "needs s3.ssea.name=aws:kms")
	}
	if c.CustomerKey.IsZero() {
		return nil
	}
	if c.SSE != "AES256" && c.SSE != "" {
		return keyError("s3.sse.customer.key", "", "needs s3.ssea.name=AES256")
	}
	if _, err := c.customerKey(); err != nil {
		return keyError("s3.sse.customer.key", "", "%w", err)
	}
	return nil
}

// customerKey returns the key's bytes.
func (c *Config) customerKey() ([]byte, error) {
	text := c.CustomerKey.Reveal()
	if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) == 32 {
		return b, nil
	}
	return nil, errors.New("is not 32 bytes in Base64")
}

func (c *Config) checkCredentials() error {
	x := &c.Credentials
	switch {
	case (x.AccessKey == "") != x.SecretKey.IsZero():
		return keyError("aws.access.key.id", x.AccessKey, "goes with aws.secret.access.key: one of them is missing")
	case x.Provider == assumeRoleProvider && x.RoleARN == "":
		return keyError("s3.credentials.provider.sts.role.arn", "", "is needed for s3.credentials.provider.class=assume-role")
	}
	return nil
}

func (c *Config) checkTags() error {
	for _, tag := range c.Tags {
		if k, _, ok := strings.Cut(tag, ":"); !ok || k == "" {
			return keyError("s3.object.tagging.key.value.pairs", strings.Join(c.Tags, ","), "%q is not key:value", tag)
		}
	}
	if len(c.Tags) > 7 {
		return keyError("s3.object.tagging.key.value.pairs", strings.Join(c.Tags, ","), "has %d tags: S3 allows ten, of which three are the offsets and the count", len(c.Tags))
	}
	return nil
}

func (c *Config) checkEndpoint() error {
	if c.Accelerate && c.PathStyle {
		return keyError("s3.wan.mode", "true", "needs s3.path.style.access.enabled=false")
	}
	if c.Accelerate && c.URL != "" {
		return keyError("s3.wan.mode", "true", "is AWS's alone, and does not go with store.url")
	}
	if c.DirectoryDelim != "/" && slices.Contains([]string{"", " "}, strings.TrimSpace(c.DirectoryDelim)) {
		return keyError("directory.delim", c.DirectoryDelim, "must not be blank")
	}
	return nil
}
