package framework

import "github.com/streamlane/connect/config"

// A client is a kind of Kafka client, by the prefix of its overrides.
type client string

// clientTypes are the types of the client settings that are no texts. Kafka
// Connect reads the overrides of a connector by them when it validates it, and
// leaves everything else about them to the clients.
var clientTypes = map[config.Type]map[client][]string{
	config.TypeBoolean: {
		"": {"enable.metrics.push", "sasl.oauthbearer.header.urlencode"},
		ProducerOverridePrefix: {
			"enable.idempotence", "partitioner.adaptive.partitioning.enable", "partitioner.ignore.keys", "partitioner.rack.aware",
			"transaction.two.phase.commit.enable",
		},
		ConsumerOverridePrefix: {"allow.auto.create.topics", "check.crcs", "enable.auto.commit", "exclude.internal.topics"},
	},
	config.TypeShort: {
		"": {"sasl.login.refresh.buffer.seconds", "sasl.login.refresh.min.period.seconds"},
	},
	config.TypeInt: {
		"": {
			"metrics.num.samples", "receive.buffer.bytes", "request.timeout.ms", "sasl.login.connect.timeout.ms", "sasl.login.read.timeout.ms",
			"sasl.oauthbearer.clock.skew.seconds", "send.buffer.bytes",
		},
		ProducerOverridePrefix: {
			"batch.size", "compression.gzip.level", "compression.lz4.level", "compression.zstd.level", "delivery.timeout.ms",
			"max.in.flight.requests.per.connection", "max.request.size", "retries", "transaction.timeout.ms",
		},
		ConsumerOverridePrefix: {
			"auto.commit.interval.ms", "default.api.timeout.ms", "fetch.max.bytes", "fetch.max.wait.ms", "fetch.min.bytes", "heartbeat.interval.ms",
			"max.partition.fetch.bytes", "max.poll.interval.ms", "max.poll.records", "session.timeout.ms",
		},
		AdminOverridePrefix: {"default.api.timeout.ms", "retries"},
	},
	config.TypeLong: {
		"": {
			"connections.max.idle.ms", "metadata.max.age.ms", "metadata.recovery.rebootstrap.trigger.ms", "metrics.sample.window.ms",
			"reconnect.backoff.max.ms", "reconnect.backoff.ms", "retry.backoff.max.ms", "retry.backoff.ms", "sasl.kerberos.min.time.before.relogin",
			"sasl.login.retry.backoff.max.ms", "sasl.login.retry.backoff.ms", "sasl.oauthbearer.jwks.endpoint.refresh.ms",
			"sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
			"socket.connection.setup.timeout.max.ms", "socket.connection.setup.timeout.ms",
		},
		ProducerOverridePrefix: {"buffer.memory", "linger.ms", "max.block.ms", "metadata.max.idle.ms", "partitioner.availability.timeout.ms"},
	},
	config.TypeDouble: {
		"": {
			"sasl.kerberos.ticket.renew.jitter", "sasl.kerberos.ticket.renew.window.factor", "sasl.login.refresh.window.factor",
			"sasl.login.refresh.window.jitter",
		},
	},
}

// ClientType returns the type of a client's setting, by the prefix of overrides
// of such clients: ProducerOverridePrefix, ConsumerOverridePrefix or
// AdminOverridePrefix. It is TypeString for all settings that are no number and no
// boolean.
func ClientType(prefix, key string) config.Type {
	for t, of := range clientTypes {
		for _, c := range []client{"", client(prefix)} {
			for _, name := range of[c] {
				if name == key {
					return t
				}
			}
		}
	}
	return config.TypeString
}
