package framework

import (
	"time"

	"github.com/streamlane/connect/config"
)

// WorkerConfig holds the keys that standalone and distributed workers share
// (Java's WorkerConfig).
type WorkerConfig struct {
	BootstrapServers    []string
	KeyConverter        PluginRef
	ValueConverter      PluginRef
	HeaderConverter     PluginRef
	TaskShutdownTimeout time.Duration // for all stopping tasks together
	OffsetFlushInterval time.Duration
	OffsetFlushTimeout  time.Duration
	ConfigProviders     []ProviderConfig
	OverridePolicyName  string
	OverrideAllowlist   []string
	TopicCreationEnable bool
	TopicTrackingEnable bool
	TopicTrackingReset  bool
	MetricsSampleWindow time.Duration
	MetricsNumSamples   int
	MetricsLevel        string
	TLS                 TLSConfig
	REST                RESTConfig

	// Producer, Consumer and Admin are defaults for the clients of connectors,
	// without their prefixes.
	Producer, Consumer, Admin config.Props

	providerAliases            []string
	dnsLookup, pluginDiscovery string
	pluginPath, reporters      []string
	internalKey, internalValue string
}

// ProviderConfig declares a config provider: its alias, class and settings.
type ProviderConfig struct {
	Alias, Class string
	Params       config.Props
}

// Describe declares the keys in Kafka's order.
func (c *WorkerConfig) Describe(d *config.Def) {
	config.List(d, &c.BootstrapServers, "bootstrap.servers").Check(config.DistinctNonEmpty()).Importance(config.High).
		Doc("Addresses (host:port) of Kafka brokers, from which the others are found.")
	config.Enum(d, &c.dnsLookup, "client.dns.lookup", "use_all_dns_ips", "resolve_canonical_bootstrap_servers_only").
		Default("use_all_dns_ips").Importance(config.Medium).Ignored("every address of a name is tried.").
		Doc("How names of brokers are resolved.")
	c.describeConverter(d, &c.KeyConverter, "key")
	c.describeConverter(d, &c.ValueConverter, "value")
	c.describeRunning(d)
	c.describeMetrics(d)
	config.Class(d, &c.HeaderConverter.Class, "header.converter").Default("org.apache.kafka.connect.storage.SimpleHeaderConverter").
		Doc("Header converter of connectors that name none. Its keys stand below header.converter.")
	Plugins(nil).version(d, &c.HeaderConverter.Version, "header.converter.plugin.version", HeaderConverter, &c.HeaderConverter.Class).
		Doc("Version of the header converter, or a range.")
	config.Map(d, &c.HeaderConverter.Config, "header.converter.", "Settings of the header converter.")
	c.describeConnectors(d)
	d.Prefix("", &c.TLS)
	c.describeTopics(d)
	d.Prefix("", &c.REST)
	c.describeClients(d)
}

func (c *WorkerConfig) describeConverter(d *config.Def, ref *PluginRef, what string) {
	config.Class(d, &ref.Class, what+".converter").Importance(config.High).
		Doc("Converter for record " + what + "s of connectors that name none. Its keys stand below " + what + ".converter.")
	Plugins(nil).version(d, &ref.Version, what+".converter.plugin.version", Converter, &ref.Class).
		Doc("Version of the " + what + " converter, or a range.")
	config.Map(d, &ref.Config, what+".converter.", "Settings of the "+what+" converter.")
}

func (c *WorkerConfig) describeRunning(d *config.Def) {
	config.Millis(d, &c.TaskShutdownTimeout, "task.shutdown.graceful.timeout.ms").Default(5 * time.Second).
		Doc("Milliseconds that tasks get to stop, all together, before they are given up.")
	config.Millis(d, &c.OffsetFlushInterval, "offset.flush.interval.ms").Default(time.Minute).
		Doc("Milliseconds between commits of offsets.")
	config.Millis(d, &c.OffsetFlushTimeout, "offset.flush.timeout.ms").Default(5 * time.Second).
		Doc("Milliseconds that a commit of offsets may take before it is given up and tried again later.")
	config.List(d, &c.pluginPath, "plugin.path").Optional().Check(config.Distinct()).
		Ignored("plugins are part of the program.").Doc("Where Java looks for plugins.")
	config.EnumFold(d, &c.pluginDiscovery, "plugin.discovery", "only_scan", "service_load", "hybrid_warn", "hybrid_fail").
		Default("hybrid_warn").Ignored("plugins are part of the program.").Doc("How Java looks for plugins.")
}

func (c *WorkerConfig) describeMetrics(d *config.Def) {
	const reason = "metrics are counters and histograms; windows are the monitoring system's affair."
	config.Millis(d, &c.MetricsSampleWindow, "metrics.sample.window.ms").Default(30 * time.Second).
		Check(config.AtLeast(time.Duration(0))).Ignored(reason).Doc("Milliseconds that a sample of a metric spans.")
	config.Int(d, &c.MetricsNumSamples, "metrics.num.samples").Default(2).Check(config.AtLeast(1)).Ignored(reason).
		Doc("Number of samples that are kept for a metric.")
	config.Enum(d, &c.MetricsLevel, "metrics.recording.level", "INFO", "DEBUG").Default("INFO").Ignored(reason).
		Doc("Which metrics are recorded.")
	config.List(d, &c.reporters, "metric.reporters").Default([]string{"org.apache.kafka.common.metrics.JmxReporter"}).
		Check(config.Distinct()).Ignored(noLoadClass).Doc("Classes that report metrics.")
}

func (c *WorkerConfig) describeConnectors(d *config.Def) {
	config.List(d, &c.providerAliases, "config.providers").Default(nil).Check(config.Distinct()).
		Doc("Aliases of config providers; config.providers.<alias>.class and config.providers.<alias>.param.* set each up.")
	config.String(d, &c.OverridePolicyName, "connector.client.config.override.policy").Default(policyAll).Importance(config.Medium).
		Check(config.CheckFunc("", func(v string) error {
			_, err := ParseOverridePolicy(v, nil)
			return err
		})).
		Doc("Which client settings connectors may override: All, None, Principal (user and protocol), or Allowlist.")
	d.Dynamic(func(d *config.Def) {
		if p, err := ParseOverridePolicy(c.OverridePolicyName, nil); err == nil && p.name == policyAllowlist {
			config.List(d, &c.OverrideAllowlist, "connector.client.config.override.allowlist").Default(nil).
				Doc("Client settings, without prefix, that the policy Allowlist allows for every kind of client.")
		}
	})
	config.Bool(d, &c.TopicCreationEnable, "topic.creation.enable").Default(true).
		Doc("Whether source connectors may create topics by their topic.creation.* rules.")
	d.Dynamic(c.describeProviders)
}

func (c *WorkerConfig) describeProviders(d *config.Def) {
	if len(c.ConfigProviders) != len(c.providerAliases) {
		c.ConfigProviders = make([]ProviderConfig, len(c.providerAliases))
	}
	for i, alias := range c.providerAliases {
		p := &c.ConfigProviders[i]
		p.Alias = alias
		prefix := "config.providers." + alias + "."
		config.Class(d, &p.Class, prefix+"class").Importance(config.High).Doc("Class of the config provider " + alias + ".")
		config.Map(d, &p.Params, prefix+"param.", "Settings of the config provider "+alias+".")
	}
}

func (c *WorkerConfig) describeTopics(d *config.Def) {
	config.Bool(d, &c.TopicTrackingEnable, "topic.tracking.enable").Default(true).
		Doc("Whether the topics that each connector uses are recorded.")
	config.Bool(d, &c.TopicTrackingReset, "topic.tracking.allow.reset").Default(true).
		Doc("Whether that record may be reset by request.")
}

func (c *WorkerConfig) describeClients(d *config.Def) {
	config.Map(d, &c.Producer, "producer.", "Settings of the producers of connectors.")
	config.Map(d, &c.Consumer, "consumer.", "Settings of the consumers of connectors.")
	config.Map(d, &c.Admin, "admin.", "Settings of the admin clients of connectors.")
	const reason = "the internal format is always JSON without schemas."
	internal := func(key string, p *string) {
		d.Dynamic(func(d *config.Def) {
			if d.Has(key) {
				config.Class(d, p, key).Optional().Ignored(reason).Doc("Converter of the worker's own records.")
				config.Map(d, new(config.Props), key+".", "Settings of that converter.")
			}
		})
	}
	internal("internal.key.converter", &c.internalKey)
	internal("internal.value.converter", &c.internalValue)
}

// OverridePolicy returns the policy for client overrides.
func (c *WorkerConfig) OverridePolicy() (OverridePolicy, error) {
	return ParseOverridePolicy(c.OverridePolicyName, c.OverrideAllowlist)
}

// StandaloneConfig configures a standalone worker (Java's StandaloneConfig).
type StandaloneConfig struct {
	WorkerConfig
	OffsetFile string
}

// Describe declares the worker's keys and the offset file.
func (c *StandaloneConfig) Describe(d *config.Def) {
	c.WorkerConfig.Describe(d)
	config.String(d, &c.OffsetFile, "offset.storage.file.filename").Importance(config.High).
		Doc("File that holds the offsets of source connectors.")
}
