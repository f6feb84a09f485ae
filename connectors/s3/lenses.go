package s3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

func lensesPlugin() connect.Plugin {
	const java = "io.lenses.streamreactor.connect.aws.s3.sink."
	return connect.Sink(connect.Info{
		Class: "LensesS3Sink", Version: version, Doc: "S3Sink with the keys of Lenses' connector.",
		StandsFor: []connect.JavaClass{{Class: java + "S3SinkConnector", Task: java + "S3SinkTask"}},
	}, func(c lensesConfig) (*objectstore.Connector[lensesTask], error) {
		return objectstore.NewConnector(func(name string) lensesTask { return lensesTask{c, name} }), nil
	}, newLensesTask)
}

// lensesConfig has the keys of Lenses' connector. In own are those that have a meaning of their own in Config.
type lensesConfig struct {
	own ownConfig

	kcql                 string
	accessKey, secretKey config.Secret
	mode                 string
	vhost                bool
	pathStyle            string
	retryInterval        time.Duration
	errorPolicy          string
	codec                string
	level                int
	noFlushCount         bool
	padding              string
	paddingLength        int
	skipNull             bool

	ignored struct {
		n    int
		flag bool
		text string
	}
}

// Describe declares the keys.
func (c *lensesConfig) Describe(d *config.Def) {
	c.own.describe(d)
	config.String(d, &c.kcql, "connect.s3.kcql").Importance(config.High).Check(config.NonEmpty()).
		Doc("What goes where, statements separated by semicolons: INSERT INTO bucket:prefix SELECT * FROM topic PARTITIONBY ... STOREAS `JSON` PROPERTIES('flush.count'=5000).")
	config.String(d, &c.own.Timezone, "timezone").Optional().Doc("Time zone of _date in PARTITIONBY, such as Europe/Berlin. UTC if there is none; Lenses' is that of its host.")
	c.describeStore(d)
	c.describeFiles(d)
	c.describeFailures(d)
	c.describeIgnored(d)
}

func (c *lensesConfig) describeStore(d *config.Def) {
	config.String(d, &c.own.Region, "connect.s3.aws.region").Default("").Importance(config.High).Doc("Region of the buckets; us-east-1 if there is none.")
	config.Password(d, &c.accessKey, "connect.s3.aws.access.key").Default(config.Secret{}).Importance(config.High).Doc("Access key, for connect.s3.aws.auth.mode=Credentials.")
	config.Password(d, &c.secretKey, "connect.s3.aws.secret.key").Default(config.Secret{}).Importance(config.High).Doc("Secret of the access key.")
	config.EnumFold(d, &c.mode, "connect.s3.aws.auth.mode", "Default", "Credentials").Default("Default").Importance(config.High).Doc("Default: AWS's chain. Credentials: the access key given.")
	config.String(d, &c.own.URL, "connect.s3.custom.endpoint").Optional().Check(config.CheckFunc("URL with http or https", checkURL)).
		Doc("URL of a store that speaks S3. Without it, that of AWS in the region.")
	config.Bool(d, &c.vhost, "connect.s3.vhost.bucket").Default(false).Deprecated("connect.s3.path.style.access").Doc("Whether the bucket is in the name of the host.")
	config.EnumFold(d, &c.pathStyle, "connect.s3.path.style.access", "", "true", "false").Default("").Doc("Whether the bucket is in the path of URLs.")
	config.Int(d, &c.own.PartRetries, "connect.s3.http.max.retries").Default(5).Check(config.AtLeast(0)).Importance(config.Medium).Doc("Number of times that a request is tried again at once, before the file is.")
	config.Millis(d, &c.own.Backoff, "connect.s3.http.retry.interval").Default(50 * time.Millisecond).Check(config.AtLeast[time.Duration](0)).Importance(config.Medium).Doc("Pause before the first of these; it doubles each time.")
	config.Millis(d, &c.own.Timeout, "connect.s3.http.socket.timeout").Default(time.Minute).Check(config.AtLeast(time.Millisecond)).Doc("Time for one request, with what it sends, before it counts as failed.")
}

func (c *lensesConfig) describeFiles(d *config.Def) {
	config.EnumFold(d, &c.codec, "connect.s3.compression.codec", "UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "BZIP2", "ZSTD", "DEFLATE", "XZ").Default("UNCOMPRESSED").
		Doc("Compression: GZIP for JSON; DEFLATE, SNAPPY, ZSTD for Avro; SNAPPY, GZIP, BROTLI, ZSTD for Parquet.")
	config.Int(d, &c.level, "connect.s3.compression.level").Default(-1).Doc("Level of GZIP for JSON; -1 is its default. Others have theirs.")
	config.Bool(d, &c.noFlushCount, "connect.s3.disable.flush.count").Default(false).Doc("Whether the number of records does not end files.")
	config.String(d, &c.own.TempDir, "connect.s3.local.tmp.directory").Default("").Doc("Folder for temporary files, as temp.dir.")
	config.EnumFold(d, &c.padding, "connect.s3.padding.strategy", "", "LeftPad", "RightPad", "NoOp").Default("").Doc("How offsets in names are padded with zeros; padding.type in KCQL does it, too.")
	config.Int(d, &c.paddingLength, "connect.s3.padding.length").Default(-1).Check(config.AtMost(255)).Doc("Width of padded offsets, with connect.s3.padding.strategy; -1 is 12.")
	config.Bool(d, &c.skipNull, "connect.s3.skip.null.values").Default(false).Doc("Whether records without a value are left out. Otherwise they are reported, and fail the task unless errors.tolerance=all. In an envelope they are written.")
}

func (c *lensesConfig) describeFailures(d *config.Def) {
	config.EnumFold(d, &c.errorPolicy, "connect.s3.error.policy", "THROW", "RETRY", "NOOP").Default("THROW").Check(config.Supported("THROW", "RETRY")).
		Doc("THROW and RETRY are the same here: the store is tried again until it answers. NOOP, which loses records, is refused: see errors.tolerance.")
	config.Millis(d, &c.retryInterval, "connect.s3.retry.interval").Default(time.Minute).Check(config.AtLeast(time.Millisecond)).
		Doc("Longest pause before storing a file is tried again; with less than retry.backoff.ms, every pause.")
}

// describeIgnored declares keys that change nothing of what is delivered.
func (c *lensesConfig) describeIgnored(d *config.Def) {
	x := &c.ignored
	no := func(key, why string) {
		config.String(d, &x.text, key).Default("").Ignored(why).Doc("No effect.")
	}
	no("connect.s3.max.retries", "the store is tried again until it answers")
	no("connect.s3.http.connection.timeout", "connect.s3.http.socket.timeout bounds requests")
	no("connect.s3.pool.max.connections", "there are as many connections as uploads")
	no("connect.s3.delete.mode", "nothing is deleted")
	no("connect.s3.log.metrics", "see the metrics of the task")
	no("connect.s3.schema.change.detector", "each change of the schema ends a file")
	no("connect.s3.exactly.once.enable", "each record is in exactly one object")
	for _, key := range []string{"indexes.name", "indexes.max.files", "indexes.gc.interval.seconds", "indexes.gc.batch.size", "indexes.gc.sweep.enabled",
		"indexes.gc.sweep.interval.seconds", "indexes.gc.sweep.min.age.seconds", "indexes.gc.sweep.max.reads"} {
		no("connect.s3."+key, "offsets are in the metadata of objects, there are no indexes")
	}
	config.String(d, &x.text, "connect.s3.latest.schema.optimization.enabled").Default("false").Check(config.Supported("false")).
		Doc("Whether older records are written by the newest schema, which is not supported.")
}

// lensesKeys are the names of our keys there.
var lensesKeys = map[string]string{
	"s3.bucket.name": "connect.s3.kcql", "s3.region": "connect.s3.aws.region", "store.url": "connect.s3.custom.endpoint",
	"aws.access.key.id": "connect.s3.aws.access.key", "s3.credentials.provider.class": "connect.s3.aws.auth.mode", "s3.wan.mode": "connect.s3.path.style.access",
	"parquet.codec": "connect.s3.compression.codec", "avro.codec": "connect.s3.compression.codec", "compression.level": "connect.s3.compression.level",
}

// Check says what no single key can say.
func (c *lensesConfig) Check() error {
	if c.kcql == "" {
		return nil // said beside the key
	}
	_, err := c.routes()
	return err
}

// Probe looks whether the buckets can be reached.
func (c *lensesConfig) Probe(ctx context.Context) error {
	routes, err := c.routes()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	var errs []error
	for _, r := range routes {
		if !seen[r.config.Bucket] {
			seen[r.config.Bucket] = true
			errs = append(errs, config.RenameErrors(r.config.Probe(ctx), lensesKeys, ""))
		}
	}
	return errors.Join(errs...)
}

// base returns what is the same for all statements.
func (c *lensesConfig) base() Config {
	own := c.own.Config
	own.Region = firstOf(own.Region, "us-east-1")
	own.PathStyle = c.pathStyle == "true" || c.pathStyle == "" && !c.vhost
	if c.mode == "Credentials" {
		own.Credentials.AccessKey, own.Credentials.SecretKey = c.accessKey.Reveal(), c.secretKey
	}
	own.RetryBackoff = min(own.RetryBackoff, c.retryInterval)
	own.PartSize = 25 << 20
	own.Extractor, own.FileMissing = objectstore.RecordTime, "[missing]"
	own.ScheduleInterval, own.IdleInterval, own.RotateInterval = -1, -1, -1
	if c.skipNull {
		own.NullValues = objectstore.IgnoreNull
	}
	return own
}

func (c *lensesConfig) checkMode() error {
	if c.mode == "Credentials" && (c.accessKey.IsZero() || c.secretKey.IsZero()) {
		return keyError("connect.s3.aws.access.key", "", "goes with connect.s3.aws.secret.key, both of which connect.s3.aws.auth.mode=Credentials needs")
	}
	return nil
}

// A lensesTask is a lensesConfig with the name of the connector.
type lensesTask struct {
	lensesConfig
	name string
}

// Describe declares the keys.
func (c *lensesTask) Describe(d *config.Def) {
	c.lensesConfig.Describe(d)
	config.String(d, &c.name, "name").Default("").Doc("Name of the connector.")
}

// newLensesTask makes a task for each statement, which share the memory.
func newLensesTask(c lensesTask) (*routedTask, error) {
	routes, err := c.routes()
	if err != nil {
		return nil, err
	}
	t := &routedTask{key: "connect.s3.kcql"}
	for _, r := range routes {
		o, err := r.options(c.name, len(routes))
		if err != nil {
			return nil, err
		}
		task, err := objectstore.NewTask(o)
		if err != nil {
			return nil, err
		}
		t.routes = append(t.routes, routedTopic{r.topic, task})
	}
	return t, nil
}

// options are those of a statement's task, one of many.
func (r *lensesRoute) options(name string, many int) (objectstore.Options, error) {
	f, err := r.format()
	if err != nil {
		return objectstore.Options{}, fmt.Errorf("STOREAS %s: %w", r.stored, err)
	}
	r.config.Memory = max(r.config.Memory/int64(many), 1<<20)
	o := taskOptions(r.config, name, f)
	o.Shape, o.ShapeNulls = r.shape, r.enveloped
	return o, nil
}
