package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Options says how to reach a Kafka cluster. The zero value reaches one at
// localhost:9092.
type Options struct {
	// Worker holds Java's worker keys. The Broker takes from it the keys of
	// connections (bootstrap.servers, security.protocol, ssl.*, sasl.*, time-outs)
	// and, for the stores, group.id, client.id, exactly.once.source.support and
	// {config,offset,status}.storage.*.
	Worker config.Props
	// Logger hears what clients have to say; nil: silence.
	Logger *slog.Logger
	// Dial opens connections to brokers; nil: TCP. TLS, if configured, is put on
	// top of what it returns.
	Dial func(ctx context.Context, network, host string) (net.Conn, error)
}

// A Broker opens clients of one Kafka cluster. It is safe for concurrent use. It
// holds nothing open itself: when its clients are closed, nothing is left.
type Broker struct {
	worker config.Props
	log    *slog.Logger
	dial   dialFunc
	vetter *vetter
	pool   clientPool
	stores storeSettings
}

var (
	_ connect.Broker            = (*Broker)(nil)
	_ connect.OffsetTopicOpener = (*Broker)(nil)
)

// New returns a Broker. It checks the worker's keys, reads the key and trust
// stores they name, and connects to nothing. Errors name the key.
func New(o Options) (*Broker, error) {
	b := &Broker{worker: o.Worker.Clone(), log: o.Logger, dial: o.Dial}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.vetter = newVetter(b.log)
	if err := config.Decode(b.worker, &b.stores); err != nil {
		return nil, fmt.Errorf("kafka: worker: %w", err)
	}
	if _, err := b.resolve(AdminClient, connect.ClientConfig{}); err != nil {
		return nil, err
	}
	return b, nil
}

// resolved is a client's configuration, ready to open.
type resolved struct {
	settings
	props config.Props
	opts  []kgo.Opt
}

// resolve decodes the configuration of a client. Props without bootstrap.servers
// are about this Broker's own cluster and lie over the worker's connection keys;
// others are taken as they are, as in Java.
func (b *Broker) resolve(kind Clients, c connect.ClientConfig) (*resolved, error) {
	r := &resolved{props: c.Props}
	if _, own := c.Props.Get("bootstrap.servers"); !own {
		r.props = b.connectionKeys(kind).Merge(c.Props)
	}
	if _, named := c.Props.Get("client.id"); !named {
		r.props = r.props.Merge(config.Props{"client.id": c.ClientID})
	}
	if c.TransactionalID != "" && kind == ProducerClient {
		r.props = r.props.Merge(config.Props{"transactional.id": c.TransactionalID, "enable.idempotence": "true"})
	}
	wrap := func(err error) (*resolved, error) {
		return nil, fmt.Errorf("kafka: %s %q: %w", kind, c.ClientID, err)
	}
	if err := b.vetter.vet(kind, c.Props); err != nil {
		return wrap(err)
	}
	r.kind = kind
	if err := config.Decode(r.props, &r.settings); err != nil {
		return wrap(err)
	}
	var err error
	if r.opts, err = r.connOptions(b.log.With("client", r.clientID), b.dial); err != nil {
		return wrap(err)
	}
	return r, nil
}

// connectionKeys returns the worker's keys of connections: those that all clients
// have, the name aside.
func (b *Broker) connectionKeys(kind Clients) config.Props {
	keys := config.Props{}
	for name, value := range b.worker {
		k, ok := lookupKey(name, kind)
		if ok && k.Clients == AllClients && k.Handling == Mapped && name != "client.id" {
			keys[name] = value
		}
	}
	return keys
}

// Producer opens a producer. It connects with the first message. Producers of
// equal configurations share a client, as long as they do not write to the same
// topics; transactional ones never do.
func (b *Broker) Producer(_ context.Context, c connect.ClientConfig) (connect.Producer, error) {
	return b.producer(c)
}

func (b *Broker) producer(c connect.ClientConfig) (*producer, error) {
	r, err := b.resolve(ProducerClient, c)
	if err != nil {
		return nil, err
	}
	r.opts = append(r.opts, r.producer.options(&r.settings)...)
	if err := kgo.ValidateOpts(r.opts...); err != nil {
		return nil, fmt.Errorf("kafka: producer %q: %w", r.clientID, err)
	}
	log := b.log.With("client", r.clientID)
	if r.producer.txnID != "" {
		return newProducer(b.pool.acquire("", r.opts, log), nil, &r.producer), nil
	}
	key := r.fingerprint(r.props)
	return newProducer(nil, func(topic string) *handle { return b.pool.claim(key, r.opts, log, topic) }, &r.producer), nil
}

// Consumer opens a consumer. It connects with the first Poll.
func (b *Broker) Consumer(_ context.Context, c connect.ConsumerConfig) (connect.Consumer, error) {
	return b.consumer(c)
}

func (b *Broker) consumer(c connect.ConsumerConfig) (*consumer, error) {
	r, err := b.resolve(ConsumerClient, c.ClientConfig)
	if err != nil {
		return nil, err
	}
	return newConsumer(r, c, b.log.With("client", r.clientID))
}

// Admin opens an administrative client. It connects with the first request.
func (b *Broker) Admin(_ context.Context, c connect.ClientConfig) (connect.Admin, error) {
	return b.admin(c)
}

func (b *Broker) admin(c connect.ClientConfig) (*admin, error) {
	r, err := b.resolve(AdminClient, c)
	if err != nil {
		return nil, err
	}
	r.opts = append(r.opts, kgo.MetadataMinAge(adminMetadataAge))
	if r.retries != forever {
		r.opts = append(r.opts, kgo.RequestRetries(int(r.retries)))
	}
	if err := kgo.ValidateOpts(r.opts...); err != nil {
		return nil, fmt.Errorf("kafka: admin client %q: %w", r.clientID, err)
	}
	return &admin{handle: b.pool.acquire(r.fingerprint(r.props), r.opts, nil), limit: r.apiLimit}, nil
}

func sortedKeys(m map[string]string) []string {
	return slices.SortedFunc(maps.Keys(m), strings.Compare)
}
