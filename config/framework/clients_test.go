package framework_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

func clients() framework.Clients {
	return framework.Clients{
		Worker: minimal(config.Props{"ssl.protocol": "TLSv1.2", "security.protocol": "SSL", "session.timeout.ms": "1", "plugin.path": "/p",
			"retry.backoff.ms": "7", "client.id": "w", "key.converter.schemas.enable": "true", "listeners": "http://:1", "custom.setting": "c"}),
		Connector: config.Props{"name": "n"}, Name: "n", Task: 2, ClusterID: "k", GroupID: "g",
	}
}

func TestSourceProducer(t *testing.T) {
	c := clients()
	base := config.Props{
		"bootstrap.servers": "localhost:9092", "max.block.ms": "9223372036854775807", "enable.idempotence": "false", "acks": "all",
		"max.in.flight.requests.per.connection": "1", "delivery.timeout.ms": "2147483647", "client.id": "connector-producer-n-2",
		"metrics.context.connect.kafka.cluster.id": "k", "metrics.context.connect.group.id": "g",
	}
	assert.Equal(t, framework.ClientProps{Props: base}, c.SourceProducer())

	c.Worker = c.Worker.Merge(config.Props{"producer.acks": "1", "producer.linger.ms": "5", "producer.bootstrap.servers": "p:1"})
	c.Connector = config.Props{"producer.override.linger.ms": "9", "producer.override.client.id": "mine", "consumer.override.x": "no"}
	assert.Equal(t, base.Merge(config.Props{"acks": "1", "linger.ms": "9", "bootstrap.servers": "p:1", "client.id": "mine"}), c.SourceProducer().Props)

	c.Task = -1
	c.Connector = nil
	assert.Equal(t, "connector-producer-n", c.SourceProducer().Props["client.id"])
}

func TestExactlyOnceProducerHasItsWay(t *testing.T) {
	c := clients()
	c.ExactlyOnce = true
	c.Connector = config.Props{"producer.override.transactional.id": "mine", "producer.override.enable.idempotence": "true"}
	got := c.SourceProducer()
	assert.Equal(t, "true", got.Props["enable.idempotence"])
	assert.Equal(t, "g-n-2", got.Props["transactional.id"])
	assert.Equal(t, []framework.ReplacedSetting{{Key: "transactional.id", Was: "mine", Is: "g-n-2"}}, got.Replaced)
}

func TestDLQProducer(t *testing.T) {
	c := clients()
	c.ExactlyOnce = true
	got := c.DLQProducer()
	assert.Equal(t, "connector-dlq-producer-n-2", got.Props["client.id"])
	assert.NotContains(t, got.Props, "transactional.id")
}

// The client id has a hyphen at its end and no task, as in Java.
func TestDLQAdmin(t *testing.T) {
	c := clients()
	want := c.Admin().Props.Clone()
	want["client.id"] = "connector-dlq-adminclient-"
	c.Worker = c.Worker.Clone()
	delete(c.Worker, "client.id")
	delete(c.Worker, "admin.client.id")
	assert.Equal(t, want, c.DLQAdmin().Props)
}

func TestSinkConsumer(t *testing.T) {
	c := clients()
	c.ClusterID, c.GroupID = "", ""
	assert.Equal(t, config.Props{"bootstrap.servers": "localhost:9092", "group.id": "connect-n", "client.id": "connector-consumer-n-2",
		"enable.auto.commit": "false", "auto.offset.reset": "earliest"}, c.SinkConsumer().Props)
	group, key := c.SinkGroupOf()
	assert.Equal(t, []string{"connect-n", "name"}, []string{group, key})

	c.Worker = c.Worker.Merge(config.Props{"consumer.group.id": "w", "consumer.auto.offset.reset": "latest"})
	group, key = c.SinkGroupOf()
	assert.Equal(t, []string{"w", "name"}, []string{group, key})
	assert.Equal(t, "latest", c.SinkConsumer().Props["auto.offset.reset"])

	c.Connector = config.Props{"consumer.override.group.id": "o"}
	group, key = c.SinkGroupOf()
	assert.Equal(t, []string{"o", "consumer.override.group.id"}, []string{group, key})
}

func TestOffsetsConsumer(t *testing.T) {
	c := clients()
	got := c.OffsetsConsumer()
	assert.Equal(t, "read_committed", got.Props["isolation.level"])
	assert.NotContains(t, got.Props, "group.id")
	c.Connector = config.Props{"consumer.override.isolation.level": "read_uncommitted"}
	assert.Equal(t, "read_uncommitted", c.OffsetsConsumer().Props["isolation.level"])
	c.ExactlyOnce = true
	got = c.OffsetsConsumer()
	assert.Equal(t, "read_committed", got.Props["isolation.level"])
	assert.Equal(t, []framework.ReplacedSetting{{Key: "isolation.level", Was: "read_uncommitted", Is: "read_committed"}}, got.Replaced)
}

func TestAdmin(t *testing.T) {
	c := clients()
	c.Worker = c.Worker.Merge(config.Props{"admin.retry.backoff.ms": "8", "producer.acks": "1", "admin.listeners": "http://:2",
		"admin.listeners.https.ssl.keystore.location": "k", "java.security.auth.login.config": "j"})
	c.Connector = config.Props{"admin.override.request.timeout.ms": "5"}
	assert.Equal(t, config.Props{"bootstrap.servers": "localhost:9092", "ssl.protocol": "TLSv1.2", "security.protocol": "SSL",
		"retry.backoff.ms": "8", "client.id": "w", "custom.setting": "c", "request.timeout.ms": "5",
		"metrics.context.connect.kafka.cluster.id": "k", "metrics.context.connect.group.id": "g"}, c.Admin().Props)
}

func TestWorkerClient(t *testing.T) {
	assert.Equal(t, config.Props{"bootstrap.servers": "localhost:9092", "ssl.protocol": "TLSv1.2", "security.protocol": "SSL",
		"retry.backoff.ms": "7", "client.id": "x", "custom.setting": "c"}, framework.WorkerClient(clients().Worker, "x"))
}
