package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

func aivenPlugin() connect.Plugin {
	return connect.Sink(connect.Info{
		Class: "AivenS3Sink", Version: version, Doc: "S3Sink with the keys of Aiven's connector.",
		StandsFor: []connect.JavaClass{{Class: "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector", Task: "io.aiven.kafka.connect.s3.S3SinkTask"}},
	}, func(c aivenConfig) (*objectstore.Connector[aivenTask], error) {
		return objectstore.NewConnector(func(name string) aivenTask { return aivenTask{c, name} }), nil
	}, newAivenTask)
}

// The values of format.output.type.
const (
	aivenCSV       = "csv"
	aivenJSON      = "json"
	aivenJSONLines = "jsonl"
	aivenParquet   = "parquet"
	aivenAvro      = "avro"
)

// aivenConfig has the keys of Aiven's connector. In own are those that have a meaning of their own in Config.
type aivenConfig struct {
	own ownConfig

	// The older names of keys, which the newer ones override.
	old struct {
		accessKey, secretKey                                        config.Secret
		bucket, endpoint, region, prefix, compression, zone, source string
		fields                                                      []string
	}
	accessKey, secretKey               config.Secret
	bucket, region, prefix             string
	provider                           string
	stsEndpoint                        string
	sessionSeconds                     int
	backoff, longestBackoff, kafkaWait time.Duration
	retries                            int

	template, compression, zone, source string
	maxRecords                          int
	output, encoding                    string
	fields                              []string
	envelope                            bool

	ignored struct {
		n    int
		text string
	}
}

// Describe declares the keys.
func (c *aivenConfig) Describe(d *config.Def) {
	c.own.describe(d)
	c.own.describePathStyle(d)
	config.Millis(d, &c.own.OpenInterval, "rotate.open.interval.ms").Default(time.Minute).Check(config.AtLeast(time.Millisecond)).
		Doc("Time after which files end, from the first record of the open files of a Kafka partition on. Aiven's connector ends them when the worker commits, each offset.flush.interval.ms.")
	c.describeStore(d)
	c.describeOld(d)
	c.describeRequests(d)
	c.describeFiles(d)
	c.describeOutput(d)
}

func (c *aivenConfig) describeStore(d *config.Def) {
	config.String(d, &c.bucket, "aws.s3.bucket.name").Optional().Importance(config.High).Doc("Bucket that the objects are written to.")
	config.String(d, &c.region, "aws.s3.region").Default("").Doc("Region of the bucket; us-east-1 if there is none.")
	config.String(d, &c.own.URL, "aws.s3.endpoint").Optional().Check(config.CheckFunc("URL with http or https", checkURL)).
		Doc("URL of a store that speaks S3. Without it, that of AWS in the region.")
	config.String(d, &c.prefix, "aws.s3.prefix").Default("").Doc("Template of a text before names, which are then {{topic}}-{{partition}}-{{start_offset:padding=true}}; file.name.template does not count with it.")
	config.Password(d, &c.accessKey, "aws.access.key.id").Default(config.Secret{}).Doc("Access key.")
	config.Password(d, &c.secretKey, "aws.secret.access.key").Default(config.Secret{}).Doc("Secret of the access key.")
	config.ClassOf(d, &c.provider, "aws.credentials.provider", findProvider).Default(defaultProvider).Check(config.Supported(defaultProvider, anonymousProvider)).
		Doc("Class of what provides credentials where there is neither a key nor a role: AWS's chain, or none.")
	config.String(d, &c.own.SSE, "aws.s3.sse.algorithm").Default("").Check(config.OneOf("", "AES256", "aws:kms", "aws:kms:dsse")).Doc("Encryption by the store.")
	config.String(d, &c.own.Credentials.RoleARN, "aws.sts.role.arn").Optional().Doc("Role to assume.")
	config.String(d, &c.own.Credentials.ExternalID, "aws.sts.role.external.id").Optional().Doc("External id for the role.")
	config.String(d, &c.own.Credentials.Session, "aws.sts.role.session.name").Default("").Doc("Name of the session with the role.")
	config.Int(d, &c.sessionSeconds, "aws.sts.role.session.duration").Default(3600).Check(config.Between(900, 43200)).Doc("Seconds of a session with the role; it is renewed in time.")
	config.String(d, &c.stsEndpoint, "aws.sts.config.endpoint").Default("https://sts.amazonaws.com").Check(config.CheckFunc("URL with http or https", checkURL)).Doc("URL of AWS STS.")
}

// describeOld declares the names that keys had before version 2.6, and those that mean nothing.
func (c *aivenConfig) describeOld(d *config.Def) {
	x := &c.old
	config.Password(d, &x.accessKey, "aws_access_key_id").Default(config.Secret{}).Deprecated("aws.access.key.id").Doc("Access key.")
	config.Password(d, &x.secretKey, "aws_secret_access_key").Default(config.Secret{}).Deprecated("aws.secret.access.key").Doc("Secret of the access key.")
	config.String(d, &x.bucket, "aws_s3_bucket").Default("").Deprecated("aws.s3.bucket.name").Doc("Bucket.")
	config.String(d, &x.endpoint, "aws_s3_endpoint").Optional().Deprecated("aws.s3.endpoint").Check(config.CheckFunc("URL with http or https", checkURL)).Doc("URL of a store that speaks S3.")
	config.String(d, &x.region, "aws_s3_region").Default("").Deprecated("aws.s3.region").Doc("Region of the bucket.")
	config.String(d, &x.prefix, "aws_s3_prefix").Default("").Deprecated("aws.s3.prefix").Doc("Text before names.")
	config.String(d, &x.compression, "output_compression").Default("").Deprecated("file.compression.type").Check(config.OneOf("", "none", "gzip", "snappy", "zstd")).Doc("Compression.")
	config.List(d, &x.fields, "output_fields").Optional().Deprecated("format.output.fields").Doc("Parts of records.")
	config.String(d, &x.zone, "timestamp.timezone").Default("").Deprecated("file.name.timestamp.timezone").Doc("Time zone of {{timestamp}} in aws.s3.prefix.")
	config.String(d, &x.source, "timestamp.source").Default("").Deprecated("file.name.timestamp.source").Check(timeSource()).Doc("Source of {{timestamp}} in aws.s3.prefix.")
	config.Int(d, &c.ignored.n, "aws.s3.fetch.page.size").Default(10).Ignored("it is of the source connector").Doc("No effect.")
	config.Int(d, &c.ignored.n, "aws.s3.fetch.buffer.size").Default(1000).Ignored("it is of the source connector").Doc("No effect.")
	config.String(d, &c.ignored.text, "file.prefix.template").Default("").Ignored("Aiven's sink does not use it either: put the text into file.name.template").Doc("No effect.")
}

func timeSource() config.Check[string] {
	return config.OneOfFold("", "wallclock", "event")
}

func (c *aivenConfig) describeRequests(d *config.Def) {
	config.Int(d, &c.own.PartSize, "aws.s3.part.size.bytes").Default(5 << 20).Check(config.Between(1, 2_000_000_000)).
		Doc("Bytes of a part of an upload, 5 MiB at least.")
	config.Millis(d, &c.backoff, "aws.s3.backoff.delay.ms").Default(100 * time.Millisecond).Check(config.AtLeast(time.Millisecond)).Doc("Pause before a request is tried again; it doubles each time.")
	config.Millis(d, &c.longestBackoff, "aws.s3.backoff.max.delay.ms").Default(20 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Longest pause before a request is tried again.")
	config.Int(d, &c.retries, "aws.s3.backoff.max.retries").Default(3).Check(config.Between(1, 30)).Doc("Number of times that a request is tried again at once, before the file is.")
	config.Millis(d, &c.kafkaWait, "kafka.retry.backoff.ms").Default(0).Check(config.Between(0, 24*time.Hour)).Doc("Pause before storing a file is tried again; retry.backoff.ms if it is 0.")
}

func (c *aivenConfig) describeFiles(d *config.Def) {
	config.String(d, &c.template, "file.name.template").Default("").Doc("Names of objects: text with {{topic}}, {{partition:padding=true|false}}, {{start_offset:padding=true|false}}, {{key}}, {{timestamp:unit=yyyy|MM|dd|HH}}. Without it, {{topic}}-{{partition}}-{{start_offset}} and the ends of Avro and of the compression.")
	config.EnumFold(d, &c.compression, "file.compression.type", "", "none", "gzip", "snappy", "zstd").Default("").Doc("Compression of files; gzip if there is none, and none in Parquet.")
	config.Int(d, &c.maxRecords, "file.max.records").Default(0).Check(config.AtLeast(0)).Doc("Number of records of a file at which all files of its Kafka partition end. 0: no limit.")
	config.String(d, &c.zone, "file.name.timestamp.timezone").Default("Z").Doc("Time zone of {{timestamp}}.")
	config.String(d, &c.source, "file.name.timestamp.source").Default("WALLCLOCK").Check(timeSource()).Doc("Source of {{timestamp}}: WALLCLOCK, or EVENT, the time of the record.")
}

func (c *aivenConfig) describeOutput(d *config.Def) {
	config.EnumFold(d, &c.output, "format.output.type", aivenCSV, aivenJSON, aivenJSONLines, aivenParquet, aivenAvro).Default(aivenCSV).Importance(config.Medium).Doc("Format of files.")
	config.List(d, &c.fields, "format.output.fields").Optional().Doc("Parts of records that are written: key, value, offset, timestamp, headers. Without it, the value.")
	config.EnumFold(d, &c.encoding, "format.output.fields.value.encoding", "base64", "none").Default("base64").Doc("Encoding of values in csv.")
	config.Bool(d, &c.envelope, "format.output.envelope").Default(true).Doc("Whether one part alone is within an object, too.")
	config.Enum(d, &c.own.Formats.AvroCodec, "avro.codec", "null", "deflate", "snappy", "bzip2", "zstandard").Default("null").Doc("Compression within Avro files. bzip2 is refused.")
	config.Bool(d, &c.own.Formats.EnhancedAvro, "enhanced.avro.schema.support").Default(false).Doc("Whether Avro schemas keep names, enumerations and the like.")
	config.Bool(d, &c.own.Formats.ConnectMetaData, "connect.meta.data").Default(true).Doc("Whether Avro schemas hold what only Connect knows.")
}

// aivenKeys are the names of our keys there.
var aivenKeys = map[string]string{
	"s3.bucket.name": "aws.s3.bucket.name", "s3.region": "aws.s3.region", "store.url": "aws.s3.endpoint", "s3.part.size": "aws.s3.part.size.bytes",
	"s3.credentials.provider.sts.role.arn": "aws.sts.role.arn", "s3.credentials.provider.class": "aws.credentials.provider", "s3.ssea.name": "aws.s3.sse.algorithm", "timezone": "file.name.timestamp.timezone",
}

// Check says what no single key can say.
func (c *aivenConfig) Check() error {
	_, err := c.complete()
	return err
}

// Probe looks whether the bucket can be reached.
func (c *aivenConfig) Probe(ctx context.Context) error {
	own, err := c.complete()
	if err != nil {
		return err
	}
	return config.RenameErrors(own.Probe(ctx), aivenKeys, "")
}

// outputs are the parts of records that are written.
func (c *aivenConfig) outputs() []string {
	switch {
	case len(c.fields) > 0:
		return lower(c.fields)
	case len(c.old.fields) > 0:
		return lower(c.old.fields)
	}
	return []string{"value"}
}

func lower(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = strings.ToLower(t)
	}
	return out
}

// complete returns what our sink understands.
func (c *aivenConfig) complete() (Config, error) {
	own := c.own.Config
	own.Bucket, own.Region = firstOf(c.bucket, c.old.bucket), firstOf(c.region, c.old.region, "us-east-1")
	own.URL = firstOf(own.URL, c.old.endpoint)
	own.Credentials.AccessKey = firstSecret(c.accessKey, c.old.accessKey).Reveal()
	own.Credentials.SecretKey = firstSecret(c.secretKey, c.old.secretKey)
	own.Credentials.Provider = c.provider
	own.Credentials.Session = firstOf(own.Credentials.Session, "connect")
	own.Credentials.Duration = time.Duration(c.sessionSeconds) * time.Second
	if c.stsEndpoint != "https://sts.amazonaws.com" {
		own.Credentials.Endpoint = c.stsEndpoint
	}
	own.PartSize = max(own.PartSize, 5<<20)
	own.PartRetries, own.Backoff, own.LongestBackoff = c.retries, c.backoff, c.longestBackoff
	if c.kafkaWait > 0 {
		own.RetryBackoff = c.kafkaWait
	}
	own.FileRecords = c.maxRecords
	own.ScheduleInterval, own.IdleInterval, own.RotateInterval = -1, -1, -1
	template, zone, source := c.names()
	own.FileTemplate, own.Timezone = template, zone
	if strings.EqualFold(source, "event") {
		own.Extractor = objectstore.RecordTime
	}
	return own, errors.Join(c.checkNeeded(&own), c.checkTemplate(template), c.checkOutput(), config.RenameErrors(own.Check(), aivenKeys, ""))
}

// names returns the template of names, without our formats' own ends, and where its times come from.
func (c *aivenConfig) names() (template, zone, source string) {
	end := c.pressed().Extension()
	switch {
	case c.output == aivenAvro:
		end = ".avro" + end
	case c.output == aivenParquet && c.compression == "snappy":
		end = ".snappy"
	case c.output == aivenParquet && c.compression == "":
		end = ""
	}
	if p := firstOf(c.prefix, c.old.prefix); p != "" {
		return p + "{{topic}}-{{partition}}-{{start_offset:padding=true}}" + end, c.old.zone, c.old.source
	}
	return firstOf(c.template, "{{topic}}-{{partition}}-{{start_offset}}"+end), c.zone, c.source
}

// pressed is the compression of whole files.
func (c *aivenConfig) pressed() format.Compression {
	return format.Compression{Type: format.CompressionType(firstOf(c.compression, c.old.compression, "gzip")), Level: format.DefaultLevel}
}

func (c *aivenConfig) checkNeeded(own *Config) error {
	var errs []error
	if own.Bucket == "" {
		errs = append(errs, &config.KeyError{Key: "aws.s3.bucket.name", Err: config.ErrMissing})
	}
	for key, fields := range map[string][]string{"format.output.fields": c.fields, "output_fields": c.old.fields} {
		for i, f := range lower(fields) {
			if !slices.Contains([]string{"key", "value", "offset", "timestamp", "headers"}, f) {
				errs = append(errs, keyError(key, strings.Join(fields, ","), "%q is none of key, value, offset, timestamp, headers", f))
			}
			if slices.Contains(lower(fields[:i]), f) {
				errs = append(errs, keyError(key, strings.Join(fields, ","), "%q occurs twice", f))
			}
		}
	}
	if !c.envelope && len(c.outputs()) != 1 {
		errs = append(errs, keyError("format.output.envelope", "false", "needs format.output.fields to have one part"))
	}
	return errors.Join(errs...)
}

// checkTemplate refuses names that would not tell files apart.
func (c *aivenConfig) checkTemplate(template string) error {
	key, text := "file.name.template", c.template
	if p := firstOf(c.prefix, c.old.prefix); p != "" {
		key, text = "aws.s3.prefix", p
	}
	for _, old := range []string{"utc_date", "local_date"} {
		if strings.Contains(text, old) {
			return keyError(key, text, "{{%s}} is not supported; want {{timestamp:unit=yyyy}}-{{timestamp:unit=MM}}-{{timestamp:unit=dd}}", old)
		}
	}
	found, err := objectstore.TemplateVariables(template)
	if err != nil {
		return keyError(key, text, "%w", err)
	}
	has := func(name string) bool { return slices.Contains(found, name) }
	if has("key") && !has("start_offset") {
		return keyError(key, text, "names by {{key}} without {{start_offset}}, whose files Aiven's connector replaces by each newer record of the key, are not supported: objects are created, never replaced")
	}
	for _, name := range []string{"topic", "partition", "start_offset"} {
		if !has(name) {
			return keyError(key, text, "has no {{%s}}, without which files of different records would have one name", name)
		}
	}
	for _, name := range []string{"value", "header"} {
		if has(name) {
			return keyError(key, text, "{{%s}} is not one of Aiven's variables: topic, partition, start_offset, timestamp, key", name)
		}
	}
	return nil
}

func (c *aivenConfig) checkOutput() error {
	if c.pressed().Type == format.Snappy && c.output != aivenParquet {
		return keyError("file.compression.type", "snappy", "is the format of Java's SnappyOutputStream, which is not supported; want gzip, zstd or none")
	}
	if c.output == aivenAvro && c.own.Formats.AvroCodec == "bzip2" {
		return keyError("avro.codec", "bzip2", "is not supported")
	}
	return nil
}

// format returns the format of files, which have no ends of their own: the template has them.
func (c *aivenConfig) format(own *Config) (format.Format, error) {
	var f format.Format
	var err error
	switch c.output {
	case aivenParquet:
		own.Formats.ParquetCodec = firstOf(c.compression, "none")
		f, err = own.Formats.Make(objectstore.ParquetFormat)
	case aivenAvro:
		if f, err = own.Formats.Make(objectstore.AvroFormat); err == nil {
			f, err = format.Compressed(f, c.pressed())
		}
	default:
		frame := format.Frame{Between: "\n"}
		if c.output == aivenJSON {
			frame = format.Frame{Begin: "[\n", Between: ",\n", End: "\n]"}
		}
		f, err = format.Bytes(format.BytesOptions{Compression: c.pressed(), Frame: &frame})
	}
	if err != nil {
		return nil, fmt.Errorf("format.output.type %s: %w", c.output, err)
	}
	return format.Named(f, ""), nil
}

// An aivenTask is an aivenConfig with the name of the connector.
type aivenTask struct {
	aivenConfig
	name string
}

// Describe declares the keys.
func (c *aivenTask) Describe(d *config.Def) {
	c.aivenConfig.Describe(d)
	config.String(d, &c.name, "name").Default("").Doc("Name of the connector.")
}

func newAivenTask(c aivenTask) (*objectstore.Task, error) {
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	return objectstore.NewTask(o)
}

func (c *aivenTask) options() (objectstore.Options, error) {
	own, err := c.complete()
	if err != nil {
		return objectstore.Options{}, err
	}
	f, err := c.format(&own)
	if err != nil {
		return objectstore.Options{}, err
	}
	o := taskOptions(own, c.name, f)
	o.ShapeNulls = true
	o.Shape, err = c.shape()
	return o, err
}
