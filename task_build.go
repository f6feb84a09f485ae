package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// A taskBuild gathers what a task run is made of.
type taskBuild struct {
	rt  *Runtime
	c   *cluster.Connector
	env *taskEnv
	set connectorSettings
	// raw texts beside the resolved ones in env
	rawConnector, rawTask config.Props
	java                  map[string]string // Java's names of the plugins at work
}

// buildTask makes everything of a task run but its start: decodes its keys,
// makes converters, transforms, the task itself, and the pipeline around it.
// What was made by the time of an error is closed.
func (rt *Runtime) buildTask(ctx context.Context, r *run, c *cluster.Connector) (*taskEnv, pipeline, error) {
	b := &taskBuild{rt: rt, c: c, java: make(map[string]string), env: &taskEnv{
		id: r.key, hooks: rt.hooks, broker: rt.opts.Broker, timing: rt.worker.timing, gate: r.gate,
		log: rt.logOf(r.key).With("connector", r.key.Connector, "task", r.key.Task), chain: &chain{},
	}}
	p, err := b.build(ctx, r)
	if err != nil {
		return nil, nil, errors.Join(err, b.env.close(ctx))
	}
	return b.env, p, nil
}

func (b *taskBuild) build(ctx context.Context, r *run) (p pipeline, err error) {
	env := b.env
	if env.plugin, err = b.rt.connectorPlugin(b.c.Props); err != nil {
		return nil, err
	}
	version := env.plugin.info.Version
	env.running = func(context.Context) { b.rt.publish(r, cluster.Status{State: cluster.Running, Version: version}) }
	env.paused = func(context.Context) { b.rt.publish(r, cluster.Status{State: cluster.Paused, Version: version}) }

	if b.rt.worker.trackTopics && b.rt.opts.Receiver == nil {
		env.topics = &topicNotes{board: b.rt.status, task: env.id}
	}
	b.rawConnector = b.c.Props
	resolved, err := b.rt.resolveAll(ctx, b.rawConnector)
	if err != nil {
		return nil, err
	}
	env.connector = resolved.Props
	b.rt.tail.Protect(env.id, b.rt.redactor(resolved))
	if env.props, b.rawTask, err = b.rt.taskProps(ctx, r.key, b.c); err != nil {
		return nil, err
	}
	if b.set, err = b.rt.connectorSettings(env.plugin.kind, env.connector, b.rawConnector); err != nil {
		return nil, err
	}
	if b.set.TasksMaxEnforce && len(b.c.Tasks) > b.set.TasksMax {
		return nil, fmt.Errorf("the connector has %d task configurations; tasks.max is %d", len(b.c.Tasks), b.set.TasksMax)
	}
	if err := b.overrides(); err != nil {
		return nil, err
	}
	if err := b.errors(); err != nil {
		return nil, err
	}
	if err := b.chain(); err != nil {
		return nil, err
	}
	if env.plugin.kind == SinkPlugin {
		return b.sink()
	}
	return b.source(ctx)
}

// overrides holds client settings against the worker's policy once more: a
// configuration may be older than the policy.
func (b *taskBuild) overrides() error {
	policy := b.rt.worker.policy
	return errors.Join(slices.Concat(
		policy.CheckAll(framework.ProducerOverridePrefix, b.set.ProducerOverride),
		policy.CheckAll(framework.ConsumerOverridePrefix, b.set.ConsumerOverride),
		policy.CheckAll(framework.AdminOverridePrefix, b.set.AdminOverride))...)
}

// errors makes the error handling, with its reporters in Java's order.
func (b *taskBuild) errors() error {
	env := b.env
	env.errs = &errorHandler{task: env.id, set: b.set.errors(), hooks: b.rt.hooks}
	env.chain.errs = env.errs
	if env.errs.set.logEnabled {
		env.errs.reporters = append(env.errs.reporters, logReporter{env.log, env.errs.set.logRecords})
	}
	return b.letters()
}

// chain makes the transforms with their predicates.
func (b *taskBuild) chain() error {
	predicates := make(map[string]framework.PredicateConfig)
	for _, p := range b.set.Predicates {
		predicates[p.Alias] = *p
	}
	for _, t := range b.set.Transforms {
		stage := transformStage{alias: t.Alias, class: t.Type.Class, negate: t.Negate}
		plugin, err := b.rt.registry.find(framework.Transformation, t.Type.Class, t.Type.Version)
		if err == nil {
			b.java[t.Type.Class] = plugin.javaClass(b.env.connector[t.Prefix()+"type"])
			stage.transform, err = plugin.transform(b.below(t.Prefix()))
		}
		if err != nil {
			return fmt.Errorf("transform %q: %w", t.Alias, err)
		}
		b.env.chain.stages = append(b.env.chain.stages, stage)
		if t.Applies == "" {
			continue
		}
		p, ok := predicates[t.Applies]
		if !ok {
			return fmt.Errorf("key %spredicate: there is no predicate %q; the key predicates has %v", t.Prefix(), t.Applies, b.set.PredicateAliases)
		}
		last := &b.env.chain.stages[len(b.env.chain.stages)-1]
		plugin, err = b.rt.registry.find(framework.Predicate, p.Type.Class, p.Type.Version)
		if err == nil {
			last.predicate, err = plugin.predicate(b.below(p.Prefix()))
		}
		if err != nil {
			return fmt.Errorf("predicate %q: %w", p.Alias, err)
		}
	}
	return nil
}

// below returns the connector's keys below a prefix, resolved and raw.
func (b *taskBuild) below(prefix string) (resolved, raw config.Props) {
	return b.env.connector.Prefix(prefix), b.rawConnector.Prefix(prefix)
}

// converters makes the three converters. A connector that names its own gives
// it all of its keys; the worker's keys are for the worker's converters.
func (b *taskBuild) converters() (err error) {
	env, w := b.env, b.rt.worker
	key, err := b.converter("key.converter", framework.Converter, b.set.KeyConverter, w.key)
	if err != nil {
		return err
	}
	value, err := b.converter("value.converter", framework.Converter, b.set.ValueConverter, w.value)
	if err != nil {
		return err
	}
	header, err := b.converter("header.converter", framework.HeaderConverter, b.set.HeaderConverter, w.header)
	if err != nil {
		return err
	}
	env.keyClass, env.valueClass, env.headerClass = key.class, value.class, header.class
	if env.key, err = key.plugin.converter(key.props("key")); err != nil {
		return fmt.Errorf("key.converter %q: %w", key.class, err)
	}
	if env.value, err = value.plugin.converter(value.props("value")); err != nil {
		return fmt.Errorf("value.converter %q: %w", value.class, err)
	}
	if env.header, err = header.plugin.header(header.props("header")); err != nil {
		return fmt.Errorf("header.converter %q: %w", header.class, err)
	}
	return nil
}

// A converterChoice is a plugin with the keys that configure it.
type converterChoice struct {
	plugin        Plugin
	class         string
	resolved, raw config.Props
}

func (b *taskBuild) converter(key string, kind framework.Kind, own, workers framework.PluginRef) (c converterChoice, err error) {
	ref, configured := own, b.env.connector[key]
	c.resolved, c.raw = b.below(key + ".")
	if own.Class == "" {
		ref, configured = workers, workers.Class
		c.resolved, c.raw = workers.Config, workers.Config
	}
	if ref.Class == "" {
		return c, fmt.Errorf("missing required configuration %q: neither the connector nor the worker has it", key)
	}
	c.class = ref.Class
	if c.plugin, err = b.rt.registry.find(kind, ref.Class, ref.Version); err != nil {
		return c, fmt.Errorf("key %s: %w", key, err)
	}
	b.java[c.class] = c.plugin.javaClass(configured)
	return c, nil
}

// props are the converter's keys, with the type that the framework sets.
func (c *converterChoice) props(kind string) (resolved, raw config.Props) {
	add := config.Props{"converter.type": kind}
	return config.Props{}.Merge(c.resolved, add), config.Props{}.Merge(c.raw, add)
}

// clients layers the settings of the task's Kafka clients.
func (b *taskBuild) clients() framework.Clients {
	return framework.Clients{
		Worker: b.rt.worker.props, Connector: b.env.connector, Name: b.env.id.Connector, Task: b.env.id.Task,
	}
}

// client makes the configuration of one client, and warns of settings that had
// to give way.
func (b *taskBuild) client(p framework.ClientProps) ClientConfig {
	for _, r := range p.Replaced {
		b.env.log.Warn("a client setting was replaced", "key", r.Key, "was", r.Was, "is", r.Is)
	}
	return ClientConfig{ClientID: p.Props["client.id"], Props: p.Props}
}

// idempotent drops the settings by which Java's workers turn idempotence off
// and keep order without it, unless the worker or the connector asks for them:
// our producers keep order and drop duplicates of their own retries.
func (b *taskBuild) idempotent(p framework.ClientProps) framework.ClientProps {
	for _, key := range []string{"enable.idempotence", "max.in.flight.requests.per.connection"} {
		if !b.configures(framework.ProducerOverridePrefix+key, "producer."+key) {
			delete(p.Props, key)
		}
	}
	return p
}

// configures tells whether a setting is the connector's choice, or the worker's
// under any of the keys.
func (b *taskBuild) configures(connector string, workers ...string) bool {
	_, configured := b.env.connector.Get(connector)
	for _, key := range workers {
		_, is := b.rt.worker.props.Get(key)
		configured = configured || is
	}
	return configured
}

// sharedProducer and sharedAdmin are the names of clients that are nobody's own.
const (
	sharedProducer = "connector-producer"
	sharedAdmin    = "connector-adminclient"
)

// producer makes the configuration of the task's producer. Java's client.id has
// connector and task in it. Here a producer whose name nobody has chosen is called
// as all of its kind, so that those of equal settings may share a client.
func (b *taskBuild) producer() ClientConfig {
	p := b.idempotent(b.clients().SourceProducer())
	_, transactional := p.Props["transactional.id"]
	if !transactional && !b.configures(framework.ProducerOverridePrefix+"client.id", "producer.client.id") {
		p.Props["client.id"] = sharedProducer
	}
	return b.client(p)
}

// admin makes the configuration of the task's administrative client, as producer
// does.
func (b *taskBuild) admin() ClientConfig {
	p := b.clients().Admin()
	if !b.configures(framework.AdminOverridePrefix+"client.id", "admin.client.id", "client.id") {
		p.Props["client.id"] = sharedAdmin
	}
	return b.client(p)
}

// source makes the task and its pipeline, to Kafka or to the Receiver.
func (b *taskBuild) source(ctx context.Context) (pipeline, error) {
	env := b.env
	var err error
	if env.offsets, err = b.rt.offsetAccess(ctx, b.c); err != nil {
		return nil, err
	}
	task, err := env.plugin.sourceTask(env.props, b.rawTask)
	if err != nil {
		return nil, err
	}
	_, wantDeliveries := task.(DeliveryCommitter)
	p := &sourcePipeline{env: env, task: task, trans: noTransactions{}, track: newTracker(wantDeliveries)}
	p.track.failed = func(err error) { p.fail(err) }
	if b.rt.opts.Receiver != nil {
		p.out = &receiverOutput{env: env, receiver: b.rt.opts.Receiver}
		return p, nil
	}
	if p.out, err = b.kafkaOutput(ctx, p.track); err != nil {
		return nil, err
	}
	return p, nil
}

func (b *taskBuild) kafkaOutput(ctx context.Context, track *tracker) (sourceOutput, error) {
	env := b.env
	if env.broker == nil {
		return nil, errors.New("the runtime has neither a Broker nor a Receiver for the records of sources")
	}
	if err := b.converters(); err != nil {
		return nil, err
	}
	producer, admin := b.producer(), b.admin()
	out := &kafkaOutput{env: env, open: func(ctx context.Context) (Producer, error) { return env.broker.Producer(ctx, producer) }}
	if err := out.wake(ctx); err != nil { // connects to nothing, and finds what is wrong with the settings
		return nil, err
	}
	track.tolerate, track.topics = out.tolerate, env.topics
	rules, err := b.set.source.TopicRules()
	if err != nil {
		return nil, err
	}
	if b.rt.worker.createTopics && rules != nil {
		out.topics = &topicCreator{rules: rules, log: env.log, known: make(map[string]bool), open: func(ctx context.Context) (Admin, error) {
			return env.broker.Admin(ctx, admin)
		}}
	}
	return out, nil
}

// sink makes the task and its pipeline.
func (b *taskBuild) sink() (pipeline, error) {
	env := b.env
	if env.broker == nil {
		return nil, errors.New("the runtime has no Broker for sinks to read from")
	}
	if err := b.converters(); err != nil {
		return nil, err
	}
	task, err := env.plugin.sinkTask(env.props, b.rawTask)
	if err != nil {
		return nil, err
	}
	topics, pattern, err := b.set.sink.Subscription()
	if err != nil {
		return nil, err
	}
	client := b.client(b.clients().SinkConsumer())
	s := sinkSettings{consumer: ConsumerConfig{ClientConfig: client, Group: client.Props["group.id"], Topics: topics}}
	if pattern != nil {
		s.consumer.Match = func(topic string) bool {
			ok, err := pattern.Match(topic)
			if err != nil {
				env.log.Warn("a topic is not consumed", "err", err)
			}
			return ok
		}
	}
	return newSinkPipeline(env, task, s), nil
}
