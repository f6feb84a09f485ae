package kafka

import (
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javatls"
)

// settings are the keys of one client, decoded. Which are bound depends on its
// kind; defaults are those of Java's client of that kind, as Connect uses it.
type settings struct {
	kind     Clients
	conn     connSettings
	tls      javatls.Settings
	sasl     saslSettings
	producer producerSettings
	consumer consumerSettings
	clientID string
	rack     string
	apiLimit time.Duration // default.api.timeout.ms
	retries  int32
}

// forever is Java's largest int, its way to say without end.
const forever = math.MaxInt32

// unending is forever as a duration in milliseconds.
const unending = forever * time.Millisecond

// Describe binds the keys of the client's kind.
func (s *settings) Describe(d *config.Def) {
	config.String(d, &s.clientID, "client.id").Default("").Doc("Name under which brokers know the client.")
	s.conn.kind = s.kind
	s.conn.describe(d)
	s.tls.Describe(d)
	s.sasl.describe(d)
	if s.kind != AdminClient {
		config.String(d, &s.rack, "client.rack").Default("").Doc("Rack of the client.")
	}
	if s.kind != ProducerClient {
		config.MillisInt(d, &s.apiLimit, "default.api.timeout.ms").Default(time.Minute).
			Check(config.AtLeast(time.Duration(0))).Doc("Time limit of one call.")
	}
	if s.kind != ConsumerClient {
		config.Int32(d, &s.retries, "retries").Default(forever).Check(config.AtLeast(int32(0))).Doc("Attempts after the first.")
	}
	switch s.kind {
	case ProducerClient:
		s.producer.describe(d)
	case ConsumerClient:
		s.consumer.describe(d)
	}
}

// Check says what no single key can say.
func (s *settings) Check() error {
	errs := []error{s.sasl.check(s.conn.protocol)}
	if s.conn.protocol.tls() {
		errs = append(errs, s.tls.Consistent())
	}
	if s.kind == ProducerClient {
		errs = append(errs, s.producer.check(s.retries))
	}
	return errors.Join(errs...)
}

// connSettings are the keys of connections, common to all clients.
type connSettings struct {
	kind        Clients
	bootstrap   []string
	protocol    securityProtocol
	idle        time.Duration
	metadataAge time.Duration
	receive     int
	send        int
	request     time.Duration
	backoff     time.Duration
	backoffMax  time.Duration
	setup       time.Duration
	pushMetrics bool
}

func (c *connSettings) describe(d *config.Def) {
	idle := 9 * time.Minute
	if c.kind == AdminClient {
		idle = 5 * time.Minute
	}
	zero := config.AtLeast(time.Duration(0))
	config.List(d, &c.bootstrap, "bootstrap.servers").Default([]string{"localhost:9092"}).
		Check(config.NonEmptyList(), config.Each(address)).Importance(config.High).Doc("Brokers to start from.")
	config.EnumFold(d, &c.protocol, "security.protocol", plaintext, overTLS, saslPlaintext, saslTLS).
		Default(plaintext).Doc("How to talk to brokers.")
	config.Millis(d, &c.idle, "connections.max.idle.ms").Default(idle).Doc("Connections are closed after so long without use.")
	config.Millis(d, &c.metadataAge, "metadata.max.age.ms").Default(5 * time.Minute).Check(zero).Doc("Age at which metadata is fetched anew.")
	config.Int(d, &c.receive, "receive.buffer.bytes").Default(-1).Check(config.AtLeast(-1)).Doc("SO_RCVBUF; -1: the system's.")
	config.Int(d, &c.send, "send.buffer.bytes").Default(-1).Check(config.AtLeast(-1)).Doc("SO_SNDBUF; -1: the system's.")
	config.MillisInt(d, &c.request, "request.timeout.ms").Default(30 * time.Second).Check(zero).Doc("Time limit of a request.")
	config.Millis(d, &c.backoff, "retry.backoff.ms").Default(100 * time.Millisecond).Check(zero).Doc("First pause after a failure.")
	config.Millis(d, &c.backoffMax, "retry.backoff.max.ms").Default(time.Second).Check(zero).Doc("Longest pause after a failure.")
	config.Millis(d, &c.setup, "socket.connection.setup.timeout.ms").Default(10 * time.Second).Check(zero).Doc("Time limit to connect.")
	config.Bool(d, &c.pushMetrics, "enable.metrics.push").Default(true).Doc("Send client metrics to brokers that ask for them.")
}

// address checks that a bootstrap server is host:port, with the message of
// Java's ClientUtils.
var address = config.CheckFunc("host:port", func(s string) error {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 || i == len(s)-1 || strings.Trim(s[i+1:], "0123456789") != "" {
		return errors.New("Invalid url in bootstrap.servers: " + s) //nolint:staticcheck // Java's words
	}
	return nil
})

// producerSettings are the keys of producers.
type producerSettings struct {
	acks             string
	batch            int
	buffer           int64
	compression      string
	gzip, lz4, zstd  int
	delivery         time.Duration
	idempotence      bool
	idempotenceGiven bool
	linger           time.Duration
	block            time.Duration
	inFlight         int
	maxRequest       int
	partitioner      string
	adaptive         bool
	ignoreKeys       bool
	rackAware        bool
	txnTimeout       time.Duration
	txnID            string
}

func (p *producerSettings) describe(d *config.Def) {
	zero := config.AtLeast(time.Duration(0))
	config.String(d, &p.acks, "acks").Default("all").Check(config.OneOf("all", "-1", "0", "1")).Doc("Acknowledgements to wait for.")
	config.Int(d, &p.batch, "batch.size").Default(16384).Check(config.AtLeast(0)).Doc("Bytes that records without key stay on one partition.")
	config.Size(d, &p.buffer, "buffer.memory").Default(32 << 20).Check(config.AtLeast(int64(0))).Doc("Bytes under way.")
	config.String(d, &p.compression, "compression.type").Default("none").
		Check(config.OneOf("none", "gzip", "snappy", "lz4", "zstd")).Doc("Compression of batches.")
	config.Int(d, &p.gzip, "compression.gzip.level").Default(-1).Check(gzipLevel).Doc("1 to 9, or -1.")
	config.Int(d, &p.lz4, "compression.lz4.level").Default(9).Check(config.Between(1, 17)).Doc("1 to 17.")
	config.Int(d, &p.zstd, "compression.zstd.level").Default(3).Check(config.Between(-131072, 22)).Doc("-131072 to 22.")
	config.MillisInt(d, &p.delivery, "delivery.timeout.ms").Default(2 * time.Minute).Check(zero).Doc("Time limit from Send to ack.")
	config.Bool(d, &p.idempotence, "enable.idempotence").Default(true).Given(&p.idempotenceGiven).Doc("Store each record once.")
	config.Millis(d, &p.linger, "linger.ms").Default(5 * time.Millisecond).Check(zero).Doc("Time to wait for more records.")
	config.Millis(d, &p.block, "max.block.ms").Default(time.Minute).Check(zero).Doc("Time that Send may block.")
	config.Int(d, &p.inFlight, "max.in.flight.requests.per.connection").Default(5).Check(config.AtLeast(1)).Doc("Requests under way.")
	config.Int(d, &p.maxRequest, "max.request.size").Default(1 << 20).Check(config.AtLeast(0)).Doc("Largest record and batch.")
	config.Class(d, &p.partitioner, "partitioner.class").Default("").Check(partitionerClass).Doc("Partitioner.")
	config.Bool(d, &p.adaptive, "partitioner.adaptive.partitioning.enable").Default(true).Doc("Prefer fast partitions.")
	config.Bool(d, &p.ignoreKeys, "partitioner.ignore.keys").Default(false).Doc("Spread records with keys, too.")
	config.Bool(d, &p.rackAware, "partitioner.rack.aware").Default(false).Doc("Prefer leaders in client.rack.")
	config.MillisInt(d, &p.txnTimeout, "transaction.timeout.ms").Default(time.Minute).Check(config.AtLeast(time.Millisecond)).Doc("Time limit of a transaction.")
	config.String(d, &p.txnID, "transactional.id").Default("").Doc("Makes the producer transactional.")
}

// gzipLevel accepts what Java's GzipCompression does.
var gzipLevel = config.CheckFunc("1 to 9, or -1", func(n int) error {
	if n != -1 && (n < 1 || n > 9) {
		return errors.New("Value must be between 1 and 9 or equal to -1") //nolint:staticcheck // Java's words
	}
	return nil
})

// roundRobin is the only partitioner of Java's that can be asked for by name.
const roundRobin = "org.apache.kafka.clients.producer.RoundRobinPartitioner"

var partitionerClass = config.CheckFunc("empty or "+roundRobin, func(s string) error {
	if s == "" || s == roundRobin || s == "RoundRobinPartitioner" {
		return nil
	}
	return errors.New("classes cannot be loaded here; leave it out (murmur2 of the key, else sticky) or use " + roundRobin)
})

// check applies the rules of Java's ProducerConfig on idempotence, in its words.
func (p *producerSettings) check(retries int32) error {
	var key, text string
	switch {
	case !p.idempotence:
	case !p.allAcks():
		key, text = "acks", "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence."
	case retries == 0:
		key, text = "retries", "Must set retries to non-zero when using the idempotent producer."
	case p.inFlight > 5:
		key, text = "max.in.flight.requests.per.connection", "Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer."
	}
	switch {
	case text != "" && (p.idempotenceGiven || p.txnID != ""):
		return config.Errorf(key, "%s", text)
	case text != "":
		p.idempotence = false
	case !p.idempotence && p.txnID != "":
		return config.Errorf("enable.idempotence", "Cannot set a transactional.id without also enabling idempotence.")
	}
	return nil
}

func (p *producerSettings) allAcks() bool { return p.acks == "all" || p.acks == "-1" }

// consumerSettings are the keys of consumers.
type consumerSettings struct {
	group        string
	instance     string
	reset        string
	isolation    string
	autoCreate   bool
	checkCRCs    bool
	skipInternal bool
	fetchMax     int
	fetchWait    time.Duration
	fetchMin     int
	partitionMax int
	heartbeat    time.Duration
	session      time.Duration
	pollInterval time.Duration
	pollRecords  int
	assignors    []string
}

func (c *consumerSettings) describe(d *config.Def) {
	zero := config.AtLeast(time.Duration(0))
	config.String(d, &c.group, "group.id").Default("").Doc("Group to join.")
	config.String(d, &c.instance, "group.instance.id").Default("").Doc("Name of a static member.")
	config.String(d, &c.reset, "auto.offset.reset").Default("earliest").Check(resetPolicy).Doc("Where to start without an offset.")
	config.String(d, &c.isolation, "isolation.level").Default("read_uncommitted").
		Check(config.OneOf("read_committed", "read_uncommitted")).Doc("Whether to see records of open and aborted transactions.")
	config.Bool(d, &c.autoCreate, "allow.auto.create.topics").Default(true).Doc("Let brokers create topics that are subscribed to.")
	config.Bool(d, &c.checkCRCs, "check.crcs").Default(true).Doc("Check records for damage.")
	config.Bool(d, &c.skipInternal, "exclude.internal.topics").Default(true).Doc("Match no topics of the brokers' own.")
	config.Int(d, &c.fetchMax, "fetch.max.bytes").Default(50 << 20).Check(config.AtLeast(0)).Doc("Bytes of one fetch.")
	config.MillisInt(d, &c.fetchWait, "fetch.max.wait.ms").Default(500 * time.Millisecond).Check(zero).Doc("Time that a broker waits for fetch.min.bytes.")
	config.Int(d, &c.fetchMin, "fetch.min.bytes").Default(1).Check(config.AtLeast(0)).Doc("Bytes worth an answer.")
	config.Int(d, &c.partitionMax, "max.partition.fetch.bytes").Default(1 << 20).Check(config.AtLeast(0)).Doc("Bytes of one partition in a fetch.")
	config.MillisInt(d, &c.heartbeat, "heartbeat.interval.ms").Default(3 * time.Second).Doc("Time between heartbeats.")
	config.MillisInt(d, &c.session, "session.timeout.ms").Default(45 * time.Second).Doc("Time after which a silent member is put out.")
	config.MillisInt(d, &c.pollInterval, "max.poll.interval.ms").Default(5 * time.Minute).Check(config.AtLeast(time.Millisecond)).Doc("Longest time between polls.")
	config.Int(d, &c.pollRecords, "max.poll.records").Default(500).Check(config.AtLeast(1)).Doc("Most records of a poll.")
	config.List(d, &c.assignors, "partition.assignment.strategy").Default([]string{"RangeAssignor", "CooperativeStickyAssignor"}).
		Check(config.NonEmptyList(), config.Each(assignorClass)).Doc("Assignors, the preferred one first.")
}

const assignorPackage = "org.apache.kafka.clients.consumer."

var assignorClass = config.CheckFunc("an assignor of Kafka", func(s string) error {
	name := strings.TrimPrefix(s, assignorPackage)
	if slices.Contains([]string{"RangeAssignor", "RoundRobinAssignor", "StickyAssignor", "CooperativeStickyAssignor"}, name) {
		return nil
	}
	return errors.New("classes cannot be loaded here; allowed are RangeAssignor, RoundRobinAssignor, StickyAssignor and CooperativeStickyAssignor of " +
		strings.TrimSuffix(assignorPackage, "."))
})

var resetPolicy = config.CheckFunc("earliest, latest, none or by_duration:<ISO 8601>", func(s string) error {
	_, err := parseReset(s)
	return err
})
