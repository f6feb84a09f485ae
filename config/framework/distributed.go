package framework

import (
	"math"
	"slices"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/toperule"
)

// SourceSupport says how far a cluster is with exactly-once sources (KIP-618).
type SourceSupport string

// The stages, in the order in which a cluster is rolled through them.
const (
	SupportDisabled  SourceSupport = "disabled"
	SupportPreparing SourceSupport = "preparing"
	SupportEnabled   SourceSupport = "enabled"
)

// GroupProtocol is the newest group protocol that a worker offers.
type GroupProtocol string

// The protocols, oldest first.
const (
	ProtocolEager      GroupProtocol = "eager"
	ProtocolCompatible GroupProtocol = "compatible"
	ProtocolSessioned  GroupProtocol = "sessioned"
)

// DistributedConfig configures a distributed worker (Java's DistributedConfig).
type DistributedConfig struct {
	WorkerConfig

	GroupID           string
	SessionTimeout    time.Duration
	RebalanceTimeout  time.Duration
	HeartbeatInterval time.Duration
	ExactlyOnce       SourceSupport
	Client            ClientSettings
	SyncTimeout       time.Duration
	UnsyncBackoff     time.Duration
	OffsetStorage     StorageTopic
	ConfigStorage     StorageTopic
	StatusStorage     StorageTopic
	Protocol          GroupProtocol
	// RebalanceMaxDelay is how long the work of a lost worker waits for it.
	RebalanceMaxDelay time.Duration
	SessionKey        SessionKeyConfig
}

// StorageTopic is one of the three internal topics.
type StorageTopic struct {
	Topic             string
	Partitions        int   // -1: the broker's default, 0: one
	ReplicationFactor int16 // -1: the broker's default
	// Configs are settings of the topic when it is created. A cleanup.policy in
	// it is left out: internal topics are compacted.
	Configs config.Props
}

// SessionKeyConfig holds the keys of the signatures of requests between workers.
type SessionKeyConfig struct {
	TTL                    time.Duration
	GenerationAlgorithm    string
	Size                   int // in bits; 0: the algorithm's default
	SignatureAlgorithm     string
	VerificationAlgorithms []string
}

// ClientSettings hold the keys of the worker's own Kafka clients.
type ClientSettings struct {
	ClientID                      string
	MetadataMaxAge                time.Duration
	SendBuffer, ReceiveBuffer     int // bytes; -1: the system's
	ReconnectBackoff              time.Duration
	ReconnectBackoffMax           time.Duration
	ConnectionSetupTimeout        time.Duration
	ConnectionSetupTimeoutMax     time.Duration
	RetryBackoff, RetryBackoffMax time.Duration
	RequestTimeout                time.Duration
	ConnectionsMaxIdle            time.Duration
	SecurityProtocol              string
	SASL                          SASLConfig
	RecoveryStrategy              string
	RebootstrapTrigger            time.Duration
}

// Describe declares the keys in Kafka's order.
func (c *DistributedConfig) Describe(d *config.Def) {
	c.WorkerConfig.Describe(d)
	c.describeGroup(d)
	d.Prefix("", &c.Client)
	config.MillisInt(d, &c.SyncTimeout, "worker.sync.timeout.ms").Default(3 * time.Second).Importance(config.Medium).
		Doc("Milliseconds that a worker gets to catch up with the config topic before it leaves the group.")
	config.MillisInt(d, &c.UnsyncBackoff, "worker.unsync.backoff.ms").Default(5 * time.Minute).Importance(config.Medium).
		Doc("Milliseconds that a worker stays away when it failed to catch up.")
	c.describeStorage(d)
	config.Enum(d, &c.Protocol, "connect.protocol", ProtocolEager, ProtocolCompatible, ProtocolSessioned).Default(ProtocolSessioned).
		Doc("Newest group protocol to offer. The group runs on the newest that all its workers offer.")
	longest := time.Duration(math.MaxInt32) * time.Millisecond
	config.MillisInt(d, &c.RebalanceMaxDelay, "scheduled.rebalance.max.delay.ms").Default(5 * time.Minute).
		Check(config.Between(0, longest)).
		Doc("Milliseconds that the work of a lost worker waits for its return before others take it.")
	config.MillisInt(d, &c.SessionKey.TTL, "inter.worker.key.ttl.ms").Default(time.Hour).Check(config.Between(0, longest)).
		Doc("Milliseconds after which the session key is replaced.")
	c.SessionKey.describe(d)
	config.EnumFold(d, &c.Client.RecoveryStrategy, "metadata.recovery.strategy", "rebootstrap", "none").Default("rebootstrap").
		Doc("What a client does when it knows no broker that answers: start again with bootstrap.servers, or fail.")
	config.Millis(d, &c.Client.RebootstrapTrigger, "metadata.recovery.rebootstrap.trigger.ms").Default(5 * time.Minute).
		Check(config.AtLeast(time.Duration(0))).
		Doc("Milliseconds without metadata after which a client starts again with bootstrap.servers.")
}

func (c *DistributedConfig) describeGroup(d *config.Def) {
	config.String(d, &c.GroupID, "group.id").Importance(config.High).
		Doc("Name of the Connect cluster. No consumer group may have it.")
	config.MillisInt(d, &c.SessionTimeout, "session.timeout.ms").Default(10 * time.Second).Importance(config.High).
		Doc("Milliseconds without heartbeat after which a worker counts as lost.")
	config.MillisInt(d, &c.RebalanceTimeout, "rebalance.timeout.ms").Default(time.Minute).Importance(config.High).
		Doc("Milliseconds that workers get to stop what is taken from them and to join again.")
	config.MillisInt(d, &c.HeartbeatInterval, "heartbeat.interval.ms").Default(3 * time.Second).Importance(config.High).
		Doc("Milliseconds between heartbeats; less than a third of the session time-out.")
	config.EnumFold(d, &c.ExactlyOnce, "exactly.once.source.support", SupportDisabled, SupportEnabled, SupportPreparing).
		Default(SupportDisabled).Importance(config.High).
		Doc("Exactly-once for source connectors. To turn it on, roll all workers to preparing, then to enabled.")
}

func (c *DistributedConfig) describeStorage(d *config.Def) {
	topic := func(s *StorageTopic, what, holds string) {
		config.String(d, &s.Topic, what+".storage.topic").Importance(config.High).
			Doc("Topic that holds " + holds + ". It is created, compacted, if it does not exist.")
	}
	partitions := func(s *StorageTopic, what string, n int) {
		config.Int(d, &s.Partitions, what+".storage.partitions").Default(n).Check(partitionCount()).
			Doc("Partitions of that topic when it is created. -1: the broker's default.")
	}
	factor := func(s *StorageTopic, what string) {
		config.Short(d, &s.ReplicationFactor, what+".storage.replication.factor").Default(3).Check(replicas()).
			Doc("Replication factor of that topic when it is created. -1: the broker's default.")
		config.Map(d, &s.Configs, what+".storage.", "Settings of that topic when it is created.")
	}
	topic(&c.OffsetStorage, "offset", "the offsets of source connectors")
	partitions(&c.OffsetStorage, "offset", 25)
	factor(&c.OffsetStorage, "offset")
	topic(&c.ConfigStorage, "config", "the configurations of connectors and tasks")
	factor(&c.ConfigStorage, "config")
	topic(&c.StatusStorage, "status", "the statuses of connectors and tasks")
	partitions(&c.StatusStorage, "status", 5)
	factor(&c.StatusStorage, "status")
	d.Dynamic(func(d *config.Def) {
		if d.Has("config.storage.partitions") {
			config.String(d, new(string), "config.storage.partitions").Optional().Ignored("the config topic has one partition.").
				Doc("Partitions of the config topic.")
		}
	})
}

// Creation returns how the topic is created: compacted, whatever its settings
// say.
func (s StorageTopic) Creation() toperule.Topic {
	configs := s.Configs.Clone()
	configs["cleanup.policy"] = "compact"
	partitions := s.Partitions
	if partitions == 0 {
		partitions = 1
	}
	return toperule.Topic{Name: s.Topic, Partitions: int32(partitions), ReplicationFactor: s.ReplicationFactor, Configs: configs}
}

// Check makes sure that the worker can verify its own signatures.
func (c *DistributedConfig) Check() error {
	k := c.SessionKey
	if k.SignatureAlgorithm != "" && len(k.VerificationAlgorithms) > 0 && !slices.Contains(k.VerificationAlgorithms, k.SignatureAlgorithm) {
		return config.Errorf("inter.worker.signature.algorithm", "Signature algorithm must be present in inter.worker.verification.algorithms list")
	}
	return nil
}

// macs are the algorithms that session keys can be used with.
var macs = []string{"HmacSHA1", "HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512"}

func knownMAC(doc string) config.Check[string] {
	oneOf := config.OneOf(macs...)
	return config.CheckFunc(doc, func(v string) error { return oneOf.Test(v) })
}

func (k *SessionKeyConfig) describe(d *config.Def) {
	config.String(d, &k.GenerationAlgorithm, "inter.worker.key.generation.algorithm").Default("HmacSHA256").
		Check(knownMAC("Any KeyGenerator algorithm supported by the worker JVM")).
		Doc("Algorithm that session keys are made for.")
	config.Int(d, &k.Size, "inter.worker.key.size").Optional().
		Doc("Bits of a session key. The size of the algorithm, if left out.")
	config.String(d, &k.SignatureAlgorithm, "inter.worker.signature.algorithm").Default("HmacSHA256").
		Check(knownMAC("Any MAC algorithm supported by the worker JVM")).
		Doc("Algorithm that signs requests to other workers.")
	config.List(d, &k.VerificationAlgorithms, "inter.worker.verification.algorithms").Default([]string{"HmacSHA256"}).
		Check(config.NonEmptyList(), config.Each(knownMAC(""))).
		Doc("Algorithms that are accepted on requests from other workers.")
}

// Describe declares the keys in Kafka's order, save those at its end.
func (c *ClientSettings) Describe(d *config.Def) {
	millis := func(p *time.Duration, key string, def time.Duration, doc string) *config.Key[time.Duration] {
		return config.Millis(d, p, key).Default(def).Check(config.AtLeast(time.Duration(0))).Doc(doc)
	}
	millis(&c.MetadataMaxAge, "metadata.max.age.ms", 5*time.Minute, "Milliseconds after which metadata is fetched again.")
	config.String(d, &c.ClientID, "client.id").Default("").Doc("Part of the ids of the worker's own clients.")
	config.Int(d, &c.SendBuffer, "send.buffer.bytes").Default(131072).Check(config.AtLeast(-1)).Importance(config.Medium).
		Doc("Bytes of the TCP send buffer. -1: the system's default.")
	config.Int(d, &c.ReceiveBuffer, "receive.buffer.bytes").Default(32768).Check(config.AtLeast(-1)).Importance(config.Medium).
		Doc("Bytes of the TCP receive buffer. -1: the system's default.")
	millis(&c.ReconnectBackoff, "reconnect.backoff.ms", 50*time.Millisecond, "Milliseconds before a broker is connected again; they double.")
	millis(&c.ReconnectBackoffMax, "reconnect.backoff.max.ms", time.Second, "Limit of that pause.")
	millis(&c.ConnectionSetupTimeout, "socket.connection.setup.timeout.ms", 10*time.Second, "Milliseconds to connect to a broker; they double.")
	millis(&c.ConnectionSetupTimeoutMax, "socket.connection.setup.timeout.max.ms", 30*time.Second, "Limit of that time.")
	millis(&c.RetryBackoff, "retry.backoff.ms", 100*time.Millisecond, "Milliseconds before a failed request is repeated; they double.")
	millis(&c.RetryBackoffMax, "retry.backoff.max.ms", time.Second, "Limit of that pause.")
	config.MillisInt(d, &c.RequestTimeout, "request.timeout.ms").Default(40 * time.Second).Check(config.AtLeast(time.Duration(0))).
		Importance(config.Medium).Doc("Milliseconds to wait for the answer to a request.")
	config.Millis(d, &c.ConnectionsMaxIdle, "connections.max.idle.ms").Default(9 * time.Minute).Importance(config.Medium).
		Doc("Milliseconds after which an idle connection is closed.")
	config.EnumFold(d, &c.SecurityProtocol, "security.protocol", "SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT").
		Default("PLAINTEXT").Importance(config.Medium).Doc("Protocol to talk to brokers.")
	d.Prefix("", &c.SASL)
}
