package framework

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/streamlane/connect/config"
)

// Clients makes the settings of the Kafka clients of one connector: the worker's
// defaults, overlaid with the connector's overrides. Its methods are pure. They
// return the settings under Kafka's names; serializers, which are always bytes,
// are not among them.
type Clients struct {
	// Worker and Connector are resolved configurations.
	Worker, Connector config.Props
	// Name is the connector's, Task the number of the task; negative: the clients
	// are for the connector itself.
	Name string
	Task int
	// ClusterID is the Kafka cluster's; "" if not known.
	ClusterID string
	// GroupID is the Connect cluster's; "" in standalone mode.
	GroupID string
	// ExactlyOnce tells that the worker has exactly-once source support enabled.
	ExactlyOnce bool
}

// ClientProps are settings of a client, and what was replaced against the will
// of the configuration, for a warning.
type ClientProps struct {
	Props    config.Props
	Replaced []ReplacedSetting
}

// ReplacedSetting is a setting whose value had to give way.
type ReplacedSetting struct{ Key, Was, Is string }

// id is what client ids end with.
func (c Clients) id() string {
	if c.Task < 0 {
		return c.Name
	}
	return c.Name + "-" + strconv.Itoa(c.Task)
}

// SourceProducer returns the settings of the producer of a source task. With
// exactly-once it is idempotent and transactional.
func (c Clients) SourceProducer() ClientProps {
	p := c.producer("connector-producer-" + c.id())
	out := ClientProps{Props: p}
	if c.ExactlyOnce {
		out.force("enable.idempotence", "true")
		out.force("transactional.id", TransactionalID(c.GroupID, c.Name, c.Task))
	}
	return out
}

// TransactionalID returns the transactional id of a source task's producer.
func TransactionalID(group, connector string, task int) string {
	return fmt.Sprintf("%s-%s-%d", group, connector, task)
}

// DLQProducer returns the settings of the producer of dead letters.
func (c Clients) DLQProducer() ClientProps {
	return ClientProps{Props: c.producer("connector-dlq-producer-" + c.id())}
}

func (c Clients) producer(clientID string) config.Props {
	return c.layers(config.Props{
		"max.block.ms":                          "9223372036854775807",
		"enable.idempotence":                    "false",
		"acks":                                  "all",
		"max.in.flight.requests.per.connection": "1",
		"delivery.timeout.ms":                   "2147483647",
		"client.id":                             clientID,
	}, "producer.")
}

// SinkConsumer returns the settings of the consumer of a sink task.
func (c Clients) SinkConsumer() ClientProps { return ClientProps{Props: c.consumer()} }

func (c Clients) consumer() config.Props {
	return c.layers(config.Props{
		"group.id":           SinkGroup(c.Name),
		"client.id":          "connector-consumer-" + c.id(),
		"enable.auto.commit": "false",
		"auto.offset.reset":  "earliest",
	}, "consumer.")
}

// SinkGroup returns the consumer group of a sink connector that names none.
func SinkGroup(connector string) string { return "connect-" + connector }

// OffsetsConsumer returns the settings of the consumer that reads a source
// connector's own offsets topic. It skips what was aborted: always with
// exactly-once, otherwise unless the configuration says so.
func (c Clients) OffsetsConsumer() ClientProps {
	const isolation, committed = "isolation.level", "read_committed"
	out := ClientProps{Props: c.consumer()}
	if c.ExactlyOnce {
		out.force(isolation, committed)
	} else if _, set := out.Props[isolation]; !set {
		out.Props[isolation] = committed
	}
	// It follows a topic as a whole, in no group.
	delete(out.Props, "group.id")
	return out
}

// Admin returns the settings of the connector's admin client. All of the
// worker's own settings come before its admin.* ones.
func (c Clients) Admin() ClientProps { return c.admin("connector-adminclient-" + c.id()) }

// DLQAdmin returns the settings of the admin client that creates the topic of
// dead letters. As in Java its client id names no task.
func (c Clients) DLQAdmin() ClientProps { return c.admin("connector-dlq-adminclient-") }

func (c Clients) admin(clientID string) ClientProps {
	defaults := c.Worker.Prefix("admin.")
	maps.DeleteFunc(defaults, func(key, _ string) bool { // admin.listeners is the REST server's
		return key == "listeners" || strings.HasPrefix(key, strings.TrimPrefix(AdminHTTPSPrefix, "admin."))
	})
	own := config.Props{"client.id": clientID}
	return ClientProps{Props: own.Merge(clientSettings(c.Worker), defaults, c.metricsContext(), c.Connector.Prefix(AdminOverridePrefix))}
}

// layers puts the settings together; later wins.
func (c Clients) layers(base config.Props, prefix string) config.Props {
	if servers, ok := c.Worker.Get("bootstrap.servers"); ok {
		base["bootstrap.servers"] = servers
	}
	return base.Merge(c.Worker.Prefix(prefix), c.metricsContext(), c.Connector.Prefix(prefix+"override."))
}

// metricsContext names the clusters that the client's metrics belong to.
func (c Clients) metricsContext() config.Props {
	p := config.Props{}
	if c.ClusterID != "" {
		p["metrics.context.connect.kafka.cluster.id"] = c.ClusterID
	}
	if c.GroupID != "" {
		p["metrics.context.connect.group.id"] = c.GroupID
	}
	return p
}

// force sets what exactly-once cannot do without.
func (p *ClientProps) force(key, value string) {
	if was, set := p.Props[key]; set && was != value {
		p.Replaced = append(p.Replaced, ReplacedSetting{key, was, value})
	}
	p.Props[key] = value
}

// SinkGroupOf returns the consumer group of a sink connector, and the key of the
// connector's configuration that an error about it belongs to.
func (c Clients) SinkGroupOf() (group, key string) {
	group = c.consumer()["group.id"]
	if _, own := c.Connector.Get(ConsumerOverridePrefix + "group.id"); own {
		return group, ConsumerOverridePrefix + "group.id"
	}
	return group, "name"
}

// WorkerClient returns the settings of the worker's own clients of a distributed
// worker: everything in its configuration that a client understands, without
// what concerns connectors.
func WorkerClient(worker config.Props, clientID string) config.Props {
	p := clientSettings(worker)
	if clientID != "" {
		p["client.id"] = clientID
	}
	return p
}

// workerPrefixes are the free keys of workers.
var workerPrefixes = []string{"producer.", "consumer.", "admin.", "config.providers.", "key.converter.", "value.converter.",
	"header.converter.", "internal.", "listeners.", "offset.storage.", "config.storage.", "status.storage.", "rest.", "response.", "connector."}

// clientSettings returns the settings in a worker's configuration that its
// clients get: all but those that workers alone have, which clients would not
// know or, as group.id, would take for something else. Java hands everything on
// and has its clients warn.
func clientSettings(worker config.Props) config.Props {
	only := workerKeys()
	p := worker.Clone()
	maps.DeleteFunc(p, func(key, _ string) bool {
		return only[key] || slices.ContainsFunc(workerPrefixes, func(pre string) bool { return strings.HasPrefix(key, pre) })
	})
	return p
}

// workerKeys lists the keys that workers declare and no client has. It is made
// once, for each task has clients.
var workerKeys = sync.OnceValue(func() map[string]bool {
	only := map[string]bool{LoginConfigKey: true}
	for _, d := range []config.Describer{new(DistributedConfig), new(StandaloneConfig)} {
		for _, k := range config.Keys(d) {
			only[k.Name] = true
		}
	}
	for _, d := range []config.Describer{new(TLSConfig), new(ClientSettings)} {
		for _, k := range config.Keys(d) {
			delete(only, k.Name)
		}
	}
	for _, k := range []string{"bootstrap.servers", "client.dns.lookup", "metrics.sample.window.ms", "metrics.num.samples",
		"metrics.recording.level", "metric.reporters", "metadata.recovery.strategy", "metadata.recovery.rebootstrap.trigger.ms"} {
		delete(only, k)
	}
	return only
})
